"""draw(value): the graph that a value was computed by, in many forms, on screen or in a file.

This room holds the options, says who drew, and writes files.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from autograd.drawing.dot import dot_source
from autograd.drawing.engines import ENGINES, INSTALL, DotFailed, graphviz_by, is_installed, svg_by
from autograd.drawing.notebook import Bundle, notebook_bundle
from autograd.drawing.page import page_source
from autograd.drawing.picture import Picture, counted
from autograd.drawing.structured import json_source
from autograd.drawing.svg import WAYS
from autograd.drawing.text import text_tree
from autograd.drawing.zoom import Zoom, check_zoom
from autograd.lifting import Program
from autograd.value import Value

DIGITS_OF_A_FLOAT = 17
READABLE = 200  # boxes in a notebook's cell
TEXTS = {".dot": "DOT source", ".txt": "text", ".json": "JSON"}
FORMS = (".dot", ".svg", ".html", ".txt", ".json", ".png", ".pdf")


class Drawing:
    """A recorded graph as it was when `draw` was called; print it to learn its size and who draws it.

    dot      its text in the DOT language
    text     its text as an indented tree, for a terminal
    json     its text as JSON, for other programs
    html()   the page that steps through it, forwards and backwards
    svg()    its picture: by Graphviz where that is found and does it well, else by the built-in layout
    save()   writes one of these, or PNG or PDF, to a file

    A notebook shows the picture where a cell ends with a Drawing, a Value or a Program.
    """

    def __init__(
        self, picture: Picture, direction: str = "LR", engine: str | None = None, precision: int = 4
    ) -> None:
        self._picture = picture
        self._direction = direction
        self._engine = engine
        self._precision = precision

    @cached_property
    def dot(self) -> str:
        """The graph in the DOT language."""
        return dot_source(self._picture, self._direction)

    @cached_property
    def text(self) -> str:
        """The graph as a tree with the output on top; what is used more than once has a number."""
        return text_tree(self._picture)

    @cached_property
    def json(self) -> str:
        """The graph as JSON; `autograd/drawing/structured.py` describes it."""
        return json_source(self._picture)

    def svg(self) -> str:
        """The picture as one SVG document, which holds no script and no link."""
        return self._drawn[0]

    def html(self) -> str:
        """The step-through page: one file that needs no network; laid out by the built-in layout."""
        return page_source(self._picture, self._direction, self._precision)

    def save(self, path: str | os.PathLike[str]) -> str:
        """Write to `path`, whose ending says what; returns a line that says what was drawn, and by whom.

        .svg     the picture
        .html    the page that steps through the graph, forwards and backwards
        .png     the picture, by Graphviz alone, which scales down what is too large, and then the line says
                 so; .pdf likewise, at its size
        .dot     DOT source
        .txt     an indented tree
        .json    for other programs

        The file there is replaced once the new one is complete. Raises ValueError for any other ending,
        RuntimeError where it takes a Graphviz that is not there, OSError where the file cannot be written.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix not in FORMS:
            raise ValueError(f"save: expected a file name ending in {_listed(FORMS)}, got {path.name!r}")
        content, how = self._form(suffix)
        _write_beside_and_rename(path, content if isinstance(content, bytes) else content.encode("utf-8"))
        return f"{path}: {self._picture}, {how}"

    def __repr__(self) -> str:
        return f"Drawing: {self._picture}, {self._drawn[1]}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        """What a notebook shows: the picture, and who drew it."""
        return notebook_bundle(
            self, lambda: {"text/plain": repr(self), "image/svg+xml": self.svg()}, lambda _: "Drawing"
        )

    def _form(self, suffix: str) -> tuple[str | bytes, str]:
        """The file's content, and how it came about."""
        if suffix in TEXTS:
            return getattr(self, {".dot": "dot", ".txt": "text", ".json": "json"}[suffix]), TEXTS[suffix]
        if suffix == ".svg":
            return self._drawn
        if suffix == ".html":
            return self.html(), "step-through page, drawn by the built-in layout"
        if self._engine not in (None, "dot", "pygraphviz"):
            raise RuntimeError(f"save: {suffix} is drawn by Graphviz alone; the built-in layout writes .svg")
        try:
            return graphviz_by(self._picture, self._direction, self._engine, suffix[1:])
        except DotFailed as reason:
            raise RuntimeError(
                f"save: {suffix} is drawn by Graphviz alone, and here: {reason}. Save a .svg, draw less "
                f"of the graph, or get Graphviz: {INSTALL['dot']}; or {INSTALL['pygraphviz']}"
            ) from reason

    @cached_property
    def _drawn(self) -> tuple[str, str]:
        """The SVG, and who drew it."""
        return svg_by(self._picture, self._direction, self._engine)


def draw(
    value: Value | Sequence[Value] | Program,
    *,
    level: str | None = None,
    open: Sequence[str] = (),
    close: Sequence[str] = (),
    direction: str = "LR",
    precision: int = 4,
    partials: bool = False,
    highlight: Value | None = None,
    engine: str | None = None,
    limit: int = 10_000,
) -> Drawing:
    """A drawing of the graph that a value, or several together, were computed by; or of a lifted program.

    One box a scalar: its operation, label, data and gradient; one arrow a use. Leaves are round, constants
    dashed, the output thick. Colours tell gradients, once `value.backward()` has been called.

    level      "scalars", or "neurons" or "layers", modules that are told from the labels of parameters and
               drawn as one box each; or "program", the arrays of the lifted graph, one box for each operation
               on them. None: scalars up to `limit`, beyond it layers
    open       names of modules to look into, as in level="layers", open=["l0", "l1.n3"]
    close      names of modules to show as one box, as in close=["l0"]
    direction  from operands to results: "LR" rightwards, "RL", "TB" downwards or "BT"
    precision  significant digits of numbers, 1 to 17
    partials   whether each arrow shows the local derivative d(result)/d(operand) where it arrives
    highlight  a node: every path from it to the output is drawn thick, and the drawing lists what each path
               contributes to its gradient; of more than eight paths the eight largest, and the rest together
    engine     who draws: "dot", "pygraphviz" or "built-in"; None: the first of them that can
    limit      largest number of boxes; for more, a ValueError says what they cost and how to choose a part

    >>> from autograd import Value
    >>> a = Value(2.0, label="a")
    >>> print(draw(a * a))                              # doctest: +ELLIPSIS
    Drawing: 2 nodes, 2 edges, drawn by ...
    >>> print(draw(a * a, partials=True).text, end="")
    ×  data 4  grad 0
    ├─ (2) #0 leaf  data 2  grad 0  a
    └─ (2) see #0

    `draw(value).save("graph.svg")` writes a file. Raises TypeError for anything but Values, ValueError for an
    option's value that is not among those above, RuntimeError for an engine that is not installed.
    """
    _check(direction, precision, engine)
    precision = int(precision)
    zoom = Zoom(level, open, close, limit)
    check_zoom(zoom)
    if isinstance(value, Program):
        if highlight is not None:
            raise ValueError("draw: highlight shows paths of scalars, not of a program's arrays")
        picture = zoom.program(value)
    else:
        picture = zoom.picture(_outputs(value), precision, partials, highlight)
    return Drawing(picture, direction, engine, precision)


def _of_value(value: Value, include: Any = None, exclude: Any = None) -> Bundle:
    """What a notebook shows of a Value: the graph that it was computed by, as layers where it is large."""
    return notebook_bundle(value, lambda: {"image/svg+xml": draw(value, limit=READABLE).svg()})


def _of_program(program: Program, include: Any = None, exclude: Any = None) -> Bundle:
    """What a notebook shows of a Program: its arrays."""
    return notebook_bundle(
        program, lambda: {"image/svg+xml": draw(program, limit=READABLE).svg()}, _program_line
    )


def _program_line(program: Program) -> str:
    inputs = f", {counted(len(program.inputs), 'input')}" if program.inputs else ""
    return f"Program: {counted(len(program.parameters), 'parameter')}{inputs}"


# neither knows anything of drawings, nor mypy of this attribute of theirs
setattr(Value, "_repr_mimebundle_", _of_value)  # noqa: B010
setattr(Program, "_repr_mimebundle_", _of_program)  # noqa: B010


def _outputs(value: Value | Sequence[Value]) -> list[Value]:
    outputs = [value] if isinstance(value, Value) else value
    if not isinstance(outputs, (list, tuple)) or not all(isinstance(x, Value) for x in outputs):
        raise TypeError(f"draw: expected a Value, a list of Values or a Program, got {_described(value)}")
    if not outputs:
        raise ValueError("draw: expected at least one Value, got none")
    return list(dict.fromkeys(outputs))


def _described(value: object) -> str:
    if isinstance(value, (list, tuple)):
        other = next(type(x).__name__ for x in value if not isinstance(x, Value))
        return f"{type(value).__name__} with a {other} in it"
    return type(value).__name__


def _check(direction: str, precision: int, engine: str | None) -> None:
    if not isinstance(direction, str) or direction not in WAYS:
        raise ValueError(f"draw: expected direction {_listed(WAYS)}, got {direction!r}")
    if isinstance(precision, bool) or not isinstance(precision, int | np.integer):
        raise TypeError(f"draw: expected precision as an int, got {type(precision).__name__}")
    if not 1 <= precision <= DIGITS_OF_A_FLOAT:
        raise ValueError(f"draw: expected precision from 1 to {DIGITS_OF_A_FLOAT} digits, got {precision}")
    if engine is None:
        return
    if engine not in ENGINES:
        raise ValueError(f"draw: expected engine {_listed(ENGINES)}, got {engine!r}")
    if not is_installed(engine):
        raise RuntimeError(f"draw: engine {engine!r}: {INSTALL[engine]}")


def _listed(choices: Sequence[str] | dict[str, str]) -> str:
    *most, last = choices
    return f"{', '.join(most)} or {last}"


def _write_beside_and_rename(path: Path, content: bytes) -> None:
    """Replace the file at `path` in one step: whatever fails before, the old file stays.

    The new one has the old one's permissions; where `path` is a link, what it leads to is replaced.
    """
    try:
        target = path.resolve() if path.is_symlink() else path
    except RuntimeError:        # from Python 3.13 on it is the OSError
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from None
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if target.exists() and not target.is_file():    # a device or a pipe, which a rename would end
        raise FileExistsError(f"save: {str(path)!r} is there and is no file; choose another name")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"save: there is no directory {str(target.parent)!r}; make it first")
    beside = target.with_name(f".{uuid4().hex}.part")
    try:
        beside.write_bytes(content)
        if target.exists():
            beside.chmod(stat.S_IMODE(target.stat().st_mode))
        beside.replace(target)
    except OSError as error:
        if error.filename is None:
            raise
        # name the path, not a file that nobody asked for
        raise type(error)(error.errno, error.strerror, str(path)) from None
    finally:
        beside.unlink(missing_ok=True)
