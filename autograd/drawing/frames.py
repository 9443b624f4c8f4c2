"""A box's own geometry: how large it is, and where in it each text stands.

Sizes are in SVG's points. The font is monospaced, so that widths can be known here. This room knows Boxes,
the layout, and how wide a text is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autograd.cells import cells
from autograd.drawing.layout import ARROW_GAP, Layout, Point, lay_out
from autograd.drawing.picture import Picture

CHARACTER = 8  # width of a character at font size 13, rounded up
SYMBOL_CHARACTER = 10  # at 16
NOTE_CHARACTER = 7  # and at 11
LINE = 17
NOTE_LINE = 14
PADDING = 8
NOTE_PADDING = 5  # between a note and the tip of its arrow


@dataclass(frozen=True, slots=True)
class Frame:
    """One box: its size, the width of its symbol's cell, and the side at which arrows arrive.

    lines   the texts, each a caption and a number; a name is a caption without number
    notes   what stands where each arrow arrives, in their order
    strip   how much of the arrival side the notes take; 0 without any
    """

    width: int
    height: int
    symbol_width: int
    lines: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    strip: int


@dataclass(frozen=True, slots=True)
class Placed:
    """Frames with their top left corners, and the points along each arrow, in a picture of that size."""

    width: int
    height: int
    frames: list[Frame]
    corners: list[Point]
    routes: list[list[Point]]


def frames(picture: Picture, sideways: bool) -> list[Frame]:
    """The frame of each box; sideways: arrows arrive at the left or right, else above or below.

    >>> from autograd.drawing.picture import Box
    >>> frame, = frames(Picture([Box("leaf", "", "a", (("data", "2"),))], []), sideways=True)
    >>> frame.lines, frame.width
    ((('a', ''), ('data', '2')), 64)
    """
    notes: list[list[str]] = [[] for _ in picture.boxes]
    for arrow in picture.arrows:
        notes[arrow.head].append(arrow.note)
    return [_frame(box.symbol, box.short_name, box.facts, tuple(texts), sideways)
            for box, texts in zip(picture.boxes, notes, strict=True)]  # fmt: skip


def _frame(
    symbol: str, name: str, facts: Sequence[tuple[str, str]], notes: tuple[str, ...], sideways: bool
) -> Frame:
    lines = ((name, ""), *facts) if name else tuple(facts)
    text = max(cells(caption) + cells(number) + bool(caption and number) for caption, number in lines)
    symbol_width = SYMBOL_CHARACTER * cells(symbol) + 2 * PADDING if symbol else 0
    width, height = symbol_width + CHARACTER * text + 2 * PADDING, LINE * len(lines) + PADDING
    longest = max(map(cells, notes), default=0)
    if not longest:
        room = ARROW_GAP * (len(notes) + 1)
        return Frame(*((width, max(height, room)) if sideways else (max(width, room), height)),
                     symbol_width, lines, notes, 0)  # fmt: skip
    strip = NOTE_CHARACTER * longest + 2 * NOTE_PADDING if sideways else NOTE_LINE + NOTE_PADDING
    room = (NOTE_LINE if sideways else NOTE_CHARACTER * (longest + 1)) * (len(notes) + 1)
    if sideways:
        return Frame(width + strip, max(height, room), symbol_width, lines, notes, strip)
    return Frame(max(width, room), height + strip, symbol_width, lines, notes, strip)


def place(picture: Picture, direction: str) -> Placed:
    """Lay the picture out, results to the right of (LR), left of (RL), below (TB) or above (BT) operands."""
    sideways = direction in ("LR", "RL")
    boxes = frames(picture, sideways)
    sizes = [(frame.width, frame.height) if sideways else (frame.height, frame.width) for frame in boxes]
    layout = lay_out(sizes, picture.pairs)
    return _turned(layout, boxes, direction)


def _turned(layout: Layout, boxes: list[Frame], direction: str) -> Placed:
    """The layout, which runs rightwards, turned into its direction."""
    if direction == "LR":
        return Placed(layout.width, layout.height, boxes, layout.corners, layout.routes)
    length = layout.width
    if direction == "RL":
        corners = [(length - x - box.width, y) for (x, y), box in zip(layout.corners, boxes, strict=True)]
        routes = [[(length - x, y) for x, y in route] for route in layout.routes]
        return Placed(length, layout.height, boxes, corners, routes)
    if direction == "TB":
        corners = [(y, x) for x, y in layout.corners]
        routes = [[(y, x) for x, y in route] for route in layout.routes]
    else:
        corners = [(y, length - x - box.height) for (x, y), box in zip(layout.corners, boxes, strict=True)]
        routes = [[(y, length - x) for x, y in route] for route in layout.routes]
    return Placed(layout.height, length, boxes, corners, routes)
