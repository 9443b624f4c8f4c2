"""The outcome of comparing gradients: a row for each array, a verdict, a table to print.

The rule of agreement stands here once: two arrays agree when their largest absolute difference is at most
`tolerance` times the array's largest magnitude. Elementwise relative error alone would be the wrong test: a
sum that cancels to nearly nothing has no correct digits on either side.

Where a whole array cancels, as the gradients of a network that has learnt all there is to learn, its largest
magnitude is itself rounding. Where the size of the terms that were summed is known, arrays agree, too, when
they differ by at most `ROUNDINGS` units of that size's last place.

This room knows NumPy, nothing of the project.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

ROUNDINGS = 16  # of the terms' size; what two engines differ by has been seen to reach 1.3
TOLERANCES = {8: 1e-12, 4: 1e-4}  # by the bytes of a floating-point number


class GradientMismatch(AssertionError):
    """Gradients differ; the message is the report."""


@dataclass(frozen=True, slots=True)
class GradientRow:
    """How one array of gradients compares.

    absolute   largest absolute difference
    relative   that, as a share of the reference's largest magnitude
    ulps       that, in units of the last place of the entry where it stands
    index      where it stands, with the numbers that both sides have there
    note       what else there is to say: a missing array, another shape, a kink, rounding that excuses it
    rounding   the difference that rounding of the terms summed may come to; 0 where their size is not known
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
    rounding: float = 0.0


@dataclass(frozen=True, slots=True)
class GradientReport:
    """The rows of a comparison, its two sides' names, its tolerance and a note; prints as a table."""

    rows: tuple[GradientRow, ...]
    candidate: str
    reference: str
    tolerance: float
    note: str = ""

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
        excused = any(row.ok and row.relative > self.tolerance and row.rounding for row in self.rows)
        allowed = f"tolerance {self.tolerance:.0e} of each array's largest magnitude"
        lines.append(f"{verdict} ({allowed}{', or rounding' if excused else ''})")
        return "\n".join([*lines, self.note] if self.note else lines)


def compare_arrays(
    candidate: Mapping[str, Any],
    reference: Mapping[str, Any],
    tolerance: float | None = None,
    sides: tuple[str, str] = ("candidate", "reference"),
    terms: Mapping[str, float] | None = None,
) -> GradientReport:
    """Compare two sets of named gradient arrays, in the reference's order.

    tolerance  share of an array's largest magnitude that a difference may reach; None: 1e-12, or 1e-4 where
               an array on either side is float32
    sides      what the report calls them
    terms      by name, the size of the terms that an array's entries were summed from, where it is known

    A name that only one side has, or another shape, is a row that does not agree. nan agrees with nan only,
    an infinity with itself only. Raises TypeError for what are not arrays of real numbers, ValueError for a
    tolerance below 0 or not finite.

    >>> report = compare_arrays({"dW": [1.0, 2.0]}, {"dW": [1.0, 2.5]})
    >>> report.ok, report.worst.index, report.worst.absolute
    (False, (1,), 0.5)
    >>> compare_arrays({"db": [1e-16]}, {"db": [3e-16]}, terms={"db": 2.0}).ok       # 1 - 1, rounded
    True
    """
    ours, theirs = (_arrays(*side) for side in zip(sides, (candidate, reference), strict=True))
    if not theirs:
        raise ValueError("nothing to compare: the reference holds no gradient")
    allowed = _tolerance(tolerance, [*ours.values(), *theirs.values()])
    sizes = terms or {}
    rows = [
        compare_row(name, ours[name], array, allowed, sizes.get(name, 0.0)) if name in ours
        else _failed(name, array.shape, f"{sides[0]} has no {name}")
        for name, array in theirs.items()
    ]  # fmt: skip
    rows += [
        _failed(name, array.shape, f"{sides[1]} has no {name}")
        for name, array in ours.items()
        if name not in theirs
    ]
    return GradientReport(tuple(rows), *sides, allowed)


def compare_row(
    name: str, candidate: Any, reference: Any, tolerance: float, terms: float = 0.0
) -> GradientRow:
    """Compare one array of gradients; `terms` is the size of what its entries were summed from."""
    given = _array(name, candidate), _array(name, reference)
    coarser = min((array.dtype for array in given), key=lambda dtype: dtype.itemsize)
    ours, theirs = (array.astype(float) for array in given)
    if ours.shape != theirs.shape:
        return _failed(name, theirs.shape, f"expected shape {theirs.shape}, got {ours.shape}")
    if ours.size == 0:
        return GradientRow(name, ours.shape, 0.0, 0.0, 0.0, ok=True)
    with np.errstate(all="ignore"):
        difference = np.asarray(np.abs(ours - theirs))  # of no axes, it would not be an array
        difference[(ours == theirs) | (np.isnan(ours) & np.isnan(theirs))] = 0.0
        difference[np.isnan(difference)] = np.inf
        index = tuple(int(i) for i in np.unravel_index(np.argmax(difference), ours.shape))
        absolute = float(difference[index])
        magnitude = float(np.max(np.abs(theirs[np.isfinite(theirs)]), initial=0.0))
        relative = absolute / magnitude if magnitude else (0.0 if absolute == 0 else np.inf)
        spacing = float(np.spacing(coarser.type(max(abs(ours[index]), abs(theirs[index])))))
        ulps = absolute / spacing if np.isfinite(spacing) else (0.0 if absolute == 0 else np.inf)
        rounding = ROUNDINGS * float(np.finfo(coarser).eps) * terms
    ok, note = absolute <= tolerance * magnitude, ""
    if not ok and absolute <= rounding < np.inf:
        ok = True
        note = f"within rounding of the terms summed: {ROUNDINGS} ulps of {terms:.1e} are {rounding:.1e}"
    entries = float(ours[index]), float(theirs[index])
    return GradientRow(name, ours.shape, absolute, relative, ulps, ok, index, *entries, note, rounding)


def _arrays(side: str, gradients: object) -> dict[str, npt.NDArray[Any]]:
    if not isinstance(gradients, Mapping):
        raise TypeError(
            f'{side}: expected gradients by name, as in {{"dW0": array}}, got {type(gradients).__name__}'
        )
    return {name: _array(f"{name} of {side}", array) for name, array in gradients.items()}


def _array(what: str, value: object) -> npt.NDArray[Any]:
    """The array in its own precision, float64 for integers; TypeError for what holds no real numbers."""
    try:
        array = np.asarray(value)
    except ValueError as error:  # NumPy's word for rows of different lengths
        raise ValueError(f"{what}: expected an array, got rows of different lengths") from error
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"{what}: expected an array of real numbers, got dtype {array.dtype}; of Values, pass their .grad"
        )
    return array.astype(float) if array.dtype.kind != "f" or array.dtype.itemsize > 8 else array


def _tolerance(given: object, arrays: list[npt.NDArray[Any]]) -> float:
    """The tolerance given, checked; or that of the coarsest precision among the arrays."""
    if given is None:
        coarsest = min((array.dtype for array in arrays), key=lambda dtype: dtype.itemsize)
        if coarsest.itemsize not in TOLERANCES:
            raise ValueError(f"tolerance: none is known for {coarsest}; say what share may differ, as 0.01")
        return TOLERANCES[coarsest.itemsize]
    if isinstance(given, bool) or not isinstance(given, Real):
        raise TypeError(f"tolerance: expected a real number, got {type(given).__name__} {given!r:.60}")
    tolerance = float(given)
    if not 0 <= tolerance < np.inf:
        raise ValueError(f"tolerance: expected a finite number of at least 0, got {given}")
    return tolerance


def _failed(name: str, shape: tuple[int, ...], note: str) -> GradientRow:
    return GradientRow(name, shape, np.inf, np.inf, np.inf, ok=False, note=note)
