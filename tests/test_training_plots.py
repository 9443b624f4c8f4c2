"""Figures of a training: they hold the numbers they were given, and need no window."""

import numpy as np
import pytest

import nn
from nn import NeuralNetwork, RateRange

matplotlib = pytest.importorskip("matplotlib", reason="plots are an extra")
from matplotlib import pyplot  # noqa: E402

X = np.random.default_rng(0).normal(size=(2, 40))
Y = np.eye(3)[:, np.arange(40) % 3]


@pytest.fixture(autouse=True)
def without_windows():
    matplotlib.use("agg")
    yield
    assert pyplot.get_fignums() == []


@pytest.fixture
def network():
    rng = np.random.default_rng(1)
    return NeuralNetwork([2, 4, 3], "tanh", output="softmax", loss="cross_entropy", rng=rng)


def train(network, **options):
    return network.train(X, Y, epochs=8, batch_size=16, progress=False, **options)


def drawn(figure, tmp_path):
    """Drawing it is what would warn."""
    path = tmp_path / "figure.png"
    figure.savefig(path)
    assert path.read_bytes().startswith(b"\x89PNG")
    return figure.axes


def test_history_shows_losses_and_metrics_of_both_parts(network, tmp_path):
    history = train(network, validation=0.3, metrics=["accuracy"], monitor=True)
    loss, accuracy = drawn(nn.plot_history(history, title="a $x^$"), tmp_path)
    for axes, name in ((loss, "loss"), (accuracy, "accuracy")):
        assert axes.get_title() == axes.get_ylabel() == name
        training, validation = axes.lines
        np.testing.assert_array_equal(training.get_ydata(), history[name])
        np.testing.assert_array_equal(validation.get_ydata(), history[f"validation_{name}"])
        assert training.get_linestyle() != validation.get_linestyle()
        assert [text.get_text() for text in axes.get_legend().get_texts()] == ["training", "validation"]
    assert accuracy.get_ylim() == (-0.02, 1.02)


def test_history_without_validation_shows_what_there_is(network, tmp_path):
    (axes,) = drawn(nn.plot_history(train(network)), tmp_path)
    assert len(axes.lines) == 1


def test_the_learning_rate_is_drawn_over_the_steps(network, tmp_path):
    history = train(network, learning_rate=nn.schedules.cosine(0.1, steps=20))    # 24 steps: it ends at 0
    (axes,) = drawn(nn.plot_learning_rate(history), tmp_path)
    (line,) = axes.lines
    np.testing.assert_array_equal(line.get_xdata(), [3, 6, 9, 12, 15, 18, 21, 24])
    np.testing.assert_array_equal(line.get_ydata(), history["learning_rate"])
    assert axes.get_yscale() == "log"


def heights(patch):
    """The heights of a histogram's steps: their outline goes up to each and along it."""
    return patch.get_xy()[1:-1:2, 1][:40]


def test_activations_have_a_histogram_a_layer(network, tmp_path):
    cache = network.forward(X)
    panels = drawn(nn.plot_activations(network, X), tmp_path)
    assert [axes.get_title().split(":")[0] for axes in panels] == ["a1", "a2"]
    for axes, name in zip(panels, ("a1", "a2"), strict=True):
        counts, _ = np.histogram(cache[name], bins=40)
        np.testing.assert_allclose(heights(axes.patches[0]), counts / cache[name].size, atol=1e-12)
        assert f"mean {cache[name].mean():.2g}, spread {cache[name].std():.2g}" in axes.get_title()


def titles(figure):
    return [axes.get_title() for axes in figure.axes]


def test_an_mlp_of_values_is_drawn_as_its_network_is(network):
    model = network.to_mlp()
    assert titles(nn.plot_weights(model)) == titles(nn.plot_weights(network))
    assert titles(nn.plot_activations(model, X.T.tolist())) == titles(nn.plot_activations(network, X))


def test_weights_have_a_histogram_a_layer_with_their_biases(network, tmp_path):
    network.biases[0] = [[0.5], [0.5], [-0.5], [-0.5]]
    panels = drawn(nn.plot_weights(network), tmp_path)
    assert [axes.get_title().split(":")[0] for axes in panels] == ["W0, b0", "W1, b1"]
    weights, biases = panels[0].patches
    assert heights(weights).sum() == pytest.approx(1.0)
    assert sorted(heights(biases))[-3:] == pytest.approx([0.0, 0.5, 0.5])
    assert [text.get_text() for text in panels[0].get_legend().get_texts()] == ["weights", "biases"]


def test_gradient_flow_has_a_bar_a_layer_for_weights_and_biases(tmp_path):
    gradients = {"dW0": [[1.0, -3.0]], "db0": [[-0.5]], "dW1": [[0.0]], "db1": [[0.25]]}
    (axes,) = drawn(nn.plot_gradient_flow(gradients), tmp_path)
    assert [bar.get_height() for bar in axes.patches] == [2.0, 0.0, 0.5, 0.25]
    assert list(axes.lines[0].get_ydata()) == [3.0, 0.0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["layer 0", "layer 1"]
    assert len({bar.get_hatch() for bar in axes.patches}) == 2


def test_a_network_s_own_gradients_are_drawn_by_their_sizes(network, tmp_path):
    gradients = network.backward(X, Y, network.forward(X))
    (axes,) = drawn(nn.plot_gradient_flow(gradients), tmp_path)
    sizes = [np.abs(gradients[name]).mean() for name in ("dW0", "dW1", "db0", "db1")]
    assert [bar.get_height() for bar in axes.patches] == pytest.approx(sizes)


@pytest.mark.parametrize("suggestion", [0.1, None])
def test_a_range_test_shows_its_suggestion_if_it_has_one(suggestion, tmp_path):
    found = RateRange(np.array([0.1, 1.0, 10.0]), np.array([2.0, 1.0, np.inf]), suggestion)
    (axes,) = drawn(nn.plot_rate_range(found), tmp_path)
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), found.losses)
    assert [list(line.get_xdata()) for line in axes.lines[1:]] == ([[0.1, 0.1]] if suggestion else [])
    assert axes.get_xscale() == axes.get_yscale() == "log"


def test_a_confusion_matrix_has_counts_in_cells_and_shares_as_shades(tmp_path):
    figure = nn.plot_confusion_matrix([0, 0, 0, 1, 1], [0, 0, 1, 1, 1], ["no $x^$", "yes", "never"])
    (axes,) = drawn(figure, tmp_path)
    np.testing.assert_allclose(axes.images[0].get_array(), [[2 / 3, 1 / 3, 0], [0, 1, 0], [0, 0, 0]])
    cells = {text.get_position(): text.get_text() for text in axes.texts}
    assert cells[0, 0] == "2"       # (column, row)
    assert cells[1, 0] == "1"
    assert cells[1, 1] == "2"
    assert axes.get_title() == "Confusion matrix: 80.0% right"
    assert [text.get_text() for text in axes.get_yticklabels()] == ["no $x^$", "yes", "never"]


def test_long_names_of_classes_do_not_overlap(tmp_path):
    names = ["Iris versicolor", "Iris virginica", "Iris setosa", "Some other iris"]
    figure = nn.plot_confusion_matrix([0, 1, 2, 3], [0, 1, 2, 3], names)
    (axes,) = drawn(figure, tmp_path)
    texts = axes.get_xticklabels()
    assert {text.get_rotation() for text in texts} == {45.0}
    # the boxes of slanted texts overlap; the lines do not: across the slant they are further apart than high
    starts = np.array([axes.transData.transform(text.get_position())[0] for text in texts])
    height = texts[0].get_fontsize() * figure.dpi / 72
    assert np.diff(starts).min() * np.sin(np.pi / 4) > 1.2 * height
    boxes = [text.get_window_extent() for text in (*texts, *axes.get_yticklabels())]
    assert min(box.x0 for box in boxes) >= 0
    assert min(box.y0 for box in boxes) >= 0
    assert max(box.x1 for box in boxes) <= figure.bbox.width
    (short,) = nn.plot_confusion_matrix([0], [0], ["a", "b"]).axes
    assert {text.get_rotation() for text in short.get_xticklabels()} == {0.0}


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.plot_gradient_flow({}), ValueError, "gradients: expected dW0, db0 .*; got none"),
        (lambda: nn.plot_gradient_flow({"W0": [1.0]}), ValueError, "expected dW0.*; got W0"),
        (lambda: nn.plot_confusion_matrix([0, 2], [0, 0], ["a", "b"]), ValueError, "labels: expected"),
        (lambda: nn.plot_history(nn.History()), ValueError, "history: expected one epoch or more"),
        (lambda: nn.plot_learning_rate(nn.TrainingHistory(nn.History())), ValueError, "history"),
        (lambda: nn.plot_history([1, 2]), TypeError, "history: expected what train returns"),
        (lambda: nn.plot_activations(nn.MLP(2, [1]), X), ValueError, r"x: expected shape \(N, 2\)"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
