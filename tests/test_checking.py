"""The checker and the report catch what is wrong, and only that."""

import numpy as np
import pytest

from autograd import GradientMismatch, Value, check_gradients, compare_arrays, dot


def test_a_right_gradient_is_not_accused():
    def f(a, b, c):
        return (a * b + c.exp()).tanh() / (b * b + 1) - dot([a, b], [b, c], a) ** 2

    check_gradients(f, 0.3, -1.2, 0.7).assert_ok()


def test_arguments_may_be_numbers_lists_arrays_and_dicts():
    def f(x, ws, W, p):
        return x * ws[0][1] + W[1, 0] * W[0, 1] ** 2 + p["a"] * p["b"][0]

    report = check_gradients(
        f, 2.0, [[1.0, 2.0], [3.0]], np.arange(4.0).reshape(2, 2), {"a": 1.0, "b": [5.0]}
    )
    assert [(row.name, row.shape) for row in report.rows] == [
        ("x", ()), ("ws", (3,)), ("W", (2, 2)), ("a", ()), ("b", ()),
    ]  # fmt: skip
    report.assert_ok()


@pytest.mark.parametrize(
    ("mistake", "wrong"),
    [
        ("a missing factor", lambda x, y: (x * y, x**2)),
        ("a wrong sign", lambda x, y: (2 * x * y, -(x**2))),
        ("a small relative error", lambda x, y: (2 * x * y * (1 + 1e-5), x**2)),
        ("nan", lambda x, y: (2 * x * y, np.nan)),
    ],
)
def test_planted_errors_are_caught(mistake, wrong):
    def f(x, y):
        return x * x * y

    check_gradients(f, 1.5, -0.7, gradient=lambda x, y: (2 * x * y, x**2)).assert_ok()
    with pytest.raises(GradientMismatch, match="DIFFERS"):
        check_gradients(f, 1.5, -0.7, gradient=wrong).assert_ok()


def test_one_wrong_argument_of_many_is_named_with_its_index():
    def f(p):
        return float(np.sum(np.tanh(p["W"] @ p["x"])) + p["b"].sum())

    def gradient(p):
        dz = 1 - np.tanh(p["W"] @ p["x"]) ** 2
        wrong = np.outer(dz, p["x"])
        wrong[1, 2] += 1e-3
        return {"b": np.ones(3), "x": p["W"].T @ dz, "W": wrong}

    rng = np.random.default_rng(0)
    point = {"W": rng.normal(size=(2, 4)), "x": rng.normal(size=4), "b": np.zeros(3)}
    report = check_gradients(f, point, gradient=gradient)
    assert [row.name for row in report.rows if not row.ok] == ["W"]
    assert report.worst.index == (1, 2)


def test_a_kink_within_the_step_is_said_and_not_accused():
    report = check_gradients(lambda x: (x - 1e-6).relu() + x, 0.0)
    assert report.ok
    assert "a kink lies within the step" in str(report)


def test_a_kink_at_the_very_point_is_said_and_not_accused():
    report = check_gradients(lambda x: x.relu() * 2, 0.0)
    assert report.ok
    assert "a kink lies at this very point: slopes 0 and 2" in str(report)


def test_a_kink_excuses_no_gradient_outside_its_slopes():
    def relu(x):
        return max(x, 0.0)

    assert not check_gradients(relu, 0.0, gradient=lambda x: 1.5).ok
    assert not check_gradients(relu, 0.0, gradient=lambda x: -0.5).ok


def test_a_sum_that_cancels_is_not_accused_for_its_rounding():
    check_gradients(lambda x: 1e9 + x.tanh() * 1e-3, 0.5).assert_ok()


def test_a_sample_says_how_much_it_checked_and_finds_what_it_checks():
    point = np.linspace(0.1, 1.0, 50)
    report = check_gradients(lambda x: float(x @ x), point, gradient=lambda x: 3 * x, sample=5)
    assert not report.ok
    assert "5 of 50 entries checked" in str(report)
    index = report.worst.index[0]
    assert report.worst.candidate == 3 * point[index]


def test_a_function_of_nothing_it_is_given_has_gradient_zero():
    check_gradients(lambda x: 3.0, 1.0).assert_ok()


@pytest.mark.parametrize(
    ("error", "words", "call"),
    [
        (TypeError, "expected a function to check, got int", lambda: check_gradients(3, 1.0)),
        (ValueError, "expected the arguments", lambda: check_gradients(lambda: 1.0)),
        (ValueError, "step must be positive", lambda: check_gradients(abs, 1.0, step=0.0)),
        (ValueError, "tolerance must be positive", lambda: check_gradients(abs, 1.0, tolerance=float("nan"))),
        (ValueError, "sample must be at least 1", lambda: check_gradients(abs, 1.0, sample=0)),
        (
            TypeError,
            "value of the checked function: expected a real",
            lambda: check_gradients(lambda x: "a", 1.0),
        ),
        (TypeError, "argument of the checked function", lambda: check_gradients(abs, "1")),
        (
            ValueError,
            r"expected shape \(2, 1\), got \(1, 2\)",
            lambda: check_gradients(np.sum, np.ones((2, 1)), gradient=lambda x: x.T),
        ),
        (ValueError, "one for each of 2", lambda: check_gradients(max, 1.0, 2.0, gradient=lambda x, y: 1.0)),
        (ValueError, "as many numbers", lambda: check_gradients(max, [1.0, 2.0], gradient=lambda x: [1.0])),
        (
            ValueError,
            r"keys \['a'\]",
            lambda: check_gradients(len, {"a": 1.0}, gradient=lambda x: {"b": 1.0}),
        ),
    ],
)
def test_misuse_is_explained(error, words, call):
    with pytest.raises(error, match=words):
        call()


# ---- the report


def test_agreement_is_measured_by_the_arrays_largest_magnitude():
    reference = np.array([1e6, 1e-9])
    assert compare_arrays({"d": reference + np.array([0, 1e-9])}, {"d": reference}).ok  # all of one
    assert not compare_arrays({"d": reference + np.array([1e-5, 0])}, {"d": reference}).ok


def test_a_row_gives_absolute_relative_and_ulp_figures():
    ulp = 2.0**-52
    row = compare_arrays({"d": [2.0, 1.0 + 3 * ulp]}, {"d": [2.0, 1.0]}).rows[0]
    assert (row.absolute, row.relative, row.ulps, row.index) == (3 * ulp, 1.5 * ulp, 3.0, (1,))


def test_equal_infinities_and_nans_agree_and_others_do_not():
    same = {"d": [np.inf, np.nan, 1.0]}
    assert compare_arrays(same, same).ok
    assert not compare_arrays({"d": [np.nan]}, {"d": [1.0]}).ok
    assert not compare_arrays({"d": [1.0]}, {"d": [np.nan]}).ok
    assert not compare_arrays({"d": [np.inf]}, {"d": [-np.inf]}).ok


def test_zero_agrees_with_zero_only():
    assert compare_arrays({"d": [0.0]}, {"d": [0.0]}).ok
    assert not compare_arrays({"d": [1e-300]}, {"d": [0.0]}).ok


def test_a_difference_within_the_rounding_of_the_terms_agrees_and_says_so():
    # sixteen units of the last place of 2.0 are 16 · 2⁻⁵² · 2 = 2⁻⁴⁷
    for difference, ok in ((2.0**-47, True), (2.0**-47 * (1 + 2.0**-52), False)):
        report = compare_arrays({"d": [0.0]}, {"d": [difference]}, terms={"d": 2.0})
        assert report.ok is ok
        assert report.rows[0].rounding == 2.0**-47
        assert ("within rounding of the terms summed: 16 ulps of 2.0e+00" in str(report)) is ok
        assert ("largest magnitude, or rounding)" in str(report)) is ok
    assert max(map(len, str(report).splitlines())) <= 80


def test_terms_excuse_neither_infinities_nor_what_agrees_without_them():
    for terms in (np.inf, np.nan):
        assert not compare_arrays({"d": [1.0]}, {"d": [2.0]}, terms={"d": terms}).ok
    assert not compare_arrays({"d": [np.nan]}, {"d": [2.0]}, terms={"d": 1e300}).ok
    row = compare_arrays({"d": [1.0]}, {"d": [1.0]}, terms={"d": 1e300}).rows[0]
    assert (row.ok, row.note) == (True, "")


def test_the_tolerance_is_that_of_the_coarsest_precision_unless_it_is_given():
    exact = np.array([1.0, 0.3])
    off = exact * (1 + np.array([0.0, 1e-6]))
    single = {"d": off.astype(np.float32)}
    assert compare_arrays(single, {"d": exact}).tolerance == 1e-4
    assert compare_arrays(single, {"d": exact}).ok
    assert compare_arrays({"d": exact}, single).ok
    assert not compare_arrays({"d": off}, {"d": exact}).ok
    assert not compare_arrays(single, {"d": exact}, tolerance=1e-8).ok
    assert not compare_arrays({"d": (1.001 * exact).astype(np.float32)}, {"d": exact}).ok
    assert compare_arrays({"d": [1, 2]}, {"d": [True, 2.0]}).tolerance == 1e-12     # whole numbers are exact
    with pytest.raises(ValueError, match="none is known for float16; say what share may differ"):
        compare_arrays({"d": exact.astype(np.float16)}, {"d": exact})


def test_ulps_are_those_of_the_coarser_precision():
    above = np.nextafter(np.float32(1.0), np.float32(2.0))
    assert compare_arrays({"d": [above]}, {"d": [1.0]}).rows[0].ulps == 1.0


ONE = {"d": 1.0}


@pytest.mark.parametrize(
    ("error", "words", "arguments"),
    [
        (TypeError, "d of candidate: expected an array of real numbers, got dtype complex", [{"d": 1j}, ONE]),
        (TypeError, "d of candidate: .* got dtype <U3", [{"d": "1.0"}, ONE]),
        (TypeError, r"got dtype object; of Values, pass their \.grad", [{"d": [Value(1.0)]}, ONE]),
        (ValueError, "d of candidate: expected an array, got rows of different", [{"d": [[1.0], []]}, ONE]),
        (TypeError, "d of reference: .* got dtype <U1", [ONE, {"d": "1"}]),
        (TypeError, "candidate: expected gradients by name, .* got list", [[1.0], ONE]),
        (TypeError, "reference: expected gradients by name, .* got NoneType", [ONE, None]),
        (ValueError, "tolerance: expected a finite number of at least 0, got nan", [ONE, ONE, np.nan]),
        (ValueError, "tolerance: .* of at least 0, got -1", [ONE, ONE, -1]),
        (ValueError, "tolerance: .* of at least 0, got inf", [ONE, ONE, np.inf]),
        (TypeError, "tolerance: expected a real number, got str '1e-3'", [ONE, ONE, "1e-3"]),
        (TypeError, "tolerance: expected a real number, got bool True", [ONE, ONE, True]),
    ],
)
def test_what_cannot_be_compared_is_refused(error, words, arguments):
    with pytest.raises(error, match=words):
        compare_arrays(*arguments)


def test_a_number_is_an_array_of_no_axes():
    assert compare_arrays({"d": 1.0}, ONE).ok
    row = compare_arrays({"d": np.float32(2.0)}, ONE).rows[0]
    assert (row.ok, row.shape, row.index, row.candidate, row.absolute) == (False, (), (), 2.0, 1.0)


def test_shapes_and_names_must_match():
    report = compare_arrays({"W": np.ones((2, 1)), "c": [1.0]}, {"W": np.ones((1, 2)), "b": [1.0]})
    assert [(row.name, row.ok) for row in report.rows] == [("W", False), ("b", False), ("c", False)]
    text = str(report)
    assert "expected shape (1, 2), got (2, 1)" in text
    assert "candidate has no b" in text
    assert "reference has no c" in text


def test_the_report_prints_within_eighty_columns_and_raises_with_itself():
    report = compare_arrays({"dW0": np.ones((64, 32))}, {"dW0": np.zeros((64, 32))}, sides=("mine", "yours"))
    assert max(map(len, str(report).splitlines())) <= 80
    with pytest.raises(GradientMismatch, match="gradients: mine against yours"):
        report.assert_ok()


def test_nothing_to_compare_is_refused():
    with pytest.raises(ValueError, match="nothing to compare"):
        compare_arrays({}, {})


def test_values_may_be_checked_through_numpy_object_arrays():
    check_gradients(
        lambda W: np.sum(np.tanh(W @ np.array([1.0, 2.0]))), np.array([[0.1, 0.2], [0.3, -0.4]])
    ).assert_ok()


def test_a_value_as_an_argument_is_refused():
    with pytest.raises(TypeError, match=r"use its \.data"):
        check_gradients(lambda x: x * x, Value(1.0))
