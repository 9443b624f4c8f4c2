"""Values: what is recorded, what a sweep adds up, and what is refused."""

import copy
import math
import pickle
import threading
import weakref
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Value, dot
from autograd.namespaces import SCALAR
from autograd.primitives import PRIMITIVES

numbers = st.floats(-1e3, 1e3)


# ---- recording


def test_operators_give_the_numbers_of_plain_arithmetic():
    a, b = Value(3.0), Value(-2.0)
    assert [(a + b).data, (a - b).data, (a * b).data, (a / b).data, (a**b).data] == [
        1.0,
        5.0,
        -6.0,
        -1.5,
        1 / 9,
    ]
    assert [(-a).data, abs(b).data, (+a).data] == [-3.0, 2.0, 3.0]


def test_reflected_forms_have_the_derivatives_of_calculus():
    x = Value(4.0)
    for result, derivative in (
        (2 - x, -1.0),
        (2 / x, -2 / 16),
        (2**x, 16 * math.log(2)),
        (2 + x, 1.0),
        (3 * x, 3.0),
    ):
        x.grad = 0.0
        result.backward()
        assert x.grad == pytest.approx(derivative, rel=1e-15)


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "relu"])
@given(data=st.data())
def test_spelled_out_arithmetic_equals_its_row(name, data):
    row = PRIMITIVES[name]
    everything = st.floats(allow_nan=True, allow_infinity=True)
    operands = [Value(data.draw(everything)) for _ in range(row.arity)]
    operator = {
        "add": lambda a, b: a + b,
        "subtract": lambda a, b: a - b,
        "multiply": lambda a, b: a * b,
        "divide": lambda a, b: a / b,
        "relu": Value.relu,
    }[name]
    node = operator(*operands)
    numbers = [operand.data for operand in operands]
    y = row.evaluate(SCALAR, numbers)
    np.testing.assert_equal((node.data, *node.partials), (y, *row.differentiate(SCALAR, y, numbers)))
    assert (node.op, node.parents) == (name, tuple(operands))


def test_parents_are_ordered_and_repeat():
    a, b = Value(2.0), Value(3.0)
    assert (a * b).parents == (a, b)
    assert (b * a).parents == (b, a)
    assert (a * a).parents == (a, a)
    assert dot([a, b], [b, a], a).parents == (a, b, b, a, a)
    assert a.tanh().parents == (a,)
    assert a.parents == ()


def test_a_leaf_has_no_operation_and_a_plain_number_is_a_constant():
    a = Value(2.0, label="a")
    node = a * 3
    assert (a.op, a.is_constant, a.label) == ("", False, "a")
    three = node.parents[1]
    assert (three.op, three.is_constant, three.data) == ("", True, 3.0)


def test_data_is_always_a_python_float():
    for data in (1, np.float32(1), np.int8(1), np.float64(1)):
        assert type(Value(data).data) is float
    a = Value(1.0)
    a.data, a.grad = np.int8(100), 3
    assert type(a.data) is float
    assert type(a.grad) is float
    assert (a * a).data == 10000.0


def test_a_constant_exponent_asks_for_no_logarithm():
    x = Value(-2.0)
    y = x**2
    y.backward()
    assert (y.partials, x.grad) == ((-4.0, 0.0), -4.0)


# ---- functions


@pytest.mark.parametrize("primitive", [p for p in PRIMITIVES.values() if p.arity == 1], ids=lambda p: p.name)
def test_each_unary_row_is_method_function_and_numpy_function(primitive):
    if primitive.name == "negative":
        function, method = (lambda x: -x), (lambda v: -v)
    elif primitive.name == "absolute":
        function, method = abs, abs
    else:
        function, method = getattr(autograd, primitive.name), getattr(Value, primitive.name)
    number = 1.25 if primitive.name == "acosh" else 0.75
    expected = primitive.value(SCALAR, number)
    assert function(number) == expected
    assert method(Value(number)).data == expected
    assert function(Value(number)).op == primitive.name
    np.testing.assert_allclose(function(np.array([number])), [expected], rtol=1e-15)
    ufunc = getattr(np, primitive.ufunc or primitive.name, None)
    if ufunc is not None:
        assert ufunc(Value(number)).op == primitive.name
        assert ufunc(np.array([Value(number)]))[0].op == primitive.name


def test_numbers_in_give_numbers_out():
    assert autograd.sum([1.0, 2.0]) == 3.0
    assert autograd.sum([]) == 0.0
    assert dot([1.0, 2.0], [3.0, 4.0], 5.0) == 16.0
    assert type(autograd.exp(1)) is float


def test_softmax_sums_to_one_and_is_the_gradient_of_logsumexp():
    xs = [Value(x) for x in (1.0, -2.0, 0.5)]
    autograd.logsumexp(xs).backward()
    assert [x.grad for x in xs] == pytest.approx([p.data for p in autograd.softmax(xs)], rel=1e-15)
    assert math.fsum(x.grad for x in xs) == pytest.approx(1.0, rel=1e-15)


# ---- the sweep


def test_reused_node_accumulates_both_paths():
    a = Value(3.0)
    b = a * a + a  # db/da = 2a + 1
    b.backward()
    assert a.grad == 7.0


@given(st.lists(numbers, min_size=3, max_size=3))
def test_two_sweeps_give_exactly_twice_the_gradient(data):
    def leaves_after(sweeps: int) -> list[float]:
        a, b, c = (Value(x) for x in data)
        shared = a * b + c * 0.1
        root = (shared * shared + a / 3).tanh() + shared * a
        for _ in range(sweeps):
            root.backward()
        return [a.grad, b.grad, c.grad]

    assert leaves_after(2) == [2 * g for g in leaves_after(1)]


def test_an_interior_node_holds_the_last_sweeps_gradient():
    a = Value(3.0)
    b = a * 2
    c = b * 5
    c.backward()
    c.backward()
    assert (b.grad, c.grad, a.grad) == (5.0, 1.0, 20.0)


@given(st.lists(numbers, min_size=2, max_size=2))
def test_two_roots_that_share_nodes_leave_the_exact_sum(data):
    def gradients(use_first: bool, use_second: bool) -> list[float]:
        a, b = (Value(x) for x in data)
        shared = a * b
        first, second = shared + a * 0.1, shared * a
        if use_first:
            first.backward()
        if use_second:
            second.backward()
        return [a.grad, b.grad]

    alone = zip(gradients(True, False), gradients(False, True), strict=True)
    assert gradients(True, True) == [x + y for x, y in alone]


def test_backward_scales_with_the_given_gradient_and_works_on_a_leaf():
    a = Value(2.0)
    (a * a).backward(0.5)
    assert a.grad == 2.0
    a.backward(3)
    assert a.grad == 5.0


def test_changed_data_does_not_change_what_was_recorded():
    a, b = Value(2.0), Value(5.0)
    c = a * b
    a.data, b.data = 100.0, 100.0
    c.backward()
    assert (a.grad, b.grad, c.data) == (5.0, 2.0, 10.0)


def test_a_node_used_100_000_times_counts_100_000_times():
    a = Value(1.0)
    total = autograd.sum([a] * 100_000)
    chain = Value(0.0)
    for _ in range(100_000):
        chain = chain + a
    (total + chain).backward()
    assert a.grad == 200_000.0


def in_a_small_stack(task) -> None:
    failures = []

    def run() -> None:
        try:
            task()
        except BaseException as error:  # carried to the test's own thread
            failures.append(error)

    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=run)
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    if failures:
        raise failures[0]


def test_a_chain_of_a_million_records_sweeps_and_is_deleted_in_a_small_stack():
    def chain() -> None:
        a = Value(1.0)
        x = a
        for _ in range(1_000_000):
            x = x + a
        x.backward()
        assert (x.data, a.grad) == (1_000_001.0, 1_000_001.0)
        del x

    in_a_small_stack(chain)


def test_a_graph_has_no_reference_cycles():
    class Watched(Value):
        __slots__ = ("__weakref__",)

    leaf = Watched(2.0)
    gone = weakref.ref(leaf)
    root = (leaf * leaf).tanh() + dot([leaf], [leaf], leaf)
    root.backward()
    del leaf, root
    assert gone() is None  # by counting references alone


# ---- what is refused


BAD = [True, np.bool_(True), "1", b"1", None, 1j, Decimal(1), Fraction(1, 2), [1.0], {}, object()]


@pytest.mark.parametrize("bad", [None, 1, b"a", ["a"]], ids=repr)
def test_a_label_must_be_text_at_construction_and_after(bad):
    with pytest.raises(TypeError, match="Value label: expected a str, got"):
        Value(1.0, label=bad)
    a = Value(1.0, label="a")
    with pytest.raises(TypeError, match="Value label: expected a str, got"):
        a.label = bad
    assert a.label == "a"


@pytest.mark.parametrize("bad", [*BAD, np.array([1.0]), np.array(1.0), Value(1.0)], ids=repr)
def test_data_must_be_a_real_number(bad):
    with pytest.raises(TypeError, match="Value data: expected a real number, got"):
        Value(bad)
    with pytest.raises(TypeError, match="Value data: expected a real number, got"):
        Value(1.0).data = bad


@pytest.mark.parametrize("bad", BAD, ids=repr)
@pytest.mark.parametrize(
    ("operation", "name"),
    [
        (lambda v, bad: v + bad, "add"),
        (lambda v, bad: bad - v, "subtract"),
        (lambda v, bad: v * bad, "multiply"),
        (lambda v, bad: bad / v, "divide"),
        (lambda v, bad: v**bad, "power"),
        (lambda v, bad: v < bad, "<"),
        (lambda v, bad: autograd.sum([v, bad]), "sum"),
    ],
)
def test_a_bad_operand_is_named_with_its_operation(operation, name, bad):
    numpy_asks_first = isinstance(bad, np.bool_) and name in {"subtract", "divide"}  # and has its own words
    words = (
        "." if numpy_asks_first else f"operand of '{name}': expected a real number, got {type(bad).__name__}"
    )
    with pytest.raises(TypeError, match=words):
        operation(Value(1.0), bad)


def test_an_int_too_large_for_a_float_is_an_overflow_error():
    with pytest.raises(OverflowError, match="Value data: this int is too large for a float"):
        Value(10**400)
    with pytest.raises(OverflowError, match="operand of 'multiply'"):
        Value(1.0) * 10**400


def test_dot_wants_a_weight_for_each_input():
    with pytest.raises(ValueError, match="as many weights as inputs, got 1 and 2"):
        dot([Value(1.0)], [1.0, 2.0])


def test_logsumexp_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one operand"):
        autograd.logsumexp([])


# ---- copies


def test_leaves_copy_and_pickle_with_gradient_and_label():
    a = Value(2.0, label="a")
    a.grad = 5.0
    for twin in (copy.copy(a), copy.deepcopy(a), pickle.loads(pickle.dumps(a))):
        assert (twin.data, twin.grad, twin.label, twin.parents) == (2.0, 5.0, "a", ())
        assert twin is not a
    constant = (a * 3).parents[1]
    assert copy.deepcopy(constant).is_constant


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_recorded_result_refuses_to_be_copied(make):
    x = Value(1.0)
    for _ in range(5_000):
        x = x + 1
    with pytest.raises(TypeError, match="Copy the leaves and record again"):
        make(x)
