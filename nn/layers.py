"""Networks made of Values: Module, Neuron, Layer, MLP.

Every neuron's sum and every activation is a node one can see, draw and differentiate. This room knows
`autograd`'s public names, the initializers and the checks at the door.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from itertools import pairwise
from typing import Any

import numpy as np

from autograd import Value, dot, draw, softmax
from nn import checks
from nn.initializers import INITIALIZERS

Activation = Callable[[list[Value]], list[Value]]

# Of an MLP that a notebook shows: more neurons are drawn as layers, more parameters not at all.
MOST_NEURONS, MOST_DRAWN = 40, 20_000

ACTIVATIONS: Mapping[str, Activation] = {
    "sigmoid": lambda zs: [z.sigmoid() for z in zs],
    "relu": lambda zs: [z.relu() for z in zs],
    "tanh": lambda zs: [z.tanh() for z in zs],
    "linear": lambda zs: zs,
}
OUTPUTS: Mapping[str, Activation] = {**ACTIVATIONS, "softmax": softmax}


class Module:
    """Something with parameters: named leaves, in a fixed order."""

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Every parameter with its name, in the order of the flat parameter vector."""
        raise TypeError(f"{type(self).__name__} must say what its parameters are: define named_parameters()")

    def parameters(self) -> list[Value]:
        """Every parameter, in the order of the flat parameter vector."""
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Set every parameter's gradient to 0."""
        for parameter in self.parameters():
            parameter.grad = 0.0


class Neuron(Module):
    """z = w · x + b of `inputs` operands, one node; parameters: the weights, then the bias.

    weights  (inputs,) initial numbers
    name     prefix for its parameters' labels
    """

    def __init__(self, weights: Sequence[float], name: str = "") -> None:
        numbers = _initial(weights, "(inputs,)").tolist()
        self.weights = [Value(w, label=f"{name}w{i}") for i, w in enumerate(numbers)]
        self.bias = Value(0.0, label=f"{name}b")

    def __call__(self, xs: Sequence[Any]) -> Value:
        z: Value = dot(self.weights, xs, self.bias)
        return z

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Its weights, then its bias, by their labels."""
        for parameter in (*self.weights, self.bias):
            yield parameter.label, parameter


class Layer(Module):
    """Neurons side by side: zs(xs) gives the sums z, calling the layer also applies the activation.

    weights     (outputs, inputs) initial numbers
    activation  one of sigmoid, relu, tanh, linear, softmax
    """

    def __init__(self, weights: np.ndarray[Any, Any], activation: str, name: str = "") -> None:
        self.activation = checks.one_of("activation", activation, OUTPUTS)
        table = _initial(weights, "(outputs, inputs)")
        self.neurons = [Neuron(row, f"{name}n{j}.") for j, row in enumerate(table)]

    def zs(self, xs: Sequence[Any]) -> list[Value]:
        """The neurons' sums w · x + b, before the activation."""
        return [neuron(xs) for neuron in self.neurons]

    def __call__(self, xs: Sequence[Any]) -> list[Value]:
        return OUTPUTS[self.activation](self.zs(xs))

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Neuron by neuron."""
        for neuron in self.neurons:
            yield from neuron.named_parameters()


class MLP(Module):
    """A multilayer perceptron on Values.

    inputs          number of inputs
    layers          widths of the layers that follow, the output's last
    activation      of the hidden layers: sigmoid, relu, tanh or linear
    output          of the last layer: one of these or softmax
    initialization  "xavier", "he" or "tutorial"; biases start at 0
    rng             the generator that draws the weights; None: a fresh one

    Its parameters, in order, are layer by layer, neuron by neuron, weights then bias. Calling it takes one
    sample, a sequence of `inputs` numbers or Values, and gives one Value, or a list where the last layer is
    wider than 1.

    >>> model = MLP(2, [3, 1], activation="tanh", rng=np.random.default_rng(0))
    >>> model
    MLP(2, [3, 1], activation='tanh', output='linear'), 13 parameters
    >>> y = model([0.5, -1.0])
    >>> y.backward()
    >>> [name for name, _ in model.named_parameters()][:4]
    ['l0.n0.w0', 'l0.n0.w1', 'l0.n0.b', 'l0.n1.w0']
    """

    def __init__(
        self,
        inputs: int,
        layers: Iterable[int],
        activation: str = "relu",
        output: str = "linear",
        initialization: str = "xavier",
        rng: np.random.Generator | None = None,
    ) -> None:
        self.sizes = [checks.count("inputs", inputs, 1), *checks.widths("layers", layers, least="[outputs]")]
        self.activation = checks.one_of("activation", activation, ACTIVATIONS)
        self.output = checks.one_of("output", output, OUTPUTS)
        draw = INITIALIZERS[checks.one_of("initialization", initialization, INITIALIZERS)]
        generator = checks.generator(rng)
        last = len(self.sizes) - 2
        self.layers = [
            Layer(draw(n, m, generator), self.output if i == last else self.activation, f"l{i}.")
            for i, (n, m) in enumerate(pairwise(self.sizes))
        ]

    def __call__(self, x: Sequence[Any]) -> Any:
        outputs = OUTPUTS[self.output](self.logits(x))
        return outputs[0] if len(outputs) == 1 else outputs

    def logits(self, x: Sequence[Any]) -> list[Value]:
        """The last layer's sums z, before its activation: what the cross-entropies start from."""
        if getattr(x, "ndim", 1) != 1 or not isinstance(x, Sized) or len(x) != self.sizes[0]:
            got = len(x) if isinstance(x, list | tuple) else f"shape {np.shape(x)}"
            raise ValueError(
                f"x: expected one sample of {self.sizes[0]} numbers, got {got}; "
                "a batch is a loop: [model(x) for x in rows]"
            )
        # a plain number is a constant here as in any expression, and no parameter of a lifted program
        a: list[Value] = [xi if isinstance(xi, Value) else Value(xi).detach() for xi in x]
        for layer in self.layers[:-1]:
            a = layer(a)
        return self.layers[-1].zs(a)

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Layer by layer, neuron by neuron, weights then bias."""
        for layer in self.layers:
            yield from layer.named_parameters()

    def __repr__(self) -> str:
        return (
            f"MLP({self.sizes[0]}, {self.sizes[1:]}, activation={self.activation!r}, "
            f"output={self.output!r}), {len(self.parameters())} parameters"
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows: a small network as its neurons, a larger one as its layers, at inputs 0."""
        shown = {"text/plain": repr(self)}
        if len(self.parameters()) > MOST_DRAWN:
            return shown
        outputs = self([Value(0.0, label=f"x{i}") for i in range(self.sizes[0])])
        level = "neurons" if sum(self.sizes) <= MOST_NEURONS else "layers"
        return draw(outputs, level=level)._repr_mimebundle_() | shown


def _initial(weights: object, shape: str) -> np.ndarray[Any, Any]:
    """Initial numbers as an array with as many axes as the shape's text has."""
    array = checks.real_array("weights", weights, shape)
    if array.size == 0 or array.ndim != len(shape.strip("(,)").split(",")):
        raise ValueError(
            f"weights: expected the initial numbers, of shape {shape}, got shape {array.shape}; "
            "nn.MLP draws them itself: MLP(inputs, [width])"
        )
    return array
