"""The size of a gradient's terms excuses what rounding does in a network that has learnt, and no more."""

import numpy as np
import pytest
from test_agreement import COMBINATIONS, problem
from test_network import fifty_digits

from autograd.reports import ROUNDINGS
from nn import MLP, NeuralNetwork, compare_gradients
from nn.formulas import ACTIVATIONS
from nn.objectives import LOSSES
from nn.rounding import CURVATURES, LOSS_SIZES, SLOPE_CHANGES, gradient_terms

EPSILON = np.finfo(float).eps


def learnt(sizes, samples, hidden, output, loss, seed, scale=1.0):
    """A problem whose targets are the network's own predictions: what is left of p - y is rounding."""
    network, x, _ = problem(sizes, samples, hidden, output, loss, seed)
    network.parameters *= scale
    y = network.forward(x)[f"a{len(sizes) - 1}"]
    rng = np.random.default_rng(seed)
    y = y * (1 + EPSILON * rng.integers(-2, 3, y.shape))
    if loss != "mean_squared_error":
        y = y.clip(0, 1)
    return network, x, y / y.sum(axis=0) if loss == "cross_entropy" else y


def test_sizes_of_two_layers_by_hand():
    # x = 1, W = 3: s_z = 3; a = relu 3 = 3, s_a = 3 + 3 = 6
    # W = 2, b = -1: p = 5, s_z = |2·3| + |-1| + √(2²·6²) = 19, s_p = 19 + 5 = 24
    # y = 4: dz = 2 (5 - 4) = 2, size 2 (24 + 4) = 56; dW1: 56·3 + 2·6 = 180, db1: 56
    # da = 2·2 = 4, size √(2²·56²) + |2·2| = 116; relu' = 1; dW0: 116·1 + 4·0
    network = NeuralNetwork([1, 1, 1], "relu", output="linear")
    network.parameters = [3.0, 0.0, 2.0, -1.0]
    terms = gradient_terms(network, np.array([[1.0]]), np.array([[4.0]]))
    assert terms == {"dW1": 180.0, "db1": 56.0, "dW0": 116.0, "db0": 116.0}


def test_every_activation_has_the_change_of_its_slope():
    h = 1e-4
    assert {*SLOPE_CHANGES, *CURVATURES} == set(ACTIVATIONS)

    def slope(name, z, a):
        dz = np.ones(4)
        ACTIVATIONS[name].backward(z.copy(), a.copy(), dz)
        return dz

    numbers, other = np.array([-0.8, -0.1, 0.3, 0.7]), np.full(4, np.nan)
    for name, change in SLOPE_CHANGES.items():
        above, below = (slope(name, other, numbers + t) for t in (h, -h))
        # central differences are off by a sixth of h² times the third derivative, of at most 10, and by ε/h
        np.testing.assert_allclose(change(numbers), (above - below) / (2 * h), atol=2e-8)
    for name, change in CURVATURES.items():
        a = {t: np.empty(4) for t in (h, -h)}
        for t, out in a.items():
            ACTIVATIONS[name].value(numbers + t, out)
        above, below = (slope(name, numbers + t, a[t]) for t in (h, -h))
        np.testing.assert_allclose(change(numbers), (above - below) / (2 * h), atol=2e-8)


def test_every_loss_has_the_size_of_its_gradient():
    assert set(LOSS_SIZES) == set(LOSSES)


def test_a_classifier_sure_of_its_labels_is_not_accused():
    network = NeuralNetwork([1, 1], loss="binary_cross_entropy")
    network.parameters = [10.0, 0.0]
    x, y = np.array([[1.0, -1.0, 1.2]]), np.array([[1.0, 0.0, 1.0]])
    dz = (0.5 + 0.5 * np.tanh(5.0 * x) - y) / 3         # σ(10 x) by another formula, with another last digit
    own = {"dW0": dz @ x.T, "db0": dz.sum(axis=1, keepdims=True)}
    report = compare_gradients(own, x, y, reference=network)
    report.assert_ok()
    compare_gradients(network, x, y).assert_ok()
    assert all("within rounding of the terms summed" in row.note for row in report.rows)
    assert all(row.relative > report.tolerance for row in report.rows)


@pytest.mark.parametrize("scale", [1.0, 20.0], ids=["moderate", "saturated"])
@pytest.mark.parametrize(("hidden", "output", "loss"), COMBINATIONS)
def test_networks_that_have_learnt_agree_with_their_twins(hidden, output, loss, scale):
    excused = 0
    for seed in range(6):
        network, x, y = learnt([3, 4, 4, 2], 8, hidden, output, loss, seed, scale)
        report = compare_gradients(network, x, y)
        report.assert_ok()
        excused += sum(row.relative > report.tolerance for row in report.rows)
    assert excused or scale > 1     # where everything is saturated, both may give zeros


def test_gradients_whose_squares_underflow_are_not_accused():
    # both engines' gradients are about 1e-208 and all rounding: p is σ(-440), and y is it but for rounding
    loss, scale, seed = "binary_cross_entropy", 13.693278091886194, 749968406
    network, x, y = learnt([4, 1, 3, 1], 4, "linear", "sigmoid", loss, seed, scale)
    assert 0 < network.forward(x)["a3"].max() < 1e-150
    report = compare_gradients(network, x, y)
    report.assert_ok()
    assert any(row.note for row in report.rows)


def test_the_least_squares_of_noise_are_not_accused():
    # no p - y is small here: their sum over the samples is what cancels
    rng = np.random.default_rng(0)
    x = np.sort(rng.standard_normal((1, 300)))
    y = np.sort(x + rng.standard_normal((1, 300)))
    network = NeuralNetwork([1, 1], "linear")
    network.parameters = np.linalg.lstsq(np.vstack([x, np.ones_like(x)]).T, y[0])[0]
    report = compare_gradients(network, x, y)
    report.assert_ok()
    assert any(row.note for row in report.rows)


@pytest.mark.parametrize("scale", [1.0, 8.0], ids=["moderate", "saturated"])
@pytest.mark.parametrize(("hidden", "output", "loss"), COMBINATIONS)
def test_what_is_excused_is_the_distance_to_fifty_digits(hidden, output, loss, scale):
    network, x, y = learnt([2, 3, 2], 3, hidden, output, loss, 0, scale)
    _, slopes = fifty_digits(network, x, y)
    exact, ours = network.named_gradients(slopes), network.backward(x, y, network.forward(x))
    for name, size in gradient_terms(network, x, y).items():
        assert np.abs(ours[name] - exact[name]).max() <= ROUNDINGS * EPSILON * size


# ---- planted errors are not excused


@pytest.mark.parametrize("residual", [1.0, 1e-6])
@pytest.mark.parametrize(("hidden", "output", "loss"), COMBINATIONS)
def test_planted_errors_are_caught_however_little_there_is_left_to_learn(hidden, output, loss, residual):
    network, x, away = problem([3, 4, 4, 2], 8, hidden, output, loss, seed=0)
    y = (1 - residual) * network.forward(x)["a3"] + residual * away
    right = network.backward(x, y, network.forward(x))
    assert all(array.any() for array in right.values())
    for name, array in right.items():
        for wrong in (-array, 1.001 * array, y.shape[1] * array):
            report = compare_gradients({**right, name: wrong}, x, y, reference=network)
            assert [row.name for row in report.rows if not row.ok] == [name]


@pytest.mark.parametrize(("hidden", "initialization"), [("tanh", "xavier"), ("relu", "he")])
def test_depth_excuses_nothing(hidden, initialization):
    rng = np.random.default_rng(0)
    sizes = [100] * 20 + [3]
    network = NeuralNetwork(sizes, hidden, output="linear", initialization=initialization, rng=rng)
    x, y = rng.standard_normal((100, 10)), rng.standard_normal((3, 10))
    right = network.backward(x, y, network.forward(x))
    for row in compare_gradients(right, x, y, reference=network).rows:
        assert row.rounding < 1e-10 * np.abs(right[row.name]).max()


def test_terms_are_known_where_either_side_is_a_network_and_unknown_elsewhere():
    network, x, y = learnt([2, 3, 1], 4, "tanh", "linear", "mean_squared_error", seed=0)
    own = {name: array + 1e-17 for name, array in network.backward(x, y, network.forward(x)).items()}
    zeros = {name: 0 * array for name, array in own.items()}
    model = network.to_mlp()
    for sides in ((own, network), (network, zeros), (own, model), (model, zeros), (model, None)):
        assert all(row.rounding > 0 for row in compare_gradients(sides[0], x, y, reference=sides[1]).rows)
    report = compare_gradients(own, x, y, reference=zeros)
    assert [row.rounding for row in report.rows] == [0.0] * 4
    assert not report.ok


def test_a_subclass_with_passes_of_its_own_has_the_terms_of_the_network_it_is():
    class Doubled(NeuralNetwork):
        def backward(self, x, y, cache):
            return {name: 2 * array for name, array in super().backward(x, y, cache).items()}

    plain, x, y = problem([2, 3, 1], 4, "tanh", "linear", "mean_squared_error", seed=0)
    doubled = Doubled([2, 3, 1], "tanh", output="linear")
    doubled.parameters = plain.parameters
    mine, plains = compare_gradients(doubled, x, y), compare_gradients(plain, x, y)
    assert [row.rounding for row in mine.rows] == [row.rounding for row in plains.rows]
    assert not any(row.ok for row in mine.rows)


def test_an_mlp_has_the_terms_of_the_network_beside_it():
    model = MLP(2, [3, 1], activation="tanh", rng=np.random.default_rng(0))
    x, y = np.ones((2, 1)), np.ones((1, 1))
    row = compare_gradients(model, x, y).rows[-1]
    network = NeuralNetwork.from_mlp(model)
    assert row.rounding == ROUNDINGS * EPSILON * gradient_terms(network, x, y)[row.name]
