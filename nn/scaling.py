"""Scaling: features brought to a common size, by what the training part alone shows.

Knows NumPy and the checks at the door. x is (features, N), one column a sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from nn import checks

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scaler:
    """z = (x - offset) / scale, feature by feature; offset and scale are (features, 1).

    Made from the training part alone, by `standard` or `min_max`, and then applied to every part: what
    the validation and test parts look like must not leak into training. A constant feature is shifted to 0
    and keeps its scale.

    >>> x_train, x_test = np.array([[1.0, 2.0, 3.0]]), np.array([[5.0]])
    >>> scaler = Scaler.min_max(x_train)
    >>> scaler.transform(x_train), scaler.transform(x_test)
    (array([[0. , 0.5, 1. ]]), array([[2.]]))
    """

    offset: Array
    scale: Array

    def __post_init__(self) -> None:
        offset = checks.columns("offset", self.offset)
        scale = checks.columns("scale", self.scale)
        if offset.shape != scale.shape or offset.shape[1] != 1:
            raise ValueError(
                f"offset and scale: expected shape (features, 1), got {offset.shape} and {scale.shape}"
            )
        if (scale <= 0).any():
            row = int(np.argmin(scale))
            raise ValueError(f"scale: expected numbers above 0, got {scale[row, 0]} for feature {row}")
        for name, array in (("offset", offset), ("scale", scale)):
            own = array.copy()
            own.setflags(write=False)
            object.__setattr__(self, name, own)

    @classmethod
    def standard(cls, x_train: npt.ArrayLike) -> Self:
        """Each feature to mean 0 and standard deviation 1 over x_train (features, N).

        Raises ValueError for nan or inf, and where a feature's numbers are too large for their squares.
        """
        x = checks.columns("x_train", x_train)
        with np.errstate(all="ignore"):
            return cls._fitted(x, x.mean(axis=1), x.std(axis=1))

    @classmethod
    def min_max(cls, x_train: npt.ArrayLike) -> Self:
        """Each feature to [0, 1], its smallest and largest number in x_train (features, N).

        Other parts may go beyond. Raises ValueError for nan or inf.
        """
        x = checks.columns("x_train", x_train)
        with np.errstate(all="ignore"):
            return cls._fitted(x, x.min(axis=1), np.ptp(x, axis=1))

    @classmethod
    def _fitted(cls, x: Array, offset: Array, scale: Array) -> Self:
        if not (np.isfinite(offset).all() and np.isfinite(scale).all()):
            row = int(np.argmin(np.isfinite(offset) & np.isfinite(scale)))
            raise ValueError(
                f"x_train: feature {row} spreads too far for float64, up to {np.abs(x[row]).max():.3g}; "
                "divide it by a large number first."
            )
        constant = x.min(axis=1) == x.max(axis=1)       # exactly: its computed spread may be a rounding error
        offset, scale = np.where(constant, x[:, 0], offset), np.where(constant, 1.0, scale)
        return cls(offset[:, np.newaxis], scale[:, np.newaxis])

    def transform(self, x: npt.ArrayLike) -> Array:
        """The scaled x (features, N). Raises ValueError for nan or inf and another number of features."""
        with np.errstate(all="ignore"):
            return (checks.columns("x", x, len(self.offset)) - self.offset) / self.scale

    def inverse(self, z: npt.ArrayLike) -> Array:
        """What transform turns into z (features, N), up to rounding."""
        with np.errstate(all="ignore"):
            return checks.table("z", z, len(self.offset)) * self.scale + self.offset

    def to_arrays(self) -> dict[str, Array]:
        """All there is to save."""
        return {"offset": self.offset, "scale": self.scale}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Self:
        """The scaler that gave these arrays. Raises ValueError, or TypeError, where none can have."""
        if set(arrays) != {"offset", "scale"}:
            raise ValueError(f"expected the arrays offset and scale, got {', '.join(sorted(arrays))}")
        return cls(**arrays)
