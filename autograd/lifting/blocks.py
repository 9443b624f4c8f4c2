"""Pass 3: operations of one level, kind and shape form a block, which will be one array operation.

An operation's level is one more than its highest operand's: a block needs only blocks of lower levels.

    h1 = tanh(w1 * x), h2 = tanh(w2 * x), y = h1 * h2

    level 1    sums of one product     w1 * x, w2 * x
    level 2    tanh                    of the two
    level 3    sums of one product     h1 * h2

Sums of many different lengths at one level, as causal attention has them, are padded to one length with
the operand NOTHING, where that does not more than double them; so is a primitive that has a neutral operand.

This room knows recordings and their normal form.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autograd.lifting.hashing import Hashes, mixed
from autograd.lifting.normal_form import SUM, NormalForm
from autograd.lifting.recording import Floats, Ints

NOTHING = -1  # an operand that counts as 0
_LENGTHS = 3  # so many different ones make a ragged block

# Microseconds, forwards and backwards, of a block, of an operation alone and of each of its operands; and
# what a stretch must save to be worth its own call. Roughly as measured: only their ratios matter.
_BLOCK, _OPERATION, _OPERAND, _STRETCH = 5.0, 0.5, 0.1, 15.0


@dataclass(slots=True)
class Block:
    """The operations `nodes` (n,), all of one kind.

    kind      SUM, or the number of a primitive
    operands  (n, m): of a primitive its operands; of sums K lefts, then K rights, then J plain terms
    pairs     K
    coefficients  of the pairs and the plain terms (K + J,)
    varies    whether the results depend on an input
    """

    kind: int
    nodes: Ints
    operands: Ints
    pairs: int
    coefficients: Floats
    level: int
    varies: bool

    @property
    def lefts(self) -> Ints:
        return self.operands[:, : self.pairs]

    @property
    def rights(self) -> Ints:
        return self.operands[:, self.pairs : 2 * self.pairs]

    @property
    def plains(self) -> Ints:
        return self.operands[:, 2 * self.pairs :]


def levels(form: NormalForm, size: int) -> Ints:
    """The level of every recorded node (size,); 0 for leaves and for nodes that have no operation left."""
    interior = np.zeros(size, dtype=bool)
    interior[form.nodes] = True
    chosen = interior[form.operands]  # leaves are of level 0
    operands = form.operands[chosen].tolist()
    start = np.concatenate([[0], np.cumsum(chosen)])[form.start].tolist()
    found = interior.astype(np.int64).tolist()
    of = found.__getitem__
    for node, begin, end in zip(form.nodes.tolist(), start, start[1:], strict=False):
        if begin < end:
            found[node] = 1 + max(map(of, operands[begin:end]))
    return np.array(found)


def stretches(level: Ints, kind: Hashes, operands: Ints) -> Ints:
    """For each operation the stretch of narrow levels that it belongs to, NOTHING where blocks are quicker.

    level, kind, operands   of each operation: its level, a number for its kind, how many operands it has
    """
    found = np.full(len(level), NOTHING)
    if not len(level):
        return found
    level = np.unique(level, return_inverse=True)[1]  # no level is empty
    order = np.lexsort((kind, level))
    first = np.concatenate([[True], (np.diff(kind[order]) != 0) | (np.diff(level[order]) != 0)])
    together = np.bincount(level[order][first]) * _BLOCK
    alone = np.bincount(level, _OPERATION + _OPERAND * operands)
    gain = np.maximum(together - alone, 0.0)
    begins = (gain > 0) & np.concatenate([[True], gain[:-1] == 0])
    stretch = np.maximum(np.cumsum(begins) - 1, 0)
    worth = np.bincount(stretch, gain) > _STRETCH
    number = np.where(worth, np.cumsum(worth) - 1, NOTHING)
    return np.where(gain > 0, number[stretch], NOTHING)[level]


def varying(form: NormalForm, inputs: Ints, size: int) -> npt.NDArray[np.bool_]:
    """Which recorded nodes depend on an input (size,)."""
    found = np.zeros(size, dtype=bool)
    found[inputs] = True
    if len(inputs):
        marked = found.tolist()
        operands, start = form.operands.tolist(), form.start.tolist()
        for node, begin, end in zip(form.nodes.tolist(), start, start[1:], strict=False):
            marked[node] = any(marked[j] for j in operands[begin:end])
        found[:] = marked
    return found


def blocks(
    form: NormalForm,
    level: Ints,
    varies: npt.NDArray[np.bool_],
    padded: Collection[int] = (),
) -> list[Block | list[Block]]:
    """Blocks in an order in which operands come before results; first those that do not vary.

    A list of blocks stands for a stretch of narrow levels, whose operations are to run one by one (see
    `tape`): there a block's operations may be of different levels.

    padded   kinds, besides sums, whose operands may be NOTHING

    >>> from autograd import Value
    >>> from autograd.lifting.normal_form import normal_form
    >>> from autograd.lifting.recording import read
    >>> w1, w2, x = Value(1.0), Value(2.0), Value(3.0)
    >>> graph = read([(w1 * x).tanh() * (w2 * x).tanh()])
    >>> form = normal_form(graph, np.zeros(8, dtype=int))
    >>> [len(block.nodes) for block in blocks(form, levels(form, 8), np.zeros(8, dtype=bool))]
    [2, 2, 1]
    """
    kind = _signatures(form, varies)
    own_level = level[form.nodes]
    found: list[Block | list[Block]] = []
    for which in (False, True):
        mine = np.flatnonzero(varies[form.nodes] == which)
        stretch = stretches(own_level[mine], kind[mine], np.diff(form.start)[mine])
        wide, narrow = mine[stretch == NOTHING], mine[stretch != NOTHING]
        chosen_ones = _groups(wide, kind[wide], own_level[wide])
        groups = [_block(form, chosen, level, varies) for chosen in chosen_ones]
        found += _with_ragged_ones_merged(groups, {SUM, *padded})
        stretch = stretch[stretch != NOTHING]
        for k in range(int(stretch.max(initial=-1)) + 1):
            members = narrow[stretch == k]
            chosen_ones = _groups(members, kind[members], np.zeros_like(members))
            found.append([_block(form, chosen, level, varies) for chosen in chosen_ones])
    return sorted(found, key=_first)


def _first(found: Block | list[Block]) -> tuple[bool, int, int]:
    first = min(found, key=lambda block: block.level) if isinstance(found, list) else found
    return first.varies, first.level, int(first.nodes[0])


def _signatures(form: NormalForm, varies: npt.NDArray[np.bool_]) -> Hashes:
    """A number for each operation, equal where kind, lengths, coefficients and varying operands are."""
    counts = np.diff(form.start)
    owner = np.repeat(np.arange(len(counts)), counts)
    nth = np.arange(len(owner)) - form.start[:-1][owner]
    marks = mixed(form.coefficients.view(np.uint64), 2 * nth + varies[form.operands])
    total = np.add.reduceat(marks, form.start[:-1]) if len(marks) else np.zeros(0, np.uint64)
    for column in (form.kinds, counts, form.pairs):
        total = mixed(total, column)
    return total


def _groups(members: Ints, kind: Hashes, level: Ints) -> list[Ints]:
    """The members of each kind and level."""
    if not len(members):
        return []
    order = np.lexsort((kind, level))
    changes = (np.diff(kind[order]) != 0) | (np.diff(level[order]) != 0)
    return np.split(members[order], np.flatnonzero(changes) + 1)


def _block(form: NormalForm, chosen: Ints, level: Ints, varies: npt.NDArray[np.bool_]) -> Block:
    first, count = form.start[chosen[0]], form.start[chosen[0] + 1] - form.start[chosen[0]]
    pairs, nodes = int(form.pairs[chosen[0]]), form.nodes[chosen]
    operands = form.operands[form.start[chosen][:, None] + np.arange(count)]
    own = form.coefficients[first : first + count]
    return Block(
        kind=int(form.kinds[chosen[0]]),
        nodes=nodes,
        operands=operands,
        pairs=pairs,
        coefficients=np.concatenate([own[:pairs], own[2 * pairs :]]),
        level=int(level[nodes[0]]),
        varies=bool(varies[nodes[0]]),
    )


def _with_ragged_ones_merged(groups: Sequence[Block], kinds: Collection[int]) -> Iterator[Block]:
    alike: dict[tuple[int, int, bool, bool], list[Block]] = {}
    for block in groups:
        if block.kind in kinds and _has_one_section(block):
            alike.setdefault((block.level, block.kind, block.varies, block.pairs > 0), []).append(block)
    merged: dict[int, Block] = {}
    gone: set[int] = set()
    for family in alike.values():
        longest = max(block.operands.shape[1] for block in family)
        padded = longest * sum(len(block.nodes) for block in family)
        if len(family) >= _LENGTHS and padded <= 2 * sum(block.operands.size for block in family):
            merged[id(family[0])] = _padded(family, longest)
            gone.update(map(id, family[1:]))
    for block in groups:
        if id(block) not in gone:
            yield merged.get(id(block), block)


def _has_one_section(block: Block) -> bool:
    """Whether it has nothing but products or nothing but terms, without coefficients."""
    only = block.operands.shape[1] in (2 * block.pairs, len(block.coefficients))
    return only and bool((block.coefficients == 1.0).all())


def _padded(family: Sequence[Block], longest: int) -> Block:
    """One block of sums of different lengths; in the order of recording."""
    operands = np.full((sum(len(block.nodes) for block in family), longest), NOTHING)
    sections = 2 if family[0].pairs else 1
    length = longest // sections
    row = 0
    for block in family:
        own = block.operands.shape[1] // sections
        for section in range(sections):
            part = block.operands[:, section * own : (section + 1) * own]
            operands[row : row + len(part), section * length : section * length + own] = part
        row += len(block.nodes)
    nodes = np.concatenate([block.nodes for block in family])
    order = np.argsort(nodes)
    return Block(
        kind=family[0].kind,
        nodes=nodes[order],
        operands=operands[order],
        pairs=length if sections == 2 else 0,
        coefficients=np.ones(length),
        level=family[0].level,
        varies=family[0].varies,
    )
