"""The door: a candidate and a reference come in, a diagnosis goes out.

This room knows all others of the diagnosis.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from nn import checks
from nn.diagnosing.evidence import Case
from nn.diagnosing.explaining import EXACT, ROUGH, Explainer, weight
from nn.diagnosing.inputs import (
    Gradients,
    arrays,
    check_reference,
    gradients_of,
    masks_by_layer,
    of_another_forward,
    refuse_infinite,
    renamed,
    roundings,
)
from nn.diagnosing.last_step import rate_of_last_step
from nn.diagnosing.mistakes import claim
from nn.diagnosing.passes import Array, TruePass, true_pass
from nn.diagnosing.report import Diagnosis
from nn.diagnosing.search import Story, stories, stories_of_arrays
from nn.network import NeuralNetwork

UNDONE = 1e-8  # a step is undone to the parameters' last places, which the gradient magnifies
SUSPECT = 2.5  # a story heavier than one factor without a name may be that of the last step
ONE_SAMPLE = "x holds one sample: a missing 1/m, or samples left out, cannot be seen here. Take more."
ROUGHLY = "The numbers agree to 4 digits or more, but not to 12: they are float32, or a numerical derivative."
ARRAYS_ALONE = (
    "From the true arrays alone only factors, axes, order and exchanged arrays can be told. With a "
    "NeuralNetwork for the reference, x and y, the mistakes inside the pass can be told, too."
)


def diagnose(
    candidate: Any,
    reference: Any,
    x: Any = None,
    y: Any = None,
    *,
    masks: Mapping[str, Any] | None = None,
    l1: float = 0.0,
    l2: float = 0.0,
    previous: Any = None,
) -> Diagnosis:
    """Name what is wrong with a candidate's gradient, with the evidence and the right line of code.

    candidate  whose gradients are in question: a dict {"dW0": …, "db0": …, …} as in the tutorial, a function
               (x, y) -> such a dict, or an object with the tutorial's forward(x) and backward(x, y, cache)
    reference  a NeuralNetwork with the same parameters and the loss that is reported, with x (inputs, N) and
               y (outputs, N). Or the true gradients, a dict: then only what arrays show by themselves can be
               told, factors, axes, order and exchanged arrays
    masks      dropout's factors by cache key, {"a1": (width, N)}: what each activation was multiplied by
    l1, l2     the loss reported has the penalty l1 Σ|W| + l2/2 ΣW² besides, hence dW l1 sign W + l2 W
    previous   the last step's gradients, a dict, to tell those that were not computed anew. The last step of
               plain gradient descent on the same samples is found without

    The true pass is run again with a mistake planted in it, for every known mistake and every place, and with
    two where that is cheap; the simplest story that gives all of the candidate's arrays is told. A mistake
    that makes no difference on these samples is not claimed; an array that no story gives is said to be
    unexplained. Arrays agree, as in `compare_gradients`, to 1e-12 of their largest magnitude, or to what
    rounding alone explains; where that leaves something open, as gradients in float32 do, to 1e-4.

    Raises TypeError for another kind of candidate or reference; ValueError for a reference whose own backward
    is not the gradient of its loss, and for samples, masks or strengths that do not fit.

    >>> network = NeuralNetwork([2, 3, 1], rng=np.random.default_rng(0))
    >>> x, y = np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]]), np.array([[0.0, 1.0, 1.0, 0.0]])
    >>> def summed(x, y):
    ...     right = network.backward(x, y, network.forward(x))
    ...     return {name: 4 * gradient for name, gradient in right.items()}
    >>> diagnosis = diagnose(summed, network, x, y)
    >>> diagnosis.causes[0].kind, diagnosis.causes[0].says
    ('constant factor', "dz2 is 4 = m times the true one: the mean's 1/m is missing.")
    >>> [(finding.name, finding.made, finding.inherited) for finding in diagnosis.findings]
    [('dW1', (1,), ()), ('db1', (1,), ()), ('dW0', (), (1,)), ('db0', (), (1,))]
    """
    last = {} if previous is None else arrays("previous", previous)
    if isinstance(reference, Mapping):
        right, (own, _) = arrays("reference", reference), gradients_of(candidate, x, y)
        return _from_arrays(own, _name(candidate), right, {} if x is None else {"m": np.shape(x)[-1]}, last)
    if not isinstance(reference, NeuralNetwork):
        raise TypeError(
            "reference: expected a NeuralNetwork with the same parameters, or a dict of true gradients, got "
            f"{type(reference).__name__}. The order is diagnose(candidate, reference, x, y); for an MLP of "
            "Values pass NeuralNetwork.from_mlp(model, loss)"
        )
    check_reference(reference, x, y)
    strengths = checks.not_negative("l1", l1), checks.not_negative("l2", l2)
    factors = masks_by_layer(reference, x, masks or {})
    own, cache = gradients_of(candidate, x, y)

    def pass_at(parameters: Array) -> TruePass:
        moved = copy.deepcopy(reference)
        moved.parameters = parameters
        return true_pass(moved, x, y, factors, *strengths)

    with np.errstate(all="ignore"):
        floors = roundings(reference, x, y)
        case, found, notes = _from_network(pass_at, reference.parameters, own, last, floors)
        if found[0].claims and case.true is not None:
            notes += of_another_forward(cache, case.true)
        return _diagnosis(case, found, notes, (_name(candidate), _name(reference)))


def _from_network(
    pass_at: Callable[[Array], TruePass],
    parameters: Array,
    own: Gradients,
    last: Gradients,
    floors: Mapping[str, float],
) -> tuple[Case, list[Story], tuple[str, ...]]:
    """The stories where the network, and so the whole pass, is known; and what there is to note."""
    true = pass_at(parameters)
    right = true.gradients()
    given, notes = renamed(own, right)
    counts = {"m": true.samples, "outputs": len(true.y)}
    found, used = _searched(partial(Explainer, given, last, counts, floors), right, partial(stories, true))
    if found[0].open and weight(found[0].claims) > SUSPECT and _comparable(given, right):
        found = _of_last_step(lambda p: _flat(pass_at(p).gradients()), parameters, given) or found
    if true.samples == 1:
        notes += (ONE_SAMPLE,)
    return Case(used, right, true, found[0]), found, notes


def _from_arrays(
    own: Gradients, name: str, right: Gradients, counts: Mapping[str, int], last: Gradients
) -> Diagnosis:
    """The diagnosis where only the true arrays are known."""
    refuse_infinite(right)
    given, notes = renamed(own, right)
    floors = dict.fromkeys(right, 0.0)
    with np.errstate(all="ignore"):
        explainer = partial(Explainer, given, last, counts, floors)
        found, used = _searched(explainer, right, partial(stories_of_arrays, right))
        case = Case(used, right, None, found[0])
        return _diagnosis(case, found, (*notes, ARRAYS_ALONE), (name, "the true arrays"))


def _searched(
    explainer: Callable[[float], Explainer], right: Gradients, search: Callable[[Explainer], list[Story]]
) -> tuple[list[Story], Explainer]:
    """The lightest stories, to what float64 agrees to, and where that leaves something open, float32."""
    tried: list[tuple[list[Story], Explainer]] = []
    for tolerance in (EXACT, ROUGH):
        one = explainer(tolerance)
        agree = all(one.agrees(name, array) for name, array in right.items())
        tried.append(([Story({}, (), right)] if agree else search(one), one))
        if not tried[-1][0][0].open:
            break
    return min(tried, key=lambda attempt: weight(attempt[0][0].claims))


def _of_last_step(gradient_at: Callable[[Array], Array], parameters: Array, given: Gradients) -> list[Story]:
    """The story of a gradient that is that of the last step; none if it is not."""
    for tolerance in (UNDONE, ROUGH):
        rate = rate_of_last_step(gradient_at, parameters, _flat(given), tolerance)
        if rate is not None:
            words = f"at the parameters before the last step, which had the learning rate {rate:.6g}"
            stale = (claim("stale", "", name, f"{name} is the gradient {words}.") for name in given)
            return [Story({}, tuple(one for claims in stale for one in claims), given)]
    return []


def _diagnosis(case: Case, found: list[Story], notes: tuple[str, ...], sides: tuple[str, str]) -> Diagnosis:
    causes = case.causes()
    if case.explainer.tolerance == ROUGH:
        notes = (ROUGHLY, *notes)
    also = tuple(replace(case, story=story).causes() for story in found[1:])
    return Diagnosis(*sides, case.findings(causes), causes, also, notes)


def _comparable(given: Gradients, right: Gradients) -> bool:
    return all(
        name in given and given[name].shape == array.shape and np.isfinite(given[name]).all()
        for name, array in right.items()
    )


def _flat(gradients: Gradients) -> Array:
    """{"dW0": …, "db0": …, …} as one vector (P,), in the order of a network's parameters."""
    layers = range(len(gradients) // 2)
    return np.concatenate([np.hstack([gradients[f"dW{n}"], gradients[f"db{n}"]]).ravel() for n in layers])


def _name(source: Any) -> str:
    if isinstance(source, Mapping):
        return "the given dict"
    return getattr(source, "__name__", type(source).__name__)
