"""Labels, splits and outliers against scikit-learn, SciPy and arithmetic by hand."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nn.data import find_outliers, one_hot, random_split, stratified_split

# ---- one-hot


@given(st.lists(st.integers(0, 6), min_size=1, max_size=20))
def test_one_hot_has_one_1_in_each_column_in_the_row_of_its_class(labels):
    targets = one_hot(labels, classes=7)
    assert targets.shape == (7, len(labels))
    assert np.argmax(targets, axis=0).tolist() == labels
    assert (targets.sum(axis=0) == 1).all()
    assert ((targets == 0) | (targets == 1)).all()


def test_one_hot_is_scikit_learn_s():
    preprocessing = pytest.importorskip("sklearn.preprocessing", reason="compares with scikit-learn")
    labels = np.random.default_rng(0).integers(0, 5, size=40)
    theirs = preprocessing.OneHotEncoder(sparse_output=False).fit_transform(labels[:, None])
    np.testing.assert_array_equal(one_hot(labels), theirs.T)


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        ([0, 3], 3, "labels: expected classes 0 to 2, got 3 at index 1"),
        ([0, -1], None, "labels: expected classes 0 to 0, got -1 at index 1"),
        ([0], 0, "classes: expected a whole number of at least 1"),
        (np.zeros((0,), int), None, r"labels: expected shape \(N,\) with N >= 1, got \(0,\)"),
        ([[0, 1]], None, r"labels: expected shape \(N,\) with N >= 1, got \(1, 2\)"),
    ],
)
def test_a_label_out_of_range_is_refused_with_its_place(labels, classes, message):
    with pytest.raises(ValueError, match=message):
        one_hot(labels, classes)


@pytest.mark.parametrize("labels", [[0.0, 1.0], ["cat"], [True], [None]])
def test_labels_are_whole_numbers(labels):
    with pytest.raises(TypeError, match="labels: expected whole numbers"):
        one_hot(labels)


# ---- splits


@given(
    st.lists(st.integers(2, 30), min_size=1, max_size=5), st.floats(0.05, 0.95), st.integers(0, 100)
)
def test_a_stratified_split_takes_every_sample_once_and_each_class_in_proportion(counts, share, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    held_out = math.ceil(share * len(labels) - 1e-9)
    assume(min(held_out, len(labels) - held_out) >= len(counts))
    train, test = stratified_split(labels, share, np.random.default_rng(seed))
    assert sorted([*train, *test]) == list(range(len(labels)))
    assert len(test) == held_out
    exact = np.array(counts) * held_out / len(labels)
    taken = np.bincount(labels[test], minlength=len(counts))
    assert (np.abs(taken - exact) < 1).all()


@pytest.mark.parametrize(("counts", "share"), [([50, 30, 20], 0.25), ([90, 7, 13], 0.3), ([5, 5, 101], 0.9)])
def test_a_stratified_split_takes_as_many_of_each_class_as_scikit_learn(counts, share):
    selection = pytest.importorskip("sklearn.model_selection", reason="compares with scikit-learn")
    labels = np.repeat(np.arange(len(counts)), counts)
    _, theirs = selection.train_test_split(labels, test_size=share, stratify=labels, random_state=0)
    _, test = stratified_split(labels, share, np.random.default_rng(0))
    np.testing.assert_array_equal(np.bincount(labels[test]), np.bincount(theirs))


def test_what_rounding_leaves_over_goes_to_the_largest_remainder():
    labels = np.repeat([0, 1, 2], [5, 3, 2])        # half of them: 2.5, 1.5, 1 of 5
    _, test = stratified_split(labels, 0.5, np.random.default_rng(0))
    assert np.bincount(labels[test]).tolist() in ([3, 1, 1], [2, 2, 1])


def test_text_is_a_label_too():
    labels = np.array(["cat", "dog"] * 5)
    train, test = stratified_split(labels, 0.4, np.random.default_rng(0))
    assert sorted(labels[test]) == ["cat"] * 2 + ["dog"] * 2
    assert len(train) == 6


def test_a_share_that_is_whole_but_for_rounding_takes_that_many():
    assert 0.07 * 100 > 7
    assert [len(part) for part in random_split(100, 0.07)] == [93, 7]


def test_both_parts_are_in_random_order_and_equal_generators_split_alike():
    labels = np.repeat([0, 1], 50)
    first, second = (stratified_split(labels, 0.3, np.random.default_rng(3)) for _ in range(2))
    for part, again in zip(first, second, strict=True):
        np.testing.assert_array_equal(part, again)
        assert np.ptp(np.flatnonzero(labels[part] == 0)) > 0.7 * len(part)      # the classes are mixed
    other = stratified_split(labels, 0.3, np.random.default_rng(4))
    assert not np.array_equal(first[1], other[1])


@pytest.mark.parametrize(
    ("labels", "share", "message"),
    [
        ([0, 0, 1], 0.5, "class 1 has one sample, which cannot be in both parts; leave it out"),
        ([0, 0, 1, 1, 2, 2], 0.1, "0.1 of 6 samples makes parts of 5 and 1; expected at least 3 in each"),
        ([0, 0, 1, 1], 0.0, "share: expected a number above 0 and below 1, got 0.0"),
        ([0, 0, 1, 1], 1.0, "share: expected a number above 0 and below 1, got 1.0"),
        ([[0, 1]], 0.5, r"labels: expected shape \(N,\)"),
        ([], 0.5, r"labels: expected shape \(N,\) with N >= 1, got \(0,\)"),
    ],
)
def test_a_split_that_cannot_be_is_refused(labels, share, message):
    with pytest.raises(ValueError, match=message):
        stratified_split(labels, share)


def test_one_sample_cannot_be_split():
    with pytest.raises(ValueError, match="samples: expected a whole number of at least 2, got 1"):
        random_split(1, 0.5)


# ---- outliers


def test_scores_are_by_scipy_s_median_absolute_deviation():
    stats = pytest.importorskip("scipy.stats", reason="compares with SciPy")
    x = np.random.default_rng(0).standard_t(2, size=(3, 200))
    spread = stats.median_abs_deviation(x, axis=1, scale="normal")[:, None]
    scores = (x - np.median(x, axis=1, keepdims=True)) / spread
    found = {(o.feature, o.sample): o.score for o in find_outliers(x)}
    assert set(found) == set(zip(*np.nonzero(np.abs(scores) > 3.5), strict=True))
    assert len(found) > 10
    for place, score in found.items():
        assert score == pytest.approx(scores[place], rel=1e-9)


def test_an_outlier_is_reported_in_words_with_its_place():
    # median 2; distances 1, 0, 1, 2, 96; MAD 1; -96 / 1.4826 = -64.8
    (outlier,) = find_outliers([[0.0] * 5, [1.0, 2.0, 3.0, 4.0, -94.0]])
    assert outlier[:4] == (1, 4, -94.0, 2.0)
    assert str(outlier) == "feature 1, sample 4: -94 is 64.8 robust standard deviations below the median 2"


def test_where_most_numbers_are_equal_the_mean_deviation_takes_over():
    # median 0, MAD 0, mean deviation 20 / 10 = 2: 20 / (√(π/2) · 2) = 7.98
    (outlier,) = find_outliers([[0.0] * 9 + [20.0]])
    assert outlier.score == pytest.approx(10 / math.sqrt(math.pi / 2))


def test_the_largest_comes_first_and_the_threshold_decides():
    x = [[*range(10), 100.0, -1000.0]]
    assert [outlier.value for outlier in find_outliers(x)] == [-1000.0, 100.0]
    assert [outlier.value for outlier in find_outliers(x, threshold=100)] == [-1000.0]


def test_normal_data_and_constant_features_have_none():
    x = np.random.default_rng(0).standard_normal((2, 500))      # 1 in 2,000 lies beyond 3.5 σ
    assert len(find_outliers(x)) <= 3
    assert find_outliers(np.full((2, 5), 7.0)) == []


def test_outliers_among_nan_are_refused():
    with pytest.raises(ValueError, match="x holds nan at row 0, column 1"):
        find_outliers([[1.0, math.nan]])
    with pytest.raises(ValueError, match="threshold: expected a finite number above 0"):
        find_outliers([[1.0]], threshold=0)
