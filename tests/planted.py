"""Backward passes with one mistake in them, written as a learner would write them.

`MISTAKES` has a function for every kind: from a generator it makes a random case and plants the mistake
there; None where the case has no room for it.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))  # for python -m tests.planted; pytest has it there

from learners import (
    BY_PREDICTION,
    ENDS,
    FROM_A,
    SLOPES,
    SMOOTH,
    error_under,
    logistic,
    met,
    one_of,
    passes,
    random_case,
    right,
    right_error,
    slope_of,
)
from planted_norms import (
    another_factor_of_gamma,
    gamma_and_beta_exchanged,
    gamma_or_beta_not_summed,
    gamma_or_beta_over_the_wrong_axis,
    running_statistics,
    statistics_as_constants,
    wrong_normalisation,
)
from planting import Planted, changed, differing, planted, some_layers, telling

from nn import Diagnosis, NeuralNetwork, diagnose

# The mistakes.


def constant_factor(rng):
    """1/m missing, m too many, a 2 too many or too few: everywhere, or in one array."""
    case = random_case(rng, samples=2)
    factor = one_of(rng, [case.m, 1 / case.m, 2, 0.5])
    gradients = right(case)
    if rng.random() < 0.5:
        return planted(case, {n: factor * g for n, g in gradients.items()}, f"dz{case.top}")
    name = one_of(rng, telling(gradients))
    return changed(case, name, factor * gradients[name])


def opposite_sign(rng):
    case = random_case(rng)
    gradients = right(case)
    if rng.random() < 0.5:
        return planted(case, {n: -g for n, g in gradients.items()}, f"dz{case.top}")
    name = one_of(rng, telling(gradients))
    return changed(case, name, -gradients[name])


def transposed(rng):
    """One dW, or all; often of square shape."""
    case = random_case(rng, square=rng.random() < 0.5)
    gradients = right(case)
    names = [n for n, g in gradients.items() if n[1] == "W" and g.size > 1]
    if not names:
        return None
    if rng.random() < 0.5:
        names = [one_of(rng, names)]
    return planted(case, gradients | {n: gradients[n].T for n in names}, *names)


def permuted(rng):
    """Rows or columns of a dW exchanged, or its numbers laid out along the other axis."""
    case = random_case(rng, deep=2)
    gradients = right(case)
    name = one_of(rng, [n for n in gradients if n[1] == "W"])
    g = gradients[name]
    wrong = one_of(rng, [np.roll(g, 1, axis=0), np.roll(g, 1, axis=1), g[::-1, ::-1]])
    return changed(case, name, wrong)


def missing_derivative(rng):
    """At one hidden layer, at all of them, or at the output of a squared error."""
    case = random_case(rng)
    net = case.network
    outputs = net.loss_name in BY_PREDICTION and net.output_name not in ("softmax", "linear")
    if outputs and rng.random() < 0.4:

        def error(cache):
            return slope_of(net.loss_name, case.y, cache[f"a{case.top}"]) / case.y.size

        return planted(case, passes(case, error=error)[0], f"dz{case.top}")
    if case.top == 1:
        return None
    layers = range(1, case.top) if rng.random() < 0.3 else [int(rng.integers(1, case.top))]
    wrong = passes(case, slope=lambda layer, _: 1.0 if layer in layers else None)[0]
    return planted(case, wrong, *map(case.error, layers))


def derivative_at_a(rng):
    case = random_case(rng, deep=2)
    layers = range(1, case.top) if rng.random() < 0.5 else [int(rng.integers(1, case.top))]
    g = SLOPES[case.network.activation_name]
    wrong = passes(case, slope=lambda n, cache: g(cache[f"a{n}"]) if n in layers else None)[0]
    return planted(case, wrong, *map(case.error, layers))


def derivative_of_the_wrong_layer(rng, hidden=None):
    case = random_case(rng, square=True, deep=2, hidden=hidden or one_of(rng, ["sigmoid", "tanh"]))
    layer = int(rng.integers(1, case.top))
    sizes = case.network.layer_sizes
    others = [n for n in (layer - 1, layer + 1) if 0 < n <= case.top and sizes[n] == sizes[layer]]
    if not others:
        return None
    other, g = one_of(rng, others), SLOPES[case.network.activation_name]
    wrong = passes(case, slope=lambda n, cache: g(met(other, cache)) if n == layer else None)[0]
    return planted(case, wrong, case.error(layer))


def relu_mask_of_the_wrong_layer(rng):
    return derivative_of_the_wrong_layer(rng, hidden="relu")


def neighbour_layer(rng):
    """Another layer's array under this one's name, or dz or a of the layer above or below."""
    case = random_case(rng, deep=2, square=rng.random() < 0.5)
    gradients, errors, cache = passes(case)
    layer, step = int(rng.integers(case.top)), one_of(rng, [-1, 1])
    other = layer + step
    if not 0 <= other < case.top:
        return None
    way = rng.integers(3)
    if way == 0:
        letter = "W" if case.network.batch_norm else one_of(rng, "Wb")
        return changed(case, f"d{letter}{layer}", gradients[f"d{letter}{other}"])
    if way == 1:
        return changed(case, f"dW{layer}", errors[layer + 1] @ cache[f"a{other}"].T)
    return changed(case, f"dW{layer}", errors[other + 1] @ cache[f"a{layer}"].T)


def bias_over_the_wrong_axis(rng):
    """Summed over neurons, as a vector or as a row; over everything."""
    case = random_case(rng, samples=2)
    _, errors, _ = passes(case)
    layer = int(rng.integers(case.top))
    dz = errors[layer + 1]
    if len(dz) == 1:
        return None
    wrong = one_of(rng, [dz.sum(axis=0), dz.sum(axis=0, keepdims=True), dz.sum(), dz.sum(keepdims=True)])
    return changed(case, f"db{layer}", wrong)


def bias_not_summed(rng):
    case = random_case(rng, samples=2)
    gradients, errors, _ = passes(case)
    layers = range(case.top) if rng.random() < 0.5 else [int(rng.integers(case.top))]
    wrong = {f"db{layer}": errors[layer + 1] for layer in layers}
    return planted(case, gradients | wrong, *wrong)


def another_loss(rng):
    """The tutorial's a - y where the squared error is reported, its mean, and the reverse."""
    ends = [(loss, output) for loss, output in ENDS if output in ("sigmoid", "softmax")]
    case = random_case(rng, ends=ends)
    net = case.network
    crossed = "binary_cross_entropy" if net.output_name == "sigmoid" else "cross_entropy"
    other = crossed if net.loss_name == "mean_squared_error" else "mean_squared_error"
    summed = rng.random() < 0.5
    entries = case.m if other == "cross_entropy" else case.y.size

    def error(cache):
        z, a = cache[f"z{case.top}"], cache[f"a{case.top}"]
        return (entries if summed else 1) * error_under(other, net.output_name, case.y, z, a)

    return planted(case, passes(case, error=error)[0], f"dz{case.top}")


def penalty_missing(rng):
    case = random_case(rng)
    strengths = one_of(rng, [{"l2": 0.1}, {"l1": 0.01}, {"l1": 0.02, "l2": 0.01}])
    names = [f"dW{layer}" for layer in range(case.top)]
    return planted(replace(case, **strengths), right(case), *names)


def dropout_mask_missing(rng):
    """The activations were dropped on the way up, and on the way down nothing is."""
    case = random_case(rng, deep=2, samples=2)
    keep = one_of(rng, [0.5, 0.8])
    sizes = case.network.layer_sizes
    masks = {n: (rng.random((sizes[n], case.m)) < keep) / keep for n in range(1, case.top)}
    case = replace(case, masks=masks)
    layer, g = int(rng.integers(1, case.top)), SLOPES[case.network.activation_name]
    wrong = passes(case, slope=lambda n, cache: g(met(n, cache)) if n == layer else None)[0]
    return planted(case, wrong, case.error(layer))


def _part_counted(case, kept, mean):
    """The gradient of some samples alone: the mean over them, or their part of the mean over all."""
    scale = case.m / kept.sum() if mean else 1
    wrong = passes(case, error=lambda cache: right_error(case, cache) * kept * scale)[0]
    return planted(case, wrong, f"dz{case.top}")


def _array_of_part(rng, case, kept):
    """The same in one array only, or in the dW or the db of all layers."""
    gradients, errors, cache = passes(case)
    layers = range(case.top) if rng.random() < 0.5 else [int(rng.integers(case.top))]
    if rng.random() < 0.5:
        wrong = {f"db{n}": (errors[n + 1] * kept).sum(axis=1, keepdims=True) for n in layers}
    else:
        wrong = {f"dW{n}": (errors[n + 1] * kept) @ cache[f"a{n}"].T for n in layers}
    return planted(case, gradients | wrong, *wrong)


def last_sample_only(rng, end="last"):
    """In the whole pass, or in one array."""
    case = random_case(rng, samples=2)
    kept = np.arange(case.m) == (case.m - 1 if end == "last" else 0)
    if rng.random() < 0.4:
        return _array_of_part(rng, case, kept)
    return _part_counted(case, kept, rng.random() < 0.5)


def first_sample_only(rng):
    return last_sample_only(rng, end="first")


def part_of_the_batch_only(rng):
    case = random_case(rng, samples=4)
    count = int(rng.integers(2, case.m - 1))
    kept = np.arange(case.m) >= case.m - count if rng.random() < 0.5 else np.arange(case.m) < count
    return _part_counted(case, kept, rng.random() < 0.5)


def one_sample_skipped(rng):
    """By a loop that begins at 1 or ends one early, or has a hole; or in one array."""
    case = random_case(rng, samples=3)
    columns = np.arange(case.m)
    if rng.random() < 0.4:
        return _array_of_part(rng, case, columns != one_of(rng, [0, case.m - 1]))
    return _part_counted(case, columns != one_of(rng, columns), rng.random() < 0.5)


def sample_weights_missing(rng):
    case = random_case(rng, samples=2)
    case = replace(case, weights=rng.uniform(0.2, 3.0, size=case.m))
    return planted(case, right(replace(case, weights=None)), f"dz{case.top}")


def derivative_twice(rng):
    """The output's, though the loss's error has it already; or a hidden layer's squared."""
    case = random_case(rng, samples=2)
    net = case.network
    if net.loss_name not in BY_PREDICTION | {"hinge"} and rng.random() < 0.8:

        def error(cache):
            a = cache[f"a{case.top}"]
            a = logistic(a) if net.output_name == "linear" else a
            return right_error(case, cache) * a * (1 - a)

        return planted(case, passes(case, error=error)[0], f"dz{case.top}")
    if case.top == 1:
        return None
    layers, g = some_layers(rng, case), SLOPES[net.activation_name]
    wrong = passes(case, slope=lambda n, cache: g(met(n, cache)) ** 2 if n in layers else None)[0]
    return planted(case, wrong, *map(case.error, layers))


def wrong_derivative(rng):
    """Another activation's: a (1 - a) under tanh, tanh' under ReLU, …; in hidden layers or at the output."""
    case = random_case(rng)
    net, other = case.network, one_of(rng, SMOOTH)
    of_a = FROM_A.get(other) if rng.random() < 0.7 else None

    def slope(layer, cache):
        return SLOPES[other](met(layer, cache)) if of_a is None else of_a(cache[f"a{layer}"])

    outputs = net.loss_name in BY_PREDICTION and net.output_name not in ("softmax", other)
    if outputs and rng.random() < 0.4:

        def error(cache):
            da = slope_of(net.loss_name, case.y, cache[f"a{case.top}"]) / case.y.size
            return da * slope(case.top, cache)

        return planted(case, passes(case, error=error)[0], f"dz{case.top}")
    if case.top == 1 or other == net.activation_name:
        return None
    layers = some_layers(rng, case)
    wrong = passes(case, slope=lambda n, cache: slope(n, cache) if n in layers else None)[0]
    return planted(case, wrong, *map(case.error, layers))


def updated_weights(rng):
    """Each layer's step is taken before the error goes down through it."""
    case, rate = random_case(rng, deep=2), one_of(rng, [0.01, 0.1, 0.5])
    wrong = passes(case, down=lambda W, dW: W - rate * dW)[0]
    return planted(case, wrong, *[case.error(layer) for layer in range(1, case.top)])


def penalty_on_biases(rng):
    case = replace(random_case(rng), **one_of(rng, [{"l2": 0.1}, {"l1": 0.01}, {"l1": 0.02, "l2": 0.01}]))
    wrong = right(case)
    for layer, b in enumerate(case.network.biases):
        wrong[f"db{layer}"] = wrong[f"db{layer}"] + case.l2 * b + case.l1 * np.sign(b)
    return planted(case, wrong, *[f"db{layer}" for layer in range(case.top)])


def stale(rng):
    """The gradient before the last step: of the same samples, or of another batch, which has to be told."""
    before = random_case(rng, samples=2)
    old = right(before)
    network = NeuralNetwork.from_mlp(before.network.to_mlp(), before.network.loss_name)
    network.update_parameters(old, one_of(rng, [0.03, 0.1, 0.25]))
    case = replace(before, network=network)
    if rng.random() < 0.5:
        order = rng.permutation(case.m)[: max(4 if case.network.batch_norm else 1, case.m // 2)]
        case = replace(case, x=case.x[:, order], y=case.y[:, order])
        return planted(case, old, *differing(case, old), previous=old)
    return planted(case, old, *differing(case, old))


def unknown(rng):
    """Something that no table has: one entry off, noise, a cosine."""
    case = random_case(rng, samples=2)
    gradients = right(case)
    name = one_of(rng, telling(gradients))
    g = gradients[name]
    entry = np.zeros_like(g)
    entry[tuple(rng.integers(0, n) for n in g.shape)] = rng.normal()
    noise = rng.normal(size=g.shape)
    wrong = one_of(rng, [g + entry, g + 0.1 * noise, g * (1 + 0.01 * noise), np.cos(g), noise])
    return changed(case, name, wrong)


MISTAKES: Mapping[str, Callable[[Any], Planted | None]] = {
    "constant factor": constant_factor,
    "opposite sign": opposite_sign,
    "transposed": transposed,
    "permuted": permuted,
    "missing derivative": missing_derivative,
    "derivative at a": derivative_at_a,
    "derivative of the wrong layer": derivative_of_the_wrong_layer,
    "ReLU mask of the wrong layer": relu_mask_of_the_wrong_layer,
    "neighbour layer": neighbour_layer,
    "bias over the wrong axis": bias_over_the_wrong_axis,
    "bias not summed": bias_not_summed,
    "another loss": another_loss,
    "penalty missing": penalty_missing,
    "dropout mask missing": dropout_mask_missing,
    "last sample only": last_sample_only,
    "part of the batch only": part_of_the_batch_only,
    "stale": stale,
    "unknown": unknown,
    "sample weights missing": sample_weights_missing,
    "derivative twice": derivative_twice,
    "wrong derivative": wrong_derivative,
    "updated weights": updated_weights,
    "first sample only": first_sample_only,
    "one sample skipped": one_sample_skipped,
    "penalty on biases": penalty_on_biases,
    "statistics as constants": statistics_as_constants,
    "wrong normalisation": wrong_normalisation,
    "running statistics": running_statistics,
    "gamma and beta exchanged": gamma_and_beta_exchanged,
    "gamma or beta not summed": gamma_or_beta_not_summed,
    "gamma or beta over the wrong axis": gamma_or_beta_over_the_wrong_axis,
    "another factor of gamma": another_factor_of_gamma,
}


def named(planting: Planted, kind: str, causes) -> bool:
    """Whether these causes are the mistake that was planted, in the places where it was."""
    places = {place for cause in causes for place in cause.places}
    return {cause.kind for cause in causes} == {kind} and places == planting.places


def plantings(kind: str, count: int):
    """So many cases of a mistake that make a difference."""
    seed = 0
    while count:
        rng = np.random.default_rng([list(MISTAKES).index(kind), seed])
        seed += 1
        planting = MISTAKES[kind](rng)
        if planting is not None and differing(planting.case, planting.gradients):
            count -= 1
            yield planting


def diagnosed(planting: Planted, dtype: str = "float64", reference_dtype: str = "") -> Diagnosis:
    """The diagnosis of planted gradients in a precision, by a reference in the same one or another."""
    case = planting.case
    gradients = {name: np.asarray(g, dtype=dtype) for name, g in planting.gradients.items()}
    reference = NeuralNetwork(**case.network.architecture() | {"dtype": reference_dtype or dtype})
    for name, array in reference.state_arrays().items():
        array[...] = case.network.state_arrays()[name]
    return diagnose(gradients, reference, case.x, case.y, **case.context(), **planting.context)


def main(argv: list[str]) -> None:
    """Print how many of so many plantings of each kind are named: python -m tests.planted 300 [float32]."""
    count, dtype = int(argv[0]), argv[1] if len(argv) > 1 else "float64"
    print(f"{count} plantings of each kind, in {dtype}\n\n{'planted':<35}named  among equals  else")
    for kind in MISTAKES:
        named_first, among, others = 0, 0, Counter()
        for planting in plantings(kind, count):
            diagnosis = diagnosed(planting, dtype)
            if named(planting, kind, diagnosis.causes):
                named_first += 1
            elif any(named(planting, kind, causes) for causes in diagnosis.also):
                among += 1
            else:
                found = dict.fromkeys(cause.kind for cause in diagnosis.causes)
                others[" + ".join(found) + " elsewhere" * (list(found) == [kind]) or "nothing"] += 1
        rest = ", ".join(f"{number} {words}" for words, number in others.items())
        print(f"{kind:<35}{named_first:>5}  {among:>12}  {rest}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
