"""The table of mistakes in errors: each is the true pass with one thing done wrong in one place.

A generator below yields a quantity as it would be under each mistake, with the claims that name it; where its
docstring says "right and wrong", first the right one, with no claims. `nn.diagnosing.search` holds them
against a candidate. Mistakes in one array are in `nn.diagnosing.array_mistakes`, samples that are left out in
`nn.diagnosing.parts`.

This room knows the true pass, the claims and the formulas.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

import numpy as np

from nn.diagnosing.claims import Claims, Variant, claim
from nn.diagnosing.factors import ratio
from nn.diagnosing.passes import Array, Norm, TruePass, derivative_of, slope_from
from nn.formulas import ACTIVATIONS
from nn.objectives import LOSSES

FROM_A: Mapping[str, str] = {  # derivatives that have a formula in the activation
    "sigmoid": "{a} (1 - {a})",
    "tanh": "1 - {a}²",
    "elu": "min({a}, 0) + 1",
    "softplus": "1 - exp(-{a})",
}


# The error dz of the last layer.


def errors(true: TruePass) -> Iterator[Variant]:
    """dz_L, right and wrong."""
    place, right = f"dz{true.top}", true.error(true.loss)
    yield (), right
    yield from _of_the_output(true, place, right)
    if true.weights is not None:
        says = f"{place} lacks the samples' weights: all samples count the same."
        yield claim("sample weights missing", "", place, says), true.error(true.loss, weighted=False)
    yield from _of_other_losses(true, place)


def _of_the_output(true: TruePass, place: str, right: Array) -> Iterator[Variant]:
    """Under mistakes in the way back through the output's activation."""
    a, output = true.a[true.top], true.activations[true.top]
    if LOSSES[true.loss].output is None and output == "softmax":
        says = f"{place} takes a (1 - a) for softmax's derivative, in which all outputs meet."
        wrong = true.loss_gradient(true.loss) * a * (1 - a)
        yield claim("wrong derivative", "a (1 - a) for softmax", place, says), wrong
    elif LOSSES[true.loss].output is None:
        da = true.loss_gradient(true.loss)
        yield from ((claims, da * slope) for claims, slope in slopes(true, true.top) if claims)
    elif true.loss != "hinge":  # whose error by z is that by the prediction
        words, slope = true.slope(true.top), derivative_of("sigmoid")(true.z[true.top])
        if output == "softmax":
            words, slope = f"a{true.top} (1 - a{true.top})", a * (1 - a)
        elif output == "linear":
            words = f"sigmoid'(z{true.top})"
        says = f"{place} multiplies by {words}, which cancels in the error of the {_words(true.loss)}."
        yield claim("derivative twice", "in the error", place, says), right * slope


def _of_other_losses(true: TruePass, place: str) -> Iterator[Variant]:
    outputs, m = len(true.y), true.counted
    for name, rule in LOSSES.items():
        if name == true.loss or rule.output not in (None, true.activations[true.top]):
            continue
        error = true.error(name)
        if _proportional(error, true.error(true.loss)):
            continue  # a constant factor is the simpler story
        sums = {1.0: ""}
        if true.reduction == "mean":
            sums.setdefault(m, ", summed over the samples")
            sums.setdefault(float(outputs), ", summed over the outputs")
            sums.setdefault(outputs * m, ", summed over samples and outputs")
        for factor, words in sums.items():
            detail = f"{_words(name)}{words}"
            says = f"{place} is that of another loss, the {detail}; the loss is the {_words(true.loss)}."
            yield claim("another loss", detail, place, says), factor * error


def _proportional(a: Array, b: Array) -> bool:
    """Whether one array is the other times a number, as Huber's slope is half the squared error's."""
    product, sizes = float(np.vdot(a, b)), float(np.linalg.norm(a) * np.linalg.norm(b))
    return abs(product) >= (1 - 1e-12) * sizes


def _words(loss: str) -> str:
    """Its name as it is written.

    >>> _words("binary_cross_entropy"), _words("huber")
    ('binary cross-entropy', 'Huber loss')
    """
    named_after = {"huber": "Huber loss", "hinge": "hinge loss"}
    if loss in named_after:
        return named_after[loss]
    return loss.replace("cross_entropy", "cross-entropy").replace("_", " ")


# On the way down: du = (Wᵀ dz) ⊙ mask ⊙ g'(u), where u is z or what normalisation made of it.


def slopes(true: TruePass, layer: int) -> Iterator[Variant]:
    """g'(u_l), right and wrong."""
    u, a, met = true.u[layer], true.a[layer], true.met(layer)
    name, g, slope = true.activations[layer], true.derivatives[layer], true.slope(layer)
    place, right = f"d{met}", g(u)
    yield (), right
    says = f"{place} lacks the derivative of the activation, {slope}."
    yield claim("missing derivative", "", place, says), np.ones_like(u)
    says = f"{place} takes the derivative at the activation: {name}'(a{layer}) for {slope}."
    yield claim("derivative at a", "a for z", place, says), g(a)
    if name in ACTIVATIONS:
        says = f"{place} puts {met} into a formula for {name}' that is meant for a{layer}."
        formula = slope_from(name, u, u)
        yield claim("derivative at a", "z in a formula for a", place, says), formula
    for k, other in enumerate(true.u):
        if k != layer and other.shape == u.shape:
            yield _of_layer(true, k, layer), g(other)
    says = f"{place} multiplies by the activation a{layer} itself for its derivative {slope}."
    yield claim("wrong derivative", "the activation itself", place, says), a
    yield from _of_other_activations(true, layer)
    says = f"{place} multiplies by {slope} twice."
    yield claim("derivative twice", "", place, says), right**2
    if true.norms[layer] is not None:
        says = f"{place} takes the derivative before normalisation: {name}'(z{layer}) for {slope}."
        yield claim("wrong derivative", "z for u", place, says), g(true.z[layer])


def _of_other_activations(true: TruePass, layer: int) -> Iterator[Variant]:
    """The derivatives of activations that the layer does not have, and their formulas in a."""
    u, a, name, met = true.u[layer], true.a[layer], true.activations[layer], true.met(layer)
    place = f"d{met}"
    for other in ACTIVATIONS:
        if other not in (name, "linear"):
            says = f"{place} takes {other}'({met}) for {true.slope(layer)}."
            yield claim("wrong derivative", f"{other}' for {name}'", place, says), derivative_of(other)(u)
    for other, formula in FROM_A.items():
        if other != name:
            words = formula.format(a=f"a{layer}")
            says = f"{place} takes {words} for {true.slope(layer)}: that is {other}', where a is {other}'s."
            found = slope_from(other, u, a)
            yield claim("wrong derivative", f"{other}' in a for {name}'", place, says), found


def _of_layer(true: TruePass, k: int, layer: int) -> Claims:
    place, name, met = f"d{true.met(layer)}", true.activations[layer], true.met(k)
    if name == "relu":
        says = f"{place} lets through where {met} > 0, not where {true.met(layer)} > 0."
        return claim("ReLU mask of the wrong layer", f"{k - layer:+d}", place, says)
    says = f"{place} takes the derivative at another layer: {name}'({met}) for {true.slope(layer)}."
    return claim("derivative of the wrong layer", f"{k - layer:+d}", place, says)


def _weights(true: TruePass, layer: int) -> Iterator[Variant]:
    W, place = true.W[layer], f"d{true.met(layer)}"
    yield (), W.T
    if W.shape[0] == W.shape[1]:
        says = f"{place} multiplies by W{layer}, not by its transpose."
        yield claim("transposed", "W for W.T", place, says), W
    for k, other in enumerate(true.W):
        if k != layer and other.shape == W.shape:
            says = f"{place} multiplies by the weights of another layer: W{k}.T for W{layer}.T."
            yield claim("neighbour layer", f"weights {k - layer:+d}", place, says), other.T


def _masks(true: TruePass, layer: int) -> Iterator[tuple[Claims, Array | float]]:
    mask, place = true.masks[layer], f"d{true.met(layer)}"
    if mask is None:
        yield (), 1.0
        return
    yield (), mask
    yield claim("dropout mask missing", "", place, f"{place} lacks the dropout mask mask{layer}."), 1.0
    says = f"{place} drops what mask{layer} drops, but lacks its factor 1/keep for the rest."
    yield claim("dropout mask missing", "1/keep", place, says), np.sign(mask)


def downs(true: TruePass, layer: int, dz: Array) -> Iterator[Variant]:
    """du_l of a hidden layer, or dz_l, from dz_{l+1}, right and with up to two mistakes."""
    for (of_weights, W), (of_mask, mask) in product(_weights(true, layer), _masks(true, layer)):
        da = W @ dz * mask
        for of_slope, slope in slopes(true, layer):
            claims = of_weights + of_mask + of_slope
            if len(claims) <= 2:
                yield claims, da * slope


def updated(
    true: TruePass, layer: int, dz: Array, dW: Array, given: Mapping[str, Array]
) -> Iterator[Variant]:
    """The same through weights W - η dW that an update has already changed, with the η that fits `given`.

    What is made from it is linear in η, so that each of the candidate's arrays gives an η of its own.
    """
    place = f"d{true.met(layer)}"
    mask, slope = true.masks[layer], true.derivatives[layer](true.u[layer])
    moved = dW.T @ dz * slope * (1.0 if mask is None else mask)
    right = true.down(layer, dz)
    steps = true.summed(place, moved)
    for name, array in true.arrays(place, right).items():
        if name not in given or given[name].shape != array.shape:
            continue
        rate = ratio(array - given[name], steps[name])
        if np.isfinite(rate) and rate > 0:
            says = (
                f"{place} goes down through W{layer} - {rate:.6g} * dW{layer}, weights that this step has "
                f"already updated, for W{layer}."
            )
            yield claim("updated weights", f"{rate:.4g}", place, says), right - rate * moved


# Through the normalisation: dz = γ s (du - Σ du / m - x̂ Σ du x̂ / m).


def norm_downs(norm: Norm, layer: int, du: Array) -> Iterator[Variant]:
    """dz_l from du_l, right and with up to two mistakes."""
    place = f"dz{layer}"
    for (of_inner, inner), (of_factor, factor) in product(
        _inners(norm, layer, du), _norm_factors(norm, layer)
    ):
        yield of_inner + of_factor, factor * inner
    says = f"{place} is du{layer}: nothing has gone back through the normalisation."
    yield claim("wrong normalisation", "left out", place, says), du


def _inners(norm: Norm, layer: int, du: Array) -> Iterator[Variant]:
    """What is left of du where the statistics move with z, right and wrong."""
    place, du_name, m = f"dz{layer}", f"du{layer}", du.shape[1]
    mean, spread = norm.share_of_mean(du), norm.share_of_spread(du)
    yield (), du - mean - spread
    says = f"{place} takes mean and variance for constants, though both depend on every z{layer}."
    yield claim("statistics as constants", "both", place, says), du
    says = f"{place} takes the mean for a constant: it lacks - {du_name}.mean(axis=1)."
    yield claim("statistics as constants", "the mean", place, says), du - spread
    words = f"normal{layer} * ({du_name} * normal{layer}).mean(axis=1)"
    says = f"{place} takes the variance for a constant: it lacks - {words}."
    yield claim("statistics as constants", "the variance", place, says), du - mean
    says = f"{place} takes away sums over the samples for means: their 1/m is missing."
    yield claim("wrong normalisation", "sums", place, says), du - m * mean - m * spread


def _norm_factors(norm: Norm, layer: int) -> Iterator[Variant]:
    """γ s, right and wrong."""
    place, gamma, sigma = f"dz{layer}", f"gamma{layer - 1}", f"np.sqrt(variance{layer} + ε)"
    yield (), norm.gamma * norm.s
    says = f"{place} lacks the factor {gamma}."
    yield claim("wrong normalisation", "γ", place, says), norm.s
    says = f"{place} is not divided by {sigma}."
    yield claim("wrong normalisation", "1/σ", place, says), norm.gamma
    says = f"{place} is divided by the root of the running variance, not of this batch's."
    yield claim("running statistics", "variance", place, says), norm.gamma * norm.running_s
