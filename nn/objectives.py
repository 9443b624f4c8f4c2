"""Losses in NumPy, with their gradients worked out by hand, and how they are summed over a batch.

The other half of the independent witness's formulas: as `nn.formulas`, this room knows NumPy and never
`autograd`. Letters as there; y targets and p predictions are (out, N), one column a sample.

A loss is a sum of terms, one for each entry of p; those of the cross-entropy are shares, which add up to one
term a sample. Its reduction makes one number of them, t_kn being the terms of sample n and w_n its weight,
1 unless given:

    "sum"    Σ w_n t_kn                    "mean"    Σ w_n t_kn / Σ w_n   over all terms, k and n

so that a weight of 2 is a sample met twice. Each is linear in the terms: the gradient is the terms' own,
times w_n, and divided by the same number.
"""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nn.formulas import beside_zero, minus_size, sigmoid

Array = npt.NDArray[np.float64]

SMALLEST = {np.dtype(kind).itemsize: float(np.finfo(kind).tiny) for kind in (np.float32, np.float64)}


class Loss(NamedTuple):
    """A loss's terms, and their gradient: by the predictions or, where it is computed with an output, by z.

    terms       (y, p) -> (out, N)
    gradient    (y, p, out): writes each entry's derivative, of the sum of its sample's terms, to `out`
    output      the one activation of the last layer that this loss is for; None: any
    of_pass     (y, z, p) -> the terms, also from the logits of that output, whose exponentials they undo:
                finite wherever z is. Where there is such a function, `gradient` is by z
    per_sample  whether a sample's entries are shares of one term
    """

    terms: Callable[[Array, Array], Array]
    gradient: Callable[[Array, Array, Array], object]
    output: str | None = None
    of_pass: Callable[[Array, Array, Array], Array] | None = None
    per_sample: bool = False

    def reduced_gradient(
        self, y: Array, p: Array, reduction: str, weights: Array | None = None, out: Array | None = None
    ) -> Array:
        """The gradient (out, N) of the loss as `reduced` gives it, by the predictions or by z."""
        dz = np.empty_like(p) if out is None else out
        self.gradient(y, p, dz)
        reduce_gradient(dz, 1 if self.per_sample else len(p), reduction, weights)
        return dz


def reduced(
    terms: Array, reduction: str, weights: Array | None = None, *, per_sample: bool = False
) -> float:
    """The loss, of terms (out, N) and weights (N,); whether a sample's are shares of one term.

    >>> terms = np.array([[1.0, 4.0]])
    >>> reduced(terms, "mean"), reduced(terms, "sum"), reduced(terms, "mean", np.array([1.0, 2.0]))
    (2.5, 5.0, 3.0)
    """
    if weights is not None:
        terms = terms * weights
    total = float(np.add.reduce(terms, axis=None))
    if reduction == "sum":
        return total
    return total / _divisor(1 if per_sample else len(terms), terms.shape[1], weights)


def reduce_gradient(dz: Array, terms: int, reduction: str, weights: Array | None = None) -> None:
    """The same for the terms' gradient dz (out, N), in place; `terms` is how many a sample has."""
    if weights is not None:
        dz *= weights
    if reduction == "mean":
        dz /= _divisor(terms, dz.shape[1], weights)


def _divisor(terms: int, samples: int, weights: Array | None) -> float:
    """How many terms count; 1 where none does, of which the mean is 0."""
    return terms * (samples if weights is None else float(weights.sum())) or 1.0


def squared_error(y: Array, p: Array) -> Array:
    """(p - y)² for each entry."""
    difference = p - y
    difference *= difference
    return difference


def squared_error_gradient(y: Array, p: Array, out: Array) -> None:
    """2 (p - y)."""
    np.subtract(p, y, out=out)
    out *= 2.0


def absolute_error(y: Array, p: Array) -> Array:
    """|p - y| for each entry."""
    difference = p - y
    return np.abs(difference, out=difference)


def absolute_error_gradient(y: Array, p: Array, out: Array) -> None:
    """The sign of p - y; 0 at 0, where any slope from -1 to 1 would do."""
    np.subtract(p, y, out=out)
    np.sign(out, out=out)


def huber(y: Array, p: Array) -> Array:
    """(p - y)² / 2 where |p - y| <= 1, and |p - y| - ½ beyond: Huber 1964, with δ = 1.

    With d = p - y and c the same cut off at ±1, both are c (d - c / 2).

    >>> huber(np.zeros((1, 3)), np.array([[0.5, 1.0, -3.0]]))
    array([[0.125, 0.5  , 2.5  ]])
    """
    difference = p - y
    cut = _cut(difference, np.empty_like(difference))
    difference -= 0.5 * cut
    difference *= cut
    return difference


def huber_gradient(y: Array, p: Array, out: Array) -> None:
    """The difference p - y, cut off at ±1."""
    np.subtract(p, y, out=out)
    _cut(out, out)


def _cut(difference: Array, out: Array) -> Array:
    np.minimum(difference, 1.0, out=out)
    return np.maximum(out, -1.0, out=out)


def hinge(y: Array, p: Array) -> Array:
    """max(0, 1 - y p) for each entry, with targets y of -1 and +1.

    >>> hinge(np.array([[1.0, -1.0, 1.0]]), np.array([[3.0, 0.0, 0.5]]))
    array([[0. , 1. , 0.5]])
    """
    margin = 1.0 - y * p
    terms = np.empty_like(margin)
    beside_zero(np.maximum, margin, terms)
    return terms


def hinge_gradient(y: Array, p: Array, out: Array) -> None:
    """-y where y p < 1, and 0 from there on: y times the sign of y p - 1 where that is below 0."""
    np.multiply(y, p, out=out)
    out -= 1.0
    np.sign(out, out=out)
    np.minimum(out, 0.0, out=out)
    out *= y


def binary_cross_entropy(y: Array, p: Array) -> Array:
    """-y log p - (1 - y) log(1 - p) for each entry."""
    return _expected(y, -np.log(p)) + _expected(1.0 - y, -np.log1p(-p))


def binary_cross_entropy_of_logits(y: Array, z: Array) -> Array:
    """The same for p = σ(z).

    -log σ(z) = log(1 + e⁻ᶻ) and -log(1 - σ(z)) = z + log(1 + e⁻ᶻ), so an entry's loss is
    log(1 + e⁻ᶻ) + (1 - y) z = max(z, 0) - y z + log(1 + e^{-|z|}).

    >>> binary_cross_entropy_of_logits(np.array([[1.0]]), np.array([[-1000.0]]))
    array([[1000.]])
    """
    terms, loss = np.empty_like(z), np.empty_like(z)
    minus_size(z, terms)
    np.exp(terms, out=terms)
    np.log1p(terms, out=terms)
    beside_zero(np.maximum, z, loss)
    loss -= y * z                       # before the small logarithm is added: it would be rounded away
    loss += terms
    return loss


def binary_cross_entropy_gradient(y: Array, p: Array, out: Array) -> None:
    """By the logits: dz = p - y.

    An entry's loss log(1 + e⁻ᶻ) + (1 - y) z has the derivative -e⁻ᶻ / (1 + e⁻ᶻ) + 1 - y = σ(z) - y.
    """
    np.subtract(p, y, out=out)


def binary_cross_entropy_with_logits_gradient(y: Array, p: Array, out: Array) -> None:
    """The same where the predictions are the logits: σ(p) - y."""
    sigmoid(p, out)
    out -= y


def cross_entropy(y: Array, p: Array) -> Array:
    """-y_k log p_k for each entry, which add up over k.

    >>> cross_entropy(np.array([[1.0], [0.0]]), np.array([[0.5], [0.5]])).round(6)
    array([[0.693147],
           [0.      ]])
    """
    return _expected(y, -np.log(p))


def cross_entropy_of_logits(y: Array, z: Array) -> Array:
    """The same for p = softmax(z): -log p_k = log Σ_j e^{z_j - m} - (z_k - m), m the column's maximum.

    >>> cross_entropy_of_logits(np.array([[0.0], [1.0]]), np.array([[1000.0], [0.0]]))
    array([[   0.],
           [1000.]])
    """
    surprise = np.maximum.reduce(z) - z
    surprise += np.log(np.add.reduce(np.exp(-surprise)))
    return _expected(y, surprise)


def cross_entropy_of_pass(y: Array, z: Array, p: Array) -> Array:
    """The same from p where that has all its digits, which takes half the time, and else from z."""
    if not np.minimum.reduce(p, axis=None) > SMALLEST[p.itemsize]:      # 0, rounded, or nan
        return cross_entropy_of_logits(y, z)
    terms = np.log(p)
    np.subtract(0.0, terms, out=terms)          # 0 for a certainty, which its negative would make -0
    terms *= y
    return terms


def cross_entropy_gradient(y: Array, p: Array, out: Array) -> None:
    """By the logits: dz = p Σ_k y_k - y.

    ∂(log Σ_j e^{z_j} - z_k)/∂z_i = p_i - δ_ki, which is weighted by y_k and summed over k.
    """
    np.multiply(p, np.add.reduce(y), out=out)
    out -= y


def _expected(y: Array, surprise: Array) -> Array:
    """The product y · -log p, where 0 · ∞ is 0: what is not expected may be impossible."""
    product = y * surprise
    if math.isnan(np.vdot(product, product)):
        product[(y == 0.0) & np.isinf(surprise)] = 0.0
    return product


LOSSES: Mapping[str, Loss] = {
    "mean_squared_error": Loss(squared_error, squared_error_gradient),
    "mean_absolute_error": Loss(absolute_error, absolute_error_gradient),
    "huber": Loss(huber, huber_gradient),
    "hinge": Loss(hinge, hinge_gradient, output="linear"),
    "binary_cross_entropy": Loss(
        binary_cross_entropy,
        binary_cross_entropy_gradient,
        output="sigmoid",
        of_pass=lambda y, z, p: binary_cross_entropy_of_logits(y, z),
    ),
    "binary_cross_entropy_with_logits": Loss(
        binary_cross_entropy_of_logits, binary_cross_entropy_with_logits_gradient, output="linear"
    ),
    "cross_entropy": Loss(
        cross_entropy,
        cross_entropy_gradient,
        output="softmax",
        of_pass=cross_entropy_of_pass,
        per_sample=True,
    ),
}
