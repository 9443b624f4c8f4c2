"""From a story to a diagnosis: causes with their numbers, and a finding for each array.

This room knows the table of mistakes, the true pass, the search's stories and the report.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nn.diagnosing.claims import MENDS, Claim
from nn.diagnosing.explaining import Explainer
from nn.diagnosing.passes import Array, TruePass, is_error, layer_of
from nn.diagnosing.report import Cause, Finding, listed
from nn.diagnosing.search import Story

MULTIPLES = {"constant factor", "opposite sign"}
OF_SLOPES = {
    "missing derivative", "derivative at a", "derivative of the wrong layer", "wrong derivative",
    "derivative twice",
}  # fmt: skip
FLAT = {"softmax", "linear"}  # whose derivative by an entry alone says nothing
SHOWN = 4  # entries printed one by one


@dataclass(frozen=True)
class Case:
    """The candidate, the truth, and the story that explains the one by the other."""

    explainer: Explainer
    reference: Mapping[str, Array]
    true: TruePass | None
    story: Story

    def causes(self) -> tuple[Cause, ...]:
        """The story's mistakes; the same one in several places is one cause."""
        together: dict[tuple[str, str], list[Claim]] = {}
        for one in self.story.claims:
            together.setdefault((one.kind, one.detail), []).append(one)
        return tuple(self._cause(claims) for claims in together.values())

    def findings(self, causes: Sequence[Cause]) -> tuple[Finding, ...]:
        """Each array's, from the last layer down."""
        return tuple(self._finding(name, causes) for name in self._downwards())

    def _downwards(self) -> list[str]:
        if self.true is None:
            return list(self.reference)
        return sorted(self.reference, key=lambda name: (_depth(name), name))

    def _shows(self, name: str, place: str) -> bool:
        """Whether an array is wrong by a mistake in this place: its own, or an error that it is made of."""
        if not is_error(place):
            return name == place
        above = _depth(place) < _depth(name) and name in self.story.arrays
        return above and not self.explainer.agrees(name, self.reference[name])

    def _finding(self, name: str, causes: Sequence[Cause]) -> Finding:
        here = {name} if self.true is None else {name, _error_of(name)}
        shown = [number for number, cause in enumerate(causes, start=1) if name in cause.arrays]
        made = tuple(number for number in shown if here & set(causes[number - 1].places))
        return Finding(
            name=name,
            shape=self.reference[name].shape,
            off=_off(self.explainer.candidate.get(name), self.reference[name], self.explainer.floors[name]),
            made=made,
            inherited=tuple(number for number in shown if number not in made),
            mistakes=tuple(causes[number - 1].kind for number in shown),
        )

    def _cause(self, claims: Sequence[Claim]) -> Cause:
        first = claims[0]
        arrays = tuple(n for n in self._downwards() if any(self._shows(n, one.place) for one in claims))
        line = "" if self.true is None else self.true.line(first.place)
        return Cause(
            kind=first.kind,
            places=tuple(one.place for one in claims),
            arrays=arrays,
            says=first.says,
            evidence=self._evidence(first, arrays),
            mend=MENDS.get(first.kind, line),
        )

    def _evidence(self, one: Claim, arrays: Sequence[str]) -> str:
        if one.kind == "unknown":
            return self._unlikeness(arrays[0])
        known = [name for name in arrays if name in self.story.arrays]
        if not known:
            return ""
        multiples = [name for name in known if self._kinds(name) <= MULTIPLES]
        if one.kind in MULTIPLES and multiples:
            return f"yours / true{self._quotient(multiples[0])} in {self._entries(multiples)}"
        kinds = {kind for name in known for kind in self._kinds(name)}
        planted = "with this planted" if kinds == {one.kind} else "with this and the others planted"
        digits = -math.log10(self.explainer.tolerance)
        agreement = f"the true pass gives yours in {self._entries(known)}, to {digits:.0f} digits"
        return f"{planted}, {agreement}{self._slopes(one, known)}"

    def _entries(self, names: Sequence[str]) -> str:
        count = sum(self.explainer.candidate[name].size for name in names)
        return f"{f'all {count} entries' if count > 1 else 'the one entry'} of {listed(names)}"

    def _kinds(self, name: str) -> set[str]:
        return {one.kind for one in self.story.claims if self._shows(name, one.place)}

    def _quotient(self, name: str) -> str:
        given, right = self.explainer.candidate[name], self.reference[name]
        whole = _quotient(given, right)
        if self.true is None or self.explainer.agrees(name, whole * right):
            return f" = {whole:.9g}"
        penalty = self.true.penalty_in(name)
        return f", but for the penalty, = {_quotient(given - penalty, right - penalty):.9g}"

    def _slopes(self, one: Claim, arrays: Sequence[str]) -> str:
        """The derivative in question; for one sample, the quotient of the bias gradients that it is."""
        if self.true is None or one.kind not in OF_SLOPES or not is_error(one.place):
            return ""
        layer = layer_of(one.place)
        if self.true.activations[layer] in FLAT:
            return ""
        slope = self.true.derivatives[layer](self.true.u[layer])
        db = f"db{layer - 1}"
        alone = one.kind == "missing derivative" and len(self._kinds(db)) == 1
        if self.true.samples == 1 and alone and db in arrays:
            with np.errstate(all="ignore"):
                quotients = (self.reference[db] / self.explainer.candidate[db]).ravel()
            numbers = " ".join(f"{q:.4g}" for q in quotients[:SHOWN]) + " …" * (len(quotients) > SHOWN)
            return f"; true / yours in {db} is {self.true.slope(layer)}: {numbers}"
        return f"; {self.true.slope(layer)} is between {slope.min():.3g} and {slope.max():.3g}"

    def _unlikeness(self, name: str) -> str:
        """How far from the truth, for an array that nothing explains."""
        given, right = self.explainer.candidate[name], self.reference[name]
        if given.shape != right.shape:
            return f"{name} has the shape {given.shape} for {right.shape}"
        lengths = np.linalg.norm(given) * np.linalg.norm(right)
        likeness = f"; the cosine of the two is {np.sum(given * right) / lengths:.3f}" if lengths else ""
        place = tuple(int(i) for i in np.unravel_index(np.argmax(np.abs(given - right)), right.shape))
        return f"{name} is furthest off at {list(place)}: {given[place]:.6g} for {right[place]:.6g}{likeness}"


def _quotient(given: Array, right: Array) -> float:
    """At the largest entry."""
    place = np.unravel_index(np.argmax(np.abs(right)), right.shape)
    return float(given[place] / right[place])


def _error_of(name: str) -> str:
    """The error that an array is made of."""
    letters = "du" if name.startswith(("dgamma", "dbeta")) else "dz"
    return f"{letters}{layer_of(name) + 1}"


def _depth(name: str) -> tuple[int, int]:
    """Where on the way down it is made: du1, dγ0 and dβ0, dz1, dW0 and db0.

    >>> sorted(["dW0", "dz1", "dgamma0", "du1", "dz2", "dW1"], key=_depth)
    ['dz2', 'dW1', 'du1', 'dgamma0', 'dz1', 'dW0']
    """
    error = name if is_error(name) else _error_of(name)
    return -layer_of(error), 2 * error.startswith("dz") + (not is_error(name))


def _off(given: Array | None, right: Array, floor: float) -> float:
    if given is None or given.shape != right.shape:
        return float("inf")
    difference, size = float(np.abs(given - right).max()), float(np.abs(right).max())
    if size <= floor:
        return 0.0 if difference <= floor else float("inf")
    return difference / size
