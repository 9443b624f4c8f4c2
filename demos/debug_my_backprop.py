"""A learner's own network, and what `nn.diagnose` says about its gradients until they are right.

    python -m demos.debug_my_backprop

First a class with three mistakes in its backward pass: a diagnosis names them, the topmost is mended, and the
next diagnosis has one less. Then the three blocks of code of a widely read backpropagation tutorial, as they
are.

Letters: m samples, one a column; layer l maps a_l to z_{l+1} = W_l a_l + b_l; dz_l is ∂loss/∂z_l.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nn import Diagnosis, NeuralNetwork, compare_gradients, diagnose

Array = npt.NDArray[np.float64]
Cache = dict[str, Array]
Gradients = dict[str, Array]


# A learner's class. The mistakes are in the last three methods.


class MyNetwork:
    """A network with tanh layers and the mean squared error, as someone wrote it on a free evening."""

    def __init__(self, layer_sizes: Sequence[int], rng: np.random.Generator) -> None:
        self.layer_sizes = list(layer_sizes)
        shapes = list(zip(layer_sizes[1:], layer_sizes, strict=False))
        self.weights = [rng.normal(size=(outputs, inputs)) for outputs, inputs in shapes]
        self.biases = [rng.normal(size=(outputs, 1)) for outputs, _ in shapes]

    def forward(self, x: Array) -> Cache:
        """Every layer's z and a."""
        cache = {"a0": x}
        for layer, (W, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            cache[f"z{layer + 1}"] = W @ cache[f"a{layer}"] + b
            cache[f"a{layer + 1}"] = np.tanh(cache[f"z{layer + 1}"])
        return cache

    def backward(self, x: Array, y: Array, cache: Cache) -> Gradients:
        """The gradient of the mean squared error, or so it is meant."""
        gradients, top = {}, len(self.weights)
        dz = self.error(cache[f"z{top}"], cache[f"a{top}"], y)
        for layer in reversed(range(top)):
            gradients[f"dW{layer}"] = dz @ cache[f"a{layer}"].T
            gradients[f"db{layer}"] = self.bias_gradient(dz)
            if layer:
                dz = self.weights[layer].T @ dz * self.slope(cache[f"z{layer}"], cache[f"a{layer}"])
        return gradients

    def error(self, z: Array, a: Array, y: Array) -> Array:
        """The last layer's dz."""
        return 2 * (a - y) * (1 - a**2)

    def slope(self, z: Array, a: Array) -> Array:
        """A hidden layer's tanh'."""
        return 1 - np.tanh(a) ** 2

    def bias_gradient(self, dz: Array) -> Array:
        """A layer's db."""
        return dz


class ErrorMended(MyNetwork):
    """The same, after the first diagnosis."""

    def error(self, z: Array, a: Array, y: Array) -> Array:
        """The last layer's dz, of the mean."""
        return 2 * (a - y) * (1 - a**2) / y.size


class BiasMended(ErrorMended):
    """The same, after the second."""

    def bias_gradient(self, dz: Array) -> Array:
        """A layer's db, summed over samples."""
        db: Array = dz.sum(axis=1, keepdims=True)
        return db


class SlopeMended(BiasMended):
    """The same, after the third."""

    def slope(self, z: Array, a: Array) -> Array:
        """A hidden layer's tanh', from z."""
        return 1 - np.tanh(z) ** 2


ROUNDS: Sequence[tuple[type[MyNetwork], str]] = (
    (MyNetwork, "as it was written"),
    (ErrorMended, "return 2 * (a - y) * (1 - a**2) / y.size"),
    (BiasMended, "db = dz.sum(axis=1, keepdims=True)"),
    (SlopeMended, "return 1 - np.tanh(z) ** 2"),
)


def reference_of(mine: Any, activation: str, **options: Any) -> NeuralNetwork:
    """The NeuralNetwork with the parameters of a network that has weights and biases."""
    network = NeuralNetwork(mine.layer_sizes, activation, **options)
    network.weights, network.biases = mine.weights, mine.biases
    return network


def samples(sizes: Sequence[int], m: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Random x and y of m samples."""
    return rng.normal(size=(sizes[0], m)), rng.uniform(-0.9, 0.9, size=(sizes[-1], m))


def learners_class(m: int, seed: int) -> bool:
    """Print each round; whether the last one is right."""
    sizes = [2, 4, 3, 1]
    x, y = samples(sizes, m, np.random.default_rng(seed))
    mine: MyNetwork | None = None
    for version, (kind, words) in enumerate(ROUNDS):
        mine = kind(sizes, np.random.default_rng(seed + 1))
        heading(f"{version + 1}. MyNetwork, {'mended' if version else words}")
        if version:
            print(f"    {words}\n")
        print(diagnose(mine, reference_of(mine, "tanh"), x, y), flush=True)
    report = compare_gradients(mine, x, y, reference=reference_of(mine, "tanh"))
    print(f"\ncompare_gradients says\n    {str(report).splitlines()[-1]}")
    return report.ok


# The tutorial's three blocks, its prose left out.


def backward_pass(
    network: Sequence[Mapping[str, Array]], x: Array, y: Array, cache: Cache,
    activation_derivative: Callable[[Array], Array],
) -> Gradients:  # fmt: skip
    """Block 1, the stand-alone function; its activation_derivative is a global, here it is an argument."""
    gradients = {}
    L = len(network)
    dz = cache["a" + str(L)] - y
    for l in reversed(range(L)):  # noqa: E741
        gradients["dW" + str(l)] = np.dot(dz, cache["a" + str(l - 1)].T)
        gradients["db" + str(l)] = np.sum(dz, axis=1, keepdims=True)
        if l > 0:
            dz = np.dot(network[l]["W"].T, dz) * activation_derivative(cache["z" + str(l - 1)])
    return gradients


def sigmoid(x: Array) -> Array:
    """What block 2 calls, and the tutorial's class has."""
    return 1 / (1 + np.exp(-x))


def sigmoid_derivative(x: Array) -> Array:
    """Block 2."""
    sx = sigmoid(x)
    return sx * (1 - sx)


def relu_derivative(x: Array) -> Array:
    """Block 2."""
    return np.where(x > 0, 1, 0)


def tanh_derivative(x: Array) -> Array:
    """Block 2."""
    return 1 - np.tanh(x) ** 2


DERIVATIVES = {"sigmoid": sigmoid_derivative, "relu": relu_derivative, "tanh": tanh_derivative}


class TutorialNetwork:
    """Block 3, the class: its two passes. The loss that it reports is the mean squared error."""

    def __init__(self, layer_sizes: Sequence[int], rng: np.random.Generator) -> None:
        self.layer_sizes = list(layer_sizes)
        self.weights = []
        self.biases = []
        for i in range(len(layer_sizes) - 1):
            self.weights.append(rng.normal(size=(layer_sizes[i + 1], layer_sizes[i])))
            self.biases.append(np.zeros((layer_sizes[i + 1], 1)))

    def forward(self, x: Array) -> Cache:
        """As in the tutorial."""
        cache = {"a0": x}
        for l in range(len(self.weights)):  # noqa: E741
            z = np.dot(self.weights[l], cache["a" + str(l)]) + self.biases[l]
            cache["z" + str(l + 1)] = z
            cache["a" + str(l + 1)] = sigmoid(z)
        return cache

    def backward(self, x: Array, y: Array, cache: Cache) -> Gradients:
        """As in the tutorial."""
        gradients = {}
        L = len(self.weights)
        dz = cache["a" + str(L)] - y
        for l in reversed(range(L)):  # noqa: E741
            gradients["dW" + str(l)] = np.dot(dz, cache["a" + str(l)].T)
            gradients["db" + str(l)] = np.sum(dz, axis=1, keepdims=True)
            if l > 0:
                dz = np.dot(self.weights[l].T, dz) * sigmoid_derivative(cache["z" + str(l)])
        return gradients


def block_1(m: int, seed: int) -> Diagnosis:
    """The stand-alone function, in the one setting in which it comes to an end.

    It asks the cache for z0 and a-1, which no forward pass makes: x stands in for both. Its shapes fit where
    all layers have one width.
    """
    rng = np.random.default_rng(seed)
    network = NeuralNetwork([3, 3, 3, 3], rng=rng)
    x, y = samples(network.layer_sizes, m, rng)

    def stand_alone(x: Array, y: Array) -> Gradients:
        cache = network.forward(x) | {"z0": x, "a-1": x}
        layers = [{"W": W, "b": b} for W, b in zip(network.weights, network.biases, strict=True)]
        return backward_pass(layers, x, y, cache, network.activation_derivative)

    return diagnose(stand_alone, network, x, y)


def block_2(activation: str, m: int, seed: int) -> Diagnosis:
    """One of the derivatives, in a pass that is right but for it."""
    rng = np.random.default_rng(seed)
    network = NeuralNetwork([2, 4, 3, 1], activation, rng=rng)
    x, y = samples(network.layer_sizes, m, rng)
    derivative = DERIVATIVES[activation]

    def with_derivative(x: Array, y: Array) -> Gradients:
        cache, gradients = network.forward(x), {}
        dz = 2 * (cache["a3"] - y) / y.size * derivative(cache["z3"])
        for layer in (2, 1, 0):
            gradients[f"dW{layer}"] = dz @ cache[f"a{layer}"].T
            gradients[f"db{layer}"] = dz.sum(axis=1, keepdims=True)
            if layer:
                dz = network.weights[layer].T @ dz * derivative(cache[f"z{layer}"])
        return gradients

    with_derivative.__name__ = f"a pass with {activation}_derivative"
    return diagnose(with_derivative, network, x, y)


def block_3(m: int, seed: int) -> Diagnosis:
    """The class, against the gradient of the loss that it reports."""
    rng = np.random.default_rng(seed)
    tutorial = TutorialNetwork([2, 3, 1], rng)
    x, y = samples(tutorial.layer_sizes, m, rng)
    return diagnose(tutorial, reference_of(tutorial, "sigmoid"), x, y)


def tutorial(m: int, seed: int) -> None:
    """Print the diagnoses of the three blocks."""
    heading("The tutorial's block 1: the stand-alone function")
    print(block_1(m, seed))
    heading("The tutorial's block 2: the derivatives")
    for activation in DERIVATIVES:
        print(f"{activation}_derivative: {block_2(activation, m, seed).story}")
    heading("The tutorial's block 3: the class")
    print(block_3(m, seed), flush=True)


def heading(text: str) -> None:
    """A title with a line under it."""
    print(f"\n{text}\n{'=' * len(text)}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demonstration; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m demos.debug_my_backprop", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--samples", type=int, default=6, help="m, 2 or more (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers (default: %(default)s)")
    options = parser.parse_args(argv)
    if options.samples < 2:
        parser.error(f"--samples: expected 2 or more, as one sample hides the mean; got {options.samples}")
    if options.seed < 0:
        parser.error(f"--seed: expected 0 or more, got {options.seed}")
    right = learners_class(options.samples, options.seed)
    tutorial(options.samples, options.seed)
    print(f"\n{len(ROUNDS) - 1} mistakes named and mended; the three blocks of the tutorial diagnosed.")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
