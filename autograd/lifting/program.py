"""lift(output): a recorded scalar graph as a program of array operations.

This room is what users see of lifting; it knows recordings, plans, files and their execution.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.lifting.execution import bind
from autograd.lifting.files import Files
from autograd.lifting.plan import Plan, planned
from autograd.lifting.recording import Recording, read
from autograd.lifting.source import Outline, Source, outline, source
from autograd.lifting.summary import summary
from autograd.lifting.verifying import (
    Verification,
    agree,
    drawn,
    first_difference,
    other_outputs,
    recorded_again,
)
from autograd.modes import lines_of
from autograd.numberlike import real
from autograd.value import LEAF, Value

Array = npt.NDArray[Any]

_KEPT = 4  # numbers of samples for which a program keeps its arrays


def lift(
    output: Value | list[Value] | tuple[Value, ...],
    inputs: Sequence[Value] = (),
    reduce: str = "mean",
    dtype: npt.DTypeLike = np.float64,
) -> Program:
    """The graph that `output` was computed by as a NumPy program of the same value and gradients.

    output   a recorded Value; of several, the program's value is their sum
    inputs   leaves that differ from sample to sample: record one sample, run any number
    reduce   what the value is over samples: "mean" or "sum"
    dtype    float64 or float32

    Every other leaf is a parameter; plain numbers in expressions are constants. What recording froze, a
    Python `if` or a number taken from `.data`, is frozen in the program: `program.verify` finds it.

    Sums run in another order than they were recorded in, and entries of a matrix product that nobody asked
    for are computed all the same: near overflow, and beside an infinite operand, something may be infinite or
    nan that the scalar sweep has finite.

    Raises TypeError where output or inputs are no Values, ValueError where an input is no leaf or repeated.

    >>> w, x = Value(3.0, "w"), Value(2.0, "x")
    >>> program = lift((w * x - 1.0) ** 2, inputs=[x])
    >>> value, gradient = program.value_and_gradient([3.0], [[2.0, 0.0]])       # two samples
    >>> value, gradient.tolist()                     # (5² + 1²) / 2, and 2 (wx - 1) x, of which the mean
    (13.0, [10.0])
    """
    outputs = list(output) if isinstance(output, (list, tuple)) else [output]
    if not isinstance(inputs, (list, tuple)):
        raise TypeError(f"lift: expected inputs as a list of Values, got {type(inputs).__name__}")
    for x in (*outputs, *inputs):
        if not isinstance(x, Value):
            raise TypeError(f"lift: expected Values, got {type(x).__name__} {x!r:.60}")
    if not outputs:
        raise ValueError("lift: expected at least one output, got none")
    for x in inputs:
        if x.primitive is not LEAF:
            raise ValueError(f"lift: an input must be a leaf, a Value that you made; got {x!r} of {x.op!r}")
    if len(set(inputs)) < len(inputs):
        raise ValueError("lift: an input comes twice; give each leaf once")
    if reduce not in ("mean", "sum"):
        raise ValueError(f"lift: expected reduce as 'mean' or 'sum', got {reduce!r}")
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise ValueError(f"lift: expected dtype float64 or float32, got {np.dtype(dtype)}")
    return Program(outputs, list(inputs), reduce, np.dtype(dtype))


class Program:
    """A lifted graph.

    parameters  the leaves that it is differentiated by, in the order of theta (P,)
    inputs      the leaves that vary, in the order of a batch's rows

    A batch is (inputs, N), one column a sample. Arithmetic follows IEEE 754 and never raises. A program keeps
    its arrays between calls: use one of its own in each thread.
    """

    def __init__(self, outputs: list[Value], inputs: list[Value], reduce: str, dtype: np.dtype[Any]) -> None:
        graph = read(outputs)
        place = {node: i for i, node in enumerate(graph.nodes)} if inputs else {}
        self._lines = lines_of(graph.nodes)
        self._plan: Plan = planned(graph, np.array([place.get(x, -1) for x in inputs], dtype=np.int64))
        self.parameters = [graph.nodes[i] for i in self._plan.parameters]
        self.inputs = inputs
        self._reduce, self._dtype = reduce, dtype
        self._several = len(outputs)
        registers = self._plan.layout.registers
        self._theta = _runs(registers.of[self._plan.parameters])
        self._rows = self._plan.inputs >= 0
        self._columns = registers.of[self._plan.inputs[self._rows]]
        self._outputs = [(bool(registers.varies[i]), int(registers.of[i])) for i in self._plan.outputs]
        self._files: dict[tuple[int, bool], Files] = {}
        self._ready: Files | None = None

    # ---- pure use

    def value_and_gradient(
        self, theta: npt.ArrayLike, batch: npt.ArrayLike | None = None
    ) -> tuple[float, Array]:
        """The value at `theta` (P,) for a batch (inputs, N), and its gradient (P,); touches no Value.

        Raises ValueError where theta or batch has another shape.
        """
        files = self._loaded(theta, batch, differentiate_inputs=False)
        with np.errstate(all="ignore"):
            self._run(files.forwards)
            self._sweep(files)
        return self._value(files), self._gradient(files)

    def outputs(self, theta: npt.ArrayLike, batch: npt.ArrayLike | None = None) -> Array:
        """Every output (outputs,), or for every sample of a batch (outputs, N)."""
        files = self._loaded(theta, batch, differentiate_inputs=False)
        with np.errstate(all="ignore"):
            self._run(files.forwards)
        if not self.inputs:
            return np.array([files.values[0][register] for _, register in self._outputs])
        found = np.empty((len(self._outputs), files.samples), self._dtype)
        for row, (varies, register) in zip(found, self._outputs, strict=True):
            row[:] = files.values[varies][register]
        return found

    def input_gradient(self, theta: npt.ArrayLike, batch: npt.ArrayLike) -> Array:
        """The value's gradient by the batch (inputs, N)."""
        files = self._loaded(theta, batch, differentiate_inputs=True)
        with np.errstate(all="ignore"):
            self._run(files.forwards)
            self._sweep(files)
        return self._input_gradient(files)

    # ---- as text

    @property
    def source(self) -> str:
        """The program as the text of a NumPy module, written as a person would have.

        Its `value_and_gradient(theta, batch, constants)` gives what the method of this name gives, but for
        rounding. `constants` are those of this program; they may be left out where it has none.

        >>> w, x, b = Value(3.0, "w"), Value(2.0, "x"), Value(1.0, "b")
        >>> program = lift((w * x + b).tanh(), inputs=[x])
        >>> module = {}
        >>> exec(program.source, module)
        >>> value, gradient = module["value_and_gradient"]([3.0, 1.0], [[-0.5]], program.constants)
        >>> round(value, 12), gradient.round(12).tolist()      # tanh(-1/2), and 1 - tanh² times x and 1
        (-0.46211715726, [-0.393223866483, 0.786447732966])
        """
        return self._source.text

    def __str__(self) -> str:
        """What the program consists of: its operations, their cost, and the lines they were recorded at.

        The lines are known where the graph was recorded and lifted within `autograd.source_lines()`.
        """
        return summary(self._plan, lambda samples: self._bind(samples, False), self._lines)

    @property
    def constants(self) -> Mapping[str, Array]:
        """The arrays of numbers that `source` refers to by name."""
        return self._source.constants

    @property
    def outline(self) -> Outline:
        """What `source` computes forwards: each array with its name, shape and formula, and what it reads.

        >>> w, x = Value(3.0, "w"), Value(2.0, "x")
        >>> [(array.name, array.formula) for array in lift((w * x).tanh()).outline.arrays]
        [('w', ''), ('x', ''), ('s1', 'w * x'), ('value', 'np.tanh(s1)')]
        """
        return outline(self._plan, len(self.inputs), self._reduce, self._dtype)

    @cached_property
    def _source(self) -> Source:
        return source(self._plan, len(self.inputs), self._reduce, self._dtype)

    # ---- use on the leaves themselves

    def forward(self) -> Any:
        """The output's number, or a list of several, computed from the leaves' present `.data`."""
        theta = [leaf.data for leaf in self.parameters]
        sample = [[leaf.data] for leaf in self.inputs] if self.inputs else None
        self._ready = None
        files = self._loaded(theta, sample, differentiate_inputs=True)
        with np.errstate(all="ignore"):
            self._run(files.forwards)
        self._ready = files
        numbers = [float(np.ravel(files.values[varies][register])[0]) for varies, register in self._outputs]
        return numbers if self._several > 1 else numbers[0]

    def backward(self, gradient: float = 1.0) -> None:
        """Add the outputs' derivatives, times `gradient`, to the leaves' `.grad`, as of the last `forward()`.

        Raises RuntimeError where `forward()` was not the last thing that the program did.
        """
        seed = real(gradient, "backward's gradient")
        files = self._ready
        if files is None:
            raise RuntimeError("backward: there is nothing to go back from; call forward() first")
        with np.errstate(all="ignore"):
            self._sweep(files, seed)
        for leaf, derivative in zip(self.parameters, self._gradient(files).tolist(), strict=True):
            leaf.grad += derivative
        if self.inputs:
            for leaf, derivative in zip(self.inputs, self._input_gradient(files)[:, 0].tolist(), strict=True):
                leaf.grad += derivative

    # ---- verification

    def verify(
        self,
        record: Callable[[], Any] | None = None,
        rounds: int = 3,
        rng: np.random.Generator | None = None,
    ) -> Verification:
        """Replay the program on fresh random numbers in all leaves against the scalar engine.

        record   records the output again from the same leaves, as it did for `lift`. With it, what
                 recording froze is found, such as a Python `if` on `.data`; without it, the recorded graph
                 is replayed, and only a mistake of lifting itself can be found
        rounds   of fresh numbers; none of which the outputs are finite for is no proof, and not `ok`

        >>> x = Value(2.0)
        >>> def bent():
        ...     return x * 3.0 if x.data > 0 else x * 0.1
        >>> print(lift(bent()).verify(bent))                        # doctest: +ELLIPSIS
        the constant 3 in node 2 (multiply) is now 0.1: a number taken from .data, which recording froze; ...
        """
        graph, rng = self._plan.graph, rng or np.random.default_rng(0)
        places = [*self._plan.parameters.tolist(), *self._plan.inputs[self._rows].tolist()]
        compared = False
        for _ in range(rounds):
            numbers, data = drawn(graph, places, rng)
            found = self._replay(graph, record, numbers, data)
            if found is not None:
                return found
            compared |= bool(np.isfinite(data[graph.outputs]).all())
        if not compared:
            return Verification(
                False, f"nothing could be compared: {rounds} sets of fresh numbers all gave nan or infinity"
            )
        return Verification(True, f"agrees with the scalar engine on {rounds} sets of fresh numbers")

    def _replay(
        self,
        graph: Recording,
        record: Callable[[], Any] | None,
        numbers: dict[int, float],
        data: npt.NDArray[np.float64],
    ) -> Verification | None:
        """What differs on these numbers, which give every node its data (M,), if anything does."""
        theta = [numbers[i] for i in self._plan.parameters.tolist()]
        sample = [[numbers.get(i, 0.0)] for i in self._plan.inputs.tolist()]
        ours = self.outputs(theta, sample if self.inputs else None)
        if record is not None:
            leaves = [graph.nodes[i] for i in numbers]
            outputs = recorded_again(record, leaves, list(numbers.values()))
            note = other_outputs(len(graph.outputs), outputs)
            if note is not None:
                return Verification(False, f"{note}: a branch that recording froze", graph.nodes[-1])
            again = read(outputs)
            theirs = np.array([again.nodes[i].data for i in again.outputs])
            if agree(ours, theirs, _largest(np.array([node.data for node in again.nodes]))):
                return None
            difference = first_difference(graph, again)
            if difference is not None:
                node, note = difference
                return Verification(False, f"{note}; {ours.ravel()} for {theirs}", node)
        if agree(ours, data[graph.outputs], _largest(data)):
            return None
        files, registers = self._bound(1, differentiate_inputs=False), self._plan.layout.registers
        for i, expected in enumerate(data.tolist()):
            if registers.of[i] >= 0:
                got = float(np.ravel(files.values[int(registers.varies[i])][registers.of[i]])[0])
                if not agree(got, expected, _largest(data)):
                    note = f"node {i} ({graph.nodes[i].op}) is {got!r} in the program, {expected!r} recorded"
                    return Verification(False, note, graph.nodes[i])
        return Verification(False, "the outputs differ, though every operation agrees", graph.nodes[-1])

    # ---- the machine

    def _loaded(self, theta: npt.ArrayLike, batch: npt.ArrayLike | None, differentiate_inputs: bool) -> Files:
        """The arrays for a batch of this size, with the leaves' numbers in them."""
        with np.errstate(all="ignore"):  # beyond float32 lies infinity
            vector = _numbers("theta", theta, self._dtype)
        if vector.shape != (len(self.parameters),):
            raise ValueError(f"theta: expected shape ({len(self.parameters)},), got {vector.shape}")
        samples = self._checked(batch)
        files = self._bound(1 if samples is None else samples.shape[1], differentiate_inputs)
        for begin, end, register in self._theta:
            files.values[0][register : register + end - begin] = vector[begin:end]
        if samples is not None:
            files.values[1][self._columns] = samples[self._rows]
        self._ready = None
        return files

    def _checked(self, batch: npt.ArrayLike | None) -> Array | None:
        if not self.inputs:
            if batch is not None:
                raise ValueError(
                    "batch: expected none; name the leaves that vary, as in lift(loss, inputs=[x])"
                )
            return None
        if batch is None:
            raise ValueError(f"batch: expected shape ({len(self.inputs)}, N), one column a sample; got none")
        with np.errstate(all="ignore"):
            samples = _numbers("batch", batch, self._dtype)
        if samples.ndim != 2 or samples.shape[0] != len(self.inputs) or samples.shape[1] == 0:
            raise ValueError(
                f"batch: expected shape ({len(self.inputs)}, N) with N >= 1, got {samples.shape}; "
                "did you pass rows for columns? Here samples are columns"
            )
        return samples

    def _bound(self, samples: int, differentiate_inputs: bool) -> Files:
        key = (samples, differentiate_inputs)
        if key not in self._files:
            while len(self._files) >= _KEPT:
                del self._files[next(iter(self._files))]
            self._files[key] = self._bind(samples, differentiate_inputs)
        return self._files[key]

    def _bind(self, samples: int, differentiate_inputs: bool) -> Files:
        graph, layout = self._plan.graph, self._plan.layout
        registers = layout.registers
        files = Files(registers.sizes, samples, self._dtype)
        for values, fixed in zip(files.values, registers.fixed, strict=True):
            for begin, size, number in fixed:
                values[begin : begin + size] = number
        constant = np.flatnonzero(graph.constant)
        with np.errstate(all="ignore"):
            files.values[0][registers.of[constant]] = graph.data[constant]
        files.wanted[0][registers.of[self._plan.parameters]] = True
        files.wanted[1][self._columns] = differentiate_inputs
        for varies, register in self._outputs:
            files.first_touch(varies, register)  # a sweep begins there
        with np.errstate(all="ignore"):
            bind(layout.placed, registers.spread, graph.primitives, files)
        return files

    def _run(self, steps: Sequence[Any]) -> None:
        for step in steps:
            step()

    def _sweep(self, files: Files, seed: float = 1.0) -> None:
        """Backwards, from `seed` at the value."""
        for gradients in files.gradients:
            gradients.fill(0.0)
        for varies, register in self._outputs:
            share = seed / files.samples if varies and self._reduce == "mean" else seed
            whole = files.samples if not varies and self._reduce == "sum" else 1
            files.gradients[varies][register] += share * whole
        self._run(files.backwards)

    def _value(self, files: Files) -> float:
        total = 0.0
        for varies, register in self._outputs:
            value = files.values[varies][register]
            if varies:
                total += float(value.mean() if self._reduce == "mean" else value.sum())
            else:
                total += float(value) * (files.samples if self._reduce == "sum" else 1)
        return total

    def _gradient(self, files: Files) -> Array:
        gradient = np.empty(len(self.parameters), self._dtype)
        for begin, end, register in self._theta:
            gradient[begin:end] = files.gradients[0][register : register + end - begin]
        return gradient

    def _input_gradient(self, files: Files) -> Array:
        gradient = np.zeros((len(self.inputs), files.samples), self._dtype)
        gradient[self._rows] = files.gradients[1][self._columns]
        return gradient


def _runs(registers: npt.NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """Stretches of a vector whose registers lie side by side: (begin, end, first register)."""
    borders = np.flatnonzero(np.diff(registers) != 1) + 1
    begins = [0, *borders.tolist()] if len(registers) else []
    ends = [*borders.tolist(), len(registers)]
    return [(begin, end, int(registers[begin])) for begin, end in zip(begins, ends, strict=False)]


def _largest(data: Array) -> float:
    return float(np.abs(data[np.isfinite(data)]).max(initial=1.0))


def _numbers(name: str, value: npt.ArrayLike, dtype: np.dtype[Any]) -> Array:
    """The array in this precision, or an error that says what was expected."""
    try:
        return np.asarray(value, dtype=dtype)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name}: expected an array of real numbers, got {value!r:.60} ({error})") from None
