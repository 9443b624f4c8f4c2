"""The door: a candidate and a reference come in, a diagnosis goes out.

This room knows all others of the diagnosis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from nn.diagnosing.claims import claim
from nn.diagnosing.evidence import Case
from nn.diagnosing.explaining import EXACT, ROUGH, Explainer, weight
from nn.diagnosing.factors import Counts
from nn.diagnosing.inputs import (
    Asked,
    Gradients,
    Setting,
    arrays,
    gradients_of,
    of_another_forward,
    precision_of,
    refuse_infinite,
    renamed,
    setting_of,
)
from nn.diagnosing.last_step import rate_of_last_step
from nn.diagnosing.passes import Array
from nn.diagnosing.report import Diagnosis
from nn.diagnosing.search import Story, stories, stories_of_arrays
from nn.dropout import Masks
from nn.parameters import LayeredParameters

Explained = tuple[list[Story], Explainer]  # the lightest stories, and what they were held against

UNDONE = 1e-8  # a step is undone to the parameters' last places, which the gradient magnifies
SUSPECT = 2.5  # a story heavier than one factor without a name may be that of the last step
ONE_SAMPLE = "x holds one sample: a missing 1/m, or samples left out, cannot be seen here. Take more."
ROUGHLY = (
    "The numbers agree to 4 digits or more, but not to 12: they are float32, or a numerical derivative, or "
    "something small was left out, as the ε of batch normalisation."
)
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
    weights: Any = None,
    masks: Masks | None = None,
    l1: float = 0.0,
    l2: float = 0.0,
    previous: Any = None,
) -> Diagnosis:
    """Name what is wrong with a candidate's gradient, with the evidence and the right line of code.

    candidate  whose gradients are in question: a dict {"dW0": …, "db0": …, …} as in the tutorial, a function
               (x, y) -> such a dict, or an object with the tutorial's forward(x) and backward(x, y, cache)
    reference  a NeuralNetwork with the same parameters and the loss that is reported, with x (inputs, N) and
               y (outputs, N), or labels (N,). Or the true gradients, a dict, which show factors, axes, order
               and exchanged arrays alone
    weights    (N,), the samples' weights in the loss; None: all count the same
    masks      what dropout keeps, as draw_masks gives them; None: everything. An object is told both, a
               function or a dict must know. With batch normalisation, gradients are those of training
    l1, l2     the loss reported has the penalty l1 Σ|W| + l2/2 ΣW² besides, hence dW l1 sign W + l2 W; on
               biases, too, where the reference's penalties are
    previous   the last step's gradients, a dict, to tell those that were not computed anew. The last step of
               plain gradient descent on the same samples is found without

    The true pass is run again with each known mistake planted in each place, and with two where that is
    cheap; the simplest story that gives all of the candidate's arrays is told. A mistake that makes no
    difference on these samples is not claimed. Arrays agree, as in `compare_gradients`, to 1e-12 of their
    largest magnitude, or to what rounding explains; where that leaves something open, as float32 does, 1e-4.

    Raises TypeError for another kind of candidate or reference; ValueError for a reference whose own backward
    is not the gradient of its loss, and for samples, masks or strengths that do not fit.

    >>> from nn import NeuralNetwork
    >>> network = NeuralNetwork([2, 3, 1], rng=np.random.default_rng(0))
    >>> x, y = np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]]), np.array([[0.0, 1.0, 1.0, 0.0]])
    >>> def summed(x, y):
    ...     right = network.backward(x, y, network.forward(x))
    ...     return {name: 4 * gradient for name, gradient in right.items()}
    >>> diagnose(summed, network, x, y).causes[0].says
    "dz2 is 4 = m times the true one: the mean's 1/m is missing."
    """
    last = {} if previous is None else arrays("previous", previous)
    asked = Asked(x, y, weights, masks)
    if isinstance(reference, Mapping):
        own, counts = gradients_of(candidate, asked)[0], {} if x is None else {"m": np.shape(x)[-1]}
        return _from_arrays(_name(candidate), own, arrays("reference", reference), counts, last)
    setting = setting_of(reference, asked, l1, l2)
    return _from_network(_name(candidate), *gradients_of(candidate, asked), setting, last)


@np.errstate(all="ignore")
def _from_network(
    name: str, gradients: Any, cache: Mapping[str, Any], setting: Setting, last: Gradients
) -> Diagnosis:
    """The diagnosis where the network, and so the whole pass, is known."""
    true = setting.pass_at(setting.parameters)
    right = true.gradients()
    given, notes = renamed(arrays("candidate", gradients), right)
    floors = {EXACT: setting.floors(np.dtype(float))}
    floors[ROUGH] = setting.floors(precision_of(gradients, setting.reference))
    counts: dict[str, float] = {"m": true.samples, "outputs": len(true.y)}
    if true.weights is not None:
        counts["weights.sum()"] = true.counted

    def explainer(tolerance: float) -> Explainer:
        return Explainer(given, last, counts, floors[tolerance], tolerance)

    found, used = _searched(explainer, right, partial(stories, true))
    if found[0].open and weight(found[0].claims) > SUSPECT:
        asides = (way(setting, right, explainer) for way in (_by_running_statistics, _of_last_step))
        found, used = next(filter(None, asides), (found, used))
    if true.samples == 1:
        notes += (ONE_SAMPLE,)
    if found[0].claims:
        notes += of_another_forward(cache, true)
    case = Case(used, right, true, found[0])
    return _diagnosis(case, found, notes, (name, _name(setting.reference)))


@np.errstate(all="ignore")
def _from_arrays(
    name: str, gradients: Any, right: Gradients, counts: Counts, last: Gradients
) -> Diagnosis:
    """The diagnosis where only the true arrays are known."""
    refuse_infinite(right)
    given, notes = renamed(arrays("candidate", gradients), right)
    explainer = partial(Explainer, given, last, counts, dict.fromkeys(right, 0.0))
    found, used = _searched(explainer, right, partial(stories_of_arrays, right))
    case = Case(used, right, None, found[0])
    return _diagnosis(case, found, (*notes, ARRAYS_ALONE), (name, "the true arrays"))


def _searched(
    explainer: Callable[[float], Explainer], right: Gradients, search: Callable[[Explainer], list[Story]]
) -> Explained:
    """The lightest stories, to what float64 agrees to, and where that leaves something open, float32."""
    tried: list[tuple[list[Story], Explainer]] = []
    for tolerance in (EXACT, ROUGH):
        one = explainer(tolerance)
        agree = all(one.agrees(name, array) for name, array in right.items())
        tried.append(([Story({}, (), right)] if agree else search(one), one))
        if not tried[-1][0][0].open:
            break
    return min(tried, key=lambda attempt: weight(attempt[0][0].claims))


def _by_running_statistics(
    setting: Setting, right: Gradients, explainer: Callable[[float], Explainer]
) -> Explained | None:
    """The story of a gradient that is right for a pass by the running statistics; None if it is not."""
    if not setting.reference.batch_norm:
        return None
    running = setting.pass_at(setting.parameters, running=True).gradients()
    for used in map(explainer, (EXACT, ROUGH)):
        if all(used.agrees(name, array) for name, array in running.items()):
            return _everywhere("running statistics", "that of a pass by the running statistics", right, used)
    return None


def _of_last_step(
    setting: Setting, right: Gradients, explainer: Callable[[float], Explainer]
) -> Explained | None:
    """The story of a gradient that is that of the last step; None if it is not."""
    layers = LayeredParameters(setting.reference.layer_sizes, setting.reference.batch_norm)
    given = explainer(EXACT).candidate
    if any(name not in given or given[name].shape != array.shape for name, array in right.items()):
        return None

    def gradient_at(parameters: Array) -> Array:
        return layers.flat_gradient(setting.pass_at(parameters).gradients())

    for used in (replace(explainer(EXACT), tolerance=UNDONE), explainer(ROUGH)):
        close = {name: np.full_like(array, used.close(name, array)) for name, array in given.items()}
        vectors = setting.parameters, layers.flat_gradient(given), layers.flat_gradient(close)
        rate = rate_of_last_step(gradient_at, *vectors)
        if rate is not None:
            step = f"the last step, which had the learning rate {rate:.6g}"
            return _everywhere("stale", f"the gradient at the parameters before {step}", right, used)
    return None


def _everywhere(kind: str, words: str, right: Gradients, used: Explainer) -> Explained:
    """The story of a mistake that is in no place of the pass, and that all wrong arrays show."""
    wrong = [name for name, array in right.items() if not used.agrees(name, array)]
    claims = (claim(kind, "", name, f"{name} is {words}.") for name in wrong)
    return [Story({}, tuple(one for pair in claims for one in pair), used.candidate)], used


def _diagnosis(case: Case, found: list[Story], notes: tuple[str, ...], sides: tuple[str, str]) -> Diagnosis:
    causes = case.causes()
    if case.explainer.tolerance == ROUGH:
        notes = (ROUGHLY, *notes)
    also = tuple(replace(case, story=story).causes() for story in found[1:])
    return Diagnosis(*sides, case.findings(causes), causes, also, notes)


def _name(source: Any) -> str:
    if isinstance(source, Mapping):
        return "the given dict"
    return getattr(source, "__name__", type(source).__name__)
