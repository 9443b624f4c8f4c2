"""Steps as a person would have written them: what the program does in one call for speed, one by one.

    program                                         text
    [Wq; Wk; Wv] @ x                                Wq @ x and Wk @ x and Wv @ x, if their labels differ
    tanh of z1 and of z2 side by side               np.tanh(z1) and np.tanh(z2)
    the sum of products of one neuron               W @ a + b, a layer like the others

This room knows steps and names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from autograd.lifting.blocks import NOTHING
from autograd.lifting.recording import Ints
from autograd.lifting.source.naming import skeleton
from autograd.lifting.source.steps import Numbers, Step, TapeSteps

_MOST = 8  # steps that one is divided into
_FEWEST = 3  # results that each should have, on average


def divided(
    steps: Iterable[Step | TapeSteps], known: Numbers, labels: dict[int, str]
) -> Iterator[Step | TapeSteps]:
    """The steps, divided; `labels` by the scalars' numbers."""
    maker = np.where(known.parameter != NOTHING, -2, np.where(known.row != NOTHING, -3, -1))
    count = 0
    for whole in steps:
        for step in [whole] if isinstance(whole, TapeSteps) else _parts(whole, known, labels, maker):
            maker[step.out] = count
            count += 1
            yield step


def _parts(step: Step, known: Numbers, labels: dict[int, str], maker: Ints) -> list[Step]:
    if step.is_product:
        return _by_rows(step, [skeleton(labels.get(i, "")) for i in _first_weights(step)])
    if step.holes is not None:
        return [step]
    if step.out.size == 1:
        return [_layer_of_one(step, known, labels)]
    return _by_makers(step, maker)


def _first_weights(step: Step) -> list[int]:
    """Of each row of a product's weights, the first."""
    return [] if step.left is None or "b" in step.axes else step.left[:, 0].tolist()


def _by_rows(step: Step, names: Sequence[str]) -> list[Step]:
    """A product whose rows have different names as one for each name."""
    found = list(dict.fromkeys(names))
    if step.left is None or not 1 < len(found) <= _MOST:
        return [step]
    rows = [[k for k, other in enumerate(names) if other == name] for name in found]
    return [
        replace(
            step,
            out=step.out[mine],
            left=step.left[mine],
            terms=[term[mine] for term in step.terms],
            holes=None if step.holes is None else step.holes[mine],
        )
        for mine in rows
    ]


def _by_makers(step: Step, maker: Ints) -> list[Step]:
    """A step as one for all results whose operands come from the same steps."""
    size = step.out.size
    sources = np.concatenate([maker[part].reshape(-1, size) for part in step.parts]).T
    _, first, number = np.unique(sources, axis=0, return_index=True, return_inverse=True)
    if not 1 < len(first) <= min(_MOST, size // _FEWEST):
        return [step]
    found = []
    for k in np.argsort(first).tolist():
        mine = np.flatnonzero(number.ravel() == k)

        def of(part: Ints, mine: Ints = mine) -> Ints:
            return part.reshape(-1, size)[:, mine]

        found.append(
            replace(
                step,
                out=step.out.ravel()[mine],
                left=None if step.left is None else of(step.left),
                right=None if step.right is None else of(step.right),
                terms=[of(term)[0] for term in step.terms],
                stack=None if step.stack is None else of(step.stack),
            )
        )
    return found


def _layer_of_one(step: Step, known: Numbers, labels: dict[int, str]) -> Step:
    """A single sum of products with weights of one name as the matrix product that it is."""
    left, right = step.left, step.right
    if left is None or right is None or len(left) == 1 or step.stack is not None:
        return step
    weights = np.unique(left)
    if weights.size < left.size or (known.parameter[weights] == NOTHING).any() or np.array_equal(left, right):
        return step
    if len({skeleton(labels.get(i, "")) for i in weights.tolist()}) > 1:
        return step
    shape = (1,) if step.varies else (1, 1)
    return replace(
        step,
        out=step.out.reshape(shape),
        axes="r" if step.varies else "rc",
        left=left.reshape(1, -1),
        right=right.reshape(-1, *shape[1:]),
        terms=[term.reshape(shape) for term in step.terms],
    )
