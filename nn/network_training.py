"""How a NeuralNetwork is trained: what it gives to the loop, for its own engine or another.

Knows the loop, its settings, and a network by the methods of `Trainable`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from nn import checks, training, twins
from nn.callbacks import Callback
from nn.checkpoints import Checkpoint
from nn.early_stopping import EarlyStopping
from nn.history import TrainingHistory
from nn.metrics import Metric
from nn.optimizers import Optimizer
from nn.parameters import Gradient
from nn.passes import Batch
from nn.schedules import ReduceOnPlateau, Schedule
from nn.settings import Settings

Array = npt.NDArray[np.float64]


class Trainable(training.Network, twins.Settled, Protocol):
    """What a network has for its training, beside its settings and what the loop asks of every network."""

    _parameters: Array

    def has_own(self, method: str) -> bool:
        """Whether a learner's own method is in place."""

    def draw_masks(self, samples: int, rng: np.random.Generator) -> list[Array | None]:
        """Masks for dropout."""

    def update_statistics(self, cache: Mapping[str, Array]) -> None:
        """Let the running statistics take in those of a pass in training."""

    def _samples(self, x: object, y: object) -> tuple[Array, Array]: ...

    def _check_batch(self, samples: int, training: bool) -> None: ...

    def _bad_layer(self, x: Array, numbers: Array) -> int: ...

    def _updated_by_learner(self, parameters: Array, gradient: Array, learning_rate: float) -> Array: ...

    def _loss_and_gradient(
        self, parameters: Array, batch: Batch, out: Gradient | None = None, learning: bool = False
    ) -> tuple[float, Array]: ...

    def _room_for_gradient(self) -> Gradient: ...


def train(
    network: Trainable,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    learning_rate: float | Schedule | None = None,
    epochs: int = 1000,
    *,
    batch_size: int | None = None,
    optimizer: str | Optimizer | None = None,
    reduce_on_plateau: ReduceOnPlateau | None = None,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    validation: float | tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    sample_weights: npt.ArrayLike | None = None,
    early_stopping: EarlyStopping | None = None,
    callbacks: Iterable[Callback] = (),
    monitor: bool = False,
    metrics: Iterable[str] | Mapping[str, Metric] | None = None,
    progress: bool | None = None,
    checkpoint: str | os.PathLike[str] | Checkpoint | None = None,
    resume: bool = False,
    rng: np.random.Generator | None = None,
    engine: training.Engine | None = None,
    on_epoch: Callable[[int, float], object] | None = None,
) -> TrainingHistory:
    """Train on x (inputs, N), y (outputs, N); returns each epoch's loss, and by name what else was kept.

    learning_rate      a number, or a schedule: a function of the steps taken so far (see nn.schedules)
    batch_size         samples a step, in an order shuffled by `rng` each epoch; None: all, in order
    optimizer          a name, or an nn.Adam(…) of one's own. Where neither it nor a rate is named, it is
                       Adam, at rate 0.05 where a step takes all samples and at 0.01 where it does not,
                       which learns most things; with a rate alone it is the tutorial's gradient descent;
                       with an optimizer alone the rate is 0.01
    reduce_on_plateau  lowers the rate where the validation loss, or else the loss, stands still
    clip_norm          cuts a longer gradient to this norm
    clip_value         cuts each of its entries to this size, before clip_norm
    validation         a share of the samples, set apart at random, or (x, y): its loss is recorded
    sample_weights     (N,) of at least 0, how much each sample counts
    early_stopping     an nn.EarlyStopping: ends the training, and restores the best epoch's parameters
    callbacks          functions, called after each epoch with an nn.Epoch; nn.StopTraining ends it
    monitor            whether to record each layer's gradient and step, and to warn of what goes wrong
    metrics            ["accuracy"], or {"name": function of (y_true, y_pred) that gives a number}: recorded
                       each epoch
    progress           True: a bar, on a terminal; False: nothing; None: prints every hundredth epoch,
                       unless there is an on_epoch
    checkpoint         a path to save to after each epoch, or an nn.Checkpoint of one's own
    resume             whether to go on where the checkpoint stands, if there is one, as if never stopped:
                       the same bits follow, for the same data and settings; `epochs` counts from the
                       beginning, and may have grown. What callbacks remember is theirs to save
    rng                shuffles, splits and drops out; None takes a fresh one
    engine             whose loss_and_gradient to train by, for the same loss of a network made like this one;
                       None: the network's own
    on_epoch           called with (epoch, loss) after each epoch

    The loss is the mean over the epoch's samples, each taken before the step it leads to; where the
    network's reduction is "sum", it is the sum over them, to which each batch adds the penalties anew. Raises
    FloatingPointError, naming step and layer, where nan or inf comes up; the parameters then are the last
    at which loss and gradient were finite. After that, or after Ctrl-C, `history` has the epochs that were
    finished; with early stopping the best parameters are restored then, too.
    """
    rng = checks.generator(rng)
    trainee = training.Trainee(
        network._parameters,
        own_engine(network, rng) if engine is None else _guided_engine(network, engine, rng),
        network=network,
        samples=network._samples,
        update=network._updated_by_learner if network.has_own("update_parameters") else None,
        locate=network._bad_layer,
        fewest=2 if network.batch_norm else 1,
        reduction=network.reduction,
    )
    settings = Settings(
        learning_rate=learning_rate,
        epochs=epochs,
        batch_size=batch_size,
        optimizer=optimizer,
        reduce_on_plateau=reduce_on_plateau,
        clip_norm=clip_norm,
        clip_value=clip_value,
        validation=validation,
        sample_weights=sample_weights,
        early_stopping=early_stopping,
        callbacks=callbacks,
        monitor=monitor,
        metrics=metrics,
        progress=progress,
        checkpoint=checkpoint,
        resume=resume,
        rng=rng,
        on_epoch=on_epoch,
    )
    return training.train(trainee, x, y, settings)


def own_engine(network: Trainable, rng: np.random.Generator) -> training.LossAndGradient:
    """The network's engine for checked arrays: each gradient is written over the last.

    It draws masks for dropout, and lets the running statistics take in each batch's.
    """
    gradient, drops = network._room_for_gradient(), any(network.dropout)

    def engine(parameters: Array, x: Array, y: Array, *, weights: Array | None = None) -> tuple[float, Array]:
        network._check_batch(x.shape[1], training=True)
        masks = network.draw_masks(x.shape[1], rng) if drops else None
        return network._loss_and_gradient(parameters, Batch(x, y, weights, masks), gradient, learning=True)

    return engine


def _guided_engine(
    network: Trainable, guide: training.Engine, rng: np.random.Generator
) -> training.LossAndGradient:
    """Another's gradients, with this network's masks for dropout; its running statistics follow."""
    _check_engine(network, guide)
    first = True

    def engine(parameters: Array, x: Array, y: Array, **options: Any) -> tuple[float, Array]:
        nonlocal first
        if any(network.dropout):
            options["masks"] = network.draw_masks(x.shape[1], rng)
        given = guide.loss_and_gradient(parameters, x, y, **options)
        if first:
            _check_given(given, parameters.shape)
            first = False
        loss, gradient = given
        if network.batch_norm and math.isfinite(loss):
            network.update_statistics(network.forward(x, masks=options.get("masks"), training=True))
        return loss, gradient

    return engine


def _check_engine(network: Trainable, engine: object) -> None:
    """Refuse what is no engine, and one of ours that is for another problem than the network."""
    if not callable(getattr(engine, "loss_and_gradient", None)):
        raise TypeError(
            "engine: expected an object with loss_and_gradient(parameters, x, y), such as nn.ScalarEngine("
            f"network.to_mlp(), network.loss_name); got {type(engine).__name__} {engine!r:.60}"
        )
    differences = twins.differences(network, engine)
    if differences:
        raise ValueError(f"engine: it is for another network than this one: {'; '.join(differences)}")


def _check_given(given: Any, shape: tuple[int, ...]) -> None:
    """Refuse what is no loss and gradient, before numbers are made of it."""
    expected = f"engine: expected loss_and_gradient to return a number and a vector of shape {shape}, got"
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise TypeError(f"{expected} {type(given).__name__} {given!r:.60}")
    loss, gradient = given
    if not hasattr(loss, "__float__") or getattr(loss, "shape", ()) != ():
        raise TypeError(f"{expected} {type(loss).__name__} {loss!r:.60} as the loss")
    if getattr(getattr(gradient, "dtype", None), "kind", None) != "f":
        raise TypeError(f"{expected} {type(gradient).__name__} {gradient!r:.60}; make it an array of floats")
    if gradient.shape != shape:
        raise ValueError(f"{expected} one of shape {gradient.shape}")
