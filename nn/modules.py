"""What layers of Values are made of: Module, the activations, Dropout, BatchNorm.

This room knows `autograd`'s public names, how masks are drawn, batch normalisation's two constants and the
checks at the door.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograd import Value, dot, elu, leaky_relu, mean, softmax, sqrt
from nn import checks
from nn.dropout import Array, draw_masks
from nn.normalization import EPSILON, MOMENTUM

Samples = Sequence[Sequence[Any]]
Activation = Callable[[list[Value]], list[Value]]

ACTIVATIONS: Mapping[str, Activation] = {
    "sigmoid": lambda zs: [z.sigmoid() for z in zs],
    "relu": lambda zs: [z.relu() for z in zs],
    "tanh": lambda zs: [z.tanh() for z in zs],
    "linear": lambda zs: zs,
    "leaky_relu": lambda zs: [leaky_relu(z) for z in zs],       # slope 0.01 below 0
    "elu": lambda zs: [elu(z) for z in zs],                     # scale 1
    "gelu": lambda zs: [z.gelu() for z in zs],
    "silu": lambda zs: [z.silu() for z in zs],
    "softplus": lambda zs: [z.softplus() for z in zs],
}
OUTPUTS: Mapping[str, Activation] = {**ACTIVATIONS, "softmax": softmax}


class Module:
    """Something with parameters: named leaves, in a fixed order."""

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Every parameter with its name, in the order of the flat parameter vector."""
        raise TypeError(f"{type(self).__name__} must say what its parameters are: define named_parameters()")

    def parameters(self) -> list[Value]:
        """Every parameter, in the order of the flat parameter vector."""
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Set every parameter's gradient to 0."""
        for parameter in self.parameters():
            parameter.grad = 0.0


class Dropout(Module):
    """Inverted dropout: while training, a share of a layer's activations is 0, and the rest is scaled up.

    share  in [0, 1), of the activations that a mask sets to 0

    A mask's entries are 0, or 1 / (1 - share), so that an activation's expectation is what it is without
    dropout (see nn.dropout).

    >>> dropout = Dropout(0.5)
    >>> dropout.draw(width=4, samples=2, rng=np.random.default_rng(0)).tolist()
    [[2.0, 0.0], [0.0, 0.0], [2.0, 2.0], [2.0, 2.0]]
    >>> [a.data for a in dropout([Value(3.0), Value(5.0)], [2.0, 0.0])]
    [6.0, 0.0]
    """

    def __init__(self, share: float) -> None:
        self.share = checks.share("dropout", share)

    def draw(self, width: int, samples: int, rng: np.random.Generator) -> Array | None:
        """A mask (width, samples); None where nothing is dropped."""
        return draw_masks([width], [self.share], samples, rng)[0]

    def __call__(self, activations: Sequence[Value], mask: Sequence[Any]) -> list[Value]:
        """One sample's activations, each times its entry of the mask."""
        return [a * kept for a, kept in zip(activations, mask, strict=True)]

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """None."""
        yield from ()


class BatchNorm(Module):
    """Batch normalisation of samples of `width` numbers: γ (z - mean) / √(variance + 1e-5) + β for each.

    width  of a sample
    name   prefix for its parameters' labels

    While training, mean and variance are over the batch's samples, the variance divided by N; they are nodes,
    and gradients go through them. In use, and so for one sample, they are `running_mean` and
    `running_variance` (width,), numbers that `update_statistics` moves. Parameters: γ and β of each of the
    sample's numbers, pair by pair. Ioffe & Szegedy 2015, "Batch normalization", algorithms 1 and 2.

    >>> norm = BatchNorm(1)
    >>> [round(z.data, 4) for [z] in norm([[3.0], [5.0]], training=True)]
    [-1.0, 1.0]
    >>> norm([[3.0]])[0][0].data == 3.0 / (1.0 + 1e-5) ** 0.5           # running mean 0 and variance 1
    True
    """

    def __init__(self, width: int, name: str = "") -> None:
        each = range(checks.count("width", width, least=1))     # drawings show γ and β within their neuron
        self.gammas = [Value(1.0, label=f"{name}n{j}.gamma") for j in each]
        self.betas = [Value(0.0, label=f"{name}n{j}.beta") for j in each]
        self.running_mean = [0.0] * width
        self.running_variance = [1.0] * width

    def __call__(self, samples: Samples, training: bool = False) -> list[list[Value]]:
        """The normalised samples, by the batch's own statistics if it is for training."""
        columns = self._columns(samples)
        running = zip(self.running_mean, self.running_variance, strict=True)
        statistics: Iterable[tuple[Any, Any]] = map(_mean_and_variance, columns) if training else running
        normal = []
        rows = zip(columns, statistics, self.gammas, self.betas, strict=True)
        for zs, (centre, variance), gamma, beta in rows:
            scale = gamma / sqrt(variance + EPSILON)
            normal.append([(z - centre) * scale + beta for z in zs])
        return [list(sample) for sample in zip(*normal, strict=True)]

    def update_statistics(self, samples: Samples) -> None:
        """Move the running statistics a tenth of the way to this batch's, its variance divided by N - 1."""
        for j, column in enumerate(self._columns(samples)):
            centre, variance = _mean_and_variance([z.data if isinstance(z, Value) else z for z in column])
            unbiased = variance * len(column) / (len(column) - 1)
            self.running_mean[j] += MOMENTUM * (centre - self.running_mean[j])
            self.running_variance[j] += MOMENTUM * (unbiased - self.running_variance[j])

    def _columns(self, samples: Samples) -> list[tuple[Any, ...]]:
        """For each of a sample's numbers, those of all samples."""
        widths = {len(sample) for sample in samples}
        if widths != {len(self.gammas)}:
            raise ValueError(
                f"samples: expected a list of samples of {len(self.gammas)} numbers, got "
                f"{len(samples)} of {sorted(widths)}"
            )
        return list(zip(*samples, strict=True))

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """γ and β of the first number, of the second, …"""
        for pair in zip(self.gammas, self.betas, strict=True):
            for parameter in pair:
                yield parameter.label, parameter


def _mean_and_variance(column: Sequence[Any]) -> tuple[Any, Any]:
    """Over the samples; the variance is the biased one."""
    if len(column) < 2:
        raise ValueError(
            "batch normalisation trains on 2 samples or more, got 1: pass a list of samples, or leave out "
            "training=True, for the running statistics"
        )
    centre = mean(column)
    away = [z - centre for z in column]
    return centre, dot(away, away) / len(column)
