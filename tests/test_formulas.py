"""The hand-derived formulas against fifty-digit arithmetic, and at the edges."""

import mpmath
import numpy as np
import pytest

from nn.formulas import ACTIVATIONS, OUTPUTS

Z = np.array([[-700.0, -40.0, -3.0, -0.5, -1e-9], [1e-9, 0.25, 2.0, 40.0, 700.0]])


def density(z):
    return mpmath.npdf(z)


def share(z):
    return 1 / (1 + mpmath.exp(-z))


EXACT = {  # g(z) and g'(z), of an mpf
    "sigmoid": (share, lambda z: mpmath.exp(-z) / (1 + mpmath.exp(-z)) ** 2),
    "relu": (lambda z: max(z, mpmath.mpf(0)), lambda z: mpmath.mpf(z > 0)),
    "tanh": (mpmath.tanh, lambda z: mpmath.sech(z) ** 2),
    "linear": (lambda z: z, lambda z: mpmath.mpf(1)),
    "leaky_relu": (lambda z: z if z > 0 else z / 100, lambda z: mpmath.mpf(1 if z > 0 else "0.01")),
    "elu": (lambda z: z if z > 0 else mpmath.expm1(z), lambda z: mpmath.mpf(1) if z > 0 else mpmath.exp(z)),
    "gelu": (lambda z: z * mpmath.ncdf(z), lambda z: mpmath.ncdf(z) + z * mpmath.npdf(z)),
    "silu": (lambda z: z * share(z), lambda z: share(z) * (1 + z * (1 - share(z)))),
    "softplus": (lambda z: mpmath.log1p(mpmath.exp(z)), share),
}
ULPS = {"gelu": 12}     # Φ(z) changes by z² times what its argument does, near z = -3 by 9 ulps for one


@pytest.fixture(autouse=True)
def ieee_arithmetic():
    with np.errstate(all="ignore"):
        yield


def exactly(function, array):
    with mpmath.workdps(50):
        return np.array([[float(function(mpmath.mpf(float(v)))) for v in row] for row in array])


def value(name, z):
    a = np.empty_like(z)
    OUTPUTS[name].value(z, a)
    return a


def backward(name, z, da=None):
    """What comes back through an activation: of ones, unless others are given, its slope."""
    dz = np.ones_like(z) if da is None else da.copy()
    OUTPUTS[name].backward(z.copy(), value(name, z), dz)
    return dz


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_is_within_four_ulps(name):
    np.testing.assert_array_max_ulp(value(name, Z), exactly(EXACT[name][0], Z), maxulp=ULPS.get(name, 4))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_derivative_is_within_one_unit_of_one(name):
    exact = exactly(EXACT[name][1], Z)
    np.testing.assert_allclose(backward(name, Z), exact, rtol=0, atol=np.finfo(float).eps)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_float32_stays_float32_and_is_as_good(name):
    z = Z.astype(np.float32)
    a, slope = value(name, z), backward(name, z)
    assert a.dtype == slope.dtype == np.float32
    exact, exact_slope = (exactly(function, z) for function in EXACT[name])
    # 12 ulps as above; below the normal numbers, which -700 and -40 lead to, all is within one of those
    np.testing.assert_allclose(a, exact, rtol=12 * 2.0**-23, atol=1e-37)
    np.testing.assert_allclose(slope, exact_slope, rtol=0, atol=2 * 2.0**-23)


def test_gelu_without_scipy_is_gelu(monkeypatch):
    pytest.importorskip("scipy", reason="of two ways to one result")
    with_scipy = value("gelu", Z)
    monkeypatch.setitem(__import__("sys").modules, "scipy.special", None)
    # two erfc, each within an ulp or two
    np.testing.assert_array_max_ulp(value("gelu", Z), with_scipy, maxulp=4)


@pytest.mark.parametrize("name", OUTPUTS)
def test_nan_stays_nan_forwards_and_backwards(name):
    z = np.array([[np.nan]])
    assert np.isnan(value(name, z)).all()
    assert np.isnan(backward(name, z, da=z)).all()      # in a network all that depends on a nan is nan
    if name != "softmax":           # which has no slope of its own
        assert np.isnan(OUTPUTS[name].slope(z)).all()


@pytest.mark.parametrize(
    ("name", "z", "a", "slope"),
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
        ("leaky_relu", 0.0, 0.0, 0.01),
        ("leaky_relu", -np.inf, -np.inf, 0.01),
        ("elu", 0.0, 0.0, 1.0),
        ("elu", -np.inf, -1.0, 0.0),
        ("gelu", 0.0, 0.0, 0.5),
        ("silu", 0.0, 0.0, 0.5),
        ("softplus", 1000.0, 1000.0, 1.0),
        ("softplus", -1000.0, 0.0, 0.0),
        ("softplus", -np.inf, 0.0, 0.0),
    ],
)
def test_activation_at_an_edge(name, z, a, slope):
    result = value(name, np.full((3, 3), z))
    np.testing.assert_array_equal(result, a)
    np.testing.assert_array_equal(backward(name, np.full((3, 3), z)), slope)
    assert not np.signbit(result[result == 0]).any()


def test_no_exponential_overflows():
    extremes = np.array([[-1e300, -1000.0, 1000.0, 1e300], [1e300, 1000.0, -1000.0, -1e300]])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        for name in ("sigmoid", "softmax", "softplus", "elu", "silu"):
            backward(name, extremes)


def test_softmax_of_far_apart_logits():
    np.testing.assert_array_equal(value("softmax", np.array([[1000.0], [-1000.0]])), [[1.0], [0.0]])


def test_softmax_backward_matches_its_jacobian():
    rng = np.random.default_rng(0)
    z, da = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    a, dz = value("softmax", z), backward("softmax", z, da)
    for n in range(3):
        jacobian = np.diag(a[:, n]) - np.outer(a[:, n], a[:, n])        # ∂a_k/∂z_j = a_k (δ_kj - a_j)
        np.testing.assert_allclose(dz[:, n], jacobian @ da[:, n], rtol=1e-13)
