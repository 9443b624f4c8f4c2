"""Whether what a checkpoint holds can have come from a training: numbers in range that fit together.

Knows the state of a training, its parts and the checks at the door. Each function raises ValueError for what
cannot be. They are asked before a checkpoint is written, and again when it is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt

from nn import checks
from nn.early_stopping import StoppingState
from nn.history import History
from nn.schedules import PlateauState
from nn.training_state import TrainingState

Array = npt.NDArray[Any]


def check_arrays(arrays: Mapping[str, Array], of: str = "") -> None:
    """A network's state: finite numbers, and no running variance below 0."""
    for name, array in arrays.items():
        checks.finite(of + name, array)
        if name.startswith("running_variance") and (array < 0).any():
            raise ValueError(f"{of}{name}: expected no variance below 0, got {array.min()}")


def check_history(history: History, sizes: Sequence[int] | None) -> None:
    """A training's records, of a network of these layer_sizes where there is one."""
    if len(history) == 0:
        return
    if "loss" not in history.names:
        raise ValueError(f"history: expected the loss, got {', '.join(history.names)}")
    for name in {"loss", "learning_rate", "validation_loss"}.intersection(history.names):
        if history[name].ndim != 1:
            raise ValueError(f"history: expected a number an epoch as {name}, got {history[name].shape}")
        checks.finite(f"history's {name}", history[name])
    if "learning_rate" in history.names and (history["learning_rate"] < 0).any():
        raise ValueError(f"history: expected no rate below 0, got {history['learning_rate'].min()}")
    for name in {"gradient_norms", "update_norms"}.intersection(history.names):
        norms = history[name]
        if norms.ndim != 2 or (sizes is not None and norms.shape[1] != len(sizes) - 1):
            raise ValueError(f"history: expected a number a layer as {name}, got {norms.shape}")
        if not (norms >= 0).all():
            raise ValueError(f"history: expected {name} of at least 0, got {norms.min()}")


def check_training(state: TrainingState, arrays: Mapping[str, Array], validation: object) -> None:
    """Where a training stands, for a network of these arrays that validates so: a share, or samples."""
    history = state.history
    memory: Array = state.optimizer.memory
    if state.epoch != len(history) or state.epoch == 0:
        raise ValueError(f"history: expected 1 or more epochs, {state.epoch}; got {len(history)}")
    if "learning_rate" not in history.names:
        raise ValueError(f"history: expected the learning_rate, got {', '.join(history.names)}")
    if state.steps != history["step"][-1]:
        raise ValueError(f"steps: expected {history['step'][-1]:.0f} as in the history, got {state.steps}")
    unused = state.optimizer.steps == 0 and len(memory) == 0       # the network takes steps of its own
    if state.optimizer.steps != state.steps and not unused:
        raise ValueError(f"optimizer_steps: expected {state.steps}, got {state.optimizer.steps}")
    parameters = arrays["parameters"]
    if memory.shape[1:] != parameters.shape or memory.dtype != parameters.dtype:
        raise ValueError(
            f"memory: expected {parameters.dtype} of shape (rows, {parameters.size}), got {memory.dtype} of "
            f"shape {memory.shape}"
        )
    checks.finite("memory", memory)
    if isinstance(validation, float) != (state.held_out is not None):
        raise ValueError(f"held_out: expected samples for a share alone; validation is {validation!r:.60}")
    if state.plateau is not None:
        _check_plateau(state.plateau, history)
    _check_best(state, arrays)
    for warning in state.warnings:
        layers = history["gradient_norms"].shape[1] if "gradient_norms" in history.names else 0
        if warning.step not in history["step"] or not (warning.layer is None or warning.layer < layers):
            raise ValueError(f"a warning: expected a step and a layer of the history, got {warning}")


def _check_plateau(plateau: PlateauState, history: History) -> None:
    last = history["learning_rate"][-1]
    if not 0 <= plateau.rate <= last:
        raise ValueError(f"plateau's rate: expected 0 to {last}, the last rate; got {plateau.rate}")
    if plateau.best not in watched(history):
        raise ValueError(f"plateau's best: expected a loss of the history, got {plateau.best}")
    if plateau.waited >= len(history):
        raise ValueError(f"plateau's wait: expected below {len(history)} epochs, got {plateau.waited}")


def _check_best(state: TrainingState, arrays: Mapping[str, Array]) -> None:
    """Early stopping's best epoch is one of the history's, and its numbers are there."""
    if state.stopping is None:
        if state.best:
            raise ValueError("best: expected none without early stopping's state")
        return
    losses = watched(state.history)
    expected = best_of(state.stopping, losses)
    if state.stopping != expected:
        raise ValueError(f"stopping: expected {expected}, as the history has it; got {state.stopping}")
    if state.best.keys() != arrays.keys():
        raise ValueError(f"best: expected {', '.join(arrays)}; got {', '.join(state.best) or 'none'}")
    for name, array in arrays.items():
        best = state.best[name]
        if best.shape != array.shape or best.dtype != array.dtype:
            raise ValueError(
                f"best {name}: expected {array.dtype} of shape {array.shape}, got {best.dtype} of shape "
                f"{best.shape}"
            )
    check_arrays(state.best, "best ")


def best_of(stopping: StoppingState, losses: Array) -> StoppingState:
    """What the state must be by these losses where its best epoch is right."""
    epoch = min(max(stopping.best_epoch, 0), len(losses) - 1)
    return StoppingState(float(losses[epoch]), epoch, len(losses) - 1 - epoch)


def watched(history: History) -> Array:
    """The losses by which plateaus and the best epoch are found."""
    return history["validation_loss" if "validation_loss" in history.names else "loss"]
