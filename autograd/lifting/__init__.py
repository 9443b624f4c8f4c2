"""A recorded scalar graph as a NumPy program: each pass is a page of its own."""

from autograd.lifting.program import Program, lift
from autograd.lifting.verifying import LiftMismatch, Verification

__all__ = ["LiftMismatch", "Program", "Verification", "lift"]
