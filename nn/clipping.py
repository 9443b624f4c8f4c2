"""Gradients cut to size, before the optimiser sees them.

Knows NumPy and the checks at the door. A gradient is one flat vector (P,); what comes back is a vector of
the same kind, never the one passed in changed. A gradient that is not finite stays so, to be noticed.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from nn import checks

Vector = npt.NDArray[np.floating[Any]]


def clip_by_norm(gradient: Vector, limit: float) -> Vector:
    """The gradient, shortened to a Euclidean norm of `limit` if it is longer; its direction stays.

    Pascanu, Mikolov & Bengio 2013, "On the difficulty of training recurrent neural networks", algorithm 1.
    Norms beyond the largest float are no obstacle. Raises TypeError for what is no array of floats, and
    ValueError for a limit that is not above 0.

    >>> clip_by_norm(np.array([3.0, 4.0]), 1.0)
    array([0.6, 0.8])
    >>> clip_by_norm(np.array([3.0, 4.0]), 10.0)
    array([3., 4.])
    """
    limit, gradient = checks.positive("limit", limit), _vector(gradient)
    with np.errstate(all="ignore"):
        norm = math.sqrt(gradient @ gradient)
        if norm <= limit:
            return gradient
        if math.isfinite(norm):
            return gradient * (limit / norm)
        largest = np.abs(gradient).max()            # the squares overflowed, or there is inf or nan in it
        unit = gradient / largest
        length = math.sqrt(unit @ unit)
        return gradient if largest * length <= limit else unit * (limit / length)


def clip_by_value(gradient: Vector, limit: float) -> Vector:
    """The gradient with each entry brought into [-limit, limit]; its direction may turn.

    Raises TypeError for what is no array of floats, ValueError for a limit that is not above 0.

    >>> clip_by_value(np.array([3.0, -0.5]), 1.0)
    array([ 1. , -0.5])
    """
    limit, gradient = checks.positive("limit", limit), _vector(gradient)
    return np.clip(gradient, -limit, limit)


def _vector(gradient: Any) -> Vector:
    if isinstance(gradient, np.ndarray) and gradient.ndim == 1 and gradient.dtype.kind == "f":
        return gradient
    raise TypeError(
        f"gradient: expected a flat vector (P,) of floats, got {gradient!r:.60}; for a list, pass "
        "np.array(gradient, dtype=float)"
    )
