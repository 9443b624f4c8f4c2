"""Going on with a training where its checkpoint stands, bit for bit, or saying why that cannot be.

Knows the checkpoints and the state of a training.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nn import checkpoints
from nn.archives import CheckpointError
from nn.checkpoints import PathLike, Storable
from nn.optimizers import State
from nn.training_state import TrainingState


def resume(
    path: PathLike,
    network: Storable,
    optimizer: State,
    rng: np.random.Generator,
    settings: Mapping[str, Any],
    samples: int,
) -> TrainingState:
    """The state that a checkpoint holds; the network gets its numbers, and `rng` the generator's state.

    optimizer  the state before the first step, to be filled
    settings   what the course of the training depends on: it must be as it was
    samples    how many there are

    Raises CheckpointError for a file that cannot be trusted, and ValueError for one of another training.
    """
    saved = checkpoints.read(path)
    state = saved.training
    if state is None:
        raise ValueError(f"resume: {path} holds a network, but no training to go on with; load it, and train")
    if saved.architecture != checkpoints.describe(network):
        raise ValueError(f"resume: {path} is of {saved.architecture}, not of this network")
    _check_settings(path, saved.settings, settings)
    _check_generator(path, state.rng, rng)
    for name, part in (("reduce_on_plateau", state.plateau), ("early_stopping", state.stopping)):
        if (part is None) != (settings[name] == "None"):
            raise CheckpointError(path, f"{name}: its state does not belong to {settings[name]}")
    if state.optimizer.memory.shape != optimizer.memory.shape:
        expected, got = optimizer.memory.shape, state.optimizer.memory.shape
        raise CheckpointError(path, f"memory: expected shape {expected}, got {got}")
    if state.held_out is not None and state.held_out.max(initial=-1) >= samples:
        last = state.held_out.max()
        raise CheckpointError(path, f"held_out: expected samples 0 to {samples - 1}, got {last}")
    try:
        checkpoints.copy_into(network.state_arrays(), saved.arrays)
    except ValueError as error:
        raise CheckpointError(path, str(error)) from error
    optimizer.memory[:] = state.optimizer.memory
    state.optimizer = optimizer._replace(steps=state.optimizer.steps)
    rng.bit_generator.state = state.rng.bit_generator.state
    state.rng = rng
    return state


def _check_settings(path: PathLike, saved: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    if saved.keys() != now.keys():
        raise CheckpointError(path, f"settings: expected {', '.join(now)}; got {', '.join(saved)}")
    changed = [f"{name} was {saved[name]} and is {now[name]}" for name in now if saved[name] != now[name]]
    if changed:
        raise ValueError(
            f"resume: {path} was written by another training: {'; '.join(changed)}. Pass what was passed "
            "then, or load the network and train it anew"
        )


def _check_generator(path: PathLike, saved: np.random.Generator, rng: np.random.Generator) -> None:
    expected, got = (type(one.bit_generator).__name__ for one in (saved, rng))
    if got != expected:
        raise ValueError(f"rng: {path} was written with a generator of {expected}; got one of {got}")
