"""The demo of the tutorial's mistakes: what it prints is true, and what it calls right is right."""

import contextlib
import io
import re

import mpmath as mp
import numpy as np
import pytest

from demos import tutorial_mistakes as demo
from nn import NeuralNetwork, compare_gradients

SMALL = ["--epochs", "300", "--seeds", "5"]  # the slowest that learns takes 240


def printed(arguments):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert demo.main(arguments) == 0
    return out.getvalue()


@pytest.fixture(scope="module")
def output():
    return printed(SMALL)


@pytest.fixture(scope="module")
def sections(output):
    return dict(enumerate(re.split(r"^\d\. ", output, flags=re.MULTILINE)))  # 1 to 6; 0 is what precedes them


def accused(section):
    """For each report printed in full, the arrays that it says are wrong."""
    reports = section.split("gradients: ")[1:]
    return [set(re.findall(r"^ +(d[Wb]\d) .*DIFFERS$", report, re.MULTILINE)) for report in reports]


def sigmoid(z):
    return 1 / (1 + mp.exp(-mp.mpf(z)))


# The program.


def test_the_last_line_counts_the_mistakes(output):
    assert output.splitlines()[-1] == "6 mistakes shown, each beside what is right."
    assert len(re.findall(r"^\d\. .*\n=+$", output, re.MULTILINE)) == 6


def test_no_line_is_wider_than_80_columns(output):
    assert max(map(len, output.splitlines())) <= 80


def test_the_same_options_print_the_same_text():
    small = ["--epochs", "3", "--seeds", "1"]
    assert printed(small) == printed(small)


@pytest.mark.parametrize("options", [["--epochs", "0"], ["--seeds", "-1"], ["--seeds", "many"]])
def test_options_that_count_nothing_are_refused(options, capsys):
    with pytest.raises(SystemExit, match="2"):
        demo.main(options)
    assert options[0] in capsys.readouterr().err


def test_help_explains_the_options(capsys):
    with pytest.raises(SystemExit, match="0"):
        demo.main(["--help"])
    assert "--epochs" in capsys.readouterr().out


# What the comparison accuses.

EVERY_ARRAY = {"dW0", "db0", "dW1", "db1"}


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1, [EVERY_ARRAY, set()]),  # against the loss reported, and the loss it belongs to
        (2, [EVERY_ARRAY]),
        (3, [EVERY_ARRAY | {"dW2"}]),  # the top's dz is right, hence db2
        (4, [set()]),  # 1 / inf is 0
        (5, []),
        (6, [{"dW0", "db0"}]),
    ],
)
def test_the_comparison_accuses_exactly_the_arrays_that_are_wrong(sections, number, expected):
    assert accused(sections[number]) == expected


@pytest.mark.parametrize(("number", "verdicts"), [(1, 2), (2, 1), (3, 1), (6, 1)])
def test_the_comparison_has_nothing_against_what_is_right(sections, number, verdicts):
    _, right = sections[number].split("Right is")
    assert right.count("all agree") == verdicts
    assert "do not agree" not in right


# The formulas: those shown are those run, and 50 digits agree with them.

A, Y = np.array([[0.2, 0.7, 0.9]]), np.array([[0.0, 1.0, 0.0]])


@pytest.mark.parametrize(
    ("number", "errors"),
    [
        (1, [demo.summed_error, demo.squared_error, demo.cross_entropy_error]),
        (2, [demo.summed_error, demo.cross_entropy_error]),
        (6, [demo.summed_error, demo.squared_error]),
    ],
)
def test_each_formula_shown_is_the_one_that_runs(sections, number, errors):
    shown = re.findall(r"^    dz = (.*)$", sections[number], re.MULTILINE)
    computed = [eval(formula, {"a": A, "y": Y, "m": Y.size}) for formula in shown]
    np.testing.assert_array_equal(computed, [error(A, Y) for error in errors])


def squared(z, y):
    return (sigmoid(z) - y) ** 2


def cross_entropy(z, y):
    return -y * mp.log(sigmoid(z)) - (1 - y) * mp.log(1 - sigmoid(z))


@pytest.mark.parametrize(
    ("error", "loss", "share"),
    [
        (demo.squared_error, squared, 3),
        (demo.cross_entropy_error, cross_entropy, 3),
        (demo.summed_error, cross_entropy, 1),
    ],
    ids=["mean squared error", "mean cross-entropy", "summed cross-entropy"],
)
def test_each_error_is_the_derivative_of_the_loss_it_is_said_to_belong_to(error, loss, share):
    with mp.workdps(50):
        logits = [mp.log(mp.mpf(a) / (1 - mp.mpf(a))) for a in A[0]]
        slopes = [mp.diff(lambda z, y=y: loss(z, y), z) for z, y in zip(logits, Y[0], strict=True)]
        expected = [float(slope / share) for slope in slopes]
    np.testing.assert_allclose(error(A, Y)[0], expected, rtol=1e-14)  # a few roundings of each factor


@pytest.mark.parametrize(
    ("loss", "error"),
    [("mean_squared_error", demo.squared_error), ("binary_cross_entropy", demo.cross_entropy_error)],
)
def test_the_mended_passes_agree_with_the_scalar_engine(loss, error):
    network, x, y = demo.example(loss=loss)
    compare_gradients(demo.Tutorial(network, error), x, y, reference=network.to_mlp(), loss=loss).assert_ok()


# The figures of each section.


def test_the_tutorials_error_is_the_true_one_times_m_by_twice_the_slope(sections):
    row = r"^ +([\d.]+) +([\d.]+) +[-\d.]+ +[-\d.]+ +([\d.]+) +[\d.]+$"
    rows = re.findall(row, sections[1], re.MULTILINE)
    assert len(rows) == 8
    for a, slope, ratio in [map(float, figures) for figures in rows]:
        assert slope == pytest.approx(a * (1 - a), abs=6e-4)  # a is printed to three places
        assert ratio == pytest.approx(8 / (2 * slope), rel=1e-3)  # the slope to four
        assert ratio >= 2 * 8


def test_without_the_mean_the_gradient_is_m_times_the_true_one(sections):
    rows = re.findall(r"m = (\d+) .* one: ([\d.]+) to ([\d.]+)$", sections[2], re.MULTILINE)
    assert [[float(figure) for figure in row] for row in rows] == [[m, m, m] for m in (8, 80, 800)]


@pytest.mark.parametrize(
    ("sizes", "computed", "error"),
    [
        ((2, 1), set(), "KeyError: 'a-1'"),  # a single layer asks for the input below the input
        ((2, 3, 1), {"dW1", "db1"}, "KeyError: 'z0'"),  # with more, x's logits are asked for first
        ((3, 3, 3, 3), {"dW2", "db2", "dW1", "db1"}, "KeyError: 'z0'"),
    ],
)
def test_the_stand_alone_function_never_reaches_the_first_layer(sizes, computed, error):
    gradients, ending = demo.stand_alone(*demo.example(sizes))
    assert (set(gradients), ending) == (computed, error)


def test_the_logits_of_the_overflow_section_do_overflow(sections):
    lowest = float(re.search(r"logits go\s+down\s+to\s+(-[\d,]+)", sections[4])[1].replace(",", ""))
    with pytest.warns(RuntimeWarning, match="overflow"):
        demo.plain_sigmoid(np.array([lowest]))


def test_the_plain_formulas_warn_and_the_right_ones_do_not(sections):
    plain, right = sections[4].split("Right is")
    assert plain.count("overflow encountered in exp") == 3
    assert "nan" in plain
    assert "Warning" not in right


def test_the_right_exponentials_agree_with_fifty_digits():
    z = np.array([-1000.0, -700.0, -1.5, 0.0, 2.0, 40.0, 1000.0])
    with mp.workdps(500):  # 1 - σ(1000) is about 1e-434
        a = [float(sigmoid(x)) for x in z]
        surprise = [float(-mp.log(sigmoid(x))) for x in z]
        total = mp.fsum(mp.exp(mp.mpf(x)) for x in z)
        softmax = [float(mp.exp(mp.mpf(x)) / total) for x in z]
    # 1e-15 is four units of the last place: exp's own, and a rounding or two
    np.testing.assert_allclose(demo.stable_sigmoid(z), a, rtol=1e-15)
    np.testing.assert_allclose(demo.stable_softmax(z), softmax, rtol=1e-15)
    np.testing.assert_allclose(demo.stable_surprise(z), surprise, rtol=1e-15)


def test_xor_is_learnt_from_xaviers_weights_and_not_from_small_ones(sections):
    slow, fast = sections[5].split("learning rate 5")
    assert re.search(r"all +0 of 5 +5 of 5, median epoch 1[0-9]{2}$", slow, re.MULTILINE)
    assert slow.count("not learnt, loss 0.6931") == 5  # ln 2: it says 1/2 to everything
    assert re.search(r"all +5 of 5, .* 5 of 5, ", fast)


def test_learnt_means_that_all_four_answers_are_right():
    network = demo.xor_network("xavier", seed=0)
    epoch = demo.epochs_to_learn(network, 2.0, 250)
    assert (network.forward(demo.XOR_X)["a2"].round() == demo.XOR_Y).all()
    assert demo.epochs_to_learn(demo.xor_network("xavier", seed=0), 2.0, epoch) is None


def test_the_loss_curves_by_one_half_along_the_outputs_parameters():
    network = NeuralNetwork(demo.XOR_SIZES, loss="binary_cross_entropy")
    plateau, step = np.zeros(network.parameters.size), 1e-4

    def slopes(shift):
        return network.loss_and_gradient(plateau + shift, demo.XOR_X, demo.XOR_Y)[1][-5:]

    shifts = step * np.eye(plateau.size)[-5:]
    hessian = [(slopes(shift) - slopes(-shift)) / (2 * step) for shift in shifts]
    assert np.linalg.eigvalsh(hessian).max() == pytest.approx(0.5, rel=1e-6)  # the error is of order step²


def test_a_target_in_a_column_gives_correct_predictions_a_loss(sections):
    _, _, y = demo.example((2, 1))
    share = y.mean()  # two samples drawn at random differ with probability 2 p (1 - p)
    assert f"all correct: {2 * share * (1 - share):.4f}" in sections[6]
    assert "a - y (8, 8)" in sections[6]


def test_the_network_refuses_a_target_in_a_column():
    network, x, y = demo.example()
    with pytest.raises(ValueError, match=r"expected shape \(1, 8\), got \(8, 1\)"):
        network.backward(x, y.T, network.forward(x))
