"""The scalar GPT's demo, with few steps: its batches, its Adam, what it prints, writes and repeats."""

import contextlib
import io
import math
import random
import re

import numpy as np
import pytest

from demos import scalar_gpt
from demos.gpt_model import CONTEXT, VOCABULARY, as_floats, initial_weights, leaves, name_loss
from demos.python_names import tokens_of

pytest.importorskip("matplotlib", reason="needs the extra 'demos'")


def decoded(column):
    """Tokens and shares of a column, read back from it."""
    one_hot = column[: (CONTEXT + 1) * VOCABULARY].reshape(CONTEXT + 1, VOCABULARY)
    np.testing.assert_array_equal(one_hot.sum(axis=1), 1)
    return one_hot.argmax(axis=1).tolist(), column[(CONTEXT + 1) * VOCABULARY :].tolist()


def test_a_column_holds_a_name_s_tokens_and_the_shares_of_its_positions():
    ab, longest = scalar_gpt.columns(["ab", "x" * 15]).T
    assert decoded(ab) == ([0, 1, 2, 0] + [0] * 13, [1 / 3] * 3 + [0.0] * 13)
    assert decoded(longest) == ([0] + [24] * 15 + [0], [1 / 16] * 16)


def test_the_recorded_name_takes_a_column_in_its_inputs_order():
    """Recorded again with a column's numbers in its inputs, the padded loss is that of the name itself."""
    weights = initial_weights(random.Random(0))
    _, inputs = scalar_gpt.record_padded(weights)
    (column,) = scalar_gpt.columns(["zip_longest"]).T
    for leaf, number in zip(inputs, column.tolist(), strict=True):
        leaf.data = number
    rows = [inputs[start : start + VOCABULARY] for start in range(0, (CONTEXT + 1) * VOCABULARY, VOCABULARY)]
    padded = name_loss(weights, rows, inputs[-CONTEXT:])
    plain = name_loss(as_floats(weights), tokens_of("zip_longest"), [1 / 12] * 12)
    assert padded.data == pytest.approx(plain, rel=1e-14)


def test_the_scalar_step_is_the_mean_over_the_names():
    weights, names = initial_weights(random.Random(0)), ["os", "ast"]
    loss = scalar_gpt.scalar_step(weights, names)
    gradient = np.array([leaf.grad for leaf in leaves(weights)])
    each = []
    for name in names:
        for leaf in leaves(weights):
            leaf.grad = 0.0
        positions = len(name) + 1
        alone = name_loss(weights, tokens_of(name), [1 / positions] * positions)
        alone.backward()
        each.append((alone.data, np.array([leaf.grad for leaf in leaves(weights)])))
    assert loss == pytest.approx((each[0][0] + each[1][0]) / 2, rel=1e-15)
    np.testing.assert_allclose(gradient, (each[0][1] + each[1][1]) / 2, rtol=0, atol=1e-16)


def trained(steps, theta, loss_and_gradient):
    rng = np.random.default_rng(0)
    return scalar_gpt.train(
        loss_and_gradient, theta, np.zeros((1, 50)), np.zeros((1, 3)), steps, rng, lambda *_: None
    )


def bowl(theta, batch):
    scale = np.array([1.0, 10.0, 100.0])
    return float(scale @ theta**2), 2 * scale * theta


def test_the_first_step_moves_every_parameter_by_the_rate():
    """Adam's first step is rate · g / (|g| + 1e-8), which is 0.01 sign g for any g of 2 or more."""
    theta, _ = trained(1, np.array([1.0, -1.0, 2.0]), bowl)
    np.testing.assert_allclose(theta, [0.99, -0.99, 1.99], rtol=1e-9)


def test_training_is_pytorch_s_adam_with_a_falling_rate():
    torch = pytest.importorskip("torch", reason="PyTorch is a witness, not a requirement")
    start, steps = np.array([1.0, -1.0, 2.0]), 25
    theta, _ = trained(steps, start, bowl)
    theirs = torch.tensor(start, requires_grad=True)
    adam = torch.optim.Adam([theirs], lr=0.01, betas=(0.9, 0.99), eps=1e-8)
    falling = torch.optim.lr_scheduler.LambdaLR(adam, lambda step: (1 + math.cos(math.pi * step / steps)) / 2)
    for _ in range(steps):
        adam.zero_grad()
        (torch.tensor([1.0, 10.0, 100.0], dtype=torch.float64) @ theirs**2).backward()
        adam.step()
        falling.step()
    np.testing.assert_allclose(theta, theirs.detach().numpy(), rtol=1e-12)


@pytest.mark.parametrize("steps", [1, 7, 20, 41])
def test_every_step_is_in_one_point_of_the_curve(steps):
    seen = []

    def counted(theta, batch):
        if batch.shape[1] == scalar_gpt.BATCH:
            seen.append(len(seen))
            return float(seen[-1]), np.zeros(3)
        return 100.0, np.zeros(3)  # held out

    _, curves = trained(steps, np.zeros(3), counted)
    every = max(1, steps // 20)
    expected = [np.mean(range(start, min(start + every, steps))) for start in range(0, steps, every)]
    assert curves["training"] == expected
    assert curves["held out"] == [100.0] * len(expected)


def test_a_bar_is_as_long_as_the_loss():
    assert scalar_gpt.bar(math.log(VOCABULARY), width=4) == "████"
    assert scalar_gpt.bar(math.log(VOCABULARY) / 2, width=4) == "██"
    assert scalar_gpt.bar(math.log(VOCABULARY) * 5 / 8, width=1) == "▋"
    assert scalar_gpt.bar(0.0) == ""
    assert scalar_gpt.bar(99.0, width=4) == "████"


def always(letter):
    """Weights with which the model is sure of one token: the block adds nothing, the head asks for it."""
    weights = as_floats(initial_weights(random.Random(0)))
    for token, row in enumerate(weights["head"]):
        row[:] = [0.0] * len(row)
        if token == letter:
            row[0] = 1e4
    for row in [*weights["down"], *weights["mix"]]:
        row[:] = [0.0] * len(row)
    for row in [*weights["token"], *weights["position"]]:
        row[:] = [1.0] * len(row)
    return weights


def test_a_sample_ends_at_the_boundary_or_where_the_context_ends():
    assert scalar_gpt.sample(always(0), random.Random(0)) == ""
    assert scalar_gpt.sample(always(3), random.Random(0)) == "c" * CONTEXT


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory):
    """The output of a short run, and its folder."""
    out, printed = tmp_path_factory.mktemp("gpt"), io.StringIO()
    with contextlib.redirect_stdout(printed):
        scalar_gpt.main(["--out", str(out), "--steps", "40"])
    return printed.getvalue().replace(str(out), "out"), out


def test_the_demo_compares_learns_samples_and_writes_what_it_names(demonstration):
    printed, out = demonstration
    assert "all agree (tolerance 1e-12" in printed
    seconds = [float(found) for found in re.findall(r"(?:engine|program) +([\d.]+) ms", printed)]
    assert len(seconds) == 2
    assert float(re.search(r"ratio +([\d,]+)", printed)[1].replace(",", "")) > 0
    losses = [float(found) for found in re.findall(r"held out ([\d.]+)", printed)]
    assert len(losses) == 20
    assert losses[-1] < losses[0] < math.log(VOCABULARY) + 0.1
    assert losses[-1] < 3.0  # the frequencies of letters alone come to about 2.9
    made_up = printed.split("names it makes up")[1].split("wrote")[0]
    assert len(re.findall(r"^  ", made_up, re.MULTILINE)) == 5
    assert max(map(len, printed.splitlines())) <= 80
    assert "out/gpt_losses.png" in printed.split("wrote")[1]
    assert (out / "gpt_losses.png").read_bytes().startswith(b"\x89PNG")


def test_quiet_prints_only_loss_and_files_and_a_seed_repeats_its_bits(demonstration, tmp_path, capsys):
    printed, out = demonstration
    scalar_gpt.main(["--out", str(tmp_path), "--steps", "40", "--quiet"])
    lines = capsys.readouterr().out.replace(str(tmp_path), "out").splitlines()
    loss = "loss on the names held out"
    assert [line.split(":")[0] for line in lines] == [loss, "", "wrote", "  out/gpt_losses.png"]
    assert lines[0] in printed.splitlines()
    assert (tmp_path / "gpt_losses.png").read_bytes() == (out / "gpt_losses.png").read_bytes()


@pytest.mark.parametrize("option", [["--steps", "0"], ["--seed", "-1"], ["--steps", "x"], ["--nonsense"]])
def test_bad_options_are_refused(option, capsys):
    with pytest.raises(SystemExit) as stop:
        scalar_gpt.main(option)
    assert stop.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_help_says_what_it_does(capsys):
    with pytest.raises(SystemExit) as stop:
        scalar_gpt.main(["--help"])
    assert stop.value.code == 0
    assert "written one scalar at a time" in capsys.readouterr().out
