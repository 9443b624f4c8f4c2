"""What the scalar engine costs beside micrograd, PyTorch and JAX: ratios, measured side by side.

    python -m tests.benchmarks.eager        or: make bench

Results are compared before anything is timed. Each contender lives in a process of its own, with one thread
and Python's garbage collector as Python starts it; they take turns, and what is printed is the ratio of the
medians, with the smallest and largest ratio of one turn beside it.
"""

from __future__ import annotations

import argparse
import gc
import math
import operator
import os
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from importlib.util import find_spec
from typing import Any

from tests.benchmarks.moons import DotDemo, autograd_demo, micrograd_demo
from tests.benchmarks.turns import Contender, assert_close, contenders, ratio_row, row, timed

Operation = Callable[[Any, Any], Any]

# ---- single operations

OPERATIONS: dict[str, Operation] = {
    "a + b": operator.add,
    "a - b": operator.sub,
    "a * b": operator.mul,
    "a / b": operator.truediv,
    "a ** b": operator.pow,
    "a * 1.5": lambda a, b: a * 1.5,
    "tanh(a)": lambda a, b: a.tanh(),
    "exp(a)": lambda a, b: a.exp(),
    "log(a)": lambda a, b: a.log(),
    "sigmoid(a)": lambda a, b: a.sigmoid(),
    "relu(a)": lambda a, b: a.relu(),
}
A, B = 0.75, 1.25
WAYS = {"torch": ("alone", "chain of 100"), "jax": ("alone", "alone and jitted")}


def alone(operation: Operation, leaf: Callable[[float], Any], times: int) -> Callable[[], Any]:
    """One operation on two leaves and its backward pass, `times` over."""
    a, b = leaf(A), leaf(B)

    def run() -> Any:
        for _ in range(times):
            y = operation(a, b)
            y.backward()
        return y

    return run


def chained(operation: Operation, leaf: Callable[[float], Any], length: int) -> Callable[[], Any]:
    """One graph of so many of them, each on the last one's result."""
    a, b = leaf(A), leaf(B)

    def run() -> Any:
        y = a
        for _ in range(length):
            y = operation(y, b)
        y.backward()
        return y

    return run


class Operations:
    """Leaves of one library, and gradients through it."""

    def __init__(self, library: str) -> None:
        self.library = library
        if library == "torch":
            import torch

            torch.set_num_threads(1)
            self.leaf: Any = partial(torch.tensor, dtype=torch.float64, requires_grad=True)
        elif library == "autograd":
            from autograd import Value

            self.leaf = Value
        else:
            self.leaf = None

    def gradient(self, name: str) -> list[float]:
        """The operation's value and its derivatives by a and b."""
        if self.library == "jax":
            y, gradient = self._jax(name)()
            return [float(y), *map(float, gradient)]
        a, b = self.leaf(A), self.leaf(B)
        y = OPERATIONS[name](a, b)
        y.backward()
        return [float(y.data), *[0.0 if x.grad is None else float(x.grad) for x in (a, b)]]

    def seconds(self, name: str, how: str, length: int) -> float:
        """An operation's time, forwards and backwards."""
        if self.library == "jax":
            both = self._jax(name, jit=how == "alone and jitted")
            length = 10

            def run() -> Any:
                return [both() for _ in range(length)]
        else:
            run = (chained if how == "chain of 100" else alone)(OPERATIONS[name], self.leaf, length)
        run()
        return timed(run) / length

    def _jax(self, name: str, jit: bool = False) -> Callable[[], Any]:
        import jax

        jax.config.update("jax_enable_x64", True)
        functions: dict[str, Operation] = {
            "tanh(a)": lambda a, b: jax.numpy.tanh(a),
            "exp(a)": lambda a, b: jax.numpy.exp(a),
            "log(a)": lambda a, b: jax.numpy.log(a),
            "sigmoid(a)": lambda a, b: jax.nn.sigmoid(a),
            "relu(a)": lambda a, b: jax.nn.relu(a),
        }
        both = jax.value_and_grad(functions.get(name, OPERATIONS[name]), argnums=(0, 1))
        both = jax.jit(both) if jit else both
        a, b = jax.numpy.float64(A), jax.numpy.float64(B)
        return lambda: jax.block_until_ready(both(a, b))


# ---- rows of the table


def moons_rows(rounds: int) -> None:
    with contenders(micrograd_demo, autograd_demo, DotDemo) as (micrograd, ours, dots):
        for step in range(3):
            loss, gradient = micrograd.ask("step")
            for contender in (ours, dots):
                own_loss, own_gradient = contender.ask("step")
                assert_close(f"loss of step {step}", [own_loss], [loss], 1e-10)
                assert_close(f"gradient of step {step}", own_gradient, gradient, 1e-10)
        times: list[list[list[float]]] = [[], [], []]
        for _ in range(rounds):
            for found, contender, steps in zip(times, (micrograd, ours, dots), (1, 9, 15), strict=True):
                found.append(contender.time("step", steps))
    ratio_row("moons step, micrograd's style / micrograd", times[0], times[1], "≥ 15×")
    ratio_row("moons step, nn.MLP            / micrograd", times[0], times[2], "≥ 60×")


def operation_rows(rounds: int) -> None:
    peers = [name for name in ("torch", "jax") if find_spec(name)]
    with contenders(*[partial(Operations, name) for name in ("autograd", *peers)]) as (ours, *others):
        for name in OPERATIONS:
            expected = ours.ask("gradient", name)
            for library, other in zip(peers, others, strict=True):
                assert_close(f"{name} in {library}", other.ask("gradient", name), expected, 1e-14)
        for library, other in zip(peers, others, strict=True):
            library_rows(library, other, ours, rounds)
    print(f"    (forwards and backwards; geometric mean and range of {len(OPERATIONS)} operations' ratios,")
    print(f"    each the median of {rounds} turns)")


def library_rows(library: str, other: Contender, ours: Contender, rounds: int) -> None:
    for how in WAYS[library]:
        turns: dict[str, list[float]] = {name: [] for name in OPERATIONS}
        for _ in range(rounds):  # whatever else the machine does for a while then spoils a turn of each
            for name, found in turns.items():
                found.append(other.ask("seconds", name, how, 100) / ours.ask("seconds", name, how, 100))
        ratios = {name: statistics.median(found) for name, found in turns.items()}
        spread = f"{min(ratios.values()):.1f}–{max(ratios.values()):.1f}"
        target = "≥ 10×" if library == "torch" else ""
        typical = statistics.geometric_mean(ratios.values())
        row(f"an operation, {how} / {library} scalar", f"{typical:.1f}×", spread, target)
        if library == "torch":
            for name, ratio in ratios.items():
                row(f"    {name}", f"{ratio:.1f}×")


def memory_rows(nodes: int = 100_000) -> None:
    """A chain of products, each of the last one and a leaf: what a node adds to the heap."""
    from autograd import Value

    tracemalloc.start()
    y, w = Value(0.5), Value(1.0)
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(nodes):
        y = y * w
    recorded = (tracemalloc.get_traced_memory()[0] - before) / nodes
    y.backward()
    swept = (tracemalloc.get_traced_memory()[0] - before) / nodes
    tracemalloc.stop()
    number = sys.getsizeof(y.data)
    account = f"{sys.getsizeof(y)} + {number} + {number}"
    row("bytes a two-operand node, recorded", f"{recorded:.0f}", "", "≤ 300")
    row("bytes a two-operand node, swept", f"{swept:.0f}", account, "≤ 300")
    print("    (sys.getsizeof: the node with the collector's header, its data, its gradient)")


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """The k of seconds ~ size^k, by least squares of the logarithms."""
    return statistics.linear_regression([math.log(n) for n in sizes], [math.log(t) for t in seconds]).slope


def chain_seconds(size: int) -> tuple[float, float, float]:
    """So many operations of y = y * w + w, again and again: the time to record, sweep and delete them.

    Processor time: on a busy machine a long run is interrupted, a short one is not.
    """
    from autograd import Value

    clock = time.process_time
    w = Value(0.5)
    start = clock()
    y = w
    for _ in range(size // 2):
        y = y * w + w
    recorded = clock()
    y.backward()
    swept = clock()
    del y
    deleted = clock()
    assert math.isclose(w.grad, 4.0, rel_tol=1e-12)  # y is w / (1 - w), and dy/dw 1 / (1 - w)²
    return recorded - start, swept - recorded, deleted - swept


def chain_rows(largest: int) -> None:
    from autograd import pause_gc

    sizes = [10**k for k in range(3, round(math.log10(largest)) + 1)]
    for how, mode in (("collector on", nullcontext), ("collector paused", pause_gc)):
        medians = []
        for size in sizes:
            gc.collect()
            with mode():
                runs = [chain_seconds(size) for _ in range(max(3, min(50, 100_000 // size)))]
            medians.append([statistics.median(phase) for phase in zip(*runs, strict=True)])
        for name, seconds in zip(("forward", "backward", "del"), zip(*medians, strict=True), strict=True):
            relative = [t / n for t, n in zip(seconds, sizes, strict=True)]
            spread = f"{min(relative) / relative[0]:.2f}–{max(relative) / relative[0]:.2f}"
            row(f"cost ~ nodes^k, {name}, {how}", f"k = {exponent(sizes, seconds):.2f}", spread, "linear")
    print(
        f"    (chains of 10³ to {largest:,} operations; the range: cost a node beside that at 10³. Python's"
    )
    print("    collector visits again and again what lives, which pause_gc() spares)")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15, help="turns of each contender (default: 15)")
    parser.add_argument("--chain", type=int, default=1_000_000, help="longest chain (default: 1,000,000)")
    options = parser.parse_args(arguments)
    if options.chain < 10_000:
        parser.error(f"--chain: expected at least 10,000, for a slope takes two lengths; got {options.chain}")
    os.environ |= {"OMP_NUM_THREADS": "1", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}
    row("how many times faster", "ratio", "range", "target")
    print("-" * 79)
    for peer in ("micrograd", "torch", "jax"):
        if not find_spec(peer):
            print(f"{peer} is not installed: its rows are left out (make peers)")
    if find_spec("micrograd"):
        moons_rows(options.rounds)
    operation_rows(options.rounds)
    print()
    memory_rows()
    chain_rows(options.chain)


if __name__ == "__main__":
    main()
