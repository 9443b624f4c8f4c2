"""Networks made of Values: Neuron, Layer, MLP.

Every neuron's sum and every activation is a node one can see, draw and differentiate. This room knows
`autograd`'s public names, the modules, the initializers and the checks at the door.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from autograd import Value, dot, draw, no_grad, notebook_bundle
from nn import checks
from nn.dropout import Array, Masks, draw_masks, one_each
from nn.hidden import activation_names, dropout_shares
from nn.initializers import INITIALIZERS, default_for
from nn.modules import ACTIVATIONS, OUTPUTS, BatchNorm, Dropout, Module

# Of an MLP that a notebook shows: more neurons are drawn as layers, more parameters not at all.
MOST_NEURONS, MOST_DRAWN = 40, 20_000


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
    """Neurons side by side, their activation, and what may stand around it: batch normalisation, dropout.

    weights     (outputs, inputs) initial numbers
    activation  one of sigmoid, relu, tanh, linear, leaky_relu, elu, gelu, silu, softplus, softmax
    name        prefix for its parameters' labels
    dropout     the share of its activations that is dropped while training
    batch_norm  whether the sums z are normalised before the activation

    zs(xs) gives one sample's sums, calling the layer its activations, batch(samples) those of many.
    """

    def __init__(
        self,
        weights: Array,
        activation: str,
        name: str = "",
        *,
        dropout: float = 0.0,
        batch_norm: bool = False,
    ) -> None:
        self.activation = checks.one_of("activation", activation, OUTPUTS)
        table = _initial(weights, "(outputs, inputs)")
        self.neurons = [Neuron(row, f"{name}n{j}.") for j, row in enumerate(table)]
        self.norm = BatchNorm(len(table), name) if batch_norm else None
        self.dropout = Dropout(dropout)

    def zs(self, xs: Sequence[Any]) -> list[Value]:
        """The neurons' sums w · x + b, before anything else."""
        return [neuron(xs) for neuron in self.neurons]

    def __call__(self, xs: Sequence[Any]) -> list[Value]:
        return self.batch([xs])[0]

    def batch(
        self, samples: Sequence[Sequence[Any]], mask: Array | None = None, training: bool = False
    ) -> list[list[Value]]:
        """Each sample's activations.

        mask      (outputs, N), which activations are kept (see Dropout); None: all
        training  whether batch normalisation is by this batch's statistics
        """
        zs = [self.zs(xs) for xs in samples]
        if self.norm is not None:
            zs = self.norm(zs, training)
        activations = [OUTPUTS[self.activation](z) for z in zs]
        if mask is None:
            return activations
        return [self.dropout(a, kept) for a, kept in zip(activations, mask.T.tolist(), strict=True)]

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Neuron by neuron, then batch normalisation's γ and β, number by number."""
        for module in (*self.neurons, *([] if self.norm is None else [self.norm])):
            yield from module.named_parameters()


class MLP(Module):
    """A multilayer perceptron on Values.

    inputs          number of inputs
    layers          widths of the layers that follow, the output's last
    activation      of the hidden layers: sigmoid, relu, tanh, linear, leaky_relu (slope 0.01), elu, gelu,
                    silu or softplus; or a list, one for each
    output          of the last layer: one of these or softmax
    initialization  the name of one of nn.initializers; None: for each layer the one that fits its activation;
                    biases start at 0
    rng             the generator that draws the weights; None: a fresh one
    dropout         the share of the hidden layers' activations to drop while training; or a list
    batch_norm      whether hidden layers normalise their sums before the activation

    Its parameters, in order, are layer by layer, neuron by neuron, weights then bias; γ and β of the layer's
    batch normalisation follow its neurons. Calling it takes one sample, a sequence of `inputs` numbers or
    Values, and gives one Value, or a list where the last layer is wider than 1; of a list of samples, or an
    array (N, inputs), it gives the list of those.

    It trains, is checked and is saved as a NeuralNetwork is, by `train`, `check_gradients`, `save` and `load`
    of nn.mlp_training; `history` is that of the last training, `objective` what it was for.

    >>> model = MLP(2, [3, 1], activation="tanh", rng=np.random.default_rng(0))
    >>> model
    MLP(2, [3, 1], activation='tanh', output='linear'), 13 parameters
    >>> y = model([0.5, -1.0])
    >>> y.backward()
    >>> [name for name, _ in model.named_parameters()][:4]
    ['l0.n0.w0', 'l0.n0.w1', 'l0.n0.b', 'l0.n1.w0']
    >>> len(model([[0.5, -1.0], [1.0, 0.0]]))
    2
    """

    train: ClassVar[Callable[..., Any]]
    check_gradients: ClassVar[Callable[..., Any]]
    save: ClassVar[Callable[..., None]]
    load: ClassVar[Callable[..., MLP]]

    def __init__(
        self,
        inputs: int,
        layers: Iterable[int],
        activation: str | Sequence[str] = "relu",
        output: str = "linear",
        initialization: str | None = None,
        rng: np.random.Generator | None = None,
        *,
        dropout: float | Sequence[float] = 0.0,
        batch_norm: bool = False,
    ) -> None:
        self.sizes = [checks.count("inputs", inputs, 1), *checks.widths("layers", layers, least="[outputs]")]
        hidden = len(self.sizes) - 2
        names = activation_names(activation, hidden, ACTIVATIONS)
        self.activation = activation if isinstance(activation, str) else names
        self.output = checks.one_of("output", output, OUTPUTS)
        self.dropout = dropout_shares(dropout, hidden)
        self.batch_norm = checks.flag("batch_norm", batch_norm)
        if initialization is not None:
            checks.one_of("initialization", initialization, INITIALIZERS)
        generator = checks.generator(rng)
        self.history: Any = None
        self.objective: dict[str, Any] = {}
        self.layers = []
        for i, (n, m) in enumerate(pairwise(self.sizes)):
            top = i == hidden
            name = self.output if top else names[i]
            W = INITIALIZERS[initialization or default_for(name)](n, m, generator)
            share = 0.0 if top else self.dropout[i]
            layer = Layer(W, name, f"l{i}.", dropout=share, batch_norm=batch_norm and not top)
            self.layers.append(layer)

    def __call__(self, x: Sequence[Any], masks: Masks | None = None, *, training: bool = False) -> Any:
        """The outputs for one sample, or the list of them for a list of samples.

        masks     a mask or None for each hidden layer, as `draw_masks` gives them; None: nothing is dropped
        training  whether batch normalisation is by the statistics of these samples, of which it then needs 2;
                  it draws no masks: what dropout drops is said by `masks` alone
        """
        samples, alone = self._samples(x)
        outputs = [OUTPUTS[self.output](zs) for zs in self._logits(samples, masks, training)]
        results = [a[0] if len(a) == 1 else a for a in outputs]
        return results[0] if alone else results

    def logits(self, x: Sequence[Any], masks: Masks | None = None, *, training: bool = False) -> list[Any]:
        """The last layer's sums z, before its activation: what the cross-entropies start from."""
        samples, alone = self._samples(x)
        logits = self._logits(samples, masks, training)
        return logits[0] if alone else logits

    def _logits(self, samples: list[list[Value]], masks: Masks | None, training: bool) -> list[list[Value]]:
        a = samples
        for layer, mask in self._hidden(masks, len(samples)):
            a = layer.batch(a, mask, training)
        return [self.layers[-1].zs(xs) for xs in a]

    def update_statistics(self, x: Sequence[Any], masks: Masks | None = None) -> None:
        """Move batch normalisation's running statistics towards those of these samples, layer by layer."""
        a, _ = self._samples(x)
        with no_grad():
            for layer, mask in self._hidden(masks, len(a)):
                if layer.norm is not None:
                    layer.norm.update_statistics([layer.zs(xs) for xs in a])
                a = layer.batch(a, mask, training=True)

    def draw_masks(self, samples: int, rng: np.random.Generator) -> list[Array | None]:
        """For each hidden layer the mask (width, samples) of its dropout; None where it drops nothing."""
        return draw_masks(self.sizes[1:-1], self.dropout, samples, rng)

    def weights(self, *, biases: bool = False) -> list[Value]:
        """What penalties are on: the weights of all layers, with biases if asked for, without γ and β."""
        neurons = [neuron for layer in self.layers for neuron in layer.neurons]
        return [p for neuron in neurons for p in (*neuron.weights, *([neuron.bias] if biases else []))]

    def _hidden(self, masks: Masks | None, samples: int) -> Iterator[tuple[Layer, Array | None]]:
        """Each hidden layer with its mask."""
        hidden = self.layers[:-1]
        given = [None] * len(hidden) if masks is None else one_each(masks, len(hidden))
        expected = [(len(layer.neurons), samples) for layer in hidden]
        got = [None if mask is None else np.shape(mask) for mask in given]
        if any(b not in (None, a) for a, b in zip(expected, got, strict=True)):
            raise ValueError(
                f"masks: expected None or a mask (width, N) for each hidden layer, of shapes {expected}, got "
                f"{got}; draw_masks(N, rng) gives them"
            )
        return zip(hidden, given, strict=True)

    def _samples(self, x: Sequence[Any]) -> tuple[list[list[Value]], bool]:
        """A list of samples, and whether x was one alone."""
        if _holds_samples(x):
            return [self._sample(row) for row in x], False
        return [self._sample(x)], True

    def _sample(self, x: Sequence[Any]) -> list[Value]:
        if getattr(x, "ndim", 1) != 1 or not isinstance(x, Sized) or len(x) != self.sizes[0]:
            got = len(x) if isinstance(x, list | tuple) else f"shape {np.shape(x)}"
            raise ValueError(
                f"x: expected a sample of {self.sizes[0]} numbers, or a list of samples, got {got}; "
                "here a sample is a row"
            )
        # a plain number is a constant here as in any expression, and no parameter of a lifted program
        return [xi if isinstance(xi, Value) else Value(xi).detach() for xi in x]

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Layer by layer, as each of them has its own."""
        for layer in self.layers:
            yield from layer.named_parameters()

    def __repr__(self) -> str:
        words = [
            f"activation={self.activation!r}",
            f"output={self.output!r}",
            *([f"dropout={self.dropout}"] if any(self.dropout) else []),
            *(["batch_norm=True"] if self.batch_norm else []),
        ]
        parameters = f"{len(self.parameters())} parameters"
        return f"MLP({self.sizes[0]}, {self.sizes[1:]}, {', '.join(words)}), {parameters}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows: a small network as its neurons, a larger one as its layers, at inputs 0."""
        return notebook_bundle(self, self._picture)

    def _picture(self) -> dict[str, str]:
        if (number := len(self.parameters())) > MOST_DRAWN:
            raise ValueError(
                f"recording {number:,} parameters would take long; draw one output of yours, as in "
                'autograd.draw(model(x)[0], level="layers")'
            )
        outputs = self([Value(0.0, label=f"x{i}") for i in range(self.sizes[0])])
        level = "neurons" if sum(self.sizes) <= MOST_NEURONS else "layers"
        return {"image/svg+xml": draw(outputs, level=level).svg()}


def _holds_samples(x: Any) -> bool:
    """Whether x is a list of samples, or a table, and no sample."""
    if isinstance(x, np.ndarray):
        return x.ndim == 2 and len(x) > 0
    return isinstance(x, Sequence) and len(x) > 0 and isinstance(x[0], Sequence | np.ndarray)


def _initial(weights: object, shape: str) -> Array:
    """Initial numbers as an array with as many axes as the shape's text has."""
    array = checks.real_array("weights", weights, shape)
    if array.size == 0 or array.ndim != len(shape.strip("(,)").split(",")):
        raise ValueError(
            f"weights: expected the initial numbers, of shape {shape}, got shape {array.shape}; "
            "nn.MLP draws them itself: MLP(inputs, [width])"
        )
    return array
