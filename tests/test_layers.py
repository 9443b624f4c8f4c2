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


def test_gamma_and_beta_follow_the_neurons_of_their_layer():
    model = MLP(1, [2, 1], rng=np.random.default_rng(0), batch_norm=True)
    assert [name for name, _ in model.named_parameters()] == [
        "l0.n0.w0", "l0.n0.b", "l0.n1.w0", "l0.n1.b",
        "l0.n0.gamma", "l0.n0.beta", "l0.n1.gamma", "l0.n1.beta",
        "l1.n0.w0", "l1.n0.w1", "l1.n0.b",
    ]  # fmt: skip
    assert [p.label for p in model.weights()] == ["l0.n0.w0", "l0.n1.w0", "l1.n0.w0", "l1.n0.w1"]


@pytest.mark.parametrize("width", [1, 2])
def test_a_list_of_samples_or_an_array_of_rows_gives_the_list_of_outputs(width):
    model = MLP(2, [3, width], "tanh", rng=np.random.default_rng(0))
    rows = [[0.5, -1.0], [2.0, 0.25], [0.0, 1.0]]
    alone = [model(row) for row in rows]
    for batch in (rows, tuple(map(tuple, rows)), np.array(rows), [np.array(row) for row in rows]):
        for one, of_batch in zip(alone, model(batch), strict=True):
            pair = (one, of_batch) if width > 1 else ([one], [of_batch])
            assert [a.data for a in pair[0]] == [a.data for a in pair[1]]
    assert [z.data for z in model.logits(rows)[1]] == [z.data for z in model.logits(rows[1])]


def test_each_hidden_layer_may_have_its_own_activation_and_initializer():
    model = MLP(50, [100, 100, 100], ["relu", "tanh"], rng=np.random.default_rng(0))
    assert [layer.activation for layer in model.layers] == ["relu", "tanh", "linear"]
    spread = [np.std([w.data for neuron in layer.neurons for w in neuron.weights]) for layer in model.layers]
    he, xavier = (2 / 50) ** 0.5, (2 / 200) ** 0.5
    assert spread == pytest.approx([he, xavier, xavier], rel=0.05)      # five standard errors of 5,000 draws
    zeros = MLP(2, [2, 1], ["relu"], initialization="zeros", dropout=[0.25], batch_norm=True)
    assert not any(w.data for w in zeros.weights())
    assert repr(zeros) == (
        "MLP(2, [2, 1], activation=['relu'], output='linear', dropout=[0.25], batch_norm=True), 13 parameters"
    )


def test_masks_drop_hidden_activations_of_each_sample_alone():
    model = MLP(1, [2, 1], "linear", rng=np.random.default_rng(0), dropout=0.5)
    for neuron, w in zip(model.layers[0].neurons, (3.0, 5.0), strict=True):
        neuron.weights[0].data = w
    for w in model.layers[1].neurons[0].weights:
        w.data = 1.0
    mask = np.array([[2.0, 0.0], [0.0, 0.0]])       # the first sample keeps the first neuron, the second none
    assert [y.data for y in model([[1.0], [1.0]], [mask])] == [6.0, 0.0]
    assert [y.data for y in model([[1.0], [1.0]])] == [8.0, 8.0]
    assert model([1.0], [mask[:, :1]]).data == 6.0


def test_masks_are_drawn_for_the_layers_that_drop():
    model = MLP(1, [2, 3, 1], dropout=[0.0, 0.5])
    first, second = (model.draw_masks(4, np.random.default_rng(0)) for _ in range(2))
    assert first[0] is None
    assert set(first[1].flat) <= {0.0, 2.0}
    assert first[1].shape == (3, 4)
    np.testing.assert_array_equal(first[1], second[1])
    assert MLP(1, [2, 1]).draw_masks(4, np.random.default_rng(0)) == [None]


def in_pytorch(model, torch):
    """The same network, in float64."""
    names = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "linear": torch.nn.Identity}
    parts = []
    for layer in model.layers:
        linear = torch.nn.Linear(len(layer.neurons[0].weights), len(layer.neurons), dtype=torch.float64)
        with torch.no_grad():
            linear.weight[:] = torch.tensor(np.array([[w.data for w in n.weights] for n in layer.neurons]))
            linear.bias[:] = torch.tensor(np.array([n.bias.data for n in layer.neurons]))
        norm = [] if layer.norm is None else [torch.nn.BatchNorm1d(len(layer.neurons), dtype=torch.float64)]
        parts += [linear, *norm, names[layer.activation]()]
    return torch.nn.Sequential(*parts)


def test_a_batch_normalised_network_its_gradients_and_its_statistics_are_pytorchs():
    torch = pytest.importorskip("torch", reason="PyTorch is the witness here")
    model = MLP(2, [4, 3, 1], ["tanh", "relu"], rng=np.random.default_rng(0), batch_norm=True)
    theirs = in_pytorch(model, torch)
    rows = np.random.default_rng(1).standard_normal((5, 2))
    outputs = model(rows, training=True)
    model.update_statistics(rows)
    (outputs[0] * 2.0 - outputs[3]).backward()
    expected = theirs(torch.tensor(rows))[:, 0]
    (expected[0] * 2.0 - expected[3]).backward()
    assert [y.data for y in outputs] == pytest.approx(expected.tolist(), rel=1e-12)
    for layer, place in ((0, 0), (1, 3)):
        linear, norm, mine = theirs[place], theirs[place + 1], model.layers[layer]
        dW = np.array([[w.grad for w in neuron.weights] for neuron in mine.neurons])
        np.testing.assert_allclose(dW, linear.weight.grad, rtol=0, atol=1e-12 * np.abs(dW).max())
        for ours, there in ((mine.norm.gammas, norm.weight.grad), (mine.norm.betas, norm.bias.grad)):
            assert [p.grad for p in ours] == pytest.approx(there.tolist(), rel=1e-11, abs=1e-14)
        assert mine.norm.running_mean == pytest.approx(norm.running_mean.tolist(), rel=1e-12)
        assert mine.norm.running_variance == pytest.approx(norm.running_var.tolist(), rel=1e-12)
    theirs.eval()
    assert model(rows[0]).data == pytest.approx(theirs(torch.tensor(rows[:1])).item(), rel=1e-12)


def test_statistics_see_what_the_masks_have_left():
    model = MLP(1, [1, 1, 1], "linear", rng=np.random.default_rng(0), dropout=0.5, batch_norm=True)
    model.layers[1].neurons[0].weights[0].data = 1.0
    model.update_statistics([[1.0], [3.0]], [np.zeros((1, 2)), None])
    assert model.layers[1].norm.running_variance == [0.9]       # a tenth of the way to 0
    assert model.layers[0].norm.running_variance != [0.9]


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
        (ValueError, r"expected a sample of 2 numbers, .*, got 3; here", lambda: MLP(2, [1])([1.0] * 3)),
        (ValueError, r"a sample of 2 numbers, .*, got shape \(\)", lambda: MLP(2, [1])(3.0)),
        (ValueError, r"got shape \(5,\); here a sample is a row", lambda: MLP(2, [1])(np.ones((2, 5)))),
        (ValueError, r"got shape \(\); here a sample is a row", lambda: MLP(2, [1])(np.array(1.0))),
        (ValueError, r"a list of samples, got shape \(0, 2\)", lambda: MLP(2, [1])(np.empty((0, 2)))),
        (ValueError, r"a list of samples, got 0; here", lambda: MLP(2, [1])([])),
        (ValueError, r"got 1; here a sample is a row", lambda: MLP(2, [1])([[1.0], [2.0]])),
        (ValueError, r"activation\[1\]: expected one of", lambda: MLP(2, [1, 1, 1], ["relu", "softmax"])),
        (ValueError, "activation: expected 1 names, one a hidden", lambda: MLP(2, [1, 1], ["relu"] * 2)),
        (ValueError, "activation: expected one of", lambda: MLP(2, [1, 1], 3)),
        (ValueError, "dropout: expected 1 shares, one a hidden", lambda: MLP(2, [1, 1], dropout=[0.5, 0.5])),
        (ValueError, r"dropout: expected a number in \[0, 1\), got 1", lambda: MLP(2, [1, 1], dropout=1)),
        (TypeError, "batch_norm: expected", lambda: MLP(2, [1, 1], batch_norm="no")),
        (ValueError, "initialization: expected one of", lambda: MLP(2, [1, 1], initialization="best")),
        (
            ValueError,
            r"masks: expected None or a mask .* of shapes \[\(3, 1\)\], got \[\(1, 3\)\]",
            lambda: MLP(2, [3, 1])([1.0, 2.0], [np.ones((1, 3))]),
        ),
        (ValueError, r"masks: expected .* got \[None, None\]", lambda: MLP(1, [3, 1])([1.0], [None] * 2)),
        (ValueError, "masks: expected a list of 1, .* got 3", lambda: MLP(1, [3, 1])([1.0], masks=3)),
        (TypeError, "rng: expected a numpy.random.Generator", lambda: MLP(1, [3, 1]).draw_masks(3, 0)),
        (ValueError, "samples: expected a whole number of", lambda: MLP(1, [3, 1]).draw_masks(0, None)),
        (
            ValueError,
            "trains on 2 samples or more, got 1",
            lambda: MLP(1, [1, 1], batch_norm=True)([1.0], training=True),
        ),
        (TypeError, "define named_parameters", lambda: Module().parameters()),
    ],
)
def test_misuse_is_explained(error, words, make):
    with pytest.raises(error, match=words):
        make()
