"""Missing values, marked by nan: filled only when asked to, by what the training part alone shows.

Knows NumPy and the checks at the door. Everything else in this package refuses nan, and says where it is.
x is (features, N), one column a sample.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from nn import checks

Array = npt.NDArray[np.float64]

STATISTICS: Mapping[str, Callable[..., Array]] = {"mean": np.nanmean, "median": np.nanmedian}


@dataclass(frozen=True, eq=False)
class Imputer:
    """Puts a number for each nan, and may add features that tell where.

    fill       (features, 1), what a missing value of each feature becomes
    indicated  (features,) of 0 and 1: which of them get an indicator, a feature that is 1 where the value
               was missing and 0 elsewhere; the indicators follow the features, in their order. That a
               value is missing often says something itself.

    >>> x_train = np.array([[1.0, np.nan, 3.0], [4.0, 5.0, 7.0]])
    >>> imputer = Imputer.fit(x_train, "mean", indicators=True)
    >>> imputer.transform(x_train)
    array([[1., 2., 3.],
           [4., 5., 7.],
           [0., 1., 0.]])
    """

    fill: Array
    indicated: Array

    def __post_init__(self) -> None:
        fill = checks.columns("fill", self.fill)
        indicated = checks.exactly("indicated", self.indicated, (len(fill),))
        if fill.shape[1] != 1 or not np.isin(indicated, (0.0, 1.0)).all():
            raise ValueError(
                f"expected fill of shape (features, 1) and indicated of 0 and 1, got shape {fill.shape} "
                f"and {indicated}"
            )
        for name, array in (("fill", fill), ("indicated", indicated)):
            own = array.copy()
            own.setflags(write=False)
            object.__setattr__(self, name, own)

    @classmethod
    def fit(cls, x_train: npt.ArrayLike, statistic: str, *, indicators: bool = False) -> Self:
        """Fill with the "mean" or the "median" of the numbers that x_train (features, N) has of a feature.

        indicators  whether every feature with a missing value in x_train gets an indicator

        Raises ValueError for inf, and for a feature of which x_train has no number at all.
        """
        statistic = checks.one_of("statistic", statistic, STATISTICS)
        x = _refuse_infinity("x_train", checks.table("x_train", x_train))
        missing = np.isnan(x)
        empty = missing.all(axis=1)
        if empty.any():
            raise ValueError(
                f"x_train: feature {int(np.argmax(empty))} has no number at all, so nothing to fill it with; "
                "leave it out: np.delete(x, feature, axis=0)."
            )
        with np.errstate(all="ignore"):
            fill = STATISTICS[statistic](x, axis=1)
        indicated = missing.any(axis=1) & indicators
        return cls(fill[:, np.newaxis], indicated.astype(float))

    def transform(self, x: npt.ArrayLike) -> Array:
        """The filled x (features, N), with its indicators (features + indicators, N)."""
        x = _refuse_infinity("x", checks.table("x", x, len(self.fill)))
        missing = np.isnan(x)
        return np.vstack([np.where(missing, self.fill, x), missing[self.indicated == 1.0]])

    def to_arrays(self) -> dict[str, Array]:
        """All there is to save."""
        return {"fill": self.fill, "indicated": self.indicated}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Self:
        """The imputer that gave these arrays. Raises ValueError, or TypeError, where none can have."""
        if set(arrays) != {"fill", "indicated"}:
            raise ValueError(f"expected the arrays fill and indicated, got {', '.join(sorted(arrays))}")
        return cls(**arrays)


def _refuse_infinity(name: str, x: Array) -> Array:
    checks.finite(name, np.where(np.isnan(x), 0.0, x))
    return x
