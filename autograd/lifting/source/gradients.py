"""What happens backwards: gradients as sums of what arrives, one contribution after the other.

    the first contribution to all of an array         da = W.T @ dz
    one that is another array's name                  da = dz.copy(), if more is to come
    a later one                                       da += db * c
    one to a part of an array, when it is the first   da = np.zeros((16, 100))
                                                      da[:2] += db

All of it is known before any of it is written down.

This room knows operations, arrays and lines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autograd.lifting.source.arrays import Array, Arrays
from autograd.lifting.source.constants import in_brackets
from autograd.lifting.source.expressions import Expression, called, filled, named, shape_text, suffixed
from autograd.lifting.source.lines import Lines
from autograd.lifting.source.operations import Operation, Pull
from autograd.lifting.source.readings import Contribution, Joined, Masked, Pooled, Viewed
from autograd.lifting.source.tapes import ScalarOperation
from autograd.lifting.source.views import reshaped

Event = Contribution | Callable[[], None]


class Gradients:
    """Everything that arrives, in order; `option` is how np.zeros is told of a type other than float."""

    def __init__(
        self, operations: Sequence[Operation | ScalarOperation], arrays: Arrays, lines: Lines, option: str
    ) -> None:
        self._arrays, self._lines, self._option = arrays, lines, option
        self._events: list[Event] = []
        self._arriving: dict[Array, list[Contribution]] = {}
        self._started: set[Array] = set()
        self._wanted = _differentiable(operations, arrays)
        masks = [(o, o.mask) for o in operations if o.mask is not None]
        self._masks = {arrays.holding(o.out): str(mask) for o, mask in masks}
        self._unmasked: set[Array] = set()  # to whose holes something else than 0 may arrive

    def reaches(self, array: Array) -> bool:
        """Whether anything arrives at the array."""
        return array in self._arriving

    def pull(self, operation: Operation | ScalarOperation) -> None:
        """Let what arrived at an operation's results go on to its operands."""
        array = self._arrays.holding(operation.out)
        if array not in self._wanted or not self.reaches(array):
            return
        d = self._arrays.part(array.gradient, operation.out)
        y = self._arrays.part(array.value, operation.out)
        if operation.mask is not None and array in self._unmasked:
            stretch = self._arrays.stretch(array.gradient, operation.out)
            self._assign(str(stretch), reshaped(called("np.where", operation.mask, d, 0.0), stretch.shape))
        for pull in operation.pull(d, y, self._let):
            self.contribute(pull, operation.mask)

    def contribute(self, pull: Pull, mask: Expression | None = None) -> None:
        """Let a gradient arrive where its operand was read; with a mask, only from there."""
        reading, d, shape, is_linear = pull
        if self._wanted.isdisjoint(reading.arrays()):
            return
        if mask is not None and not is_linear:
            d = called("np.where", mask, d, 0.0)
        if isinstance(reading, Joined | Pooled | Masked):
            d = self._let(d)
        in_place = isinstance(reading, Viewed) and reading.view.is_plain
        for contribution in reading.pull(d, shape):
            array = contribution.array
            if array in self._wanted:
                self._events.append(contribution)
                self._arriving.setdefault(array, []).append(contribution)
                if mask is None or not in_place or self._masks.get(array) != str(mask):
                    self._unmasked.add(array)

    def write(self) -> None:
        """Write it all down."""
        for event in self._events:
            if isinstance(event, Contribution):
                self._write(event)
            else:
                event()

    def _let(self, x: Expression) -> Expression:
        """A name for an expression that several lines need."""
        if not x.operands:
            return x
        name = self._lines.names.numbered("d_")
        self._assign(name, x)
        return named(name, x.shape)

    def _assign(self, target: str, x: Expression) -> None:
        self._events.append(lambda: self._lines.assign(f"{target} = {{}}", x))

    def _write(self, contribution: Contribution) -> None:
        array, piece = contribution.array, contribution.piece
        gradient, arriving = array.gradient, self._arriving[array]
        if array not in self._started:
            self._started.add(array)
            if not _is_partial(arriving[0]) and not any(map(_reshapes, arriving)):
                piece = filled(piece, array.shape)
                if len(arriving) > 1 and array.shape and not piece.is_fresh:
                    piece = suffixed(piece, ".copy()", piece.shape)
                self._lines.assign(f"{gradient} = {{}}", piece)
                return
            self._lines.add(f"{gradient} = np.zeros({shape_text(array.shape)}{self._option})")
        if contribution.repeats:
            self._lines.assign(f"np.add.at({gradient}, {contribution.index}, {{}})", piece)
            return
        where = in_brackets(contribution.index)
        target = f"{gradient}{where}" if contribution.view is None else contribution.view.target(gradient)
        if piece.is_negative:
            self._lines.assign(f"{target} -= {{}}", -piece)
        else:
            self._lines.assign(f"{target} += {{}}", piece)


def _differentiable(operations: Sequence[Operation | ScalarOperation], arrays: Arrays) -> set[Array]:
    """The arrays that have to do with a parameter."""
    wanted = {array for array in arrays.all if array.kind == "parameter"}
    wanted |= {array for array in arrays.all if array.kind == "vector" and wanted}
    for operation in operations:
        if any(not wanted.isdisjoint(reading.arrays()) for reading in operation.readings):
            wanted.add(arrays.holding(operation.out))
    return wanted


def _reshapes(contribution: Contribution) -> bool:
    """Whether it is added to another shape of the gradient, which then has to lie in memory in one piece."""
    return contribution.view is not None and contribution.view.reshapes and not contribution.view.is_whole


def _is_partial(contribution: Contribution) -> bool:
    return contribution.view is None or not contribution.view.is_whole
