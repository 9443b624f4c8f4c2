"""One array: the lightest mistakes that turn the right one into the candidate's.

This room knows the claims and the constant factors.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np

from nn.diagnosing.claims import ONLY, UNNAMED, Claim, Claims, Variant, claim, is_unnamed
from nn.diagnosing.factors import Counts, ratio, readings
from nn.diagnosing.passes import Array

EXACT, ROUGH = 1e-12, 1e-4  # float64's and float32's agreement, as a share of an array's largest magnitude

Explanation = tuple[Claims, Array | None]

# What has more to choose from explains more, and is believed less. Of two mistakes that give the same numbers
# on some samples, the more particular is named first.
WEIGHTS = {  # of all others: 1
    "unknown": 8.0,
    "missing derivative": 1.02,
    "wrong derivative": 1.04,
    "constant factor": 1.05,
    "zero": 1.06,
    "neighbour layer": 1.2,
    "permuted": 1.3,
    "wrong penalty": 2.0,
    "updated weights": 2.45,  # of one neuron, the same as a factor without a name
}
UNNAMED_FACTOR = 2.5
ALONE = 0.13  # for a mistake in an error of which one array alone is said to be made: never as likely
AGAIN = 0.15  # weight of the same mistake in a further place
ENOUGH = 8  # digits that entries must confirm together, where a mistake has factors to choose from
SMALLEST = float(np.finfo(np.float32).tiny)  # what is smaller may be 0 in float32
KEPT = 6  # explanations of one array


def weight(claims: Claims) -> float:
    """How much one has to believe to believe them all.

    >>> one = Claim("opposite sign", "", "dW0", ""), Claim("opposite sign", "", "db0", "")
    >>> weight(one)
    1.15
    """
    made: set[tuple[str, str]] = set()
    total = 0.0
    for one in claims:
        known = (one.kind, one.detail) in made and one.kind != "unknown"
        total += AGAIN if known else _weight(one)
        made.add((one.kind, one.detail))
    return total


def _weight(one: Claim) -> float:
    if one.detail.startswith(UNNAMED):
        return UNNAMED_FACTOR
    return WEIGHTS.get(one.kind, 1.0) + ALONE * one.detail.startswith(ONLY)


@dataclass(frozen=True)
class Explainer:
    """The candidate's arrays, and how closely a hypothesis must agree with them.

    previous   the last step's gradients, where they are known
    counts     what a factor may be: {"m": samples, "outputs": outputs, "weights.sum()": …}
    floors     for each array, the difference that rounding alone explains
    tolerance  the largest difference, as a share of the array's largest magnitude, that is agreement
    """

    candidate: Mapping[str, Array]
    previous: Mapping[str, Array]
    counts: Counts
    floors: Mapping[str, float]
    tolerance: float

    def agrees(self, name: str, value: Array) -> bool:
        """Whether the candidate's array of this name is `value`."""
        given = self.candidate.get(name)
        if given is None or given.shape != value.shape or not given.size:
            return False
        vanished = np.abs(value).max() < SMALLEST and not given.any()
        return bool(vanished or np.abs(given - value).max() <= self.close(name, value))

    def close(self, name: str, value: Array) -> float:
        """The difference from `value` that is agreement."""
        return self.tolerance * float(np.abs(value).max()) + self.floors[name]

    def entries(self, name: str, value: Array) -> int:
        """How many entries of `value` say something: those above rounding, or all where none is."""
        more = np.abs(value) > max(self.floors[name], EXACT * np.abs(value).max())
        return int(np.count_nonzero(more)) or value.size

    def suffice(self, entries: int) -> bool:
        """Whether so many agreeing entries are evidence for a mistake that has a choice."""
        return -math.log10(self.tolerance) * entries >= ENOUGH

    def factor(self, name: str, value: Array, besides: Array | float = 0.0) -> float | None:
        """The factor by which `value` gives the candidate's array, with what is in it `besides`, if any."""
        given = self.candidate.get(name)
        if given is None or given.shape != value.shape or not given.size or not np.isfinite(given).all():
            return None
        if np.abs(value).max() <= self.floors[name]:
            return None  # rounding of what ought to be 0
        found = ratio(given - besides, value)
        if not found or not np.isfinite(found) or self._nearly_named(found):
            return None
        return found if self.agrees(name, besides + found * value) else None

    def _nearly_named(self, factor: float) -> bool:
        """Whether it is a factor with a name, or 1, that is not met: rounding, and no factor of its own."""
        size = abs(factor)
        if abs(size - 1) <= ROUGH or readings(size, self.counts, ROUGH):
            claims, _ = self.scaled(factor, "")
            return is_unnamed(claims)
        return False

    def scaled(self, factor: float, place: str) -> tuple[Claims, float]:
        """The claims that a factor makes, and the factor, exact where it has a name."""
        return scaled(factor, place, self.counts, max(10 * self.tolerance, 1e-9))

    def explained(self, name: str, right: Array, others: Iterable[Variant]) -> list[Explanation]:
        """The lightest explanations of one array; None for its value where there is none."""
        given = self.candidate.get(name)
        if given is None:
            return [(claim("missing array", "", name, f"{name} was not given."), None)]
        if not np.isfinite(given).all():
            place = tuple(int(i) for i in np.argwhere(~np.isfinite(given))[0])
            return [(claim("not finite", "", name, f"{name} holds {given[place]} at {list(place)}."), None)]
        if self.agrees(name, right):
            return [((), right)]
        found: list[Explanation] = []
        zero = claim("zero", "", name, f"{name} is all zeros: nothing was put in."), np.zeros_like(right)
        for claims, value in chain([((), right), zero], others, self._of_last_step(name, right)):
            found += self._multiple(name, claims, value)
        found.sort(key=lambda explanation: weight(explanation[0]))
        unknown = claim("unknown", "", name, f"{name} is wrong in a way that is not in the table.")
        return found[:KEPT] or [(unknown, None)]

    def _of_last_step(self, name: str, right: Array) -> Iterable[Variant]:
        if name not in self.previous:
            return
        last = self.previous[name]
        yield claim("stale", "", name, f"{name} is the last step's."), last
        if last.shape == right.shape:
            says = f"{name} is the sum of this step's and the last step's."
            yield claim("accumulated", "", name, says), right + last

    def _multiple(self, name: str, claims: Claims, value: Array) -> list[Explanation]:
        """The array as `value` or a multiple of it."""
        if claims and self.agrees(name, value):
            return [(claims, value)]
        factor = self.factor(name, value)
        if factor is None:
            return []
        of_factor, factor = self.scaled(factor, name)
        unnamed = is_unnamed(of_factor)
        if claims and unnamed:
            return []
        if (claims or unnamed) and not self.suffice(self.entries(name, value) - 1):
            return []  # one number is a multiple of any other
        return [(claims + of_factor, factor * value)]


def scaled(factor: float, place: str, counts: Counts, tolerance: float) -> tuple[Claims, float]:
    """The claims that a factor makes, and the factor itself, exact where it has a name."""
    claims: Claims = ()
    if factor < 0:
        claims = claim("opposite sign", "", place, f"{place} has the opposite sign.")
    size = abs(factor)
    if abs(size - 1) <= tolerance:
        return claims, float(np.sign(factor))
    named = readings(size, counts, tolerance)
    if not named:
        words = "no count of samples or outputs" if counts else "is that a count of samples, or of outputs?"
        says = f"{place} is {size:.6g} times the true one: {words}{'.' * bool(counts)}"
        return claims + claim("constant factor", f"{UNNAMED}{size:.6g}", place, says), factor
    value, names = named[0][0], " = ".join(name for _, name, _ in named)
    shown = "" if named[0][1] == f"{value:g}" else f"{value:.6g} = "
    meanings = ", or ".join(meaning for _, _, meaning in named)
    says = f"{place} is {shown}{names} times the true one: {meanings}."
    return claims + claim("constant factor", names, place, says), float(np.sign(factor)) * value
