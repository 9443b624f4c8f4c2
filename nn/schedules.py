"""Schedules: the learning rate as a function of the step, k = 0, 1, 2, …

Knows the checks at the door. `cosine(0.1, steps=1000)` is a schedule: called with k, it gives the rate of
that step. It has no memory, so that training resumes anywhere. A step is whatever the caller counts, updates
or epochs. Past its last step a schedule stays where it ended.

The one that must look at the loss, `ReduceOnPlateau`, is state in, state out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from nn import checks

Schedule = Callable[[int], float]


def constant(rate: float) -> Schedule:
    """The same rate at every step.

    >>> constant(0.1)(1000)
    0.1
    """
    rate = checks.positive("rate", rate)
    return lambda k: rate


def step_decay(rate: float, every: int, factor: float = 0.1) -> Schedule:
    """Rate · factor^⌊k / every⌋: multiplied by `factor`, in (0, 1), after every `every` steps.

    >>> [step_decay(1.0, every=2, factor=0.5)(k) for k in range(6)]
    [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    """
    rate, every = checks.positive("rate", rate), checks.count("every", every, least=1)
    factor = checks.open_share("factor", factor)
    return lambda k: rate * factor ** (k // every)


def exponential(rate: float, factor: float) -> Schedule:
    """Rate · factorᵏ, factor in (0, 1).

    >>> [exponential(1.0, factor=0.5)(k) for k in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """
    rate, factor = checks.positive("rate", rate), checks.open_share("factor", factor)
    return lambda k: rate * factor**k


def cosine(rate: float, steps: int, final: float = 0.0) -> Schedule:
    """From `rate` down to `final` along half a cosine: final + (rate - final) (1 + cos(π k / steps)) / 2.

    Loshchilov & Hutter 2017, "SGDR: stochastic gradient descent with warm restarts", formula 5, without
    restarts. `final` is at least 0.

    >>> [round(cosine(1.0, steps=4)(k), 3) for k in (0, 2, 4, 9)]
    [1.0, 0.5, 0.0, 0.0]
    """
    rate, steps = checks.positive("rate", rate), checks.count("steps", steps, least=1)
    final = checks.not_negative("final", final)
    return lambda k: _along_cosine(rate, final, k / steps)


def linear_warmup(schedule: float | Schedule, steps: int, start: float = 0.1) -> Schedule:
    """From start · rate up to the rate in equal steps, then on with the schedule from its step 0.

    For k < steps the rate is schedule(0) · (start + (1 - start) k / steps). Goyal et al. 2017, "Accurate,
    large minibatch SGD", section 2.2.

    schedule  what follows: a schedule, or a number for a constant rate
    start     the share of the rate to begin with, in (0, 1)

    >>> [round(linear_warmup(1.0, steps=4, start=0.2)(k), 3) for k in (0, 1, 2, 3, 4, 5)]
    [0.2, 0.4, 0.6, 0.8, 1.0, 1.0]
    """
    then = resolve(schedule)
    steps, start = checks.count("steps", steps, least=1), checks.open_share("start", start)

    def rate(k: int) -> float:
        if k >= steps:
            return then(k - steps)
        return then(0) * (start + (1 - start) * k / steps)

    return rate


def one_cycle(
    peak: float, steps: int, rising: float = 0.3, start: float = 1 / 25, final: float = 4e-6
) -> Schedule:
    """Up from start · peak to the peak, and down to final · peak, both along half a cosine.

    Smith & Topin 2018, "Super-convergence: very fast training of neural networks using large learning
    rates", in the form of PyTorch's OneCycleLR with its defaults: the peak is at step rising · steps - 1,
    the end at step steps - 1. PyTorch divides where this multiplies: start = 1 / div_factor and
    final = start / final_div_factor.

    rising  the share of the steps on the way up, in (0, 1)
    start   the share of the peak to begin with, in (0, 1)
    final   the share of the peak to end with, in (0, 1)

    >>> [round(one_cycle(1.0, steps=10, rising=0.5)(k), 3) for k in (0, 2, 4, 9)]
    [0.04, 0.52, 1.0, 0.0]
    """
    peak, steps = checks.positive("peak", peak), checks.count("steps", steps, least=2)
    rising, start = checks.open_share("rising", rising), checks.open_share("start", start)
    final = checks.open_share("final", final)
    top, last = rising * steps - 1, steps - 1

    def rate(k: int) -> float:
        if k < top:
            return _along_cosine(start * peak, peak, k / top)
        return _along_cosine(peak, final * peak, (k - top) / (last - top))

    return rate


def resolve(learning_rate: float | Schedule) -> Schedule:
    """A number as the schedule that stays there; a schedule stands for itself.

    >>> resolve(0.1)(7)
    0.1
    """
    return learning_rate if callable(learning_rate) else constant(learning_rate)


class PlateauState(NamedTuple):
    """What ReduceOnPlateau knows: the rate to use, the best loss, how many observations since, and the
    observations left in which a loss that is no better does not count.
    """

    rate: float
    best: float = math.inf
    waited: int = 0
    resting: int = 0


@dataclass(frozen=True)
class ReduceOnPlateau:
    """Multiplies the rate by `factor` when the loss has not improved for more than `patience` observations.

    An improvement is a loss below the best by more than `threshold` of the best. The definition is that of
    PyTorch's ReduceLROnPlateau. nan is no improvement.

    factor     in (0, 1)
    patience   observations without improvement that are borne, at least 0
    threshold  in [0, 1)
    cooldown   observations after a reduction that are not counted, at least 0
    minimum    the rate never goes below it, at least 0

    >>> plateau = ReduceOnPlateau(factor=0.5, patience=1)
    >>> state = plateau.init(1.0)
    >>> for loss in (3.0, 2.0, 2.0, 2.0):
    ...     state = plateau(state, loss)
    >>> state.rate
    0.5
    """

    factor: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    cooldown: int = 0
    minimum: float = 0.0

    def __post_init__(self) -> None:
        checks.open_share("factor", self.factor)
        checks.count("patience", self.patience, least=0)
        checks.share("threshold", self.threshold)
        checks.count("cooldown", self.cooldown, least=0)
        checks.not_negative("minimum", self.minimum)

    def init(self, rate: float) -> PlateauState:
        """The state before the first observation; `rate` is finite and above 0."""
        return PlateauState(checks.positive("rate", rate))

    def __call__(self, state: PlateauState, loss: float) -> PlateauState:
        """The state after observing a loss; its `rate` is the one to go on with."""
        better = loss < state.best * (1 - math.copysign(self.threshold, state.best))
        best = float(loss) if better else state.best
        waited = 0 if better or state.resting else state.waited + 1
        if waited <= self.patience:
            return PlateauState(state.rate, best, waited, max(state.resting - 1, 0))
        rate = max(state.rate * self.factor, min(self.minimum, state.rate))
        return PlateauState(rate, best, 0, self.cooldown)


def _along_cosine(start: float, end: float, share: float) -> float:
    """From start at share 0 to end at share 1 and beyond, along half a cosine."""
    return end + (start - end) * (1 + math.cos(math.pi * min(share, 1.0))) / 2
