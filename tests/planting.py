"""Wrong gradients of a case, with the places where they were made wrong: what every planter gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from learners import Case, right


@dataclass(frozen=True)
class Planted:
    """Wrong gradients of a case, and the places where they were made wrong."""

    case: Case
    gradients: Mapping[str, Any]
    places: frozenset[str]
    context: Mapping[str, Any] = field(default_factory=dict)


def telling(gradients):
    """The names of the arrays that are not 0, or rounding of 0, as db is below a normalisation."""
    sizes = {name: np.abs(g).max() for name, g in gradients.items()}
    return [name for name, size in sizes.items() if size >= 1e-13 * max(sizes.values())]


def some_layers(rng, case):
    """All hidden layers, or one."""
    return range(1, case.top) if rng.random() < 0.4 else [int(rng.integers(1, case.top))]


def planted(case, gradients, *places, **context):
    return Planted(case, gradients, frozenset(places), context)


def changed(case, name, array):
    return planted(case, {**right(case), name: array}, name)


def differing(case, gradients):
    """The names of the arrays that differ from the right ones by more than rounding."""
    true = right(case)
    names = telling(true)
    largest = max(np.abs(true[name]).max() for name in names)
    least = {name: 1e-9 * (np.abs(g).max() if name in names else largest) for name, g in true.items()}
    wrong = {name: np.asarray(gradients[name]) for name in true}
    return [
        name for name, g in true.items()
        if wrong[name].shape != g.shape or np.abs(wrong[name] - g).max() > least[name]
    ]  # fmt: skip
