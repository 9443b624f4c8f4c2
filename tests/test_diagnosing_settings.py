"""The diagnosis under labels, sample weights, masks, penalties, float32 and batch normalisation."""

import re
from dataclasses import replace

import numpy as np
import pytest
from learners import SLOPES, Case, forward, passes, random_case, right
from planted import MISTAKES, diagnosed, named, plantings

from nn import NeuralNetwork, diagnose, one_hot

SINGLE = [  # kinds that need no more digits than float32 has
    "constant factor", "opposite sign", "transposed", "missing derivative", "derivative at a",
    "bias not summed", "first sample only", "derivative twice", "wrong derivative",
    "statistics as constants", "gamma and beta exchanged",
]  # fmt: skip


def random_setting(seed, **options):
    """A random case with weights, masks and penalties, each sometimes."""
    rng = np.random.default_rng([3, seed])
    case = random_case(rng, **options)
    widths = case.network.layer_sizes[1:-1]
    masks = {n: (rng.random((width, case.m)) < 0.8) / 0.8 for n, width in enumerate(widths, start=1)}
    weights = rng.uniform(0.0, 3.0, size=case.m)
    strengths = {"l1": 0.02, "l2": 0.3} if rng.random() < 0.5 else {}
    return replace(
        case,
        masks=masks if rng.random() < 0.5 else {},
        weights=weights if rng.random() < 0.5 else None,
        **strengths,
    )


def diagnosis_of(candidate, case, **context):
    return diagnose(candidate, case.network, case.x, case.y, **case.context(), **context)


# Labels.


def labelled(seed=0):
    rng = np.random.default_rng(seed)
    network = NeuralNetwork([3, 5, 3], "tanh", output="softmax", loss="cross_entropy", rng=rng)
    return network, rng.normal(size=(3, 11)), rng.integers(0, 3, size=11)


def test_labels_are_targets_for_a_network_a_function_and_a_dict():
    network, x, labels = labelled()

    def function(x, y):
        assert y is labels
        return network.backward(x, y, network.forward(x))

    for candidate in (network, function, function(x, labels)):
        assert diagnose(candidate, network, x, labels).ok


def test_a_mistake_is_the_same_one_under_labels_and_under_one_hot_targets():
    network, x, labels = labelled()
    summed = {name: 11 * g for name, g in network.backward(x, labels, network.forward(x)).items()}
    by_labels, by_columns = (diagnose(summed, network, x, y) for y in (labels, one_hot(labels, 3)))
    assert by_labels == by_columns
    assert [cause.kind for cause in by_labels.causes] == ["constant factor"]


def test_labels_that_the_network_has_no_class_for_are_refused():
    network, x, labels = labelled()
    with pytest.raises(ValueError, match="expected classes 0 to 2, got 3"):
        diagnose({}, network, x, np.where(labels == 0, 3, labels))


# Weights and masks.


@pytest.mark.parametrize("normalised", [False, True])
def test_a_right_gradient_is_not_accused_under_weights_masks_penalties_and_normalisation(normalised):
    for seed in range(60):
        case = random_setting(seed, normalised=normalised)
        diagnosis = diagnosis_of(right(case), case)
        assert diagnosis.ok, (seed, diagnosis)


def test_the_masks_of_draw_masks_are_taken_as_compare_gradients_takes_them():
    rng = np.random.default_rng(0)
    network = NeuralNetwork([2, 5, 4, 1], "tanh", dropout=[0.0, 0.5], rng=rng)
    x, y = rng.normal(size=(2, 6)), rng.normal(size=(1, 6))
    masks, weights = network.draw_masks(6, rng), rng.uniform(size=6)
    assert masks[0] is None
    assert diagnose(network, network, x, y, masks=masks, weights=weights).ok
    without = network.backward(x, y, network.forward(x))
    assert not diagnose(without, network, x, y, masks=masks, weights=weights).ok


def test_weights_that_were_left_out_are_named_and_weights_that_were_counted_are_not():
    case = random_case(np.random.default_rng(1), normalised=False, samples=5)
    case = replace(case, weights=np.arange(1.0, case.m + 1))
    assert diagnosis_of(right(case), case).ok
    (cause,) = diagnosis_of(right(replace(case, weights=None)), case).causes
    assert cause.kind == "sample weights missing"
    assert "* weights / weights.sum()" in cause.mend


def test_a_weighted_mean_that_is_not_taken_or_is_divided_by_m_is_called_what_it_is():
    case = random_case(np.random.default_rng(1), normalised=False, samples=5)
    case = replace(case, weights=np.linspace(0.3, 2.1, case.m))
    total = case.weights.sum()
    for factor, words in (
        (total, "the weighted mean's 1/weights.sum() is missing"),
        (total / case.m, "it is divided by m once too often, the weighted mean's 1/weights.sum() is missing"),
    ):
        wrong = {name: factor * g for name, g in right(case).items()}
        (cause,) = diagnosis_of(wrong, case).causes
        assert (cause.kind, cause.places) == ("constant factor", (f"dz{case.top}",))
        assert words in cause.says


# float32.


@pytest.mark.parametrize("normalised", [False, True])
def test_a_right_reference_in_float32_is_not_accused_and_neither_is_its_gradient(normalised):
    for seed in range(60):
        case = random_setting(seed, normalised=normalised)
        settings = case.network.architecture() | {"dtype": np.float32, "l1": case.l1, "l2": case.l2}
        network = NeuralNetwork(**settings)
        network.parameters = case.network.parameters
        asked = {"masks": case.context()["masks"], "weights": case.weights}
        assert diagnose(network, network, case.x, case.y, **asked).ok, seed


def test_a_float32_network_that_has_learnt_is_not_accused_for_the_noise_that_is_left():
    rng = np.random.default_rng(0)
    network = NeuralNetwork([3, 2], "linear", dtype=np.float32, rng=rng)
    x, y = rng.normal(size=(3, 20)), rng.normal(size=(2, 20))
    network.parameters = np.linalg.lstsq(np.vstack([x, np.ones(20)]).T, y.T, rcond=None)[0].T.ravel()
    gradients = network.backward(x, y, network.forward(x))
    assert max(np.abs(g).max() for g in gradients.values()) < 1e-6
    assert diagnose(gradients, network, x, y).ok


def test_a_float32_reference_with_an_activation_of_its_own_is_not_accused():
    class Own(NeuralNetwork):
        def activation(self, z):
            return np.arctan(z)

        def activation_derivative(self, z):
            return 1 / (1 + z * z)

    network = Own([3, 5, 4, 1], dtype=np.float32, rng=np.random.default_rng(0))
    x, y = np.random.default_rng(1).normal(size=(3, 9)), np.ones((1, 9))
    assert diagnose(network, network, x, y).ok
    wrong = network.backward(x, y, network.forward(x))
    (cause,) = diagnose(wrong | {"dW1": 2 * wrong["dW1"]}, network, x, y).causes
    assert (cause.kind, cause.places) == ("constant factor", ("dW1",))


@pytest.mark.parametrize("kind", SINGLE)
def test_planted_mistakes_are_named_by_a_reference_in_float32(kind):
    found = [(planting, diagnosed(planting, "float32")) for planting in plantings(kind, 10)]
    hits = [any(named(planting, kind, story) for story in (d.causes, *d.also)) for planting, d in found]
    assert sum(hits) >= 9


# Batch normalisation.


def normalised_case(**options):
    rng = np.random.default_rng(5)
    network = NeuralNetwork([3, 4, 3, 2], "tanh", output="linear", batch_norm=True, rng=rng, **options)
    network.parameters = rng.normal(size=network.parameters.size)
    return Case(network, rng.normal(size=(3, 7)), rng.normal(size=(2, 7)))


def causes(diagnosis):
    return [(cause.kind, cause.places) for cause in diagnosis.causes]


def test_every_array_of_a_normalised_network_has_a_finding_in_the_order_of_the_pass():
    case = normalised_case()
    diagnosis = diagnosis_of(case.network, case)
    assert diagnosis.ok
    assert [finding.name for finding in diagnosis.findings] == [
        "dW2", "db2", "dbeta1", "dgamma1", "dW1", "db1", "dbeta0", "dgamma0", "dW0", "db0",
    ]  # fmt: skip


def test_what_is_wrong_above_a_normalisation_is_told_from_what_is_wrong_in_it():
    case = normalised_case()
    above = passes(case, slope=lambda layer, _: 1.0 if layer == 2 else None)[0]
    diagnosis = diagnosis_of(above, case)
    assert causes(diagnosis) == [("missing derivative", ("du2",))]
    rows = {finding.name: (finding.made, finding.inherited) for finding in diagnosis.findings}
    assert rows["dgamma1"] == rows["dbeta1"] == ((1,), ())
    assert rows["dW1"] == rows["dgamma0"] == ((), (1,))
    assert rows["dW2"] == rows["db1"] == ((), ())  # db1 is all rounding, either way


def test_statistics_taken_for_constants_show_in_a_bias_gradient_that_ought_to_be_0():
    case = normalised_case()

    def constants(layer, du, cache):
        return case.network.gammas[layer - 1] / np.sqrt(cache[f"variance{layer}"] + 1e-5) * du

    diagnosis = diagnosis_of(passes(case, norm=constants)[0], case)
    assert causes(diagnosis) == [("statistics as constants", ("dz2", "dz1"))]
    assert "takes mean and variance for constants" in diagnosis.causes[0].says
    assert {"db1", "db0", "dW1", "dW0", "dgamma0"} <= set(diagnosis.causes[0].arrays)
    assert "dgamma1" not in diagnosis.causes[0].arrays


def test_where_rounding_is_all_that_an_array_holds_a_mistake_is_told_once():
    """db1 is rounding with the mistake in dz1 and with one in dW0 alone; the second is not worth telling."""
    case = normalised_case()

    def constant_variance(layer, du, cache):
        s = case.network.gammas[layer - 1] / np.sqrt(cache[f"variance{layer}"] + 1e-5)
        return s * (du - du.mean(axis=1, keepdims=True)) if layer == 1 else None

    diagnosis = diagnosis_of(passes(case, norm=constant_variance)[0], case)
    assert causes(diagnosis) == [("statistics as constants", ("dz1",))]
    assert diagnosis.also == ()


def test_a_forward_pass_in_use_and_not_in_training_is_told():
    case = normalised_case()
    in_use = case.network.backward(case.x, case.y, case.network.forward(case.x))
    diagnosis = diagnosis_of(in_use, case)
    assert {cause.kind for cause in diagnosis.causes} == {"running statistics"}
    assert "training=True" in diagnosis.causes[0].mend


def test_a_variance_with_another_divisor_is_honestly_unknown():
    """Mistakes in the forward pass are another function's, which no backward pass explains."""
    case = normalised_case()
    cache = forward(case)
    cache["normal1"] = cache["normal1"] * np.sqrt(6 / 7)
    diagnosis = diagnosis_of(passes(case, cache=cache)[0], case)
    gamma = next(finding for finding in diagnosis.findings if finding.name == "dgamma0")
    assert not gamma.ok
    assert [finding.name for finding in diagnosis.findings if not finding.ok] == ["dgamma0"]
    assert "0.92582 times the true one: no count" in diagnosis.causes[0].says


def test_one_sample_has_no_statistics_of_its_own():
    case = normalised_case()
    with pytest.raises(ValueError, match="x has one sample"):
        diagnose({}, case.network, case.x[:, :1], case.y[:, :1])


def test_an_own_activation_with_normalisation_is_refused_by_name():
    class Own(NeuralNetwork):
        def activation(self, z):
            return np.tanh(z)

    network = Own([2, 3, 1], batch_norm=True)
    with pytest.raises(ValueError, match="expected an activation of this package"):
        diagnose({}, network, np.ones((2, 3)), np.ones((1, 3)))


# Layers of different activations.


def test_the_sigmoids_formula_under_a_tanh_beside_other_activations_is_told():
    rng = np.random.default_rng(0)
    network = NeuralNetwork([3, 4, 5, 1], ["tanh", "gelu"], output="linear", rng=rng)
    x, y = rng.normal(size=(3, 6)), rng.normal(size=(1, 6))
    cache = network.forward(x)
    dz = network.weights[2].T @ (2 * (cache["a3"] - y) / y.size) * SLOPES["gelu"](cache["z2"])
    dz = network.weights[1].T @ dz * cache["a1"] * (1 - cache["a1"])
    right_above = network.backward(x, y, cache)
    wrong = right_above | {"dW0": dz @ x.T, "db0": dz.sum(axis=1, keepdims=True)}
    (cause,) = diagnose(wrong, network, x, y).causes
    assert (cause.kind, cause.places) == ("wrong derivative", ("dz1",))
    assert cause.says == "dz1 takes a1 (1 - a1) for tanh'(z1): that is sigmoid', where a is sigmoid's."


# A candidate that moves.


def test_a_candidate_that_steps_through_the_references_own_weights_is_found_out():
    """It updates each layer before it goes down through it, and the reference is the network it updates."""
    rng = np.random.default_rng(0)
    network = NeuralNetwork([3, 4, 1], "tanh", output="linear", rng=rng)
    x, y = rng.normal(size=(3, 6)), rng.normal(size=(1, 6))

    def trains_as_it_goes(x, y):
        cache, gradients = network.forward(x), {}
        dz = 2 * (cache["a2"] - y) / y.size
        for layer in (1, 0):
            gradients[f"dW{layer}"] = dz @ cache[f"a{layer}"].T
            gradients[f"db{layer}"] = dz.sum(axis=1, keepdims=True)
            network.weights[layer] -= 0.25 * gradients[f"dW{layer}"]
            dz = network.weights[layer].T @ dz * (1 - cache[f"a{layer}"] ** 2)
        return gradients

    (cause,) = diagnose(trains_as_it_goes, network, x, y).causes
    assert (cause.kind, cause.places) == ("updated weights", ("dz1",))
    assert "W1 - 0.25 * dW1, weights that this step has already updated" in cause.says


def test_what_makes_no_difference_leaves_room_for_what_does():
    """Of a linear output no derivative can be missing, and no story of such mistakes is followed."""
    rng = np.random.default_rng(1)
    network = NeuralNetwork([2, 5, 2, 3, 3], "tanh", output="linear", loss="mean_absolute_error", rng=rng)
    network.parameters = rng.normal(size=network.parameters.size)
    case = Case(network, rng.normal(size=(2, 6)), rng.normal(size=(3, 6)))
    updated = passes(case, down=lambda W, dW: W - 0.01 * dW)[0]
    assert causes(diagnosis_of(updated, case)) == [("updated weights", ("dz3", "dz2", "dz1"))]


def test_the_new_kinds_say_what_they_have_seen():
    """One sentence of each, so that a change of words is noticed."""
    words = {
        "derivative twice": r"which cancels in the error of|twice",
        "penalty on biases": "the loss's penalty is on weights alone",
        "one sample skipped": "without one sample of|leaves out the",
        "first sample only": "the first sample",
        "wrong normalisation": "normalisation|factor gamma|divided by|sums over the samples",
        "gamma and beta exchanged": "the gradient of the other one",
        "another factor of gamma": r"for du\d \* normal\d",
    }
    for kind, pattern in words.items():
        for planting in plantings(kind, 5):
            told = [cause.says for cause in diagnosed(planting).causes if cause.kind == kind]
            assert told
            assert all(re.search(pattern, says) for says in told), told
    assert set(words) < set(MISTAKES)


# Penalties on biases.


def penalised_biases(seed, **strengths):
    rng = np.random.default_rng([7, seed])
    network = NeuralNetwork([3, 5, 4, 2], "tanh", output="linear", **strengths, penalise_biases=True, rng=rng)
    network.parameters = rng.normal(size=network.parameters.size)
    return network, rng.normal(size=(3, 6)), rng.normal(size=(2, 6))


@pytest.mark.parametrize("seed", range(5))
def test_a_right_gradient_with_a_penalty_on_biases_is_not_accused(seed):
    network, x, y = penalised_biases(seed, l1=0.02, l2=0.3)
    assert diagnose(network.backward(x, y, network.forward(x)), network, x, y).ok


def test_biases_without_their_penalty_are_named_with_the_right_line():
    network, x, y = penalised_biases(0, l2=0.3)
    gradients = network.backward(x, y, network.forward(x))
    found = diagnose({**gradients, "db1": gradients["db1"] - 0.3 * network.biases[1]}, network, x, y)
    (cause,) = found.causes
    assert (cause.kind, cause.places) == ("penalty missing", ("db1",))
    assert "db1 = dz2.sum(axis=1, keepdims=True) + 0.3 * b1" in str(found)


def test_a_bias_over_the_wrong_part_keeps_its_penalty():
    network, x, y = penalised_biases(1, l2=0.3)
    gradients = network.backward(x, y, network.forward(x))
    doubled = gradients["db2"] * 2.0 - 0.3 * network.biases[2]          # the data's part twice
    (cause,) = diagnose({**gradients, "db2": doubled}, network, x, y).causes
    assert (cause.kind, cause.places) == ("constant factor", ("db2",))


def test_weights_whose_mean_is_forgotten_beside_their_penalty_are_one_mistake():
    network, x, y = penalised_biases(2, l2=0.3)
    gradients = network.backward(x, y, network.forward(x))
    summed = 6 * (gradients["dW1"] - 0.3 * network.weights[1]) + 0.3 * network.weights[1]       # 6 samples
    found = diagnose({**gradients, "dW1": summed}, network, x, y)
    (cause,) = found.causes
    assert (cause.kind, cause.places) == ("constant factor", ("dW1",))
    assert "but for the penalty, = 6 in all 20 entries of dW1" in cause.evidence


def test_true_arrays_alone_show_gamma_and_beta_exchanged():
    rng = np.random.default_rng(4)
    true = {name: rng.normal(size=(3, 1)) for name in ("dgamma0", "dbeta0", "db0")}
    given = {**true, "dgamma0": true["dbeta0"], "dbeta0": true["dgamma0"]}
    (cause,) = diagnose(given, true).causes
    assert (cause.kind, set(cause.places)) == ("gamma and beta exchanged", {"dgamma0", "dbeta0"})
