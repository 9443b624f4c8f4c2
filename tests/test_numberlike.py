"""Values among Python's and NumPy's numbers: what goes through, and what is refused with the way to go."""

import math
import operator

import numpy as np
import pytest

import autograd
from autograd import Value


def data(array) -> list[float]:
    """The numbers of an object array; every entry is a Value."""
    assert array.dtype == object
    assert all(type(x) is Value for x in array.ravel())
    return [x.data for x in array.ravel()]


# ---- Python


@pytest.mark.parametrize("number", [2, 2.0, np.float64(2), np.float32(2), np.int8(2)])
def test_numbers_of_every_kind_stand_on_either_side(number):
    a = Value(8.0)
    assert [(a + number).data, (number + a).data] == [10.0, 10.0]
    assert [(a - number).data, (number - a).data] == [6.0, -6.0]
    assert [(a * number).data, (number * a).data] == [16.0, 16.0]
    assert [(a / number).data, (number / a).data] == [4.0, 0.25]
    assert [(a**number).data, (number**a).data] == [64.0, 256.0]
    assert all(type(v) is Value for v in (number + a, number - a, number * a, number / a, number**a))


def test_comparisons_go_by_data_and_equality_by_identity():
    a, b = Value(1.0), Value(1.0)
    assert a <= b <= 1 <= a
    assert [a < 2, a > 0, 0 < a, a > np.float64(0.5), np.float64(0.5) < a] == [True] * 5  # noqa: SIM300
    assert a != b
    assert a == a
    assert np.float64(1) != a
    assert len({a, b}) == 2
    assert sorted([Value(2.0), a], key=lambda v: v.data)[0] is a
    assert max(a, Value(3.0)).data == 3.0


def test_formatting_shows_the_number():
    assert f"{Value(1.23456):.3f}" == "1.235"
    assert repr(Value(2, label="w")) == "Value(data=2.0, grad=0.0, label='w')"


def test_sorted_max_min_and_sum_take_values():
    a, b, c = Value(3.0), Value(-1.0), Value(2.0)
    assert sorted([a, b, c]) == [b, c, a]  # identity: the same objects
    assert sorted([a, b, c], reverse=True) == [a, c, b]
    assert max([b, a, c]) is a
    assert min(a, b, c) is b
    assert max(a, 5) == 5
    total = sum([a, b, c])
    total.backward()
    assert (total.data, a.grad, b.grad, c.grad) == (4.0, 1.0, 1.0, 1.0)
    assert sum((x for x in (a, b)), c).data == 4.0
    assert sum([a, b], start=0.5).data == 2.5


@pytest.mark.parametrize(
    ("update", "number", "slope"),
    [
        (operator.iadd, 5.0, 1.0),
        (operator.isub, 1.0, 1.0),
        (operator.imul, 6.0, 2.0),
        (operator.itruediv, 1.5, 0.5),
        (operator.ipow, 9.0, 6.0),
    ],
)
@pytest.mark.parametrize("two", [2, Value(2.0)], ids=["number", "Value"])
def test_an_update_in_place_gives_the_name_a_new_value(update, two, number, slope):
    a = before = Value(3.0)
    a = update(a, two)
    a.backward()
    assert (a.data, before.data, before.grad) == (number, 3.0, slope)
    x = 3.0
    x = update(x, two)  # a number's name too
    assert (x.data if isinstance(two, Value) else x) == number


# ---- NumPy


def test_arrays_and_values_combine_to_object_arrays_from_both_sides():
    v = Value(3.0)
    left, right = np.array([1.0, 2.0]) * v, v * np.array([1.0, 2.0])
    assert left.dtype == right.dtype == object
    assert [x.data for x in left] == [x.data for x in right] == [3.0, 6.0]
    total = np.sum(left)
    total.backward()
    assert v.grad == 3.0
    assert [x.data for x in np.array([2.0, 4.0]) ** v] == [8.0, 64.0]
    assert [x.data for x in v - np.array([1.0, 2.0])] == [2.0, 1.0]
    assert [x.data for x in np.array([6.0, 9.0]) / v] == [2.0, 3.0]
    assert [x.data for x in autograd.exp(v * np.array([0.0, 0.0]))] == [1.0, 1.0]


def test_object_arrays_multiply_as_matrices():
    W = np.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]])
    assert [z.data for z in W @ np.array([5.0, 6.0])] == [17.0, 39.0]


@pytest.mark.parametrize(
    "scalar", [np.float64(2), np.float32(2), np.int64(2), np.int8(2), np.uint8(2)], ids=repr
)
def test_numpy_scalars_on_the_left_record(scalar):
    v = Value(8.0)
    for result, number, slope in (
        (scalar + v, 10.0, 1.0),
        (scalar - v, -6.0, -1.0),
        (scalar * v, 16.0, 2.0),
        (scalar / v, 0.25, -2 / 64),
        (scalar**v, 256.0, 256 * math.log(2)),
    ):
        v.zero_grad()
        result.backward()
        assert (type(result), result.data, v.grad) == (Value, number, slope)


def test_sums_and_products_of_object_arrays_have_the_gradients_of_linear_algebra():
    def fresh():
        return np.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]])

    x, ones = np.array([5.0, 6.0]), np.ones(2)
    for total, gradient in (
        (lambda W: np.sum(W @ x), np.outer(ones, x)),
        (lambda W: np.sum(x @ W), np.outer(x, ones)),
        (lambda W: np.dot(np.dot(W, x), x), np.outer(x, x)),
        (lambda W: x @ W @ ones, np.outer(x, ones)),
        (lambda W: np.sum(W, axis=0)[1], np.array([[0.0, 1.0], [0.0, 1.0]])),
        (lambda W: W.sum(), np.ones((2, 2))),
        (np.mean, np.full((2, 2), 0.25)),
        (lambda W: np.sum(W * W), 2 * np.array([[1.0, 2.0], [3.0, 4.0]])),
        (lambda W: np.sum(W @ W.T @ ones), [[8.0, 12.0], [8.0, 12.0]]),  # 1ᵀWWᵀ1: 2 · 1 (Wᵀ1)ᵀ
        (np.prod, np.array([[24.0, 12.0], [8.0, 6.0]])),
        (np.max, np.array([[0.0, 0.0], [0.0, 1.0]])),
    ):
        W = fresh()
        total(W).backward()
        np.testing.assert_array_equal([[w.grad for w in row] for row in W], gradient)


def test_numpy_functions_of_values_and_object_arrays_record():
    v, A = Value(0.5), np.array([Value(0.5), Value(1.5)])
    assert np.exp(v).op == "exp"
    assert data(np.tanh(A)) == [math.tanh(0.5), math.tanh(1.5)]
    assert [x.op for x in np.maximum(A, Value(1.0))] == ["maximum"] * 2
    assert data(np.arctan2(A, np.array([1.0, 2.0]))) == [math.atan2(0.5, 1.0), math.atan2(1.5, 2.0)]
    assert np.maximum(v, np.array(2.0)).data == 2.0  # no dimensions: a Value, no array


def test_an_array_of_objects_is_updated_in_place():
    v = Value(3.0)
    A = same = np.array([Value(1.0), Value(2.0)])
    leaves = list(A)
    A += v
    A *= 2.0
    A **= np.array([1.0, 2.0])
    assert A is same
    assert data(A) == [8.0, 100.0]
    np.sum(A).backward()
    assert [leaf.grad for leaf in leaves] == [2.0, 40.0]  # 2; 2 · 2 (2 + 3) · 2
    assert v.grad == 42.0


def test_an_array_of_floats_cannot_be_updated_in_place_and_says_what_to_write():
    A = np.array([1.0, 2.0])
    with pytest.raises(TypeError, match=r"an array of float64 cannot hold a Value.* array = array \+ value"):
        A += Value(1.0)
    np.testing.assert_array_equal(A, [1.0, 2.0])


def test_comparisons_with_arrays_are_arrays_of_bools_from_both_sides():
    v, A = Value(2.0), np.array([1.0, 2.0, 3.0])
    for result, expected in (
        (v < A, [False, False, True]), (v < A, [False, False, True]),
        (v <= A, [False, True, True]), (v <= A, [False, True, True]),
        (v > A, [True, False, False]), (v > A, [True, False, False]),
        (v >= A, [True, True, False]), (v >= A, [True, True, False]),
        (v < np.array([Value(1.0), 2.0, Value(3.0)]), [False, False, True]),
        (v == A, [False] * 3), (v != A, [True] * 3),  # identity
    ):  # fmt: skip
        assert result.dtype == bool
        assert result.tolist() == expected
    assert np.where(v > A, 1.0, 0.0).tolist() == [1.0, 0.0, 0.0]


# ---- what is refused


@pytest.mark.parametrize("convert", [float, math.exp, int, bool])
def test_conversions_that_would_lose_the_gradient_name_the_way(convert):
    with pytest.raises(TypeError, match=r"\.data"):
        convert(Value(1.0))


def test_an_unrecorded_numpy_function_says_which_are_recorded():
    with pytest.raises(TypeError, match=r"np\.floor of a Value is not recorded.*tanh"):
        np.floor(Value(1.0))
    with pytest.raises(TypeError, match=r"np\.add\.outer"):
        np.add.outer(Value(1.0), np.ones(2))


def test_options_of_numpy_functions_are_refused_by_name():
    with pytest.raises(TypeError, match=r"np\.add of a Value with where is not recorded"):
        np.add(np.ones(2), Value(1.0), where=[True, False])


def test_no_array_of_floats_is_made_of_values():
    with pytest.raises(TypeError, match=r"use \.data for the number"):
        np.array([Value(1.0)], dtype=float)


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        (lambda v, tensor: v * tensor, "multiply"),
        (lambda v, tensor: tensor * v, "multiply"),
        (lambda v, tensor: tensor - v, "subtract"),
        (lambda v, tensor: v < tensor, "<"),
    ],
)
def test_tensors_of_pytorch_are_refused_on_either_side(operation, name):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (dependency group peers)")
    with pytest.raises(TypeError, match=f"operand of '{name}': expected a real number, got Tensor"):
        operation(Value(1.0), torch.tensor(2.0))
