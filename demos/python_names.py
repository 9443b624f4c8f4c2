"""Names that every Python has: of its standard library's modules, of what they define, and the built-ins.

Nothing is imported: the modules' source is parsed. The same Python gives the same names, in the same order.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

LONGEST = 15
NAME = re.compile("[a-z]+(_[a-z]+)*")

BOUNDARY = 0  # the token before a name's first letter and after its last
ALPHABET = "abcdefghijklmnopqrstuvwxyz_"  # tokens 1 to 27


def python_names() -> list[str]:
    """Names of 2 to 15 lower-case letters, with single underscores between them; sorted.

    Of functions, classes and methods, those count that are defined in a public module's file or a package's
    `__init__`; where Python comes without its source, only modules and built-ins do.
    """
    names = {*sys.stdlib_module_names, *dir(builtins)}
    library = Path(sysconfig.get_path("stdlib"))
    for module in (name for name in sys.stdlib_module_names if not name.startswith("_")):
        for path in (library / f"{module}.py", library / module / "__init__.py"):
            if path.is_file():
                names.update(_defined(ast.parse(path.read_bytes()).body))
    return sorted(name for name in names if 2 <= len(name) <= LONGEST and NAME.fullmatch(name))


def _defined(body: list[ast.stmt]) -> Iterator[str]:
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield statement.name
        if isinstance(statement, ast.ClassDef):
            yield from _defined(statement.body)


def tokens_of(name: str) -> list[int]:
    """The name as numbers, between two boundaries.

    >>> tokens_of("abc_")
    [0, 1, 2, 3, 27, 0]
    """
    return [BOUNDARY, *[1 + ALPHABET.index(letter) for letter in name], BOUNDARY]
