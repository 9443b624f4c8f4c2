"""Derivatives of functions: reverse mode, forward mode, and both on top of each other.

A function is run once on Values, which records it; its derivatives are read off that graph by the same rules
in either direction. No function here touches anybody's `.grad`. Within another of these functions, and where
an argument is itself a Value, results are Values, so that derivatives of derivatives come by nesting.

This room knows `Value`, the walks over a graph, the modes of recording and structures.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from autograd.graph import adjoints, topological_order
from autograd.modes import recorded, see_sweep, see_tangents
from autograd.numberlike import number, real
from autograd.structures import aligned, leaves, rebuild, transform
from autograd.value import Value, as_value, recorded_partials


class _Thread(threading.local):
    depth = 0  # of transforms within transforms


_thread = _Thread()


@contextmanager
def _deeper() -> Iterator[None]:
    _thread.depth += 1
    try:
        yield
    finally:
        _thread.depth -= 1


def grad(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """The function that gives f's derivative by argument `argnums`, in that argument's structure.

    f          returns one number
    argnums    the position of an argument: a number, an array, or a nested list, tuple or dict of numbers

    >>> grad(lambda x: x**3)(2.0)
    12.0
    >>> grad(grad(lambda x: x**3))(2.0)
    12.0
    >>> grad(lambda p: p["w"] * p["x"][0])({"w": 2.0, "x": [5.0]})
    {'w': 5.0, 'x': [2.0]}
    """
    with_value = value_and_grad(f, argnums)
    return lambda *args: with_value(*args)[1]


def value_and_grad(f: Callable[..., Any], argnums: int = 0) -> Callable[..., tuple[Any, Any]]:
    """The function that gives f's value and what `grad` gives, of one run.

    >>> value_and_grad(lambda x: x * x)(3.0)
    (9.0, 6.0)
    """

    def function(*args: Any) -> tuple[Any, Any]:
        with _Run(f, args, argnums) as run:
            output = _scalar(run.output)
            gradient = run.pull(output, 1.0)
            return run.result(output), run.result(gradient)

    return function


def vjp(f: Callable[..., Any], *args: Any) -> tuple[Any, Callable[[Any], Any]]:
    """The value of f at args, and the function that takes a cotangent, in f's output's structure, to vᵀJ.

    vᵀJ comes as one structure like args[0], or a tuple of one for each argument.

    >>> y, pull = vjp(lambda x: [x[0] * x[1], x[0]], [2.0, 3.0])
    >>> y, pull([1.0, 10.0])                         # [x1 + 10, x0]
    ([6.0, 2.0], [13.0, 2.0])
    """
    with _Run(f, args) as run:
        output = run.result(run.output)

    def pull(cotangent: Any) -> Any:
        with recorded() as run.within_no_grad:
            return run.result(run.pull(run.output, cotangent))

    return output, pull


def jvp(f: Callable[..., Any], args: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value of f at args, and its directional derivative J·t, in the output's structure; forward mode.

    args, tangents  tuples or lists, as many of one as of the other, each tangent in its argument's structure

    >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 10.0))        # y + 10 x
    (6.0, 23.0)
    """
    for what, given in (("args", args), ("tangents", tangents)):
        if not isinstance(given, (tuple, list)):
            raise TypeError(
                f"jvp's {what}: expected a tuple with one entry for each argument of the function, as in "
                f"jvp(f, (x,), (t,)), got {type(given).__name__} {given!r:.60}"
            )
    with _Run(f, tuple(args)) as run:
        return run.result(run.output), run.result(run.push(tuple(tangents)))


def jacobian(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """The function that gives, for each number of f's output, its gradient by argument `argnums`.

    Of an array by an array: one array (*output's shape, *argument's shape).

    >>> jacobian(lambda x: [x[0] * x[1], x[0]])([2.0, 3.0])
    [[3.0, 2.0], [1.0, 0.0]]
    """

    def function(*args: Any) -> Any:
        with _Run(f, args, argnums) as run:
            rows = [run.result(run.pull(output, 1.0)) for output in leaves(run.output)]
            if isinstance(run.output, np.ndarray) and isinstance(args[argnums], np.ndarray):
                return np.array(rows).reshape(run.output.shape + args[argnums].shape)
            return rebuild(run.output, iter(rows))

    return function


def hessian(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """The function that gives f's second derivatives by argument `argnums`: the Jacobian of its gradient.

    >>> hessian(lambda x: x[0] ** 2 * x[1])([2.0, 3.0])
    [[6.0, 4.0], [4.0, 0.0]]
    """
    return jacobian(grad(f, argnums), argnums)


def hvp(f: Callable[..., Any], x: Any, v: Any) -> Any:
    """The product of f's Hessian at x with v, in x's structure, without forming the Hessian.

    Forward mode over reverse mode: the directional derivative of the gradient.

    >>> hvp(lambda x: x[0] ** 2 * x[1], [2.0, 3.0], [1.0, 0.0])
    [6.0, 4.0]
    """
    return jvp(grad(f), (x,), (v,))[1]


class _Run:
    """One recorded run of f: its inputs as Values, its output, and the derivatives between them."""

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...], argnums: int | None = None) -> None:
        if not callable(f):
            raise TypeError(f"expected a function to differentiate, got {type(f).__name__}")
        if isinstance(argnums, bool) or not isinstance(argnums, (int, np.integer, type(None))):
            got = f"{type(argnums).__name__} {argnums!r:.60}"
            raise TypeError(f"argnums: expected an argument's position, an int, got {got}")
        if argnums is not None and not -len(args) <= argnums < len(args):
            raise ValueError(f"argnums is {argnums}, but the function was called with {len(args)} arguments")
        self.f, self.args, self.argnums = f, args, argnums
        self.chosen = list(args) if argnums is None else [args[argnums]]
        numbers = list(leaves(list(args)))
        self.nested = _thread.depth > 0 or any(isinstance(x, Value) for x in numbers)
        _check_numbers(leaves(self.chosen), "argument of the function to differentiate")

    def __enter__(self) -> _Run:
        with ExitStack() as modes:
            self.within_no_grad = modes.enter_context(recorded())
            modes.enter_context(_deeper())
            self._run()
            self.modes = modes.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.modes.close()

    def _run(self) -> None:
        chosen = transform(self.chosen, _input)
        self.inputs = list(leaves(chosen))
        args = list(self.args)
        if self.argnums is None:
            args = chosen
        else:
            args[self.argnums] = chosen[0]
        self.output = self.f(*args)
        _check_numbers(leaves(self.output), "the value of the function to differentiate")

    def pull(self, output: Any, cotangent: Any) -> Any:
        """Reverse mode: the cotangent of the output carried to the inputs, in the arguments' structure."""
        order = topological_order(_weighted(output, cotangent))
        found = adjoints(order, 1.0, self.partials)
        see_sweep(order, lambda node: number(found.get(node, 0.0), "gradient"))
        gradient = rebuild(self.chosen, iter([found.get(x, 0.0) for x in self.inputs]))
        return gradient[0] if len(self.chosen) == 1 else tuple(gradient)

    def push(self, tangents: tuple[Any, ...]) -> Any:
        """Forward mode: tangents of the inputs carried to the output, in its structure."""
        numbers = aligned(self.chosen, list(tangents), "tangents")
        _check_numbers(numbers, "tangents")
        tangent: dict[Value, Any] = dict(zip(self.inputs, numbers, strict=True))
        order = topological_order(*[x for x in leaves(self.output) if isinstance(x, Value)])
        for node in order:
            if node not in tangent:
                edges = zip(node.parents, self.partials(node), strict=True)
                parts = [d * tangent[parent] for parent, d in edges if parent in tangent]
                if parts:
                    tangent[node] = sum(parts[1:], parts[0])
        see_tangents(order, lambda node: number(tangent.get(node, 0.0), "tangent"))
        return transform(self.output, lambda x: tangent.get(x, 0.0) if isinstance(x, Value) else 0.0)

    def partials(self, node: Value) -> tuple[Any, ...]:
        return recorded_partials(node) if self.nested else node.partials

    def result(self, structure: Any) -> Any:
        """Numbers for the outermost transform's caller, Values for a transform around it."""
        if self.nested and self.within_no_grad:
            return transform(structure, lambda x: x.detach() if isinstance(x, Value) else x)
        if self.nested:
            return structure
        return transform(structure, lambda x: x.data if isinstance(x, Value) else float(x))


def _input(x: Any) -> Value:
    """A node of its own, so that a captured Value and the argument of the same number stay apart."""
    return x * 1.0 if isinstance(x, Value) else Value(x)


def _weighted(output: Any, weights: Any) -> Value:
    """One root above all the numbers of an output."""
    numbers, factors = leaves(output), aligned(output, weights, "cotangent")
    total = as_value(0.0, "output")
    for x, factor in zip(numbers, factors, strict=True):
        total = total + as_value(x, "output") * factor
    return total


def _scalar(output: Any) -> Any:
    """The one number of a function to differentiate."""
    _check_numbers([output], "the value of the function to differentiate")
    return output


def _check_numbers(numbers: Iterable[Any], what: str) -> None:
    for x in numbers:
        if not isinstance(x, Value):
            real(x, what)
