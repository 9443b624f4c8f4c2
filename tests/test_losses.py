"""Losses on Values against arithmetic by hand and 50 digits."""

import math

import mpmath as mp
import pytest

from autograd import Value
from nn.losses import binary_cross_entropy, cross_entropy, mean_squared_error


def samples(rows):
    return [[Value(z) for z in row] for row in rows]


def test_mean_squared_error_averages_every_entry():
    loss = mean_squared_error(samples([[1.0, 2.0], [3.0, 4.0]]), [[0.0, 0.0], [0.0, 0.0]])
    assert loss.data == (1 + 4 + 9 + 16) / 4


def test_binary_cross_entropy_is_that_of_the_logistic_function():
    rows, targets = [[0.3, -2.0], [5.0, 1.5]], [[1.0, 0.25], [0.0, 1.0]]
    zs = samples(rows)
    loss = binary_cross_entropy(zs, targets)
    loss.backward()
    with mp.workdps(50):
        sigma = [[1 / (1 + mp.exp(-mp.mpf(z))) for z in row] for row in rows]
        pairs = [
            (p, mp.mpf(t)) for ps, ts in zip(sigma, targets, strict=True) for p, t in zip(ps, ts, strict=True)
        ]
        expected = mp.fsum(-t * mp.log(p) - (1 - t) * mp.log(1 - p) for p, t in pairs) / 4
    assert loss.data == pytest.approx(float(expected), rel=1e-15)
    gradients = [z.grad for row in zs for z in row]
    assert gradients == pytest.approx([float((p - t) / 4) for p, t in pairs], rel=1e-13)


def test_cross_entropy_is_that_of_the_softmax():
    rows, targets = [[0.3, -2.0, 1.0], [5.0, 1.5, -1.0]], [[0.0, 1.0, 0.0], [0.5, 0.25, 0.25]]
    zs = samples(rows)
    loss = cross_entropy(zs, targets)
    loss.backward()
    with mp.workdps(50):
        exps = [[mp.exp(mp.mpf(z)) for z in row] for row in rows]
        softmax = [[e / mp.fsum(row) for e in row] for row in exps]
        pairs = [
            (p, mp.mpf(t))
            for ps, ts in zip(softmax, targets, strict=True)
            for p, t in zip(ps, ts, strict=True)
        ]
        expected = -mp.fsum(t * mp.log(p) for p, t in pairs) / 2
    assert loss.data == pytest.approx(float(expected), rel=1e-15)
    gradients = [z.grad for row in zs for z in row]
    assert gradients == pytest.approx([float((p - t) / 2) for p, t in pairs], rel=1e-13)


def test_cross_entropies_stay_finite_where_probabilities_round_to_zero():
    assert cross_entropy(samples([[1000.0, -1000.0]]), [[0.0, 1.0]]).data == 2000.0
    assert binary_cross_entropy(samples([[1000.0]]), [[0.0]]).data == 1000.0
    assert math.isfinite(binary_cross_entropy(samples([[-1000.0]]), [[1.0]]).data)


@pytest.mark.parametrize("loss", [mean_squared_error, binary_cross_entropy, cross_entropy])
@pytest.mark.parametrize("targets", [[[0.0]], [[0.0, 1.0], [0.0, 1.0]], [[0.0, 1.0, 0.0]], []])
def test_a_missing_or_extra_target_is_refused(loss, targets):
    with pytest.raises(ValueError, match="one target for each output"):
        loss(samples([[1.0, 2.0]]), targets)
