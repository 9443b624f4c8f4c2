"""Gradients against numerical differentiation.

An entry agrees when its numerical derivative is within `tolerance` of its argument's largest gradient, or
within what rounding in f hides, and then the row says how much that is. One that seems wrong is tried with
other steps before it is accused, and a kink is told from a mistake: see `differences`.

This room knows `Value`, the modes of recording, the verdict on derivatives, reports and structures.
"""

from __future__ import annotations

import contextlib
import inspect
import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from autograd.differences import EPSILON, STEPS, Entry, judged_row
from autograd.modes import recorded
from autograd.numberlike import real
from autograd.reports import GradientReport
from autograd.structures import aligned, leaves, rebuild
from autograd.value import Value

_REFERENCES = {
    "central": "central differences",
    "richardson": "Richardson extrapolation",
    "complex": "complex step",
}


def check_gradients(
    f: Callable[..., Any],
    *args: Any,
    gradient: Any = None,
    method: str = "central",
    tolerance: float = 1e-6,
    step: float | None = None,
    sample: int | None = None,
    rng: np.random.Generator | None = None,
) -> GradientReport:
    """Compare the gradient of f at args with numerical derivatives; a report with a row for each argument.

    f         returns one number. Without `gradient` it is called with Values in place of the numbers in
              args, and the gradient is what `backward` gives. With it, f takes plain numbers.
    args      numbers, arrays, or nested lists and tuples of them; a dict gives a row for each key
    gradient  f's gradient at args, or the function gradient(*args) that gives it: one structure like args[0],
              or a tuple of one for each argument. Any hand-written derivative can be put here
    method    "central" differences; "richardson", which extrapolates them and gives some four digits more;
              or "complex", which gives all digits, for an analytic f of plain numbers, written with cmath or
              NumPy. Where central differences contradict a complex step, they decide, and the row says so
    tolerance share of the argument's largest gradient that a difference may reach; more where rounding in f
              alone explains it, which the row then says
    step      the first to try, relative to max(1, |x|); the default suits the method
    sample    check so many entries of each row, chosen by `rng`, instead of all

    A row's `relative` is |a - n| / max(|a|, |n|, floor), the floor being the argument's largest gradient.

    Raises ValueError for an argument that is nan or infinite and for a method, step, tolerance or sample
    that is not allowed, TypeError where f is not callable, does not return a number, or refuses the complex
    step.

    >>> report = check_gradients(lambda a, b: (a * b).tanh(), 0.5, -0.25)
    >>> report.ok
    True
    >>> wrong = check_gradients(lambda x: x**3, 2.0, gradient=lambda x: 3 * x)
    >>> wrong.ok, wrong.worst.candidate, round(wrong.worst.reference, 6)
    (False, 6.0, 12.0)
    >>> check_gradients(lambda z: z**3, 2.0, gradient=12.0, method="complex", tolerance=1e-15).ok
    True
    """
    _check_options(f, args, gradient, method, tolerance, sample, rng)
    step = _checked_step(step, method)
    function = _Function(f, args, gradient is None, method)
    analytic = function.gradient() if gradient is None else _given_gradient(gradient, args)
    rng = rng or np.random.default_rng(0)
    rows, start = [], 0
    with np.errstate(all="ignore"):
        _ = function.here  # in it an error is f's own; farther on it may be the edge of f's domain
        for name, argument in _named(f, args):
            size = sum(1 for _ in leaves(argument))
            chosen = range(size) if sample is None else sorted(rng.permutation(size)[:sample].tolist())
            points = {i: (function.along(start + i), function.numbers[start + i]) for i in chosen}
            entries = {i: Entry(*points[i], analytic[start + i], method, step) for i in chosen}
            rows.append(judged_row(name, argument, size, entries, tolerance))
            start += size
    return GradientReport(tuple(rows), "gradient", _REFERENCES[method], tolerance)


class _Function:
    """The checked function, of the numbers in its arguments."""

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...], recorded: bool, method: str) -> None:
        self.f, self.args, self.recorded, self.method = f, list(args), recorded, method
        self.numbers = [_finite(x) for x in leaves(self.args)]

    def __call__(self, numbers: Sequence[Any]) -> Any:
        result = self.f(*rebuild(self.args, map(Value, numbers) if self.recorded else iter(numbers)))
        if self.method == "complex" and isinstance(result, (complex, np.complexfloating)):
            at_real_numbers = not any(isinstance(x, complex) for x in numbers)
            return complex(result) if not at_real_numbers else result.real if result.imag == 0 else math.nan
        return result.data if isinstance(result, Value) else real(result, "the value of the checked function")

    @cached_property
    def here(self) -> Any:
        """Its value at its arguments."""
        return self(self.numbers)

    def along(self, i: int) -> Callable[[Any], Any]:
        """It as a function of number i alone; nan where it raises what `math` does outside a domain."""

        def function(x: Any) -> Any:
            if x == self.numbers[i]:
                return self.here
            try:
                return self([*self.numbers[:i], x, *self.numbers[i + 1 :]])
            except (ValueError, ArithmeticError):
                return math.nan
            except TypeError as error:
                if not isinstance(x, complex):
                    raise
                raise TypeError(
                    f'check_gradients: method "complex" called f with complex numbers; it refused: {error}'
                    '; write f with cmath or NumPy functions, or choose method="richardson"'
                ) from error

        return function

    def gradient(self) -> list[float]:
        """What `backward` gives."""
        values = [Value(x) for x in self.numbers]
        with recorded():
            result = self.f(*rebuild(self.args, iter(values)))
        if isinstance(result, Value) and not result.is_constant:  # else f does not depend on its arguments
            result.backward()
        return [value.grad for value in values]


def _finite(x: Any) -> float:
    number = real(x, "argument of the checked function")
    if not math.isfinite(number):
        raise ValueError(f"check_gradients: expected finite arguments, which can be stepped from, got {x!r}")
    return number


def _given_gradient(gradient: Any, args: tuple[Any, ...]) -> list[float]:
    given = gradient(*args) if callable(gradient) else gradient
    alone = len(args) == 1 and (isinstance(args[0], tuple) or not isinstance(given, tuple))
    parts = (given,) if alone else given
    if not isinstance(parts, (list, tuple)) or len(parts) != len(args):
        raise ValueError(
            f"gradient: expected one for each of {len(args)} arguments, got {type(given).__name__}"
        )
    return [real(x, "gradient") for x in aligned(list(args), list(parts), "gradient")]


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


def _check_options(
    f: Any, args: tuple[Any, ...], gradient: Any, method: Any, tolerance: Any, sample: Any, rng: Any
) -> None:
    if not callable(f):
        raise TypeError(f"check_gradients: expected a function to check, got {type(f).__name__}")
    if not args:
        raise ValueError("check_gradients: expected the arguments at which to check f, got none")
    if method not in list(_REFERENCES):
        raise ValueError(f"check_gradients: method must be one of {', '.join(_REFERENCES)}, got {method!r}")
    if method == "complex" and gradient is None:
        raise ValueError(
            'check_gradients: method "complex" calls f with complex numbers, which Values refuse. Give '
            '`gradient`, and an f of plain numbers; or choose method="richardson"'
        )
    if not 0 < real(tolerance, "check_gradients: tolerance") < math.inf:
        raise ValueError(f"check_gradients: tolerance must be positive and finite, got {tolerance}")
    if sample is not None and (isinstance(sample, bool) or not isinstance(sample, (int, np.integer))):
        raise TypeError(f"check_gradients: sample must be an int of at least 1, or None, got {sample!r}")
    if sample is not None and sample < 1:
        raise ValueError(f"check_gradients: sample must be at least 1, or None for all, got {sample}")
    if rng is not None and not isinstance(rng, np.random.Generator):
        raise TypeError(f"check_gradients: rng must be a numpy.random.Generator, got {type(rng).__name__}")


def _checked_step(step: Any, method: str) -> float:
    relative = STEPS[method] if step is None else real(step, "check_gradients: step")
    if not 0 < relative < math.inf:
        raise ValueError(f"check_gradients: step must be positive and finite, got {step}")
    if method != "complex" and relative < EPSILON:
        raise ValueError(f"check_gradients: step must be at least {EPSILON:.2g} or x + step is x, got {step}")
    return relative
