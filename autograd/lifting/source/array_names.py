"""What each array is called.

    leaves      by their labels; else W1, b1 as a product reads them, x for data, p1 for others
    results     by their labels; else z1 of W1 @ …, a1 = np.tanh(z1), s1 for a sum, exp_1 for np.exp
    vectors     v, and u with samples

This room knows arrays and operations.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from autograd.lifting.source.arrays import Array, Arrays
from autograd.lifting.source.naming import Names, candidates
from autograd.lifting.source.operations import Application, Operation
from autograd.lifting.source.products import Product
from autograd.lifting.source.tapes import ScalarOperation

_ACTIVATIONS = ("relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid", "softplus")
_SHORT = {
    "binary_cross_entropy_with_logits": "bce",
    "softmax_cross_entropy": "cross_entropy",
    "logsumexp": "lse",
    "divide": "q",
    "absolute": "abs",
}


def name_arrays(
    arrays: Arrays,
    operations: Sequence[Operation | ScalarOperation],
    labels: dict[int, str],
    value: Array | None,
    names: Names,
) -> None:
    """Give every array its name; the one that holds the program's value is called so."""
    if value is not None:
        value.name = "value"
    for operation in operations:
        for reading in operation.readings:
            for array in reading.arrays():
                if not array.name:
                    suffix = _weights_number(operation) if array.role == "b" else ""
                    array.name = _leaf_name(array, labels, suffix, names)
        array = arrays.holding(operation.out)
        if not array.name and isinstance(operation, Operation):
            array.name = _labelled(array, labels, names) or _result_name(operation, names)
    for array in arrays.all:
        if not array.name:
            array.name = _leaf_name(array, labels, "", names)


def _labelled(array: Array, labels: dict[int, str], names: Names) -> str:
    """A name from the labels of the scalars in the array; "" where they give none."""
    own = [labels[i] for i in array.scalars.ravel().tolist() if i in labels]
    found = candidates(own, is_matrix=array.scalars.ndim > 1 and array.role != "b")
    return names.give(*found) if found else ""


def _leaf_name(array: Array, labels: dict[int, str], suffix: str, names: Names) -> str:
    if array.kind == "vector":
        return names.give("u" if array.varies else "v")
    labelled = _labelled(array, labels, names)
    if labelled:
        return labelled
    if suffix:
        return names.give(f"b{suffix}")
    return names.give("x") if array.role == "x" else names.numbered(array.role)


def _weights_number(operation: Operation | ScalarOperation) -> str:
    """The number in the name of a product's weights: their biases have the same one."""
    arrays = operation.left.arrays() if isinstance(operation, Product) else []
    found = re.fullmatch(r"[A-Za-z](\d+)", arrays[0].name) if len(arrays) == 1 else None
    return found[1] if found else ""


def _result_name(operation: Operation, names: Names) -> str:
    if isinstance(operation, Product):
        weights = operation.left.arrays()
        if len(weights) != 1 or weights[0].kind != "parameter":
            return names.numbered("z")
        number = _weights_number(operation)
        return names.give(f"z{number}" if number else f"z_{weights[0].name}")
    if not isinstance(operation, Application):
        return names.numbered("s")
    name = operation.primitive.name
    read = [array for reading in operation.readings for array in reading.arrays()]
    if name in _ACTIVATIONS and read and re.fullmatch(r"z(_.*|\d+)", read[0].name):
        return names.give(f"a{read[0].name[1:]}")
    ascii_name = re.sub(r"[^A-Za-z0-9_]", "_", _SHORT.get(name, name))
    return names.numbered(f"{ascii_name[:16]}_")
