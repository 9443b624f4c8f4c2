"""A plan as the text of a Python module.

    leaves          W1 = theta[0:48].reshape(16, 3)[:, :2]
    forwards        z1 = W1 @ x + b1
    backwards       dW1 = dz1 @ x.T
    the gradient    gradient[0:48].reshape(16, 3)[:, :2] = dW1

This room knows all the others of its package.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.lifting.blocks import NOTHING
from autograd.lifting.plan import Plan
from autograd.lifting.recording import Ints
from autograd.lifting.source.array_names import name_arrays
from autograd.lifting.source.arrays import MOST, Array, Arrays
from autograd.lifting.source.constants import Constants, in_brackets
from autograd.lifting.source.dividing import divided
from autograd.lifting.source.expressions import (
    Expression,
    Shape,
    called,
    filled,
    named,
    piece,
    quotient,
    shape_text,
    suffixed,
    total,
)
from autograd.lifting.source.gradients import Gradients
from autograd.lifting.source.lines import Lines
from autograd.lifting.source.naming import Names
from autograd.lifting.source.operations import Operation, Pull
from autograd.lifting.source.outline import Outline, outlined
from autograd.lifting.source.reader import Reader
from autograd.lifting.source.readings import Reading, summed
from autograd.lifting.source.steps import Step, numbers, steps
from autograd.lifting.source.tapes import ScalarOperation
from autograd.lifting.source.views import reshaped, view
from autograd.lifting.source.writing import written

_HEAD = '''"""A value and its gradient: a recorded graph of scalars, lifted by autograd.lift."""

import numpy as np
{imports}

@np.errstate(all="ignore")
def value_and_gradient(theta, batch=None, constants=None):
    """The value at theta ({parameters},){batch}, and its gradient ({parameters},)."""
'''
_RELU = "; a relu's derivative is the sign of its value: 1, 0 or nan"


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a module, and the arrays that its function takes as `constants`."""

    text: str
    constants: dict[str, npt.NDArray[Any]]


def source(plan: Plan, inputs: int, reduce: str, dtype: np.dtype[Any]) -> Source:
    """The plan as a function of theta, of a batch where there are `inputs`, and of constants."""
    writer = _Writer(plan, inputs, reduce, dtype)
    return Source(writer.text(), writer.constants.arrays)


def outline(plan: Plan, inputs: int, reduce: str, dtype: np.dtype[Any]) -> Outline:
    """What the plan's text computes, array by array."""
    writer = _Writer(plan, inputs, reduce, dtype)
    arrays = outlined(writer.arrays, writer.operations, writer.outputs)
    return Outline(arrays, len(plan.graph.nodes))


class _Writer:
    def __init__(self, plan: Plan, inputs: int, reduce: str, dtype: np.dtype[Any]) -> None:
        self.inputs, self.parameters, self.reduce = inputs, len(plan.parameters), reduce
        self.dtype, self.option = ("np.float32", ", np.float32") if dtype == np.float32 else ("float", "")
        self.known = known = numbers(plan)
        self.outputs = known.outputs
        nodes = plan.graph.nodes
        labels = {i: nodes[node].label for i, node in enumerate(known.node.tolist()) if node != NOTHING}
        found = list(divided(steps(plan, known), known, labels))
        names = Names()
        self.arrays = Arrays(found, known, labels, self.outputs)
        self.constants = Constants(names, dtype)
        self.reader = Reader(self.arrays, self.constants)
        self.operations: list[Operation | ScalarOperation] = []
        for step in found:
            if isinstance(step, Step):
                operation = written(step, self.reader)
                self.arrays.give_shape(operation.out)
                self.operations.append(operation)
            else:
                self.operations += [ScalarOperation(one, self.reader, step.varies) for one in step.steps]
        name_arrays(self.arrays, self.operations, labels, self._value_array(), names)
        self.lines = Lines(names)
        self.gradients = Gradients(self.operations, self.arrays, self.lines, self.option)

    def _value_array(self) -> Array | None:
        """The array that holds the value and nothing else, if one does."""
        if len(self.outputs) > 1 or not self.arrays.of(self.outputs) or self._counts_samples(False):
            return None
        array = self.arrays.holding(self.outputs)
        return array if array.shape == () and array.kind == "result" else None

    # ---- the text

    def text(self) -> str:
        """All of it."""
        lines = self.lines
        for array in self.arrays.all:
            if array.kind == "vector":
                lines.add(f"{array.value} = np.empty({shape_text(array.shape)}{self.option})")
        for array in self.arrays.leaves:
            self._load(array)
        lines.add("\n# forwards")
        for operation in self.operations:
            self._forwards(operation)
        value = self._value()
        lines.add("\n# backwards" + _RELU * any(_is_relu(operation) for operation in self.operations))
        self._backwards()
        lines.add("\n# the gradient, in theta's order")
        lines.add("gradient = np.zeros_like(theta)")
        for array in self.arrays.leaves:
            self._store(array)
        lines.add(f"return float({value}), gradient")
        body = lines.text()
        return self._head(body) + self._beginning(body).text() + body

    def _head(self, body: str) -> str:
        imports = "\nfrom autograd.namespaces import ARRAY\n" if "ARRAY" in body else ""
        if "PRIMITIVES[" in body:
            imports += "from autograd.primitives import PRIMITIVES\n"
        batch = f" for a batch ({self.inputs}, N)" if self.inputs else ""
        return _HEAD.format(imports=imports, parameters=self.parameters, batch=batch)

    def _beginning(self, body: str) -> Lines:
        """What the function is given."""
        lines = Lines(self.lines.names)
        lines.add(f"theta = np.asarray(theta, dtype={self.dtype})")
        if self.inputs:
            lines.add(f"batch = np.asarray(batch, dtype={self.dtype})")
            lines.add("N = batch.shape[1]")
        for name, (text, shape) in self.constants.lines.items():
            if re.search(rf"\b{name}\b", body):
                lines.add(f"{name} = {text}", shape_text(shape))
        return lines

    # ---- leaves

    def _load(self, array: Array) -> None:
        from_batch = array.kind == "input"
        places = (self.known.row if from_batch else self.known.parameter)[array.scalars]
        size = self.inputs if from_batch else self.parameters
        whole = named("batch", (size, "N")) if from_batch else named("theta", (size,))
        found = view((size,), places.squeeze())
        if found is None:
            text = suffixed(whole, in_brackets(self.constants.index([places])), array.shape)
        else:
            text = found.read(whole)
        if text.shape != array.shape:
            sizes = ", ".join(map(str, array.shape))
            text = suffixed(text, f".reshape({sizes})", array.shape)
        self._assign(array.scalars, text)

    def _store(self, array: Array) -> None:
        holder = self.arrays.holding(array.scalars)
        if array.kind != "parameter" or not self.gradients.reaches(holder):
            return
        gradient = self.arrays.part(holder.gradient, array.scalars)
        places = self.known.parameter[array.scalars]
        found = view((self.parameters,), places)
        if not array.dims:
            self.lines.assign(f"gradient[{int(places)}] = {{}}", gradient)
        elif found is None:
            self.lines.assign(f"gradient{in_brackets(self.constants.index([places]))} = {{}}", gradient)
        else:
            target = found.target(named("gradient", (self.parameters,)))
            whole = "[:]" if found.is_whole else ""
            self.lines.assign(f"{target}{whole} = {{}}", found.brought_back(gradient, ()))

    def _assign(self, scalars: Ints, x: Expression) -> None:
        """Give scalars their numbers: an array its own, or a stretch of a vector."""
        array = self.arrays.holding(scalars)
        target = self.arrays.stretch(array.value, scalars)
        comment = shape_text(array.shape) if array.kind != "vector" and array.shape else ""
        self.lines.assign(f"{target} = {{}}", reshaped(x, target.shape), comment)

    # ---- forwards

    def _forwards(self, operation: Operation | ScalarOperation) -> None:
        text = operation.value()
        if not text.shape and not any(reading.arrays() for reading in operation.readings):
            text = called("np.float64", text)  # a Python float would raise where NumPy's has infinity
        if operation.mask is not None and operation.fill is not None:
            text = called("np.where", operation.mask, text, operation.fill)
        self._assign(operation.out, text)

    def _value(self) -> str:
        """The text of the value: of several outputs their sum, over samples their mean or sum."""
        terms = []
        for reading, shape, varies in self._read_outputs():
            text = filled(reading.read(), shape)
            if varies and self.reduce == "mean" and len(shape) == 1:
                text = suffixed(text, ".mean()", ())
            else:
                text = summed(text, shape, ())
                text = quotient(text, named("N")) if varies and self.reduce == "mean" else text
            terms.append(named("N") * text if self._counts_samples(varies) else text)
        found = total(terms)
        if not found.operands:
            return str(found)
        self.lines.assign("value = {}", found)
        return "value"

    def _counts_samples(self, varies: bool) -> bool:
        """Whether an output counts as many times as there are samples, though it is the same in all."""
        return not varies and self.inputs > 0 and self.reduce == "sum"

    def _read_outputs(self) -> Iterator[tuple[Reading, Shape, bool]]:
        """Each output, its shape and whether it varies; many of them at once."""
        varying = self.known.varies[self.outputs]
        together = [self.outputs[varying], self.outputs[~varying]]
        for mine in map(np.asarray, self.outputs) if len(self.outputs) <= MOST else together:
            if mine.size:
                varies = bool(self.known.varies[mine.flat[0]])
                shape: Shape = (*mine.shape, "N") if varies else mine.shape
                yield self.reader.read(mine, varies), shape, varies

    # ---- backwards

    def _backwards(self) -> None:
        for reading, shape, varies in self._read_outputs():
            seed = piece(1.0)
            if varies and self.reduce == "mean":
                seed = quotient(1.0, named("N"))
            elif self._counts_samples(varies):
                seed = called("float", named("N"))  # an array of integers could not take what else arrives
            self.gradients.contribute(Pull(reading, seed, shape, False))
        for operation in reversed(self.operations):
            self.gradients.pull(operation)
        self.gradients.write()


def _is_relu(operation: Operation | ScalarOperation) -> bool:
    primitive = operation.step.primitive
    return primitive is not None and primitive.name == "relu"
