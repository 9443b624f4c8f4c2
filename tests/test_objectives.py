"""The hand-derived losses at their edges, and what a reduction makes of their terms."""

import mpmath
import numpy as np
import pytest

from nn import NeuralNetwork, checks, objectives
from nn.formulas import OUTPUTS
from nn.objectives import LOSSES, reduce_gradient, reduced


@pytest.fixture(autouse=True)
def ieee_arithmetic():
    with np.errstate(all="ignore"):
        yield


def column(*numbers):
    return np.array(numbers, dtype=float).reshape(-1, 1)


def gradient(name, y, p):
    out = np.empty_like(p)
    LOSSES[name].gradient(y, p, out)
    return out


def probabilities(output, z):
    p = np.empty_like(z)
    OUTPUTS[output].value(z, p)
    return p


@pytest.mark.parametrize(
    ("name", "y", "p", "term", "slope"),
    [
        ("mean_squared_error", 1.0, 4.0, 9.0, 6.0),
        ("mean_absolute_error", 1.0, 4.0, 3.0, 1.0),
        ("mean_absolute_error", 1.0, -4.0, 5.0, -1.0),
        ("mean_absolute_error", 2.0, 2.0, 0.0, 0.0),        # any slope from -1 to 1 would do
        ("huber", 0.0, 0.5, 0.125, 0.5),
        ("huber", 0.0, -3.0, 2.5, -1.0),
        ("huber", 0.0, 1.0, 0.5, 1.0),                      # where parabola and line meet
        ("huber", 0.0, np.inf, np.inf, 1.0),
        ("hinge", 1.0, 0.25, 0.75, -1.0),
        ("hinge", -1.0, 0.25, 1.25, 1.0),
        ("hinge", 1.0, 3.0, 0.0, 0.0),
        ("hinge", 1.0, 1.0, 0.0, 0.0),                      # as relu'(0)
    ],
)
def test_a_term_and_its_slope_by_hand(name, y, p, term, slope):
    assert LOSSES[name].terms(column(y), column(p)).tolist() == [[term]]
    assert gradient(name, column(y), column(p)).tolist() == [[slope]]


@pytest.mark.parametrize("name", LOSSES)
def test_a_nan_prediction_costs_nan(name):
    y, p = column(0.0, 1.0), column(np.nan, 0.5)
    assert np.isnan(LOSSES[name].terms(y, p)).any()
    assert np.isnan(gradient(name, y, p)).any()


def test_no_exponential_overflows():
    z = np.array([[-1e300, -1000.0, 1000.0, 1e300], [1e300, 1000.0, -1000.0, -1e300]])
    y = np.array([[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert np.isfinite(objectives.binary_cross_entropy_of_logits(y, z)).all()
        assert np.isfinite(objectives.cross_entropy_of_logits(y, z)).all()


@pytest.mark.parametrize(
    ("p", "y", "expected"), [(0.0, 0.0, 0.0), (0.0, 1.0, np.inf), (1.0, 1.0, 0.0), (1.0, 0.0, np.inf)]
)
def test_binary_cross_entropy_of_a_certainty(p, y, expected):
    assert objectives.binary_cross_entropy(column(y), column(p)).tolist() == [[expected]]


def test_binary_cross_entropy_keeps_the_digits_of_a_small_probability():
    assert objectives.binary_cross_entropy(column(0.0), column(1e-20)).tolist() == [[1e-20]]


def test_cross_entropy_of_a_certainty():
    certain = column(0.0, 1.0)
    assert objectives.cross_entropy(certain, certain).tolist() == [[0.0], [0.0]]
    assert objectives.cross_entropy(1.0 - certain, certain).tolist() == [[np.inf], [0.0]]


@pytest.mark.parametrize(
    ("z", "y", "expected"),
    [
        (-1000.0, 1.0, 1000.0),                     # -log σ(-1000) = 1000 + log(1 + e⁻¹⁰⁰⁰)
        (1000.0, 1.0, 0.0),
        (40.0, 1.0, 4.248354255291589e-18),         # log(1 + e⁻⁴⁰) = e⁻⁴⁰ but for its 18th digit
        (0.0, 0.5, np.log(2.0)),
    ],
)
def test_binary_cross_entropy_of_a_logit(z, y, expected):
    (loss,) = objectives.binary_cross_entropy_of_logits(column(y), column(z))[0]
    assert loss == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("name", ["binary_cross_entropy", "cross_entropy"])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_terms_of_a_pass_are_right_at_every_scale_of_its_logits(name, kind):
    rng = np.random.default_rng(1)
    loss = LOSSES[name]
    for scale in (1.0, 30.0, 85.0, 100.0, 700.0, 740.0, 1e4):   # where e⁻ᶻ is rounded, and where it is 0
        z = (scale * rng.normal(size=(3, 5))).astype(kind)
        y = probabilities("softmax", rng.normal(size=(3, 5))).astype(kind)
        terms = loss.of_pass(y, z, probabilities(loss.output, z))
        eps = np.finfo(kind).eps                # near a probability of 1 only its distance from 1 is known
        np.testing.assert_allclose(terms, exact_terms(name, y, z), rtol=50 * eps, atol=4 * eps)


def exact_terms(name, y, z):
    """At 50 digits: y_k (log Σ_j e^{z_j} - z_k), or log(1 + eᶻ) - y z."""
    with mpmath.workdps(50):
        ys, zs = (np.frompyfunc(mpmath.mpf, 1, 1)(array.astype(object)) for array in (y, z))
        exponential, logarithm = (np.frompyfunc(f, 1, 1) for f in (mpmath.exp, mpmath.log))
        powers = exponential(zs)
        if name == "cross_entropy":
            return (ys * (logarithm(powers.sum(axis=0)) - zs)).astype(float)
        return (logarithm(1 + powers) - ys * zs).astype(float)


def test_cross_entropy_gradient_holds_for_targets_that_do_not_sum_to_one():
    y, z = column(0.5, 2.0), column(0.3, -0.4)
    ours = gradient("cross_entropy", y, probabilities("softmax", z))
    with mpmath.workdps(50):
        def loss(*zs):
            total = mpmath.log(mpmath.fsum(mpmath.exp(v) for v in zs))
            return mpmath.fsum(float(t) * (total - v) for t, v in zip(y[:, 0], zs, strict=True))

        exact = [float(mpmath.diff(loss, tuple(z[:, 0]), order)) for order in [(1, 0), (0, 1)]]
    np.testing.assert_allclose(ours[:, 0], exact, rtol=1e-14)


# Reductions.


@pytest.mark.parametrize("reduction", checks.REDUCTIONS)
def test_a_weight_of_two_is_a_sample_met_twice_and_one_of_zero_is_none(reduction):
    terms = np.array([[1.0, 2.0, 5.0], [4.0, 0.5, 3.0]])
    twice = np.array([[1.0, 1.0, 5.0], [4.0, 4.0, 3.0]])
    assert reduced(terms, reduction, np.array([2.0, 0.0, 1.0])) == reduced(twice, reduction)
    dz, dz_twice = terms.copy(), twice.copy()
    reduce_gradient(dz, 2, reduction, np.array([2.0, 0.0, 1.0]))
    reduce_gradient(dz_twice, 2, reduction)
    np.testing.assert_allclose(dz.sum(axis=1), dz_twice.sum(axis=1), rtol=1e-15)


def test_a_batch_of_weightless_samples_costs_nothing():
    assert reduced(np.ones((2, 3)), "mean", np.zeros(3)) == 0.0
    dz = np.ones((2, 3))
    reduce_gradient(dz, 2, "mean", np.zeros(3))
    assert not dz.any()


def test_many_classes_in_float32_are_a_distribution():
    y = np.full((1000, 8), 1 / 1000, np.float32)        # whose sum in float32 is off by more than a millionth
    network = NeuralNetwork([1, 1000], output="softmax", loss="cross_entropy", dtype=np.float32)
    network.parameters = np.zeros(2000, np.float32)
    assert network.evaluate(np.ones((1, 8)), y) == pytest.approx(np.log(1000), rel=1e-6)


def test_weights_however_small_are_shares():
    network = NeuralNetwork([1, 1], "linear")
    x, y = [[1.0, 2.0]], [[0.0, 3.0]]
    equal = network.loss_and_gradient([0.5, 0.25], x, y)
    loss, gradient = network.loss_and_gradient([0.5, 0.25], x, y, weights=[2.0**-1040] * 2)
    assert loss == equal[0]
    np.testing.assert_allclose(gradient, equal[1], rtol=1e-9)     # 2⁻¹⁰⁴⁰ has 34 binary digits left
    with pytest.raises(ValueError, match="weights: expected weights with a finite sum"):
        network.loss_and_gradient([0.5, 0.25], x, y, weights=[1e308, 1e308])
