"""Pass 6: a layout as calls of NumPy functions on preallocated arrays, forwards and backwards.

    y = tanh(z)          forwards     np.tanh(z, out=y)
                         backwards    np.multiply(dy, 1 - y * y, out=dz)

Backwards the operations are met in reverse; constants and what depends on nothing but them get no gradient.
The rules are the table's, over whole arrays.

This room knows layouts, files, tapes, kernels, the table of primitives and NumPy's namespace for its rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.lifting import matmul
from autograd.lifting.files import Array, Files, Step
from autograd.lifting.grids import Grid
from autograd.lifting.kernels import kernel
from autograd.lifting.layout import Operand, Placed
from autograd.lifting.normal_form import SUM
from autograd.lifting.tape import Tape, entries
from autograd.namespaces import ARRAY
from autograd.primitives import Primitive


def bind(
    placed: Sequence[Placed | Tape],
    spread: dict[int, int],
    primitives: Sequence[Primitive],
    files: Files,
) -> None:
    """Put the calls for all operations into `files`, which knows the leaves that want a gradient.

    spread  registers of the first file that the second one holds a copy of, by those of the copy
    """
    same = [_bound(operation, primitives, files) for operation in placed if not operation.varies]
    copy, gather = _spreading(spread, files)
    files.forwards += copy
    varying = [_bound(operation, primitives, files) for operation in placed if operation.varies]
    for backwards in reversed(varying):
        backwards()
    files.backwards += gather
    for backwards in reversed(same):
        backwards()


def _bound(operation: Placed | Tape, primitives: Sequence[Primitive], files: Files) -> Callable[[], None]:
    """Adds an operation's calls forwards; returns what adds those backwards."""
    if isinstance(operation, Tape):
        return _bound_tape(operation, primitives, files)
    if operation.operation.kind != SUM:
        return _Application(operation, primitives[operation.operation.kind], files).backwards
    return (_Product if operation.operation.is_product else _Sum)(operation, files).backwards


def _spreading(spread: dict[int, int], files: Files) -> tuple[list[Step], list[Step]]:
    if not spread:
        return [], []
    copies, origin = np.array(list(spread)), np.array(list(spread.values()))
    files.wanted[1][copies] = files.wanted[0][origin]
    files.first_touch(False, origin)
    (same, varying), (d_same, d_varying) = files.values, files.gradients

    def copy() -> None:
        varying[copies] = same[origin][:, None]

    def gather() -> None:
        d_same[origin] += d_varying[copies].sum(axis=1)

    return [copy], [gather]


class _Bound:
    """One operation on the files' arrays: adds its calls forwards at once, those backwards when asked."""

    def __init__(self, placed: Placed, files: Files) -> None:
        self.placed, self.operation, self.files = placed, placed.operation, files
        self.varies = placed.operation.varies
        self.out = files.view(files.values, placed.out, self.varies)
        self.d_out = files.view(files.gradients, placed.out, self.varies)
        self.holes = placed.holes
        if self.holes is not None and self.varies:
            self.holes = np.broadcast_to(self.holes[..., None], self.out.shape)
        operands = [*placed.factors, *placed.terms, *([placed.stack] if placed.stack else [])]
        self.wanted = any(map(files.wants, operands))
        files.wanted[self.varies][placed.out.registers] = self.wanted
        self.terms = [self.read(term) for term in placed.terms]

    def read(self, operand: Operand) -> Array:
        """The operand's numbers: a view, or an array into which a call gathers them."""
        files = self.files
        if operand.grid is not None:
            array = files.view(files.values, operand.grid, operand.varies)
        else:
            shape = operand.index.shape
            array = files.scratch((*shape, files.samples) if operand.varies else shape)
            file = files.values[operand.varies]
            self.forwards(partial(np.take, file, operand.index, 0, array, "clip"))  # "raise" would buffer
        return array

    def broadcast(self, array: Array, operand: Operand) -> Array:
        """With an axis for samples, where the results have one."""
        return array[..., None] if self.varies and not operand.varies else array

    def forwards(self, *steps: Step) -> None:
        self.files.forwards += steps

    def fill(self) -> None:
        """Make the holes hold what others expect of them."""
        if self.placed.fill is not None and self.holes is not None:
            self.forwards(partial(np.putmask, self.out, self.holes, self.placed.fill))

    def backwards(self) -> None:
        """Add the calls that carry the results' gradient to the operands."""
        if self.wanted:
            if self.holes is not None:
                self.files.backwards.append(partial(np.putmask, self.d_out, self.holes, 0.0))
            self.pull()

    def pull(self) -> None:
        raise TypeError(f"{type(self).__name__} must say how it goes backwards")

    def contribute(self, operand: Operand, write: Callable[[Array], Sequence[Step]]) -> None:
        if self.files.wants(operand):
            self.files.contribute(operand, self.varies, write, self.holes)

    # ---- the plain terms of sums

    def add_terms(self, started: bool) -> None:
        """Results become the sum of the plain terms and, where `started`, of what they are already."""
        out, files = self.out, self.files
        terms = [self.broadcast(*pair) for pair in zip(self.terms, self.placed.terms, strict=True)]
        weighted = list(zip(self.operation.term_coefficients.tolist(), terms, strict=False))
        if not started and len(weighted) > 1 and weighted[0][0] == 1.0:
            (_, first), (coefficient, second), *weighted = weighted
            self.forwards(*_plus(first, coefficient, second, out, files))
            started = True
        for coefficient, term in weighted:
            plus = _plus(out, coefficient, term, out, files)
            self.forwards(*(plus if started else _times(term, coefficient, out)))
            started = True

    def pull_terms(self) -> None:
        coefficients = self.operation.term_coefficients.tolist()
        for term, coefficient in zip(self.placed.terms, coefficients, strict=False):
            if coefficient == 1.0 and self.files.wants(term):
                self.files.pass_on(term, self.d_out)
            else:
                self.contribute(term, partial(_times, self.d_out, coefficient))


class _Product(_Bound):
    """Z = L R, or [W b] [A; 1], plus plain terms."""

    def __init__(self, placed: Placed, files: Files) -> None:
        super().__init__(placed, files)
        left, right = placed.factors
        self.left, self.right = self.read(left), self.read(right)
        self.weights = _weights(self.operation.pair_coefficients, files)
        if self.weights is not None:
            shape = (-1, 1) if left.varies else (-1,)
            scaled = files.scratch(self.left.shape)
            self.weights = self.weights.reshape(shape)
            self.forwards(partial(np.multiply, self.left, self.weights, scaled))
            self.left = scaled
        self.forwards(matmul.product(self.left, self.right, self.out))
        self.add_terms(started=True)
        self.fill()

    def pull(self) -> None:
        placed, files, weights = self.placed, self.files, self.left
        left, right = placed.factors
        if files.wants(left):
            files.contribute(left, left.varies, self._left_gradient)
        if placed.biased and right.grid is not None:  # the row of ones is nobody's
            batches, rows, columns = right.grid.shape
            grid = Grid(right.grid.offset, (batches, rows - 1, columns), right.grid.strides)
            right, weights = Operand(right.varies, grid.registers, grid), weights[:, :, : rows - 1]
        if files.wants(right):
            files.contribute(
                right, right.varies, lambda out: [matmul.right_gradient(weights, self.d_out, out)]
            )
        self.pull_terms()

    def _left_gradient(self, out: Array) -> list[Step]:
        steps = [matmul.left_gradient(self.d_out, self.right, out)]
        return steps if self.weights is None else [*steps, partial(np.multiply, out, self.weights, out)]


class _Sum(_Bound):
    """z = Σ c l r + Σ c t, one by one; the terms of a sum lie along the first axis of its operands."""

    def __init__(self, placed: Placed, files: Files) -> None:
        super().__init__(placed, files)
        started = False
        if placed.factors:
            self.left, self.right = (self.broadcast(self.read(factor), factor) for factor in placed.factors)
            self._dot()
            started = True
        if placed.stack is not None:
            self.stack = self.broadcast(self.read(placed.stack), placed.stack)
            self._total(started)
            started = True
        self.add_terms(started)
        self.fill()

    def _dot(self) -> None:
        left, right, out = self.left, self.right, self.out
        weights = self.operation.pair_coefficients
        if (weights != weights[0]).any():
            along = weights.astype(self.files.dtype)
            self.forwards(partial(np.einsum, "k...,k...,k->...", left, right, along, out=out))
            return
        if len(left) == 1:
            self.forwards(partial(np.multiply, left[0], right[0], out))
        elif out.size == 1 and left.size == right.size == len(left):
            self.forwards(partial(np.dot, left.reshape(-1), right.reshape(-1), out.reshape(())))
        else:
            self.forwards(partial(np.einsum, "k...,k...->...", left, right, out=out))
        if weights[0] != 1.0:
            self.forwards(partial(np.multiply, out, float(weights[0]), out))

    def _total(self, started: bool) -> None:
        stack, out = self.stack, self.out
        weights = _weights(self.operation.term_coefficients, self.files)
        if weights is not None:
            total = self.files.scratch(out.shape) if started else out
            self.forwards(partial(np.einsum, "k...,k->...", stack, weights, out=total))
        else:
            total = self.files.scratch(out.shape) if started else out
            whole = np.broadcast_to(stack, (len(stack), *out.shape))
            self.forwards(partial(np.add.reduce, whole, 0, None, total))
        if started:
            self.forwards(partial(np.add, out, total, out))

    def pull(self) -> None:
        placed, files = self.placed, self.files
        if placed.factors:
            left, right = placed.factors
            same = left.varies == right.varies and np.array_equal(left.index, right.index)
            weights = self.operation.pair_coefficients * (2.0 if same else 1.0)  # d(x x) = 2 x dx
            self.contribute(left, partial(self._times_other, self.right, weights))
            if not same:
                self.contribute(right, partial(self._times_other, self.left, weights))
        if placed.stack is not None and files.wants(placed.stack):
            wide = np.broadcast_to(self.d_out, (len(self.stack), *self.d_out.shape))
            stack_weights = _weights(self.operation.term_coefficients, files)
            if stack_weights is None:
                files.pass_on(placed.stack, wide)
            else:
                self.contribute(placed.stack, partial(_times, wide, self._along_terms(stack_weights)))
        self.pull_terms()

    def _along_terms(self, weights: Array) -> Array:
        return weights.reshape(-1, *[1] * self.d_out.ndim)

    def _times_other(self, other: Array, weights: npt.NDArray[np.float64], out: Array) -> list[Step]:
        if (weights == 1.0).all():
            return [partial(np.multiply, self.d_out, other, out)]
        if (weights == weights[0]).all() and self.d_out.size * 2 < out.size:
            scaled = self.files.scratch(self.d_out.shape)
            return [*_times(self.d_out, float(weights[0]), scaled), partial(np.multiply, scaled, other, out)]
        along = self._along_terms(weights.astype(self.files.dtype))
        return [partial(np.multiply, self.d_out, other, out), partial(np.multiply, out, along, out)]


class _Application(_Bound):
    """y = f(x, …) of a primitive, by its row of the table."""

    def __init__(self, placed: Placed, primitive: Primitive, files: Files) -> None:
        super().__init__(placed, files)
        self.primitive = primitive
        if placed.stack is not None:
            self.operands: Any = self.broadcast(self.read(placed.stack), placed.stack)
        else:
            pairs = zip(self.terms, placed.terms, strict=True)
            self.operands = [
                self.broadcast(array, operand) if operand.number is None else operand.number
                for array, operand in pairs
            ]
        self.kernel = kernel(primitive.name, self.operands, self.out)
        self.forwards(*(self.kernel[0] if self.kernel else [self._value()]))
        self.fill()

    def _value(self) -> Step:
        primitive, operands, out = self.primitive, self.operands, self.out
        ufunc = getattr(np, primitive.ufunc or primitive.name, None)
        if isinstance(ufunc, np.ufunc) and ufunc.nin == primitive.arity:
            return partial(ufunc, *operands, out=out)
        return lambda: np.copyto(out, primitive.evaluate(ARRAY, operands))

    def pull(self) -> None:
        if self.placed.stack is not None:
            self.contribute(self.placed.stack, self._pull_all)
        for i, term in enumerate(self.placed.terms):
            self.contribute(term, partial(self._pull_one, i))

    def _pull_all(self, out: Array) -> list[Step]:
        primitive, operands, y, d_out = self.primitive, self.operands, self.out, self.d_out
        if self.kernel:
            return self.kernel[1](0, d_out, out)

        def pull() -> None:
            partials = primitive.partials[0](ARRAY, y, operands)
            if isinstance(partials, np.ndarray):
                np.multiply(d_out, partials, out)
            else:
                for row, one in zip(out, partials, strict=True):
                    np.multiply(d_out, one, row)

        return [pull]

    def _pull_one(self, i: int, out: Array) -> list[Step]:
        rule, operands, y, d_out = self.primitive.partials[i], self.operands, self.out, self.d_out
        if self.kernel:
            return self.kernel[1](i, d_out, out)
        return [lambda: np.multiply(d_out, rule(ARRAY, y, *operands), out)]


def _weights(coefficients: npt.NDArray[np.float64], files: Files) -> Array | None:
    """The coefficients of a sum, or None where they are all 1."""
    return None if (coefficients == 1.0).all() else coefficients.astype(files.dtype)


def _times(array: Array, factor: Any, out: Array) -> list[Step]:
    if isinstance(factor, float) and factor == 1.0:
        return [partial(np.copyto, out, array)]
    return [partial(np.multiply, array, factor, out)]


def _plus(a: Array, coefficient: float, b: Array, out: Array, files: Files) -> list[Step]:
    if coefficient == 1.0:
        return [partial(np.add, a, b, out)]
    if coefficient == -1.0:
        return [partial(np.subtract, a, b, out)]
    scaled = files.scratch(b.shape)
    return [*_times(b, coefficient, scaled), partial(np.add, a, scaled, out)]


def _bound_tape(tape: Tape, primitives: Sequence[Primitive], files: Files) -> Callable[[], None]:
    read = np.unique(np.concatenate([operands.ravel() for operands in tape.operands]))
    results = slice(tape.begin, tape.begin + len(tape.nodes))
    read = read[(read < results.start) | (read >= results.stop)]
    calls = entries(tape, read, primitives)
    values, gradients = files.values[tape.varies], files.gradients[tape.varies]
    wanted = bool(files.wanted[tape.varies][read].any())
    files.wanted[tape.varies][results] = wanted
    v: list[Any] = []

    def forwards() -> None:
        v[:] = _listed(values[read]) + [0.0] * len(tape.nodes)
        for forward, _, places in calls:
            forward(v, *places)
        values[results] = v[len(read) :]

    def backwards() -> None:
        g = [0.0] * len(read) + _listed(gradients[results])
        for _, backward, places in reversed(calls):
            backward(v, g, *places)
        for register, total in zip(read.tolist(), g, strict=False):
            gradients[register] += total

    files.forwards.append(forwards)

    def add() -> None:
        if wanted:
            files.first_touch(tape.varies, results)
            files.first_touch(tape.varies, read)
            files.backwards.append(backwards)

    return add


def _listed(rows: Array) -> list[Any]:
    """Numbers, or arrays of one for each sample."""
    return rows.tolist() if rows.ndim == 1 else list(rows)
