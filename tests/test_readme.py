"""The README's code runs, and its picture is what the code draws."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def built_in_layout(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))  # where no `dot` program is


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


def test_the_second_example_accuses_every_array(capsys):
    exec(BLOCKS[1], {})
    table = capsys.readouterr().out
    assert table.count("DIFFERS") == 4
    assert "agrees" not in table
