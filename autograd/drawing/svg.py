"""A picture as SVG by the built-in layout: what draws where no Graphviz program is.

This room knows a Picture and its frames. It writes rectangles, paths and text; no identifier, style sheet,
script or link, so that many drawings can share one page.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise, repeat

from autograd.cells import cells
from autograd.drawing.colours import FILLS, INK, SOFT_INK, SYMBOL_PAPER, caption_ink
from autograd.drawing.frames import (
    CHARACTER,
    LINE,
    NOTE_PADDING,
    PADDING,
    Frame,
    Placed,
    place,
)
from autograd.drawing.layout import MARGIN, Point
from autograd.drawing.picture import CONSTANT, LEAF, Arrow, Box, Picture

BASELINE = 13  # below a line's top
NOTE_BASELINE = 10  # of a note
ARROWHEAD = 6
WIDE, THIN = 1.2, 0.6  # lines of arrows; thin where they would run together:
CROWD, CROWDED = 200, 3  # so many arrows, and so many for each box
SWATCH = LINE + 4  # height of a colour in the legend
FAINT = ' opacity=".25"'  # what lies aside of highlighted paths
STRONG = f' stroke="{INK}" stroke-width="2.6"'  # and what is part of them

FONT = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"

WAYS = {
    "LR": "operands left, results right",
    "RL": "operands right, results left",
    "TB": "operands above, results below",
    "BT": "operands below, results above",
}
FORWARD = {"LR": (1, 0), "RL": (-1, 0), "TB": (0, 1), "BT": (0, -1)}


def svg_source(picture: Picture, direction: str = "LR") -> str:
    """The picture as one SVG document.

    >>> from autograd.drawing.picture import Box, Picture
    >>> box = Box("leaf", "", "a", (("data", "2"),), is_output=True)
    >>> svg_source(Picture([box], [])).count("<rect")                 # the paper and the box
    2
    """
    placed = place(picture, direction)
    legend, width, height = below(picture, placed)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-size="13" fill="{INK}" '
        f'font-family="{FONT}">',
        f"<desc>Computation graph: {picture}, {WAYS[direction]}</desc>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
        *drawn(picture, placed, direction),
        *legend,
        "</svg>\n",
    ]
    return "\n".join(lines)


def drawn(picture: Picture, placed: Placed, direction: str) -> list[str]:
    """The arrows in one group, then a group for each box, in the picture's order."""
    ends: list[list[Point]] = [[] for _ in picture.boxes]  # where arrows arrive at each box
    for arrow, route in zip(picture.arrows, placed.routes, strict=True):
        ends[arrow.head].append(route[-1])
    crowded = len(picture.arrows) > max(CROWD, CROWDED * len(picture.boxes))
    each = zip(picture.boxes, placed.corners, placed.frames, ends, strict=True)
    return [
        f'<g fill="none" stroke="{SOFT_INK}" stroke-width="{THIN if crowded else WIDE}">',
        *map(_arrow, picture.arrows, placed.routes, repeat(direction)),
        "</g>",
        *[_box(box, corner, frame, arrivals, direction) for box, corner, frame, arrivals in each],
    ]


def _arrow(arrow: Arrow, route: Sequence[Point], direction: str) -> str:
    """One path: level lines, curves that leave and arrive level, and the two strokes of the head.

    >>> _arrow(Arrow(0, 1), [(0, 5), (20, 5)], "LR")
    '<path d="M0 5H20M14 2L20 5L14 8"/>'
    """
    dx, dy = FORWARD[direction]
    x, y = route[0]
    steps = [f"M{x} {y}"]
    for (x, y), (to_x, to_y) in pairwise(route):
        if dx:
            middle = (x + to_x) // 2
            steps.append(f"H{to_x}" if y == to_y else f"C{middle} {y} {middle} {to_y} {to_x} {to_y}")
        else:
            middle = (y + to_y) // 2
            steps.append(f"V{to_y}" if x == to_x else f"C{x} {middle} {to_x} {middle} {to_x} {to_y}")
    x, y = route[-1]
    back_x, back_y, half = x - ARROWHEAD * dx, y - ARROWHEAD * dy, ARROWHEAD // 2
    aside_x, aside_y = half * abs(dy), half * abs(dx)
    steps.append(f"M{back_x - aside_x} {back_y - aside_y}L{x} {y}L{back_x + aside_x} {back_y + aside_y}")
    style = STRONG if arrow.on_path else FAINT if arrow.aside else ""
    return f'<path d="{"".join(steps)}"{style}/>'


def _box(box: Box, corner: Point, frame: Frame, arrivals: Sequence[Point], direction: str) -> str:
    """Border and texts. Operations are square, leaves round, constants dashed, the output thick."""
    (x, y), (width, height) = corner, (frame.width, frame.height)
    border = ' rx="9"' if box.kind in (LEAF, CONSTANT) else ""
    border += ' stroke-dasharray="4 3"' if box.kind == CONSTANT else ""
    border += ' stroke-width="3"' if box.is_output else ""
    parts = [f"<title>{escape(box.name)}</title>"] if box.label else []
    parts.append(_rectangle(x, y, width, height, f'fill="{FILLS[box.shade]}"{border}'))
    if frame.strip:
        parts += _notes(corner, frame, arrivals, direction)
        x += frame.strip if direction == "LR" else 0
        y += frame.strip if direction == "TB" else 0
        width -= frame.strip if FORWARD[direction][0] else 0
        height -= frame.strip if FORWARD[direction][1] else 0
    if box.symbol:
        parts.append(_rectangle(x, y, frame.symbol_width, height, f'fill="{SYMBOL_PAPER}"'))
        middle = x + frame.symbol_width // 2
        parts.append(_text(middle, y + height // 2 + 6, box.symbol, 'font-size="16" text-anchor="middle"'))
    left, right = x + frame.symbol_width + PADDING, x + width - PADDING
    baseline = y + (height - LINE * len(frame.lines)) // 2 + BASELINE
    for caption, number in frame.lines:
        if caption:
            style = f'fill="{caption_ink(box.shade)}"' if number else 'font-weight="bold"'
            parts.append(_text(left, baseline, caption, style))
        if number:
            parts.append(_text(right, baseline, number, 'text-anchor="end"'))
        baseline += LINE
    return f"<g{FAINT if box.aside else ''}>{''.join(parts)}</g>"


def _notes(corner: Point, frame: Frame, arrivals: Sequence[Point], direction: str) -> list[str]:
    """The strip at which arrows arrive, each with its note at its end."""
    (x, y), strip = corner, frame.strip
    if FORWARD[direction][0]:
        left = x if direction == "LR" else x + frame.width - strip
        parts = [_rectangle(left, y, strip, frame.height, f'fill="{SYMBOL_PAPER}"')]
        middle, lift = left + strip // 2, 4
        places = [(middle, end + lift) for _, end in arrivals]
    else:
        top = y if direction == "TB" else y + frame.height - strip
        parts = [_rectangle(x, top, frame.width, strip, f'fill="{SYMBOL_PAPER}"')]
        tipped = NOTE_PADDING if direction == "TB" else 0
        places = [(end, top + tipped + NOTE_BASELINE) for end, _ in arrivals]
    style = f'font-size="11" text-anchor="middle" fill="{SOFT_INK}"'
    parts += [_text(*at, note, style) for at, note in zip(places, frame.notes, strict=True) if note]
    return parts


def below(picture: Picture, placed: Placed) -> tuple[list[str], int, int]:
    """The legend and the notes under the boxes; the width and height of all together."""
    parts, width, y = [], placed.width, placed.height
    x = MARGIN
    if picture.legend:
        words = [("", "gradient"), *picture.legend]
        for shade, word in words:
            room = CHARACTER * cells(word) + 2 * PADDING
            if shade:
                parts.append(_rectangle(x, y, room, SWATCH, f'fill="{FILLS[shade]}"'))
            parts.append(_text(x + PADDING, y + BASELINE + 2, word, f'fill="{INK if shade else SOFT_INK}"'))
            x += room
        width, y = max(width, x + MARGIN), y + SWATCH + PADDING
    for note in picture.notes:
        parts.append(_text(MARGIN + PADDING, y + BASELINE, note, f'fill="{INK}"'))
        width, y = max(width, 2 * MARGIN + CHARACTER * cells(note)), y + LINE
    group = [f'<g class="legend">{"".join(parts)}</g>'] if parts else []
    return group, width, y + MARGIN if parts else placed.height


def _rectangle(x: int, y: int, width: int, height: int, style: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" stroke="{INK}" {style}/>'


def _text(x: int, y: int, text: str, style: str) -> str:
    return f'<text x="{x}" y="{y}" {style}>{escape(text)}</text>'
