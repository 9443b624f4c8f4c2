"""The table of mistakes: each is the true pass with one thing done wrong in one place.

A generator below yields a quantity as it would be under each mistake, with the claims that name it; where its
docstring says "right and wrong", first the right one, with no claims. `nn.diagnosing.search` holds them
against a candidate.

This room knows the true pass and the formulas.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import NamedTuple

import numpy as np

from nn.diagnosing.factors import ratio, readings
from nn.diagnosing.passes import Array, TruePass, bias_gradient, derivative_of, slope_from
from nn.formulas import ACTIVATIONS
from nn.objectives import LOSSES

KINDS: Mapping[str, str] = {
    "another loss": "the gradient of another loss than the one reported",
    "constant factor": "a constant factor",
    "opposite sign": "the opposite sign",
    "missing derivative": "a missing activation derivative",
    "derivative at a": "an activation derivative taken at a for z",
    "derivative of the wrong layer": "an activation derivative taken at another layer's z",
    "ReLU mask of the wrong layer": "another layer's ReLU mask",
    "wrong derivative": "another function in the place of the activation's derivative",
    "transposed": "transposed axes",
    "permuted": "permuted entries",
    "wrong shape": "the right numbers in a wrong shape",
    "neighbour layer": "another layer's gradient, error, activations or weights",
    "z for a": "the logits z in the place of the activations a",
    "bias over the wrong axis": "a bias summed over the wrong axis",
    "bias not summed": "a bias not summed over the samples",
    "last sample only": "only the last sample counted",
    "part of the batch only": "only a part of the batch counted",
    "penalty missing": "a missing regularisation term",
    "wrong penalty": "a regularisation term that is not the loss's",
    "dropout mask missing": "a missing dropout mask",
    "stale": "the last step's gradient",
    "accumulated": "the last step's gradient added in",
    "zero": "nothing but zeros",
    "missing array": "an array that is not there",
    "not finite": "nan or inf",
    "unknown": "not one of the known mistakes",
}


class Claim(NamedTuple):
    """One mistake in one place.

    kind    a key of KINDS
    detail  which of its kind, in words that are the same for any layer
    place   the quantity it was made in: "dz1", "dW0", "db0"
    says    a sentence about that place
    """

    kind: str
    detail: str
    place: str
    says: str


MENDS: Mapping[str, str] = {  # where it is not a line of the pass that is wrong
    "stale": "after each step anew: cache = forward(x); gradients = backward(x, y, cache)",
    "accumulated": "gradients = {} before each backward pass",
}

UNNAMED = "× "  # begins the detail of a factor without a name
ONLY = "only there: "  # and of a mistake in dz that went into one array only

Claims = tuple[Claim, ...]
Variant = tuple[Claims, Array]


def claim(kind: str, detail: str, place: str, says: str) -> Claims:
    """One claim, as claims."""
    return (Claim(kind, detail, place, says),)


def only_in(name: str, one: Claim) -> Claim:
    """A mistake in dz that went into one array and was not handed on."""
    return Claim(one.kind, ONLY + one.detail, name, f"{name} alone is made from a wrong error: {one.says}")


# The error dz of the last layer.


def errors(true: TruePass) -> Iterator[Variant]:
    """dz_L, right and wrong."""
    place, right = f"dz{true.top}", true.error(true.loss)
    yield (), right
    rule, output = LOSSES[true.loss], true.activations[true.top]
    if rule.output is None and output != "softmax":
        da = true.loss_gradient(true.loss)
        yield from ((claims, da * slope) for claims, slope in slopes(true, true.top) if claims)
    elif rule.output is None:
        a = true.a[true.top]
        says = f"{place} takes a (1 - a) for softmax's derivative, in which all outputs meet."
        wrong = true.loss_gradient(true.loss) * a * (1 - a)
        yield claim("wrong derivative", "a (1 - a) for softmax", place, says), wrong
    elif output in ACTIVATIONS:
        slope = true.derivatives[true.top](true.z[true.top])
        says = f"{place} multiplies by {true.slope(true.top)}, which cancels in the {_words(true.loss)}."
        yield claim("wrong derivative", "one too many", place, says), right * slope
    yield from _of_other_losses(true, place)


def _of_other_losses(true: TruePass, place: str) -> Iterator[Variant]:
    outputs, m = true.y.shape
    for name, rule in LOSSES.items():
        if name == true.loss or rule.output not in (None, true.activations[true.top]):
            continue
        error = true.error(name)
        if _proportional(error, true.error(true.loss)):
            continue  # a constant factor is the simpler story
        sums = {1: ""}
        sums.setdefault(m, ", summed over the samples")
        sums.setdefault(outputs, ", summed over the outputs")
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
    return loss.replace("cross_entropy", "cross-entropy").replace("_", " ")


def parts(true: TruePass, dz: Array, db: Array, tolerance: float) -> Iterator[Variant]:
    """dz_L where only the last or the first samples count: as many as explain the bias gradient `db`."""
    m, place = true.samples, f"dz{true.top}"
    if db.shape != (len(dz), 1) or not np.isfinite(db).all():
        return
    counts = np.arange(1, m)
    for end, order in (("last", slice(None, None, -1)), ("first", slice(None))):
        sums = np.cumsum(dz[:, order], axis=1)[:, :-1]
        for scales, words in ((np.ones(m - 1), ""), (m / counts, ", divided by their number")):
            misses = np.minimum(*(np.abs(sums * scale - db).max(axis=0) for scale in (scales, m)))
            for k in counts[misses <= tolerance * np.abs(db).max()].tolist():
                kept = np.zeros_like(dz)
                chosen = slice(-k, None) if end == "last" else slice(k)
                kept[:, chosen] = dz[:, chosen] * scales[k - 1]
                yield _part(end, k, m, words, place), kept


def _part(end: str, count: int, m: int, words: str, place: str) -> Claims:
    which = "sample" if count == 1 else f"{count} samples"
    kind = "last sample only" if (end, count) == ("last", 1) else "part of the batch only"
    says = f"{place} is that of the {end} {which} of {m} only{words}."
    return claim(kind, f"{end} {count}{words}", place, says)


# On the way down: dz = (Wᵀ dz) ⊙ mask ⊙ g'(z).


def slopes(true: TruePass, layer: int) -> Iterator[Variant]:
    """g'(z_l), right and wrong."""
    z, a, place = true.z[layer], true.a[layer], f"dz{layer}"
    name, g = true.activations[layer], true.derivatives[layer]
    slope, right = true.slope(layer), g(z)
    yield (), right
    says = f"{place} lacks the derivative of the activation, {slope}."
    yield claim("missing derivative", "", place, says), np.ones_like(z)
    says = f"{place} takes the derivative at the activation: {name}'(a{layer}) for {slope}."
    yield claim("derivative at a", "a for z", place, says), g(a)
    if name in ACTIVATIONS:
        says = f"{place} puts z{layer} into a formula for {name}' that is meant for a{layer}."
        formula = slope_from(name, z, z)
        yield claim("derivative at a", "z in a formula for a", place, says), formula
    for k, other in enumerate(true.z):
        if k != layer and other.shape == z.shape:
            yield _of_layer(name, k, layer, "x" if k == 0 else f"z{k}"), g(other)
    says = f"{place} multiplies by the activation a{layer} itself for its derivative {slope}."
    yield claim("wrong derivative", "the activation itself", place, says), a
    for other_name in ACTIVATIONS:
        if other_name not in (name, "linear"):
            says = f"{place} takes {other_name}'(z{layer}) for {slope}."
            detail = f"{other_name}' for {name}'"
            yield claim("wrong derivative", detail, place, says), derivative_of(other_name)(z)
    says = f"{place} multiplies by {slope} twice."
    yield claim("wrong derivative", "twice", place, says), right**2


def _of_layer(name: str, k: int, layer: int, z: str) -> Claims:
    place = f"dz{layer}"
    if name == "relu":
        says = f"{place} lets through where {z} > 0, not where z{layer} > 0."
        return claim("ReLU mask of the wrong layer", f"{k - layer:+d}", place, says)
    says = f"{place} takes the derivative at another layer: {name}'({z}) for {name}'(z{layer})."
    return claim("derivative of the wrong layer", f"{k - layer:+d}", place, says)


def _weights(true: TruePass, layer: int) -> Iterator[Variant]:
    W, place = true.W[layer], f"dz{layer}"
    yield (), W.T
    if W.shape[0] == W.shape[1]:
        says = f"{place} multiplies by W{layer}, not by its transpose."
        yield claim("transposed", "W for W.T", place, says), W
    for k, other in enumerate(true.W):
        if k != layer and other.shape == W.shape:
            says = f"{place} multiplies by the weights of another layer: W{k}.T for W{layer}.T."
            yield claim("neighbour layer", f"weights {k - layer:+d}", place, says), other.T


def _masks(true: TruePass, layer: int) -> Iterator[tuple[Claims, Array | float]]:
    mask, place = true.masks[layer], f"dz{layer}"
    if mask is None:
        yield (), 1.0
        return
    yield (), mask
    yield claim("dropout mask missing", "", place, f"{place} lacks the dropout mask mask{layer}."), 1.0
    says = f"{place} drops what mask{layer} drops, but lacks its factor 1/keep for the rest."
    yield claim("dropout mask missing", "1/keep", place, says), np.sign(mask)


def downs(true: TruePass, layer: int, dz: Array) -> Iterator[Variant]:
    """dz_l of a hidden layer from dz_{l+1}, right and with up to two mistakes."""
    for (of_weights, W), (of_mask, mask) in product(_weights(true, layer), _masks(true, layer)):
        da = W @ dz * mask
        for of_slope, slope in slopes(true, layer):
            claims = of_weights + of_mask + of_slope
            if len(claims) <= 2:
                yield claims, da * slope


# The arrays: dW = dz aᵀ + penalty, db = dz summed over samples.


def weight_gradients(true: TruePass, layer: int, dz: Mapping[int, Array], given: Array) -> Iterator[Variant]:
    """dW_l, wrong, from every layer's dz; `given` is the candidate's, which holds its penalty's strength."""
    place, mine, a, penalty = f"dW{layer}", dz[layer + 1], true.a[layer], true.penalty(layer)
    yield from _penalties(true, layer, mine @ a.T, given)
    if true.samples > 1:
        says = f"{place} counts only the last sample."
        yield claim("last sample only", "", place, says), mine[:, -1:] @ a[:, -1:].T + penalty
    if layer > 0:
        says = f"{place} multiplies by z{layer} for a{layer}."
        yield claim("z for a", "", place, says), mine @ true.z[layer].T + penalty
    for i, j in product(dz, range(true.top + 1)):
        up, across = i - layer - 1, j - layer
        if (up, across) == (0, 0):
            continue
        value = dz[i] @ true.a[j].T
        if up == across:
            says = f"{place} is the gradient of another layer's weights, dW{j}."
            value = value + true.penalty(j)
        else:
            value = value + penalty if value.shape == penalty.shape else value
            what = f"error: dz{i} for dz{layer + 1}" if up else f"activations: a{j} for a{layer}"
            says = f"{place} is dz{i} @ a{j}.T, from another layer's {what}."
        yield claim("neighbour layer", f"dz {up:+d}, a {across:+d}", place, says), value


def bias_gradients(true: TruePass, layer: int, dz: Mapping[int, Array]) -> Iterator[Variant]:
    """db_l, wrong, from every layer's dz."""
    place, mine = f"db{layer}", dz[layer + 1]
    right = bias_gradient(mine)
    if true.samples > 1:
        says = f"{place} is not summed over the samples: it has a column for each of them."
        yield claim("bias not summed", "", place, says), mine
        for last in (mine[:, -1:], mine[:, -1]):
            yield claim("last sample only", "", place, f"{place} counts only the last sample."), last
    total = mine.sum()
    for wrong in (mine.sum(axis=0), mine.sum(axis=0, keepdims=True)):
        says = f"{place} is summed over the neurons, with an entry for each sample."
        yield claim("bias over the wrong axis", "neurons", place, says), wrong
    for wrong in (total, total.reshape(1), total.reshape(1, 1), np.full_like(right, total)):
        says = f"{place} is summed over neurons and samples, to one number."
        yield claim("bias over the wrong axis", "all", place, says), np.asarray(wrong)
    for i, other in dz.items():
        if i != layer + 1:
            says = f"{place} is the gradient of another layer's bias, db{i - 1}."
            yield claim("neighbour layer", f"dz {i - layer - 1:+d}", place, says), bias_gradient(other)


def _penalties(true: TruePass, layer: int, data: Array, given: Array) -> Iterator[Variant]:
    """dW_l with a penalty other than the loss's."""
    if given.shape != data.shape:
        return
    place, W = f"dW{layer}", true.W[layer]
    terms = {"l1": (true.l1, np.sign(W), f"np.sign(W{layer})"), "l2": (true.l2, W, f"W{layer}")}
    for name, (strength, direction, words) in terms.items():
        rest = data + true.penalty(layer) - strength * direction
        if strength:
            says = f"{place} lacks the penalty's {strength:g} * {words}."
            yield claim("penalty missing", name, place, says), rest
        found = ratio(given - rest, direction)
        if W.size > 2 and np.isfinite(found) and found:
            says = f"{place} holds {found:.6g} * {words}; the loss's penalty gives {strength:g} * {words}."
            yield claim("wrong penalty", f"{name} {found:.6g}", place, says), rest + found * direction
    if true.l1 and true.l2:
        says = f"{place} lacks both of the penalty's terms."
        yield claim("penalty missing", "both", place, says), data


def rearranged(right: Array, given: Array, place: str) -> Iterator[Variant]:
    """The right array with its axes or its entries in another order."""
    if right.ndim == 2 and given.shape == right.T.shape:
        yield claim("transposed", "", place, f"{place} is transposed: {place}.T."), right.T
    if given.size == right.size and given.shape != right.shape:
        says = f"{place} has the shape {given.shape} for {right.shape}, with its entries in the same order."
        yield claim("wrong shape", f"{given.ndim} axes", place, says), right.reshape(given.shape)
    if given.shape != right.shape:
        return
    for axis, words in enumerate(("rows", "columns")):
        if right.ndim == 2 and right.shape[axis] > 1:
            says = f"{place} has its {words} in another order."
            yield claim("permuted", words, place, says), _reordered(right, given, axis)
    entries = np.empty_like(right)
    entries.flat[np.argsort(given, axis=None)] = np.sort(right, axis=None)
    yield claim("permuted", "entries", place, f"{place} has its entries in another order."), entries


def _reordered(right: Array, given: Array, axis: int) -> Array:
    """`right` with its rows (axis 0) or columns in the order of `given`'s, if they are the same ones."""
    r, g = (right, given) if axis == 0 else (right.T, given.T)
    result = np.empty_like(r)
    result[np.lexsort(g.T)] = r[np.lexsort(r.T)]
    return result if axis == 0 else result.T


def scaled(factor: float, place: str, counts: Mapping[str, int], tolerance: float) -> tuple[Claims, float]:
    """The claims that a factor makes, and the factor itself, exact where it has a name."""
    claims: Claims = ()
    if factor < 0:
        claims = claim("opposite sign", "", place, f"{place} has the opposite sign.")
    size = abs(factor)
    if abs(size - 1) <= tolerance:
        return claims, float(np.sign(factor))
    named = readings(size, counts, tolerance)
    if not named:
        words = "no count of samples or outputs" if counts else "is that a count of samples, or of outputs?"
        says = f"{place} is {size:.6g} times the true one: {words}{'.' * bool(counts)}"
        return claims + claim("constant factor", f"{UNNAMED}{size:.6g}", place, says), factor
    value, names = named[0][0], " = ".join(name for _, name, _ in named)
    shown = "" if named[0][1] == f"{value:g}" else f"{value:.6g} = "
    meanings = ", or ".join(meaning for _, _, meaning in named)
    says = f"{place} is {shown}{names} times the true one: {meanings}."
    return claims + claim("constant factor", names, place, says), float(np.sign(factor)) * value
