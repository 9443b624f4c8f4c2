"""A lifted program as a picture: one box an array, semantic zoom's last level.

This room knows Programs and a Picture.
"""

from __future__ import annotations

from autograd.drawing.picture import (
    LEAF,
    OPERATION,
    Arrow,
    Box,
    Picture,
    counted,
    shape_text,
    shortened,
    showable,
)
from autograd.lifting import Program
from autograd.lifting.source.outline import MATMUL

LONGEST_FORMULA = 56  # characters that are drawn of it; JSON has all


def program_picture(program: Program) -> Picture:
    """What to draw of a program: leaves, and each operation with its name, its formula and its shape.

    >>> from autograd import Value, lift
    >>> picture = program_picture(lift((Value(3.0, "w") * Value(2.0, "x")).tanh()))
    >>> [(box.label, box.symbol, box.operation) for box in picture.boxes[1:]]
    [('x', '', ''), ('s1', 'Σ', 'w * x'), ('value', 'tanh', 'np.tanh(s1)')]
    """
    arrays, boxes = program.outline.arrays, []
    for array in arrays:
        facts = [("=", shortened(array.formula, LONGEST_FORMULA))] if array.formula else []
        boxes.append(
            Box(
                OPERATION if array.formula else LEAF,
                shortened(showable(array.symbol)),
                array.name,
                (*facts, ("shape", shape_text(array.shape))),
                is_output=array.is_output,
                operation=array.formula,
                shape=array.shape,
            )
        )
    operations = counted(sum(bool(array.formula) for array in arrays), "array operation")
    products = counted(sum(array.symbol == MATMUL for array in arrays), "matrix product")
    return Picture(
        boxes,
        [Arrow(tail, head) for head, array in enumerate(arrays) for tail in array.reads],
        level="program",
        scalars=program.outline.scalars,
        notes=[f"{operations}, {products} ({MATMUL}) among them"],
    )
