"""The hand-derived formulas against fifty-digit arithmetic, and at the edges."""

import mpmath
import numpy as np
import pytest

from nn import formulas
from nn.formulas import ACTIVATIONS, LOSSES, OUTPUTS

Z = np.array([[-700.0, -40.0, -3.0, -0.5, -1e-9], [1e-9, 0.25, 2.0, 40.0, 700.0]])
EXACT = {  # g(z) and g'(z), of an mpf
    "sigmoid": (lambda z: 1 / (1 + mpmath.exp(-z)), lambda z: mpmath.exp(-z) / (1 + mpmath.exp(-z)) ** 2),
    "relu": (lambda z: max(z, mpmath.mpf(0)), lambda z: mpmath.mpf(z > 0)),
    "tanh": (mpmath.tanh, lambda z: mpmath.sech(z) ** 2),
    "linear": (lambda z: z, lambda z: mpmath.mpf(1)),
}


@pytest.fixture(autouse=True)
def ieee_arithmetic():
    with np.errstate(all="ignore"):
        yield


def exactly(function, array):
    with mpmath.workdps(50):
        return np.array([[float(function(mpmath.mpf(float(v)))) for v in row] for row in array])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_is_within_four_ulps(name):
    np.testing.assert_array_max_ulp(ACTIVATIONS[name].value(Z), exactly(EXACT[name][0], Z), maxulp=4)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_derivative_is_within_one_unit_of_one(name):
    derivative = ACTIVATIONS[name].backward(ACTIVATIONS[name].value(Z), np.ones_like(Z))
    np.testing.assert_allclose(derivative, exactly(EXACT[name][1], Z), rtol=0, atol=np.finfo(float).eps)


@pytest.mark.parametrize("name", OUTPUTS)
def test_nan_stays_nan_forwards_and_backwards(name):
    z = np.array([[np.nan]])
    a = OUTPUTS[name].value(z)
    assert np.isnan(a).all()
    if name != "linear":            # whose derivative knows no z
        assert np.isnan(OUTPUTS[name].backward(a, np.ones((1, 1)))).all()


@pytest.mark.parametrize(
    ("name", "z", "value", "derivative"),
    [
        ("relu", 0.0, 0.0, 0.0),
        ("relu", -0.0, 0.0, 0.0),
        ("relu", np.inf, np.inf, 1.0),
        ("sigmoid", 1000.0, 1.0, 0.0),
        ("sigmoid", -1000.0, 0.0, 0.0),
        ("sigmoid", np.inf, 1.0, 0.0),
        ("sigmoid", -np.inf, 0.0, 0.0),
        ("tanh", 1000.0, 1.0, 0.0),
        ("tanh", -1000.0, -1.0, 0.0),
    ],
)
def test_activation_at_an_edge(name, z, value, derivative):
    a = ACTIVATIONS[name].value(np.full((3, 3), z))
    np.testing.assert_array_equal(a, value)
    np.testing.assert_array_equal(ACTIVATIONS[name].backward(a, np.ones((3, 3))), derivative)
    assert not np.signbit(a[value == a]).any() or value < 0


def test_no_exponential_overflows():
    extremes = np.array([[-1e300, -1000.0, 1000.0, 1e300], [1e300, 1000.0, -1000.0, -1e300]])
    y = np.array([[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        formulas.sigmoid(extremes)
        formulas.softmax(extremes)
        assert np.isfinite(formulas.binary_cross_entropy_of_logits(y, extremes))
        assert np.isfinite(formulas.cross_entropy_of_logits(y, extremes))


def test_softmax_of_far_apart_logits():
    np.testing.assert_array_equal(formulas.softmax(np.array([[1000.0], [-1000.0]])), [[1.0], [0.0]])


def test_softmax_backward_matches_its_jacobian():
    rng = np.random.default_rng(0)
    a, da = formulas.softmax(rng.normal(size=(4, 3))), rng.normal(size=(4, 3))
    for n in range(3):
        jacobian = np.diag(a[:, n]) - np.outer(a[:, n], a[:, n])        # ∂a_k/∂z_j = a_k (δ_kj - a_j)
        np.testing.assert_allclose(formulas.softmax_backward(a, da)[:, n], jacobian @ da[:, n], rtol=1e-13)


@pytest.mark.parametrize(
    ("p", "y", "expected"), [(0.0, 0.0, 0.0), (0.0, 1.0, np.inf), (1.0, 1.0, 0.0), (1.0, 0.0, np.inf)]
)
def test_binary_cross_entropy_of_a_certainty(p, y, expected):
    assert formulas.binary_cross_entropy(np.array([[y]]), np.array([[p]])) == expected


def test_binary_cross_entropy_keeps_the_digits_of_a_small_probability():
    assert formulas.binary_cross_entropy(np.zeros((1, 1)), np.full((1, 1), 1e-20)) == 1e-20


def test_cross_entropy_of_a_certainty():
    certain = np.array([[0.0], [1.0]])
    assert formulas.cross_entropy(certain, certain) == 0.0
    assert formulas.cross_entropy(1.0 - certain, certain) == np.inf


def test_cross_entropy_of_a_nan_prediction_is_nan():
    y, p = np.array([[0.0], [1.0]]), np.array([[np.nan], [0.5]])
    assert np.isnan(formulas.cross_entropy(y, p))
    assert np.isnan(formulas.binary_cross_entropy(y, p))


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
    loss = formulas.binary_cross_entropy_of_logits(np.array([[y]]), np.array([[z]]))
    assert loss == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("name", ["binary_cross_entropy", "cross_entropy"])
def test_loss_of_logits_is_the_loss_of_the_probabilities(name):
    rng = np.random.default_rng(1)
    loss = LOSSES[name]
    z, y = rng.normal(size=(3, 5)), formulas.softmax(rng.normal(size=(3, 5)))
    assert loss.of_logits(y, z) == pytest.approx(loss.value(y, OUTPUTS[loss.output].value(z)), rel=1e-14)


def test_cross_entropy_gradient_holds_for_targets_that_do_not_sum_to_one():
    y, z = np.array([[0.5], [2.0]]), np.array([[0.3], [-0.4]])
    gradient = formulas.cross_entropy_gradient(y, formulas.softmax(z))
    with mpmath.workdps(50):
        def loss(*zs):
            total = mpmath.log(mpmath.fsum(mpmath.exp(v) for v in zs))
            return mpmath.fsum(float(t) * (total - v) for t, v in zip(y[:, 0], zs, strict=True))
        exact = [float(mpmath.diff(loss, (0.3, -0.4), order)) for order in [(1, 0), (0, 1)]]
    np.testing.assert_allclose(gradient[:, 0], exact, rtol=1e-13)
