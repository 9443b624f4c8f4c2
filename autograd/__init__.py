"""liftgrad's scalar autograd: the public names, nothing else."""

from autograd.checking import check_gradients
from autograd.functions import dot, exp, log, logsumexp, relu, sigmoid, softmax, softplus, sqrt, sum, tanh
from autograd.reports import GradientMismatch, GradientReport, GradientRow, compare_arrays
from autograd.value import Value

__all__ = [
    "GradientMismatch",
    "GradientReport",
    "GradientRow",
    "Value",
    "check_gradients",
    "compare_arrays",
    "dot",
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
