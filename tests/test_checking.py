"""The checker and the report catch what is wrong, and only that."""

import cmath
import math

import numpy as np
import pytest

from autograd import GradientMismatch, Value, check_gradients, clip, compare_arrays, dot, maximum, softmax
from autograd.namespaces import SCALAR
from autograd.primitives import PRIMITIVES
from autograd.value import apply

METHODS = ["central", "richardson", "complex"]


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


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("mistake", "wrong"),
    [
        ("a missing factor", lambda x, y: (x * y, x**2)),
        ("a wrong sign", lambda x, y: (2 * x * y, -(x**2))),
        ("a small relative error", lambda x, y: (2 * x * y * (1 + 1e-5), x**2)),
        ("nan", lambda x, y: (2 * x * y, np.nan)),
    ],
)
def test_planted_errors_are_caught(mistake, wrong, method):
    def f(x, y):
        return x * x * y

    right = check_gradients(f, 1.5, -0.7, gradient=lambda x, y: (2 * x * y, x**2), method=method)
    assert right.ok
    with pytest.raises(GradientMismatch, match="DIFFERS"):
        check_gradients(f, 1.5, -0.7, gradient=wrong, method=method).assert_ok()


def draw_operands(primitive, rng):
    """Operands of ordinary size within the domain, none at a kink."""
    count = {"dot": 5, "softmax_cross_entropy": 4}.get(primitive.name, 3)
    intervals = primitive.domain * count if primitive.arity is None else primitive.domain
    # the ends of ]1, …[ and the like are no place for differences: no step is short enough there
    return [float(rng.uniform(max(low + 1e-3, -4.0), min(high - 1e-3, 4.0))) for low, high in intervals]


@pytest.mark.parametrize("method", ["central", "richardson"])
@pytest.mark.parametrize("primitive", PRIMITIVES.values(), ids=lambda p: p.name)
def test_each_row_of_the_table_passes_and_fails_once_one_of_its_partials_is_wrong(primitive, method):
    rng = np.random.default_rng(3)
    for _ in range(5):
        operands = draw_operands(primitive, rng)
        partials = primitive.differentiate(SCALAR, primitive.evaluate(SCALAR, operands), operands)

        def f(*xs):
            return apply(primitive, xs)

        report = check_gradients(f, *operands, method=method)
        report.assert_ok()
        for i, partial in enumerate(partials):
            wrong = [*partials[:i], partial * 1.001 if partial else 1e-3, *partials[i + 1 :]]
            rows = check_gradients(f, *operands, method=method, gradient=tuple(wrong)).rows
            assert [row.ok for row in rows] == [k != i for k in range(len(rows))]


@pytest.mark.parametrize("method", METHODS)
def test_one_wrong_argument_of_many_is_the_only_one_accused(method):
    def f(a, b, c, d):
        return a * b + b * c * d**2

    def gradient(a, b, c, d):
        return b, a + c * d**2, b * d, 2 * b * c * d  # by c it is b d²

    report = check_gradients(f, 1.5, -2.0, 0.5, 3.0, gradient=gradient, method=method)
    assert [row.name for row in report.rows if not row.ok] == ["c"]


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


@pytest.mark.parametrize(
    ("f", "slopes"),
    [(abs, "-1 and 1"), (lambda x: abs(x) + 3 * x, "2 and 4"), (lambda x: maximum(2 * x, 0.0), "0 and 2")],
)
def test_a_kink_whose_gradient_is_the_mean_of_its_slopes_is_said_too(f, slopes):
    report = check_gradients(f, 0.0)
    assert report.ok
    assert report.rows[0].note == f"a kink lies at this very point: slopes {slopes}"


@pytest.mark.parametrize(
    "f", [lambda x: x * x, lambda x: abs(x) * x, lambda x: x.cos(), lambda x: abs(x) ** 1.5]
)
def test_a_flat_extremum_or_a_jump_of_curvature_is_no_kink(f):
    assert "kink" not in check_gradients(f, 0.0).rows[0].note


def test_a_kink_excuses_no_gradient_outside_its_slopes():
    def relu(x):
        return max(x, 0.0)

    assert not check_gradients(relu, 0.0, gradient=lambda x: 1.5).ok
    assert not check_gradients(relu, 0.0, gradient=lambda x: -0.5).ok


@pytest.mark.parametrize("gradient", [-1.0, -0.3, 1.0])
def test_a_curved_kink_excuses_the_slope_of_either_side_and_what_lies_between(gradient):
    def f(x):
        return abs(x) * math.exp(-x)

    assert check_gradients(f, 0.0, gradient=gradient).ok
    assert not check_gradients(f, 0.0, gradient=1.001 * math.copysign(1.0, gradient)).ok


def test_kinks_on_both_sides_within_the_step_are_said_and_not_accused():
    report = check_gradients(lambda x: clip(x, -1e-7, 1e-7), 0.0)
    assert report.ok
    assert report.rows[0].note == "a kink lies within the step"


def test_a_wrong_gradient_is_accused_in_spite_of_a_kink_within_the_step():
    def f(x):
        return max(x - 1e-6, 0.0) + x

    assert not check_gradients(f, 0.0, gradient=1.5).ok


def test_an_entry_at_a_kink_does_not_stand_for_a_wrong_one_beside_it():
    report = check_gradients(lambda x: 100 * max(x[0], 0.0) + x[1], [0.0, 1.0], gradient=[0.0, 2.0])
    assert not report.ok
    assert (report.worst.index, report.worst.candidate) == ((1,), 2.0)


def test_a_jump_beside_an_entry_does_not_raise_what_it_is_allowed():
    def f(x):
        return (x[0] > 1e-7) + x[1]  # central differences of x0 give about 1e5

    assert not check_gradients(f, [0.0, 1.0], gradient=[0.0, 1.05]).ok
    assert check_gradients(f, [0.0, 1.0], gradient=[0.0, 1.0]).ok


@pytest.mark.parametrize(
    ("f", "x", "derivative"),
    [  # what differs from a fixed step's idea of the operand's size
        (math.log, 1e-8, 1e8),
        (math.log, 1e-300, 1e300),
        (math.sqrt, 1e-12, 5e5),
        (lambda x: 1 / x, 1e-3, -1e6),
        (lambda x: math.tanh(1e7 * x), 0.0, 1e7),
        (lambda x: math.sin(1e4 * x), 0.0, 1e4),
        (lambda x: x * x, 1e150, 2e150),
        (math.exp, 0.0, 1.0),
        (lambda x: 1e-20 * x, 0.0, 1e-20),
        (lambda x: 1e-308 * x, 1.7e308, 1e-308),
    ],
)
@pytest.mark.parametrize("method", ["central", "richardson"])
def test_the_step_suits_the_operand_and_the_function_and_no_kink_is_seen(f, x, derivative, method):
    report = check_gradients(f, x, gradient=derivative, method=method)
    report.assert_ok()
    assert report.rows[0].note == ""
    assert not check_gradients(f, x, gradient=derivative * (1 + 1e-5), method=method).ok


def test_a_point_at_the_edge_of_the_domain_is_not_confirmed_and_told_why():
    reason = "no numerical derivative: f is not finite on both sides, however near"
    assert check_gradients(lambda x: x.sqrt(), 0.0).rows[0].note == reason
    assert not check_gradients(lambda x: x.sqrt(), 0.0).ok
    assert check_gradients(cmath.sqrt, 0.0, gradient=math.inf, method="complex").rows[0].note == reason


# ---- rounding in f


def test_a_sum_that_cancels_is_not_accused_for_its_rounding():
    check_gradients(lambda x: 1e9 + x.tanh() * 1e-3, 0.5).assert_ok()


def amount(report):
    """How much the one row's note says rounding may hide."""
    words = report.rows[0].note.split()
    assert words[:3] == ["agrees", "to", "within"]
    return float(words[3])


@pytest.mark.parametrize("method", ["central", "richardson"])
def test_a_verdict_that_rests_on_rounding_says_how_much_it_allows(method):
    def f(x):
        return 1e6 + x * 1e-5  # in steps of 1.2e-10

    report = check_gradients(f, 1.0, gradient=1e-5, method=method)
    report.assert_ok()
    assert amount(report) < 1e-6  # 16 roundings of 1e6 over a step of 1/40 are 7e-8
    assert not check_gradients(f, 1.0, gradient=-1e-5, method=method).ok
    assert not check_gradients(f, 1.0, gradient=0.9e-5, method=method).ok


def test_an_influence_that_rounding_hides_altogether_is_not_confirmed_in_silence():
    report = check_gradients(lambda x: 1e12 + x * 1e-8, 1.0, gradient=0.0)
    assert report.ok
    assert amount(report) > 1e-8


@pytest.mark.parametrize("z", [10.0, 20.0, 30.0])
def test_a_small_loss_of_large_terms_is_not_accused_for_their_rounding(z):
    def surprise(z):
        return -softmax([z, 0.0])[0].log()  # about exp(-z), from probabilities rounded to 1.1e-16

    check_gradients(surprise, z).assert_ok()
    wrong = check_gradients(lambda z: surprise(Value(z)).data, z, gradient=1 / (1 + math.exp(z)))
    assert not wrong.ok


def test_an_entry_too_small_beside_the_largest_to_be_checked_is_said_to_be():
    report = check_gradients(lambda x: x[0] + 1e-8 * x[1], [1.0, 1.0], gradient=[1.0, -1e-8])
    assert report.ok
    assert "1 of 2 entries: too small beside the largest gradient of this row" in report.rows[0].note
    apart = check_gradients(lambda x, y: x + 1e-8 * y, 1.0, 1.0, gradient=(1.0, -1e-8))
    assert [row.ok for row in apart.rows] == [True, False]


@pytest.mark.parametrize(
    ("gradient", "relative"), [(6.0, 0.5), (24.0, 0.5), (-12.0, 2.0), (0.0, 1.0), (np.inf, np.inf)]
)
def test_relative_error_is_of_the_larger_of_the_two(gradient, relative):
    report = check_gradients(lambda x: x**3, 2.0, gradient=gradient)  # 12
    assert report.rows[0].relative == pytest.approx(relative, rel=1e-9)
    assert not report.ok


def test_relative_error_is_of_the_largest_gradient_where_both_are_small():
    report = check_gradients(lambda x: 1e3 * x[0] + 1e-3 * x[1], [1.0, 1.0], gradient=[1e3, 11e-3])
    assert report.rows[0].relative == pytest.approx(1e-5, rel=1e-5)


# ---- Richardson extrapolation and the complex step


def test_richardson_finds_what_central_differences_cannot_see():
    wrong = math.cosh(0.5) ** -2 * (1 + 1e-11)
    central, richardson = (
        check_gradients(math.tanh, 0.5, gradient=wrong, method=m, tolerance=1e-12) for m in METHODS[:2]
    )
    assert amount(central) > 1e-11
    assert not richardson.ok
    assert richardson.reference == "Richardson extrapolation"


def test_the_complex_step_gives_all_digits():
    def f(p):
        return np.sum(np.tanh(p["W"] @ p["x"])) * p["scale"]

    def gradient(p):
        a = np.tanh(p["W"] @ p["x"])
        dz = p["scale"] * (1 - a**2)
        return {"W": np.outer(dz, p["x"]), "x": p["W"].T @ dz, "scale": a.sum()}

    rng = np.random.default_rng(0)
    point = {"W": rng.normal(size=(3, 4)), "x": rng.normal(size=4), "scale": 0.3}
    report = check_gradients(f, point, gradient=gradient, method="complex", tolerance=1e-14)
    report.assert_ok()
    assert report.reference == "complex step"
    assert not any(row.note for row in report.rows)
    wrong = gradient(point)
    wrong["x"][2] *= 1 + 1e-12
    report = check_gradients(f, point, gradient=wrong, method="complex", tolerance=1e-14)
    assert [(row.name, row.index) for row in report.rows if not row.ok] == [("x", (2,))]


def test_the_complex_step_takes_functions_of_cmath_and_of_constants():
    z = [0.5, 2.0]
    gradient = [2 * math.cos(0.5), math.sin(0.5)]
    check_gradients(lambda z: cmath.sin(z[0]) * z[1], z, gradient=gradient, method="complex").assert_ok()
    check_gradients(lambda z: 3.0, 1.0, gradient=0.0, method="complex").assert_ok()


@pytest.mark.parametrize("f", [np.abs, lambda z: -np.real(z), lambda z: abs(z.conjugate())])
def test_a_function_that_is_not_analytic_is_explained_and_judged_by_central_differences(f):
    right, wrong = (check_gradients(f, -2.0, gradient=g, method="complex") for g in (-1.0, 0.0))
    assert right.ok
    assert not wrong.ok
    for report in right, wrong:
        explanation = "f is not analytic: complex step 0; central differences, -1, decide"
        assert explanation in report.rows[0].note


def test_a_kink_is_excused_under_the_complex_step_too():
    def relu(z):
        return np.maximum(z, 0.0)

    report = check_gradients(relu, 0.0, gradient=0.0, method="complex")
    assert report.ok
    assert "a kink lies at this very point: slopes 0 and 1" in report.rows[0].note
    assert check_gradients(relu, 1e-7, gradient=1.0, method="complex").ok
    assert not check_gradients(relu, 1e-7, gradient=0.0, method="complex").ok


@pytest.mark.parametrize(
    "f", [math.exp, lambda z: max(z, 0.0), lambda z: Value(z) * 2.0], ids=["math", "comparison", "Value"]
)
def test_a_function_that_refuses_complex_numbers_is_told_the_way_out(f):
    with pytest.raises(TypeError, match=r'called f with complex numbers.*or choose method="richardson"'):
        check_gradients(f, 1.0, gradient=2.0, method="complex")


# ---- arguments


@pytest.mark.parametrize(
    ("point", "gradient"),
    [
        (np.array([1.0, 2.0]), np.array([2.0, 1.0])),
        ([1.0, 2.0], [2.0, 1.0]),
        ([1.0, 2.0], np.array([2.0, 1.0])),
        ((1.0, 2.0), (2.0, 1.0)),
        ([1.0, 2.0], ([2.0, 1.0],)),
    ],
)
def test_a_gradient_may_be_given_as_numbers(point, gradient):
    check_gradients(lambda x: x[0] * x[1], point, gradient=gradient).assert_ok()
    assert not check_gradients(lambda x: x[0] + 2 * x[1], point, gradient=gradient).ok


def test_an_error_of_f_itself_is_not_taken_for_the_edge_of_its_domain():
    with pytest.raises(ValueError, match="could not be broadcast"):
        check_gradients(lambda x: np.sum(x + np.ones(3)), np.ones(2), gradient=np.ones(2))


def test_an_argument_of_no_numbers_has_a_row_that_agrees():
    report = check_gradients(lambda a, b: b * 2, [], 1.0)
    assert [(row.name, row.ok) for row in report.rows] == [("a", True), ("b", True)]


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
        (ValueError, "step must be positive", lambda: check_gradients(abs, 1.0, step=-1e-5)),
        (ValueError, "step must be positive", lambda: check_gradients(abs, 1.0, step=float("nan"))),
        (ValueError, "step must be at least 2.2e-16", lambda: check_gradients(abs, 1.0, step=1e-20)),
        (TypeError, "step: expected a real number, got str", lambda: check_gradients(abs, 1.0, step="1")),
        (ValueError, "tolerance must be positive", lambda: check_gradients(abs, 1.0, tolerance=0)),
        (ValueError, "sample must be at least 1", lambda: check_gradients(abs, 1.0, sample=0)),
        (TypeError, "sample must be an int .* got 2.5", lambda: check_gradients(abs, 1.0, sample=2.5)),
        (TypeError, "sample must be an int .* got True", lambda: check_gradients(abs, 1.0, sample=True)),
        (TypeError, r"rng must be a numpy\.random\.Generator", lambda: check_gradients(abs, 1.0, rng=0)),
        (
            ValueError,
            "method must be one of central, richardson, complex, got 'forward'",
            lambda: check_gradients(abs, 1.0, method="forward"),
        ),
        (
            ValueError,
            'which Values refuse. Give `gradient`.* or choose method="richardson"',
            lambda: check_gradients(abs, 1.0, method="complex"),
        ),
        (
            TypeError,
            "gradient: expected a real number, got str",
            lambda: check_gradients(abs, 1.0, gradient="1.0"),
        ),
        (TypeError, r"use its \.data", lambda: check_gradients(abs, 1.0, gradient=Value(1.0))),
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
        (ValueError, "2 numbers, got 1", lambda: check_gradients(max, [1.0, 2.0], gradient=lambda x: [1.0])),
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
