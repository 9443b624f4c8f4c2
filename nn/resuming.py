"""Going on with a training where its checkpoint stands, bit for bit, or saying why that cannot be.

Knows the checkpoints, the settings and the state of a training, and how many samples a share is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nn import checkpoints
from nn.archives import CheckpointError
from nn.checkpoints import PathLike, Storable
from nn.data import held_out_count
from nn.optimizers import State
from nn.preparation import Preparation
from nn.settings import Settings
from nn.soundness import watched
from nn.training_state import TrainingState


def resume(
    path: PathLike,
    network: Storable,
    rng: np.random.Generator,
    settings: Settings,
    description: Mapping[str, Any],
    samples: int,
) -> tuple[TrainingState, Preparation]:
    """The state that a checkpoint holds, and what inputs went through.

    The network gets its numbers, and `rng` the generator's state.

    description  what the course of the training depends on: it must be as it was
    samples      how many there are, those for validation among them

    Raises CheckpointError for a file that cannot be trusted, and ValueError for one of another training.
    """
    saved = checkpoints.read(path)
    state = saved.training
    if state is None:
        raise ValueError(f"resume: {path} holds a network, but no training to go on with; load it, and train")
    if saved.architecture != checkpoints.describe(network):
        raise ValueError(f"resume: {path} is of {saved.architecture}, not of this network")
    _check_settings(path, saved.settings, description)
    _check_generator(path, state.rng, rng)
    live = network.state_arrays()
    optimizer = settings.chosen_optimizer().init(live["parameters"])
    try:
        _check_memory(state.optimizer, optimizer, settings.chosen_optimizer().squares)
        _check_held_out(state, settings.validation, samples)
        _check_course(state, settings, samples)
        checkpoints.copy_into(live, saved.arrays)
    except ValueError as error:
        raise CheckpointError(path, str(error)) from error
    optimizer.memory[:] = state.optimizer.memory
    state.optimizer = optimizer._replace(steps=state.optimizer.steps)
    rng.bit_generator.state = state.rng.bit_generator.state
    state.rng = rng
    return state, saved.preparation


def _check_memory(saved: State, fresh: State, squares: tuple[int, ...]) -> None:
    expected, got = fresh.memory.shape, saved.memory.shape
    if got != expected:
        raise ValueError(f"memory: expected shape {expected}, got {got}")
    if (saved.memory[list(squares)] < 0).any():
        raise ValueError("memory: expected sums of squares of at least 0, got one below")


def _check_held_out(state: TrainingState, validation: Any, samples: int) -> None:
    held_out = state.held_out
    if held_out is None:
        return
    count = held_out_count(samples, float(validation))      # it is a share: the description is as it was
    if len(held_out) != count or held_out.max() >= samples:
        raise ValueError(
            f"held_out: expected {count} samples, 0 to {samples - 1}; got {len(held_out)}, up to "
            f"{held_out.max(initial=-1)}"
        )


def _check_course(state: TrainingState, settings: Settings, samples: int) -> None:
    """What the history says must be what these settings record, and lead to the states that are there."""
    names = set(settings.recorded())
    if set(state.history.names) != names:
        got = ", ".join(state.history.names)
        raise ValueError(f"history: expected {', '.join(sorted(names))}; got {got}")
    losses = watched(state.history).tolist()
    kept = samples - (0 if state.held_out is None else len(state.held_out))
    reduce, stop = settings.reduce_on_plateau, settings.early_stopping
    plateau = None if reduce is None else reduce.init(settings.schedule(kept)(0))
    stopping = None if stop is None else stop.init()
    for epoch, loss in enumerate(losses):
        plateau = None if reduce is None or plateau is None else reduce(plateau, loss)
        stopping = None if stop is None or stopping is None else stop(stopping, epoch, loss)
    for name, found, expected in (
        ("reduce_on_plateau", state.plateau, plateau), ("early_stopping", state.stopping, stopping)
    ):  # fmt: skip
        if found != expected:
            raise ValueError(f"{name}: expected {expected} after these losses, got {found}")


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
