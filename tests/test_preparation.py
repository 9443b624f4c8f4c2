"""What inputs went through is saved with their network, read back, and never saved where it cannot be."""

import numpy as np
import pytest

import nn
from nn import Checkpoint, CheckpointError, Imputer, NeuralNetwork, Preparation, Scaler

X = np.array([[1.0, np.nan, 3.0, 8.0], [4.0, 5.0, 7.0, 2.0]])
IMPUTER = Imputer.fit(X, "mean", indicators=True)                   # gives a third feature
FILLED = IMPUTER.transform(X)
SCALER = Scaler.standard(FILLED)

PREPARATIONS = {
    "neither": (Preparation(), FILLED, 3),
    "an imputer": (Preparation(IMPUTER), X, 3),
    "a scaler": (Preparation(scaler=Scaler.min_max(X[1:])), X[1:], 1),
    "both": (Preparation(IMPUTER, SCALER), X, 3),
}


def test_missing_values_are_filled_and_then_all_features_scaled():
    # the mean of 1, 3 and 8 is 4
    filled = np.array([[1.0, 4.0, 3.0, 8.0], [4.0, 5.0, 7.0, 2.0], [0.0, 1.0, 0.0, 0.0]])
    expected = (filled - filled.mean(axis=1, keepdims=True)) / filled.std(axis=1, keepdims=True)
    np.testing.assert_allclose(Preparation(IMPUTER, SCALER).transform(X), expected, rtol=1e-14, atol=1e-15)


def test_without_an_imputer_nothing_may_be_missing():
    for preparation in (Preparation(), Preparation(scaler=Scaler.min_max(FILLED[:2]))):
        with pytest.raises(ValueError, match="x holds nan at row 0, column 1"):
            preparation.transform(X)


@pytest.mark.parametrize("name", PREPARATIONS)
@pytest.mark.parametrize("by", ["save", "training"])
def test_it_comes_back_with_the_network(name, by, tmp_path):
    preparation, x, inputs = PREPARATIONS[name]
    path, network = tmp_path / "model.npz", NeuralNetwork([inputs, 2, 1], "tanh")
    given = {"scaler": preparation.scaler, "imputer": preparation.imputer}
    if by == "save":
        network.save(path, **given)
    else:
        network.train(preparation.transform(x), np.ones((1, 4)), epochs=1, progress=False,
                      checkpoint=nn.Checkpoint(path, **given))  # fmt: skip
    back = nn.load_preparation(path)
    assert (back.imputer is None, back.scaler is None) == (given["imputer"] is None, given["scaler"] is None)
    expected = network.forward(preparation.transform(x))["a2"]
    np.testing.assert_array_equal(NeuralNetwork.load(path).forward(back.transform(x))["a2"], expected)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"scaler": IMPUTER}, TypeError, "scaler: expected an nn.Scaler or None, got Imputer"),
        ({"scaler": "x"}, TypeError, "scaler: expected an nn.Scaler or None, got str"),
        ({"imputer": SCALER}, TypeError, "imputer: expected an nn.Imputer or None, got Scaler"),
        ({"scaler": Scaler.standard(FILLED[:2]), "imputer": IMPUTER}, ValueError,
         "scaler: the imputer gives 3 features, and this scales 2; expected one made from"),
        ({"scaler": Scaler.standard(FILLED[:2])}, ValueError, "3 features, which the network takes, got 2"),
        ({"imputer": Imputer.fit(X, "mean")}, ValueError, "3 features, which the network takes, got 2"),
    ],
)  # fmt: skip
def test_what_could_not_be_loaded_is_not_saved_over_what_can_be(given, error, message, tmp_path):
    path, network = tmp_path / "model.npz", NeuralNetwork([3, 1])
    network.save(path)
    before = path.read_bytes()
    with pytest.raises(error, match=message):
        network.save(path, **given)
    if "the network takes" not in message:
        with pytest.raises(error, match=message):
            nn.Checkpoint(path, **given)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["model.npz"]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["parameters", "running_variance0"])
def test_a_network_that_could_not_be_loaded_is_not_saved_either(name, bad, tmp_path):
    path, network = tmp_path / "model.npz", NeuralNetwork([3, 2, 1], "tanh", batch_norm=True)
    network.save(path)
    before = path.read_bytes()
    network.state_arrays()[name][...] = bad
    with pytest.raises(ValueError, match=f"{name} holds {bad}"):
        network.save(path)
    assert path.read_bytes() == before


def test_a_generator_that_could_not_be_made_again_is_not_saved(tmp_path):
    class Mine(np.random.PCG64):
        pass

    path, network = tmp_path / "model.npz", NeuralNetwork([3, 1])
    network.save(path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"rng: expected one of 'PCG64', .*; got 'Mine'"):
        network.train(FILLED, np.ones((1, 4)), epochs=1, progress=False, checkpoint=path,
                      rng=np.random.Generator(Mine(0)))  # fmt: skip
    assert path.read_bytes() == before


def test_a_file_of_an_engine_alone_has_a_preparation_too(tmp_path):
    from nn import training
    from nn.settings import Settings

    path = tmp_path / "run.npz"
    settings = Settings(epochs=1, checkpoint=nn.Checkpoint(path, scaler=SCALER), progress=False)
    trainee = training.engine_alone(lambda theta, x, y: (1.0, theta), np.ones(2))
    training.train(trainee, SCALER.transform(FILLED), np.ones((1, 4)), settings)
    np.testing.assert_array_equal(nn.load_preparation(path).transform(FILLED), SCALER.transform(FILLED))


def test_what_is_no_path_is_refused_and_nothing_is_opened():
    network = NeuralNetwork([3, 1])
    for bad in (3, True, None, b"model.npz", 1.5):
        for call in (NeuralNetwork.load, nn.load_preparation, network.save, nn.Checkpoint):
            with pytest.raises(TypeError, match=r'expected text or a pathlib\.Path, such as "run\.npz", got'):
                call(bad)


def test_a_damaged_preparation_is_refused(tmp_path):
    path = tmp_path / "model.npz"
    NeuralNetwork([3, 1]).save(path, SCALER, IMPUTER)
    good = path.read_bytes()
    places = [good.index(array.tobytes()) for array in (SCALER.offset, SCALER.scale, IMPUTER.fill)]
    for place in places:
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(CheckpointError, match="corrupted"):
            nn.load_preparation(path)


def test_a_training_that_is_resumed_by_path_alone_keeps_what_was_saved(tmp_path):
    path, x = tmp_path / "r.npz", np.arange(8.0).reshape(2, 4)
    scaler = Scaler.standard(x)
    network = NeuralNetwork([2, 1], "linear")
    network.train(x, x[:1], epochs=1, checkpoint=Checkpoint(path, scaler=scaler), progress=False)
    network.train(x, x[:1], epochs=2, checkpoint=path, resume=True, progress=False)
    np.testing.assert_array_equal(nn.load_preparation(path).scaler.scale, scaler.scale)
