"""What a program consists of, as a table that fits a terminal.

    product    4 of 16 x 4 @ 4 x 16, 480 holes    views       gpt.py:131

A floating-point operation is a multiplication, an addition or any function of one scalar; going backwards, an
operand that is differentiated costs a multiplication and an addition for each use of each of its scalars.

This room knows plans, layouts, tapes and files.
"""

from __future__ import annotations

import inspect
import math
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import PurePath
from typing import Any, NamedTuple

import numpy as np

from autograd.lifting.blocks import NOTHING
from autograd.lifting.files import Files
from autograd.lifting.layout import Operand, Placed
from autograd.lifting.normal_form import SUM
from autograd.lifting.plan import Plan
from autograd.lifting.recording import Ints
from autograd.lifting.tape import Tape

_MOST_ROWS = 40
_WIDTHS = (14, 34, 10)  # of the table's columns, but the last


class Row(NamedTuple):
    """An operation; floating-point operations are for each sample if it `varies`."""

    operation: str
    shape: str
    reads: str
    place: str
    varies: bool
    forwards: int
    backwards: int


def summary(plan: Plan, files: Callable[[int], Files], lines: Sequence[str]) -> str:
    """A program's table.

    files   gives its arrays for so many samples
    lines   where each node of the recording was recorded; [] if nobody knows
    """
    one, two = files(1), files(2)
    rows = [_row(plan, placed, one, lines) for placed in plan.layout.placed]
    products = sum(row.operation == "product" for row in rows)
    samples = bool((plan.inputs != NOTHING).any())
    both = {"forwards": ("forwards",), "forwards and backwards": ("forwards", "backwards")}
    text = [
        f"{len(plan.graph.nodes):,} scalars -> {_count(len(rows), 'array operation')}, of which "
        f"{_count(products, 'matrix product')}",
        f"{_count(len(plan.parameters), 'parameter')}, {one.dtype}",
        "floating-point operations",
        *[_line(name, _operations(rows, kinds, False), _operations(rows, kinds, True), samples)
          for name, kinds in both.items()],
        "bytes",
        _line("values and gradients", *_at_no_sample(_size(one), _size(two)), samples),
        _line("buffers and indices", *_at_no_sample(_held(one), _held(two)), samples),
        "",
        *_table(rows, bool(lines)),
    ]  # fmt: skip
    return "\n".join(line.rstrip() for line in text)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _operations(rows: Sequence[Row], kinds: Sequence[str], varies: bool) -> int:
    return sum(int(getattr(row, kind)) for row in rows for kind in kinds if row.varies == varies)


def _size(files: Files) -> int:
    return sum(array.nbytes for array in (*files.values, *files.gradients))


def _held(files: Files) -> int:
    """Bytes of the arrays that the calls work on, besides the files themselves."""
    found: dict[int, int] = {}
    rest: list[Any] = [*files.forwards, *files.backwards]
    seen: set[int] = set()
    while rest:
        x = rest.pop()
        if id(x) in seen:
            continue
        seen.add(id(x))
        if isinstance(x, np.ndarray) and x.base is None:
            found[id(x)] = x.nbytes
        elif isinstance(x, np.ndarray):
            rest.append(x.base.obj if isinstance(x.base, memoryview) else x.base)
        elif isinstance(x, partial):
            rest += [x.func, *x.args, *x.keywords.values()]
        elif isinstance(x, (list, tuple)):
            rest += x
        elif inspect.isfunction(x):
            rest += [cell.cell_contents for cell in x.__closure__ or ()]
    return sum(found.values()) - sum(found.get(id(file), 0) for file in (*files.values, *files.gradients))


def _at_no_sample(one: int, two: int) -> tuple[int, int]:
    """What is there for no sample, and what each adds."""
    return 2 * one - two, two - one


def _line(name: str, always: int, each: int, samples: bool) -> str:
    return f"  {name:<24}{always:,}" + (f" + {each:,} a sample" if samples else "")


def _table(rows: Sequence[Row], known: bool) -> list[str]:
    head = ("operation", "of", "reads", "recorded at" if known else "")
    shown = [(row.operation, row.shape, row.reads, row.place) for row in rows[:_MOST_ROWS]]
    table = ["".join(f"{cell:<{width}}" for cell, width in zip(cells, (*_WIDTHS, 0), strict=True))
             for cells in (head, *shown)]  # fmt: skip
    if len(rows) > _MOST_ROWS:
        rest = Counter(row.operation for row in rows[_MOST_ROWS:])
        table.append("and " + ", ".join(f"{count} {name}" for name, count in rest.most_common(5)))
    if not known:
        table += ["", "For the lines that recorded them: record and lift within autograd.source_lines()"]
    return table


# ---- one operation


def _row(plan: Plan, placed: Placed | Tape, files: Files, lines: Sequence[str]) -> Row:
    if isinstance(placed, Tape):
        forwards = sum(max(1, block.operands.size + block.pairs) for block in placed.blocks)
        backwards = sum(2 * block.operands.size for block in placed.blocks)
        shape = _count(len(placed.nodes), "scalar")
        return Row("tape", shape, "", _place(lines, placed.nodes), placed.varies, forwards, backwards)
    operation = placed.operation
    if operation.is_product:
        name, shape = "product", _product_shape(placed)
    elif operation.kind == SUM:
        name, shape = "sum", _sum_shape(placed)
    else:
        name = plan.graph.primitives[operation.kind].name[: _WIDTHS[0] - 1]
        shape = _sizes(placed.out.shape)
    place = _place(lines, operation.present)
    return Row(
        name, shape, _reads(placed), place, placed.varies, _forwards(placed), _backwards(placed, files)
    )


def _product_shape(placed: Placed) -> str:
    (batches, rows, columns), (left, _) = placed.out.shape, placed.factors
    inner, samples = left.index.shape[2] - placed.biased, "N" if placed.varies else ""
    right = samples if samples and columns == 1 else f"{columns}{samples}"
    text = f"{batches} of " * (batches > 1) + f"{rows} x {inner} @ {inner} x {right}"
    text += " + bias" * placed.biased
    return text + (f", {placed.holes.sum():,} holes" if placed.holes is not None else "")


def _sum_shape(placed: Placed) -> str:
    operation = placed.operation
    pairs, terms = operation.lefts.shape[1], operation.terms.shape[1]
    parts = [_count(pairs, "product")] * (pairs > 0) + [_count(terms, "term")] * (terms > 0)
    return f"{_sizes(placed.out.shape)} of {', '.join(parts)}"


def _sizes(shape: Sequence[int]) -> str:
    return " x ".join(str(size) for size in shape if size > 1) or "1"


def _operands(placed: Placed) -> list[Operand]:
    return [*placed.factors, *placed.terms, *([] if placed.stack is None else [placed.stack])]


def _reads(placed: Placed) -> str:
    gathered = sum(operand.grid is None for operand in _operands(placed))
    return _count(gathered, "gather") if gathered else "views"


def _place(lines: Sequence[str], nodes: Ints) -> str:
    """The line that most of these nodes come from."""
    found = Counter(lines[i] for i in nodes.tolist()) if lines else Counter()
    if not found:
        return ""
    file, _, line = found.most_common(1)[0][0].rpartition(", line ")
    more = f" +{len(found) - 1}" if len(found) > 1 else ""
    return f"{PurePath(file).name[-14:]}:{line}{more}" if file else ""


def _forwards(placed: Placed) -> int:
    operation, results = placed.operation, math.prod(placed.out.shape)
    if operation.kind != SUM:
        return results * (1 if placed.stack is None else len(placed.stack.index))
    terms: int = 2 * operation.lefts.shape[-1] + operation.terms.shape[-1]
    return results * (terms - 1)


def _backwards(placed: Placed, files: Files) -> int:
    operands = [(operand, operand.index.size) for operand in _operands(placed)]
    if placed.operation.is_product:
        (left, right), results = placed.factors, math.prod(placed.out.shape)
        inner = left.index.shape[2]  # the biases are used like weights, but the row of ones is nobody's
        operands[:2] = (left, results * inner), (right, results * (inner - placed.biased))
    return 2 * sum(uses for operand, uses in operands if files.wants(operand))
