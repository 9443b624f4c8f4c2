"""Checkpoints: a network, and where its training stands, in one file.

Knows the archives, the state of a training and what it consists of, what inputs went through, and a network
by its `architecture` and its `state_arrays`. What comes from a file is not believed: whatever is missing,
unknown, of another shape or out of range is refused with a CheckpointError, and nothing of it reaches a
network before all is checked. What would be refused is not written either: no bad file replaces a good one.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from nn import archives, checks, soundness
from nn.archives import CheckpointError
from nn.early_stopping import StoppingState
from nn.history import History, TrainingHistory
from nn.missing import Imputer
from nn.monitors import REMEDIES, TrainingWarning
from nn.optimizers import State
from nn.parameters import parameter_count
from nn.preparation import Preparation
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

    path     of the file, .npz by custom
    every    so many epochs, and after the last; each time costs a write to disk, some milliseconds
    scaler   what x went through, to be saved along: see nn.load_preparation
    imputer  what it went through before the scaler
    """

    path: PathLike
    every: int = 1
    scaler: Scaler | None = None
    imputer: Imputer | None = None

    def __post_init__(self) -> None:
        checks.path("checkpoint", self.path)
        checks.count("every", self.every, least=1)
        Preparation(self.imputer, self.scaler)

    @property
    def preparation(self) -> Preparation:
        """What x went through."""
        return Preparation(self.imputer, self.scaler)


class Saved(NamedTuple):
    """What a checkpoint holds.

    architecture  of the network, its class's name among it; None: an engine alone was trained
    arrays        the network's state_arrays
    preparation   what its inputs went through
    history       of its training, as far as it went
    training      where the training stood; None: only the network was saved
    settings      of that training
    """

    architecture: dict[str, Any] | None
    arrays: dict[str, Array]
    preparation: Preparation
    history: History
    training: TrainingState | None
    settings: dict[str, Any]


# Writing.


def save(
    path: PathLike,
    network: Storable,
    preparation: Preparation,
    training: TrainingState | None = None,
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Write a checkpoint; whenever this is interrupted, the file that was there or the new one is, whole.

    Raises ValueError, and leaves what was there, for numbers that would be refused when they are read.
    """
    checks.path("path", path)
    architecture, state = describe(network), network.state_arrays()
    history = History() if network.history is None else network.history.records
    _check(Saved(architecture, state, preparation, history, training, dict(settings or {})))
    arrays = _named("network", state) | _named("history", history.to_arrays())
    header: dict[str, Any] = {"format": FORMAT, "version": VERSION, "network": architecture}
    for part, its in preparation.to_arrays().items():
        arrays |= _named(part, its)
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
        if type(version) is not int or version != VERSION:
            raise ValueError(f"expected version {VERSION}, got {version!r:.60}: another liftgrad's")
        saved = _saved(header, _grouped(arrays))
        _check(saved)
    except (ValueError, TypeError) as error:    # with our own words: nothing is called that has others
        raise CheckpointError(path, str(error)) from error
    return saved


def load_preparation(path: PathLike) -> Preparation:
    """What the inputs of a saved network went through, as they have to again.

    Raises CheckpointError where the file cannot be trusted, and OSError where there is nothing to read.

    >>> import tempfile
    >>> from nn import NeuralNetwork, Scaler
    >>> x_train, x_new = np.array([[10.0, 20.0, 30.0]]), np.array([[25.0]])
    >>> scaler = Scaler.min_max(x_train)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     NeuralNetwork([1, 1]).save(f"{folder}/model.npz", scaler=scaler)
    ...     network = NeuralNetwork.load(f"{folder}/model.npz")
    ...     preparation = load_preparation(f"{folder}/model.npz")
    >>> network.forward(preparation.transform(x_new))["a0"]
    array([[0.75]])
    """
    return read(path).preparation


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
    try:
        network = kind(**arguments, initialization="zeros")
    except (TypeError, OverflowError) as error:
        raise ValueError(f"its architecture is none of a {name} ({error}): {arguments}") from error
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
    _keys("arrays", groups, ["network"], ["imputer", "scaler", "training", "best", "history"])
    arrays = groups["network"]
    preparation = Preparation.from_arrays(groups)
    history = History.from_arrays(groups.get("history", {}))
    architecture = header["network"]
    if not isinstance(architecture, dict | None):
        raise ValueError(f"network: expected its architecture, got {architecture!r:.60}")
    if "training" not in header:
        _keys("arrays", groups, ["network"], ["imputer", "scaler", "history"])
        return Saved(architecture, arrays, preparation, history, None, {})
    training = header["training"]
    _keys("training", training, TRAINING)
    if not isinstance(training["settings"], dict):
        raise ValueError(f"settings: expected an object, got {training['settings']!r:.60}")
    state = _training(training, groups, history)
    return Saved(architecture, arrays, preparation, history, state, training["settings"])


def _check(saved: Saved) -> None:
    """Refuse with ValueError, or TypeError, what no network and no training can have left."""
    parameters, sizes = saved.arrays.get("parameters"), None
    if parameters is None or parameters.ndim != 1:
        raise ValueError("expected a vector of parameters")
    soundness.check_arrays(saved.arrays)
    if saved.architecture is not None:
        sizes = checks.widths(
            "layer_sizes", saved.architecture.get("layer_sizes"), least="[inputs, outputs]"
        )
        if parameter_count(sizes) > parameters.size:        # before a network of any size is made
            raise ValueError(f"its parameters are too few for layer_sizes {sizes}")
        if saved.preparation.outputs not in (None, sizes[0]):
            raise ValueError(
                f"scaler or imputer: expected {sizes[0]} features, which the network takes, got "
                f"{saved.preparation.outputs}"
            )
    soundness.check_history(saved.history, sizes)
    if saved.training is not None:
        checks.one_of("rng", type(saved.training.rng.bit_generator).__name__, GENERATORS)
        soundness.check_training(saved.training, saved.arrays, saved.settings.get("validation"))


TRAINING = (
    "epoch", "steps", "ended", "optimizer_steps", "plateau", "stopping", "warnings", "generator", "settings",
)  # fmt: skip


def _training(
    header: Mapping[str, Any], groups: Mapping[str, dict[str, Array]], history: History
) -> TrainingState:
    own = groups.get("training", {})
    _keys("training's arrays", own, ["memory"], ["held_out"])
    memory = own["memory"]
    if memory.ndim != 2:
        raise ValueError(f"memory: expected shape (rows, P), got {memory.shape}")
    if not isinstance(header["ended"], bool):
        raise ValueError(f"ended: expected true or false, got {header['ended']!r:.60}")
    return TrainingState(
        optimizer=State(_whole("optimizer_steps", header["optimizer_steps"]), memory, memory[:0]),
        rng=_generator(header["generator"]),
        history=history,
        warnings=[_warning(entry) for entry in _list("warnings", header["warnings"])],
        epoch=_whole("epoch", header["epoch"]),
        steps=_whole("steps", header["steps"]),
        ended=header["ended"],
        plateau=_plateau(header["plateau"]),
        stopping=_stopping(header["stopping"]),
        best=groups.get("best", {}),
        held_out=_held_out(own.get("held_out")),
    )


def _plateau(entries: Any) -> PlateauState | None:
    if entries is None:
        return None
    rate, best, waited, resting = _list("plateau", entries, 4)
    return PlateauState(
        _number("plateau's rate", rate),
        _number("plateau's best", best),
        _whole("plateau's wait", waited),
        _whole("plateau's rest", resting),
    )


def _stopping(entries: Any) -> StoppingState | None:
    if entries is None:
        return None
    best, epoch, waited = _list("stopping", entries, 3)
    return StoppingState(
        _number("the lowest loss", best), _whole("the best epoch", epoch), _whole("the epochs waited", waited)
    )


def _warning(entries: Any) -> TrainingWarning:
    kind, step, layer, evidence = _list("a warning", entries, 4)
    if not isinstance(evidence, str):
        raise ValueError(f"a warning's evidence: expected text, got {evidence!r:.60}")
    return TrainingWarning(
        checks.one_of("a warning's kind", kind, REMEDIES),
        _whole("a warning's step", step),
        None if layer is None else _whole("a warning's layer", layer),
        evidence,
    )


def _list(name: str, entries: Any, length: int | None = None) -> list[Any]:
    if isinstance(entries, list) and length in (None, len(entries)):
        return entries
    many = "entries" if length is None else f"{length} entries"
    raise ValueError(f"{name}: expected a list of {many}, got {entries!r:.60}")


def _number(name: str, value: Any) -> float:
    if not isinstance(value, float) or not math.isfinite(value):
        raise ValueError(f"{name}: expected a finite number, got {value!r:.60}")
    return value


def _whole(name: str, value: Any) -> int:
    """A whole number that NumPy can count with."""
    number = checks.count(name, value, least=0)
    if number >= 2**63:
        bits = number.bit_length()
        raise ValueError(f"{name}: expected a whole number below 2**63, got one of {bits} bits")
    return number


def _held_out(indices: Array | None) -> npt.NDArray[np.int64] | None:
    if indices is None:
        return None
    if indices.dtype != np.int64 or indices.ndim != 1 or not _ascending(indices):
        raise ValueError("held_out: expected the numbers of samples in ascending order")
    return indices


def _ascending(indices: npt.NDArray[np.int64]) -> bool:
    """From 0 on; compared, as a difference may overflow."""
    return bool((indices[:1] >= 0).all() and (indices[1:] > indices[:-1]).all())


def _generator(state: Any) -> np.random.Generator:
    """The generator that was in this state."""
    name = state.get("bit_generator") if isinstance(state, dict) else None
    kind = getattr(np.random, checks.one_of("generator", name, GENERATORS))
    rng = np.random.Generator(kind(0))
    try:
        rng.bit_generator.state = state
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise ValueError(f"generator: this is no state of {name}") from error
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
