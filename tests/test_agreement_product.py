"""Three engines, one gradient, for every feature that both networks have, and their product.

Activations × losses × penalties × dropout × batch normalisation × optimiser step; reductions and sample
weights take turns.
"""

from itertools import cycle, product

import numpy as np
import pytest

from nn import (
    L1,
    L2,
    MLP,
    SGD,
    Adagrad,
    Adam,
    AdamW,
    LiftedEngine,
    Momentum,
    Nesterov,
    NeuralNetwork,
    RMSprop,
    ScalarEngine,
    compare_gradients,
)
from nn.formulas import ACTIVATIONS
from nn.losses import LOSSES

LOSSES_AND_OUTPUTS = [
    ("mean_squared_error", "linear"),
    ("mean_squared_error", "softmax"),
    ("mean_squared_error", "silu"),
    ("mean_absolute_error", "tanh"),
    ("huber", "elu"),
    ("hinge", "linear"),
    ("binary_cross_entropy", "sigmoid"),
    ("binary_cross_entropy_with_logits", "linear"),
    ("cross_entropy", "softmax"),
]
PENALTIES = [{}, {"l1": 0.02, "l2": 0.1}]
DROPOUT = [0.0, [0.4, 0.25]]
BATCH_NORM = [False, True]
OPTIMIZERS = [SGD(), Momentum(), Nesterov(), RMSprop(), Adagrad(), Adam(), AdamW()]
WEIGHTS = [1.0, 0.5, 0.0, 2.0]
TURNS = [("mean", None), ("sum", None), ("mean", WEIGHTS), ("sum", WEIGHTS)]


def problem(activation, loss, output, seed=0, samples=5, **settings):
    """A network of that many features, and x, y and masks for it."""
    rng = np.random.default_rng(seed)
    network = NeuralNetwork([3, 4, 3, 2], activation, output=output, loss=loss, rng=rng, **settings)
    network.parameters = network.parameters + 0.3 * rng.standard_normal(network.parameters.size)
    x, y = rng.standard_normal((3, samples)), rng.random((2, samples))
    if loss == "cross_entropy":
        y /= y.sum(axis=0)
    if loss == "hinge":
        y = np.sign(y - 0.5)
    return network, x, y, network.draw_masks(samples, rng)


def engines_of(network):
    settings = {
        "reduction": network.reduction,
        "penalties": network.penalties,
        "penalise_biases": network.penalise_biases,
    }
    return [kind(network.to_mlp(), network.loss_name, **settings) for kind in (ScalarEngine, LiftedEngine)]


def test_the_product_leaves_no_activation_and_no_loss_out():
    assert {loss for loss, _ in LOSSES_AND_OUTPUTS} == set(LOSSES)
    assert set(ACTIVATIONS) == set(NEXT) == set(NEXT.values())


NEXT = dict(zip(ACTIVATIONS, [*list(ACTIVATIONS)[1:], next(iter(ACTIVATIONS))], strict=True))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("loss", "output"), LOSSES_AND_OUTPUTS)
def test_all_engines_agree_with_every_feature_and_take_the_same_step(activation, loss, output):
    turns = cycle(TURNS)
    for penalties, dropout, batch_norm in product(PENALTIES, DROPOUT, BATCH_NORM):
        reduction, weights = next(turns)
        settings = {"reduction": reduction, "dropout": dropout, "batch_norm": batch_norm, **penalties}
        network, x, y, masks = problem([activation, NEXT[activation]], loss, output, samples=4, **settings)
        given = {"weights": weights, "masks": masks}
        theta = network.parameters
        value, gradient = network.loss_and_gradient(theta, x, y, **given)
        for engine in engines_of(network):
            same_value, same = engine.loss_and_gradient(theta, x, y, **given)
            assert same_value == pytest.approx(value, rel=1e-12)
            compare_gradients(network, x, y, reference=engine, **given).assert_ok()
            assert_same_steps(theta, gradient, same)


def assert_same_steps(theta, gradient, same):
    # Adam and its kind divide a gradient by its own size: where it is next to nothing, as that by the bias of
    # a normalised layer is but for rounding, their step is as random as the rounding. Elsewhere it agrees
    # to 1e-10 of itself.
    known = np.abs(gradient) > 1e-5 * np.abs(gradient).max()
    for optimizer in OPTIMIZERS:
        steps = [optimizer(optimizer.init(theta), g, 0.1, theta)[1][known] for g in (gradient, same)]
        np.testing.assert_allclose(steps[1], steps[0], rtol=1e-9, atol=0.0)


def test_comparing_tells_of_all_three_engines_with_every_feature_on():
    settings = {"dropout": 0.4, "batch_norm": True, "l1": 0.1, "l2": 0.2, "reduction": "sum"}
    network, x, y, masks = problem(["silu", "elu"], "cross_entropy", "softmax", **settings)
    report = compare_gradients(network, x, y, weights=[1.0, 0.5, 0.0, 2.0, 1.5], masks=masks)
    report.assert_ok()
    assert [row.name for row in report.rows] == [
        "dW0", "db0", "dgamma0", "dbeta0", "dW1", "db1", "dgamma1", "dbeta1", "dW2", "db2",
    ]  # fmt: skip
    assert "lifted program: agrees" in report.note


def test_both_networks_draw_the_same_masks_and_carry_the_same_statistics():
    network, x, _, masks = problem("tanh", "huber", "linear", dropout=[0.0, 0.5], batch_norm=True)
    model = network.to_mlp()
    assert masks[0] is None
    drawn = [each.draw_masks(5, np.random.default_rng(3)) for each in (network, model)]
    assert drawn[0][0] is drawn[1][0] is None
    np.testing.assert_array_equal(drawn[0][1], drawn[1][1])
    network.update_statistics(network.forward(x, masks, training=True))
    model.update_statistics(x.T, masks)
    for layer, norm in enumerate(layer.norm for layer in model.layers[:-1]):
        np.testing.assert_allclose(norm.running_mean, network.running_mean[layer][:, 0], rtol=1e-13)
        np.testing.assert_allclose(norm.running_variance, network.running_variance[layer][:, 0], rtol=1e-13)
    for carried in (network.to_mlp(), NeuralNetwork.from_mlp(model).to_mlp()):
        outputs = [[a.data for a in outputs] for outputs in carried(x.T)]
        np.testing.assert_allclose(np.transpose(outputs), network.forward(x)["a3"], rtol=1e-12)


def test_gradients_of_one_batch_do_not_move_the_running_statistics():
    network, x, y, masks = problem("relu", "huber", "linear", dropout=0.5, batch_norm=True)
    for engine in engines_of(network):
        before = [list(layer.norm.running_mean) for layer in engine.model.layers[:-1]]
        engine.loss_and_gradient(network.parameters, x, y, masks=masks)
        assert [layer.norm.running_mean for layer in engine.model.layers[:-1]] == before


def test_labels_are_taken_by_every_engine():
    network, x, _, _ = problem("tanh", "cross_entropy", "softmax")
    labels = [0, 1, 1, 0, 1]
    expected, _ = network.loss_and_gradient(network.parameters, x, np.eye(2)[:, labels])
    for engine in (network, *engines_of(network)):
        loss, _ = engine.loss_and_gradient(network.parameters, x, labels)
        assert loss == pytest.approx(expected, rel=1e-13)
        with pytest.raises(ValueError, match="y: expected classes 0 to 1, got 2 at index 0"):
            engine.loss_and_gradient(network.parameters, x, [2, 1, 1, 0, 1])
    compare_gradients(network, x, labels).assert_ok()


def test_a_network_in_single_precision_agrees_in_single_precision():
    network, x, y, masks = problem(
        "gelu", "huber", "linear", dropout=0.5, batch_norm=True, l2=0.1, dtype=np.float32
    )
    report = compare_gradients(network, x, y, masks=masks)
    report.assert_ok()
    assert report.tolerance == 1e-4


def test_an_mlp_in_question_takes_over_reduction_and_penalties():
    network, x, y, masks = problem("tanh", "huber", "linear", reduction="sum", l1=0.1, l2=0.2, dropout=0.5)
    for reference in (network, *engines_of(network)):
        compare_gradients(network.to_mlp(), x, y, reference=reference, masks=masks).assert_ok()
    for other in (("mean", network.penalties), ("sum", []), ("sum", [L1(0.1)]), ("sum", [L2(0.2)])):
        engine = ScalarEngine(network.to_mlp(), "huber", reduction=other[0], penalties=other[1])
        assert not compare_gradients(engine, x, y, reference=network, masks=masks).ok
    whole = ScalarEngine(network.to_mlp(), "huber", reduction="sum", penalties=[L1(0.1), L2(0.2)])
    compare_gradients(whole, x, y, reference=network, masks=masks).assert_ok()


def test_penalties_of_biases_are_one_thing_in_every_engine():
    settings = {"l1": 0.1, "l2": 0.2, "batch_norm": True}
    network, x, y, _ = problem("tanh", "huber", "linear", penalise_biases=True, **settings)
    compare_gradients(network, x, y).assert_ok()
    for engine in engines_of(network):
        compare_gradients(engine, x, y, reference=network).assert_ok()
        compare_gradients(network.to_mlp(), x, y, reference=engine).assert_ok()
    without = NeuralNetwork.from_mlp(network.to_mlp(), "huber", l1=0.1, l2=0.2)
    report = compare_gradients(without, x, y, reference=network)
    assert [row.name for row in report.rows if not row.ok] == ["db0", "db1", "db2"]


def test_a_gradient_without_mask_or_weights_is_accused():
    network, x, y, masks = problem("tanh", "huber", "linear", dropout=0.5)
    weights = [1.0, 2.0, 0.5, 1.0, 3.0]
    for given in ({"masks": masks}, {"weights": weights}):
        without = network.backward(x, y, network.forward(x))
        assert not compare_gradients(without, x, y, reference=network, **given).ok
        compare_gradients(without, x, y, reference=network).assert_ok()


class LearnersBackward(NeuralNetwork):
    """With methods of the tutorial's own signatures, which know of no option."""

    def forward(self, x):
        return super().forward(x)

    def backward(self, x, y, cache):
        return super().backward(x, y, cache)


def test_a_learner_s_own_methods_are_not_told_of_what_is_not_there():
    plain, x, y, _ = problem("tanh", "huber", "linear")
    network = LearnersBackward([3, 4, 3, 2], "tanh", output="linear", loss="huber")
    network.parameters = plain.parameters
    compare_gradients(network, x, y).assert_ok()


def loss_curve(engine, network, x, y, optimizer, weights, steps=100):
    """The losses of steps on whole batches, from the network's parameters, with masks of one seed."""
    theta, rng = network.parameters.copy(), np.random.default_rng(5)
    state, losses = optimizer.init(theta), []
    for _ in range(steps):
        masks = network.draw_masks(x.shape[1], rng)
        loss, gradient = engine.loss_and_gradient(theta, x, y, weights=weights, masks=masks)
        state, step = optimizer(state, gradient, 0.01, theta)
        theta += step
        losses.append(loss)
    return losses


@pytest.mark.parametrize("optimizer", [Nesterov(), Adam(), AdamW()], ids=lambda o: type(o).__name__)
@pytest.mark.parametrize("batch_norm", BATCH_NORM)
def test_each_engine_trains_along_the_same_loss_curve_with_all_features_on(batch_norm, optimizer):
    network, x, y, _ = problem(
        ["gelu", "leaky_relu"], "cross_entropy", "softmax", samples=6, l1=0.001, l2=0.01, dropout=0.25,
        batch_norm=batch_norm,
    )  # fmt: skip
    weights = [1.0, 0.5, 2.0, 1.0, 1.5, 0.25]
    curves = [loss_curve(e, network, x, y, optimizer, weights) for e in (network, *engines_of(network))]
    assert np.mean(curves[0][-10:]) < np.mean(curves[0][:10])
    for curve in curves[1:]:
        np.testing.assert_allclose(curve, curves[0], rtol=1e-9, atol=0.0)


@pytest.mark.parametrize("kind", [ScalarEngine, LiftedEngine])
@pytest.mark.parametrize(
    ("words", "model", "settings", "given"),
    [
        ("reduction: expected one of 'mean', 'sum'", {}, {"reduction": "none"}, {}),
        (r"weights: expected shape \(2,\), got \(1,\)", {}, {}, {"weights": [1.0]}),
        ("weights: expected some weight above 0", {}, {}, {"weights": [0.0, 0.0]}),
        (r"masks: expected a list of 1", {}, {}, {"masks": [None, None]}),
        (r"masks\[0\]: expected shape \(3, 2\), got \(2, 3\)", {}, {}, {"masks": [np.ones((2, 3))]}),
        ("needs output 'linear'; the model's is 'sigmoid'", {"output": "sigmoid"}, {"loss": "hinge"}, {}),
    ],
)
def test_misuse_of_an_engine_is_explained(kind, words, model, settings, given):
    def ask():
        engine = kind(MLP(1, [3, 1], **model), **settings)
        engine.loss_and_gradient(np.zeros(10), [[1.0, 2.0]], [[0.0, 1.0]], **given)

    with pytest.raises(ValueError, match=words):
        ask()


@pytest.mark.parametrize("kind", [ScalarEngine, LiftedEngine])
def test_a_penalty_is_one_of_ours(kind):
    with pytest.raises(TypeError, match=r"penalties: expected L1\(strength\) or L2\(strength\), got 0.1"):
        kind(MLP(1, [1]), penalties=[0.1])


@pytest.mark.parametrize("kind", [ScalarEngine, LiftedEngine])
def test_batch_normalisation_of_one_sample_is_refused(kind):
    with pytest.raises(ValueError, match="trains on 2 samples or more, got 1"):
        kind(MLP(1, [3, 1], batch_norm=True)).loss_and_gradient(np.zeros(16), [[1.0]], [[0.0]])


@pytest.mark.parametrize("batch_norm", BATCH_NORM)
def test_a_network_trains_by_any_engine_along_the_same_loss_curve(batch_norm):
    settings = {"dropout": 0.2, "batch_norm": batch_norm, "l2": 0.01, "samples": 20}
    network, x, _, _ = problem(["gelu", "relu"], "cross_entropy", "softmax", **settings)
    rng, start = np.random.default_rng(1), network.parameters.copy()
    labels, weights = rng.integers(0, 2, 20), rng.random(20)
    curves, statistics = [], []
    for engine in (None, *engines_of(network)):
        learner = NeuralNetwork.from_mlp(network.to_mlp(), network.loss_name, l2=0.01)
        learner.parameters = start
        options = {"optimizer": "adam", "batch_size": 7, "sample_weights": weights, "progress": False}
        curve = learner.train(x, labels, 0.01, 34, engine=engine, rng=np.random.default_rng(2), **options)
        curves.append(curve)            # of 3 steps each
        statistics.append([number for row in learner.running_variance for number in row.ravel()])
    assert curves[0][-1] < curves[0][0]
    for curve, moved in zip(curves[1:], statistics[1:], strict=True):
        np.testing.assert_allclose(curve, curves[0], rtol=1e-9, atol=0.0)
        np.testing.assert_allclose(moved, statistics[0], rtol=1e-7)
