"""The demo of the diagnosis: what it prints, and that the tutorial's blocks are what it says they are."""

import contextlib
import io
import re

import numpy as np
import pytest

from autograd import check_gradients
from demos import debug_my_backprop as demo
from nn import NeuralNetwork


def printed(*arguments):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert demo.main(arguments) == 0
    return out.getvalue()


@pytest.fixture(scope="module")
def output():
    return printed()


def kinds(diagnosis):
    return [(cause.kind, cause.places) for cause in diagnosis.causes]


def test_each_round_has_one_mistake_less_and_the_last_none(output):
    rounds = re.split(r"^\d\. MyNetwork, .*\n=+$", output, flags=re.MULTILINE)[1:]
    story = re.compile(r"^(\d of 6 arrays are wrong, by \d|Nothing is wrong)", re.MULTILINE)
    stories = [story.search(text)[1] for text in rounds]
    assert [story.split()[-1] for story in stories] == ["3", "2", "1", "wrong"]
    assert "all agree" in output


def test_what_is_mended_first_is_what_the_diagnosis_says_to_begin_with(output):
    begun = re.findall(r"Begin with (\w+)\.", output)
    assert begun[:3] == ["dz3", "db2", "dz2"]


@pytest.mark.parametrize(("seed", "m"), [(1, 3), (2, 5), (3, 17)])
def test_other_samples_lead_to_the_same_rounds(seed, m):
    text = printed("--seed", str(seed), "--samples", str(m))
    assert re.findall(r"arrays are wrong, by (\d) mistake", text)[:3] == ["3", "2", "1"]
    assert text.splitlines()[-1].startswith("3 mistakes named and mended")


def test_the_mended_class_agrees_with_numerical_differentiation():
    sizes, rng = [2, 4, 3, 1], np.random.default_rng(0)
    x, y = demo.samples(sizes, 5, rng)
    mine = demo.SlopeMended(sizes, rng)
    start = {f"dW{n}": W.copy() for n, W in enumerate(mine.weights)}
    start |= {f"db{n}": b.copy() for n, b in enumerate(mine.biases)}

    def loss(parameters):
        mine.weights = [np.array(parameters[f"dW{n}"]) for n in range(3)]
        mine.biases = [np.array(parameters[f"db{n}"]) for n in range(3)]
        return float(np.mean((mine.forward(x)["a3"] - y) ** 2))

    def gradient(parameters):
        loss(parameters)
        return mine.backward(x, y, mine.forward(x))

    check_gradients(loss, start, gradient=gradient).assert_ok()


# The tutorial's three blocks.


@pytest.mark.parametrize("seed", range(5))
def test_block_1_reads_the_cache_one_layer_off_under_another_loss(seed):
    diagnosis = demo.block_1(m=7, seed=seed)
    assert kinds(diagnosis) == [
        ("another loss", ("dz3",)),
        ("neighbour layer", ("dW2", "dW1")),
        ("derivative of the wrong layer", ("dz2", "dz1")),
    ]
    assert "a1 for a2" in diagnosis.causes[1].says
    assert "sigmoid'(z1) for sigmoid'(z2)" in diagnosis.causes[2].says


def test_block_1_as_it_stands_asks_for_what_no_cache_has():
    network = NeuralNetwork([3, 3, 3], rng=np.random.default_rng(0))
    x, y = demo.samples([3, 3, 3], 4, np.random.default_rng(1))
    layers = [{"W": W} for W in network.weights]
    with pytest.raises(KeyError, match="z0"):
        demo.backward_pass(layers, x, y, network.forward(x), network.activation_derivative)


@pytest.mark.parametrize("activation", ["sigmoid", "relu", "tanh"])
@pytest.mark.parametrize("seed", range(5))
def test_block_2s_derivatives_are_right(activation, seed):
    assert demo.block_2(activation, m=6, seed=seed).ok


@pytest.mark.parametrize("m", [3, 6, 1000])
def test_block_3_has_the_gradient_of_the_summed_cross_entropy(m):
    diagnosis = demo.block_3(m, seed=0)
    assert kinds(diagnosis) == [("another loss", ("dz2",))]
    assert "binary cross-entropy, summed over the samples" in diagnosis.causes[0].says
    assert [finding.inherited for finding in diagnosis.findings] == [(), (), (1,), (1,)]


# The program.


def test_no_line_is_wider_than_80_columns_and_the_same_options_print_the_same(output):
    assert max(map(len, output.splitlines())) <= 80
    assert printed() == output


@pytest.mark.parametrize("options", [["--samples", "1"], ["--seed", "-1"], ["--samples", "many"]])
def test_bad_options_are_refused(options, capsys):
    with pytest.raises(SystemExit, match="2"):
        demo.main(options)
    assert options[0] in capsys.readouterr().err


def test_help_says_what_it_does(capsys):
    with pytest.raises(SystemExit, match="0"):
        demo.main(["--help"])
    assert "A learner's own network" in capsys.readouterr().out
