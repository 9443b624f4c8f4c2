"""Where every scalar lives: two flat arrays, the register files.

One file holds what is the same in every sample, the other what depends on an input and has a batch axis. A
register is a place in its file. Leaves get theirs in the order in which the products read them, each row of
weights followed by its bias, so that products find their factors side by side:

    z1 = w11 a1 + w12 a2 + b1, z2 = w21 a1 + w22 a2 + b2

    register    0    1    2    3    4    5    6    7    8
    holds       w11  w12  b1   w21  w22  b2   a1   a2   1         [z1 z2] = file[0:6] as (2, 3) @ file[6:9]

This room knows recordings and operations.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from autograd.lifting.blocks import NOTHING
from autograd.lifting.recording import Ints, Recording, the_one
from autograd.lifting.structure import Operation

Booleans = npt.NDArray[np.bool_]

_COLUMNS = 4  # operands that are worth a look for a constant that all results share


class Registers:
    """Who lives where.

    of         each recorded node's register, NOTHING where it has none (M,)
    varies     whether that is in the file with a batch axis (M,)
    sizes      of the two files
    fixed      stretches that hold one number for good: for each file (begin, size, number)
    spread     registers of the first file, by those of the second that hold a copy
    """

    def __init__(self, graph: Recording, varies: Booleans) -> None:
        self.graph = graph
        self.varies = varies
        self.of = np.full(len(graph.nodes), NOTHING)
        self.leaf = np.diff(graph.start) == 0
        self.sizes = [0, 0]
        self.fixed: tuple[list[tuple[int, int, float]], ...] = ([], [])
        self.spread: dict[int, int] = {}
        self._special: dict[tuple[bool, float, float], int] = {}
        self._copies: dict[int, int] = {}

    def take(self, varies: bool, size: int) -> int:
        """The first of so many registers, side by side."""
        begin = self.sizes[varies]
        self.sizes[varies] += size
        return begin

    def hold(self, varies: bool, number: float, size: int = 1) -> int:
        """The first of so many registers that always hold this number."""
        begin = self.take(varies, size)
        self.fixed[varies].append((begin, size, number))
        return begin

    def special(self, varies: bool, number: float) -> int:
        """A register that always holds this number."""
        key = (bool(varies), number, math.copysign(1.0, number))  # 0 and -0 are equal, but not the same
        if key not in self._special:
            self._special[key] = self.hold(varies, number)
        return self._special[key]

    def give(self, nodes: Ints) -> bool:
        """Registers for the leaves among these nodes that have none yet; whether that was all of them.

        Constants come after the others, so that these stay together.
        """
        flat = nodes.ravel()
        flat = flat[flat != NOTHING]
        new = flat[self.leaf[flat] & (self.of[flat] == NOTHING)]
        _, first = np.unique(new, return_index=True)
        new = new[np.sort(first)]
        for varies in (False, True):
            for constant in (False, True):
                chosen = (self.varies[new] == varies) & (self.graph.constant[new] == constant)
                mine = new[chosen]
                self.of[mine] = self.take(varies, len(mine)) + np.arange(len(mine))
        return len(new) == nodes.size

    def share(self, nodes: Ints) -> None:
        """One register for all these nodes, if they are one and the same constant."""
        known = nodes[nodes != NOTHING]
        number = self.number(known)
        if number is not None and len(known) > 1:
            self.of[known[self.of[known] == NOTHING]] = self.special(False, number)

    def number(self, nodes: Ints) -> float | None:
        """What these nodes all are, if they are one and the same constant."""
        if not nodes.size or not self.graph.constant[nodes].all():
            return None
        return the_one(self.graph.data[nodes].ravel())

    def settle(self, nodes: Ints, varies: bool) -> int:
        """Registers side by side for results, in this order; holes have theirs, too. Returns the first."""
        begin = self.take(varies, nodes.size)
        flat = nodes.ravel()
        there = np.flatnonzero(flat != NOTHING)
        self.of[flat[there]] = begin + there
        return begin

    def located(self, nodes: Ints, missing: int, varies: bool = False) -> tuple[Ints, bool]:
        """The registers of these nodes, all in one file; and whether in the one with a batch axis.

        missing  what to put where there is no node
        varies   whether they have to be in that one; they are in any case if one of them is
        """
        there = nodes != NOTHING
        known = nodes[there]
        varying = self.varies[known]
        registers = np.full(nodes.shape, missing)
        registers[there] = self.of[known]
        varies = varies or bool(varying.any())
        if varies and not varying.all():
            same = there.copy()
            same[there] = ~varying
            registers[same] = [self._copy(register) for register in registers[same].tolist()]
        return registers, varies

    def _copy(self, register: int) -> int:
        if register not in self._copies:
            self._copies[register] = self.take(True, 1)
            self.spread[self._copies[register]] = register
        return self._copies[register]


def place_leaves(registers: Registers, operations: Sequence[Operation]) -> dict[int, int]:
    """Give leaves their registers. Returns how many ones are to follow an operation's results, by its id."""
    products = [operation for operation in operations if operation.is_product]
    for operation in products:
        weights = np.concatenate([operation.lefts, biases(registers, operation)], axis=2)
        if not registers.graph.constant[weights[weights != NOTHING]].any():
            registers.give(weights)
    makers = {frozenset(o.present.tolist()): id(o) for o in operations if o.present.size == o.nodes.size}
    ones_below = {}
    for operation in products:
        biased = biases(registers, operation).shape[2] > 0
        columns = operation.nodes.shape[2]
        if registers.give(operation.rights) and biased:
            registers.hold(operation.varies, 1.0, columns)
        elif biased:
            maker = makers.get(frozenset(operation.rights.ravel().tolist()))
            if maker is not None:
                ones_below[maker] = columns
    for operation in operations:
        for part in (operation.lefts, operation.rights, operation.terms):
            if not operation.is_product:
                for column in part.T[:_COLUMNS]:
                    registers.share(column)
            registers.give(part)
    return ones_below


def biases(registers: Registers, operation: Operation) -> Ints:
    """The plain terms of a matrix product as a column of its lefts (batches, rows, 1); else (…, 0).

    They are biases if each row has one of its own, which is a leaf, and nothing has a coefficient.
    """
    terms = operation.terms
    none = np.zeros((*operation.lefts.shape[:2], 0), dtype=np.int64)
    if operation.nodes.shape[0] > 1 or terms.shape[3] != 1:
        return none
    if (operation.pair_coefficients != 1.0).any() or (operation.term_coefficients != 1.0).any():
        return none
    bias = terms[:, :, 0]
    of_rows = (terms == terms[:, :, :1]).all() and not (bias == NOTHING).any()
    if not of_rows or not registers.leaf[bias].all() or registers.varies[bias].any():
        return none
    lefts_vary = registers.varies[operation.lefts[operation.lefts != NOTHING]].any()
    return none if lefts_vary or len(np.unique(bias)) < bias.size else bias
