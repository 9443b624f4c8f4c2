"""Penalties by hand against the same on Values, numerical differentiation and PyTorch's weight decay."""

import math

import mpmath as mp
import numpy as np
import pytest

from autograd import Value
from nn import MLP, NeuralNetwork
from nn.penalties import L1, L2, weight_mask

SIZES = [3, 4, 2]
PENALTIES = [L1(0.3), L2(0.3), L1(0), L2(0)]


def network():
    made = NeuralNetwork(SIZES, rng=np.random.default_rng(0))
    for b in made.biases:
        b[...] = np.random.default_rng(1).standard_normal(b.shape)
    return made


def test_the_mask_is_1_on_weights_and_0_on_biases():
    net = network()
    net.parameters = weight_mask(SIZES)
    assert all((W == 1).all() for W in net.weights)
    assert all((b == 0).all() for b in net.biases)


@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
def test_value_and_gradient_are_those_of_the_scalar_engine(penalty):
    net = network()
    model: MLP = net.to_mlp()
    recorded = penalty([w for layer in model.layers for neuron in layer.neurons for w in neuron.weights])
    assert isinstance(recorded, Value)
    recorded.backward()
    value, gradient = penalty.value_and_gradient(net.parameters, weight_mask(SIZES))
    assert value == pytest.approx(recorded.data, rel=1e-14)         # 20 terms, in another order
    np.testing.assert_allclose(gradient, [p.grad for p in model.parameters()], rtol=2**-51)


@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
@pytest.mark.parametrize("penalise_biases", [False, True])
def test_the_gradient_is_the_slope_of_the_value(penalty, penalise_biases):
    theta = network().parameters
    mask = np.ones_like(theta) if penalise_biases else weight_mask(SIZES)
    _, gradient = penalty.value_and_gradient(theta, mask)
    h = 2.0**-10        # L2 is a parabola, L1 a line there: a difference quotient has no error but rounding
    for i, e in enumerate(np.eye(len(theta)) * h):
        ahead, behind = (penalty.value_and_gradient(at, mask)[0] for at in (theta + e, theta - e))
        assert (ahead - behind) / (2 * h) == pytest.approx(gradient[i], rel=1e-11, abs=1e-12)


@pytest.mark.parametrize("penalty", [L1(0.3), L2(0.3)], ids=repr)
def test_the_value_is_the_formula_s_to_fifty_digits(penalty):
    theta, mask = network().parameters, weight_mask(SIZES)
    with mp.workdps(50):
        weights = [mp.mpf(w) for w in theta[mask == 1]]
        total = mp.fsum(map(abs, weights)) if isinstance(penalty, L1) else mp.fsum(w * w / 2 for w in weights)
        expected = float(mp.mpf(0.3) * total)
    assert penalty.value_and_gradient(theta, mask)[0] == pytest.approx(expected, rel=1e-15)
    assert penalty(theta[mask == 1].tolist()) == pytest.approx(expected, rel=1e-14)


def test_the_subgradient_of_l1_at_0_is_0_in_both_engines():
    _, gradient = L1(2.0).value_and_gradient(np.array([0.0, -0.0, 1.0]), np.ones(3))
    assert gradient.tolist() == [0.0, 0.0, 2.0]
    leaves = [Value(0.0), Value(-0.0), Value(1.0)]
    L1(2.0)(leaves).backward()
    assert [leaf.grad for leaf in leaves] == [0.0, 0.0, 2.0]


def test_l2_under_gradient_descent_is_pytorch_s_weight_decay():
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    theta = network().parameters.copy()
    parameter = torch.nn.Parameter(torch.tensor(theta))
    optimizer = torch.optim.SGD([parameter], lr=0.1, weight_decay=0.3)
    for _ in range(5):
        parameter.grad = torch.zeros_like(parameter)
        optimizer.step()
        theta -= 0.1 * L2(0.3).value_and_gradient(theta, np.ones_like(theta))[1]
    np.testing.assert_allclose(theta, parameter.detach().numpy(), rtol=1e-14)


@pytest.mark.parametrize("penalty", [L1(0.3), L2(0.3)], ids=repr)
def test_float32_stays_float32(penalty):
    theta = network().parameters.astype(np.float32)
    assert penalty.value_and_gradient(theta, weight_mask(SIZES))[1].dtype == np.float32


@pytest.mark.parametrize("penalty", [L1(0.3), L2(0.3)], ids=repr)
def test_the_parameters_are_not_changed(penalty):
    theta = network().parameters
    before = theta.copy()
    penalty.value_and_gradient(theta, weight_mask(SIZES))
    np.testing.assert_array_equal(theta, before)


@pytest.mark.parametrize("kind", [L1, L2])
def test_a_strength_below_0_or_not_finite_is_refused(kind):
    for strength in (-0.1, math.nan, math.inf):
        with pytest.raises(ValueError, match="strength: expected a finite number of at least 0, got"):
            kind(strength)


@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
@pytest.mark.parametrize(("theta", "mask"), [((5,), (1,)), ((5,), ()), ((5,), (4,)), ((5, 1), (5, 1))])
def test_a_mask_of_another_length_is_refused(penalty, theta, mask):
    with pytest.raises(ValueError, match=r"expected two vectors of one length \(P,\), got shapes"):
        penalty.value_and_gradient(np.zeros(theta), np.zeros(mask))
