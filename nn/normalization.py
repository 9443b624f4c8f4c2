"""Batch normalisation, forwards and backwards by hand.

Knows NumPy only. Ioffe & Szegedy 2015, "Batch normalization: accelerating deep network training by reducing
internal covariate shift". Each neuron's logits z, over the N samples of a batch, are brought to mean 0 and
variance 1, and then to the mean β and the spread γ that training finds for it:

    μ = Σ_n z_n / N        σ² = Σ_n (z_n - μ)² / N        s = (σ² + ε)^(-1/2)
    x̂_n = (z_n - μ) s      u_n = γ x̂_n + β

A single sample has no such statistics, so that a network in use takes running ones, gathered in training.
All arrays are (width, N), one row a neuron; μ, σ², s, γ, β are (width, 1). [γ | β] is one block (width, 2).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

EPSILON = 1e-5      # ε, and
MOMENTUM = 0.1      # the share of a new batch in the running statistics: both as in PyTorch


def batch_statistics(z: Array) -> tuple[Array, Array]:
    """Mean μ and variance σ² (width, 1) of logits z (width, N); the variance has the divisor N.

    >>> batch_statistics(np.array([[1.0, 3.0]]))
    (array([[2.]]), array([[1.]]))
    """
    samples = z.shape[1]
    mean: Array = np.add.reduce(z, axis=1, keepdims=True) / samples
    centred = z - mean
    variance: Array = np.add.reduce(centred * centred, axis=1, keepdims=True) / samples
    return mean, variance


def inverse_spread(variance: Array) -> Array:
    """The factor s = (σ² + ε)^(-1/2)."""
    spread: Array = 1.0 / np.sqrt(variance + EPSILON)
    return spread


def normalize(
    z: Array, mean: Array, variance: Array, gamma_beta: Array, normal: Array, out: Array
) -> None:
    """Write x̂ = (z - μ) s to `normal`, and u = γ x̂ + β to `out`.

    >>> normal, u = np.empty((1, 2)), np.empty((1, 2))
    >>> z = np.array([[1.0, 3.0]])
    >>> normalize(z, *batch_statistics(z), np.array([[2.0, 5.0]]), normal, u)
    >>> u.round(4)
    array([[3., 7.]])
    """
    np.subtract(z, mean, out=normal)
    normal *= inverse_spread(variance)
    np.multiply(normal, gamma_beta[:, :1], out=out)
    out += gamma_beta[:, 1:]


def normalize_backward(
    du: Array, normal: Array, variance: Array, gamma_beta: Array, d_gamma_beta: Array, constant: bool
) -> None:
    """Back through u = γ x̂ + β: writes [dγ | dβ] to `d_gamma_beta`, and turns du into dz in place.

    `normal` is x̂; it is used up. Each of γ and β meets every sample once:

        dγ = Σ_n du_n x̂_n      dβ = Σ_n du_n      dx̂_n = γ du_n

    Where μ and σ² are the running ones, they are `constant`, and dz = s dx̂. Those of the batch depend on
    every z: with Σ_n (z_n - μ) = 0, and z_n - μ = x̂_n / s,

        ∂μ/∂z_i = 1/N      ∂σ²/∂z_i = 2 (z_i - μ) / N      ∂s/∂z_i = -s³/2 · ∂σ²/∂z_i = -s² x̂_i / N
        ∂x̂_n/∂z_i = s (δ_ni - 1/N) + (z_n - μ) ∂s/∂z_i = s (δ_ni - 1/N - x̂_n x̂_i / N)

    Weighted by dx̂_n = γ du_n and summed over n:

        dz_i = γ s (du_i - Σ_n du_n / N - x̂_i Σ_n du_n x̂_n / N) = γ s (du_i - dβ / N - x̂_i dγ / N)

    what is left of du when its mean and its share along x̂ are taken away: neither shifting nor stretching
    all z of a neuron changes u (but for ε, which is in s).
    """
    samples = du.shape[1]
    d_gamma, d_beta = d_gamma_beta[:, :1], d_gamma_beta[:, 1:]
    np.einsum("in,in->i", du, normal, out=d_gamma[:, 0])
    np.add.reduce(du, axis=1, keepdims=True, out=d_beta)
    if not constant:
        normal *= d_gamma / samples
        du -= normal
        du -= d_beta / samples
    du *= gamma_beta[:, :1] * inverse_spread(variance)


def moved_towards(running: Array, batch: Array, samples: int, *, unbiased: bool) -> None:
    """Move running statistics (width, 1) a tenth of the way towards a batch's, in place.

    unbiased  for a variance: that of the batch is taken with the divisor N - 1, as PyTorch does

    >>> running = np.array([[1.0]])
    >>> moved_towards(running, np.array([[2.0]]), 4, unbiased=False)
    >>> running
    array([[1.1]])
    """
    running *= 1.0 - MOMENTUM
    running += MOMENTUM * (batch * (samples / (samples - 1)) if unbiased else batch)
