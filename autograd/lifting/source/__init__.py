"""A lifted program as the text of a NumPy module that a person would have written."""

from autograd.lifting.source.module import Source, outline, source
from autograd.lifting.source.outline import Outline

__all__ = ["Outline", "Source", "outline", "source"]
