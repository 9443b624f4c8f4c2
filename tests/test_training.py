"""The loop over epochs and minibatches: what it computes, and how it stops."""

import dataclasses
import warnings

import numpy as np
import pytest

import nn
from nn import NeuralNetwork, training
from nn.batches import minibatches
from nn.settings import Settings

ONE = np.ones((1, 1))


def quiet(epoch, loss):
    pass


def parabola(theta, x, y):
    return float(theta[0] ** 2), 2 * theta


def trained(engine, theta, x, y, **options):
    """training.train of an engine alone, at rate ¼, with what a test does not care about filled in."""
    defaults = {"learning_rate": 0.25, "epochs": 3, "rng": np.random.default_rng(0), "progress": False}
    trainee = dataclasses.replace(training.engine_alone(engine, theta), locate=lambda x, numbers: 7)
    return training.train(trainee, x, y, Settings(**{**defaults, **options}))


# Minibatches.


def test_an_epoch_gives_every_sample_once_with_its_target():
    x = np.arange(20.0).reshape(2, 10)
    batches = list(minibatches(x, 100 + x[:1], 4, np.random.default_rng(0)))
    assert [x_batch.shape for x_batch, _ in batches] == [(2, 4), (2, 4), (2, 2)]
    assert sorted(np.concatenate([x_batch[0] for x_batch, _ in batches])) == x[0].tolist()
    for x_batch, y_batch in batches:
        np.testing.assert_array_equal(x_batch[1], x_batch[0] + 10)
        np.testing.assert_array_equal(y_batch, 100 + x_batch[:1])


def test_epochs_differ_in_order_and_equal_generators_do_not():
    x = np.arange(10.0)[None]

    def order(rng):
        return np.concatenate([x_batch[0] for x_batch, _ in minibatches(x, x, 3, rng)]).tolist()

    def orders(rng):
        return [order(rng), order(rng)]

    first, second = orders(np.random.default_rng(1)), orders(np.random.default_rng(1))
    assert first == second
    assert first[0] != first[1]


def test_no_batch_size_is_the_whole_in_order():
    x, y = np.zeros((2, 3)), np.zeros((1, 3))
    ((x_batch, y_batch),) = minibatches(x, y, None, np.random.default_rng(0))
    assert x_batch is x
    assert y_batch is y


# The loop, with engines a hand can follow.


def test_descent_on_a_parabola_by_hand():
    # loss θ², gradient 2θ: a step of ¼ halves θ; losses before the steps 1, ¼, 1/16
    theta = np.array([1.0])
    assert trained(parabola, theta, ONE, ONE) == [1.0, 0.25, 0.0625]
    assert theta.tolist() == [0.125]


def test_the_loss_of_an_epoch_is_the_mean_over_its_samples_not_its_batches():
    def mean_of_x(theta, x, y):
        return float(x.mean()), np.zeros(1)

    x = np.array([[0.0, 0.0, 9.0]])     # the mean over batches of 2 and 1 would be 4.5 or 2.25
    for seed in range(3):
        rng = np.random.default_rng(seed)
        history = trained(mean_of_x, np.zeros(1), x, x, epochs=1, batch_size=2, rng=rng)
        assert history == pytest.approx([3.0], rel=1e-15)


def test_on_epoch_gets_every_epoch_and_its_loss(capsys):
    seen = []
    trained(parabola, np.array([1.0]), ONE, ONE, on_epoch=lambda *args: seen.append(args))
    assert seen == [(0, 1.0), (1, 0.25), (2, 0.0625)]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["loss", "gradient", "step"])
def test_training_stops_before_a_step_that_is_not_finite(bad, where):
    calls = []

    def engine(theta, x, y):
        calls.append(theta.copy())
        if len(calls) < 6:
            return 1.0, np.ones(2)
        loss = bad if where == "loss" else 1.0
        gradient = np.array([1.0, {"gradient": bad, "step": 1e308}.get(where, 1.0)])
        return loss, gradient

    theta = np.array([0.0, -1.7e308 if where == "step" else 0.0])
    message = "training stopped at step 5, epoch 2: nan or inf in .*, first in layer 7. The parameters"
    with pytest.raises(FloatingPointError, match=message):
        trained(engine, theta, np.zeros((1, 4)), np.zeros((1, 4)), batch_size=2)
    assert np.isfinite(theta).all()
    # where loss and gradient were finite last: for a step too large, where it would have begun
    np.testing.assert_array_equal(theta, calls[-1 if where == "step" else -2])
    assert theta[0] == (-5 if where == "step" else -4) * 0.25


# What a step is made of.


def test_the_rate_of_a_schedule_is_that_of_the_step():
    # gradient 1 throughout: after steps at rates 1, ½, ¼, ⅛ from 0 stands -1.875
    theta = np.zeros(1)
    history = trained(
        lambda theta, x, y: (1.0, np.ones(1)),
        theta,
        np.zeros((1, 4)),
        np.zeros((1, 4)),
        learning_rate=nn.schedules.exponential(1.0, 0.5),
        epochs=2,
        batch_size=2,
    )
    assert theta.tolist() == [-1.875]
    assert history["learning_rate"].tolist() == [0.5, 0.125]        # of each epoch's last step
    assert history["step"].tolist() == [2, 4]


def test_clipping_by_value_comes_before_clipping_by_norm():
    # (30, -0.4) is cut to (0.3, -0.3·…): by value at 0.3 to (0.3, -0.3), then by norm at 0.3 to 0.3/√2 each
    theta = np.zeros(2)
    trained(
        lambda theta, x, y: (1.0, np.array([30.0, -0.4])),
        theta, ONE, ONE, learning_rate=1.0, epochs=1, clip_value=0.3, clip_norm=0.3,
    )  # fmt: skip
    np.testing.assert_allclose(theta, [-0.3 / 2**0.5, 0.3 / 2**0.5], rtol=1e-15)


def test_weights_reach_the_engine_with_their_samples_and_weigh_the_epochs_loss():
    def weighted_mean(theta, x, y, weights):
        assert weights.tolist() == (10 * x[0]).tolist()
        return float(weights @ x[0] / weights.sum()), np.zeros(1)

    x = np.array([[1.0, 2.0, 3.0]])     # Σ w x / Σ w = (10 + 40 + 90) / 60
    for seed in range(3):
        options = {"epochs": 1, "batch_size": 2, "rng": np.random.default_rng(seed)}
        history = trained(weighted_mean, np.zeros(1), x, x, sample_weights=[10.0, 20.0, 30.0], **options)
        assert history == pytest.approx([14 / 6], rel=1e-14)


def test_a_batch_whose_weights_are_all_0_takes_no_step():
    def engine(theta, x, y, weights):
        return float(weights @ x[0] / weights.sum()), np.ones(1)

    x, theta = np.arange(4.0)[None], np.zeros(1)
    history = trained(engine, theta, x, x, sample_weights=[0.0, 1.0, 0.0, 0.0], batch_size=1, epochs=1)
    assert history == [1.0]
    assert theta.tolist() == [-0.25]


def test_an_engine_alone_takes_labels_of_one_axis():
    seen = []
    trained(lambda theta, x, y: (seen.append(y.tolist()) or 1.0, theta), np.zeros(1), [[5.0, 6.0]], [0, 1])
    assert seen == [[0.0, 1.0]] * 3


# Beside PyTorch, over three epochs of shuffled batches of 8, 8 and 4 samples.

PEERS = {
    "sgd": (nn.SGD(), lambda torch, p: torch.optim.SGD(p, 0.05)),
    "momentum": (nn.Momentum(0.8), lambda torch, p: torch.optim.SGD(p, 0.05, momentum=0.8)),
    "adam": (nn.Adam(), lambda torch, p: torch.optim.Adam(p, 0.05)),
    "adamw": (nn.AdamW(weight_decay=0.1), lambda torch, p: torch.optim.AdamW(p, 0.05, weight_decay=0.1)),
}


def torch_twin(torch, network):
    """The same [2, 3, 1] tanh network with a linear output in PyTorch, in float64."""
    twin = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1)).double()
    with torch.no_grad():
        for layer, place in enumerate((0, 2)):
            twin[place].weight[:] = torch.tensor(network.weights[layer])
            twin[place].bias[:] = torch.tensor(network.biases[layer][:, 0])
    return twin


def torch_parameters(twin):
    """The twin's parameters in the network's order."""
    blocks = (np.hstack([twin[i].weight.detach(), twin[i].bias.detach()[:, None]]).ravel() for i in (0, 2))
    return np.concatenate(list(blocks))


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("clip_norm", [None, 0.5])
def test_minibatch_training_follows_pytorch(name, clip_norm, data):
    torch = pytest.importorskip("torch", reason="PyTorch is a peer")
    network = NeuralNetwork([2, 3, 1], "tanh", output="linear", rng=np.random.default_rng(1))
    twin = torch_twin(torch, network)
    optimizer, theirs = PEERS[name][0], PEERS[name][1](torch, twin.parameters())
    scheduler = torch.optim.lr_scheduler.ExponentialLR(theirs, 0.9)
    history = network.train(
        *data, learning_rate=nn.schedules.exponential(0.05, 0.9), epochs=3, batch_size=8,
        optimizer=optimizer, clip_norm=clip_norm, rng=np.random.default_rng(2), progress=False,
    )  # fmt: skip

    x, y = (torch.tensor(part.T) for part in data)
    rng, losses = np.random.default_rng(2), []
    for _ in range(3):
        order, total = rng.permutation(20), 0.0
        for batch in (order[:8], order[8:16], order[16:]):
            theirs.zero_grad()
            loss = torch.nn.functional.mse_loss(twin(x[batch]), y[batch])
            loss.backward()
            if clip_norm is not None:
                torch.nn.utils.clip_grad_norm_(twin.parameters(), clip_norm)
            theirs.step()
            scheduler.step()
            total += loss.item() * len(batch) / 20
        losses.append(total)
    # nine steps of sums in another order; clip_grad_norm_ divides by norm + 1e-6, off by up to 2e-6 at ½
    tolerance = 1e-10 if clip_norm is None else 1e-5
    np.testing.assert_allclose(history, losses, rtol=tolerance)
    np.testing.assert_allclose(network.parameters, torch_parameters(twin), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("kind", [nn.ScalarEngine, nn.LiftedEngine])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_network_guided_by_another_engine_has_the_loss_curve_of_its_own(kind, batch_norm, data):
    """100 steps over shuffled batches with dropout, weights and a penalty, by the same seeds."""
    options = {"l2": 0.01, "dropout": 0.25, "batch_norm": batch_norm}
    seeds = (np.random.default_rng(1) for _ in range(2))
    own, guided = (NeuralNetwork([2, 4, 1], "tanh", **options, rng=rng) for rng in seeds)
    engine = kind(guided.to_mlp(), guided.loss_name, penalties=guided.penalties)
    course = {"learning_rate": 0.05, "optimizer": "adam", "epochs": 50, "batch_size": 10, "progress": False,
              "validation": data, "sample_weights": np.linspace(0.5, 2.0, 20)}  # fmt: skip
    expected = own.train(*data, rng=np.random.default_rng(2), **course)
    history = guided.train(*data, rng=np.random.default_rng(2), engine=engine, **course)
    np.testing.assert_allclose(history, expected, rtol=1e-9)
    # by running statistics, where there are any: they have followed
    np.testing.assert_allclose(history["validation_loss"], expected["validation_loss"], rtol=1e-9)


def test_reduce_on_plateau_lowers_the_rate_as_pytorch_does(data):
    torch = pytest.importorskip("torch", reason="PyTorch is a peer")
    network = NeuralNetwork([2, 3, 1], "tanh", output="linear", rng=np.random.default_rng(1))
    twin = torch_twin(torch, network)
    theirs = torch.optim.SGD(twin.parameters(), 1.0)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, factor=0.5, patience=1)
    history = network.train(
        *data, 1.0, epochs=40, progress=False, reduce_on_plateau=nn.ReduceOnPlateau(factor=0.5, patience=1)
    )
    x, y = (torch.tensor(part.T) for part in data)
    rates, losses = [], []
    for _ in range(40):
        rates.append(theirs.param_groups[0]["lr"])
        theirs.zero_grad()
        loss = torch.nn.functional.mse_loss(twin(x), y)
        loss.backward()
        theirs.step()
        plateau.step(loss.item())
        losses.append(loss.item())
    assert history["learning_rate"].tolist() == rates
    assert len(set(rates)) > 2                                  # there were plateaus
    np.testing.assert_allclose(history, losses, rtol=1e-8)


# Training a network.


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(2, 20)), rng.normal(size=(1, 20))


def test_full_batch_training_is_the_tutorial_s_loop_bit_for_bit(data, capsys):
    ours, theirs = (NeuralNetwork([2, 3, 1], rng=np.random.default_rng(1)) for _ in range(2))
    history = ours.train(*data, learning_rate=0.1, epochs=201)
    printed, losses = [], []
    for epoch in range(201):
        cache = theirs.forward(data[0])
        losses.append(theirs.compute_loss(data[1], cache["a2"]))
        theirs.update_parameters(theirs.backward(*data, cache), 0.1)
        if epoch % 100 == 0:
            printed.append(f"Epoch {epoch}, Loss: {losses[-1]}\n")
    assert history == losses
    np.testing.assert_array_equal(ours.parameters, theirs.parameters)
    assert capsys.readouterr().out == "".join(printed)


def test_training_moves_the_parameters_in_place(data):
    network = NeuralNetwork([2, 3, 1])
    vector, window, before = network.parameters, network.weights[0], network.parameters.copy()
    network.train(*data, epochs=1, on_epoch=quiet)
    assert network.parameters is vector
    assert network.weights[0] is window
    assert (vector != before).any()


def test_one_batch_of_all_samples_is_full_batch_training_but_for_the_order(data):
    whole, batched = (NeuralNetwork([2, 3, 1], rng=np.random.default_rng(1)) for _ in range(2))
    expected = whole.train(*data, epochs=5, on_epoch=quiet)
    history = batched.train(*data, epochs=5, batch_size=1000, on_epoch=quiet)
    np.testing.assert_allclose(history, expected, rtol=1e-13)


def test_equal_generators_give_equal_training_and_the_global_one_is_left_alone(data):
    state = np.random.get_state()[1].copy()
    histories = []
    for _ in range(2):
        network, rng = NeuralNetwork([2, 3, 1], rng=np.random.default_rng(1)), np.random.default_rng(2)
        histories.append(network.train(*data, epochs=3, batch_size=7, rng=rng, on_epoch=quiet))
    assert histories[0] == histories[1]
    np.testing.assert_array_equal(np.random.get_state()[1], state)


def test_zero_epochs_do_nothing(data):
    network = NeuralNetwork([2, 3, 1])
    before = network.parameters.copy()
    assert network.train(*data, epochs=0) == []
    np.testing.assert_array_equal(network.parameters, before)


def test_a_learner_s_update_is_used_and_undone_where_it_is_not_finite(data):
    class Momentum(NeuralNetwork):
        velocity = 0.0

        def update_parameters(self, gradients, learning_rate):
            self.velocity += 1
            super().update_parameters(gradients, self.velocity * learning_rate)

        def leap(self, gradients, learning_rate):
            self.weights[0] -= np.inf

    plain, theirs = (kind([2, 3, 1], rng=np.random.default_rng(1)) for kind in (NeuralNetwork, Momentum))
    for step in range(1, 4):
        plain.train(*data, learning_rate=0.1 * step, epochs=1, on_epoch=quiet)
    theirs.train(*data, learning_rate=0.1, epochs=3, on_epoch=quiet)
    np.testing.assert_allclose(theirs.parameters, plain.parameters, rtol=1e-13)

    plain.train(*data, learning_rate=0.04, epochs=1, on_epoch=quiet)     # the tutorial's rate, 4 times
    theirs.train(*data, epochs=1, on_epoch=quiet)
    np.testing.assert_allclose(theirs.parameters, plain.parameters, rtol=1e-13)

    theirs.update_parameters = theirs.leap
    before = theirs.parameters.copy()
    with pytest.raises(FloatingPointError, match="nan or inf in the step to take, first in layer 0"):
        theirs.train(*data, epochs=1)
    np.testing.assert_array_equal(theirs.parameters, before)
    with pytest.raises(ValueError, match="by its own update_parameters; expected none, got"):
        theirs.train(*data, epochs=1, optimizer="adam")


@pytest.mark.parametrize(
    ("weights", "x", "y", "rate", "layer"),
    [
        ([[[1e200]], [[1.0]]], 1e200, 0.0, 0.1, 0),     # z1 = 1e400
        ([[[1.0]], [[1e200]]], 1e200, 0.0, 0.1, 1),     # z2 = 1e400
        ([[[1.0]], [[1.0]]], 1e200, 0.0, 0.1, 1),       # (p - y)² = 1e400, dW1 = 2 (p - y) a1 too
        ([[[1.0]], [[1e300]]], 1e-100, 0.0, 0.1, 0),    # p = 1e200, dW1 = 2e100, da1 = 2e500
        ([[[1.0]], [[1.0]]], 0.0, 1e200, 0.1, 1),       # only the loss: dW = 0, db = -2e200
        ([[[1.0]], [[1.0]]], 1e100, 0.0, 1e300, 1),     # every gradient is finite, no step is
    ],
)
def test_the_layer_that_overflowed_is_named(weights, x, y, rate, layer):
    network = NeuralNetwork([1, 1, 1], "linear")
    network.weights = weights
    before = network.parameters.copy()
    with pytest.raises(FloatingPointError, match=f"step 0, epoch 0: .* first in layer {layer}"):
        network.train([[x]], [[y]], learning_rate=rate, epochs=2)
    np.testing.assert_array_equal(network.parameters, before)


def test_diverging_training_keeps_the_last_finite_parameters(data):
    network = NeuralNetwork([2, 3, 1], "linear", rng=np.random.default_rng(1))
    with pytest.raises(FloatingPointError, match="training stopped at step"):
        network.train(*data, learning_rate=100.0, on_epoch=quiet)
    assert np.isfinite(network.parameters).all()
    assert np.abs(network.parameters).max() > 1e10


def test_callbacks_and_metrics_may_be_what_can_be_gone_through_once(data):
    seen, (x, y) = [], data
    history = NeuralNetwork([2, 3, 1]).train(
        x, y > 0, epochs=3, callbacks=(f for f in [seen.append]), metrics=(m for m in ["accuracy"]),
        progress=False,
    )
    assert [epoch.epoch for epoch in seen] == [0, 1, 2]
    assert history["accuracy"].shape == (3,)


def test_a_metric_s_name_alone_is_a_list_of_it(data, tmp_path):
    options, (x, y) = {"checkpoint": tmp_path / "run.npz", "resume": True, "progress": False}, data
    for epochs, metrics in enumerate(["accuracy", ["accuracy"], ("accuracy",)], start=1):
        history = NeuralNetwork([2, 3, 1]).train(x, y > 0, epochs=epochs, metrics=metrics, **options)
        assert history["accuracy"].shape == (epochs,)


@pytest.mark.parametrize("returned", ["good", None, [1.0], np.ones(3), np.ones((1, 1)), 1j])
def test_a_metric_that_gives_no_number_is_refused(data, returned):
    message = r"metrics: expected 'mine' to return a number, got "
    with pytest.raises(TypeError, match=message):
        NeuralNetwork([2, 3, 1]).train(*data, metrics={"mine": lambda t, p: returned}, progress=False)


@pytest.mark.parametrize("returned", [2, np.float32(2.0), np.array(2.0), np.int64(2)])
def test_a_metric_may_give_any_number(data, returned):
    options = {"epochs": 1, "metrics": {"mine": lambda t, p: returned}, "progress": False}
    assert NeuralNetwork([2, 3, 1]).train(*data, **options)["mine"].tolist() == [2.0]


@pytest.mark.parametrize("batch_size", [None, 6, 20])
def test_the_loss_of_an_epoch_is_the_sum_over_its_samples_where_the_network_s_is(data, batch_size):
    x, y = data
    network = NeuralNetwork([2, 3, 1], "tanh", output="linear", reduction="sum")
    expected = float(((network.forward(x)["a2"] - y) ** 2).sum())
    history = network.train(     # at a rate that moves nothing: all batches meet the same parameters
        x, y, 1e-300, 1, batch_size=batch_size, validation=(x, y), progress=False
    )
    np.testing.assert_allclose(history, [expected], rtol=1e-13)
    np.testing.assert_allclose(history["validation_loss"], history, rtol=1e-13)


def test_over_fitting_is_told_from_sums_as_it_is_from_means(data):
    """30 samples of noise to learn by heart, and 10 to validate: sums differ threefold by their number."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 40)), rng.normal(size=(1, 40))
    said = {}
    for reduction, rate in (("mean", 0.05), ("sum", 0.05)):
        network = NeuralNetwork([2, 40, 1], "tanh", output="linear", reduction=reduction,
                                rng=np.random.default_rng(1))  # fmt: skip
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            network.train(x[:, :30], y[:, :30], rate, 400, optimizer=nn.Adam(eps=1e-300), monitor=True,
                          validation=(x[:, 30:], y[:, 30:]), progress=False)  # fmt: skip
        said[reduction] = [str(one.message).split(":")[0] for one in caught if "overfits" in str(one.message)]
    assert said["sum"] == said["mean"]
    assert len(said["mean"]) == 1


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"learning_rate": 0}, ValueError, "learning_rate: expected a finite number above 0, got 0"),
        ({"learning_rate": -1.0}, ValueError, "learning_rate"),
        ({"learning_rate": float("nan")}, ValueError, "learning_rate"),
        ({"learning_rate": "fast"}, TypeError, "learning_rate: expected a real number, got str 'fast'"),
        ({"epochs": -1}, ValueError, "epochs: expected a whole number of at least 0, got -1"),
        ({"epochs": 1.5}, TypeError, "epochs: expected a whole number, got float 1.5"),
        ({"batch_size": 0}, ValueError, "batch_size: expected a whole number of at least 1, got 0"),
        ({"batch_size": 2.0}, TypeError, "batch_size: expected a whole number, got float 2.0"),
        ({"learning_rate": lambda: 0.1}, TypeError, r"learning_rate: expected a function of \(step\)"),
        ({"reduce_on_plateau": nn.ReduceOnPlateau(), "learning_rate": nn.schedules.constant(0.1)}, ValueError,
         "reduce_on_plateau: expected a number as learning_rate, got a schedule"),
        ({"optimizer": "newton"}, ValueError, "optimizer: expected one of 'sgd', .*; got 'newton'"),
        ({"early_stopping": 5, "validation": 0.5}, TypeError, "early_stopping: expected an nn.Early"),
        ({"reduce_on_plateau": 0.5}, TypeError, "expected an nn.ReduceOnPlateau, got float"),
        ({"clip_norm": 0.0}, ValueError, "clip_norm: expected a finite number above 0, got 0"),
        ({"clip_value": -1.0}, ValueError, "clip_value: expected a finite number above 0, got -1"),
        ({"validation": 1.0}, ValueError, "validation: expected a number above 0 and below 1, got 1"),
        ({"validation": ONE}, TypeError, "validation: expected a share, or the samples as a tuple"),
        ({"validation": (ONE, ONE)}, ValueError, r"x: expected shape \(2, N\)"),
        ({"early_stopping": nn.EarlyStopping()}, ValueError, "early_stopping: it looks at the validation"),
        ({"callbacks": print}, TypeError, "callbacks: expected a list of functions, got builtin_func"),
        ({"callbacks": (f for f in [3])}, TypeError, r"callbacks\[0\]: expected a function of .*, got int"),
        ({"metrics": nn.accuracy}, TypeError, r'expected names, \["accuracy"\], or functions .*got func'),
        ({"metrics": [nn.accuracy]}, TypeError, "metrics: expected names, .*got list"),
        ({"monitor": 1}, TypeError, "monitor: expected True or False, got 1"),
        ({"monitor": nn.Monitor([1, 1], ["linear"])}, TypeError, "monitor: expected True or False, got <"),
        ({"progress": "no"}, TypeError, "progress: expected True or False, got 'no'"),
        ({"resume": 1, "checkpoint": "x"}, TypeError, "resume: expected True or False, got 1"),
        ({"callbacks": [lambda: None]}, TypeError, r"callbacks\[0\]: expected a function of \(epoch\)"),
        ({"metrics": ["precision"]}, ValueError, "metrics: expected one of 'accuracy'; got 'precision'"),
        ({"metrics": {"loss": max}}, ValueError, "metrics: expected a name that .*, got 'loss'"),
        ({"sample_weights": np.ones(3)}, ValueError, r"sample_weights: expected shape \(20,\), got \(3,\)"),
        ({"sample_weights": np.zeros(20)}, ValueError, "sample_weights: expected some weight above 0"),
        ({"sample_weights": -np.ones(20)}, ValueError, "sample_weights holds -1.0 at index 0; expected"),
        ({"rng": 42}, TypeError, "rng: expected a numpy.random.Generator or None, got int"),
        ({"on_epoch": "x"}, TypeError, r"on_epoch: expected a function of \(epoch, loss\), got str 'x'"),
        ({"on_epoch": lambda loss: None}, TypeError, r"function of \(epoch, loss\), got one of \(loss\)"),
    ],
)
def test_training_that_cannot_be_is_refused(data, arguments, error, message):
    network = NeuralNetwork([2, 3, 1])
    before = network.parameters.copy()
    with pytest.raises(error, match=message):
        network.train(*data, **arguments)
    np.testing.assert_array_equal(network.parameters, before)


# Defaults: what happens where one names nothing, or half of it.


@pytest.mark.parametrize(
    ("named", "meant"),
    [
        ({}, {"optimizer": "adam", "learning_rate": 0.05}),
        ({"batch_size": 8}, {"optimizer": "adam", "learning_rate": 0.01}),
        ({"learning_rate": 0.3}, {"optimizer": "sgd"}),
        ({"optimizer": "rmsprop"}, {"learning_rate": 0.01}),
    ],
)
def test_what_is_not_named_has_its_documented_value(named, meant, data):
    networks = [NeuralNetwork([2, 3, 1], rng=np.random.default_rng(1)) for _ in range(2)]
    for network, options in zip(networks, (named, {**named, **meant}), strict=True):
        network.train(*data, epochs=5, rng=np.random.default_rng(2), progress=False, **options)
    np.testing.assert_array_equal(*(network.parameters for network in networks))


@pytest.mark.parametrize("seed", range(3))
def test_moons_are_told_apart_by_default(seed):
    rng = np.random.default_rng(seed)
    (x, labels), (x_new, labels_new) = (nn.toy_sets.moons(200, rng=rng) for _ in range(2))
    network = NeuralNetwork([2, 16, 1], rng=rng)
    network.train(x, labels[None], rng=rng, progress=False)
    assert nn.accuracy(labels_new[None], network.forward(x_new)["a2"]) > 0.97


XOR = np.array([[0, 0, 1, 1], [0, 1, 0, 1]]), np.array([[0, 1, 1, 0]])


def learns_xor(initialization, seed):
    network = NeuralNetwork(
        [2, 8, 1],
        "tanh",
        output="sigmoid",
        loss="binary_cross_entropy",
        initialization=initialization,
        rng=np.random.default_rng(seed),
    )
    history = network.train(*XOR, learning_rate=1.0, epochs=400, on_epoch=quiet)
    return history[-1] < 0.05 and ((network.forward(XOR[0])["a2"] > 0.5) == XOR[1]).all()


@pytest.mark.parametrize("seed", range(8))
def test_xor_is_learned_from_xavier_s_start(seed):
    assert learns_xor("xavier", seed)


@pytest.mark.parametrize("seed", range(4))
def test_xor_is_not_learned_from_the_tutorial_s_start(seed):
    assert not learns_xor("tutorial", seed)
