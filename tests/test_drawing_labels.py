"""Labels are text: whatever they hold, the drawing is of the graph that was recorded, and of nothing else.

`make fuzz` tries 10,000 labels in each form.
"""

import json
import re
import shutil
import tracemalloc
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import autograd
from autograd import Value, draw
from autograd.drawing.homes import DEEPEST, path_in
from autograd.primitives import PRIMITIVES
from tests.drawings import HOSTILE, Page, any_text, built_in_svg, graph, read_dot, read_svg, shown_in

SCRIPT = Path(autograd.__file__).parent / "drawing" / "page.js"
needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason='needs the Graphviz program "dot"')

hostile = any_text | st.sampled_from(HOSTILE) | st.lists(st.sampled_from(HOSTILE)).map("".join)


def examples(test):
    for label in HOSTILE:
        test = example(label)(test)
    return test


def square(label):
    """Two nodes, of which the operand is used twice, and that bear the label both."""
    value = Value(2.0, label=label)
    output = value * value
    output.label = label
    return output


@pytest.mark.parametrize("form", ["dot", "svg", "text", "json"])
@examples
@given(label=hostile)
def test_no_label_adds_a_node_or_an_edge(form, label):
    names, uses = shown_in(form, square(label))
    assert (names.total(), len(names), list(uses.values())) == (2, 1, [2])


@given(label=hostile)
@examples
def test_json_gives_a_label_back_as_it_is(label):
    assert shown_in("json", square(label)) == graph(square(label))


@examples
@given(label=hostile)
def test_no_label_changes_what_the_dot_text_is_made_of(label):
    (tame_nodes, tame_edges), (nodes, edges) = (read_dot(draw(square(text)).dot) for text in ("tame", label))
    assert (list(nodes), edges) == (list(tame_nodes), tame_edges)
    for node, element in nodes.items():
        structure = [(part.tag, sorted(part.attrib)) for part in element.iter()]
        if label.strip():  # else there is nothing to show
            assert structure == [(part.tag, sorted(part.attrib)) for part in tame_nodes[node].iter()]


@examples
@given(label=hostile)
def test_no_label_changes_what_the_svg_is_made_of(label):
    tame, found = (
        [
            (part.tag, sorted(part.attrib))
            for part in ElementTree.fromstring(built_in_svg(square(text))).iter()
        ]
        for text in ("tame", label)
    )
    if label.strip():  # else there is nothing to show
        assert found == tame
    assert not {"a", "script", "image", "foreignObject"} & {tag.split("}")[1] for tag, _ in found}


@examples
@given(label=hostile)
def test_what_is_shown_of_a_label_is_one_line_of_marks_that_do_not_reorder(label):
    (box, _), _ = read_svg(built_in_svg(square(label)))
    text = draw(square(label)).text
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u061c\x00-\x09\x0b-\x1f\x7f-\x9f]", text + box.name)
    assert len(text.splitlines()) == 3
    assert text.isprintable() or text.replace("\n", "").encode("utf-8")  # no lone surrogate


@examples
@given(label=hostile)
def test_no_label_adds_anything_to_the_page(label):
    def structure(text):
        value = Value(2.0, label=text)
        page = Page(draw(value * value).html())
        return [(tag, sorted(attributes)) for tag, attributes in page.elements], page

    tame, _ = structure("tame")
    found, page = structure(label)
    assert found == tame
    assert page.inner("script")[1] == SCRIPT.read_text(encoding="utf-8")
    nodes = json.loads(page.inner("script")[0])["nodes"]
    assert len(nodes) == 2


@pytest.mark.parametrize("level", ["scalars", "neurons", "layers", "program"])
@pytest.mark.parametrize("label", HOSTILE, ids=range(len(HOSTILE)))
def test_no_label_adds_anything_to_any_form_at_any_level(label, level):
    tame, hostile_one = (
        draw(square(text) * Value(3.0, label="l0.w"), level=level, engine="built-in")
        for text in ("tame.w" if path_in(label) else "tame", label)
    )
    for tags_in in (
        lambda drawing: [part.tag for part in ElementTree.fromstring(drawing.svg()).iter()],
        lambda drawing: [tag for tag, _ in Page(drawing.html()).elements],
    ):
        assert tags_in(hostile_one) == tags_in(tame)
    assert not {"a", "img", "iframe"} & {tag for tag, _ in Page(hostile_one.html()).elements}
    for form in ("dot", "text"):
        assert len(getattr(hostile_one, form).splitlines()) == len(getattr(tame, form).splitlines())
        assert len(getattr(hostile_one, form)) < len(getattr(tame, form)) + 2_000
    arrows = [json.loads(drawing.json)["arrows"] for drawing in (tame, hostile_one)]
    assert arrows[0] == arrows[1]


def test_a_label_of_very_many_dots_is_a_label_and_takes_no_more_memory_than_its_length():
    label = "a." * 5_000 + "b"  # each module it would be in is in the one before: 25 MB of names
    assert path_in(label) == ()
    assert path_in("a." * DEEPEST + "b") == ("a",) * DEEPEST
    tracemalloc.start()
    try:
        drawing = draw(square(label) * Value(3.0, label="l0.w"), level="neurons", engine="built-in")
        assert all([drawing.svg(), drawing.dot, drawing.text, drawing.json, drawing.html()])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100 * len(label)


@needs_dot
def test_graphviz_reads_the_recorded_graph_whatever_the_labels():
    import graphviz

    values = [Value(1.0, label=label) for label in HOSTILE]
    output = autograd.sum(values + values)
    read = json.loads(graphviz.Source(draw(output).dot).pipe(format="json", encoding="utf-8"))
    assert len(read["objects"]) == len(HOSTILE) + 1
    assert sorted(Counter(edge["tail"] for edge in read["edges"]).values()) == [2] * len(HOSTILE)
    assert {edge["head"] for edge in read["edges"]} == {len(HOSTILE)}


@needs_dot
@pytest.mark.parametrize("label", HOSTILE)
def test_no_label_adds_anything_to_graphviz_svg(label):
    drawings = [draw(Value(1.0, label=text).tanh(), engine="dot") for text in ("tame", label)]
    tame, hostile_one = (ElementTree.fromstring(drawing.svg()) for drawing in drawings)
    assert [part.tag for part in hostile_one.iter()] == [part.tag for part in tame.iter()]
    assert [set(part.attrib) for part in hostile_one.iter()] == [set(part.attrib) for part in tame.iter()]
    assert not {"a", "script", "image"} & {part.tag.split("}")[1] for part in hostile_one.iter()}


@needs_dot
@pytest.mark.parametrize("label", [r"\N \G", r"a\\b", "<b>&amp;</b>", '"', "{x|y}", "a\\", "]"])
def test_graphviz_shows_a_label_as_it_is_written(label):
    root = ElementTree.fromstring(draw(Value(1.0, label=label), engine="dot").svg())
    assert label in [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]


def test_a_symbol_of_somebody_elses_is_text_too():
    symbol = '</TD><script>alert(1)</script>\n"]; n9 [label="'
    odd = autograd.primitive("odd_symbol", lambda m, x: x, [lambda m, y, x: 1.0], symbol=symbol)
    del PRIMITIVES["odd_symbol"]
    output = odd(Value(1.0, label="a"))
    output.label = "out"
    for form in ("dot", "svg", "text", "json"):
        assert shown_in(form, output) == graph(output)


@pytest.mark.parametrize("label", ["x" * 1_000_000, "a." * 500_000 + "b"], ids=["letters", "dots"])
def test_a_long_label_is_shortened_and_whole_in_the_title(label):
    value = Value(1.0, label=label)
    (box,), _ = read_svg(built_in_svg(value))
    assert box.name == label[:23] + "…"
    assert box.right - box.left < 300
    (title,) = ElementTree.fromstring(built_in_svg(value)).findall(".//{*}title")
    assert title.text == label
    assert len(draw(value).dot) < 2000
    assert len(draw(value).text) < 100
    assert json.loads(draw(value).json)["boxes"][0]["label"] == label
    output = value * Value(2.0, label="l0.w")
    for level in ("neurons", "layers", "program"):
        assert len(draw(output, level=level, engine="built-in").html()) < 4 * len(label) + 50_000
