"""Checkpoints with a right checksum, and numbers that no training can have left: each is refused by name."""

import copy
import warnings

import numpy as np
import pytest
from amounts import amount
from forging import OPTIONS, X, Y, forge, put, set_array

import nn
from nn import CheckpointError, NeuralNetwork, archives
from nn.checkpoints import Checkpoint


def network():
    return NeuralNetwork([2, 5, 1], "tanh", output="sigmoid", loss="binary_cross_entropy", batch_norm=True,
                         rng=np.random.default_rng(0))  # fmt: skip


def train(net, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)            # what its monitor says
        return net.train(X, Y, **{**OPTIONS, "rng": np.random.default_rng(1), **options})


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    path = tmp_path_factory.mktemp("good") / "run.npz"
    imputer = nn.Imputer.fit(X, "mean")
    train(network(), checkpoint=Checkpoint(path, scaler=nn.Scaler.standard(X), imputer=imputer))
    return path.read_bytes()


@pytest.fixture
def written(good, tmp_path):
    path = tmp_path / "run.npz"
    path.write_bytes(good)
    return path


def at(name, place, number):
    """A change of one number in an array."""

    def change(header, arrays):
        arrays[name] = arrays[name].copy()
        arrays[name][place] = number

    return change


def without(*names):
    def change(header, arrays):
        for name in names:
            del arrays[name]

    return change


def both(*changes):
    def change(header, arrays):
        for one in changes:
            one(header, arrays)

    return change


BEST = ("best/parameters", "best/running_mean0", "best/running_variance0")

WHEREVER_IT_IS_READ = {
    "a variance below 0": (at("network/running_variance0", 0, -1e-9), "running_variance0: expected no varia"),
    "a best variance below 0": (at("best/running_variance0", 0, -1.0), "best running_variance0: expected no"),
    "nan remembered": (at("training/memory", (0, 3), np.nan), "memory holds nan at row 0, column 3"),
    "inf remembered": (at("training/memory", (1, 0), np.inf), "memory holds inf at row 1, column 0"),
    "memory of another type": (set_array("training/memory", np.zeros((2, 31), np.float32)), "memory: expect"),
    "optimizer_steps": (put("training", "optimizer_steps", 35), "optimizer_steps: expected 36, got 35"),
    "optimizer_steps 0": (put("training", "optimizer_steps", 0), "optimizer_steps: expected 36, got 0"),
    "many optimizer_steps": (put("training", "optimizer_steps", 10**400), "optimizer_steps: .* below 2.*63"),
    "steps 0": (put("training", "steps", 0), "steps: expected 36 as in the history, got 0"),
    "many steps": (put("training", "steps", 2**63), "steps: expected a whole number below 2"),
    "a rate of 1e300": (put("training", "plateau", 0, 1e300), "plateau's rate: expected 0 to .*; got 1e.300"),
    "a rate below 0": (put("training", "plateau", 0, -0.1), "plateau's rate: expected 0 to"),
    "a rate of inf": (put("training", "plateau", 0, float("inf")), "plateau's rate: expected a finite numbe"),
    "plateau's best": (put("training", "plateau", 1, 0.0), "plateau's best: expected a loss of the history"),
    "plateau's wait": (put("training", "plateau", 2, 12), "plateau's wait: expected below 12 epochs, got 12"),
    "plateau's rest": (put("training", "plateau", 3, 2**64), "plateau's rest: expected a whole number below"),
    "stopping's best": (put("training", "stopping", 0, 0.0), "stopping: expected StoppingState"),
    "stopping's epoch": (put("training", "stopping", 1, 12), "stopping: expected StoppingState"),
    "stopping's wait": (put("training", "stopping", 2, 4), "stopping: expected StoppingState"),
    "no best epoch": (put("training", "stopping", [float("inf"), -1, 12]), "lowest loss: expected a finite"),
    "no best arrays": (without(*BEST), "best: expected parameters, running_mean0, running_variance0; got no"),
    "a best array less": (without(BEST[1]), "best: expected .*; got parameters, running_variance0"),
    "best without stopping": (put("training", "stopping", None), "best: expected none without early stoppin"),
    "nothing held out": (without("training/held_out"), "held_out: expected samples for a share alone"),
    "held out of no share": (put("training", "settings", "validation", None), "held_out: expected samples f"),
    "far held out": (set_array("training/held_out", np.array([-(2**63), 2**63 - 1])), "held_out: expected"),
    "a loss of nan": (at("history/loss", 3, np.nan), "history's loss holds nan at index 3"),
    "all losses nan": (set_array("history/loss", np.full(12, np.nan)), "history's loss holds nan at index 0"),
    "a validation loss of inf": (at("history/validation_loss", 0, np.inf), "history's validation_loss holds"),
    "a rate of nan in the history": (at("history/learning_rate", 1, np.nan), "history's learning_rate holds"),
    "a rate below 0 in the history": (at("history/learning_rate", 1, -1.0), "expected no rate below 0, got"),
    "no rates": (without("history/learning_rate"), "history: expected the learning_rate, got step, loss"),
    "no losses": (without("history/loss"), "history: expected the loss, got step"),
    "losses that are vectors": (set_array("history/loss", np.ones((12, 2))), r"as loss, got \(12, 2\)"),
    "norms of another width": (set_array("history/gradient_norms", np.ones((12, 3))), "number a layer as gr"),
    "a norm below 0": (at("history/update_norms", (0, 0), -1.0), "expected update_norms of at least 0"),
    "a norm of nan": (at("history/update_norms", (0, 0), np.nan), "expected update_norms of at least 0"),
    "a step and a half": (at("history/step", 0, 1.5), "step: expected a whole number, got float 1.5"),
    "no epoch": (both(put("training", "epoch", 0), without(
        *[f"history/{name}" for name in ("step", "loss", "learning_rate", "validation_loss", "accuracy",
                                         "validation_accuracy", "gradient_norms", "update_norms")])),
        "history: expected 1 or more epochs"),
    "a warning of a step that was not": (put("training", "warnings", [["exploding", 37, 0, ""]]), "a warnin"),
    "a warning of a layer that is not": (put("training", "warnings", [["exploding", 36, 2, ""]]), "a warnin"),
    "a warning's evidence": (put("training", "warnings", [["exploding", 36, 1, 3]]), "evidence: expected te"),
    "version true": (put("version", True), "expected version 1, got True"),
    "a fill of nan": (at("imputer/fill", 0, np.nan), "fill holds nan at row 0"),
    "half an indicator": (at("imputer/indicated", 0, 0.5), "indicated of 0 and 1"),
    "an imputer without fill": (without("imputer/fill"), "expected the arrays fill and indicated"),
    "an imputer of 1 feature": (both(set_array("imputer/fill", np.ones((1, 1))),
                                     set_array("imputer/indicated", np.zeros(1))), "imputer gives 1 feature"),
    "a scaler of nan": (at("scaler/offset", 0, np.nan), "offset holds nan"),
    "a scaler of 3 features": (both(set_array("scaler/offset", np.ones((3, 1))),
                                    set_array("scaler/scale", np.ones((3, 1))), without(
        "imputer/fill", "imputer/indicated")), "expected 2 features, which the network takes, got 3"),
}  # fmt: skip


@pytest.mark.parametrize("name", WHEREVER_IT_IS_READ)
def test_numbers_that_no_training_leaves_are_refused_wherever_they_are_read(written, name):
    change, reason = WHEREVER_IT_IS_READ[name]
    forge(written, change)
    net = network()
    before = net.parameters.copy()
    for read in (NeuralNetwork.load, nn.load_preparation, lambda p: train(net, checkpoint=p, resume=True)):
        with pytest.raises(CheckpointError, match=reason):
            read(written)
    np.testing.assert_array_equal(net.parameters, before)


def another_best(header, arrays):
    """An epoch that was not the best, with all that follows from it."""
    losses = arrays["history/validation_loss"]
    epoch = int(np.argmax(losses))
    header["training"]["stopping"] = [float(losses[epoch]), epoch, 11 - epoch]


def held_out(count):
    return set_array("training/held_out", np.arange(count))


WHERE_IT_GOES_ON = {
    "a plateau that waited less": (put("training", "plateau", 2, 7), "reduce_on_plateau: expected PlateauSt"),
    "a plateau that rests": (put("training", "plateau", 3, 1), "reduce_on_plateau: expected PlateauState"),
    "a smaller rate": (put("training", "plateau", 0, 1e-9), "reduce_on_plateau: expected PlateauState.rate="),
    "no plateau": (put("training", "plateau", None), "reduce_on_plateau: expected PlateauState.*got None"),
    "another best epoch": (another_best, "early_stopping: expected StoppingState"),
    "no stopping": (both(put("training", "stopping", None), without(*BEST)),
                    "early_stopping: expected StoppingState.*got None"),
    "too few held out": (held_out(8), "held_out: expected 9 samples, 0 to 29; got 8, up to 7"),
    "all held out": (held_out(30), "held_out: expected 9 samples, 0 to 29; got 30, up to 29"),
    "none held out": (held_out(0), "held_out: expected 9 samples, 0 to 29; got 0, up to -1"),
    "held out beyond": (set_array("training/held_out", np.arange(22, 31)), "held_out: .*; got 9, up to 30"),
    "a sum of squares below 0": (at("training/memory", (1, 0), -1.0), "memory: expected sums of squares of"),
    "a metric less": (without("history/accuracy"), "history: expected accuracy, .*; got step"),
    "a metric more": (set_array("history/f1", np.ones(12)), "history: expected accuracy, .*; got .*f1"),
    "an array called self": (set_array("history/self", np.ones(12)), "history: expected accuracy, .*; got"),
}  # fmt: skip


@pytest.mark.parametrize("name", WHERE_IT_GOES_ON)
def test_numbers_that_this_training_cannot_have_left_are_refused_where_it_goes_on(written, name):
    change, reason = WHERE_IT_GOES_ON[name]
    forge(written, change)
    net = network()
    before = {key: array.copy() for key, array in net.state_arrays().items()}
    rng = np.random.default_rng(1)
    state = rng.bit_generator.state
    with pytest.raises(CheckpointError, match=reason):
        train(net, checkpoint=written, resume=True, rng=rng)
    assert rng.bit_generator.state == state
    for key, array in net.state_arrays().items():
        np.testing.assert_array_equal(array, before[key])


# Anything in the place of anything.

JUNK = [
    None, True, 0, -1, 3, 1.5, -1.5, 1e300, float("nan"), float("inf"), "", "x", "\ud800", [], [1], [[]],
    [1, 2, 3, 4], {}, {"a": 1}, 10**400, 2**63, "relu", [None], ["relu"],
]  # fmt: skip

BENT = [
    lambda a: a[:-1], lambda a: np.concatenate([a, a]), lambda a: a[None], lambda a: np.zeros(0),
    lambda a: np.float64(3.0), lambda a: a.astype(np.float32), lambda a: a.astype(np.int64), lambda a: -a - 1,
    lambda a: np.full_like(a, np.nan) if a.dtype.kind == "f" else a - 5, lambda a: np.zeros((0, 3)),
]  # fmt: skip


def places(document, place=()):
    """The way to everything in a document of dicts and lists."""
    items = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in items:
        yield (*place, key)
        if isinstance(value, dict | list):
            yield from places(value, (*place, key))


def test_whatever_stands_in_a_checkpoint_s_place_nothing_but_our_errors_comes_of_it(good, tmp_path):
    path = tmp_path / "run.npz"
    path.write_bytes(good)
    header, arrays = archives.read(path)
    changes = [put(*place, junk) for place in places(header) for junk in JUNK]
    changes += [set_array(name, np.asarray(bend(array))) for name, array in arrays.items() for bend in BENT]
    some = np.random.default_rng(0).permutation(len(changes))[: amount(suite=300, fuzz=10**6)]
    refused, others = 0, []
    for place in some:
        bad = copy.deepcopy(header), dict(arrays)
        changes[place](*bad)
        archives.write(path, *bad)
        for read in (NeuralNetwork.load, lambda p: train(network(), checkpoint=p, resume=True)):
            try:
                read(path)
            except CheckpointError as error:
                str(error).encode()                 # it can be printed
                refused += 1
            except ValueError as error:             # a setting, or the architecture, of another training
                others.append(str(error))
    assert refused > 0.8 * len(some)
    assert all(message.startswith(("resume: ", "rng: ")) for message in others)
