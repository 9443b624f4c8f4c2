"""The step-through page's own sweep: what each output starts with, and what each gradient comes to.

This room knows a Picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import compress

from autograd.drawing.picture import CONSTANT, Arrow, Picture

AGREEMENT = 1e-12  # of the sum of sizes, between a recorded gradient and the sum of what flows into it


def seeds(picture: Picture) -> tuple[list[float], bool]:
    """What each box starts with, and whether that leads to the gradients that were recorded, if any were.

    An output starts with what the nodes drawn here do not give it of its gradient: with all of it, unless
    other outputs are computed from it. Each output starts with 1 where none was swept, and where the
    gradients of outputs cannot be those of one sweep.

    >>> from autograd.drawing.picture import Box
    >>> h, y = (Box("operation", "", "", (), is_output=True, gradient=g) for g in (13.0, 1.0))
    >>> seeds(Picture([h, y], [Arrow(0, 1, partial=12.0)]))
    ([1.0, 1.0], True)
    """
    outputs = [box.is_output and box.kind != CONSTANT for box in picture.boxes]
    from_one = [float(output) for output in outputs]
    recorded = [box.gradient or 0.0 for box in picture.boxes]
    if not any(gradient for gradient, output in zip(recorded, outputs, strict=True) if output):
        return from_one, True
    started, sums, sizes = [0.0] * len(recorded), [0.0] * len(recorded), [0.0] * len(recorded)
    reached = [False] * len(recorded)
    into: list[list[Arrow]] = [[] for _ in recorded]
    for arrow in picture.arrows:
        into[arrow.head].append(arrow)
    for head in range(len(recorded) - 1, -1, -1):
        if outputs[head] and not _agree(recorded[head], sums[head], sizes[head]):
            started[head] = recorded[head] - sums[head]
            sums[head] += started[head]
            sizes[head] += abs(started[head])
            reached[head] = True
        for arrow in into[head] if reached[head] else ():
            sums[arrow.tail] += sums[head] * (arrow.partial or 0.0)
            sizes[arrow.tail] += sizes[head] * abs(arrow.partial or 0.0)
            reached[arrow.tail] = True
    summed = [box.kind != CONSTANT for box in picture.boxes]
    if all(map(_agree, compress(recorded, summed), compress(sums, summed), compress(sizes, summed))):
        return started, True
    used = {arrow.tail for arrow in picture.arrows}
    doubtful = any(started[i] for i in used)  # it was swept from elsewhere too, or at another time
    return from_one if doubtful else started, False


def gradients(started: Sequence[float], arrows: Sequence[Arrow]) -> list[float]:
    """The gradients, in the order in which the page's script sums them up."""
    sums, reached = list(started), [start != 0.0 for start in started]
    for arrow in sorted(arrows, key=lambda arrow: -arrow.head):
        if reached[arrow.head]:     # nothing flows from elsewhere, where 0 times an infinite slope were nan
            sums[arrow.tail] += sums[arrow.head] * (arrow.partial or 0.0)
            reached[arrow.tail] = True
    return sums


def _agree(gradient: float, flown: float, size: float) -> bool:
    """Whether they are the same up to rounding, infinite or no numbers both."""
    if gradient == flown or (math.isnan(gradient) and math.isnan(flown)):
        return True
    return abs(gradient - flown) <= AGREEMENT * size
