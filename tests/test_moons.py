"""The moons demo, with few steps: its loss, its descent, what it prints, writes and repeats."""

import json
import re

import numpy as np
import pytest

from demos import moons
from nn import MLP
from tests.drawings import Page

pytest.importorskip("matplotlib", reason="needs the extra 'demos'")


def test_the_loss_is_the_mean_shortfall_and_the_penalty():
    """score = 2x: shortfalls max(0, 1 - 2 · 0.25) and max(0, 1 + 2 · 1); parameters 2, 0 and 0."""
    model = MLP(2, [1])
    for parameter, number in zip(model.parameters(), [2.0, 0.0, 0.0], strict=True):
        parameter.data = number
    loss = moons.moons_loss(model, np.array([[0.25, 1.0], [9.0, 9.0]]), np.array([1.0, -1.0]))
    assert loss.data == pytest.approx((0.5 + 3.0) / 2 + 1e-4 * 4, rel=1e-15)


def test_an_eager_step_gives_the_gradient_at_the_parameters_it_is_given():
    model = MLP(2, [1])
    points, classes = np.array([[0.25, 1.0], [9.0, 8.0]]), np.array([1.0, -1.0])

    def record():
        return moons.moons_loss(model, points, classes)

    theta = np.array([2.0, 0.0, 0.5])
    for _ in range(2):  # nothing is left over from the first
        loss, gradient = moons.eager_step(record, model.parameters(), theta)
        # scores 1 and 2.5: only the second falls short, by 3.5; d/dscore ½, and 2e-4 p for the penalty
        assert loss == pytest.approx(3.5 / 2 + 1e-4 * (4 + 0.25), rel=1e-15)
        np.testing.assert_allclose(gradient, [0.5 * 1 + 4e-4, 0.5 * 8, 0.5 + 1e-4], rtol=1e-15)


def test_descending_goes_down_the_gradient_at_each_rate():
    seen = []
    theta, seconds = moons.descend(
        lambda theta: (float(theta @ theta), 2 * theta),
        np.array([1.0, -2.0]),
        [0.25, 0.5],
        lambda step, loss: seen.append((step, loss)),
    )
    np.testing.assert_array_equal(theta, [0.0, 0.0])  # θ - 0.25 · 2θ = θ/2, and θ/2 - 0.5 · θ = 0
    assert seen == [(1, 5.0), (2, 1.25)]
    assert seconds > 0


def test_engines_that_disagree_stop_the_comparison():
    def right(theta):
        return 0.0, theta

    def wrong(theta):
        return 0.0, theta + 1e-6

    with pytest.raises(AssertionError, match="DIFFERS"):
        moons.compare(wrong, right, np.ones(2), [0.1], print)


def test_the_demo_learns_and_writes_what_it_names(tmp_path, capsys):
    moons.main(["--out", str(tmp_path), "--steps", "60"])
    printed = capsys.readouterr().out.replace(str(tmp_path), "out")
    losses = [float(found) for found in re.findall(r"loss ([\d.]+)", printed)]
    assert len(losses) == 10
    assert losses[-1] < losses[0] / 2
    assert int(re.search(r"right side of the boundary: (\d+)%", printed)[1]) >= 90
    assert float(re.search(r"gradients: ([\d.e-]+) of", printed)[1]) <= 1e-12
    assert max(map(len, printed.splitlines())) <= 80
    assert "out/moons.png" in printed.split("wrote")[1]
    assert (tmp_path / "moons.png").read_bytes().startswith(b"\x89PNG")


def test_the_demo_writes_its_training_as_a_page_on_request(tmp_path, capsys):
    moons.main(["--out", str(tmp_path), "--steps", "5", "--html", "--quiet"])
    assert capsys.readouterr().out.splitlines()[-1] == f"  {tmp_path / 'moons.html'}"
    page = (tmp_path / "moons.html").read_text(encoding="utf-8")
    data = json.loads(Page(page).inner("script")[0])
    assert len(data["loss"]) == 6  # before each step, and after the last
    assert [len(sizes) for sizes in data["gradients"]] == [6, 6, 6]
    assert data["frames"][-1]["right"] > 50
    assert str(tmp_path) not in page


def test_quiet_prints_only_the_result_and_a_seed_repeats_its_bits(tmp_path, capsys):
    outputs = []
    for run in ("first", "second"):
        moons.main(["--out", str(tmp_path / run), "--steps", "2", "--seed", "3", "--quiet"])
        outputs.append(capsys.readouterr().out.replace(str(tmp_path / run), "out"))
    assert outputs[0] == outputs[1]
    assert [line.split(":")[0] for line in outputs[0].splitlines()] == [
        "points on the right side of the boundary", "", "wrote", "  out/moons.png",
    ]  # fmt: skip


@pytest.mark.parametrize("option", [["--steps", "0"], ["--seed", "-1"], ["--nonsense"]])
def test_bad_options_are_refused(option, capsys):
    with pytest.raises(SystemExit) as stop:
        moons.main(option)
    assert stop.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_an_out_that_is_no_folder_is_refused_before_the_work(tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(SystemExit):
        moons.main(["--out", str(tmp_path / "file")])
    assert "--out: expected a folder" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "mine"


def test_help_says_what_it_does(capsys):
    with pytest.raises(SystemExit) as stop:
        moons.main(["--help"])
    assert stop.value.code == 0
    assert "tell two moons apart" in capsys.readouterr().out
