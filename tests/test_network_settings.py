"""Every setting of the hand-derived network, against PyTorch's automatic derivatives."""

import copy
import pickle

import numpy as np
import pytest
from test_network import ACTIVATIONS, OUTPUTS_AND_LOSSES, softmax

from nn import NeuralNetwork, training
from nn.checks import REDUCTIONS
from nn.network_training import own_engine

torch = pytest.importorskip("torch", reason="PyTorch is the witness of this file")
F = torch.nn.functional

# PyTorch's softplus(z) is z itself from 20 on, unless it is told where; e^-20 is no rounding
FUNCTIONS = {
    "sigmoid": torch.sigmoid, "relu": torch.relu, "tanh": torch.tanh, "linear": lambda z: z,
    "leaky_relu": F.leaky_relu, "elu": F.elu, "gelu": F.gelu, "silu": F.silu,
    "softplus": lambda z: F.softplus(z, threshold=50), "softmax": lambda z: torch.softmax(z, dim=1),
}  # fmt: skip
LOSSES = {  # of predictions and logits (N, out): a loss for each entry, or for each sample
    "mean_squared_error": lambda p, z, y: F.mse_loss(p, y, reduction="none"),
    "mean_absolute_error": lambda p, z, y: F.l1_loss(p, y, reduction="none"),
    "huber": lambda p, z, y: F.huber_loss(p, y, reduction="none"),
    "hinge": lambda p, z, y: F.relu(1 - y * p),
    "binary_cross_entropy": lambda p, z, y: F.binary_cross_entropy_with_logits(z, y, reduction="none"),
    "binary_cross_entropy_with_logits": lambda p, z, y: F.binary_cross_entropy_with_logits(
        p, y, reduction="none"
    ),
    "cross_entropy": lambda p, z, y: F.cross_entropy(z, y, reduction="none"),
}


def problem(sizes, samples, activation="tanh", *, seed=0, **settings):
    """A network with parameters of every sign, inputs, and targets its loss takes."""
    rng = np.random.default_rng(seed)
    network = NeuralNetwork(sizes, activation, rng=rng, **settings)
    network.parameters = 0.4 * rng.normal(size=network.parameters.size)
    x, logits = rng.normal(size=(sizes[0], samples)), rng.normal(size=(sizes[-1], samples))
    dtype = network.parameters.dtype
    y = np.sign(logits) if network.loss_name == "hinge" else softmax(logits)
    return network, x.astype(dtype), y.astype(dtype)


def leaves(network):
    """The network's parameters as tensors, by the names of their gradients."""
    arrays = {}
    for layer, (W, b) in enumerate(zip(network.weights, network.biases, strict=True)):
        arrays[f"dW{layer}"], arrays[f"db{layer}"] = W, b
    for layer, (gamma, beta) in enumerate(zip(network.gammas, network.betas, strict=True)):
        arrays[f"dgamma{layer}"], arrays[f"dbeta{layer}"] = gamma, beta
    return {name: torch.tensor(array, requires_grad=True) for name, array in arrays.items()}


def logits_and_predictions(network, named, x, masks=None, norms=None):
    """PyTorch's pass, rows as samples; `norms` are its BatchNorm1d modules, without γ and β."""
    a = torch.tensor(x.T)
    for layer, name in enumerate(network.activation_names()):
        z = a @ named[f"dW{layer}"].T + named[f"db{layer}"].T
        hidden = layer < len(network.weights) - 1
        if norms and hidden:
            z = norms[layer](z) * named[f"dgamma{layer}"].T + named[f"dbeta{layer}"].T
        a = FUNCTIONS[name](z)
        if masks and hidden and masks[layer] is not None:
            a = a * torch.tensor(masks[layer].T)
    return z, a


def theirs(network, x, y, weights=None, masks=None, l1=0.0, l2=0.0, norms=None):
    """PyTorch's loss and gradients."""
    named = leaves(network)
    z, p = logits_and_predictions(network, named, x, masks, norms)
    terms = LOSSES[network.loss_name](p, z, torch.tensor(y.T))
    w = torch.ones(len(p), dtype=p.dtype) if weights is None else torch.tensor(weights).to(p.dtype)
    total = (terms.reshape(len(p), -1) * w[:, None]).sum()
    if network.reduction == "mean":
        total = total / (w.sum() * terms[0].numel())
    for name, leaf in named.items():
        if name[:-1] in (("dW", "db") if network.penalise_biases else ("dW",)):
            total = total + l1 * leaf.abs().sum() + l2 / 2 * (leaf**2).sum()
    total.backward()
    return total.item(), {name: leaf.grad.numpy() for name, leaf in named.items()}


def batch_norms(network):
    """PyTorch's modules for the hidden layers, in training mode."""
    dtype = torch.from_numpy(network.parameters).dtype
    return [torch.nn.BatchNorm1d(n, affine=False, dtype=dtype) for n in network.layer_sizes[1:-1]]


def assert_agreement(ours, expected, tolerance=1e-12):
    """Loss and gradients, within a share of each array's magnitude.

    Some are 0 but for rounding, as that of a bias that a normalisation takes away again: no array is asked
    for more digits than a hundredth of the largest one has.
    """
    assert ours[0] == pytest.approx(expected[0], rel=tolerance)
    assert set(ours[1]) == set(expected[1])
    least = max(np.abs(exact).max() for exact in expected[1].values()) / 100
    for name, exact in expected[1].items():
        scale = max(np.abs(exact).max(), least)
        np.testing.assert_allclose(ours[1][name], exact, rtol=0, atol=tolerance * scale, err_msg=name)


def ours(network, x, y, **options):
    loss, gradient = network.loss_and_gradient(network.parameters, x, y, **options)
    return loss, network.named_gradients(gradient)


# Activations, losses, reductions, sample weights.


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("output", "loss"), OUTPUTS_AND_LOSSES)
def test_loss_and_gradient_match_pytorch(activation, output, loss):
    network, x, y = problem([20, 30, 25, 10], 64, activation, output=output, loss=loss)
    assert_agreement(ours(network, x, y), theirs(network, x, y))


def test_each_hidden_layer_has_its_own_activation():
    network, x, y = problem([3, 4, 5, 6, 2], 7, ["relu", "tanh", "gelu"], output="sigmoid")
    assert network.activation_names() == ["relu", "tanh", "gelu", "sigmoid"]
    assert_agreement(ours(network, x, y), theirs(network, x, y))
    assert NeuralNetwork([3, 4, 5, 2], ["relu", "elu"]).output_name == "elu"


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("output", "loss"), OUTPUTS_AND_LOSSES[5:])
def test_reductions_and_sample_weights_match_pytorch(reduction, weighted, output, loss):
    network, x, y = problem([3, 5, 4], 8, output=output, loss=loss, reduction=reduction)
    weights = np.array([0.5, 2.0, 0.0, 1.0, 3.0, 0.1, 1.0, 1.0]) if weighted else None
    assert_agreement(ours(network, x, y, weights=weights), theirs(network, x, y, weights))


def test_weights_that_follow_the_class_are_pytorch_s_class_weights():
    network, x, _ = problem([3, 5, 4], 8, output="softmax", loss="cross_entropy")
    labels, of_class = np.array([0, 1, 2, 3, 0, 1, 1, 3]), np.array([0.5, 1.0, 2.0, 4.0])
    z = torch.tensor(network.forward(x)["z2"].T)
    loss, _ = network.loss_and_gradient(network.parameters, x, labels, weights=of_class[labels])
    expected = F.cross_entropy(z, torch.tensor(labels), weight=torch.tensor(of_class))
    assert loss == pytest.approx(expected.item(), rel=1e-14)


@pytest.mark.parametrize("loss", ["mean_squared_error", "mean_absolute_error"])
def test_weighted_means_are_those_of_pytorch_s_weighted_losses(loss):
    network, x, y = problem([3, 2], 4, output="linear", loss=loss)
    w = np.array([1.0, 0.5, 0.0, 3.0])
    function = {"mean_squared_error": F.mse_loss, "mean_absolute_error": F.l1_loss}[loss]
    p = torch.tensor(network.forward(x)["a1"])
    expected = function(p, torch.tensor(y), weight=torch.tensor(np.tile(w, (2, 1))))
    assert network.compute_loss(y, p.numpy(), w) == pytest.approx(expected.item(), rel=1e-14)


def test_labels_are_one_hot_targets():
    network, x, _ = problem([3, 5, 4], 6, output="softmax", loss="cross_entropy")
    labels = np.array([0, 3, 2, 1, 1, 0])
    expected = ours(network, x, np.eye(4)[:, labels])
    for given in (labels, labels.astype(np.uint8), labels.tolist()):
        assert_agreement(ours(network, x, given), expected, tolerance=0.0)
    p = network.forward(x)["a2"]
    assert network.compute_loss(labels, p) == network.compute_loss(np.eye(4)[:, labels], p)
    with pytest.raises(ValueError, match="y: expected classes 0 to 3, got 4 at index 1"):
        network.loss_and_gradient(network.parameters, x, [0, 4, 2, 1, 1, 0])
    with pytest.raises(ValueError, match=r"y: expected shape \(4, 6\), got \(4, 5\)"):
        network.loss_and_gradient(network.parameters, x, labels[:5])


# Penalties.


@pytest.mark.parametrize(("l1", "l2"), [(0.1, 0.0), (0.0, 0.3), (0.05, 0.2)])
@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("biases", [False, True])
def test_penalties_match_pytorch_and_leave_all_but_weights_alone_or_biases_too(l1, l2, batch_norm, biases):
    settings = {"l1": l1, "l2": l2, "penalise_biases": biases, "batch_norm": batch_norm}
    network, x, y = problem([3, 5, 4, 2], 8, output="linear", **settings)
    network.parameters += 0.1       # biases among them
    norms = batch_norms(network) if batch_norm else None
    assert_agreement(ours(network, x, y), theirs(network, x, y, l1=l1, l2=l2, norms=norms))


def test_what_the_penalties_are_on_is_saved(tmp_path):
    network, x, y = problem([3, 4, 2], 8, output="linear", l2=0.2, penalise_biases=True)
    network.save(tmp_path / "network.npz")
    loaded = NeuralNetwork.load(tmp_path / "network.npz")
    assert loaded.penalise_biases
    np.testing.assert_array_equal(ours(loaded, x, y)[1]["db1"], ours(network, x, y)[1]["db1"])


def test_compute_loss_has_the_penalties_and_evaluate_has_not():
    network, x, y = problem([3, 4, 2], 8, output="linear", l1=0.1, l2=0.2)
    plain, _, _ = problem([3, 4, 2], 8, output="linear")
    total = sum(0.1 * np.abs(W).sum() + 0.1 * (W**2).sum() for W in network.weights)
    p = network.forward(x)["a2"]
    assert network.compute_loss(y, p) == pytest.approx(plain.compute_loss(y, p) + total, rel=1e-14)
    assert network.compute_loss(y, p) == pytest.approx(ours(network, x, y)[0], rel=1e-14)
    assert network.evaluate(x, y) == plain.compute_loss(y, p)


@pytest.mark.parametrize(("reduction", "divisor"), [("mean", 2 * 28.0), ("sum", 1.0)])
def test_evaluate_weighs_the_samples(reduction, divisor):
    network, x, y = problem([3, 4, 2], 8, output="linear", reduction=reduction)
    weights = np.arange(8.0)                            # which add up to 28; each sample has two terms
    expected = (weights * (network.forward(x)["a2"] - y) ** 2).sum() / divisor
    assert network.evaluate(x, y, weights) == pytest.approx(expected, rel=1e-14)
    assert network.evaluate(x, y, weights) != pytest.approx(network.evaluate(x, y), rel=1e-3)


# Dropout.


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_dropout_with_given_masks_matches_pytorch(activation):
    network, x, y = problem([3, 6, 5, 2], 9, activation, output="linear", dropout=[0.5, 0.25])
    masks = network.draw_masks(9, np.random.default_rng(1))
    assert all((mask == 0).any() and (mask > 0).any() for mask in masks)
    assert_agreement(ours(network, x, y, masks=masks), theirs(network, x, y, masks=masks))


def test_masks_drop_their_share_and_keep_the_mean():
    network = NeuralNetwork([2, 100, 50, 1], dropout=[0.2, 0.0])
    mask, none = network.draw_masks(1000, np.random.default_rng(0))
    assert none is None
    assert sorted(set(mask.flat)) == [0.0, 1.25]
    # 100,000 draws: the standard deviation of the share is 0.0013
    assert abs((mask == 0).mean() - 0.2) < 0.006


def test_without_masks_nothing_is_dropped():
    network, x, y = problem([3, 6, 2], 9, output="linear", dropout=0.5)
    plain, _, _ = problem([3, 6, 2], 9, output="linear")
    np.testing.assert_array_equal(network.forward(x)["a2"], plain.forward(x)["a2"])
    assert_agreement(ours(network, x, y), ours(plain, x, y), tolerance=0.0)


# Batch normalisation.


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_batch_normalisation_matches_pytorch(activation):
    network, x, y = problem([3, 6, 5, 2], 9, activation, output="linear", batch_norm=True)
    assert_agreement(ours(network, x, y), theirs(network, x, y, norms=batch_norms(network)))


def test_running_statistics_are_pytorch_s_after_each_batch():
    network, x, _ = problem([3, 6, 5, 2], 30, "relu", batch_norm=True)
    norms, named = batch_norms(network), leaves(network)
    for batch in np.split(x, 3, axis=1):
        network.update_statistics(network.forward(batch, training=True))
        logits_and_predictions(network, named, batch, norms=norms)
    for layer, norm in enumerate(norms):
        np.testing.assert_allclose(network.running_mean[layer][:, 0], norm.running_mean, rtol=1e-12)
        np.testing.assert_allclose(network.running_variance[layer][:, 0], norm.running_var, rtol=1e-12)
        norm.eval()
    _, p = logits_and_predictions(network, named, x, norms=norms)
    np.testing.assert_allclose(network.forward(x)["a3"], p.detach().T, rtol=1e-12)
    assert not np.allclose(network.forward(x)["a3"], network.forward(x, training=True)["a3"])


def test_the_gradient_of_a_pass_with_running_statistics_is_pytorch_s_in_eval_mode():
    network, x, y = problem([3, 6, 5, 2], 9, batch_norm=True, output="linear")
    norms = batch_norms(network)
    for layer, norm in enumerate(norms):
        network.running_mean[layer] += 0.1 * layer + 0.2
        network.running_variance[layer] *= 0.5
        norm.running_mean += 0.1 * layer + 0.2
        norm.running_var *= 0.5
        norm.eval()
    cache = network.forward(x)
    mine = network.compute_loss(y, cache["a3"]), network.backward(x, y, cache)
    assert_agreement(mine, theirs(network, x, y, norms=norms))


def test_training_moves_the_running_statistics_and_loss_and_gradient_does_not():
    network, x, y = problem([3, 6, 2], 20, "relu", batch_norm=True, output="linear")
    network.loss_and_gradient(network.parameters, x, y)
    assert not network.running_mean[0].any()
    norm, named = batch_norms(network)[0], leaves(network)
    network.train(x, y, 1e-12, epochs=3, on_epoch=lambda epoch, loss: None)
    for _ in range(3):
        logits_and_predictions(network, named, x, norms=[norm])
    # steps of 1e-12 move the parameters, and with them the statistics, hardly at all
    np.testing.assert_allclose(network.running_mean[0][:, 0], norm.running_mean, rtol=1e-9)
    np.testing.assert_allclose(network.running_variance[0][:, 0], norm.running_var, rtol=1e-9)


def test_one_sample_has_no_batch_statistics():
    network, x, y = problem([3, 6, 2], 1, batch_norm=True)
    assert network.forward(x)["a2"].shape == (2, 1)
    for call in (
        lambda: network.forward(x, training=True),
        lambda: network.loss_and_gradient(network.parameters, x, y),
        lambda: network.train(x, y, epochs=1),
    ):
        with pytest.raises(ValueError, match="x has one sample, of which batch normalisation knows"):
            call()


# All together, and the two ways to a gradient.


@pytest.mark.parametrize("dropout", [0.0, [0.5, 0.0, 0.2]])
@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("output", "loss"), OUTPUTS_AND_LOSSES[-6:])
def test_everything_at_once_matches_pytorch_by_both_ways(dropout, batch_norm, reduction, output, loss):
    activations = ["gelu", "relu", "elu"]
    network, x, y = problem(
        [3, 6, 5, 4, 2], 9, activations, output=output, loss=loss, reduction=reduction, l1=0.01, l2=0.1,
        dropout=dropout, batch_norm=batch_norm,
    )  # fmt: skip
    weights = np.random.default_rng(1).uniform(0, 2, 9)
    masks = network.draw_masks(9, np.random.default_rng(2))
    norms = batch_norms(network) if batch_norm else None
    expected = theirs(network, x, y, weights, masks, l1=0.01, l2=0.1, norms=norms)
    cache = network.forward(x, masks, training=batch_norm)
    by_cache = network.backward(x, y, cache, weights=weights)
    for name, array in ours(network, x, y, weights=weights, masks=masks)[1].items():
        np.testing.assert_array_equal(by_cache[name], array)
    assert_agreement((network.compute_loss(y, cache["a4"], weights), by_cache), expected)


# float32.


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize(
    ("activation", "output", "loss"),
    [
        *[(activation, "linear", "mean_squared_error") for activation in ACTIVATIONS],
        *[("relu", *pair) for pair in OUTPUTS_AND_LOSSES[-8:]],
    ],
)
def test_float32_matches_pytorch_s(batch_norm, activation, output, loss):
    settings = {"output": output, "loss": loss, "batch_norm": batch_norm, "dtype": np.float32, "l2": 0.1}
    network, x, y = problem([20, 30, 10], 64, activation, **settings)
    cache = network.forward(x, training=batch_norm)
    _, gradient = network.loss_and_gradient(network.parameters, x, y)
    assert {array.dtype for array in cache.values()} == {network.parameters.dtype, gradient.dtype}
    assert gradient.dtype == np.float32
    norms = batch_norms(network) if batch_norm else None
    assert_agreement(ours(network, x, y), theirs(network, x, y, l2=0.1, norms=norms), tolerance=1e-4)


def test_float32_training_stays_float32():
    settings = {"dropout": 0.2, "batch_norm": True, "l1": 1e-3, "dtype": "float32"}
    network, x, y = problem([3, 8, 2], 20, "relu", output="linear", **settings)
    losses = network.train(x, y, 0.01, epochs=5, batch_size=7, on_epoch=lambda epoch, loss: None)
    assert np.isfinite(losses).all()
    assert network.parameters.dtype == network.running_mean[0].dtype == np.float32
    assert network.forward(x.astype(np.float64))["a2"].dtype == np.float32


def test_what_float32_cannot_hold_is_refused():
    network = NeuralNetwork([1, 1], dtype=np.float32)
    with pytest.raises(ValueError, match="x holds inf at row 0, column 0"):
        network.forward([[1e300]])
    with pytest.raises(ValueError, match="weights holds inf"):
        network.weights[0] = [[1e300]]


# Whose arrays are whose.


def test_a_cache_and_a_gradient_stay_what_they_are_whatever_is_called_after():
    network, x, y = problem([3, 6, 5, 2], 9, "silu", dropout=0.5, batch_norm=True)
    masks = network.draw_masks(9, np.random.default_rng(0))
    cache = network.forward(x, masks, training=True)
    _, gradient = network.loss_and_gradient(network.parameters, x, y, masks=masks)
    kept = {name: array.copy() for name, array in cache.items()}, gradient.copy()
    first = network.backward(x, y, cache)
    named = {name: array.copy() for name, array in first.items()}
    network.forward(2 * x, training=True)
    network.evaluate(3 * x, y)
    network.loss_and_gradient(2 * network.parameters, 2 * x, y)
    network.backward(x, y, cache)
    for name, array in kept[0].items():
        np.testing.assert_array_equal(cache[name], array)
    np.testing.assert_array_equal(gradient, kept[1])
    for name, array in named.items():
        np.testing.assert_array_equal(first[name], array)


def test_writing_to_a_cache_or_a_gradient_changes_no_later_result():
    network, x, y = problem([3, 6, 2], 9)
    before = x.copy()
    expected = ours(network, x, y)
    for array in network.forward(x).values():
        array[...] = np.nan
    for array in network.backward(x, y, network.forward(x)).values():
        array[...] = np.nan
    network.loss_and_gradient(network.parameters, x, y)[1][...] = np.nan
    np.testing.assert_array_equal(x, before)
    assert_agreement(ours(network, x, y), expected, tolerance=0.0)


def test_a_call_within_a_call_gets_buffers_of_its_own():
    network, x, y = problem([3, 6, 2], 9, output="linear")
    twin, expected = copy.copy(network), ours(network, x, y)    # whose buffers are the same

    def tanh(z):
        assert_agreement(ours(twin, 2 * x, y), doubled, tolerance=0.0)
        return np.tanh(z)

    doubled = ours(twin, 2 * x, y)
    network.activation = tanh
    assert_agreement(ours(network, x, y), expected)


def test_copies_and_pickles_compute_the_same():
    network, x, y = problem([3, 6, 2], 9, ["gelu"], output="linear", dropout=0.5, batch_norm=True, l2=0.1)
    network.update_statistics(network.forward(x, training=True))
    for other in (copy.deepcopy(network), copy.copy(network), pickle.loads(pickle.dumps(network))):
        assert_agreement(ours(other, x, y), ours(network, x, y), tolerance=0.0)
        np.testing.assert_array_equal(other.forward(x)["a2"], network.forward(x)["a2"])


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("samples", [1, 2, 7])
def test_layout_and_batch_size_matter_to_rounding_only(order, samples):
    network, x, _ = problem([3, 6, 2], 7, output="linear")
    whole = network.forward(x)["a2"]
    part = network.forward(np.asarray(x[:, :samples], order=order))["a2"]
    np.testing.assert_allclose(part, whole[:, :samples], rtol=1e-14)


# Initialisation, and what is refused.


@pytest.mark.parametrize(("activation", "fans"), [("relu", 300), ("tanh", 600), ("gelu", 300)])
def test_the_first_weights_fit_the_activation(activation, fans):
    network = NeuralNetwork([300, 300, 10], activation, output="linear", rng=np.random.default_rng(0))
    # 90,000 draws: the variance's own spread is about √(2 / 90,000), half a percent
    assert network.weights[0].var() == pytest.approx(2 / fans, rel=0.03)
    assert network.weights[1].var() == pytest.approx(2 / 310, rel=0.1)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"activation": ["relu"]}, ValueError, "activation: expected 2 names, one a hidden layer, got 1"),
        ({"activation": ["relu", "softmax"]}, ValueError, r"activation\[1\]: expected one of 'sigmoid'"),
        ({"activation": None}, ValueError, "activation: expected one of 'sigmoid', .*; got None"),
        ({"layer_sizes": [2, 1], "activation": []}, ValueError, "output: expected a name"),
        ({"reduction": "none"}, ValueError, "reduction: expected one of 'mean', 'sum'; got 'none'"),
        ({"l1": -1.0}, ValueError, "^l1: expected a finite number of at least 0, got -1.0"),
        ({"l2": -1.0}, ValueError, "^l2: expected a finite number of at least 0, got -1.0"),
        ({"penalise_biases": 1}, TypeError, "penalise_biases: expected True or False, got 1"),
        ({"dropout": 1.0}, ValueError, r"dropout: expected a number in \[0, 1\), got 1.0"),
        ({"dropout": [0.5]}, ValueError, "dropout: expected 2 shares, one a hidden layer, got 1"),
        ({"dropout": [0.5, -0.1]}, ValueError, r"dropout\[1\]: expected a number in \[0, 1\), got -0.1"),
        ({"batch_norm": 1}, TypeError, "batch_norm: expected True or False, got 1"),
        ({"dtype": np.float16}, ValueError, "dtype: expected np.float64 or np.float32, got <class"),
    ],
)
def test_settings_out_of_range_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        NeuralNetwork(**{"layer_sizes": [2, 3, 4, 1], **arguments})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": np.ones(4)}, r"weights: expected shape \(5,\), got \(4,\)"),
        ({"weights": [1, 1, -1, 1, 1]}, "weights holds -1.0 at index 2; expected at least 0"),
        ({"weights": [1, 1, np.nan, 1, 1]}, "weights holds nan at index 2"),
        ({"weights": np.zeros(5)}, "weights: expected some weight above 0"),
        ({"masks": [None]}, "masks: expected a list of 2, a mask or None for each hidden layer"),
        ({"masks": np.ones((3, 5))}, "masks: expected a list of 2"),
        ({"masks": [None, np.ones((3, 5))]}, r"masks\[1\]: expected shape \(4, 5\), got \(3, 5\)"),
    ],
)
def test_wrong_weights_and_masks_are_refused(options, message):
    network, x, y = problem([2, 3, 4, 1], 5)
    with pytest.raises(ValueError, match=message):
        network.loss_and_gradient(network.parameters, x, y, **options)


def test_hinge_targets_are_signs():
    network = NeuralNetwork([2, 1], output="linear", loss="hinge")
    message = r"y holds 0.0 at row 0, column 1; expected -1 or 1, .*pass 2 \* y - 1"
    with pytest.raises(ValueError, match=message):
        network.loss_and_gradient(network.parameters, np.ones((2, 2)), [[1, 0]])


def test_one_activation_of_layers_that_differ_is_nobody_s():
    network = NeuralNetwork([2, 3, 4, 1], ["relu", "tanh"])
    assert network.activation_name is None
    for call in (network.activation, network.activation_derivative):
        with pytest.raises(ValueError, match=r"the hidden layers have different ones, \['relu', 'tanh'\]"):
            call(np.ones((1, 1)))


def test_training_s_gradient_is_the_one_array_written_anew():
    network, x, y = problem([3, 6, 2], 9)
    gradients = []
    engine = own_engine(network, np.random.default_rng(0))
    for factor in (1.0, 2.0):
        gradients.append(engine(network.parameters, factor * x, y)[1])
        expected = network.loss_and_gradient(network.parameters, factor * x, y)[1]
        np.testing.assert_array_equal(gradients[-1], expected)
    assert gradients[0] is gradients[1]
    assert training.all_finite(gradients[0])
