"""Every path from one box to another, and the product of the partial derivatives along each.

There may be exponentially many. They are counted without being walked, and the largest products are found
without the others. This room knows nothing of the project but Routes and Sums: boxes are numbers.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autograd.drawing.picture import Route, Sum

Edge = tuple[int, int, float]  # tail, head, partial derivative; the tail's number is smaller


@dataclass(frozen=True, slots=True)
class Paths:
    """The paths from `source` to `target`.

    number    of them
    total     the sum of their products, which is d(target)/d(source)
    size      the sum of their products' sizes
    routes    those with the largest products, the largest first
    boxes     those that lie on any path
    edges     whether each edge is part of any path
    """

    number: int
    total: float
    size: float
    routes: list[Route]
    boxes: frozenset[int]
    edges: list[bool]

    @property
    def all(self) -> Sum:
        return Sum(self.number, self.total)

    @property
    def rest(self) -> Sum:
        """Those that are not listed."""
        more = self.number - len(self.routes)
        listed = sum(route.contribution for route in self.routes)
        return Sum(more, self.total - listed if more else 0.0)


def paths_between(source: int, target: int, edges: Sequence[Edge], most: int) -> Paths:
    """The paths along the edges, which come with rising heads; at most `most` are listed.

    >>> square = [(0, 1, 3.0), (0, 1, 3.0)]                    # 3²: each factor contributes the other
    >>> paths = paths_between(0, 1, square, most=10)
    >>> paths.number, paths.total, [route.partials for route in paths.routes]
    (2, 6.0, [(3.0,), (3.0,)])
    """
    number, total, size = {source: 1}, {source: 1.0}, {source: 1.0}
    best: dict[int, list[Any]] = {source: [(1.0, -1, None)]}  # product, last edge, what came before it
    for i, (tail, head, partial) in enumerate(edges):
        if tail in number and head <= target:
            number[head] = number.get(head, 0) + number[tail]
            total[head] = total.get(head, 0.0) + partial * total[tail]
            size[head] = size.get(head, 0.0) + abs(partial) * size[tail]
            longer = [(partial * path[0], i, path) for path in best[tail]]
            best[head] = heapq.nsmallest(most, [*best.get(head, ()), *longer], key=_from_large)
    on_path, along = {target} & number.keys(), [False] * len(edges)
    for i in range(len(edges) - 1, -1, -1):
        tail, head, _ = edges[i]
        if head in on_path and tail in number:
            along[i] = True
            on_path.add(tail)
    routes = [_route(path, source, edges) for path in best.get(target, ())]
    return Paths(
        number=number.get(target, 0),
        total=total.get(target, 0.0),
        size=size.get(target, 0.0),
        routes=routes,
        boxes=frozenset(on_path),
        edges=along,
    )


def _from_large(path: Any) -> float:
    return -math.inf if math.isnan(path[0]) else -abs(path[0])


def _route(path: Any, source: int, edges: Sequence[Edge]) -> Route:
    product, last, before = path
    along = []
    while before is not None:
        along.append(edges[last])
        _, last, before = before
    along.reverse()
    return Route((source, *[head for _, head, _ in along]), tuple(partial for *_, partial in along), product)
