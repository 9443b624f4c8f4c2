"""Missing values against scikit-learn and by hand; what is refused."""

import io
import math

import numpy as np
import pytest

from nn.missing import Imputer

NAN = math.nan


def holes(share=0.3):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, 30))
    x[:3][rng.random((3, 30)) < share] = NAN        # the last feature is complete
    return x


@pytest.mark.parametrize("statistic", ["mean", "median"])
@pytest.mark.parametrize("indicators", [False, True])
def test_fills_and_indicators_are_scikit_learn_s(statistic, indicators):
    impute = pytest.importorskip("sklearn.impute", reason="compares with scikit-learn")
    train, test = holes()[:, :20], holes()[:, 20:]
    theirs = impute.SimpleImputer(strategy=statistic, add_indicator=indicators).fit(train.T)
    ours = Imputer.fit(train, statistic, indicators=indicators)
    for part in (train, test):
        # a mean of 20 numbers near 1 is known to a few units
        np.testing.assert_allclose(ours.transform(part), theirs.transform(part.T).T, rtol=1e-14, atol=1e-15)


def test_fills_worked_by_hand():
    x = [[1.0, NAN, 3.0, 8.0], [5.0, 5.0, 5.0, NAN]]
    assert Imputer.fit(x, "mean").transform(x).tolist() == [[1.0, 4.0, 3.0, 8.0], [5.0, 5.0, 5.0, 5.0]]
    assert Imputer.fit(x, "median").transform(x).tolist() == [[1.0, 3.0, 3.0, 8.0], [5.0, 5.0, 5.0, 5.0]]
    indicated = Imputer.fit(x, "mean", indicators=True).transform(x)
    assert indicated[2:].tolist() == [[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]


def test_a_feature_complete_in_training_is_filled_and_gets_no_indicator():
    imputer = Imputer.fit([[1.0, NAN], [2.0, 4.0]], "mean", indicators=True)
    assert imputer.transform([[1.0], [NAN]]).tolist() == [[1.0], [3.0], [0.0]]


def test_only_the_training_part_counts():
    imputer = Imputer.fit([[1.0, 3.0]], "mean")
    assert imputer.transform([[NAN, 100.0]]).tolist() == [[2.0, 100.0]]


def test_nothing_missing_nothing_changed():
    x = holes(share=0.0)
    np.testing.assert_array_equal(Imputer.fit(x, "mean", indicators=True).transform(x), x)


def test_the_data_passed_in_keeps_its_holes():
    x = holes()
    Imputer.fit(x, "median").transform(x)
    np.testing.assert_array_equal(x, holes())


def test_an_imputer_saved_as_arrays_gives_the_same_bits():
    imputer, file = Imputer.fit(holes(), "mean", indicators=True), io.BytesIO()
    np.savez(file, **imputer.to_arrays())
    file.seek(0)
    with np.load(file) as arrays:
        loaded = Imputer.from_arrays(arrays)
    np.testing.assert_array_equal(loaded.transform(holes()), imputer.transform(holes()))


def test_a_feature_without_any_number_is_refused():
    with pytest.raises(ValueError, match="feature 1 has no number at all, so nothing to fill it with"):
        Imputer.fit([[1.0, 2.0], [NAN, NAN]], "mean")


@pytest.mark.parametrize("bad", [math.inf, -math.inf])
def test_infinity_is_not_a_missing_value(bad):
    with pytest.raises(ValueError, match=f"x_train holds {bad} at row 0, column 1"):
        Imputer.fit([[NAN, bad]], "mean")
    with pytest.raises(ValueError, match=f"x holds {bad} at row 0, column 0"):
        Imputer.fit([[1.0]], "mean").transform([[bad]])


def test_a_mean_beyond_float64_is_refused():
    with pytest.raises(ValueError, match="fill holds inf at row 0, column 0"):
        Imputer.fit([[1.7e308, 1.7e308, NAN]], "mean")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"fill": [[0.0]]}, "expected the arrays fill and indicated, got fill"),
        ({"fill": [[0.0]], "indicated": [0.0, 1.0]}, r"indicated: expected shape \(1,\), got \(2,\)"),
        ({"fill": [[0.0]], "indicated": [0.5]}, "indicated of 0 and 1, got"),
        ({"fill": [[0.0, 1.0]], "indicated": [0.0]}, r"expected fill of shape \(features, 1\)"),
        ({"fill": [[NAN]], "indicated": [0.0]}, "fill holds nan"),
    ],
)
def test_arrays_that_no_imputer_gave_are_refused(arrays, message):
    with pytest.raises(ValueError, match=message):
        Imputer.from_arrays(arrays)


def test_other_statistics_and_shapes_are_refused():
    with pytest.raises(ValueError, match="statistic: expected one of 'mean', 'median'; got 'mode'"):
        Imputer.fit(holes(), "mode")
    with pytest.raises(ValueError, match=r"x: expected shape \(4, N\) with N >= 1, got \(30, 4\)"):
        Imputer.fit(holes(), "mean").transform(holes().T)
