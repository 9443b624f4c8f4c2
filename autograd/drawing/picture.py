"""What a drawing shows of a recorded graph: one box a scalar, one arrow a use of it, as plain text.

This room knows Value and the walk over its graph. The rooms that draw know a Picture and no Value.
Text from outside is made showable here, once for every format; escaping it is each format's own business.
"""

from __future__ import annotations

import re
from collections.abc import Sized
from dataclasses import dataclass

from autograd.graph import topological_order
from autograd.value import Value

SOFT_INK = "#475569"  # arrows and captions
TINT = "#dbe4f0"  # behind an operation's symbol
LONGEST_NAME = 24
# Control characters, marks that reverse the text after them, and what XML 1.0 cannot hold.
_UNSHOWABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


@dataclass(frozen=True)
class Box:
    """One scalar as text. A leaf has no symbol, a constant no gradient, and many have no name: then ""."""

    symbol: str
    name: str
    data: str
    gradient: str
    is_output: bool

    @property
    def is_constant(self) -> bool:
        """Whether the scalar is a plain number in somebody's expression, which has no gradient."""
        return not self.gradient

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
        return f"{_counted(self.boxes, 'node')}, {_counted(self.arrows, 'edge')}"


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
            is_output=value is output,
        )
        for value in order
    ]
    arrows = [(number[parent], number[value]) for value in order for parent in value.parents]
    return Picture(boxes, arrows)


def _counted(things: Sized, noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


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
