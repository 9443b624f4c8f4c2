"""An MLP of Values does what a NeuralNetwork does: the same numbers, from rows, with the same options."""

import numpy as np
import pytest

from nn import (
    MLP,
    CheckpointError,
    EarlyStopping,
    NeuralNetwork,
    Scaler,
    accuracy,
    load_preparation,
    toy_sets,
)
from nn.losses import binary_cross_entropy

XS = np.random.default_rng(0).normal(size=(24, 2))
LABELS = (XS[:, 0] * XS[:, 1] > 0).astype(int)


def model(outputs=1, output="sigmoid", **settings):
    return MLP(2, [5, 4, outputs], "tanh", output, rng=np.random.default_rng(1), **settings)


def numbers(mlp):
    statistics = [layer.norm.running_variance for layer in mlp.layers if layer.norm is not None]
    return np.array([p.data for p in mlp.parameters()]), np.array([v for row in statistics for v in row])


@pytest.mark.parametrize("engine", ["lifted", "scalar"])
@pytest.mark.parametrize("settings", [{}, {"batch_norm": True, "dropout": 0.2}], ids=["plain", "all"])
def test_it_trains_as_its_network_does(engine, settings):
    mlp = model(2, "softmax", **settings)
    network = NeuralNetwork.from_mlp(mlp, "cross_entropy", l2=0.01)
    options = {"batch_size": 8, "metrics": ["accuracy"], "progress": False, "optimizer": "momentum"}
    history = mlp.train(
        XS, LABELS, 0.02, 4, loss="cross_entropy", l2=0.01, engine=engine,
        validation=(XS[:6].tolist(), LABELS[:6].tolist()), rng=np.random.default_rng(2), **options,
    )  # fmt: skip
    expected = network.train(
        XS.T, LABELS, 0.02, 4, validation=(XS[:6].T, LABELS[:6]), rng=np.random.default_rng(2), **options
    )
    np.testing.assert_allclose(history, expected, rtol=1e-9)
    for name in ("validation_loss", "accuracy", "validation_accuracy"):
        np.testing.assert_allclose(history[name], expected[name], rtol=1e-9)
    for ours, theirs in zip(numbers(mlp), numbers(network.to_mlp()), strict=True):
        # a bias that normalisation takes away has a gradient of rounding alone, some 1e-17
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-13)
    assert mlp.history is history


@pytest.mark.parametrize("targets", [LABELS, LABELS[:, None], LABELS.tolist(), [[float(t)] for t in LABELS]])
def test_targets_of_one_output_come_in_any_form(targets):
    curve = model().train(XS, targets, epochs=3, loss="binary_cross_entropy", progress=False)
    same = NeuralNetwork.from_mlp(model(), "binary_cross_entropy").train(
        XS.T, LABELS[None], epochs=3, progress=False
    )
    np.testing.assert_allclose(curve, same, rtol=1e-9)
    assert curve[0] == pytest.approx(binary_cross_entropy(model()(XS), LABELS).data, rel=1e-12)


def test_its_losses_and_metrics_take_its_outputs():
    x, labels = toy_sets.moons(60, noise=0.1, rng=np.random.default_rng(0))
    mlp = MLP(2, [12, 1], "tanh", "sigmoid", rng=np.random.default_rng(1))
    mlp.train(x.T, labels, epochs=150, loss="binary_cross_entropy", progress=False)
    network = NeuralNetwork.from_mlp(mlp)
    share = accuracy(labels, network.forward(x)["a2"])
    assert share > 0.9
    assert accuracy(labels, mlp(x.T)) == share
    assert accuracy(labels[:, None], mlp(x.T)) == share
    classes = MLP(2, [4, 3], "tanh", "softmax", rng=np.random.default_rng(1))
    expected = accuracy(labels, NeuralNetwork.from_mlp(classes).forward(x)["a2"])
    assert 0 < expected < 1
    assert accuracy(labels, classes(x.T)) == expected
    assert accuracy(np.eye(3)[labels], classes(x.T)) == expected


def test_it_is_watched_and_weighed_as_its_network_is():
    weights = np.random.default_rng(3).random(24)
    options = {"sample_weights": weights, "monitor": True, "progress": False, "epochs": 3}
    mlp = model()
    network = NeuralNetwork.from_mlp(mlp, "binary_cross_entropy")
    watched = mlp.train(XS, LABELS, loss="binary_cross_entropy", **options)
    expected = network.train(XS.T, LABELS[None], **options)
    assert watched.names == expected.names
    for name in ("loss", "gradient_norms", "update_norms"):
        np.testing.assert_allclose(watched[name], expected[name], rtol=1e-9)


def interrupt(epoch):
    if epoch.epoch == 2:
        raise KeyboardInterrupt


def test_what_it_has_learnt_survives_ctrl_c():
    mlp, twin = model(), model()
    with pytest.raises(KeyboardInterrupt):
        mlp.train(XS, LABELS, epochs=9, callbacks=[interrupt], progress=False)
    expected = twin.train(XS, LABELS, epochs=3, progress=False)
    assert list(mlp.history) == list(expected)
    np.testing.assert_array_equal(numbers(mlp)[0], numbers(twin)[0])


def test_what_it_has_learnt_survives_a_step_that_is_not_finite():
    mlp = MLP(2, [1], "linear")
    with pytest.raises(FloatingPointError):
        mlp.train(XS, 1e200 * XS[:, 0], learning_rate=1e200, epochs=9, progress=False)
    assert np.isfinite(numbers(mlp)[0]).all()
    before = numbers(mlp)[0]
    with pytest.raises(ValueError, match="epochs"):
        mlp.train(XS, LABELS, epochs=-1)
    np.testing.assert_array_equal(numbers(mlp)[0], before)


def test_early_stopping_leaves_it_with_the_best_epoch():
    mlp = model()
    validation = XS[::3], LABELS[::3]
    history = mlp.train(
        XS, 1 - LABELS, epochs=30, loss="binary_cross_entropy", validation=validation, progress=False,
        early_stopping=EarlyStopping(patience=3),
    )  # fmt: skip
    found = NeuralNetwork.from_mlp(mlp, "binary_cross_entropy").evaluate(validation[0].T, validation[1][None])
    assert found == pytest.approx(history["validation_loss"].min(), rel=1e-12)


def test_it_is_saved_and_loaded_with_all_its_numbers_and_what_it_was_for(tmp_path):
    mlp = model(2, "softmax", batch_norm=True, dropout=0.25)
    history = mlp.train(
        XS, LABELS, epochs=2, loss="cross_entropy", l1=0.1, penalise_biases=True, progress=False
    )
    mlp.save(tmp_path / "model.npz")
    loaded = MLP.load(tmp_path / "model.npz")
    assert repr(loaded) == repr(mlp)
    for ours, theirs in zip(numbers(loaded), numbers(mlp), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert list(loaded.history) == list(history)
    network = NeuralNetwork.load(tmp_path / "model.npz")
    assert (network.loss_name, network.penalise_biases) == ("cross_entropy", True)
    assert loaded.objective == mlp.objective
    loaded.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "model.npz").read_bytes()


def test_what_its_inputs_went_through_is_saved_with_it(tmp_path):
    scaler = Scaler.standard(XS.T)
    model().save(tmp_path / "model.npz", scaler)
    np.testing.assert_array_equal(
        load_preparation(tmp_path / "model.npz").transform(XS.T), scaler.transform(XS.T)
    )


def test_an_mlp_that_was_never_trained_is_saved_too(tmp_path):
    model().save(tmp_path / "model.npz")
    np.testing.assert_array_equal(numbers(MLP.load(tmp_path / "model.npz"))[0], numbers(model())[0])
    (tmp_path / "bad.npz").write_bytes(b"no model")
    with pytest.raises(CheckpointError):
        MLP.load(tmp_path / "bad.npz")


def test_its_training_resumes_where_a_checkpoint_stands(tmp_path):
    options = {"loss": "binary_cross_entropy", "batch_size": 5, "progress": False}
    whole = model()
    expected = whole.train(XS, LABELS, epochs=6, rng=np.random.default_rng(4), **options)
    options |= {"checkpoint": tmp_path / "model.npz", "resume": True}
    model().train(XS, LABELS, epochs=2, rng=np.random.default_rng(4), **options)
    rest = model()
    assert list(rest.train(XS, LABELS, epochs=6, rng=np.random.default_rng(9), **options)) == list(expected)
    np.testing.assert_array_equal(numbers(rest)[0], numbers(whole)[0])


@pytest.mark.parametrize(
    ("xs", "ys", "options", "error", "message"),
    [
        (XS.T, LABELS, {}, ValueError, r"xs: expected shape \(N, 2\) .*, one row a sample, got \(2, 24\)"),
        ([[1.0], [2.0, 3.0]], [0, 1], {}, ValueError, "xs: expected shape .* rows of different lengths"),
        ([["a", "b"]], [0], {}, TypeError, "xs: expected an array of real numbers"),
        ([[0.0, np.nan]], [0], {}, ValueError, "xs holds nan at row 0, column 1"),
        (XS, LABELS[:5], {}, ValueError, r"ys: expected 24 targets, one for each sample, got 5"),
        (XS, LABELS[None], {}, ValueError, r"ys: expected shape \(N, 1\) .*, got \(1, 24\)"),
        (XS, 2 + LABELS, {"loss": "binary_cross_entropy"}, ValueError, "ys holds 2.0 at row .*, column 0"),
        (XS, LABELS, {"loss": "hinge"}, ValueError, "loss 'hinge' belongs to output 'linear'"),
        (XS, LABELS, {"engine": "numpy"}, ValueError, "engine: expected one of 'lifted', 'scalar'"),
        (XS, LABELS, {"epoch": 3}, TypeError, "epoch"),
    ],
)
def test_what_it_cannot_be_trained_with_is_refused(xs, ys, options, error, message):
    with pytest.raises(error, match=message):
        model().train(xs, ys, **options)


# A subclass, which may compute something else.


class Bent(MLP):
    """A pass that decides by its numbers, which a program would freeze."""

    def __call__(self, *args, **options):
        return [v * 3.0 if v.data > 0.2 else v * 0.5 for v in super().__call__(*args, **options)]


def bent():
    return Bent(2, [3, 1], "tanh", rng=np.random.default_rng(0))


def test_a_subclass_is_trained_by_the_loss_of_its_own_call():
    mlp = bent()
    (before,) = mlp.train(XS, LABELS, learning_rate=1e-12, epochs=1, progress=False)
    assert before == pytest.approx(np.mean([(v.data - t) ** 2 for v, t in zip(mlp(XS), LABELS, strict=True)]))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"engine": "lifted"}, "would freeze what a Bent decides"),
        ({"validation": 0.25}, "validation: the NeuralNetwork of the same settings would answer"),
        ({"metrics": ["accuracy"]}, "metrics: the NeuralNetwork"),
        ({"monitor": True}, "monitor: the NeuralNetwork"),
    ],
)
def test_what_would_be_of_another_function_is_refused_for_a_subclass(options, said):
    with pytest.raises(TypeError, match=said):
        bent().train(XS, LABELS, epochs=1, progress=False, **options)


def test_a_subclass_is_neither_saved_nor_loaded_as_what_it_is_not(tmp_path):
    with pytest.raises(TypeError, match="save: expected an MLP itself, got Bent"):
        bent().save(tmp_path / "bent.npz")
    model().save(tmp_path / "model.npz")
    with pytest.raises(TypeError, match="load: expected an MLP itself, got Bent"):
        Bent.load(tmp_path / "model.npz")


def test_a_training_that_did_not_begin_leaves_history_and_objective():
    mlp = model()
    history = mlp.train(XS, LABELS, epochs=2, loss="binary_cross_entropy", progress=False)
    objective = dict(mlp.objective)
    with pytest.raises(ValueError, match="epochs"):
        mlp.train(XS, LABELS, epochs=-1, l2=0.1, progress=False)
    assert mlp.history is history
    assert mlp.objective == objective


def test_the_form_of_validation_and_of_classes_is_told():
    with pytest.raises(TypeError, match=r"as a tuple \(x, y\), got a list"):
        model().train(XS, LABELS, validation=[XS, LABELS], progress=False)
    with pytest.raises(ValueError, match=r"one row a sample or classes \(N,\), got \(24, 1\)"):
        model(2, "softmax").train(XS, LABELS[:, None], loss="cross_entropy", progress=False)
