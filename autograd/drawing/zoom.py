"""Which picture a graph gets: of scalars, modules or arrays, and none that nobody could read.

This room knows the three kinds of picture, lifting, and the walk over a graph.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from autograd.drawing.homes import path_in
from autograd.drawing.modules import HOW_TO_NAME, module_picture
from autograd.drawing.picture import Picture
from autograd.drawing.program import program_picture
from autograd.drawing.scalars import scalar_picture
from autograd.graph import topological_order
from autograd.lifting import Program, lift
from autograd.value import Value

LEVELS = ("scalars", "neurons", "layers", "program")

# What a scalar costs the built-in layout in a large graph: 65,818 of them took 14 s and 57 MB.
SECONDS_A_SCALAR, BYTES_A_SCALAR = 2.2e-4, 870


@dataclass(frozen=True, slots=True)
class Zoom:
    """What to show of a graph.

    level  "scalars", "neurons", "layers" or "program"; None: scalars where they are few enough, else layers
    open   modules of which to show the inside; close  modules to show as one box
    limit  largest number of boxes
    """

    level: str | None = None
    open: Sequence[str] = field(default=())
    close: Sequence[str] = field(default=())
    limit: int = 10_000

    def picture(
        self, outputs: Sequence[Value], precision: int, partials: bool = False, highlight: Value | None = None
    ) -> Picture:
        """What to draw of the graph of the outputs; ValueError where that is too much, or cannot be done."""
        order = topological_order(*outputs)
        level = self._level(order)
        if highlight is not None:
            self._check_highlight(highlight, order, outputs, level)
        if level == "scalars" and not self.close:
            if self.open:
                raise ValueError(
                    'draw: open shows the inside of modules; at level "scalars" all of them are open'
                )
            self._check_size(len(order), order)
            return scalar_picture(order, outputs, precision, partials, highlight)
        if level == "program":
            return self.program(lift(list(outputs)))
        picture = module_picture(order, outputs, precision, level, self.open, self.close, partials)
        self._check_size(len(picture.boxes), order)
        return picture

    def program(self, program: Program) -> Picture:
        """What to draw of a program; ValueError where that is too much, or not of arrays."""
        if self.level not in (None, "program"):
            raise ValueError(f'draw: a Program is drawn at level "program", got {self.level!r}')
        if self.open or self.close:
            raise ValueError("draw: open and close are for modules; a program has none")
        picture = program_picture(program)
        if len(picture.boxes) > self.limit:
            raise ValueError(
                f"draw: {len(picture.boxes):,} arrays in one picture; read program.source, draw a part of "
                f"the graph, or draw them all the same with limit={len(picture.boxes)}"
            )
        return picture

    def _level(self, order: Sequence[Value]) -> str:
        if self.level is not None:
            return self.level
        if self.open:
            return "layers"
        named = any(not value.op and path_in(value.label) for value in order)
        return "layers" if named and not self.close and len(order) > self.limit else "scalars"

    def _check_size(self, boxes: int, order: Sequence[Value]) -> None:
        if boxes <= self.limit:
            return
        seconds, megabytes = boxes * SECONDS_A_SCALAR, boxes * BYTES_A_SCALAR / 1e6
        named = any(not value.op and path_in(value.label) for value in order)
        modules = (
            'level="layers" or "neurons", and open=["l0.n3"] to look into one of them'
            if named
            else (f'level="layers", for which {HOW_TO_NAME}')
        )
        raise ValueError(
            f"draw: {boxes:,} boxes in one picture take about {seconds:.0f} s and {megabytes:.0f} MB, and "
            f"nobody can read it. Draw a part: one inner node or one sample's output; or level=\"program\", "
            f"as array operations; or {modules}. "
            f"limit={boxes} draws it all the same"
        )

    @staticmethod
    def _check_highlight(
        highlight: Value, order: Sequence[Value], outputs: Sequence[Value], level: str
    ) -> None:
        if not isinstance(highlight, Value):
            raise TypeError(f"draw: expected highlight as a Value, got {type(highlight).__name__}")
        if highlight not in set(order):
            raise ValueError(f"draw: highlight: {highlight!r} is no part of the graph that is drawn")
        if highlight.is_constant:
            raise ValueError(
                "draw: highlight: a constant has no gradient; make it a Value of its own for one"
            )
        if len(outputs) > 1:
            raise ValueError(
                f"draw: highlight shows paths to one output, got {len(outputs)}; draw one at a time"
            )
        if level != "scalars":
            raise ValueError(f'draw: highlight shows paths of scalars, not of {level}; draw level="scalars"')


def check_zoom(zoom: Zoom) -> None:
    """Raise TypeError or ValueError for options that are none."""
    if zoom.level is not None and zoom.level not in LEVELS:
        raise ValueError(f"draw: expected level scalars, neurons, layers or program, got {zoom.level!r}")
    for name, modules in (("open", zoom.open), ("close", zoom.close)):
        some = isinstance(modules, Collection) and not isinstance(modules, str)
        if not some or not all(isinstance(module, str) for module in modules):
            raise TypeError(
                f'draw: expected {name} as a list of module names, as in ["l0.n3"], got {modules!r}'
            )
    if isinstance(zoom.limit, bool) or not isinstance(zoom.limit, int | np.integer) or zoom.limit < 1:
        raise ValueError(f"draw: expected limit as an int of at least 1, got {zoom.limit!r}")
