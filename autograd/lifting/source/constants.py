"""Arrays of numbers that the text has names for.

    X1 = constants["X1"]                    (2, 100)     data that were plain numbers
    index1 = constants["index1"]            (40,)        which entries to pick; a few stand in the text itself
    mask1 = np.tri(16, 16, dtype=bool)      (16, 16)     what NumPy says in a few words is not handed over

This room knows names and expressions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.lifting.recording import Ints
from autograd.lifting.registers import Booleans
from autograd.lifting.source.expressions import Expression, Shape, named
from autograd.lifting.source.naming import Names

_INLINE = 16  # numbers of an index that stand in the text


class Constants:
    """Equal arrays have one name.

    arrays  those to be handed over, by name
    lines   what each name stands for, as text, and its shape
    """

    def __init__(self, names: Names, dtype: np.dtype[Any]) -> None:
        self._names, self._dtype = names, dtype
        self.arrays: dict[str, npt.NDArray[Any]] = {}
        self.lines: dict[str, tuple[str, Shape]] = {}
        self._given: dict[Any, str] = {}

    def draft(self) -> Constants:
        """Constants to try something with: they leave no trace in these."""
        return Constants(Names(), self._dtype)

    def array(self, array: npt.NDArray[Any], stem: str) -> Expression:
        """The name of an array that is handed over."""
        if array.dtype.kind == "f":
            array = array.astype(self._dtype)
        key = stem, array.shape, array.dtype.str, array.tobytes()
        if key not in self._given:
            name = self._given[key] = self._names.numbered(stem)
            self.arrays[name] = array
            self.lines[name] = f'constants["{name}"]', array.shape
        return named(self._given[key], array.shape)

    def mask(self, mask: Booleans, samples: bool) -> Expression:
        """The name of a mask, with an axis of size 1 for `samples`; a triangle is computed."""
        behind: Shape = (1,) * samples
        rows, columns = mask.shape[-2:] if mask.ndim > 1 else (0, 0)
        if not rows or (mask != np.tri(rows, columns)).any():
            return self.array(mask.reshape(*mask.shape, *behind), "mask")
        text = f"np.tri({rows}, {columns}, dtype=bool)" + "[:, :, None]" * samples
        shape = rows, columns, *behind
        if text not in self._given:
            self._given[text] = self._names.numbered("mask")
            self.lines[self._given[text]] = text, shape
        return named(self._given[text], shape)

    def index(self, index: Sequence[Ints]) -> str:
        """The text of an index for each axis of an array."""
        if index[0].size <= _INLINE:
            texts = [str(part.tolist()) for part in index]
            return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"
        if len(index) == 1:
            return str(self.array(index[0], "index"))
        return f"tuple({self.array(np.stack(index), 'index')})"


def in_brackets(index: str) -> str:
    """The text of an index behind the name of an array."""
    return f"[{index[1:-1] if index.startswith('(') else index}]"
