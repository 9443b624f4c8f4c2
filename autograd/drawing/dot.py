"""A picture as text in the DOT language.

This room knows a Picture. Names of nodes and ports are generated; texts are escaped for HTML-like labels,
which unlike records have no metacharacters; and no attribute that can hold a link is ever written.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from autograd.drawing.colours import FILLS, INK, SOFT_INK, SYMBOL_PAPER, caption_ink
from autograd.drawing.picture import CONSTANT, LEAF, Arrow, Box, Picture

PORT_SIZE = 7  # points: room for one arrow into a box
NOTE_PADDING = 2  # points around a number beside it
GAP = 0.45  # inches between columns, and more for each arrow into the busiest box
GAP_AN_ARROW = 0.12
WIDEST_GAP = 6
FAINT_INK = "#cbd5e1"  # of what lies aside of highlighted paths

# Where arrows leave a box and arrive, for each direction.
_SIDES = {"LR": ("e", "w"), "RL": ("w", "e"), "TB": ("s", "n"), "BT": ("n", "s")}

# Without nslimit, dot takes minutes for chains whose steps share an operand.
_HEAD = """\
digraph {{
  graph [rankdir={direction}, ranksep={gap:.2f}, nodesep=0.15, nslimit=2, nslimit1=2, bgcolor=white, \
pad=0.2{legend}]
  node [shape=box, margin="0.01,0.01", width=0, height=0, fontname="Helvetica,Arial,sans-serif", fontsize=12]
  edge [tailport={tail}, arrowhead=vee, arrowsize=0.6, color="{ink}"]
"""


def dot_source(picture: Picture, direction: str = "LR") -> str:
    r"""The picture in the DOT language, a line for each node and for each edge.

    >>> from autograd.drawing.picture import Arrow, Box
    >>> a = Box("leaf", "", "a", (("data", "3"), ("grad", "6")))
    >>> square = Box("operation", "×", "", (("data", "9"), ("grad", "1")), is_output=True)
    >>> source = dot_source(Picture([a, square], [Arrow(0, 1), Arrow(0, 1)]))
    >>> print(*source.splitlines()[-3:], sep="\n")
      n0 -> n1:p0:w
      n0 -> n1:p1:w
    }
    """
    tail, head = _SIDES[direction]
    notes: list[list[str]] = [[] for _ in picture.boxes]
    edges = []
    for arrow in picture.arrows:
        port = len(notes[arrow.head])
        edges.append(f"  n{arrow.tail} -> n{arrow.head}:p{port}:{head}{_edge_style(arrow)}\n")
        notes[arrow.head].append(arrow.note)
    nodes = [
        f"  n{i} [label=<{_label(box, notes[i], direction)}>{_style(box)}]\n"
        for i, box in enumerate(picture.boxes)
    ]
    gap = min(GAP + GAP_AN_ARROW * max(map(len, notes)), WIDEST_GAP)
    top = _HEAD.format(direction=direction, gap=gap, legend=_legend(picture), tail=tail, ink=SOFT_INK)
    return "".join([top, *nodes, *edges, "}\n"])


def _edge_style(arrow: Arrow) -> str:
    if arrow.on_path:
        return f' [color="{INK}", penwidth=2.4]'
    return f' [color="{FAINT_INK}"]' if arrow.aside else ""


def _style(box: Box) -> str:
    """By kind: operations square, leaves round, constants dashed, the output thick."""
    form = {LEAF: "filled,rounded", CONSTANT: "filled,rounded,dashed"}.get(box.kind, "filled")
    faint = f', color="{FAINT_INK}", fontcolor="{FAINT_INK}"' if box.aside else ""
    fill = FILLS["" if box.aside else box.shade]
    return f', style="{form}", fillcolor="{fill}", penwidth={3 if box.is_output else 1}{faint}'


def _label(box: Box, notes: Sequence[str], direction: str) -> str:
    """The operation, if any, beside the texts, and the ports on the side where arrows arrive."""
    soft = FAINT_INK if box.aside else SOFT_INK
    texts = f'<TD CELLPADDING="4">{_texts(box, FAINT_INK if box.aside else caption_ink(box.shade))}</TD>'
    symbol = f'<TD BGCOLOR="{SYMBOL_PAPER}" CELLPADDING="4">{_big(box.symbol)}</TD>' if box.symbol else ""
    if not notes:
        return _table([symbol + texts])
    side = f'<TD BGCOLOR="{SYMBOL_PAPER}">{_table(_side(notes, direction, soft))}</TD>'
    if direction in ("LR", "RL"):
        return _table([side + symbol + texts if direction == "LR" else symbol + texts + side])
    rows = [side, f"<TD>{_table([symbol + texts])}</TD>"]
    return _table(rows if direction == "TB" else rows[::-1])


def _side(notes: Sequence[str], direction: str, ink: str) -> list[str]:
    """The rows of the side where arrows arrive: ports, and the notes in cells beside, which no head hides."""
    ports = [f'<TD PORT="p{i}" WIDTH="{PORT_SIZE}" HEIGHT="{PORT_SIZE}"></TD>' for i in range(len(notes))]
    if not any(notes):
        return ports if direction in ("LR", "RL") else ["".join(ports)]
    texts = [f'<TD CELLPADDING="{NOTE_PADDING}">{_small(note, ink)}</TD>' for note in notes]
    outer, inner = (ports, texts) if direction in ("LR", "TB") else (texts, ports)
    if direction in ("LR", "RL"):
        return [left + right for left, right in zip(outer, inner, strict=True)]
    return ["".join(outer), "".join(inner)]


def _texts(box: Box, ink: str) -> str:
    """The name above the numbers, which keep together where many arrows make the box tall."""
    captions = "<BR/>".join(_text(caption) for caption, _ in box.facts if caption)
    numbers = "<BR/>".join(_text(number) for _, number in box.facts)
    if not captions:
        return numbers
    name = f'<TD COLSPAN="2" ALIGN="LEFT" VALIGN="BOTTOM" CELLPADDING="2"><B>{_text(box.short_name)}</B></TD>'
    below = f'VALIGN="{"TOP" if box.name else "MIDDLE"}" CELLPADDING="2"'
    facts = (
        f'<TD {below} ALIGN="LEFT" BALIGN="LEFT"><FONT COLOR="{ink}">{captions}</FONT></TD>'
        f'<TD {below} ALIGN="RIGHT" BALIGN="RIGHT">{numbers}</TD>'
    )
    return _table([name, facts] if box.name else [facts])


def _big(symbol: str) -> str:
    return f'<FONT POINT-SIZE="16">{_text(symbol)}</FONT>'


def _small(note: str, colour: str) -> str:
    return f'<FONT POINT-SIZE="10" COLOR="{colour}">{_text(note)}</FONT>' if note else ""


def _legend(picture: Picture) -> str:
    """The meaning of the colours, and the notes, as the label of the whole graph."""
    rows = [f'<TD ALIGN="LEFT" BALIGN="LEFT">{_text(note)}</TD>' for note in picture.notes]
    filled = {box.shade for box in picture.boxes if not box.aside}
    if legend := [(shade, word) for shade, word in picture.legend if shade in filled]:
        words = "".join(
            f'<TD BORDER="1" BGCOLOR="{FILLS[shade]}">{_text(word)}</TD>' for shade, word in legend
        )
        swatches = f'<TD><FONT COLOR="{SOFT_INK}">gradient</FONT></TD>{words}'
        rows.insert(0, f'<TD ALIGN="LEFT">{_table([swatches], padding=3)}</TD>')
    if not rows:
        return ""
    font = 'fontname="Helvetica,Arial,sans-serif", fontsize=12'
    return f", label=<{_table(rows, padding=1)}>, labelloc=b, labeljust=l, {font}"


def _table(rows: Sequence[str], padding: int = 0) -> str:
    body = "".join(f"<TR>{row}</TR>" for row in rows)
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="{padding}">{body}</TABLE>'


def _text(text: str) -> str:
    r"""Text for an HTML-like label, in which dot would read \N as the node's name and stumble over a lone ].

    >>> print(_text(r"<b> & \N ]"))
    &lt;b&gt; &amp; \\N &#93;
    """
    return escape(text).replace("\\", "\\\\").replace("]", "&#93;")
