"""A lifted program as the text of a NumPy module that a person would have written."""

from autograd.lifting.source.module import Source, source

__all__ = ["Source", "source"]
