"""Who draws, what the line says of it, and the files that are written."""

import json
import os
import re
import shutil
import stat
import struct
import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from unittest import mock
from xml.etree import ElementTree

import numpy as np
import pytest

import autograd
from autograd import Value, draw
from autograd.drawing import engines
from tests.drawings import built_in_svg, read_svg, shared_chain, without_dot

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason='needs the Graphviz program "dot"')
needs_pygraphviz = pytest.mark.skipif(find_spec("pygraphviz") is None, reason="needs the extra 'render'")


def without_pygraphviz():
    return mock.patch.object(engines, "find_spec", return_value=None)


@needs_dot
def test_graphviz_svg_has_each_node_and_each_use():
    a = Value(3.0, label="a")
    drawing = draw((a * a + 10).tanh())
    root = ElementTree.fromstring(drawing.svg())
    kinds = Counter(group.get("class") for group in root.iter("{http://www.w3.org/2000/svg}g"))
    assert (kinds["node"], kinds["edge"]) == (5, 5)
    assert repr(drawing) == "Drawing: 5 nodes, 5 edges, drawn by Graphviz dot"


@needs_dot
@pytest.mark.parametrize("direction", ["LR", "RL", "TB", "BT"])
def test_graphviz_draws_in_the_direction_asked_for(direction):
    import graphviz

    a = Value(2.0, label="a")
    source = draw((a * a).tanh(), direction=direction, partials=True).dot
    read = json.loads(graphviz.Source(source).pipe(format="json", encoding="utf-8"))
    places = [tuple(map(float, node["pos"].split(","))) for node in read["objects"]]
    axis, sign = {"LR": (0, 1), "RL": (0, -1), "TB": (1, -1), "BT": (1, 1)}[direction]  # y points up
    along = [sign * place[axis] for place in places]
    assert along == sorted(along)
    assert len(set(along)) == 3


@needs_dot
@pytest.mark.parametrize("direction", ["LR", "RL", "TB", "BT"])
@pytest.mark.parametrize("thick", [False, True], ids=["plain", "highlighted"])
def test_no_arrowhead_reaches_the_number_at_its_end(direction, thick):
    a, b = Value(-2.0, label="a"), Value(-3.125, label="b")
    product = a * b
    output = ((product - a) * b * -0.0123).tanh()
    highlight = a if thick else None
    drawn = draw(output, direction=direction, partials=True, highlight=highlight, engine="dot").svg()
    root, space = ElementTree.fromstring(drawn), "{http://www.w3.org/2000/svg}"
    heads = [head for head in root.iter(f"{space}polygon") if head.get("fill") == head.get("stroke")]
    notes = [note for note in root.iter(f"{space}text") if note.get("font-size") == "10.00"]
    assert (len(heads), len(notes)) == (9, 8)  # none on the constant's
    for head in heads:
        points = [tuple(map(float, point.split(","))) for point in head.get("points").split()]
        margin = float(head.get("stroke-width", 1))
        xs, ys = zip(*points, strict=True)
        left, right, top, bottom = min(xs) - margin, max(xs) + margin, min(ys) - margin, max(ys) + margin
        for note in notes:
            x, y = float(note.get("x")), float(note.get("y"))
            width = 4.5 * len(note.text)  # a digit of Helvetica at 10 points takes 5.6, and a point 2.8
            apart = right < x or x + width < left or bottom < y - 7 or y < top
            assert apart, note.text


def test_without_graphviz_the_line_says_who_drew_and_why(tmp_path):
    a = Value(3.0, label="a")
    with without_dot(), without_pygraphviz():
        line = draw(a * a).save(tmp_path / "c.svg")
    how = 'drawn by the built-in layout (no Graphviz "dot" program found)'
    assert line == f"{tmp_path / 'c.svg'}: 2 nodes, 2 edges, {how}"
    assert (tmp_path / "c.svg").read_text(encoding="utf-8") == built_in_svg(a * a)


def test_without_the_python_package_the_line_says_how_to_get_it():
    a = Value(3.0, label="a")
    with (
        mock.patch.dict(sys.modules, graphviz=None),
        mock.patch.object(engines, "is_installed", lambda engine: engine == "dot"),
    ):
        line = repr(draw(a * a))
    assert 'drawn by the built-in layout (the Python package "graphviz" does not load: ' in line
    assert line.endswith("; pip install graphviz)")


@needs_dot
def test_with_graphviz_the_line_says_so(tmp_path):
    path = str(tmp_path / "c.svg")
    assert draw(Value(1.0).tanh()).save(path) == f"{path}: 2 nodes, 1 edge, drawn by Graphviz dot"


@needs_pygraphviz
@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_where_no_dot_program_is_pygraphviz_draws(ending, tmp_path):
    a = Value(3.0, label="a")
    with without_dot():
        line = draw(a * a).save(tmp_path / f"c.{ending}")
    assert line.endswith("2 nodes, 2 edges, drawn by Graphviz dot in pygraphviz")


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for dot is a shell script")
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo Error: no memory >&2; exit 3", "failed with status 3: Error: no memory"),
        (":", "wrote no SVG"),
        ("echo '<svg>'", "wrote no SVG"),
    ],
)
def test_where_graphviz_fails_the_built_in_layout_draws_and_says_why(script, reason, tmp_path):
    (tmp_path / "dot").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "dot").chmod(0o755)
    value = Value(1.0)
    with mock.patch.dict(os.environ, PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}"):
        drawing = draw(value)
        line = repr(drawing)
        with pytest.raises(RuntimeError, match=reason):
            draw(value, engine="dot").svg()
        with pytest.raises(RuntimeError, match=r"\.png is drawn by Graphviz alone.*failed|wrote no PNG"):
            draw(value).save(tmp_path / "c.png")
    assert line == f'Drawing: 1 node, 0 edges, drawn by the built-in layout (Graphviz "dot" {reason})'
    assert drawing.svg() == built_in_svg(value)
    assert [path.name for path in tmp_path.iterdir()] == ["dot"]


def test_an_engine_can_be_asked_for_by_name():
    assert repr(draw(Value(1.0), engine="built-in")).endswith("drawn by the built-in layout")
    with pytest.raises(ValueError, match="expected engine dot, pygraphviz or built-in, got 'neato'"):
        draw(Value(1.0), engine="neato")


def test_an_engine_asked_for_and_missing_is_an_error_that_says_how_to_install_it():
    with without_dot(), pytest.raises(RuntimeError, match=r"engine 'dot'.*apt-get install graphviz"):
        draw(Value(1.0), engine="dot")
    with without_pygraphviz(), pytest.raises(RuntimeError, match=r'pip install "liftgrad\[render\]"'):
        draw(Value(1.0), engine="pygraphviz")


@pytest.mark.parametrize("ending", ["png", "pdf"])
def test_png_and_pdf_need_graphviz_and_say_how_to_get_it(ending, tmp_path):
    with (
        without_dot(),
        without_pygraphviz(),
        pytest.raises(RuntimeError, match=r"Save a \.svg.*apt-get") as e,
    ):
        draw(Value(1.0)).save(tmp_path / f"c.{ending}")
    assert "liftgrad[render]" in str(e.value)
    with pytest.raises(RuntimeError, match="the built-in layout writes"):
        draw(Value(1.0), engine="built-in").save(tmp_path / f"c.{ending}")
    with pytest.raises(RuntimeError, match="too large"):
        draw(shared_chain(5000)).save(tmp_path / f"c.{ending}")
    assert not list(tmp_path.iterdir())


@needs_dot
@pytest.mark.parametrize(("ending", "magic"), [("png", b"\x89PNG\r\n\x1a\n"), ("pdf", b"%PDF-")])
def test_png_and_pdf_are_what_they_say_and_equal_for_equal_graphs(ending, magic, tmp_path):
    a = Value(3.0, label="a")
    line = draw(a * a).save(tmp_path / f"c.{ending}")
    assert line == f"{tmp_path / 'c'}.{ending}: 2 nodes, 2 edges, drawn by Graphviz dot"
    drawn = (tmp_path / f"c.{ending}").read_bytes()
    assert drawn.startswith(magic)
    if ending == "pdf":  # the one thing in it that is not the picture's
        assert re.findall(rb"/CreationDate \((.*)\)", drawn) == [b"D:20000101000000Z"]
        if shutil.which("pdftotext"):
            text = subprocess.run(["pdftotext", tmp_path / "c.pdf", "-"], capture_output=True, check=True)
            assert "×" in text.stdout.decode()


@needs_dot
@pytest.mark.parametrize(("direction", "other"), [("LR", "TB"), ("TB", "LR")])
def test_a_png_that_graphviz_scaled_down_is_told_with_the_ways_to_a_readable_picture(
    direction, other, tmp_path
):
    line = draw(chain(300), direction=direction).save(tmp_path / "c.png")
    sides = re.search(r"scaled down to ([\d,]+) × ([\d,]+) pixels", line).groups()
    assert tuple(int(side.replace(",", "")) for side in sides) == struct.unpack(
        ">II", (tmp_path / "c.png").read_bytes()[16:24]
    )
    assert "32,767" in sides
    assert f'save a .svg, or draw a part of it, at another level, or with direction="{other}"' in line
    assert "scaled" not in draw(chain(300)).save(tmp_path / "c.svg")
    assert "scaled" not in draw(chain(20), direction=direction).save(tmp_path / "c.png")


def chain(steps):
    value = Value(1.0)
    for _ in range(steps):
        value = value.sin()
    return value


@needs_dot
def test_a_pdf_is_the_same_bytes_in_every_time_zone_and_its_table_finds_every_object(tmp_path, monkeypatch):
    drawn = []
    for zone in ("UTC", "Asia/Tokyo", "America/St_Johns"):
        monkeypatch.setenv("TZ", zone)
        draw(Value(3.0, label="a") * 2).save(tmp_path / "c.pdf")
        drawn.append((tmp_path / "c.pdf").read_bytes())
    assert drawn[0] == drawn[1] == drawn[2]
    (pdf, *_) = drawn
    start = int(re.search(rb"startxref\n(\d+)", pdf)[1])
    assert pdf[start:].startswith(b"xref\n")
    places = [int(place) for place in re.findall(rb"(\d{10}) \d{5} n", pdf[start:])]
    assert len(places) > 5
    for number, place in enumerate(places, start=1):
        assert pdf[place:].startswith(b"%d 0 obj" % number)


@pytest.mark.parametrize(
    ("ending", "how", "attribute"),
    [("dot", "DOT source", "dot"), ("txt", "text", "text"), ("json", "JSON", "json")],
)
def test_texts_are_written_without_graphviz(ending, how, attribute, tmp_path):
    drawing = draw(Value(1.0, label="é"))
    path = tmp_path / f"c.{ending.upper()}"
    with without_dot():
        assert drawing.save(path) == f"{path}: 1 node, 0 edges, {how}"
    assert path.read_bytes() == getattr(drawing, attribute).encode()


def test_json_is_as_documented():
    a = Value(2.0, label="a")
    output = a * a + float("inf")
    output.backward()
    read = json.loads(draw(output, highlight=a).json, parse_constant=pytest.fail)
    assert {key: read[key] for key in ("format", "version", "level", "scalars")} == {
        "format": "liftgrad drawing", "version": 1, "level": "scalars", "scalars": 4,
    }  # fmt: skip
    assert read["boxes"][0] == {
        "kind": "leaf", "operation": "", "symbol": "", "label": "a", "data": 2.0, "gradient": 4.0,
        "output": False,
    }  # fmt: skip
    assert [box["kind"] for box in read["boxes"]] == ["leaf", "operation", "constant", "operation"]
    assert (read["boxes"][2]["data"], read["boxes"][2]["gradient"]) == ("inf", None)
    assert read["arrows"][0] == {"tail": 0, "head": 1, "partial": 2.0, "uses": 1}
    assert read["arrows"][3] == {"tail": 2, "head": 3, "partial": None, "uses": 1}
    assert read["paths"] == [{"boxes": [0, 1, 3], "partials": [2.0, 1.0], "contribution": 2.0}] * 2
    assert read["rest"] == {"paths": 0, "contribution": 0.0}
    assert read["total"] == {"paths": 2, "contribution": 4.0}
    unlit = json.loads(draw(output).json)
    assert (unlit["paths"], unlit["rest"], unlit["total"]) == ([], None, None)


@pytest.mark.parametrize(("steps", "paths"), [(4, 81), (40, 3.0**40), (1000, "inf")])
def test_json_sums_up_the_paths_that_it_does_not_list(steps, paths):
    x = Value(1.0, "x")
    y = x
    for _ in range(steps):
        y = autograd.dot([0.5, 0.25, 0.125], [y, y, y])  # three ways, by ½, ¼ and ⅛: 3ⁿ paths, (7/8)ⁿ
    read = json.loads(draw(y, highlight=x).json, parse_constant=pytest.fail)
    listed = sum(path["contribution"] for path in read["paths"])
    assert len(read["paths"]) == 8
    assert read["total"] == {"paths": paths, "contribution": pytest.approx(0.875**steps, rel=1e-12)}
    assert listed + read["rest"]["contribution"] == pytest.approx(0.875**steps, rel=1e-12)
    if steps == 4:  # ½⁴, four times ½³·¼, and of the next, ½²·¼² six times and ½³·⅛ four times, three
        assert listed == 0.5**4 + 4 * 0.5**5 + 3 * 0.5**6
        assert read["rest"]["paths"] == 73


def test_the_text_of_a_deep_graph_goes_on_below_and_stays_small():
    steps = 3000
    text = draw(shared_chain(steps)).text
    assert text.count("\n") < 3 * steps
    assert max(map(len, text.splitlines())) < 200
    assert len(re.findall(r"  step \d+$", text, re.MULTILINE)) == steps


def half_written(path, content):
    with path.open("wb") as file:
        file.write(content[: len(content) // 2])
    raise OSError("no space left on device")


@pytest.mark.parametrize("failing", ["write_bytes", "replace"])
def test_a_failed_save_leaves_the_old_file_and_nothing_else(failing, tmp_path, monkeypatch):
    (tmp_path / "c.dot").write_text("old")
    monkeypatch.setattr(
        Path, failing, half_written if failing == "write_bytes" else mock.Mock(side_effect=OSError)
    )
    with pytest.raises(OSError, match=r"no space|^$"):
        draw(Value(1.0)).save(tmp_path / "c.dot")
    assert [path.name for path in tmp_path.iterdir()] == ["c.dot"]
    assert (tmp_path / "c.dot").read_text() == "old"


def test_a_missing_directory_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no directory .*nowhere.*make it first"):
        draw(Value(1.0)).save(tmp_path / "nowhere" / "c.svg")


@pytest.mark.parametrize("name", ["c.bmp", "c", ".svg", "svg"])
def test_other_endings_are_refused_with_those_allowed(name, tmp_path):
    with pytest.raises(ValueError, match=r"ending in \.dot, \.svg, .* or \.\w+, got"):
        draw(Value(1.0)).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_equal_graphs_are_equal_files(tmp_path):
    for name in ("one", "other"):
        a, b = Value(2.0, label="a"), Value(-3.0, label="b")
        output = autograd.dot([a, b, a], [b, b, a], a) - a * b
        for ending in ("svg", "dot", "txt", "json"):
            draw(output).save(tmp_path / f"{name}.{ending}")
    for ending in ("svg", "dot", "txt", "json"):
        assert (tmp_path / f"one.{ending}").read_bytes() == (tmp_path / f"other.{ending}").read_bytes()


# ---- files


def test_a_link_stays_a_link_and_a_file_keeps_its_permissions(tmp_path):
    drawing = draw(Value(1.0, label="a"))
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    assert drawing.save(link).startswith(f"{link}: ")
    assert link.is_symlink()
    assert target.read_text() == drawing.json
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert sorted(tmp_path.iterdir()) == [link, target]


def test_a_file_that_cannot_be_written_is_named_as_it_was_asked_for(tmp_path):
    (tmp_path / "c.json").mkdir()
    with pytest.raises(FileNotFoundError, match="there is no directory 'no such folder'"):
        draw(Value(1.0)).save("no such folder/c.json")
    with pytest.raises(IsADirectoryError) as refusal:
        draw(Value(1.0)).save(tmp_path / "c.json")
    assert str(refusal.value).endswith(f"'{tmp_path / 'c.json'}'")
    assert [path.name for path in tmp_path.iterdir()] == ["c.json"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_and_a_link_to_one_are_left_alone(tmp_path):
    pipe, link = tmp_path / "pipe.json", tmp_path / "link.json"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link):
        with pytest.raises(FileExistsError, match="is there and is no file"):
            draw(Value(1.0)).save(path)
    assert pipe.is_fifo()


def test_a_link_to_itself_is_named(tmp_path):
    (tmp_path / "loop.json").symlink_to("loop.json")
    with pytest.raises(OSError, match=r"loop\.json"):
        draw(Value(1.0)).save(tmp_path / "loop.json")


def test_a_flag_takes_the_room_of_its_letters_in_a_box():
    (flag,), _ = read_svg(built_in_svg(Value(1.0, "\U0001f1e6\U0001f1f9" * 8)))
    (letters,), _ = read_svg(built_in_svg(Value(1.0, "重" * 16)))
    assert flag.right - flag.left == letters.right - letters.left


@pytest.mark.parametrize("wrong", [["LR"], None, "up"])
def test_a_direction_that_is_none_is_refused(wrong):
    with pytest.raises(ValueError, match="expected direction LR, RL, TB or BT"):
        draw(Value(1.0), direction=wrong)


def test_a_precision_may_be_an_integer_of_numpys():
    drawing = draw(Value(1 / 3).tanh(), precision=np.int64(3))
    assert "0.333" in drawing.text
    assert '"precision": 3' in drawing.html().replace('"precision":3', '"precision": 3')
