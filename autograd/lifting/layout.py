"""Pass 5: which registers each operation reads and writes, as strided views wherever they lie on a grid.

    y = tanh(z) of every z in file[7:9]         out is a view of file[9:11], its operand one of file[7:9]
    s = y1 * y2                                 operands of single registers are views, too

Results lie in the order of their operands. What lies on no grid is gathered by an index.
What is computed one by one from results with holes has holes at the same places.

This room knows operations, registers and grids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from autograd.lifting.blocks import NOTHING, Block
from autograd.lifting.grids import ANY, Grid, common_shape, contiguous, factored, fitted
from autograd.lifting.recording import Ints
from autograd.lifting.registers import Booleans, Registers, biases, place_leaves
from autograd.lifting.structure import Operation
from autograd.lifting.tape import Tape, tape

FEW = 4  # terms that are added one by one; more are one reduction


@dataclass(slots=True)
class Operand:
    """Registers that an operation reads, in the file with a batch axis if `varies`.

    index  which they are, in the shape in which they are read
    grid   the same as a grid; None where they must be gathered
    number what they all hold for good, if they do
    """

    varies: bool
    index: Ints
    grid: Grid | None
    number: float | None = None


@dataclass(slots=True)
class Placed:
    """An operation with its registers.

    out      the results': (batches, rows, columns) of a matrix product, else any shape of that size
    factors  left and right: (batches, rows, K) and (batches, K, columns) of a matrix product, (K, *out) both
             of another sum; none where there are no products
    biased   whether left has one more column, the biases, and right one more row, of ones
    terms    the plain terms, or a primitive's operands, each of out's shape
    stack    many of them as one operand (J, *out)
    holes    where in out nobody asked for a result; None where there is no such place
    fill     what is written into the holes before others read them; None if nobody does
    """

    operation: Operation
    out: Grid
    factors: tuple[Operand, ...] = ()
    biased: bool = False
    terms: list[Operand] = field(default_factory=list)
    stack: Operand | None = None
    holes: Booleans | None = None
    fill: float | None = None

    @property
    def varies(self) -> bool:
        """Whether the results have a batch axis."""
        return self.operation.varies


class Layout:
    """Every operation's registers, placed in the order in which they are to run."""

    def __init__(
        self, registers: Registers, operations: Sequence[Operation], neutral: dict[int, float]
    ) -> None:
        """Place the leaves; `operations` are all that will be placed, but tapes.

        neutral   the kinds with any number of operands, and what one that is missing counts as
        """
        self.registers = registers
        self._ones_below = place_leaves(registers, operations)
        self._products = [operation for operation in operations if operation.is_product]
        self._reader = np.full(len(registers.of), NOTHING)  # which product reads a node as a factor
        for k, product in enumerate(self._products):
            for part in (product.lefts, product.rights):
                self._reader[part[part != NOTHING]] = k
        self.placed: list[Placed | Tape] = []
        self._holed: list[tuple[Placed, Booleans]] = []
        self._neutral = neutral

    def place_tape(self, blocks: list[Block]) -> None:
        """The same for operations that run one by one."""
        self.placed.append(tape(blocks, self.registers))

    def place(self, operation: Operation) -> None:
        """Find the operands' registers and give the results theirs."""
        placed = self._product(operation) if operation.is_product else self._one_by_one(operation)
        self.placed.append(placed)
        if placed.holes is not None:
            self._holed.append((placed, placed.holes))

    def _settle(self, operation: Operation, nodes: Ints) -> Placed:
        begin = self.registers.settle(nodes, operation.varies)
        ones = self._ones_below.get(id(operation))
        if ones:
            self.registers.hold(operation.varies, 1.0, ones)
        holes = nodes == NOTHING
        return Placed(operation, contiguous(begin, nodes.shape), holes=holes if holes.any() else None)

    # ---- matrix products

    def _product(self, operation: Operation) -> Placed:
        if self._reads_better_swapped(operation):
            operation = operation.swapped()
        left, right = self._operand(operation, operation.lefts), self._operand(operation, operation.rights)
        bias = biases(self.registers, operation)
        weights = self._operand(operation, np.concatenate([operation.lefts, bias], axis=2))
        below = self._with_ones(right) if bias.size else None
        if below is not None and weights.grid is not None:
            placed = self._settle(operation, operation.nodes)
            placed.factors, placed.biased = (weights, below), True
            return placed
        terms = np.moveaxis(operation.terms, 3, 0)
        operands = [self._operand(operation, term, anything=term == NOTHING) for term in terms]
        placed = self._settle(operation, operation.nodes)
        placed.factors, placed.terms = (left, right), operands
        return placed

    def _reads_better_swapped(self, operation: Operation) -> bool:
        """Whether the product that reads the results finds them on a grid only if they are transposed."""
        nodes = operation.nodes
        readers = np.unique(self._reader[nodes[nodes != NOTHING]])
        if len(readers) != 1 or readers[0] == NOTHING or biases(self.registers, operation).size:
            return False
        place = np.full(len(self._reader), ANY)
        for part in (self._products[readers[0]].lefts, self._products[readers[0]].rights):
            fits = []
            for order in (nodes, nodes.swapaxes(1, 2)):
                flat = order.ravel()
                place[flat[flat != NOTHING]] = np.flatnonzero(flat != NOTHING)
                read = np.where(part == NOTHING, ANY, place[part])
                fits.append((read != ANY).any() and fitted(read) is not None)
            if fits == [False, True]:
                return True
        return False

    def _with_ones(self, right: Operand) -> Operand | None:
        """The right factor with a row of ones beneath it, if that is what lies there."""
        if right.grid is None:
            return None
        batches, rows, columns = right.grid.shape
        taller = Grid(right.grid.offset, (batches, rows + 1, columns), right.grid.strides)
        last = taller.registers[0, rows]
        for begin, size, number in self.registers.fixed[right.varies]:
            if number == 1.0 and begin <= last.min() and last.max() < begin + size:
                return Operand(right.varies, taller.registers, taller)
        return None

    # ---- everything else, one result by one

    def _one_by_one(self, operation: Operation) -> Placed:
        stacked = operation.terms.shape[1] > FEW or operation.kind in self._neutral
        registers = self._main(operation)
        region = None if operation.lefts.shape[1] > 1 or stacked else self._region(operation, registers)
        if region is None:
            order = np.argsort(registers, kind="stable")
            return self._arranged(operation, order, (len(order),), stacked)
        order = np.full(int(np.prod(region.out.shape)), NOTHING)
        order[registers - region.out.offset] = np.arange(len(registers))
        return self._arranged(operation, order, region.out.shape, stacked)

    def _main(self, operation: Operation) -> Ints:
        """The registers of the operand that has the most different ones: results are ordered by it."""
        parts = (operation.lefts, operation.rights, operation.terms)
        columns = [column for part in parts for column in part.T[:2]]
        located = [self.registers.located(column, ANY)[0] for column in columns]
        return max(located, key=lambda registers: len(np.unique(registers)))

    def _region(self, operation: Operation, registers: Ints) -> Placed | None:
        """Earlier results with holes that these registers are all the rest of."""
        for earlier, holes in self._holed:
            inside = registers - earlier.out.offset
            if earlier.varies == operation.varies and inside.min() >= 0 and inside.max() < holes.size:
                uses = np.bincount(inside, minlength=holes.size)
                if np.array_equal(uses == 1, ~holes.ravel()) and uses.max() == 1:
                    return earlier
        return None

    def _arranged(
        self, operation: Operation, order: Ints, shape: tuple[int, ...], stacked: bool
    ) -> Placed:
        there = order != NOTHING
        nodes = np.where(there, operation.nodes[order], NOTHING)

        def of(part: Ints) -> Ints:
            return np.where(there[:, None], part[order], NOTHING)

        lefts, rights, terms = of(operation.lefts), of(operation.rights), of(operation.terms)
        anything = None if there.all() else ~there.reshape(shape)
        if len(shape) == 1:
            columns = [column for part in (lefts, rights, terms) for column in part.T[:FEW]]
            shape = self._shape(len(order), columns)
        parts = [part for part in (lefts, rights) if part.shape[1]]
        factors = tuple(self._matrix(operation, part, shape, anything) for part in parts)
        stack = self._matrix(operation, terms, shape, anything) if stacked and terms.shape[1] else None
        singles = [] if stacked else [
            self._operand(operation, term.reshape(shape), anything) for term in terms.T
        ]  # fmt: skip
        placed = self._settle(operation, nodes.reshape(shape))
        placed.factors, placed.terms, placed.stack = factors, singles, stack
        return placed

    def _shape(self, size: int, columns: Sequence[Ints]) -> tuple[int, ...]:
        """A shape for the results in which as many operands as possible lie on grids."""
        shapes: list[tuple[int, ...]] = [(size,)]
        for column in columns:
            if not (column == NOTHING).any():
                grid = factored(self.registers.located(column, ANY)[0])
                if grid is not None and common_shape([*shapes, grid.shape]) is not None:
                    shapes.append(grid.shape)
        return common_shape(shapes) or (size,)

    def _matrix(
        self, operation: Operation, part: Ints, shape: tuple[int, ...], anything: Booleans | None
    ) -> Operand:
        wide = None if anything is None else np.broadcast_to(anything, (part.shape[1], *shape))
        return self._operand(operation, part.T.reshape(-1, *shape), wide)

    # ---- operands

    def _operand(self, operation: Operation, nodes: Ints, anything: Booleans | None = None) -> Operand:
        """The registers of these nodes; where there is no node, a neutral number, or `anything` at all."""
        index, varies = self.registers.located(nodes, ANY)
        missing = index == ANY
        neutral = self._neutral.get(operation.kind, 0.0)
        if not missing.any():
            return Operand(varies, index, fitted(index), self.registers.number(nodes))
        grid = fitted(index) if not missing.all() else None
        if grid is not None:
            all_registers = grid.registers
            inside = all_registers.min() >= 0 and all_registers.max() < self.registers.sizes[varies]
            asked = missing if anything is None else missing & ~anything
            if inside and self._filled(all_registers[asked], varies, neutral):
                return Operand(varies, all_registers, grid)
        index[missing] = self.registers.special(varies, neutral)
        return Operand(varies, index, None)

    def _filled(self, asked: Ints, varies: bool, neutral: float) -> bool:
        """Whether all these registers are holes that can hold this number; and then they will."""
        rest, regions = np.unique(asked), []
        for placed, holes in self._holed:
            if len(rest) and placed.varies == varies:
                mine = np.isin(rest, placed.out.offset + np.flatnonzero(holes))
                if mine.any() and placed.fill in (None, neutral):
                    regions.append(placed)
                    rest = rest[~mine]
        if len(rest):
            return False
        for placed in regions:
            placed.fill = neutral
        return True
