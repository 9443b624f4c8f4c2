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
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from nn.dropout import Masks
from nn.formulas import NORMAL, OUTPUTS
from nn.normalization import inverse_spread
from nn.objectives import LOSSES, reduce_gradient
from nn.parameters import LayerArrays
from nn.penalties import L1, L2

Array = npt.NDArray[np.float64]
WithSize = tuple[Array, Array]  # an array, and the size of the terms in each of its entries


_share = OUTPUTS["sigmoid"]

# What an error does to a slope g'(z): of an error of a, ∂g'/∂a, where the formulas take the slope from a ...
SLOPE_CHANGES: Mapping[str, Callable[[Array], Array]] = {
    "sigmoid": lambda a: 1.0 - 2.0 * a,             # of a (1 - a)
    "tanh": lambda a: -2.0 * a,                     # of 1 - a²
    "relu": np.zeros_like,
    "linear": np.zeros_like,
    "leaky_relu": np.zeros_like,
    "elu": lambda a: np.where(a < 0, 1.0, 0.0),     # of a + 1 below 0
    "softplus": lambda a: np.exp(-a),               # of 1 - e⁻ᵃ
}

# ... and of an error of z, g''(z), where they take it from z.
CURVATURES: Mapping[str, Callable[[Array], Array]] = {
    "gelu": lambda z: NORMAL * np.exp(-0.5 * z * z) * (2.0 - z * z),    # of Φ + z φ, as φ' = -z φ
    "silu": lambda z: _share.of(z) * (1.0 - _share.of(z)) * (2.0 + z * (1.0 - 2.0 * _share.of(z))),
}

# The size of the terms in a loss's gradient, from y, p and the size of p. A sign is exact.
LOSS_SIZES: Mapping[str, Callable[[Array, Array, Array], Array]] = {
    "mean_squared_error": lambda y, p, s_p: 2.0 * (s_p + np.abs(y)),
    "mean_absolute_error": lambda y, p, s_p: np.ones_like(p),
    "huber": lambda y, p, s_p: np.where(np.abs(p - y) <= 1.0, s_p + np.abs(y), 1.0),
    "hinge": lambda y, p, s_p: np.abs(y),
    "binary_cross_entropy": lambda y, p, s_p: s_p + y,
    "binary_cross_entropy_with_logits": lambda y, p, s_p: _share.of(p) + _share.slope(p) * s_p + y,
    "cross_entropy": lambda y, p, s_p: s_p * y.sum(axis=0) + y,
}


class Layer(NamedTuple):
    """What a pass gave at one layer: a, after dropout; and u, before the activation and it, which is z where
    there is no normalisation, of x̂ otherwise.
    """

    a: WithSize
    u: WithSize
    normal: WithSize
    spread: WithSize        # 1 / σ, for each neuron


class Network(Protocol):
    """What is asked of a network: its arrays, the names of its formulas, and a forward pass."""

    loss_name: str
    reduction: str
    penalties: list[L1 | L2]
    penalise_biases: bool

    @property
    def weights(self) -> LayerArrays: ...

    @property
    def biases(self) -> LayerArrays: ...

    @property
    def gammas(self) -> LayerArrays: ...

    @property
    def betas(self) -> LayerArrays: ...

    def activation_names(self) -> list[str]: ...

    def forward(
        self, x: npt.ArrayLike, masks: Masks | None = None, *, training: bool = False
    ) -> dict[str, Array]: ...


def gradient_terms(
    network: Network, x: Array, y: Array, *, weights: Array | None = None, masks: Masks | None = None
) -> dict[str, float]:
    """For each gradient array of the network's loss_and_gradient, the size of the terms in its largest entry.

    >>> from nn import NeuralNetwork
    >>> network = NeuralNetwork([1, 1], "linear")
    >>> network.weights[0] = [[2.0]]
    >>> gradient_terms(network, np.array([[3.0]]), np.array([[6.0]]))      # of 2 (p - y): 2 (|Wx| + p + y)
    {'dW0': 108.0, 'db0': 36.0}
    """
    names, terms = network.activation_names(), {}
    cache = network.forward(x, masks, training=bool(network.gammas))
    with np.errstate(all="ignore"):
        passed = _forward_sizes(network, names, cache)
        dz = _output_error(network, names[-1], y, weights, passed[-1])
        for layer in reversed(range(len(names))):
            W, (a, s_a) = network.weights[layer], passed[layer].a
            error, s_error = dz
            s_W = s_error @ np.abs(a).T + np.abs(error) @ s_a.T + _penalty_sizes(network, W)
            s_b = s_error.sum(axis=1, keepdims=True)
            if network.penalise_biases:
                s_b += _penalty_sizes(network, network.biases[layer])
            terms[f"dW{layer}"], terms[f"db{layer}"] = float(np.max(s_W)), float(np.max(s_b))
            if layer:
                da = W.T @ error, _carried(W.T, s_error) + np.abs(W).T @ np.abs(error)
                if (mask := cache.get(f"mask{layer}")) is not None:
                    da = da[0] * mask, da[1] * mask
                dz = _back_through(names[layer - 1], passed[layer], da)
                if network.gammas:
                    dz, found = _back_through_norm(network.gammas[layer - 1], passed[layer], dz)
                    terms[f"dgamma{layer - 1}"], terms[f"dbeta{layer - 1}"] = found
    return terms


def _penalty_sizes(network: Network, array: Array) -> Array:
    """Of the penalties' slopes at weights, or at biases that are penalised, too."""
    sizes = np.zeros(array.size)
    for penalty in network.penalties:
        sizes += np.abs(penalty.value_and_gradient(array.ravel(), np.ones(array.size))[1])
    return sizes.reshape(array.shape)


def _forward_sizes(network: Network, names: list[str], cache: Mapping[str, Array]) -> list[Layer]:
    """Every layer of a pass, x first, which is exact."""
    x, none = cache["a0"], np.empty((0, 0))
    nothing = none, none
    layers = [Layer((x, np.zeros_like(x)), nothing, nothing, nothing)]
    for i, (W, b, name) in enumerate(zip(network.weights, network.biases, names, strict=True), start=1):
        below, s_below = layers[-1].a
        u: WithSize = cache[f"z{i}"], np.abs(W) @ np.abs(below) + np.abs(b) + _carried(W, s_below)
        normal = spread = nothing
        if f"mean{i}" in cache:
            normal, spread = _normal_sizes(u, cache[f"mean{i}"], cache[f"variance{i}"])
            gamma, beta = np.abs(network.gammas[i - 1]), np.abs(network.betas[i - 1])
            u = cache[f"u{i}"], gamma * (normal[1] + np.abs(normal[0])) + beta
        mask = cache.get(f"mask{i}", np.ones(()))
        a = cache[f"a{i}"]
        carried = _softmax_sizes(a, u[1]) if name == "softmax" else np.abs(OUTPUTS[name].slope(u[0])) * u[1]
        layers.append(Layer((a, carried * mask + np.abs(a)), u, normal, spread))
    return layers


def _normal_sizes(z: WithSize, mean: Array, variance: Array) -> tuple[WithSize, WithSize]:
    """Those of x̂ = (z - μ) s, and of s, which is as well known as the typical z - μ, relatively."""
    s = inverse_spread(variance)
    normal, s_z = (z[0] - mean) * s, z[1] + np.abs(mean)
    s_s = s * (1.0 + s * np.sqrt((s_z * s_z).mean(axis=1, keepdims=True)))
    return (normal, s * s_z + np.abs(normal) * s_s / s), (s, s_s)


def _output_error(
    network: Network, output: str, y: Array, weights: Array | None, top: Layer
) -> WithSize:
    """The last layer's dz: at the top of most, p - y, whose terms are p and y."""
    loss, (p, s_p) = LOSSES[network.loss_name], top.a
    error = loss.reduced_gradient(y, p, network.reduction, weights)
    size = LOSS_SIZES[network.loss_name](y, p, s_p)
    reduce_gradient(size, 1 if loss.per_sample else len(p), network.reduction, weights)
    return (error, size) if loss.of_pass is not None else _back_through(output, top, (error, size))


def _back_through(name: str, layer: Layer, above: WithSize) -> WithSize:
    """From da to dz, through an activation or an output."""
    (u, s_u), (da, s_da) = layer.u, above
    if name == "softmax":                   # dz = a (da - Σ a da)
        a, s_a = layer.a
        dz = da.copy()
        OUTPUTS[name].backward(u.copy(), a, dz)
        from_a = s_a * np.abs(da - (a * da).sum(axis=0)) + a * (s_a * np.abs(da)).sum(axis=0)
        return dz, _softmax_sizes(a, s_da) + from_a
    slope = OUTPUTS[name].slope(u)
    if name in CURVATURES:
        change = np.abs(CURVATURES[name](u)) * s_u
    else:
        a = OUTPUTS[name].of(u)             # before any dropout
        change = np.abs(SLOPE_CHANGES[name](a)) * (np.abs(slope) * s_u + np.abs(a))
    return slope * da, np.abs(slope) * s_da + np.abs(da) * change


def _back_through_norm(gamma: Array, layer: Layer, above: WithSize) -> tuple[WithSize, tuple[float, float]]:
    """From du to dz = γ s (du - dβ / N - x̂ dγ / N), with the sizes of the largest of dγ and of dβ."""
    (du, s_du), (normal, s_normal), (s, s_s) = above, layer.normal, layer.spread
    samples = du.shape[1]
    t_gamma = (s_du * np.abs(normal) + np.abs(du) * s_normal).sum(axis=1, keepdims=True)
    t_beta = s_du.sum(axis=1, keepdims=True)
    d_gamma, d_beta = (du * normal).sum(axis=1, keepdims=True), du.sum(axis=1, keepdims=True)
    inner = du - (d_beta + normal * d_gamma) / samples
    size = s_du + (t_beta + np.abs(normal) * t_gamma + s_normal * np.abs(d_gamma)) / samples
    dz = gamma * s * inner, np.abs(gamma) * (s * size + s_s * np.abs(inner))
    return dz, (float(t_gamma.max()), float(t_beta.max()))


def _softmax_sizes(a: Array, sizes: Array) -> Array:
    """Through the softmax either way, as a_k (δ_kj - a_j) is both ∂a_k/∂z_j and ∂a_j/∂z_k."""
    through: Array = a * (sizes + (a * sizes).sum(axis=0))
    return through


def _carried(W: Array, sizes: Array) -> Array:
    """√(Σ (W_ij s_j)²) for each column of sizes; scaled, for the square of 1e-200 is 0."""
    largest = np.maximum(sizes.max(axis=0), np.finfo(float).tiny)
    through: Array = largest * np.sqrt((W * W) @ (sizes / largest) ** 2)
    return through
