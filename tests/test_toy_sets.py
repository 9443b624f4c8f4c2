"""Toy sets against scikit-learn's and their definitions."""

import math

import numpy as np
import pytest

from nn.toy_sets import circles, moons, spiral, xor

MAKERS = [moons, circles, spiral, xor]


def rng(seed=0):
    return np.random.default_rng(seed)


def rows(x, labels):
    """The labelled points, in an order of their own."""
    return sorted(zip(*x.tolist(), labels.tolist(), strict=True))


def rounded(x, labels):
    """The same, where a rounding cannot change the order."""
    return rows(np.round(x, 12) + 0.0, labels)


@pytest.mark.parametrize("samples", [10, 101])
def test_moons_without_noise_are_scikit_learn_s(samples):
    datasets = pytest.importorskip("sklearn.datasets", reason="compares with scikit-learn")
    x, labels = datasets.make_moons(samples, shuffle=False)
    ours = moons(samples, noise=0.0, rng=rng())
    np.testing.assert_allclose(rounded(*ours), rounded(x.T, labels), rtol=0, atol=1e-12)


@pytest.mark.parametrize("samples", [10, 101])
def test_circles_without_noise_are_scikit_learn_s(samples):
    datasets = pytest.importorskip("sklearn.datasets", reason="compares with scikit-learn")
    x, labels = datasets.make_circles(samples, shuffle=False, factor=0.3)
    ours = circles(samples, noise=0.0, factor=0.3, rng=rng())
    np.testing.assert_allclose(rounded(*ours), rounded(x.T, labels), rtol=0, atol=1e-12)


def test_an_arm_of_the_spiral_winds_outwards_by_4_radians():
    x, labels = spiral(300, noise=0.0, classes=3, rng=rng())
    for k in range(3):
        arm = x[:, labels == k]
        radius = np.sort(np.hypot(*arm))
        np.testing.assert_allclose(radius, np.arange(1, 101) / 100, rtol=1e-14)
        # the arm turned back by its own angle at each radius is a straight line to 2π k / 3
        t = np.hypot(*arm)
        turned = np.arctan2(*arm) - 4 * t - 2 * math.pi * k / 3
        np.testing.assert_allclose(np.cos(turned), 1.0, rtol=0, atol=1e-12)


def test_xor_is_its_truth_table():
    x, labels = xor(rng=rng())
    assert rows(x, labels) == [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)]
    x, labels = xor(400, noise=0.1, rng=rng())
    corners, counts = np.unique(np.round(x), axis=1, return_counts=True)      # 0.5 is 5 σ away
    assert corners.T.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert counts.tolist() == [100] * 4
    np.testing.assert_array_equal(np.round(x[0]) != np.round(x[1]), labels)


@pytest.mark.parametrize("make", MAKERS)
def test_classes_are_balanced_and_shapes_are_columns(make):
    x, labels = make(100, rng=rng())
    assert x.shape == (2, 100)
    assert labels.shape == (100,)
    assert labels.dtype.kind == "i"
    assert np.ptp(np.bincount(labels)) <= 1


@pytest.mark.parametrize("make", MAKERS)
def test_noise_has_its_standard_deviation(make):
    clean, noisy = (make(10_000, noise=noise, rng=rng())[0] for noise in (0.0, 0.3))
    # the same generator shuffles alike; of 20,000 numbers a normal's deviation scatters by σ / 200
    assert (noisy - clean).std() == pytest.approx(0.3, rel=5 / 200)
    assert abs((noisy - clean).mean()) < 5 * 0.3 / math.sqrt(20_000)


@pytest.mark.parametrize("make", MAKERS)
def test_equal_generators_give_equal_sets_in_mixed_order(make):
    (x, labels), (again, labels_again) = make(60, rng=rng(1)), make(60, rng=rng(1))
    np.testing.assert_array_equal(x, again)
    np.testing.assert_array_equal(labels, labels_again)
    assert not np.array_equal(x, make(60, rng=rng(2))[0])
    assert (np.diff(labels) != 0).sum() > 10


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: moons(1), "samples: expected a whole number of at least 2, got 1"),
        (lambda: moons(noise=-0.1), "noise: expected a finite number of at least 0, got -0.1"),
        (lambda: circles(factor=1.0), "factor: expected a number above 0 and below 1, got 1.0"),
        (lambda: spiral(classes=1), "classes: expected a whole number of at least 2, got 1"),
        (lambda: spiral(samples=2), "samples: expected a whole number of at least 3, got 2"),
        (lambda: xor(noise=math.nan), "noise: expected a finite number of at least 0, got nan"),
    ],
)
def test_a_setting_out_of_range_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("make", MAKERS)
def test_a_seed_is_not_a_generator(make):
    with pytest.raises(TypeError, match=r"rng: expected a numpy\.random\.Generator"):
        make(rng=0)
