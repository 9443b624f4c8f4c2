"""A command's life around its work: an encoding that lacks a character, an output that cannot be written.

This room knows nothing of the project.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from typing import NoReturn, TextIO

CLOSED_PIPE = 141  # what a shell gives for a program that SIGPIPE ended: 128 + 13
UNWRITABLE = 2  # as for what cannot be read: not Python's 1, which may be a command's answer


def run(main: Callable[[], int | None]) -> NoReturn:
    """Run main as the program and exit with its code, quietly where the reader of its output has gone.

    Where the output is closed, or its device is full, one line says so, and the code is UNWRITABLE.
    """
    if sys.stdout is None:
        _refuse("it is closed")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # in an encoding without σ, it becomes a question mark
    try:
        try:
            code = main()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _discard(sys.stdout)
        sys.exit(CLOSED_PIPE)
    except OSError as error:
        if error.filename is not None:  # a file's, not the output's
            raise
        _discard(sys.stdout)
        _refuse(str(error.strerror))
    sys.exit(code)


def _refuse(reason: str) -> NoReturn:
    try:
        print(f"the standard output cannot be written: {reason}", file=sys.stderr, flush=True)
    except OSError:     # it was this one
        _discard(sys.stderr)
    sys.exit(UNWRITABLE)


def _discard(stream: TextIO) -> None:
    """Let Python's own flush at the end succeed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
