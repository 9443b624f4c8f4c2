"""What is said of each hidden layer: one setting for all, or a list with one for each.

Knows the checks at the door.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from nn import checks


def activation_names(value: object, hidden: int, allowed: Collection[str]) -> list[str]:
    """`value`, one name for all hidden layers or a sequence with one for each, as a list of allowed names.

    >>> activation_names("tanh", 2, ["relu", "tanh"])
    ['tanh', 'tanh']
    >>> activation_names(["relu"], 2, ["relu", "tanh"])
    Traceback (most recent call last):
    ValueError: activation: expected 2 names, one a hidden layer, got 1
    """
    if isinstance(value, str) or not isinstance(value, Sequence):
        return [checks.one_of("activation", value, allowed)] * hidden
    if len(value) != hidden:
        raise ValueError(f"activation: expected {hidden} names, one a hidden layer, got {len(value)}")
    return [checks.one_of(f"activation[{i}]", name, allowed) for i, name in enumerate(value)]


def dropout_shares(value: object, hidden: int) -> list[float]:
    """`value`, one share for all hidden layers or a list with one for each, as a list.

    >>> dropout_shares(0.5, hidden=2), dropout_shares([0.2, 0], hidden=2)
    ([0.5, 0.5], [0.2, 0.0])
    """
    if not isinstance(value, list | tuple):
        return [checks.share("dropout", value)] * hidden
    if len(value) != hidden:
        raise ValueError(f"dropout: expected {hidden} shares, one a hidden layer, got {len(value)}")
    return [checks.share(f"dropout[{i}]", share) for i, share in enumerate(value)]
