"""Whether a gradient is the one of the step before: found by taking the step back.

This room knows NumPy, nothing of the project.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

STARTS = (0.001, 0.003, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # learning rates to begin from
STEPS = 20
LARGEST = 100.0


def rate_of_last_step(
    gradient: Callable[[Array], Array], parameters: Array, given: Array, close: Array
) -> float | None:
    """The learning rate η > 0 for which `given` is the gradient at parameters + η given, if there is one.

    All are (P,); `close` holds the differences that are agreement, entry by entry: a small array, all wrong,
    is no difference beside a large one.

    That is what a gradient is that made the last step of gradient descent and was not computed anew: P
    equations for one unknown, solved by Gauss and Newton's method with a difference quotient for the slope.

    >>> rate = rate_of_last_step(lambda w: w**3, np.array([1.0, 2.0]) - 0.05 * np.array([1.0, 8.0]),
    ...                          np.array([1.0, 8.0]), np.full(2, 1e-8))    # w³ is the gradient of Σ w⁴/4
    >>> round(rate, 9)
    0.05
    """
    if not np.isfinite(parameters + 2 * LARGEST * given).all():
        return None

    def miss(rate: float) -> Array:
        return gradient(parameters + rate * given) - given

    for start in STARTS:
        rate = start
        for _ in range(STEPS):
            here = miss(rate)
            if (np.abs(here) <= close).all():
                return float(rate)
            width = 1e-6 * rate
            slope = (miss(rate + width) - here) / width
            curvature = float(slope @ slope)
            if not (curvature > 0 and np.isfinite(curvature)):
                break
            rate -= float(slope @ here) / curvature
            if not 0 < rate < LARGEST:
                break
    return None
