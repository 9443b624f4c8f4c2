"""A layout as the steps to write down, without what is only there for speed.

    layout                                  step
    [W b] @ [A; 1], a row of ones           W @ A + b
    one batch, one column a sample          matrices instead of (1, rows, 1, N)

Scalars are numbered through: those of the file without samples first, then the others; what the second file
only holds a copy of has its number in the first.

This room knows plans, layouts and tapes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from autograd.lifting.blocks import NOTHING
from autograd.lifting.layout import Placed
from autograd.lifting.normal_form import SUM
from autograd.lifting.plan import Plan
from autograd.lifting.recording import Floats, Ints
from autograd.lifting.registers import Booleans
from autograd.lifting.tape import Tape
from autograd.primitives import Primitive


@dataclass(slots=True)
class Step:
    """One array operation; all of its operands and results are scalars' numbers.

    primitive  None for a sum of products
    out        the results; of a matrix product by the letters `axes`, some of "brc": batch, row, column
    left       factors by batch, row, k; of another sum (K, *out.shape)
    right      factors by batch, k, column; of another sum (K, *out.shape)
    terms      the plain terms, or the primitive's operands, each of out's shape
    stack      many of them in one (J, *out.shape)
    holes      where in `out` nobody asked for a result, and what has to be there; None for anything
    """

    primitive: Primitive | None
    varies: bool
    out: Ints
    axes: str = ""
    left: Ints | None = None
    right: Ints | None = None
    terms: list[Ints] = field(default_factory=list)
    stack: Ints | None = None
    pair_coefficients: Floats = field(default_factory=lambda: np.ones(0))
    term_coefficients: Floats = field(default_factory=lambda: np.ones(0))
    holes: Booleans | None = None
    fill: float | None = None

    @property
    def is_product(self) -> bool:
        """Whether it is a matrix product."""
        return bool(self.axes)

    @property
    def parts(self) -> list[Ints]:
        """All it reads."""
        return [part for part in (self.left, self.right, self.stack, *self.terms) if part is not None]


@dataclass(slots=True)
class ScalarStep:
    """One operation on scalars: of a sum the operands are lefts, rights and plain terms."""

    primitive: Primitive | None
    out: int
    operands: list[int]
    pairs: int
    coefficients: list[float]


@dataclass(slots=True)
class TapeSteps:
    """Operations on scalars, in order."""

    varies: bool
    out: Ints
    steps: list[ScalarStep]

    @property
    def parts(self) -> list[Ints]:
        """All they read."""
        return [np.array([i for step in self.steps for i in step.operands], dtype=np.int64)]


@dataclass(slots=True)
class Numbers:
    """What is known of scalars by their numbers (S,).

    node       which recorded node each is; NOTHING for ones, zeros and holes
    constant   whether it is always the same number, and which
    parameter  its place in theta, NOTHING for others
    row        its row in a batch, NOTHING for others
    varies     whether it has samples
    copies     which one each is, if it is a copy; else itself
    outputs    which are the outputs
    """

    node: Ints
    constant: Booleans
    data: Floats
    parameter: Ints
    row: Ints
    varies: Booleans
    copies: Ints
    outputs: Ints

    def of(self, varies: bool, registers: Ints) -> Ints:
        """The numbers of registers in a file."""
        first = len(self.varies) - np.count_nonzero(self.varies)
        found: Ints = self.copies[registers + first] if varies else registers
        return found


def numbers(plan: Plan) -> Numbers:
    """The numbering of a plan's scalars."""
    registers, graph = plan.layout.registers, plan.graph
    first, second = registers.sizes
    size = first + second
    copies = np.arange(size)
    for copy, origin in registers.spread.items():
        copies[first + copy] = origin
    node, parameter, row = (np.full(size, NOTHING) for _ in range(3))
    constant, data = np.zeros(size, dtype=bool), np.zeros(size)
    there = np.flatnonzero(registers.of != NOTHING)
    place = registers.of[there] + first * registers.varies[there]
    node[place] = there
    constant[place], data[place] = graph.constant[there], graph.data[there]
    for before, stretches in zip((0, first), registers.fixed, strict=True):
        for begin, length, number in stretches:
            constant[before + begin : before + begin + length] = True
            data[before + begin : before + begin + length] = number
    parameter[registers.of[plan.parameters]] = np.arange(len(plan.parameters))
    inputs = np.flatnonzero(plan.inputs >= 0)
    row[first + registers.of[plan.inputs[inputs]]] = inputs
    varies = np.arange(size) >= first
    outputs = copies[registers.of[plan.outputs] + first * registers.varies[plan.outputs]]
    return Numbers(node, constant, data, parameter, row, varies, copies, outputs)


def steps(plan: Plan, known: Numbers) -> Iterator[Step | TapeSteps]:
    """What there is to write down, in order."""
    for placed in plan.layout.placed:
        if isinstance(placed, Tape):
            yield _tape(plan, known, placed)
        else:
            yield _product(known, placed) if placed.operation.is_product else _others(plan, known, placed)


def _product(known: Numbers, placed: Placed) -> Step:
    operation = placed.operation
    left, right = placed.factors
    lefts, rights = known.of(left.varies, left.index), known.of(right.varies, right.index)
    terms = [known.of(term.varies, term.index) for term in placed.terms]
    out = known.of(operation.varies, placed.out.registers)
    coefficients = operation.term_coefficients[: len(terms)]
    if placed.biased:
        terms.append(np.broadcast_to(lefts[:, :, -1:], out.shape))
        coefficients = np.ones(len(terms))
        lefts, rights = lefts[:, :, :-1], rights[:, :-1]
    batch = () if out.shape[0] > 1 else (0,)
    column = (-1,) if operation.varies and out.shape[2] == 1 else ()
    return Step(
        primitive=None,
        varies=operation.varies,
        out=out.squeeze((*batch, *column)),
        axes=("" if batch else "b") + "r" + ("" if column else "c"),
        left=lefts.squeeze(batch),
        right=rights.squeeze((*batch, *column)),
        terms=[term.squeeze((*batch, *column)) for term in terms],
        pair_coefficients=operation.pair_coefficients,
        term_coefficients=coefficients,
        holes=None if placed.holes is None else placed.holes.squeeze((*batch, *column)),
        fill=placed.fill,
    )


def _others(plan: Plan, known: Numbers, placed: Placed) -> Step:
    operation = placed.operation
    factors = [known.of(factor.varies, factor.index) for factor in placed.factors]
    stack = placed.stack
    return Step(
        primitive=None if operation.kind == SUM else plan.graph.primitives[operation.kind],
        varies=operation.varies,
        out=known.of(operation.varies, placed.out.registers),
        left=factors[0] if factors else None,
        right=factors[1] if factors else None,
        terms=[known.of(term.varies, term.index) for term in placed.terms],
        stack=None if stack is None else known.of(stack.varies, stack.index),
        pair_coefficients=operation.pair_coefficients,
        term_coefficients=operation.term_coefficients,
        holes=placed.holes,
        fill=placed.fill,
    )


def _tape(plan: Plan, known: Numbers, tape: Tape) -> TapeSteps:
    out = known.of(tape.varies, tape.begin + np.arange(len(tape.nodes)))
    found: list[ScalarStep | None] = [None] * len(out)
    for block, operands in zip(tape.blocks, tape.operands, strict=True):
        primitive = None if block.kind == SUM else plan.graph.primitives[block.kind]
        coefficients = block.coefficients.tolist()
        read = known.of(tape.varies, operands).tolist()
        for nth, row in zip(np.searchsorted(tape.nodes, block.nodes).tolist(), read, strict=True):
            found[nth] = ScalarStep(primitive, int(out[nth]), row, block.pairs, coefficients)
    return TapeSteps(tape.varies, out, [step for step in found if step is not None])
