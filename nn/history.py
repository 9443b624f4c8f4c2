"""What was observed while training: named numbers over the steps.

Knows NumPy and the checks at the door.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, SupportsIndex, overload

import numpy as np
import numpy.typing as npt

from nn import checks

Array = npt.NDArray[np.float64]

OWN_NAMES = ("step", "loss", "learning_rate", "gradient_norms", "update_norms")     # no metric can have them


class History:
    """Records of one training: at some steps, the same quantities each time, numbers or vectors.

    A quantity may be nan or inf: history tells what happened.

    >>> history = History()
    >>> history.record(0, loss=0.7, gradient_norms=[0.2, 0.1])
    >>> history.record(100, loss=0.4, gradient_norms=[0.3, 0.2])
    >>> history.names
    ['step', 'loss', 'gradient_norms']
    >>> history["loss"], history["gradient_norms"].shape
    (array([0.7, 0.4]), (2, 2))
    """

    def __init__(self) -> None:
        self._count = 0
        self._rows: dict[str, Array] = {}       # with room to grow: only the first _count rows are records

    @property
    def names(self) -> list[str]:
        """The recorded quantities, "step" first."""
        return list(self._rows)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, name: str) -> Array:
        """One quantity over all records: (records,) for numbers, (records, entries) for vectors."""
        if name not in self._rows:
            raise KeyError(f"history holds {', '.join(self.names) or 'nothing yet'}; got {name!r}")
        column = self._rows[name][: self._count]
        column.setflags(write=False)
        return column

    def record(self, /, step: int, **quantities: Any) -> None:
        """Add one record. Raises ValueError unless the step is later, and quantities and shapes as before."""
        row = {"step": np.asarray(checks.count("step", step, least=0), dtype=float)}
        for name, quantity in quantities.items():
            row[name] = checks.real_array(name, quantity, "a number or a vector")
            if row[name].ndim > 1:
                raise ValueError(f"{name}: expected a number or a vector, got shape {row[name].shape}")
        if self._count == 0:
            self._rows = {name: np.empty((16, *value.shape)) for name, value in row.items()}
        self._check_row(row)
        if self._count == len(self._rows["step"]):
            self._rows = {name: np.concatenate([rows, rows]) for name, rows in self._rows.items()}
        for name, value in row.items():
            self._rows[name][self._count] = value
        self._count += 1

    def _check_row(self, row: Mapping[str, Array]) -> None:
        if row.keys() != self._rows.keys():
            raise ValueError(f"expected {', '.join(self.names)}, as recorded before; got {', '.join(row)}")
        for name, value in row.items():
            expected = self._rows[name].shape[1:]
            if value.shape != expected:
                raise ValueError(f"{name}: expected shape {expected}, as before, got {value.shape}")
        last = self["step"][-1] if self._count else -1.0
        if row["step"] <= last:
            raise ValueError(f"step: expected one after {last:.0f}, the last recorded, got {row['step']:.0f}")

    def to_arrays(self) -> dict[str, Array]:
        """All there is to save, by name."""
        return {name: self[name] for name in self.names}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Self:
        """The history that gave these arrays. Raises ValueError, or TypeError, where none can have."""
        history = cls()
        columns = {name: checks.real_array(name, array, "(records, …)") for name, array in arrays.items()}
        lengths = {column.shape[:1] for column in columns.values()}
        if columns and ("step" not in columns or len(lengths) != 1 or lengths == {()}):
            raise ValueError(
                "expected arrays of one length, step among them, got "
                + ", ".join(f"{name} {column.shape}" for name, column in columns.items())
            )
        steps = columns.pop("step", np.zeros(0)).tolist()
        for place, step in enumerate(steps):
            whole = int(step) if float(step).is_integer() else step
            history.record(whole, **{name: column[place] for name, column in columns.items()})
        return history


class TrainingHistory(list[float]):
    """Each epoch's loss, as a list of floats, and by its name whatever else was recorded.

    A record is an epoch; its "step" is the number of steps taken so far.

    >>> records = History()
    >>> records.record(10, loss=0.7, validation_loss=0.8)
    >>> history = TrainingHistory(records)
    >>> history, history["validation_loss"]
    ([0.7], array([0.8]))
    """

    def __init__(self, records: History) -> None:
        super().__init__(records["loss"].tolist() if len(records) else [])
        self.records = records

    @property
    def names(self) -> list[str]:
        """The recorded quantities, "step" first."""
        return self.records.names

    @overload
    def __getitem__(self, key: str) -> Array: ...
    @overload
    def __getitem__(self, key: SupportsIndex) -> float: ...
    @overload
    def __getitem__(self, key: slice) -> list[float]: ...
    def __getitem__(self, key: Any) -> Any:
        """One quantity over all epochs by its name; or as of a list, the loss of an epoch."""
        return self.records[key] if isinstance(key, str) else super().__getitem__(key)
