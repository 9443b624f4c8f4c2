"""Pass 2: chains of + - * become sums of products, however they were written.

    w1, x1, w2, x2, b                       sum of products

    ((w1 * x1) + (w2 * x2)) + b             lefts  w1 w2     rights  x1 x2     plains  b
    dot([w1, w2], [x1, x2], b)              the same
    b - (-(x1 * w1) - w2 * x2)              the same: signs are coefficients, weights come left

A step of the chain disappears into the next one where that is its only use. Each term keeps the coefficient
that the signs, means and divisions by a number on its way multiply to. `x ** 2` is the product x * x, and a
sum of one term is that term.
Adding a plain 0, as Python's `sum` does, changes no number but the sign of a zero, and is dropped.

This room knows recordings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autograd.lifting.recording import Floats, Ints, Recording

Booleans = npt.NDArray[np.bool_]

SUM = -1  # the kind of a sum of products; other operations have the recording's number of their primitive
_ADDITIVE = ("add", "subtract", "negative", "sum", "mean", "dot")
_DIVISORS = 8  # so few different ones belong to the formula; more are data, which would keep sums apart
_RANGE = 1e-15, 1e15  # of a divisor, and of what those of a chain make together; float32 holds the squares


@dataclass(slots=True)
class NormalForm:
    """The operations that are left, Q of them, in topological order.

    nodes     which recorded nodes they are (Q,)
    kinds     SUM, or the number of a primitive (Q,)
    pairs     products in each sum (Q,), 0 for other operations
    plains    terms besides (Q,)
    operands  those of operation i are operands[start[i]:start[i + 1]]: of a sum all its lefts, all its
              rights, then the plain terms; nodes, by their places in the recording
    coefficients  of the term that begins at each operand; 1 at rights and at others' operands
    outputs   the roots
    """

    nodes: Ints
    kinds: Ints
    pairs: Ints
    plains: Ints
    start: Ints
    operands: Ints
    coefficients: Floats
    outputs: Ints


@dataclass(slots=True)
class _Terms:
    """Operands: `owner` is the operation's node, `section` orders its lefts, rights and plain terms."""

    owner: Ints
    section: int
    operand: Ints
    coefficient: Floats


def normal_form(graph: Recording, rank: Ints) -> NormalForm:
    """Sums of products, and the operations between them.

    rank  of each node (M,): the factor of lower rank comes left, the first one where they are equal

    >>> from autograd import Value
    >>> from autograd.lifting.recording import read
    >>> w, x, b = Value(2.0), Value(3.0), Value(1.0)
    >>> form = normal_form(read([(b - x * w).tanh()]), np.zeros(6, dtype=int))
    >>> form.nodes.tolist(), form.pairs.tolist(), form.plains.tolist()     # the sum, and tanh
    ([4, 5], [1, 0], [1, 0])
    >>> form.operands.tolist(), form.coefficients.tolist()                 # x, w, b; then the sum
    ([1, 2, 0, 4], [-1.0, 1.0, 1.0, 1.0])
    """
    users = np.repeat(np.arange(len(graph.nodes)), np.diff(graph.start))
    square, scaled = _squares(graph), _scaled(graph)
    linear = graph.of_kind(*_ADDITIVE, "multiply") | square | scaled
    additive, factor = _additive_uses(graph, users, scaled)

    uses = np.bincount(graph.operands, minlength=len(graph.nodes))
    only_use = np.zeros(len(graph.nodes), dtype=np.int64)
    only_use[graph.operands] = np.arange(len(users))
    absorbed = linear & (uses == 1)
    absorbed[graph.outputs] = False
    absorbed[absorbed] = additive[only_use[absorbed]]
    root, coefficient = _roots(absorbed, users, only_use, factor)
    while not _moderate(coefficient).all():  # the chain breaks where its divisors go too far together
        absorbed &= _moderate(coefficient)
        root, coefficient = _roots(absorbed, users, only_use, factor)

    plain = additive & ~absorbed[graph.operands]
    plains = _Terms(
        root[users[plain]], 2, graph.operands[plain], factor[plain] * coefficient[users[plain]]
    )
    owner, left, right = _products(graph, square)
    swap = rank[right] < rank[left]
    left, right = np.where(swap, right, left), np.where(swap, left, right)
    lefts = _Terms(root[owner], 0, left, coefficient[owner])
    rights = _Terms(root[owner], 1, right, np.ones(len(owner)))
    plains = _without_zeros(graph, plains, lefts)

    other = ~linear[users]
    others = _Terms(users[other], 0, graph.operands[other], np.ones(np.count_nonzero(other)))
    return _collected(graph, linear, linear & ~absorbed, (lefts, rights, plains, others))


def _squares(graph: Recording) -> Booleans:
    """Which nodes are x ** 2 with a plain 2."""
    square = graph.of_kind("power")
    exponent = graph.operands[graph.start[:-1][square] + 1]
    square[square] = graph.constant[exponent] & (graph.data[exponent] == 2.0)
    return square


def _scaled(graph: Recording) -> Booleans:
    """Which nodes are x / c with a plain number c, if there are few such numbers."""
    quotient = graph.of_kind("divide")
    divisor = graph.operands[graph.start[:-1][quotient] + 1]
    quotient[quotient] = graph.constant[divisor] & _moderate(graph.data[divisor])
    few = len(np.unique(graph.data[graph.operands[graph.start[:-1][quotient] + 1]])) <= _DIVISORS
    return quotient & few


def _moderate(numbers: Floats) -> Booleans:
    low, high = _RANGE
    found: Booleans = (np.abs(numbers) >= low) & (np.abs(numbers) <= high)
    return found


def _additive_uses(graph: Recording, users: Ints, scaled: Booleans) -> tuple[Booleans, Floats]:
    """Which uses of operands are terms of a sum, and with what factor."""
    last = graph.start[1:][users] - 1 == np.arange(len(users))
    additive = graph.of_kind(*_ADDITIVE)[users] | (scaled[users] & ~last)
    additive &= ~graph.of_kind("dot")[users] | last
    factor = np.ones(len(users))
    factor[graph.of_kind("negative")[users] | (graph.of_kind("subtract")[users] & last)] = -1.0
    mean = graph.of_kind("mean")[users]
    factor[mean] = 1 / np.diff(graph.start)[users[mean]]
    quotient = scaled[users] & ~last
    factor[quotient] = 1 / graph.data[graph.operands[np.flatnonzero(quotient) + 1]]
    return additive, factor


def _roots(absorbed: Booleans, users: Ints, only_use: Ints, factor: Floats) -> tuple[Ints, Floats]:
    """For each node the sum that it ends up in, itself if none, and the product of the factors on the way."""
    root = np.arange(len(absorbed))
    root[absorbed] = users[only_use[absorbed]]
    coefficient = np.ones(len(absorbed))
    coefficient[absorbed] = factor[only_use[absorbed]]
    while True:  # each round doubles how far everybody has come
        further = root[root]
        if np.array_equal(further, root):
            return root, coefficient
        with np.errstate(all="ignore"):  # too many divisors: such a chain will be broken
            coefficient *= coefficient[root]
        root = further


def _products(graph: Recording, square: Booleans) -> tuple[Ints, Ints, Ints]:
    """Every product of two operands: the node it stands in, and the factors; in the order of recording."""
    begin = graph.start[:-1]
    two = np.flatnonzero(graph.of_kind("multiply") | square)
    dots = np.flatnonzero(graph.of_kind("dot"))
    lengths = (np.diff(graph.start)[dots] - 1) // 2
    owner = np.repeat(dots, lengths)
    nth = np.arange(len(owner)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    in_dot = begin[owner] + nth
    second = np.where(square[two], begin[two], begin[two] + 1)
    lefts = np.concatenate([graph.operands[begin[two]], graph.operands[in_dot]])
    rights = np.concatenate([graph.operands[second], graph.operands[in_dot + np.repeat(lengths, lengths)]])
    owners = np.concatenate([two, owner])
    order = np.argsort(owners, kind="stable")
    return owners[order], lefts[order], rights[order]


def _without_zeros(graph: Recording, plains: _Terms, lefts: _Terms) -> _Terms:
    """The plain terms but the constants 0, where a sum has other terms."""
    zero = graph.constant[plains.operand] & (graph.data[plains.operand] == 0.0)
    others = np.zeros(len(graph.nodes), dtype=bool)
    others[lefts.owner] = True
    others[plains.owner[~zero]] = True
    keep = ~zero | ~others[plains.owner]
    return _Terms(plains.owner[keep], 2, plains.operand[keep], plains.coefficient[keep])


def _collected(
    graph: Recording, linear: Booleans, roots: Booleans, terms: tuple[_Terms, _Terms, _Terms, _Terms]
) -> NormalForm:
    size = len(graph.nodes)
    lefts, _, plains, _ = terms
    pairs, plain = (np.bincount(t.owner, minlength=size) for t in (lefts, plains))

    # a sum of one term is another name for it
    single = np.zeros(size, dtype=bool)
    single[plains.owner[plains.coefficient == 1.0]] = True
    single &= roots & (pairs == 0) & (plain == 1)
    alias = np.arange(size)
    alone = single[plains.owner]
    alias[plains.owner[alone]] = plains.operand[alone]
    while not np.array_equal(alias[alias], alias):
        alias = alias[alias]

    nodes = np.flatnonzero((roots & ~single) | (~linear & (np.diff(graph.start) > 0)))
    owner = np.concatenate([t.owner for t in terms])
    order = np.argsort(owner * 3 + np.repeat([t.section for t in terms], [len(t.owner) for t in terms]),
                       kind="stable")  # fmt: skip
    order = order[~single[owner[order]]]
    counts = np.bincount(owner[order], minlength=size)[nodes]
    return NormalForm(
        nodes=nodes,
        kinds=np.where(linear[nodes], SUM, graph.kinds[nodes]),
        pairs=pairs[nodes],
        plains=plain[nodes],
        start=np.concatenate([[0], np.cumsum(counts)]),
        operands=alias[np.concatenate([t.operand for t in terms])[order]],
        coefficients=np.concatenate([t.coefficient for t in terms])[order],
        outputs=alias[graph.outputs],
    )
