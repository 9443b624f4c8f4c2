"""Gradients against numerical differentiation.

Central differences are a smoke test: (f(x+h) - f(x-h)) / 2h has the truncation error h² f'''/6 and the
rounding error ε |f| / h, and is wrong across a kink. The step is scaled to the operand, the tolerance knows
the rounding error, and an entry that seems wrong is tried again with smaller steps before it is accused.

This room knows `Value`, reports and structures.
"""

from __future__ import annotations

import contextlib
import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from autograd.numberlike import real
from autograd.reports import GradientReport, GradientRow, compare_row
from autograd.structures import leaves, rebuild
from autograd.value import Value

_EPSILON = float(np.finfo(float).eps)
_STEP = _EPSILON ** (1 / 3)  # balances h² against ε/h
_SHRINK = (1 / 8, 1 / 64)
_ROUNDINGS = 16  # roundings of f's own size that its value may carry


def check_gradients(
    f: Callable[..., Any],
    *args: Any,
    gradient: Callable[..., Any] | None = None,
    tolerance: float = 1e-6,
    step: float = _STEP,
    sample: int | None = None,
    rng: np.random.Generator | None = None,
) -> GradientReport:
    """Compare the gradient of f at args with central differences; a report with a row for each argument.

    f         returns one number. Without `gradient` it is called with Values in place of the numbers in
              args, and the gradient is what `backward` gives. With it, f takes plain numbers.
    args      numbers, arrays, or nested lists and tuples of them; a dict gives a row for each key
    gradient  gradient(*args) -> f's gradient: one structure like args[0], or a tuple of one for each
              argument. Any hand-written derivative can be put here
    tolerance share of the argument's largest gradient that a difference may reach; more where rounding
              in f alone explains it
    step      relative to max(1, |x|)
    sample    check so many entries of each row, chosen by `rng`, instead of all

    Raises ValueError for a step or tolerance that is not positive, TypeError where f is not callable or does
    not return a number.

    >>> report = check_gradients(lambda a, b: (a * b).tanh(), 0.5, -0.25)
    >>> report.ok
    True
    >>> wrong = check_gradients(lambda x: x**3, 2.0, gradient=lambda x: 3 * x)
    >>> wrong.ok, wrong.worst.candidate, round(wrong.worst.reference, 6)
    (False, 6.0, 12.0)
    """
    _check_options(f, tolerance, step, sample)
    if not args:
        raise ValueError("check_gradients: expected the arguments at which to check f, got none")
    numbers = [real(x, "argument of the checked function") for x in leaves(list(args))]
    recorded = gradient is None
    analytic = _recorded_gradient(f, args, numbers) if gradient is None else _given_gradient(gradient, args)

    def value_at(i: int, x: float) -> float:
        moved: list[Any] = [*numbers[:i], x, *numbers[i + 1 :]]
        result = f(*rebuild(list(args), iter([Value(n) for n in moved] if recorded else moved)))
        return result.data if isinstance(result, Value) else real(result, "the value of the checked function")

    rng = rng or np.random.default_rng(0)
    rows, start = [], 0
    with np.errstate(all="ignore"):
        for name, argument in _named(f, args):
            size = sum(1 for _ in leaves(argument))
            entries = np.arange(size) if sample is None else np.sort(rng.permutation(size)[:sample])
            probes = [_Probe(value_at, int(i), numbers[i], analytic[i], step) for i in start + entries]
            row = _row(name, probes, tolerance)
            rows.append(_located(row, argument, entries, size))
            start += size
    return GradientReport(tuple(rows), "gradient", "central differences", tolerance)


class _Probe:
    """One entry: its analytic derivative, its numerical one, and how far rounding in f blurs that."""

    def __init__(
        self, value_at: Callable[[int, float], float], i: int, x: float, analytic: float, step: float
    ) -> None:
        self.f = partial(value_at, i)
        self.x = x
        self.step = step * max(1.0, abs(x))
        self.analytic = analytic
        self.numeric, self.blur = self.central(self.step)
        self.note = ""
        self.excused = False

    def central(self, h: float) -> tuple[float, float]:
        above, below = self.x + h, self.x - h
        up, down = self.f(above), self.f(below)
        width = above - below
        return (up - down) / width, _ROUNDINGS * _EPSILON * max(abs(up), abs(down)) / width

    def agrees(self, allowed: float) -> bool:
        return self.excused or abs(self.analytic - self.numeric) <= allowed + self.blur

    def look_closer(self, allowed: float) -> None:
        """Try smaller steps, then one-sided ones: a kink explains what a wrong gradient does not."""
        for shrink in _SHRINK:
            numeric, blur = self.central(self.step * shrink)
            if abs(self.analytic - numeric) <= allowed + blur:
                self.numeric, self.blur, self.note = numeric, blur, "a kink lies within the step"
                return
        left, right = self.slopes(self.step)
        closer_left, closer_right = self.slopes(self.step * _SHRINK[-1])
        stays = abs(closer_right - closer_left) > abs(right - left) / 2  # a smooth f's would shrink with h
        within = min(left, right) - allowed <= self.analytic <= max(left, right) + allowed
        if stays and within and abs(right - left) > allowed + self.blur:
            self.excused = True
            self.note = f"a kink lies at this very point: slopes {left:.4g} and {right:.4g}"

    def slopes(self, h: float) -> tuple[float, float]:
        here = self.f(self.x)
        return (here - self.f(self.x - h)) / h, (self.f(self.x + h) - here) / h


def _row(name: str, probes: Sequence[_Probe], tolerance: float) -> GradientRow:
    allowed = tolerance * max((abs(p.numeric) for p in probes), default=0.0)
    for probe in probes:
        if not probe.agrees(allowed):
            probe.look_closer(allowed)
    row = compare_row(name, [p.analytic for p in probes], [p.numeric for p in probes], tolerance)
    noted = [p for p in probes if p.note]
    note = f"{len(noted)} of {len(probes)} entries: {noted[0].note}" if noted else ""
    return replace(row, ok=all(p.agrees(allowed) for p in probes), note=note)


def _located(row: GradientRow, argument: Any, entries: Any, size: int) -> GradientRow:
    """The row of chosen entries, with its index and shape those of the whole argument."""
    shape = argument.shape if isinstance(argument, np.ndarray) else () if size == 1 else (size,)
    index = np.unravel_index(entries[row.index[0]], shape) if row.index and shape else ()
    sampled = f"{len(entries)} of {size} entries checked" if len(entries) < size else ""
    note = "; ".join(filter(None, (sampled, row.note)))
    return replace(row, shape=shape, index=tuple(int(i) for i in index), note=note)


def _recorded_gradient(f: Callable[..., Any], args: tuple[Any, ...], numbers: Sequence[float]) -> list[float]:
    values = [Value(x) for x in numbers]
    result = f(*rebuild(list(args), iter(values)))
    if isinstance(result, Value):
        result.backward()
    else:
        real(result, "the value of the checked function")  # a number: f does not depend on its arguments
    return [value.grad for value in values]


def _given_gradient(gradient: Callable[..., Any], args: tuple[Any, ...]) -> list[float]:
    given = gradient(*args)
    parts = (given,) if len(args) == 1 and not isinstance(given, tuple) else given
    if not isinstance(parts, (list, tuple)) or len(parts) != len(args):
        raise ValueError(
            f"gradient: expected one for each of {len(args)} arguments, got {type(given).__name__}"
        )
    return [x for argument, part in zip(args, parts, strict=True) for x in _aligned(argument, part)]


def _aligned(argument: Any, gradient: Any) -> list[float]:
    """The gradient's numbers in the argument's order; ValueError where it is not of the same structure."""
    if isinstance(argument, dict):
        if not isinstance(gradient, dict) or set(gradient) != set(argument):
            raise ValueError(
                f"gradient: expected a dict with the keys {sorted(argument)}, got {gradient!r:.60}"
            )
        return [x for key, part in argument.items() for x in _aligned(part, gradient[key])]
    if isinstance(argument, np.ndarray) and np.shape(gradient) != argument.shape:
        raise ValueError(f"gradient: expected shape {argument.shape}, got {np.shape(gradient)}")
    numbers = [float(x) for x in leaves(gradient)]
    if len(numbers) != sum(1 for _ in leaves(argument)):
        raise ValueError(f"gradient: expected as many numbers as the argument has, got {len(numbers)}")
    return numbers


def _named(f: Callable[..., Any], args: tuple[Any, ...]) -> list[tuple[str, Any]]:
    """The parts of the arguments that make a row each: every argument, but a dict's entries singly."""
    names: list[str] = []
    with contextlib.suppress(TypeError, ValueError):  # builtins have no signature to read
        parameters = inspect.signature(f).parameters.values()
        names = [p.name if p.kind is not p.VAR_POSITIONAL else "" for p in parameters]
    parts: list[tuple[str, Any]] = []
    for i, argument in enumerate(args):
        name = names[i] if i < len(names) and names[i] else f"argument {i}"
        if isinstance(argument, dict):
            parts += [(str(key), part) for key, part in argument.items()]
        else:
            parts.append((name, argument))
    return parts


def _check_options(f: Any, tolerance: float, step: float, sample: int | None) -> None:
    if not callable(f):
        raise TypeError(f"check_gradients: expected a function to check, got {type(f).__name__}")
    for name, x in (("tolerance", tolerance), ("step", step)):
        if not real(x, f"check_gradients: {name}") > 0 or math.isinf(x):
            raise ValueError(f"check_gradients: {name} must be positive and finite, got {x}")
    if sample is not None and sample < 1:
        raise ValueError(f"check_gradients: sample must be at least 1, got {sample}")
