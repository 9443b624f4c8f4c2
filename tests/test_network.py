"""The hand-derived network: its loss and gradient by other means, and what its methods promise."""

import mpmath
import numpy as np
import pytest

from nn import NeuralNetwork

ACTIVATIONS = ["sigmoid", "relu", "tanh", "linear", "leaky_relu", "elu", "gelu", "silu", "softplus"]
OUTPUTS_AND_LOSSES = [
    *[(output, "mean_squared_error") for output in (*ACTIVATIONS, "softmax")],
    ("tanh", "mean_absolute_error"),
    ("linear", "mean_absolute_error"),
    ("softplus", "huber"),
    ("linear", "huber"),
    ("linear", "hinge"),
    ("linear", "binary_cross_entropy_with_logits"),
    ("sigmoid", "binary_cross_entropy"),
    ("softmax", "cross_entropy"),
]


def softmax(z):
    e = np.exp(z)
    return e / e.sum(axis=0)


def problem(sizes, samples, activation="sigmoid", output=None, loss="mean_squared_error", seed=0):
    """A network with biases that are not zero, inputs, and targets its loss takes."""
    rng = np.random.default_rng(seed)
    network = NeuralNetwork(sizes, activation, output=output, loss=loss, rng=rng)
    network.parameters = rng.normal(scale=0.7, size=network.parameters.size)
    x, logits = rng.normal(size=(sizes[0], samples)), rng.normal(size=(sizes[-1], samples))
    return network, x, np.sign(logits) if loss == "hinge" else softmax(logits)


# The loss and the gradient, by other means.


def test_one_neuron_by_hand():
    # z = 2·3 + 1 = 7 and 2·(-1) + 1 = -1; p - y = 7 - 5 = 2 and -1 - 1 = -2; loss (4 + 4) / 2
    # dW = 2/2 (2·3 + (-2)·(-1)) = 8, db = 2/2 (2 - 2) = 0
    network = NeuralNetwork([1, 1], "linear")
    network.weights[0], network.biases[0] = [[2.0]], [[1.0]]
    x, y = [[3.0, -1.0]], [[5.0, 1.0]]
    cache = network.forward(x)
    assert cache["z1"].tolist() == [[7.0, -1.0]]
    assert network.compute_loss(y, cache["a1"]) == 4.0
    gradients = network.backward(x, y, cache)
    assert gradients["dW0"].tolist() == [[8.0]]
    assert gradients["db0"].tolist() == [[0.0]]


def test_two_layers_by_hand():
    # x = (1, 2); z1 = (1·1 + 1·2 + 0, 1·1 - 1·2 + 0) = (3, -1), a1 = relu = (3, 0)
    # z2 = 2·3 + 5·0 + 1 = 7 = p; loss (7 - 6)² = 1, dz2 = 2
    # dW1 = 2 (3, 0), db1 = 2; da1 = 2 (2, 5) = (4, 10), dz1 = (4, 0); dW0 = ((4, 8), (0, 0)), db0 = (4, 0)
    network = NeuralNetwork([2, 2, 1], "relu", output="linear")
    network.weights = [[[1, 1], [1, -1]], [[2, 5]]]
    network.biases = [[[0], [0]], [[1]]]
    loss, gradient = network.loss_and_gradient(network.parameters, [[1], [2]], [[6]])
    assert loss == 1.0
    assert gradient.tolist() == [4, 8, 4, 0, 0, 0, 6, 0, 2]


def mpmath_loss(sizes, activation, output, loss, theta, x, y):
    """The loss written a second time, sample by sample, in mpmath's arithmetic."""
    functions = {
        "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
        "relu": lambda z: z if z > 0 else mpmath.mpf(0),
        "tanh": mpmath.tanh,
        "linear": lambda z: z,
        "leaky_relu": lambda z: z if z > 0 else z / 100,
        "elu": lambda z: z if z > 0 else mpmath.expm1(z),
        "gelu": lambda z: z * mpmath.ncdf(z),
        "silu": lambda z: z / (1 + mpmath.exp(-z)),
        "softplus": lambda z: mpmath.log1p(mpmath.exp(z)),
    }

    def logistic(t, p):
        return -t * mpmath.log(p) - (1 - t) * mpmath.log(1 - p)

    entries = {
        "mean_squared_error": lambda t, p: (t - p) ** 2,
        "mean_absolute_error": lambda t, p: abs(t - p),
        "huber": lambda t, p: (t - p) ** 2 / 2 if abs(t - p) <= 1 else abs(t - p) - mpmath.mpf(1) / 2,
        "hinge": lambda t, p: max(1 - t * p, mpmath.mpf(0)),
        "binary_cross_entropy": logistic,
        "binary_cross_entropy_with_logits": lambda t, p: logistic(t, functions["sigmoid"](p)),
    }
    terms = []
    for sample, targets in zip(x.T.tolist(), y.T.tolist(), strict=True):
        a, used = sample, 0
        for layer, width in enumerate(sizes[1:]):
            z = []
            for _ in range(width):
                *w, b = theta[used : used + len(a) + 1]
                z.append(mpmath.fdot(w, a) + b)
                used += len(a) + 1
            name = output if layer == len(sizes) - 2 else activation
            if name == "softmax":
                total = mpmath.fsum(map(mpmath.exp, z))
                a = [mpmath.exp(v) / total for v in z]
            else:
                a = [functions[name](v) for v in z]
        pairs = list(zip(targets, a, strict=True))
        if loss == "cross_entropy":
            terms.append(-mpmath.fsum(t * mpmath.log(p) for t, p in pairs))
        else:
            terms += [entries[loss](t, p) for t, p in pairs]
    return mpmath.fsum(terms) / len(terms)


def fifty_digits(network, x, y):
    """The loss and its slope by each parameter, in 50-digit arithmetic."""
    names = network.activation_name, network.output_name, network.loss_name
    with mpmath.workdps(50):
        theta = [mpmath.mpf(number) for number in network.parameters.tolist()]

        def loss(theta):
            return mpmath_loss(network.layer_sizes, *names, theta, x, y)

        slopes = [
            float(mpmath.diff(lambda t, i=i: loss([*theta[:i], t, *theta[i + 1 :]]), theta[i]))
            for i in range(len(theta))
        ]
        return float(loss(theta)), slopes


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("output", "loss"), OUTPUTS_AND_LOSSES)
def test_loss_and_gradient_match_fifty_digit_arithmetic(activation, output, loss):
    sizes = [2, 3, 2]
    network, x, y = problem(sizes, 2, activation, output, loss)
    ours, gradient = network.loss_and_gradient(network.parameters, x, y)
    exact, slopes = fifty_digits(network, x, y)
    assert ours == pytest.approx(exact, rel=1e-14)
    # dozens of roundings an entry, of numbers no larger than the largest
    np.testing.assert_allclose(gradient, slopes, rtol=0, atol=1e-14 * np.abs(slopes).max())


def test_backward_is_the_slope_of_compute_loss():
    network, x, y = problem([3, 4, 2], 6)
    gradients = network.backward(x, y, network.forward(x))
    h = 1e-6
    for name, arrays in [("dW", network.weights), ("db", network.biases)]:
        for layer, array in enumerate(arrays):
            for index in np.ndindex(array.shape):
                losses = []
                for shift in (h, -2 * h):
                    array[index] += shift
                    losses.append(network.compute_loss(y, network.forward(x)["a2"]))
                array[index] += h
                slope = (losses[0] - losses[1]) / (2 * h)
                # central differences leave h² and 1e-16/h of the loss's size
                assert gradients[f"{name}{layer}"][index] == pytest.approx(slope, abs=1e-9)


@pytest.mark.parametrize(("output", "loss"), OUTPUTS_AND_LOSSES)
def test_loss_and_gradient_are_means_so_that_repeated_samples_change_nothing(output, loss):
    network, x, y = problem([3, 4, 2], 5, "tanh", output, loss)
    once = network.loss_and_gradient(network.parameters, x, y)
    thrice = network.loss_and_gradient(network.parameters, np.tile(x, 3), np.tile(y, 3))
    assert thrice[0] == pytest.approx(once[0], rel=1e-14)
    np.testing.assert_allclose(thrice[1], once[1], rtol=0, atol=1e-14 * np.abs(once[1]).max())


@pytest.mark.parametrize(("output", "loss"), OUTPUTS_AND_LOSSES)
def test_the_three_ways_to_the_loss_and_the_gradient_agree(output, loss):
    network, x, y = problem([3, 4, 2], 5, "tanh", output, loss)
    cache = network.forward(x)
    value, gradient = network.loss_and_gradient(network.parameters, x, y)
    assert value == pytest.approx(network.compute_loss(y, cache["a2"]), rel=1e-14)
    for name, array in network.backward(x, y, cache).items():
        np.testing.assert_array_equal(array, network.named_gradients(gradient)[name])


# The tutorial's contract.


def test_cache_holds_every_layer_in_order():
    network, x, _ = problem([2, 4, 3, 1], 5)
    cache = network.forward(x)
    assert list(cache) == ["a0", "z1", "a1", "z2", "a2", "z3", "a3"]
    assert [cache[f"a{layer}"].shape for layer in range(4)] == [(2, 5), (4, 5), (3, 5), (1, 5)]
    np.testing.assert_array_equal(cache["a0"], x)
    np.testing.assert_array_equal(cache["a2"], network.activation(cache["z2"]))


def test_gradients_have_the_shapes_of_the_parameters():
    network, x, y = problem([2, 4, 3, 1], 5)
    gradients = network.backward(x, y, network.forward(x))
    assert sorted(gradients) == ["dW0", "dW1", "dW2", "db0", "db1", "db2"]
    for layer in range(3):
        assert gradients[f"dW{layer}"].shape == network.weights[layer].shape
        assert gradients[f"db{layer}"].shape == network.biases[layer].shape


def test_fresh_networks_have_zero_biases_and_the_sizes_asked_for():
    network = NeuralNetwork((2, 3, 1))
    assert network.layer_sizes == [2, 3, 1]
    assert [W.shape for W in network.weights] == [(3, 2), (1, 3)]
    assert [b.tolist() for b in network.biases] == [[[0.0]] * 3, [[0.0]]]


def test_no_output_named_means_the_activation_s():
    network, x, _ = problem([2, 3, 2], 4, "tanh")
    assert network.output_name == "tanh"
    np.testing.assert_array_equal(network.forward(x)["a2"], np.tanh(network.forward(x)["z2"]))


def test_one_sample_and_one_layer_are_networks_too():
    network, x, y = problem([3, 2], 1)
    assert network.backward(x, y, network.forward(x))["dW0"].shape == (2, 3)


def test_update_parameters_descends():
    network, x, y = problem([2, 3, 1], 4)
    before = network.parameters.copy()
    _, gradient = network.loss_and_gradient(before, x, y)
    network.update_parameters(network.backward(x, y, network.forward(x)), 0.5)
    np.testing.assert_array_equal(network.parameters, before - 0.5 * gradient)


def test_lists_integers_booleans_and_float32_are_computed_in_float64():
    network, _, _ = problem([2, 3, 1], 4)
    x = np.array([[0, 1, 1], [1, 0, 1]])
    y = np.array([[True, False, True]])
    expected = network.loss_and_gradient(network.parameters, x.astype(float), y.astype(float))
    for inputs, targets in [(x, y), (x.tolist(), y.tolist()), (x.astype(np.float32), y.astype(np.int8))]:
        loss, gradient = network.loss_and_gradient(network.parameters, inputs, targets)
        assert loss == expected[0]
        np.testing.assert_array_equal(gradient, expected[1])
    assert network.forward(x)["a0"].dtype == np.float64


def test_repr_says_what_the_network_is():
    assert repr(NeuralNetwork([2, 3], "tanh", output="softmax", loss="cross_entropy")) == (
        "NeuralNetwork([2, 3], activation='tanh', output='softmax', loss='cross_entropy')"
    )


# State: what a call leaves behind.


def test_loss_and_gradient_changes_nothing_and_results_are_independent():
    network, x, y = problem([2, 3, 1], 4)
    theta = network.parameters + 1.0
    before = [array.copy() for array in (network.parameters, theta, x, y)]
    _, first = network.loss_and_gradient(theta, x, y)
    kept = first.copy()
    network.loss_and_gradient(2 * theta, x, y)
    np.testing.assert_array_equal(first, kept)
    for array, old in zip((network.parameters, theta, x, y), before, strict=True):
        np.testing.assert_array_equal(array, old)


def test_loss_and_gradient_at_other_parameters_is_the_loss_of_a_network_that_has_them():
    network, x, y = problem([2, 3, 1], 4)
    theta = np.linspace(-1, 1, 26)[::2]         # neither contiguous nor the network's
    loss, gradient = network.loss_and_gradient(theta, x, y)
    network.parameters = theta
    assert loss == network.loss_and_gradient(network.parameters, x, y)[0]
    np.testing.assert_array_equal(gradient, network.loss_and_gradient(network.parameters, x, y)[1])


def test_backward_twice_gives_equal_bits():
    network, x, y = problem([2, 3, 1], 4)
    cache = network.forward(x)
    first, second = network.backward(x, y, cache), network.backward(x, y, cache)
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name])


def test_gradients_are_not_windows_on_the_parameters():
    network, x, y = problem([2, 3, 1], 4)
    before = network.parameters.copy()
    for array in network.backward(x, y, network.forward(x)).values():
        array[...] = 1.0
    np.testing.assert_array_equal(network.parameters, before)


def test_equal_generators_give_equal_networks_and_the_global_one_is_left_alone():
    state = np.random.get_state()[1].copy()
    first, second = (NeuralNetwork([2, 3, 1], rng=np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first.parameters, second.parameters)
    assert not np.array_equal(NeuralNetwork([2, 3]).parameters, NeuralNetwork([2, 3]).parameters)
    np.testing.assert_array_equal(np.random.get_state()[1], state)


# Numbers at the edges.


@pytest.mark.parametrize(("output", "loss"), OUTPUTS_AND_LOSSES[-2:])
def test_cross_entropy_of_a_sure_mistake_is_finite_from_logits_and_infinite_from_probabilities(output, loss):
    network = NeuralNetwork([1, 2], output=output, loss=loss)
    network.weights[0] = [[1000.0], [-1000.0]]
    y = [[0.0], [1.0]]
    value, gradient = network.loss_and_gradient(network.parameters, [[1.0]], y)
    # two entries of 1000, averaged; one sample of log(e¹⁰⁰⁰ + e⁻¹⁰⁰⁰) + 1000
    assert value == (1000.0 if output == "sigmoid" else 2000.0)
    assert np.isfinite(gradient).all()
    assert network.compute_loss(y, network.forward([[1.0]])["a1"]) == np.inf


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_overflow_gives_inf_or_nan_and_neither_raises_nor_warns(activation):
    network = NeuralNetwork([2, 3, 1], activation)
    network.parameters = np.full(13, 1e200)
    x, y = np.full((2, 1), 1e200), np.zeros((1, 1))
    with np.errstate(all="raise"):
        cache = network.forward(x)
        network.backward(x, y, cache)
        network.loss_and_gradient(network.parameters, x, y)
        network.activation(np.array([-1e308, np.nan]))
        network.activation_derivative(np.array([-1e308, np.nan]))
    assert np.isinf(cache["z1"]).all()


# A learner's own methods.


class WithTanh(NeuralNetwork):
    """As the tutorial suggests."""

    def activation(self, x):
        return np.tanh(x)

    def activation_derivative(self, x):
        return 1 - np.tanh(x) ** 2


def test_a_learner_s_activation_is_used_everywhere():
    ours, x, y = problem([2, 3, 1], 4, "tanh")
    theirs = WithTanh([2, 3, 1])
    theirs.parameters = ours.parameters
    np.testing.assert_array_equal(theirs.forward(x)["a2"], ours.forward(x)["a2"])
    mine, own = (n.loss_and_gradient(n.parameters, x, y) for n in (ours, theirs))
    assert own[0] == mine[0]
    np.testing.assert_allclose(own[1], mine[1], rtol=1e-13)
    losses = [n.train(x, y, 0.1, 5, on_epoch=lambda epoch, loss: None) for n in (ours, theirs)]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-13)


def test_an_activation_assigned_to_the_object_is_used_too():
    ours, x, y = problem([2, 3, 1], 4, "tanh")
    theirs = NeuralNetwork([2, 3, 1])
    theirs.activation, theirs.activation_derivative = np.tanh, lambda z: 1 - np.tanh(z) ** 2
    mine, own = (n.loss_and_gradient(ours.parameters, x, y) for n in (ours, theirs))
    np.testing.assert_allclose(own[1], mine[1], rtol=1e-13)


def test_a_named_output_is_not_a_learner_s_activation():
    network = WithTanh([2, 3, 1], output="linear")
    cache = network.forward(np.ones((2, 1)))
    np.testing.assert_array_equal(cache["a2"], cache["z2"])
    np.testing.assert_array_equal(cache["a1"], np.tanh(cache["z1"]))


def test_a_cross_entropy_keeps_the_output_it_belongs_to():
    network = WithTanh([2, 3, 1], loss="binary_cross_entropy")
    cache = network.forward(np.ones((2, 1)))
    np.testing.assert_allclose(cache["a2"], 1 / (1 + np.exp(-cache["z2"])), rtol=1e-14)
    value, _ = network.loss_and_gradient(network.parameters, np.ones((2, 1)), [[1.0]])
    assert value == pytest.approx(network.compute_loss([[1.0]], cache["a2"]), rel=1e-14)


def test_a_learner_s_forward_may_keep_notes_while_training():
    class Counting(NeuralNetwork):
        passes = 0

        def forward(self, x):
            self.passes += 1
            return super().forward(x)

    network = Counting([2, 1])
    network.train(np.ones((2, 4)), np.zeros((1, 4)), epochs=101, batch_size=2)
    assert network.passes == 202


def test_a_learner_s_passes_and_loss_are_used_by_engine_and_training():
    class Doubled(NeuralNetwork):
        def forward(self, x):
            return super().forward(2 * x)

        def backward(self, x, y, cache):
            return {name: 10 * array for name, array in super().backward(x, y, cache).items()}

        def compute_loss(self, y_true, y_pred):
            return 100 + super().compute_loss(y_true, y_pred)

    plain, x, y = problem([2, 3, 1], 4)
    theirs = Doubled([2, 3, 1])
    theirs.parameters = plain.parameters
    loss, gradient = plain.loss_and_gradient(plain.parameters, 2 * x, y)
    own_loss, own_gradient = theirs.loss_and_gradient(plain.parameters, x, y)
    assert own_loss == 100 + loss
    np.testing.assert_allclose(own_gradient, 10 * gradient, rtol=1e-15)
    assert theirs.train(x, y, 0.1, 1, on_epoch=lambda epoch, loss: None) == [own_loss]
    np.testing.assert_allclose(theirs.parameters, plain.parameters - gradient, rtol=1e-13)


@pytest.mark.parametrize("method", ["forward", "backward", "activation", "compute_loss"])
def test_a_function_assigned_to_the_object_is_evaluated_at_the_parameters_given(method):
    # each function reads the object it was written for, as a learner's does
    network, x, y = problem([2, 3, 1], 4, "tanh")
    plain, _, _ = problem([2, 3, 1], 4, "tanh")
    theta = network.parameters + 0.5
    functions = {
        "forward": lambda x: NeuralNetwork.forward(network, x),
        "backward": lambda x, y, cache: NeuralNetwork.backward(network, x, y, cache),
        "activation": lambda z: np.tanh(z + network.weights[0][0, 0]) if z.shape[0] == 3 else np.tanh(z),
        "compute_loss": lambda y, p: NeuralNetwork.compute_loss(network, y, p) + network.biases[0][0, 0],
    }
    before = network.parameters.copy()
    setattr(network, method, functions[method])
    loss, gradient = network.loss_and_gradient(theta, x, y)
    np.testing.assert_array_equal(network.parameters, before)
    network.parameters = theta
    there_loss, there_gradient = network.loss_and_gradient(network.parameters, x, y)
    assert loss == there_loss
    np.testing.assert_array_equal(gradient, there_gradient)
    if method in ("forward", "backward"):       # they compute what the network's own do
        assert loss == plain.loss_and_gradient(theta, x, y)[0]
        np.testing.assert_array_equal(gradient, plain.loss_and_gradient(theta, x, y)[1])


def test_parameters_are_the_network_s_again_where_a_learner_s_method_fails():
    network, x, y = problem([2, 3, 1], 4)
    before = network.parameters.copy()

    def fails(x, y, cache):
        raise ZeroDivisionError

    network.backward = fails
    with pytest.raises(ZeroDivisionError):
        network.loss_and_gradient(before + 1, x, y)
    np.testing.assert_array_equal(network.parameters, before)


# Misuse.


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"layer_sizes": []}, ValueError, r"layer_sizes: expected at least \[inputs, outputs\], got \[\]"),
        ({"layer_sizes": [2]}, ValueError, "expected at least"),
        ({"layer_sizes": [2, 0, 1]}, ValueError, r"layer_sizes\[1\]: expected .* of at least 1, got 0"),
        ({"layer_sizes": [2, 1.5]}, TypeError, r"layer_sizes\[1\]: expected a whole number, got float 1.5"),
        ({"layer_sizes": "21"}, TypeError, r"layer_sizes: expected a list of widths such as .*, got '21'"),
        ({"layer_sizes": 3}, TypeError, r"expected a list of widths such as \[2, 3, 1\], got 3"),
        ({"activation": "swish"}, ValueError, "one of 'sigmoid', .*'softplus'; got 'swish'"),
        ({"activation": "softmax"}, ValueError, "activation: expected one of 'sigmoid', 'relu'"),
        ({"output": "sign"}, ValueError, "output: expected one of 'sigmoid', .*'softmax'; got 'sign'"),
        ({"loss": "mse"}, ValueError, "loss: expected one of 'mean_squared_error', .*; got 'mse'"),
        ({"initialization": "glorot"}, ValueError, "expected one of 'xavier', .*; got 'glorot'"),
        ({"rng": 0}, TypeError, "rng: expected a numpy.random.Generator or None, got int"),
    ],
)
def test_a_network_that_cannot_be_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        NeuralNetwork(**{"layer_sizes": [2, 3, 1], **arguments})


@pytest.mark.parametrize(
    ("loss", "output", "needed", "allowed"),
    [
        ("binary_cross_entropy", "softmax", "sigmoid", "'cross_entropy'"),
        ("binary_cross_entropy", "linear", "sigmoid", "'hinge', 'binary_cross_entropy_with_logits'"),
        ("cross_entropy", "sigmoid", "softmax", "'binary_cross_entropy'"),
        ("cross_entropy", None, "softmax", "'binary_cross_entropy'"),
        ("hinge", "tanh", "linear", "'huber'"),
    ],
)
def test_a_cross_entropy_with_another_output_is_refused(loss, output, needed, allowed):
    any_output = "'mean_squared_error', 'mean_absolute_error', 'huber'"
    allowed = any_output if allowed == "'huber'" else f"{any_output}, {allowed}"
    message = rf"loss '{loss}' belongs to output '{needed}', .* the loss can be {allowed}\."
    with pytest.raises(ValueError, match=message):
        NeuralNetwork([2, 1], output=output, loss=loss)


X, Y = np.ones((2, 5)), np.zeros((1, 5))
CALLS = {
    "forward": lambda network, x, y: network.forward(x),
    "backward": lambda network, x, y: network.backward(x, y, network.forward(X)),
    "loss_and_gradient": lambda network, x, y: network.loss_and_gradient(network.parameters, x, y),
    "train": lambda network, x, y: network.train(x, y, epochs=1),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (X.T, ValueError, r"x: expected shape \(2, N\).*, got \(5, 2\); did you pass rows for columns\?"),
        (X[0], ValueError, r"got \(5,\); did you pass rows for columns\?"),
        (X[:, :0], ValueError, r"got \(2, 0\)"),
        (X[None], ValueError, r"got \(1, 2, 5\)"),
        ([[1, 2, 3, 4, 5], [1]], ValueError, r"x: expected shape \(2, N\).*, got rows of different lengths"),
        (np.where(np.eye(2, 5), np.nan, X), ValueError, "x holds nan at row 0, column 0"),
        (np.where(X, -np.inf, X), ValueError, "x holds -inf at row 0, column 0"),
        (X.astype(object), TypeError, "x: expected an array of real numbers, got dtype object"),
        (X.astype(str), TypeError, "got dtype <U"),
        (X.astype(complex), TypeError, "got dtype complex128"),
        (X.astype("datetime64[s]"), TypeError, "got dtype datetime64"),
    ],
)
def test_a_wrong_x_gets_its_message(call, x, error, message):
    network = NeuralNetwork([2, 3, 1])
    before = network.parameters.copy()
    with pytest.raises(error, match=message):
        call(network, x, Y)
    np.testing.assert_array_equal(network.parameters, before)


@pytest.mark.parametrize("call", [CALLS[name] for name in CALLS if name != "forward"])
@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (Y.T, ValueError, r"y: expected shape \(1, 5\), got \(5, 1\); did you pass rows for columns\?"),
        (Y[0], ValueError, r"expected shape \(1, 5\), got \(5,\)"),
        (Y[:, :4], ValueError, r"got \(1, 4\)"),
        (Y[:, :1], ValueError, r"got \(1, 1\)"),
        (np.zeros((2, 5)), ValueError, r"got \(2, 5\)"),
        (Y[None], ValueError, r"got \(1, 1, 5\)"),
        (0.0, ValueError, r"got \(\)"),
        (np.array([[0, 0, np.nan, 0, 0]]), ValueError, "y holds nan at row 0, column 2"),
        (Y.astype(object), TypeError, "y: expected an array of real numbers, got dtype object"),
    ],
)
def test_a_wrong_y_gets_its_message(call, y, error, message):
    with pytest.raises(error, match=message):
        call(NeuralNetwork([2, 3, 1]), X, y)


def test_predictions_are_never_broadcast_against_targets():
    network = NeuralNetwork([2, 3, 1])
    with pytest.raises(ValueError, match=r"y_pred: expected shape \(1, 5\), got \(5, 1\)"):
        network.compute_loss(Y, Y.T)
    with pytest.raises(ValueError, match=r"y_true: expected shape \(1, N\) .*got \(5, 1\)"):
        network.compute_loss(Y.T, Y)


def test_targets_that_are_no_probabilities_are_refused_by_cross_entropies():
    binary = NeuralNetwork([2, 1], loss="binary_cross_entropy")
    with pytest.raises(ValueError, match=r"y holds 2\.0 at row 0, column 0; expected probabilities"):
        binary.loss_and_gradient(binary.parameters, X, Y + 2)
    with pytest.raises(ValueError, match=r"y_pred holds -1\.0 at row 0, column 0; expected probabilities"):
        binary.compute_loss(Y, Y - 1)
    classes = NeuralNetwork([2, 3], output="softmax", loss="cross_entropy")
    with pytest.raises(ValueError, match=r"y's column 0 sums to 0.0; expected every column to sum to 1"):
        classes.loss_and_gradient(classes.parameters, X, np.zeros((3, 5)))


def test_a_prediction_of_nan_has_a_loss_of_nan():
    assert np.isnan(NeuralNetwork([2, 1]).compute_loss([[0.0]], [[np.nan]]))


def test_a_vector_is_answered_with_the_reshape_that_mends_it():
    network = NeuralNetwork([1, 2])
    with pytest.raises(ValueError, match=r"x: .*got \(3,\).* each, pass x\.reshape\(1, -1\)\."):
        network.forward([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"y: .*got \(2,\).* sample, pass y\.reshape\(-1, 1\), a column\."):
        network.loss_and_gradient(network.parameters, [[1.0]], [1.0, 2.0])
    wide = NeuralNetwork([3, 1])
    with pytest.raises(ValueError, match=r"x: .*got \(3,\).* sample, pass x\.reshape\(-1, 1\), a column\."):
        wide.forward([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"y: .*got \(4,\).* each, pass y\.reshape\(1, -1\)\."):
        wide.loss_and_gradient(wide.parameters, np.ones((3, 4)), np.ones(4))
    with pytest.raises(ValueError, match=r"x: .*got \(4,\).*transpose a table"):
        wide.forward(np.ones(4))        # neither is it one sample of three numbers


def test_a_cache_of_other_samples_or_sizes_is_refused():
    network, x, y = problem([2, 3, 1], 5)
    cache = network.forward(x)
    with pytest.raises(ValueError, match=r"cache\['a0'\] has shape \(2, 4\), expected \(2, 5\) for this x"):
        network.backward(x, y, network.forward(x[:, :4]))
    with pytest.raises(ValueError, match=r"cache\['a0'\] is not this x; pass what forward\(x\) returned"):
        network.backward(x, y, network.forward(x[:, ::-1]))
    with pytest.raises(ValueError, match="cache: expected the keys a0, z1, a1, z2, a2; missing z2, a2"):
        network.backward(x, y, NeuralNetwork([2, 3]).forward(x))
    for name in ("z1", "a1", "z2", "a2"):
        with pytest.raises(ValueError, match=rf"cache\['{name}'\] has shape \(5, \d\), expected \(\d, 5\)"):
            network.backward(x, y, {**cache, name: cache[name].T})
    with pytest.raises(TypeError, match=r"cache\['z1'\]: expected an array of real numbers"):
        network.backward(x, y, {**cache, "z1": "logits"})
    with pytest.raises(TypeError, match="cache: expected a dict with the keys a0, z1, a1, z2, a2, got None"):
        network.backward(x, y, None)


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("arrays", ["weights", "biases"])
def test_a_cache_of_other_parameters_is_refused(arrays, layer):
    network, x, y = problem([2, 3, 1], 5)
    cache = network.forward(x)
    getattr(network, arrays)[layer] += 1e-6
    with pytest.raises(ValueError, match=rf"cache\['z{layer + 1}'\] was made with other parameters; pass"):
        network.backward(x, y, cache)


def test_a_cache_of_lists_and_one_that_overflowed_are_taken():
    network, x, y = problem([2, 3, 1], 5)
    cache = network.forward(x)
    lists = {name: array.tolist() for name, array in cache.items()}
    for name, array in network.backward(x, y, cache).items():
        np.testing.assert_array_equal(network.backward(x, y, lists)[name], array)
    linear = NeuralNetwork([1, 1, 1], "linear")
    linear.parameters = np.full(4, 1e200)
    overflowed = linear.forward([[1e200]])
    assert np.isinf(overflowed["z1"]).all()
    assert not np.isfinite(linear.backward([[1e200]], [[0.0]], overflowed)["dW0"]).any()


def test_a_learner_s_forward_without_logits_is_told_what_is_missing():
    network, x, y = problem([2, 1], 5)
    network.forward = lambda x: {"a1": np.zeros((1, 5))}
    network.backward = lambda x, y, cache: {"dW0": np.zeros((1, 2)), "db0": np.zeros((1, 1))}
    with pytest.raises(ValueError, match=r"forward\(x\): expected the keys z1, a1; missing z1"):
        network.loss_and_gradient(network.parameters, x, y)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"dW1": None}, ValueError, "gradients: expected the keys dW0, db0, dW1, db1; missing dW1"),
        ({"dW0": np.zeros((1, 2))}, ValueError, r"dW0: expected shape \(3, 2\), got \(1, 2\)"),
        ({"db0": np.zeros(3)}, ValueError, r"db0: expected shape \(3, 1\), got \(3,\)"),
        ({"db1": np.full((1, 1), np.nan)}, FloatingPointError, "the step holds nan or inf in layer 1"),
        ({"dW0": np.full((3, 2), np.inf)}, FloatingPointError, "the step holds nan or inf in layer 0"),
    ],
)
def test_wrong_gradients_leave_the_parameters_as_they_are(change, error, message):
    network = NeuralNetwork([2, 3, 1])
    before = network.parameters.copy()
    gradients = {**network.backward(X, Y, network.forward(X)), **change}
    gradients = {name: array for name, array in gradients.items() if array is not None}
    with pytest.raises(error, match=message):
        network.update_parameters(gradients, 0.1)
    np.testing.assert_array_equal(network.parameters, before)


@pytest.mark.parametrize("rate", [0, -0.1, np.nan, np.inf])
def test_update_parameters_refuses_a_rate_that_is_not_positive(rate):
    network = NeuralNetwork([2, 3, 1])
    with pytest.raises(ValueError, match="learning_rate: expected a finite number above 0, got"):
        network.update_parameters(network.backward(X, Y, network.forward(X)), rate)


def test_a_parameter_vector_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"parameters: expected shape \(13,\), got \(12,\)"):
        NeuralNetwork([2, 3, 1]).loss_and_gradient(np.zeros(12), X, Y)
