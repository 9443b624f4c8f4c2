"""How a network is to be trained: what can be chosen, checked at the door.

Knows the optimisers, the schedules, early stopping, the metrics, the callbacks and the checks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nn import checks, optimizers, schedules
from nn.callbacks import Callback
from nn.checkpoints import Checkpoint
from nn.early_stopping import EarlyStopping
from nn.metrics import Metric
from nn.optimizers import Optimizer
from nn.schedules import ReduceOnPlateau, Schedule

USUAL_RATE = 0.01
WHOLE_RATE = 0.05       # of Adam where each step takes all samples: few steps, without a batch's noise


@dataclass(frozen=True)
class Settings:
    """How it is trained; `NeuralNetwork.train` says what each means. Raises TypeError and ValueError.

    What was passed to be gone through once is kept to be gone through again: callbacks as a tuple, the names
    of metrics as a list.
    """

    learning_rate: float | Schedule | None = None
    epochs: int = 1000
    batch_size: int | None = None
    optimizer: str | Optimizer | None = None
    reduce_on_plateau: ReduceOnPlateau | None = None
    clip_norm: float | None = None
    clip_value: float | None = None
    validation: float | tuple[npt.ArrayLike, npt.ArrayLike] | None = None
    sample_weights: npt.ArrayLike | None = None
    early_stopping: EarlyStopping | None = None
    callbacks: Iterable[Callback] = ()
    monitor: bool = False
    metrics: Iterable[str] | Mapping[str, Metric] | None = None
    progress: bool | None = None
    on_epoch: Callable[[int, float], object] | None = None
    checkpoint: str | os.PathLike[str] | Checkpoint | None = None
    resume: bool = False
    rng: np.random.Generator | None = None

    def __post_init__(self) -> None:
        checks.count("epochs", self.epochs, least=0)
        if self.batch_size is not None:
            checks.count("batch_size", self.batch_size, least=1)
        if self.on_epoch is not None:
            checks.function("on_epoch", self.on_epoch, "epoch", "loss")
        for name in ("clip_norm", "clip_value"):
            if getattr(self, name) is not None:
                checks.positive(name, getattr(self, name))
        object.__setattr__(self, "callbacks", _listed_callbacks(self.callbacks))
        object.__setattr__(self, "metrics", _listed_metrics(self.metrics))
        for name in ("monitor", "resume"):
            object.__setattr__(self, name, _flag(name, getattr(self, name)))
        if self.progress is not None:
            object.__setattr__(self, "progress", _flag("progress", self.progress))
        self._check_learning_rate()
        for name, kind in (("reduce_on_plateau", ReduceOnPlateau), ("early_stopping", EarlyStopping)):
            if not isinstance(getattr(self, name), kind | None):
                got = type(getattr(self, name)).__name__
                raise TypeError(f"{name}: expected an nn.{kind.__name__}, got {got}")
        if self.resume and self.chosen_checkpoint() is None:
            raise ValueError("resume: expected a checkpoint to go on from; pass checkpoint=its path")
        validation: object = self.validation
        if isinstance(validation, list | np.ndarray):
            got = type(validation).__name__
            raise TypeError(f"validation: expected a share, or the samples as a tuple (x, y), got a {got}")
        if not isinstance(self.validation, tuple | None):
            checks.open_share("validation", self.validation)
        if self.early_stopping is not None and self.validation is None:
            raise ValueError(
                "early_stopping: it looks at the validation loss; pass validation=0.2, a share of the "
                "samples, or validation=(x, y)"
            )

    def _check_learning_rate(self) -> None:
        if callable(self.learning_rate):
            checks.function("learning_rate", self.learning_rate, "step")
            if self.reduce_on_plateau is not None:
                raise ValueError("reduce_on_plateau: expected a number as learning_rate, got a schedule")
        elif self.learning_rate is not None:
            checks.positive("learning_rate", self.learning_rate)

    def chosen_checkpoint(self) -> Checkpoint | None:
        """Where to save."""
        if self.checkpoint is None or isinstance(self.checkpoint, Checkpoint):
            return self.checkpoint
        return Checkpoint(self.checkpoint)

    def description(self) -> dict[str, Any]:
        """All that the course of a training depends on, as JSON has it; a schedule cannot be described."""
        scheduled = callable(self.learning_rate)
        return {
            "batch_size": None if self.batch_size is None else int(self.batch_size),
            "clip_norm": _plain(self.clip_norm),
            "clip_value": _plain(self.clip_value),
            "monitor": self.monitor,
            "learning_rate": "a schedule" if scheduled else _plain(self.learning_rate),
            "optimizer": repr(self.chosen_optimizer()),
            "reduce_on_plateau": repr(self.reduce_on_plateau),
            "early_stopping": repr(self.early_stopping),
            "metrics": [] if self.metrics is None else sorted(self.metrics),
        }

    def recorded(self) -> list[str]:
        """The names of what is recorded each epoch."""
        names = ["step", "loss", "learning_rate", *(self.metrics or ())]
        if self.validation is not None:
            names += ["validation_loss", *(f"validation_{name}" for name in self.metrics or ())]
        return names + (["gradient_norms", "update_norms"] if self.monitor else [])

    def chosen_optimizer(self) -> Optimizer:
        """The optimiser; Adam where neither it nor a rate is named, else gradient descent."""
        plain = "adam" if self.learning_rate is None else "sgd"
        return optimizers.resolve(plain if self.optimizer is None else self.optimizer)

    def schedule(self, samples: int) -> Schedule:
        """The rate by the step, for so many samples."""
        if self.learning_rate is not None:
            return schedules.resolve(self.learning_rate)
        whole = self.optimizer is None and (self.batch_size is None or self.batch_size >= samples)
        return schedules.constant(WHOLE_RATE if whole else USUAL_RATE)


def _listed_callbacks(callbacks: Any) -> tuple[Callback, ...]:
    if not isinstance(callbacks, Iterable):
        raise TypeError(
            f"callbacks: expected a list of functions, got {type(callbacks).__name__} {callbacks!r:.60}; "
            "for one alone, pass [it]"
        )
    return tuple(checks.function(f"callbacks[{i}]", one, "epoch") for i, one in enumerate(callbacks))


def _listed_metrics(metrics: Any) -> list[str] | dict[str, Metric] | None:
    if metrics is None:
        return None
    if isinstance(metrics, Mapping):
        return dict(metrics)
    names: list[Any] = [metrics]
    if isinstance(metrics, Iterable) and not isinstance(metrics, str):
        names = list(metrics)
    if not all(isinstance(name, str) for name in names):
        raise TypeError(
            f'metrics: expected names, ["accuracy"], or functions by name, {{"mine": function}}; '
            f"got {type(metrics).__name__} {metrics!r:.60}"
        )
    return names


def _flag(name: str, value: Any) -> bool:
    return checks.flag(name, bool(value) if isinstance(value, np.bool_) else value)


def _plain(number: Any) -> float | None:
    """A number as JSON has it: NumPy's are not."""
    return None if number is None else float(number)
