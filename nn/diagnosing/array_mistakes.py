"""The table of mistakes in one array: dW = dz aᵀ + penalty; db, dβ and dγ, which are sums over samples.

As in `nn.diagnosing.mistakes`, each generator yields the array as it would be under each mistake.

This room knows the true pass, the claims and the samples that are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

import numpy as np

from nn.diagnosing.claims import Variant, claim
from nn.diagnosing.factors import ratio
from nn.diagnosing.parts import parts_of_array
from nn.diagnosing.passes import Array, TruePass, layer_of, over_samples

Errors = Mapping[str, Array]


def arrays_made_wrong(true: TruePass, name: str, errors: Errors, given: Array) -> Iterator[Variant]:
    """An array under every mistake of its own; `given` is the candidate's, with the penalty that it holds."""
    layer = layer_of(name)
    if name.startswith("dW"):
        yield from _weight_gradients(true, layer, errors, given)
    elif name.startswith(("dgamma", "dbeta")):
        yield from _norm_gradients(true, name, errors)
    else:
        yield from _bias_gradients(true, name, errors, given)


def _bias_gradients(true: TruePass, name: str, errors: Errors, given: Array) -> Iterator[Variant]:
    """db_l, from every layer's dz."""
    layer, penalty = layer_of(name), np.asarray(true.penalty_in(name))
    mine = errors[f"dz{layer + 1}"]
    for mistake, value in _summed(name, "bias", mine):
        yield mistake, value + penalty if value.shape == penalty.shape else value
    if true.penalised(name) is None:
        yield from _bias_penalties(true, layer, over_samples(mine), given)
    else:
        yield from _penalties(true, name, over_samples(mine), given)
    for i in range(1, true.top + 1):
        if i != layer + 1:
            says = f"{name} is the gradient of another layer's bias, db{i - 1}."
            other = over_samples(errors[f"dz{i}"]) + true.penalty_in(f"db{i - 1}")
            yield claim("neighbour layer", f"dz {i - layer - 1:+d}", name, says), other


def _weight_gradients(true: TruePass, layer: int, errors: Errors, given: Array) -> Iterator[Variant]:
    """dW_l, from every layer's dz."""
    place, mine, a = f"dW{layer}", errors[f"dz{layer + 1}"], true.a[layer]
    penalty = true.penalty(layer)
    yield from _penalties(true, place, mine @ a.T, given)
    yield from parts_of_array(place, true.samples, lambda part: mine[:, part] @ a[:, part].T + penalty)
    if layer > 0:
        says = f"{place} multiplies by z{layer} for a{layer}."
        yield claim("z for a", "", place, says), mine @ true.z[layer].T + penalty
    for i, j in product(range(1, true.top + 1), range(true.top + 1)):
        up, across = i - layer - 1, j - layer
        if (up, across) == (0, 0):
            continue
        value = errors[f"dz{i}"] @ true.a[j].T
        if up == across:
            says = f"{place} is the gradient of another layer's weights, dW{j}."
            value = value + true.penalty(j)
        else:
            value = value + penalty if value.shape == penalty.shape else value
            what = f"error: dz{i} for dz{layer + 1}" if up else f"activations: a{j} for a{layer}"
            says = f"{place} is dz{i} @ a{j}.T, from another layer's {what}."
        yield claim("neighbour layer", f"dz {up:+d}, a {across:+d}", place, says), value


def _summed(place: str, noun: str, terms: Array) -> Iterator[Variant]:
    """The sum of terms (width, m) over samples."""
    m, total = terms.shape[1], terms.sum()
    if m > 1:
        says = f"{place} is not summed over the samples: it has a column for each of them."
        yield claim(f"{noun} not summed", "", place, says), terms
    yield from parts_of_array(place, m, lambda part: over_samples(terms[:, part]))
    yield from parts_of_array(place, m, lambda part: terms[:, part].sum(axis=1))
    for wrong in (terms.sum(axis=0), terms.sum(axis=0, keepdims=True)):
        says = f"{place} is summed over the neurons, with an entry for each sample."
        yield claim(f"{noun} over the wrong axis", "neurons", place, says), wrong
    whole = np.full((len(terms), 1), total)
    for wrong in (total, total.reshape(1), total.reshape(1, 1), whole):
        says = f"{place} is summed over neurons and samples, to one number."
        yield claim(f"{noun} over the wrong axis", "all", place, says), np.asarray(wrong)


def _norm_gradients(true: TruePass, name: str, errors: Errors) -> Iterator[Variant]:
    """dγ = Σ du x̂ and dβ = Σ du of a layer with batch normalisation."""
    below, letters = layer_of(name), name.rstrip("0123456789")
    layer, norm = below + 1, true.norms[below + 1]
    if norm is None:
        return
    du, normal = errors[f"du{layer}"], norm.normal
    right = {"dgamma": du * normal, "dbeta": du}
    yield from _summed(name, "gamma or beta", right[letters])
    other = "dbeta" if letters == "dgamma" else "dgamma"
    says = f"{name} is the gradient of the other one, {other}{below}."
    yield claim("gamma and beta exchanged", "", name, says), over_samples(right[other])
    if letters == "dgamma":
        for factor in ("z", "u", "a"):
            says = f"{name} sums du{layer} * {factor}{layer} for du{layer} * normal{layer}."
            value = over_samples(du * getattr(true, factor)[layer])
            yield claim("another factor of gamma", factor, name, says), value
    for other_layer in range(1, true.top):
        if other_layer != layer:
            place, theirs = f"du{other_layer}", f"{letters}{other_layer - 1}"
            says = f"{name} is another layer's, {theirs}."
            found = true.summed(place, errors[place])[theirs]
            yield claim("neighbour layer", f"du {other_layer - layer:+d}", name, says), found


def _penalties(true: TruePass, place: str, data: Array, given: Array) -> Iterator[Variant]:
    """The gradient of parameters under the loss's penalty, with another one."""
    of, symbol = true.penalised(place), place.removeprefix("d")
    if of is None or given.shape != data.shape:
        return
    terms = {"l1": (true.l1, np.sign(of), f"np.sign({symbol})"), "l2": (true.l2, of, symbol)}
    for name, (strength, direction, words) in terms.items():
        rest = data + true.penalty_in(place) - strength * direction
        if strength:
            says = f"{place} lacks the penalty's {strength:g} * {words}."
            yield claim("penalty missing", name, place, says), rest
        found = ratio(given - rest, direction)
        if of.size > 2 and np.isfinite(found) and found:
            says = f"{place} holds {found:.6g} * {words}; the loss's penalty gives {strength:g} * {words}."
            yield claim("wrong penalty", f"{name} {found:.6g}", place, says), rest + found * direction
    if true.l1 and true.l2:
        says = f"{place} lacks both of the penalty's terms."
        yield claim("penalty missing", "both", place, says), data


def _bias_penalties(true: TruePass, layer: int, right: Array, given: Array) -> Iterator[Variant]:
    """db_l with a penalty of the weights' strengths, or another strength, that biases do not have."""
    place, b = f"db{layer}", true.b[layer]
    of_l1, of_l2 = true.l1 * np.sign(b), true.l2 * b
    words_l1, words_l2 = f"{true.l1:g} * np.sign(b{layer})", f"{true.l2:g} * b{layer}"
    terms = {"l1": (of_l1, words_l1), "l2": (of_l2, words_l2)}
    if true.l1 and true.l2:
        terms["both"] = of_l1 + of_l2, f"{words_l1} + {words_l2}"
    found = ratio(given - right, b) if given.shape == b.shape else 0.0
    if b.size > 2 and np.isfinite(found):
        terms["of its own"] = found * b, f"{found:.6g} * b{layer}"
    for detail, (term, words) in terms.items():
        if term.any():
            says = f"{place} holds {words}; the loss's penalty is on weights alone."
            yield claim("penalty on biases", detail, place, says), right + term


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
