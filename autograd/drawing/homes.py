"""Which module each node of a recorded graph belongs to, told from the labels of its parameters.

A leaf labelled "l0.n3.w1" says that it is a parameter of the module ("l0", "n3"). A node computed from a
module's parameters belongs to it; so does what is computed on, until another module's parameters come in. So
recording costs nothing, and code in anybody's style has modules once its parameters have names.

This room knows Value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from autograd.value import Value

Path = tuple[str, ...]

DEEPEST = 20  # modules within one another; a text with more dots is just a text
_DOTTED = re.compile(r"\w+(?:\.\w+)+")

# What is no activation: after the last module it belongs to the loss.
_ARITHMETIC = {"add", "subtract", "multiply", "divide", "power", "negative", "sum", "mean", "prod", "dot"}
_LOSSES = {"binary_cross_entropy_with_logits", "softmax_cross_entropy", "logsumexp", "norm"}
_SUMS = {"add", "sum"}


@dataclass(frozen=True, slots=True)
class Homes:
    """For each node of an order: its module's path, () for none, and whether it comes after all modules.

    parents  the places of its operands in the order
    """

    paths: list[Path]
    after: list[bool]
    parents: list[list[int]]


def path_in(label: str) -> Path:
    """The module that a label names, () for none. At most DEEPEST dots, so that a path is short.

    >>> path_in("l0.n3.w1"), path_in("w1"), path_in("0.5")
    (('l0', 'n3'), (), ())
    """
    if (
        not 0 < label.count(".") <= DEEPEST
        or not _DOTTED.fullmatch(label)
        or label.replace(".", "").isdigit()
    ):
        return ()
    return tuple(label.split(".")[:-1])


def homes(order: Sequence[Value]) -> Homes:
    """The home of every node, by three passes over the order; linear in its length.

    1. A node is claimed by the module of the parameters among its operands, or by its own label.
    2. A node is inner when all its uses lead into claimed ones: what lies between modules, not after them.
    3. An inner node goes with its operands: to the module they share, or to the last of theirs. After the
       last module, sums and one activation still belong to it; the rest is the loss.
    """
    place: dict[Any, int] = {value: i for i, value in enumerate(order)}
    parents = [[place[parent] for parent in value.parents] for value in order]
    named = [path_in(value.label) for value in order]
    claims = [
        name or _shared(named[p] for p in operands if named[p] and not parents[p])
        for name, operands in zip(named, parents, strict=True)
    ]
    after = _after(claims, parents)
    paths: list[Path] = []
    level: list[int] = []  # how many changes of module lie before a node
    running: list[bool] = []  # whether it is a sum that a module's activation may still follow
    for i, operands in enumerate(parents):
        claim = claims[i]
        if claim or not operands:
            path, runs = claim, True
        elif after[i]:
            path, runs = _trailing(order[i], operands, order, paths, running)
        else:
            path = _shared(paths[p] for p in operands if paths[p])
            path, runs = path or max((level[p], p, paths[p]) for p in operands)[2], True
        paths.append(path)
        running.append(runs)
        level.append(max((level[p] + (paths[p] != path) for p in operands), default=0))
    return Homes(paths, after, parents)


def _shared(paths: Iterable[Path]) -> Path:
    """The longest path that all begin with.

    >>> _shared([("l0", "n0"), ("l0", "n1")])
    ('l0',)
    """
    shared: Path | None = None
    for path in paths:
        if shared is None or path == shared:
            shared = path
            continue
        same = 0
        for one, other in zip(shared, path, strict=False):
            if one != other:
                break
            same += 1
        shared = shared[:same]
    return shared or ()


def _after(claims: Sequence[Path], parents: Sequence[Sequence[int]]) -> list[bool]:
    """Whether each node has a use, or is an output, from which on no module comes."""
    after = [False] * len(claims)
    used = [False] * len(claims)
    for i in range(len(claims) - 1, -1, -1):
        after[i] = after[i] or not used[i]
        for p in parents[i]:
            used[p] = True
            if after[i] and not claims[i]:
                after[p] = True
    return after


def _trailing(
    value: Value,
    operands: Sequence[int],
    order: Sequence[Value],
    paths: Sequence[Path],
    running: Sequence[bool],
) -> tuple[Path, bool]:
    """The home of a node that no parameter claims and no module follows; whether its sum still runs."""
    inner = [p for p in operands if order[p].op]
    found = {paths[p] for p in inner}
    if len(found) != 1 or not all(running[p] for p in inner):
        return (), False
    (path,) = found
    others = [order[p] for p in operands if not order[p].op]
    if value.op in _SUMS and all(other.is_constant and other.data == 0 for other in others):
        return path, True  # Python's sum starts at 0
    is_activation = value.op not in _ARITHMETIC and value.op not in _LOSSES
    if is_activation and len(inner) == 1 and all(other.is_constant for other in others):
        return path, False
    return (), False
