"""python -m autograd: what it prints, writes and refuses, and its exit codes."""

import errno
import io
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autograd import GradientReport
from autograd.__main__ import main
from autograd.terminal import CLOSED_PIPE, run

ROOT = Path(__file__).resolve().parent.parent
NEURON = ["tanh(w1*x1 + w2*x2 + b)", "w1=-3", "x1=2", "w2=1", "x2=0", "b=6.88"]


def table(text):
    """{row: its cells} of the tables in the text."""
    return {line.split()[0]: line.split()[1:] for line in text.splitlines() if line.strip()}


def test_the_value_and_the_gradient_are_printed(capsys):
    assert main([*NEURON, "--precision", "4"]) == 0
    out = capsys.readouterr().out
    y = math.tanh(0.88)
    slope = 1 - y * y
    assert out.splitlines()[0] == f"tanh(w1*x1 + w2*x2 + b) = {y:.4g}"
    rows = table(out)
    assert list(rows)[1:] == ["name", "w1", "x1", "w2", "x2", "b"]
    assert rows["w1"] == ["-3", f"{2 * slope:.4g}"]
    assert rows["x1"] == ["2", f"{-3 * slope:.4g}"]
    assert rows["w2"] == ["1", "0"]
    assert rows["b"] == ["6.88", f"{slope:.4g}"]


def test_second_derivatives_are_printed_on_request(capsys):
    assert main(["x**2 * y", "x=3", "y=5", "--order", "2"]) == 0
    second = table(capsys.readouterr().out.split("∂²")[1])
    assert (second["x"], second["y"]) == (["10", "6"], ["6", "0"])


def test_the_check_prints_its_report_and_passes(capsys):
    assert main(["x**2 * sin(y)", "x=3", "y=0.5", "--check"]) == 0
    assert "all agree" in capsys.readouterr().out


def test_the_check_of_a_number_alone_says_that_there_is_nothing_to_check(capsys, monkeypatch):
    assert main(["2**3", "--check"]) == 0
    assert capsys.readouterr().out == (
        "2**3 = 8\n\nThere is no gradient to check: the expression has no names.\n"
    )
    monkeypatch.setattr(sys, "stdin", io.StringIO("5\nx\n"))
    assert main(["x=2", "--check"]) == 0
    assert "all agree" in capsys.readouterr().out


def test_a_gradient_that_differs_is_exit_code_one(capsys, monkeypatch):
    monkeypatch.setattr(GradientReport, "ok", property(lambda self: False))
    assert main(["x**2", "x=3", "--check"]) == 1
    assert "they do not agree" in capsys.readouterr().out


@pytest.mark.parametrize(
    "expression",
    [
        NEURON,
        ["relu(x) + 2*sum(x, 3, x)", "x=3"],
        ["max(x, 0.5) ** y / y", "x=2", "y=3"],
        ["tanh(a*1 + b*2 + c*3) + tanh(a*4 + b*5 + c*6)", "a=0.1", "b=-0.2", "c=0.1"],
        ["logsumexp(a, 26, b*3) + logsumexp(a, 1e999, b*2) * 0 + logsumexp(a, 41, b*4)", "a=40", "b=10"],
    ],
)
def test_the_lifted_source_runs_and_gives_the_value_and_gradient_of_the_table(expression, capsys):
    assert main([*expression, "--lift", "--precision", "17"]) == 0
    told, source = capsys.readouterr().out.split("\n# theta: ")
    module = {}
    exec(f"# {source}", module)
    order = source.splitlines()[0].split(", ")
    rows = table(told.split("\n", 1)[1])
    value, gradient = module["value_and_gradient"](
        [float(rows[name][0]) for name in order], constants=module.get("constants")
    )
    assert set(rows) == {"name", *order}
    # the same operations in another order: a few units in the last place
    assert value == pytest.approx(float(told.splitlines()[0].split(" = ")[1]), rel=1e-14, nan_ok=True)
    assert gradient == pytest.approx([float(rows[name][1]) for name in order], rel=1e-14, nan_ok=True)


def test_a_number_alone_is_not_lifted(capsys):
    assert main(["2 ** 10", "--lift"]) == 0
    assert capsys.readouterr().out == "2 ** 10 = 1024\n"


@pytest.mark.parametrize("ending", ["svg", "html", "txt", "json", "dot"])
def test_the_graph_is_drawn_to_a_file(ending, tmp_path, capsys):
    path = tmp_path / f"c.{ending}"
    assert main([*NEURON, "--draw", str(path)]) == 0
    assert path.stat().st_size > 300
    assert f"{path}: 10 nodes, 9 edges" in capsys.readouterr().out


def test_expressions_come_from_a_pipe(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("# two of them\nx*y\n\n  x - y  \n"))
    assert main(["x=5", "y=3"]) == 0
    out = capsys.readouterr().out
    assert re.findall(r"^(.*) = (.*)$", out, re.MULTILINE) == [("x*y", "15"), ("x - y", "2")]


def test_a_bad_line_is_told_with_its_number_and_the_good_ones_are_answered(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("# squares\nx*x\n\nx*\ny\nx+x\n"))
    assert main(["x=3"]) == 2
    out, err = capsys.readouterr()
    assert re.findall(r"^(.*) = (.*)$", out, re.MULTILINE) == [("x*x", "9"), ("x+x", "6")]
    assert re.findall(r"^python -m autograd: line (\d+): (.*)$", err, re.MULTILINE) == [
        ("4", "expected a number, a name, a function or (, got the end"),
        ("5", "there is no number for y: add y=NUMBER"),
    ]


def test_a_number_without_use_is_told_unless_a_line_that_cannot_be_read_may_have_one(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("x\nx*x\n"))
    assert main(["x=3", "y=1"]) == 2
    assert "y is given a number, but is not in the expression" in capsys.readouterr().err
    monkeypatch.setattr(sys, "stdin", io.StringIO("x\ny*\n"))
    assert main(["x=3", "y=1"]) == 2
    assert "x = 3" in capsys.readouterr().out


def test_an_expression_without_names_is_a_calculator(capsys):
    assert main(["2 ** 10"]) == 0
    assert capsys.readouterr().out == "2 ** 10 = 1024\n"


def test_values_may_be_written_with_spaces(capsys):
    assert main(["x*y", "x = 3", " y=-2 "]) == 0
    assert capsys.readouterr().out.startswith("x*y = -6\n")


def test_options_may_stand_anywhere(capsys):
    assert main(["--check", "x*x", "--precision", "3", "x=3"]) == 0
    assert main(["--", "-x", "x=3"]) == 0
    assert "-x = -3" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["x*"], "got the end"),
        (["x*y", "x=2"], r"there is no number for y: add y=NUMBER\n  x\*y\n    \^"),
        (["xy*y", "xy=2"], r"no number for y.*\n  xy\*y\n     \^"),
        (["x", "x=2", "z=3"], "z is given a number, but is not in the expression"),
        (["x", "x=2", "x=3"], "x is given twice"),
        (["x", "x=two"], "x: expected a number, as in x=-3, got 'two'"),
        (["x", "=2"], "expected NAME=NUMBER"),
        (["x²", "x=1"], r"got '²': powers are written \*\*\n  x²\n   \^"),
        (["x²", "x²=1"], "'x²=1': expected NAME=NUMBER"),
        (["w₁*x", "x=1"], r"got '₁': names have plain digits"),
        (["x", "x=1", "--draw", ""], r"expected a file name ending in \.dot"),
        (["x", "y"], "expected one expression, got 2: 'x', 'y'; quote it"),
        (["x", "x.y=2"], "expected one expression, got 2.*; a value is given as NAME=NUMBER"),
        (["sin(x,y=2)", "x=1"], r"got '=': values are given after.*\n  sin\(x,y=2\)\n         \^"),
        (["x == 2", "x=1"], r"got '=': values are given after.*\n  x == 2\n    \^"),
        (["x", "x=1", "--draw", "c.bmp"], r"ending in \.dot"),
        (["x", "x=1", "--draw", "no such folder/c.svg"], "there is no directory"),
    ],
)
def test_what_is_wrong_is_told_on_the_error_stream_with_exit_code_two(arguments, reason, capsys):
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert re.search(reason, said.err)
    assert said.out == ""
    assert said.err.startswith("python -m autograd: ")


@pytest.mark.parametrize(
    "option", [["--order", "3"], ["--precision", "0"], ["--nonsense"], ["--dr", "c.svg"]]
)
def test_wrong_options_are_refused(option, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["x", "x=1", *option])
    assert stop.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_an_expression_that_begins_with_minus_is_told_where_it_belongs(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["-x**2", "x=1"])
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert "there is no option -x**2; an expression that begins with - comes last, after --" in said
    assert main(["x=2", "--", "-x"]) == 0  # as it says


def test_a_name_is_the_same_however_its_letters_are_composed(capsys):
    assert main(["\u00e9*2", "e\u0301=3"]) == 0
    assert main(["e\u0301*2", "\u00e9=3"]) == 0
    assert "\u00e9  " in capsys.readouterr().out


def test_columns_stand_under_one_another_beside_wide_names(capsys):
    assert main(["重み*x1", "重み=2", "x1=3"]) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if line][1:] == [
        "name  value  gradient",
        "重み      2         3",
        "x1        3         2",
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "got none"), ("# nothing\n", "got none"), ("x" * 1_000_001, "at most 1,000,000 characters")],
)
def test_a_pipe_is_bounded_and_must_hold_something(text, reason, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    assert main([]) == 2
    assert reason in capsys.readouterr().err


def test_one_drawing_is_of_one_expression(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("x\nx*x\n"))
    assert main(["x=1", "--draw", str(tmp_path / "c.svg")]) == 2
    assert "expected one expression, got 2" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_terminal_without_an_expression_is_told_what_to_type(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", mock_terminal())
    assert main([]) == 2
    assert "see --help" in capsys.readouterr().err


def mock_terminal():
    stream = io.StringIO()
    stream.isatty = lambda: True
    return stream


@pytest.mark.parametrize("columns", [80, 100])
def test_help_fits_the_terminal(columns, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    with pytest.raises(SystemExit):
        main(["--help"])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= columns


def test_help_shows_examples_that_work(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert "tanh" in text
    assert "exit codes" in text
    examples = re.findall(r"^  python -m autograd (.*?)(?:   .*)?$", text, re.MULTILINE)
    assert len(examples) >= 3
    for example in examples:
        words = [a or b for a, b in re.findall(r'"([^"]*)"|(\S+)', example)]
        if "--draw" not in words:
            assert main(words) == 0, example


def test_it_runs_as_a_module_and_evaluates_nothing_as_python(tmp_path):
    command = [sys.executable, "-m", "autograd", f"open('{tmp_path / 'x'}', 'w')"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "there is no function 'open'" in result.stderr
    assert not list(tmp_path.iterdir())
    command = [sys.executable, "-m", "autograd", "x=2"]
    piped = subprocess.run(command, cwd=ROOT, input="x*x\n", capture_output=True, text=True, check=True)
    assert piped.stdout.startswith("x*x = 4\n")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGPIPE")
@pytest.mark.parametrize("lines", [1, 5000], ids=["at the end", "on the way"])
def test_a_reader_that_goes_ends_it_quietly(lines):
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = subprocess.Popen([sys.executable, "-m", "autograd", "x=2"], cwd=ROOT, **streams)
    command.stdout.close()
    _, said = command.communicate(b"x*x\n" * lines)
    assert said == b""
    assert command.returncode == CLOSED_PIPE == 141  # 128 + SIGPIPE, as of any other tool in a shell


def test_an_encoding_without_its_signs_is_no_obstacle():
    command = [sys.executable, "-m", "autograd", "x*x", "x=2", "--order", "2"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert "?" in result.stdout
    assert result.stderr == ""


def refused_by_the_system(redirection, words='"x*x" x=2'):
    """What the shell's command with that redirection says, and its code."""
    command = f'"{sys.executable}" -m autograd {words} {redirection}'
    result = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, check=False)
    return result.returncode, result.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's /dev/full")
def test_an_output_that_cannot_be_written_is_told_in_a_line_and_is_no_difference():
    code, said = refused_by_the_system("> /dev/full")
    assert code == 2
    assert said == f"the standard output cannot be written: {os.strerror(errno.ENOSPC)}\n"
    code, _ = refused_by_the_system("2> /dev/full", words="x+")
    assert code == 2


@pytest.mark.skipif(os.name == "nt", reason="Windows' shell closes no stream")
def test_a_closed_stream_is_told_in_a_line_and_is_no_difference():
    assert refused_by_the_system(">&-") == (2, "the standard output cannot be written: it is closed\n")
    code, said = refused_by_the_system("<&-", "x=1")
    assert code == 2
    assert said == (
        "python -m autograd: expected an expression: none is given, and the standard input is closed\n"
    )


def test_an_error_with_a_file_is_not_taken_for_one_of_the_output():
    with pytest.raises(FileNotFoundError):
        run(lambda: len(Path("no such file").read_text()))
