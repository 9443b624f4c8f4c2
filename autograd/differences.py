"""A derivative against differences of the function's values: the numerical estimate, and the verdict.

    central      (f(x+h) - f(x-h)) / 2h       off by h² f'''/6, and by the rounding of f over h
    richardson   central for h, h/2 and h/4, weighted so that the errors in h² and h⁴ cancel
    complex      Im f(x+ih) / h               subtracts nothing, so that h can be tiny; f must be analytic

After Richardson (1911) and Ridders (1982); for the complex step Squire and Trapp (1998). No one step suits
every function: a long one reaches across kinks and out of the domain, a short one drowns in f's rounding. So
`settle` tries others, and measures the error by what neighbouring steps differ.

This room knows what a row of a report holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from autograd.reports import GradientRow, compare_row

EPSILON = 2.0**-52
STEPS = {  # by method, relative to max(1, |x|): where truncation and rounding balance for ordinary functions
    "central": EPSILON ** (1 / 3),
    "richardson": EPSILON ** (1 / 7),
    "complex": 1e-20,
}

_ROUNDING = 16 * EPSILON  # of its own size, that a value of f may be off by
_RATIO = 8  # of neighbouring steps
_RUNGS = 3  # steps to try at least beyond the first
_LONGEST = 1 / 16  # step, relative to max(1, |x|)
_SUDDEN = {"central": _RATIO**4, "richardson": _RATIO**8}  # errors in h² and h⁶ fall by _RATIO² and _RATIO⁶
_AT_KINK = "a kink lies at this very point: slopes {0.kink[0]:.4g} and {0.kink[1]:.4g}"
_BEND = 1e-3  # relative difference of the slopes on both sides, below which nobody looks for a kink
_CONFIRMED = 1e-6  # relative difference within which central differences confirm a complex step


@dataclass(frozen=True, slots=True)
class Estimate:
    """A derivative, how far off it may be as far as is known, and how much of that is by rounding in f."""

    slope: float
    error: float
    rounding: float


class Probe:
    """A function at one point, and the differences of its values around it.

    f      gives nan or an infinity where it is not defined, and does not raise
    step   the first to try, relative to max(1, |x|)

    >>> estimate, kinked = Probe(lambda x: x * abs(x), 2.0, "central", 1e-5).settle(wanted=1e-6)
    >>> round(estimate.slope, 6), estimate.error < 1e-6, kinked
    (4.0, True, False)
    """

    def __init__(self, f: Callable[[float], float], x: float, method: str, step: float) -> None:
        self.f, self.x = cache(f), x  # what looks for kinks asks again for what was asked before
        self.scale = max(1.0, abs(x))
        self.step = step * self.scale
        self.estimate = self.richardson if method == "richardson" else self.central
        self.sudden = _SUDDEN[method]

    def central(self, h: float) -> Estimate:
        above, below = self.x + h, self.x - h
        up, down, width = self.f(above), self.f(below), above - below
        if width == 0:
            return Estimate(math.nan, math.inf, math.inf)
        rounding = _ROUNDING * max(abs(up), abs(down)) / width
        return Estimate((up - down) / width, rounding, rounding)

    def richardson(self, h: float) -> Estimate:
        long, middle, short = self.central(h), self.central(h / 2), self.central(h / 4)
        slope = (64 * short.slope - 20 * middle.slope + long.slope) / 45
        rounding = (64 * short.rounding + 20 * middle.rounding + long.rounding) / 45
        return Estimate(slope, rounding + abs(slope - (4 * short.slope - middle.slope) / 3), rounding)

    def settle(self, wanted: float) -> tuple[Estimate, bool]:
        """The estimate of least error near the first step, or where it is worse than `wanted`, of all steps.

        And whether a kink lies within the first step, but not within the one that was settled on.
        """
        near = self.best_of(self.step, self.step / _RATIO**_RUNGS)
        if near[0].error <= wanted:
            return near
        longest = self.step
        while longest * _RATIO <= _LONGEST * self.scale:
            longest *= _RATIO
        return self.best_of(longest, EPSILON * abs(self.x) or EPSILON**2 * self.step)

    def best_of(self, longest: float, shortest: float) -> tuple[Estimate, bool]:
        """What `settle` gives, of a ladder of steps.

        From one step to the next the estimate changes by the longer one's truncation error, or by noise, of
        which a longer step has less in proportion. Where the changes fall more suddenly than a smooth
        function's, a kink was passed.
        """
        steps, estimates = self.ladder(longest, shortest)
        best, at, falls, noise = Estimate(math.nan, math.inf, math.inf), 0, [], 0.0
        for i in reversed(range(len(steps) - 1)):
            change = abs(estimates[i].slope - estimates[i + 1].slope)
            if self.sudden * max(noise, estimates[i + 1].rounding) < change < math.inf:
                falls.append(i)
            noise = max(change, noise / _RATIO)
            error = estimates[i].error + 2 * noise
            if error < best.error and i < len(steps) - 2:  # one change alone may be small by chance
                best, at = Estimate(estimates[i].slope, error, estimates[i].rounding), i
        return best, any(i < at and steps[i] <= self.step for i in falls)

    def ladder(self, longest: float, shortest: float) -> tuple[list[float], list[Estimate]]:
        """Steps from long to short, until rounding rules, and their estimates."""
        steps: list[float] = []
        estimates: list[Estimate] = []
        h, least = longest, math.inf  # least: the smallest move of f so far
        while True:
            now = self.estimate(h)
            if now.slope == 0:  # f did not move: it may be flat, or its terms rounded to what they were
                hidden = min(least, _ROUNDING * self.scale) / h
                now = Estimate(0.0, now.error + hidden, now.rounding + hidden)
            least = min(least, abs(now.slope) * h or math.inf)
            steps.append(h)
            estimates.append(now)
            ruled = [abs(b.slope - c.slope) < c.rounding for b, c in pairwise(estimates[-4:])]
            if h <= shortest or (len(ruled) == 3 and all(ruled)):
                return steps, estimates
            h /= _RATIO

    def is_bent(self) -> bool:
        """Whether the slopes to the left and to the right differ as they do at a kink, or where f is flat."""
        left, right = self.sides(STEPS["central"] * self.scale)
        return abs(right - left) > _BEND * max(abs(left), abs(right))

    def kink(self) -> tuple[float, float, float] | None:
        """The slopes to the left and to the right, and how far off they are; None where f has no kink here.

        At a kink the slopes stay apart, however short the step; a smooth function's come together with it.
        """
        h = STEPS["central"] * self.scale
        (left, right), (near_left, near_right) = self.sides(h), self.sides(h / 64)
        gap, near_gap = abs(right - left), abs(near_right - near_left)
        rounding = 2 * _ROUNDING * abs(self.f(self.x)) / (h / 64)
        if not (gap / 2 < near_gap < gap * 2 and near_gap > 2 * rounding):
            return None
        return near_left, near_right, max(abs(left - near_left), abs(right - near_right)) + rounding

    def sides(self, h: float) -> tuple[float, float]:
        here = self.f(self.x)
        return (here - self.f(self.x - h)) / h, (self.f(self.x + h) - here) / h


class Entry:
    """One number of a function's arguments: its analytic derivative, its numerical one, and the verdict.

    f        as a Probe's; for the complex step it takes complex numbers too
    remarks  what there is to say, as templates to be formatted with this entry

    First `settle`, then `judge`; `allowed` is the difference that the tolerance grants.

    >>> entry = Entry(abs, 0.0, 0.5, "central", STEPS["central"])
    >>> entry.settle(allowed=1e-6)
    >>> entry.judge(allowed=1e-6)
    >>> entry.ok, entry.remarks[0].format(entry)
    (True, 'a kink lies at this very point: slopes -1 and 1')
    """

    def __init__(self, f: Callable[[Any], Any], x: float, analytic: float, method: str, step: float) -> None:
        self.analytic = analytic
        self.ok = False
        self.remarks: list[str] = []
        self.kinked = False
        self.kink: tuple[float, float, float] | None = None
        self.complex: Estimate | None = None
        if method == "complex":
            h = step * max(1.0, abs(x))
            slope = f(complex(x, h)).imag / h
            self.complex = Estimate(slope, _ROUNDING * abs(slope), _ROUNDING * abs(slope))
            method, step = "central", STEPS["central"]
        self.probe = Probe(f, x, method, step)
        self.numeric = self.complex or self.probe.estimate(self.probe.step)

    @property
    def difference(self) -> float:
        return abs(self.analytic - self.numeric.slope)

    def settle(self, allowed: float) -> None:
        """Replace a numerical derivative that is doubtful by one that is less so."""
        if self.complex is not None:
            self.confirm(self.complex)
        elif self.numeric.error > allowed or not self.difference <= allowed:
            self.numeric, self.kinked = self.probe.settle(allowed)

    def confirm(self, found: Estimate) -> None:
        """Put central differences in the place of a complex step that they contradict."""
        central, _ = self.probe.settle(_CONFIRMED * abs(found.slope))
        allowed = _CONFIRMED * max(abs(found.slope), abs(central.slope)) + 10 * central.error
        if abs(found.slope - central.slope) <= allowed:
            return
        self.numeric = central
        if math.isfinite(central.slope):
            self.remarks.append(
                "f is not analytic: complex step {0.complex.slope:.4g}; "
                "central differences, {0.numeric.slope:.4g}, decide"
            )

    def judge(self, allowed: float) -> None:
        """Set `ok`, and `remarks`."""
        self.ok = self.difference <= allowed + self.numeric.error
        if not self.ok:
            self.look_for_a_reason(allowed)
            return
        if self.probe.is_bent() and self.find_kink():  # with the gradient between its slopes, as of abs at 0
            self.remarks.append(_AT_KINK)
            return
        if self.kinked:
            self.remarks.append("a kink lies within the step")
        if self.numeric.error > allowed:
            self.remarks.append("agrees to within {0.numeric.error:.1e} only: rounding in f hides the rest")
        elif self.difference > max(abs(self.analytic), abs(self.numeric.slope)) / 2:
            self.remarks.append("too small beside the largest gradient of this row to be checked")

    def look_for_a_reason(self, allowed: float) -> None:
        """A kink at the very point excuses any gradient between the slopes of its two sides."""
        if not math.isfinite(self.numeric.slope):
            self.remarks.append("no numerical derivative: f is not finite on both sides, however near")
            return
        if self.find_kink() and self.kink is not None:
            left, right, margin = self.kink
            margin += allowed
            if min(left, right) - margin <= self.analytic <= max(left, right) + margin:
                self.ok = True
                self.remarks.append(_AT_KINK)

    def find_kink(self) -> bool:
        self.kink = self.probe.kink()
        return self.kink is not None


def judged_row(
    name: str, argument: Any, size: int, entries: dict[int, Entry], tolerance: float
) -> GradientRow:
    """The row of an argument of `size` numbers; `entries` are those to check, by their place among them."""
    for step in (Entry.settle, Entry.judge):
        allowed = tolerance * _largest(entries.values())
        for entry in entries.values():
            step(entry, allowed)
    shown = {i: e for i, e in entries.items() if not e.ok} or entries
    analytic, numeric = [e.analytic for e in shown.values()], [e.numeric.slope for e in shown.values()]
    row = compare_row(name, analytic, numeric, tolerance)
    shape = argument.shape if isinstance(argument, np.ndarray) else () if size == 1 else (size,)
    index = np.unravel_index(list(shown)[row.index[0]], shape) if shape and row.index else ()
    floor = max(abs(row.candidate), abs(row.reference), _largest(entries.values()))
    return replace(
        row,
        shape=shape,
        index=tuple(int(i) for i in index),
        relative=row.absolute / floor if 0 < row.absolute < math.inf else row.absolute,
        ok=all(e.ok for e in entries.values()),
        note="; ".join(_notes(list(entries.values()), size)),
    )


def _largest(entries: Iterable[Entry]) -> float:
    """The largest gradient that both sides know of: a wild number on one side measures nothing."""
    pairs = [(abs(e.analytic), abs(e.numeric.slope)) for e in entries]
    return max((min(pair) for pair in pairs if all(map(math.isfinite, pair))), default=0.0)


def _notes(entries: list[Entry], size: int) -> list[str]:
    """What there is to say of a row: each remark once, and of how many entries it is true."""
    notes = [f"{len(entries)} of {size} entries checked"] if len(entries) < size else []
    for remark in dict.fromkeys(remark for e in entries for remark in e.remarks):
        about = [e for e in entries if remark in e.remarks]
        text = remark.format(max(about, key=lambda e: e.numeric.error))
        notes.append(f"{len(about)} of {len(entries)} entries: {text}" if size > 1 else text)
    return notes
