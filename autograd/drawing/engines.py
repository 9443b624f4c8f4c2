"""Who draws: the Graphviz program `dot`, Graphviz within pygraphviz, or the layout built in here.

This room knows the rooms that draw. It asks for no engine's picture before it has looked whether it is there.
"""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable
from importlib.util import find_spec

from autograd.drawing.dot import dot_source
from autograd.drawing.layers import assign_columns, wide_fans
from autograd.drawing.pdf import undated
from autograd.drawing.picture import Picture
from autograd.drawing.svg import svg_source

LONGEST_FOR_DOT = 3_000  # columns that all arrows span together; dot takes seconds, and soon hours, beyond
MOST_PIXELS = 32_767  # along a side of a PNG by Graphviz
LONGEST_COMPLAINT = 200  # characters of what Graphviz says of its failure
BUILT_IN = "built-in"

INSTALL = {
    "dot": 'the program "dot" was not found. Install Graphviz (apt-get install graphviz, brew install '
    "graphviz, or its installer for Windows) and see that it is on the PATH",
    "pygraphviz": 'pygraphviz is not installed. Install it: pip install "liftgrad[render]"',
}

_ENDS = {"svg": b"</svg>", "png": b"IEND", "pdf": b"%%EOF"}  # what a complete file has near its end


class DotFailed(RuntimeError):
    """Graphviz did not draw; the message is the reason, in one line."""


def is_installed(engine: str) -> bool:
    """Whether this machine has the engine of that name."""
    if engine == "dot":
        return shutil.which("dot") is not None
    return engine == BUILT_IN or find_spec(engine) is not None


def svg_by(picture: Picture, direction: str, engine: str | None) -> tuple[str, str]:
    """The picture as SVG, and who drew it; engine None: the first of the three that can.

    Raises DotFailed where an engine was asked for by name and fails.
    """
    if engine == BUILT_IN:
        return svg_source(picture, direction), "drawn by the built-in layout"
    try:
        svg, who = graphviz_by(picture, direction, engine, "svg")
    except DotFailed as reason:
        if engine is not None:
            raise
        return svg_source(picture, direction), f"drawn by the built-in layout ({reason})"
    return svg.decode("utf-8"), who


def graphviz_by(picture: Picture, direction: str, engine: str | None, form: str) -> tuple[bytes, str]:
    """The picture as svg, png or pdf by Graphviz, and who drew it; raises DotFailed."""
    if engine is None:
        if unfit := _unfit(picture):
            raise DotFailed(f'too {unfit} for Graphviz "dot"')
        engine = next(filter(is_installed, _RENDERERS), None)
        if engine is None:
            raise DotFailed('no Graphviz "dot" program found')
    drawn = _RENDERERS[engine](dot_source(picture, direction), form)
    if _ENDS[form] not in drawn[-40:]:
        raise DotFailed(f'Graphviz "dot" wrote no {form.upper()}')
    who = "Graphviz dot" if engine == "dot" else "Graphviz dot in pygraphviz"
    note = _scaled(drawn) if form == "png" else ""
    return undated(drawn) if form == "pdf" else drawn, f"drawn by {who}{note}"


def _scaled(png: bytes) -> str:
    """That Graphviz made a picture of pixels smaller, as it does in silence at its limit, else ""."""
    width, height = struct.unpack(">II", png[16:24])  # of the header, which comes first
    if max(width, height) < MOST_PIXELS:
        return ""
    other = "TB" if width > height else "LR"
    return (
        f", scaled down to {width:,} × {height:,} pixels (at most {MOST_PIXELS:,} along a side): to read it, "
        f'save a .svg, or draw a part of it, at another level, or with direction="{other}"'
    )


def _unfit(picture: Picture) -> str:
    """Why not to ask Graphviz: it would make one tall column of the leaves, or take too long; else ""."""
    if wide_fans(picture.pairs):
        return "wide"
    columns = assign_columns(len(picture.boxes), picture.pairs)
    length = sum(columns[arrow.head] - columns[arrow.tail] for arrow in picture.arrows)
    return "large" if length > LONGEST_FOR_DOT else ""


def _by_program(source: str, form: str) -> bytes:
    try:
        import graphviz
    except ImportError as error:
        reason = f'the Python package "graphviz" does not load: {error}; pip install graphviz'
        raise DotFailed(reason) from error
    try:
        drawn: bytes = graphviz.Source(source).pipe(format=form, quiet=True)
    except graphviz.ExecutableNotFound:
        raise DotFailed('no Graphviz "dot" program found') from None
    except OSError as error:
        raise DotFailed(f'Graphviz "dot" does not start: {error.strerror}') from error
    except graphviz.CalledProcessError as error:
        said = (error.stderr or b"").decode("utf-8", "replace")
        complaint = " ".join(said.split())[:LONGEST_COMPLAINT] or "no reason given"
        raise DotFailed(f'Graphviz "dot" failed with status {error.returncode}: {complaint}') from error
    return drawn


def _by_pygraphviz(source: str, form: str) -> bytes:
    import pygraphviz

    try:
        drawn: bytes = pygraphviz.AGraph(string=source).draw(format=form, prog="dot")
    except (OSError, ValueError) as error:
        complaint = " ".join(str(error).split())[:LONGEST_COMPLAINT] or "no reason given"
        raise DotFailed(f"Graphviz dot in pygraphviz failed: {complaint}") from error
    return drawn


_RENDERERS: dict[str, Callable[[str, str], bytes]] = {"dot": _by_program, "pygraphviz": _by_pygraphviz}

ENGINES = (*_RENDERERS, BUILT_IN)
