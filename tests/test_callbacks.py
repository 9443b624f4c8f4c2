"""What is seen after each epoch: validation, metrics, warnings, progress; and how a training ends early."""

import dataclasses
import io
import signal
import sys

import numpy as np
import pytest

import nn
from nn import NeuralNetwork, progress, training
from nn.early_stopping import EarlyStopping
from nn.settings import Settings

ONE = np.ones((1, 1))


def falling(losses):
    """An engine whose theta counts its steps, and a network in whose place the losses come one by one."""
    waiting = iter(losses)
    trainee = training.engine_alone(lambda theta, x, y: (1.0, -np.ones(1)), np.zeros(1))
    trainee.network.evaluate = lambda x, y: next(waiting)
    return trainee


def trained(trainee, **options):
    settings = {"learning_rate": 1.0, "epochs": 10, "progress": False, "validation": (ONE, ONE), **options}
    return training.train(trainee, ONE, ONE, Settings(**settings))


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(2, 40)), (rng.random((1, 40)) > 0.5).astype(float)


# Early stopping. An epoch is a step here, so that theta says after which epoch it was taken.


@pytest.mark.parametrize(
    ("patience", "losses", "epochs", "best"),
    [
        (1, [5.0, 4.0, 4.5], 3, 2.0),
        (2, [5.0, 4.0, 4.5, 4.0], 4, 2.0),                          # as good is no better
        (2, [5.0, 4.0, 4.5, 3.0, 6.0, 7.0], 6, 4.0),                # waiting begins anew
        (3, [9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.5], 10, 10.0),
        (5, [5.0, 6.0, 4.0, 7.0, 7.0, 7.0, 7.0, 7.0, 3.0, 8.0], 8, 3.0),
    ],
)
def test_early_stopping_ends_when_patience_does_and_restores_the_best(patience, losses, epochs, best):
    trainee = falling(losses)
    history = trained(trainee, early_stopping=EarlyStopping(patience))
    assert history["validation_loss"].tolist() == losses[:epochs]
    assert trainee.parameters.tolist() == [best]


def test_an_improvement_too_small_is_none():
    trainee = falling([5.0, 4.95, 4.8, 4.75])
    trained(trainee, early_stopping=EarlyStopping(patience=2, minimum_improvement=0.1), epochs=4)
    assert trainee.parameters.tolist() == [3.0]


def test_the_best_parameters_are_restored_where_the_epochs_run_out():
    trainee = falling([5.0, 4.0, 6.0])
    trained(trainee, early_stopping=EarlyStopping(patience=10), epochs=3)
    assert trainee.parameters.tolist() == [2.0]


@pytest.mark.parametrize("bad", [{"patience": 0}, {"minimum_improvement": -1.0}, {"patience": 1.5}])
def test_early_stopping_that_cannot_be_is_refused(bad):
    with pytest.raises((ValueError, TypeError), match=next(iter(bad))):
        EarlyStopping(**bad)


def test_a_real_training_keeps_the_parameters_of_its_lowest_validation_loss(data):
    x, y = data     # coin tosses: there is nothing to learn but noise
    network = NeuralNetwork([2, 30, 1], "tanh", output="sigmoid", loss="binary_cross_entropy",
                            rng=np.random.default_rng(0))  # fmt: skip
    held_out = x[:, 30:], y[:, 30:]
    history = network.train(
        x[:, :30], y[:, :30], epochs=500, progress=False,
        validation=held_out, early_stopping=EarlyStopping(20),
    )  # fmt: skip
    assert len(history) < 500
    lowest = history["validation_loss"].min()
    assert network.evaluate(*held_out) == lowest
    assert np.argmin(history["validation_loss"]) == len(history) - 21
    assert nn.compare_gradients(network, *held_out).ok


# Validation and metrics.


def test_a_share_is_set_apart_and_never_trained_with():
    seen = set()

    def engine(theta, x, y):
        seen.update(x[0].tolist())
        return 1.0, np.zeros(1)

    trainee, validated = training.engine_alone(engine, np.zeros(1)), []
    trainee.network.evaluate = lambda x, y: validated.append((x.copy(), y.copy())) or 0.5
    x = np.arange(10.0)[None]
    history = training.train(
        trainee, x, 2 * x, Settings(validation=0.25, batch_size=4, epochs=3, progress=False)
    )
    for held_x, held_y in validated:
        assert held_x.shape == (1, 3)               # a quarter of 10, rounded up
        np.testing.assert_array_equal(held_y, 2 * held_x)
    assert seen | set(validated[0][0][0].tolist()) == set(range(10))
    assert len(seen) == 7
    assert len(validated) == 3
    assert history["validation_loss"].tolist() == [0.5] * 3


def test_the_validation_loss_is_that_of_the_epochs_parameters(data):
    torch = pytest.importorskip("torch", reason="PyTorch is a peer")
    x, y = data
    network = NeuralNetwork([2, 3, 1], "tanh", output="sigmoid", loss="binary_cross_entropy")
    history = network.train(x, y, epochs=3, validation=data, progress=False)
    p = torch.tensor(network.forward(x)["a2"])
    expected = torch.nn.functional.binary_cross_entropy(p, torch.tensor(y)).item()
    assert history["validation_loss"][-1] == pytest.approx(expected, rel=1e-13)


def test_metrics_are_recorded_of_both_parts_and_agree_with_scikit_learn(data):
    sklearn_metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is a peer")
    x, y = data
    network = NeuralNetwork([2, 8, 1], "tanh", output="sigmoid", loss="binary_cross_entropy")
    history = network.train(
        x[:, :30], y[:, :30], epochs=20, progress=False,
        validation=(x[:, 30:], y[:, 30:]), metrics=["accuracy"],
    )  # fmt: skip
    for name, part in (("accuracy", slice(30)), ("validation_accuracy", slice(30, None))):
        predicted = (network.forward(x[:, part])["a2"][0] > 0.5).astype(int)
        assert history[name][-1] == sklearn_metrics.accuracy_score(y[0, part].astype(int), predicted)


def test_a_metric_of_ones_own_gets_targets_and_predictions(data):
    def largest_error(y_true, y_pred):
        return abs(y_true - y_pred).max()

    network = NeuralNetwork([2, 3, 1])
    history = network.train(*data, epochs=2, metrics={"largest": largest_error}, progress=False)
    assert history["largest"][-1] == abs(data[1] - network.forward(data[0])["a2"]).max()


def test_a_validation_loss_that_is_not_finite_stops_the_training():
    trainee = dataclasses.replace(falling([1.0, np.nan]), locate=lambda x, numbers: 3)
    with pytest.raises(FloatingPointError, match=r"step 2, epoch 1: .* in the validation loss, .*layer 3"):
        trained(trainee)


@pytest.mark.parametrize("options", [{"metrics": ["accuracy"]}, {"monitor": True}])
def test_an_engine_alone_has_no_activations_to_look_at(options):
    with pytest.raises(TypeError, match="expected to train a network"):
        trained(falling([]), **options)


# Callbacks.


def test_callbacks_are_told_of_each_epoch_in_turn():
    seen = []
    callbacks = [lambda e: seen.append(("first", e)), lambda e: seen.append(("second", e))]
    trained(falling([3.0, 2.0]), epochs=2, callbacks=callbacks)
    assert [(who, e.epoch, e.steps, e.loss) for who, e in seen] == [
        ("first", 0, 1, 1.0), ("second", 0, 1, 1.0), ("first", 1, 2, 1.0), ("second", 1, 2, 1.0),
    ]  # fmt: skip
    assert seen[-1][1].quantities == {"loss": 1.0, "learning_rate": 1.0, "validation_loss": 2.0}


def test_a_callback_ends_the_training_and_the_others_still_hear_of_the_epoch():
    def stop(epoch):
        if epoch.quantities["validation_loss"] < 2.5:
            raise nn.StopTraining

    seen = []
    history = trained(falling([3.0, 2.0, 1.0]), callbacks=[stop, seen.append])
    assert len(history) == len(seen) == 2


def test_an_error_in_a_callback_comes_through_and_the_history_stays(data):
    def broken(epoch):
        if epoch.epoch == 2:
            raise ZeroDivisionError("mine")

    network = NeuralNetwork([2, 3, 1])
    with pytest.raises(ZeroDivisionError, match="mine"):
        network.train(*data, callbacks=[broken], progress=False)
    assert len(network.history) == 3


@pytest.fixture
def ctrl_c_interrupts():
    """As in a terminal: a program in the background may have been started deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(("where", "finished"), [("callback", 3), ("engine", 2)])
def test_ctrl_c_leaves_a_usable_network_and_its_history(where, finished, data, ctrl_c_interrupts):
    steps = []

    class Interrupted:
        def loss_and_gradient(self, *arguments):
            steps.append(1)
            if where == "engine" and len(steps) == 11:              # the third of four batches, third epoch
                signal.raise_signal(signal.SIGINT)
            return twin.loss_and_gradient(*arguments)

    def interrupt(epoch):
        if where == "callback" and epoch.epoch == 2:
            signal.raise_signal(signal.SIGINT)

    network, twin = (NeuralNetwork([2, 3, 1], rng=np.random.default_rng(1)) for _ in range(2))
    options = {"batch_size": 12, "progress": False}
    with pytest.raises(KeyboardInterrupt):
        network.train(
            *data, rng=np.random.default_rng(2), engine=Interrupted(), callbacks=[interrupt], **options
        )
    expected = twin.train(*data, epochs=finished, rng=np.random.default_rng(2), **options)
    assert network.history == expected
    assert network.history["loss"].tolist() == expected
    if where == "callback":
        np.testing.assert_array_equal(network.parameters, twin.parameters)
    assert np.isfinite(network.train(*data, epochs=1, **options)).all()


# Monitors.


def test_a_warning_says_step_layer_and_remedy_and_points_at_the_call(data):
    network = NeuralNetwork([2, *[16] * 10, 1], "sigmoid", rng=np.random.default_rng(0))
    with pytest.warns(UserWarning, match="step 1, layer 0: the gradient vanish.*usual remedy") as caught:
        history = network.train(*data, learning_rate=0.1, epochs=2, monitor=True, progress=False)
    assert caught[0].filename == __file__
    assert len(caught) == 1                                         # said once
    assert history["gradient_norms"].shape == history["update_norms"].shape == (2, 11)


def test_monitored_norms_are_those_of_the_step_by_hand():
    # loss (w x + b - y)² at w = b = 0, x = 2, y = 1: gradient (-4, -2), a step of -0.1 times it
    network = NeuralNetwork([1, 1], "linear")
    network.parameters = [0.0, 0.0]
    history = network.train([[2.0]], [[1.0]], 0.1, 1, monitor=True, progress=False)
    np.testing.assert_allclose(history["gradient_norms"], [[20**0.5]], rtol=1e-15)
    np.testing.assert_allclose(history["update_norms"], [[0.1 * 20**0.5]], rtol=1e-15)


def test_monitoring_sees_weights_and_biases_where_there_is_batch_normalisation(data):
    options = {"epochs": 1, "learning_rate": 0.1, "monitor": True, "progress": False}
    network = NeuralNetwork([2, 3, 1], "tanh", batch_norm=True, rng=np.random.default_rng(0))
    named = network.named_gradients(network.loss_and_gradient(network.parameters, *data)[1])
    history = network.train(*data, **options)
    norms = [np.hypot(np.linalg.norm(named[f"dW{i}"]), np.linalg.norm(named[f"db{i}"])) for i in range(2)]
    np.testing.assert_allclose(history["gradient_norms"], [norms], rtol=1e-14)


def test_a_rest_too_small_for_batch_normalisation_is_refused_at_once(data):
    network = NeuralNetwork([2, 3, 1], batch_norm=True)
    with pytest.raises(ValueError, match="40 samples, 13 at a time, make a batch of 1; batch normalisation"):
        network.train(*data, batch_size=13, progress=False)
    assert network.history is None


def test_monitoring_changes_no_bit_of_the_training(data):
    plain, watched = (NeuralNetwork([2, 5, 1], rng=np.random.default_rng(1)) for _ in range(2))
    for network, monitor in ((plain, False), (watched, True)):
        network.train(*data, epochs=20, batch_size=7, rng=np.random.default_rng(2), monitor=monitor,
                      progress=False)  # fmt: skip
    np.testing.assert_array_equal(plain.parameters, watched.parameters)
    assert plain.history == watched.history


# Progress.


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_nothing_is_shown_where_output_is_piped(data, capsys):
    NeuralNetwork([2, 3, 1]).train(*data, epochs=3, progress=True)
    assert capsys.readouterr() == ("", "")


def test_a_bar_shows_losses_on_a_terminal(data, monkeypatch):
    pytest.importorskip("tqdm", reason="tqdm draws the bar")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    history = NeuralNetwork([2, 3, 1]).train(*data, epochs=3, progress=True, validation=data)
    last = terminal.getvalue().split("\r")[-1]
    assert "3/3" in last
    assert f"loss {history[-1]:.4g}, validation {history['validation_loss'][-1]:.4g}" in last


def test_without_tqdm_a_terminal_gets_a_line_that_counts(data, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(progress, "find_spec", lambda name: None)
    history = NeuralNetwork([2, 3, 1]).train(*data, epochs=3, progress=True)
    assert terminal.getvalue().split("\r")[-1] == f"epoch 3 of 3: loss {history[-1]:.4g} \n"


def test_no_progress_is_silence(data, capsys):
    NeuralNetwork([2, 3, 1]).train(*data, epochs=101, progress=False)
    assert capsys.readouterr() == ("", "")
