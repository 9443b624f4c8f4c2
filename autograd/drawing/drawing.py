"""draw(value): the graph that a value was computed by, as DOT or SVG, on screen or in a file.

This room chooses who draws, says who did, and writes files.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from uuid import uuid4

from autograd.drawing.dot import DotFailed, dot_source, render
from autograd.drawing.layers import assign_columns, wide_fans
from autograd.drawing.picture import Picture, picture
from autograd.drawing.svg import svg_source
from autograd.value import Value

LONGEST_FOR_DOT = 3_000  # columns that all arrows span together; dot takes seconds, and soon hours, beyond
DIGITS_OF_A_FLOAT = 17


class Drawing:
    """A recorded graph as it was when `draw` was called; print it to learn its size and who draws it.

    dot      its text in the DOT language
    svg()    its picture: by Graphviz where that is found and does it well, else by the built-in layout
    save()   writes either to a file

    A notebook shows the picture where a cell ends with a Drawing.
    """

    def __init__(self, picture: Picture) -> None:
        self._picture = picture

    @cached_property
    def dot(self) -> str:
        """The graph in the DOT language."""
        return dot_source(self._picture)

    def svg(self) -> str:
        """The picture as one SVG document, which holds no script and no link."""
        return self._drawn[0]

    _repr_svg_ = svg

    def save(self, path: str | os.PathLike[str]) -> str:
        """Write to `path`, which ends in .dot or .svg; returns a line that says what was drawn, and by whom.

        The file there is replaced once the new one is complete. Raises ValueError for any other ending, and
        OSError where the file cannot be written.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix not in (".dot", ".svg"):
            raise ValueError(f"save: expected a file name ending in .dot or .svg, got {path.name!r}")
        text, how = (self.dot, "DOT source") if suffix == ".dot" else self._drawn
        _write_beside_and_rename(path, text)
        return f"{path}: {self._picture}, {how}"

    def __repr__(self) -> str:
        return f"Drawing: {self._picture}, {self._drawn[1]}"

    @cached_property
    def _drawn(self) -> tuple[str, str]:
        """The SVG, and who drew it."""
        try:
            return _by_graphviz(self._picture, self.dot), "drawn by Graphviz dot"
        except DotFailed as reason:
            return svg_source(self._picture), f"drawn by the built-in layout ({reason})"


def draw(value: Value, *, precision: int = 4) -> Drawing:
    """A drawing of the graph that `value` was computed by, numbers at `precision` significant digits.

    One box a scalar: its operation, label, data and gradient; one arrow a use. Leaves are round, constants
    dashed, the output thick.

    >>> from autograd import Value
    >>> a = Value(2.0, label="a")
    >>> print(draw(a * a))                              # doctest: +ELLIPSIS
    Drawing: 2 nodes, 2 edges, drawn by ...

    `draw(value).save("graph.svg")` writes a file. Call `value.backward()` first to see gradients.
    Raises TypeError for anything but a Value, ValueError for a precision outside 1 to 17.
    """
    if not isinstance(value, Value):
        raise TypeError(f"draw: expected a Value, got {type(value).__name__}; draw one result at a time")
    if isinstance(precision, bool) or not isinstance(precision, int):
        raise TypeError(f"draw: expected precision as an int, got {type(precision).__name__}")
    if not 1 <= precision <= DIGITS_OF_A_FLOAT:
        raise ValueError(f"draw: expected precision from 1 to {DIGITS_OF_A_FLOAT} digits, got {precision}")
    return Drawing(picture(value, precision))


def _by_graphviz(picture: Picture, source: str) -> str:
    if wide_fans(picture.arrows):       # it would make one tall column of the leaves
        raise DotFailed('too wide for Graphviz "dot"')
    columns = assign_columns(len(picture.boxes), picture.arrows)
    if sum(columns[head] - columns[tail] for tail, head in picture.arrows) > LONGEST_FOR_DOT:
        raise DotFailed('too large for Graphviz "dot"')
    return render(source)


def _write_beside_and_rename(path: Path, text: str) -> None:
    """Replace the file at `path` in one step: whatever fails before, the old file stays."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"save: there is no directory {str(path.parent)!r}; make it first")
    beside = path.with_name(f".{uuid4().hex}.part")
    try:
        beside.write_text(text, encoding="utf-8", newline="\n")
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
