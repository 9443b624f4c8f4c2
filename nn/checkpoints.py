"""Checkpoints: a network, and where its training stands, in one file.

Knows the archives, the state of a training and what it consists of, and a network by its `architecture` and
its `state_arrays`. What comes from a file is not believed: whatever is missing, unknown, of another shape or
not finite is refused with a CheckpointError, and nothing of it reaches a network before all is checked.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from nn import archives, checks
from nn.archives import CheckpointError
from nn.early_stopping import StoppingState
from nn.history import History, TrainingHistory
from nn.monitors import REMEDIES, TrainingWarning
from nn.optimizers import State
from nn.parameters import parameter_count
from nn.scaling import Scaler
from nn.schedules import PlateauState
from nn.training_state import TrainingState

Array = npt.NDArray[Any]
PathLike = str | os.PathLike[str]
Stored = TypeVar("Stored", bound="Storable")

FORMAT, VERSION = "liftgrad checkpoint", 1
GENERATORS = ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")


class Storable(Protocol):
    """What a network tells of itself."""

    history: TrainingHistory | None

    def architecture(self) -> dict[str, Any] | None:
        """The constructor's arguments, but for those that only say how to begin; None: it has none."""

    def state_arrays(self) -> dict[str, Array]:
        """All numbers that training changes, by name, live: parameters, and running statistics."""


@dataclass(frozen=True)
class Checkpoint:
    """Where a training is saved while it goes on.

    path    of the file, .npz by custom
    every   so many epochs, and after the last; each time costs a write to disk, some milliseconds
    scaler  what x went through, to be saved along
    """

    path: PathLike
    every: int = 1
    scaler: Scaler | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.path, str | os.PathLike):
            raise TypeError(f"checkpoint: expected a path, got {type(self.path).__name__}")
        checks.count("every", self.every, least=1)
        if self.scaler is not None and not isinstance(self.scaler, Scaler):
            raise TypeError(f"scaler: expected an nn.Scaler, got {type(self.scaler).__name__}")


class Saved(NamedTuple):
    """What a checkpoint holds.

    architecture  of the network, its class's name among it; None: an engine alone was trained
    arrays        the network's state_arrays
    scaler        if one was saved along
    history       of its training, as far as it went
    training      where the training stood; None: only the network was saved
    settings      of that training
    """

    architecture: dict[str, Any] | None
    arrays: dict[str, Array]
    scaler: Scaler | None
    history: History
    training: TrainingState | None
    settings: dict[str, Any]


# Writing.


def save(
    path: PathLike,
    network: Storable,
    scaler: Scaler | None = None,
    training: TrainingState | None = None,
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Write a checkpoint; whenever this is interrupted, the file that was there or the new one is, whole."""
    arrays = _named("network", network.state_arrays())
    header: dict[str, Any] = {"format": FORMAT, "version": VERSION, "network": describe(network)}
    if scaler is not None:
        arrays |= _named("scaler", scaler.to_arrays())
    if network.history is not None:
        arrays |= _named("history", network.history.records.to_arrays())
    if training is not None:
        header["training"] = _training_header(training) | {"settings": settings}
        arrays |= _named("best", training.best)
        arrays["training/memory"] = training.optimizer.memory
        if training.held_out is not None:
            arrays["training/held_out"] = training.held_out
    archives.write(path, header, arrays)


def describe(network: Storable) -> dict[str, Any] | None:
    """The network's architecture and its class's name."""
    architecture = network.architecture()
    return None if architecture is None else {"class": type(network).__name__, **architecture}


def _training_header(state: TrainingState) -> dict[str, Any]:
    return {
        "epoch": state.epoch,
        "steps": state.steps,
        "ended": state.ended,
        "optimizer_steps": state.optimizer.steps,
        "plateau": state.plateau,
        "stopping": state.stopping,
        "warnings": [[w.kind, w.step, w.layer, w.evidence] for w in state.warnings],
        "generator": _plain(state.rng.bit_generator.state),
    }


def _plain(state: Any) -> Any:
    """A generator's state with its arrays as lists, as JSON has it."""
    if isinstance(state, Mapping):
        return {key: _plain(value) for key, value in state.items()}
    return state.tolist() if isinstance(state, np.ndarray) else state


def _named(group: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {f"{group}/{name}": array for name, array in arrays.items()}


# Reading.


def read(path: PathLike) -> Saved:
    """What a checkpoint holds, checked as far as it goes without the network.

    Raises CheckpointError, and OSError where there is nothing to read.
    """
    header, arrays = archives.read(path)
    try:
        if header.pop("format", None) != FORMAT:
            raise ValueError("it is no checkpoint of a network")
        version = header.pop("version", None)
        if version != VERSION:
            raise ValueError(f"expected version {VERSION}, got {version!r}: another liftgrad's")
        return _saved(header, _grouped(arrays))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise CheckpointError(path, str(error)) from error


def load(path: PathLike, kind: Callable[..., Stored], name: str) -> Stored:
    """The network of this class that a checkpoint holds; from a training with early stopping, at its best."""
    saved = read(path)
    try:
        return _built(kind, name, saved)
    except (ValueError, TypeError) as error:
        raise CheckpointError(path, str(error)) from error


def _built(kind: Callable[..., Stored], name: str, saved: Saved) -> Stored:
    if saved.architecture is None:
        raise ValueError("it holds parameters of an engine alone, and no network")
    arguments = dict(saved.architecture)
    if (found := arguments.pop("class", None)) != name:
        raise ValueError(f"it holds a {found!r:.60}; load it by that class, not by {name}")
    sizes = checks.widths("layer_sizes", arguments.get("layer_sizes"), least="[inputs, outputs]")
    if parameter_count(sizes) > saved.arrays["parameters"].size:        # before a network of any size is made
        raise ValueError(f"its parameters are too few for layer_sizes {sizes}")
    network = kind(**arguments, initialization="zeros")
    if network.architecture() != arguments:
        raise ValueError(f"its architecture has missing keys: {arguments}")
    best = None if saved.training is None else saved.training.best
    copy_into(network.state_arrays(), best or saved.arrays)
    network.history = TrainingHistory(saved.history)
    return network


def copy_into(live: Mapping[str, Array], saved: Mapping[str, Array]) -> None:
    """Copy saved numbers into a network's own arrays; ValueError unless all of them fit."""
    _keys("the network's arrays", saved, live)
    for name, array in live.items():
        if saved[name].shape != array.shape or saved[name].dtype != array.dtype:
            raise ValueError(
                f"{name}: expected {array.dtype} of shape {array.shape}, got {saved[name].dtype} of shape "
                f"{saved[name].shape}"
            )
    for name, array in live.items():
        array[...] = saved[name]


def _saved(header: dict[str, Any], groups: dict[str, dict[str, Array]]) -> Saved:
    _keys("header", header, ["network"], ["training"])
    _keys("arrays", groups, ["network"], ["scaler", "training", "best", "history"])
    arrays = groups["network"]
    if "parameters" not in arrays or arrays["parameters"].ndim != 1:
        raise ValueError("expected a vector of parameters")
    for name, array in arrays.items():
        checks.finite(name, array)
    scaler = Scaler.from_arrays(groups["scaler"]) if "scaler" in groups else None
    history = History.from_arrays(groups.get("history", {}))
    architecture = header["network"]
    if not isinstance(architecture, dict | None):
        raise ValueError(f"network: expected its architecture, got {architecture!r:.60}")
    if "training" not in header:
        _keys("arrays", groups, ["network"], ["scaler", "history"])
        return Saved(architecture, arrays, scaler, history, None, {})
    training = header["training"]
    _keys("training", training, TRAINING)
    if not isinstance(training["settings"], dict):
        raise ValueError(f"settings: expected an object, got {training['settings']!r:.60}")
    state = _training(training, groups, history)
    return Saved(architecture, arrays, scaler, history, state, training["settings"])


TRAINING = (
    "epoch", "steps", "ended", "optimizer_steps", "plateau", "stopping", "warnings", "generator", "settings",
)  # fmt: skip


def _training(
    header: Mapping[str, Any], groups: Mapping[str, dict[str, Array]], history: History
) -> TrainingState:
    own, network = groups.get("training", {}), groups["network"]
    _keys("training's arrays", own, ["memory"], ["held_out"])
    memory = own["memory"]
    if memory.ndim != 2 or memory.shape[1] != network["parameters"].size:
        raise ValueError(f"memory: expected shape (rows, {network['parameters'].size}), got {memory.shape}")
    if not isinstance(header["ended"], bool):
        raise ValueError(f"ended: expected true or false, got {header['ended']!r:.60}")
    best = groups.get("best", {})
    if best:
        copy_into({name: array.copy() for name, array in network.items()}, best)
        for name, array in best.items():
            checks.finite(f"best {name}", array)
    epoch = checks.count("epoch", header["epoch"], 0)
    if len(history) != epoch:
        raise ValueError(f"history: expected {epoch} epochs, got {len(history)}")
    steps = checks.count("optimizer_steps", header["optimizer_steps"], 0)
    return TrainingState(
        optimizer=State(steps, memory, memory[:0]),
        rng=_generator(header["generator"]),
        history=history,
        warnings=[_warning(*entry) for entry in header["warnings"]],
        epoch=epoch,
        steps=checks.count("steps", header["steps"], 0),
        ended=header["ended"],
        plateau=_plateau(header["plateau"]),
        stopping=_stopping(header["stopping"]),
        best=best,
        held_out=_held_out(own.get("held_out")),
    )


def _plateau(entries: Any) -> PlateauState | None:
    if entries is None:
        return None
    rate, best, waited, resting = entries
    return PlateauState(
        checks.not_negative("plateau's rate", rate),
        _number("plateau's best", best),
        checks.count("plateau's wait", waited, 0),
        checks.count("plateau's rest", resting, 0),
    )


def _stopping(entries: Any) -> StoppingState | None:
    if entries is None:
        return None
    best, epoch, waited = entries
    return StoppingState(
        _number("the lowest loss", best),
        checks.count("the best epoch", epoch, -1),
        checks.count("the epochs waited", waited, 0),
    )


def _number(name: str, value: Any) -> float:
    """A float, infinite perhaps: the best loss is so before the first."""
    if not isinstance(value, float) or math.isnan(value):
        raise ValueError(f"{name}: expected a number, got {value!r:.60}")
    return value


def _warning(kind: Any, step: Any, layer: Any, evidence: Any) -> TrainingWarning:
    return TrainingWarning(
        checks.one_of("a warning's kind", kind, REMEDIES),
        checks.count("a warning's step", step, 0),
        None if layer is None else checks.count("a warning's layer", layer, 0),
        str(evidence),
    )


def _held_out(indices: Array | None) -> npt.NDArray[np.int64] | None:
    if indices is None:
        return None
    if indices.dtype != np.int64 or indices.ndim != 1 or (np.diff(indices, prepend=-1) <= 0).any():
        raise ValueError("held_out: expected the numbers of samples in ascending order")
    return indices


def _generator(state: Any) -> np.random.Generator:
    """The generator that was in this state."""
    name = state.get("bit_generator") if isinstance(state, dict) else None
    kind = getattr(np.random, checks.one_of("generator", name, GENERATORS))
    rng = np.random.Generator(kind(0))
    try:
        rng.bit_generator.state = state
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise ValueError(f"generator: this is no state of {name}: {error!r}") from error
    if _plain(rng.bit_generator.state) != state:        # NumPy passes over what it does not know
        raise ValueError(f"generator: this is no state of {name}")
    return rng


def _grouped(arrays: Mapping[str, Array]) -> dict[str, dict[str, Array]]:
    """{"network/parameters": …} as {"network": {"parameters": …}}."""
    groups: dict[str, dict[str, Array]] = {}
    for name, array in arrays.items():
        group, _, rest = name.partition("/")
        groups.setdefault(group, {})[rest] = array
    return groups


def _keys(name: str, found: Mapping[str, Any], needed: Iterable[str], allowed: Iterable[str] = ()) -> None:
    """Refuse a dict that lacks a needed key, or has one that is neither needed nor allowed."""
    if not isinstance(found, Mapping):
        raise ValueError(f"{name}: expected an object, got {found!r:.60}")
    missing = [key for key in needed if key not in found]
    unknown = [key for key in found if key not in {*needed, *allowed}]
    if missing or unknown:
        raise ValueError(
            f"{name}: missing {', '.join(missing) or 'nothing'}, unknown {', '.join(unknown) or 'nothing'}"
        )
