"""Gradient descent: the loop over epochs and minibatches.

Knows whatever it trains by an engine's signature, loss_and_gradient(parameters, x, y) -> (float, (P,)), with
all parameters in one flat vector and one sample a column: the loop trains any engine. What else it asks of a
network, for validation, metrics and monitors, are the few public methods of `Network`.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from nn import checks, metrics, progress
from nn.batches import Samples
from nn.callbacks import Callback, Epoch, StopTraining
from nn.checkpoints import copy_into, save
from nn.clipping import clip_by_norm, clip_by_value
from nn.data import random_split
from nn.history import TrainingHistory
from nn.monitors import Monitor
from nn.preparation import Preparation
from nn.resuming import resume
from nn.settings import Settings
from nn.training_state import TrainingState

Array = npt.NDArray[np.float64]
LossAndGradient = Callable[..., tuple[float, Array]]

MONITORED = 1000        # samples whose activations a monitor looks at
CALLER = 6              # frames from a warning to the line that called network.train


class Engine(Protocol):
    """What gives gradients; with sample weights, by a keyword argument `weights` (N,)."""

    def loss_and_gradient(self, parameters: Array, x: Array, y: Array) -> tuple[float, Array]:
        """The loss at `parameters` (P,) on samples x, y, and its gradient (P,)."""


class Network(Protocol):
    """What training asks of a network beside its engine."""

    layer_sizes: list[int]
    batch_norm: bool
    history: TrainingHistory | None

    @property
    def loss_name(self) -> str:
        """The loss it is trained for."""

    def forward(self, x: npt.ArrayLike, masks: Any = None, *, training: bool = False) -> dict[str, Array]:
        """A forward pass; without masks there is no dropout."""

    def evaluate(self, x: npt.ArrayLike, y: npt.ArrayLike) -> float:
        """The loss of such a pass, without penalties."""

    def activation_names(self) -> list[str]:
        """Each layer's, the output's last."""

    def architecture(self) -> dict[str, Any] | None:
        """What a checkpoint has to say of it."""

    def state_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """All numbers that training changes, by name, live: parameters, and running statistics."""


class EngineAlone:
    """Stands in for the network where there is none: it validates by the engine, and can do no more."""

    def __init__(self, engine: LossAndGradient, parameters: Array) -> None:
        self.engine, self.parameters = engine, parameters
        self.layer_sizes: list[int] = []
        self.batch_norm = False
        self.history: TrainingHistory | None = None

    @property
    def loss_name(self) -> str:
        raise _no_network("metrics")

    def activation_names(self) -> list[str]:
        raise _no_network("monitor")

    def forward(self, x: npt.ArrayLike, masks: Any = None, *, training: bool = False) -> dict[str, Array]:
        raise _no_network("metrics")

    def evaluate(self, x: npt.ArrayLike, y: npt.ArrayLike) -> float:
        """The engine's loss."""
        return self.engine(self.parameters, x, y)[0]

    def architecture(self) -> None:
        """It has none."""

    def state_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The parameters."""
        return {"parameters": self.parameters}


def _no_network(name: str) -> TypeError:
    return TypeError(f"{name}: expected to train a network; an engine alone gives no activations")


def any_samples(x: Any, y: Any) -> tuple[Array, Array]:
    """Samples for an engine that nothing is known of: one column each, finite."""
    x = checks.columns("x", x)
    y = checks.finite("y", checks.real_array("y", y, f"(targets, {x.shape[1]})"))
    if y.ndim not in (1, 2) or y.shape[-1] != x.shape[1]:
        raise ValueError(checks.shape_message("y", f"(targets, {x.shape[1]})", str(y.shape)))
    return x, y


@dataclass(frozen=True)
class Trainee:
    """What is trained.

    parameters         (P,), trained in place
    loss_and_gradient  an engine's; it may take its arguments as checked
    network            for what an engine does not do: predictions, activations, a loss without dropout
    samples            (x, y) -> (x, y), the checks at the door
    update             (parameters, gradient, rate) -> parameters, a learner's own way to take a step
    locate             (x, numbers (P,)) -> the layer that nan or inf came up in
    fewest             samples that a batch must have: 2 where there is batch normalisation
    reduction          "mean" or "sum": how the engine's loss comes from its samples'
    """

    parameters: Array
    loss_and_gradient: LossAndGradient
    network: Network
    samples: Callable[[Any, Any], tuple[Array, Array]] = any_samples
    update: Callable[[Array, Array, float], Array] | None = None
    locate: Callable[[Array, Array], int] = lambda x, numbers: 0
    fewest: int = 1
    reduction: str = "mean"


def engine_alone(loss_and_gradient: LossAndGradient, parameters: Array) -> Trainee:
    """An engine, or any function of (parameters, x, y), with the parameters (P,) to train in place."""
    return Trainee(parameters, loss_and_gradient, EngineAlone(loss_and_gradient, parameters))


def train(trainee: Trainee, x: Any, y: Any, settings: Settings) -> TrainingHistory:
    """Train in place; returns each epoch's loss, the mean over its samples as each batch was met, or the sum.

    Raises FloatingPointError where the loss, the gradient, the step or the validation loss is not finite;
    the parameters are then the last at which loss and gradient were finite, or early stopping's best. After
    that, or after Ctrl-C, the network's `history` has the epochs that were finished.

    >>> parabola = engine_alone(lambda theta, x, y: (float(theta @ theta), 2 * theta), np.array([1.0]))
    >>> train(parabola, [[0.0]], [[0.0]], Settings(learning_rate=0.25, epochs=3, progress=False))
    [1.0, 0.25, 0.0625]
    >>> parabola.parameters
    array([0.125])
    """
    if trainee.update is not None and settings.optimizer not in (None, "sgd"):
        raise ValueError(
            "optimizer: this network takes its steps by its own update_parameters; "
            f"expected none, got {settings.optimizer!r}"
        )
    if trainee.update is not None:
        settings = replace(settings, optimizer="sgd")       # whose usual rate is the tutorial's
    samples = Samples(*trainee.samples(x, y))
    if settings.sample_weights is not None:
        kind = samples.x.dtype
        samples.weights = checks.sample_weights("sample_weights", settings.sample_weights, len(samples), kind)
    loop = _Loop(trainee, settings, samples)
    with loop.shown() as show:
        return loop.run([*show, *settings.callbacks])


class _Loop:
    """One training, from its beginning or from where its checkpoint stands."""

    def __init__(self, trainee: Trainee, settings: Settings, samples: Samples) -> None:
        self.trainee, self.settings = trainee, settings
        self.checkpoint = settings.chosen_checkpoint()
        self.preparation = Preparation() if self.checkpoint is None else self.checkpoint.preparation
        self.validation = self._given_validation()
        self.description = self._described(samples)
        self.state = state = self._start(len(samples))
        self.samples = samples
        if settings.validation is not None and not isinstance(settings.validation, tuple):
            self.samples, self.validation = self._split(samples, settings.validation)
        self._check_parts()
        if settings.batch_size is not None:
            self.samples = self.samples.laid_out()
        self.optimizer, self.schedule = settings.chosen_optimizer(), settings.schedule(len(self.samples))
        self.metrics: dict[str, metrics.Metric] = {}
        if settings.metrics is not None:
            self.metrics = metrics.resolve(settings.metrics, trainee.network.loss_name)
        self.monitor: Monitor | None = None
        if settings.monitor:
            names, network = trainee.network.activation_names(), trainee.network
            self.monitor = Monitor(
                network.layer_sizes, names, network.batch_norm, validation_factor=self._validation_factor()
            )
            self.monitor.history, self.monitor.warnings = state.history, state.warnings
        if settings.reduce_on_plateau is not None and state.plateau is None:
            state.plateau = settings.reduce_on_plateau.init(self.schedule(0))
        if settings.early_stopping is not None and state.stopping is None:
            state.stopping = settings.early_stopping.init()
        self.last = trainee.parameters[:0], trainee.parameters[:0]     # gradient and step, for the monitor
        self.before = trainee.parameters.copy()     # the last step: there loss and gradient were finite
        self.first = state.steps
        self.rate = math.nan
        self.history = TrainingHistory(state.history)

    def _given_validation(self) -> Samples | None:
        """What to validate with, where it is given as samples."""
        validation = self.settings.validation
        if not isinstance(validation, tuple):
            return None
        if len(validation) != 2:
            raise ValueError(f"validation: expected a share or (x, y), got {len(validation)} entries")
        return Samples(*self.trainee.samples(*validation))

    def _validation_factor(self) -> float:
        """What makes a validation loss one of as many samples as are trained with: sums grow with them."""
        if self.validation is None or self.trainee.reduction == "mean":
            return 1.0
        return self.samples.mass / len(self.validation)

    def _split(self, samples: Samples, share: float) -> tuple[Samples, Samples]:
        """What to learn from, and what to validate with, where that is a share of the samples."""
        state = self.state
        if state.held_out is None:
            state.held_out = np.sort(random_split(len(samples), share, state.rng)[1]).astype(np.int64)
        kept = np.delete(np.arange(len(samples)), state.held_out)
        return samples.taken(kept), samples.taken(state.held_out)

    def _described(self, samples: Samples) -> dict[str, Any]:
        """What must be the same where this training is resumed."""
        share = self.settings.validation
        validation: Any = share if isinstance(share, tuple | None) else float(share)
        if self.validation is not None:
            validation = self.validation.fingerprint()
        return self.settings.description() | {"validation": validation, "samples": samples.fingerprint()}

    def _start(self, samples: int) -> TrainingState:
        """Where to start."""
        rng, checkpoint = checks.generator(self.settings.rng), self.checkpoint
        if self.settings.resume and checkpoint is not None and os.path.exists(checkpoint.path):
            network = self.trainee.network
            state, saved = resume(checkpoint.path, network, rng, self.settings, self.description, samples)
            if self.preparation == Preparation():       # none is given anew
                self.preparation = saved
            return state
        return TrainingState(self.settings.chosen_optimizer().init(self.trainee.parameters), rng)

    def _check_parts(self) -> None:
        """Refuse what would fail at the end of the first epoch: a rest too small, weights of 0 only."""
        if self.samples.mass == 0:
            raise ValueError("sample_weights: of the samples that validation leaves, all are 0")
        count, size = len(self.samples), self.settings.batch_size
        if size is None or size >= count:
            return
        smallest = count % size or size
        if smallest < self.trainee.fewest:
            raise ValueError(
                f"batch_size: {count} samples, {size} at a time, make a batch of {smallest}; batch "
                f"normalisation takes the spread of {self.trainee.fewest} or more. Change batch_size"
            )

    @contextmanager
    def shown(self) -> Iterator[list[Callback]]:
        """The callbacks that show how far it is."""
        on_epoch, wanted = self.settings.on_epoch, self.settings.progress
        own: list[Callback] = [] if on_epoch is None else [lambda e: on_epoch(e.epoch, e.loss)]
        if wanted:
            with progress.bar(self.settings.epochs, self.state.epoch) as bar:
                yield [bar, *own]
        else:
            yield own if own or wanted is False else [progress.print_hundredth]

    def run(self, callbacks: list[Callback]) -> TrainingHistory:
        """All epochs that are left."""
        state, network = self.state, self.trainee.network
        network.history = self.history
        try:
            while state.epoch < self.settings.epochs and not self._ended():
                self._close_epoch(self._epoch(), callbacks)
        finally:
            self.history[:] = state.history["loss"].tolist() if len(state.history) else []
            if not all_finite(self.trainee.parameters):     # interrupted between a step and its check
                self.trainee.parameters[:] = self.before
            if state.best:
                copy_into(network.state_arrays(), state.best)
        return self.history

    def _ended(self) -> bool:
        stopping, state = self.settings.early_stopping, self.state.stopping
        return self.state.ended or (stopping is not None and state is not None and stopping.ends(state))

    # One epoch.

    def _epoch(self) -> float:
        """Its steps; gives the mean loss, or the sum."""
        total, mean = 0.0, self.trainee.reduction == "mean"
        for part in self.samples.minibatches(self.settings.batch_size, self.state.rng):
            if (mass := part.mass) > 0:     # else all its weights are 0: it says nothing
                total += self._step(part) * (mass if mean else 1.0)
        loss = total / self.samples.mass if mean else total
        if not math.isfinite(loss):         # each batch's was
            raise self._stopped(f"in the {self.trainee.reduction} of the losses", self.samples.x, self.before)
        return loss

    def _step(self, part: Samples) -> float:
        """One step; gives the loss before it."""
        parameters = self.trainee.parameters
        extras = {} if part.weights is None else {"weights": part.weights}
        loss, gradient = self.trainee.loss_and_gradient(parameters, part.x, part.y, **extras)
        if not (math.isfinite(loss) and all_finite(gradient)):
            raise self._stopped(f"in the gradient of the loss {loss}", part.x, gradient)
        self._move(parameters, self._clipped(gradient))
        if not all_finite(parameters):
            ahead = parameters.copy()
            parameters[:] = self.before     # where to look for the layer
            raise self._stopped("in the step to take", part.x, ahead)
        if self.monitor is not None:
            self.last = gradient, parameters - self.before
        self.state.steps += 1
        return loss

    def _clipped(self, gradient: Any) -> Any:
        by_value, by_norm = self.settings.clip_value, self.settings.clip_norm
        if by_value is not None:
            gradient = clip_by_value(gradient, by_value)
        return gradient if by_norm is None else clip_by_norm(gradient, by_norm)

    def _move(self, parameters: Array, gradient: Array) -> None:
        """Take the step, wherever it leads; what was before is kept."""
        plateau = self.state.plateau
        self.rate = self.schedule(self.state.steps) if plateau is None else plateau.rate
        self.before[:] = parameters
        if self.trainee.update is not None:
            parameters[:] = self.trainee.update(parameters, gradient, self.rate)
            return
        state = self.state
        with np.errstate(all="ignore"):
            state.optimizer, step = self.optimizer.advance(state.optimizer, gradient, self.rate, parameters)
            parameters += step

    # What follows an epoch.

    def _close_epoch(self, loss: float, callbacks: list[Callback]) -> None:
        """Record it, let everybody look, and decide whether to go on."""
        state = self.state
        quantities = self._quantities()
        self._record(loss, quantities)
        epoch = Epoch(state.epoch, state.steps, loss, {"loss": loss, **quantities})
        watched = float(quantities.get("validation_loss", loss))
        if self.settings.reduce_on_plateau is not None and state.plateau is not None:
            state.plateau = self.settings.reduce_on_plateau(state.plateau, watched)
        if self.settings.early_stopping is not None and state.stopping is not None:
            state.stopping = self.settings.early_stopping(state.stopping, state.epoch, watched)
            if state.stopping.best_epoch == state.epoch:
                arrays = self.trainee.network.state_arrays()
                state.best = {name: array.copy() for name, array in arrays.items()}
        state.epoch += 1
        for callback in callbacks:
            try:
                callback(epoch)
            except StopTraining:
                state.ended = True
        self._save()

    def _save(self) -> None:
        """Write the checkpoint, if it is time to."""
        checkpoint, state = self.checkpoint, self.state
        last = state.epoch == self.settings.epochs or self._ended()
        if checkpoint is not None and (last or state.epoch % checkpoint.every == 0):
            self._check_what_steps_do_not()
            save(checkpoint.path, self.trainee.network, self.preparation, state, self.description)

    def _check_what_steps_do_not(self) -> None:
        """Squares overflow where gradients do not, and no file holds nan or inf."""
        memory, x = self.state.optimizer.memory, self.samples.x
        if not all_finite(memory):
            raise self._stopped("in what the optimizer remembers", x, np.abs(memory).max(axis=0))
        for name, array in self.trainee.network.state_arrays().items():
            if not all_finite(array):       # a running statistic, which has its layer in its name
                raise self._stopped(f"in {name}", x, self.trainee.parameters)

    def _quantities(self) -> dict[str, float]:
        """What is recorded of an epoch beside its loss."""
        found = {"learning_rate": self.rate}
        if self.validation is not None:
            loss = self.trainee.network.evaluate(self.validation.x, self.validation.y)
            found["validation_loss"] = loss
            if not math.isfinite(loss):
                raise self._stopped("in the validation loss", self.validation.x, self.trainee.parameters)
        if self.metrics:
            found |= self._measured("", self.samples)
            found |= {} if self.validation is None else self._measured("validation_", self.validation)
        return found

    def _measured(self, prefix: str, part: Samples) -> dict[str, float]:
        """The metrics of some samples, by prefixed names."""
        network = self.trainee.network
        predictions = network.forward(part.x)[f"a{len(network.layer_sizes) - 1}"]
        found = {}
        for name, metric in self.metrics.items():
            value = metric(part.y, predictions)
            if not hasattr(value, "__float__") or getattr(value, "shape", ()) != ():
                raise TypeError(f"metrics: expected {name!r} to return a number, got {value!r:.60}")
            found[prefix + name] = float(value)
        return found

    def _record(self, loss: float, quantities: dict[str, float]) -> None:
        if self.monitor is None:
            self.state.history.record(self.state.steps, loss=loss, **quantities)
        else:
            cache = self.trainee.network.forward(self.samples.x[:, :MONITORED])
            gradient, step = self.last
            found = self.monitor.observe(
                self.state.steps, loss, gradient, step, self.trainee.parameters, cache, **quantities
            )
            for warning in found:
                warnings.warn(str(warning), UserWarning, stacklevel=CALLER)
        self.history.append(loss)

    def _stopped(self, where: str, x: Array, numbers: Array) -> FloatingPointError:
        """Go back to the last parameters that were good; gives the error that says so."""
        state, layer = self.state, self.trainee.locate(x, numbers)
        self.trainee.parameters[:] = self.before
        if state.best and state.stopping is not None:
            left = f"those of epoch {state.stopping.best_epoch}, the best in validation"
        elif state.steps == self.first:
            left = "as they were: no step was taken"
        else:
            left = "the last at which loss and gradient were finite"
        return FloatingPointError(
            f"training stopped at step {state.steps}, epoch {state.epoch}: nan or inf {where}, first in "
            f"layer {layer}. The parameters are {left}. Try a smaller learning_rate, or bring x and y to a "
            "scale near 1."
        )


def all_finite(numbers: npt.NDArray[Any]) -> bool:
    """Whether no entry of a vector is nan or infinite."""
    squares = np.vdot(numbers, numbers)     # which, unlike @, warns of no overflow
    return math.isfinite(squares) or bool(np.isfinite(numbers).all())
