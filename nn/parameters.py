"""Where a network's numbers live: one flat vector (P,), and windows on it.

Knows NumPy and the checks at the door. The vector runs layer by layer, neuron by neuron, weights then
bias: a layer is one block [W | b] of (out, in + 1), so that the scalar MLP's parameters, in order,
are this vector, and a step of training is one array operation however many layers there are. Where a
network has batch normalisation, a block [γ | β] of (out, 2) follows that of each hidden layer.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NamedTuple, NoReturn, SupportsIndex

import numpy as np
import numpy.typing as npt

from nn import checks

Array = npt.NDArray[np.float64]
Block = tuple[Array, Array | None]      # of a layer: [W | b], and [γ | β] where it is normalised


class Gradient(NamedTuple):
    """A gradient (P,), and its blocks as a network's are: views of it."""

    vector: Array
    blocks: list[Block]


def parameter_count(layer_sizes: Sequence[int], batch_norm: bool = False) -> int:
    """How many numbers a network of these widths has, P.

    >>> parameter_count([2, 3, 1])      # 3 (2 + 1) + 1 (3 + 1)
    13
    >>> parameter_count([2, 3, 1], batch_norm=True)     # and 3 · 2
    19
    """
    hidden = layer_sizes[1:-1] if batch_norm else ()
    return sum(out * (inputs + 1) for inputs, out in pairwise(layer_sizes)) + 2 * sum(hidden)


def blocks(vector: Array, layer_sizes: Sequence[int], batch_norm: bool = False) -> list[Block]:
    """Each layer's block [W | b] (out, in + 1), and [γ | β] (out, 2) or None: views of a vector (P,).

    >>> blocks(np.arange(6.0), [2, 2])
    [(array([[0., 1., 2.],
           [3., 4., 5.]]), None)]
    """
    found: list[Block] = []
    start, top = 0, len(layer_sizes) - 2
    for layer, (inputs, out) in enumerate(pairwise(layer_sizes)):
        stop = start + out * (inputs + 1)
        Wb = vector[start:stop].reshape(out, inputs + 1)
        if batch_norm and layer < top:
            start, stop = stop, stop + 2 * out
            found.append((Wb, vector[start:stop].reshape(out, 2)))
        else:
            found.append((Wb, None))
        start = stop
    return found


def windows(
    vector: Array, layer_sizes: Sequence[int], batch_norm: bool = False
) -> Iterator[tuple[Array, Array]]:
    """Each layer's W (out, in) and b (out, 1), views of a vector (P,).

    >>> [(W.tolist(), b.tolist()) for W, b in windows(np.arange(6.0), [2, 2])]
    [([[0.0, 1.0], [3.0, 4.0]], [[2.0], [5.0]])]
    """
    for Wb, _ in blocks(vector, layer_sizes, batch_norm):
        yield Wb[:, :-1], Wb[:, -1:]


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
        name, shape = self._name, window.shape
        numbers = checks.real_array(name, array, shape, window.dtype)
        if numbers.shape != shape:
            column = "(outputs, 1), a column: array.reshape(-1, 1)"
            advice = f"A layer's {name} are {'(outputs, inputs)' if name == 'weights' else column}."
            raise ValueError(checks.shape_message(name, str(shape), str(numbers.shape), advice))
        return checks.finite(name, numbers).copy()

    def _refuse(self, *_: object) -> NoReturn:
        raise TypeError(f"{self._name}: a network keeps its layers; assign to {self._name}[l] instead")

    append = extend = insert = pop = remove = clear = reverse = sort = _refuse  # type: ignore[assignment]
    __delitem__ = __iadd__ = __imul__ = _refuse

    def __reduce__(self) -> tuple[type[list[Array]], tuple[list[Array]]]:
        return list, (list(self),)      # a copy is a plain list: it has no network to write through to


class LayeredParameters:
    """What a network of fully connected layers owns: its parameters, and how a gradient is laid out.

    >>> layers = LayeredParameters([2, 1])
    >>> layers.parameters = [1.0, 2.0, 3.0]
    >>> layers.weights, layers.biases
    ([array([[1., 2.]])], [array([[3.]])])
    """

    def __init__(
        self, layer_sizes: Sequence[int], batch_norm: bool = False, dtype: npt.DTypeLike = np.float64
    ) -> None:
        self.layer_sizes = list(layer_sizes)
        self.batch_norm, self.dtype = batch_norm, np.dtype(dtype)
        self._bind(np.zeros(parameter_count(layer_sizes, batch_norm), dtype))
        for gamma in self.gammas:
            gamma[...] = 1.0

    @property
    def parameters(self) -> Array:
        """All parameters (P,), live; assigning a vector copies it in."""
        return self._parameters

    @parameters.setter
    def parameters(self, theta: npt.ArrayLike) -> None:
        if theta is not self._parameters:       # `parameters -= step` has changed it in place
            self._parameters[:] = checks.finite("parameters", self._vector("parameters", theta))

    @property
    def weights(self) -> LayerArrays:
        """Each layer's W (out, in)."""
        return self._weights

    @weights.setter
    def weights(self, arrays: Iterable[npt.ArrayLike]) -> None:
        self._weights[:] = arrays

    @property
    def biases(self) -> LayerArrays:
        """Each layer's b (out, 1)."""
        return self._biases

    @biases.setter
    def biases(self, arrays: Iterable[npt.ArrayLike]) -> None:
        self._biases[:] = arrays

    @property
    def gammas(self) -> LayerArrays:
        """Each normalised layer's γ (out, 1), the spread it gives; none without batch normalisation."""
        return LayerArrays("gammas", [norm[:, :1] for _, norm in self._blocks if norm is not None])

    @property
    def betas(self) -> LayerArrays:
        """Each normalised layer's β (out, 1), the mean it gives; none without batch normalisation."""
        return LayerArrays("betas", [norm[:, 1:] for _, norm in self._blocks if norm is not None])

    def _bind(self, parameters: Array) -> None:
        """Make this vector the network's parameters, unchecked and not copied."""
        self._parameters = parameters
        self._blocks = self._blocks_of(parameters)
        self._weights = LayerArrays("weights", [Wb[:, :-1] for Wb, _ in self._blocks])
        self._biases = LayerArrays("biases", [Wb[:, -1:] for Wb, _ in self._blocks])

    def _blocks_of(self, vector: Array) -> list[Block]:
        return blocks(vector, self.layer_sizes, self.batch_norm)

    def _room_for_gradient(self) -> Gradient:
        vector = np.empty_like(self._parameters)
        return Gradient(vector, self._blocks_of(vector))

    @contextmanager
    def _holding(self, parameters: Array) -> Iterator[None]:
        """The same object with other parameters, for a while: afterwards it has its own again."""
        before = self._parameters.copy()
        try:
            self._parameters[:] = parameters
            yield
        finally:
            self._parameters[:] = before

    def __getstate__(self) -> dict[str, Any]:
        made = "_blocks", "_weights", "_biases"     # of the parameters
        return {name: value for name, value in self.__dict__.items() if name not in made}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._bind(self._parameters)

    def named_gradients(self, gradient: npt.ArrayLike) -> dict[str, Array]:
        """A gradient (P,), in the parameters' order, as {"dW0": …, "db0": …, …}, views of it.

        >>> LayeredParameters([2, 1]).named_gradients([1.0, 2.0, 3.0])
        {'dW0': array([[1., 2.]]), 'db0': array([[3.]])}
        """
        return self._named(self._vector("gradient", gradient))

    def _named(self, gradient: Array) -> dict[str, Array]:
        named = {}
        for layer, (dWb, dnorm) in enumerate(self._blocks_of(gradient)):
            named[f"dW{layer}"], named[f"db{layer}"] = dWb[:, :-1], dWb[:, -1:]
            if dnorm is not None:
                named[f"dgamma{layer}"], named[f"dbeta{layer}"] = dnorm[:, :1], dnorm[:, 1:]
        return named

    def flat_gradient(self, gradients: Mapping[str, npt.ArrayLike]) -> Array:
        """{"dW0": …, "db0": …, …} as one gradient (P,); each shape is checked."""
        gradient = np.empty_like(self._parameters)
        named = self._named(gradient)
        checks.keys("gradients", gradients, named)
        for name, window in named.items():
            window[...] = checks.exactly(name, gradients[name], window.shape, self.dtype)
        return gradient

    def _vector(self, name: str, vector: object) -> Array:
        return checks.exactly(name, vector, self._parameters.shape, self.dtype)
