"""Derivatives of functions against calculus, 50 digits and one another."""

import math

import mpmath as mp
import numpy as np
import pytest

from autograd import Value, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp


def f(x):
    return (x * x.tanh() + 1).log() * (0.3 * x).exp()


def test_derivatives_up_to_the_fifth_match_fifty_digit_arithmetic():
    derivative, x = f, 0.7
    with mp.workdps(50):
        exact = mp.taylor(lambda t: mp.log(t * mp.tanh(t) + 1) * mp.exp(mp.mpf(0.3) * t), mp.mpf(x), 5)
    for order in range(1, 6):
        derivative = grad(derivative)
        assert derivative(x) == pytest.approx(float(exact[order] * mp.factorial(order)), rel=1e-12)


def test_gradients_of_create_graph_can_be_swept_again():
    x = Value(0.7)
    y = f(x)
    for _ in range(2):
        x.grad = 0.0
        y.backward(create_graph=True)
        y = x.grad
    assert y.data == pytest.approx(grad(grad(f))(0.7), rel=1e-14)
    x.grad = 0.0


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
