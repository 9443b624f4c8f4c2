"""The digits demo, with few steps and no display: what it prints, writes and repeats. Demos as programs."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from autograd import terminal
from demos import digits, program

for package in ("sklearn", "matplotlib", "tqdm"):
    pytest.importorskip(package, reason="needs the extra 'demos'")

ROOT = Path(__file__).resolve().parent.parent


def test_the_main_job_learns_compares_and_writes_what_it_names(tmp_path, capsys):
    digits.main(["--out", str(tmp_path), "--epochs", "12"])
    out = capsys.readouterr().out
    accuracy = float(re.search(r"accuracy on the held-out digits: ([\d.]+)%", out)[1])
    assert accuracy >= 94  # 96 and more by the default number of epochs
    assert out.count("all agree") == 3
    assert "DIFFERS" not in out
    assert "NeuralNetwork against MLP of Values" in out
    assert "lifted program: agrees" in out
    assert "epoch   12 of 12" in out  # plain lines where there is no terminal
    assert "\r" not in out
    assert max(map(len, out.replace(str(tmp_path), "out").splitlines())) <= 80
    for name in ("neuron.svg", "losses.png", "predictions.png"):
        assert str(tmp_path / name) in out.split("wrote")[1]
        assert (tmp_path / name).stat().st_size > 1000
    drawing = ET.parse(tmp_path / "neuron.svg")
    assert "w31" in "".join(drawing.getroot().itertext())


def test_quiet_prints_only_accuracy_and_files_and_a_seed_repeats_its_bits(tmp_path, capsys):
    outputs = []
    for run in ("first", "second"):
        out = tmp_path / run
        digits.main(["--out", str(out), "--epochs", "1", "--seed", "3", "--quiet"])
        printed = capsys.readouterr().out.replace(str(out), "out")
        outputs.append((printed, *[path.read_bytes() for path in sorted(out.iterdir())]))
    assert outputs[0] == outputs[1]
    assert "Gradients" not in outputs[0][0]


@pytest.mark.parametrize("option", [["--epochs", "0"], ["--seed", "-1"], ["--epochs", "x"], ["--nonsense"]])
def test_bad_options_are_refused(option, capsys):
    with pytest.raises(SystemExit) as stop:
        digits.main(option)
    assert stop.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_an_out_that_is_no_folder_is_refused_before_the_work(tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(SystemExit):
        digits.main(["--out", str(tmp_path / "file")])
    assert "--out: expected a folder" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "mine"


def test_help_says_what_it_does(capsys):
    with pytest.raises(SystemExit) as stop:
        digits.main(["--help"])
    assert stop.value.code == 0
    assert "prove that the gradients agree" in capsys.readouterr().out


def test_an_out_that_cannot_be_written_to_is_refused_before_the_work(tmp_path, capsys):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    if os.access(locked, os.W_OK):  # for root, whom no mode stops
        locked = Path("/proc")
        if not locked.is_dir():
            pytest.skip("no folder here that this user may not write to")
    with pytest.raises(SystemExit):
        digits.main(["--out", str(locked)])
    out, err = capsys.readouterr()
    assert f"--out: expected a folder that can be written to, got {locked} (" in err
    assert out == ""


# Demos as programs.

MISTAKES = ["-m", "demos.tutorial_mistakes", "--epochs", "1", "--seeds", "1"]


def started(arguments, **options):
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env={**os.environ, **options}, **streams)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGPIPE")
def test_a_reader_that_goes_ends_a_demo_quietly():
    demo = started(MISTAKES)
    demo.stdout.close()
    assert demo.stderr.read() == b""
    demo.stderr.close()
    assert demo.wait() == terminal.CLOSED_PIPE == 141


def test_an_encoding_without_greek_letters_is_no_obstacle():
    out, err = started(MISTAKES, PYTHONIOENCODING="ascii").communicate()
    assert err == b""
    assert out.decode("ascii").splitlines()[-1] == "6 mistakes shown, each beside what is right."
    assert b"its dz is the true one times m / (2?'(z))" in out


def test_a_missing_package_is_named_with_the_way_to_get_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(program, "find_spec", lambda name: None if name in ("sklearn", "tqdm") else "found")
    with pytest.raises(SystemExit) as stop:
        digits.main(["--out", str(tmp_path / "out")])
    assert stop.value.code == 'This demo needs scikit-learn and tqdm: pip install "liftgrad[demos]"'
    assert capsys.readouterr().out == ""
    assert not (tmp_path / "out").exists()


def test_the_exit_code_is_that_of_the_main_function():
    for code in (0, 3, None):
        with pytest.raises(SystemExit) as stop:
            terminal.run(lambda code=code: code)
        assert stop.value.code == code
