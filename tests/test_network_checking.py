"""Gradients of both networks against differences of their losses: right ones pass, a wrong layer is named."""

import numpy as np
import pytest
from test_agreement_product import LOSSES_AND_OUTPUTS, problem

from autograd import GradientMismatch
from nn import MLP, NeuralNetwork
from nn.formulas import ACTIVATIONS

WEIGHTS = [1.0, 0.5, 0.0, 2.0, 1.5]
FEATURES = [
    {},
    {"batch_norm": True, "l1": 0.02, "l2": 0.1, "penalise_biases": True},
    {"dropout": [0.4, 0.25], "reduction": "sum", "l2": 0.1},
    {"dropout": 0.3, "batch_norm": True, "dtype": np.float32},
]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("loss", "output"), LOSSES_AND_OUTPUTS)
def test_right_gradients_are_never_accused(activation, loss, output):
    turn = list(ACTIVATIONS).index(activation) + LOSSES_AND_OUTPUTS.index((loss, output))
    for features in (FEATURES[turn % 4], FEATURES[(turn + 1) % 4]):
        network, x, y, masks = problem(activation, loss, output, **features)
        report = network.check_gradients(x, y, weights=WEIGHTS, masks=masks)
        report.assert_ok()
        assert [row.name for row in report.rows] == list(network.named_gradients(network.parameters))


class OneArrayWrong(NeuralNetwork):
    """A learner's network, one of whose arrays is a thousandth too large."""

    wrong = "dW0"

    def backward(self, x, y, cache, **options):
        gradients = super().backward(x, y, cache, **options)
        return gradients | {self.wrong: 1.001 * gradients[self.wrong]}


def with_one_array_wrong(network, name):
    learner = OneArrayWrong(**network.architecture())
    learner.parameters, learner.wrong = network.parameters, name
    return learner


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("loss", "output"), LOSSES_AND_OUTPUTS)
def test_a_wrong_array_is_accused_and_no_other(activation, loss, output):
    turn = 3 * list(ACTIVATIONS).index(activation) + LOSSES_AND_OUTPUTS.index((loss, output))
    network, x, y, masks = problem(activation, loss, output, **FEATURES[turn % 4])
    _, gradient = network.loss_and_gradient(network.parameters, x, y, weights=WEIGHTS, masks=masks)
    # what a normalisation takes away, and what lies below dead ReLUs, is 0 but for rounding
    names = [n for n, array in network.named_gradients(gradient).items() if np.abs(array).max() > 1e-6]
    name = names[turn % len(names)]
    report = with_one_array_wrong(network, name).check_gradients(x, y, weights=WEIGHTS, masks=masks)
    assert [row.name for row in report.rows if not row.ok] == [name]
    assert report.note == f"wrong in layer {name[-1]} ({name})"
    assert report.worst.relative == pytest.approx(0.001, rel=0.01)


def test_a_row_has_the_place_and_the_two_numbers_of_its_worst_entry():
    network, x, y, _ = problem("tanh", "mean_squared_error", "linear")
    right = network.backward(x, y, network.forward(x))["dW1"][2, 3]

    class OneEntryWrong(NeuralNetwork):
        def backward(self, x, y, cache):
            gradients = super().backward(x, y, cache)
            gradients["dW1"][2, 3] += 0.125
            return gradients

    learner = OneEntryWrong(**network.architecture())
    learner.parameters = network.parameters
    report = learner.check_gradients(x, y)
    assert (report.worst.name, report.worst.shape, report.worst.index) == ("dW1", (3, 4), (2, 3))
    assert report.worst.candidate == right + 0.125
    assert report.worst.reference == pytest.approx(right, rel=1e-7)
    assert (report.candidate, report.reference) == ("OneEntryWrong", "central differences")
    with pytest.raises(GradientMismatch, match=r"dW1\[2, 3\]"):
        report.assert_ok()


class TheTutorials(NeuralNetwork):
    """Whose error at the top is a - y, whatever the loss."""

    def backward(self, x, y, cache):
        top, gradients = len(self.weights), {}
        dz = cache[f"a{top}"] - y
        for layer in reversed(range(top)):
            gradients[f"dW{layer}"] = dz @ cache[f"a{layer}"].T / x.shape[1]
            gradients[f"db{layer}"] = dz.sum(axis=1, keepdims=True) / x.shape[1]
            if layer:
                dz = (self.weights[layer].T @ dz) * self.activation_derivative(cache[f"z{layer}"])
        return gradients


def test_a_mistake_at_the_top_is_told_to_have_come_down():
    network = TheTutorials([2, 4, 3, 1], rng=np.random.default_rng(0))
    x, y = np.random.default_rng(1).normal(size=(2, 6)), np.ones((1, 6))
    report = network.check_gradients(x, y)
    assert not report.ok
    assert report.note.replace("\n", " ") == (
        "wrong in layers 0 (dW0, db0), 1 (dW1, db1) and 2 (dW2, db2); backpropagation comes down from the "
        "last layer, so look at layer 2 first"
    )
    right = TheTutorials([2, 4, 3, 1], loss="binary_cross_entropy", rng=np.random.default_rng(0))
    right.check_gradients(x, y).assert_ok()     # of that loss it is the gradient


def test_a_learner_s_own_loss_is_the_one_that_is_differentiated():
    class Halved(NeuralNetwork):
        def compute_loss(self, y_true, y_pred):
            return float(np.sum((y_true - y_pred) ** 2) / 2)

    network = Halved([2, 3, 1], output="linear", rng=np.random.default_rng(0))
    x, y = np.random.default_rng(1).normal(size=(2, 5)), np.zeros((1, 5))
    report = network.check_gradients(x, y)      # its gradients are those of a mean over 5, without the ½
    assert [row.ok for row in report.rows] == [False] * 4
    for row in report.rows:
        assert row.reference / row.candidate == pytest.approx(5 / 2, rel=1e-6)


def test_a_learner_s_own_loss_and_gradient_needs_no_options():
    class Tripled(NeuralNetwork):
        def loss_and_gradient(self, parameters, x, y):
            loss, gradient = super().loss_and_gradient(parameters, x, y)
            return loss, 3 * gradient

    report = Tripled([2, 3, 1], rng=np.random.default_rng(0)).check_gradients(np.eye(2), np.zeros((1, 2)))
    for row in report.rows:
        assert row.candidate / row.reference == pytest.approx(3.0, rel=1e-6)


def test_a_kink_is_noted_and_not_taken_for_a_mistake():
    network = NeuralNetwork([2, 4, 1], "relu", output="linear", rng=np.random.default_rng(0))
    report = network.check_gradients(np.zeros((2, 3)), np.ones((1, 3)))     # each z is 0, at relu's kink
    report.assert_ok()
    assert "a kink lies at this very point" in next(row.note for row in report.rows if row.name == "db0")
    network = NeuralNetwork([1, 1], output="linear", loss="mean_absolute_error")
    network.parameters = [1.0, 0.0]
    network.check_gradients([[1.0, 2.0]], [[1.0, 2.0]]).assert_ok()         # each error is 0


def test_of_a_larger_network_some_entries_are_checked_and_the_rows_say_so():
    network = NeuralNetwork([40, 30, 1], "tanh", rng=np.random.default_rng(0))
    x, y = np.random.default_rng(1).normal(size=(40, 4)), np.zeros((1, 4))
    rows = network.check_gradients(x, y).rows
    assert [row.note for row in rows] == [
        "20 of 1200 entries checked", "20 of 30 entries checked", "20 of 30 entries checked", "",
    ]  # fmt: skip
    assert [row.shape for row in rows] == [(30, 40), (30, 1), (1, 30), (1, 1)]
    assert {row.note for row in network.check_gradients(x, y, sample=1200).rows} == {""}
    chosen = {
        seed: network.check_gradients(x, y, sample=1, rng=np.random.default_rng(seed)).rows[0].index
        for seed in range(5)
    }
    assert len(set(chosen.values())) > 1
    assert network.check_gradients(x, y).rows == rows       # without an rng the same ones each time


def test_the_report_fits_eighty_columns():
    x, y = np.zeros((40, 6)), np.ones((1, 6))
    x[0, 1:] = 1.0
    long = NeuralNetwork([40, 30, 1], "relu", output="linear", rng=np.random.default_rng(0))
    wrong = TheTutorials([2, 4, 3, 1], rng=np.random.default_rng(0))
    for report in (long.check_gradients(x, y), wrong.check_gradients(x[:2], y)):
        assert max(map(len, str(report).splitlines())) <= 80
    assert "20 of 30 entries checked; 20 of 20 entries: a kink lies" in str(long.check_gradients(0 * x, y))


@pytest.mark.parametrize(
    ("change", "options", "error", "message"),
    [
        ({}, {"sample": 0}, ValueError, "sample: expected a whole number of at least 1, got 0"),
        ({}, {"tolerance": 0.0}, ValueError, "tolerance must be positive"),
        ({}, {"rng": 0}, TypeError, "rng: expected a numpy.random.Generator or None, got int"),
        ({"parameters": np.full(13, 1e200)}, {}, ValueError, "the loss is inf at these parameters"),
        ({"dtype": np.float32, "forward": None}, {}, TypeError, "forward: it was assigned .* use dtype="),
    ],
)
def test_what_cannot_be_checked_is_refused(change, options, error, message):
    network = NeuralNetwork([2, 3, 1], "linear", dtype=change.get("dtype", np.float64))
    if "parameters" in change:
        network.parameters = change["parameters"]
    if "forward" in change:
        network.forward = network.forward
    with pytest.raises(error, match=message):
        network.check_gradients(np.ones((2, 3)), np.ones((1, 3)), **options)


# The network of Values.


@pytest.mark.parametrize(("loss", "output"), LOSSES_AND_OUTPUTS)
def test_an_mlp_is_checked_by_the_same_rules(loss, output):
    for features in FEATURES[:3]:
        network, x, y, masks = problem(["relu", "gelu"], loss, output, **features)
        objective = {k: v for k, v in features.items() if k not in ("dropout", "batch_norm")}
        report = network.to_mlp().check_gradients(
            x.T, y.T, loss=loss, weights=WEIGHTS, masks=masks, **objective
        )
        report.assert_ok()
        expected = network.check_gradients(x, y, weights=WEIGHTS, masks=masks)
        for row, other in zip(report.rows, expected.rows, strict=True):
            assert (row.name, row.shape) == (other.name, other.shape)


class WithWrongSquares(MLP):
    """A learner's model, which squares its hidden logits with a number for one of the factors."""

    def __call__(self, x, masks=None, *, training=False):
        samples = [[z * z.data for z in self.layers[0].zs(row)] for row in x]
        return [self.layers[1].zs(row)[0] for row in samples]


def test_an_mlp_with_a_wrong_derivative_of_its_own_is_accused_below_it():
    model = WithWrongSquares(2, [3, 1], rng=np.random.default_rng(0))
    report = model.check_gradients([[0.5, 1.0], [1.0, -1.0]], [1.0, 0.0])
    assert report.note == "wrong in layer 0 (dW0, db0)"
    for row in report.rows[:2]:
        assert row.reference / row.candidate == pytest.approx(2.0, rel=1e-6)


def test_an_mlp_s_labels_are_taken_and_its_wrong_samples_refused():
    model = MLP(2, [3, 3], "tanh", "softmax", rng=np.random.default_rng(0))
    model.check_gradients([[0.5, 1.0], [1.0, -1.0]], [2, 0], loss="cross_entropy").assert_ok()
    with pytest.raises(ValueError, match=r"xs: expected shape \(N, 2\) with N >= 1, one row a sample"):
        model.check_gradients(np.ones((3, 4)), [2, 0], loss="cross_entropy")
