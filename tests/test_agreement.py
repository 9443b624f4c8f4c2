"""Three engines, one gradient: the scalar sweep, the program lifted from it and the hand-derived network."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import GradientMismatch, check_gradients, no_grad
from nn import MLP, LiftedEngine, NeuralNetwork, ScalarEngine, compare_gradients

HIDDEN = ["sigmoid", "relu", "tanh", "linear"]
COMBINATIONS = [
    *[(hidden, output, "mean_squared_error") for hidden in HIDDEN for output in [*HIDDEN, "softmax"]],
    *[(hidden, "sigmoid", "binary_cross_entropy") for hidden in HIDDEN],
    *[(hidden, "softmax", "cross_entropy") for hidden in HIDDEN],
]


def problem(sizes, samples, hidden, output, loss, seed):
    rng = np.random.default_rng(seed)
    network = NeuralNetwork(sizes, activation=hidden, output=output, loss=loss, rng=rng)
    network.parameters = network.parameters + 0.3 * rng.standard_normal(network.parameters.size)
    x = rng.standard_normal((sizes[0], samples))
    y = rng.random((sizes[-1], samples))
    if loss == "cross_entropy":
        y /= y.sum(axis=0)
    return network, x, y


@pytest.mark.parametrize(("hidden", "output", "loss"), COMBINATIONS)
@given(
    sizes=st.lists(st.integers(1, 5), min_size=2, max_size=4),
    samples=st.integers(1, 4),
    seed=st.integers(0, 2**32 - 1),
)
def test_scalar_and_vectorised_gradients_agree(hidden, output, loss, sizes, samples, seed):
    network, x, y = problem(sizes, samples, hidden, output, loss, seed)
    engine = ScalarEngine(network.to_mlp(), loss)
    scalar_loss, _ = engine.loss_and_gradient(network.parameters, x, y)
    numpy_loss, _ = network.loss_and_gradient(network.parameters, x, y)
    assert numpy_loss == pytest.approx(scalar_loss, rel=1e-12)
    compare_gradients(network, x, y, reference=engine.model).assert_ok()


@pytest.mark.parametrize(("hidden", "output", "loss"), COMBINATIONS)
@pytest.mark.parametrize("sizes", [[1, 1], [3, 1, 2], [2, 5, 4, 3]], ids=str)
def test_the_lifted_program_agrees_with_both_on_batches_of_any_size(sizes, hidden, output, loss):
    network, x, y = problem(sizes, 7, hidden, output, loss, seed=5)
    lifted, model = LiftedEngine(network.to_mlp(), loss), network.to_mlp()
    for part in (slice(0, 1), slice(1, 4), slice(0, 7)):
        ours, _ = lifted.loss_and_gradient(network.parameters, x[:, part], y[:, part])
        scalar, _ = ScalarEngine(model, loss).loss_and_gradient(network.parameters, x[:, part], y[:, part])
        assert ours == pytest.approx(scalar, rel=1e-12)
        for reference in (model, network):
            compare_gradients(lifted, x[:, part], y[:, part], reference=reference).assert_ok()


@pytest.mark.parametrize(("hidden", "output", "loss"), COMBINATIONS)
def test_compare_gradients_of_a_network_and_its_twin_agree_array_by_array(hidden, output, loss):
    network, x, y = problem([4, 6, 5, 3], 7, hidden, output, loss, seed=1)
    report = compare_gradients(network, x, y)
    report.assert_ok()
    assert [row.name for row in report.rows] == ["dW0", "db0", "dW1", "db1", "dW2", "db2"]
    assert [row.shape for row in report.rows[:2]] == [(6, 4), (6, 1)]
    said = re.fullmatch(r"lifted program: agrees, at most (\S+) of an array's magnitude", report.note)
    assert float(said[1]) <= 1e-12


@pytest.mark.parametrize(("hidden", "output", "loss"), COMBINATIONS)
def test_both_agree_with_numerical_differentiation(hidden, output, loss):
    network, x, y = problem([3, 4, 2], 5, hidden, output, loss, seed=2)
    engine = ScalarEngine(network.to_mlp(), loss)
    for witness in (network, engine):
        check_gradients(
            lambda parameters, witness=witness: witness.loss_and_gradient(parameters, x, y)[0],
            network.parameters,
            gradient=lambda parameters, witness=witness: witness.loss_and_gradient(parameters, x, y)[1],
        ).assert_ok()


def test_parameters_carried_across_and_back_are_the_same_bits():
    network, x, _ = problem([3, 4, 2], 5, "tanh", "softmax", "cross_entropy", seed=3)
    model = network.to_mlp()
    assert [p.data for p in model.parameters()] == network.parameters.tolist()
    assert model.layers[1].neurons[0].weights[3].data == network.weights[1][0, 3]
    assert model.layers[0].neurons[2].bias.data == network.biases[0][2, 0]
    again = NeuralNetwork.from_mlp(model, "cross_entropy")
    np.testing.assert_array_equal(again.parameters, network.parameters)
    outputs = np.array([[a.data for a in model(sample)] for sample in x.T.tolist()]).T
    np.testing.assert_allclose(outputs, network.forward(x)["a2"], rtol=1e-13)


def loss_curve(engine, network, x, y, steps=100):
    """The losses of gradient descent on minibatches of 4, from the network's parameters."""
    theta, rng, losses = network.parameters.copy(), np.random.default_rng(7), []
    for _ in range(steps):
        batch = rng.permutation(x.shape[1])[:4]
        loss, gradient = engine.loss_and_gradient(theta, x[:, batch], y[:, batch])
        theta -= 0.1 * gradient
        losses.append(loss)
    return losses


@pytest.mark.parametrize(
    ("hidden", "output", "loss"),
    [
        ("tanh", "linear", "mean_squared_error"),
        ("relu", "sigmoid", "binary_cross_entropy"),
        ("sigmoid", "softmax", "cross_entropy"),
    ],
)
def test_each_engine_trains_along_the_same_loss_curve_for_a_hundred_steps(hidden, output, loss):
    network, x, y = problem([3, 5, 2], 10, hidden, output, loss, seed=6)
    engines = [network, ScalarEngine(network.to_mlp(), loss), LiftedEngine(network.to_mlp(), loss)]
    curves = [loss_curve(engine, network, x, y) for engine in engines]
    assert np.mean(curves[0][-10:]) < np.mean(curves[0][:10])
    for curve in curves[1:]:
        np.testing.assert_allclose(curve, curves[0], rtol=1e-9, atol=0.0)


def test_the_lifted_program_gives_0_for_a_parameter_that_the_loss_does_not_need():
    class Deaf(MLP):
        """Its second input goes nowhere."""

        def __call__(self, x, masks=None, *, training=False):
            return [self.layers[0].neurons[0].weights[0] * sample[0] for sample in x]

    engine = LiftedEngine(Deaf(2, [1]))
    loss, gradient = engine.loss_and_gradient([3.0, 5.0, 7.0], [[2.0], [9.0]], [[1.0]])
    assert (loss, gradient.tolist()) == (25.0, [2 * 5.0 * 2.0, 0.0, 0.0])       # (3·2 - 1)²


def test_an_mlp_may_be_the_one_in_question():
    model = MLP(2, [3, 1], activation="tanh", rng=np.random.default_rng(0))
    x, y = np.random.default_rng(1).standard_normal((2, 4)), np.ones((1, 4))
    report = compare_gradients(model, x, y)
    report.assert_ok()
    assert (report.candidate, report.reference) == ("MLP of Values", "NeuralNetwork")


def test_the_scalar_engine_leaves_its_model_as_it_was():
    model = MLP(2, [1], rng=np.random.default_rng(0))
    before = [(p.data, p.grad) for p in model.parameters()]
    ScalarEngine(model).loss_and_gradient([1.0, 2.0, 3.0], [[1.0], [2.0]], [[1.0]])
    assert [(p.data, p.grad) for p in model.parameters()] == before


def test_the_lifted_engine_never_touches_its_model():
    model = MLP(2, [3, 1], rng=np.random.default_rng(0))
    before = [(p.data, p.grad) for p in model.parameters()]
    LiftedEngine(model).loss_and_gradient(np.ones(13), [[1.0], [2.0]], [[1.0]])
    assert [(p.data, p.grad) for p in model.parameters()] == before


# ---- planted errors: each is caught, and only the arrays it spoils are accused


def test_a_wrong_lifted_program_is_accused_by_name(monkeypatch):
    class Skewed(LiftedEngine):
        def loss_and_gradient(self, theta, x, y):
            loss, gradient = super().loss_and_gradient(theta, x, y)
            return loss, gradient * np.where(np.arange(theta.size) == theta.size - 1, 1.001, 1.0)

    network, x, y = problem([3, 4, 2], 5, "tanh", "sigmoid", "binary_cross_entropy", seed=4)
    monkeypatch.setattr("nn.comparing.LiftedEngine", Skewed)
    report = compare_gradients(network, x, y)
    assert [row.name for row in report.rows if not row.ok] == ["db1 lifted"]
    assert len(report.rows) == 8
    assert not report.ok
    with pytest.raises(GradientMismatch, match=r"db1 lifted .*DIFFERS"):
        report.assert_ok()
    assert "the lifted program, as the candidate" in str(report)


class WrongWeights(NeuralNetwork):
    def backward(self, x, y, cache):
        gradients = super().backward(x, y, cache)
        return {**gradients, "dW1": gradients["dW1"] * 1.001}


class WrongBias(NeuralNetwork):
    def backward(self, x, y, cache):
        gradients = super().backward(x, y, cache)
        return {**gradients, "db0": -gradients["db0"]}


class WrongError(NeuralNetwork):
    """dz passed down without the activation's derivative: spoils the layers below, not the last."""

    def backward(self, x, y, cache):
        gradients = super().backward(x, y, cache)
        dz = 2 * (cache["a2"] - y) / y.size * self.activation_derivative(cache["z2"])
        dz = self.weights[1].T @ dz
        return {**gradients, "dW0": dz @ cache["a0"].T, "db0": dz.sum(axis=1, keepdims=True)}


@pytest.mark.parametrize(
    ("kind", "wrong"), [(WrongWeights, ["dW1"]), (WrongBias, ["db0"]), (WrongError, ["dW0", "db0"])]
)
def test_a_planted_error_is_caught_and_named(kind, wrong):
    rng = np.random.default_rng(0)
    network = kind([3, 4, 2], rng=rng)
    x, y = rng.standard_normal((3, 6)), rng.random((2, 6))
    report = compare_gradients(network, x, y)
    assert [row.name for row in report.rows if not row.ok] == wrong
    with pytest.raises(GradientMismatch, match=wrong[0]):
        report.assert_ok()


class Learner:
    """A class of a learner's own, with the tutorial's methods."""

    def __init__(self, network, factor):
        self.network, self.factor = network, factor

    def forward(self, x):
        return self.network.forward(x)

    def backward(self, x, y, cache):
        return {name: self.factor * array for name, array in self.network.backward(x, y, cache).items()}


def test_any_class_function_or_dict_of_gradients_can_be_compared():
    network, x, y = problem([3, 4, 2], 5, "tanh", "sigmoid", "binary_cross_entropy", seed=4)
    for factor, ok in ((1.0, True), (2.0, False)):
        learner = Learner(network, factor)
        gradients = learner.backward(x, y, network.forward(x))
        for candidate in (learner, lambda x, y, g=gradients: g, gradients):
            assert compare_gradients(candidate, x, y, reference=network).ok is ok
            assert (
                compare_gradients(candidate, x, y, reference=network.to_mlp(), loss="binary_cross_entropy").ok
                is ok
            )


class LearnersEngine:
    """A class of a learner's own that knows nothing but to turn parameters into a gradient."""

    def __init__(self, network, factor):
        self.network, self.factor = network, factor

    def loss_and_gradient(self, parameters, x, y):
        loss, gradient = self.network.loss_and_gradient(parameters, x, y)
        return loss, self.factor * gradient


def test_an_engine_is_compared_at_the_parameters_of_the_network_beside_it():
    network, x, y = problem([3, 4, 2], 5, "tanh", "sigmoid", "binary_cross_entropy", seed=4)
    other = NeuralNetwork([3, 4, 2], "tanh", output="sigmoid", loss="binary_cross_entropy").to_mlp()
    engines = [kind(other, "binary_cross_entropy") for kind in (ScalarEngine, LiftedEngine)]
    for engine in (*engines, LearnersEngine(network, 1.0)):
        compare_gradients(network, x, y, reference=engine).assert_ok()
        compare_gradients(engine, x, y, reference=network).assert_ok()
    assert compare_gradients(network, x, y, reference=engines[1]).reference == "LiftedEngine"
    report = compare_gradients(LearnersEngine(network, 1.001), x, y, reference=network)
    assert [row.ok for row in report.rows] == [False] * 4
    compare_gradients(engines[0], x, y, reference=engines[1]).assert_ok()       # both at their model's
    with pytest.raises(ValueError, match="loss: that of the LiftedEngine is 'binary_cross_entropy'"):
        compare_gradients(engines[1], x, y, reference=network.to_mlp(), loss="mean_squared_error")
    with pytest.raises(TypeError, match="LearnersEngine: an engine is compared at the parameters of"):
        compare_gradients(LearnersEngine(network, 1.0), x, y, reference={"dW0": 1.0})


def test_an_mlp_has_the_loss_of_the_network_beside_it():
    network, x, y = problem([3, 4, 2], 5, "tanh", "softmax", "cross_entropy", seed=4)
    compare_gradients(network.to_mlp(), x, y, reference=network).assert_ok()
    compare_gradients(network, x, y, reference=network.to_mlp()).assert_ok()
    alone = network.backward(x, y, network.forward(x))      # a dict, which has no loss to take over
    assert not compare_gradients(network.to_mlp(), x, y, reference=alone).ok


def test_a_loss_that_is_not_the_network_s_is_refused():
    network, x, y = problem([3, 4, 2], 5, "tanh", "softmax", "cross_entropy", seed=4)
    words = "loss: that of the NeuralNetwork is 'cross_entropy', got 'mean_squared_error'; leave it out"
    for sides in ((network, None), (network.to_mlp(), network), (network, network.to_mlp())):
        with pytest.raises(ValueError, match=words):
            compare_gradients(sides[0], x, y, reference=sides[1], loss="mean_squared_error")
        with pytest.raises(ValueError, match=r"loss: expected one of .* got 'nonsense'"):
            compare_gradients(sides[0], x, y, reference=sides[1], loss="nonsense")
        compare_gradients(sides[0], x, y, reference=sides[1], loss="cross_entropy").assert_ok()


def test_gradients_and_tolerances_of_another_kind_are_refused():
    network, x, y = problem([3, 4, 2], 5, "tanh", "sigmoid", "binary_cross_entropy", seed=4)
    with pytest.raises(TypeError, match=r"<lambda>: expected gradients by name, .* got tuple"):
        compare_gradients(lambda x, y: (1.0, 2.0), x, y, reference=network)
    with pytest.raises(ValueError, match="tolerance: expected a finite number of at least 0, got nan"):
        compare_gradients(network, x, y, tolerance=np.nan)


def test_gradients_in_single_precision_are_held_to_single_precision():
    network, x, y = problem([3, 4, 2], 5, "tanh", "sigmoid", "binary_cross_entropy", seed=4)
    right = network.backward(x, y, network.forward(x))
    single = {name: array.astype(np.float32) for name, array in right.items()}
    report = compare_gradients(single, x, y, reference=network)
    report.assert_ok()
    assert report.tolerance == 1e-4
    single["dW1"] = single["dW1"] * np.float32(1.001)
    report = compare_gradients(single, x, y, reference=network)
    assert [row.name for row in report.rows if not row.ok] == ["dW1"]


# ---- a learner's own loss or activation has no twin: the loss that is reported is differentiated


class AbsoluteError(NeuralNetwork):
    def compute_loss(self, y_true, y_pred):
        return float(np.abs(y_true - y_pred).mean())


class WithItsGradient(AbsoluteError):
    def backward(self, x, y, cache):
        slopes = [self.activation_derivative(cache[name]) for name in ("z1", "z2")]
        dz = np.sign(cache["a2"] - y) / y.size * slopes[1]
        gradients = {"dW1": dz @ cache["a1"].T, "db1": dz.sum(axis=1, keepdims=True)}
        dz = self.weights[1].T @ dz * slopes[0]
        return gradients | {"dW0": dz @ x.T, "db0": dz.sum(axis=1, keepdims=True)}


def test_a_loss_of_a_learner_s_own_is_held_against_the_gradient():
    _, x, y = problem([3, 4, 2], 5, "tanh", "tanh", "mean_squared_error", seed=4)
    wrong = compare_gradients(AbsoluteError([3, 4, 2], "tanh", rng=np.random.default_rng(0)), x, y)
    right = compare_gradients(WithItsGradient([3, 4, 2], "tanh", rng=np.random.default_rng(0)), x, y)
    assert [row.name for row in wrong.rows if not row.ok] == ["dW0", "db0", "dW1", "db1"]
    right.assert_ok()
    assert "WithItsGradient against its loss, numerically" in str(right)
    assert "(activation or compute_loss is a learner's own, and has no twin on Values)" in str(right)
    assert max(map(len, str(wrong).splitlines())) <= 80


def test_a_loss_assigned_to_the_object_is_held_against_the_gradient():
    network, x, y = problem([3, 4, 2], 5, "tanh", "tanh", "mean_squared_error", seed=4)
    network.compute_loss = lambda y, p: float(((y - p) ** 2).sum())     # without the mean
    report = compare_gradients(network, x, y)
    assert [row.ok for row in report.rows] == [False] * 4
    for row in report.rows:
        assert row.reference == pytest.approx(y.size * row.candidate, rel=1e-6)     # central differences


@pytest.mark.parametrize(("slope", "wrong"), [(lambda a: 1 - a * a, []), (lambda a: 1 - a, ["dW0", "db0"])])
def test_an_activation_of_a_learner_s_own_is_held_against_its_derivative(slope, wrong):
    network, x, y = problem([3, 4, 2], 5, "sigmoid", "linear", "mean_squared_error", seed=4)
    network.activation, network.activation_derivative = np.tanh, lambda z: slope(np.tanh(z))
    report = compare_gradients(network, x, y)
    assert [row.name for row in report.rows if not row.ok] == wrong


def test_beside_a_reference_a_loss_of_a_learner_s_own_is_said_not_to_be_compared():
    plain, x, y = problem([3, 4, 2], 5, "tanh", "tanh", "mean_squared_error", seed=4)
    network = AbsoluteError([3, 4, 2], "tanh")
    network.parameters = plain.parameters
    note = "compute_loss of AbsoluteError is a learner's own; it has not been compared"
    for sides in ((network, plain), (plain, network)):
        report = compare_gradients(sides[0], x, y, reference=sides[1])
        assert report.ok
        assert str(report).splitlines()[-1] == report.note == note
    assert compare_gradients(plain, x, y, reference=plain).note == ""


def test_a_candidate_without_a_twin_asks_for_a_reference():
    with pytest.raises(TypeError, match="Pass reference=NeuralNetwork"):
        compare_gradients({"dW0": 1.0}, [[1.0]], [[1.0]])
    network = NeuralNetwork([1, 1])
    with pytest.raises(TypeError, match=r"a function .* or a dict of gradients, got int"):
        compare_gradients(3, [[1.0]], [[1.0]], reference=network)


@pytest.mark.parametrize(
    ("error", "words", "parameters", "x", "y"),
    [
        (ValueError, r"expected shape \(2, N\).*rows for columns", [0.0] * 3, [[1.0, 2.0]], [[1.0]]),
        (
            ValueError,
            r"y: expected shape \(1, 2\), got \(2, 1\)",
            [0.0] * 3,
            [[1.0, 2.0], [1.0, 2.0]],
            [[1.0], [2.0]],
        ),
        (ValueError, r"parameters: expected shape \(3,\), got \(4,\)", [0.0] * 4, [[1.0], [2.0]], [[1.0]]),
        (ValueError, "x holds nan at row 1, column 0", [0.0] * 3, [[1.0], [np.nan]], [[1.0]]),
        (TypeError, "x: expected an array of real numbers", [0.0] * 3, [["a"], ["b"]], [[1.0]]),
    ],
)
def test_no_engine_takes_what_the_network_refuses(error, words, parameters, x, y):
    for engine in (ScalarEngine(MLP(2, [1])), LiftedEngine(MLP(2, [1])), NeuralNetwork([2, 1])):
        with pytest.raises(error, match=words):
            engine.loss_and_gradient(parameters, x, y)


@pytest.mark.parametrize(
    ("loss", "output", "y", "words"),
    [
        ("binary_cross_entropy", "sigmoid", [[0.5], [2.0]], r"y holds 2\.0 at row 1, column 0; expected"),
        ("cross_entropy", "softmax", [[-0.5], [1.5]], r"y holds -0\.5 at row 0, column 0; expected"),
        ("cross_entropy", "softmax", [[0.5], [0.0]], r"y's column 0 sums to 0\.5; expected every column"),
    ],
)
def test_no_engine_takes_targets_that_the_loss_is_not_made_for(loss, output, y, words):
    network = NeuralNetwork([1, 2], output=output, loss=loss)
    for engine in (network, ScalarEngine(network.to_mlp(), loss), LiftedEngine(network.to_mlp(), loss)):
        with pytest.raises(ValueError, match=words):
            engine.loss_and_gradient(network.parameters, [[1.0]], y)


@pytest.mark.parametrize("kind", [ScalarEngine, LiftedEngine])
def test_no_engine_on_values_gives_zeros_for_a_gradient_within_no_grad(kind):
    with no_grad(), pytest.raises(RuntimeError, match=r"no gradient within no_grad\(\)"):
        kind(MLP(1, [1])).loss_and_gradient([2.0, 0.0], [[1.0, 3.0]], [[1.0, 3.0]])


def test_only_an_mlp_is_taken_for_one():
    for kind in (ScalarEngine, LiftedEngine):
        with pytest.raises(TypeError, match=r"model: expected an nn\.MLP, got NeuralNetwork"):
            kind(NeuralNetwork([2, 1]))
    with pytest.raises(TypeError, match=r"from_mlp: expected an nn\.MLP, got int"):
        NeuralNetwork.from_mlp(3)


@pytest.mark.parametrize("kind", [ScalarEngine, LiftedEngine])
def test_an_engine_wants_the_output_that_its_loss_is_for(kind):
    with pytest.raises(ValueError, match="needs output 'softmax'; the model's is 'linear'"):
        kind(MLP(2, [2]), loss="cross_entropy")


def test_an_activation_of_a_learners_own_has_no_scalar_twin():
    class Cubic(NeuralNetwork):
        def activation(self, z):
            return z**3

    with pytest.raises(TypeError, match="Cubic has an activation of its own"):
        Cubic([2, 1]).to_mlp()
