"""Which arrays the text has names for.

    leaves, as the operations read them     the weights of a product (rows, K), its biases (rows, 1)
    inputs, as they are labelled            token0.0 ... token16.27 is (17, 28)
    the results of each operation           z1 (16, 100)
    one vector v                            for scalars that run one by one, and for what is picked
                                            from many arrays at once

This room knows steps and their numbering of scalars.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from autograd.lifting.blocks import NOTHING
from autograd.lifting.grids import ANY
from autograd.lifting.recording import Ints
from autograd.lifting.source.expressions import Expression, Shape, named
from autograd.lifting.source.families import families
from autograd.lifting.source.steps import Numbers, Step, TapeSteps
from autograd.lifting.source.views import indexed, reshaped

MOST = 8  # arrays that one operand may be put together from
MOST_PARTS = 64  # of a sum of everything


@dataclass(eq=False, slots=True)
class Array:
    """An array with a name.

    scalars  those in it, in its shape without the axis of samples
    kind     "parameter", "input", "result" or "vector"
    role     of a leaf to the first operation that reads it: "W", "b" or "x" of a product, "p" of any other
    """

    scalars: Ints
    varies: bool
    kind: str
    role: str
    name: str = ""

    @property
    def dims(self) -> tuple[int, ...]:
        return self.scalars.shape

    @property
    def shape(self) -> Shape:
        """With the axis of samples, where it has one."""
        return (*self.dims, "N") if self.varies else self.dims

    @property
    def value(self) -> Expression:
        return named(self.name, self.shape)

    @property
    def gradient(self) -> Expression:
        return named(f"d{self.name}", self.shape)


class Arrays:
    """All of them: `owner` and `place` of each scalar (S,), NOTHING where it is in no array.

    all      by the numbers in `owner`
    leaves   arrays of parameters and inputs; some may lie within a vector
    """

    def __init__(
        self, steps: Sequence[Step | TapeSteps], known: Numbers, labels: dict[int, str], outputs: Ints
    ) -> None:
        """`labels` by the scalars' numbers."""
        self.known = known
        self.all: list[Array] = []
        self.leaves: list[Array] = []
        self.owner = np.full(len(known.node), NOTHING)
        self.place = np.full(len(known.node), NOTHING)
        self._labels = labels
        for step in steps:
            self._add(step.out, "result", "")
        inputs = np.flatnonzero(known.row != NOTHING)
        for family in families(inputs[np.argsort(known.row[inputs])].tolist(), labels):
            self._add(family, "input", "x")
        for step in steps:
            if isinstance(step, Step) and step.is_product:
                self._add_factors(step)
        for part in [*(part for step in steps for part in step.parts), outputs]:
            self._add_leaves(part, "p")
        self._merge(self._scattered(steps))

    def of(self, scalars: Ints) -> list[int]:
        """The arrays, by their numbers, that these scalars are in; constants are in none."""
        there = scalars[scalars != ANY]
        return [i for i in np.unique(self.owner[there]).tolist() if i != NOTHING]

    def holding(self, scalars: Ints) -> Array:
        """The array that these scalars are in, all of them."""
        return self.all[int(self.owner[scalars.flat[0]])]

    def give_shape(self, out: Ints) -> None:
        """Results get the shape in which their operation computes them."""
        array = self.holding(out)
        if array.kind == "result":
            array.scalars = out

    def stretch(self, whole: Expression, scalars: Ints) -> Expression:
        """An array or its gradient where these scalars are: all of it, or their stretch of a vector."""
        if self.holding(scalars).kind != "vector":
            return whole
        begin = int(self.place[scalars.flat[0]])
        return indexed(whole, [slice(begin, begin + scalars.size) if scalars.ndim else begin])

    def part(self, whole: Expression, scalars: Ints) -> Expression:
        """The same in the shape of these scalars."""
        samples: Shape = ("N",) if self.holding(scalars).varies else ()
        return reshaped(self.stretch(whole, scalars), (*scalars.shape, *samples))

    def _add(self, scalars: Ints, kind: str, role: str) -> None:
        flat = scalars.ravel()
        array = Array(scalars, bool(self.known.varies[flat[0]]), kind, role)
        self.owner[flat], self.place[flat] = len(self.all), np.arange(len(flat))
        self.all.append(array)
        if kind in ("parameter", "input"):
            self.leaves.append(array)

    # ---- leaves

    def _add_factors(self, step: Step) -> None:
        """A product's weights, biases and data, each as it reads them."""
        if step.left is None or step.right is None:
            return
        self._add_leaves(step.left, "W")
        for term in step.terms:
            column = term[:, :1] if step.axes == "rc" else term[:, None]
            if step.axes in ("r", "rc") and (term.reshape(len(column), -1) == column).all():
                self._add_leaves(column, "b")
        self._add_leaves(step.right, "x")

    def _add_leaves(self, scalars: Ints, role: str) -> None:
        """An array of the parameters among these scalars that are in none yet."""
        small = _without_repetition(scalars)
        small = small.squeeze() if role == "p" else small
        new = small[(self.known.parameter[small] != NOTHING) & (self.owner[small] == NOTHING)]
        once = np.unique(new)
        if not once.size:
            return
        if once.size == small.size and small.ndim > 1:
            self._add(small, "parameter", role)
            return
        by_labels = list(families(once[np.argsort(self.known.parameter[once])].tolist(), self._labels))
        if once.size == small.size and not (
            len(by_labels) == 1 and np.array_equal(by_labels[0].ravel(), small.ravel())
        ):
            by_labels = [small]
        for family in by_labels:
            self._add(family, "parameter", role)

    # ---- vectors

    def _merge(self, indices: Iterable[int]) -> None:
        """Put these arrays into vectors, one with and one without samples, leaves first."""
        chosen = sorted(set(indices), key=lambda i: (self.all[i].kind == "result", i))
        for varies in (False, True):
            members = [self.all[i].scalars.ravel() for i in chosen if self.all[i].varies == varies]
            if members:
                self._add(np.concatenate(members), "vector", "")

    def _scattered(self, steps: Sequence[Step | TapeSteps]) -> Iterator[int]:
        """The arrays of scalars that run one by one, and those that one operand has too many of."""
        for step in steps:
            if isinstance(step, TapeSteps):
                yield from self.of(step.out)
                continue
            for part in step.parts:
                for found in map(self.of, self._read_at_once(step, part)):
                    if len(found) > MOST:
                        yield from found

    def _read_at_once(self, step: Step, part: Ints) -> Iterator[Ints]:
        """What of an operand is read at once: those terms of a sum that are in one array are read apart."""
        terms = part.reshape(len(part), -1) if part.ndim else part.reshape(1, 1)
        owners = self.owner[terms]
        apart = (owners == owners[:, :1]).all(axis=1)
        most = MOST_PARTS if terms.shape[1] == 1 else MOST
        several = step.primitive is None and not step.is_product and part.ndim > step.out.ndim
        if several and len(np.unique(owners[apart, 0])) + np.count_nonzero(~apart) <= most:
            yield from terms[~apart]
        else:
            yield part


def _without_repetition(scalars: Ints) -> Ints:
    """One entry along the axes along which nothing changes."""
    for axis in range(scalars.ndim):
        first = scalars.take([0], axis)
        if scalars.shape[axis] > 1 and (scalars == first).all():
            scalars = first
    return scalars
