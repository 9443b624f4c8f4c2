"""A recorded graph as a picture of its modules: semantic zoom from scalars to neurons to layers.

This room knows Value, the homes and the groups of nodes, and how a single scalar is drawn.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence

from autograd.drawing.colours import Scale
from autograd.drawing.groups import INPUTS, OUTPUT, PARAMETERS, Key, box_order, grouped
from autograd.drawing.homes import Homes, homes, path_in
from autograd.drawing.picture import MODULE, Arrow, Box, Picture, shortened, showable
from autograd.drawing.scalars import gradient_of, scalar_arrow, scalar_box
from autograd.value import Value

CLOSED = "⊞"
MOST_OPERATIONS = 3  # told by name of what a module does

HOW_TO_NAME = (
    'modules are told from the labels of parameters, as in "l0.n3.w1" for a weight of neuron n3 of layer l0. '
    "nn.MLP labels its own; for a model of yours: for name, p in …: p.label = name"
)


def module_picture(
    order: Sequence[Value],
    outputs: Sequence[Value],
    precision: int,
    level: str,
    opened: Collection[str] = (),
    closed: Collection[str] = (),
    partials: bool = False,
) -> Picture:
    """What to draw of the graph at a level of zoom, some modules opened or closed.

    >>> w, x = Value(2.0, label="l0.n0.w0"), Value(3.0, label="x")
    >>> picture = module_picture([w, x, w * x], [], 4, "neurons")
    >>> [box.label for box in picture.boxes]
    ['x', 'l0.n0']

    Raises ValueError where no label names a module, and for names of modules that are not there.
    """
    found = homes(order)
    if not any(found.paths):
        raise ValueError(f"draw: there is no module in this graph: {HOW_TO_NAME}")
    keys = grouped(order, found, level, opened, closed)
    boxes = box_order(keys, found.parents)
    members: dict[Key, list[int]] = {key: [] for key in boxes}
    for i, key in enumerate(keys):
        members[key].append(i)
    scale = Scale(g for g in map(gradient_of, order) if g is not None)
    shown = _Shown(order, found, keys, scale, precision, set(outputs))
    remark = _repeated(order, keys)
    pictured = [shown.box(key, members[key]) for key in boxes]
    return Picture(
        pictured,
        _arrows(boxes, keys, found, order, precision if partials else None),
        level=level,
        scalars=len(order),
        legend=scale.legend({box.shade for box in pictured}),
        notes=[remark] if remark else [],
        remark=remark,
    )


def _repeated(order: Sequence[Value], keys: Sequence[Key]) -> str:
    """That leaves in modules share their labels, as those of two models do; else ""."""
    labels = Counter(
        value.label
        for value, key in zip(order, keys, strict=True)
        if not value.op and len(key) > 1 and path_in(value.label)
    )
    repeated = [shortened(showable(label)) for label, number in labels.items() if number > 1]
    if not repeated:
        return ""
    name = "1 label names" if len(repeated) == 1 else f"{len(repeated):,} labels each name"
    return f"{name} several leaves, as {repeated[0]}: modules of one name are one box"


class _Shown:
    """How each box of a picture is made of its members."""

    def __init__(
        self, order: Sequence[Value], found: Homes, keys: Sequence[Key], scale: Scale, precision: int,
        roots: Collection[Value],
    ) -> None:  # fmt: skip
        self.order = order
        self.scale = scale
        self.precision = precision
        self.roots = roots
        self.exits: dict[Key, dict[int, None]] = {key: {} for key in keys}  # members that others use
        for i, operands in enumerate(found.parents):
            for p in operands:
                if keys[p] != keys[i]:
                    self.exits[keys[p]][p] = None
        for i, value in enumerate(order):
            if value in roots:
                self.exits[keys[i]][i] = None

    def box(self, key: Key, members: Sequence[int]) -> Box:
        values = [self.order[i] for i in members]
        if len(key) == 1:
            (value,) = values
            return scalar_box(value, self.scale, self.precision, value in self.roots)
        operations = Counter(shortened(showable(value.primitive.symbol)) for value in values if value.op)
        parameters = [value for value in values if not value.op and not value.is_constant]
        exits = [self.order[i] for i in self.exits[key]]
        given = len(parameters) + sum(value.is_constant for value in exits)
        facts = [(_word(key), f"{given:,}")] if given else []
        facts += _counts(operations)
        if len(exits) == 1 and exits[0].op:
            data, gradient = exits[0].data, gradient_of(exits[0])
            facts += [("data", f"{data:.{self.precision}g}"), ("grad", f"{gradient:.{self.precision}g}")]
            shade = self.scale.shade(gradient or 0.0)
        else:
            data, gradient = None, _largest(parameters or values)
            facts += [("|grad| ≤", f"{gradient:.{self.precision}g}")] if gradient else []
            shade = self.scale.shade(gradient, signed=False)
        return Box(
            MODULE,
            CLOSED,
            _name(key, exits),
            tuple(facts),
            shade=shade,
            is_output=any(value in self.roots for value in exits),
            data=data,
            gradient=gradient,
            operation=", ".join(f"{number} {symbol}" for symbol, number in operations.most_common()),
        )


def _name(key: Key, exits: Sequence[Value]) -> str:
    path, turn = key
    name = ".".join(path)
    if path == OUTPUT and len(exits) == 1 and exits[0].label:
        name = f"{exits[0].label} {name}"
    if turn == PARAMETERS:
        return f"{name}: parameters"
    return f"{name} [{turn}]" if turn else name


def _word(key: Key) -> str:
    """What the leaves in a box are called."""
    return "inputs" if key[0] in (INPUTS, OUTPUT) else "parameters"


def _counts(operations: Counter[str]) -> list[tuple[str, str]]:
    """The most frequent operations with their numbers, and the number of the rest."""
    most = operations.most_common(MOST_OPERATIONS)
    rest = operations.total() - sum(number for _, number in most)
    return [(symbol, f"{number:,}") for symbol, number in most] + ([("others", f"{rest:,}")] if rest else [])


def _largest(values: Sequence[Value]) -> float:
    """The largest size of a gradient; nan if one is."""
    sizes = [abs(g) for g in map(gradient_of, values) if g is not None]
    return next(filter(math.isnan, sizes), max(sizes, default=0.0))


def _arrows(
    boxes: Sequence[Key], keys: Sequence[Key], found: Homes, order: Sequence[Value], precision: int | None
) -> list[Arrow]:
    """One arrow for each use between scalars; one for all uses between two boxes of which one is a module.

    precision  of the local derivatives that stand on those between scalars; None where they do not
    """
    number = {key: i for i, key in enumerate(boxes)}
    arrows: list[Arrow] = []
    bundles: Counter[tuple[int, int]] = Counter()
    for i, operands in enumerate(found.parents):
        for p, partial in zip(operands, order[i].partials, strict=True):
            if keys[p] == keys[i]:
                continue
            tail, head = number[keys[p]], number[keys[i]]
            if len(keys[p]) == len(keys[i]) == 1:
                arrows.append(scalar_arrow(tail, head, partial, order[p].is_constant, precision))
            else:
                bundles[tail, head] += 1
    arrows += [
        Arrow(tail, head, note=f"×{uses:,}" if uses > 1 else "", count=uses)
        for (tail, head), uses in bundles.items()
    ]
    return sorted(arrows, key=lambda arrow: arrow.head)
