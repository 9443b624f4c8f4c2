"""The diagnosis: planted mistakes are named, right gradients are not accused, and what is shown is true."""

import re

import numpy as np
import pytest
from learners import SLOPES, VALUES, Case, forward, passes, random_case, right
from planted import MISTAKES, diagnosed, named, plantings
from planting import differing

from autograd import check_gradients
from nn import MLP, NeuralNetwork, diagnose

ENOUGH = 20  # plantings of each kind; `python -m tests.planted 500` counts more


def network_of(sizes, activation="sigmoid", seed=0, **options):
    rng = np.random.default_rng(seed)
    network = NeuralNetwork(sizes, activation, rng=rng, **options)
    network.parameters = rng.normal(size=network.parameters.size)
    return network


def case_of(sizes=(2, 3, 4, 1), activation="sigmoid", m=6, seed=0, **options):
    network = network_of(sizes, activation, seed, **options)
    rng = np.random.default_rng(seed + 1)
    return Case(network, rng.normal(size=(sizes[0], m)), rng.uniform(0.1, 0.9, size=(sizes[-1], m)))


def diagnosis_of(gradients, case, **context):
    return diagnose(gradients, case.network, case.x, case.y, **context)


def causes(diagnosis):
    return [(cause.kind, cause.places) for cause in diagnosis.causes]


def times(factor, gradients):
    return {name: factor * gradient for name, gradient in gradients.items()}


# The witnesses: the passes that plant the mistakes are right where they plant none.


@pytest.mark.parametrize("seed", range(6))
def test_the_learners_pass_is_the_gradient_of_its_loss_with_penalty_and_dropout(seed):
    rng = np.random.default_rng(seed)
    case = random_case(rng, ends=[("mean_squared_error", "sigmoid"), ("mean_squared_error", "tanh")], deep=2)
    masks = {1: rng.integers(0, 2, size=(case.network.layer_sizes[1], case.m)) / 0.5}
    case = Case(case.network, case.x, case.y, masks, l1=0.02, l2=0.3)
    weights = {f"dW{n}": np.array(W) for n, W in enumerate(case.network.weights)}

    def loss(parameters):
        for n in range(case.top):
            case.network.weights[n] = parameters[f"dW{n}"]
        data = np.mean((forward(case)[f"a{case.top}"] - case.y) ** 2)
        penalties = [0.02 * np.abs(W).sum() + 0.15 * (W**2).sum() for W in parameters.values()]
        return float(data + sum(penalties))

    def gradient(parameters):
        loss(parameters)
        return {name: g for name, g in right(case).items() if name in weights}

    check_gradients(loss, weights, gradient=gradient).assert_ok()


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_planted_mistake_makes_a_difference_to_the_networks_own_gradient(kind):
    planting = next(plantings(kind, 1))
    case = planting.case
    if not case.l1 and not case.l2:
        masks, training = case.context()["masks"], case.network.batch_norm
        cache = case.network.forward(case.x, masks, training=training)
        own = case.network.backward(case.x, case.y, cache, weights=case.weights)
        for name, gradient in right(case).items():
            np.testing.assert_allclose(gradient, own[name], rtol=1e-9, atol=1e-12)
    assert differing(case, planting.gradients)


# Planted mistakes are named.


@pytest.mark.parametrize("kind", MISTAKES)
def test_planted_mistakes_are_named_where_they_are_at_least_19_times_in_20(kind):
    hits = sum(named(planting, kind, diagnosed(planting).causes) for planting in plantings(kind, ENOUGH))
    assert hits >= 0.95 * ENOUGH


@pytest.mark.parametrize("kind", ["constant factor", "transposed", "missing derivative", "stale", "unknown"])
def test_so_are_they_in_float32(kind):
    """Below a normalisation of a few samples, float32 has no digits of what is left; hence without one."""
    plain = [planting for planting in plantings(kind, 15) if not planting.case.network.batch_norm]
    found = [(planting, diagnosed(planting, "float32", "float64")) for planting in plain]
    hits = [
        any(named(planting, kind, causes) for causes in (d.causes, *d.also)) for planting, d in found
    ]
    assert sum(hits) >= 0.9 * len(hits)
    assert len(hits) >= 10


@pytest.mark.parametrize(
    "kind", ["missing derivative", "derivative at a", "transposed", "bias not summed", "neighbour layer"]
)
def test_two_mistakes_at_once_are_both_named(kind):
    hits, count = 0, 0
    for planting in plantings(kind, 15):
        visible = any(g.any() for g in right(planting.case).values())
        if visible and planting.case.m > 2:  # for m = 2 the factor has two names
            wrong = times(planting.case.m, planting.gradients)
            diagnosis = diagnosis_of(wrong, planting.case)
            kinds = [{cause.kind for cause in causes} for causes in (diagnosis.causes, *diagnosis.also)]
            hits += {kind, "constant factor"} in kinds
            count += 1
    assert hits >= 0.9 * count
    assert count >= 8


# A right gradient is never accused.


def test_right_gradients_are_never_accused():
    for seed in range(100):
        case = random_case(np.random.default_rng(seed))
        diagnosis = diagnosis_of(right(case), case)
        assert diagnosis.ok, diagnosis
        assert diagnosis.causes == ()
        assert all(finding.ok for finding in diagnosis.findings)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradients_that_were_computed_in_float32_are_not_accused(dtype):
    for seed in range(60):
        case = random_case(np.random.default_rng(seed))
        case.network.parameters = case.network.parameters.astype(np.float32)
        single = Case(case.network, case.x.astype(np.float32), case.y.astype(np.float32))
        rounded = {name: np.asarray(g, np.float32).astype(dtype) for name, g in right(single).items()}
        diagnosis = diagnosis_of(rounded, single)
        assert diagnosis.ok, diagnosis


def test_numerical_gradients_are_not_accused():
    case = case_of()
    theta, numeric = case.network.parameters.copy(), np.empty(case.network.parameters.size)
    for i, step in enumerate(1e-5 * np.eye(theta.size)):
        up, down = (case.network.loss_and_gradient(theta + s, case.x, case.y)[0] for s in (step, -step))
        numeric[i] = (up - down) / 2e-5
    diagnosis = diagnosis_of(case.network.named_gradients(numeric), case)
    assert diagnosis.ok
    assert "numerical derivative" in diagnosis.notes[0]


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_saturated_neurons_whose_derivatives_have_no_digits_are_not_accused(activation):
    for seed in range(20):
        case = random_case(np.random.default_rng(seed), hidden=activation)
        case.network.parameters = 8 * case.network.parameters
        assert diagnosis_of(right(case), case).ok, seed  # e⁻ᶻ/(1 + e⁻ᶻ)² there, a (1 - a) in the network


def test_the_noise_that_is_left_at_a_minimum_is_not_accused():
    """A least-squares fit: the true gradient is 0, and either side's is rounding."""
    rng = np.random.default_rng(0)
    network = NeuralNetwork([3, 2], "linear", rng=rng)
    x, y = rng.normal(size=(3, 20)), rng.normal(size=(2, 20))
    fit = np.linalg.lstsq(np.vstack([x, np.ones(20)]).T, y.T, rcond=None)[0].T
    network.parameters = fit.ravel()
    case = Case(network, x, y)
    wrong = right(Case(network, x[:, ::-1], y[:, ::-1]))
    assert np.abs(wrong["dW0"]).max() < 1e-14
    assert diagnosis_of(wrong, case).ok


def test_penalties_and_masks_that_are_counted_are_not_accused():
    case = case_of()
    masks = {1: np.array([[0.0], [2.0], [2.0]]) * np.ones((3, 6))}
    case = Case(case.network, case.x, case.y, masks, l1=0.02, l2=0.3)
    assert diagnosis_of(right(case), case, **case.context()).ok
    assert not diagnosis_of(right(case), case).ok  # they are another loss's


@pytest.mark.parametrize("seed", range(8))
def test_a_mistake_that_makes_no_difference_is_not_claimed(seed):
    rng = np.random.default_rng(seed)
    case = random_case(rng, hidden="relu")
    at_a = passes(case, slope=lambda n, cache: SLOPES["relu"](cache[f"a{n}"]))[0]  # a > 0 where z > 0
    assert diagnosis_of(at_a, case).ok


def test_dead_relus_hide_a_missing_derivative_below_them():
    case = case_of((2, 3, 3, 1), "relu", output="linear")
    case.network.biases[1] = np.full((3, 1), -100.0)
    below = passes(case, slope=lambda n, _: 1.0 if n == 1 else None)[0]
    assert diagnosis_of(below, case).ok
    everywhere = passes(case, slope=lambda *_: 1.0)[0]
    assert ("missing derivative", ("dz2", "dz1")) in causes(diagnosis_of(everywhere, case))


# What it says.


def test_the_root_is_named_once_and_what_lies_below_follows():
    case = case_of()
    diagnosis = diagnosis_of(passes(case, slope=lambda n, _: 1.0 if n == 2 else None)[0], case)
    assert causes(diagnosis) == [("missing derivative", ("dz2",))]
    rows = [(f.name, f.made, f.inherited) for f in diagnosis.findings]
    assert rows == [
        ("dW2", (), ()), ("db2", (), ()),
        ("dW1", (1,), ()), ("db1", (1,), ()),
        ("dW0", (), (1,)), ("db0", (), (1,)),
    ]  # fmt: skip
    assert diagnosis.story == "4 of 6 arrays are wrong, by 1 mistake. Begin with dz2."


def test_a_factor_in_one_array_stays_there():
    case = case_of()
    gradients = right(case)
    diagnosis = diagnosis_of(gradients | {"dW1": -2 * gradients["dW1"]}, case)
    assert causes(diagnosis) == [("opposite sign", ("dW1",)), ("constant factor", ("dW1",))]
    assert [f.name for f in diagnosis.findings if not f.ok] == ["dW1"]


@pytest.mark.parametrize(
    ("factor", "says"),
    [
        (32, "dz3 is 32 = m times the true one: the mean's 1/m is missing."),
        (1 / 32, "dz3 is 0.03125 = 1/m times the true one: it is divided by m once too often."),
        (2, "dz3 is 2 times the true one: a 2 too many."),
        (0.5, "dz3 is 0.5 = 1/2 times the true one: a 2 is missing."),
        (16, "dz3 is 16 = m/2 times the true one: a 2 is missing, the mean's 1/m is missing."),
        (3, "dz3 is 3 = outputs times the true one: the mean's 1/outputs is missing."),
        (0.37, "dz3 is 0.37 times the true one: no count of samples or outputs."),
    ],
)
def test_a_factor_is_called_what_it_is(factor, says):
    case = case_of((2, 3, 4, 3), m=32)
    diagnosis = diagnosis_of(times(factor, right(case)), case)
    assert [cause.says for cause in diagnosis.causes] == [says]
    assert diagnosis.causes[0].evidence.startswith(f"yours / true = {factor:.9g} in all 40 entries of")


def test_a_factor_with_two_names_gets_both():
    case = case_of(m=2)
    (cause,) = diagnosis_of(times(2, right(case)), case).causes
    assert "2 = m times the true one: a 2 too many, or the mean's 1/m is missing" in cause.says


def test_one_sample_shows_the_derivative_as_the_quotient_and_says_what_it_cannot_show():
    case = case_of((2, 3, 1), m=1)
    diagnosis = diagnosis_of(passes(case, slope=lambda *_: 1.0)[0], case)
    assert causes(diagnosis) == [("missing derivative", ("dz1",))]
    slope = SLOPES["sigmoid"](forward(case)["z1"])[:, 0]
    shown = re.search(r"true / yours in db0 is sigmoid'\(z1\): (.*)$", diagnosis.causes[0].evidence)[1]
    np.testing.assert_allclose([float(q) for q in shown.split()], slope, rtol=1e-3)  # printed to 4 digits
    assert any("one sample" in note for note in diagnosis.notes)


def test_the_smallest_network_is_diagnosed():
    case = case_of((1, 1), m=3)
    assert causes(diagnosis_of(times(3, right(case)), case)) == [("constant factor", ("dz1",))]
    without = passes(case, error=lambda cache: 2 * (cache["a1"] - case.y) / 3)[0]
    assert causes(diagnosis_of(without, case)) == [("missing derivative", ("dz1",))]


@pytest.mark.parametrize(("sizes", "shown"), [((2, 3, 4, 1), "dW1"), ((3, 3, 3, 3), "dW1")])
def test_a_transposed_array_is_told_by_its_shape_or_by_its_numbers(sizes, shown):
    case = case_of(sizes)
    gradients = right(case)
    diagnosis = diagnosis_of(gradients | {shown: gradients[shown].T}, case)
    assert causes(diagnosis) == [("transposed", (shown,))]


def test_a_flat_bias_has_the_right_numbers_in_a_wrong_shape():
    case = case_of()
    diagnosis = diagnosis_of(right(case) | {"db1": right(case)["db1"].ravel()}, case)
    assert causes(diagnosis) == [("wrong shape", ("db1",))]
    assert "(4,) for (4, 1)" in diagnosis.causes[0].says
    assert diagnosis.story == "All numbers are right; 1 of 6 arrays has another shape: db1."


def test_wrong_numbers_are_counted_apart_from_right_numbers_in_another_shape():
    case = case_of()
    gradients = right(case)
    flat = {name: gradients[name].ravel() for name in ("db0", "db1")}
    diagnosis = diagnosis_of(gradients | flat | {"dW1": -gradients["dW1"]}, case)
    assert diagnosis.story == (
        "1 of 6 arrays is wrong, by 1 mistake. Begin with dW1. Besides, 2 of 6 arrays have another shape: "
        "db1 and db0."
    )
    both = diagnosis_of(gradients | {"db1": 6 * flat["db1"]}, case)
    assert both.story == "1 of 6 arrays is wrong, by 2 mistakes. Begin with db1."


def test_weights_of_the_square_kind_can_be_the_wrong_way_round():
    case = case_of((3, 3, 3))
    net, (gradients, errors, cache) = case.network, passes(case)
    dz1 = net.weights[1] @ errors[2] * SLOPES["sigmoid"](cache["z1"])
    wrong = gradients | {"dW0": dz1 @ case.x.T, "db0": dz1.sum(axis=1, keepdims=True)}
    assert causes(diagnosis_of(wrong, case)) == [("transposed", ("dz1",))]


def test_activations_for_derivatives_and_derivatives_of_others_are_told():
    case = case_of()
    itself = passes(case, slope=lambda n, cache: cache[f"a{n}"] if n == 1 else None)[0]
    other = passes(case, slope=lambda n, cache: SLOPES["tanh"](cache[f"z{n}"]) if n == 1 else None)[0]
    for wrong, words in ((itself, "the activation a1 itself"), (other, "tanh'(z1) for sigmoid'(z1)")):
        (cause,) = diagnosis_of(wrong, case).causes
        assert (cause.kind, cause.places) == ("wrong derivative", ("dz1",))
        assert words in cause.says


def test_the_penalty_of_another_strength_is_found_by_regression():
    case = case_of()
    twice = right(Case(case.network, case.x, case.y, l2=0.2))
    (cause,) = diagnosis_of(twice, case, l2=0.1).causes
    assert (cause.kind, cause.places) == ("wrong penalty", ("dW2", "dW1", "dW0"))
    assert "holds 0.2 * W2; the loss's penalty gives 0.1 * W2" in cause.says
    (extra,) = diagnosis_of(twice, case).causes
    assert "gives 0 * W2" in extra.says


def test_a_mask_without_its_scale_is_told():
    case = case_of()
    mask = np.random.default_rng(0).integers(0, 2, size=(3, 6)) * 2.0
    case = Case(case.network, case.x, case.y, {1: mask})
    slope = SLOPES["sigmoid"](forward(case)["z1"])
    wrong = passes(case, slope=lambda n, _: slope * (mask > 0) if n == 1 else None)[0]
    (cause,) = diagnosis_of(wrong, case, **case.context()).causes
    assert (cause.kind, cause.places) == ("dropout mask missing", ("dz1",))
    assert "1/keep" in cause.says


def test_a_stale_gradient_is_told_with_the_rate_of_the_step():
    case = case_of()
    old = right(case)
    case.network.update_parameters(old, 0.125)
    diagnosis = diagnosis_of(old, case)
    assert {cause.kind for cause in diagnosis.causes} == {"stale"}
    assert "learning rate 0.125" in diagnosis.causes[0].says


def test_a_small_array_that_is_wrong_is_not_overlooked_for_a_last_step_that_changed_little():
    """Under the absolute error dW1 hardly moves in a step, and dW0 is a millionth of it."""
    network = network_of((2, 3, 1), "tanh", output="linear", loss="mean_absolute_error")
    network.weights[1] = 1e-6 * network.weights[1]
    rng = np.random.default_rng(1)
    case = Case(network, rng.normal(size=(2, 6)), rng.normal(size=(1, 6)))
    gradients = right(case)
    wrong = gradients | {"dW0": gradients["dW0"] * rng.uniform(0.5, 2.0, size=(3, 2))}
    assert causes(diagnosis_of(wrong, case)) == [("unknown", ("dW0",))]


def test_gradients_that_were_added_to_the_last_steps_are_told():
    case = case_of()
    last = {name: np.cos(g) for name, g in right(case).items()}
    both = {name: g + last[name] for name, g in right(case).items()}
    diagnosis = diagnosis_of(both, case, previous=last)
    assert {cause.kind for cause in diagnosis.causes} == {"accumulated"}


def test_an_array_of_zeros_a_missing_one_and_nan_are_told():
    case = case_of()
    gradients = right(case)
    del gradients["db0"]
    gradients["dW1"] = np.zeros((4, 3))
    gradients["dW2"] = np.full((1, 4), np.nan)
    assert causes(diagnosis_of(gradients, case)) == [
        ("not finite", ("dW2",)), ("zero", ("dW1",)), ("missing array", ("db0",)),
    ]  # fmt: skip


def test_what_is_not_in_the_table_is_said_to_be_unknown_with_the_place_where_it_is_worst():
    case = case_of()
    gradients = right(case)
    gradients["dW1"][2, 1] += 5.0
    diagnosis = diagnosis_of(gradients, case)
    assert causes(diagnosis) == [("unknown", ("dW1",))]
    assert "furthest off at [2, 1]" in diagnosis.causes[0].evidence
    assert diagnosis.story == "1 of 6 arrays is wrong, by none of the known mistakes. Begin with dW1."


def test_mistakes_that_give_the_same_numbers_are_both_told():
    case = case_of((2, 2, 2, 1), "relu", output="linear")
    case.network.biases[0], case.network.biases[1] = np.full((2, 1), -50.0), np.full((2, 1), 50.0)
    ones = passes(case, slope=lambda n, _: 1.0 if n == 1 else None)[0]
    diagnosis = diagnosis_of(ones, case)  # z2 > 0 everywhere: its mask is no mask
    told = {cause.kind for story in (diagnosis.causes, *diagnosis.also) for cause in story}
    assert told >= {"missing derivative", "ReLU mask of the wrong layer"}
    assert "The same numbers would come of another mistake" in str(diagnosis)


@pytest.mark.parametrize(
    "kind",
    [
        "constant factor", "missing derivative", "penalty missing", "transposed", "sample weights missing",
        "statistics as constants", "gamma and beta exchanged", "updated weights",
    ],
)  # fmt: skip
def test_the_line_called_right_computes_the_true_quantity(kind):
    for planting in plantings(kind, 12):
        case = planting.case
        gradients, errors, cache = passes(case)
        truth = gradients | {f"dz{n}": dz for n, dz in errors.items()} | cache
        known = truth | {"y": case.y, "m": case.m, "np": np, "weights": case.weights}
        known |= {f"W{n}": W for n, W in enumerate(case.network.weights)}
        known |= {f"gamma{n}": gamma for n, gamma in enumerate(case.network.gammas)}
        known |= {f"mask{n}": mask for n, mask in case.masks.items()}
        known |= {f"{name}_slope": slope for name, slope in SLOPES.items()}
        for cause in diagnosed(planting).causes:
            place, names = cause.places[0], dict(known)
            exec(re.sub(r"(\w+)'\(", r"\1_slope(", cause.mend), names)
            scale = np.abs(truth[place]).max()
            np.testing.assert_allclose(names[place], truth[place], rtol=1e-9, atol=1e-12 * scale)


@pytest.mark.parametrize("kind", MISTAKES)
def test_no_line_of_the_report_is_wider_than_80_columns(kind):
    for planting in plantings(kind, 3):
        assert max(map(len, str(diagnosed(planting)).splitlines())) <= 80


# Who may come in.


class Learner:
    """A network of somebody's own, with the tutorial's passes and the mean missing."""

    def __init__(self, case, activation="sigmoid"):
        self.case, self.activation = case, activation

    def forward(self, x):
        cache = forward(self.case)
        return cache | {"a1": VALUES[self.activation](cache["z1"])}

    def backward(self, x, y, cache):
        dz = 2 * (cache["a2"] - y) * cache["a2"] * (1 - cache["a2"])
        upper = {"dW1": dz @ cache["a1"].T, "db1": dz.sum(axis=1, keepdims=True)}
        dz = self.case.network.weights[1].T @ dz * SLOPES["sigmoid"](cache["z1"])
        return upper | {"dW0": dz @ x.T, "db0": dz.sum(axis=1, keepdims=True)}


def test_a_class_a_function_and_a_dict_get_the_same_diagnosis():
    case = case_of((2, 3, 1))
    learner = Learner(case)

    def function(x, y):
        return learner.backward(x, y, learner.forward(x))

    diagnoses = [diagnosis_of(c, case) for c in (learner, function, function(case.x, case.y))]
    assert [d.candidate for d in diagnoses] == ["Learner", "function", "the given dict"]
    for diagnosis in diagnoses:
        assert causes(diagnosis) == [("constant factor", ("dz2",))]


def test_a_forward_pass_that_is_another_is_pointed_out():
    case = case_of((2, 3, 1))
    (note,) = diagnosis_of(Learner(case, "tanh"), case).notes
    assert "look at a1 before" in note


def test_layers_counted_from_1_are_understood():
    case = case_of((2, 3, 1))
    from_one = {f"{name[:2]}{int(name[2:]) + 1}": g for name, g in right(case).items()}
    diagnosis = diagnosis_of(from_one, case)
    assert diagnosis.ok
    assert "counted from 0" in diagnosis.notes[0]


def test_a_learners_own_activation_in_the_reference_is_used():
    class Softplus(NeuralNetwork):
        def activation(self, z):
            return np.log1p(np.exp(z))

        def activation_derivative(self, z):
            return 1 / (1 + np.exp(-z))

    network = Softplus([2, 3, 1], rng=np.random.default_rng(0))
    x, y = np.random.default_rng(1).normal(size=(2, 5)), np.ones((1, 5))
    cache = network.forward(x)
    gradients = network.backward(x, y, cache)
    assert diagnose(gradients, network, x, y).ok
    dz = network.weights[1].T @ (2 * (cache["a2"] - y) / 5 * network.activation_derivative(cache["z2"]))
    wrong = gradients | {"dW0": dz @ x.T, "db0": dz.sum(axis=1, keepdims=True)}
    diagnosis = diagnose(wrong, network, x, y)
    assert causes(diagnosis) == [("missing derivative", ("dz1",))]
    assert "g'(z1)" in diagnosis.causes[0].says


def test_two_dicts_show_what_arrays_show_by_themselves():
    case = case_of((2, 3, 2))
    true = right(case)
    assert diagnose(true, true).ok
    wrong = true | {"dW0": true["dW0"].T, "db0": -true["db0"], "dW1": 2 * true["dW1"], "db1": true["db0"]}
    diagnosis = diagnose(wrong, true)
    assert {(cause.kind, *cause.places) for cause in diagnosis.causes} == {
        ("transposed", "dW0"), ("opposite sign", "db0"),
        ("constant factor", "dW1"), ("neighbour layer", "db1"),
    }  # fmt: skip
    vectors = {"W": np.arange(6.0).reshape(2, 3), "b": np.array([1.0, -2.0]), "scale": np.array(3.0)}
    (cause,) = diagnose(vectors | {"b": vectors["b"][::-1]}, vectors).causes
    assert (cause.kind, cause.places) == ("permuted", ("b",))
    (cause,) = diagnose(times(6, true), true, case.x, case.y).causes
    assert "6 = m times" in cause.says
    assert len(cause.places) == 4


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"reference": MLP(2, [3, 1])}, TypeError, "from_mlp"),
        ({"reference": None}, TypeError, "expected a NeuralNetwork"),
        ({"x": None}, ValueError, "expected the samples"),
        ({"x": np.ones((3, 6))}, ValueError, r"expected shape \(2, N\)"),
        ({"candidate": 3.0}, TypeError, "expected a dict of gradients"),
        ({"candidate": lambda x, y: [1.0]}, TypeError, "got list"),
        ({"candidate": {"dW0": "text"}}, TypeError, "real numbers"),
        ({"l2": -1.0}, ValueError, "l2"),
        ({"l1": "much"}, TypeError, "l1"),
        ({"masks": {"a1": np.ones((3, 6))}}, ValueError, "masks: expected a list of 1"),
        ({"masks": [np.ones((1, 6))]}, ValueError, r"masks\[0\]: expected shape \(3, 6\)"),
        ({"masks": [np.full((3, 6), np.nan)]}, ValueError, r"masks\[0\] holds nan"),
        ({"weights": np.ones(5)}, ValueError, r"weights: expected shape \(6,\)"),
        ({"weights": -np.ones(6)}, ValueError, "weights holds -1.0"),
        ({"previous": [1.0]}, TypeError, "previous"),
    ],
)
def test_bad_input_is_refused_with_what_was_expected(change, error, words):
    case = case_of((2, 3, 1))
    arguments = {"candidate": right(case), "reference": case.network, "x": case.x, "y": case.y}
    with pytest.raises(error, match=words):
        diagnose(**(arguments | change))


def test_a_reference_with_a_wrong_backward_of_its_own_is_refused():
    class Summed(NeuralNetwork):
        def backward(self, x, y, cache):
            return times(6, super().backward(x, y, cache))

    case = case_of((2, 3, 1))
    reference = Summed([2, 3, 1], rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="not the gradient of its loss"):
        diagnose(right(case), reference, case.x, case.y)


def test_a_true_gradient_that_is_not_finite_is_refused():
    case = case_of((2, 3, 1), "linear")
    case.network.parameters = np.full(case.network.parameters.size, 1e200)
    with pytest.raises(ValueError, match="the true gradient holds nan or inf"):
        diagnosis_of(right(case_of((2, 3, 1))), case)


def test_the_candidate_and_the_reference_are_left_as_they_are():
    case = case_of()
    gradients = times(2, right(case))
    before = {name: g.copy() for name, g in gradients.items()}, case.network.parameters.copy()
    diagnosis_of(gradients, case)
    np.testing.assert_array_equal(case.network.parameters, before[1])
    for name, g in gradients.items():
        np.testing.assert_array_equal(g, before[0][name])


def test_a_reference_s_reduction_penalties_and_activations_are_part_of_its_true_pass():
    settings = {"output": "linear", "reduction": "sum", "l1": 0.1, "l2": 0.3}
    network = network_of([3, 4, 5, 2], ["tanh", "gelu"], **settings)
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((3, 6)), rng.standard_normal((2, 6))
    true = network.backward(x, y, network.forward(x))
    assert diagnose(true, network, x, y).ok
    bare = network_of([3, 4, 5, 2], ["tanh", "gelu"], output="linear", reduction="sum")
    bare.parameters = network.parameters
    (cause,) = diagnose(bare.backward(x, y, bare.forward(x)), network, x, y).causes
    assert cause.kind == "penalty missing"
    mean = times(1 / y.size, bare.backward(x, y, bare.forward(x)))
    (cause,) = diagnose(mean, bare, x, y).causes
    assert cause.kind == "constant factor"
