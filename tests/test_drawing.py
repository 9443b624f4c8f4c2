"""Drawings: that they show the recorded graph, readably, and that no label is more than text."""

import json
import os
import re
import shutil
import sys
from collections import Counter
from itertools import combinations, pairwise
from pathlib import Path
from unittest import mock
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Value, draw
from autograd.drawing.layers import FARTHEST_BENDS
from autograd.drawing.layout import lay_out

NOWHERE = str(Path(__file__).parent / "no such directory")
needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason='needs the Graphviz program "dot"')

HOSTILE = [
    'say "hi"',
    '"]; evil [label="',
    "ends with a backslash \\",
    r"\N \G \L \n \\N",
    "{a|b}|<port> c",
    "</TD></TR></TABLE>> evil <",
    "><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</text><a href='https://example.com'>link</a>",
    '" onload="alert(1)',
    "&#0; &lt; &amp; &nbsp; &unknown;",
    "]]> <!-- -- --> <?php ?>",
    "]",
    "line\nbreak\r\nand\ttab",
    "nul \x00, escape \x1b, next line \x85",
    "lone \ud800 surrogates \udfff",
    "not characters \ufffe \uffff",
    "right to left \u202e override",
    "n0 -> n0",
    "digraph",
    "重み 🙂 e\u0301",
]


def without_dot():
    return mock.patch.dict(os.environ, PATH=NOWHERE)


def built_in_svg(value):
    with without_dot():
        return draw(value).svg()


# ---- reading drawings back


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


def read_dot(text):
    """The nodes' labels as XML elements, and the edges, of DOT text that holds nothing else."""
    head, *statements, last = text.splitlines()
    assert (head, last) == ("digraph {", "}")
    nodes, edges = {}, []
    for statement in statements:
        if node := re.fullmatch(r'  (n\d+) \[label=<(.*)>, style="[a-z,]+", penwidth=[13]\]', statement):
            nodes[node[1]] = ElementTree.fromstring(node[2])
        elif edge := re.fullmatch(r"  (n\d+) -> (n\d+):p(\d+):w", statement):
            edges.append((edge[1], edge[2], int(edge[3])))
        else:
            assert re.match(r"  (graph|node|edge) \[", statement), statement
    return nodes, edges


def name_in(label):
    return "".join(element.text for element in label.iter("B"))


class Box:
    """A node of a built-in SVG, as it stands on the page."""

    def __init__(self, group):
        frame, texts = group.find("{*}rect"), group.findall("{*}text")
        self.left, self.top, width, height = (float(frame.get(k)) for k in ("x", "y", "width", "height"))
        self.right, self.bottom = self.left + width, self.top + height
        self.name = "".join(text.text for text in texts if text.get("font-weight") == "bold")
        self.texts = [text.text for text in texts]
        self.look = (frame.get("rx"), frame.get("stroke-dasharray"), frame.get("stroke-width"))

    def overlaps(self, other):
        apart = self.right < other.left or other.right < self.left
        return not (apart or self.bottom < other.top or other.bottom < self.top)

    def holds(self, point):
        return self.left < point[0] < self.right and self.top < point[1] < self.bottom


def along(path):
    """Points on an SVG path of M, H and C, up to the strokes of its arrow head."""
    body = re.fullmatch(r"(M[^M]+)M[-\d. ]+L([-\d. ]+)L[-\d. ]+", path)
    points = []
    for command, numbers in re.findall(r"([MHC])([-\d. ]+)", body[1]):
        n = [float(x) for x in numbers.split()]
        if command == "C":
            start = points[-1]
            for t in (i / 20 for i in range(1, 21)):
                weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
                ends = (start, n[0:2], n[2:4], n[4:6])
                points.append(
                    tuple(sum(w * p[k] for w, p in zip(weights, ends, strict=True)) for k in (0, 1))
                )
        else:
            points.append(tuple(n) if command == "M" else (n[0], points[-1][1]))
    assert [float(x) for x in body[2].split()] == pytest.approx(points[-1])  # the head is at the end
    return points


def read_svg(text):
    """The boxes of a built-in SVG, and the points along each arrow."""
    root = ElementTree.fromstring(text)
    groups = root.findall("{*}g")
    return [Box(group) for group in groups[1:]], [along(path.get("d")) for path in groups[0]]


def uses_shown(boxes, arrows):
    """Each arrow as the names of the box whose right side it leaves and the box whose left side it enters."""
    uses = []
    for points in arrows:
        (x, y), (end_x, end_y) = points[0], points[-1]
        (tail,) = [box for box in boxes if box.right == x and box.top < y < box.bottom]
        (head,) = [box for box in boxes if box.left == end_x and box.top < end_y < box.bottom]
        uses.append((tail.name, head.name))
    return uses


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


# ---- the graph that is shown is the graph that was recorded


@given(recorded())
def test_dot_text_is_the_recorded_graph(output):
    nodes, edges = read_dot(draw(output).dot)
    names = {node: name_in(label) for node, label in nodes.items()}
    assert (Counter(names.values()), Counter((names[a], names[b]) for a, b, _ in edges)) == graph(output)


@given(recorded())
def test_built_in_svg_is_the_recorded_graph(output):
    boxes, arrows = read_svg(built_in_svg(output))
    assert (Counter(box.name for box in boxes), Counter(uses_shown(boxes, arrows))) == graph(output)


@needs_dot
def test_graphviz_reads_the_recorded_graph():
    import graphviz

    a, b = Value(2.0, label='a "quoted"'), Value(-3.0, label=r"b\N")
    output = a * a - (a * b).tanh()
    read = json.loads(graphviz.Source(draw(output).dot).pipe(format="json", encoding="utf-8"))
    assert (len(read["objects"]), len(read["edges"])) == (6, 7)  # a, b, a·a, a·b, tanh, the difference
    tails = Counter(edge["tail"] for edge in read["edges"])
    assert sorted(tails.values()) == [1, 1, 1, 1, 3]


@needs_dot
def test_graphviz_svg_has_each_node_and_each_use():
    a = Value(3.0, label="a")
    drawing = draw((a * a + 10).tanh())
    root = ElementTree.fromstring(drawing.svg())
    kinds = Counter(group.get("class") for group in root.iter("{http://www.w3.org/2000/svg}g"))
    assert (kinds["node"], kinds["edge"]) == (5, 5)
    assert repr(drawing) == "Drawing: 5 nodes, 5 edges, drawn by Graphviz dot"


def test_both_uses_of_a_squared_operand_are_seen():
    a = Value(3.0, label="a")
    square = a * a
    assert [edge[:2] for edge in read_dot(draw(square).dot)[1]] == [("n0", "n1"), ("n0", "n1")]
    _, (first, second) = read_svg(built_in_svg(square))
    assert second[-1][1] - first[-1][1] >= 8


def test_operands_arrive_in_their_order_from_top_to_bottom():
    a, b, c = (Value(float(i), label=name) for i, name in enumerate("abc"))
    output = autograd.sum([c, a, b, a])
    nodes, edges = read_dot(draw(output).dot)
    ports = sorted((port, name_in(nodes[tail])) for tail, _, port in edges)
    assert [name for _, name in ports] == ["c", "a", "b", "a"]
    boxes, arrows = read_svg(built_in_svg(output))
    arrows.sort(key=lambda points: points[-1][1])
    assert [tail for tail, _ in uses_shown(boxes, arrows)] == ["c", "a", "b", "a"]


def test_boxes_show_operation_label_data_and_gradient_and_constants_only_their_number():
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    product = a * b
    output = product + 10.25
    output.label = "out"
    output.backward()
    expected = [
        ["a", "data", "2", "grad", "-3"],
        ["b", "data", "-3", "grad", "2"],
        ["×", "data", "-6", "grad", "1"],
        ["10.25"],
        ["+", "out", "data", "4.25", "grad", "1"],
    ]
    assert [box.texts for box in read_svg(built_in_svg(output))[0]] == expected
    labels, _ = read_dot(draw(output).dot)
    shown = [sorted(text for text in label.itertext()) for label in labels.values()]
    assert shown == [sorted(texts) for texts in expected]


def test_numbers_have_the_precision_asked_for():
    value = Value(123456.789)
    shown = {precision: draw(value, precision=precision).dot for precision in (1, 4, 9, 17)}
    for precision, text in {1: "1e+05", 4: "1.235e+05", 9: "123456.789", 17: "123456.789"}.items():
        assert text in shown[precision]


def test_numbers_that_are_not_finite_are_shown():
    texts = [
        text
        for number in ("inf", "-inf", "nan")
        for text in read_svg(built_in_svg(Value(float(number))))[0][0].texts
    ]
    assert texts == ["data", "inf", "grad", "0", "data", "-inf", "grad", "0", "data", "nan", "grad", "0"]


def test_kinds_of_node_differ_in_form_and_not_only_in_colour():
    leaf = Value(2.0, label="leaf")
    output = (leaf + 1).tanh()
    boxes, _ = read_svg(built_in_svg(output))
    assert len({box.look for box in boxes}) == 4
    forms = re.findall(r'style="([a-z,]+)", penwidth=(\d)', draw(output).dot)
    assert len(set(forms)) == 4


def test_a_drawing_keeps_what_it_showed_when_it_was_made():
    a = Value(2.0, label="a")
    drawing = draw(a)
    a.data = 5.0
    assert (">2<" in drawing.dot, ">5<" in drawing.dot) == (True, False)


def test_equal_graphs_give_equal_bytes():
    def make():
        a, b = Value(2.0, label="a"), Value(-3.0, label="b")
        return autograd.dot([a, b, a], [b, b, a], a) - a * b

    assert draw(make()).dot == draw(make()).dot
    assert built_in_svg(make()) == built_in_svg(make())


# ---- the built-in layout


@given(recorded())
def test_boxes_are_apart_and_operands_left_of_results(output):
    boxes, arrows = read_svg(built_in_svg(output))
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    by_name = {box.name: box for box in boxes}
    assert all(by_name[tail].right < by_name[head].left for tail, head in uses_shown(boxes, arrows))


@given(recorded())
def test_arrows_run_only_rightward_and_never_across_a_box(output):
    boxes, arrows = read_svg(built_in_svg(output))
    for points in arrows:
        assert all(earlier[0] <= later[0] for earlier, later in pairwise(points))
        assert not any(box.holds(point) for point in points for box in boxes)


@given(st.data())
def test_layouts_of_any_sizes_are_apart_and_within_the_picture(data):
    number = data.draw(st.integers(1, 30))
    size = st.tuples(st.integers(1, 300), st.integers(1, 200))
    sizes = data.draw(st.lists(size, min_size=number, max_size=number))
    arrow = st.tuples(st.integers(0, number - 1), st.integers(0, number - 1)).filter(lambda a: a[0] < a[1])
    arrows = data.draw(st.lists(arrow, max_size=60)) if number > 1 else []
    layout = lay_out(sizes, arrows)
    boxes = [(x, y, x + w, y + h) for (x, y), (w, h) in zip(layout.corners, sizes, strict=True)]
    for one, other in combinations(boxes, 2):
        assert one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]
    points = [point for route in layout.routes for point in route]
    points += [corner for box in boxes for corner in (box[:2], box[2:])]
    assert all(0 < x < layout.width and 0 < y < layout.height for x, y in points)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=40))
def test_a_tree_is_drawn_without_crossings(choices):
    # node i's one result is some later node: numbered so that operands come first, the root last
    last = len(choices)
    arrows = [(i, i + 1 + choice % (last - i)) for i, choice in enumerate(choices)]
    layout = lay_out([(40, 20)] * (last + 1), arrows)
    legs = [(route[0], route[-1]) for route in layout.routes]
    for (start, end), (other_start, other_end) in combinations(legs, 2):
        if start[0] == other_start[0]:
            assert (start[1] - other_start[1]) * (end[1] - other_end[1]) >= 0


def test_a_box_is_tall_enough_to_tell_sixty_five_arrows_apart():
    ws = [Value(0.1 * i, label=f"w{i}") for i in range(32)]
    xs = [Value(0.2 * i, label=f"x{i}") for i in range(32)]
    boxes, arrows = read_svg(built_in_svg(autograd.dot(ws, xs, Value(1.0, label="b"))))
    ends = sorted(points[-1][1] for points in arrows)
    assert (len(boxes), len(ends)) == (66, 65)
    assert min(lower - upper for upper, lower in pairwise(ends)) >= 6


def neuron(inputs):
    """The weighted sum of a neuron: two leaves an input, and the bias."""
    ws, xs = ([Value(i / inputs, label=f"{name}{i}") for i in range(inputs)] for name in "wx")
    return autograd.dot(ws, xs, Value(1.0, label="b"))


@pytest.mark.parametrize("inputs", [13, 32, 64])
def test_the_many_leaves_of_one_box_stand_in_rows_and_not_in_one_tall_column(inputs):
    output = neuron(inputs)
    output.label = "z"
    boxes, arrows = read_svg(built_in_svg(output))
    width, height = max(box.right for box in boxes), max(box.bottom for box in boxes)
    assert height < 2 * width  # one column is four times as tall as wide, or more
    assert (Counter(box.name for box in boxes), Counter(uses_shown(boxes, arrows))) == graph(output)
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert not any(box.holds(point) for points in arrows for point in points for box in boxes)
    ends = sorted(arrows, key=lambda points: points[-1][1])
    assert [tail for tail, _ in uses_shown(boxes, ends)] == [parent.label for parent in output.parents]
    assert repr(draw(output)).endswith('built-in layout (too wide for Graphviz "dot")')


def test_a_thousand_leaves_have_no_more_columns_than_arrows_may_bend_in():
    boxes, arrows = read_svg(built_in_svg(neuron(1000)))
    assert len(boxes) == 2002
    floor = max(box.bottom for box in boxes)
    assert all(y < floor for points in arrows for _, y in points)  # none has to run below the boxes


def test_an_arrow_across_many_columns_runs_below_the_boxes():
    steps = FARTHEST_BENDS + 10
    boxes, arrows = read_svg(built_in_svg(shared_chain(steps)))
    floor = max(box.bottom for box in boxes)
    low = [points for points in arrows if max(y for _, y in points) > floor]
    assert 0 < len(low) < steps
    assert Counter(uses_shown(boxes, arrows))["w", f"step {steps - 1}"] == 1
    assert not any(box.holds(point) for points in low for point in points for box in boxes)


@pytest.mark.parametrize(
    "make", [shared_chain, lambda n: autograd.sum([Value(1.0)] * n)], ids=["deep", "wide"]
)
def test_five_thousand_nodes_or_uses_are_drawn(make):
    drawing = draw(make(5000))
    assert 'too large for Graphviz "dot"' in repr(drawing)
    assert ElementTree.fromstring(drawing.svg()).tag.endswith("svg")


# ---- labels are text


@pytest.mark.parametrize("label", HOSTILE)
def test_no_label_adds_anything_to_dot(label):
    tame, hostile = (draw(Value(1.0, label=text).tanh()).dot for text in ("tame", label))
    (tame_nodes, tame_edges), (nodes, edges) = read_dot(tame), read_dot(hostile)
    assert (list(nodes), edges) == (list(tame_nodes), tame_edges)
    for node, element in nodes.items():
        structure = [(part.tag, part.attrib) for part in element.iter()]
        assert structure == [(part.tag, part.attrib) for part in tame_nodes[node].iter()]


@pytest.mark.parametrize("label", HOSTILE)
def test_no_label_adds_anything_to_the_built_in_svg(label):
    tame, hostile = (
        ElementTree.fromstring(built_in_svg(Value(1.0, label=text).tanh())) for text in ("tame", label)
    )
    assert [part.tag for part in hostile.iter()] == [part.tag for part in tame.iter()]
    assert [set(part.attrib) for part in hostile.iter()] == [set(part.attrib) for part in tame.iter()]


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_can_be_a_label(label):
    value = Value(1.0, label=label)
    nodes, edges = read_dot(draw(value).dot)
    assert (list(nodes), edges) == (["n0"], [])
    assert len(read_svg(built_in_svg(value))[0]) == 1


@needs_dot
@pytest.mark.parametrize("label", HOSTILE)
def test_no_label_adds_anything_to_graphviz_svg(label):
    drawings = [draw(Value(1.0, label=text).tanh()) for text in ("tame", label)]
    assert all(repr(drawing).endswith("drawn by Graphviz dot") for drawing in drawings)
    tame, hostile = (ElementTree.fromstring(drawing.svg()) for drawing in drawings)
    assert [part.tag for part in hostile.iter()] == [part.tag for part in tame.iter()]
    assert [set(part.attrib) for part in hostile.iter()] == [set(part.attrib) for part in tame.iter()]
    assert not {"a", "script", "image"} & {part.tag.split("}")[1] for part in hostile.iter()}


@needs_dot
@pytest.mark.parametrize("label", [r"\N \G", r"a\\b", "<b>&amp;</b>", '"', "{x|y}", "a\\", "]"])
def test_graphviz_shows_a_label_as_it_is_written(label):
    root = ElementTree.fromstring(draw(Value(1.0, label=label)).svg())
    assert label in [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]


def test_a_long_label_is_shortened_and_whole_in_the_title():
    label = "x" * 1_000_000
    value = Value(1.0, label=label)
    (box,), _ = read_svg(built_in_svg(value))
    assert box.name == "x" * 23 + "…"
    assert box.right - box.left < 300
    (title,) = ElementTree.fromstring(built_in_svg(value)).findall(".//{*}title")
    assert title.text == label
    assert len(draw(value).dot) < 2000


def test_wide_characters_get_wide_boxes():
    (narrow,), _ = read_svg(built_in_svg(Value(1.0, label="w" * 20)))
    (wide,), _ = read_svg(built_in_svg(Value(1.0, label="重" * 20)))
    assert wide.right - wide.left > 1.8 * (narrow.right - narrow.left)


# ---- who draws, and files


def test_without_graphviz_the_line_says_who_drew_and_why(tmp_path):
    a = Value(3.0, label="a")
    with without_dot():
        line = draw(a * a).save(tmp_path / "c.svg")
    how = 'drawn by the built-in layout (no Graphviz "dot" program found)'
    assert line == f"{tmp_path / 'c.svg'}: 2 nodes, 2 edges, {how}"
    assert (tmp_path / "c.svg").read_text(encoding="utf-8") == built_in_svg(a * a)


def test_without_the_python_package_the_line_says_how_to_get_it():
    a = Value(3.0, label="a")
    with mock.patch.dict(sys.modules, graphviz=None):
        line = repr(draw(a * a))
    assert 'drawn by the built-in layout (the Python package "graphviz" does not load: ' in line
    assert line.endswith("; pip install graphviz)")


@needs_dot
def test_with_graphviz_the_line_says_so(tmp_path):
    path = str(tmp_path / "c.svg")
    assert draw(Value(1.0).tanh()).save(path) == f"{path}: 2 nodes, 1 edge, drawn by Graphviz dot"


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for dot is a shell script")
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo Error: no memory >&2; exit 3", "failed with status 3: Error: no memory"),
        (":", "wrote no SVG"),
    ],
)
def test_where_graphviz_fails_the_built_in_layout_draws_and_says_why(script, reason, tmp_path):
    (tmp_path / "dot").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "dot").chmod(0o755)
    value = Value(1.0)
    with mock.patch.dict(os.environ, PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}"):
        drawing = draw(value)
        line = repr(drawing)
    assert line == f'Drawing: 1 node, 0 edges, drawn by the built-in layout (Graphviz "dot" {reason})'
    assert drawing.svg() == built_in_svg(value)


def test_dot_text_is_written_without_graphviz(tmp_path):
    drawing = draw(Value(1.0, label="é"))
    with without_dot():
        assert drawing.save(tmp_path / "c.DOT") == f"{tmp_path / 'c.DOT'}: 1 node, 0 edges, DOT source"
    assert (tmp_path / "c.DOT").read_bytes() == drawing.dot.encode()


def test_notebooks_show_the_svg():
    drawing = draw(Value(1.0))
    assert drawing._repr_svg_() == drawing.svg()


def half_written(path, text, **_):
    Path.write_bytes(path, text[: len(text) // 2].encode())
    raise OSError("no space left on device")


@pytest.mark.parametrize("failing", ["write_text", "replace"])
def test_a_failed_save_leaves_the_old_file_and_nothing_else(failing, tmp_path, monkeypatch):
    (tmp_path / "c.dot").write_text("old")
    monkeypatch.setattr(
        Path, failing, half_written if failing == "write_text" else mock.Mock(side_effect=OSError)
    )
    with pytest.raises(OSError, match=r"no space|^$"):
        draw(Value(1.0)).save(tmp_path / "c.dot")
    assert [path.name for path in tmp_path.iterdir()] == ["c.dot"]
    assert (tmp_path / "c.dot").read_text() == "old"


def test_a_missing_directory_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no directory .*nowhere.*make it first"):
        draw(Value(1.0)).save(tmp_path / "nowhere" / "c.svg")


@pytest.mark.parametrize("name", ["c.bmp", "c", ".svg", "svg"])
def test_other_endings_are_refused_with_those_allowed(name, tmp_path):
    with pytest.raises(ValueError, match=r"ending in \.dot or \.svg"):
        draw(Value(1.0)).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("thing", [1.0, "a", None, [Value(1.0)], (Value(1.0),)])
def test_only_a_value_can_be_drawn(thing):
    with pytest.raises(TypeError, match=f"expected a Value, got {type(thing).__name__}"):
        draw(thing)


@pytest.mark.parametrize("precision", [2.0, "4", True, None])
def test_precision_is_an_int(precision):
    with pytest.raises(TypeError, match="expected precision as an int"):
        draw(Value(1.0), precision=precision)


@pytest.mark.parametrize("precision", [0, -1, 18])
def test_precision_is_within_a_floats_digits(precision):
    with pytest.raises(ValueError, match="from 1 to 17"):
        draw(Value(1.0), precision=precision)
