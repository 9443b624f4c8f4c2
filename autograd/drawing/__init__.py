"""Drawings of recorded graphs: the public names, nothing else."""

from autograd.drawing.drawing import Drawing, draw
from autograd.drawing.notebook import notebook_bundle

__all__ = ["Drawing", "draw", "notebook_bundle"]
