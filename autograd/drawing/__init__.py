"""Drawings of recorded graphs: the public names, nothing else."""

from autograd.drawing.drawing import Drawing, draw

__all__ = ["Drawing", "draw"]
