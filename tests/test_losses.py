"""Losses on Values against arithmetic by hand, 50 digits, PyTorch and scikit-learn."""

import math

import mpmath as mp
import numpy as np
import pytest

from autograd import Value
from nn import MLP, NeuralNetwork
from nn.losses import (
    LOSSES,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    cross_entropy_with_logits,
    hinge,
    huber,
    mean_absolute_error,
    mean_squared_error,
)

PUBLIC = {
    loss.__name__: loss
    for loss in (
        binary_cross_entropy, binary_cross_entropy_with_logits, cross_entropy, cross_entropy_with_logits,
        hinge, huber, mean_absolute_error, mean_squared_error,
    )
}  # fmt: skip


def samples(rows):
    return [[Value(z) for z in row] for row in rows]


def test_mean_squared_error_averages_every_entry():
    loss = mean_squared_error(samples([[1.0, 2.0], [3.0, 4.0]]), [[0.0, 0.0], [0.0, 0.0]])
    assert loss.data == (1 + 4 + 9 + 16) / 4


def test_binary_cross_entropy_is_that_of_the_logistic_function():
    rows, targets = [[0.3, -2.0], [5.0, 1.5]], [[1.0, 0.25], [0.0, 1.0]]
    zs = samples(rows)
    loss = binary_cross_entropy_with_logits(zs, targets)
    loss.backward()
    with mp.workdps(50):
        sigma = [[1 / (1 + mp.exp(-mp.mpf(z))) for z in row] for row in rows]
        pairs = [
            (p, mp.mpf(t)) for ps, ts in zip(sigma, targets, strict=True) for p, t in zip(ps, ts, strict=True)
        ]
        expected = mp.fsum(-t * mp.log(p) - (1 - t) * mp.log(1 - p) for p, t in pairs) / 4
    assert loss.data == pytest.approx(float(expected), rel=1e-15)
    gradients = [z.grad for row in zs for z in row]
    assert gradients == pytest.approx([float((p - t) / 4) for p, t in pairs], rel=1e-13)


def test_cross_entropy_is_that_of_the_softmax():
    rows, targets = [[0.3, -2.0, 1.0], [5.0, 1.5, -1.0]], [[0.0, 1.0, 0.0], [0.5, 0.25, 0.25]]
    zs = samples(rows)
    loss = cross_entropy_with_logits(zs, targets)
    loss.backward()
    with mp.workdps(50):
        exps = [[mp.exp(mp.mpf(z)) for z in row] for row in rows]
        softmax = [[e / mp.fsum(row) for e in row] for row in exps]
        pairs = [
            (p, mp.mpf(t))
            for ps, ts in zip(softmax, targets, strict=True)
            for p, t in zip(ps, ts, strict=True)
        ]
        expected = -mp.fsum(t * mp.log(p) for p, t in pairs) / 2
    assert loss.data == pytest.approx(float(expected), rel=1e-15)
    gradients = [z.grad for row in zs for z in row]
    assert gradients == pytest.approx([float((p - t) / 2) for p, t in pairs], rel=1e-13)


def test_cross_entropies_stay_finite_where_probabilities_round_to_zero():
    assert cross_entropy_with_logits(samples([[1000.0, -1000.0]]), [[0.0, 1.0]]).data == 2000.0
    assert binary_cross_entropy_with_logits(samples([[1000.0]]), [[0.0]]).data == 1000.0
    assert math.isfinite(binary_cross_entropy_with_logits(samples([[-1000.0]]), [[1.0]]).data)


def problem(name, seed=0):
    """Outputs (N, k), as lists, and targets that the loss is made for."""
    rng = np.random.default_rng(seed)
    outputs, targets = 2.0 * rng.standard_normal((4, 3)), rng.random((4, 3))
    if name == "cross_entropy":
        targets /= targets.sum(axis=1, keepdims=True)
    if name == "hinge":
        targets = np.sign(targets - 0.5)
    return outputs.tolist(), targets.tolist()


def in_torch(torch, name):
    """The loss of (N, k) in PyTorch: its terms, one an entry, or of the cross-entropy one a sample."""
    F = torch.nn.functional
    bce = lambda z, t: F.binary_cross_entropy_with_logits(z, t, reduction="none")  # noqa: E731
    return {
        "mean_squared_error": lambda p, t: F.mse_loss(p, t, reduction="none"),
        "mean_absolute_error": lambda p, t: F.l1_loss(p, t, reduction="none"),
        "huber": lambda p, t: F.huber_loss(p, t, reduction="none"),
        "hinge": lambda p, t: torch.clamp(1 - t * p, min=0),
        "binary_cross_entropy": bce,
        "binary_cross_entropy_with_logits": bce,
        "cross_entropy": lambda z, t: F.cross_entropy(z, t, reduction="none")[:, None],
    }[name]


@pytest.mark.parametrize("weights", [None, [1.0, 0.0, 2.5, 0.5]])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_and_its_gradient_are_pytorchs(name, reduction, weights):
    torch = pytest.importorskip("torch", reason="PyTorch is the witness here")
    outputs, targets = problem(name)
    ours = samples(outputs)
    loss = LOSSES[name].function(ours, targets, reduction, weights)
    loss.backward()
    theirs = torch.tensor(outputs, dtype=torch.float64, requires_grad=True)
    terms = in_torch(torch, name)(theirs, torch.tensor(targets, dtype=torch.float64))
    w = torch.ones(4, 1, dtype=torch.float64) if weights is None else torch.tensor(weights)[:, None].double()
    expected = (w * terms).sum() / (1.0 if reduction == "sum" else w.sum() * terms.shape[1])
    expected.backward()
    assert loss.data == pytest.approx(expected.item(), rel=1e-14)
    gradient = [[z.grad for z in sample] for sample in ours]
    np.testing.assert_allclose(gradient, theirs.grad, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_weighted_cross_entropy_of_labels_is_pytorchs_with_a_weight_for_each_class(reduction):
    torch = pytest.importorskip("torch", reason="PyTorch is the witness here")
    outputs, labels, of_class = problem("cross_entropy")[0], [2, 0, 1, 2], [0.5, 1.0, 3.0]
    weights = [of_class[label] for label in labels]
    ours = cross_entropy_with_logits(samples(outputs), labels, reduction, weights)
    weight = torch.tensor(of_class, dtype=torch.float64)
    theirs = torch.nn.functional.cross_entropy(
        torch.tensor(outputs, dtype=torch.float64), torch.tensor(labels), weight, reduction=reduction
    )
    assert ours.data == pytest.approx(theirs.item(), rel=1e-14)


@pytest.mark.parametrize("weights", [None, [1.0, 0.25, 2.5, 0.5]])
def test_the_weighted_mean_is_scikit_learns(weights):
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is the witness here")
    for name, theirs in (
        ("mean_squared_error", metrics.mean_squared_error),
        ("mean_absolute_error", metrics.mean_absolute_error),
    ):
        outputs, targets = problem(name)
        ours = LOSSES[name].function(samples(outputs), targets, weights=weights)
        assert ours.data == pytest.approx(theirs(targets, outputs, sample_weight=weights), rel=1e-14)
    outputs, targets = [[-1.0], [0.25], [2.0], [-0.5]], [1.0, 1.0, -1.0, -1.0]
    ours = hinge(samples(outputs), [[t] for t in targets], weights=weights)
    expected = metrics.hinge_loss(targets, [p for [p] in outputs], sample_weight=weights)
    assert ours.data == pytest.approx(expected, rel=1e-14)
    logits, labels = problem("cross_entropy")[0], [2, 0, 1, 2]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    ours = cross_entropy_with_logits(samples(logits), labels, weights=weights)
    expected = metrics.log_loss(labels, probabilities, sample_weight=weights)
    assert ours.data == pytest.approx(expected, rel=1e-13)


def test_a_weight_of_2_is_a_sample_met_twice():
    for name, loss in LOSSES.items():
        outputs, targets = problem(name)
        weighted = loss.function(samples(outputs), targets, weights=[1.0, 2.0, 1.0, 1.0])
        twice = loss.function(samples([*outputs, outputs[1]]), [*targets, targets[1]])
        assert weighted.data == pytest.approx(twice.data, rel=1e-14)


def test_slopes_where_a_loss_has_a_kink():
    def slope(name, output, target):
        [[z]] = zs = samples([[output]])
        LOSSES[name].function(zs, [[target]]).backward()
        return z.grad

    assert slope("mean_absolute_error", 1.0, 1.0) == 0.0
    assert slope("hinge", 1.0, 1.0) == 0.0
    assert [slope("huber", 1.0 + d, 1.0) for d in (-2.0, -1.0, 0.0, 1.0, 2.0)] == [-1.0, -1.0, 0.0, 1.0, 1.0]
    assert huber(samples([[-1.0, 0.5]]), [[0.0, 0.0]], "sum").data == 0.5 + 0.125


@pytest.mark.parametrize(
    ("words", "make"),
    [
        ("reduction: expected one of 'mean', 'sum'; got 'none'", lambda: hinge([[1.0]], [[1.0]], "none")),
        (r"weights: expected shape \(1,\), got \(2,\)", lambda: hinge([[1.0]], [[1.0]], weights=[1.0, 2.0])),
        (r"weights holds -1.0 at index 0", lambda: hinge([[1.0]], [[1.0]], weights=[-1.0])),
        ("targets: expected classes 0 to 1, got 2", lambda: cross_entropy_with_logits([[1.0, 2.0]], [2])),
        ("targets: expected classes 0 to 1, got -1", lambda: cross_entropy_with_logits([[1.0, 2.0]], [-1])),
        ("one target for each output", lambda: cross_entropy_with_logits([[1.0, 2.0]], [1, 0])),
    ],
)
def test_misuse_is_explained(words, make):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize("loss", PUBLIC)
@pytest.mark.parametrize("targets", [[[0.0]], [[0.0, 1.0], [0.0, 1.0]], [[0.0, 1.0, 0.0]], []])
def test_a_missing_or_extra_target_is_refused(loss, targets):
    with pytest.raises(ValueError, match="one target for each output"):
        PUBLIC[loss](samples([[0.5, 0.5]]), targets)


# What a model's call gives, and what the network of arrays takes.

OUTPUTS = {"hinge": "linear", "binary_cross_entropy": "sigmoid", "cross_entropy": "softmax"}


def model_and_data(name, outputs, count=5):
    """A model, x (N, 2) and targets (N, outputs) for a loss by this name."""
    rng = np.random.default_rng(3)
    model = MLP(2, [4, outputs], "tanh", OUTPUTS.get(name, "linear"), rng=rng)
    x, y = rng.normal(size=(count, 2)), rng.random((count, outputs))
    if name == "cross_entropy":
        y /= y.sum(axis=1, keepdims=True)
    return model, x, np.sign(y - 0.5) if name == "hinge" else y


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("name", LOSSES)
def test_a_name_means_of_a_model_s_outputs_what_it_means_in_the_network(name, outputs, reduction):
    model, x, y = model_and_data(name, outputs)
    network = NeuralNetwork.from_mlp(model, name, reduction=reduction)
    for kind, n in (("many", len(x)), ("one in a list", 1)):
        loss = PUBLIC[name](model(x[:n]), y[:n].tolist(), reduction)
        expected = network.compute_loss(y[:n].T, network.forward(x[:n].T)["a2"])
        assert loss.data == pytest.approx(expected, rel=1e-13), kind
        model.zero_grad()
        loss.backward()
        _, gradient = network.loss_and_gradient(network.parameters, x[:n].T, y[:n].T)
        np.testing.assert_allclose(
            [p.grad for p in model.parameters()], gradient, rtol=0, atol=1e-12 * np.abs(gradient).max()
        )
    alone = y[0, 0] if outputs == 1 else y[0]
    assert PUBLIC[name](model(x[0]), alone, reduction).data == pytest.approx(expected, rel=1e-13)


def test_classes_are_taken_for_many_samples_and_for_one():
    model, x, _ = model_and_data("cross_entropy", 3)
    probabilities = np.array([[p.data for p in row] for row in model(x)])
    labels = [2, 0, 1, 2, 2]
    expected = -np.log(probabilities[np.arange(5), labels])
    for loss, outputs in ((cross_entropy, model(x)), (cross_entropy_with_logits, model.logits(x))):
        for given in (labels, np.array(labels), np.eye(3)[labels], np.eye(3, dtype=int)[labels].tolist()):
            assert loss(outputs, given).data == pytest.approx(expected.mean(), rel=1e-13)
        for given in (2, np.int64(2), [0, 0, 1], [0.0, 0.0, 1.0]):
            assert loss(outputs[0], given).data == pytest.approx(expected[0], rel=1e-13)


def test_cross_entropies_of_probabilities_have_all_digits_of_fifty_digit_arithmetic():
    for p, t in ((1e-20, 0.0), (1e-20, 1.0), (0.3, 0.25), (1.0 - 2.0**-53, 1.0), (1.0 - 2.0**-53, 0.0)):
        [value] = values = [Value(p)]
        loss = binary_cross_entropy(values, [t])
        loss.backward()
        with mp.workdps(50):
            q, s = mp.mpf(p), mp.mpf(t)
            expected, slope = -s * mp.log(q) - (1 - s) * mp.log(1 - q), -s / q + (1 - s) / (1 - q)
        assert loss.data == pytest.approx(float(expected), rel=1e-14)
        assert value.grad == pytest.approx(float(slope), rel=1e-14)


@pytest.mark.parametrize(("p", "t", "expected"), [(0.0, 0.0, 0.0), (1.0, 1.0, 0.0), (0.0, 1.0, math.inf)])
def test_what_is_not_expected_may_have_probability_0(p, t, expected):
    assert binary_cross_entropy([Value(p)], [t]).data == expected
    assert cross_entropy([[Value(p), Value(1.0 - p)]], [[t, 1.0 - t]]).data == expected
    assert NeuralNetwork([1, 1], loss="binary_cross_entropy").compute_loss([[t]], [[p]]) == expected


@pytest.mark.parametrize(
    ("message", "error", "make"),
    [
        (r"targets holds 0.0 at row 1, .* expected -1 or 1", ValueError, lambda: hinge([1.0, 1.0], [1, 0])),
        (r"targets holds 2.0 at row 0, column 0; expected probabilities", ValueError,
         lambda: binary_cross_entropy([0.5], [2])),
        (r"targets holds 2.0 at row 0", ValueError, lambda: binary_cross_entropy_with_logits([0.5], [2])),
        (r"targets holds 5.0", ValueError, lambda: cross_entropy([[0.2, 0.3, 0.5]], [[5, 5, 5]])),
        (r"targets's row 0 sums to 1.5; expected every row to sum to 1", ValueError,
         lambda: cross_entropy([[0.2, 0.8]], [[1.0, 0.5]])),
        (r"targets holds nan at row 0, column 0", ValueError, lambda: mean_squared_error([0.5], [math.nan])),
        (r"targets: expected an array of real numbers", TypeError, lambda: huber([0.5], ["a"])),
        (r"predictions holds 3.0 at row 0, column 0; expected probabilities", ValueError,
         lambda: binary_cross_entropy([Value(3.0)], [1])),
        (r"predictions holds -1.0", ValueError, lambda: cross_entropy([[Value(-1.0), Value(2.0)]], [1])),
    ],
)  # fmt: skip
def test_targets_are_what_the_network_of_arrays_takes(message, error, make):
    with pytest.raises(error, match=message):
        make()


def test_numbers_alone_are_no_predictions():
    with pytest.raises(TypeError, match="predictions: expected Values, as the model's call gives them"):
        mean_squared_error(np.array([1.0, 2.0]), np.array([1.0, 1.0]))


def test_a_class_that_is_no_integer_is_told():
    with pytest.raises(ValueError, match="a class is an integer"):
        cross_entropy([[Value(0.2), Value(0.8)], [Value(0.5), Value(0.5)]], [1.0, 0.0])
