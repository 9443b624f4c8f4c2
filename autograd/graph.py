"""Walks over a recorded graph. They read it and change nothing.

This room knows nothing of the project: a node is anything that keeps its operands in two fields,

    leaf        _a None
    one         _a the operand, _b None
    two         _a and _b
    more        _a a tuple of them, _b None

Two fields and no tuple of parents keep an ordinary node a single object for the garbage collector, whose
passes over young objects would otherwise cost several times the arithmetic.
"""

from __future__ import annotations

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
