"""A forward pass as the tutorial has it, a dict of arrays; and whether one is what it is taken for.

Knows the checks at the door, the layers' blocks and the buffers of a pass. The keys are a0, and for each
layer l from 1 on z_l and a_l; after batch normalisation also u_l, what the activation met, and in training
mean_l and variance_l of the batch; after dropout mask_l, and a_l is what the mask has left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from nn import checks
from nn.buffers import Buffers
from nn.parameters import Block

Array = npt.NDArray[np.float64]


def named_cache(buffers: Buffers) -> dict[str, Array]:
    """What a pass has left in its buffers, by the tutorial's names. The arrays are the buffers'."""
    cache = {"a0": buffers.a[0]}
    for layer in range(1, len(buffers.a)):
        cache[f"z{layer}"] = buffers.z[layer]
        if layer < len(buffers.normal):
            cache[f"u{layer}"] = buffers.u[layer]
            if buffers.training:
                cache[f"mean{layer}"] = buffers.mean[layer]
                cache[f"variance{layer}"] = buffers.variance[layer]
        cache[f"a{layer}"] = buffers.a[layer]
        mask = None if buffers.masks is None else buffers.masks[layer - 1]
        if mask is not None:
            cache[f"mask{layer}"] = mask
    return cache


def checked_cache(
    cache: object, layer_sizes: Sequence[int], samples: int, dtype: npt.DTypeLike
) -> dict[str, Array]:
    """The cache's arrays, each of the shape that a pass over so many samples gives it.

    Raises TypeError for what is no dict, ValueError where a key is missing or an array has another shape.
    """
    names = ["a0", *(f"{letter}{layer}" for layer in range(1, len(layer_sizes)) for letter in "za")]
    entries = checks.keys("cache", cache, names)
    shapes = {name: (layer_sizes[int(name[1:])], samples) for name in names}
    for layer, width in enumerate(layer_sizes[1:-1], start=1):
        each = {"u": samples, "mask": samples, "mean": 1, "variance": 1}
        optional = {f"{word}{layer}": (width, columns) for word, columns in each.items()}
        shapes |= {name: shape for name, shape in optional.items() if name in entries}
    arrays = {n: checks.real_array(f"cache[{n!r}]", entries[n], "of forward(x)", dtype) for n in shapes}
    for name, array in arrays.items():
        if array.shape != shapes[name]:
            raise stale(f"cache[{name!r}] has shape {array.shape}, expected {shapes[name]} for this x")
    return arrays


def check_origin(cache: Mapping[str, Array], x: Array, blocks: Sequence[Block]) -> None:
    """Refuse a cache that other inputs or parameters gave.

    Of the logits, one sample tells, at a small share of a pass's cost.
    """
    if not np.array_equal(cache["a0"], x):
        raise stale("cache['a0'] is not this x")
    few = 4096 * np.finfo(x.dtype).eps
    for layer, (Wb, _) in enumerate(blocks):
        W, b = Wb[:, :-1], Wb[:, -1]
        a, z = cache[f"a{layer}"][:, 0], cache[f"z{layer + 1}"][:, 0]
        off = W @ a + b - z             # BLAS may sum one column in another order than many
        if off @ off <= few**2 * (z @ z):
            continue                    # quickly told: so small is rounding
        if (np.abs(off) > 16 * few * (np.abs(W) @ np.abs(a) + np.abs(b))).any():
            raise stale(f"cache['z{layer + 1}'] was made with other parameters")


def stale(what: str) -> ValueError:
    return ValueError(f"{what}; pass what forward(x) returned for this x, before any step.")
