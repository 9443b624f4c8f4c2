"""python -m autograd: the value and the gradient of an expression, from the command line.

This room knows the package's public names, expressions, and a command's life.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

import autograd
from autograd.cells import cells
from autograd.expressions import Expression, ExpressionError, functions, name_in, parse
from autograd.terminal import run

NARROWEST, WIDEST = 20, 96  # characters of a line
LONGEST_INPUT = 1_000_000  # characters from a pipe
SAME, DIFFERS, MISUSE = 0, 1, 2  # exit codes
_GIVEN = re.compile(r"\s*(?:\w|[^\x00-\x7f])*\s*=[^=]*")  # NAME=NUMBER, and what can be nothing else

DESCRIPTION = "The value of an expression, and its gradient by every name in it."

DETAILS = """\
An expression is made of numbers, names, + - * / ** and brackets, and functions:
{functions}

examples:
  python -m autograd "tanh(w1*x1 + w2*x2 + b)" w1=-3 x1=2 w2=1 x2=0 b=6.88
  python -m autograd "x**2 * sin(y)" x=3 y=0.5 --order 2 --check
  python -m autograd "relu(w*x + b)" w=2 x=3 b=-1 --draw neuron.html
  python -m autograd "sigmoid(w*x + b)" w=2 x=3 b=-1 --lift
  echo "exp(-x**2)" | python -m autograd x=0.5
  python -m autograd -- "-x * log(x)" x=0.25
An expression that begins with - comes after --, as the last one does.

exit codes:
  0  all is well
  1  --check finds that the gradient differs
  2  something cannot be read, drawn or written
Of lines from a pipe each is answered or refused by itself, and the largest
code is given.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = _arguments()
    words = list(sys.argv[1:] if argv is None else argv)
    bare = words.index("--") if "--" in words else len(words)  # from there on nothing is an option
    options, unknown = parser.parse_known_intermixed_args(words[:bare])
    if unknown:
        parser.error(
            f"there is no option {unknown[0]}; an expression that begins with - comes last, after --, "
            f'as in x=2 -- "-x"'
        )
    options.words += words[bare + 1 :]
    try:
        values = _values([word for word in options.words if _GIVEN.fullmatch(word)])
        lines = _lines([word for word in options.words if not _GIVEN.fullmatch(word)])
        if options.draw is not None and len(lines) > 1:
            raise ValueError(f"--draw: expected one expression, got {len(lines)}")
        _check_use(values, lines)
    except (ValueError, OSError) as error:
        return _refuse(parser.prog, error)
    code, answers = SAME, 0
    for line in lines:
        try:
            answer, agrees = _answer(line, values, options)
        except (ValueError, OSError, RuntimeError) as error:  # ExpressionError among them
            code = _refuse(f"{parser.prog}: line {line.number}" if line.number else parser.prog, error)
            continue
        print(end="\n" if answers else "")
        print(answer)
        answers += 1
        code = max(code, SAME if agrees else DIFFERS)
    return code


def _refuse(where: str, error: Exception) -> int:
    """Say what is wrong, after all that was said before; returns the exit code."""
    sys.stdout.flush()
    print(f"{where}: {error}", file=sys.stderr)
    return MISUSE


def _arguments() -> argparse.ArgumentParser:
    width = max(NARROWEST, min(WIDEST, shutil.get_terminal_size().columns - 2))  # as argparse has it
    names = textwrap.fill(", ".join(sorted(functions())), width, initial_indent="  ", subsequent_indent="  ")
    parser = argparse.ArgumentParser(
        prog="python -m autograd",
        description=DESCRIPTION,
        epilog=DETAILS.format(functions=names),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("words", nargs="*", metavar="EXPRESSION | NAME=NUMBER", help="an expression, and a number for each "
        "of its names; without an expression, each line of the standard input is one")  # fmt: skip
    add("--draw", metavar="FILE", help="write its graph to FILE.svg, .html, .dot, .txt, .json, .png or .pdf")
    add("--check", action="store_true", help="hold the gradient against numerical differentiation")
    add("--lift", action="store_true", help="print it as a NumPy function of value and gradient")
    add("--order", type=int, choices=(1, 2), default=1, help="2: the second derivatives, too")
    add("--precision", type=int, choices=range(1, 18), default=6, metavar="DIGITS",
        help="significant digits, 1 to 17 (default: 6)")  # fmt: skip
    return parser


def _values(words: Sequence[str]) -> dict[str, float]:
    """The numbers given as NAME=NUMBER."""
    values: dict[str, float] = {}
    for word in words:
        told, text = (part.strip() for part in word.split("=", 1))
        name = name_in(told)
        if name is None:
            raise ValueError(f"{word!r}: expected NAME=NUMBER, as in w1=-3")
        if name in values:
            raise ValueError(f"{name} is given twice: {values[name]:g}, then {text}")
        try:
            values[name] = float(text)
        except ValueError:
            raise ValueError(f"{name}: expected a number, as in {name}=-3, got {text!r}") from None
    return values


@dataclass(frozen=True, slots=True)
class _Line:
    """An expression as it was typed; the number of its line, 0 where it was an argument."""

    source: str
    number: int = 0


def _lines(words: Sequence[str]) -> list[_Line]:
    """The expression given, or the lines of the standard input that hold one."""
    if len(words) > 1:
        hint = "a value is given as NAME=NUMBER" if any("=" in word for word in words) else "quote it"
        raise ValueError(f"expected one expression, got {len(words)}: {', '.join(map(repr, words))}; {hint}")
    if words:
        return [_Line(words[0])]
    if sys.stdin is None:
        raise ValueError("expected an expression: none is given, and the standard input is closed")
    if sys.stdin.isatty():
        raise ValueError('expected an expression, as in "w*x + b", or some on the standard input; see --help')
    text = sys.stdin.read(LONGEST_INPUT + 1)
    if len(text) > LONGEST_INPUT:
        raise ValueError(f"expected at most {LONGEST_INPUT:,} characters on the standard input")
    numbered = enumerate((line.strip() for line in text.splitlines()), start=1)
    lines = [_Line(line, number) for number, line in numbered if line and not line.startswith("#")]
    if not lines:
        raise ValueError("expected an expression on the standard input, got none")
    return lines


def _check_use(values: Mapping[str, float], lines: Sequence[_Line]) -> None:
    """Raise where a number has no use; a line that cannot be read may have had one."""
    try:
        used = {name for line in lines for name in parse(line.source).names}
    except ExpressionError:
        return
    for name in values:
        if name not in used:
            raise ValueError(f"{name} is given a number, but is not in the expression")


def _answer(line: _Line, given: Mapping[str, float], options: argparse.Namespace) -> tuple[str, bool]:
    """All that is asked of one expression, and whether its gradient was found right, if that was asked."""
    expression = parse(line.source)
    for name in expression.names:
        if name not in given:
            raise expression.refusal(f"there is no number for {name}: add {name}=NUMBER", name)
    values = {name: given[name] for name in expression.names}
    output, leaves = expression.recorded(values)
    output.backward()
    digits = options.precision
    parts = [f"{expression.source} = {output.data:.{digits}g}"]
    if leaves:
        rows = [[name, f"{leaf.data:.{digits}g}", f"{leaf.grad:.{digits}g}"] for name, leaf in leaves.items()]
        parts.append(_table([["name", "value", "gradient"], *rows]))
    if options.order > 1 and leaves:
        parts.append(_second_derivatives(expression, values, digits))
    if options.lift and leaves:
        parts.append(_lifted(output, leaves).rstrip())
    if options.draw is not None:
        parts.append(autograd.draw(output, partials=True).save(options.draw))
    if not options.check:
        return "\n\n".join(parts), True
    if not leaves:
        return "\n\n".join([*parts, "There is no gradient to check: the expression has no names."]), True
    report = autograd.check_gradients(expression, values)
    return "\n\n".join([*parts, str(report)]), report.ok


def _lifted(output: autograd.Value, leaves: Mapping[str, autograd.Value]) -> str:
    """The lifted program's source, between the order of theta's names and the constants, if it has any."""
    program = autograd.lift(output)
    names = {leaf: name for name, leaf in leaves.items()}
    order = ", ".join(names[leaf] for leaf in program.parameters)
    heading = textwrap.fill(f"theta: {order}", WIDEST, initial_indent="# ", subsequent_indent="# ")
    rows = [f'    "{name}": np.array({_listed(array)}),\n' for name, array in program.constants.items()]
    constants = f"\n\nconstants = {{\n{''.join(rows)}}}\n" if rows else ""
    return f"{heading}\n{program.source}{constants}"


def _listed(array: npt.NDArray[Any]) -> str:
    """An array's numbers as Python's lists."""
    return repr(array.tolist()).replace("inf", "np.inf").replace("nan", "np.nan")


def _second_derivatives(expression: Expression, values: Mapping[str, float], digits: int) -> str:
    """The matrix of ∂²/∂row ∂column as a table."""
    names = list(values)
    matrix = autograd.hessian(lambda xs: expression(dict(zip(names, xs, strict=True))))(list(values.values()))
    # + 0.0, so that what cancels reads 0 and not -0
    rows = [[name, *(f"{x + 0.0:.{digits}g}" for x in row)] for name, row in zip(names, matrix, strict=True)]
    return _table([["∂²", *names], *rows])


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell, the first one's cells left, the others' right."""
    widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        rooms = [" " * (width - cells(cell)) for cell, width in zip(row, widths, strict=True)]
        others = map("{}{}".format, rooms[1:], row[1:])
        lines.append("  ".join([row[0] + rooms[0], *others]).rstrip())
    return "\n".join(lines)


if __name__ == "__main__":
    run(main)
