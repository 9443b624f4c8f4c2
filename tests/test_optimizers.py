"""Optimisers against PyTorch's first ten steps and arithmetic by hand; and what their state is."""

import copy
import math

import numpy as np
import pytest

from nn.optimizers import (
    OPTIMIZERS,
    SGD,
    Adagrad,
    Adam,
    AdamW,
    Momentum,
    Nesterov,
    Optimizer,
    RMSprop,
    resolve,
)

P = 40
RATES = [0.1, 0.1, 0.05, 0.2, 0.01, 0.01, 0.3, 0.0, 1e-4, 0.1]  # changes while it runs, as a schedule has it


def gradients(dtype=np.float64):
    """Ten of them, over eight orders of magnitude, some entries exactly 0."""
    rng = np.random.default_rng(0)
    scale = 10.0 ** rng.uniform(-4, 4, size=P)
    normal = rng.standard_normal((10, P)) * (rng.random((10, P)) > 0.2)
    return (scale * normal).astype(dtype)


def start(dtype=np.float64):
    return np.random.default_rng(1).standard_normal(P).astype(dtype)


def path(optimizer, dtype=np.float64):
    """The parameters after each of ten steps."""
    parameters, state = start(dtype), optimizer.init(start(dtype))
    visited = []
    for gradient, rate in zip(gradients(dtype), RATES, strict=True):
        state, step = optimizer(state, gradient, rate, parameters)
        parameters = parameters + step
        visited.append(parameters)
    return np.array(visited)


def torch_path(optimizer, dtype):
    """The same with PyTorch's."""
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    parameter = torch.nn.Parameter(torch.from_numpy(start(dtype)))
    peer = torch_optimizer(torch.optim, optimizer, [parameter])
    visited = []
    for gradient, rate in zip(gradients(dtype), RATES, strict=True):
        peer.param_groups[0]["lr"] = rate
        parameter.grad = torch.from_numpy(gradient)
        peer.step()
        visited.append(parameter.detach().numpy().copy())
    return np.array(visited)


def torch_optimizer(optim, ours, parameters):
    match ours:
        case SGD():
            return optim.SGD(parameters, lr=1.0)
        case Nesterov(momentum=momentum):
            return optim.SGD(parameters, lr=1.0, momentum=momentum, nesterov=True)
        case Momentum(momentum=momentum):
            return optim.SGD(parameters, lr=1.0, momentum=momentum)
        case RMSprop(rho=rho, eps=eps):
            return optim.RMSprop(parameters, alpha=rho, eps=eps)
        case Adagrad(eps=eps):
            return optim.Adagrad(parameters, eps=eps)
        case AdamW(beta1=beta1, beta2=beta2, eps=eps, weight_decay=decay):
            return optim.AdamW(parameters, betas=(beta1, beta2), eps=eps, weight_decay=decay)
        case Adam(beta1=beta1, beta2=beta2, eps=eps):
            return optim.Adam(parameters, betas=(beta1, beta2), eps=eps)
    raise NotImplementedError(ours)


COMPARED = [
    SGD(),
    Momentum(),
    Momentum(0.5),
    Nesterov(),
    Nesterov(0.99),
    RMSprop(),
    RMSprop(rho=0.99, eps=1e-3),
    RMSprop(rho=0.0),
    Adagrad(),
    Adagrad(eps=1e-2),
    Adam(),
    Adam(beta1=0.5, beta2=0.9, eps=1e-3),
    Adam(beta1=0.0, beta2=0.99),
    AdamW(),
    AdamW(beta1=0.8, beta2=0.9, eps=1e-6, weight_decay=0.5),
    AdamW(weight_decay=0.0),
]


@pytest.mark.parametrize("optimizer", COMPARED, ids=repr)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_first_ten_steps_are_pytorch_s(optimizer, dtype):
    ours, theirs = path(optimizer, dtype), torch_path(optimizer, dtype)
    assert ours.dtype == dtype
    # of the furthest a parameter went: ten sums rounded by half a unit on either side, and as much again
    # for the roundings within the steps
    furthest = np.abs(theirs).max(axis=0)
    assert (np.abs(ours - theirs) <= 20 * np.finfo(dtype).eps * furthest).all()


def test_every_optimiser_is_compared_with_pytorch():
    assert {type(optimizer) for optimizer in COMPARED} == set(OPTIMIZERS.values())


HAND = [  # gradients, steps at rate 1 from θ = 2
    (SGD(), [4.0, -2.0], [-4.0, 2.0]),
    # u = 4, 0.5·4 - 2 = 0, 1
    (Momentum(0.5), [4.0, -2.0, 1.0], [-4.0, 0.0, -1.0]),
    # the same u; g + u/2 = 6, -2, 1.5
    (Nesterov(0.5), [4.0, -2.0, 1.0], [-6.0, 2.0, -1.5]),
    # v = 16/4 = 4, then 3 + 4/4 = 4; g / (√v + 1)
    (RMSprop(rho=0.75, eps=1.0), [4.0, -2.0], [-4 / 3, 2 / 3]),
    # v = 9, 25; g / (√v + 1)
    (Adagrad(eps=1.0), [3.0, -4.0], [-3 / 4, 4 / 6]),
    # m = 2, 1; m̂ = 2/(1/2) = 4, 1/(3/4) = 4/3; v = 4, 3; v̂ = 4/(1/4) = 16, 3/(7/16) = 48/7
    (Adam(beta1=0.5, beta2=0.75, eps=1.0), [4.0, 0.0], [-4 / 5, -(4 / 3) / (math.sqrt(48 / 7) + 1)]),
    # Adam's step - θ/4, θ = 2, then 2 - 4/5 - 1/2 = 0.7
    (
        AdamW(beta1=0.5, beta2=0.75, eps=1.0, weight_decay=0.25),
        [4.0, 0.0],
        [-4 / 5 - 2 / 4, -(4 / 3) / (math.sqrt(48 / 7) + 1) - 0.7 / 4],
    ),
]


@pytest.mark.parametrize(("optimizer", "given", "expected"), HAND, ids=lambda v: repr(v)[:20])
def test_steps_are_those_of_the_formula_worked_by_hand(optimizer, given, expected):
    theta = np.array([2.0])
    state = optimizer.init(theta)
    steps = []
    for g in given:
        state, step = optimizer(state, np.array([g]), 1.0, theta)
        steps.append(step.item())
        theta = theta + step
    assert steps == pytest.approx(expected, rel=1e-15, abs=0)
    assert state.steps == len(given)


# ---- state in, state out


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_changes_neither_gradient_nor_parameters_and_allocates_no_state(name):
    optimizer = resolve(name)
    gradient, parameters = gradients()[0], start()
    state = optimizer.init(parameters)
    after, step = optimizer(state, gradient, 0.1, parameters)
    assert after.memory is state.memory
    assert after.scratch is state.scratch
    assert np.shares_memory(step, state.scratch)
    np.testing.assert_array_equal(gradient, gradients()[0])
    np.testing.assert_array_equal(parameters, start())


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_steps_and_memory_are_all_there_is_to_save(name):
    optimizer = resolve(name)
    state, parameters = optimizer.init(start()), start()
    for gradient in gradients()[:5]:
        state, _ = optimizer(state, gradient, 0.1, parameters)
    restored = optimizer.init(start())._replace(steps=state.steps)
    restored.memory[...] = state.memory
    restored.scratch[...] = np.nan
    _, expected = optimizer(copy.deepcopy(state), gradients()[5], 0.1, parameters)
    _, step = optimizer(restored, gradients()[5], 0.1, parameters)
    np.testing.assert_array_equal(step, expected)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_states_of_one_optimiser_are_independent(name):
    optimizer = resolve(name)
    first, second = optimizer.init(start()), optimizer.init(start())
    _, alone = optimizer(optimizer.init(start()), gradients()[1], 0.1, start())
    optimizer(first, gradients()[0], 0.1, start())
    _, step = optimizer(second, gradients()[1], 0.1, start())
    np.testing.assert_array_equal(step, alone)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_rate_of_0_steps_nowhere_and_remembers(name):
    optimizer = resolve(name)
    state, step = optimizer(optimizer.init(start()), gradients()[0], 0.0, start())
    assert not step.any()
    assert state.memory.any() == (optimizer.memories > 0)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_arithmetic_follows_ieee_754_without_a_warning(name):
    optimizer = resolve(name)
    gradient = np.array([np.nan, np.inf, 1e200, 0.0])  # 1e200² is inf
    _, step = optimizer(optimizer.init(np.zeros(4)), gradient, 0.1, np.zeros(4))
    assert np.isnan(step[0])
    assert not np.isfinite(step[1])
    assert step[3] == 0.0


# ---- names and misuse


def test_names_stand_for_the_usual_hyperparameters():
    for name, kind in OPTIMIZERS.items():
        assert resolve(name) == kind()
    chosen = Momentum(0.5)
    assert resolve(chosen) is chosen
    with pytest.raises(ValueError, match=r"optimizer: expected one of 'sgd', .*'adamw'; got 'adamax'"):
        resolve("adamax")


@pytest.mark.parametrize(
    ("make", "value", "message"),
    [
        (Momentum, 1.0, r"momentum: expected a number in \[0, 1\), got 1.0"),
        (Nesterov, -0.1, r"momentum: expected a number in \[0, 1\), got -0.1"),
        (Momentum, math.nan, r"momentum: expected a number in \[0, 1\), got nan"),
        (RMSprop, 1.5, r"rho: expected a number in \[0, 1\)"),
        (lambda v: RMSprop(eps=v), 0.0, "eps: expected a finite number above 0"),
        (lambda v: Adagrad(eps=v), -1e-8, "eps: expected a finite number above 0"),
        (lambda v: Adam(beta1=v), 1.0, r"beta1: expected a number in \[0, 1\)"),
        (lambda v: Adam(beta2=v), 1.0, r"beta2: expected a number in \[0, 1\)"),
        (lambda v: Adam(eps=v), math.inf, "eps: expected a finite number above 0"),
        (lambda v: AdamW(weight_decay=v), -0.1, "weight_decay: expected a finite number of at least 0"),
    ],
)
def test_a_hyperparameter_out_of_range_is_refused(make, value, message):
    with pytest.raises(ValueError, match=message):
        make(value)


def test_a_hyperparameter_that_is_no_number_is_a_type_error():
    for value in ("0.9", None, True, 1j):
        with pytest.raises(TypeError, match="momentum: expected a real number, got"):
            Momentum(value)


def test_a_numpy_hyperparameter_does_not_widen_float32():
    optimizer = Adam(beta1=np.float64(0.9), eps=np.float64(1e-8))
    _, step = optimizer(optimizer.init(start(np.float32)), gradients(np.float32)[0], np.float64(0.1))
    assert step.dtype == np.float32
    assert type(optimizer.beta1) is float


@pytest.mark.parametrize("rate", [-0.1, math.nan, math.inf])
def test_a_rate_below_0_or_not_finite_is_refused_before_the_state_is_touched(rate):
    optimizer = Momentum()
    state = optimizer.init(start())
    with pytest.raises(ValueError, match="rate: expected a finite number of at least 0, got"):
        optimizer(state, gradients()[0], rate)
    assert not state.memory.any()


@pytest.mark.parametrize("shape", [(), (1,), (P + 1,), (1, P)])
def test_a_gradient_of_another_shape_is_refused(shape):
    optimizer = Adam()
    with pytest.raises(ValueError, match=r"gradient: expected the parameters' shape \(40,\), got \("):
        optimizer(optimizer.init(start()), np.zeros(shape), 0.1)


@pytest.mark.parametrize(
    ("parameters", "got"), [(None, "None"), (np.zeros((P, 1)), r"\(40, 1\)"), (np.zeros(1), r"\(1,\)")]
)
def test_adamw_asks_for_the_parameters(parameters, got):
    optimizer = AdamW()
    state = optimizer.init(start())
    with pytest.raises(ValueError, match=rf"AdamW decays them, expected shape \(40,\), got {got}"):
        optimizer(state, gradients()[0], 0.1, parameters)
    assert not state.memory.any()


@pytest.mark.parametrize(
    "parameters", [np.zeros((2, 3)), np.zeros(3, int), np.zeros(3, complex), [0.0, 1.0], 1.0, None]
)
def test_parameters_are_one_flat_vector(parameters):
    with pytest.raises(TypeError, match=r"parameters: expected a flat vector \(P,\) of floats, got"):
        SGD().init(parameters)


def test_the_base_class_takes_no_steps():
    with pytest.raises(TypeError, match="abstract"):
        Optimizer()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(0.1), "SGD: expected nothing, got 0.1; a learning rate goes to train"),
        (lambda: Adam(lr=0.1), "Adam: expected beta1, beta2, eps, got lr; a learning rate goes to train"),
        (lambda: Momentum(0.9, 0.1), "Momentum: expected momentum, got 0.1; a learning rate"),
    ],
)
def test_a_learning_rate_is_told_where_to_go(make, message):
    with pytest.raises(TypeError, match=message):
        make()
