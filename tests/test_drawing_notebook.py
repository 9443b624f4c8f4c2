"""What a notebook shows of Values, drawings, reports and networks; and that it always shows something."""

import builtins
import re
import sys
from unittest import mock
from xml.etree import ElementTree

import numpy as np
import pytest

import autograd
from autograd import Drawing, GradientReport, Value, compare_arrays, draw, lift, no_grad
from autograd.drawing import engines
from nn import MLP
from tests.drawings import HOSTILE, Page, shared_chain


def tags(svg):
    return [element.tag.split("}")[1] for element in ElementTree.fromstring(svg).iter()]


def test_a_value_shows_its_graph():
    a = Value(3.0, "a")
    shown = (a * a)._repr_mimebundle_(include=None, exclude=None)
    assert shown["text/plain"] == "Value(data=9.0, grad=0.0)"
    assert tags(shown["image/svg+xml"])[0] == "svg"
    assert "a" in shown["image/svg+xml"]


def test_a_drawing_shows_its_picture_and_who_drew_it():
    drawing = draw(Value(3.0, "a"), engine="built-in")
    assert drawing._repr_mimebundle_() == {"text/plain": repr(drawing), "image/svg+xml": drawing.svg()}


def test_a_large_graph_is_shown_by_its_number_and_the_reason():
    value = shared_chain(1000)
    shown = value._repr_mimebundle_()
    assert set(shown) == {"text/plain"}
    assert shown["text/plain"].startswith(repr(value))
    assert "no picture: draw: 1,002 boxes" in shown["text/plain"]


def test_a_large_graph_with_modules_is_shown_as_layers():
    model = MLP(4, [8, 8, 1], rng=np.random.default_rng(0))
    shown = autograd.sum([model(x) for x in np.eye(4)])._repr_mimebundle_()
    assert "l0" in shown["image/svg+xml"]
    assert "l0.n0.w0" not in shown["image/svg+xml"]


@pytest.mark.parametrize(
    "failure", [RuntimeError("out of ink"), MemoryError(), RecursionError("deep"), KeyError()]
)
def test_nothing_that_fails_in_drawing_comes_out_of_a_cell(failure):
    with mock.patch.object(sys.modules["autograd.drawing.drawing"], "draw", side_effect=failure):
        shown = Value(1.0)._repr_mimebundle_()
    assert set(shown) == {"text/plain"}
    assert "no picture: " in shown["text/plain"]
    assert (str(failure) or type(failure).__name__) in shown["text/plain"]


def test_a_drawing_whose_engine_fails_is_shown_by_the_reason():
    drawing = draw(Value(1.0), engine="built-in")
    with mock.patch.object(Drawing, "svg", side_effect=RuntimeError("out of ink")):
        assert drawing._repr_mimebundle_() == {"text/plain": "Drawing\n(no picture: out of ink)"}


def test_without_any_graphviz_and_its_package_there_is_a_picture():
    real = builtins.__import__

    def no_graphviz(name, *rest):
        if name in ("graphviz", "pygraphviz"):
            raise ImportError(name)
        return real(name, *rest)

    with (
        mock.patch.object(engines.shutil, "which", return_value=None),
        mock.patch.object(engines, "find_spec", return_value=None),
        mock.patch.object(builtins, "__import__", no_graphviz),
    ):
        assert "image/svg+xml" in Value(1.0)._repr_mimebundle_()


@pytest.mark.parametrize("label", HOSTILE)
def test_labels_are_text_in_notebooks_too(label):
    tame, found = (tags(Value(1.0, text)._repr_mimebundle_()["image/svg+xml"]) for text in ("tame", label))
    assert found == tame


def test_a_report_shows_its_table_and_no_name_adds_to_it():
    name = "<script>alert(1)</script>"
    report = compare_arrays({name: [1.0, 2.0]}, {name: [1.0, 2.5]}, sides=(name, "b"))
    assert isinstance(report, GradientReport)
    shown = report._repr_mimebundle_()
    assert shown["text/plain"] == str(report)
    page = Page(shown["text/html"])
    assert {tag for tag, _ in page.elements} == {"table", "caption", "tr", "th", "td"}
    assert "DIFFERS" in shown["text/html"]
    assert "5.00e-01" in shown["text/html"]


@pytest.mark.parametrize(
    ("sizes", "shown"), [([2, 3, 1], ["x0", "l0.n2", "l1.n0"]), ([64, 32, 10], ["(inputs)", "l0", "l1"])]
)
def test_a_network_shows_its_neurons_or_where_they_are_many_its_layers(sizes, shown):
    model = MLP(
        sizes[0], sizes[1:], output="softmax" if sizes[-1] > 1 else "linear", rng=np.random.default_rng(0)
    )
    found = model._repr_mimebundle_(include=None, exclude=None)
    assert found["text/plain"] == repr(model)
    labels = [
        text.text
        for text in ElementTree.fromstring(found["image/svg+xml"]).iter()
        if text.tag.endswith("text")
    ]
    assert set(shown) <= set(labels)
    assert "l0.n0.w0" not in labels


def test_a_very_large_network_shows_its_line_and_why_there_is_no_picture():
    model = MLP(200, [200, 10], rng=np.random.default_rng(0))
    found = model._repr_mimebundle_()
    assert set(found) == {"text/plain"}
    line, reason = found["text/plain"].splitlines()
    assert line == repr(model)
    assert reason.startswith("(no picture: recording 42,210 parameters would take long; draw one output")


def test_a_network_is_drawn_where_nothing_else_is_recorded():
    model = MLP(2, [3, 1], rng=np.random.default_rng(0))
    expected = model._repr_mimebundle_()
    with no_grad():
        assert model._repr_mimebundle_() == expected
        assert (model([1.0, 2.0]) * 2).is_constant  # what stands around it is in force again
    assert "image/svg+xml" in expected


class Unwilling(MLP):
    """One that cannot be called with zeros."""

    def __call__(self, x, masks=None, *, training=False):
        raise ZeroDivisionError("not at 0")


class Untold(Value):
    """A number that cannot be printed."""

    def __repr__(self):
        raise LookupError("no words")


class Mute(Exception):
    """An error that cannot be printed either."""

    def __str__(self):
        raise ValueError


def broken_weights():
    model = MLP(2, [3, 1], rng=np.random.default_rng(0))
    model.layers[0].neurons[0].weights[1] = "not a Value"
    return model


def program_without_parameters():
    program = lift(Value(1.0, "a") * 2)
    program.parameters = None
    return program


@pytest.mark.parametrize(
    ("thing", "words", "reason"),
    [
        (Unwilling(2, [3, 1], rng=np.random.default_rng(0)), "MLP(2, [3, 1], ", "not at 0"),
        (broken_weights(), "MLP object", "'str' object has no attribute 'label'"),
        (Untold(1.0), "Untold object", "no words"),
        (program_without_parameters(), "Program object", "NoneType"),
        (GradientReport((), "a", "b", 1e-12), "GradientReport object", "empty"),
    ],
    ids=["call", "weight", "repr", "program", "report"],
)
def test_whatever_is_broken_is_shown_by_its_text_and_the_reason(thing, words, reason):
    with no_grad():
        shown = thing._repr_mimebundle_(include=None, exclude=None)
    assert set(shown) == {"text/plain"}
    assert words in shown["text/plain"]
    assert re.search(rf"\n\(no picture: .*{reason}.*\)$", shown["text/plain"])


def test_an_error_without_words_is_shown_by_its_name():
    with mock.patch.object(sys.modules["autograd.drawing.drawing"], "draw", side_effect=Mute()):
        assert Value(1.0)._repr_mimebundle_()["text/plain"].endswith("(no picture: Mute)")
