"""Stretches of a graph that are only a few operations wide run one scalar at a time.

A call of NumPy costs as much as ten operations of Python floats. Where level after level has only a few
operations, as in a chain or a recurrence, they go onto a tape: one small function for each kind of operation,
called with the places of its operands.

    y = tanh(w * x)    v[2] = v[0] * v[1];  v[3] = tanh(v[2])
    backwards          g[2] += g[3] * (1 - v[3]²);  g[0] += g[2] * v[1];  g[1] += g[2] * v[0]

This room knows blocks, registers, the table of primitives and the namespaces of its rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.lifting.blocks import NOTHING, Block
from autograd.lifting.normal_form import SUM
from autograd.lifting.recording import Ints
from autograd.lifting.registers import Registers
from autograd.namespaces import ARRAY, SCALAR
from autograd.primitives import Primitive

_WIDE = 16  # more operands are looped over

Function = Callable[..., None]


@dataclass(slots=True)
class Tape:
    """Operations that are to run one scalar at a time.

    blocks    them, by kind
    nodes     their results in the order of recording, which is one in which they can be computed (n,)
    begin     the first of the results' registers, which lie in this order
    operands  for each block, the registers of its operands (…, m)
    """

    blocks: list[Block]
    nodes: Ints
    varies: bool
    begin: int
    operands: list[Ints]


def tape(blocks: list[Block], registers: Registers) -> Tape:
    """The blocks' operations with their registers."""
    varies = blocks[0].varies
    nodes = np.sort(np.concatenate([block.nodes for block in blocks]))
    begin = registers.settle(nodes, varies)
    operands = [registers.located(block.operands, NOTHING, varies)[0] for block in blocks]
    return Tape(blocks, nodes, varies, begin, operands)


def entries(
    tape: Tape, read: Ints, primitives: Sequence[Primitive]
) -> list[tuple[Function, Function, list[int]]]:
    """Each operation's two functions, and the places of its result and operands in the tape's own list.

    read   the registers of the file that the list begins with; the results follow
    """
    m = ARRAY if tape.varies else SCALAR
    end = tape.begin + len(tape.nodes)
    found: list[Any] = [None] * len(tape.nodes)
    for block, operands in zip(tape.blocks, tape.operands, strict=True):
        forward, backward = _functions(block, primitives, m)
        inside = (operands >= tape.begin) & (operands < end)
        places = np.where(inside, operands - tape.begin + len(read), np.searchsorted(read, operands))
        order = np.searchsorted(tape.nodes, block.nodes)
        rows = np.concatenate([(order + len(read))[:, None], places], axis=1)
        for nth, row in zip(order.tolist(), rows.tolist(), strict=True):
            found[nth] = (forward, backward, row)
    return found


def _functions(block: Block, primitives: Sequence[Primitive], m: Any) -> tuple[Function, Function]:
    count = block.operands.shape[1]
    if block.kind != SUM:
        primitive = primitives[block.kind]
        return _any_number(primitive, m) if primitive.arity is None else _written(primitive, count, m)
    if count > _WIDE:
        return _looped(block.pairs, block.coefficients.tolist())
    return _written_sum(block.pairs, count, block.coefficients.tolist())


def _compiled(
    names: list[str], forward: str, backward: list[str], scope: dict[str, Any]
) -> tuple[Function, Function]:
    text = f"def forward(v, {', '.join(names)}):\n    {forward}\n"
    text += f"def backward(v, g, {', '.join(names)}):\n    d = g[o]\n    " + "\n    ".join(backward)
    exec(text, scope)
    return scope["forward"], scope["backward"]


def _written_sum(pairs: int, count: int, coefficients: list[float]) -> tuple[Function, Function]:
    """The functions for a sum, written out: v[o] = v[a0] * v[a1] + v[a2]."""
    names = [f"a{i}" for i in range(count)]
    terms, backward = [], []
    for k, c in enumerate(coefficients):
        factor = "" if c == 1.0 else f"{c!r} * "
        if k < pairs:
            left, right = names[k], names[pairs + k]
            terms.append(f"{factor}v[{left}] * v[{right}]")
            backward += [f"g[{left}] += {factor}d * v[{right}]", f"g[{right}] += {factor}d * v[{left}]"]
        else:
            terms.append(f"{factor}v[{names[pairs + k]}]")
            backward.append(f"g[{names[pairs + k]}] += {factor}d")
    return _compiled(["o", *names], f"v[o] = {' + '.join(terms)}", backward, {})


def _written(primitive: Primitive, count: int, m: Any) -> tuple[Function, Function]:
    names = [f"a{i}" for i in range(count)]
    operands = ", ".join(f"v[{name}]" for name in names)
    backward = [f"g[{name}] += d * p{i}(m, v[o], {operands})" for i, name in enumerate(names)]
    scope = {"m": m, "value": primitive.value} | {f"p{i}": rule for i, rule in enumerate(primitive.partials)}
    return _compiled(["o", *names], f"v[o] = value(m, {operands})", backward, scope)


def _any_number(primitive: Primitive, m: Any) -> tuple[Function, Function]:
    def forward(v: list[Any], o: int, *operands: int) -> None:
        v[o] = primitive.evaluate(m, [v[a] for a in operands])

    def backward(v: list[Any], g: list[Any], o: int, *operands: int) -> None:
        partials = primitive.differentiate(m, v[o], [v[a] for a in operands])
        for a, partial in zip(operands, partials, strict=True):
            g[a] = g[a] + g[o] * partial

    return forward, backward


def _looped(pairs: int, coefficients: list[float]) -> tuple[Function, Function]:
    def forward(v: list[Any], o: int, *operands: int) -> None:
        products = zip(coefficients, operands[:pairs], operands[pairs : 2 * pairs], strict=False)
        terms = zip(coefficients[pairs:], operands[2 * pairs :], strict=True)
        v[o] = sum(c * v[a] for c, a in terms) + sum(c * v[a] * v[b] for c, a, b in products)

    def backward(v: list[Any], g: list[Any], o: int, *operands: int) -> None:
        for c, a, b in zip(coefficients, operands[:pairs], operands[pairs : 2 * pairs], strict=False):
            g[a] = g[a] + c * g[o] * v[b]
            g[b] = g[b] + c * g[o] * v[a]
        for c, a in zip(coefficients[pairs:], operands[2 * pairs :], strict=True):
            g[a] = g[a] + c * g[o]

    return forward, backward
