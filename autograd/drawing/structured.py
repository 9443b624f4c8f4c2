"""A picture as JSON, for other programs: the same boxes and arrows, with numbers in full.

    {"format": "liftgrad drawing", "version": 1,
     "level": "scalars", "scalars": 3,
     "boxes": [{"kind": "leaf", "operation": "", "symbol": "", "label": "a",
                "data": 2.0, "gradient": 4.0, "output": false}, …],
     "arrows": [{"tail": 0, "head": 1, "partial": 2.0, "uses": 1}, …],
     "paths": [{"boxes": [0, 1], "partials": [2.0], "contribution": 2.0}, …],
     "rest": {"paths": 0, "contribution": 0.0},
     "total": {"paths": 2, "contribution": 4.0}}

    level    "scalars", "neurons", "layers" or "program"; scalars is how many the whole graph has
    boxes    operands before results. kind is "leaf", "constant", "operation" or "module"; operation the name
             of the primitive, of a module how many of which. data and gradient of a module are those of the
             one value that leaves it; of a module that several leave, data is null and gradient its
             parameters' largest in size. gradient is null for a constant. A program's boxes are arrays: data
             and gradient are null, operation is the formula, and there is one more key, shape, a list of
             numbers and "N" for the axis of samples
    arrows   tail and head are places in boxes; those into one box come in the operands' order. partial is
             d(head)/d(tail), null from constants and between modules, where uses counts what is bundled
    paths    with highlight: those that are listed, the largest first, with the product of their partials
    rest     how many others there are, and the sum of their products; total, the same of all, which is
             d(output)/d(highlighted node). Both are null without highlight. Beyond 2**53 a number of paths is
             rounded to a floating-point number, and where none is as large, "inf"

JSON has no nan and no infinity: these stand as the texts "nan", "inf" and "-inf". Labels are as their makers
wrote them, escaped to ASCII. A later version only adds keys. This room knows a Picture.
"""

from __future__ import annotations

import json
import math
from typing import Any

from autograd.drawing.picture import Picture, Sum

VERSION = 1
LARGEST_EXACT = 2**53  # of whole numbers, that every reader of JSON holds exactly


def json_source(picture: Picture) -> str:
    """The picture as JSON text, the same bytes for the same picture.

    >>> from autograd.drawing.picture import Box
    >>> json.loads(json_source(Picture([Box("leaf", "", "a", (), data=2.0)], [])))["boxes"][0]["data"]
    2.0
    """
    head = {
        "format": "liftgrad drawing", "version": VERSION, "level": picture.level, "scalars": picture.scalars,
    }  # fmt: skip
    boxes = [
        {
            "kind": box.kind, "operation": box.operation, "symbol": box.symbol, "label": box.label,
            "data": number(box.data), "gradient": number(box.gradient), "output": box.is_output,
            **({} if box.shape is None else {"shape": box.shape}),
        }
        for box in picture.boxes
    ]  # fmt: skip
    arrows = [
        {"tail": arrow.tail, "head": arrow.head, "partial": number(arrow.partial), "uses": arrow.count}
        for arrow in picture.arrows
    ]
    paths = [
        {
            "boxes": route.stops,
            "partials": [number(x) for x in route.partials],
            "contribution": number(route.contribution),
        }
        for route in picture.routes
    ]
    lists: dict[str, list[dict[str, Any]]] = {"boxes": boxes, "arrows": arrows, "paths": paths}
    parts = [f'"{name}": {_lines(rows)}' for name, rows in lists.items()]
    sums = {"rest": picture.rest, "total": picture.total}
    parts += [f'"{name}": {json.dumps(_sum(several), allow_nan=False)}' for name, several in sums.items()]
    return ",\n ".join([json.dumps(head)[:-1], *parts]) + "}\n"


def number(x: float | None) -> float | str | None:
    """A number as JSON can hold it."""
    return x if x is None or math.isfinite(x) else f"{x:g}"


def _sum(several: Sum | None) -> dict[str, Any] | None:
    """So many paths together."""
    if several is None:
        return None
    return {"paths": _count(several.paths), "contribution": number(several.contribution)}


def _count(paths: int) -> int | float | str:
    """How many, where the digits alone could fill pages.

    >>> _count(12), _count(2**60), _count(2**2000)
    (12, 1.152921504606847e+18, 'inf')
    """
    if paths <= LARGEST_EXACT:
        return paths
    try:
        return float(paths)
    except OverflowError:
        return "inf"


def _lines(rows: list[dict[str, Any]]) -> str:
    return "[" + ",".join("\n  " + json.dumps(row, allow_nan=False) for row in rows) + "]"
