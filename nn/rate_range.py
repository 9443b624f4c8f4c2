"""The learning-rate range test: train with a rate that grows at every step, and see where it goes wrong.

Knows an engine by its signature, the optimisers, the minibatches and the checks at the door.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nn import checks
from nn.batches import minibatches
from nn.optimizers import Optimizer, resolve

Array = npt.NDArray[np.float64]
Engine = Callable[[Array, Array, Array], tuple[float, Array]]
Samples = tuple[Array, Array, int | None, np.random.Generator]

DIVERGED = 4.0      # times the lowest loss: no use in going on


class RateRange(NamedTuple):
    """What the range test found.

    rates       (n,), each higher than the one before by the same factor
    losses      (n,), the loss over all samples after the step at each rate; the last may not be finite
    suggestion  a rate to train with: a tenth of the rate at which the loss was lowest, as it then is about
                to rise; None where no step lowered the loss
    """

    rates: Array
    losses: Array
    suggestion: float | None


def learning_rate_range_test(
    engine: Engine,
    parameters: Array,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    lowest: float = 1e-6,
    highest: float = 10.0,
    steps: int = 100,
    batch_size: int | None = None,
    optimizer: str | Optimizer = "sgd",
    rng: np.random.Generator | None = None,
) -> RateRange:
    """Train a copy of the parameters for `steps` steps at rates from `lowest` to `highest`.

    engine      loss_and_gradient of any engine
    parameters  (P,) to start from; they are not changed
    x, y        (inputs, N) and (outputs, N), or labels (N,) as the network's cross-entropy takes
    batch_size  samples a step, in an order shuffled by `rng`; None: all, in order

    The rates are spaced evenly on a logarithmic scale. It ends early where the loss is not finite or more
    than 4 times the lowest. The loss is always that of all samples, so that a lucky minibatch decides
    nothing; of a large set, pass a part. Smith 2017, "Cyclical learning rates for training neural networks",
    section 3.3; the tenth is a common rule of thumb, with room for a loss that grows steeper later.

    >>> def parabola(theta, x, y):                      # gradient descent diverges from rate 2 on
    ...     return float(theta @ theta) / 2, theta.copy()
    >>> found = learning_rate_range_test(parabola, np.ones(1), [[0.0]], [[0.0]])
    >>> 0.02 < found.suggestion < 0.2
    True
    """
    lowest, highest = checks.positive("lowest", lowest), checks.positive("highest", highest)
    if not lowest < highest:
        raise ValueError(f"highest: expected a rate above lowest, {lowest}; got {highest}")
    rates = np.geomspace(lowest, highest, checks.count("steps", steps, least=2))
    if batch_size is not None:
        checks.count("batch_size", batch_size, least=1)
    x = checks.columns("x", x)
    samples = x, _targets(y, x.shape[1]), batch_size, checks.generator(rng)
    losses = _losses(engine, np.array(parameters), samples, rates, resolve(optimizer))
    best = int(np.nanargmin(losses)) if math.isfinite(losses[0]) else 0
    suggestion = float(rates[best - 1]) / 10 if best > 0 else None
    return RateRange(rates[: len(losses) - 1], np.array(losses[1:]), suggestion)


def _targets(y: npt.ArrayLike, samples: int) -> Array:
    """Targets (outputs, N), or labels (N,), whole numbers, as they are: the engine knows its classes."""
    targets = checks.real_array("y", y, f"(outputs, {samples})")
    if targets.ndim == 1:
        labels = np.asarray(y)
        if labels.dtype.kind in "iu" and len(labels) == samples:
            return labels
        raise ValueError(
            f"y: expected shape (outputs, {samples}), or labels ({samples},), whole numbers; got "
            f"{labels.dtype} of shape {labels.shape}. For targets of one number each, pass y.reshape(1, -1)."
        )
    return checks.finite("y", checks.exactly("y", targets, (len(np.atleast_2d(targets)), samples)))


def _losses(
    engine: Engine, theta: Array, samples: Samples, rates: Array, optimizer: Optimizer
) -> list[float]:
    """The loss before the first step and after each, as far as it went; changes theta."""
    x, y, batch_size, _ = samples
    state, batches = optimizer.init(theta), _endless(*samples)
    loss, gradient = engine(theta, x, y)
    losses = [loss]
    for rate in rates:
        if batch_size is not None:
            _, gradient = engine(theta, *next(batches))
        state, step = optimizer(state, gradient, rate, theta)
        with np.errstate(all="ignore"):
            theta += step
        loss, gradient = engine(theta, x, y)
        losses.append(loss)
        if not loss <= DIVERGED * min(losses):          # nan too
            break
    return losses


def _endless(
    x: Array, y: Array, batch_size: int | None, rng: np.random.Generator
) -> Iterator[tuple[Array, Array]]:
    while True:
        yield from minibatches(x, y, batch_size, rng)
