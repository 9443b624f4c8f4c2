"""Losses on Values, of one sample or of many, as an MLP of Values gives its outputs.

A loss has one term for each output of each sample; the cross-entropies of classes have one for each sample.
The reduction "mean" gives their mean, "sum" their sum. `weights`, a number of at least 0 for each sample,
multiply its terms: the mean then is Σ w t / Σ w over all terms t: a weight of 2 is a sample met twice.

Predictions are what `model(xs)` and `model(x)` give: a list for each sample, or its output alone where it has
one; of one sample, the same without the list around it. Targets have that form, too, or are arrays.

Names mean what they mean in `NeuralNetwork`: a cross-entropy takes probabilities. Where a probability rounds
to 0 or 1, its logarithm has lost every digit; the names with logits start from `model.logits(xs)` and lose
none. This room knows `autograd`'s public names and the checks at the door.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import autograd
from autograd import Value, clip, dot, log, log1p, relu, softmax_cross_entropy
from autograd import sum as add_up
from nn import checks

Samples = Sequence[Sequence[Any]]
Weights = Sequence[float] | npt.NDArray[np.float64] | None
Terms = Callable[[Sequence[Any], Sequence[Any]], list[Any]]     # of one sample, from outputs and targets


def mean_squared_error(
    predictions: Any, targets: Any, reduction: str = "mean", weights: Weights = None
) -> Value:
    """Of (prediction - target)².

    >>> outputs, targets = [Value(1.0), Value(3.0)], [0.0, 1.0]
    >>> mean_squared_error(outputs, targets).data                                      # (1 + 4) / 2
    2.5
    >>> mean_squared_error(outputs, targets, weights=[2.0, 1.0]).data                  # (2 + 4) / 3
    2.0
    """
    return _of_entries("mean_squared_error", predictions, targets, reduction, weights)


def mean_absolute_error(
    predictions: Any, targets: Any, reduction: str = "mean", weights: Weights = None
) -> Value:
    """Of |prediction - target|, whose slope at 0 is taken as 0.

    >>> mean_absolute_error([[Value(1.0)], [Value(-4.0)]], [[0.0], [0.0]], reduction="sum").data
    5.0
    """
    return _of_entries("mean_absolute_error", predictions, targets, reduction, weights)


def huber(predictions: Any, targets: Any, reduction: str = "mean", weights: Weights = None) -> Value:
    """Of d² / 2 where d = prediction - target is at most 1 in size, and |d| - ½ beyond: Huber 1964, δ = 1.

    >>> huber([[Value(0.5), Value(-3.0)]], [[0.0, 0.0]], reduction="sum").data         # 0.125 + 2.5
    2.625
    """
    return _of_entries("huber", predictions, targets, reduction, weights)


def hinge(predictions: Any, targets: Any, reduction: str = "mean", weights: Weights = None) -> Value:
    """Of max(0, 1 - target · prediction), for targets of -1 and +1; the slope at 0 is taken as 0.

    >>> hinge([Value(3.0), Value(0.5)], [1, -1], reduction="sum").data                 # 0 + 1.5
    1.5
    """
    return _of_entries("hinge", predictions, targets, reduction, weights)


def binary_cross_entropy(
    predictions: Any, targets: Any, reduction: str = "mean", weights: Weights = None
) -> Value:
    """Of -t log p - (1 - t) log(1 - p), of probabilities p, for targets from 0 to 1.

    What is not expected may be impossible: 0 · log 0 is 0.

    >>> round(binary_cross_entropy([Value(0.5)], [1.0]).data, 6)                       # log 2
    0.693147
    """
    outputs, terms = _probabilities(_rows(predictions)), _each(_surprise_of_two)
    return _checked("binary_cross_entropy", terms, outputs, _rows(targets), reduction, weights)


def binary_cross_entropy_with_logits(
    logits: Any, targets: Any, reduction: str = "mean", weights: Weights = None
) -> Value:
    """The same of p = σ(z), from the logits z.

    >>> round(binary_cross_entropy_with_logits([Value(0.0)], [1.0]).data, 6)           # log 2
    0.693147
    """
    return _of_entries("binary_cross_entropy_with_logits", logits, targets, reduction, weights)


def cross_entropy(
    predictions: Any, targets: Any, reduction: str = "mean", weights: Weights = None
) -> Value:
    """Of -Σ t log p, one term a sample, of probabilities p of its classes; 0 · log 0 is 0.

    targets  each sample's probabilities, or its class, a whole number from 0 on

    >>> round(cross_entropy([[Value(0.5), Value(0.5)]], [[0.0, 1.0]]).data, 6)         # log 2
    0.693147
    >>> round(cross_entropy([[Value(0.5), Value(0.5)]], [1]).data, 6)
    0.693147
    """
    outputs, rows = _of_classes(predictions, targets)
    return _checked("cross_entropy", _surprise, _probabilities(outputs), rows, reduction, weights)


def cross_entropy_with_logits(
    logits: Any, targets: Any, reduction: str = "mean", weights: Weights = None
) -> Value:
    """The same of p = softmax(z), from the logits z.

    >>> round(cross_entropy_with_logits([[Value(0.0), Value(0.0)]], [1]).data, 6)      # log 2
    0.693147
    """
    outputs, rows = _of_classes(logits, targets)
    return _checked("cross_entropy", _surprise_by_logits, outputs, rows, reduction, weights)


# What comes in: a list of outputs and one of targets for each sample.


def _rows(x: Any) -> list[list[Any]]:
    """One number as one sample, and each number of a list as one, too."""
    if not _is_list(x):
        return [[x]]
    return [list(row) if _is_list(row) else [row] for row in x]


def _is_list(x: Any) -> bool:
    return isinstance(x, Sequence | np.ndarray) and np.ndim(x) > 0


def _has_rows(x: Any) -> bool:
    return _is_list(x) and any(map(_is_list, x))


def _of_classes(predictions: Any, targets: Any) -> tuple[list[list[Any]], list[list[Any]]]:
    """Both as rows; of one sample its class alone, or its probabilities, and of many the list of classes."""
    if _is_list(predictions) and not (_has_rows(predictions) or _has_rows(targets)):
        predictions, targets = [predictions], [targets]
    outputs = _rows(predictions)
    found = checks.class_targets("targets", targets, len(outputs[0]) if outputs else 0, "cross_entropy")
    return outputs, _rows(targets if found is targets else np.asarray(found).T.tolist())


def _probabilities(outputs: list[list[Any]]) -> list[list[Any]]:
    """The outputs themselves, where none lies outside [0, 1]."""
    checks.probabilities("predictions", checks.real_array("predictions", _numbers(outputs), "(N, outputs)"))
    return outputs


def _numbers(rows: list[list[Any]]) -> list[list[Any]]:
    return [[entry.data if isinstance(entry, Value) else entry for entry in row] for row in rows]


def _of_entries(loss: str, outputs: Any, targets: Any, reduction: str, weights: Weights) -> Value:
    """The loss that has a term for each output."""
    return _checked(loss, LOSSES[loss].terms, _rows(outputs), _rows(targets), reduction, weights)


def _checked(
    loss: str,
    terms: Terms,
    outputs: list[list[Any]],
    targets: list[list[Any]],
    reduction: str,
    weights: Weights,
) -> Value:
    """The loss of rows, once their lengths, and the targets' numbers, are what it takes."""
    lengths = [len(sample) for sample in outputs], [len(sample) for sample in targets]
    if lengths[0] != lengths[1] or not lengths[0]:
        raise ValueError(
            f"expected one target for each output of each of one or more samples, got outputs of lengths "
            f"{lengths[0]} and targets of lengths {lengths[1]}"
            + ("; a class is an integer" if loss == "cross_entropy" else "")
        )
    numbers = checks.finite("targets", checks.real_array("targets", _numbers(targets), "(N, outputs)"))
    checks.targets("targets", numbers, loss, axis=1)
    found: object = Loss(terms).function(outputs, targets, reduction, weights)
    if not isinstance(found, Value):
        raise TypeError(
            f"predictions: expected Values, as the model's call gives them, got {outputs[0][0]!r:.60}; "
            "numbers alone have no graph to differentiate"
        )
    return found


# The terms of one sample, from its outputs and targets.


def _each(term: Callable[[Any, Any], Any]) -> Terms:
    """A term for each output."""
    return lambda outputs, targets: list(map(term, outputs, targets))


def _huber(p: Any, t: Any) -> Any:
    difference = p - t
    cut = clip(difference, -1.0, 1.0)
    return cut * (difference - 0.5 * cut)       # d · d / 2 within, ±(d ∓ ½) beyond: no branch to freeze


def _surprise_of_two(p: Any, t: Any) -> Any:
    """What is not expected is left out: it may have probability 0."""
    here = [] if t == 0 else [-t * log(p)]
    return add_up(here if t == 1 else [*here, (t - 1.0) * log1p(-p)])


def _surprise(outputs: Sequence[Any], targets: Sequence[Any]) -> list[Any]:
    """The same for a class of many: one term."""
    return [add_up([-t * log(p) for p, t in zip(outputs, targets, strict=True) if t != 0])]


def _surprise_by_logits(outputs: Sequence[Any], targets: Sequence[Any]) -> list[Any]:
    return [softmax_cross_entropy(outputs, targets)]


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss by name, as the engines have it.

    terms   of one sample, from its outputs and targets
    output  the model's output from whose logits the terms are; None: they are from any output itself
    """

    terms: Terms
    output: str | None = None

    def function(
        self, outputs: Samples, targets: Samples, reduction: str = "mean", weights: Weights = None
    ) -> Value:
        """The loss of rows. The targets are not looked at: they may be Values that stand for others."""
        checks.one_of("reduction", reduction, checks.REDUCTIONS)
        terms = list(map(self.terms, outputs, targets))
        flat = [term for sample in terms for term in sample]
        if weights is None:
            total, count = add_up(flat), float(len(flat))
        else:
            given = checks.sample_weights("weights", weights, len(terms)).tolist()
            each = [weight for weight, sample in zip(given, terms, strict=True) for _ in sample]
            total, count = dot(each, flat), sum(each)
        loss: Value = total / count if reduction == "mean" else total
        return loss


LOSSES: Mapping[str, Loss] = {
    "mean_squared_error": Loss(_each(lambda p, t: (p - t) ** 2)),
    "mean_absolute_error": Loss(_each(lambda p, t: abs(p - t))),
    "huber": Loss(_each(_huber)),
    "hinge": Loss(_each(lambda p, t: relu(1.0 - t * p)), output="linear"),
    "binary_cross_entropy": Loss(_each(autograd.binary_cross_entropy_with_logits), output="sigmoid"),
    "binary_cross_entropy_with_logits": Loss(
        _each(autograd.binary_cross_entropy_with_logits), output="linear"
    ),
    "cross_entropy": Loss(_surprise_by_logits, output="softmax"),
}
