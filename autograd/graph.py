"""Walks over a recorded graph: its order, and the sweeps that carry derivatives back along it.

This room knows nothing of the project: a node is anything that keeps its operands in two fields,

    leaf        _a None
    one         _a the operand, _b None
    two         _a and _b
    more        _a a tuple of them, _b None

and the partial derivatives by them in `_da` and `_db`, in the same arrangement.

Two fields and no tuple of parents keep an ordinary node a single object for the garbage collector, whose
passes over young objects would otherwise cost several times the arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def topological_order(root: Any) -> list[Any]:
    """Every node that `root` depends on, and `root` last: operands before results, each node once.

    Depth first along the ordered operands, without recursion, so that depth is no limit; the order depends
    on the graph alone.

    >>> from autograd import Value
    >>> a = Value(2.0, label="a")
    >>> b = a * a
    >>> c = b + a
    >>> topological_order(c) == [a, b, c]
    True
    """
    order: list[Any] = []
    seen: set[Any] = set()
    stack = [root]
    push, pop = stack.append, stack.pop
    while stack:
        node = pop()
        if node is None:  # all operands of the node below are in the order: now itself
            order.append(pop())
            continue
        if node in seen:
            continue
        seen.add(node)
        a, b = node._a, node._b
        if a is None:
            order.append(node)
            continue
        push(node)
        push(None)
        if b is not None:
            if b not in seen:
                push(b)
            if a not in seen:
                push(a)
        elif a.__class__ is tuple:
            stack.extend([operand for operand in reversed(a) if operand not in seen])
        else:
            push(a)
    return order


def sweep(order: Sequence[Any], seed: float) -> None:
    """Set every node's `_grad` to d(root)/d(node) times `seed`; the root is the last of the order."""
    for node in order:
        node._grad = 0.0
    order[-1]._grad = seed
    for node in reversed(order):
        a = node._a
        b = node._b
        g = node._grad
        if b is not None:
            a._grad += g * node._da
            b._grad += g * node._db
        elif a.__class__ is tuple:
            for operand, partial in zip(a, node._da, strict=True):
                operand._grad += g * partial
        elif a is not None:
            a._grad += g * node._da


def adjoints(order: Sequence[Any], seed: Any, partials: Callable[[Any], Sequence[Any]]) -> dict[Any, Any]:
    """The same, found and not kept: {node: d(root)/d(node) times `seed`}, of all but constants.

    partials  gives the derivatives of a node by its parents: numbers, or Values that record them
    """
    found: dict[Any, Any] = {order[-1]: seed}
    for node in reversed(order):
        g = found.get(node)
        if g is None or node._a is None:
            continue
        for parent, partial in zip(node.parents, partials(node), strict=True):
            if not parent.is_constant:
                found[parent] = found[parent] + g * partial if parent in found else g * partial
    return found
