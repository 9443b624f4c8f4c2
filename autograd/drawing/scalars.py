"""A recorded graph as a picture of its scalars: one box a scalar, one arrow a use of it.

This room knows Value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from autograd.drawing.colours import Scale
from autograd.drawing.paths import Paths, paths_between
from autograd.drawing.picture import (
    CONSTANT,
    LEAF,
    OPERATION,
    Arrow,
    Box,
    Picture,
    counted,
    shortened,
    showable,
)
from autograd.value import Value

MOST_ROUTES = 8
LONGEST_ROUTE, LONGEST_PRODUCT = 70, 50  # characters
AGREEMENT = 1e-12  # of the sum of sizes, between a gradient and the sum of its paths
SHORTEST_LONG_NUMBER = 50  # bits of a number of paths, from which it is given as a power of ten


def gradient_of(value: Value) -> float | None:
    """The gradient as a number, also where it was recorded; None of a constant."""
    if value.is_constant:
        return None
    gradient = value.grad
    return gradient.data if isinstance(gradient, Value) else gradient


def scalar_box(value: Value, scale: Scale, precision: int, is_output: bool, aside: bool = False) -> Box:
    """The box of one scalar."""
    gradient = gradient_of(value)
    facts: tuple[tuple[str, str], ...]
    if gradient is None:
        facts = (("", f"{value.data:.{precision}g}"),)
    else:
        facts = (("data", f"{value.data:.{precision}g}"), ("grad", f"{gradient:.{precision}g}"))
    kind = CONSTANT if gradient is None else OPERATION if value.op else LEAF
    return Box(
        kind,
        shortened(showable(value.primitive.symbol)),
        value.label,
        facts,
        shade="" if gradient is None else scale.shade(gradient),
        is_output=is_output,
        aside=aside,
        data=value.data,
        gradient=gradient,
        operation=value.op,
    )


def scalar_arrow(
    tail: int,
    head: int,
    partial: float,
    is_constant: bool,
    precision: int | None,
    on_path: bool | None = None,
) -> Arrow:
    """The arrow of one use.

    precision  of its local derivative; None where it does not stand on it
    on_path    None where no paths are highlighted
    """
    return Arrow(
        tail,
        head,
        None if is_constant else partial,
        note="" if is_constant or precision is None else f"{partial:.{precision}g}",
        on_path=on_path is True,
        aside=on_path is False,
    )


def scalar_picture(
    order: Sequence[Value],
    outputs: Sequence[Value],
    precision: int,
    partials: bool = False,
    highlight: Value | None = None,
) -> Picture:
    """What to draw of the graph, numbers at `precision` significant digits.

    order      every node that the outputs depend on, operands before results
    partials   whether to write the local derivative where each arrow arrives
    highlight  a node whose every path to the output is to be told from the rest

    >>> from autograd.graph import topological_order
    >>> a = Value(2.0, label="a")
    >>> picture = scalar_picture(topological_order(a * a), [], precision=4)
    >>> picture.pairs
    [(0, 1), (0, 1)]
    """
    number: dict[Any, int] = {value: i for i, value in enumerate(order)}
    edges = [
        (number[parent], i, partial, parent.is_constant)
        for i, value in enumerate(order)
        for parent, partial in zip(value.parents, value.partials, strict=True)
    ]
    found, notes = None, []
    if highlight is not None:
        steps = [(tail, head, partial) for tail, head, partial, _ in edges]
        found = paths_between(number[highlight], number[outputs[0]], steps, MOST_ROUTES)
    scale = Scale(g for g in map(gradient_of, order) if g is not None)
    roots = set(outputs)
    boxes = [
        scalar_box(value, scale, precision, value in roots, aside=found is not None and i not in found.boxes)
        for i, value in enumerate(order)
    ]
    if found is not None and highlight is not None:
        notes = _notes(found, boxes, highlight, outputs[0], precision)
    digits = precision if partials else None
    arrows = [
        scalar_arrow(*edge, digits, None if found is None else found.edges[i]) for i, edge in enumerate(edges)
    ]
    return Picture(
        boxes,
        arrows,
        scalars=len(order),
        legend=scale.legend({box.shade for box in boxes}),
        notes=notes,
        routes=found.routes if found else (),
        rest=found.rest if found else None,
        total=found.all if found else None,
    )


def _notes(paths: Paths, boxes: Sequence[Box], source: Value, target: Value, precision: int) -> list[str]:
    """The paths in words: how many, what each contributes, and whether they sum to the gradient."""
    seed = gradient_of(target) or 1.0  # an output that was not swept counts as 1
    name, output = _called(source, "the node"), _called(target, "the output")
    total = paths.total * seed
    lines = [f"{_many(paths.number)} from {name} to {output}:"]
    for route in paths.routes:
        factors = route.partials if seed == 1 else (*route.partials, seed)
        product = _joined([f"({x:.{precision}g})" for x in factors], " · ", LONGEST_PRODUCT) or "1"
        via = _joined([_stop(boxes[stop]) for stop in route.stops], " → ", LONGEST_ROUTE)
        lines.append(f"{route.contribution * seed:.{precision}g} along {via}: {product}")
    rest = paths.rest
    if rest.paths:
        figure = f"{rest.contribution * seed:.{precision}g}"
        lines.append(f"{figure} by the other {_many(rest.paths)}; these {len(paths.routes)} are the largest")
    lines.append(f"together {total:.{precision}g}, {_beside(source, target, paths, seed, precision)}")
    return lines


def _beside(source: Value, target: Value, paths: Paths, seed: float, precision: int) -> str:
    """What the sum of the paths is to the gradient that the source holds."""
    total, gradient = paths.total * seed, gradient_of(source)
    if gradient is None or not gradient_of(target):
        return "which backward() will add to its gradient"
    if math.isnan(gradient - total) or abs(gradient - total) <= AGREEMENT * paths.size * abs(seed):
        return "its gradient"
    return f"but its gradient is {gradient:.{precision}g}: not of one sweep from here alone"


def _called(value: Value, otherwise: str) -> str:
    return shortened(showable(value.label)) or otherwise


def _stop(box: Box) -> str:
    return box.short_name or box.symbol or box.facts[0][1]


def _joined(parts: Sequence[str], sign: str, longest: int) -> str:
    """The parts with the sign between them; where that is too long, those that fit, and how many more.

    >>> _joined(["first", "second", "third", "fourth"], " → ", 16)
    'first → second → … 2 more'
    >>> _joined(["first", "second", "third", "4"], " → ", 22)          # to cut it off would not be shorter
    'first → second → third → 4'
    """
    whole = sign.join(parts)
    if len(whole) <= longest:
        return whole
    ends = accumulate(len(part) + len(sign) for part in parts)
    fitting = max(1, sum(end - len(sign) <= longest for end in ends))
    return min(whole, f"{sign.join(parts[:fitting])}{sign}… {len(parts) - fitting} more", key=len)


def _many(number: int) -> str:
    """A number of paths, of which there can be more than atoms in the world.

    >>> _many(2), _many(2**400)
    ('2 paths', 'about 10^120 paths')
    """
    if number.bit_length() < SHORTEST_LONG_NUMBER:
        return counted(number, "path")
    return f"about 10^{int(number.bit_length() * 0.30103)} paths"
