"""Clipped gradients against PyTorch's and arithmetic by hand, up to the largest floats."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.clipping import clip_by_norm, clip_by_value

gradients = st.lists(st.floats(-1e300, 1e300, allow_subnormal=False), min_size=1, max_size=5)
limits = st.floats(1e-3, 1e3)


@given(gradients, limits)
def test_clipping_by_norm_leaves_the_direction_and_at_most_the_limit(entries, limit):
    clipped = clip_by_norm(np.array(entries), limit)
    norm = math.hypot(*entries)         # is exact to an ulp, and overflows only where the norm does
    expected = [g if norm <= limit else g / norm * limit for g in entries]
    # where norm and limit are closer than rounding, both cases are right
    assert clipped == pytest.approx(expected, rel=1e-14, abs=1e-300)


def test_a_norm_beyond_the_largest_float_is_clipped():
    clipped = clip_by_norm(np.full(4, 1.7e308), 1.0)            # the norm would be 3.4e308
    np.testing.assert_allclose(clipped, 0.5, rtol=1e-15)


def test_a_limit_above_an_overflowing_sum_of_squares_leaves_the_gradient():
    gradient = np.array([3e200, 4e200])                         # norm 5e200, square inf
    np.testing.assert_array_equal(clip_by_norm(gradient, 6e200), gradient)
    np.testing.assert_allclose(clip_by_norm(gradient, 5e199), [3e199, 4e199], rtol=1e-15)


@pytest.mark.parametrize("clip", [clip_by_norm, clip_by_value])
def test_the_gradient_passed_in_is_not_changed(clip):
    gradient = np.array([30.0, -40.0])
    clip(gradient, 1.0)
    assert gradient.tolist() == [30.0, -40.0]


@pytest.mark.parametrize("clip", [clip_by_norm, clip_by_value])
def test_nan_stays_to_be_noticed(clip):
    assert np.isnan(clip(np.array([1.0, np.nan]), 0.5)[1])


def test_an_infinite_gradient_has_no_direction():
    assert np.isnan(clip_by_norm(np.array([1.0, np.inf]), 0.5)).any()


def test_clipping_by_value_brings_each_entry_into_range():
    clipped = clip_by_value(np.array([-3.0, -0.5, 0.0, 0.5, np.inf]), 0.5)
    assert clipped.tolist() == [-0.5, -0.5, 0.0, 0.5, 0.5]


@pytest.mark.parametrize("clip", [clip_by_norm, clip_by_value])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_stays(clip, dtype):
    assert clip(np.array([3.0, 4.0], dtype), 1.0).dtype == dtype
    assert clip(np.array([3e30, 4e30], dtype), 1.0).dtype == dtype     # squares overflow in float32


@pytest.mark.parametrize("clip", [clip_by_norm, clip_by_value])
@pytest.mark.parametrize("limit", [0.0, -1.0, math.nan, math.inf])
def test_a_limit_that_is_not_above_0_is_refused(clip, limit):
    with pytest.raises(ValueError, match="limit: expected a finite number above 0, got"):
        clip(np.ones(2), limit)


@pytest.mark.parametrize("limit", [0.1, 5.0, 1e3])
def test_pytorch_clips_to_the_same(limit):
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    gradient = 10 * np.random.default_rng(0).standard_normal(50)
    parameter = torch.nn.Parameter(torch.zeros(50, dtype=torch.float64))
    parameter.grad = torch.tensor(gradient)
    norm = torch.nn.utils.clip_grad_norm_([parameter], limit).item()
    # PyTorch divides by norm + 1e-6
    np.testing.assert_allclose(clip_by_norm(gradient, limit), parameter.grad.numpy(), rtol=1.01e-6 / norm)
    parameter.grad = torch.tensor(gradient)
    torch.nn.utils.clip_grad_value_([parameter], limit)
    np.testing.assert_array_equal(clip_by_value(gradient, limit), parameter.grad.numpy())


@pytest.mark.parametrize("clip", [clip_by_norm, clip_by_value])
@pytest.mark.parametrize("gradient", [[3.0, 4.0], 5.0, None, np.ones((2, 1)), np.array([3, 4])])
def test_what_is_no_vector_of_floats_is_refused(clip, gradient):
    with pytest.raises(TypeError, match=r"gradient: expected a flat vector \(P,\) of floats, got "):
        clip(gradient, 1.0)
