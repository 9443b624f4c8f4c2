"""What the demos do as programs, around their work: pipes that close, narrow encodings, missing packages."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import NoReturn

CLOSED_PIPE = 141  # what a shell gives for a program that SIGPIPE ended: 128 + 13


def run(main: Callable[[], int | None]) -> NoReturn:
    """Run main as the program and exit with its code, quietly where the reader of its output has gone."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # in an encoding without σ, it becomes a question mark
    try:
        try:
            code = main()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for Python's own flush at the end
        sys.exit(CLOSED_PIPE)
    sys.exit(code)


def require(**packages: str) -> None:
    """Exit with a line that says how to install what is missing; packages are given as module="its name"."""
    missing = [package for module, package in packages.items() if find_spec(module) is None]
    if missing:
        sys.exit(f'This demo needs {" and ".join(missing)}: pip install "liftgrad[demos]"')


def make_writable(folder: Path) -> None:
    """Make the folder unless it is there, and try whether files can be made in it; raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=folder):
        pass
