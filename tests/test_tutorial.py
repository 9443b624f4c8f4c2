"""The tutorial's own code, as a reader would type it, runs on the package unchanged."""

import re

import numpy as np
import pytest

import nn

IMPORTS = """
import numpy as np
from nn import NeuralNetwork, plot_training_process
"""

USAGE = """
# Create a simple neural network
# This is like setting up a new student with:
# - 2 inputs (like two pieces of information)
# - 3 hidden neurons (like three thinking steps)
# - 1 output (like one final answer)
network = NeuralNetwork([2, 3, 1])

# Generate some training data
# This is like creating practice problems
X = np.random.randn(2, 1000)  # 1000 samples, 2 features
y = np.random.randn(1, 1000)  # 1000 samples, 1 target

# Train the network
# This is like the student practicing with the problems
network.train(X, y, learning_rate=0.01, epochs=1000)

# Make predictions
# This is like the student solving new problems
predictions = network.forward(X)['a' + str(len(network.weights))]
"""

PLOTTING = """
# Create and train a network
network = NeuralNetwork([2, 3, 1])
X = np.random.randn(2, 1000)
y = np.random.randn(1, 1000)
plot_training_process(network, X, y)
"""


def test_the_usage_example_runs_prints_and_predicts(capsys):
    names = {}
    exec(IMPORTS + USAGE, names)
    lines = capsys.readouterr().out.splitlines()
    matches = [re.fullmatch(r"Epoch (\d+), Loss: (\d+\.\d+)", line) for line in lines]
    assert [int(match[1]) for match in matches] == list(range(0, 1000, 100))
    assert float(matches[-1][2]) < float(matches[0][2])
    assert names["predictions"].shape == (1, 1000)


def test_the_plotting_example_runs_and_trains():
    pytest.importorskip("matplotlib", reason="plots are an extra").use("agg")
    figures = []

    def kept(*arguments):
        figures.append(nn.plot_training_process(*arguments))

    names = {}
    exec(IMPORTS, names)
    exec(PLOTTING, {**names, "plot_training_process": kept})
    (line,) = figures[0].axes[0].lines
    losses = np.asarray(line.get_ydata())
    assert len(losses) == 1000
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]
