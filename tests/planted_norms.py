"""Backward passes through batch normalisation with one mistake in them."""

from __future__ import annotations

import numpy as np
from learners import forward, one_of, passes, random_case, right
from planting import changed, differing, planted, some_layers


def _norm_made_wrong(rng, ways):
    """dz = way(gamma, s, normal, du) in all hidden layers, or in one."""
    case = random_case(rng, normalised=True)
    layers, way = some_layers(rng, case), one_of(rng, ways)

    def norm(layer, du, cache):
        s = 1 / np.sqrt(cache[f"variance{layer}"] + 1e-5)
        if layer in layers:
            return way(case.network.gammas[layer - 1], s, cache[f"normal{layer}"], du)
        return None

    return planted(case, passes(case, norm=norm)[0], *[f"dz{layer}" for layer in layers])


def mean(rows):
    return rows.mean(axis=1, keepdims=True)


def statistics_as_constants(rng):
    """Both, the mean, the variance."""
    return _norm_made_wrong(rng, [
        lambda gamma, s, normal, du: gamma * s * du,
        lambda gamma, s, normal, du: gamma * s * (du - normal * mean(du * normal)),
        lambda gamma, s, normal, du: gamma * s * (du - mean(du)),
    ])  # fmt: skip


def wrong_normalisation(rng):
    """gamma left out, or the spread, or everything; sums for means."""
    return _norm_made_wrong(rng, [
        lambda gamma, s, normal, du: s * (du - mean(du) - normal * mean(du * normal)),
        lambda gamma, s, normal, du: gamma * (du - mean(du) - normal * mean(du * normal)),
        lambda gamma, s, normal, du: du,
        lambda gamma, s, normal, du: gamma * s * (
            du - du.shape[1] * (mean(du) + normal * mean(du * normal))
        ),
    ])  # fmt: skip


def running_statistics(rng):
    """A pass by the running statistics, which are constants."""
    case = random_case(rng, normalised=True)
    for gathered, variance in zip(case.network.running_mean, case.network.running_variance, strict=True):
        gathered[...] = rng.normal(size=gathered.shape)
        variance[...] = rng.uniform(0.5, 2.0, size=variance.shape)

    def norm(layer, du, cache):
        return case.network.gammas[layer - 1] / np.sqrt(cache[f"variance{layer}"] + 1e-5) * du

    wrong = passes(case, norm=norm, cache=forward(case, running=True))[0]
    return planted(case, wrong, *differing(case, wrong))


def gamma_and_beta_exchanged(rng):
    case = random_case(rng, normalised=True)
    layers, gradients = some_layers(rng, case), right(case)
    wrong = {}
    for below in (layer - 1 for layer in layers):
        wrong |= {f"dgamma{below}": gradients[f"dbeta{below}"], f"dbeta{below}": gradients[f"dgamma{below}"]}
    return planted(case, gradients | wrong, *wrong)


def gamma_or_beta_not_summed(rng):
    case = random_case(rng, normalised=True)
    gradients, _, cache = passes(case)
    wrong = {}
    for layer in some_layers(rng, case):
        du = cache[f"du{layer}"]
        wrong |= {f"dgamma{layer - 1}": du * cache[f"normal{layer}"], f"dbeta{layer - 1}": du}
    wrong = wrong if rng.random() < 0.5 else dict([one_of(rng, wrong.items())])
    return planted(case, gradients | wrong, *wrong)


def gamma_or_beta_over_the_wrong_axis(rng):
    case = random_case(rng, normalised=True)
    cache = passes(case)[2]
    layer = int(rng.integers(1, case.top))
    du = cache[f"du{layer}"]
    if len(du) == 1:
        return None
    terms = one_of(rng, [("dgamma", du * cache[f"normal{layer}"]), ("dbeta", du)])
    wrong = one_of(rng, [terms[1].sum(axis=0), terms[1].sum(axis=0, keepdims=True), terms[1].sum()])
    return changed(case, f"{terms[0]}{layer - 1}", wrong)


def another_factor_of_gamma(rng):
    """z, u or a for the normalised logits."""
    case = random_case(rng, normalised=True)
    gradients, _, cache = passes(case)
    letter, wrong = one_of(rng, "zua"), {}
    for layer in some_layers(rng, case):
        product = cache[f"du{layer}"] * cache[f"{letter}{layer}"]
        wrong[f"dgamma{layer - 1}"] = product.sum(axis=1, keepdims=True)
    return planted(case, gradients | wrong, *wrong)
