"""Metrics: how good predictions are, in numbers that people ask for.

Knows NumPy and the checks at the door. A metric is a function (y_true, y_pred) -> float of what the network
is trained with and what it predicts, one column a sample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from nn import checks
from nn.history import OWN_NAMES

Array = npt.NDArray[np.float64]
Metric = Callable[[Array, Array], float]

OF_LOGITS = ("hinge", "binary_cross_entropy_with_logits")      # losses whose outputs decide at 0


def accuracy(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, threshold: float = 0.5) -> float:
    """The share of samples that are put into their class, from 0 to 1.

    y_true     (classes, N), one-hot or probabilities, or (N,), whole numbers from 0; for two classes told
               apart by one output (1, N) or (N,), 0 or -1 and 1
    y_pred     (classes, N), of which the largest decides, or (1, N); or what an MLP of Values gives for a
               list of samples: then y_true has its form, a row a sample, or is (N,)
    threshold  above which one output means class 1: ½ for a probability, 0 for a logit

    Raises ValueError for labels that are none: outside the classes, fractional, above 1 or below -1.

    >>> accuracy([[1, 0, 1, 0]], [[0.9, 0.2, 0.4, 0.1]])
    0.75
    """
    values = _numbers_of_values(y_pred)
    p = checks.columns("y_pred", y_pred if values is None else values)
    y = checks.real_array("y_true", y_true, f"{p.shape} or {p.shape[1:]}")
    if values is not None:
        y = y.T
    if y.shape not in (p.shape, p.shape[1:]):
        raise ValueError(f"y_true: expected shape {p.shape} or {p.shape[1:]}, got {y.shape}")
    if y.ndim == 1 < len(p):
        truth = checks.class_numbers("y_true", y, len(p))
    else:
        truth = _classes(_targets(y.reshape(p.shape)), 0.5)
    return float(np.mean(truth == _classes(p, threshold)))


def _classes(y: Array, threshold: float) -> npt.NDArray[np.intp]:
    """Each sample's class (N,): its largest entry, or whether its only one is above the threshold."""
    decided: npt.NDArray[np.intp] = (y[0] > threshold).astype(np.intp) if len(y) == 1 else y.argmax(axis=0)
    return decided


def _targets(y: Array) -> Array:
    outside = ~(np.abs(y) <= 1.0)       # nan too
    if outside.any():
        row, column = (int(i) for i in np.argwhere(outside)[0])
        raise ValueError(
            f"y_true holds {y[row, column]} at row {row}, column {column}; expected 0 or -1 and 1, or "
            "probabilities between them"
        )
    return y


def _numbers_of_values(outputs: Any) -> Array | None:
    """What an MLP of Values gives for a list of samples, a column a sample; None where there is no Value."""
    rows = [row if isinstance(row, list) else [row] for row in outputs] if isinstance(outputs, list) else []
    if not (rows and rows[0] and hasattr(rows[0][0], "backward")):
        return None
    return np.array([[value.data for value in row] for row in rows]).T


def confusion_matrix(labels: npt.ArrayLike, predicted: npt.ArrayLike, count: int) -> npt.NDArray[np.intp]:
    """How many samples of each class were taken for each: row the true class, column the predicted one.

    labels, predicted  (N,) whole numbers from 0 to count - 1

    >>> confusion_matrix([0, 0, 1], [0, 1, 1], 2)
    array([[1, 1],
           [0, 1]])
    """
    count = checks.count("count", count, least=1)
    truth, taken = (_numbers(n, v, count) for n, v in (("labels", labels), ("predicted", predicted)))
    if truth.shape != taken.shape:
        raise ValueError(f"predicted: expected shape {truth.shape}, as the labels have, got {taken.shape}")
    return np.bincount(truth * count + taken, minlength=count * count).reshape(count, count)


def resolve(metrics: Iterable[str] | Mapping[str, Metric] | None, loss: str) -> dict[str, Metric]:
    """Metrics by name: ["accuracy"], or functions of one's own as {"name": function}.

    loss  the network's, which says where an output of one number decides
    """
    if metrics is None:
        return {}
    known: dict[str, Metric] = {"accuracy": partial(accuracy, threshold=0.0 if loss in OF_LOGITS else 0.5)}
    if isinstance(metrics, Mapping):
        return {_name(name): checks.function(name, f, "y_true", "y_pred") for name, f in metrics.items()}
    names = [metrics] if isinstance(metrics, str) else list(metrics)
    return {name: known[checks.one_of("metrics", name, known)] for name in names}


def _name(name: Any) -> str:
    if not isinstance(name, str) or name in OWN_NAMES or name.startswith("validation_"):
        raise ValueError(f"metrics: expected a name that the history does not use itself, got {name!r}")
    return name


def _numbers(name: str, value: npt.ArrayLike, count: int) -> npt.NDArray[np.intp]:
    checks.refuse_masked(name, value)
    numbers = np.asarray(value)
    if numbers.dtype.kind not in "iu" or numbers.ndim != 1:
        raise TypeError(
            f"{name}: expected whole numbers of shape (N,), got {numbers.dtype} of {numbers.shape}"
        )
    return checks.class_numbers(name, numbers, count)
