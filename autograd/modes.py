"""Ways to record: not at all, with an eye on anomalies, or with the garbage collector paused.

The first two see every node that their thread records, through the hook that `value` keeps for them; other
threads pay for it with one look, and nobody pays while none is in force.
"""

from __future__ import annotations

import gc
import math
import os
import sys
import threading
from collections import ChainMap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from autograd import value
from autograd.value import CONSTANT, Value

_HERE = Path(__file__).parent
_OURS = (f"{_HERE}{os.sep}", f"{_HERE.parent / 'nn'}{os.sep}")
_LISTED = 6  # numbers in a message, of what may be thousands of operands
_lock = threading.Lock()
_in_force = 0  # modes, in all threads


class _Thread(threading.local):
    def __init__(self) -> None:
        self.watchers: list[Callable[[Value], None]] = []
        self.anomalies: list[_Anomalies] = []
        self.places: list[dict[Value, str]] = []


_thread = _Thread()


@contextmanager
def no_grad() -> Iterator[None]:
    """Within it, this thread's operations give constants: nothing is recorded, nothing kept alive.

    >>> from autograd import Value
    >>> x = Value(3.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.data, y.parents, y.is_constant
    (9.0, (), True)
    """
    with _watching(_forget):
        yield


@contextmanager
def recorded() -> Iterator[bool]:
    """Within it, this thread records, whatever `no_grad` is in force around it; gives whether one is.

    For what is asked for a derivative: it records for its own use.
    """
    around = _thread.watchers
    _thread.watchers = [watcher for watcher in around if watcher is not _forget]
    try:
        yield _forget in around
    finally:
        _thread.watchers = around


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Within it, this thread's first nan or infinity, forwards or backwards, is an error.

    FloatingPointError names the operation, its operands and the line that recorded it, or the leaf whose own
    sum overflows. Tangents of forward mode are watched as gradients are. Leaves' gradients are
    left as they were before the sweep that failed. Every node recorded within is kept until the end.

    >>> from autograd import Value
    >>> with detect_anomaly():
    ...     Value(0.0).log()
    Traceback (most recent call last):
    FloatingPointError: log(0.0) is -inf, recorded at <doctest autograd.modes.detect_anomaly[1]>, line 2
    """
    anomalies = _Anomalies()
    _thread.anomalies.append(anomalies)
    try:
        with _watching(anomalies.see):
            yield
    finally:
        _thread.anomalies.remove(anomalies)


@contextmanager
def source_lines() -> Iterator[None]:
    """Within it, this thread's nodes are kept with the line that recorded them; programs lifted within know.

    `print(program)` then shows the lines. Recording takes some five times as long; outside, it costs nothing.

    >>> from autograd import Value, lift
    >>> x = Value(0.5)
    >>> with source_lines():
    ...     program = lift((x * x).tanh())
    >>> "lines[2]>:2" in str(program)                # the second line of the third part of this example
    True
    """
    places: dict[Value, str] = {}

    def see(node: Value) -> None:
        places[node] = _place(sys._getframe(2))

    _thread.places.append(places)
    try:
        with _watching(see):
            yield
    finally:
        _thread.places.pop()


def lines_of(nodes: Sequence[Value]) -> list[str]:
    """For each node the file and line that recorded it; [] where no `source_lines` in force has seen any."""
    known = ChainMap(*reversed(_thread.places))
    return [known.get(node, "") for node in nodes] if any(node in known for node in nodes) else []


@contextmanager
def pause_gc() -> Iterator[None]:
    """Within it, Python's cyclic garbage collector rests, in the whole process.

    A recorded graph has no cycles, so that reference counts alone free it, and the collector's passes over
    it, which take most of the time of recording, find nothing. Where the collector was already off, it stays.

    >>> import gc
    >>> with pause_gc():
    ...     gc.isenabled()
    False
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Anomalies:
    """Where each node was recorded, and what to say of the first that is not finite."""

    def __init__(self) -> None:
        self.places: dict[Value, str] = {}

    def see(self, node: Value) -> None:
        self.places[node] = _place(sys._getframe(2))
        if not math.isfinite(node.data):
            raise FloatingPointError(f"{_call(node)} is {node.data}, {self.where(node)}")

    def see_sweep(self, order: Sequence[Value], gradient_of: Callable[[Value], float]) -> None:
        for node in reversed(order):
            gradient = gradient_of(node)
            if not (node.parents or node.is_constant or math.isfinite(gradient)):
                label = f" {node.label!r}" if node.label else ""
                raise FloatingPointError(
                    f"the gradient of the leaf{label} of data {node.data} adds up to {gradient}, though what "
                    "arrives over each edge is finite"
                )
            for i, (parent, partial) in enumerate(zip(node.parents, node.partials, strict=True)):
                if not parent.is_constant and not math.isfinite(gradient * partial):
                    raise FloatingPointError(
                        f"backward through {_call(node)}, {self.where(node)}: its partial derivative by "
                        f"operand {i} is {partial}, and the gradient arriving is {gradient}"
                    )

    def see_tangents(self, order: Sequence[Value], tangent_of: Callable[[Value], float]) -> None:
        for node in order:
            tangent = tangent_of(node)
            if node.parents and not math.isfinite(tangent):
                partials = _listed(node.partials)
                arriving = _listed([tangent_of(parent) for parent in node.parents])
                raise FloatingPointError(
                    f"forwards through {_call(node)}, {self.where(node)}: its partial derivatives are "
                    f"{partials}, and the tangents arriving are {arriving}, which makes {tangent}"
                )

    def where(self, node: Value) -> str:
        return f"recorded at {self.places[node]}" if node in self.places else "recorded before detect_anomaly"


@contextmanager
def _watching(watcher: Callable[[Value], None]) -> Iterator[None]:
    global _in_force  # noqa: PLW0603  # the hooks below are the whole process's
    place = len(_thread.watchers) if watcher is _forget else 0  # who looks at a node does so before it is cut
    _thread.watchers.insert(place, watcher)
    with _lock:
        _in_force += 1
        value._watch, value._watch_sweep = _see, see_sweep
    try:
        yield
    finally:
        _thread.watchers.remove(watcher)
        with _lock:
            _in_force -= 1
            if not _in_force:
                value._watch = value._watch_sweep = None


def _see(node: Value) -> Value:
    for watcher in _thread.watchers:
        watcher(node)
    return node


def see_sweep(order: Sequence[Value], gradient_of: Callable[[Value], float]) -> None:
    """Look for anomalies, if so asked, among gradients swept to the nodes of this topological order."""
    for anomalies in _thread.anomalies:
        anomalies.see_sweep(order, gradient_of)


def see_tangents(order: Sequence[Value], tangent_of: Callable[[Value], float]) -> None:
    """The same of tangents, which go from operands to results."""
    for anomalies in _thread.anomalies:
        anomalies.see_tangents(order, tangent_of)


def _forget(node: Value) -> None:
    node._a = node._b = None
    node.primitive = CONSTANT


def _call(node: Value) -> str:
    return f"{node.op}({_listed([parent.data for parent in node.parents])})"


def _listed(numbers: Sequence[float]) -> str:
    more = len(numbers) - _LISTED
    return ", ".join(map(repr, numbers[:_LISTED])) + (f", … and {more} more" if more > 0 else "")


def _place(frame: FrameType | None) -> str:
    """File and line of the nearest caller outside this project."""
    while frame is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}, line {frame.f_lineno}" if frame else "an unknown place"
