"""Matrix products of one or many pairs of matrices, with or without an axis of samples behind.

    Z = L R         (batches, rows, columns)    L (batches, rows, K), R (batches, K, columns)
    dL = dZ Rᵀ      each entry of L meets every column once
    dR = Lᵀ dZ      each entry of R meets every row once

Each of the arrays may have one more axis, the samples. Where L has none, the columns of all samples side by
side are the columns of one product, which is how a network runs a batch.

This room knows NumPy alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Step = Callable[[], Any]


def product(left: Array, right: Array, out: Array) -> Step:
    """Writes L R into `out`."""
    if out.ndim == 3:
        return _matmul(left, right, out)
    if left.ndim == 3 and _is_flat(right):
        return _matmul(left, _flat(right), _flat(out))
    if left.ndim == right.ndim == 3:  # only what is added to the product varies
        return lambda: np.copyto(out, (left @ right)[..., None])
    return partial(np.einsum, f"{_axes('brk', left)},{_axes('bkc', right)}->brcn", left, right, out=out)


def left_gradient(d_out: Array, right: Array, out: Array) -> Step:
    """Writes dL = dZ Rᵀ, summed over the samples that L does not have."""
    if d_out.ndim == 3:
        return _matmul(d_out, right.swapaxes(1, 2), out)
    if out.ndim == 3 and right.ndim == 4 and _is_flat(right):
        return _matmul(_flat(d_out), _flat(right).swapaxes(1, 2), out)
    return partial(np.einsum, f"brcn,{_axes('bkc', right)}->{_axes('brk', out)}", d_out, right, out=out)


def right_gradient(left: Array, d_out: Array, out: Array) -> Step:
    """Writes dR = Lᵀ dZ, summed over the samples that R does not have."""
    if d_out.ndim == 3:
        return _matmul(left.swapaxes(1, 2), d_out, out)
    if left.ndim == 3 and out.ndim == 4 and _is_flat(out):
        return _matmul(left.swapaxes(1, 2), _flat(d_out), _flat(out))
    return partial(np.einsum, f"{_axes('brk', left)},brcn->{_axes('bkc', out)}", left, d_out, out=out)


def _matmul(left: Array, right: Array, out: Array) -> Step:
    if left.shape[-1] == 1:  # a column times a row
        return partial(np.multiply, left, right, out)
    if len(out) == 1:  # two dimensions cost less
        return partial(np.matmul, left[0], right[0], out[0])
    return partial(np.matmul, left, right, out)


def _axes(letters: str, array: Array) -> str:
    return letters if array.ndim == 3 else f"{letters}n"


def _is_flat(array: Array) -> bool:
    """Whether columns and samples are one axis already, as far as memory is concerned."""
    return array.ndim == 4 and (array.shape[2] == 1 or array.strides[2] == array.shape[3] * array.strides[3])


def _flat(array: Array) -> Array:
    return array.reshape(*array.shape[:2], -1)  # a view, where _is_flat
