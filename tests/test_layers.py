"""Networks of Values: order of parameters, outputs, refusals."""

import math

import numpy as np
import pytest

from autograd import Value
from nn import MLP, Layer, Module, NeuralNetwork, Neuron


def test_parameters_run_layer_by_layer_neuron_by_neuron_weights_then_bias():
    model = MLP(2, [2, 1], rng=np.random.default_rng(0))
    assert [name for name, _ in model.named_parameters()] == [
        "l0.n0.w0", "l0.n0.w1", "l0.n0.b", "l0.n1.w0", "l0.n1.w1", "l0.n1.b",
        "l1.n0.w0", "l1.n0.w1", "l1.n0.b",
    ]  # fmt: skip
    assert [p.label for p in model.parameters()] == [name for name, _ in model.named_parameters()]


def test_a_neuron_is_one_node_of_weights_inputs_and_bias():
    neuron = Neuron([2.0, -3.0])
    neuron.bias.data = 0.5
    z = neuron([1.0, 2.0])
    assert (z.op, z.data) == ("dot", 2 * 1 - 3 * 2 + 0.5)
    z.backward()
    assert [p.grad for p in neuron.parameters()] == [1.0, 2.0, 1.0]


def logistic(z: float) -> float:
    return 1 / (1 + math.exp(-z))


@pytest.mark.parametrize(
    ("activation", "function"),
    [("sigmoid", logistic), ("relu", lambda z: max(z, 0.0)), ("tanh", math.tanh), ("linear", lambda z: z)],
)
def test_each_activation_is_applied_to_each_neuron(activation, function):
    layer = Layer(np.array([[1.0, 2.0], [-1.0, 0.5]]), activation)
    outputs = [a.data for a in layer([0.5, -1.0])]
    assert outputs == pytest.approx([function(-1.5), function(-1.0)], rel=1e-15)


def test_softmax_output_is_a_distribution():
    outputs = MLP(3, [4], output="softmax", rng=np.random.default_rng(0))([1.0, 2.0, 3.0])
    assert math.fsum(a.data for a in outputs) == pytest.approx(1.0, rel=1e-15)


def test_one_output_comes_alone_and_more_as_a_list():
    assert MLP(1, [1])([1.0]).op == "dot"
    assert len(MLP(1, [3])([1.0])) == 3


@pytest.mark.parametrize("layers", [(3, 1), np.array([3, 1]), np.array([3, 1], np.uint8), range(3, 0, -2)])
def test_widths_may_be_any_sequence_or_an_array_of_integers(layers):
    assert MLP(2, layers).sizes == [2, 3, 1]
    assert NeuralNetwork([2, *layers]).layer_sizes == [2, 3, 1]
    assert NeuralNetwork(layers).layer_sizes == [3, 1]


def test_plain_inputs_are_constants_and_values_stay_themselves():
    x = Value(1.0)
    z = MLP(2, [1], rng=np.random.default_rng(0))([x, 2.0])
    assert z.parents[2] is x
    assert [parent.is_constant for parent in z.parents] == [False, False, False, True, False]  # w, w, x, 2, b


def test_zero_grad_clears_every_parameter():
    model = MLP(2, [3, 1], rng=np.random.default_rng(0))
    model([1.0, 2.0]).backward()
    assert any(p.grad for p in model.parameters())
    model.zero_grad()
    assert not any(p.grad for p in model.parameters())


def test_the_generator_passed_in_decides_the_weights():
    def weights(seed: int) -> list[float]:
        return [p.data for p in MLP(2, [3, 1], rng=np.random.default_rng(seed)).parameters()]

    assert weights(0) == weights(0) != weights(1)


@pytest.mark.parametrize(
    ("error", "words", "make"),
    [
        (ValueError, r"layers: expected at least \[outputs\], got \[\]", lambda: MLP(2, [])),
        (ValueError, r"layers\[0\]: expected a whole number of at least 1, got 0", lambda: MLP(2, [0])),
        (TypeError, r"layers: expected a list of widths .*, got 3", lambda: MLP(2, 3)),
        (TypeError, r"layers: expected a list of widths .*, got '31'", lambda: MLP(2, "31")),
        (TypeError, r"layers: expected a list of widths", lambda: MLP(2, {3, 1})),
        (TypeError, r"layers: expected a list of widths", lambda: MLP(2, np.array([[3, 1]]))),
        (TypeError, r"layers\[0\]: expected a whole number, got float64", lambda: MLP(2, np.array([3.0]))),
        (ValueError, r"initial numbers, of shape \(inputs,\), got shape \(\); nn.MLP", lambda: Neuron(3)),
        (ValueError, r"initial numbers, of shape \(inputs,\), got shape \(0,\)", lambda: Neuron([])),
        (TypeError, "weights: expected an array of real numbers", lambda: Neuron("ab")),
        (ValueError, r"shape \(outputs, inputs\), got shape \(2,\)", lambda: Layer([1.0, 2.0], "relu")),
        (ValueError, "inputs", lambda: MLP(0, [1])),
        (TypeError, r"layers\[0\]: expected a whole number, got float 1.5", lambda: MLP(2, [1.5])),
        (ValueError, "activation: expected one of 'sigmoid', 'relu'", lambda: MLP(2, [1], activation="selu")),
        (ValueError, "output: expected one of", lambda: MLP(2, [1], output="max")),
        (TypeError, r"rng: expected a numpy.random.Generator", lambda: MLP(2, [1], rng=0)),
        (ValueError, r"expected one sample of 2 numbers, got 3", lambda: MLP(2, [1])([1.0, 2.0, 3.0])),
        (ValueError, r"expected one sample of 2 numbers, got shape \(\); a batch", lambda: MLP(2, [1])(3.0)),
        (ValueError, r"got shape \(2, 5\); a batch is a loop", lambda: MLP(2, [1])(np.ones((2, 5)))),
        (ValueError, r"got shape \(\); a batch is a loop", lambda: MLP(2, [1])(np.array(1.0))),
        (TypeError, "define named_parameters", lambda: Module().parameters()),
    ],
)
def test_misuse_is_explained(error, words, make):
    with pytest.raises(error, match=words):
        make()
