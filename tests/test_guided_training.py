"""Training by another engine than the network's own: what it must have in common with the network."""

import numpy as np
import pytest

from nn import L1, L2, MLP, LiftedEngine, NeuralNetwork, ScalarEngine

X = np.random.default_rng(0).normal(size=(2, 12))
Y = (X[:1] > 0).astype(float)
QUIET = {"epochs": 1, "progress": False}

OURS = {"loss": "binary_cross_entropy", "l2": 0.1, "dropout": 0.25, "batch_norm": True}


def network():
    return NeuralNetwork([2, 4, 1], "tanh", output="sigmoid", **OURS, rng=np.random.default_rng(0))


def engine(kind, layers=(4, 1), activation="tanh", output="sigmoid", **changes):
    options = {"dropout": 0.25, "batch_norm": True, "loss": "binary_cross_entropy", "penalties": [L2(0.1)]}
    options |= {"reduction": "mean", "penalise_biases": False, **changes}
    model = MLP(2, layers, activation, output, dropout=options["dropout"], batch_norm=options["batch_norm"])
    objective = {name: options[name] for name in ("loss", "reduction", "penalties", "penalise_biases")}
    return kind(model, **objective)


@pytest.mark.parametrize("kind", [ScalarEngine, LiftedEngine])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": (5, 1)}, r"layer sizes \[2, 5, 1\], not \[2, 4, 1\]"),
        ({"activation": "relu"}, r"activations \['relu', 'sigmoid'\], not \['tanh', 'sigmoid'\]"),
        ({"loss": "mean_squared_error"}, "loss mean_squared_error, not binary_cross_entropy"),
        ({"output": "linear", "loss": "hinge"}, r"activations .*'linear'\], not .*; loss hinge, not binary"),
        ({"reduction": "sum"}, "reduction sum, not mean"),
        ({"penalties": []}, r"penalties \[\], not \['L2\(strength=0.1\)'\]"),
        ({"penalties": [L1(0.1)]}, r"penalties \['L1\(strength=0.1\)'\], not \['L2"),
        ({"penalise_biases": True}, r"penalties of biases \['L2\(strength=0.1\)'\], not \[\]"),
        ({"dropout": 0.5}, r"dropout \[0.5\], not \[0.25\]"),
        ({"batch_norm": False}, "batch_norm False, not True"),
    ],
)
def test_an_engine_for_another_problem_is_refused_by_name_of_what_differs(kind, changes, message):
    net = network()
    before = net.parameters.copy()
    with pytest.raises(ValueError, match=f"engine: it is for another network than this one: {message}"):
        net.train(X, Y, engine=engine(kind, **changes), **QUIET)
    np.testing.assert_array_equal(net.parameters, before)


def test_an_engine_for_the_same_problem_is_not_refused():
    for net, guide in [
        (network(), engine(ScalarEngine)),
        (network(), engine(LiftedEngine, activation=["tanh"], dropout=[0.25])),     # the same, one a layer
        (network(), engine(ScalarEngine, penalties=[L2(0.1), L1(0.0)])),            # 0 is no penalty
    ]:
        assert len(net.train(X, Y, engine=guide, **QUIET)) == 1


class Gives:
    """An engine that returns this."""

    def __init__(self, given):
        self.given = given

    def loss_and_gradient(self, parameters, x, y):
        return self.given


@pytest.mark.parametrize(
    ("guide", "error", "message"),
    [
        (5, TypeError, r"expected an object with loss_and_gradient\(parameters, x, y\), such as .*got int 5"),
        (np.sum, TypeError, "expected an object with loss_and_gradient"),
        (Gives(None), TypeError, r"return a number and a vector of shape \(5,\), got NoneType None"),
        (Gives(1.0), TypeError, "got float 1.0"),
        (Gives(("1", np.zeros(5))), TypeError, "got str '1' as the loss"),
        (Gives((np.ones(2), np.zeros(5))), TypeError, "got ndarray .* as the loss"),
        (Gives((1.0, [0.0] * 5)), TypeError, "got list .*; make it an array of floats"),
        (Gives((1.0, np.zeros(5, int))), TypeError, "got ndarray .*; make it an array of floats"),
        (Gives((1.0, np.zeros((5, 1)))), ValueError, r"of shape \(5,\), got one of shape \(5, 1\)"),
        (Gives((1.0, np.zeros(4))), ValueError, r"of shape \(5,\), got one of shape \(4,\)"),
    ],
)
def test_what_is_no_engine_or_gives_no_loss_and_gradient_is_refused(guide, error, message):
    net = NeuralNetwork([2, 1, 1])
    before = net.parameters.copy()
    with pytest.raises(error, match=f"engine: .*{message}"):
        net.train(X, Y, engine=guide, **QUIET)
    np.testing.assert_array_equal(net.parameters, before)


def test_an_engine_s_numbers_may_be_another_library_s():
    net = NeuralNetwork([2, 1, 1])
    before = net.parameters.copy()
    history = net.train(X, Y, 0.5, engine=Gives((np.float32(2.0), np.ones(5, np.float32))), **QUIET)
    assert history == [2.0]
    np.testing.assert_array_equal(net.parameters, before - 0.5)
