"""The lines of the text: assignments of expressions, with names for what an expression needs several times.

    z - top + np.exp(top)                 max_1 = np.max(z, axis=0)
    where top is np.max(z, axis=0)        s_1 = z - max_1 + np.exp(max_1)

This room knows expressions and names.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field

from autograd.lifting.source.expressions import Expression, function_name, shared, written
from autograd.lifting.source.naming import Names

_WIDTH = 96
_LOOSEST = ((" + ", " - "), (" * ", " @ ", " / "))  # operators at which to divide a line
_COMMENT = 56  # column of the shapes


@dataclass(slots=True)
class Lines:
    """Statements of a function's body, in order.

    kept   names of what was computed, by its text: arrays do not change, and gradients are read when they are
           complete
    """

    names: Names
    found: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)

    def add(self, code: str, comment: str = "") -> None:
        """A statement, over several lines where it is long."""
        if len(code) > _WIDTH:
            code = _wrapped(code)
        if comment:
            last = code.rpartition("\n")[2]
            code += " " * max(2, _COMMENT - len(last)) + f"# {comment}"
        self.found.append(code)

    def assign(self, form: str, x: Expression, comment: str = "") -> None:
        """A statement with x in the place of {}, after those for what x needs several times."""
        known: dict[int, str] = {}
        for part in shared(x):
            text = written(part, known)
            name = self.kept.get(text)
            if name is None:
                name = self.names.numbered(f"{function_name(part)}_")
                self.add(f"{name} = {text}")
                self.kept[text] = name
            known[id(part)] = name
        self.add(form.format(written(x, known)), comment)

    def text(self) -> str:
        """All of them, as a function's body."""
        return textwrap.indent("\n".join(self.found), "    ") + "\n"


def _wrapped(code: str) -> str:
    """A long statement over several lines."""
    assignment = re.match(r".*? [+-]?= ", code)
    target = assignment[0] if assignment else ""
    x = code[len(target) :]
    lines = _folded(x, "")
    if target and len(_split(x, _LOOSEST)) > 1:
        lines = ["(", *[f"    {line}" for line in lines], ")"]
    return target + "\n".join(lines)


def _folded(text: str, indent: str) -> list[str]:
    """A long expression, divided at its loosest operators, or else between a call's operands."""
    if len(indent) + len(text) <= _WIDTH:
        return [indent + text]
    for operators in _LOOSEST:
        pieces = _split(text, [operators])
        if len(pieces) > 1:
            return [line for piece in pieces for line in _folded(piece, indent)]
    brackets = _longest_brackets(text)
    if brackets is None:
        return [indent + text]
    begin, end = brackets
    operands = _split(text[begin:end], [(", ",)])
    lines = [indent + text[:begin]]
    for operand in operands:
        lines += _folded(operand, indent + "    ")
    return [*lines, indent + text[end:]]


def _split(text: str, operators: Sequence[Sequence[str]]) -> list[str]:
    """At these operators, outside of brackets; those of a line begin it, but a comma ends it."""
    wanted = {operator for group in operators for operator in group}
    pieces, begin, depth = [], 0, 0
    for k, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if letter in " ," and depth == 0 and k > begin:
            found = next((o for o in wanted if text.startswith(o, k)), None)
            if found is not None:
                cut = k + 1
                pieces.append(text[begin:cut].rstrip())
                begin = cut + (found == ", ")
    return [*pieces, text[begin:]]


def _longest_brackets(text: str) -> tuple[int, int] | None:
    """Where the longest pair of brackets begins and ends, inside of them."""
    found, depth, begin = None, 0, 0
    for k, letter in enumerate(text):
        if letter in "([":
            begin = k + 1 if depth == 0 else begin
            depth += 1
        elif letter in ")]":
            depth -= 1
            if depth == 0 and (found is None or k - begin > found[1] - found[0]):
                found = begin, k
    return found
