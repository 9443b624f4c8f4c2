"""What is called after each epoch of training, and how it can end the training.

Knows nothing of the project. A callback is a function of one `Epoch`; what it returns does not matter.

    def enough(epoch):
        if epoch.quantities["validation_accuracy"] > 0.99:
            raise StopTraining
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Epoch(NamedTuple):
    """What a callback is told.

    epoch       from 0 for the first
    steps       taken so far
    loss        the mean or the sum over the epoch's samples, as the history has it
    quantities  all that was recorded of this epoch by name, loss, learning_rate and validation_loss among it
    """

    epoch: int
    steps: int
    loss: float
    quantities: Mapping[str, Any]


class StopTraining(Exception):
    """Raised by a callback to end the training after this epoch, as if it had been the last."""


Callback = Callable[[Epoch], object]
