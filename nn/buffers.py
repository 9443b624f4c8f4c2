"""Where the passes of a network write: arrays made once for a batch size, and used for every such batch.

Knows NumPy, the widths of the layers, and what an activation is. At a few hundred neurons most of a step's
time goes into calls, and fresh memory is a part of that; at a few thousand it is page faults.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nn.formulas import Activation

Array = npt.NDArray[np.float64]


class Buffers:
    """The arrays of one pass over N samples, forwards and backwards; index l is layer l's, 0 the input's.

    fed     (width + 1, N), a_l over a row of ones, for all but the last: so [W | b] times it is W a_l + b,
            and dz times its transpose is [dW | db]
    a       (width, N), the activations, within `fed`
    z       (width, N), the logits; in the backward pass, room to work in
    d       (width, N), ∂loss/∂a_l, then ∂loss/∂z_l
    u       (width, N), what the activation meets: z, or where there is batch normalisation, γ x̂ + β
    normal  (width, N), x̂ of a normalised layer
    mean, variance  (width, 1), with which x̂ was made
    masks, rules, training  how the pass was made: each layer's dropout mask, if any, and its activation;
                            and whether mean and variance are the batch's
    """

    def __init__(
        self, layer_sizes: Sequence[int], samples: int, dtype: npt.DTypeLike, batch_norm: bool
    ) -> None:
        def room() -> list[Array]:
            return [np.empty((width, samples), dtype) for width in layer_sizes[1:]]

        self.samples = samples
        self.fed = [np.empty((width + 1, samples), dtype) for width in layer_sizes[:-1]]
        for fed in self.fed:
            fed[-1] = 1.0
        nothing = np.empty((0, samples), dtype)
        self.a = [*(fed[:-1] for fed in self.fed), np.empty((layer_sizes[-1], samples), dtype)]
        self.z, self.d = [nothing, *room()], [nothing, *room()]
        self.u = [nothing, *room()[:-1], self.z[-1]] if batch_norm else self.z
        self.normal = [nothing, *room()[:-1]] if batch_norm else []
        self.masks: Sequence[Array | None] | None = None
        self.rules: list[Activation] = []
        self.training = True
        self.mean, self.variance = ([nothing] * (len(layer_sizes) - 1) for _ in range(2))


class Pool:
    """The buffers of a network that are not in use, for the last two batch sizes met.

    Two, as an epoch's last batch may be smaller. Who takes some has them alone until they are given back:
    two threads, or a pass within a pass, get buffers of their own. A copy of a pool is empty.

    >>> pool = Pool([2, 1], np.float64)
    >>> first = pool.take(5)
    >>> pool.take(5) is first
    False
    >>> pool.give(first)
    >>> pool.take(5) is first
    True
    """

    def __init__(self, layer_sizes: Sequence[int], dtype: npt.DTypeLike, batch_norm: bool = False) -> None:
        self._made_for = layer_sizes, dtype, batch_norm
        self._idle: dict[int, Buffers] = {}

    def take(self, samples: int) -> Buffers:
        return self._idle.pop(samples, None) or self.make(samples)

    def make(self, samples: int) -> Buffers:
        """Buffers that are the caller's for good."""
        layer_sizes, dtype, batch_norm = self._made_for
        return Buffers(layer_sizes, samples, dtype, batch_norm)

    def give(self, buffers: Buffers) -> None:
        if len(self._idle) > 1:
            self._idle = {}
        self._idle[buffers.samples] = buffers

    def __reduce__(self) -> tuple[type[Pool], tuple[Any, ...]]:
        return Pool, self._made_for
