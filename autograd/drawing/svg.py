"""A picture as SVG by the built-in layout: what draws where no Graphviz program is.

This room knows a Picture and the layout. It writes rectangles, paths and text; no identifier, style sheet,
script or link, so that many drawings can share one page. The font is monospaced: widths can be known here.
"""

from __future__ import annotations

from collections import Counter
from html import escape
from itertools import pairwise
from unicodedata import combining, east_asian_width

from autograd.drawing.layout import ARROW_GAP, Point, lay_out
from autograd.drawing.picture import SOFT_INK, TINT, Box, Picture

CHARACTER = 8  # width of a character at font size 13, rounded up
SYMBOL_CHARACTER = 10  # and at 16
LINE = 17
BASELINE = 13  # below a line's top
PADDING = 8
ARROWHEAD = 6

INK = "#111827"


def svg_source(picture: Picture) -> str:
    """The picture as one SVG document.

    >>> from autograd.drawing.picture import Box, Picture
    >>> box = Box("", "a", "2", "0", is_output=True)
    >>> svg_source(Picture([box], [])).count("<rect")                 # the paper and the box
    2
    """
    arrivals = Counter(head for _, head in picture.arrows)
    sizes = [_size(box, arrivals[i]) for i, box in enumerate(picture.boxes)]
    layout = lay_out(sizes, picture.arrows)
    width, height = layout.width, layout.height
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-size="13" fill="{INK}" '
        "font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\">",
        f"<desc>Computation graph: {picture}, operands left, results right</desc>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<g fill="none" stroke="{SOFT_INK}" stroke-width="1.2">',
        *map(_arrow, layout.routes),
        "</g>",
        *map(_box, picture.boxes, layout.corners, sizes),
        "</svg>\n",
    ]
    return "\n".join(lines)


def _lines(box: Box) -> list[tuple[str, str]]:
    """The box's text line by line, as (caption, number)."""
    if box.is_constant:
        return [("", box.data)]
    name = [(box.short_name, "")] if box.name else []
    return [*name, ("data", box.data), ("grad", box.gradient)]


def _size(box: Box, arrivals: int) -> Point:
    """Room for the text, and for the arrows that arrive."""
    lines = _lines(box)
    text = max(_cells(caption) + _cells(number) + bool(caption and number) for caption, number in lines)
    height = max(LINE * len(lines) + PADDING, ARROW_GAP * (arrivals + 1))
    return _symbol_width(box) + CHARACTER * text + 2 * PADDING, height


def _symbol_width(box: Box) -> int:
    return SYMBOL_CHARACTER * _cells(box.symbol) + 2 * PADDING if box.symbol else 0


def _cells(text: str) -> int:
    """The width of text in a monospaced font, where East Asian characters take two cells.

    >>> _cells("w1"), _cells("重み")
    (2, 4)
    """
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def _arrow(route: list[Point]) -> str:
    """One path: level lines, curves that leave and arrive level, and the two strokes of the head.

    >>> _arrow([(0, 5), (20, 5)])
    '<path d="M0 5H20M14 2L20 5L14 8"/>'
    """
    x, y = route[0]
    steps = [f"M{x} {y}"]
    for (x, y), (next_x, next_y) in pairwise(route):
        middle = (x + next_x) // 2
        steps.append(f"H{next_x}" if y == next_y else f"C{middle} {y} {middle} {next_y} {next_x} {next_y}")
    x, y = route[-1]
    back, half = x - ARROWHEAD, ARROWHEAD // 2
    steps.append(f"M{back} {y - half}L{x} {y}L{back} {y + half}")
    return f'<path d="{"".join(steps)}"/>'


def _box(box: Box, corner: Point, size: Point) -> str:
    """Border and texts. Operations are square, leaves round, constants dashed, the output thick."""
    (x, y), (width, height) = corner, size
    border = "" if box.symbol else ' rx="9"'
    border += ' stroke-dasharray="4 3"' if box.is_constant else ""
    border += ' stroke-width="3"' if box.is_output else ""
    parts = [f"<title>{escape(box.name)}</title>"] if box.name else []
    parts.append(_rectangle(x, y, width, height, f'fill="white"{border}'))
    left, right = x + _symbol_width(box) + PADDING, x + width - PADDING
    if box.symbol:
        parts.append(_rectangle(x, y, _symbol_width(box), height, f'fill="{TINT}"'))
        middle = x + _symbol_width(box) // 2
        parts.append(_text(middle, y + height // 2 + 6, box.symbol, 'font-size="16" text-anchor="middle"'))
    lines = _lines(box)
    baseline = y + (height - LINE * len(lines)) // 2 + BASELINE
    for caption, number in lines:
        if caption:
            style = f'fill="{SOFT_INK}"' if number else 'font-weight="bold"'
            parts.append(_text(left, baseline, caption, style))
        if number:
            parts.append(_text(right, baseline, number, 'text-anchor="end"'))
        baseline += LINE
    return f"<g>{''.join(parts)}</g>"


def _rectangle(x: int, y: int, width: int, height: int, style: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" stroke="{INK}" {style}/>'


def _text(x: int, y: int, text: str, style: str) -> str:
    return f'<text x="{x}" y="{y}" {style}>{escape(text)}</text>'
