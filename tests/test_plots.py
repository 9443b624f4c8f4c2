"""Figures hold what they were given, say it in more than colour, and leave nothing open."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nn import (
    NeuralNetwork,
    plot_activations,
    plot_decision_boundary,
    plot_losses,
    plot_predictions,
    plot_training_process,
    plot_weights,
)

matplotlib = pytest.importorskip("matplotlib", reason="plots are an extra")
from matplotlib import pyplot  # noqa: E402
from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: E402


@pytest.fixture(autouse=True)
def without_windows():
    matplotlib.use("agg")
    yield
    assert pyplot.get_fignums() == []


@pytest.fixture
def learning():
    rng = np.random.default_rng(0)
    return NeuralNetwork([2, 3, 1], rng=rng), rng.normal(size=(2, 20)), rng.normal(size=(1, 20))


def drawn(figure, tmp_path):
    """The figure's PNG: drawing it is what would warn."""
    path = tmp_path / "figure.png"
    figure.savefig(path)
    return path.read_bytes()


def test_training_process_trains_and_plots_every_loss(learning, tmp_path):
    network, x, y = learning
    twin = NeuralNetwork([2, 3, 1])
    twin.parameters = network.parameters
    expected = twin.train(x, y, learning_rate=0.01, epochs=30)
    figure = plot_training_process(network, x, y, epochs=30)
    (axes,) = figure.axes
    (line,) = axes.lines
    np.testing.assert_array_equal(line.get_ydata(), expected)
    np.testing.assert_array_equal(network.parameters, twin.parameters)
    assert axes.get_title() == "Training Loss Over Time"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Epoch", "Loss")
    assert figure.get_size_inches().tolist() == [10, 6]
    assert drawn(figure, tmp_path).startswith(b"\x89PNG")


def test_training_process_of_somebody_else_s_network_needs_the_tutorial_s_methods_only():
    class Halving:
        weights = (0,)
        theta = 1.0

        def forward(self, x):
            return {"a1": self.theta * x}

        def compute_loss(self, y_true, y_pred):
            return float(np.mean((y_true - y_pred) ** 2))

        def backward(self, x, y, cache):
            return {"dW0": 50 * self.theta}

        def update_parameters(self, gradients, learning_rate):
            self.theta -= learning_rate * gradients["dW0"]

    figure = plot_training_process(Halving(), np.ones((1, 1)), np.zeros((1, 1)), epochs=3)
    assert list(figure.axes[0].lines[0].get_ydata()) == [1.0, 0.25, 0.0625]


def test_training_process_shows_a_window_where_there_are_windows(learning, monkeypatch):
    shown = []
    monkeypatch.setattr(FigureCanvasAgg, "required_interactive_framework", "pretended")
    monkeypatch.setattr(pyplot, "show", lambda: shown.append(pyplot.get_fignums()))
    plot_training_process(*learning, epochs=2)
    assert len(shown[0]) == 1
    pyplot.close("all")


def test_training_process_shows_nothing_where_there_are_none(learning, monkeypatch):
    monkeypatch.setattr(pyplot, "show", lambda: pytest.fail("there is no window to show"))
    plot_training_process(*learning, epochs=2)


def test_losses_are_told_apart_by_name_and_by_dashes(tmp_path):
    figure = plot_losses({"training": [3.0, 2.0, 1.0], "validation": [3.0, 2.5, 2.6]}, title="Digits")
    (axes,) = figure.axes
    assert [line.get_label() for line in axes.lines] == ["training", "validation"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["training", "validation"]
    assert len({line.get_linestyle() for line in axes.lines}) == 2
    assert axes.lines[1].get_ydata().tolist() == [3.0, 2.5, 2.6]
    assert axes.get_title() == "Digits"
    assert drawn(figure, tmp_path).startswith(b"\x89PNG")


def test_a_single_epoch_is_a_visible_point():
    assert plot_losses({"training": [1.0]}).axes[0].lines[0].get_marker() == "o"


def test_what_is_not_finite_is_a_gap_and_what_is_alone_a_point(tmp_path):
    curves = {"a": [1.0, np.nan, 2.0, np.inf, 3.0, 4.0], "b": [1.0, 2.0], "c": [np.nan, 5.0]}
    figure = plot_losses(curves)
    first, whole, last = figure.axes[0].lines
    np.testing.assert_array_equal(first.get_ydata(), [1.0, np.nan, 2.0, np.nan, 3.0, 4.0])
    assert (first.get_marker(), first.get_markevery()) == ("o", [0, 2])
    assert whole.get_marker() in ("", "None")
    assert (last.get_marker(), last.get_markevery()) == ("o", [1])
    drawn(figure, tmp_path)


def test_epochs_are_whole_numbers_on_the_axis():
    for losses in ([3.0, 2.0, 1.0], [1.0, 2.0], [1.0]):
        axes = plot_losses({"training": losses}).axes[0]
        assert all(float(tick).is_integer() for tick in axes.get_xticks())


@pytest.mark.parametrize(
    ("curve", "error", "message"),
    [
        ([], ValueError, r"training: expected the losses of one or more epochs, got shape \(0,\)"),
        (["a"], TypeError, "training: expected an array of real numbers"),
    ],
)
def test_what_is_no_curve_is_refused(curve, error, message):
    with pytest.raises(error, match=message):
        plot_losses({"training": curve})


def test_labels_are_text_not_mathematics(tmp_path):
    figure = plot_losses({"a $x^$ b": [1.0, 2.0], "{b}": [2.0, 1.0]}, title="$\\nonsense{$")
    drawn(figure, tmp_path)
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["a $x^$ b", "{b}"]


def test_no_losses_are_refused():
    with pytest.raises(ValueError, match="losses: expected at least one curve"):
        plot_losses({})


IMAGES = np.arange(4 * 2 * 3).reshape(4, 2, 3)
PROBABILITIES = np.array([[0.9, 0.4, 0.3, 0.2], [0.1, 0.6, 0.7, 0.8]])     # predicts 0, 1, 1, 1
LABELS = np.array([0, 1, 0, 0])                                             # the last two are mistakes


def test_predictions_show_the_surest_mistakes_first_and_then_the_least_sure(tmp_path):
    figure = plot_predictions(IMAGES, PROBABILITIES, LABELS)
    assert [axes.get_title() for axes in figure.axes] == [
        "✗ 1 (80%)\nis 0",
        "✗ 1 (70%)\nis 0",
        "1 (60%)",
        "0 (90%)",
    ]
    assert [axes.images[0].get_array()[0, 0] for axes in figure.axes] == [18, 12, 6, 0]
    widths = [axes.spines["left"].get_linewidth() for axes in figure.axes]
    assert min(widths[:2]) > max(widths[2:])
    assert figure.get_suptitle() == "predicted class (confidence); 2 of 4 mistaken ✗"
    assert drawn(figure, tmp_path).startswith(b"\x89PNG")


def test_predictions_show_no_more_than_asked_for():
    assert len(plot_predictions(IMAGES, PROBABILITIES, LABELS, shown=3).axes) == 3
    assert len(plot_predictions(IMAGES[:1], PROBABILITIES[:, :1], LABELS[:1]).axes) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": IMAGES[0]}, r"images: expected shape \(N, h, w\) with N >= 1, got \(2, 3\)"),
        ({"images": IMAGES[:0]}, r"got \(0, 2, 3\)"),
        ({"probabilities": PROBABILITIES.T}, r"probabilities: expected shape \(classes, 4\), got \(4, 2\)"),
        ({"probabilities": PROBABILITIES[0]}, r"probabilities: expected shape"),
        ({"probabilities": 1 + PROBABILITIES}, "expected probabilities in"),
        ({"probabilities": np.full((2, 4), np.nan)}, "probabilities holds nan"),
        ({"labels": LABELS[:3]}, r"labels: expected shape \(4,\), got \(3,\)"),
        ({"labels": [0, 1, 2, 0]}, "labels: expected classes 0 to 1, got 2.0 at index 2"),
        ({"labels": [0, 1, -1, 0]}, "got -1.0"),
        ({"labels": [0, 1, 0.5, 0]}, "got 0.5"),
        ({"labels": [0, 1, np.nan, 0]}, "got nan"),
        ({"shown": 0}, "shown: expected a whole number of at least 1, got 0"),
    ],
)
def test_predictions_that_do_not_fit_are_refused(arguments, message):
    fitting = {"images": IMAGES, "probabilities": PROBABILITIES, "labels": LABELS}
    with pytest.raises(ValueError, match=message):
        plot_predictions(**fitting | arguments)


CORNERS = np.array([[0.0, 4.0, 0.0, 4.0], [0.0, 0.0, 2.0, 2.0]])


def right_of_one(points):
    return points[0] - 1


def test_a_decision_boundary_lies_where_the_score_is_zero(tmp_path):
    figure = plot_decision_boundary(right_of_one, CORNERS, [-1, 1, -1, 1], title="a $x^$")
    (axes,) = figure.axes
    mesh, contour, *_ = axes.collections
    coloured = mesh.get_array()
    across = np.linspace(-0.4, 4.4, 200)  # a tenth beyond the samples
    np.testing.assert_array_equal(coloured, np.broadcast_to(across > 1, (200, 200)))
    (line,) = [path for path in contour.get_paths() if len(path)]
    np.testing.assert_allclose(line.vertices[:, 0], 1.0, rtol=1e-12)  # the score is linear
    assert axes.get_title() == "a $x^$"
    assert drawn(figure, tmp_path).startswith(b"\x89PNG")


def test_a_decision_boundary_shows_the_classes_by_marker_as_well_as_colour():
    figure = plot_decision_boundary(right_of_one, CORNERS, [0.0, 1.0, 0.0, 1.0])
    *_, above, below = figure.axes[0].collections
    np.testing.assert_array_equal(above.get_offsets(), CORNERS.T[[1, 3]])
    np.testing.assert_array_equal(below.get_offsets(), CORNERS.T[[0, 2]])
    assert above.get_paths()[0].vertices.tolist() != below.get_paths()[0].vertices.tolist()
    assert (above.get_label(), below.get_label()) == ("label above 0", "label 0 or below")


def test_a_decision_boundary_takes_a_network_s_row_of_scores_and_its_lack_of_doubt(tmp_path):
    figure = plot_decision_boundary(lambda points: np.ones((1, points.shape[1])), CORNERS[:, :1], [1])
    (axes,) = figure.axes
    assert axes.collections[0].get_array().all()
    assert len(axes.collections) == 3  # no boundary, hence no line
    assert axes.get_xlim() == pytest.approx((-1, 1), abs=0.02)  # a single sample spreads over nothing
    drawn(figure, tmp_path)


def by_corner(points):
    """Scores of three classes, largest in the corners at (0, 0), (4, 0) and (0, 2)."""
    return np.stack([-np.hypot(points[0] - a, points[1] - b) for a, b in CORNERS.T[:3]])


def test_of_several_classes_each_point_has_the_colour_of_its_largest_score(tmp_path):
    figure = plot_decision_boundary(by_corner, CORNERS, [0, 1, 2, 1])
    (axes,) = figure.axes
    meshes = [c for c in axes.collections if c.get_array() is not None and c.get_array().size == 40000]
    across, up = np.linspace(-0.4, 4.4, 200), np.linspace(-0.2, 2.2, 200)
    # the middle lines between the corners: x = 2, y = 1 and, of the other two, (x - 2) 4 = (y - 1) 2
    expected = np.select(
        [(across < 2) & (up[:, None] < 1), (across - 2) * 4 > (up[:, None] - 1) * 2], [0, 1], default=2
    )
    np.testing.assert_array_equal(meshes[0].get_array(), expected)
    dots = [c for c in axes.collections if str(c.get_label()).startswith("class")]
    assert [c.get_label() for c in dots] == ["class 0", "class 1", "class 2"]
    np.testing.assert_array_equal(dots[1].get_offsets(), CORNERS.T[[1, 3]])
    assert len({c.get_paths()[0].vertices.tobytes() for c in dots}) == 3
    drawn(figure, tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": CORNERS.T}, r"x: expected shape \(2, N\) with N >= 1, got \(4, 2\)"),
        ({"x": CORNERS[:, :0]}, r"got \(2, 0\)"),
        ({"labels": [1, 0]}, r"labels: expected shape \(4,\), got \(2,\)"),
        ({"labels": [1, 0, np.nan, 1]}, "labels holds nan at index 2"),
        ({"labels": [1, 2, 1, 2]}, "labels: expected 1, and 0 or -1, got 2.0 at index 1"),
        ({"scores": by_corner, "labels": [0, 1, 2, 3]}, "labels: expected classes 0 to 2, got 3"),
        ({"scores": by_corner, "labels": [0, 1, 2, -1]}, "labels: expected classes 0 to 2, got -1"),
        ({"scores": by_corner, "labels": [0, 1, 2, 0.5]}, "labels: expected classes 0 to 2, got 0.5"),
        ({"scores": lambda points: points.T}, r"scores: expected one for each of 40000 .* got \(40000, 2\)"),
        ({"scores": lambda points: 1.0}, r"scores: expected one for each of 40000 points.*got \(\)"),
        ({"scores": lambda points: points[0] * np.nan}, "scores holds nan"),
    ],
)
def test_a_decision_boundary_that_does_not_fit_is_refused(arguments, message):
    fitting = {"scores": right_of_one, "x": CORNERS, "labels": [-1, 1, -1, 1]}
    with pytest.raises(ValueError, match=message):
        plot_decision_boundary(**fitting | arguments)


def test_without_matplotlib_the_error_names_the_extra(monkeypatch, learning):
    for module in ("matplotlib", "matplotlib.figure", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, module, None)
    before = learning[0].parameters.copy()
    for draw in (lambda: plot_losses({"training": [1.0]}), lambda: plot_training_process(*learning)):
        with pytest.raises(ImportError, match=r'pip install "liftgrad\[plot\]"'):
            draw()
    np.testing.assert_array_equal(learning[0].parameters, before)


def test_importing_nn_imports_no_matplotlib():
    program = "import sys, nn; sys.exit('matplotlib' in sys.modules)"
    root = Path(__file__).resolve().parent.parent
    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0


def test_a_saturated_layer_is_drawn_and_one_of_nan_is_named():
    network = NeuralNetwork([2, 4, 1])
    network.weights[0][:] *= 0.1
    network.biases[0][:] = 36.7         # where the sigmoid is 1 but for its last digits
    x = np.random.default_rng(0).normal(size=(2, 50))
    (drawn, *_) = plot_activations(network, x).axes[0].patches
    left, right = drawn.get_xy()[:, 0].min(), drawn.get_xy()[:, 0].max()
    assert left < 1.0 < right
    network.weights[1][:] = np.inf
    with pytest.raises(ValueError, match=r"W1, b1: expected finite numbers to draw"):
        plot_weights(network)
