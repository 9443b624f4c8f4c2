"""python -m autograd: the value and the gradient of an expression, from the command line.

This room knows the package's public names and expressions.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt

import autograd
from autograd.expressions import Expression, functions, parse

LONGEST_INPUT = 1_000_000  # characters from a pipe
SAME, DIFFERS, MISUSE = 0, 1, 2  # exit codes

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
  python -m autograd -- "-x * log(x)" x=0.25        an expression that begins with - comes after --

exit codes: 0; 1 where --check finds that the gradient differs; 2 for what cannot be read, drawn or written
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = _arguments()
    words = list(sys.argv[1:] if argv is None else argv)
    bare = words.index("--") if "--" in words else len(words)  # from there on nothing is an option
    options = parser.parse_intermixed_args(words[:bare])
    options.words += words[bare + 1 :]
    try:
        values = _values([word for word in options.words if "=" in word])
        expressions = [parse(text) for text in _sources([word for word in options.words if "=" not in word])]
        _check_names(expressions, values)
        if options.draw and len(expressions) > 1:
            raise ValueError(f"--draw: expected one expression, got {len(expressions)}")
        agree = True
        for i, expression in enumerate(expressions):
            print(end="\n" if i else "")
            agree &= _show(expression, {name: values[name] for name in expression.names}, options)
    except (ValueError, OSError, RuntimeError) as error:  # ExpressionError among them
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return MISUSE
    return SAME if agree else DIFFERS


def _arguments() -> argparse.ArgumentParser:
    names = textwrap.fill(", ".join(sorted(functions())), 96, initial_indent="  ", subsequent_indent="  ")
    parser = argparse.ArgumentParser(
        prog="python -m autograd",
        description=DESCRIPTION,
        epilog=DETAILS.format(functions=names),
        formatter_class=argparse.RawDescriptionHelpFormatter,
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
        name, _, text = word.partition("=")
        if not name.isidentifier():
            raise ValueError(f"{word!r}: expected NAME=NUMBER, as in w1=-3")
        if name in values:
            raise ValueError(f"{name} is given twice: {values[name]:g}, then {text}")
        try:
            values[name] = float(text)
        except ValueError:
            raise ValueError(f"{name}: expected a number, as in {name}=-3, got {text!r}") from None
    return values


def _sources(words: Sequence[str]) -> list[str]:
    """The expression given, or the lines of the standard input that hold one."""
    if len(words) > 1:
        raise ValueError(
            f"expected one expression, got {len(words)}: {', '.join(map(repr, words))}; quote it"
        )
    if words:
        return [words[0]]
    if sys.stdin.isatty():
        raise ValueError('expected an expression, as in "w*x + b", or some on the standard input; see --help')
    text = sys.stdin.read(LONGEST_INPUT + 1)
    if len(text) > LONGEST_INPUT:
        raise ValueError(f"expected at most {LONGEST_INPUT:,} characters on the standard input")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise ValueError("expected an expression on the standard input, got none")
    return lines


def _check_names(expressions: Sequence[Expression], values: Mapping[str, float]) -> None:
    """Raise where a name has no number, or a number no use."""
    used = {name for expression in expressions for name in expression.names}
    for expression in expressions:
        for name in expression.names:
            if name not in values:
                raise expression.refusal(f"there is no number for {name}: add {name}=NUMBER", name)
    for name in values:
        if name not in used:
            raise ValueError(f"{name} is given a number, but is not in the expression")


def _show(expression: Expression, values: Mapping[str, float], options: argparse.Namespace) -> bool:
    """Print all that is asked of one expression; whether its gradient was found right, if that was asked."""
    output, leaves = expression.recorded(values)
    output.backward()
    digits = options.precision
    print(f"{expression.source} = {output.data:.{digits}g}")
    if leaves:
        rows = [[name, f"{leaf.data:.{digits}g}", f"{leaf.grad:.{digits}g}"] for name, leaf in leaves.items()]
        print(f"\n{_table([['name', 'value', 'gradient'], *rows])}")
    if options.order > 1 and leaves:
        print(f"\n{_second_derivatives(expression, values, digits)}")
    if options.lift and leaves:
        print(f"\n{_lifted(output, leaves)}", end="")
    if options.draw:
        print(f"\n{autograd.draw(output, partials=True).save(options.draw)}")
    if not options.check:
        return True
    report = autograd.check_gradients(expression, dict(values))
    print(f"\n{report}")
    return report.ok


def _lifted(output: autograd.Value, leaves: Mapping[str, autograd.Value]) -> str:
    """The lifted program's source, between the order of theta's names and the constants, if it has any."""
    program = autograd.lift(output)
    names = {leaf: name for name, leaf in leaves.items()}
    order = ", ".join(names[leaf] for leaf in program.parameters)
    heading = textwrap.fill(f"theta: {order}", 96, initial_indent="# ", subsequent_indent="# ")
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
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            f"{cell:<{width}}" if i == 0 else f"{cell:>{width}}"
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


if __name__ == "__main__":
    sys.exit(main())
