"""How contenders are timed and reported: each in a process of its own, in turns, as ratios in a table."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from typing import Any


def timed(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _serve(connection: Connection, make: Callable[[], Any]) -> None:
    contender = make()
    while True:
        method, arguments, times = connection.recv()
        if times is None:
            connection.send(getattr(contender, method)(*arguments))
        else:
            connection.send([timed(partial(getattr(contender, method), *arguments)) for _ in range(times)])


class Contender:
    """An object in a process of its own, which does nothing unless asked."""

    def __init__(self, make: Callable[[], Any]) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, make), daemon=True)
        self.process.start()
        theirs.close()

    def ask(self, method: str, *arguments: Any) -> Any:
        self.connection.send((method, arguments, None))
        return self.connection.recv()

    def time(self, method: str, times: int) -> list[float]:
        self.connection.send((method, (), times))
        return self.connection.recv()


@contextmanager
def contenders(*makes: Callable[[], Any]) -> Iterator[list[Contender]]:
    made = [Contender(make) for make in makes]
    try:
        yield made
    finally:
        for contender in made:
            contender.process.terminate()
            contender.process.join()


def assert_close(what: str, ours: Sequence[float], theirs: Sequence[float], tolerance: float) -> None:
    """Equal to `tolerance` of the largest magnitude."""
    largest = max(map(abs, theirs))
    for a, b in zip(ours, theirs, strict=True):
        assert abs(a - b) <= tolerance * largest, f"{what}: {a!r} is not {b!r}"


# ---- the table


def row(what: str, measured: str, spread: str = "", target: str = "") -> None:
    print(f"{what:<44}{measured:>9}{spread:>15}{target:>11}", flush=True)


def ratio_row(
    what: str, peer: Sequence[Sequence[float]], ours: Sequence[Sequence[float]], target: str
) -> None:
    """The ratio of the medians over all turns; the least and the largest ratio of one turn."""
    median = statistics.median
    turns = [median(theirs) / median(own) for theirs, own in zip(peer, ours, strict=True)]
    whole = median([t for turn in peer for t in turn]) / median([t for turn in ours for t in turn])
    row(what, f"{whole:.1f}×", f"{min(turns):.1f}–{max(turns):.1f}", target)
