"""Backward passes with one mistake in them, written as a learner would write them.

They share nothing with the diagnosis that is tested by them, nor with the network's own pass: what is named
is not what the namer made. `MISTAKES` has a function for every kind: from a generator it makes a random case
and plants the mistake there; None where the case has no room for it.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nn import Diagnosis, NeuralNetwork, diagnose

VALUES: Mapping[str, Callable[[Any], Any]] = {
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.where(z > 0, z, 0.0),
    "linear": lambda z: z,
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=0),
}
SLOPES: Mapping[str, Callable[[Any], Any]] = {
    "sigmoid": lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2,
    "tanh": lambda z: 1 / np.cosh(z) ** 2,
    "relu": lambda z: np.where(z > 0, 1.0, 0.0),
    "linear": np.ones_like,
}
ENDS = [  # losses, and the outputs they go with
    ("mean_squared_error", "sigmoid"),
    ("mean_squared_error", "tanh"),
    ("mean_squared_error", "relu"),
    ("mean_squared_error", "linear"),
    ("mean_squared_error", "softmax"),
    ("binary_cross_entropy", "sigmoid"),
    ("cross_entropy", "softmax"),
]


@dataclass(frozen=True)
class Case:
    """A network, samples, and what the loss holds besides: dropout masks by layer, penalties."""

    network: NeuralNetwork
    x: Any
    y: Any
    masks: Mapping[int, Any] = field(default_factory=dict)
    l1: float = 0.0
    l2: float = 0.0

    @property
    def top(self):
        return len(self.network.weights)

    @property
    def m(self):
        return self.x.shape[1]

    def context(self):
        """What diagnose has to be told."""
        return {"masks": {f"a{n}": mask for n, mask in self.masks.items()}, "l1": self.l1, "l2": self.l2}


@dataclass(frozen=True)
class Planted:
    """Wrong gradients of a case, and the places where they were made wrong."""

    case: Case
    gradients: Mapping[str, Any]
    places: frozenset[str]
    context: Mapping[str, Any] = field(default_factory=dict)


def random_case(rng, *, square=False, hidden=None, ends=ENDS, deep=1, samples=1):
    """1 to 4 layers of 1 to 5 neurons, or all of one width; 1 to 10 samples."""
    loss, output = ends[rng.integers(len(ends))]
    sizes = rng.integers(1, 6, size=int(rng.integers(deep, 5)) + 1).tolist()
    if square:
        sizes = [int(rng.integers(2, 5))] * len(sizes)
    if output == "softmax":
        sizes[-1] = max(sizes[-1], 2)
    hidden = hidden or ["sigmoid", "tanh", "relu", "linear"][rng.integers(4)]
    network = NeuralNetwork(sizes, hidden, output=output, loss=loss, rng=rng)
    network.parameters = rng.choice([0.5, 1.0]) * rng.normal(size=network.parameters.size)
    m = int(rng.integers(samples, 11))
    x, outputs = rng.normal(size=(sizes[0], m)), sizes[-1]
    if output == "softmax":
        y = np.eye(outputs)[:, rng.integers(0, outputs, size=m)]
    elif loss == "binary_cross_entropy":
        y = rng.integers(0, 2, size=(outputs, m)).astype(float)
    else:
        y = rng.normal(size=(outputs, m))
    return Case(network, x, y)


# The learner's passes.


def forward(case):
    cache = {"a0": case.x}
    net = case.network
    for layer, (W, b) in enumerate(zip(net.weights, net.biases, strict=True), start=1):
        cache[f"z{layer}"] = W @ cache[f"a{layer - 1}"] + b
        name = net.activation_name if layer < case.top else net.output_name
        cache[f"a{layer}"] = VALUES[name](cache[f"z{layer}"]) * case.masks.get(layer, 1.0)
    return cache


def error_under(loss, output, y, z, a):
    """dz of the last layer, sample by sample."""
    if loss == "cross_entropy":
        return (a - y) / y.shape[1]  # for targets that sum to 1
    if loss == "binary_cross_entropy":
        return (a - y) / y.size
    da = 2 * (a - y) / y.size
    if output != "softmax":
        return da * SLOPES[output](z)
    jacobians = [np.diag(p) - np.outer(p, p) for p in a.T]
    return np.stack([J @ d for J, d in zip(jacobians, da.T, strict=True)], axis=1)


def passes(case, *, error=None, slope=None):
    """Gradients, errors by layer, the cache; error(cache) and slope(layer, cache) replace the right ones."""
    cache, net, top = forward(case), case.network, case.top
    dz = (
        error_under(net.loss_name, net.output_name, case.y, cache[f"z{top}"], cache[f"a{top}"])
        if error is None
        else error(cache)
    )
    errors, gradients = {top: dz}, {}
    for layer in reversed(range(top)):
        W = net.weights[layer]
        gradients[f"dW{layer}"] = dz @ cache[f"a{layer}"].T + case.l2 * W + case.l1 * np.sign(W)
        gradients[f"db{layer}"] = dz.sum(axis=1, keepdims=True)
        if layer:
            right = case.masks.get(layer, 1.0) * SLOPES[net.activation_name](cache[f"z{layer}"])
            wrong = None if slope is None else slope(layer, cache)
            dz = (W.T @ dz) * (right if wrong is None else wrong)
            errors[layer] = dz
    return gradients, errors, cache


def right(case):
    return passes(case)[0]


def one_of(rng, choices):
    choices = list(choices)
    return choices[rng.integers(len(choices))]


def planted(case, gradients, *places, **context):
    return Planted(case, gradients, frozenset(places), context)


def changed(case, name, array):
    return planted(case, {**right(case), name: array}, name)


# The mistakes.


def constant_factor(rng):
    """1/m missing, m too many, a 2 too many or too few: everywhere, or in one array."""
    case = random_case(rng, samples=2)
    factor = one_of(rng, [case.m, 1 / case.m, 2, 0.5])
    gradients = right(case)
    if rng.random() < 0.5:
        return planted(case, {n: factor * g for n, g in gradients.items()}, f"dz{case.top}")
    name = one_of(rng, gradients)
    return changed(case, name, factor * gradients[name])


def opposite_sign(rng):
    case = random_case(rng)
    gradients = right(case)
    if rng.random() < 0.5:
        return planted(case, {n: -g for n, g in gradients.items()}, f"dz{case.top}")
    name = one_of(rng, gradients)
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
    outputs = case.network.loss_name == "mean_squared_error" and case.network.output_name != "softmax"
    if outputs and rng.random() < 0.4:
        wrong = passes(case, error=lambda cache: 2 * (cache[f"a{case.top}"] - case.y) / case.y.size)[0]
        return planted(case, wrong, f"dz{case.top}")
    if case.top == 1:
        return None
    layers = range(1, case.top) if rng.random() < 0.3 else [int(rng.integers(1, case.top))]
    wrong = passes(case, slope=lambda layer, _: 1.0 if layer in layers else None)[0]
    return planted(case, wrong, *[f"dz{layer}" for layer in layers])


def derivative_at_a(rng):
    case = random_case(rng, deep=2)
    layers = range(1, case.top) if rng.random() < 0.5 else [int(rng.integers(1, case.top))]
    g = SLOPES[case.network.activation_name]
    wrong = passes(case, slope=lambda n, cache: g(cache[f"a{n}"]) if n in layers else None)[0]
    return planted(case, wrong, *[f"dz{layer}" for layer in layers])


def derivative_of_the_wrong_layer(rng, hidden=None):
    case = random_case(rng, square=True, deep=2, hidden=hidden or one_of(rng, ["sigmoid", "tanh"]))
    layer = int(rng.integers(1, case.top))
    sizes = case.network.layer_sizes
    others = [n for n in (layer - 1, layer + 1) if 0 < n <= case.top and sizes[n] == sizes[layer]]
    if not others:
        return None
    other, g = one_of(rng, others), SLOPES[case.network.activation_name]
    wrong = passes(case, slope=lambda n, cache: g(cache[f"z{other}"]) if n == layer else None)[0]
    return planted(case, wrong, f"dz{layer}")


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
        letter = one_of(rng, "Wb")
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
    wrong = passes(case, slope=lambda n, cache: g(cache[f"z{n}"]) if n == layer else None)[0]
    return planted(case, wrong, f"dz{layer}")


def _part_counted(case, count, mean):
    """The gradient of the last samples alone: the mean over them, or their part of the mean over all."""
    part = replace(case, x=case.x[:, -count:], y=case.y[:, -count:])
    scale = 1 if mean else count / case.m
    return planted(case, {n: scale * g for n, g in right(part).items()}, f"dz{case.top}")


def last_sample_only(rng):
    case = random_case(rng, samples=2)
    return _part_counted(case, 1, rng.random() < 0.5)


def part_of_the_batch_only(rng):
    case = random_case(rng, samples=3)
    return _part_counted(case, int(rng.integers(2, case.m)), rng.random() < 0.5)


def stale(rng):
    """The gradient before the last step: of the same samples, or of another batch, which has to be told."""
    before = random_case(rng, samples=2)
    old = right(before)
    network = NeuralNetwork.from_mlp(before.network.to_mlp(), before.network.loss_name)
    network.update_parameters(old, one_of(rng, [0.03, 0.1, 0.25]))
    case = replace(before, network=network)
    if rng.random() < 0.5:
        order = rng.permutation(case.m)[: max(1, case.m // 2)]
        case = replace(case, x=case.x[:, order], y=case.y[:, order])
        return planted(case, old, *old, previous=old)
    return planted(case, old, *old)


def unknown(rng):
    """Something that no table has: one entry off, noise, a cosine."""
    case = random_case(rng, samples=2)
    gradients = right(case)
    name = one_of(rng, [n for n, g in gradients.items() if np.abs(g).max() > 0] or ["dW0"])
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
        if planting is not None and differs(planting):
            count -= 1
            yield planting


def differs(planting: Planted) -> bool:
    """Whether the mistake makes any difference to the case's gradients."""
    for name, true in right(planting.case).items():
        wrong = np.asarray(planting.gradients[name])
        if wrong.shape != true.shape or np.abs(wrong - true).max() > 1e-9 * np.abs(true).max():
            return True
    return False


def diagnosed(planting: Planted, dtype: Any = float) -> Diagnosis:
    """The diagnosis of planted gradients in a precision."""
    case = planting.case
    gradients = {name: np.asarray(g, dtype=dtype) for name, g in planting.gradients.items()}
    return diagnose(gradients, case.network, case.x, case.y, **case.context(), **planting.context)


def main(argv: list[str]) -> None:
    """Print how many of so many plantings of each kind are named: python -m tests.planted 300 [float32]."""
    count, dtype = int(argv[0]), argv[1] if len(argv) > 1 else "float64"
    print(f"{count} plantings of each kind, in {dtype}\n\n{'planted':<31}named  among equals  else")
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
        print(f"{kind:<31}{named_first:>5}  {among:>12}  {rest}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
