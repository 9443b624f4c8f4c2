"""Early stopping: when the validation loss says that there is no more to learn.

Knows the checks at the door. State in, state out; the best parameters themselves the training keeps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from nn import checks


class StoppingState(NamedTuple):
    """What EarlyStopping knows: the lowest loss, its epoch, and how many epochs have come since."""

    best: float = math.inf
    best_epoch: int = -1
    waited: int = 0


@dataclass(frozen=True)
class EarlyStopping:
    """Ends a training once so many epochs in a row have not lowered the validation loss.

    The parameters of the best epoch are restored, also where the training ends for another reason. Patience
    is counted as in Keras: 1 stops at the first epoch that is no better. On why, and when: Prechelt 1998,
    "Early stopping, but when?".

    patience             epochs without improvement, at least 1
    minimum_improvement  of the loss, to count as one; at least 0

    >>> stopping = EarlyStopping(patience=2)
    >>> state = stopping.init()
    >>> for epoch, loss in enumerate([0.9, 0.5, 0.6, 0.5]):
    ...     state = stopping(state, epoch, loss)
    >>> state.best, state.best_epoch, stopping.ends(state)
    (0.5, 1, True)
    """

    patience: int = 10
    minimum_improvement: float = 0.0

    def __post_init__(self) -> None:
        checks.count("patience", self.patience, least=1)
        checks.not_negative("minimum_improvement", self.minimum_improvement)

    def init(self) -> StoppingState:
        """The state before the first epoch."""
        return StoppingState()

    def __call__(self, state: StoppingState, epoch: int, loss: float) -> StoppingState:
        """The state after an epoch; its best_epoch is this one where this one is the best."""
        if loss < state.best - self.minimum_improvement:
            return StoppingState(float(loss), epoch)
        return state._replace(waited=state.waited + 1)

    def ends(self, state: StoppingState) -> bool:
        """Whether to go on no longer."""
        return state.waited >= self.patience
