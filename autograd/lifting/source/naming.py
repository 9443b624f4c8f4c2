"""Names for arrays, from the labels of the scalars in them.

    labels                           kept of them         name
    w0.0 w0.1 w1.0 w1.1              w                    W, as it is a matrix
    l0.n0.w0 l0.n0.w1 l0.n1.w0       l0 n w               W0
    l0.n0.b l0.n1.b                  l0 n b               b0
    l2.n0.w0 l2.n0.w1                l2 n0 w              W2, or W2_0 if that is taken
    token3.7 token3.8                token 3              token3

A name is made of what all labels share: the last word and the numbers. Labels are anybody's text; a name has
nothing but letters, digits and underscores of ASCII, is not long, is no word of Python, and is no other name.

This room knows nothing of the project.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

_LONGEST = 24  # characters of a name
_READ = 200  # characters of a label that count
_PARTS = re.compile(r"[0-9]+|[A-Za-z]+(?:_[A-Za-z]+)*")
_TAKEN = {"np", "ARRAY", "PRIMITIVES", "theta", "batch", "constants", "value", "gradient", "N"}


def skeleton(label: str) -> str:
    """A label without its numbers: what the scalars of one array have in common.

    >>> skeleton("query3.7")
    'query.'
    """
    return re.sub(r"[0-9]+", "", label[:_READ])


def numbers_in(label: str) -> list[int]:
    """The numbers in a label.

    >>> numbers_in("l0.n12.w3")
    [0, 12, 3]
    """
    return [int(number[:9]) for number in re.findall(r"[0-9]+", label[:_READ])]


def shared_parts(labels: Iterable[str]) -> list[str]:
    """The words and numbers at the same place in all labels; [] if they differ in their words.

    >>> shared_parts(["l0.n0.w0", "l0.n1.w0"])
    ['l', '0', 'n', 'w', '0']
    """
    shared: list[str | None] = []
    for nth, label in enumerate(set(labels)):
        parts = _PARTS.findall(label[:_READ])
        if nth == 0:
            shared = list(parts)
            continue
        if len(parts) != len(shared):
            return []
        for k, (part, kept) in enumerate(zip(parts, shared, strict=True)):
            if part != kept:
                if not part.isdigit() or (kept is not None and not kept.isdigit()):
                    return []
                shared[k] = None
    return [part for part in shared if part is not None]


def candidates(labels: Iterable[str], is_matrix: bool) -> list[str]:
    """Names that the labels suggest, the best first."""
    parts = shared_parts(labels)
    words = [part for part in parts if not part.isdigit()]
    if not words:
        return []
    last = words[-1].upper() if is_matrix and len(words[-1]) == 1 else words[-1]
    digits = [part for part in parts if part.isdigit()]
    every = [_identifier([last, *digits]), _identifier([*words[:-1], last, *digits])]
    return [_identifier([last, *digits[:1]]), *every]


def _identifier(parts: Sequence[str]) -> str:
    found = parts[0]
    for before, part in pairwise(parts):
        found += part if part.isdigit() and not before.isdigit() else f"_{part}"
    return found[:_LONGEST].rstrip("_")


class Names:
    """Names in use: each is given once, and with it that of its gradient."""

    def __init__(self) -> None:
        self._taken = set(_TAKEN) | set(keyword.kwlist) | set(keyword.softkwlist) | set(dir(builtins))
        self._counts: dict[str, int] = {}

    def give(self, *wanted: str) -> str:
        """The first of these names that is free; else the last one with a number."""
        for name in wanted:
            if self._is_free(name):
                return self._take(name)
        return self.numbered(wanted[-1] + "_")

    def numbered(self, stem: str) -> str:
        """The stem with the first number that is free."""
        while True:
            self._counts[stem] = self._counts.get(stem, 0) + 1
            name = f"{stem}{self._counts[stem]}"
            if self._is_free(name):
                return self._take(name)

    def _is_free(self, name: str) -> bool:
        return name not in self._taken and f"d{name}" not in self._taken

    def _take(self, name: str) -> str:
        self._taken |= {name, f"d{name}"}
        return name
