"""Networks on liftgrad's scalar autograd, and their vectorised twin: the public names, nothing else."""

import autograd

if not hasattr(autograd, "check_gradients"):
    raise ImportError(
        f"nn needs liftgrad's package 'autograd', but this environment imports another one from "
        f"{autograd.__file__}. The two cannot share an environment: "
        "pip uninstall autograd, then pip install --force-reinstall liftgrad"
    )

from nn.comparing import compare_gradients
from nn.engines import Engine, ScalarEngine
from nn.layers import MLP, Layer, Module, Neuron
from nn.network import NeuralNetwork
from nn.plots import plot_losses, plot_predictions, plot_training_process

__all__ = [
    "MLP",
    "Engine",
    "Layer",
    "Module",
    "NeuralNetwork",
    "Neuron",
    "ScalarEngine",
    "compare_gradients",
    "plot_losses",
    "plot_predictions",
    "plot_training_process",
]
