"""The width of text in a monospaced font, on paper or in a terminal.

This room knows nothing of the project.
"""

from __future__ import annotations

from unicodedata import combining, east_asian_width

_FLAG_LETTERS = (
    "\U0001f1e6",
    "\U0001f1ff",
)  # two are a flag, or stand each alone where there is none


def cells(text: str) -> int:
    """How many cells it takes: East Asian characters and emoji two each, marks on others none.

    >>> cells("w1"), cells("重み"), cells("e\u0301")
    (2, 4, 1)
    """
    if text.isascii():
        return len(text)
    return sum(map(_cells_of, text))


def _cells_of(character: str) -> int:
    if combining(character):
        return 0
    first, last = _FLAG_LETTERS
    return 2 if east_asian_width(character) in "WF" or first <= character <= last else 1
