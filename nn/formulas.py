"""Activations and losses in NumPy, with their derivatives worked out by hand.

The formulas of the independent witness, `nn.network`: they know NumPy and never `autograd`, whose
table of primitives states the same mathematics in other words.

Letters: z logits, a = g(z) activations, p predictions and y targets, all (width, N), one column a
sample; dz stands for ∂loss/∂z. Call them under np.errstate(all="ignore"): arithmetic never raises.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


class Activation(NamedTuple):
    """a = g(z), and the way back through it: dz as a function of a and da."""

    value: Callable[[Array], Array]
    backward: Callable[[Array, Array], Array]


def sigmoid(z: Array) -> Array:
    """1 / (1 + e⁻ᶻ) for z >= 0 and eᶻ / (1 + eᶻ) below: neither exponential can overflow.

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    return np.exp(np.minimum(z, 0.0)) / (1.0 + np.exp(-np.abs(z)))


def relu(z: Array) -> Array:
    """max(z, 0), nan for nan.

    >>> relu(np.array([-1.0, 2.0]))
    array([0., 2.])
    """
    return np.maximum(z, 0.0) + 0.0     # which zero maximum(-0.0, 0.0) is depends on the processor


def softmax(z: Array) -> Array:
    """e^{z_k} / Σ_j e^{z_j} down each column, shifted by its maximum so that no exponential overflows.

    >>> softmax(np.array([[1000.0], [1000.0]]))
    array([[0.5],
           [0.5]])
    """
    e = np.exp(z - z.max(axis=0))
    a: Array = e / e.sum(axis=0)
    return a


def softmax_backward(a: Array, da: Array) -> Array:
    """Back through the softmax: dz = a (da - Σ_k a_k da_k), down each column.

    From ∂a_k/∂z_j = a_k (δ_kj - a_j):  dz_j = Σ_k da_k a_k (δ_kj - a_j) = a_j (da_j - Σ_k a_k da_k).

    >>> softmax_backward(np.array([[0.5], [0.5]]), np.array([[1.0], [0.0]]))
    array([[ 0.25],
           [-0.25]])
    """
    dz: Array = a * (da - (a * da).sum(axis=0))
    return dz


ACTIVATIONS: Mapping[str, Activation] = {
    "sigmoid": Activation(sigmoid, lambda a, da: da * (a * (1.0 - a))),     # e⁻ᶻ / (1 + e⁻ᶻ)² = a (1 - a)
    "relu": Activation(relu, lambda a, da: da * np.sign(a)),                # 1 above 0, 0 at 0, nan for nan
    "tanh": Activation(np.tanh, lambda a, da: da * (1.0 - a * a)),          # 1 / cosh² z = 1 - a²
    "linear": Activation(np.positive, lambda a, da: da),
}
OUTPUTS: Mapping[str, Activation] = {**ACTIVATIONS, "softmax": Activation(softmax, softmax_backward)}


# Losses of targets y and predictions p, both (out, N). A cross-entropy belongs to one output, whose
# exponentials it undoes: computed from the logits z it is finite wherever z is.


class Loss(NamedTuple):
    """A loss and its gradient: by the predictions, or, where it belongs to an output, by the logits."""

    value: Callable[[Array, Array], float]
    gradient: Callable[[Array, Array], Array]
    output: str | None = None
    of_logits: Callable[[Array, Array], float] | None = None


def mean_squared_error(y: Array, p: Array) -> float:
    """Mean of (y - p)² over all entries.

    >>> mean_squared_error(np.array([[0.0, 1.0]]), np.array([[0.5, 1.0]]))
    0.125
    """
    return float(np.mean((y - p) ** 2))


def mean_squared_error_gradient(y: Array, p: Array) -> Array:
    """Its gradient by the predictions, dp = 2 (p - y) / (out N)."""
    return (p - y) * (2.0 / p.size)


def binary_cross_entropy(y: Array, p: Array) -> float:
    """Mean of -y log p - (1 - y) log(1 - p) over all entries.

    >>> round(binary_cross_entropy(np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])), 6)
    0.693147
    """
    return float(np.mean(_weighted(y, -np.log(p)) + _weighted(1.0 - y, -np.log1p(-p))))


def binary_cross_entropy_of_logits(y: Array, z: Array) -> float:
    """The same for p = σ(z).

    -log σ(z) = log(1 + e⁻ᶻ) and -log(1 - σ(z)) = z + log(1 + e⁻ᶻ), so an entry's loss is
    log(1 + e⁻ᶻ) + (1 - y) z = max(z, 0) - y z + log(1 + e^{-|z|}).

    >>> binary_cross_entropy_of_logits(np.array([[1.0]]), np.array([[-1000.0]]))
    1000.0
    """
    return float(np.mean(np.maximum(z, 0.0) - y * z + np.log1p(np.exp(-np.abs(z)))))


def binary_cross_entropy_gradient(y: Array, p: Array) -> Array:
    """Its gradient by the logits, dz = (p - y) / (out N).

    An entry's loss log(1 + e⁻ᶻ) + (1 - y) z has the derivative -e⁻ᶻ / (1 + e⁻ᶻ) + 1 - y = σ(z) - y.
    """
    return (p - y) / p.size


def cross_entropy(y: Array, p: Array) -> float:
    """Mean over samples of -Σ_k y_k log p_k.

    >>> round(cross_entropy(np.array([[1.0], [0.0]]), np.array([[0.5], [0.5]])), 6)
    0.693147
    """
    return float(np.mean(np.sum(_weighted(y, -np.log(p)), axis=0)))


def cross_entropy_of_logits(y: Array, z: Array) -> float:
    """The same for p = softmax(z): -log p_k = log Σ_j e^{z_j - m} - (z_k - m), m the column's maximum.

    >>> cross_entropy_of_logits(np.array([[0.0], [1.0]]), np.array([[1000.0], [0.0]]))
    1000.0
    """
    shifted = z - z.max(axis=0)
    surprise = np.log(np.exp(shifted).sum(axis=0)) - shifted
    return float(np.mean(np.sum(_weighted(y, surprise), axis=0)))


def cross_entropy_gradient(y: Array, p: Array) -> Array:
    """Its gradient by the logits, dz = (p Σ_k y_k - y) / N.

    ∂(log Σ_j e^{z_j} - z_k)/∂z_i = p_i - δ_ki, which is weighted by y_k and summed over k.
    """
    dz: Array = (p * y.sum(axis=0) - y) / p.shape[1]
    return dz


def _weighted(y: Array, surprise: Array) -> Array:
    """The product y · -log p, where 0 · ∞ is 0: what is not expected may be impossible."""
    return np.where((y == 0.0) & np.isinf(surprise), 0.0, y * surprise)


LOSSES: Mapping[str, Loss] = {
    "mean_squared_error": Loss(mean_squared_error, mean_squared_error_gradient),
    "binary_cross_entropy": Loss(
        binary_cross_entropy, binary_cross_entropy_gradient, "sigmoid", binary_cross_entropy_of_logits
    ),
    "cross_entropy": Loss(cross_entropy, cross_entropy_gradient, "softmax", cross_entropy_of_logits),
}
