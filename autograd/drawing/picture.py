"""What a drawing shows: boxes and arrows, with every number and text that stands on them.

This room knows nothing of the project. `scalars` and `modules` make a Picture of a recorded graph; the rooms
that draw know a Picture and no Value. Text from outside is made showable here, once for every format;
escaping it is each format's own business.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

LONGEST_NAME = 24
# Control characters, marks that reverse the text after them, and what XML 1.0 cannot hold.
_UNSHOWABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)

LEAF, CONSTANT, OPERATION, MODULE = "leaf", "constant", "operation", "module"


@dataclass(frozen=True, slots=True)
class Box:
    """One scalar, a module of many, or an array of a lifted program.

    kind       leaf, constant, operation or module
    symbol     of the operation, as in mathematics; of a module ⊞; of a leaf none, ""
    label      as its maker wrote it, any text at all
    facts      pairs of a caption and a number as text; a constant's has no caption
    shade      key of its colour
    aside      whether paths are highlighted, and it lies on none
    data       the number; of a module that of the one value that leaves it, else None, as of an array
    gradient   of a constant or an array None; of a module that several values leave the parameters' largest
    operation  the primitive's name; of a module how many scalars it holds, by operation; of an array its
               formula
    shape      of an array, "N" for the axis of samples; None of everything else
    """

    kind: str
    symbol: str
    label: str
    facts: tuple[tuple[str, str], ...]
    shade: str = ""
    is_output: bool = False
    aside: bool = False
    data: float | None = None
    gradient: float | None = None
    operation: str = ""
    shape: tuple[int | str, ...] | None = None

    @property
    def name(self) -> str:
        """The label as one line that any format can hold."""
        return showable(self.label)

    @property
    def short_name(self) -> str:
        """The same, at a length that leaves a readable picture."""
        return shortened(self.name)


@dataclass(frozen=True, slots=True)
class Arrow:
    """One use of a scalar, or all uses of one module's scalars, or of one array, in another.

    tail, head   numbers of boxes, the tail's smaller
    partial      d(head)/d(tail) of this use; of a constant, and of modules, None
    note         what to write where it arrives
    count        of uses
    on_path      whether paths are highlighted, and it is part of one
    aside        whether paths are highlighted, and it is part of none
    """

    tail: int
    head: int
    partial: float | None = None
    note: str = ""
    count: int = 1
    on_path: bool = False
    aside: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """A path by the numbers of its boxes, the partial derivatives along it, and their product."""

    stops: tuple[int, ...]
    partials: tuple[float, ...]
    contribution: float


@dataclass(frozen=True, slots=True)
class Sum:
    """So many paths together, and the sum of their products."""

    paths: int
    contribution: float


@dataclass(frozen=True, slots=True)
class Picture:
    """Boxes, operands before results, and arrows, those into a box in the operands' order.

    level    scalars, neurons, layers or program
    scalars  how many there are in the whole graph
    legend   pairs of a shade and its meaning, for the shades that occur
    notes    lines of text that belong below
    remark   what a reader may not expect, for the line that describes the picture
    routes   the highlighted paths that are listed
    rest     the others; None where nothing is highlighted
    total    all of them
    """

    boxes: Sequence[Box]
    arrows: Sequence[Arrow]
    level: str = "scalars"
    scalars: int = 0
    legend: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()
    remark: str = ""
    routes: Sequence[Route] = field(default=())
    rest: Sum | None = None
    total: Sum | None = None

    @property
    def is_of_scalars(self) -> bool:
        """Whether each box is one scalar of the graph, and none a module or an array."""
        return self.level == "scalars" and not any(box.kind == MODULE for box in self.boxes)

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The arrows as pairs of box numbers."""
        return [(arrow.tail, arrow.head) for arrow in self.arrows]

    def __str__(self) -> str:
        if self.is_of_scalars:
            return f"{counted(len(self.boxes), 'node')}, {counted(len(self.arrows), 'edge')}"
        boxes, arrows = counted(len(self.boxes), "box", "boxes"), counted(len(self.arrows), "arrow")
        remark = f" ({self.remark})" if self.remark else ""
        shown = "scalars and closed modules" if self.level == "scalars" else self.level
        return f"{shown} of {counted(self.scalars, 'node')}: {boxes}, {arrows}{remark}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """The number with its noun.

    >>> counted(1, "node"), counted(65614, "node")
    ('1 node', '65,614 nodes')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def shape_text(shape: Sequence[int | str]) -> str:
    """An array's shape, as a reader has it.

    >>> shape_text((16, "N")), shape_text(())
    ('16 × N', 'scalar')
    """
    return " × ".join(map(str, shape)) or "scalar"


def showable(text: str) -> str:
    r"""One line of text that any format can hold: what cannot be shown becomes �.

    >>> showable(" two\n lines\x00 ")
    'two lines�'
    """
    return _UNSHOWABLE.sub("\ufffd", " ".join(text.split()))


def shortened(text: str, longest: int = LONGEST_NAME) -> str:
    """At most so many characters of the text, an ellipsis for the rest.

    >>> shortened("hidden layer 1, neuron 12, weight 3")
    'hidden layer 1, neuron …'
    """
    return text if len(text) <= longest else text[: longest - 1] + "…"
