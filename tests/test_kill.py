"""kill -9 at a random moment of training: the checkpoint on disk loads, and resuming ends in the same bits.

`pytest tests/test_kill.py --hypothesis-profile=fuzz` kills 100 times; the suite a handful.
"""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from amounts import amount

from nn import NeuralNetwork, checkpoints

ROOT = Path(__file__).resolve().parent.parent
EPOCHS = 40

TRAINING = f"""
import sys
import numpy as np
import nn

path, = sys.argv[1:]
rng = np.random.default_rng(0)
x = rng.normal(size=(2, 60))
y = (x[:1] * x[1:] > 0).astype(float)
network = nn.NeuralNetwork([2, 40, 1], "tanh", output="sigmoid", loss="binary_cross_entropy", rng=rng)
print("training", flush=True)
network.train(
    x, y, learning_rate=0.05, epochs={EPOCHS}, batch_size=8, optimizer="adam", validation=0.2, progress=False,
    early_stopping=nn.EarlyStopping({EPOCHS}), checkpoint=path, resume=True, rng=np.random.default_rng(1),
    reduce_on_plateau=nn.ReduceOnPlateau(patience=3),
)
print(network.parameters.tobytes().hex(), flush=True)
"""


def start(path):
    """The training, resumed where there is something to resume, in a process of its own."""
    process = subprocess.Popen([sys.executable, "-c", TRAINING, str(path)], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"training\n"
    return process


def finish(path):
    with start(path) as process:
        parameters = process.stdout.read()
    assert process.returncode == 0
    return parameters


def epoch_of(path):
    return checkpoints.read(path).training.epoch if path.exists() else 0


def kill_at_random(path, rng):
    """Let it train for a random while, then kill it; gives whether it was still training."""
    before = epoch_of(path)
    with start(path) as process:
        while epoch_of(path) == before and process.poll() is None:      # at least an epoch further each time
            time.sleep(0.001)
        time.sleep(rng.uniform(0.0, 0.02))
        process.send_signal(signal.SIGKILL)
    return process.returncode == -signal.SIGKILL


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 here")
def test_a_training_killed_at_random_moments_ends_in_the_bits_of_one_that_was_not(tmp_path):
    expected, rng = finish(tmp_path / "whole.npz"), np.random.default_rng(0)
    kills, rounds, wanted = 0, 0, amount(suite=4, fuzz=100)
    while kills < wanted:
        path, rounds = tmp_path / f"{rounds}.npz", rounds + 1
        for _ in range(min(10, wanted - kills)):
            kills += kill_at_random(path, rng)
            assert NeuralNetwork.load(path).parameters.shape == (161,)
        assert finish(path) == expected
    left = {file.name.removesuffix(".part") for file in tmp_path.iterdir()}
    assert left == {"whole.npz", *(f"{i}.npz" for i in range(rounds))}


def test_the_processes_train_what_the_test_thinks_they_do(tmp_path):
    path = tmp_path / "whole.npz"
    hexadecimal = finish(path).strip().decode()
    network = NeuralNetwork.load(path)
    assert len(network.history) == EPOCHS
    assert network.parameters.tobytes().hex() == hexadecimal
    assert network.history[-1] < 0.5 * network.history[0]
