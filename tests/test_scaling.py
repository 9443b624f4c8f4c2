"""Scalers against scikit-learn and their definitions; what they refuse and what they save."""

import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nn.scaling import Scaler

FITS = [Scaler.standard, Scaler.min_max]
X = np.random.default_rng(0).standard_normal((3, 50)) * [[1.0], [1e6], [1e-6]] + [[0.0], [1e7], [-1.0]]


@pytest.mark.parametrize(
    ("fit", "peer"), [(Scaler.standard, "StandardScaler"), (Scaler.min_max, "MinMaxScaler")]
)
def test_numbers_are_scikit_learn_s(fit, peer):
    preprocessing = pytest.importorskip("sklearn.preprocessing", reason="compares with scikit-learn")
    train, test = X[:, :40], X[:, 40:]
    theirs = getattr(preprocessing, peer)().fit(train.T)
    # a mean of 40 numbers of size |x| is known to |x| ε, which is |x| ε / scale of what comes out
    bound = 8 * np.finfo(float).eps * (np.abs(X).max(axis=1, keepdims=True) / fit(train).scale + 4)
    for part in (train, test):
        assert (np.abs(fit(train).transform(part) - theirs.transform(part.T).T) <= bound).all()


def test_scaled_numbers_worked_by_hand():
    x = np.array([[1.0, 3.0, 5.0, 7.0], [-2.0, 0.0, 0.0, 2.0]])     # means 4, 0; variances 5, 2
    expected = np.array([[-3.0, -1.0, 1.0, 3.0], [-2.0, 0.0, 0.0, 2.0]]) / np.sqrt([[5.0], [2.0]])
    np.testing.assert_allclose(Scaler.standard(x).transform(x), expected, rtol=1e-15)
    thirds = [[0.0, 1 / 3, 2 / 3, 1.0], [0.0, 0.5, 0.5, 1.0]]
    np.testing.assert_allclose(Scaler.min_max(x).transform(x), thirds, rtol=1e-15)


tables = hnp.arrays(
    float, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.integers(-1000, 1000).map(float)
)


@given(tables)
def test_min_max_covers_exactly_0_to_1_and_is_0_where_a_feature_is_constant(x):
    z = Scaler.min_max(x).transform(x)
    for feature, scaled in zip(x, z, strict=True):
        assert scaled.min() == 0.0
        assert scaled.max() == (0.0 if feature.min() == feature.max() else 1.0)


@given(tables)
def test_the_inverse_leads_back(x):
    for fit in FITS:
        scaler = fit(x)
        np.testing.assert_allclose(scaler.inverse(scaler.transform(x)), x, rtol=1e-12, atol=1e-10)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("constant", [0.1, 1e9 + 0.1, 0.0, -3.0])
def test_a_constant_feature_becomes_exactly_0_though_its_mean_is_rounded(fit, constant):
    x = np.full((1, 49), constant)
    assert not fit(x).transform(x).any()
    assert fit(x).transform([[constant + 2.0]])[0, 0] == pytest.approx(2.0)


@pytest.mark.parametrize("fit", FITS)
def test_only_the_training_part_counts(fit):
    train = X[:, :25]
    alone = fit(train).transform(X)
    np.testing.assert_array_equal(alone[:, :25], fit(train).transform(train))
    assert not np.array_equal(alone, fit(X).transform(X))


@pytest.mark.parametrize("fit", FITS)
def test_a_scaler_saved_as_arrays_gives_the_same_bits(fit):
    scaler, file = fit(X), io.BytesIO()
    np.savez(file, **scaler.to_arrays())
    file.seek(0)
    with np.load(file) as arrays:
        loaded = Scaler.from_arrays(arrays)
    np.testing.assert_array_equal(loaded.transform(X), scaler.transform(X))


def test_a_scaler_cannot_be_changed_from_outside():
    offset = np.array([[1.0]])
    scaler = Scaler(offset, np.array([[2.0]]))
    offset[...] = 5.0
    assert scaler.offset[0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        scaler.scale[...] = 0.0


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_is_refused_with_its_place(fit, bad):
    x = X.copy()
    x[1, 7] = bad
    with pytest.raises(ValueError, match=f"x_train holds {bad} at row 1, column 7"):
        fit(x)
    with pytest.raises(ValueError, match=f"x holds {bad} at row 1, column 7"):
        fit(X).transform(x)


@pytest.mark.parametrize("fit", FITS)
def test_rows_for_columns_are_refused(fit):
    with pytest.raises(ValueError, match=r"x: expected shape \(3, N\) with N >= 1, got \(50, 3\); did you"):
        fit(X).transform(X.T)
    with pytest.raises(ValueError, match=r"x_train: expected shape \(features, N\)"):
        fit(X[0])


@pytest.mark.parametrize("fit", FITS)
def test_a_spread_beyond_float64_is_refused_and_not_scaled_to_0(fit):
    with pytest.raises(ValueError, match=r"feature 1 spreads too far for float64, up to 1.5e\+308"):
        fit([[0.0, 1.0], [-1.5e308, 1.5e308]])


def test_a_spread_whose_square_vanishes_is_refused():
    with pytest.raises(ValueError, match=r"scale: expected numbers above 0, got 0\.0 for feature 0"):
        Scaler.standard([[1e-200, 2e-200]])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "expected the arrays offset and scale, got"),
        ({"offset": [[0.0]]}, "expected the arrays offset and scale, got offset"),
        ({"offset": [[0.0]], "scale": [[1.0]], "mean": [[1.0]]}, "got mean, offset, scale"),
        ({"offset": [[0.0]], "scale": [[1.0], [1.0]]}, r"got \(1, 1\) and \(2, 1\)"),
        ({"offset": [[0.0, 1.0]], "scale": [[1.0, 1.0]]}, r"expected shape \(features, 1\), got \(1, 2\)"),
        ({"offset": [0.0], "scale": [1.0]}, r"offset: expected shape \(features, N\)"),
        ({"offset": [[0.0], [0.0]], "scale": [[1.0], [-1.0]]}, "numbers above 0, got -1.0 for feature 1"),
        ({"offset": [[0.0]], "scale": [[0.0]]}, "expected numbers above 0"),
        ({"offset": [[math.nan]], "scale": [[1.0]]}, "offset holds nan"),
        ({"offset": [[0.0]], "scale": [[math.inf]]}, "scale holds inf"),
    ],
)
def test_arrays_that_no_scaler_gave_are_refused(arrays, message):
    with pytest.raises(ValueError, match=message):
        Scaler.from_arrays(arrays)
