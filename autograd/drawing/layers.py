"""Which column each box gets, and its order there: the first half of a layered layout (Sugiyama's method).

An arrow passes each column between its two boxes at a *bend*, which takes a place there like a box does, so
that no arrow runs across a box. Every step is a loop over boxes or arrows: depth is no limit.

This room is pure geometry and knows nothing of the project: boxes are numbers, arrows are pairs of them.
"""

from __future__ import annotations

from bisect import bisect, insort
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

Arrow = tuple[int, int]  # tail and head; the tail's number is smaller
Neighbours = list[list[tuple[int, int]]]  # for each stop, pairs of a stop in the column beside it and a port

FARTHEST_BENDS = 24  # columns; a longer arrow has no bends, or their number could grow with the square
WIDEST_FAN = 24  # leaves of one box; more stand in several columns, half as many as rows: a square picture
SWEEPS = 8
PORT_WEIGHT = 2.0**-20  # a port orders two stops only where nothing else does


@dataclass(frozen=True)
class Layers:
    """The stops, which are the boxes and then the bends: their columns, and their order from top to bottom.

    columns      each stop's column
    chains       the stops of each arrow; arrows from one box share their bends
    ports        where each arrow meets its head, counted down from the head's middle; it leaves from a middle
    before       each stop's neighbours in the column on its left
    after        and in the column on its right
    order        each column's stops
    """

    columns: list[int]
    chains: list[list[int]]
    ports: list[int]
    before: Neighbours
    after: Neighbours
    order: list[list[int]]


def layered(heights: Sequence[int], arrows: Sequence[Arrow]) -> Layers:
    """Boxes of the given heights in columns, ordered so that few arrows cross.

    >>> layered([20, 20, 20, 20], [(1, 2), (0, 3), (2, 3)]).order      # 0 beside 2, and above it
    [[1], [0, 2], [3]]
    """
    columns = assign_columns(len(heights), arrows)
    chains = _chains(arrows, columns)
    ports = _ports(heights, arrows)
    before: Neighbours = [[] for _ in columns]
    after: Neighbours = [[] for _ in columns]
    links = {
        (tail, head, port if head == chain[-1] else 0): None  # no set, for its order: shared bends link once
        for chain, port in zip(chains, ports, strict=True)
        for tail, head in pairwise(chain)
        if columns[head] == columns[tail] + 1
    }
    for tail, head, port in links:
        before[head].append((tail, 0))
        after[tail].append((head, port))
    return Layers(columns, chains, ports, before, after, _fewest_crossings(columns, before, after))


def assign_columns(boxes: int, arrows: Sequence[Arrow]) -> list[int]:
    """Each box's column, as far right as its arrows allow: a weight stands just before its product.

    Very many leaves of one box would make one tall column: they stand in several, row by row.

    >>> assign_columns(4, [(0, 2), (1, 3), (2, 3)])
    [0, 1, 1, 2]
    """
    from_right = [0] * boxes
    for tail, head in sorted(arrows, reverse=True):  # every arrow out of a box before any into it
        from_right[tail] = max(from_right[tail], from_right[head] + 1)
    for leaves in wide_fans(arrows):
        across = min(round((len(leaves) / 2) ** 0.5), FARTHEST_BENDS)
        for i, leaf in enumerate(leaves):
            from_right[leaf] += across - 1 - i % across
    last = max(from_right)
    return [last - distance for distance in from_right]


def wide_fans(arrows: Sequence[Arrow]) -> list[list[int]]:
    """The leaves that one box alone uses, in the order of their arrows: for each box that has very many.

    >>> wide_fans([(i, 30) for i in range(30)] + [(30, 31)]) == [list(range(30))]
    True
    """
    heads: dict[int, set[int]] = {}
    for tail, head in arrows:
        heads.setdefault(tail, set()).add(head)
    computed = {head for _, head in arrows}
    leaves: dict[int, list[int]] = {}
    for tail, (head, *others) in heads.items():
        if tail not in computed and not others:
            leaves.setdefault(head, []).append(tail)
    return [fan for fan in leaves.values() if len(fan) > WIDEST_FAN]


def _chains(arrows: Sequence[Arrow], columns: list[int]) -> list[list[int]]:
    """The stops of each arrow. The bends' columns are added to `columns`."""
    bends: dict[tuple[int, int], int] = {}
    chains = []
    for tail, head in arrows:
        passed = range(columns[tail] + 1, columns[head])
        if len(passed) > FARTHEST_BENDS:
            passed = range(0)
        for column in passed:
            if (tail, column) not in bends:
                bends[tail, column] = len(columns)
                columns.append(column)
        chains.append([tail, *[bends[tail, column] for column in passed], head])
    return chains


def _ports(heights: Sequence[int], arrows: Sequence[Arrow]) -> list[int]:
    """The arrows into a box are spread along its left side, from top to bottom in their order."""
    number = Counter(head for _, head in arrows)
    arrived: Counter[int] = Counter()
    ports = []
    for _, head in arrows:
        arrived[head] += 1
        ports.append(heights[head] * arrived[head] // (number[head] + 1) - heights[head] // 2)
    return ports


def _fewest_crossings(columns: list[int], before: Neighbours, after: Neighbours) -> list[list[int]]:
    """The best order that sweeps over the columns, from right to left and back, have met."""
    order: list[list[int]] = [[] for _ in range(max(columns) + 1)]
    for stop, column in enumerate(columns):
        order[column].append(stop)
    place = [0] * len(columns)
    for stops in order:
        _enter(place, stops)
    best, fewest = [[*stops] for stops in order], _crossings(order, place, after)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        leftward = sweep % 2 == 0
        for stops in reversed(order) if leftward else order:
            _sort(stops, place, after if leftward else before)
        crossings = _crossings(order, place, after)
        if crossings < fewest:
            best, fewest = [[*stops] for stops in order], crossings
    return best


def _enter(place: list[int], stops: list[int]) -> None:
    for position, stop in enumerate(stops):
        place[stop] = position


def _sort(stops: list[int], place: list[int], neighbours: Neighbours) -> None:
    """Sort a column by the mean place of each stop's neighbours; a stop without any keeps its place."""
    wishes = {
        stop: sum(place[near] + port * PORT_WEIGHT for near, port in beside) / len(beside)
        for stop in stops
        if (beside := neighbours[stop])
    }
    moved = iter(sorted(wishes, key=wishes.__getitem__))
    stops[:] = [next(moved) if stop in wishes else stop for stop in stops]
    _enter(place, stops)


def _crossings(order: list[list[int]], place: list[int], after: Neighbours) -> int:
    crossings = 0
    for stops in order:
        passed: list[float] = []  # where the arrows end that start higher up
        for stop in stops:
            ends = [place[head] + port * PORT_WEIGHT for head, port in after[stop]]
            crossings += sum(len(passed) - bisect(passed, end) for end in ends)
            for end in ends:
                insort(passed, end)
    return crossings
