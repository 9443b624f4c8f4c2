"""Metrics, beside scikit-learn's."""

import numpy as np
import pytest

from nn import metrics
from nn.metrics import accuracy, confusion_matrix

PEER = pytest.importorskip("sklearn.metrics", reason="scikit-learn is a peer")
RNG = np.random.default_rng(0)
LABELS, SCORES = RNG.integers(4, size=50), RNG.normal(size=(4, 50))


def test_accuracy_of_classes_agrees_with_scikit_learn():
    expected = PEER.accuracy_score(LABELS, SCORES.argmax(axis=0))
    assert accuracy(LABELS, SCORES) == expected
    assert accuracy(np.eye(4)[:, LABELS], SCORES) == expected


@pytest.mark.parametrize(("targets", "threshold"), [((0, 1), 0.5), ((0, 1), 0.0), ((-1, 1), 0.0)])
def test_accuracy_of_one_output_agrees_with_scikit_learn(targets, threshold):
    truth, scores = np.array(targets)[LABELS % 2][None], SCORES[:1]
    expected = PEER.accuracy_score(LABELS % 2, (scores[0] > threshold).astype(int))
    assert accuracy(truth, scores, threshold) == expected


def test_confusion_matrix_agrees_with_scikit_learn():
    predicted = SCORES.argmax(axis=0)
    expected = PEER.confusion_matrix(LABELS, predicted, labels=range(5))
    np.testing.assert_array_equal(confusion_matrix(LABELS, predicted, 5), expected)


@pytest.mark.parametrize("loss", ["hinge", "binary_cross_entropy_with_logits"])
def test_logits_decide_at_zero(loss):
    assert metrics.resolve(["accuracy"], loss)["accuracy"]([[1.0, 0.0]], [[0.2, -0.2]]) == 1.0


def test_probabilities_decide_at_one_half():
    assert metrics.resolve("accuracy", "binary_cross_entropy")["accuracy"]([[1.0, 0.0]], [[0.2, 0.1]]) == 0.5


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: accuracy(LABELS[:3], SCORES), ValueError, r"y_true: expected shape \(4, 50\) or \(50,\)"),
        (lambda: accuracy([7] * 50, SCORES), ValueError, "y_true: expected classes 0 to 3, got 7"),
        (lambda: accuracy([-1] * 50, SCORES), ValueError, "y_true: expected classes 0 to 3, got -1"),
        (lambda: accuracy([0.7] * 50, SCORES), ValueError, "y_true: expected classes 0 to 3, got 0.7"),
        (lambda: accuracy([np.nan] * 50, SCORES), ValueError, "y_true: expected classes 0 to 3, got nan"),
        (lambda: accuracy([2] * 50, SCORES[:1]), ValueError, "y_true holds 2.0 at row 0, column 0"),
        (lambda: accuracy(5 * np.eye(4)[:, LABELS], SCORES), ValueError, "y_true holds 5.0 at row"),
        (lambda: confusion_matrix([0, 4], [0, 1], 4), ValueError, "labels: expected classes 0 to 3, got 4"),
        (lambda: confusion_matrix([0], [0, 1], 4), ValueError, r"predicted: expected shape \(1,\)"),
        (lambda: confusion_matrix([0.5], [0], 4), TypeError, "labels: expected whole numbers"),
        (lambda: confusion_matrix([], [], 0), ValueError, "count: expected a whole number of at least 1"),
    ],
)
def test_what_makes_no_classes_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
