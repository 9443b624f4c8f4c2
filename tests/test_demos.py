"""The digits demo, with few steps and no display: what it prints, writes and repeats."""

import re
import xml.etree.ElementTree as ET

import pytest

digits = pytest.importorskip("demos.digits", reason="needs the extra 'demos'")


def test_the_main_job_learns_compares_and_writes_what_it_names(tmp_path, capsys):
    digits.main(["--out", str(tmp_path), "--epochs", "12"])
    out = capsys.readouterr().out
    accuracy = float(re.search(r"accuracy on the held-out digits: ([\d.]+)%", out)[1])
    assert accuracy >= 94  # 96 and more by the default number of epochs
    assert out.count("all agree") == 3
    assert "DIFFERS" not in out
    assert "NeuralNetwork against MLP of Values" in out
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
