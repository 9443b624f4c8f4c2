"""Each check passes what it should, and says what was wrong with what it does not."""

from collections import deque

import numpy as np
import pytest

from nn import MLP, Imputer, NeuralNetwork, Scaler, checks, confusion_matrix


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint64, int, np.float16, np.float32, np.longdouble])
def test_real_numbers_of_any_kind_become_float64(dtype):
    array = checks.real_array("x", np.array([[0, 1]], dtype=dtype), "(1, N)")
    assert array.dtype == np.float64
    assert array.tolist() == [[0.0, 1.0]]


def test_a_float64_array_is_not_copied():
    x = np.ones((2, 3))
    assert checks.columns("x", x, 2) is x


@pytest.mark.parametrize(
    "value",
    [
        np.array([[object()]]),
        np.array([["1.0"]]),
        np.array([[b"1"]]),
        np.array([[1j]]),
        np.array([["2020-01-01"]], dtype="datetime64[D]"),
        np.array([[1]], dtype="timedelta64[D]"),
        None,
        {},
        {1.0},
        "1.0",
    ],
    ids=lambda value: str(np.asarray(value).dtype),
)
def test_what_is_not_a_real_number_is_a_type_error(value):
    with pytest.raises(TypeError, match="x: expected an array of real numbers, got dtype"):
        checks.real_array("x", value, "(1, N)")


MASKED = np.ma.array([[1.0, -999.0, 3.0]], mask=[[False, True, False]])


@pytest.mark.parametrize(
    "call",
    [
        lambda: checks.real_array("x", MASKED, "(1, N)"),
        lambda: checks.class_targets("x", MASKED[0].astype(int), 4, "cross_entropy"),
        lambda: NeuralNetwork([1, 1]).forward(MASKED),
        lambda: Scaler.standard(MASKED),
        lambda: confusion_matrix(MASKED[0].astype(int), [0, 0, 0], 4),
    ],
)
def test_a_masked_entry_is_refused_with_the_ways_out(call):
    with pytest.raises(ValueError, match=r"expected no masked entries, got 1; fill them.* nn\.Imputer"):
        call()


def test_a_masked_array_with_nothing_masked_is_an_array():
    assert checks.columns("x", np.ma.array([[1.0, 2.0]])).tolist() == [[1.0, 2.0]]
    filled = Imputer.fit(MASKED.filled(np.nan), "mean").transform(MASKED.filled(np.nan))
    assert filled.tolist() == [[1.0, 2.0, 3.0]]


def test_both_networks_take_names_of_layers_in_any_sequence():
    names = deque(["relu", "tanh"])
    assert NeuralNetwork([2, 3, 3, 1], names).activation_names() == ["relu", "tanh", "tanh"]
    assert [layer.activation for layer in MLP(2, [3, 3, 1], names).layers] == ["relu", "tanh", "linear"]


@pytest.mark.parametrize(
    ("value", "got"),
    [
        (np.zeros(2), r"\(2,\)"),
        (np.zeros((3, 2)), r"\(3, 2\)"),
        (np.zeros((2, 0)), r"\(2, 0\)"),
        (np.zeros((2, 1, 1)), r"\(2, 1, 1\)"),
        (1.0, r"\(\)"),
        ([], r"\(0,\)"),
        ([[1.0, 2.0], [3.0]], "rows of different lengths"),
    ],
)
def test_columns_of_another_shape_are_refused(value, got):
    message = rf"x: expected shape \(2, N\) with N >= 1, got {got}; did you pass rows for columns\?"
    with pytest.raises(ValueError, match=message):
        checks.columns("x", value, 2)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_the_first_number_that_is_not_finite_is_named(bad):
    x = np.zeros((3, 4))
    x[1, 2] = x[2, 0] = bad
    with pytest.raises(ValueError, match=f"x holds {bad} at row 1, column 2"):
        checks.columns("x", x, 3)


def test_nothing_is_broadcast():
    with pytest.raises(ValueError, match=r"y: expected shape \(1, 5\), got \(5, 1\)"):
        checks.exactly("y", np.zeros((5, 1)), (1, 5))


@pytest.mark.parametrize("bad", [-0.1, 1.1])
def test_a_probability_outside_0_to_1_is_named(bad):
    with pytest.raises(ValueError, match=f"y holds {bad} at row 0, column 1; expected probabilities"):
        checks.probabilities("y", np.array([[0.5, bad]]))


def test_a_column_that_is_no_distribution_is_named():
    with pytest.raises(ValueError, match=r"y's column 1 sums to 0\.5; expected every column to sum to 1"):
        checks.distributions("y", np.array([[1.0, 0.5], [0.0, 0.0]]))


@pytest.mark.parametrize("value", [0.1, 1, np.float32(0.5), np.int8(2)])
def test_a_positive_number_becomes_a_float(value):
    assert checks.positive("learning_rate", value) == float(value)


@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf"), np.float64(-0.0)])
def test_a_rate_that_is_not_positive_is_refused(value):
    with pytest.raises(ValueError, match="learning_rate: expected a finite number above 0, got"):
        checks.positive("learning_rate", value)


@pytest.mark.parametrize("value", ["0.1", None, 1j, True, [0.1], np.array(0.1)])
def test_a_rate_that_is_not_a_number_is_a_type_error(value):
    with pytest.raises(TypeError, match="learning_rate: expected a real number, got"):
        checks.positive("learning_rate", value)


NUMBERS = [-1.0, -0.0, 0, 0.5, np.float32(0.5), 1, 2.0, float("nan"), float("inf")]


@pytest.mark.parametrize(
    ("check", "allowed", "expected"),
    [
        (checks.not_negative, [0, 0.5, 1, 2.0], "a finite number of at least 0"),
        (checks.share, [0, 0.5], r"a number in \[0, 1\)"),
        (checks.open_share, [0.5], "a number above 0 and below 1"),
    ],
)
def test_a_number_out_of_its_range_is_refused_with_the_range(check, allowed, expected):
    for value in NUMBERS:
        if value in allowed:
            assert check("momentum", value) == value
        else:
            with pytest.raises(ValueError, match=f"momentum: expected {expected}, got"):
                check("momentum", value)
    with pytest.raises(TypeError, match=r"momentum: expected a real number, got str '0\.5'"):
        check("momentum", "0.5")


@pytest.mark.parametrize("value", [1.0, "1", None, True, np.True_, [1]])
def test_a_count_that_is_not_a_whole_number_is_a_type_error(value):
    with pytest.raises(TypeError, match="epochs: expected a whole number, got"):
        checks.count("epochs", value, least=0)


def test_counts_of_any_integer_type_become_int():
    assert type(checks.count("epochs", np.int64(3), least=1)) is int
    with pytest.raises(ValueError, match="batch_size: expected a whole number of at least 1, got 0"):
        checks.count("batch_size", 0, least=1)


def test_an_unknown_name_is_answered_with_the_known_ones():
    for value in ("selu", None, np.tanh, ["relu"]):
        with pytest.raises(ValueError, match="activation: expected one of 'relu', 'tanh'; got"):
            checks.one_of("activation", value, ["relu", "tanh"])


def test_a_seed_is_not_a_generator():
    with pytest.raises(TypeError, match=r"got int; pass np\.random\.default_rng\(seed\)"):
        checks.generator(0)
