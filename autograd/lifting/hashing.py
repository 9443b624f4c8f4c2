"""Numbers for tuples, equal where the tuples are: how rows are told apart without a Python loop.

This room knows NumPy alone.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]

_ODD, _SHIFT = np.uint64(0x9E3779B97F4A7C15), np.uint64(29)  # 2⁶⁴ over the golden ratio


def scrambled(numbers: npt.NDArray[np.uint64]) -> Hashes:
    """Each number's bits, mixed: multiplied, shifted onto themselves, multiplied again."""
    once = (numbers + np.uint64(1)) * _ODD
    twice: Hashes = (once ^ (once >> _SHIFT)) * _ODD
    return twice


def mixed(hashes: Hashes, more: npt.NDArray[np.integer]) -> Hashes:
    """Hashes that depend on one more number each.

    >>> a, b = mixed(mixed(np.zeros(2, np.uint64), np.array([1, 2])), np.array([2, 1]))
    >>> bool(a == b)                                 # order counts
    False
    """
    return scrambled(scrambled(hashes) ^ more.astype(np.uint64))


def of_rows(table: npt.NDArray[np.integer]) -> Hashes:
    """A hash for each row (n,) of a table (n, m): equal rows have equal hashes, others hardly ever."""
    weights = scrambled(np.arange(table.shape[1], dtype=np.uint64)) | np.uint64(1)
    total: Hashes = (scrambled(table.astype(np.uint64)) * weights).sum(axis=1, dtype=np.uint64)
    return total
