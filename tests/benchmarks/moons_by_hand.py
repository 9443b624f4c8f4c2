"""The moons step vectorised by hand, in PyTorch and in JAX: the lifted program's peers.

Both are written as their users would for speed on one core: float64, matrix products over all samples, points
and classes fixed, biases broadcast; JAX compiled, value and gradient in one function.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.benchmarks.moons import Demo


def layers_of(demo: Demo) -> list[tuple[list[list[float]], list[float]]]:
    """Weights (outputs, inputs) and biases (outputs,) of each layer of the demo's network."""
    return [
        ([list(neuron.w) for neuron in layer.neurons], [neuron.b for neuron in layer.neurons])
        for layer in demo.model.layers
    ]


def flat(layers: Iterable[tuple[Any, Any]]) -> list[float]:
    """Layer by layer, neuron by neuron, weights then bias: the order of the demo's parameters."""
    return [
        float(number)
        for weights, biases in layers
        for row, bias in zip(weights, biases, strict=True)
        for number in [*row, bias]
    ]


class TorchMoons:
    """Eager PyTorch."""

    def __init__(self) -> None:
        import torch

        torch.set_num_threads(1)
        self.torch = torch
        demo = Demo(float)
        self.x = torch.tensor(demo.points, dtype=torch.float64)
        self.y = torch.tensor(demo.classes, dtype=torch.float64)
        self.parameters = [
            torch.tensor(array, dtype=torch.float64, requires_grad=True)
            for layer in layers_of(demo)
            for array in layer
        ]

    def step(self) -> tuple[Any, list[Any]]:
        F, p = self.torch.nn.functional, self.parameters
        a = F.relu(F.linear(self.x, p[0], p[1]))
        a = F.relu(F.linear(a, p[2], p[3]))
        scores = F.linear(a, p[4], p[5])[:, 0]
        penalty = 0.0
        for array in p:
            penalty = penalty + (array * array).sum()
        loss = F.relu(1 - self.y * scores).mean() + 1e-4 * penalty
        return loss, self.torch.autograd.grad(loss, p)

    def result(self) -> tuple[float, list[float]]:
        loss, gradients = self.step()
        return loss.item(), flat(zip(gradients[::2], gradients[1::2], strict=True))


class JaxMoons:
    """Jitted JAX. One vector of parameters, as a lifted program has it, passes quicker than six arrays."""

    def __init__(self, one_vector: bool) -> None:
        import jax
        import jax.flatten_util

        jax.config.update("jax_enable_x64", True)
        np = jax.numpy
        demo = Demo(float)
        x, y = np.array(demo.points), np.array(demo.classes, dtype=float)
        arrays = [np.array(array) for layer in layers_of(demo) for array in layer]
        vector, self.unravel = jax.flatten_util.ravel_pytree(arrays)

        def loss(p: Any) -> Any:
            W = self.unravel(p) if one_vector else p
            a = jax.nn.relu(x @ W[0].T + W[1])
            a = jax.nn.relu(a @ W[2].T + W[3])
            scores = (a @ W[4].T + W[5])[:, 0]
            penalty = (p * p).sum() if one_vector else sum((array * array).sum() for array in p)
            return jax.nn.relu(1 - y * scores).mean() + 1e-4 * penalty

        self.one_vector = one_vector
        self.parameters = vector if one_vector else arrays
        self.both = jax.jit(jax.value_and_grad(loss))
        self.ready = jax.block_until_ready

    def step(self) -> Any:
        return self.ready(self.both(self.parameters))

    def result(self) -> tuple[float, list[float]]:
        loss, gradient = self.step()
        arrays = self.unravel(gradient) if self.one_vector else gradient
        return float(loss), flat(zip(arrays[::2], arrays[1::2], strict=True))
