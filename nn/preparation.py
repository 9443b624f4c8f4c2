"""What inputs go through before a network sees them: missing values are filled, then features scaled.

Knows the imputer, the scaler and the checks at the door.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from nn import checks
from nn.missing import Imputer
from nn.scaling import Scaler

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Preparation:
    """An imputer, a scaler, both in this order, or neither; what a checkpoint keeps beside its network.

    imputer  fills what is missing; None: nothing may be
    scaler   of what the imputer gives, its indicators too, as it scales features that hold no nan; None: the
             features are left as they are

    Raises TypeError for anything else, and ValueError for a scaler of another number of features.

    >>> x_train = np.array([[1.0, np.nan, 3.0]])
    >>> imputer = Imputer.fit(x_train, "mean")
    >>> preparation = Preparation(imputer, Scaler.min_max(imputer.transform(x_train)))
    >>> preparation.transform(x_train)
    array([[0. , 0.5, 1. ]])
    """

    imputer: Imputer | None = None
    scaler: Scaler | None = None

    def __post_init__(self) -> None:
        for name, kind in (("imputer", Imputer), ("scaler", Scaler)):
            if not isinstance(getattr(self, name), kind | None):
                got = type(getattr(self, name)).__name__
                raise TypeError(f"{name}: expected an nn.{kind.__name__} or None, got {got}")
        if self.imputer is not None and self.scaler is not None:
            given, taken = Preparation(self.imputer).outputs, len(self.scaler.offset)
            if given != taken:
                raise ValueError(
                    f"scaler: the imputer gives {given} features, and this scales {taken}; expected one made "
                    "from what the imputer gives, nn.Scaler.standard(imputer.transform(x_train))"
                )

    @property
    def outputs(self) -> int | None:
        """How many features it gives; None: as many as it gets."""
        if self.scaler is not None:
            return len(self.scaler.offset)
        return None if self.imputer is None else len(self.imputer.fill) + int(self.imputer.indicated.sum())

    def transform(self, x: npt.ArrayLike) -> Array:
        """The x (features, N) for the network. Raises ValueError as the imputer and the scaler do."""
        if self.imputer is not None:
            x = self.imputer.transform(x)
        return checks.columns("x", x) if self.scaler is None else self.scaler.transform(x)

    def to_arrays(self) -> dict[str, dict[str, Array]]:
        """All there is to save, by the names of its parts."""
        parts = {"imputer": self.imputer, "scaler": self.scaler}
        return {name: part.to_arrays() for name, part in parts.items() if part is not None}

    @classmethod
    def from_arrays(cls, parts: Mapping[str, Mapping[str, Any]]) -> Self:
        """What gave these arrays. Raises ValueError, or TypeError, where nothing can have."""
        imputer, scaler = parts.get("imputer"), parts.get("scaler")
        return cls(
            None if imputer is None else Imputer.from_arrays(imputer),
            None if scaler is None else Scaler.from_arrays(scaler),
        )
