"""What a mistake is called, and what is said when one is claimed in some place.

This room knows NumPy, nothing of the project.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

KINDS: Mapping[str, str] = {
    "another loss": "the gradient of another loss than the one reported",
    "sample weights missing": "missing sample weights",
    "constant factor": "a constant factor",
    "opposite sign": "the opposite sign",
    "missing derivative": "a missing activation derivative",
    "derivative twice": "an activation derivative that was there already",
    "derivative at a": "an activation derivative taken at a for z",
    "derivative of the wrong layer": "an activation derivative taken at another layer's z",
    "ReLU mask of the wrong layer": "another layer's ReLU mask",
    "wrong derivative": "another function in the place of the activation's derivative",
    "updated weights": "weights that were updated too early",
    "transposed": "transposed axes",
    "permuted": "permuted entries",
    "wrong shape": "the right numbers in a wrong shape",
    "neighbour layer": "another layer's gradient, error, activations or weights",
    "z for a": "the logits z in the place of the activations a",
    "bias over the wrong axis": "a bias summed over the wrong axis",
    "bias not summed": "a bias not summed over the samples",
    "last sample only": "only the last sample counted",
    "first sample only": "only the first sample counted",
    "one sample skipped": "one sample not counted",
    "part of the batch only": "only a part of the batch counted",
    "penalty missing": "a missing regularisation term",
    "wrong penalty": "a regularisation term that is not the loss's",
    "penalty on biases": "a regularisation term on biases",
    "dropout mask missing": "a missing dropout mask",
    "statistics as constants": "batch statistics taken for constants",
    "wrong normalisation": "a wrong way back through the normalisation",
    "running statistics": "running statistics in the place of the batch's",
    "gamma and beta exchanged": "the gradients of γ and β exchanged",
    "gamma or beta over the wrong axis": "a gradient of γ or β summed over the wrong axis",
    "gamma or beta not summed": "a gradient of γ or β not summed over the samples",
    "another factor of gamma": "another quantity in the place of the normalised logits",
    "stale": "the last step's gradient",
    "accumulated": "the last step's gradient added in",
    "zero": "nothing but zeros",
    "missing array": "an array that is not there",
    "not finite": "nan or inf",
    "unknown": "not one of the known mistakes",
}

MENDS: Mapping[str, str] = {  # where it is not a line of the pass that is wrong
    "stale": "after each step anew: cache = forward(x); gradients = backward(x, y, cache)",
    "accumulated": "gradients = {} before each backward pass",
    "running statistics": "cache = forward(x, training=True) before backward(x, y, cache)",
}

FITTED = {"updated weights"}  # kinds with a number in them that is fitted to the candidate's
UNNAMED = "× "  # begins the detail of a factor without a name
ONLY = "only there: "  # and of a mistake in an error of which one array alone is said to be made


class Claim(NamedTuple):
    """One mistake in one place.

    kind    a key of KINDS
    detail  which of its kind, in words that are the same for any layer
    place   the quantity it was made in: "dz1", "dW0", "db0"; with batch normalisation "du1", "dgamma0"
    says    a sentence about that place
    """

    kind: str
    detail: str
    place: str
    says: str


Claims = tuple[Claim, ...]
Variant = tuple[Claims, npt.NDArray[np.float64]]


def claim(kind: str, detail: str, place: str, says: str) -> Claims:
    """One claim, as claims."""
    return (Claim(kind, detail, place, says),)


def only_in(name: str, one: Claim) -> Claim:
    """A mistake in an error that went into one array and was not handed on."""
    return Claim(one.kind, ONLY + one.detail, name, f"{name} alone is made from a wrong error: {one.says}")


def is_unnamed(claims: Claims) -> bool:
    """Whether there is a factor without a name among them."""
    return any(one.detail.startswith(UNNAMED) for one in claims)


def is_fitted(claims: Claims) -> bool:
    """Whether a number in them was fitted, so that one entry that agrees is no evidence."""
    return is_unnamed(claims) or any(one.kind in FITTED for one in claims)
