"""Optimisers: from a gradient to the step to take. State in, state out.

Knows NumPy and the checks at the door. An optimiser is a small frozen description; what changes lives in
the state it is given and gives back. All parameters are one flat vector (P,), float64 or float32, so that
a step is a handful of array operations however many layers there are.

    state = optimizer.init(parameters)
    state, step = optimizer(state, gradient, rate)
    parameters += step

Letters: θ parameters, g gradient, k = 1, 2, … the step's number; powers, products, quotients and roots of
vectors are elementwise. The literature's α or η is `rate`, which is given anew each step: see nn.schedules.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from nn import checks

Vector = npt.NDArray[np.floating[Any]]


class State(NamedTuple):
    """What an optimiser knows between two steps. Its arrays are written in place.

    steps    how many it has taken
    memory   (rows, P), a row for each quantity that the optimiser's docstring says it remembers; this and
             `steps` are all there is to save, and to copy into what `init` gives
    scratch  (rows, P), room for the step; holds nothing that matters between steps
    """

    steps: int
    memory: Vector
    scratch: Vector


LIMITS: Mapping[str, Callable[[str, object], float]] = {
    "momentum": checks.share,
    "rho": checks.share,
    "beta1": checks.share,
    "beta2": checks.share,
    "eps": checks.positive,
    "weight_decay": checks.not_negative,
}


@dataclass(frozen=True)
class Optimizer(ABC):
    """What all share: init, and the call that takes a step. A hyperparameter out of range is refused."""

    memories: ClassVar[int] = 0
    buffers: ClassVar[int] = 1
    squares: ClassVar[tuple[int, ...]] = ()     # the rows of memory that are sums of squares, never below 0

    def __new__(cls, *values: float, **named: float) -> Self:
        known = [field.name for field in fields(cls)]
        unknown = [*map(repr, values[len(known) :]), *(name for name in named if name not in known)]
        if unknown:
            raise TypeError(
                f"{cls.__name__}: expected {', '.join(known) or 'nothing'}, got {', '.join(unknown)}; a "
                "learning rate goes to train(learning_rate=…), or to the optimiser's call"
            )
        return super().__new__(cls)

    def __post_init__(self) -> None:
        for field in fields(self):
            number = LIMITS[field.name](field.name, getattr(self, field.name))
            object.__setattr__(self, field.name, number)

    def init(self, parameters: Vector) -> State:
        """The state before the first step, for parameters (P,) of float64 or float32, as its arrays are."""
        if not isinstance(parameters, np.ndarray) or parameters.dtype.kind != "f" or parameters.ndim != 1:
            raise TypeError(f"parameters: expected a flat vector (P,) of floats, got {parameters!r:.60}")
        return State(
            steps=0,
            memory=np.zeros((self.memories, parameters.size), parameters.dtype),
            scratch=np.empty((self.buffers, parameters.size), parameters.dtype),
        )

    def __call__(
        self, state: State, gradient: Vector, rate: float, parameters: Vector | None = None
    ) -> tuple[State, Vector]:
        """The state after, and the step (P,) to add to the parameters.

        gradient    (P,), of the loss at the parameters
        rate        the learning rate, finite and at least 0: a schedule may end at 0
        parameters  (P,), before the step; only AdamW needs them

        The arrays of `state` are used up: go on with the state that is returned. The step is valid until
        the next call. A gradient of nan gives a step of nan, and stays in the memory.
        """
        with np.errstate(all="ignore"):
            return self.advance(state, gradient, rate, parameters)

    def advance(
        self, state: State, gradient: Vector, rate: float, parameters: Vector | None = None
    ) -> tuple[State, Vector]:
        """The same for who has silenced NumPy's warnings; the step may be written over."""
        rate = checks.not_negative("rate", rate)
        shape = state.scratch.shape[1:]
        if np.shape(gradient) != shape:
            raise ValueError(f"gradient: expected the parameters' shape {shape}, got {np.shape(gradient)}")
        state = State(state.steps + 1, state.memory, state.scratch)
        self._write_step(state, gradient, rate, parameters)
        return state, state.scratch[0]

    @abstractmethod
    def _write_step(self, state: State, gradient: Vector, rate: float, parameters: Vector | None) -> None:
        """Bring state.memory up to date for step number state.steps; write the step to scratch[0]."""


class SGD(Optimizer):
    """Gradient descent: step = -rate g. Robbins & Monro 1951, Cauchy 1847.

    >>> optimizer = SGD()
    >>> state, step = optimizer(optimizer.init(np.zeros(2)), np.array([1.0, -2.0]), rate=0.5)
    >>> step
    array([-0.5,  1. ])
    """

    def _write_step(self, state: State, gradient: Vector, rate: float, parameters: Vector | None) -> None:
        np.multiply(gradient, -rate, out=state.scratch[0])


@dataclass(frozen=True)
class Momentum(Optimizer):
    """Heavy ball: u ← momentum u + g, step = -rate u; remembers u. momentum is in [0, 1).

    Polyak 1964, "Some methods of speeding up the convergence of iteration methods". As in PyTorch, the
    rate stands before u and not within it, so that a changed rate counts at once.

    >>> optimizer = Momentum(0.5)
    >>> state = optimizer.init(np.zeros(1))
    >>> for _ in range(3):                          # u = 1, 1.5, 1.75
    ...     state, step = optimizer(state, np.array([1.0]), rate=1.0)
    >>> step
    array([-1.75])
    """

    memories: ClassVar[int] = 1
    momentum: float = 0.9

    def _write_step(self, state: State, gradient: Vector, rate: float, parameters: Vector | None) -> None:
        (u,) = state.memory
        u *= self.momentum
        u += gradient
        np.multiply(u, -rate, out=state.scratch[0])


class Nesterov(Momentum):
    """Nesterov's momentum: u ← momentum u + g, step = -rate (g + momentum u); remembers u.

    Sutskever, Martens, Dahl & Hinton 2013, "On the importance of initialization and momentum in deep
    learning", formulas 3 and 4, take g at θ + momentum·velocity; here the parameters *are* that point
    (Bengio, Boulanger-Lewandowski & Pascanu 2013, section 3.5): the same path for a constant rate.

    >>> optimizer = Nesterov(0.5)
    >>> state, step = optimizer(optimizer.init(np.zeros(1)), np.array([1.0]), rate=1.0)
    >>> step
    array([-1.5])
    """

    def _write_step(self, state: State, gradient: Vector, rate: float, parameters: Vector | None) -> None:
        (u,), step = state.memory, state.scratch[0]
        u *= self.momentum
        u += gradient
        np.multiply(u, self.momentum, out=step)
        step += gradient
        step *= -rate


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """v ← rho v + (1 - rho) g², step = -rate g / (√v + eps).

    Tieleman & Hinton 2012, "Lecture 6.5: rmsprop". rho, PyTorch's `alpha`, is in [0, 1), eps above 0.
    Remembers v / (1 - rho), which saves an array operation.

    >>> optimizer = RMSprop(0.75)
    >>> state, step = optimizer(optimizer.init(np.zeros(1)), np.array([4.0]), rate=1.0)
    >>> step.round(6)                               # v = 4, 4 / √4
    array([-2.])
    """

    memories: ClassVar[int] = 1
    squares: ClassVar[tuple[int, ...]] = (0,)
    rho: float = 0.9
    eps: float = 1e-8

    def _write_step(self, state: State, gradient: Vector, rate: float, parameters: Vector | None) -> None:
        (squares,), step = state.memory, state.scratch[0]
        _add_square(squares, self.rho, gradient, step)
        _scale(step, gradient, squares, math.sqrt(1 - self.rho), self.eps, rate)


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """v ← v + g², step = -rate g / (√v + eps); remembers v. eps is above 0.

    Duchi, Hazan & Singer 2011, "Adaptive subgradient methods", figure 1, the diagonal version.

    >>> optimizer = Adagrad()
    >>> state = optimizer.init(np.zeros(1))
    >>> for g in (3.0, 4.0):                        # v = 9, 25
    ...     state, step = optimizer(state, np.array([g]), rate=1.0)
    >>> step.round(6)
    array([-0.8])
    """

    memories: ClassVar[int] = 1
    squares: ClassVar[tuple[int, ...]] = (0,)
    eps: float = 1e-10

    def _write_step(self, state: State, gradient: Vector, rate: float, parameters: Vector | None) -> None:
        (squares,), step = state.memory, state.scratch[0]
        _add_square(squares, 1.0, gradient, step)
        _scale(step, gradient, squares, 1.0, self.eps, rate)


@dataclass(frozen=True)
class Adam(Optimizer):
    """m ← beta1 m + (1 - beta1) g, v ← beta2 v + (1 - beta2) g², step = -rate m̂ / (√v̂ + eps).

    m̂ = m / (1 - beta1ᵏ) and v̂ = v / (1 - beta2ᵏ) undo the pull of the zeros m and v start from.
    Kingma & Ba 2015, "Adam: a method for stochastic optimization", algorithm 1. beta1 and beta2 are in
    [0, 1), eps above 0. Remembers m / (1 - beta1) and v / (1 - beta2), which saves two array operations:
    a third of the time at 10,000 parameters in float32.

    >>> optimizer = Adam()
    >>> state, step = optimizer(optimizer.init(np.zeros(2)), np.array([0.001, -1000.0]), rate=0.1)
    >>> step.round(5)                               # m̂ = g and v̂ = g²: the first step is ±rate
    array([-0.1,  0.1])
    """

    memories: ClassVar[int] = 2
    squares: ClassVar[tuple[int, ...]] = (1,)
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def _write_step(self, state: State, gradient: Vector, rate: float, parameters: Vector | None) -> None:
        (sums, squares), step = state.memory, state.scratch[0]
        sums *= self.beta1
        sums += gradient
        _add_square(squares, self.beta2, gradient, step)
        mean = (1 - self.beta1) / (1 - self.beta1**state.steps)                     # m̂ = mean · sums
        root = math.sqrt((1 - self.beta2) / (1 - self.beta2**state.steps))          # √v̂ = root · √squares
        _scale(step, sums, squares, root, self.eps, rate * mean)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay: Adam's step - rate · weight_decay · θ.

    Loshchilov & Hutter 2019, "Decoupled weight decay regularization", algorithm 2, with the rate
    multiplying the decay as in PyTorch. It decays every parameter, biases too; for a penalty on weights
    alone see nn.penalties. weight_decay is at least 0. Its call needs the parameters.

    >>> optimizer, theta = AdamW(weight_decay=0.5), np.array([2.0])
    >>> state, step = optimizer(optimizer.init(theta), np.array([3.0]), rate=0.1, parameters=theta)
    >>> step.round(6)                               # -0.1 - 0.1 · 0.5 · 2
    array([-0.2])
    """

    buffers: ClassVar[int] = 2
    weight_decay: float = 0.01

    def _write_step(self, state: State, gradient: Vector, rate: float, parameters: Vector | None) -> None:
        step, decay = state.scratch
        if parameters is None or parameters.shape != step.shape:
            got = None if parameters is None else parameters.shape
            raise ValueError(f"parameters: AdamW decays them, expected shape {step.shape}, got {got}")
        Adam._write_step(self, state, gradient, rate, parameters)
        np.multiply(parameters, -rate * self.weight_decay, out=decay)
        step += decay


OPTIMIZERS: Mapping[str, type[Optimizer]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "rmsprop": RMSprop,
    "adagrad": Adagrad,
    "adam": Adam,
    "adamw": AdamW,
}


def resolve(optimizer: str | Optimizer) -> Optimizer:
    """The optimiser of this name with its usual hyperparameters; an optimiser stands for itself.

    >>> resolve("adam")
    Adam(beta1=0.9, beta2=0.999, eps=1e-08)
    """
    if isinstance(optimizer, Optimizer):
        return optimizer
    return OPTIMIZERS[checks.one_of("optimizer", optimizer, OPTIMIZERS)]()


def _add_square(squares: Vector, kept: float, gradient: Vector, buffer: Vector) -> None:
    """The sum of squares moves on: squares ← kept squares + g²."""
    squares *= kept
    np.multiply(gradient, gradient, out=buffer)
    squares += buffer


def _scale(step: Vector, direction: Vector, squares: Vector, root: float, eps: float, rate: float) -> None:
    """Write -rate direction / (root √squares + eps) to `step`, the fraction reduced by `root`."""
    np.sqrt(squares, out=step)
    step += eps / root
    np.divide(direction, step, out=step)
    step *= -rate / root
