"""Pass 4: among sums of products, matrix products.

In a block of sums, the distinct tuples of lefts are rows and the distinct tuples of rights are columns. Where
every row meets every column, the block is their matrix product:

    z11 = w1 * x1 + w2 * x2       lefts  (w1, w2)  row 0         [w1 w2]   [x1 y1]   [z11 z12]
    z12 = w1 * y1 + w2 * y2       lefts  (w1, w2)  row 0         [w3 w4] @ [x2 y2] = [z21 z22]
    z21 = w3 * x1 + w4 * x2       lefts  (w3, w4)  row 1
    z22 = w3 * y1 + w4 * y2       lefts  (w3, w4)  row 1

Rows and columns that do not all meet fall into groups that do: products of one shape are batched. A group may
have holes, pairs that nobody asked for, as the upper triangle of causal attention: they are computed, too.

This room knows blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from autograd.lifting.blocks import NOTHING, Block
from autograd.lifting.hashing import of_rows
from autograd.lifting.normal_form import SUM
from autograd.lifting.recording import Floats, Ints

_ROUNDS = 8  # of looking for groups: more only where a group is a long chain
_MOST_SHAPES = 8  # of products in one block


@dataclass(slots=True)
class Operation:
    """One array operation to be.

    kind     SUM, or the number of a primitive
    nodes    the results; of a matrix product (batches, rows, columns), else (n,); NOTHING is a hole
    lefts    of a matrix product (batches, rows, K), of other sums (n, K)
    rights   of a matrix product (batches, K, columns), of other sums (n, K)
    terms    the plain terms (*nodes.shape, J), or a primitive's operands (n, m)
    pair_coefficients (K,), term_coefficients (J,)
    varies   whether results depend on an input
    level    of the results
    """

    kind: int
    nodes: Ints
    lefts: Ints
    rights: Ints
    terms: Ints
    pair_coefficients: Floats
    term_coefficients: Floats
    varies: bool
    level: int

    @property
    def is_product(self) -> bool:
        """Whether it is a matrix product."""
        return self.nodes.ndim == 3

    def swapped(self) -> Operation:
        """The same matrix product as Rᵀ Lᵀ, of which the results are the transpose."""
        return replace(
            self,
            nodes=self.nodes.swapaxes(1, 2),
            lefts=self.rights.swapaxes(1, 2),
            rights=self.lefts.swapaxes(1, 2),
            terms=self.terms.swapaxes(1, 2),
        )

    @property
    def present(self) -> Ints:
        """The results (n,), without holes."""
        nodes: Ints = self.nodes[self.nodes != NOTHING]
        return nodes


def operations(block: Block) -> list[Operation]:
    """The block's matrix products, and one operation for what is left of it.

    >>> from autograd import Value
    >>> from autograd.lifting.blocks import blocks, levels
    >>> from autograd.lifting.normal_form import normal_form
    >>> from autograd.lifting.recording import read
    >>> w, x = [Value(1.0), Value(2.0)], [Value(3.0), Value(4.0), Value(5.0)]
    >>> graph = read([wi * xj for wi in w for xj in x])
    >>> form = normal_form(graph, np.zeros(11, dtype=int))
    >>> (block,) = blocks(form, levels(form, 11), np.zeros(11, dtype=bool))
    >>> [operation.nodes.shape for operation in operations(block)]
    [(1, 2, 3)]
    """
    block = _with_rights_continued(block)
    found, rest = [], np.arange(len(block.nodes))
    if block.kind == SUM and block.pairs:
        for product in _products(block):
            found.append(_product(block, product))
            rest = np.setdiff1d(rest, product.ravel())
    if len(rest):
        found.append(_plain_operation(block, rest))
    return found


def _plain_operation(block: Block, chosen: Ints) -> Operation:
    return Operation(
        block.kind,
        block.nodes[chosen],
        block.lefts[chosen],
        block.rights[chosen],
        block.plains[chosen],
        block.coefficients[: block.pairs],
        block.coefficients[block.pairs :],
        block.varies,
        block.level,
    )


def _product(block: Block, places: Ints) -> Operation:
    """The matrix product of the block's members at `places` (batches, rows, columns), NOTHING a hole."""
    there = places != NOTHING
    of_row = np.take_along_axis(places, there.argmax(axis=2)[:, :, None], axis=2)[:, :, 0]
    of_column = np.take_along_axis(places, there.argmax(axis=1)[:, None, :], axis=1)[:, 0, :]
    terms = np.where(there[..., None], block.plains[places], NOTHING)
    return Operation(
        SUM,
        np.where(there, block.nodes[places], NOTHING),
        block.lefts[of_row],
        block.rights[of_column].swapaxes(1, 2),
        terms,
        block.coefficients[: block.pairs],
        block.coefficients[block.pairs :],
        block.varies,
        block.level,
    )


def _products(block: Block) -> Iterator[Ints]:
    """For each matrix product the members' places (batches, rows, columns), NOTHING for a hole."""
    row, column = _numbered(block.lefts), _numbered(block.rights)
    if row is None or column is None:
        return
    group = _groups(row, column)
    if group is None:
        return
    batch, row = _within(group, row)
    _, column = _within(group, column)
    batches = batch.max() + 1
    height = np.zeros(batches, dtype=np.int64)
    width = np.zeros(batches, dtype=np.int64)
    np.maximum.at(height, batch, row + 1)
    np.maximum.at(width, batch, column + 1)
    members = np.bincount(batch)
    shapes, of_shape = np.unique(np.stack([height, width], axis=1), axis=0, return_inverse=True)
    if len(shapes) > _MOST_SHAPES:
        return
    for k, (rows, columns) in enumerate(shapes.tolist()):
        chosen = np.flatnonzero(of_shape.ravel() == k)
        if not _worth_while(block.pairs, len(chosen), rows, columns, int(members[chosen].sum())):
            continue
        place_of_batch = np.full(batches, NOTHING)
        place_of_batch[chosen] = np.arange(len(chosen))
        mine = np.flatnonzero(place_of_batch[batch] != NOTHING)
        places = np.full((len(chosen), rows, columns), NOTHING)
        places[place_of_batch[batch[mine]], row[mine], column[mine]] = mine
        if (places != NOTHING).sum() == len(mine):  # else somebody has the same row and column: no grid
            yield places


def _worth_while(pairs: int, batches: int, rows: int, columns: int, members: int) -> bool:
    if rows * columns == 1 or members * 2 < batches * rows * columns:
        return False
    return pairs > 1 or (batches == 1 and rows > 1 and columns > 1)


def _numbered(tuples: Ints) -> Ints | None:
    """A number for each tuple (n, K), the same for equal ones, in order of first appearance."""
    _, first, number = np.unique(of_rows(tuples), return_index=True, return_inverse=True)
    if (tuples != tuples[first[number]]).any():
        return None  # two tuples of one hash: not worth another one
    return np.argsort(np.argsort(first))[number]


def _groups(row: Ints, column: Ints) -> Ints | None:
    """For each member the group of rows and columns that it joins."""
    of_row = np.arange(row.max() + 1)
    of_column = np.full(column.max() + 1, len(of_row))
    for _ in range(_ROUNDS):
        before = of_row.copy()
        np.minimum.at(of_column, column, of_row[row])
        np.minimum.at(of_row, row, of_column[column])
        if np.array_equal(of_row, before):
            return of_row[row]
    return None


def _within(group: Ints, number: Ints) -> tuple[Ints, Ints]:
    """The groups numbered by appearance, and each member's number counted within its group."""
    groups, first, of_group = np.unique(group, return_index=True, return_inverse=True)
    batch = np.argsort(np.argsort(first))[of_group]
    size = int(number.max()) + 1
    pairs, place = np.unique(batch * size + number, return_inverse=True)
    before = np.searchsorted(pairs, np.arange(len(groups)) * size)
    return batch, place - before[batch]


def _with_rights_continued(block: Block) -> Block:
    """In a padded block, rights that break off go on as the longest that begin alike: times nothing."""
    if block.kind != SUM or not block.pairs or not (block.rights == NOTHING).any():
        return block
    rights = block.rights
    lengths = (rights != NOTHING).sum(axis=1)
    order = np.lexsort((-lengths, rights[:, 0]))
    begins, first = np.unique(rights[order, 0], return_index=True)
    longest = order[first][np.searchsorted(begins, rights[:, 0])]
    continued = rights[longest]
    if ((rights != NOTHING) & (rights != continued)).any():
        return block
    operands = np.concatenate([block.lefts, continued, block.plains], axis=1)
    return replace(block, operands=operands)
