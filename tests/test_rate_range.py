"""The range test on losses whose limit of stability is known, and on networks."""

import math

import numpy as np
import pytest

from nn import NeuralNetwork, ScalarEngine
from nn.rate_range import learning_rate_range_test

XOR_X, XOR_Y = np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]]), np.array([[0.0, 1.0, 1.0, 0.0]])
ANY = np.zeros((1, 1))


def parabola(curvature):
    """½ c θ²: a step at rate r multiplies θ by 1 - c r, so it converges for 0 < r < 2 / c alone."""

    def engine(theta, x, y):
        return float(curvature * theta @ theta / 2), curvature * theta

    return engine


@pytest.mark.parametrize("curvature", [0.5, 4.0, 100.0])
def test_the_suggestion_converges_on_a_parabola_and_is_not_timid(curvature):
    engine = parabola(curvature)
    found = learning_rate_range_test(engine, np.ones(1), ANY, ANY)
    limit = 2 / curvature
    assert limit / 100 < found.suggestion < limit


def test_rates_grow_by_one_factor_and_each_loss_is_that_after_its_step():
    # θ after steps at 0.01, 0.1, 1 of ½θ²: 0.99, 0.99 · 0.9, 0
    found = learning_rate_range_test(
        parabola(1.0), np.ones(1), ANY, ANY, lowest=0.01, highest=1.0, steps=3
    )
    assert found.rates == pytest.approx([0.01, 0.1, 1.0], rel=1e-15)
    assert found.losses == pytest.approx([0.99**2 / 2, (0.99 * 0.9) ** 2 / 2, 0.0], rel=1e-14)


def test_it_ends_where_the_loss_has_grown_fourfold():
    found = learning_rate_range_test(parabola(1.0), np.ones(1), ANY, ANY, highest=1e6)
    assert len(found.rates) == len(found.losses) < 100
    assert found.losses[-1] > 4 * found.losses.min()
    assert (found.losses[:-1] <= 4 * np.minimum.accumulate(found.losses[:-1])).all()


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_it_ends_at_a_loss_that_is_not_finite(bad):
    def engine(theta, x, y):
        return (float(theta[0]) if theta[0] > 0 else bad), np.ones(1)

    found = learning_rate_range_test(engine, np.ones(1), ANY, ANY)
    assert not np.isfinite(found.losses[-1])
    assert np.isfinite(found.losses[:-1]).all()
    assert found.suggestion == pytest.approx(found.rates[-2] / 10)


@pytest.mark.parametrize(
    "engine", [lambda theta, x, y: (1.0, np.ones(1)), lambda theta, x, y: (math.nan, np.ones(1))]
)
def test_without_a_fall_nothing_is_suggested(engine):
    assert learning_rate_range_test(engine, np.ones(1), ANY, ANY).suggestion is None


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("batch_size", [None, 16])
def test_training_a_network_at_the_suggested_rate_lowers_its_loss(optimizer, batch_size):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 64))
    y = np.sin(x[:1]) * x[1:]
    network = NeuralNetwork([2, 16, 1], activation="tanh", output="linear", rng=rng)
    before = network.parameters.copy()
    found = learning_rate_range_test(
        network.loss_and_gradient,
        network.parameters,
        x,
        y,
        optimizer=optimizer,
        batch_size=batch_size,
        rng=rng,
    )
    np.testing.assert_array_equal(network.parameters, before)
    assert 1e-3 < found.suggestion < 1
    losses = network.train(x, y, found.suggestion, epochs=50, on_epoch=lambda *_: None)
    assert losses == sorted(losses, reverse=True)


def test_the_scalar_engine_gives_the_same_curve():
    network = NeuralNetwork([2, 3, 1], activation="tanh", rng=np.random.default_rng(0))
    engines = network.loss_and_gradient, ScalarEngine(network.to_mlp()).loss_and_gradient
    vectorised, scalar = (
        learning_rate_range_test(engine, network.parameters, XOR_X, XOR_Y, steps=10, highest=0.1)
        for engine in engines
    )
    np.testing.assert_allclose(vectorised.losses, scalar.losses, rtol=1e-12)


@pytest.mark.parametrize("batch_size", [None, 3])
def test_labels_are_taken_as_their_one_hot_targets_are(batch_size):
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(2, 8)), np.array([0, 1, 2, 0, 1, 2, 2, 1])
    network = NeuralNetwork([2, 4, 3], "tanh", output="softmax", loss="cross_entropy", rng=rng)
    by_labels, by_targets = (
        learning_rate_range_test(
            network.loss_and_gradient, network.parameters, x, y, batch_size=batch_size,
            rng=np.random.default_rng(1),
        )
        for y in (labels, np.eye(3)[:, labels])
    )  # fmt: skip
    np.testing.assert_array_equal(by_labels.losses, by_targets.losses)
    assert by_labels.suggestion == by_targets.suggestion is not None
    wrong = [0, 1, 2, 0, 1, 2, 2, 3]
    with pytest.raises(ValueError, match="y: expected classes 0 to 2, got 3 at index 7"):
        learning_rate_range_test(network.loss_and_gradient, network.parameters, x, wrong)


def test_equal_generators_give_equal_curves():
    network = NeuralNetwork([2, 3, 1], rng=np.random.default_rng(0))
    first, second = (
        learning_rate_range_test(
            network.loss_and_gradient,
            network.parameters,
            XOR_X,
            XOR_Y,
            batch_size=2,
            rng=np.random.default_rng(1),
        )
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.losses, second.losses)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lowest": 0.0}, "lowest: expected a finite number above 0"),
        ({"highest": math.inf}, "highest: expected a finite number above 0"),
        ({"lowest": 1.0, "highest": 0.5}, r"highest: expected a rate above lowest, 1\.0; got 0\.5"),
        ({"steps": 1}, "steps: expected a whole number of at least 2"),
        ({"batch_size": 0}, "batch_size: expected a whole number of at least 1"),
        ({"optimizer": "best"}, "optimizer: expected one of 'sgd'"),
        ({"x": np.zeros(3)}, r"x: expected shape \(features, N\)"),
        ({"y": np.zeros((1, 2))}, r"y: expected shape \(1, 1\), got \(1, 2\)"),
        ({"y": [[0.0], [0.0, 1.0]]}, r"y: expected shape .*, got rows of different lengths"),
        ({"y": [0, 1]}, r"expected shape \(outputs, 1\), or labels \(1,\), .*got int64 of shape \(2,\)"),
        ({"y": [0.5]}, r"got float64 of .* For targets of one number each, pass y.reshape\(1, -1\)"),
    ],
)
def test_a_setting_out_of_range_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        learning_rate_range_test(
            **{"engine": parabola(1.0), "parameters": np.ones(1), "x": ANY, "y": ANY, **settings}
        )
