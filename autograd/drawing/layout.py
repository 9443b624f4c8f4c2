"""Where boxes and arrows go: the second half of a layered layout, on whole numbers.

This room is pure geometry. It takes the order of boxes and bends from `layers` and gives them coordinates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from autograd.drawing.layers import Arrow, Layers, layered

Point = tuple[int, int]

MARGIN = 20
ROW_GAP = 14  # between boxes in a column
ARROW_GAP = 8  # between arrows that pass a column, and between those into one box where it is tall enough
COLUMN_GAP = 44  # at least; more where arrows are steep
WIDEST_COLUMN_GAP = 320
SWEEPS = 8


@dataclass(frozen=True)
class Layout:
    """The size of the picture, the top left corner of each box, and the points that each arrow passes.

    Neighbouring points of an arrow are joined by a straight line where they are level; else by a curve that
    leaves and arrives level, between two columns.
    """

    width: int
    height: int
    corners: list[Point]
    routes: list[list[Point]]


def lay_out(sizes: Sequence[Point], arrows: Sequence[Arrow]) -> Layout:
    """Place boxes of the given (width, height), each to the right of all that have an arrow to it.

    The arrows into one box arrive from top to bottom in the order given.

    >>> lay_out([(40, 20), (40, 20), (60, 30)], [(0, 2), (1, 2)]).corners
    [(20, 20), (20, 56), (105, 33)]
    """
    heights = [height for _, height in sizes]
    layers = layered(heights, arrows)
    bends = len(layers.columns) - len(sizes)
    rooms = [height + ROW_GAP for height in heights] + [ARROW_GAP] * bends
    rows = _rows(layers, rooms)
    top = min(row - height // 2 for row, height in zip(rows, heights, strict=False))
    rows = [row - top + MARGIN for row in rows]
    lefts, rights = _column_edges(layers, rows, [width for width, _ in sizes] + [0] * bends)
    corners = [
        ((lefts[column] + rights[column] - width) // 2, row - height // 2)
        for (width, height), column, row in zip(sizes, layers.columns, rows, strict=False)
    ]
    routes = [...]
    bottom = max(...)
    return Layout(rights[-1] + MARGIN, bottom + MARGIN, corners, routes)
