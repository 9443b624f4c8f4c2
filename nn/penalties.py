"""Penalties on large weights, to be added to a loss.

Knows NumPy, the layout of the flat parameter vector and the checks at the door. A penalty reads in two
ways. Called with some weights it gives its value by their own arithmetic: of floats a float, of Values a
graph to sweep. And `value_and_gradient` gives both by hand, for the flat vector (P,).

    >>> penalty = L2(0.5)
    >>> penalty([2.0, -4.0])                                # 0.5 / 2 · (4 + 16)
    5.0
    >>> theta = np.array([2.0, -4.0, 9.0])                  # one neuron: w, w, b
    >>> penalty.value_and_gradient(theta, weight_mask([2, 1]))
    (5.0, array([ 1., -2.,  0.]))
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nn import checks
from nn.parameters import parameter_count, windows

Array = npt.NDArray[np.float64]


def weight_mask(layer_sizes: Sequence[int], batch_norm: bool = False, *, biases: bool = False) -> Array:
    """Which of a network's parameters are weights: (P,), 1.0 for a weight and 0.0 for a bias, a γ or a β.

    biases  whether these have 1.0, too

    >>> weight_mask([2, 1, 1]), weight_mask([2, 1], biases=True)
    (array([1., 1., 0., 1., 0.]), array([1., 1., 1.]))
    """
    mask = np.zeros(parameter_count(layer_sizes, batch_norm))
    for W, b in windows(mask, layer_sizes, batch_norm):
        W[...] = 1.0
        b[...] = float(biases)
    return mask


@dataclass(frozen=True)
class L2:
    """strength / 2 · Σ w², with the gradient strength · w: large weights shrink fastest.

    The ½ makes `strength` what others call weight decay: under SGD a step takes rate · strength of each
    weight away, as weight_decay does in PyTorch. Hoerl & Kennard 1970, "Ridge regression"; Krogh & Hertz
    1992, "A simple weight decay can improve generalization". strength is finite and at least 0.
    """

    strength: float

    def __post_init__(self) -> None:
        checks.not_negative("strength", self.strength)

    def __call__(self, weights: Iterable[Any]) -> Any:
        """The value, from floats or Values."""
        return self.strength / 2 * sum(w * w for w in weights)

    def value_and_gradient(self, parameters: Array, mask: Array) -> tuple[float, Array]:
        """Value and gradient (P,) at parameters (P,); mask (P,) is 1 where they are penalised, else 0.

        A network's mask is weight_mask(layer_sizes), which leaves the biases alone: they shift what a
        neuron gives and make no function steep.
        """
        gradient = self.strength * _penalised(parameters, mask)
        return float(gradient @ parameters) / 2, gradient       # Σ strength w · w


@dataclass(frozen=True)
class L1:
    """strength · Σ |w|, with the gradient strength · sign(w): small weights are driven to 0.

    At 0, where any slope in [-strength, strength] would do, the gradient is 0. Tibshirani 1996, "Regression
    shrinkage and selection via the lasso". strength is finite and at least 0.
    """

    strength: float

    def __post_init__(self) -> None:
        checks.not_negative("strength", self.strength)

    def __call__(self, weights: Iterable[Any]) -> Any:
        """The value, from floats or Values."""
        return self.strength * sum(abs(w) for w in weights)

    def value_and_gradient(self, parameters: Array, mask: Array) -> tuple[float, Array]:
        """Value and gradient (P,) at parameters (P,); mask (P,) as in L2."""
        gradient = self.strength * np.sign(_penalised(parameters, mask))
        return float(gradient @ parameters), gradient           # Σ strength sign(w) · w


def _penalised(parameters: Array, mask: Array) -> Array:
    if parameters.ndim != 1 or mask.shape != parameters.shape:
        raise ValueError(
            f"parameters and mask: expected two vectors of one length (P,), got shapes {parameters.shape} "
            f"and {mask.shape}; a network's mask is weight_mask(layer_sizes)"
        )
    return np.multiply(parameters, mask, dtype=parameters.dtype)
