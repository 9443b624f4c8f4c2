"""Reading drawings back, for the tests of each form; and graphs to draw."""

import json
import os
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from unittest import mock
from xml.etree import ElementTree

import pytest
from hypothesis import strategies as st

import autograd
from autograd import Value, draw

NOWHERE = str(Path(__file__).parent / "no such directory")

HOSTILE = [
    'say "hi"',
    '"]; evil [label="',
    "ends with a backslash \\",
    r"\N \G \L \n \\N",
    "{a|b}|<port> c",
    "</TD></TR></TABLE>> evil <",
    "><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<!-- <script>",
    "</text><a href='https://example.com'>link</a>",
    '" onload="alert(1)',
    "javascript:alert(1)",
    "&#0; &lt; &amp; &nbsp; &unknown;",
    "]]> <!-- -- --> <?php ?>",
    "]",
    "line\nbreak\r\nand\ttab",
    "other line breaks \u2028 \u2029 \x0b \x0c",
    "nul \x00, escape \x1b, next line \x85",
    "lone \ud800 surrogates \udfff",
    "not characters \ufffe \uffff",
    "right to left \u202e override \u061c",
    "n0 -> n0",
    "digraph",
    "└─ see #0",
    "#0 leaf  data 1  grad 0  x\n└─ leaf  data 1  grad 0  y",
    "${alert(1)} `alert(1)` {{7*7}} %s {0}",
    "__proto__",
    "重み 🙂 e\u0301",
    "a.b.c",
    "__proto__.constructor.w",
    "(inputs).(output).w",
    "重み.n٣.w",
    "..a..b..",
    "a.<b>.&lt;",
    "a." * 20 + "b",
    "a." * 5_000 + "b",
]

any_text = st.text(st.characters(exclude_categories=[]))  # lone surrogates among them


def without_dot():
    return mock.patch.dict(os.environ, PATH=NOWHERE)


def built_in_svg(value, **options):
    return draw(value, engine="built-in", **options).svg()


# ---- graphs


@st.composite
def recorded(draw_from):
    """The last of some named values, each computed from earlier ones, often from one twice."""
    values = [Value(float(i), label=f"v{i}") for i in range(draw_from(st.integers(1, 4)))]
    for _ in range(draw_from(st.integers(0, 25))):
        operands = draw_from(st.lists(st.sampled_from(values), min_size=1, max_size=7))
        new = autograd.sum(operands) if len(operands) > 1 else operands[0].tanh()
        new.label = f"v{len(values)}"
        values.append(new)
    return values[-1]


def shared_chain(steps):
    """A chain each of whose steps uses one and the same first value."""
    w = Value(0.5, label="w")
    value = Value(1.0, label="start")
    for i in range(steps):
        value = value * w
        value.label = f"step {i}"
    return value


def graph(output):
    """Labels of all nodes, and each use as (operand's label, result's label): from `.parents` alone."""
    labels, uses, todo = {}, Counter(), [output]
    while todo:
        value = todo.pop()
        if value not in labels:
            labels[value] = value.label
            uses.update((parent.label, value.label) for parent in value.parents)
            todo.extend(value.parents)
    return Counter(labels.values()), uses


def shown_in(form, output, **options):
    """The same, read back from a drawing in that form."""
    drawing = draw(output, engine="built-in", **options)
    if form == "dot":
        nodes, edges = read_dot(drawing.dot)
        names = {node: name_in(label) for node, label in nodes.items()}
        return Counter(names.values()), Counter((names[a], names[b]) for a, b, _ in edges)
    if form == "svg":
        boxes, arrows = read_svg(drawing.svg())
        return Counter(box.name for box in boxes), Counter(uses_shown(boxes, arrows))
    if form == "text":
        return read_text(drawing.text)
    read = json.loads(drawing.json)
    labels = [box["label"] for box in read["boxes"]]
    uses = ((labels[arrow["tail"]], labels[arrow["head"]]) for arrow in read["arrows"])
    return Counter(labels), Counter(uses)


# ---- DOT


def read_dot(text):
    """The nodes' labels as XML elements, and the edges, of DOT text that holds nothing else."""
    head, *statements, last = text.splitlines()
    assert (head, last) == ("digraph {", "}")
    nodes, edges = {}, []
    for statement in statements:
        if node := re.fullmatch(
            r'  (n\d+) \[label=<(.*)>, style="[a-z,]+", fillcolor="#[0-9a-f]{6}", penwidth=[13]'
            r'(?:, color="#cbd5e1", fontcolor="#cbd5e1")?\]',
            statement,
        ):
            nodes[node[1]] = ElementTree.fromstring(node[2])
        elif edge := re.fullmatch(
            r'  (n\d+) -> (n\d+):p(\d+):[wens](?: \[color="#[0-9a-f]{6}"(?:, penwidth=2.4)?\])?', statement
        ):
            edges.append((edge[1], edge[2], int(edge[3])))
        else:
            assert re.match(r"  (graph|node|edge) \[", statement), statement
    return nodes, edges


def name_in(label):
    return "".join(element.text for element in label.iter("B"))


# ---- SVG


class Box:
    """A node of a built-in SVG, as it stands on the page."""

    def __init__(self, group):
        frame, texts = group.find("{*}rect"), group.findall("{*}text")
        self.left, self.top, width, height = (float(frame.get(k)) for k in ("x", "y", "width", "height"))
        self.right, self.bottom = self.left + width, self.top + height
        self.name = "".join(text.text for text in texts if text.get("font-weight") == "bold")
        self.texts = [text.text for text in texts]
        self.fill = frame.get("fill")
        self.look = (frame.get("rx"), frame.get("stroke-dasharray"), frame.get("stroke-width"))
        self.aside = group.get("opacity") is not None

    def overlaps(self, other):
        apart = self.right < other.left or other.right < self.left
        return not (apart or self.bottom < other.top or other.bottom < self.top)

    def holds(self, point):
        return self.left < point[0] < self.right and self.top < point[1] < self.bottom


def along(path):
    """Points on an SVG path of M, H, V and C, up to the strokes of its arrow head."""
    body = re.fullmatch(r"(M[^M]+)M[-\d. ]+L([-\d. ]+)L[-\d. ]+", path)
    points = []
    for command, numbers in re.findall(r"([MHVC])([-\d. ]+)", body[1]):
        n = [float(x) for x in numbers.split()]
        if command == "C":
            start = points[-1]
            for t in (i / 20 for i in range(1, 21)):
                weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
                ends = (start, n[0:2], n[2:4], n[4:6])
                points.append(
                    tuple(sum(w * p[k] for w, p in zip(weights, ends, strict=True)) for k in (0, 1))
                )
        elif command == "V":
            points.append((points[-1][0], n[0]))
        else:
            points.append(tuple(n) if command == "M" else (n[0], points[-1][1]))
    assert [float(x) for x in body[2].split()] == pytest.approx(points[-1])  # the head is at the end
    return points


def read_svg(text):
    """The boxes of a built-in SVG, and the points along each arrow."""
    root = ElementTree.fromstring(text)
    groups = root.findall("{*}g")
    boxes = [group for group in groups[1:] if group.get("class") != "legend"]
    return [Box(group) for group in boxes], [along(path.get("d")) for path in groups[0]]


def legend_in(text):
    """The words of a built-in SVG's legend by the colour behind each, and the lines of its notes."""
    (group,) = ElementTree.fromstring(text).findall("{*}g[@class='legend']") or [[]]
    words, notes, colour = {}, [], None
    for element in group:
        if element.tag.endswith("rect"):
            colour = element.get("fill")
        elif colour:
            words[colour], colour = element.text, None
        else:
            notes.append(element.text)
    return words, [note for note in notes if note != "gradient"]


def uses_shown(boxes, arrows):
    """Each arrow as the names of the box whose side it leaves and the box whose opposite side it enters."""
    uses = []
    for points in arrows:
        start, end = points[0], points[-1]
        (tail,) = [box for box in boxes if _on_border(box, start)]
        (head,) = [box for box in boxes if _on_border(box, end)]
        uses.append((tail.name, head.name))
    return uses


def _on_border(box, point):
    x, y = point
    return (x in (box.left, box.right) and box.top < y < box.bottom) or (
        y in (box.top, box.bottom) and box.left < x < box.right
    )


# ---- text

TREE_LINE = re.compile(
    r"(?P<lead>(?:│  |   )*)(?P<branch>[├└]─ )?(?:\((?P<note>\S+)\) )?"
    r"(?:see #(?P<see>\d+)(?P<below> below)?|(?:#(?P<number>\d+) )?(?P<rest>.*))"
)
TREE_BOX = re.compile(r"(?:number  \S+|.+?  data \S+  grad \S+)(?:  (?P<name>.*))?")


def read_text(text):
    """Labels and uses, as `graph` has them, of a drawing as text."""
    nodes, uses, path, roots = [], [], [], set()
    for line in text.rstrip("\n").split("\n"):
        read = TREE_LINE.fullmatch(line)
        depth = len(read["lead"]) // 3 + bool(read["branch"])
        del path[depth:]
        if read["see"] is None:
            key = ("#", read["number"]) if read["number"] else ("line", len(nodes))
            nodes.append((key, TREE_BOX.fullmatch(read["rest"])["name"] or ""))
        else:
            key = ("#", read["see"])
        roots |= {key} if depth == 0 else set()
        if path:
            uses.append((key, path[-1]))
        path.append(key)
    names = dict(nodes)
    assert len(names) == len(nodes)  # each once
    return Counter(names.values()), Counter((names[a], names[b]) for a, b in uses)


# ---- HTML


class Page(HTMLParser):
    """The elements of a page with their attributes, and what stands in its scripts and styles."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.texts, self.inside = [], [], False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.inside = tag in ("script", "style")
        if self.inside:
            self.texts.append((tag, ""))

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, text):
        if self.inside:
            self.texts[-1] = (self.texts[-1][0], self.texts[-1][1] + text)

    def inner(self, tag):
        return [text for name, text in self.texts if name == tag]


# ---- colours


def luminance(colour):
    """Relative luminance, as WCAG 2 defines it."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
