"""A recorded scalar graph as a NumPy program: each pass is a page of its own."""

from autograd.lifting.program import Program, lift

__all__ = ["Program", "lift"]
