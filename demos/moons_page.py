"""A training as one self-contained page: the decision boundary, the loss and the gradients, step by step.

The file needs no network; its numbers, a style sheet and a script (`moons.css`, `moons.js`) stand in it, and
its content-security-policy allows these two and nothing else.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.drawing.closed import closed_page
from autograd.drawing.structured import number

Array = npt.NDArray[np.float64]
Scores = Callable[[Array, Array], Array]  # at parameters (P,), of points (2, M): (M,)

MOST_FRAMES = 100  # boundaries in a page; of a longer training every second step, third step, …
SIDE = 48  # points of the grid along each axis
MARGIN = 0.3  # around the samples
LARGEST = 2.0  # score that has a shade of its own
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 520, 220, 52, 84, 14, 24  # of a chart, and of its borders
LARGEST_POWER = 308  # of ten, that a number can hold
MOST_POWERS = 8  # of ten on an axis; what is smaller lies at its foot
LABEL = 15  # height of a line's name


@dataclass(slots=True)
class Training:
    """What each step saw, before it moved: parameters (P,), the loss, and the gradient (P,)."""

    step: Callable[[Array], tuple[float, Array]]
    thetas: list[Array] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    gradients: list[Array] = field(default_factory=list)

    def __call__(self, theta: Array) -> tuple[float, Array]:
        """Loss and gradient at theta, kept."""
        loss, gradient = self.step(theta)
        self.thetas.append(theta.copy())
        self.losses.append(loss)
        self.gradients.append(gradient.copy())
        return loss, gradient


def training_page(
    training: Training, scores: Scores, points: Array, classes: Array, layers: Sequence[npt.NDArray[np.bool_]]
) -> str:
    """The page as one HTML document.

    points (2, N); classes (N,) of 1 and -1; layers, for each its share of the parameters (P,) as a mask
    """
    last = len(training.thetas) - 1
    with np.errstate(all="ignore"):  # a training that diverges is worth a look, too
        sizes = [
            np.array([np.sqrt(np.mean(gradient[layer] ** 2)) for gradient in training.gradients])
            for layer in layers
        ]
    names = [f"layer {k}" for k in range(len(layers))]
    body = _BODY.format(
        last=last,
        loss=_chart("loss", {"loss": np.array(training.losses)}),
        gradients=_chart("gradients", dict(zip(names, sizes, strict=True))),
    )
    frames = range(0, last + 1, -(-(last + 1) // MOST_FRAMES))
    data = {
        "points": [[*point, sign] for point, sign in zip(points.T.tolist(), classes.tolist(), strict=True)],
        "extent": _extent(points),
        "side": SIDE,
        "loss": list(map(number, training.losses)),
        "gradients": [list(map(number, size.tolist())) for size in sizes],
        "frames": [
            _frame(step, training.thetas[step], scores, points, classes) for step in sorted({*frames, last})
        ],
        "plot": [LEFT, WIDTH - RIGHT],
    }
    here = Path(__file__).parent
    style, script = ((here / name).read_text(encoding="utf-8") for name in ("moons.css", "moons.js"))
    return closed_page("Two moons, and how a network learns to part them", body, style, script, data)


def _extent(points: Array) -> list[float]:
    """Left, right, bottom and top of what is shown."""
    low, high = points.min(axis=1) - MARGIN, points.max(axis=1) + MARGIN
    return [float(low[0]), float(high[0]), float(low[1]), float(high[1])]


def _frame(step: int, theta: Array, scores: Scores, points: Array, classes: Array) -> dict[str, Any]:
    """The scores on the grid, row by row from the top, a byte each: 128 is 0, and 1 and 255 are ∓LARGEST.

    Where a score is no number the byte is 0, and a point there is on no side.
    """
    left, right, bottom, top = _extent(points)
    x, y = np.meshgrid(np.linspace(left, right, SIDE), np.linspace(top, bottom, SIDE))
    with np.errstate(all="ignore"):
        shades = np.clip(scores(theta, np.stack([x.ravel(), y.ravel()])) / LARGEST, -1.0, 1.0)
        found = scores(theta, points)
    grid = np.round(np.where(np.isnan(shades), 0, 128 + 127 * shades)).astype(np.uint8)
    right_side = int(np.count_nonzero(((found > 0) == (classes > 0)) & ~np.isnan(found)))
    return {"step": step, "right": right_side, "grid": base64.b64encode(grid.tobytes()).decode("ascii")}


# ---- charts


def _chart(name: str, lines: dict[str, Array]) -> str:
    """Lines over the steps on a logarithmic axis, as SVG; the script moves the upright line.

    Where a number is not finite its line has a gap, and the chart says so.
    """
    low, high = _powers(np.concatenate(list(lines.values())))
    steps = len(next(iter(lines.values())))
    across = LEFT + (WIDTH - LEFT - RIGHT) * np.arange(float(steps)) / max(1, steps - 1)

    def up(size: Array) -> Array:
        with np.errstate(divide="ignore"):  # what is 0 lies at the foot
            power = np.clip(np.log10(size), low, high)
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - power) / (high - low)

    parts = []
    for power in range(low, high + 1):
        y = float(up(np.array(10.0**power)))
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 6}" y="{y + 4:.1f}">{10.0**power:g}</text>')
    finite = [np.isfinite(line) for line in lines.values()]
    heights = [np.where(known, up(line), np.nan) for known, line in zip(finite, lines.values(), strict=True)]
    ends = _apart([float(([TOP, *height[known]])[-1]) for known, height in zip(finite, heights, strict=True)])
    for k, (word, height, end) in enumerate(zip(lines, heights, ends, strict=True)):
        parts.append(f'<path class="line line{k}" d="{_path(across, height)}"/>')
        parts.append(f'<text class="name{k}" x="{WIDTH - RIGHT + 6}" y="{end + 4:.1f}">{escape(word)}</text>')
    parts.append(f'<text class="tick" x="{WIDTH - RIGHT}" y="{HEIGHT - 6}">step {steps - 1}</text>')
    gaps = np.flatnonzero(~np.all(finite, axis=0))
    if gaps.size:
        words = f"not finite at {gaps.size} of {steps} steps, from step {gaps[0]}"
        parts.append(f'<text class="gap" x="{LEFT}" y="{HEIGHT - 6}">{words}</text>')
    parts.append(f'<path class="cursor" d="M0 {TOP}V{HEIGHT - BOTTOM}"/>')
    return (
        f'<svg id="{name}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{name} over the steps">'
        f"{''.join(parts)}</svg>"
    )


def _path(across: Array, heights: Array) -> str:
    """A line from place to place, broken where a height is nan.

    >>> _path(np.array([0.0, 1.0, 2.0, 3.0]), np.array([5.0, 6.0, np.nan, 8.0]))
    'M0.0 5.0L1.0 6.0M3.0 8.0'
    """
    parts, sign = [], "M"
    for x, y in zip(across.tolist(), heights.tolist(), strict=True):
        if math.isnan(y):
            sign = "M"
        else:
            parts.append(f"{sign}{x:.1f} {y:.1f}")
            sign = "L"
    return "".join(parts)


def _powers(numbers: Array) -> tuple[int, int]:
    """Of ten, the lowest and the highest on the axis."""
    positive = numbers[np.isfinite(numbers) & (numbers > 0)]
    if not positive.size:
        return -1, 0
    high = min(int(np.ceil(np.log10(positive.max()))), LARGEST_POWER)
    return min(high - 1, max(high - MOST_POWERS, int(np.floor(np.log10(positive.min()))))), high


def _apart(heights: Sequence[float]) -> list[float]:
    """The heights, moved down where two names would lie on each other."""
    found = list(heights)
    order = sorted(range(len(heights)), key=heights.__getitem__)
    for above, k in pairwise(order):
        found[k] = max(found[k], found[above] + LABEL)
    return found


_BODY = """\
<header>
<button id="play" title="Play or pause (space)">Play</button>
<input id="slider" type="range" min="0" max="{last}" value="0" aria-label="Step of the training">
<output id="counter" for="slider"></output>
</header>
<main>
<section>
<h1>Where the network parts the two moons</h1>
<canvas id="boundary" width="560" height="560" role="img" aria-label="Decision boundary"></canvas>
<p id="right"></p>
</section>
<section>
<h1>Loss</h1>
{loss}
<p id="lossnow"></p>
<h1>How large the gradient is that reaches each layer</h1>
{gradients}
<p id="gradientsnow"></p>
</section>
</main>
<p id="keys">→ ← one step on or back · Home End · space plays · the address keeps the step, as in #40</p>
<noscript>The curves stand above; moving through the steps needs this page's script.</noscript>"""
