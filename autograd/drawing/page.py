"""A picture as the step-through page: one HTML file that walks forwards and backwards, one node at a time.

The file needs no network: the drawing by the built-in layout, its numbers as JSON, a style sheet and a script
(`page.css`, `page.js`) stand in it. This room knows a Picture, the rooms that draw it, and the rules in
symbols.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from html import escape
from importlib.resources import files
from itertools import count
from typing import Any

from autograd.drawing.closed import closed_page
from autograd.drawing.colours import Scale
from autograd.drawing.frames import Placed, place
from autograd.drawing.picture import CONSTANT, LEAF, OPERATION, Box, Picture, shape_text
from autograd.drawing.structured import number
from autograd.drawing.svg import FONT, WAYS, below, drawn
from autograd.drawing.sweep import gradients, seeds
from autograd.drawing.symbols import Operand, in_numbers, rule

WIDEST_NUMBER = 10  # characters that a gradient may take while it is summed up
NOT_RECORDED = "The gradients here are of one sweep from the outputs; those that were recorded are not."


def page_source(picture: Picture, direction: str, precision: int) -> str:
    """The page as one HTML document; where modules are drawn, it can be looked around in but not stepped.

    >>> from autograd.drawing.picture import Box
    >>> box = Box("leaf", "", "a", (("data", "2"), ("grad", "0")), data=2.0)
    >>> page = page_source(Picture([box], []), "LR", precision=4)
    >>> page.startswith("<!DOCTYPE html>"), page.count("<script")
    (True, 2)
    """
    started, is_recorded = seeds(picture) if picture.is_of_scalars else ([0.0] * len(picture.boxes), True)
    swept = _swept(picture, started, is_recorded)
    placed = place(swept, direction)
    legend, width, height = below(swept, placed)
    body = _BODY.format(
        about=escape(f"{picture}, {WAYS[direction]}"),
        svg="".join([*drawn(swept, placed, direction), *legend]),
        font=escape(FONT),
        width=width,
        height=height,
        steps=2 * sum(box.kind == OPERATION for box in swept.boxes) if picture.is_of_scalars else 0,
    )
    data = _data(swept, started, placed, precision)
    return closed_page("Computation graph", body, _asset("page.css"), _asset("page.js"), data)


_BODY = """\
<header>
<div class="group steps" role="group" aria-label="Steps">
<button id="first" title="To the leaves (Home)" aria-label="First step">«</button>
<button id="back" title="One node back (←)" aria-label="Step back">‹</button>
<button id="play" title="Play or pause (space)" >Play</button>
<button id="next" title="One node on (→)" aria-label="Step forward">›</button>
<button id="last" title="To the end (End)" aria-label="Last step">»</button>
<input id="slider" type="range" min="0" max="{steps}" value="0" aria-label="Step">
<output id="counter" for="slider"></output>
</div>
<div class="group" role="group" aria-label="View">
<input id="search" type="search" placeholder="label (/)" aria-label="Search by label">
<span id="found"></span>
<button id="out" title="Smaller (−)" aria-label="Zoom out">−</button>
<button id="in" title="Larger (+)" aria-label="Zoom in">+</button>
<button id="fit" title="All of it (0)" aria-label="Show all">Fit</button>
<button id="theme" title="Light or dark (d)" aria-label="Light or dark">◐</button>
</div>
</header>
<main>
<svg id="graph" role="img" aria-label="Computation graph: {about}" font-size="13"
 font-family="{font}" data-width="{width}" data-height="{height}">
<g id="world">{svg}</g>
</svg>
</main>
<aside>
<section aria-label="This step"><h1 id="now"></h1><div id="rule" aria-live="polite"></div></section>
<section aria-label="A node" id="details">Point at a node, or press n and b for the next
and the one before, to see its details.</section>
<p id="keys">→ ← one node on or back · Home End · space plays · + − 0 zoom · shift with arrows moves ·
/ searches · n b choose a node · d light or dark</p>
</aside>
<div id="said" class="unseen" aria-live="polite"></div>
<noscript>The drawing stands above; stepping through it needs this page's script.</noscript>"""


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _swept(picture: Picture, started: Sequence[float], is_recorded: bool) -> Picture:
    """The picture as the page's own sweep leaves it, with a name for every node: v1 …, and leaves u1 …."""
    if not picture.is_of_scalars:
        return picture
    sums = gradients(started, picture.arrows)
    scale = Scale(sums)
    unnamed = {OPERATION: map("v{}".format, count(1)), LEAF: map("u{}".format, count(1))}
    boxes = [
        box
        if box.kind == CONSTANT
        else replace(
            box,
            label=box.label if box.name else next(unnamed[box.kind]),
            facts=(box.facts[0], ("grad", f"{box.facts[1][1]:<{WIDEST_NUMBER}}")),
            shade=scale.shade(gradient),
            gradient=gradient,
        )
        for box, gradient in zip(picture.boxes, sums, strict=True)
    ]
    return replace(
        picture,
        boxes=boxes,
        legend=scale.legend({box.shade for box in boxes}),
        notes=picture.notes if is_recorded else [*picture.notes, NOT_RECORDED],
    )


def _data(swept: Picture, started: Sequence[float], placed: Placed, precision: int) -> dict[str, Any]:
    """What the script needs to know."""
    rules = _rules(swept, precision) if swept.is_of_scalars else [{}] * len(swept.boxes)
    nodes = [
        {
            "kind": box.kind,
            "name": _name(box),
            "label": box.name,
            "operation": box.operation,
            "shape": _shape(box),
            "shade": box.shade,
            "data": number(box.data),
            "gradient": number(box.gradient),
            "seed": number(seed),
            "at": [*corner, frame.width, frame.height],
            **more,
        }
        for seed, box, corner, frame, more in zip(
            started, swept.boxes, placed.corners, placed.frames, rules, strict=True
        )
    ]
    arrows = [
        [arrow.tail, arrow.head, number(arrow.partial), _extent(route)]
        for arrow, route in zip(swept.arrows, placed.routes, strict=True)
    ]
    return {
        "scalars": swept.is_of_scalars,
        "level": swept.level,
        "precision": precision,
        "edges": Scale(box.gradient for box in swept.boxes if box.gradient is not None).edges,
        "nodes": nodes,
        "arrows": arrows,
    }


def _shape(box: Box) -> str:
    return shape_text(box.shape) if box.shape is not None else ""


def _extent(route: Sequence[tuple[int, int]]) -> list[int]:
    """The rectangle that holds an arrow: left, top, right, bottom."""
    xs, ys = [x for x, _ in route], [y for _, y in route]
    return [min(xs), min(ys), max(xs), max(ys)]


def _name(box: Box) -> str:
    """What a node is called in formulas; a constant is its number."""
    return box.facts[0][1] if box.kind == CONSTANT else box.short_name


def _rules(picture: Picture, precision: int) -> list[dict[str, Any]]:
    """For each node its value in symbols and in numbers, and each operand's partial derivative in symbols."""
    names = [_name(box) for box in picture.boxes]
    operands: list[list[Operand]] = [[] for _ in picture.boxes]
    for arrow in picture.arrows:
        tail = picture.boxes[arrow.tail]
        operand = Operand(arrow.tail, names[arrow.tail], tail.data if tail.kind == CONSTANT else None)
        operands[arrow.head].append(operand)
    digits = [_digits(box.data, precision) for box in picture.boxes]
    rules = []
    for box, name, inputs in zip(picture.boxes, names, operands, strict=True):
        symbols, partials = rule(box.operation, name, inputs)
        numbers = in_numbers(box.operation, inputs, [digits[x.box] for x in inputs])
        rules.append({"symbols": symbols, "numbers": numbers, "partials": partials} if inputs else {})
    return rules


def _digits(data: float | None, precision: int) -> str:
    return f"{data:.{precision}g}"
