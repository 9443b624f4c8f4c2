"""A picture as DOT text, and its rendering by the Graphviz program `dot` where that is installed.

This room knows a Picture. Names of nodes and ports are generated; texts are escaped for HTML-like labels,
which unlike records have no metacharacters; and no attribute that can hold a link is ever written.
"""

from __future__ import annotations

from collections import Counter
from html import escape

from autograd.drawing.picture import SOFT_INK, TINT, Box, Picture

PORT_HEIGHT = 7  # points: room for one arrow into a box
GAP = 0.45  # inches between columns, and more for each arrow into the busiest box
GAP_AN_ARROW = 0.12
WIDEST_GAP = 6
LONGEST_COMPLAINT = 200  # characters of what dot says of its failure

# Without nslimit, dot takes minutes for chains whose steps share an operand.
_HEAD = """\
digraph {{
  graph [rankdir=LR, ranksep={gap:.2f}, nodesep=0.15, nslimit=2, nslimit1=2, bgcolor=white, pad=0.2]
  node [shape=box, margin="0.01,0.01", width=0, height=0, fontname="Helvetica,Arial,sans-serif", fontsize=12]
  edge [tailport=e, arrowhead=vee, arrowsize=0.6, color="{ink}"]
"""


class DotFailed(Exception):
    """Graphviz did not draw; the message is the reason, in one line."""


def dot_source(picture: Picture) -> str:
    r"""The picture in the DOT language, a line for each node and for each edge.

    >>> from autograd.drawing.picture import Box, Picture
    >>> a = Box("", "a", "3", "6", is_output=False)
    >>> square = Box("×", "", "9", "1", is_output=True)
    >>> print(*dot_source(Picture([a, square], [(0, 1), (0, 1)])).splitlines()[-3:], sep="\n")
      n0 -> n1:p0:w
      n0 -> n1:p1:w
    }
    """
    arrivals: Counter[int] = Counter()
    edges = []
    for tail, head in picture.arrows:
        edges.append(f"  n{tail} -> n{head}:p{arrivals[head]}:w\n")
        arrivals[head] += 1
    nodes = [
        f"  n{i} [label=<{_label(box, arrivals[i])}>{_border(box)}]\n" for i, box in enumerate(picture.boxes)
    ]
    gap = min(GAP + GAP_AN_ARROW * max(arrivals.values(), default=0), WIDEST_GAP)
    return "".join([_HEAD.format(gap=gap, ink=SOFT_INK), *nodes, *edges, "}\n"])


def _border(box: Box) -> str:
    """By kind: operations square, leaves round, constants dashed, the output thick."""
    style = "solid" if box.symbol else "rounded,dashed" if box.is_constant else "rounded"
    return f', style="{style}", penwidth={3 if box.is_output else 1}'


def _label(box: Box, arrivals: int) -> str:
    """The operation, if any, beside the texts."""
    operation = _operation(box.symbol, arrivals) if box.symbol else ""
    return _table([f'{operation}<TD CELLPADDING="4">{_texts(box)}</TD>'])


def _operation(symbol: str, arrivals: int) -> str:
    """The symbol, between a column of ports, one for each arrow, and as much room on its right."""
    ports = [f'<TD PORT="p{i}" WIDTH="6" HEIGHT="{PORT_HEIGHT}"></TD>' for i in range(arrivals)]
    ports[0] += (
        f'<TD ROWSPAN="{arrivals}"><FONT POINT-SIZE="16">{_text(symbol)}</FONT></TD>'
        f'<TD ROWSPAN="{arrivals}" WIDTH="6"></TD>'
    )
    return f'<TD BORDER="1" SIDES="R" BGCOLOR="{TINT}">{_table(ports)}</TD>'


def _texts(box: Box) -> str:
    """The name above the numbers, which keep together where many arrows make the box tall."""
    if box.is_constant:
        return box.data
    name = f'<TD COLSPAN="2" ALIGN="LEFT" VALIGN="BOTTOM" CELLPADDING="2"><B>{_text(box.short_name)}</B></TD>'
    below = f'VALIGN="{"TOP" if box.name else "MIDDLE"}" CELLPADDING="2"'
    numbers = (
        f'<TD {below} ALIGN="LEFT" BALIGN="LEFT"><FONT COLOR="{SOFT_INK}">data<BR/>grad</FONT></TD>'
        f'<TD {below} ALIGN="RIGHT" BALIGN="RIGHT">{box.data}<BR/>{box.gradient}</TD>'
    )
    return _table([name, numbers] if box.name else [numbers])


def _table(rows: list[str]) -> str:
    body = "".join(f"<TR>{row}</TR>" for row in rows)
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">{body}</TABLE>'


def _text(text: str) -> str:
    r"""Text for an HTML-like label, in which dot would read \N as the node's name and stumble over a lone ].

    >>> print(_text(r"<b> & \N ]"))
    &lt;b&gt; &amp; \\N &#93;
    """
    return escape(text).replace("\\", "\\\\").replace("]", "&#93;")


def render(source: str) -> str:
    """The SVG that the `dot` program makes of the source; raises DotFailed."""
    try:
        import graphviz
    except ImportError as error:
        reason = f'the Python package "graphviz" does not load: {error}; pip install graphviz'
        raise DotFailed(reason) from error
    try:
        svg: str = graphviz.Source(source).pipe(format="svg", encoding="utf-8", quiet=True)
    except graphviz.ExecutableNotFound:
        raise DotFailed('no Graphviz "dot" program found') from None
    except OSError as error:
        raise DotFailed(f'Graphviz "dot" does not start: {error.strerror}') from error
    except graphviz.CalledProcessError as error:
        complaint = " ".join(str(error.stderr).split())[:LONGEST_COMPLAINT] or "no reason given"
        raise DotFailed(f'Graphviz "dot" failed with status {error.returncode}: {complaint}') from error
    if "</svg>" not in svg:
        raise DotFailed('Graphviz "dot" wrote no SVG')
    return svg
