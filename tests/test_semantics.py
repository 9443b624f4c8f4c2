"""The tables of numerical semantics, row by row: what each row says, and the test that holds us to it."""

import importlib
import math
import os
import subprocess
import sys
from pathlib import Path

import bad_input
import numpy as np
import pytest
from programs import EPSILON, value_operation

import autograd
from autograd import Value
from autograd.namespaces import ARRAY
from autograd.primitives import PRIMITIVES
from nn import NeuralNetwork

INF, NAN = math.inf, math.nan

# ---- "Values and gradients at the edges": row of the table of primitives, operands, value, gradient

# fmt: off
EDGES = {
    "relu at +0, -0": [("relu", (0.0,), 0.0, (0.0,)), ("relu", (-0.0,), 0.0, (0.0,)),
                       ("relu", (NAN,), NAN, (NAN,))],
    "abs at ±0": [("absolute", (0.0,), 0.0, (0.0,)), ("absolute", (-0.0,), 0.0, (0.0,))],
    "max, min of equal operands": [
        ("maximum", (2.0, 2.0), 2.0, (0.5, 0.5)), ("minimum", (2.0, 2.0), 2.0, (0.5, 0.5)),
        ("maximum", (1.0, NAN), NAN, (0.0, 1.0)), ("maximum", (NAN, 1.0), NAN, (1.0, 0.0)),
        ("minimum", (1.0, NAN), NAN, (0.0, 1.0)), ("minimum", (NAN, 1.0), NAN, (1.0, 0.0))],
    "clip at an edge": [("clip", (0.0, 0.0, 1.0), 0.0, (1.0, 0.0, 0.0)),
                        ("clip", (1.0, 0.0, 1.0), 1.0, (1.0, 0.0, 0.0))],
    "0**0; 0**0.5; 0**-1; (-1)**0.5; by the exponent at x = 0 and x < 0": [
        ("power", (0.0, 0.0), 1.0, (0.0, 0.0)), ("power", (0.0, 0.5), 0.0, (INF, 0.0)),
        ("power", (0.0, -1.0), INF, (-INF, -INF)), ("power", (-1.0, 0.5), NAN, (NAN, NAN)),
        ("power", (0.0, 2.0), 0.0, (0.0, 0.0)), ("power", (-2.0, 3.0), -8.0, (12.0, NAN))],
    "log 0; log -1": [("log", (0.0,), -INF, (INF,)), ("log", (-1.0,), NAN, (-1.0,))],
    "sqrt 0": [("sqrt", (0.0,), 0.0, (INF,))],
    "1/0; 0/0": [("divide", (1.0, 0.0), INF, (INF, -INF)), ("divide", (0.0, 0.0), NAN, (INF, NAN))],
    # b² would overflow, to a gradient of 0
    "a/b in b": [("divide", (1e300, 1e200), 1e100, (1e-200, -1e-100))],
    "exp 1000; tanh ±1000": [("exp", (1000.0,), INF, (INF,)), ("tanh", (1000.0,), 1.0, (0.0,)),
                             ("tanh", (-1000.0,), -1.0, (0.0,))],
    "sigmoid ±1000": [("sigmoid", (1000.0,), 1.0, (0.0,)), ("sigmoid", (-1000.0,), 0.0, (0.0,))],
    "softplus ±1000": [("softplus", (1000.0,), 1000.0, (1.0,)), ("softplus", (-1000.0,), 0.0, (0.0,))],
    "logsumexp [-inf, -inf]; [1000, -1000]": [
        ("logsumexp", (-INF, -INF), -INF, (0.0, 0.0)), ("logsumexp", (1000.0, -1000.0), 1000.0, (1.0, 0.0))],
    "binary cross-entropy from logits": [  # σ(z) - t; -z
        ("binary_cross_entropy_with_logits", (1000.0, 1.0), 0.0, (0.0, -1000.0)),
        ("binary_cross_entropy_with_logits", (-1000.0, 1.0), 1000.0, (-1.0, 1000.0)),
        ("binary_cross_entropy_with_logits", (0.0, 0.25), math.log(2), (0.25, 0.0))],
    "atan2(0, 0); hypot and norm at 0": [
        ("atan2", (0.0, 0.0), 0.0, (0.0, 0.0)), ("hypot", (0.0, 0.0), 0.0, (0.0, 0.0)),
        ("norm", (0.0, 0.0, 0.0), 0.0, (0.0, 0.0, 0.0))],
    "where(c, a, b)": [("where", (1.0, 2.0, 3.0), 2.0, (0.0, 1.0, 0.0)),
                       ("where", (0.0, 2.0, 3.0), 3.0, (0.0, 0.0, 1.0))],
    "inf - inf; 0 * inf": [("subtract", (INF, INF), NAN, (1.0, -1.0)),
                           ("multiply", (0.0, INF), NAN, (INF, 0.0))],
    "subnormals": [("multiply", (1e-160, 1e-160), 1e-320, (1e-160, 1e-160)),
                   ("add", (5e-324, 5e-324), 1e-323, (1.0, 1.0)),
                   ("divide", (5e-324, 0.5), 1e-323, (2.0, -2e-323))],
    "nan, max": [("maximum", (0.0, NAN), NAN, (0.0, 1.0)), ("minimum", (0.0, NAN), NAN, (0.0, 1.0))],
}
# fmt: on


@pytest.mark.parametrize(
    ("name", "operands", "value", "gradient"),
    [case for cases in EDGES.values() for case in cases],
    ids=[f"{row}: {case[1]}" for row, cases in EDGES.items() for case in cases],
)
def test_an_edge_has_the_value_and_the_gradient_of_its_row(name, operands, value, gradient):
    leaves = [Value(x) for x in operands]
    root = value_operation(name, leaves)
    root.backward()
    np.testing.assert_allclose(root.data, value, rtol=EPSILON)
    np.testing.assert_allclose([leaf.grad for leaf in leaves], gradient, rtol=EPSILON)
    assert math.copysign(1.0, root.data) == math.copysign(1.0, value) or math.isnan(value)
    with np.errstate(all="ignore"):  # and so for arrays
        arrays = [np.full(2, x) for x in operands]
        y = PRIMITIVES[name].evaluate(ARRAY, arrays)
        partials = PRIMITIVES[name].differentiate(ARRAY, y, arrays)
    np.testing.assert_allclose(y, [value] * 2, rtol=EPSILON)
    for partial, slope in zip(partials, gradient, strict=True):
        np.testing.assert_allclose(np.broadcast_to(partial, 2), [slope] * 2, rtol=EPSILON)


def swept(function, *numbers: float) -> tuple[float, ...]:
    """The value of the function and its derivatives."""
    leaves = [Value(x) for x in numbers]
    root = function(*leaves)
    root.backward()
    return (root.data, *(leaf.grad for leaf in leaves))


def test_a_maximum_of_a_value_and_itself_has_a_gradient_of_1():
    assert swept(lambda x: autograd.maximum(x, x), 3.0) == (3.0, 1.0)
    assert swept(lambda x: autograd.minimum(x, x), 3.0) == (3.0, 1.0)


@pytest.mark.parametrize(
    ("base", "exponent", "value", "gradient"),
    [
        (0.0, 0, 1.0, 0.0),
        (0.0, 0.5, 0.0, INF),
        (0.0, -1, INF, -INF),
        (-1.0, 0.5, NAN, NAN),
        (-2.0, 3, -8.0, 12.0),
    ],
)
def test_powers_with_a_constant_exponent_are_real_and_compute_no_partial_by_it(
    base, exponent, value, gradient
):
    x = Value(base)
    power = x**exponent
    power.backward()
    np.testing.assert_equal((power.data, x.grad), (value, gradient))
    assert power.partials[1] == 0.0


def test_x_over_x_at_0_is_nan_with_a_gradient_of_nan():
    np.testing.assert_equal(swept(lambda x: x / x, 0.0), (NAN, NAN))


def test_log_softmax_of_far_logits_is_exact():
    assert [y.data for y in autograd.log_softmax([Value(1000.0), Value(-1000.0)])] == [0.0, -2000.0]


@pytest.mark.parametrize(("target", "loss"), [(0.0, 0.0), (1.0, INF)])
def test_binary_cross_entropy_from_a_probability_of_0(target, loss):
    assert NeuralNetwork([1, 1], loss="binary_cross_entropy").compute_loss([[target]], [[0.0]]) == loss


def test_the_branch_not_taken_gets_0_times_its_partial_and_the_double_where_avoids_it():
    def root_of_the_positive(x):
        return autograd.where(x > 0, x.sqrt(), 0.0)

    def with_a_harmless_operand(x):
        return autograd.where(x > 0, autograd.where(x > 0, x, 1.0).sqrt(), 0.0)

    np.testing.assert_equal(swept(root_of_the_positive, 0.0), (0.0, NAN))  # 0 · inf
    assert swept(with_a_harmless_operand, 0.0) == (0.0, 0.0)
    assert swept(with_a_harmless_operand, 4.0) == (2.0, 0.25)


@pytest.mark.parametrize("x", [-3.0, -0.1, 0.7, 15.0, 20.0])
def test_tanh_and_sigmoid_have_the_textbooks_derivatives(x):
    y, slope = swept(Value.tanh, x)
    assert slope == 1 - y * y
    y, slope = swept(Value.sigmoid, x)
    assert slope == y * (1 - y)


# ---- what other files test

# fmt: off
ELSEWHERE = {
    "nan anywhere": "test_properties.test_nan_goes_through_every_row_but_those_listed",
    "scalars and arrays, at every edge": "test_primitives.test_scalars_and_arrays_agree_at_every_edge",
    # "Behaviour of the engine"
    "int, NumPy scalar as data": "test_value.test_data_is_always_a_python_float",
    "bool, str, … as data": "test_value.test_data_must_be_a_real_number",
    "math.exp(value), float(value), int(value), bool(value)":
        "test_numberlike.test_conversions_that_would_lose_the_gradient_name_the_way",
    "backward twice on one graph": "test_properties.test_sweeping_twice_gives_exactly_twice_the_gradient",
    "interior nodes hold the last sweep's": "test_value.test_an_interior_node_holds_the_last_sweeps_gradient",
    "two roots that share nodes":
        "test_properties.test_two_roots_add_up_to_the_sum_of_their_separate_sweeps",
    ".data changed after recording": "test_properties.test_changed_data_does_not_change_the_sweep",
    "same node used 100,000 times": "test_value.test_a_node_used_100_000_times_counts_100_000_times",
    "chain of 1,000,000":
        "test_value.test_a_chain_of_a_million_records_sweeps_and_is_deleted_in_a_small_stack",
    "order of accumulation":
        "test_trust.test_gradients_have_equal_bits_in_processes_with_different_hash_seeds",
    "copy.deepcopy, pickle of a deep graph": "test_value.test_a_recorded_result_refuses_to_be_copied",
    "copy and pickle of a leaf": "test_value.test_leaves_copy_and_pickle_with_gradient_and_label",
    "threads on graphs of their own": "test_trust.test_threads_with_graphs_of_their_own_are_independent",
    # "How closely two paths must agree"
    "single primitives": "test_primitives.test_values_match_fifty_digit_arithmetic",
    "partials of single primitives": "test_primitives.test_partials_match_fifty_digit_arithmetic",
    "a gradient array": "test_agreement.test_scalar_and_vectorised_gradients_agree",
    # "What bad input gets", beside the cases below
    "X": "test_network.test_a_wrong_x_gets_its_message",
    "y": "test_network.test_a_wrong_y_gets_its_message",
    "nan loss or gradient in training": "test_training.test_training_stops_before_a_step_that_is_not_finite",
    "a checkpoint that is empty, truncated, corrupted, with trailing bytes":
        "test_archives.test_every_flipped_bit_every_cut_and_every_byte_more_is_refused",
    "a checkpoint of wrong version, with missing or unknown keys, of wrong shapes":
        "test_checkpoints.test_what_does_not_belong_in_a_checkpoint_is_refused",
    "a pickle for a checkpoint": "test_archives.test_what_is_no_archive_is_refused",
    "never lose what was there":
        "test_kill.test_a_training_killed_at_random_moments_ends_in_the_bits_of_one_that_was_not",
    "parameters stay at the last finite step":
        "test_training.test_diverging_training_keeps_the_last_finite_parameters",
}
# fmt: on


@pytest.mark.parametrize("test", ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_a_row_tested_elsewhere_is_tested(test):
    file, name = test.split(".")
    assert callable(getattr(importlib.import_module(file), name))


# ---- "What bad input gets"


@pytest.mark.parametrize("case", bad_input.CASES, ids=lambda case: case.entry)
def test_bad_input_gets_its_message(case):
    assert bad_input.complaint(case) == ""


def test_bad_input_gets_its_message_where_assert_is_no_statement():
    here = Path(__file__).parent
    result = subprocess.run(
        [sys.executable, "-O", str(here / "bad_input.py")],
        env={**os.environ, "PYTHONPATH": str(here.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    count = len(bad_input.CASES)
    assert result.stdout.split("\n")[:2] == [
        "assert is no statement",
        f"{count} of {count} refused as they should be",
    ], result.stdout


def test_what_is_accepted_or_refused_otherwise_is_complained_of():
    case = bad_input.CASES[0]
    assert "accepted, gives 3" in bad_input.complaint(case._replace(call=lambda: 3))
    assert "ValueError: no" in bad_input.complaint(case._replace(call=refuse))


def refuse() -> None:
    raise ValueError("no")
