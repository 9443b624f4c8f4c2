"""Activations and losses in NumPy, with their derivatives worked out by hand.

The formulas of the independent witness, `nn.network`: they know NumPy and never `autograd`, whose
table of primitives states the same mathematics in other words.

Letters: z logits, a = g(z) activations, p predictions and y targets, all (width, N), one column a
sample; dz stands for ∂loss/∂z. Call them under np.errstate(all="ignore"): arithmetic never raises.
Each writes where it is told, so that a step of training needs no new memory.
"""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

SQRT_HALF = math.sqrt(0.5)
NORMAL = 1.0 / math.sqrt(2.0 * math.pi)     # the normal density is NORMAL · e^{-z²/2}
LEAK = 0.01                                 # what leaky_relu lets through below 0


class Activation(NamedTuple):
    """a = g(z), and the way back through it.

    value     (z, out): writes g(z) to `out`
    backward  (z, a, da): turns da into dz = da ⊙ g'(z) in place; z is used up, as room to work in
    """

    value: Callable[[Array, Array], object]
    backward: Callable[[Array, Array, Array], object]

    def of(self, z: Array) -> Array:
        """g(z), as a new array."""
        a = np.empty_like(z)
        self.value(z, a)
        return a

    def slope(self, z: Array) -> Array:
        """g'(z), as a new array; the softmax has none."""
        slope = np.where(np.isnan(z), z, np.ones_like(z))       # a nan comes back as one
        self.backward(z.copy(), self.of(z), slope)
        return slope


def beside_zero(choose: np.ufunc, z: Array, out: Array) -> None:
    """The maximum or minimum of z and 0: beside an array either takes a third of its time beside a number."""
    out.fill(0.0)
    choose(z, out, out=out)


def minus_size(z: Array, out: Array) -> None:
    """-|z|, in a third of the time of a copysign."""
    np.abs(z, out=out)
    np.negative(out, out=out)


def sigmoid(z: Array, out: Array) -> None:
    """1 / (1 + e⁻ᶻ) for z >= 0 and eᶻ / (1 + eᶻ) below: neither exponential can overflow.

    >>> a = np.empty(3)
    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]), out=a)
    >>> a
    array([0. , 0.5, 1. ])
    """
    above = np.empty_like(z)
    beside_zero(np.minimum, z, above)
    np.exp(above, out=above)
    minus_size(z, out)
    np.exp(out, out=out)
    out += 1.0
    np.divide(above, out, out=out)


def sigmoid_backward(z: Array, a: Array, da: Array) -> None:
    """The slope: g' = e⁻ᶻ / (1 + e⁻ᶻ)² = a (1 - a)."""
    np.subtract(1.0, a, out=z)
    z *= a
    da *= z


def linear_backward(z: Array, a: Array, da: Array) -> None:
    """The slope: g' = 1."""


def relu(z: Array, out: Array) -> None:
    """max(z, 0), nan for nan."""
    beside_zero(np.maximum, z, out)
    out += 0.0                          # which zero maximum(-0.0, 0.0) is depends on the processor


def relu_backward(z: Array, a: Array, da: Array) -> None:
    """The slope is 1 above 0 and 0 from there down. Where a is nan, da is."""
    np.copyto(z, a > 0.0)
    da *= z


def leaky_relu(z: Array, out: Array) -> None:
    """Of z above 0 itself, 0.01 z below: the larger of the two. Maas, Hannun & Ng 2013."""
    np.multiply(z, LEAK, out=out)
    np.maximum(z, out, out=out)


def leaky_relu_backward(z: Array, a: Array, da: Array) -> None:
    """The slope is 1 above 0 and 0.01 from there down, nan for nan; a has the sign of z."""
    np.sign(a, out=z)
    np.maximum(z, LEAK, out=z)
    da *= z


def tanh_backward(z: Array, a: Array, da: Array) -> None:
    """The slope: g' = 1 / cosh² z = 1 - a²."""
    np.multiply(a, a, out=z)
    np.subtract(1.0, z, out=z)
    da *= z


def elu(z: Array, out: Array) -> None:
    """Of z above 0 itself, eᶻ - 1 below. Clevert, Unterthiner & Hochreiter 2016, with scale 1."""
    above = np.empty_like(z)
    beside_zero(np.maximum, z, above)
    beside_zero(np.minimum, z, out)
    np.expm1(out, out=out)
    out += above


def elu_backward(z: Array, a: Array, da: Array) -> None:
    """The slope is 1 above 0, and eᶻ = a + 1 below."""
    beside_zero(np.minimum, a, z)
    z += 1.0
    da *= z


def gelu(z: Array, out: Array) -> None:
    """The product z Φ(z), Φ the normal distribution's share below z. Hendrycks & Gimpel 2016, exact.

    >>> a = np.empty(3)
    >>> gelu(np.array([-40.0, 0.0, 40.0]), out=a)
    >>> a
    array([-0.,  0., 40.])
    """
    np.multiply(z, normal_share(z), out=out)


def gelu_backward(z: Array, a: Array, da: Array) -> None:
    """The slope: g' = Φ(z) + z φ(z), as Φ' is the density φ(z) = e^{-z²/2} / √(2π)."""
    slope = z * z
    slope *= -0.5
    np.exp(slope, out=slope)
    slope *= NORMAL
    slope *= z
    slope += normal_share(z)
    da *= slope


def normal_share(z: Array) -> Array:
    """Φ(z) = erfc(-z / √2) / 2: the complement keeps the digits where Φ is small."""
    share: Array = 0.5 * complementary_error(-SQRT_HALF * z)
    return share


def complementary_error(x: Array) -> Array:
    """erfc, which NumPy lacks: SciPy's where SciPy is installed, else Python's for each entry."""
    try:
        from scipy.special import erfc
    except ImportError:
        erfc = np.frompyfunc(math.erfc, 1, 1)
    return np.asarray(erfc(x), dtype=x.dtype)


def silu(z: Array, out: Array) -> None:
    """The product z σ(z), also called swish. Elfwing, Uchibe & Doya 2018."""
    sigmoid(z, out)
    out *= z


def silu_backward(z: Array, a: Array, da: Array) -> None:
    """The slope: g' = σ + z σ (1 - σ) = σ + a (1 - σ)."""
    share = np.empty_like(z)
    sigmoid(z, share)
    np.subtract(1.0, share, out=z)
    z *= a
    z += share
    da *= z


def softplus(z: Array, out: Array) -> None:
    """log(1 + eᶻ) = max(z, 0) + log(1 + e^{-|z|}): the exponential cannot overflow."""
    above = np.empty_like(z)
    beside_zero(np.maximum, z, above)
    minus_size(z, out)
    np.exp(out, out=out)
    np.log1p(out, out=out)
    out += above


def softplus_backward(z: Array, a: Array, da: Array) -> None:
    """The slope: g' = σ(z) = 1 - 1 / (1 + eᶻ) = 1 - e⁻ᵃ."""
    np.negative(a, out=z)
    np.expm1(z, out=z)
    np.negative(z, out=z)
    da *= z


def softmax(z: Array, out: Array) -> None:
    """e^{z_k} / Σ_j e^{z_j} down each column, shifted by its maximum so that no exponential overflows.

    >>> a = np.empty((2, 1))
    >>> softmax(np.array([[1000.0], [1000.0]]), out=a)
    >>> a
    array([[0.5],
           [0.5]])
    """
    np.subtract(z, np.maximum.reduce(z), out=out)
    np.exp(out, out=out)
    out /= np.add.reduce(out)


def softmax_backward(z: Array, a: Array, da: Array) -> None:
    """Back through the softmax: dz = a (da - Σ_k a_k da_k), down each column.

    From ∂a_k/∂z_j = a_k (δ_kj - a_j):  dz_j = Σ_k da_k a_k (δ_kj - a_j) = a_j (da_j - Σ_k a_k da_k).

    >>> dz = np.array([[1.0], [0.0]])
    >>> softmax_backward(np.empty((2, 1)), np.array([[0.5], [0.5]]), dz)
    >>> dz
    array([[ 0.25],
           [-0.25]])
    """
    np.multiply(a, da, out=z)
    da -= np.add.reduce(z)
    da *= a


ACTIVATIONS: Mapping[str, Activation] = {
    "sigmoid": Activation(sigmoid, sigmoid_backward),
    "relu": Activation(relu, relu_backward),
    "tanh": Activation(np.tanh, tanh_backward),
    "linear": Activation(np.positive, linear_backward),
    "leaky_relu": Activation(leaky_relu, leaky_relu_backward),
    "elu": Activation(elu, elu_backward),
    "gelu": Activation(gelu, gelu_backward),
    "silu": Activation(silu, silu_backward),
    "softplus": Activation(softplus, softplus_backward),
}
OUTPUTS: Mapping[str, Activation] = {**ACTIVATIONS, "softmax": Activation(softmax, softmax_backward)}
