"""The papers' variances, within what chance allows."""

import numpy as np
import pytest

from nn.formulas import OUTPUTS
from nn.initializers import DEFAULTS, INITIALIZERS, default_for

VARIANCES = {  # of weights from 300 inputs to 200 outputs
    "xavier": 2 / 500,          # Glorot & Bengio 2010: 2 / (inputs + outputs)
    "xavier_normal": 2 / 500,
    "he": 2 / 300,              # He et al. 2015: 2 / inputs
    "he_uniform": 2 / 300,
    "lecun": 1 / 300,           # LeCun et al. 1998: 1 / inputs
    "orthogonal": 1 / 300,      # 200 rows of length 1 in 60,000 entries
    "zeros": 0.0,
    "tutorial": 0.01**2,
}
UNIFORM = {"xavier": np.sqrt(6 / 500), "he_uniform": np.sqrt(6 / 300)}      # and their limits
NORMAL = ["xavier_normal", "he", "lecun", "tutorial"]


def weights(name, seed=0):
    return INITIALIZERS[name](300, 200, np.random.default_rng(seed))


@pytest.mark.parametrize("name", INITIALIZERS)
def test_weights_have_the_paper_s_mean_and_variance(name):
    W = weights(name)
    assert W.shape == (200, 300)
    # of 60,000 numbers the mean scatters by σ/245 and a normal's variance by σ²/173: five times that
    assert abs(W.mean()) <= 5 / 245 * np.sqrt(VARIANCES[name])
    assert W.var() == pytest.approx(VARIANCES[name], rel=5 / 173)


@pytest.mark.parametrize("name", UNIFORM)
def test_a_uniform_one_reaches_up_to_its_limit_and_no_further(name):
    # that none of 60,000 lies in the last thousandth has the chance e⁻⁶⁰
    assert 0.999 * UNIFORM[name] < np.abs(weights(name)).max() <= UNIFORM[name]


@pytest.mark.parametrize("name", NORMAL)
def test_a_normal_one_has_a_normal_s_tails(name):
    W = weights(name) / np.sqrt(VARIANCES[name])
    # 4.55 % lie beyond 2σ, and the share of 60,000 scatters by 0.085 %; a uniform one has none there
    assert (np.abs(W) > 2).mean() == pytest.approx(0.0455, abs=5 * 0.00085)


@pytest.mark.parametrize(("inputs", "outputs"), [(300, 200), (200, 300), (50, 50), (1, 7), (7, 1)])
def test_an_orthogonal_one_has_orthonormal_rows_or_columns(inputs, outputs):
    W = INITIALIZERS["orthogonal"](inputs, outputs, np.random.default_rng(0))
    assert W.shape == (outputs, inputs)
    gram = W @ W.T if outputs <= inputs else W.T @ W
    # Householder's Q is orthogonal to a few units, which products of up to 300 terms add up
    np.testing.assert_allclose(gram, np.eye(min(inputs, outputs)), rtol=0, atol=1e-14)


def test_orthogonal_matrices_are_uniform_in_sign():
    # without the signs of R, the Q of a 1 x 1 matrix would always be the same
    drawn = [INITIALIZERS["orthogonal"](1, 1, np.random.default_rng(seed)).item() for seed in range(100)]
    assert 30 <= drawn.count(1.0) <= 70         # 50 ± 5 by chance: four times that
    assert drawn.count(1.0) + drawn.count(-1.0) == 100


@pytest.mark.parametrize("name", INITIALIZERS)
def test_equal_generators_give_equal_weights(name):
    first, second = (INITIALIZERS[name](3, 2, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_the_first_three_keep_their_bits():
    """As seeds in notebooks rely on: their formulas written out, over NumPy's own generator."""
    for inputs, outputs in [(2, 3), (64, 32), (784, 10)]:
        def rng():
            return np.random.default_rng(3)

        limit, shape = np.sqrt(6.0 / (inputs + outputs)), (outputs, inputs)
        expected = {
            "xavier": rng().uniform(-limit, limit, size=shape),
            "he": rng().normal(0.0, np.sqrt(2.0 / inputs), size=shape),
            "tutorial": 0.01 * rng().standard_normal(shape),
        }
        for name, W in expected.items():
            np.testing.assert_array_equal(INITIALIZERS[name](inputs, outputs, rng()), W)


@pytest.mark.parametrize(
    ("name", "peer", "settings"),
    [
        ("xavier", "xavier_uniform_", {}),
        ("xavier_normal", "xavier_normal_", {}),
        ("he", "kaiming_normal_", {"nonlinearity": "relu"}),
        ("he_uniform", "kaiming_uniform_", {"nonlinearity": "relu"}),
        ("lecun", "kaiming_normal_", {"nonlinearity": "linear"}),
        ("orthogonal", "orthogonal_", {}),
    ],
)
def test_fans_are_counted_as_in_pytorch(name, peer, settings):
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    W = torch.empty(200, 300, dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    getattr(torch.nn.init, peer)(W, generator=generator, **settings)
    # two samples of 60,000, each variance within σ²/173 of the true one; a swapped fan is off by a third
    assert weights(name).var() == pytest.approx(W.var().item(), rel=5 * np.sqrt(2) / 173)


def test_every_activation_has_an_initializer_that_fits():
    assert set(OUTPUTS) <= set(DEFAULTS)
    assert set(DEFAULTS.values()) <= set(INITIALIZERS)


@pytest.mark.parametrize(("activation", "name"), [("relu", "he"), ("gelu", "he"), ("sigmoid", "xavier")])
def test_a_rectifier_gets_he_and_a_symmetric_activation_xavier(activation, name):
    assert default_for(activation) == name


def test_an_unknown_activation_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match=r"activation: expected one of 'sigmoid', .*; got 'swish'"):
        default_for("swish")


def test_he_keeps_a_signal_through_twenty_relu_layers_and_the_tutorial_s_loses_it():
    """What the variances are for."""
    def size_after(name):
        rng = np.random.default_rng(0)
        a = rng.standard_normal((200, 100))
        for _ in range(20):
            a = np.maximum(INITIALIZERS[name](200, 200, rng) @ a, 0.0)
        return np.sqrt(np.mean(a**2))

    assert 0.3 < size_after("he") < 3.0         # the mean square stays: half of 200 terms of variance 2 / 200
    assert size_after("tutorial") < 1e-18       # by 0.01 · √200 / √2 = 0.1 a layer
