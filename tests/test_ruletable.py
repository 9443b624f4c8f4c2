"""The README's table of rules is the table's own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from autograd.primitives import PRIMITIVES
from autograd.ruletable import domain, updated
from autograd.textbook import operand_names

ROOT = Path(__file__).resolve().parent.parent
COMMAND = "python -m autograd.ruletable README.md"


def run(*arguments):
    """In a process of its own, where no other test has registered a primitive."""
    command = [sys.executable, "-m", "autograd.ruletable", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_readme_has_the_table_as_it_is(tmp_path):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    page = tmp_path / "README.md"
    page.write_text(readme, encoding="utf-8")
    result = run(page)
    assert result.returncode == 0, result.stderr
    assert page.read_text(encoding="utf-8") == readme, f"the README's table of rules is stale: {COMMAND}"
    rows = re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE)
    assert result.stdout == f"{page}: {len(rows)} rows\n"
    assert rows == list(PRIMITIVES)[: len(rows)]


def test_a_stale_table_is_replaced_and_the_rest_of_the_page_left_alone():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    stale = readme.replace("1 − y²", "1 − y").replace("| `exp` |", "| `ex` |")
    assert stale != readme
    before, _, after = readme.partition("\n| operation |")
    replaced = updated(stale)
    assert replaced.startswith(before)
    assert "| `exp` | exp | exp x | y | ℝ |" in replaced
    assert replaced.endswith(after.partition("<!-- end")[2])


def test_a_page_without_marks_is_refused_and_left_as_it_was(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Nothing\n")
    result = run(page)
    assert result.returncode != 0
    assert "no room for the table: expected the lines <!-- printed by" in result.stderr
    assert [path.read_text() for path in tmp_path.iterdir()] == ["# Nothing\n"]
    assert "usage" in run().stderr


LIMITS = {  # from any table of derivatives; the others hold for all real numbers
    "divide": ["", "b ≠ 0"],
    "power": ["x > 0", ""],
    "log": ["x > 0"],
    "log2": ["x > 0"],
    "log10": ["x > 0"],
    "log1p": ["x > −1"],
    "sqrt": ["x > 0"],
    "cbrt": ["x ≠ 0"],
    "tan": ["|x| < π/2"],
    "asin": ["|x| < 1"],
    "acos": ["|x| < 1"],
    "acosh": ["x > 1"],
    "atanh": ["|x| < 1"],
}


@pytest.mark.parametrize("row", PRIMITIVES.values(), ids=lambda row: row.name)
def test_domains_are_those_of_calculus(row):
    names = operand_names(row)
    assert [domain(row, i) for i in range(len(names))] == LIMITS.get(row.name, [""] * len(names))
