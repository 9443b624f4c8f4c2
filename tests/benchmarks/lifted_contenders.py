"""The lifted benchmark's contenders: `step` is timed, `result` is the loss and gradient as plain numbers."""

from __future__ import annotations

import gc
import operator
import random
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np

from autograd import Value, lift, pause_gc
from autograd.graph import topological_order
from demos.gpt_model import initial_weights, leaves
from demos.python_names import tokens_of
from tests.benchmarks.gpt_by_hand import GPTByHand, padded
from tests.benchmarks.lifted_cases import NAME, Case, gpt_names, network
from tests.benchmarks.moons import Demo

MakeCase = Callable[[], Case]
Result = tuple[float, list[float]]


class Lifted:
    """The program lifted from a recorded loss."""

    def __init__(self, case: MakeCase) -> None:
        self.case = case()
        self.program = lift(self.case.record(), self.case.inputs)
        self.theta = np.array([leaf.data for leaf in self.program.parameters])

    def step(self) -> Any:
        return self.program.value_and_gradient(self.theta, self.case.batch)

    def result(self) -> Result:
        loss, gradient = self.step()
        found = dict(zip(self.program.parameters, gradient.tolist(), strict=True))
        return loss, [found.get(leaf, 0.0) for leaf in self.case.leaves]


class Eager:
    """The scalar engine, which records anew in each step, and sweeps."""

    def __init__(self, case: MakeCase) -> None:
        self.case = case()

    def step(self) -> Value:
        loss = self.case.record()
        for leaf in self.case.leaves:
            leaf.grad = 0.0
        loss.backward()
        return loss

    def result(self) -> Result:
        return self.step().data, [leaf.grad for leaf in self.case.leaves]


class Sweep(Eager):
    """The scalar engine's backward pass alone, over a graph recorded before."""

    def __init__(self, case: MakeCase) -> None:
        super().__init__(case)
        self.loss = self.case.record()

    def step(self) -> Value:
        for leaf in self.case.leaves:
            leaf.grad = 0.0
        self.loss.backward()
        return self.loss


class Casadi:
    """The same graph as CasADi's scalar expression, compiled for its virtual machine and called in place."""

    def __init__(self, case: MakeCase) -> None:
        import casadi

        rules: dict[str, Callable[..., Any]] = {
            "add": operator.add, "subtract": operator.sub, "multiply": operator.mul,
            "divide": operator.truediv, "power": operator.pow, "negative": operator.neg,
            "relu": lambda x: casadi.fmax(x, 0), "sigmoid": lambda x: 1 / (1 + casadi.exp(-x)),
            "exp": casadi.exp, "tanh": casadi.tanh, "sin": casadi.sin, "logsumexp": casadi_logsumexp,
        }  # fmt: skip
        made = case()
        parameters = casadi.SX.sym("theta", len(made.leaves))
        symbols = dict(zip(made.leaves, casadi.vertsplit(parameters), strict=True))
        for node in topological_order(made.record()):
            if node.parents:
                symbols[node] = rules[node.op](*[symbols[parent] for parent in node.parents])
            else:
                symbols.setdefault(node, casadi.SX(node.data))
        loss = symbols[node]
        both = [loss, casadi.densify(casadi.gradient(loss, parameters))]
        self.buffer, self.step = casadi.Function("both", [parameters], both).buffer()
        self.theta = np.array([leaf.data for leaf in made.leaves])
        self.loss, self.gradient = np.zeros(1), np.zeros_like(self.theta)
        self.buffer.set_arg(0, memoryview(self.theta))
        self.buffer.set_res(0, memoryview(self.loss))
        self.buffer.set_res(1, memoryview(self.gradient))

    def result(self) -> Result:
        self.step()
        return float(self.loss[0]), self.gradient.tolist()


def casadi_logsumexp(*xs: Any) -> Any:
    """Shifted by the largest, as everybody writes it."""
    import casadi

    top = xs[0]
    for x in xs[1:]:
        top = casadi.fmax(top, x)
    return top + casadi.log(sum(casadi.exp(x - top) for x in xs))


class MicrogradMoons(Demo):
    """Micrograd itself; at a rate of 0, so that every step is the same."""

    def __init__(self) -> None:
        from micrograd.engine import Value as Micrograd

        super().__init__(Micrograd)

    def step(self, rate: float = 0.0) -> Result:
        return super().step(rate)

    def result(self) -> Result:
        return self.step()


class ByHand:
    """An engine whose gradient was derived by hand, on fixed parameters and data."""

    def __init__(self, step: Callable[[], tuple[float, Any]]) -> None:
        self.step = step

    def result(self) -> Result:
        loss, gradient = self.step()
        return float(loss), gradient.tolist()


def gpt_by_hand(batch: bool) -> ByHand:
    """The GPT's NumPy: on the name alone, or on the batch with padding."""
    theta = np.array([leaf.data for leaf in leaves(initial_weights(random.Random(0)))])
    if batch:
        gpt = GPTByHand(*padded([tokens_of(name) for name in gpt_names()]))
    else:
        gpt = GPTByHand(*padded([tokens_of(NAME)], len(NAME) + 1))
    return ByHand(lambda: gpt.loss_and_gradient(theta))


def network_by_hand() -> ByHand:
    """nn.NeuralNetwork."""
    made, x, y = network()
    theta = made.parameters
    return ByHand(lambda: made.loss_and_gradient(theta, x, y))


class Lifting:
    """What it takes to record a loss, and to lift it."""

    def __init__(self, case: MakeCase) -> None:
        self.case = case()

    def seconds(self, paused: bool) -> tuple[float, float]:
        """Of recording and of lifting, with the collector at work as Python starts it, or paused.

        Processor time: on a busy machine a long run is interrupted, a short one is not.
        """
        gc.collect()
        with pause_gc() if paused else nullcontext():
            start = time.process_time()
            loss = self.case.record()
            recorded = time.process_time()
            program = lift(loss, self.case.inputs)
            lifted = time.process_time()
        del program, loss
        return recorded - start, lifted - recorded

    def nodes(self) -> int:
        """How many the graph has."""
        return len(topological_order(self.case.record()))
