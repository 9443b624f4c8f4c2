"""The tutorial notebook runs from top to bottom, and shows what is stored in it."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests import notebooks

PATH = Path(__file__).resolve().parent.parent / "demos" / "tutorial.ipynb"
AGAIN = "run: python -m tests.notebooks demos/tutorial.ipynb"


@pytest.fixture(scope="module")
def notebook():
    return notebooks.read(PATH)


def test_it_is_a_notebook_of_about_twenty_cells_that_have_run_in_order(notebook):
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    cells = notebook["cells"]
    assert 18 <= len(cells) <= 26
    assert len({cell["id"] for cell in cells}) == len(cells)
    assert {cell["cell_type"] for cell in cells} == {"markdown", "code"}
    ran = [cell["execution_count"] for cell in notebooks.code_cells(notebook)]
    assert ran == list(range(1, len(ran) + 1))


def test_jupyters_own_check_finds_it_valid(notebook):
    nbformat = pytest.importorskip("nbformat", reason="the check is that of the package nbformat")
    nbformat.validate(nbformat.from_dict(notebook))


def test_every_cell_runs_and_shows_what_is_stored(notebook):
    stored = [cell["outputs"] for cell in notebooks.code_cells(notebook)]
    for number, (found, kept) in enumerate(zip(notebooks.run(notebook), stored, strict=True), start=1):
        assert shown(found) == shown(kept), f"cell {number}; if that is as it should be, {AGAIN}"


def shown(outputs):
    """What is shown, without the digits of tables and of reprs, the last of which are anybody's."""
    kinds = []
    for output in outputs:
        texts = output["data"] if output["output_type"] == "execute_result" else {"stdout": output["text"]}
        for kind, lines in texts.items():
            text = "".join(lines)
            exact = kind in ("stdout", "image/svg+xml")
            kinds.append((kind, text if exact else re.sub(r"[-\s\d.e+]+", "#", text)))
    return kinds


def test_its_pictures_are_stored_in_it_and_hold_nothing_but_pictures(notebook):
    pictures = [
        "".join(output["data"]["image/svg+xml"])
        for cell in notebooks.code_cells(notebook)
        for output in cell["outputs"]
        if "image/svg+xml" in output.get("data", {})
    ]
    assert len(pictures) >= 6
    for picture in pictures:
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(picture).iter()}
        assert tags <= {"svg", "desc", "rect", "g", "path", "text", "title"}


def test_what_it_learns_is_exclusive_or(notebook):
    outputs = [
        "".join(output["text"])
        for cell in notebooks.code_cells(notebook)
        for output in cell["outputs"]
        if output["output_type"] == "stream"
    ]
    assert (
        outputs[-1].splitlines()[-1]
        == "{(0.0, 0.0): -1.0, (0.0, 1.0): 1.0, (1.0, 0.0): 1.0, (1.0, 1.0): -1.0}"
    )


def test_it_names_no_place_on_anybodys_machine():
    text = PATH.read_text(encoding="utf-8")
    assert not re.search(r"/(home|root|tmp|work|Users|usr|opt)\b|[A-Z]:\\\\|object at 0x", text)
    assert str(Path.home()) not in text
