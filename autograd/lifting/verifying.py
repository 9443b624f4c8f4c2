"""Is a program still what its author meant? Replaying it on fresh numbers against the scalar engine.

Recording keeps what was done, not why: a Python `if` took one of its branches, and a float computed from
`.data` became a constant. With other numbers in the leaves the author's code might do something else.

    def loss():
        scale = 1 / max(x.data, y.data)         # frozen: a constant from here on
        return (x * scale - y) ** 2

    lift(loss()).verify(loss)                   # names the product that this constant goes into

This room knows Values, recordings and the namespace of scalar rules.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.lifting.recording import Floats, Recording
from autograd.namespaces import SCALAR
from autograd.value import Value

TOLERANCE = 1e-9  # of the largest number on the way: what rounding makes of two orders of one sum stays below
_SHARES = (1.0, 0.1, 0.01)  # of the way from recorded to fresh numbers


class LiftMismatch(AssertionError):
    """A program does not do what the scalar engine does; the message says where."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of a replay: `ok`, or a `note` that names the first `node` that differs."""

    ok: bool
    note: str
    node: Value | None = None

    def assert_ok(self) -> None:
        """Raise LiftMismatch, with the note as its message, unless the program agreed."""
        if not self.ok:
            raise LiftMismatch(self.note)

    def __str__(self) -> str:
        return self.note


def replayed(graph: Recording, numbers: dict[int, float]) -> Floats:
    """The data of every node (M,), computed anew by the scalar rules; `numbers` has those of some leaves."""
    data = graph.data.tolist()
    operands, start = graph.operands.tolist(), graph.start.tolist()
    for place, number in numbers.items():
        data[place] = number
    for i, (kind, begin, end) in enumerate(zip(graph.kinds.tolist(), start, start[1:], strict=False)):
        if begin < end:
            data[i] = graph.primitives[kind].evaluate(SCALAR, [data[j] for j in operands[begin:end]])
    return np.array(data)


def fresh(data: Sequence[float], rng: np.random.Generator) -> list[float]:
    """Other numbers of about the same sizes, some with the other sign."""
    old = np.asarray(data, dtype=float)
    spread = float(np.median(np.abs(old[np.isfinite(old)]))) if np.isfinite(old).any() else 1.0
    scaled = old * rng.choice([0.5, 1.5, -1.0], len(old))
    moved: list[float] = (scaled + (spread or 1.0) * rng.normal(size=len(old))).tolist()
    return moved


def drawn(
    graph: Recording, places: Sequence[int], rng: np.random.Generator
) -> tuple[dict[int, float], Floats]:
    """Fresh numbers for the leaves at `places`, and the data of every node that they lead to (M,).

    Where they lead to nan or infinity, as a negative number under a logarithm does, numbers that are
    closer to the recorded ones are taken instead.
    """
    old = [graph.nodes[i].data for i in places]
    for share in _SHARES:
        moved = fresh(old, rng)
        numbers = {i: a + share * (b - a) for i, a, b in zip(places, old, moved, strict=True)}
        data = replayed(graph, numbers)
        if np.isfinite(data[graph.outputs]).all():
            break
    return numbers, data


def recorded_again(record: Callable[[], Any], leaves: Sequence[Value], numbers: Sequence[float]) -> list[Any]:
    """What `record` gives with these numbers in the leaves, which are put back as they were."""
    before = [leaf.data for leaf in leaves]
    try:
        for leaf, number in zip(leaves, numbers, strict=True):
            leaf.data = number
        outputs = record()
    finally:
        for leaf, number in zip(leaves, before, strict=True):
            leaf.data = number
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def other_outputs(count: int, outputs: Sequence[Any]) -> str | None:
    """How the outputs are no longer `count` Values; None where they are."""
    if len(outputs) != count:
        return f"{count} output{' was' if count == 1 else 's were'} recorded, and now {len(outputs)}"
    others = [type(output).__name__ for output in outputs if not isinstance(output, Value)]
    return f"a {others[0]} is recorded now, where it was a Value" if others else None


def first_difference(old: Recording, new: Recording) -> tuple[Value, str] | None:
    """The first node that was recorded in another way, and how; None where only leaves' numbers changed."""
    for i, (node, other) in enumerate(zip(old.nodes, new.nodes, strict=False)):
        if node.op != other.op or node.is_constant != other.is_constant:
            return node, f"{_named(node, i)} is now {_named(other, i)}: a branch that recording froze"
        if not node.parents and not node.is_constant and node is not other:
            return node, f"{_named(node, i)} is now another leaf, {_named(other, i)}"
        mine, theirs = (graph.operands[graph.start[i] : graph.start[i + 1]] for graph in (old, new))
        if not np.array_equal(mine, theirs):
            return node, f"{_named(node, i)} has other operands now: a choice that recording froze"
    if len(old.nodes) != len(new.nodes):
        return old.nodes[-1], f"{len(old.nodes):,} nodes were recorded, and now {len(new.nodes):,}"
    for i, node in enumerate(old.nodes):
        for j in old.operands[old.start[i] : old.start[i + 1]].tolist():
            if old.constant[j] and not _same(old.data[j], new.data[j]):
                return node, (
                    f"the constant {old.data[j]:.6g} in {_named(node, i)} is now {new.data[j]:.6g}: "
                    "a number taken from .data, which recording froze"
                )
    return None


def agree(ours: Any, theirs: Any, scale: float) -> bool:
    """Whether numbers agree to rounding, on a way on which the largest number was `scale`."""
    return all(
        _same(a, b) or abs(a - b) <= TOLERANCE * max(scale, abs(b))
        for a, b in zip(np.ravel(ours).tolist(), np.ravel(theirs).tolist(), strict=True)
    )


def _same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


def _named(node: Value, place: int) -> str:
    what = node.op or ("constant" if node.is_constant else "leaf")
    return f"node {place} ({what}{f' {node.label!r:.40}' if node.label else ''})"
