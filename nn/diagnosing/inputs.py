"""What comes in at the door: a candidate's arrays, a reference, masks and strengths, each checked.

This room knows a NeuralNetwork's public names, the checks at the door, the size of a gradient's terms and
the true pass.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from nn import checks
from nn.diagnosing.explaining import EXACT, Explainer
from nn.diagnosing.passes import Array, TruePass, true_pass
from nn.network import NeuralNetwork
from nn.rounding import gradient_terms

Gradients = dict[str, Array]

ROUNDINGS = 16  # of the terms' size, as in `compare_gradients`
EPSILON = float(np.finfo(float).eps)


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


def gradients_of(candidate: Any, x: Any, y: Any) -> tuple[Gradients, Mapping[str, Any]]:
    """The candidate's gradients, and its cache where it has a forward pass."""
    cache: Any = {}
    if isinstance(candidate, Mapping):
        gradients: Any = candidate
    elif hasattr(candidate, "forward") and hasattr(candidate, "backward"):
        cache = candidate.forward(x)
        gradients = candidate.backward(x, y, cache)
    elif callable(candidate):
        gradients = candidate(x, y)
    else:
        raise TypeError(
            "candidate: expected a dict of gradients, a function (x, y) -> gradients or an object with "
            f"forward and backward, got {type(candidate).__name__}"
        )
    return arrays("candidate", gradients), cache if isinstance(cache, Mapping) else {}


def renamed(given: Gradients, names: Collection[str]) -> tuple[Gradients, tuple[str, ...]]:
    """Layers counted from 0, if they were from 1; arrays that the network does not have put aside; and notes.

    >>> renamed({"dW1": np.ones((1, 1)), "db1": np.ones((1, 1)), "loss": np.ones(1)}, ["dW0", "db0"])[1]
    ('Layers are counted from 0 here: your dW1 is taken for dW0.', 'There is no array loss; it is left out.')
    """
    notes: tuple[str, ...] = ()
    layered = {name: re.fullmatch(r"(d[Wb])(\d+)", name) for name in given}
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
        for letter, right in (("z", true.z[layer]), ("a", true.a[layer])):
            name = f"{letter}{layer}"
            if name not in cache or name == "z0":
                continue
            own = np.asarray(cache[name])
            if own.shape != right.shape or not np.allclose(own, right, rtol=1e-4, atol=1e-6):
                return (f"Its forward pass is already another: look at {name} before you look at gradients.",)
    return ()


@np.errstate(all="ignore")
def check_reference(reference: NeuralNetwork, x: Any, y: Any) -> None:
    """ValueError unless the reference's own backward is the gradient that its formulas give."""
    if x is None or y is None:
        raise ValueError("x, y: expected the samples at which the gradients were taken, got none")
    if reference.batch_norm:
        raise ValueError(
            "reference: expected a NeuralNetwork without batch normalisation, whose backward pass is not "
            "searched for mistakes; nn.compare_gradients tells which arrays are wrong"
        )
    own = arrays("reference", reference.backward(x, y, reference.forward(x)))
    true = true_pass(reference, x, y, {})
    right = true.gradients()
    refuse_infinite(right)
    explainer = Explainer(own, {}, {}, roundings(reference, x, y), EXACT)
    wrong = [name for name, array in right.items() if not explainer.agrees(name, array)]
    if wrong:
        raise ValueError(
            f"reference: its backward gives {', '.join(wrong)} that are not the gradient of its loss; "
            "expected a NeuralNetwork without passes of a learner's own. Such a one can be the candidate"
        )


def refuse_infinite(right: Gradients) -> None:
    """ValueError where the true gradient holds nan or inf."""
    bad = [name for name, array in right.items() if not np.isfinite(array).all()]
    if bad:
        raise ValueError(
            f"the true gradient holds nan or inf in {', '.join(bad)}, and nothing can be compared with that; "
            "bring x, y and the parameters to a scale near 1"
        )


def roundings(reference: NeuralNetwork, x: Any, y: Any) -> dict[str, float]:
    """For each array, the difference that rounding alone explains; 0 where the formulas are a learner's own.

    Below neurons that are saturated in two layers, both factors of the gradient are rounding: what is left is
    ε times smaller still, and 0 in one right pass and 1e-60 in another.
    """
    if reference.has_own("activation"):
        return {f"d{letter}{n}": 0.0 for n in range(len(reference.weights)) for letter in "Wb"}
    terms = gradient_terms(reference, np.asarray(x, dtype=float), np.asarray(y, dtype=float))
    least = EPSILON * max(terms.values())
    return {name: ROUNDINGS * EPSILON * max(size, least) for name, size in terms.items()}


def masks_by_layer(reference: NeuralNetwork, x: Any, masks: Mapping[str, Any]) -> dict[int, Array]:
    """Dropout's factors: each a finite (width, N), for hidden layers."""
    hidden = {f"a{layer}": layer for layer in range(1, len(reference.weights))}
    strange = [key for key in masks if key not in hidden]
    if strange:
        allowed = ", ".join(hidden) or "none, as there is no hidden layer"
        raise ValueError(f"masks: expected the keys of hidden layers ({allowed}), got {', '.join(strange)}")
    factors = {}
    for key, mask in masks.items():
        shape = reference.layer_sizes[hidden[key]], np.shape(x)[1]
        name = f"masks[{key!r}]"
        factors[hidden[key]] = checks.finite(name, checks.exactly(name, mask, shape))
    return factors
