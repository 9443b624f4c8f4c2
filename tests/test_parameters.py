"""One vector and its windows: what is written to one is read from the other."""

import copy
import pickle

import numpy as np
import pytest

from nn import NeuralNetwork
from nn.parameters import windows


@pytest.fixture
def network():
    return NeuralNetwork([2, 3, 1], rng=np.random.default_rng(0))


def test_layout_is_layer_by_layer_neuron_by_neuron_weights_then_bias(network):
    network.parameters = np.arange(13.0)
    assert network.weights[0].tolist() == [[0, 1], [3, 4], [6, 7]]
    assert network.biases[0].tolist() == [[2], [5], [8]]
    assert network.weights[1].tolist() == [[9, 10, 11]]
    assert network.biases[1].tolist() == [[12]]


def test_windows_share_the_vector_s_memory():
    vector = np.zeros(13)
    for W, b in windows(vector, [2, 3, 1]):
        W[...] = 1.0
        b[...] = 2.0
    assert vector.tolist() == [1, 1, 2, 1, 1, 2, 1, 1, 2, 1, 1, 1, 2]


def test_assigned_weights_are_written_through(network):
    network.weights[0] = [[1, 2], [3, 4], [5, 6]]
    network.biases[-1] = np.array([[7]])
    assert network.parameters[[0, 1, 3, 4, 6, 7, 12]].tolist() == [1, 2, 3, 4, 5, 6, 7]
    x = np.ones((2, 1))
    np.testing.assert_array_equal(network.forward(x)["z1"], [[3.0], [7.0], [11.0]])


def test_the_tutorial_s_update_in_place_is_written_through(network):
    before = network.parameters.copy()
    network.weights[0] -= 0.5 * np.ones((3, 2))
    network.biases[0] -= 0.25
    moved = before - network.parameters
    np.testing.assert_allclose(moved[:9], [0.5, 0.5, 0.25] * 3, rtol=1e-15)
    np.testing.assert_array_equal(moved[9:], 0.0)


def test_one_entry_and_the_whole_vector_are_written_through(network):
    network.weights[1][0, 2] = 5.0
    network.parameters[12] = -5.0
    assert network.parameters[11] == 5.0
    assert network.biases[1][0, 0] == -5.0
    network.parameters -= 1.0
    assert network.weights[1][0, 2] == 4.0


def test_arithmetic_in_place_follows_ieee_754_and_does_not_raise(network):
    with np.errstate(all="ignore"):
        network.weights[0] *= np.inf
        network.parameters -= np.inf
    assert not np.isfinite(network.parameters).any()


def test_all_layers_can_be_saved_and_assigned_back(network):
    saved_weights, saved_biases = copy.deepcopy(network.weights), [b.copy() for b in network.biases]
    before = network.parameters.copy()
    network.parameters = np.zeros(13)
    network.weights, network.biases[:] = saved_weights, saved_biases
    np.testing.assert_array_equal(network.parameters, before)


def test_two_layers_of_one_shape_can_be_swapped():
    network = NeuralNetwork([2, 2, 2])
    first, second = (W.copy() for W in network.weights)
    network.weights[:] = network.weights[::-1]
    np.testing.assert_array_equal(network.weights[0], second)
    np.testing.assert_array_equal(network.weights[1], first)


def test_a_copied_vector_is_not_the_caller_s(network):
    theta = np.zeros(13)
    network.parameters = theta
    theta += 1.0
    np.testing.assert_array_equal(network.parameters, 0.0)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda network: pickle.loads(pickle.dumps(network))])
def test_a_copied_network_is_whole_and_independent(network, duplicate):
    other = duplicate(network)
    np.testing.assert_array_equal(other.parameters, network.parameters)
    other.weights[0][...] = 9.0
    assert other.parameters[0] == 9.0
    assert network.parameters[0] != 9.0
    x = np.ones((2, 1))
    np.testing.assert_array_equal(other.forward(x)["z1"], 18.0 + other.biases[0])


def test_a_pickle_holds_the_numbers_once():
    network = NeuralNetwork([100, 100])
    assert len(pickle.dumps(network)) < 1.1 * network.parameters.nbytes


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (np.zeros((2, 3)), ValueError, r"weights: expected shape \(3, 2\), got \(2, 3\); did you pass rows"),
        (np.zeros(6), ValueError, r"expected shape \(3, 2\), got \(6,\)"),
        (0.0, ValueError, r"expected shape \(3, 2\), got \(\)"),
        ([[1, 2], [3]], ValueError, r"expected shape \(3, 2\), got rows of different lengths"),
        (np.full((3, 2), np.nan), ValueError, "weights holds nan at row 0, column 0"),
        (np.full((3, 2), "a"), TypeError, "weights: expected an array of real numbers, got dtype <U1"),
        (np.full((3, 2), 1j), TypeError, "got dtype complex128"),
    ],
)
def test_a_wrong_weight_array_changes_nothing(network, value, error, message):
    before = network.parameters.copy()
    with pytest.raises(error, match=message):
        network.weights[0] = value
    with pytest.raises(error, match=message):
        network.weights = [value, network.weights[1]]
    np.testing.assert_array_equal(network.parameters, before)


def test_a_wrong_layer_is_told_of_layers_and_not_of_samples(network):
    advice = r"A layer's biases are \(outputs, 1\), a column: array\.reshape\(-1, 1\)\.$"
    for first, got in ((np.ones(3), r"\(3,\)"), (np.ones((1, 3)), r"\(1, 3\)")):
        with pytest.raises(ValueError, match=rf"biases: expected shape \(3, 1\), got {got}; .*\? {advice}"):
            network.biases = [first, np.ones((1, 1))]
    with pytest.raises(ValueError, match=r"got \(2, 3\); .*\? A layer's weights are \(outputs, inputs\)\.$"):
        network.weights[0] = np.ones((2, 3))


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (np.zeros(12), ValueError, r"parameters: expected shape \(13,\), got \(12,\)"),
        (np.zeros((13, 1)), ValueError, r"expected shape \(13,\), got \(13, 1\)"),
        (np.append(np.zeros(12), np.inf), ValueError, "parameters holds inf at index 12"),
        ([None] * 13, TypeError, "got dtype object"),
    ],
)
def test_a_wrong_parameter_vector_changes_nothing(network, value, error, message):
    before = network.parameters.copy()
    with pytest.raises(error, match=message):
        network.parameters = value
    np.testing.assert_array_equal(network.parameters, before)


def test_a_wrong_number_of_layers_is_refused(network):
    with pytest.raises(ValueError, match="weights: expected 2 arrays, got 1"):
        network.weights = network.weights[:1]


@pytest.mark.parametrize(
    "change",
    [
        lambda weights: weights.append(np.zeros((1, 1))),
        lambda weights: weights.pop(),
        lambda weights: weights.clear(),
        lambda weights: weights.reverse(),
        lambda weights: weights.__delitem__(0),
        lambda weights: weights.__iadd__([np.zeros((1, 1))]),
    ],
)
def test_layers_cannot_be_added_or_removed(network, change):
    with pytest.raises(TypeError, match=r"a network keeps its layers; assign to weights\[l\] instead"):
        change(network.weights)
    assert len(network.weights) == 2
