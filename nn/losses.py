"""Losses on Values, each a mean over the samples of a batch.

The cross-entropies start from the logits z, not from probabilities: log(softmax(z)) would lose every digit
where a probability rounds to 0. This room knows `autograd`'s public names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograd import Value, dot, logsumexp, softplus
from autograd import sum as add_up

Samples = Sequence[Sequence[Any]]


def mean_squared_error(predictions: Samples, targets: Samples) -> Value:
    """The mean of (prediction - target)² over every entry of every sample.

    >>> mean_squared_error([[Value(1.0)], [Value(3.0)]], [[0.0], [1.0]]).data      # (1 + 4) / 2
    2.5
    """
    return _mean([(p - t) ** 2 for p, t in _entries(predictions, targets)])


def binary_cross_entropy(logits: Samples, targets: Samples) -> Value:
    """The mean of -t log σ(z) - (1 - t) log(1 - σ(z)), written softplus(z) - t z, over every entry.

    >>> round(binary_cross_entropy([[Value(0.0)]], [[1.0]]).data, 6)               # log 2
    0.693147
    """
    return _mean([softplus(z) - t * z for z, t in _entries(logits, targets)])


def cross_entropy(logits: Samples, targets: Samples) -> Value:
    """The mean over samples of -Σ t log softmax(z), written logsumexp(z) Σt - Σ t z.

    >>> round(cross_entropy([[Value(0.0), Value(0.0)]], [[0.0, 1.0]]).data, 6)     # log 2
    0.693147
    """
    _check_lengths(logits, targets)
    return _mean([
        logsumexp(zs) * add_up(ts) - dot(ts, zs) for zs, ts in zip(logits, targets, strict=True)
    ])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss by name: its function, and the output whose logits it starts from; None: any output itself."""

    function: Callable[[Samples, Samples], Value]
    output: str | None


LOSSES: Mapping[str, Loss] = {
    "mean_squared_error": Loss(mean_squared_error, output=None),
    "binary_cross_entropy": Loss(binary_cross_entropy, output="sigmoid"),
    "cross_entropy": Loss(cross_entropy, output="softmax"),
}


def _mean(terms: list[Any]) -> Value:
    total: Value = add_up(terms) / len(terms)
    return total


def _entries(first: Samples, second: Samples) -> list[tuple[Any, Any]]:
    _check_lengths(first, second)
    return [pair for a, b in zip(first, second, strict=True) for pair in zip(a, b, strict=True)]


def _check_lengths(first: Samples, second: Samples) -> None:
    shapes = [len(sample) for sample in first], [len(sample) for sample in second]
    if shapes[0] != shapes[1] or not shapes[0]:
        raise ValueError(
            f"expected one target for each output of each of one or more samples, got outputs of lengths "
            f"{shapes[0]} and targets of lengths {shapes[1]}"
        )
