"""A network and its training come back from a file bit for bit, or are refused with a reason."""

import json
import warnings

import numpy as np
import pytest
from amounts import amount
from forging import OPTIONS, X, Y, drop, forge, put, set_array, swap

import nn
from nn import CheckpointError, NeuralNetwork, archives, checkpoints
from nn.checkpoints import Checkpoint


def network(seed=0, **options):
    return NeuralNetwork(
        [2, 5, 1], "tanh", output="sigmoid", loss="binary_cross_entropy", **options,
        rng=np.random.default_rng(seed),
    )  # fmt: skip


def train(net, seed=1, **options):
    return net.train(X, Y, **{**OPTIONS, "rng": np.random.default_rng(seed), **options})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.npz"


@pytest.fixture
def written(path):
    """A checkpoint with everything in it."""
    scaler = nn.Scaler.standard(X)
    train(network(), checkpoint=Checkpoint(path, scaler=scaler))
    return path


# Networks.


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"activation": "relu"},
        {"activation": "tanh", "output": "linear"},
        {"output": "softmax", "loss": "cross_entropy"},
        {"activation": ["gelu"], "output": "linear", "loss": "huber", "reduction": "sum"},
        {"activation": ["elu"], "l1": 0.1, "l2": 0.2, "dropout": 0.3, "dtype": np.float32},
        {"activation": "silu", "batch_norm": True, "dropout": [0.5]},
    ],
)
def test_a_network_comes_back_and_computes_the_same_bits(options, path):
    saved = NeuralNetwork([2, 4, 3], **options)
    saved.save(path)
    loaded = NeuralNetwork.load(path)
    assert repr(loaded) == repr(saved)
    assert loaded.architecture() == saved.architecture()
    for name, array in saved.forward(X).items():
        assert loaded.forward(X)[name].tobytes() == array.tobytes()


def test_a_scaler_comes_back_with_the_network(path):
    scaler = nn.Scaler.min_max(X)
    network().save(path, scaler)
    np.testing.assert_array_equal(nn.load_preparation(path).transform(X), scaler.transform(X))


def test_history_comes_back_with_the_network(path):
    net = network()
    history = train(net)
    net.save(path)
    loaded = NeuralNetwork.load(path).history
    assert loaded == history
    assert loaded.names == history.names
    for name in history.names:
        np.testing.assert_array_equal(loaded[name], history[name])


def test_a_checkpoint_loads_as_training_would_leave_the_network(path):
    net = network()
    train(net, checkpoint=path)
    loaded = NeuralNetwork.load(path)
    np.testing.assert_array_equal(loaded.parameters, net.parameters)
    assert (checkpoints.read(path).arrays["parameters"] != net.parameters).any()    # the last, not the best
    assert loaded.history == net.history


def test_a_class_of_ones_own_is_loaded_by_itself(path):
    class Mine(NeuralNetwork):
        pass

    Mine([2, 1]).save(path)
    assert type(Mine.load(path)) is Mine
    with pytest.raises(CheckpointError, match="it holds a 'Mine'; load it by that class, not by Neural"):
        NeuralNetwork.load(path)


def test_the_error_comes_back_from_pickle():
    import pickle

    error = CheckpointError("a.npz", "why")
    again = pickle.loads(pickle.dumps(error))
    assert (again.path, again.reason, str(again)) == ("a.npz", "why", "a.npz: why")


# Resuming.


@pytest.mark.parametrize("generator", ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"])
def test_a_training_that_is_resumed_ends_in_the_same_bits(generator, path):
    def bits():
        return np.random.Generator(getattr(np.random, generator)(5))

    whole, parted = network(), network()
    expected = train(whole, rng=bits())
    for epochs in (1, 4, 5, 12):
        history = train(parted, rng=bits(), epochs=epochs, checkpoint=path, resume=True)
        parted = network(seed=99)                   # nothing but the file is remembered
    train(parted, rng=bits(), checkpoint=path, resume=True)     # there is nothing left to do
    assert parted.parameters.tobytes() == whole.parameters.tobytes()
    assert history == expected
    for name in expected.names:
        np.testing.assert_array_equal(history[name], expected[name])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_dropout_batch_normalisation_and_weights_resume_too(dtype, path):
    def made(seed):
        return NeuralNetwork([2, 5, 5, 1], "tanh", output="sigmoid", loss="binary_cross_entropy", l2=0.01,
                             dropout=0.2, batch_norm=True, dtype=dtype, rng=np.random.default_rng(seed))

    options = {"sample_weights": np.linspace(0.5, 2.0, 30), "clip_norm": 1.0, "clip_value": 0.5}
    whole = made(0)
    train(whole, **options)
    for epochs in (3, 7, 12):
        parted = made(epochs)                       # nothing but the file is remembered
        if epochs == 3:
            parted.parameters = made(0).parameters
        train(parted, **options, epochs=epochs, checkpoint=path, resume=True)
    loaded = NeuralNetwork.load(path)
    for name, array in whole.state_arrays().items():
        assert array.dtype == dtype
        assert parted.state_arrays()[name].tobytes() == array.tobytes()
        assert loaded.state_arrays()[name].tobytes() == array.tobytes()
    assert (whole.running_mean[0] != 0).all()


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov", "rmsprop", "adagrad", "adam", "adamw"])
def test_every_optimizer_resumes(optimizer, path):
    whole, parted = network(), network()
    options = {"optimizer": optimizer, "early_stopping": None}
    train(whole, **options)
    train(parted, **options, epochs=5, checkpoint=path)
    parted = network(seed=99)
    train(parted, **options, checkpoint=path, resume=True)
    assert parted.parameters.tobytes() == whole.parameters.tobytes()


def test_a_training_that_was_killed_within_an_epoch_repeats_that_epoch(path):
    class Killed(BaseException):
        pass

    def kill(epoch):
        if epoch.epoch == 7:
            raise Killed

    whole, parted = network(), network()
    expected = train(whole)
    with pytest.raises(Killed):
        train(parted, callbacks=[kill], checkpoint=Checkpoint(path, every=3))
    assert checkpoints.read(path).training.epoch == 6
    parted = network(seed=99)
    assert train(parted, checkpoint=Checkpoint(path, every=3), resume=True) == expected
    assert parted.parameters.tobytes() == whole.parameters.tobytes()


def test_early_stopping_resumed_stops_where_it_would_have(path):
    options = {"epochs": 300, "early_stopping": nn.EarlyStopping(patience=10), "learning_rate": 0.5,
               "reduce_on_plateau": None}  # fmt: skip
    whole, parted = network(), network()
    expected = train(whole, **options)
    assert 10 < len(expected) < 300
    train(parted, **{**options, "epochs": len(expected) - 2}, checkpoint=path)
    for _ in range(2):                              # the second finds a training that has ended
        parted = network(seed=99)
        assert train(parted, **options, checkpoint=path, resume=True) == expected
        assert parted.parameters.tobytes() == whole.parameters.tobytes()


def test_a_callback_s_end_is_remembered(path):
    def stop(epoch):
        raise nn.StopTraining

    train(network(), callbacks=[stop], checkpoint=path)
    assert len(train(network(), checkpoint=path, resume=True)) == 1


def test_a_warning_once_said_is_not_said_again_after_resuming(path):
    deep = {"layer_sizes": [2, *[16] * 10, 1], "activation": "sigmoid"}
    options = {"learning_rate": 0.1, "optimizer": "sgd", "early_stopping": None, "checkpoint": path}
    said = []
    for epochs in (2, 4):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            train(NeuralNetwork(**deep, rng=np.random.default_rng(0)), **options, epochs=epochs, resume=True)
        said += [str(warning.message) for warning in caught]
    assert len([text for text in said if "layer 0: the gradient vanishes" in text]) == 1


def test_an_engine_alone_resumes_too(path):
    from nn import training
    from nn.settings import Settings

    def parabola(theta, x, y):
        return float(theta @ theta), 2 * theta

    for epochs in (2, 5):
        theta = np.ones(3)
        settings = Settings(learning_rate=0.25, epochs=epochs, checkpoint=path, resume=True, progress=False)
        training.train(training.engine_alone(parabola, theta), [[0.0]], [[0.0]], settings)
    assert theta.tolist() == [0.5**5] * 3
    with pytest.raises(CheckpointError, match="it holds parameters of an engine alone, and no network"):
        NeuralNetwork.load(path)


def test_a_checkpoint_is_written_every_so_many_epochs_and_at_the_end(path, monkeypatch):
    epochs = []
    monkeypatch.setattr(archives, "write", lambda _, header, __: epochs.append(header["training"]["epoch"]))
    train(network(), checkpoint=Checkpoint(path, every=5), early_stopping=None)
    assert epochs == [5, 10, 12]


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"batch_size": 4}, ValueError, "batch_size was 8 and is 4"),
        ({"learning_rate": 0.1}, ValueError, "learning_rate was 0.05 and is 0.1"),
        ({"optimizer": nn.Adam(beta1=0.5)}, ValueError, "optimizer was Adam.* and is Adam.beta1=0.5"),
        ({"validation": 0.5}, ValueError, "validation was 0.3 and is 0.5"),
        ({"validation": (X, Y)}, ValueError, "validation was 0.3 and is 2×30:"),
        ({"clip_norm": 1.0}, ValueError, "clip_norm was None and is 1.0"),
        ({"metrics": None}, ValueError, r"metrics was \['accuracy'\] and is \[\]"),
        ({"sample_weights": np.ones(30)}, ValueError, "samples was 2×30:.* and is 2×30:.* 30:"),
        ({"early_stopping": nn.EarlyStopping(9)}, ValueError, "early_stopping was EarlyStopping.patience=20"),
        ({"rng": np.random.Generator(np.random.MT19937(0))}, ValueError, "of PCG64; got one of MT"),
        ({"checkpoint": None}, ValueError, "resume: expected a checkpoint to go on from"),
        ({"checkpoint": 3}, TypeError, "checkpoint: expected text or a pathlib.Path, .*got int 3"),
    ],
)
def test_another_training_is_not_resumed(written, changed, error, message):
    net = network()
    before = net.parameters.copy()
    with pytest.raises(error, match=message):
        train(net, **{"checkpoint": written, "resume": True, **changed})
    np.testing.assert_array_equal(net.parameters, before)


def test_other_data_or_another_network_are_not_resumed_with(written):
    options = {**OPTIONS, "checkpoint": written, "resume": True}
    with pytest.raises(ValueError, match=r"samples was .* and is"):
        network().train(X + 1e-12, Y, **options)
    with pytest.raises(ValueError, match="not of this network"):
        NeuralNetwork([2, 5, 1]).train(X, Y, **options)


def test_a_network_without_a_training_is_not_resumed(path):
    network().save(path)
    with pytest.raises(ValueError, match="holds a network, but no training to go on with"):
        train(network(), checkpoint=path, resume=True)


def test_without_a_file_to_resume_from_training_begins(path):
    fresh, resumed = network(), network()
    assert train(resumed, checkpoint=path, resume=True) == train(fresh)


# What was made to deceive: the checksum is right, and something in it is not.


FORGERIES = {
    "another format": (put("format", "?"), "no checkpoint of a network"),
    "no format": (drop("format"), "no checkpoint of a network"),
    "wrong version": (put("version", 2), "expected version 1, got 2"),
    "no version": (drop("version"), "expected version 1, got None"),
    "unknown key": (put("more", 1), "header: missing nothing, unknown more"),
    "no network": (drop("network"), "header: missing network"),
    "no architecture": (put("network", [1]), "expected its architecture"),
    "unknown training key": (put("training", "more", 1), "training: missing nothing, unknown more"),
    **{f"no {key}": (drop("training", key), f"training: missing {key}") for key in checkpoints.TRAINING},
    "training no object": (put("training", 3), "training: expected an object"),
    "settings no object": (put("training", "settings", 3), "settings: expected an object"),
    "unknown array": (set_array("more", np.zeros(1)), "arrays: missing nothing, unknown more"),
    "unknown training array": (set_array("training/more", np.zeros(1)), "unknown more"),
    "no parameters": (lambda h, a: a.pop("network/parameters"), "network"),
    "parameters of two axes": (set_array("network/parameters", np.zeros((1, 21))), "a vector of parameters"),
    "nan": (set_array("network/parameters", np.full(21, np.nan)), "parameters holds nan at index 0"),
    "no memory": (lambda h, a: a.pop("training/memory"), "missing memory"),
    "memory too short": (set_array("training/memory", np.zeros((2, 20))), "memory: expected float64 of"),
    "memory of one axis": (set_array("training/memory", np.zeros(21)), "memory: expected shape"),
    "best too short": (set_array("best/parameters", np.zeros(20)), "best parameters: expected float64 of sh"),
    "best in float32": (set_array("best/parameters", np.zeros(21, np.float32)), "got float32"),
    "inf in best": (set_array("best/parameters", np.full(21, np.inf)), "best parameters holds inf"),
    "unknown best": (set_array("best/more", np.zeros(21)), "best: expected parameters; got parameters, more"),
    "swapped keys": (swap("network/parameters", "history/loss"), r"loss \(21,\)"),
    "swapped arrays": (swap("network/parameters", "training/memory"), "memory: expected shape"),
    "history without steps": (lambda h, a: a.pop("history/step"), "arrays of one length, step among"),
    "history too short": (lambda h, a: a.update({k: a[k][:-1] for k in a if k.startswith("history/")}),
                          "history: expected 1 or more epochs, 12; got 11"),
    "history that goes back": (lambda h, a: a.update({"history/step": a["history/step"][::-1]}), "step: exp"),
    "scaler without scale": (lambda h, a: a.pop("scaler/scale"), "expected the arrays offset and scale"),
    "scaler of scale 0": (set_array("scaler/scale", np.zeros((2, 1))), "scale: expected numbers above 0"),
    "held out in disorder": (set_array("training/held_out", np.array([3, 1])), "held_out"),
    "held out below 0": (set_array("training/held_out", np.array([-1, 1])), "held_out"),
    "held out in floats": (set_array("training/held_out", np.array([1.0])), "held_out"),
    **{f"{key} {bad!r}": (put("training", key, bad), key.removeprefix("optimizer_"))
       for key in ("epoch", "steps", "optimizer_steps") for bad in (-1, 1.5, "3", None, True, [])},
    "ended 1": (put("training", "ended", 1), "ended: expected true or false"),
    "plateau of 3": (put("training", "plateau", [1.0, 2.0, 3]), "plateau: expected a list of 4 entries, got"),
    "plateau of text": (put("training", "plateau", ["a", 1.0, 0, 0]), "plateau's rate"),
    "plateau of nan": (put("training", "plateau", [0.1, float("nan"), 0, 0]), "plateau's best"),
    "stopping of 2": (put("training", "stopping", [1.0, 2]), "stopping: expected a list of 3 entries, got"),
    "stopping of text": (put("training", "stopping", ["1", 2, 3]), "the lowest loss"),
    "a warning of no kind": (put("training", "warnings", [["?", 1, 0, ""]]), "a warning's kind"),
    "a warning of 3": (put("training", "warnings", [["exploding", 1, 0]]), "a warning: expected a list of 4"),
    "warnings no list": (put("training", "warnings", 3), "warnings: expected a list of entries, got 3"),
    "no generator's state": (put("training", "generator", {"bit_generator": "PCG64"}), "no state of PCG64"),
    "a generator's name": (put("training", "generator", "bit_generator", "default_rng"), "generator: exp"),
    "a generator's module": (put("training", "generator", "bit_generator", "mtrand"), "generator: expected"),
    "a generator's state": (put("training", "generator", "state", {"state": -1, "inc": 3}), "no state"),
    "a generator's unknown key": (put("training", "generator", "more", 1), "no state of PCG64"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
def test_what_does_not_belong_in_a_checkpoint_is_refused(written, name):
    change, reason = FORGERIES[name]
    forge(written, change)
    for open_it in (checkpoints.read, NeuralNetwork.load):
        with pytest.raises(CheckpointError, match=reason):
            open_it(written)
    with pytest.raises(CheckpointError, match=reason):
        train(network(), checkpoint=written, resume=True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (put("network", "class", "Other"), "it holds a 'Other'"),
        (put("network", "layer_sizes", [2, 6, 1]), "too few"),
        (put("network", "layer_sizes", [2, 4, 1]), r"expected float64 of shape \(17,\), got float64"),
        (put("network", "layer_sizes", [10**9, 10**9, 10**9]), "too few"),
        (put("network", "layer_sizes", "21"), "layer_sizes"),
        (put("network", "layer_sizes", [2, 5.0, 1]), "layer_sizes"),
        (drop("network", "layer_sizes"), "layer_sizes"),
        (drop("network", "loss"), "missing keys"),
        (put("network", "loss", "swish"), "loss: expected one of"),
        (put("network", "activation", "swish"), "activation: expected one of"),
        (put("network", "output", "tanh"), "belongs to output"),
        (put("network", "rng", 3), "rng"),
        (put("network", "initialization", "zeros"), "initialization"),
        (put("network", "more", 3), "more"),
        (set_array("network/more", np.zeros(3)), "best: expected parameters, more"),
    ],
)
def test_an_architecture_that_cannot_be_is_refused(written, change, reason):
    forge(written, change)
    with pytest.raises(CheckpointError, match=reason):
        NeuralNetwork.load(written)


def test_held_out_samples_that_are_not_there_are_refused(written):
    forge(written, set_array("training/held_out", np.array([0, 30])))
    net = network()
    with pytest.raises(CheckpointError, match="held_out: expected 9 samples, 0 to 29; got 2, up to 30"):
        train(net, checkpoint=written, resume=True)


def test_settings_may_be_numpy_s_numbers(path):
    options = {
        "batch_size": np.int64(8), "learning_rate": np.float32(0.05), "clip_norm": np.float32(1.0),
        "clip_value": np.float64(0.5), "validation": np.float32(0.3), "monitor": np.True_,
    }  # fmt: skip
    whole, parted = network(), network()
    train(whole, **options)
    train(parted, **options, epochs=4, checkpoint=path)
    train(parted, **options, checkpoint=path, resume=True)
    assert parted.parameters.tobytes() == whole.parameters.tobytes()


def test_memory_of_another_optimizer_is_refused(written):
    forge(written, set_array("training/memory", np.zeros((1, 21))))
    with pytest.raises(CheckpointError, match=r"memory: expected shape \(2, 21\), got \(1, 21\)"):
        train(network(), checkpoint=written, resume=True)


# Damage.


def damaged(good, other, rng):
    """A checkpoint's bytes after one of the accidents that befall files; never the same bytes."""
    kind = rng.integers(8)
    place = int(rng.integers(len(good)))
    if kind == 0:
        bad = bytearray(good)
        for _ in range(int(rng.integers(1, 4))):
            spot = int(rng.integers(len(good)))
            bad[spot] ^= 1 << int(rng.integers(8))
        return bytes(bad)
    if kind == 1:
        return good[:place]
    if kind == 2:
        return good[:place] + rng.bytes(int(rng.integers(1, 64))) + good[place:]
    if kind == 3:
        return good + rng.bytes(int(rng.integers(1, 64)))
    if kind == 4:                                   # a block of it lost, as a disk loses one
        length = int(rng.integers(1, 512))
        return good[:place] + bytes(length) + good[place + length :]
    if kind == 5:                                   # the end of another version of the file
        return good[:place] + other[place:]
    if kind == 6:                                   # two stretches change places
        first, second, third = np.sort(rng.integers(len(good), size=3)).tolist()
        return good[:first] + good[second:third] + good[first:second] + good[third:]
    return rng.bytes(place)


def test_a_damaged_checkpoint_is_refused_whatever_happened_to_it(written, path):
    good = written.read_bytes()
    train(network(), checkpoint=Checkpoint(path, scaler=nn.Scaler.standard(X)), seed=2)
    other, rng, refused = path.read_bytes(), np.random.default_rng(0), 0
    assert len(other) == len(good) or len(other) > 5000
    for _ in range(amount(suite=400, fuzz=10_000)):
        content = damaged(good, other, rng)
        if content in (good, other):                # an accident without consequence
            continue
        path.write_bytes(content)
        with pytest.raises(CheckpointError):
            NeuralNetwork.load(path)
        refused += 1
    assert refused > amount(suite=350, fuzz=9_000)


def test_the_header_is_text_that_people_can_read(written):
    with np.load(written, allow_pickle=False) as theirs:
        header = json.loads(theirs["header"].tobytes())
    assert header["network"]["layer_sizes"] == [2, 5, 1]
    assert header["training"]["settings"]["optimizer"] == "Adam(beta1=0.9, beta2=0.999, eps=1e-08)"
