"""How large the terms are that a gradient is summed from: what rounding can blur, whatever the sum.

Where a network has learnt, p - y cancels, and the gradient that is left may be all rounding. Its own size
then says nothing of how truly it can be known; the size of the terms does. This room carries sizes through
the same two passes as `nn.network`, in NumPy, and knows the formulas alone.

Letters as there; s_a is the size of the terms in a, one for each of its entries: a is known to within a few
ε s_a, where ε is the spacing of floating-point numbers at 1. Two kinds of rounding meet in each sum:

    its own        at most that of all its terms together: Σ |W_ij a_j|
    what is carried  each a_j has its own, independent of the others': √(Σ (W_ij s_j)²)

The second is why sizes do not grow with depth as Σ |W_ij| s_j would: after ten layers that excuses anything.
Higham & Mary 2019, "A new approach to probabilistic rounding error analysis", has the reasoning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from nn.formulas import OUTPUTS

Array = npt.NDArray[np.float64]
WithSize = tuple[Array, Array]  # an array, and the size of the terms in each of its entries

# ∂g'(z)/∂a of the activations, whose slope g' the formulas take from a: what an error of a does to it
SLOPE_CHANGES: Mapping[str, Callable[[Array], Array]] = {
    "sigmoid": lambda a: 1.0 - 2.0 * a,     # of a (1 - a)
    "tanh": lambda a: -2.0 * a,             # of 1 - a²
    "relu": np.zeros_like,
    "linear": np.zeros_like,
}


class Network(Protocol):
    """What is asked of a network: the layers' arrays, the names of its formulas, and a forward pass."""

    activation_name: str
    output_name: str
    loss_name: str

    @property
    def weights(self) -> list[Array]: ...

    @property
    def biases(self) -> list[Array]: ...

    def forward(self, x: npt.ArrayLike) -> dict[str, Array]: ...


def gradient_terms(network: Network, x: Array, y: Array) -> dict[str, float]:
    """For each gradient array of the network, the size of the terms in its largest entry.

    >>> from nn import NeuralNetwork
    >>> network = NeuralNetwork([1, 1], "linear")
    >>> network.weights[0] = [[2.0]]
    >>> gradient_terms(network, np.array([[3.0]]), np.array([[6.0]]))      # of 2 (p - y): 2 (|Wx| + p + y)
    {'dW0': 108.0, 'db0': 36.0}
    """
    cache, top = network.forward(x), len(network.weights)
    names = [network.activation_name] * (top - 1) + [network.output_name]
    terms = {}
    with np.errstate(all="ignore"):
        layers = _forward_sizes(network, names, cache)
        dz = _output_error(network.loss_name, network.output_name, y, layers[top])
        for layer in reversed(range(top)):
            W, (a, s_a) = network.weights[layer], layers[layer]
            error, s_error = dz
            terms[f"dW{layer}"] = float(np.max(s_error @ np.abs(a).T + np.abs(error) @ s_a.T))
            terms[f"db{layer}"] = float(np.max(s_error.sum(axis=1)))
            if layer:
                da = W.T @ error, _carried(W.T, s_error) + np.abs(W).T @ np.abs(error)
                dz = _back_through(names[layer - 1], (a, s_a), da)
    return terms


def _forward_sizes(network: Network, names: list[str], cache: Mapping[str, Array]) -> list[WithSize]:
    """Every layer's activations with their sizes, x first, which is exact."""
    layers = [(cache["a0"], np.zeros_like(cache["a0"]))]
    for i, (W, b, name) in enumerate(zip(network.weights, network.biases, names, strict=True), start=1):
        below, s_below = layers[-1]
        s_z = np.abs(W) @ np.abs(below) + np.abs(b) + _carried(W, s_below)
        a = cache[f"a{i}"]
        carried = _softmax_sizes(a, s_z) if name == "softmax" else _slope(name, a) * s_z
        layers.append((a, carried + np.abs(a)))
    return layers


def _output_error(loss: str, output: str, y: Array, top: WithSize) -> WithSize:
    """The last layer's dz: at the top of each, p - y, whose terms are p and y."""
    p, s_p = top
    if loss == "mean_squared_error":
        return _back_through(output, top, (2.0 * (p - y) / p.size, 2.0 * (s_p + np.abs(y)) / p.size))
    if loss == "binary_cross_entropy":
        return (p - y) / p.size, (s_p + y) / p.size
    total = y.sum(axis=0)
    return (p * total - y) / p.shape[1], (s_p * total + y) / p.shape[1]


def _back_through(name: str, layer: WithSize, above: WithSize) -> WithSize:
    """From da to dz, through an activation or an output whose value is a."""
    (a, s_a), (da, s_da) = layer, above
    dz = OUTPUTS[name].backward(a, da)
    if name == "softmax":                   # dz = a (da - Σ a da)
        from_a = s_a * np.abs(da - (a * da).sum(axis=0)) + a * (s_a * np.abs(da)).sum(axis=0)
        return dz, _softmax_sizes(a, s_da) + from_a
    return dz, _slope(name, a) * s_da + np.abs(da * SLOPE_CHANGES[name](a)) * s_a


def _softmax_sizes(a: Array, sizes: Array) -> Array:
    """Through the softmax either way, as a_k (δ_kj - a_j) is both ∂a_k/∂z_j and ∂a_j/∂z_k."""
    through: Array = a * (sizes + (a * sizes).sum(axis=0))
    return through


def _carried(W: Array, sizes: Array) -> Array:
    """√(Σ (W_ij s_j)²) for each column of sizes; scaled, for the square of 1e-200 is 0."""
    largest = np.maximum(sizes.max(axis=0), np.finfo(float).tiny)
    through: Array = largest * np.sqrt((W * W) @ (sizes / largest) ** 2)
    return through


def _slope(name: str, a: Array) -> Array:
    return np.abs(OUTPUTS[name].backward(a, np.ones_like(a)))
