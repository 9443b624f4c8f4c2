"""What holds of every program, on random ones with sharing, over the whole table.

Equal bits, where the engine promises them; else the distance from exact arithmetic that rounding explains,
which `programs.exact` bounds program by program. `make fuzz` runs 10,000 programs of each.
"""

import math
import sys
from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st
from programs import (
    EPSILON,
    ROWS,
    Exact,
    Program,
    Step,
    agrees,
    as_function,
    exact,
    few_hundred,
    leaf_places,
    program_of,
    record,
    recorded_slope,
    reorderings,
    run,
    smooth_programs,
    special_numbers,
    value_operation,
    wild_programs,
)
from test_primitives import ORACLES, magnitude, partial_magnitude

from autograd import Value, grad, hvp, jvp
from autograd.graph import topological_order
from autograd.namespaces import ARRAY, SCALAR
from autograd.primitives import PRIMITIVES

programs = st.one_of(smooth_programs(), wild_programs())
directions = st.lists(st.sampled_from([1.0, -1.0, 0.5, -3.0, 0.0]), min_size=3, max_size=3)


def bits(nodes: list[Value], what: str = "grad") -> list[str]:
    """Every node's gradient or data; nan is one number, zeros of either sign are two."""
    return [getattr(node, what).hex() for node in nodes if isinstance(node, Value)]


def leaves_of(program: Program, nodes: list[Value]) -> list[Value]:
    return [nodes[i] for i in leaf_places(program)]


# ---- bits


@given(programs)
def test_rebuilding_a_program_gives_equal_bits(program):
    first, second = record(program), record(program)
    for nodes in (first, second):
        nodes[-1].backward()
    assert bits(first, "data") == bits(second, "data")
    assert bits(first) == bits(second)


@given(programs)
def test_sweeping_twice_gives_exactly_twice_the_gradient(program):
    nodes = record(program)
    nodes[-1].backward()
    once = [node.grad for node in nodes if isinstance(node, Value)]
    nodes[-1].backward()
    values = [node for node in nodes if isinstance(node, Value)]
    doubled = [2 * g if node.op == "" else g for node, g in zip(values, once, strict=True)]
    assert bits(values) == [g.hex() for g in doubled]  # interior nodes hold one sweep's


@given(programs, st.data())
def test_two_roots_add_up_to_the_sum_of_their_separate_sweeps(program, data):
    results = [i for i, step in enumerate(program) if step.operands]
    roots = [data.draw(st.sampled_from(results)) for _ in range(2)]
    separate = []
    for root in roots:
        nodes = record(program)
        nodes[root].backward()
        separate.append([leaf.grad for leaf in leaves_of(program, nodes)])
    together = record(program)
    for root in roots:
        together[root].backward()
    sums = [a + b for a, b in zip(*separate, strict=True)]
    assert bits(leaves_of(program, together)) == [g.hex() for g in sums]


@given(programs, st.data())
def test_changed_data_does_not_change_the_sweep(program, data):
    untouched, changed = record(program), record(program)
    for node in changed:
        if isinstance(node, Value) and data.draw(st.booleans()):
            node.data = data.draw(special_numbers)
    for nodes in (untouched, changed):
        nodes[-1].backward()
    assert bits(untouched) == bits(changed)


@given(programs, st.data())
def test_the_order_of_construction_does_not_show(program, data):
    straight = record(program)
    order = data.draw(reorderings(program))
    places = {place: i for i, place in enumerate(order)}
    shuffled = record(tuple(
        program[i]._replace(operands=tuple(places[j] for j in program[i].operands)) for i in order
    ))  # fmt: skip
    permuted = [shuffled[places[i]] for i in range(len(program))]
    straight[-1].backward()
    permuted[-1].backward()
    assert bits(straight, "data") == bits(permuted, "data")
    assert bits(straight) == bits(permuted)


@few_hundred
@given(programs)
def test_recorded_gradients_are_the_numbers_of_the_plain_sweep(program):
    plain, recorded = record(program), record(program)
    plain[-1].backward()
    recorded[-1].backward(create_graph=True)
    reached = set(topological_order(recorded[-1]))
    for leaf, expected in zip(leaves_of(program, recorded), leaves_of(program, plain), strict=True):
        gradient, leaf.grad = leaf.grad, 0.0  # ends the cycle
        assert isinstance(gradient, Value) == (leaf in reached)
        number = gradient.data if isinstance(gradient, Value) else gradient
        # plus 0.0: the plain sweep adds to it, which makes a negative zero positive
        assert (number + 0.0).hex() == expected.grad.hex()


# ---- sums over paths


class PathSums:
    """d(root)/d(leaf) as the sum over all paths of the products of the recorded partials, in fractions.

    error   a bound, rigorous, on what floats make of each sum
    """

    def __init__(self, root: Value) -> None:
        order = topological_order(root)
        self.sum: dict[Value, Fraction] = dict.fromkeys(order, Fraction(0))
        self.error = dict(self.sum)
        size, count = dict(self.sum), dict.fromkeys(order, 0)
        unit, least = Fraction(2) ** -53, Fraction(2) ** -1074
        self.sum[root] = Fraction(1)
        self.largest = Fraction(0)
        for node in reversed(order):
            # a product and a sum for each edge that arrives, of parts no larger than these
            self.error[node] += count[node] * (2 * unit * size[node] + least)
            for parent, partial in zip(node.parents, map(Fraction, node.partials), strict=True):
                self.sum[parent] += self.sum[node] * partial
                self.error[parent] += self.error[node] * abs(partial)
                size[parent] += (abs(self.sum[node]) + self.error[node]) * abs(partial)
                count[parent] += 1
                self.largest = max(self.largest, size[parent])


@few_hundred
@given(programs, directions)
def test_forward_and_reverse_mode_are_the_sum_over_all_paths(program, direction):
    nodes = record(program)
    if not all(math.isfinite(p) for node in topological_order(nodes[-1]) for p in node.partials):
        event("discarded: an infinite partial, which no fraction is")
        assume(False)
    paths = PathSums(nodes[-1])
    if paths.largest > Fraction(1e307):
        event("discarded: a sum that may overflow")
        assume(False)
    leaves = leaves_of(program, nodes)
    nodes[-1].backward()
    for leaf in leaves:
        assert abs(Fraction(leaf.grad) - paths.sum.get(leaf, 0)) <= paths.error.get(leaf, 0)

    numbers, direction = [leaf.data for leaf in leaves], direction[: len(leaves)]
    directional = sum(Fraction(t) * paths.sum.get(leaf, 0) for leaf, t in zip(leaves, direction, strict=True))
    error = forward_error(nodes[-1], leaves, direction)
    value, forward = jvp(as_function(program), (numbers,), (direction,))
    assert value.hex() == nodes[-1].data.hex()
    assert abs(Fraction(forward) - directional) <= error


def forward_error(root: Value, leaves: list[Value], direction: list[float]) -> Fraction:
    """A rigorous bound on the rounding of the tangents carried from the leaves to the root."""
    unit, least = Fraction(2) ** -53, Fraction(2) ** -1074
    size = {leaf: abs(Fraction(t)) for leaf, t in zip(leaves, direction, strict=True)}
    error = dict.fromkeys(leaves, Fraction(0))
    for node in topological_order(root):
        if node.parents:
            pairs = zip(node.parents, node.partials, strict=True)
            edges = [(parent, abs(Fraction(d))) for parent, d in pairs if parent in size]
            size[node] = sum((size[p] * d for p, d in edges), Fraction(0))
            carried = sum((error[p] * d for p, d in edges), Fraction(0))
            error[node] = carried + len(edges) * (2 * unit * (size[node] + carried) + least)
            if size[node] > Fraction(1e307):
                event("discarded: a tangent that may overflow")
                assume(False)
    return error.get(root, Fraction(0))


# ---- exact arithmetic


def gradient(program: Program) -> tuple[float, list[float]]:
    nodes = record(program)
    nodes[-1].backward()
    return nodes[-1].data, [leaf.grad for leaf in leaves_of(program, nodes)]


def assert_exact(expected: Exact, value: float, gradient: list[float]) -> None:
    assert agrees(value, expected.value, expected.value_error), (value, expected)
    assert all(map(agrees, gradient, expected.gradient, expected.gradient_error)), (gradient, expected)


@few_hundred
@given(smooth_programs())
def test_values_and_gradients_match_exact_arithmetic(program):
    expected = exact(program)
    assert_exact(expected, *gradient(program))
    event(f"of {expected.digits // 4 * 4} or more digits, the bound leaves")


@few_hundred
@given(smooth_programs(most=4), directions)
def test_second_derivatives_match_exact_arithmetic(program, direction):
    """Reverse over reverse, by `backward` and by `grad`, and forward over reverse."""
    numbers = [step.number for step in program if step.op == "leaf"]
    direction = direction[: len(numbers)]
    expected = exact(program, direction).along

    slope, leaves = recorded_slope(program, direction)
    slope.backward()
    by_backward = [leaf.grad for leaf in leaves]

    def slope_of(arguments):
        gradient = grad(as_function(program))(arguments)
        return sum((t * g for t, g in zip(direction, gradient, strict=True)), 0.0)

    by_grad = grad(slope_of)(numbers)
    by_both_modes = hvp(as_function(program), numbers, direction)
    # The recorded gradient is itself a program over the table, whose own bound tells how far its derivative
    # may be off; constants of the rules, 1/3 or log 2, are rounded in it. The other two add the same
    # numbers up in other orders.
    bound = exact(program_of(slope, leaves), rounded_constants=True, smooth=False).gradient_error
    for second in (by_backward, by_grad, by_both_modes):
        assert all(agrees(got, x, 2 * e) for got, x, e in zip(second, expected, bound, strict=True)), second


def test_the_comparison_sees_an_error_in_the_twelfth_digit():
    program = (Step("leaf", number=0.75), Step("exp", (0,)), Step("multiply", (1, 0)), Step("tanh", (2,)))
    expected, (value, (slope,)) = exact(program), gradient(program)
    assert_exact(expected, value, [slope])
    wrong = 1 + 1e-12
    for pair in ((value * wrong, slope), (value, slope * wrong), (value, -slope)):
        with pytest.raises(AssertionError):
            assert_exact(expected, pair[0], [pair[1]])


@pytest.mark.parametrize("name", ROWS)
def test_every_row_has_a_place_in_programs(name):
    """In those that users write, and in those that the engine then records."""
    row = PRIMITIVES[name]
    intervals = row.domain if row.arity else row.domain * (5 if name == "dot" else 4)
    numbers = [0.5 if low < 0.5 < high else (low + high) / 2 for low, high in intervals]
    root = value_operation(name, [Value(x) for x in numbers])
    assert (root.op, len(root.parents)) == (name, len(numbers))


# ---- special numbers

# Where an operand that is nan has no say in the value; everywhere else the value is nan.
NAN_HAS_NO_SAY = {
    "power": lambda x, n: x == 1 or n == 0,  # IEEE 754: pow(1, nan) and pow(nan, 0) are 1
    "hypot": lambda *xs: math.inf in map(abs, xs),  # IEEE 754: hypot(inf, nan) is inf
    "norm": lambda *xs: math.inf in map(abs, xs),
    "where": lambda c, a, b: not math.isnan(a if c else b),  # nan is a condition that holds, as in Python
    "leaky_relu": lambda x, slope: x > 0,
    "elu": lambda x, scale: x > 0,
}


@few_hundred
@given(wild_programs())
def test_nan_goes_through_every_row_but_those_listed(program):
    results = run(program, float, scalar_operation)
    for step, y in zip(program, results, strict=True):
        operands = [results[i] for i in step.operands]
        if any(map(math.isnan, operands)):
            no_say = step.op in NAN_HAS_NO_SAY and NAN_HAS_NO_SAY[step.op](*operands)
            assert math.isnan(y) is not no_say, (step.op, operands, y)


PRODUCTS = {"prod", "dot", "elu", "gelu", "silu", "softmax_cross_entropy"}
BEYOND_MPMATH = {
    "erfc": lambda x: abs(x) > 1e150,  # an integer too large for its float
    "gelu": lambda x: abs(x) > 1e150,
    "atan2": lambda y, x: y == 0 or x == 0,  # it has no negative zero
    "clip": lambda x, low, high: low > high,  # a convention, not a number
}


@few_hundred
@given(wild_programs())
def test_values_of_special_numbers_match_exact_arithmetic_step_by_step(program):
    """What overflows is infinite, what is subnormal is kept; the rest is good to some ulps of its row."""
    results = run(program, float, scalar_operation)
    for step, y in zip(program, results, strict=True):
        operands = [results[i] for i in step.operands]
        if not operands or not all(map(math.isfinite, operands)):
            continue
        if step.op in BEYOND_MPMATH and BEYOND_MPMATH[step.op](*operands):
            continue
        expected = exact_value(step.op, operands)
        if expected is None:
            assert not math.isfinite(y), (step.op, operands, y)
            continue
        ulps = 4 + len(operands)
        allowed = ulps * EPSILON * scale(magnitude, PRIMITIVES[step.op], operands, as_float(expected))
        # a subnormal on the way is off by half of the least number, and may be multiplied
        larger = [max(1.0, abs(x)) for x in operands]
        allowed += ulps * 5e-324 * (math.prod(larger) if step.op in PRODUCTS else 1)
        if abs(expected) + allowed < sys.float_info.max:
            assert abs(mp.mpf(y) - expected) <= allowed, (step.op, operands, y)
        else:  # it overflows, or a part of a sum does
            assert not abs(y) < sys.float_info.max - allowed, (step.op, operands, y)


def exact_value(name: str, operands: list[float]) -> mp.mpf | None:
    """The row's value with 400 digits; None at a pole and outside the domain."""
    if name == "cbrt":  # mpmath's principal root of a negative number is complex
        return mp.sign(operands[0]) * mp.cbrt(abs(operands[0]))
    with mp.workdps(400):  # oracles may cancel
        try:
            value = mp.mpmathify(ORACLES[name](*map(mp.mpf, operands)))
        except (ZeroDivisionError, ValueError):
            return None
        return value if isinstance(value, mp.mpf) and mp.isfinite(value) else None


def as_float(x: mp.mpf) -> float:
    return float(x) if abs(x) < sys.float_info.max else math.copysign(math.inf, x)


# ---- arrays


@few_hundred
@given(wild_programs(), st.data())
def test_arrays_follow_scalars_step_by_step(program, data):
    """nan where nan, infinity where infinity, zero's sign where zero; else the row's magnitude in ulps.

    Each step starts from the scalars' own operands: one ulp more would be another side of the next kink.
    """
    other_leaves = [lambda _: data.draw(special_numbers)] * 3  # three more entries of the arrays
    scalars = [run(program, leaf, scalar_operation) for leaf in (float, *other_leaves)]
    for place, step in enumerate(program):
        if not step.operands:
            continue
        row = PRIMITIVES[step.op]
        columns = [[results[i] for i in step.operands] for results in scalars]
        operands = [np.array(column) for column in zip(*columns, strict=True)]
        with np.errstate(all="ignore"):
            values = np.broadcast_to(row.evaluate(ARRAY, operands), len(columns))
            partials = [np.broadcast_to(p, len(columns)) for p in row.differentiate(ARRAY, values, operands)]
        for k, numbers in enumerate(columns):
            y = scalars[k][place]
            assert type(y) is float
            assert same(y, values[k].item(), 4 * scale(magnitude, row, numbers, y)), (step.op, numbers)
            y = values[k].item()  # partials of the same value: theirs are not its ulps
            for i, scalar in enumerate(row.differentiate(SCALAR, y, numbers)):
                array = partials[i][k].item()
                ulps = 4 * scale(partial_magnitude, row, numbers, y, scalar)
                assert same(scalar, array, ulps), (step.op, numbers, i)


def scalar_operation(name: str, operands: list[float]) -> float:
    return PRIMITIVES[name].evaluate(SCALAR, operands)


def same(a: float, b: float, ulps: float) -> bool:
    if a == b == 0:
        return math.copysign(1, a) == math.copysign(1, b)
    if math.isfinite(a) and math.isfinite(b):
        return a == b or abs(a - b) <= EPSILON * ulps + 4 * 5e-324
    return a == b or (math.isnan(a) and math.isnan(b))


def scale(of, row, operands, *numbers):
    """`magnitude` or `partial_magnitude`; infinite where it is too large for a float."""
    if row.name in {"erfc", "gelu"} and of is magnitude:
        # SciPy rounds x² in the exponent, up to 437 ulp, until erfc ends near 27; `math` stays within 3
        return abs(numbers[0]) * (1 + min(abs(operands[0]), 30.0) ** 2)
    if row.name == "binary_cross_entropy_with_logits" and of is magnitude:
        return 1 + abs(operands[0]) * (1 + abs(operands[1]))  # of a target of any size
    try:
        return of(row, operands, *numbers)
    except OverflowError:
        return math.inf
    except ValueError:  # the logarithm of a base of no logarithm
        return abs(numbers[-1])
