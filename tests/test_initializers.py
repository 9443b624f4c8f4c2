"""The papers' variances, within what chance allows."""

import numpy as np
import pytest

from nn.initializers import INITIALIZERS

VARIANCES = {  # of weights from 300 inputs to 200 outputs
    "xavier": 2 / 500,          # Glorot & Bengio 2010: 2 / (inputs + outputs)
    "he": 2 / 300,              # He et al. 2015: 2 / inputs
    "tutorial": 0.01**2,
}


@pytest.mark.parametrize("name", INITIALIZERS)
def test_weights_have_the_paper_s_mean_and_variance(name):
    W = INITIALIZERS[name](300, 200, np.random.default_rng(0))
    assert W.shape == (200, 300)
    # of 60,000 numbers the mean scatters by σ/245 and a normal's variance by σ²/173: five times that
    assert abs(W.mean()) < 5 / 245 * np.sqrt(VARIANCES[name])
    assert W.var() == pytest.approx(VARIANCES[name], rel=5 / 173)


def test_xavier_is_uniform_up_to_its_limit():
    W = INITIALIZERS["xavier"](300, 200, np.random.default_rng(0))
    limit = np.sqrt(6 / 500)
    assert 0.999 * limit < np.abs(W).max() <= limit


@pytest.mark.parametrize("name", INITIALIZERS)
def test_equal_generators_give_equal_weights(name):
    first, second = (INITIALIZERS[name](3, 2, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
