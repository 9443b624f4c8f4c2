"""The README's code runs, and its picture is what the code draws."""

import ast
import math
import re
from pathlib import Path

import numpy as np
import pytest

from autograd.drawing import engines
from tests.browser import CHROMIUM, DRIVER

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def first_block(heading, language="python"):
    """The first block of code below a heading."""
    return README.split(f"## {heading}\n")[1].split(f"```{language}\n")[1].split("```")[0]


@pytest.fixture
def built_in_layout(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))  # where no `dot` program is,
    monkeypatch.setattr(engines, "find_spec", lambda name: None)  # nor pygraphviz


def test_the_first_example_prints_what_its_comment_says_and_draws_the_picture(
    built_in_layout, monkeypatch, tmp_path, capsys
):
    monkeypatch.chdir(tmp_path)
    exec(BLOCKS[0], {})
    said = re.search(r"print\(f.*\)\s+# (.*)", BLOCKS[0])[1]
    assert said == "0.4621 1.5729"  # tanh ½, and 2 (1 - tanh² ½)
    assert said in capsys.readouterr().out
    shown = (ROOT / "demos" / "pictures" / "neuron.svg").read_bytes()
    assert (tmp_path / "neuron.svg").read_bytes() == shown


def test_the_second_example_prints_the_derivatives_of_calculus(capsys):
    exec(BLOCKS[1], {})
    s, c = math.sin(0.5), math.cos(0.5)  # of x² sin y at (3, ½)
    expected = [6 * s, 9 * c], [[2 * s, 6 * c], [6 * c, -9 * s]], (9 * s, 6 * s)
    for line, numbers in zip(capsys.readouterr().out.splitlines(), expected, strict=True):
        np.testing.assert_allclose(ast.literal_eval(line), numbers, rtol=1e-14)


def test_the_third_example_accuses_every_array(capsys):
    exec(BLOCKS[2], {})
    table = capsys.readouterr().out
    assert table.count("DIFFERS") == 4
    assert "agrees" not in table


def test_the_fourth_example_prints_the_diagnosis_that_is_shown(capsys):
    names = {}
    exec(BLOCKS[2], names)
    capsys.readouterr()
    exec(BLOCKS[3], names)
    shown = README.split(BLOCKS[3])[1].split("```text\n")[1].split("```")[0]
    assert shown == capsys.readouterr().out


def test_the_fifth_example_draws_the_pictures_and_lists_the_paths(
    built_in_layout, monkeypatch, tmp_path, capsys
):
    monkeypatch.chdir(tmp_path)
    exec(first_block("See it"), {})
    for name in ("scalars.svg", "neurons.svg", "program.svg"):
        assert (tmp_path / name).read_bytes() == (ROOT / "demos" / "pictures" / name).read_bytes()
    assert (tmp_path / "steps.html").stat().st_size > 20_000
    assert "3 paths from x0 to y" in capsys.readouterr().out  # one by each hidden neuron


def test_every_picture_is_there_and_small():
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert len(pictures) == len(list((ROOT / "demos" / "pictures").iterdir())) == 7
    for picture in pictures:
        assert (ROOT / picture).stat().st_size < 120_000, picture


@pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs Debian's packages chromium and chromium-driver")
def test_the_screenshots_can_be_taken_again(tmp_path):
    pytest.importorskip("matplotlib", reason="needs the extra 'demos'")
    from tests.screenshots import take

    image = pytest.importorskip("matplotlib.image")
    for path in take(tmp_path):
        stored, taken = image.imread(ROOT / "demos" / "pictures" / path.name), image.imread(path)
        assert taken.shape == stored.shape
        # other fonts move letters: of some pixels the difference is large, of most there is none
        assert (abs(taken - stored).max(axis=2) > 0.1).mean() < 0.1


def test_the_lifted_programs_source_is_as_shown(capsys):
    exec(first_block("Run it as matrices"), {})
    assert first_block("Run it as matrices", "text") in capsys.readouterr().out


def test_the_training_examples_learn_the_moons_and_have_right_gradients(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    names, section = {}, README.split("## Train\n")[1].split("\n## ")[0]
    network, mlp = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    exec(network, names)
    share = int(re.match(r"(\d+)% of the moons, \d+ epochs", capsys.readouterr().out)[1])
    assert share >= 97
    assert (tmp_path / "moons.npz").stat().st_size > 1000
    exec(mlp, names)
    said = capsys.readouterr().out
    assert int(re.match(r"(\d+)% of the moons", said)[1]) >= 90    # of 8 neurons, and 100 steps
    assert "all agree (tolerance 1e-06" in said
    assert (tmp_path / "mlp.npz").stat().st_size > 500
