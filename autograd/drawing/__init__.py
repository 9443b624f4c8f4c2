"""Drawings of recorded graphs: the public names, nothing else."""

from autograd.drawing import notebook  # noqa: F401  # gives Values and reports their look there
from autograd.drawing.drawing import Drawing, draw

__all__ = ["Drawing", "draw"]
