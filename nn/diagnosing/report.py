"""The diagnosis: what is wrong with each array, the causes behind it, the evidence and the mend.

This room knows what mistakes are called.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from nn.diagnosing.claims import KINDS

WIDTH = 80
SHAPE = "wrong shape"
OTHERS = 3  # stories printed besides the first


@dataclass(frozen=True, slots=True)
class Cause:
    """One mistake, wherever it was made.

    kind      what it is: "missing derivative", "constant factor", …, "unknown"; the keys of `KINDS`
    places    what it was made in, topmost first: a mistake in dz1 goes on below, one in dW0 does not
    arrays    the gradients that show it
    says      what it is in the first place, in a sentence
    evidence  the numbers that speak for it
    mend      the right line of code for the first place; "" where only the true arrays are known
    """

    kind: str
    places: tuple[str, ...]
    arrays: tuple[str, ...]
    says: str
    evidence: str
    mend: str

    def __str__(self) -> str:
        title = KINDS[self.kind]
        elsewhere = f" The same in {listed(self.places[1:])}." if len(self.places) > 1 else ""
        lines = [f"{title[0].upper()}{title[1:]}. {self.says}{elsewhere}"]
        lines += [f"evidence: {self.evidence}"] * bool(self.evidence)
        lines += [f"right is: {self.mend}"] * bool(self.mend)
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Finding:
    """What there is to say about one array.

    off        its largest difference from the true one, as a share of that one's largest magnitude; inf where
               it has another shape, or where the true one is 0 or all rounding and it is not
    made       numbers, from 1 on, of the causes that were made in it or in the error dz it is made of
    inherited  of those that only come down to it from further up
    mistakes   the kinds of both
    """

    name: str
    shape: tuple[int, ...]
    off: float
    made: tuple[int, ...]
    inherited: tuple[int, ...]
    mistakes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the array is right."""
        return not self.mistakes

    @property
    def misshapen(self) -> bool:
        """Whether all that is wrong with it is its shape."""
        return self.mistakes == (SHAPE,)

    def __str__(self) -> str:
        shape = "×".join(map(str, self.shape)) or "number"
        off = f"{self.off:.2g}" if math.isfinite(self.off) else "-"
        kinds = dict(zip(sorted(self.made + self.inherited), self.mistakes, strict=True))
        words = [f"{kinds[number]} ({number})" for number in self.made]
        words += [f"follows from {listed([str(number) for number in self.inherited])}"] * bool(self.inherited)
        line = f"{self.name:<7} {shape:<9} {off:>8}  {'; '.join(words) or 'right'}"
        return _filled(line, indent=28)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is wrong with a gradient; prints as a report.

    findings  one for each array, from the last layer down, as a backward pass makes them
    causes    the mistakes, in the order in which they are made; none for a right gradient
    also      the causes in other stories that give the very same numbers: on these samples nobody can tell
    notes     what these samples cannot show, and how closely the numbers agree
    """

    candidate: str
    reference: str
    findings: tuple[Finding, ...]
    causes: tuple[Cause, ...]
    also: tuple[tuple[Cause, ...], ...]
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.causes

    @property
    def story(self) -> str:
        """The whole of it in a sentence or two."""
        wrong = [finding for finding in self.findings if not (finding.ok or finding.misshapen)]
        misshapen = [finding.name for finding in self.findings if finding.misshapen]
        arrays = _counted(len(self.findings), "array")
        shapes = f"{len(misshapen)} of {arrays} {_have(misshapen)} another shape: {listed(misshapen)}."
        if wrong:
            return self._of_wrong(wrong, arrays) + f" Besides, {shapes}" * bool(misshapen)
        if misshapen:
            return f"All numbers are right; {shapes}"
        return f"Nothing is wrong: all of {arrays} agree."

    def _of_wrong(self, wrong: Sequence[Finding], arrays: str) -> str:
        """How many arrays are wrong, by how many mistakes, and where to begin."""
        amount = f"{len(wrong)} of {arrays} {'are' if len(wrong) > 1 else 'is'} wrong"
        numbers = sorted({number for finding in wrong for number in finding.made + finding.inherited})
        causes = [self.causes[number - 1] for number in numbers]
        if all(cause.kind == "unknown" for cause in causes):
            below = "; what is wrong below may follow from it" if len(wrong) > 1 else ""
            return f"{amount}, by none of the known mistakes. Begin with {wrong[0].name}{below}."
        return f"{amount}, by {_counted(len(causes), 'mistake')}. Begin with {causes[0].places[0]}."

    def __str__(self) -> str:
        head = f"{'array':<7} {'shape':<9} {'off by':>8}  what it is"
        lines = [f"diagnosis: {self.candidate} against {self.reference}", head, "-" * 60]
        lines += [*map(str, self.findings), _filled(self.story)]
        for number, cause in enumerate(self.causes, start=1):
            first, *rest = str(cause).splitlines()
            lines += ["", _filled(f"{number}. {first}", indent=3)]
            lines += [_filled(f"   {line}", indent=13) for line in rest]
        for others in self.also[:OTHERS]:
            words = " ".join(cause.says for cause in others if cause not in self.causes)
            lines += ["", _filled(f"The same numbers would come of another mistake: {words}")]
        for note in self.notes:
            lines += ["", _filled(note)]
        return "\n".join(lines)


def listed(words: Sequence[str]) -> str:
    """Words in a row, the last after an "and".

    >>> listed(["dW1", "db1", "dW0"])
    'dW1, db1 and dW0'
    """
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _have(names: Sequence[str]) -> str:
    return "have" if len(names) > 1 else "has"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _filled(text: str, indent: int = 0) -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent=" " * indent, break_on_hyphens=False)
