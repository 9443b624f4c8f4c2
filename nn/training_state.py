"""Where a training stands between two epochs: all that it needs to go on as if it had never stopped.

Knows the optimisers', the schedules' and early stopping's states, the history and the monitors' warnings.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from nn.early_stopping import StoppingState
from nn.history import History
from nn.monitors import TrainingWarning
from nn.optimizers import State
from nn.schedules import PlateauState

Array = npt.NDArray[np.float64]


@dataclass
class TrainingState:
    """What changes from epoch to epoch, beside the network itself.

    rng       whose numbers shuffle, split and drop out
    epoch     how many are over
    steps     how many were taken
    ended     whether a callback has ended the training
    best      parameters, and running statistics where there are any, of early stopping's best epoch, by name
    held_out  the samples (indices) that are for validation, where a share of them is
    """

    optimizer: State
    rng: np.random.Generator
    history: History = field(default_factory=History)
    warnings: list[TrainingWarning] = field(default_factory=list)
    epoch: int = 0
    steps: int = 0
    ended: bool = False
    plateau: PlateauState | None = None
    stopping: StoppingState | None = None
    best: dict[str, Array] = field(default_factory=dict)
    held_out: npt.NDArray[np.int64] | None = None
