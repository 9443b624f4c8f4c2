"""What the demos do as programs, before their work: options, missing packages, a folder for files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile


def parsed(
    demo: str,
    doc: str,
    counted: str,
    default: int,
    argv: Sequence[str] | None,
    packages: Mapping[str, str],
    flags: Mapping[str, str] | None = None,
) -> argparse.Namespace:
    """Options out, seed, quiet and how long to train; exits before any work is done where one is wrong.

    demo      of `python -m demos.<demo>`; doc is its docstring, whose first paragraph says what it does
    counted   what training counts, "steps" or "epochs": the name of the option; default, how many
    argv      the arguments; None for the program's own
    packages  that it needs, see `require`
    flags     of this demo alone, {name: help}
    """
    parser = argparse.ArgumentParser(prog=f"python -m demos.{demo}", description=doc.partition("\n\n")[0])
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the files (default: out/)")
    parser.add_argument(
        f"--{counted}", type=int, default=default, help=f"{counted} of training (default: {default})"
    )
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn at random (default: 0)")
    parser.add_argument("--quiet", action="store_true", help="print only the result and what was written")
    for flag, about in (flags or {}).items():
        parser.add_argument(f"--{flag}", action="store_true", help=about)
    options = parser.parse_args(argv)
    if getattr(options, counted) < 1:
        parser.error(f"--{counted}: expected at least 1, got {getattr(options, counted)}")
    if options.seed < 0:
        parser.error(f"--seed: expected 0 or more, got {options.seed}")
    require(packages)
    try:
        make_writable(options.out)
    except OSError as error:
        parser.error(f"--out: expected a folder that can be written to, got {options.out} ({error.strerror})")
    return options


def require(packages: Mapping[str, str]) -> None:
    """Exit with a line that says how to install what is missing; packages are {module: package's name}."""
    missing = [package for module, package in packages.items() if find_spec(module) is None]
    if missing:
        sys.exit(f'This demo needs {" and ".join(missing)}: pip install "liftgrad[demos]"')


def make_writable(folder: Path) -> None:
    """Make the folder unless it is there, and try whether files can be made in it; raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=folder):
        pass
