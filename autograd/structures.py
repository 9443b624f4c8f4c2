"""Arguments made of numbers: nested lists, tuples, dicts and arrays, taken apart and put together again.

This room knows NumPy, nothing of the project.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


def leaves(structure: Any) -> Iterator[Any]:
    """Every number of the structure, in order; whatever is no list, tuple, dict or array counts as one.

    >>> list(leaves({"w": [1.0, (2.0, 3.0)], "b": 4.0}))
    [1.0, 2.0, 3.0, 4.0]
    """
    if isinstance(structure, dict):
        for part in structure.values():
            yield from leaves(part)
    elif isinstance(structure, (list, tuple)):
        for part in structure:
            yield from leaves(part)
    elif isinstance(structure, np.ndarray):
        yield from structure.ravel()
    else:
        yield structure


def aligned(structure: Any, given: Any, what: str) -> list[Any]:
    """The numbers of `given` in the structure's order; ValueError where they are not of the same structure.

    >>> aligned({"w": [1.0, 2.0], "b": 3.0}, {"b": "b", "w": ["w1", "w2"]}, "gradient")
    ['w1', 'w2', 'b']
    """
    if isinstance(structure, dict):
        if not isinstance(given, dict) or set(given) != set(structure):
            raise ValueError(f"{what}: expected a dict with the keys {list(structure)}, got {given!r:.60}")
        return [x for key, part in structure.items() for x in aligned(part, given[key], what)]
    if isinstance(structure, np.ndarray) and np.shape(given) != structure.shape:
        raise ValueError(f"{what}: expected shape {structure.shape}, got {np.shape(given)}")
    sequences = isinstance(structure, (list, tuple)) and isinstance(given, (list, tuple))
    if sequences and len(structure) == len(given):
        return [x for part, other in zip(structure, given, strict=True) for x in aligned(part, other, what)]
    numbers = list(leaves(given))
    expected = sum(1 for _ in leaves(structure))
    if len(numbers) != expected:
        raise ValueError(f"{what}: expected {expected} numbers, got {len(numbers)}")
    return numbers


def rebuild(structure: Any, numbers: Iterator[Any]) -> Any:
    """A structure like this one, with the next of `numbers` in place of each of its own.

    An array becomes an array: of floats or complex numbers where it is given those, else of objects.

    >>> rebuild({"w": [1.0, (2.0, 3.0)], "b": 4.0}, iter("abcd"))
    {'w': ['a', ('b', 'c')], 'b': 'd'}
    """
    if isinstance(structure, dict):
        return {key: rebuild(part, numbers) for key, part in structure.items()}
    if isinstance(structure, tuple):
        parts = [rebuild(part, numbers) for part in structure]
        named = hasattr(structure, "_fields")  # by which `f` will ask for them
        return type(structure)(*parts) if named else tuple(parts)
    if isinstance(structure, list):
        return [rebuild(part, numbers) for part in structure]
    if isinstance(structure, np.ndarray):
        filled = np.empty(structure.size, dtype=object)
        filled[:] = [next(numbers) for _ in range(structure.size)]
        kinds = set(map(type, filled))
        kind = float if kinds <= {float} else complex if kinds <= {float, complex} else object
        return filled.reshape(structure.shape).astype(kind)
    return next(numbers)


def transform(structure: Any, function: Callable[[Any], Any]) -> Any:
    """A structure like this one, of function(number) for each of its numbers.

    >>> transform([1.0, [2.0]], lambda x: -x)
    [-1.0, [-2.0]]
    """
    return rebuild(structure, map(function, leaves(structure)))
