"""What comes in at the door: a candidate's arrays, a reference, samples and strengths, each checked.

This room knows a NeuralNetwork's public names, the checks at the door, the size of a gradient's terms and
the true pass.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from nn import checks
from nn.diagnosing.explaining import EXACT, ROUGH, Explainer
from nn.diagnosing.passes import Array, TruePass, true_pass
from nn.dropout import Masks, checked_masks
from nn.network import NeuralNetwork
from nn.passes import Batch
from nn.rounding import gradient_terms

Gradients = dict[str, Array]

# How many roundings of the terms' size are excused: in float64 as in `compare_gradients`; in float32, where
# they hide more, 2. None of 1,200 random networks, half with batch normalisation, was off by more than 0.5.
ROUNDINGS = {np.dtype(np.float64): 16, np.dtype(np.float32): 2}


class Asked(NamedTuple):
    """What a candidate is asked at, as it was given."""

    x: Any
    y: Any
    weights: Any = None
    masks: Masks | None = None


@dataclass(frozen=True)
class Setting:
    """The reference, its parameters as they were, and what the gradients were taken at.

    batch   what was asked, checked, in float64
    l1, l2  what the loss reported holds besides the reference's own penalties
    terms   the size of the terms in each array
    """

    reference: NeuralNetwork
    parameters: Array
    batch: Batch
    l1: float
    l2: float
    terms: Mapping[str, float]

    def pass_at(self, parameters: Array, *, running: bool = False) -> TruePass:
        """The true pass with these parameters (P,)."""
        return true_pass(self.reference, parameters, self.batch, self.l1, self.l2, running=running)

    def floors(self, precision: np.dtype[Any]) -> dict[str, float]:
        """For each array, the difference that rounding alone explains in this precision.

        Below neurons that are saturated in two layers, both factors of the gradient are rounding: what is
        left is ε times smaller still, and 0 in one right pass and 1e-60 in another.
        """
        epsilon = float(np.finfo(precision).eps)
        least = epsilon * max(self.terms.values())
        excused = ROUNDINGS[precision] * epsilon
        return {name: excused * max(size, least) for name, size in self.terms.items()}


@np.errstate(all="ignore")
def setting_of(reference: Any, asked: Asked, l1: float, l2: float) -> Setting:
    """All of it checked; TypeError for another reference, ValueError for what does not fit or is wrong."""
    if not isinstance(reference, NeuralNetwork):
        raise TypeError(
            "reference: expected a NeuralNetwork with the same parameters, or a dict of true gradients, got "
            f"{type(reference).__name__}. The order is diagnose(candidate, reference, x, y); for an MLP of "
            "Values pass NeuralNetwork.from_mlp(model, loss)"
        )
    if asked.x is None or asked.y is None:
        raise ValueError("x, y: expected the samples at which the gradients were taken, got none")
    batch = _checked(reference, *asked)
    parameters = reference.parameters.astype(float)  # a candidate may step, and take the reference along
    strengths = checks.not_negative("l1", l1), checks.not_negative("l2", l2)
    terms = _terms(reference, parameters, batch)
    setting = Setting(reference, parameters, batch, *strengths, terms)
    _check_backward(setting, asked)
    return setting


def _checked(reference: NeuralNetwork, x: Any, y: Any, weights: Any, masks: Masks | None) -> Batch:
    sizes = reference.layer_sizes
    inputs, targets = checks.samples(x, y, sizes[0], sizes[-1], reference.loss_name)
    samples = inputs.shape[1]
    if weights is not None:
        weights = checks.sample_weights("weights", weights, samples)
    kept = checked_masks(masks, sizes, samples, float)
    for i, mask in enumerate(kept or ()):
        if mask is not None:
            checks.finite(f"masks[{i}]", mask)
    return Batch(inputs, targets, weights, kept)


def _terms(reference: NeuralNetwork, parameters: Array, batch: Batch) -> dict[str, float]:
    """The size of the terms in each array; 0 where the formulas are a learner's own."""
    if not reference.has_own("activation"):
        return gradient_terms(reference, batch.x, batch.y, weights=batch.weights, masks=batch.masks)
    if reference.batch_norm:
        raise ValueError(
            "reference: expected an activation of this package with batch normalisation, below which db is "
            "all rounding; of a learner's own activation nobody knows how much"
        )
    return dict.fromkeys(true_pass(reference, parameters, batch).gradients(), 0.0)


def _check_backward(setting: Setting, asked: Asked) -> None:
    """ValueError unless the reference's own backward is the gradient that its formulas give."""
    reference = setting.reference
    own = arrays("reference", gradients_of(reference, asked)[0])
    right = true_pass(reference, setting.parameters, setting.batch).gradients()
    refuse_infinite(right)
    tolerance = EXACT if reference.dtype == np.float64 else ROUGH
    explainer = Explainer(own, {}, {}, setting.floors(reference.dtype), tolerance)
    wrong = [name for name, array in right.items() if not explainer.agrees(name, array)]
    if wrong:
        raise ValueError(
            f"reference: its backward gives {', '.join(wrong)} that are not the gradient of its loss; "
            "expected a NeuralNetwork without passes of a learner's own. Such a one can be the candidate"
        )


def arrays(name: str, gradients: Any) -> Gradients:
    """A dict of gradients with its arrays in float64; TypeError for anything else."""
    if not isinstance(gradients, Mapping):
        raise TypeError(
            f"{name}: expected gradients as a dict {{'dW0': …, 'db0': …}}, got {type(gradients).__name__}"
        )
    return {
        str(key): checks.real_array(f"{name}[{key!r}]", array, "an array of numbers")
        for key, array in gradients.items()
    }


def precision_of(gradients: Mapping[str, Any], reference: NeuralNetwork) -> np.dtype[Any]:
    """The coarser of what the gradients and the reference are computed in, float32 or float64."""
    single = any(np.asarray(array).dtype == np.float32 for array in gradients.values())
    return np.dtype(np.float32) if single else reference.dtype


def gradients_of(candidate: Any, asked: Asked) -> tuple[Any, Mapping[str, Any]]:
    """The candidate's gradients, unchecked, and its cache where it has a forward pass.

    Functions and dicts must know of weights and masks by themselves.
    """
    x, y, weights, masks = asked
    cache: Any = {}
    if isinstance(candidate, Mapping):
        gradients: Any = candidate
    elif hasattr(candidate, "forward") and hasattr(candidate, "backward"):
        training = getattr(candidate, "batch_norm", False) or None
        cache = candidate.forward(x, **_given(masks=masks, training=training))
        gradients = candidate.backward(x, y, cache, **_given(weights=weights))
    elif callable(candidate):
        gradients = candidate(x, y)
    else:
        raise TypeError(
            "candidate: expected a dict of gradients, a function (x, y) -> gradients or an object with "
            f"forward and backward, got {type(candidate).__name__}"
        )
    return gradients, cache if isinstance(cache, Mapping) else {}


def _given(**options: Any) -> dict[str, Any]:
    """Those that are not None: a learner's own pass need not know the others."""
    return {name: value for name, value in options.items() if value is not None}


def renamed(given: Gradients, names: Collection[str]) -> tuple[Gradients, tuple[str, ...]]:
    """Layers counted from 0, if they were from 1; arrays that the network does not have put aside; and notes.

    >>> renamed({"dW1": np.ones((1, 1)), "db1": np.ones((1, 1)), "loss": np.ones(1)}, ["dW0", "db0"])[1]
    ('Layers are counted from 0 here: your dW1 is taken for dW0.', 'There is no array loss; it is left out.')
    """
    notes: tuple[str, ...] = ()
    layered = {name: re.fullmatch(r"(d(?:W|b|gamma|beta))(\d+)", name) for name in given}
    down = {name: f"{match[1]}{int(match[2]) - 1}" for name, match in layered.items() if match}
    if set(down.values()) == set(names):
        given = {down.get(name, name): array for name, array in given.items()}
        notes = ("Layers are counted from 0 here: your dW1 is taken for dW0.",)
    strange = [name for name in given if name not in names]
    notes += tuple(f"There is no array {name}; it is left out." for name in strange)
    return {name: array for name, array in given.items() if name in names}, notes


def of_another_forward(cache: Mapping[str, Any], true: TruePass) -> tuple[str, ...]:
    """A note where the candidate's own forward pass is another than the network's, and from where on."""
    for layer in range(true.top + 1):
        for letter, right in (("z", true.z[layer]), ("u", true.u[layer]), ("a", true.a[layer])):
            name = f"{letter}{layer}"
            if name not in cache or name in ("z0", "u0"):
                continue
            own = np.asarray(cache[name])
            if own.shape != right.shape or not np.allclose(own, right, rtol=1e-4, atol=1e-6):
                return (f"Its forward pass is already another: look at {name} before you look at gradients.",)
    return ()


def refuse_infinite(right: Gradients) -> None:
    """ValueError where the true gradient holds nan or inf."""
    bad = [name for name, array in right.items() if not np.isfinite(array).all()]
    if bad:
        raise ValueError(
            f"the true gradient holds nan or inf in {', '.join(bad)}, and nothing can be compared with that; "
            "bring x, y and the parameters to a scale near 1"
        )
