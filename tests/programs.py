"""Random programs over the whole table, as data; and what they are exactly, with a bound on the rounding.

A program is a tuple of steps, operands before results; the last step is its root. Steps refer to earlier
ones by place, so that results are shared and operands repeat. The same program runs on Values, on arrays, on
exact numbers and on other people's libraries.
"""

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import mpmath as mp
from hypothesis import assume, event, settings
from hypothesis import strategies as st
from test_primitives import ORACLES, magnitude, partial_magnitude

import autograd
from autograd import Value
from autograd.graph import topological_order
from autograd.namespaces import SCALAR
from autograd.primitives import PRIMITIVES

# Sixty programs, the suite's share of a test, meet a row three times; `make fuzz` asks for more than these.
few_hundred = settings(max_examples=max(200, settings.default.max_examples))

ROWS = tuple(name for name, row in PRIMITIVES.items() if row.domain)  # users' own rows have no domain
EPSILON = 2.0**-52


class Step(NamedTuple):
    """A leaf or a constant with its number, or a row of the table with the places of its operands."""

    op: str
    operands: tuple[int, ...] = ()
    number: float = 0.0


Program = tuple[Step, ...]


# ---- running one


def run(
    program: Program,
    leaf: Callable[[float], Any],
    operation: Callable[[str, list[Any]], Any],
    constant: Callable[[float], Any] = float,
) -> list[Any]:
    """The result of every step, as leaf(number), constant(number) or operation(row, operands) gives it."""
    results: list[Any] = []
    for step in program:
        if step.op == "leaf":
            results.append(leaf(step.number))
        elif step.op == "constant":
            results.append(constant(step.number))
        else:
            results.append(operation(step.op, [results[i] for i in step.operands]))
    return results


OPERATORS = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "power": operator.pow,
    "negative": operator.neg,
    "absolute": abs,
}


def value_operation(name: str, operands: list[Any]) -> Any:
    """The row as users call it: an operator, or the function of the same name."""
    if name in OPERATORS:
        return OPERATORS[name](*operands)
    function, n = getattr(autograd, name), len(operands) // 2
    if name == "dot":
        return function(operands[:n], operands[n:-1], operands[-1])
    if name == "softmax_cross_entropy":
        return function(operands[:n], operands[n:])
    return function(operands) if PRIMITIVES[name].arity is None else function(*operands)


def record(program: Program) -> list[Any]:
    """Every step as a Value; constants as floats."""
    return run(program, Value, value_operation)


def leaf_places(program: Program) -> list[int]:
    return [i for i, step in enumerate(program) if step.op == "leaf"]


def as_function(program: Program) -> Callable[[list[Any]], Any]:
    """The program as a function of a list of its leaves."""

    def function(arguments: list[Any]) -> Any:
        given = iter(arguments)
        return run(program, lambda _: next(given), value_operation)[-1]

    return function


def recorded_slope(program: Program, direction: Sequence[float]) -> tuple[Value, list[Value]]:
    """The gradient's product with a direction, recorded by a sweep with create_graph; and the leaves."""
    nodes = record(program)
    nodes[-1].backward(create_graph=True)
    leaves, slope = [nodes[i] for i in leaf_places(program)], Value(0.0).detach()
    for leaf, t in zip(leaves, direction, strict=True):
        slope += t * leaf.grad
        leaf.grad = 0.0  # ends the cycle
    return slope, leaves


def program_of(root: Value, leaves: Sequence[Value]) -> Program:
    """A recorded graph as a program whose first steps are `leaves`."""
    order = [*leaves, *(node for node in topological_order(root) if node not in set(leaves))]
    places = {node: i for i, node in enumerate(order)}
    return tuple(
        Step(node.op, tuple(places[parent] for parent in node.parents))
        if node.parents
        else Step("constant" if node.is_constant else "leaf", number=node.data)
        for node in order
    )


# ---- drawing one

SPECIAL = (0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1e-200, 1e-160, 0.5, 1.0, -1.0, 2.0, -2.0,
           3.0, 88.0, 710.0, -746.0, 1e16, 1e160, -1e160, 1e308, 1.7976931348623157e308,
           -1.7976931348623157e308, math.inf, -math.inf, math.nan)  # fmt: skip

special_numbers = st.one_of(st.sampled_from(SPECIAL), st.floats(), st.floats(-4, 4))
_WIDEST = 30.0  # of an operand in a smooth program: exp(30) = 1e13 is still a number to work with


def _operand_count(draw: st.DrawFn, name: str) -> int:
    arity = PRIMITIVES[name].arity
    if arity is not None:
        return arity
    count = draw(st.integers(1, 3))
    return {"dot": 2 * count + 1, "softmax_cross_entropy": 2 * count}.get(name, count)


def _operand(
    draw: st.DrawFn, program: list[Step], places: Sequence[int], constants: st.SearchStrategy[float]
) -> int:
    """One of the places, or that of a new constant."""
    choice = draw(st.integers(0, len(places)))
    if choice < len(places):
        return places[choice]
    program.append(Step("constant", number=draw(constants)))
    return len(program) - 1


@st.composite
def wild_programs(draw: st.DrawFn, most: int = 8) -> Program:
    """Any row on any operands: nan, infinities, signed zeros, subnormals, overflow; kinks and poles."""
    numbers = draw(st.lists(special_numbers, min_size=1, max_size=3))
    program = [Step("leaf", number=number) for number in numbers]
    for name in draw(st.lists(st.sampled_from(ROWS), min_size=1, max_size=most)):
        count = _operand_count(draw, name)
        recorded = draw(st.integers(0, count - 1))  # at least this one is no constant, as in users' code
        places = [i for i, step in enumerate(program) if step.op != "constant"]
        operands = [
            draw(st.sampled_from(places))
            if i == recorded
            else _operand(draw, program, places, special_numbers)
            for i in range(count)
        ]
        program.append(Step(name, tuple(operands)))
    return tuple(program)


def _intervals(name: str, count: int) -> list[tuple[float, float]]:
    """The row's domain for each operand, no wider than a smooth program's operands may grow."""
    domain = PRIMITIVES[name].domain
    intervals = domain * count if PRIMITIVES[name].arity is None else domain
    return [(max(low, -_WIDEST), min(high, _WIDEST)) for low, high in intervals]


def _tame_numbers(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers well inside the interval, and no subnormals: they have tests of their own."""
    inside = st.floats(max(low, -4.0) + 1e-3, min(high, max(4.0, low + 4.0)) - 1e-3)
    return inside.map(lambda x: x if abs(x) >= 1e-6 or not low < 0.5 < high else 0.5)


@st.composite
def smooth_programs(draw: st.DrawFn, most: int = 8) -> Program:
    """Operands within the rows' domains; every result is used: a last sum takes those without a consumer.

    An operand is an earlier result that lies in the domain, or a constant from it. Nothing overflows. Kinks
    are left to `exact`, which knows how near is too near.
    """
    numbers = draw(st.lists(_tame_numbers(-4.0, 4.0), min_size=1, max_size=3))
    program = [Step("leaf", number=number) for number in numbers]
    for name in draw(st.lists(st.sampled_from(ROWS), min_size=1, max_size=most)):
        extended, data = list(program), list(numbers)
        operands = []
        for low, high in _intervals(name, _operand_count(draw, name)):
            results = (i for i, step in enumerate(program) if step.op != "constant")
            fitting = [i for i in results if low < numbers[i] < high]
            constants = _tame_numbers(low, high)
            if name == "where" and not operands:
                constants = st.sampled_from([0.0, 1.0])
            operands.append(_operand(draw, extended, fitting, constants))
            data += [step.number for step in extended[len(data) :]]
        result = PRIMITIVES[name].evaluate(SCALAR, [data[i] for i in operands])
        if all(extended[i].op == "constant" for i in operands) or not abs(result) < 1e15:
            continue  # nothing to differentiate, or nothing left to compute with
        program, numbers = [*extended, Step(name, tuple(operands))], [*data, result]
    used = {i for step in program for i in step.operands}
    loose = [i for i, step in enumerate(program) if step.operands and i not in used]
    return tuple(program) if len(loose) == 1 else (*program, Step("sum", tuple(loose or [0])))


@st.composite
def reorderings(draw: st.DrawFn, program: Program) -> list[int]:
    """The places of a program in another order that has operands before results."""
    waiting, order = list(range(len(program))), []
    while waiting:
        ready = [i for i in waiting if set(program[i].operands) <= set(order)]
        order.append(draw(st.sampled_from(ready)))
        waiting.remove(order[-1])
    return order


# ---- what one is, exactly

_DIGITS = 150  # differences with a step of 1e-30 then leave 60 right digits to a second derivative
_STEP = mp.mpf(10) ** -30
_HIGHER_ORDERS = 2.0  # the bound is first order in the errors; `_keep_away` keeps the rest below it
_ROOM = 1000.0  # an operand's distance to trouble, in units of its error: the next order is 1e-3 of the bound

# How far the operands are from where the derivative jumps or does not exist.
KINKS: dict[str, Callable[..., float]] = {
    "absolute": abs,
    "relu": abs,
    "leaky_relu": lambda x, slope: abs(x),
    "elu": lambda x, scale: abs(x),
    "maximum": lambda a, b: abs(a - b),
    "minimum": lambda a, b: abs(a - b),
    "clip": lambda x, low, high: min(abs(x - low), abs(x - high)),
    "where": lambda c, a, b: abs(c),
    "hypot": math.hypot,
    "norm": math.hypot,
}


class Exact(NamedTuple):
    """A program's root and its derivatives by the leaves, and how far rounding may carry floats from them.

    along   the Hessian times a direction
    """

    value: mp.mpf
    value_error: float
    gradient: list[mp.mpf]
    gradient_error: list[float]
    along: list[mp.mpf]

    @property
    def digits(self) -> int:
        """Decimal digits of the gradient that rounding leaves, by the bound; of the worst leaf."""
        pairs = zip(self.gradient, self.gradient_error, strict=True)
        shares = [error / max(abs(float(g)), 1e-30) for g, error in pairs if error]
        return max(0, min(16, math.floor(-math.log10(max(shares, default=EPSILON)))))


def agrees(got: float, exact: mp.mpf, error: float) -> bool:
    return bool(abs(mp.mpf(got) - exact) <= error + 1e-30)  # `exact` itself comes from differences


def exact(
    program: Program, direction: Sequence[float] = (), *, rounded_constants: bool = False, smooth: bool = True
) -> Exact:
    """The program in 150-digit arithmetic, with a running first-order bound on what floats make of it.

    A value is off by its operands' errors, carried by the partials, and its own rounding, so many ulps of its
    row's magnitude. A partial is off by its own rounding, and by its operands' errors, carried by the row's
    second derivatives. A gradient is off by what arrives, by the partials' errors, and by the rounding of
    each product and sum of the sweep.

    direction          of the Hessian product, one number a leaf
    rounded_constants  whether constants stand for numbers that were rounded, as 1/3 does
    smooth             whether to discard, by `assume`, a program that comes too near a kink or a pole, or
                       that loses too many digits, for the bound to hold
    """
    with mp.workdps(_DIGITS):
        values: list[mp.mpf] = []
        errors: list[float] = []
        tangents: list[mp.mpf] = []
        edges: list[list[_Edge]] = []
        pace = iter(direction or [0.0] * len(program))
        for step in program:
            if not step.operands:
                values.append(mp.mpf(step.number))
                rounded = rounded_constants and step.op == "constant"
                errors.append(EPSILON * abs(step.number) if rounded else 0.0)
                tangents.append(mp.mpf(next(pace)) if step.op == "leaf" else mp.mpf(0))
                edges.append([])
                continue
            operands = [values[i] for i in step.operands]
            numbers = list(map(float, operands))
            slack = [errors[i] for i in step.operands]
            if smooth:
                _keep_away(step.op, numbers, slack)
            y, first, second = _differences(step.op, operands)
            row, ulps = PRIMITIVES[step.op], (4 + len(operands)) * EPSILON
            values.append(y)
            errors.append(
                ulps * magnitude(row, numbers, float(y))
                + sum(float(abs(p)) * e for p, e in zip(first, slack, strict=True))
            )
            tangents.append(mp.fdot(first, (tangents[i] for i in step.operands)))
            edges.append([
                _Edge(
                    parent,
                    p,
                    ulps * partial_magnitude(row, numbers, float(y), float(p))
                    + sum(float(abs(h)) * e for h, e in zip(curvature, slack, strict=True)),
                    mp.fdot(curvature, (tangents[i] for i in step.operands)),
                )
                for parent, p, curvature in zip(step.operands, first, second, strict=True)
            ])  # fmt: skip
        return _swept_back(program, values[-1], errors[-1], edges)


class _Edge(NamedTuple):
    """From a step to one of its operands."""

    parent: int
    partial: mp.mpf
    error: float  # of the partial
    pace: mp.mpf  # the partial's derivative along the direction


def _swept_back(program: Program, value: mp.mpf, error: float, edges: list[list[_Edge]]) -> Exact:
    n = len(program)
    gradient, along = [mp.mpf(0)] * n, [mp.mpf(0)] * n
    errors, sizes, counts = [0.0] * n, [0.0] * n, [0] * n  # sizes: of all that a gradient was added up from
    gradient[-1] = mp.mpf(1)
    for i in reversed(range(n)):
        errors[i] += counts[i] * (EPSILON * sizes[i] + 5e-324)
        for edge in edges[i]:
            j = edge.parent
            part = gradient[i] * edge.partial
            gradient[j] += part
            along[j] += along[i] * edge.partial + gradient[i] * edge.pace
            errors[j] += errors[i] * float(abs(edge.partial)) + float(abs(gradient[i])) * edge.error
            sizes[j] += float(abs(part))
            counts[j] += 1
    leaves = leaf_places(program)
    return Exact(
        value,
        _HIGHER_ORDERS * error,
        [gradient[i] for i in leaves],
        [_HIGHER_ORDERS * errors[i] for i in leaves],
        [along[i] for i in leaves],
    )


def _differences(name: str, xs: list[mp.mpf]) -> tuple[mp.mpf, list[mp.mpf], list[list[mp.mpf]]]:
    """A row's value, first and second derivatives, by central differences of its oracle."""
    oracle, n = ORACLES[name], len(xs)
    steps = [_STEP * max(abs(x), mp.mpf("1e-6")) for x in xs]

    def at(*moves: tuple[int, int]) -> mp.mpf:
        moved = list(xs)
        for i, sign in moves:
            moved[i] += sign * steps[i]
        return oracle(*moved)

    y = oracle(*xs)
    smooth = range(1, n) if name == "where" else range(n)  # a condition is true or false
    above, below = {i: at((i, 1)) for i in smooth}, {i: at((i, -1)) for i in smooth}
    first = [mp.mpf(0)] * n
    second = [[mp.mpf(0)] * n for _ in xs]
    for i in smooth:
        first[i] = (above[i] - below[i]) / (2 * steps[i])
        second[i][i] = (above[i] - 2 * y + below[i]) / steps[i] ** 2
        for j in smooth[: smooth.index(i)]:
            corners = at((i, 1), (j, 1)) + at((i, -1), (j, -1)) + 2 * y
            second[i][j] = second[j][i] = (corners - above[i] - below[i] - above[j] - below[j]) / (
                2 * steps[i] * steps[j]
            )
    return y, first, second


def _keep_away(name: str, operands: list[float], slack: list[float]) -> None:
    """Discard the program if these operands are too near a pole or a kink for their errors."""
    for x, error, (low, high) in zip(operands, slack, _intervals(name, len(operands)), strict=True):
        if error > 1e-6 * max(1.0, abs(x)):
            _discard("an operand of which no digits are right")
        # the last sum takes results of any size; it has no pole
        if name != "sum" and not low + _ROOM * error <= x <= high - _ROOM * error:
            _discard("an operand at the edge of its row's domain")
    error = math.fsum(slack)
    if name in KINKS and not KINKS[name](*operands) > _ROOM * error and (name != "where" or error):
        _discard("a kink within reach of rounding")


def _discard(reason: str) -> None:
    event(f"discarded: {reason}")
    assume(False)
