"""Networks on liftgrad's scalar autograd, and their vectorised twin: the public names, nothing else."""

import autograd

if not hasattr(autograd, "check_gradients"):
    found = autograd.__file__ or next(iter(autograd.__path__))  # no file: one was uninstalled, and left some
    raise ImportError(
        f"nn needs liftgrad's package 'autograd', but this environment imports another one from {found}. "
        "The two cannot share an environment: pip uninstall autograd; then, in liftgrad's folder, "
        "pip install --force-reinstall --no-deps --editable ."
    )

from nn import schedules, toy_sets
from nn.archives import CheckpointError
from nn.callbacks import Epoch, StopTraining
from nn.checkpoints import Checkpoint, load_preparation
from nn.clipping import clip_by_norm, clip_by_value
from nn.comparing import compare_gradients
from nn.data import find_outliers, one_hot, random_split, stratified_split
from nn.diagnosing import Diagnosis, diagnose
from nn.early_stopping import EarlyStopping
from nn.engines import Engine, LiftedEngine, ScalarEngine
from nn.history import History, TrainingHistory
from nn.layers import Layer, Neuron
from nn.metrics import accuracy, confusion_matrix
from nn.missing import Imputer
from nn.mlp_training import MLP
from nn.modules import BatchNorm, Dropout, Module
from nn.monitors import Monitor, TrainingWarning
from nn.network import NeuralNetwork
from nn.optimizers import SGD, Adagrad, Adam, AdamW, Momentum, Nesterov, RMSprop
from nn.penalties import L1, L2
from nn.plots import (
    plot_activations,
    plot_confusion_matrix,
    plot_decision_boundary,
    plot_gradient_flow,
    plot_history,
    plot_learning_rate,
    plot_losses,
    plot_predictions,
    plot_rate_range,
    plot_training_process,
    plot_weights,
)
from nn.preparation import Preparation
from nn.rate_range import RateRange, learning_rate_range_test
from nn.scaling import Scaler
from nn.schedules import ReduceOnPlateau

__all__ = [
    "L1",
    "L2",
    "MLP",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "BatchNorm",
    "Checkpoint",
    "CheckpointError",
    "Diagnosis",
    "Dropout",
    "EarlyStopping",
    "Engine",
    "Epoch",
    "History",
    "Imputer",
    "Layer",
    "LiftedEngine",
    "Module",
    "Momentum",
    "Monitor",
    "Nesterov",
    "NeuralNetwork",
    "Neuron",
    "Preparation",
    "RMSprop",
    "RateRange",
    "ReduceOnPlateau",
    "ScalarEngine",
    "Scaler",
    "StopTraining",
    "TrainingHistory",
    "TrainingWarning",
    "accuracy",
    "clip_by_norm",
    "clip_by_value",
    "compare_gradients",
    "confusion_matrix",
    "diagnose",
    "find_outliers",
    "learning_rate_range_test",
    "load_preparation",
    "one_hot",
    "plot_activations",
    "plot_confusion_matrix",
    "plot_decision_boundary",
    "plot_gradient_flow",
    "plot_history",
    "plot_learning_rate",
    "plot_losses",
    "plot_predictions",
    "plot_rate_range",
    "plot_training_process",
    "plot_weights",
    "random_split",
    "schedules",
    "stratified_split",
    "toy_sets",
]
