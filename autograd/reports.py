"""The outcome of comparing gradients: a row for each array, a verdict, a table to print.

The rule of agreement stands here once: two arrays agree when their largest absolute difference is at most
`tolerance` times the array's largest magnitude. Elementwise relative error alone would be the wrong test: a
sum that cancels to nearly nothing has no correct digits on either side.

This room knows NumPy, nothing of the project.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


class GradientMismatch(AssertionError):
    """Gradients differ; the message is the report."""


@dataclass(frozen=True, slots=True)
class GradientRow:
    """How one array of gradients compares.

    absolute   largest absolute difference
    relative   that, as a share of the reference's largest magnitude
    ulps       that, in units of the last place of the entry where it stands
    index      where it stands, with the numbers that both sides have there
    note       what else there is to say: a missing array, another shape, a kink
    """

    name: str
    shape: tuple[int, ...]
    absolute: float
    relative: float
    ulps: float
    ok: bool
    index: tuple[int, ...] = ()
    candidate: float = np.nan
    reference: float = np.nan
    note: str = ""


@dataclass(frozen=True, slots=True)
class GradientReport:
    """The rows of a comparison, its two sides' names and its tolerance; prints as a table."""

    rows: tuple[GradientRow, ...]
    candidate: str
    reference: str
    tolerance: float

    @property
    def ok(self) -> bool:
        """Whether every row agrees."""
        return all(row.ok for row in self.rows)

    @property
    def worst(self) -> GradientRow:
        """The row that is furthest from agreement."""
        return max(self.rows, key=lambda row: (not row.ok, row.relative))

    def assert_ok(self) -> None:
        """Raise GradientMismatch, with this report as its message, unless every row agrees."""
        if not self.ok:
            raise GradientMismatch(str(self))

    def __str__(self) -> str:
        head = f"{'array':<12} {'shape':<10} {'abs. diff.':>10} {'relative':>9} {'ulps':>9}  verdict"
        lines = [f"gradients: {self.candidate} against {self.reference}", head, "-" * len(head)]
        for row in self.rows:
            shape = "×".join(map(str, row.shape)) or "scalar"
            verdict = "agrees" if row.ok else "DIFFERS"
            figures = f"{row.absolute:>10.2e} {row.relative:>9.1e} {row.ulps:>9.3g}"
            lines.append(f"{row.name:<12} {shape:<10} {figures}  {verdict}")
            if row.note:
                lines.append(f"    {row.note}")
        worst = self.worst
        if not np.isnan(worst.candidate) or not np.isnan(worst.reference):
            place = f"{worst.name}[{', '.join(map(str, worst.index))}]" if worst.index else worst.name
            lines += [
                f"worst entry  {place}",
                f"    {self.candidate:<24} {worst.candidate:.17g}",
                f"    {self.reference:<24} {worst.reference:.17g}",
            ]
        verdict = "all agree" if self.ok else "they do not agree"
        lines.append(f"{verdict} (tolerance {self.tolerance:.0e} of each array's largest magnitude)")
        return "\n".join(lines)


def compare_arrays(
    candidate: Mapping[str, Any],
    reference: Mapping[str, Any],
    tolerance: float = 1e-12,
    sides: tuple[str, str] = ("candidate", "reference"),
) -> GradientReport:
    """Compare two sets of named gradient arrays, in the reference's order.

    A name that only one side has, or another shape, is a row that does not agree. nan agrees with nan only,
    an infinity with itself only.

    >>> report = compare_arrays({"dW": [1.0, 2.0]}, {"dW": [1.0, 2.5]})
    >>> report.ok, report.worst.index, report.worst.absolute
    (False, (1,), 0.5)
    """
    if not reference:
        raise ValueError("nothing to compare: the reference holds no gradient")
    rows = [
        compare_row(name, candidate[name], array, tolerance) if name in candidate
        else _failed(name, np.shape(array), f"{sides[0]} has no {name}")
        for name, array in reference.items()
    ]  # fmt: skip
    rows += [
        _failed(name, np.shape(array), f"{sides[1]} has no {name}")
        for name, array in candidate.items()
        if name not in reference
    ]
    return GradientReport(tuple(rows), *sides, tolerance)


def compare_row(name: str, candidate: Any, reference: Any, tolerance: float) -> GradientRow:
    """Compare one array of gradients."""
    ours, theirs = np.asarray(candidate, dtype=float), np.asarray(reference, dtype=float)
    if ours.shape != theirs.shape:
        return _failed(name, theirs.shape, f"expected shape {theirs.shape}, got {ours.shape}")
    if ours.size == 0:
        return GradientRow(name, ours.shape, 0.0, 0.0, 0.0, ok=True)
    with np.errstate(all="ignore"):
        difference = np.abs(ours - theirs)
        difference[(ours == theirs) | (np.isnan(ours) & np.isnan(theirs))] = 0.0
        difference[np.isnan(difference)] = np.inf
        index = tuple(int(i) for i in np.unravel_index(np.argmax(difference), ours.shape))
        absolute = float(difference[index])
        magnitude = float(np.max(np.abs(theirs[np.isfinite(theirs)]), initial=0.0))
        relative = absolute / magnitude if magnitude else (0.0 if absolute == 0 else np.inf)
        spacing = float(np.spacing(max(abs(ours[index]), abs(theirs[index]))))
        ulps = absolute / spacing if np.isfinite(spacing) else (0.0 if absolute == 0 else np.inf)
    ok = absolute <= tolerance * magnitude
    return GradientRow(
        name, ours.shape, absolute, relative, ulps, ok, index, float(ours[index]), float(theirs[index])
    )


def _failed(name: str, shape: tuple[int, ...], note: str) -> GradientRow:
    return GradientRow(name, shape, np.inf, np.inf, np.inf, ok=False, note=note)
