"""Where a network's numbers live: one flat vector (P,), and windows on it.

Knows NumPy and the checks at the door. The vector runs layer by layer, neuron by neuron, weights then
bias: a layer is one block [W | b] of (out, in + 1), so that the scalar MLP's parameters, in order,
are this vector, and a step of training is one array operation however many layers there are.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NoReturn, SupportsIndex

import numpy as np
import numpy.typing as npt

from nn import checks

Array = npt.NDArray[np.float64]


def parameter_count(layer_sizes: Sequence[int]) -> int:
    """How many numbers a network of these widths has, P.

    >>> parameter_count([2, 3, 1])      # 3 (2 + 1) + 1 (3 + 1)
    13
    """
    return sum(out * (inputs + 1) for inputs, out in pairwise(layer_sizes))


def windows(vector: Array, layer_sizes: Sequence[int]) -> Iterator[tuple[Array, Array]]:
    """Each layer's W (out, in) and b (out, 1), views of a vector (P,).

    >>> [(W.tolist(), b.tolist()) for W, b in windows(np.arange(6.0), [2, 2])]
    [([[0.0, 1.0], [3.0, 4.0]], [[2.0], [5.0]])]
    """
    start = 0
    for inputs, out in pairwise(layer_sizes):
        stop = start + out * (inputs + 1)
        block = vector[start:stop].reshape(out, inputs + 1)
        yield block[:, :-1], block[:, -1:]
        start = stop


class LayerArrays(list[Array]):
    """The weights, or the biases, of all layers: a list of windows.

    Assigning an array copies its numbers in, after a check of shape, dtype and finiteness, so
    nothing comes apart; for the same reason the list keeps its length.
    """

    def __init__(self, name: str, windows: Iterable[Array]) -> None:
        super().__init__(windows)
        self._name = name

    def __setitem__(self, index: SupportsIndex | slice, value: Any) -> None:
        windows = self[index] if isinstance(index, slice) else [self[index]]
        arrays = list(value) if isinstance(index, slice) else [value]
        if len(arrays) != len(windows):
            raise ValueError(f"{self._name}: expected {len(windows)} arrays, got {len(arrays)}")
        checked = [self._checked(array, window) for array, window in zip(arrays, windows, strict=True)]
        for window, array in zip(windows, checked, strict=True):
            window[...] = array

    def _checked(self, array: object, window: Array) -> Array:
        if array is window:             # what `weights[l] -= step` assigns: it was changed in place
            return window
        return checks.finite(self._name, checks.exactly(self._name, array, window.shape)).copy()

    def _refuse(self, *_: object) -> NoReturn:
        raise TypeError(f"{self._name}: a network keeps its layers; assign to {self._name}[l] instead")

    append = extend = insert = pop = remove = clear = reverse = sort = _refuse  # type: ignore[assignment]
    __delitem__ = __iadd__ = __imul__ = _refuse

    def __reduce__(self) -> tuple[type[list[Array]], tuple[list[Array]]]:
        return list, (list(self),)      # a copy is a plain list: it has no network to write through to
