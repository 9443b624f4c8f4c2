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
    [(20, 20), (20, 54), (105, 32)]
    """
    layers = layered([height for _, height in sizes], arrows)
    rows = _rows(layers, [height for _, height in sizes])
    lefts, rights = _column_edges(layers, rows, [width for width, _ in sizes])
    corners = [
        ((lefts[column] + rights[column] - width) // 2, row - height // 2)
        for (width, height), column, row in zip(sizes, layers.columns, rows, strict=False)
    ]
    floor = max(*rows, *(y + height for (_, y), (_, height) in zip(corners, sizes, strict=True)))
    routes, bottom = _routes(layers, rows, lefts, rights, floor)
    for route, (tail, head) in zip(routes, arrows, strict=True):
        start, end = (corners[tail][0] + sizes[tail][0], route[0][1]), (corners[head][0], route[-1][1])
        route[:] = dict.fromkeys([start, *route, end])  # a box as wide as its column starts where it does
    return Layout(rights[-1] + MARGIN, bottom + MARGIN, corners, routes)


def _rows(layers: Layers, heights: list[int]) -> list[int]:
    """The height of each stop's middle: near its neighbours', in the given order, without overlap."""
    bends = len(layers.columns) - len(heights)
    rooms = [height + ROW_GAP for height in heights] + [ARROW_GAP] * bends
    rows = [0] * len(rooms)
    for sweep in range(SWEEPS):
        leftward = sweep % 2 == 0
        neighbours = layers.after if leftward else layers.before
        for stops in reversed(layers.order) if leftward else layers.order:
            # how far each middle is below the first at least: rows less this must not fall
            steps = ((rooms[upper] + rooms[lower] + 1) // 2 for upper, lower in pairwise(stops))
            least = list(accumulate(steps, initial=0))
            wishes = [
                sum(rows[near] + port for near, port in beside) // len(beside) if beside else rows[stop]
                for stop, beside in ((stop, neighbours[stop]) for stop in stops)
            ]
            rising = _nearest_rising([wish - below for wish, below in zip(wishes, least, strict=True)])
            for stop, row, below in zip(stops, rising, least, strict=True):
                rows[stop] = row + below
    top = min(row - room // 2 for row, room in zip(rows, rooms, strict=True))
    return [row - top + MARGIN - ROW_GAP // 2 for row in rows]


def _nearest_rising(wishes: list[int]) -> list[int]:
    """The whole numbers that never fall and are nearest to the wishes, by pooling adjacent violators.

    >>> _nearest_rising([5, 1, 6, 6])
    [3, 3, 6, 6]
    """
    pools: list[tuple[int, int]] = []  # sum, number
    for wish in wishes:
        total, number = wish, 1
        while pools and pools[-1][0] * number > total * pools[-1][1]:
            higher, more = pools.pop()
            total, number = total + higher, number + more
        pools.append((total, number))
    return [total // number for total, number in pools for _ in range(number)]


def _column_edges(layers: Layers, rows: list[int], widths: list[int]) -> tuple[list[int], list[int]]:
    """The left and right side of each column: as wide as its widest box, and apart for its steepest arrow."""
    widest = [0] * len(layers.order)
    for width, column in zip(widths, layers.columns, strict=False):
        widest[column] = max(widest[column], width)
    lefts, rights, x = [], [], MARGIN
    for width, stops in zip(widest, layers.order, strict=True):
        climbs = [abs(rows[stop] - rows[head] - port) for stop in stops for head, port in layers.after[stop]]
        lefts.append(x)
        rights.append(x + width)
        x += width + min(COLUMN_GAP + max(climbs, default=0) // 8, WIDEST_COLUMN_GAP)
    return lefts, rights


def _routes(
    layers: Layers, rows: list[int], lefts: list[int], rights: list[int], floor: int
) -> tuple[list[list[Point]], int]:
    """The points of each arrow from its tail's column to its head's, and the height of the lowest.

    An arrow too long for bends runs below all boxes, in a lane that it shares with others from its tail.
    """
    lanes: dict[int, int] = {}
    routes = []
    for (tail, *bends, head), port in zip(layers.chains, layers.ports, strict=True):
        first, last = layers.columns[tail], layers.columns[head]
        route = [(rights[first], rows[tail])]
        for bend in bends:
            column = layers.columns[bend]
            route += [(lefts[column], rows[bend]), (rights[column], rows[bend])]
        if not bends and last > first + 1:
            lane = lanes.setdefault(tail, floor + ARROW_GAP * (len(lanes) + 2))
            route += [(lefts[first + 1], lane), (rights[last - 1], lane)]
        routes.append([*route, (lefts[last], rows[head] + port)])
    return routes, max(floor, *lanes.values()) if lanes else floor
