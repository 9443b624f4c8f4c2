"""What a drawing shows of a recorded graph: one box a scalar, one arrow a use of it, as plain text.

This room knows Value and the walk over its graph. The rooms that draw know a Picture and no Value.
Text from outside is made harmless here as far as every format needs it; each format escapes it in its own way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from autograd.graph import topological_order
from autograd.value import Value

LONGEST_NAME = 24
# What XML 1.0 cannot hold, control characters, and marks that would turn the text beside them around.
_UNSHOWABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Box:
    """One scalar: its operation's symbol ("" for a leaf), its name, its numbers ("" where there is none)."""

    symbol: str
    name: str
    data: str
    gradient: str
    is_constant: bool
    is_output: bool

    @property
    def short_name(self) -> str:
        """The name, at a length that leaves a readable picture."""
        return shortened(self.name)


@dataclass(frozen=True)
class Picture:
    """Boxes, operands before results, and arrows as pairs of box numbers, in the operands' order."""

    boxes: list[Box]
    arrows: list[tuple[int, int]]

    def __str__(self) -> str:
        return f"{len(self.boxes)} nodes, {len(self.arrows)} edges"


def picture(output: Value, precision: int) -> Picture:
    """What to draw of the graph that `output` was computed by, numbers at `precision` significant digits.

    >>> a = Value(2.0, label="a")
    >>> picture(a * a, precision=4).arrows
    [(0, 1), (0, 1)]
    """
    order = topological_order(output)
    number = {value: i for i, value in enumerate(order)}
    boxes = [
        Box(
            symbol=shortened(showable(value.primitive.symbol)),
            name=showable(value.label),
            data=f"{value.data:.{precision}g}",
            gradient="" if value.is_constant else f"{value.grad:.{precision}g}",
            is_constant=value.is_constant,
            is_output=value is output,
        )
        for value in order
    ]
    arrows = [(number[parent], number[value]) for value in order for parent in value.parents]
    return Picture(boxes, arrows)


def showable(text: str) -> str:
    r"""One line of text that any format can hold: what cannot be shown becomes �.

    >>> showable(" two\n lines\x00 ")
    'two lines�'
    """
    return _UNSHOWABLE.sub("\ufffd", " ".join(text.split()))


def shortened(text: str) -> str:
    """At most `LONGEST_NAME` characters of the text, an ellipsis for the rest.

    >>> shortened("hidden layer 1, neuron 12, weight 3")
    'hidden layer 1, neuron …'
    """
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 1] + "…"
