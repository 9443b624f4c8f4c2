"""The table of rules as Markdown, printed from the rules themselves.

    python -m autograd.ruletable README.md      # writes it between its marks

This room knows the table, its formulas, and a namespace to try its rules on.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path

from autograd.namespaces import SCALAR
from autograd.primitives import PRIMITIVES, Primitive
from autograd.textbook import operand_names, partial_formulas, value_formula

BEGIN = "<!-- printed by: python -m autograd.ruletable README.md -->\n"
END = "<!-- end of what is printed -->\n"

_MARKS = {-math.pi / 2: "−π/2", -1.0: "−1", 0.0: "0", 1.0: "1", math.pi / 2: "π/2"}
_POINTS = sorted([*_MARKS, -2.0, -1.2, -0.5, 0.5, 1.2, 2.0])  # the marks, and one between each two
_ORDINARY = 0.7  # what the other operands are meanwhile
_HUGE = 1e15  # tan(π/2) in floats is 1.6e16


def domain(row: Primitive, operand: int) -> str:
    """Where value and partials are finite, as operand number `operand` goes; "" where they always are.

    >>> domain(PRIMITIVES["log1p"], 0), domain(PRIMITIVES["divide"], 1), domain(PRIMITIVES["asin"], 0)
    ('x > −1', 'b ≠ 0', '|x| < 1')
    """
    name = operand_names(row)[operand]
    bad = [i for i, x in enumerate(_POINTS) if not _is_finite(row, operand, x)]
    if not bad:
        return ""
    if len(bad) == 1:
        return f"{name} ≠ {_MARKS[_POINTS[bad[0]]]}"
    middle = sum(row.domain[0 if row.arity is None else operand]) / 2
    here = min(range(len(_POINTS)), key=lambda i: abs(_POINTS[i] - middle))
    low = max((_POINTS[i] for i in bad if i < here), default=-math.inf)
    high = min((_POINTS[i] for i in bad if i > here), default=math.inf)
    if low == -high:
        return f"|{name}| < {_MARKS[high]}"
    return f"{name} > {_MARKS[low]}" if high == math.inf else f"{name} < {_MARKS[high]}"


def _is_finite(row: Primitive, operand: int, x: float) -> bool:
    operands = [_ORDINARY] * len(operand_names(row))
    operands[operand] = x
    value = row.evaluate(SCALAR, operands)
    return all(abs(number) < _HUGE for number in (value, *row.differentiate(SCALAR, value, operands)))


def table() -> str:
    """Every row in Markdown."""
    lines = ["| operation | in graphs | value y | partial derivatives | domain |", "|---|---|---|---|---|"]
    for row in PRIMITIVES.values():
        value = value_formula(row, operand_names(row))
        cells = [f"`{row.name}`", row.symbol, value, _partials(row), _domains(row)]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _partials(row: Primitive) -> str:
    """By each operand; of any number of operands by the first of each letter, for the others are alike."""
    names = operand_names(row)
    partials = partial_formulas(row, names)
    if row.arity == 1:
        return partials[0]
    letters = [name[0] if row.arity is None else name for name in names]
    shown = [i for i, letter in enumerate(letters) if letter not in letters[:i]]
    return "<br>".join(f"∂{names[i]}: {partials[i]}" for i in shown)


def _domains(row: Primitive) -> str:
    limits = [limit for i in range(len(operand_names(row))) if (limit := domain(row, i))]
    kinks = [f"a kink at {kink:g}" for kink in row.kinks]
    return ", ".join([*(limits or ["ℝ"]), *kinks])


def updated(page: str) -> str:
    """The page with the table as it is now; ValueError where the page has no marks for it."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"no room for the table: expected the lines {BEGIN.strip()} and {END.strip()}")
    return f"{before}{begin}\n{table()}\n{end}{after}"


def main(argv: Sequence[str]) -> None:
    if len(argv) != 1:
        sys.exit("usage: python -m autograd.ruletable README.md")
    page = Path(argv[0])
    beside = page.with_name(f"{page.name}.new")
    beside.write_text(updated(page.read_text(encoding="utf-8")), encoding="utf-8")
    beside.replace(page)
    print(f"{page}: {len(PRIMITIVES)} rows")


if __name__ == "__main__":
    main(sys.argv[1:])
