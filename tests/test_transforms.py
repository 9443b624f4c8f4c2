"""Derivatives of functions against calculus, 50 digits and one another."""

import math
from typing import NamedTuple

import mpmath as mp
import numpy as np
import pytest

import autograd
from autograd import Value, check_gradients, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from autograd.structures import transform


def f(x):
    return (x * x.tanh() + 1).log() * (0.3 * x).exp()


def test_derivatives_up_to_the_fifth_match_fifty_digit_arithmetic():
    derivative, x = f, 0.7
    with mp.workdps(50):
        exact = mp.taylor(lambda t: mp.log(t * mp.tanh(t) + 1) * mp.exp(mp.mpf(0.3) * t), mp.mpf(x), 5)
    for order in range(1, 6):
        derivative = grad(derivative)
        assert derivative(x) == pytest.approx(float(exact[order] * mp.factorial(order)), rel=1e-12)


def test_sweeps_that_record_give_derivatives_up_to_the_fifth():
    with mp.workdps(50):
        exact = mp.taylor(lambda t: mp.log(t * mp.tanh(t) + 1) * mp.exp(mp.mpf(0.3) * t), mp.mpf(0.7), 5)
    x = Value(0.7)
    y = f(x)
    for order in range(1, 6):
        y.backward(create_graph=True)
        y, x.grad = x.grad, 0.0
        assert y.data == pytest.approx(float(exact[order] * mp.factorial(order)), rel=1e-12)


@pytest.mark.parametrize(
    ("ours", "exact", "at"),
    [
        (Value.sin, mp.sin, 0.7),
        (Value.sigmoid, lambda t: 1 / (1 + mp.exp(-t)), 0.7),
        (Value.erf, mp.erf, 0.4),
        (Value.atan, mp.atan, 1.2),
        (Value.gelu, lambda t: t * mp.ncdf(t), 0.3),
        (lambda x: x**2.5, lambda t: t**2.5, 1.7),
        (lambda x: 2**x, lambda t: mp.mpf(2) ** t, 1.7),
        (lambda x: 1 / (x * x + 1), lambda t: 1 / (t * t + 1), 0.6),
        (lambda x: autograd.norm([x, 2 * x, 3.0]), lambda t: mp.sqrt(5 * t * t + 9), 0.8),
        (
            lambda x: autograd.logsumexp([x, 2 * x, 0.5]),
            lambda t: mp.log(mp.exp(t) + mp.exp(2 * t) + mp.exp(0.5)),
            0.3,
        ),
        (lambda x: autograd.dot([x, x], [x.exp(), 3.0]), lambda t: t * mp.exp(t) + 3 * t, 0.8),
        (lambda x: autograd.prod([x, x, x + 1]), lambda t: t**2 * (t + 1), 0.8),
    ],
)
def test_fifth_derivatives_of_rows_match_fifty_digit_arithmetic(ours, exact, at):
    with mp.workdps(50):
        coefficients = mp.taylor(exact, mp.mpf(at), 5)
    derivative = ours
    for order in range(1, 6):
        derivative = grad(derivative)
        expected = float(coefficients[order] * mp.factorial(order))
        # of the order of a thousand roundings; the product's fourth and fifth are 0
        assert derivative(at) == pytest.approx(expected, rel=1e-12, abs=1e-13)


def test_a_mixed_fifth_derivative_matches_fifty_digit_arithmetic():
    def g(x, y):
        return (x * y).sin() * y.exp() / (x + 2)

    derivative = g
    for argument in (0, 0, 0, 1, 1):
        derivative = grad(derivative, argument)
    with mp.workdps(50):
        exact = mp.diff(lambda x, y: mp.sin(x * y) * mp.exp(y) / (x + 2), (0.4, 0.9), (3, 2))
    assert derivative(0.4, 0.9) == pytest.approx(float(exact), rel=1e-12)


def test_a_captured_variable_and_an_inner_argument_stay_apart():
    # d/dx [x · d/dy (x + y) at y = 1] = d/dx [x · 1] = 1; confusing the two would give 2
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert grad(lambda x: x * grad(lambda y: x + y)(x))(1.0) == 1.0
    # d/dx [d/dy x y² at y = 2] = 4
    assert grad(lambda x: grad(lambda y: x * y * y)(2.0))(3.0) == 4.0


def test_gradients_come_in_the_arguments_structure():
    def g(p, scale):
        return scale * (p["W"] @ p["x"]).sum() + p["b"][0] * p["b"][1][0]

    p = {"W": np.array([[1.0, 2.0], [3.0, 4.0]]), "x": np.array([5.0, 6.0]), "b": [7.0, (8.0,)]}
    gradient = grad(g)(p, 2.0)
    np.testing.assert_array_equal(gradient["W"], [[10.0, 12.0], [10.0, 12.0]])
    np.testing.assert_array_equal(gradient["x"], [8.0, 12.0])
    assert gradient["W"].dtype == float
    assert gradient["b"] == [8.0, (7.0,)]
    assert grad(g, argnums=1)(p, 2.0) == 5 + 12 + 15 + 24
    assert value_and_grad(g, 1)(p, 2.0) == (2 * 56 + 56, 56)


@pytest.mark.parametrize(
    ("f", "argument", "value", "gradient"),
    [
        (lambda x: x**3, 2.0, 8.0, 12.0),
        (lambda x: x**3, 2, 8.0, 12.0),
        (lambda x: x[0] * x[1], [2.0, 5.0], 10.0, [5.0, 2.0]),
        (lambda x: x[0] * x[1], (2.0, 5.0), 10.0, (5.0, 2.0)),
        (lambda x: x[0][1] * x[1][0][0], [[2.0, 5.0], [[3.0]]], 15.0, [[0.0, 3.0], [[5.0]]]),
        (
            lambda p: p["a"] * p["b"]["c"][0],
            {"a": 2.0, "b": {"c": [5.0]}},
            10.0,
            {"a": 5.0, "b": {"c": [2.0]}},
        ),
        (lambda x: 7.0, [1.0, (2.0,)], 7.0, [0.0, (0.0,)]),  # does not depend on it
        (lambda x: x[0], [2.0, []], 2.0, [1.0, []]),
    ],
)
def test_value_and_gradient_of_every_structure(f, argument, value, gradient):
    assert value_and_grad(f)(argument) == (value, gradient)
    assert grad(f)(argument) == gradient
    assert grad(lambda scale, x: scale * f(x), argnums=-1)(2.0, argument) == transform(
        gradient, lambda g: 2 * g
    )


class Line(NamedTuple):
    slope: float
    intercept: float


def test_a_named_tuple_stays_one_for_the_function_and_in_the_gradient():
    def at_3(line):
        return line.slope * 3 + line.intercept

    assert value_and_grad(at_3)(Line(2.0, 1.0)) == (7.0, Line(3.0, 1.0))
    assert grad(lambda lines: at_3(lines[1]))([1.0, Line(2.0, 1.0)])[1].slope == 3.0
    assert jvp(at_3, (Line(2.0, 1.0),), (Line(1.0, 0.5),)) == (7.0, 3.5)
    check_gradients(at_3, Line(2.0, 1.0), gradient=lambda line: Line(3.0, 1.0)).assert_ok()


@pytest.mark.parametrize("dtype", [float, np.float32, int, object])
def test_the_gradient_by_an_array_is_an_array_of_its_shape(dtype):
    x = np.arange(6).reshape(2, 3).astype(dtype)
    gradient = grad(lambda x: (x * x).sum())(x)
    assert (gradient.shape, gradient.dtype) == ((2, 3), float)
    np.testing.assert_array_equal(gradient, 2 * np.arange(6).reshape(2, 3))
    assert grad(lambda x: x * x)(np.array(3.0)).shape == ()


def test_what_is_detached_counts_as_a_number():
    x = Value(3.0)
    y = x * x
    held = y.detach()
    (held * x).backward()
    assert (held.parents, held.is_constant, x.grad, y.grad) == ((), True, 9.0, 0.0)
    assert grad(lambda x: x * x.detach())(3.0) == 3.0
    assert grad(grad(lambda x: x**3 * x.detach()))(2.0) == 24.0  # 6x, times 2


def test_zero_grad_starts_anew():
    x = Value(3.0)
    (x * x).backward()
    x.zero_grad()
    assert x.grad == 0.0
    (x * 2).backward()
    assert x.grad == 2.0


def test_nobodys_grad_is_touched():
    w = Value(2.0)
    assert grad(lambda x: w * x)(3.0) == 2.0
    assert w.grad == 0.0


def test_forward_and_reverse_mode_agree_with_the_jacobian():
    def g(x):
        return [x[0] * x[1].sin(), x[0].exp() / x[1], x[1] ** 3]

    x, t, c = [0.4, 1.3], [0.6, -0.2], [1.0, -2.0, 0.5]
    J = np.array(jacobian(g)(x))
    exact = [
        [math.sin(1.3), 0.4 * math.cos(1.3)],
        [math.exp(0.4) / 1.3, -math.exp(0.4) / 1.69],
        [0, 3 * 1.69],
    ]
    np.testing.assert_allclose(J, exact, rtol=1e-14)
    np.testing.assert_allclose(jvp(g, (x,), (t,))[1], J @ t, rtol=1e-14)
    np.testing.assert_allclose(vjp(g, x)[1](c), c @ J, rtol=1e-14)


def test_tangents_and_cotangents_are_matched_by_key():
    def f(p):
        return p["a"] ** 2 * p["b"]

    at, tangent = {"a": 2.0, "b": 3.0}, {"b": 1.0, "a": 0.0}
    assert jvp(f, (at,), (tangent,)) == (12.0, 4.0)  # ∂f/∂b = a²
    assert hvp(f, at, tangent) == {"a": 4.0, "b": 0.0}  # ∂²f/∂b∂a = 2a
    _, pull = vjp(lambda x: {"u": 2 * x, "v": 3 * x}, 1.0)
    assert pull({"v": 1.0, "u": 0.0}) == 3.0


def test_the_jacobian_of_an_array_by_an_array_is_one_array():
    A = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    J = jacobian(lambda x: A @ x)(np.array([0.5, -1.0]))
    np.testing.assert_array_equal(J, A)


def test_the_hessian_is_the_second_derivative_and_hvp_its_product():
    def g(x):  # x0² x1 + x1³: [[2 x1, 2 x0], [2 x0, 6 x1]]
        return x[0] ** 2 * x[1] + x[1] ** 3

    x, v = np.array([2.0, 3.0]), np.array([0.5, -1.0])
    H = hessian(g)(x)
    np.testing.assert_allclose(H, [[6.0, 4.0], [4.0, 18.0]], rtol=1e-15)
    np.testing.assert_allclose(hvp(g, x, v), H @ v, rtol=1e-15)


def test_data_changed_after_recording_is_not_differentiated_twice():
    x = Value(2.0)
    y = x**3
    x.data = 5.0
    with pytest.raises(RuntimeError, match="the data of an operand of 'power' changed"):
        y.backward(create_graph=True)


@pytest.mark.parametrize(
    ("error", "words", "call"),
    [
        (TypeError, "expected a function to differentiate, got float", lambda: grad(3.0)(1.0)),
        (ValueError, "argnums is 1, but the function was called with 1", lambda: grad(f, 1)(1.0)),
        (TypeError, "argument of the function to differentiate", lambda: grad(f)("1")),
        (TypeError, "value of the function to differentiate", lambda: grad(lambda x: [x])(1.0)),
        (ValueError, "tangents: expected 2 numbers", lambda: jvp(lambda x: x[0], ([1.0, 2.0],), ([1.0],))),
        (ValueError, "cotangent: expected 1 numbers", lambda: vjp(f, 1.0)[1]([1.0, 2.0])),
    ],
)
def test_misuse_is_explained(error, words, call):
    with pytest.raises(error, match=words):
        call()
