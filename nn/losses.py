"""Losses on Values, of a batch of samples, each sample with a list of outputs and a list of targets.

A loss has one term for each output of each sample; the cross-entropy has one for each sample. The reduction
"mean" gives their mean, "sum" their sum. `weights`, a number of at least 0 for each sample, multiply its
terms: the mean then is Σ w t / Σ w over all terms t, so that a weight of 2 is a sample met twice.

The cross-entropies start from the logits z, not from probabilities: log(softmax(z)) would lose every digit
where a probability rounds to 0. This room knows `autograd`'s public names and the checks at the door.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from autograd import Value, binary_cross_entropy_with_logits, clip, dot, relu, softmax_cross_entropy
from autograd import sum as add_up
from nn import checks

Samples = Sequence[Sequence[Any]]
Weights = Sequence[float] | None

REDUCTIONS = ("mean", "sum")


def mean_squared_error(
    predictions: Samples, targets: Samples, reduction: str = "mean", weights: Weights = None
) -> Value:
    """Of (prediction - target)².

    >>> outputs, targets = [[Value(1.0)], [Value(3.0)]], [[0.0], [1.0]]
    >>> mean_squared_error(outputs, targets).data                                      # (1 + 4) / 2
    2.5
    >>> mean_squared_error(outputs, targets, weights=[2.0, 1.0]).data                  # (2 + 4) / 3
    2.0
    """
    return _over_entries(lambda p, t: (p - t) ** 2, predictions, targets, reduction, weights)


def mean_absolute_error(
    predictions: Samples, targets: Samples, reduction: str = "mean", weights: Weights = None
) -> Value:
    """Of |prediction - target|, whose slope at 0 is taken as 0.

    >>> mean_absolute_error([[Value(1.0)], [Value(-4.0)]], [[0.0], [0.0]], reduction="sum").data
    5.0
    """
    return _over_entries(lambda p, t: abs(p - t), predictions, targets, reduction, weights)


def huber(predictions: Samples, targets: Samples, reduction: str = "mean", weights: Weights = None) -> Value:
    """Of d² / 2 where d = prediction - target is at most 1 in size, and |d| - ½ beyond: Huber 1964, δ = 1.

    >>> huber([[Value(0.5), Value(-3.0)]], [[0.0, 0.0]], reduction="sum").data         # 0.125 + 2.5
    2.625
    """
    return _over_entries(_huber, predictions, targets, reduction, weights)


def hinge(predictions: Samples, targets: Samples, reduction: str = "mean", weights: Weights = None) -> Value:
    """Of max(0, 1 - target · prediction), for targets of -1 and +1; the slope at 0 is taken as 0.

    >>> hinge([[Value(3.0)], [Value(0.5)]], [[1.0], [-1.0]], reduction="sum").data     # 0 + 1.5
    1.5
    """
    return _over_entries(lambda p, t: relu(1.0 - t * p), predictions, targets, reduction, weights)


def binary_cross_entropy(
    logits: Samples, targets: Samples, reduction: str = "mean", weights: Weights = None
) -> Value:
    """Of -t log σ(z) - (1 - t) log(1 - σ(z)), for targets from 0 to 1.

    >>> round(binary_cross_entropy([[Value(0.0)]], [[1.0]]).data, 6)                   # log 2
    0.693147
    """
    return _over_entries(binary_cross_entropy_with_logits, logits, targets, reduction, weights)


def cross_entropy(
    logits: Samples, targets: Samples | Sequence[int], reduction: str = "mean", weights: Weights = None
) -> Value:
    """Of -Σ t log softmax(z), one term a sample; targets are probabilities, or each sample's class from 0 on.

    >>> round(cross_entropy([[Value(0.0), Value(0.0)]], [[0.0, 1.0]]).data, 6)         # log 2
    0.693147
    >>> round(cross_entropy([[Value(0.0), Value(0.0)]], [1]).data, 6)
    0.693147
    """
    classes = len(logits[0]) if logits else 0
    one_hot: list[Any] = [_one_hot(int(t), classes) if isinstance(t, Integral) else t for t in targets]
    _check_lengths(logits, one_hot)
    terms = [[softmax_cross_entropy(zs, ts)] for zs, ts in zip(logits, one_hot, strict=True)]
    return _reduced(terms, reduction, weights)


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss by name: its function, and the output whose logits it starts from; None: any output itself."""

    function: Callable[..., Value]
    output: str | None = None


LOSSES: Mapping[str, Loss] = {
    "mean_squared_error": Loss(mean_squared_error),
    "mean_absolute_error": Loss(mean_absolute_error),
    "huber": Loss(huber),
    "hinge": Loss(hinge, output="linear"),
    "binary_cross_entropy": Loss(binary_cross_entropy, output="sigmoid"),
    "binary_cross_entropy_with_logits": Loss(binary_cross_entropy, output="linear"),
    "cross_entropy": Loss(cross_entropy, output="softmax"),
}


def _huber(p: Any, t: Any) -> Any:
    difference = p - t
    cut = clip(difference, -1.0, 1.0)
    return cut * (difference - 0.5 * cut)       # d · d / 2 within, ±(d ∓ ½) beyond: no branch to freeze


def _over_entries(
    term: Callable[[Any, Any], Any], first: Samples, second: Samples, reduction: str, weights: Weights
) -> Value:
    """The loss that has a term for each output."""
    _check_lengths(first, second)
    terms = [list(map(term, *sample)) for sample in zip(first, second, strict=True)]
    return _reduced(terms, reduction, weights)


def _reduced(terms: list[list[Any]], reduction: str, weights: Weights) -> Value:
    """The sum or the mean of all samples' terms."""
    checks.one_of("reduction", reduction, REDUCTIONS)
    flat = [term for sample in terms for term in sample]
    if weights is None:
        total, count = add_up(flat), float(len(flat))
    else:
        given = checks.sample_weights("weights", weights, len(terms)).tolist()
        each = [weight for weight, sample in zip(given, terms, strict=True) for _ in sample]
        total, count = dot(each, flat), sum(each)
    loss: Value = total / count if reduction == "mean" else total
    return loss


def _check_lengths(first: Samples, second: Samples) -> None:
    shapes = [len(sample) for sample in first], [len(sample) for sample in second]
    if shapes[0] != shapes[1] or not shapes[0]:
        raise ValueError(
            f"expected one target for each output of each of one or more samples, got outputs of lengths "
            f"{shapes[0]} and targets of lengths {shapes[1]}"
        )


def _one_hot(label: int, classes: int) -> list[float]:
    if not 0 <= label < classes:
        raise ValueError(f"targets: expected classes 0 to {classes - 1}, got {label}")
    return [float(k == label) for k in range(classes)]
