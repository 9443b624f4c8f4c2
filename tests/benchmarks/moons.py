"""The demo of micrograd, a network that tells two moons apart, on any engine of its style and on nn.MLP.

It is what the engines are timed on, and is written as its users write; each step gives loss and gradient, so
that contenders can be compared before they are timed.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

SAMPLES, SIZES = 100, [2, 16, 16, 1]


def moons(samples: int, rng: random.Random) -> tuple[list[list[float]], list[int]]:
    """Points on two half circles, with noise, and which of them: 1 or -1."""
    points, classes = [], []
    for i in range(samples):
        angle = math.pi * rng.random()
        x, y = math.cos(angle), math.sin(angle)
        points.append([v + rng.gauss(0, 0.1) for v in ((x, y) if i % 2 else (1 - x, 0.5 - y))])
        classes.append(1 if i % 2 else -1)
    return points, classes


class Neuron:
    def __init__(self, value: Any, inputs: int, nonlinear: bool, rng: random.Random) -> None:
        self.w = [value(rng.uniform(-1, 1)) for _ in range(inputs)]
        self.b = value(0)
        self.nonlinear = nonlinear

    def __call__(self, x: Sequence[Any]) -> Any:
        act = sum((wi * xi for wi, xi in zip(self.w, x)), self.b)  # noqa: B905  # as users write it
        return act.relu() if self.nonlinear else act

    def parameters(self) -> list[Any]:
        return [*self.w, self.b]


class Layer:
    def __init__(self, value: Any, inputs: int, outputs: int, nonlinear: bool, rng: random.Random) -> None:
        self.neurons = [Neuron(value, inputs, nonlinear, rng) for _ in range(outputs)]

    def __call__(self, x: Sequence[Any]) -> Any:
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def parameters(self) -> list[Any]:
        return [p for neuron in self.neurons for p in neuron.parameters()]


class MicrogradStyleMLP:
    def __init__(self, value: Any, sizes: Sequence[int], rng: random.Random) -> None:
        last = len(sizes) - 2
        self.layers = [
            Layer(value, inputs, outputs, i != last, rng)
            for i, (inputs, outputs) in enumerate(zip(sizes, sizes[1:]))  # noqa: B905, RUF007
        ]

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self) -> list[Any]:
        return [p for layer in self.layers for p in layer.parameters()]

    def zero_grad(self) -> None:
        for p in self.parameters():
            p.grad = 0


class Demo:
    """The demo's training loop: each call is one step, and gives the loss and the gradient."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.points, self.classes = moons(SAMPLES, random.Random(0))
        self.model = MicrogradStyleMLP(value, SIZES, random.Random(1))
        self.total: Any = None

    def loss(self) -> Any:
        inputs = [list(map(self.value, row)) for row in self.points]
        scores = list(map(self.model, inputs))
        losses = [(1 + -yi * si).relu() for yi, si in zip(self.classes, scores)]  # noqa: B905
        data_loss = sum(losses) * (1.0 / len(losses))
        return data_loss + 1e-4 * sum(p * p for p in self.model.parameters())

    def step(self, rate: float = 0.1) -> tuple[float, list[float]]:
        self.total = self.loss()  # the demo's `total_loss`: the last step's graph lives until here
        self.model.zero_grad()
        self.total.backward()
        gradient = [p.grad for p in self.model.parameters()]
        for p in self.model.parameters():
            p.data -= rate * p.grad
        return self.total.data, gradient


class DotDemo(Demo):
    """The same through nn.MLP, whose neurons are one node each, with the collector paused as our loops do."""

    def __init__(self) -> None:
        import autograd
        from nn import MLP

        self.autograd = autograd
        super().__init__(autograd.Value)
        parameters = self.model.parameters()
        self.mlp = MLP(SIZES[0], SIZES[1:])
        for ours, theirs in zip(self.mlp.parameters(), parameters, strict=True):
            ours.data = theirs.data

    def loss(self) -> Any:
        scores = [self.mlp(row) for row in self.points]
        losses = [(1 - yi * si).relu() for yi, si in zip(self.classes, scores, strict=True)]
        parameters = self.mlp.parameters()
        return self.autograd.mean(losses) + 1e-4 * self.autograd.dot(parameters, parameters)

    def step(self, rate: float = 0.1) -> tuple[float, list[float]]:
        with self.autograd.pause_gc():
            self.total = self.loss()
            self.mlp.zero_grad()
            self.total.backward()
        parameters = self.mlp.parameters()
        gradient = [p.grad for p in parameters]
        for p in parameters:
            p.data -= rate * p.grad
        return self.total.data, gradient


def micrograd_demo() -> Demo:
    from micrograd.engine import Value

    return Demo(Value)


def autograd_demo() -> Demo:
    from autograd import Value

    return Demo(Value)
