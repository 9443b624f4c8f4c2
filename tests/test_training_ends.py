"""Where a training ends before its time: which numbers are left, and what the error says of them."""

import re

import numpy as np
import pytest

from nn import EarlyStopping, NeuralNetwork, ScalarEngine, training
from nn.settings import Settings

ONE = np.ones((1, 1))


def counting(losses, validation):
    """An engine whose θ counts its steps, with these losses before the steps and in validation."""
    waiting, validated = iter(losses), iter(validation)
    trainee = training.engine_alone(lambda theta, x, y: (next(waiting), -np.ones(1)), np.zeros(1))
    trainee.network.evaluate = lambda x, y: next(validated)
    return trainee


def trained(trainee, **options):
    chosen = {"learning_rate": 1.0, "progress": False, "validation": (ONE, ONE), **options}
    return training.train(trainee, ONE, ONE, Settings(**chosen))


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(2, 40)), (rng.random((1, 40)) > 0.5).astype(float)


# Early stopping.


def interrupt(epoch):
    if epoch.epoch == 3:
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("losses", "callbacks", "error"),
    [
        ([1.0] * 9, [interrupt], KeyboardInterrupt),
        ([1.0, 1.0, 1.0, np.nan], [], FloatingPointError),
    ],
    ids=["Ctrl-C", "a loss of nan"],
)
def test_the_best_parameters_are_restored_whatever_ends_the_training(losses, callbacks, error):
    trainee = counting(losses, [5.0, 4.0, 6.0, 7.0])        # lowest after epoch 1, which took the second step
    with pytest.raises(error) as caught:
        trained(trainee, callbacks=callbacks, early_stopping=EarlyStopping(9))
    assert trainee.parameters.tolist() == [2.0]
    assert trainee.network.history["validation_loss"].tolist()[:3] == [5.0, 4.0, 6.0]
    if error is FloatingPointError:
        assert "The parameters are those of epoch 1, the best in validation." in str(caught.value)


def test_the_best_epoch_s_running_statistics_are_restored_with_its_parameters(data):
    x, y = data
    kept = {}

    def keep(epoch):
        kept[epoch.epoch] = {name: array.copy() for name, array in network.state_arrays().items()}

    network = NeuralNetwork(
        [2, 6, 1], "tanh", output="sigmoid", loss="binary_cross_entropy", batch_norm=True,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    history = network.train(
        x[:, :25], y[:, :25], epochs=60, validation=(x[:, 25:], y[:, 25:]), progress=False, callbacks=[keep],
        early_stopping=EarlyStopping(5),
    )  # fmt: skip
    best = int(np.argmin(history["validation_loss"]))
    assert best < len(history) - 1
    assert (kept[best]["running_variance0"] != kept[len(history) - 1]["running_variance0"]).any()
    for name, array in network.state_arrays().items():
        np.testing.assert_array_equal(array, kept[best][name])


# Numbers that are not finite.


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_validation_loss_that_is_not_finite_goes_back_to_the_last_good_parameters(bad):
    trainee = counting([1.0, 2.0, 3.0], [1.0, bad])
    message = "step 2, epoch 1: nan or inf in the validation loss, .* are the last at which loss and gradient"
    with pytest.raises(FloatingPointError, match=message):
        trained(trainee)
    assert trainee.parameters.tolist() == [1.0]             # where the loss was 2
    assert trainee.network.history == [1.0]


def test_a_step_that_is_finite_but_absurd_is_taken_back(data):
    network = NeuralNetwork([2, 3, 1], "linear", rng=np.random.default_rng(0))
    before = network.parameters.copy()
    with pytest.raises(FloatingPointError, match=r"at step 1.*are the last at which loss and gradient"):
        network.train(*data, learning_rate=1e200, epochs=5, progress=False)
    np.testing.assert_array_equal(network.parameters, before)
    assert np.isfinite(network.evaluate(*data))


def test_parameters_that_no_step_has_moved_are_said_to_be_as_they_were(data):
    network = NeuralNetwork([2, 3, 1], "linear")
    network.parameters = np.full(13, 1e200)
    with pytest.raises(FloatingPointError, match=r"at step 0.*are as they were: no step was taken"):
        network.train(*data, epochs=5, progress=False)
    assert (network.parameters == 1e200).all()


def test_losses_too_large_to_be_added_up_end_the_training():
    trainee = training.engine_alone(lambda theta, x, y: (1e308, -np.ones(1)), np.zeros(1))
    four = np.ones((1, 4))
    with pytest.raises(FloatingPointError, match="nan or inf in the mean of the losses"):
        training.train(trainee, four, four, Settings(learning_rate=1.0, batch_size=2, progress=False))
    assert trainee.parameters.tolist() == [1.0]             # before the second and last step


def test_an_interrupt_between_a_step_and_its_check_leaves_finite_parameters(monkeypatch):
    def interrupted(numbers):
        if np.isfinite(numbers).all():
            return True
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "all_finite", interrupted)
    trainee = training.engine_alone(lambda theta, x, y: (1.0, np.full(1, -1e308)), np.zeros(1))
    with pytest.raises(KeyboardInterrupt):
        trained(trainee, learning_rate=1.0, validation=None)
    assert trainee.parameters.tolist() == [1e308]           # twice that would be inf


class LossOfInfinity:
    """The scalar engine's gradient, with a loss of inf."""

    def __init__(self, model):
        self.engine = ScalarEngine(model)

    def loss_and_gradient(self, parameters, x, y):
        return np.inf, self.engine.loss_and_gradient(parameters, x, y)[1]


def test_running_statistics_take_in_nothing_from_a_step_that_is_not_taken(data):
    network = NeuralNetwork([2, 3, 1], "tanh", batch_norm=True)
    before = {name: array.copy() for name, array in network.state_arrays().items()}
    with pytest.raises(FloatingPointError, match=re.escape("in the gradient of the loss inf")):
        network.train(*data, engine=LossOfInfinity(network.to_mlp()), epochs=1, progress=False)
    for name, array in network.state_arrays().items():
        np.testing.assert_array_equal(array, before[name])


# What no step looks at, and no file may hold.


def test_squares_that_overflow_end_a_training_that_is_to_be_saved(tmp_path):
    """Of a gradient of 1e200 Adam remembers 1e400; its step is 0, and every later one."""
    trainee = training.engine_alone(lambda theta, x, y: (1.0, np.full(1, 1e200)), np.zeros(1))
    path = tmp_path / "run.npz"
    with pytest.raises(FloatingPointError, match="nan or inf in what the optimizer remembers"):
        trained(trainee, optimizer="adam", validation=None, epochs=3, checkpoint=path)
    assert not path.exists()


def test_running_statistics_that_overflow_end_a_training_that_is_to_be_saved(data, tmp_path):
    network, path = NeuralNetwork([2, 3, 1], "tanh", batch_norm=True), tmp_path / "run.npz"
    with pytest.raises(FloatingPointError, match="nan or inf in running_variance0"):
        network.train(1e170 * data[0], data[1], epochs=3, checkpoint=path, progress=False)
    assert np.isfinite(network.parameters).all()
    assert not path.exists()
