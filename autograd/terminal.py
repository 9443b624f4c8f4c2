"""A command's life around its work: an encoding that lacks a character, a reader that has gone.

This room knows nothing of the project.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
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
