"""The demo's names come from this Python alone, and from reading it, not from running it."""

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from demos.gpt_model import CONTEXT, VOCABULARY
from demos.python_names import ALPHABET, LONGEST, python_names, tokens_of

ROOT = Path(__file__).resolve().parent.parent


def test_names_are_what_they_are_said_to_be():
    names = python_names()
    assert names == sorted(set(names))
    assert {"os", "json"} <= set(names)  # modules
    assert {"len", "isinstance"} <= set(names)  # built-ins
    assert {"loads", "namedtuple", "rglob"} <= set(names)  # a function, one in a package, a method
    for name in names:
        assert 2 <= len(name) <= LONGEST
        assert set(name) <= set(ALPHABET)
        assert not name.startswith("_")
        assert not name.endswith("_")
        assert "__" not in name


def test_a_name_fits_the_model():
    assert len(ALPHABET) + 1 == VOCABULARY
    assert LONGEST + 1 == CONTEXT  # positions: the boundary and the letters
    assert tokens_of("ab_z") == [0, 1, 2, 27, 26, 0]


def test_another_process_gives_the_same_names_and_imports_none_of_them():
    program = (
        "import json, sys; from demos.python_names import python_names; names = python_names();"
        "print(json.dumps([names, sorted({'antigravity', 'this', 'tkinter'} & set(sys.modules))]))"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True,
        env={"PYTHONHASHSEED": "7"},
    )  # fmt: skip
    assert json.loads(outcome.stdout) == [python_names(), []]


def test_a_python_without_its_source_still_has_names(monkeypatch, tmp_path):
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    names = python_names()
    assert {"os", "len"} <= set(names)
    assert "loads" not in names


@pytest.mark.parametrize("name", ["A", "x1", "é"])
def test_other_letters_have_no_token(name):
    with pytest.raises(ValueError, match="not found"):
        tokens_of(name)
