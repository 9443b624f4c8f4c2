"""Each warning on a run made to go wrong in that way, and none on runs that go well."""

import numpy as np
import pytest

from nn import Monitor, NeuralNetwork, one_hot, toy_sets
from nn.initializers import default_for
from nn.monitors import (
    REMEDIES,
    find_dead_relus,
    find_lost_gradients,
    find_oscillation,
    find_overfitting,
    find_saturation,
    find_violent_steps,
    layer_norms,
)
from nn.optimizers import resolve


def rng(seed=0):
    return np.random.default_rng(seed)


def network(sizes, activation, output="sigmoid", loss="binary_cross_entropy", seed=0):
    return NeuralNetwork(
        sizes, activation, output=output, loss=loss, initialization=default_for(activation), rng=rng(seed)
    )


def moons(samples=100, noise=0.1, seed=0):
    x, labels = toy_sets.moons(samples, noise, rng(seed))
    return x, labels[np.newaxis].astype(float)


def train(net, x, y, *, epochs=60, optimizer="sgd", rate=0.1, batch=None, validation=None):
    """Train and observe each epoch; the monitor, and what it said when."""
    sizes = net.layer_sizes
    monitor = Monitor(sizes, [net.activation_name] * (len(sizes) - 2) + [net.output_name])
    algorithm, generator, step_count = resolve(optimizer), rng(1), 0
    state = algorithm.init(net.parameters)
    for _ in range(epochs):
        losses, samples = [], x.shape[1]
        for part in np.array_split(generator.permutation(samples), samples // (batch or samples)):
            loss, gradient = net.loss_and_gradient(net.parameters, x[:, part], y[:, part])
            state, step = algorithm(state, gradient, rate, net.parameters)
            net.parameters = net.parameters + step
            losses.append(loss)
            step_count += 1
        extra = {}
        if validation is not None:
            extra["validation_loss"] = net.loss_and_gradient(net.parameters, *validation)[0]
        cache = net.forward(x)
        monitor.observe(step_count, np.mean(losses), gradient, step, net.parameters, cache, **extra)
    return monitor


def kinds(monitor):
    return {warning.kind for warning in monitor.warnings}


# ---- runs that go well


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
@pytest.mark.parametrize("hidden", [[8], [16, 16]])
@pytest.mark.parametrize(
    ("optimizer", "rate", "batch"),
    [("sgd", 0.1, None), ("sgd", 0.1, 25), ("adam", 0.01, None), ("adam", 0.01, 25), ("momentum", 0.01, 25)],
)
def test_a_healthy_run_is_left_alone(activation, hidden, optimizer, rate, batch):
    x, y = moons()
    net = network([2, *hidden, 1], activation)
    settings = {"optimizer": optimizer, "rate": rate, "batch": batch, "validation": moons(seed=1)}
    monitor = train(net, x, y, **settings)
    assert monitor.warnings == []
    losses = monitor.history["loss"]
    assert losses[-1] < 0.99 * losses[0]        # it did learn


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_a_run_of_several_classes_is_left_alone(activation):
    x, labels = toy_sets.spiral(150, rng=rng())
    net = network([2, 32, 3], activation, "softmax", "cross_entropy")
    monitor = train(net, x, one_hot(labels), epochs=150, optimizer="adam", rate=0.01, batch=50)
    assert monitor.warnings == []
    assert monitor.history["loss"][-1] < 0.6


def test_a_run_to_the_last_digit_is_left_alone():
    """Where only rounding is left of the gradients, their ratios mean nothing."""
    x, labels = toy_sets.xor(rng=rng())
    net = network([2, 8, 1], "tanh", "linear", "mean_squared_error")
    monitor = train(net, x, labels[np.newaxis].astype(float), epochs=3000, rate=0.3)
    assert monitor.history["loss"][-1] < 1e-25
    assert monitor.warnings == []


# ---- runs made to go wrong


def test_steps_too_large_kill_relus():
    x, y = moons()
    net = network([2, 16, 16, 1], "relu")
    monitor = train(net, x, y, epochs=20, rate=100.0)
    dead = [warning for warning in monitor.warnings if warning.kind == "dead_relus"]
    assert {warning.layer for warning in dead} == {0, 1}
    assert "of 16 ReLUs are dead: 0 for each of 100 samples" in str(dead[0])
    assert "a smaller learning rate" in str(dead[0])
    gradients = net.named_gradients(net.loss_and_gradient(net.parameters, x, y)[1])
    assert (gradients["dW1"] == 0).all(axis=1).sum() >= 12      # so they are


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_inputs_that_were_not_scaled_saturate_the_first_layer(activation):
    x, y = moons()
    monitor = train(network([2, 16, 1], activation), 1000 * x, y, epochs=1)
    (warning,) = [warning for warning in monitor.warnings if warning.kind == "saturated"]
    assert warning.layer == 0
    assert f"{activation} activations are saturated" in str(warning)
    assert "inputs at a scale near 1" in str(warning)


def test_in_ten_layers_of_sigmoids_the_gradient_vanishes_at_the_lowest():
    x, y = moons()
    monitor = train(network([2, *[16] * 10, 1], "sigmoid"), x, y, epochs=3)
    (warning,) = monitor.warnings
    assert warning.kind == "vanishing"
    assert warning.layer <= 1       # the inputs are larger than what the sigmoids give
    assert "ReLU for sigmoid" in str(warning)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_with_the_tutorial_s_tiny_weights_the_gradient_vanishes(activation):
    x, y = moons()
    net = NeuralNetwork(
        [2, 16, 16, 16, 1], activation, output="linear", initialization="tutorial", rng=rng()
    )
    assert kinds(train(net, x, y, epochs=1)) == {"vanishing"}


def test_large_first_weights_make_deep_gradients_explode():
    x, y = moons()
    net = network([2, *[16] * 8, 1], "relu", "linear", "mean_squared_error")
    net.parameters = 3 * net.parameters
    monitor = train(net, x, y, epochs=1, rate=0.01)
    exploding = [warning for warning in monitor.warnings if warning.kind == "exploding"]
    assert {warning.layer for warning in exploding} == set(range(9))
    assert "times as large as its parameters" in str(exploding[0])
    assert "clipping the gradient by its norm" in str(exploding[0])


def test_in_forty_layers_of_tanh_with_large_weights_the_gradient_explodes_at_the_first():
    """Schoenholz et al. 2017, "Deep information propagation": beyond the edge of chaos it grows by each."""
    x, y = moons()
    net = network([2, *[32] * 40, 1], "tanh", "linear", "mean_squared_error")
    net.parameters = 3 * net.parameters
    (warning,) = train(net, x, y, epochs=1, rate=1e-9).warnings
    assert (warning.kind, warning.layer) == ("exploding", 0)
    assert "times the top layer's" in str(warning)


def test_a_rate_too_high_makes_the_loss_oscillate():
    x, y = moons()
    monitor = train(network([2, 16, 1], "tanh"), x, y, epochs=60, optimizer="sgd", rate=10.0)
    (warning,) = [warning for warning in monitor.warnings if warning.kind == "oscillating"]
    assert warning.layer is None
    assert 19 <= warning.step <= 60
    assert "a smaller learning rate" in str(warning)


def test_a_large_network_overfits_few_samples_with_wrong_labels():
    x, y = moons(30, noise=0.3)
    y[:, :6] = 1 - y[:, :6]
    net = network([2, 64, 64, 1], "relu")
    monitor = train(net, x, y, epochs=300, optimizer="adam", rate=0.01, validation=moons(200, 0.3, seed=1))
    assert kinds(monitor) == {"overfitting"}
    (warning,) = monitor.warnings
    assert warning.layer is None
    assert "while the training loss fell" in str(warning)
    assert "early stopping" in str(warning)
    validation = monitor.history["validation_loss"]
    assert validation[-1] > 2 * validation.min()        # so it did


# ---- each check at its bounds


def test_norms_are_those_of_each_layer_s_part_of_the_vector():
    # widths 2, 2, 1: w w b, w w b; w w b
    vector = np.array([1.0, 2.0, 4.0, 2.0, 0.0, 0.0, -2.0, 2.0, 1.0])
    assert layer_norms(vector, [2, 2, 1]).tolist() == [5.0, 3.0]
    with pytest.raises(ValueError, match=r"vector: expected shape \(9,\), got \(8,\)"):
        layer_norms(vector[1:], [2, 2, 1])


def test_seven_dead_relus_in_ten_are_a_warning_six_are_not():
    a = np.ones((10, 20))
    a[:6] = 0.0
    assert find_dead_relus(5, {"a1": a}, ["relu"]) == []
    a[6] = 0.0
    (warning,) = find_dead_relus(5, {"a1": a}, ["relu"])
    assert (warning.step, warning.layer) == (5, 0)
    assert warning.evidence == "7 of 10 ReLUs are dead: 0 for each of 20 samples"
    a[:, 7] = 1.0       # one sample for which all are on
    assert find_dead_relus(5, {"a1": a}, ["relu"]) == []


def test_few_samples_and_other_activations_say_nothing_of_dead_relus():
    assert find_dead_relus(0, {"a1": np.zeros((10, 19))}, ["relu"]) == []
    assert find_dead_relus(0, {"a1": np.zeros((10, 20))}, ["leaky_relu"]) == []


@pytest.mark.parametrize(
    ("activation", "flat", "steep"),
    [("sigmoid", 0.01, 0.02), ("sigmoid", 0.99, 0.98), ("tanh", 0.98, 0.97), ("tanh", -0.98, -0.97)],
)
def test_saturation_is_a_slope_below_a_twentieth(activation, flat, steep):
    # 4 · 0.01 · 0.99 = 0.04, 4 · 0.02 · 0.98 = 0.08; 1 - 0.98² = 0.04, 1 - 0.97² = 0.06
    names = [activation, "linear"]
    (warning,) = find_saturation(3, {"a1": np.full((4, 5), flat)}, names)
    assert (warning.kind, warning.layer) == ("saturated", 0)
    assert find_saturation(3, {"a1": np.full((4, 5), steep)}, names) == []
    mixed = np.full((4, 5), flat)
    mixed[0] = 0.5      # a quarter is not flat
    assert find_saturation(3, {"a1": mixed}, names) == []


def test_an_output_may_be_as_sure_as_it_likes():
    assert find_saturation(0, {"a1": np.ones((1, 5))}, ["sigmoid"]) == []


def test_gradients_vanish_below_a_ten_thousandth_and_explode_above_a_thousandfold():
    def of(lowest, middle, top):        # widths 1, 1, 1, 1: w b, w b, w b
        return find_lost_gradients(7, np.repeat([lowest, middle, top], 2).astype(float), [1, 1, 1, 1])

    assert of(1.1e-4, 1.0, 1.0) == of(900.0, 1.0, 1.0) == of(1.0, 1.0, 1.0) == []
    (warning,) = of(0.9e-4, 1.0, 1.0)
    assert (warning.kind, warning.step, warning.layer) == ("vanishing", 7, 0)
    (warning,) = of(1.0, 1100.0, 1.0)
    assert (warning.kind, warning.layer) == ("exploding", 1)
    (warning,) = of(1.0, 0.0, 1.0)
    assert (warning.kind, warning.layer) == ("vanishing", 1)
    assert of(0.0, 0.0, 0.0) == of(1e-20, 1e-12, 1e-11) == []
    assert of(np.nan, 1.0, 1.0) == []   # the loop's own business: it stops there


def test_a_step_twice_as_large_as_its_layer_is_violent():
    parameters, update = np.array([3.0, 4.0, 1.0, 0.0]), np.array([6.0, 7.9, 0.0, 2.1])
    (warning,) = find_violent_steps(2, update, parameters, [1, 1, 1])
    assert (warning.kind, warning.layer) == ("exploding", 1)
    assert find_violent_steps(2, 0 * update, 0 * parameters, [1, 1, 1]) == []
    # from nothing, as from weights of length 1 for each neuron: √4 here
    assert find_violent_steps(2, np.full(8, 1.4), np.zeros(8), [1, 4]) == []        # √(8 · 1.96) = 3.96
    assert len(find_violent_steps(2, np.full(8, 1.5), np.zeros(8), [1, 4])) == 1    # 4.24


def test_oscillation_needs_twenty_losses_that_move_much_and_get_nowhere():
    back_and_forth = [1.0, 0.8] * 10
    assert find_oscillation(0, back_and_forth[1:]) == []
    (warning,) = find_oscillation(20, back_and_forth)
    assert (warning.kind, warning.layer) == ("oscillating", None)
    assert "it moves by 22% an observation" in warning.evidence        # 0.2 of 0.9
    assert find_oscillation(0, np.linspace(1.0, 0.1, 20)) == []        # falls
    assert find_oscillation(0, [1.0, 0.95] * 10) == []                 # moves by a twentieth of itself
    assert find_oscillation(0, [10.0, *back_and_forth]) == []          # by a fiftieth of the first loss
    assert find_oscillation(0, np.linspace(2.0, 0.1, 20) + np.tile([0.05, -0.05], 10)) == []   # on its way


def test_overfitting_needs_a_validation_loss_that_has_turned_while_training_falls():
    falling = np.linspace(1.0, 0.1, 40)
    turning = np.abs(np.linspace(-1.0, 1.0, 40)) + 0.2
    (warning,) = find_overfitting(40, falling, turning)
    assert (warning.kind, warning.layer) == ("overfitting", None)
    assert find_overfitting(40, falling, falling + 0.1) == []           # no turn
    assert find_overfitting(40, falling[:28], turning[:28]) == []       # turned 9 observations ago
    assert find_overfitting(40, falling[::-1], turning) == []           # training does not fall
    assert find_overfitting(40, falling, 1 + 0.09 * turning) == []      # grows by less than a tenth
    assert find_overfitting(40, 10 * falling, turning) == []            # still below the training loss
    assert find_overfitting(4, falling[:4], turning[:4]) == []
    assert find_overfitting(40, falling, np.full(40, np.nan)) == []


# ---- the observer


def test_history_holds_losses_metrics_and_the_norms_of_each_layer():
    x, y = moons()
    net = network([2, 3, 1], "tanh")
    monitor = Monitor([2, 3, 1], ["tanh", "sigmoid"])
    loss, gradient = net.loss_and_gradient(net.parameters, x, y)
    monitor.observe(4, loss, gradient, -0.1 * gradient, net.parameters, accuracy=0.5)
    named = net.named_gradients(gradient)
    norms = [np.sqrt((named[f"dW{i}"] ** 2).sum() + (named[f"db{i}"] ** 2).sum()) for i in range(2)]
    history = monitor.history
    assert history.names == ["step", "loss", "gradient_norms", "update_norms", "accuracy"]
    assert history["step"].tolist() == [4]
    assert history["loss"].tolist() == [loss]
    np.testing.assert_allclose(history["gradient_norms"][0], norms, rtol=1e-14)
    np.testing.assert_allclose(history["update_norms"][0], np.multiply(norms, 0.1), rtol=1e-14)


def test_each_warning_is_said_once_for_a_layer():
    monitor = Monitor([1, 1, 1], ["sigmoid", "linear"])
    gradient, theta = np.array([0.0, 0.0, 1.0, 1.0]), np.ones(4)
    first = monitor.observe(0, 1.0, gradient, 0 * theta, theta)
    again = monitor.observe(1, 1.0, gradient, 0 * theta, theta)
    assert [(warning.kind, warning.layer) for warning in first] == [("vanishing", 0)]
    assert again == []
    assert monitor.warnings == first


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e200])
def test_numbers_that_are_not_finite_are_recorded_without_a_complaint_of_numpy_s(bad):
    monitor = Monitor([1, 1, 1], ["sigmoid", "linear"])
    vector, cache = np.full(4, bad), {name: np.full((1, 30), np.nan) for name in ("a1", "a2")}
    for step in range(30):
        monitor.observe(step, bad, vector, vector, vector, cache, validation_loss=bad)
    np.testing.assert_array_equal(monitor.history["loss"], np.full(30, bad))


def test_every_kind_of_warning_has_its_remedy_and_its_run():
    planted = {"dead_relus", "saturated", "vanishing", "exploding", "oscillating", "overfitting"}
    assert set(REMEDIES) == planted


def test_a_monitor_wants_one_activation_a_layer():
    with pytest.raises(ValueError, match=r"activations: expected 2, one a layer, got \['relu'\]"):
        Monitor([2, 3, 1], ["relu"])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"cache": {}}, "cache: expected the keys a1, a2; missing a1, a2"),
        ({"cache": 3}, "cache: expected a dict with the keys a1, a2"),
        ({"gradient": np.zeros(3)}, r"gradient: expected shape \(4,\), got \(3,\)"),
        ({"update": np.zeros((4, 1))}, r"update: expected shape \(4,\), got \(4, 1\)"),
        ({"parameters": 1.0}, r"parameters: expected shape \(4,\), got \(\)"),
    ],
)
def test_what_cannot_be_observed_is_refused_and_not_recorded(changed, message):
    monitor = Monitor([1, 1, 1], ["sigmoid", "linear"])
    observed = {"gradient": np.ones(4), "update": [0.0] * 4, "parameters": np.ones(4), **changed}
    with pytest.raises((TypeError, ValueError), match=message):
        monitor.observe(0, 1.0, **observed)
    assert len(monitor.history) == 0
