"""liftgrad's scalar autograd: the public names, nothing else."""

from autograd.checking import check_gradients
from autograd.drawing import Drawing, draw
from autograd.functions import dot, exp, log, logsumexp, relu, sigmoid, softmax, softplus, sqrt, sum, tanh
from autograd.reports import GradientMismatch, GradientReport, GradientRow, compare_arrays
from autograd.value import Value

__all__ = [
    "Drawing",
    "GradientMismatch",
    "GradientReport",
    "GradientRow",
    "Value",
    "check_gradients",
    "compare_arrays",
    "dot",
    "draw",
    "exp",
    "log",
    "logsumexp",
    "relu",
    "sigmoid",
    "softmax",
    "softplus",
    "sqrt",
    "sum",
    "tanh",
]
