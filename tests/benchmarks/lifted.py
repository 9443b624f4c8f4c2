"""What a lifted program's step costs beside its peers: ratios, measured side by side.

    python -m tests.benchmarks.lifted        or: make bench

A step is the loss and its gradient by every parameter. All results are compared before anything is timed.
Each contender lives in a process of its own, with one thread and the garbage collector as Python starts it;
they take turns. Printed are the medians, the share of the peer's time that the lifted program takes, and the
smallest and largest share of one turn.
"""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any, NamedTuple

from tests.benchmarks.eager import exponent
from tests.benchmarks.lifted_cases import (
    Case,
    chain_case,
    gpt_batch_case,
    gpt_case,
    moons_case,
    network_case,
    random_case,
)
from tests.benchmarks.lifted_contenders import (
    Casadi,
    Eager,
    Lifted,
    Lifting,
    MicrogradMoons,
    Sweep,
    gpt_by_hand,
    network_by_hand,
)
from tests.benchmarks.moons_by_hand import JaxMoons, TorchMoons
from tests.benchmarks.turns import Contender, assert_close, contenders

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
}
TURN = 0.03  # seconds of steps, and at least one
AGREEMENT = 1e-12  # of a gradient's largest entry: sums in another order


class Peer(NamedTuple):
    name: str
    make: Callable[[], Any]
    package: str = "numpy"  # which it needs
    target: str = ""


# ---- the table


def row(what: str, peer: str, lifted: str, share: str, spread: str = "", target: str = "") -> None:
    print(f"{what:<33}{peer:>9}{lifted:>9}{share:>10}{spread:>10}{target:>8}".rstrip(), flush=True)


def duration(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{1e3 * seconds:.1f} ms" if seconds >= 1e-3 else f"{1e6 * seconds:.1f} µs"


def share(ours: float, peer: float) -> str:
    if ours < 0.02 * peer:
        return f"1/{peer / ours:,.0f}"
    return f"{plain(ours / peer)}×"


def plain(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"


def share_row(
    what: str, peer: Sequence[Sequence[float]], ours: Sequence[Sequence[float]], target: str
) -> None:
    """Of seconds by turns: the medians over all turns, their ratio, the least and largest of one turn."""
    whole = [statistics.median([t for turn in turns for t in turn]) for turns in (peer, ours)]
    each = [statistics.median(own) / statistics.median(other) for other, own in zip(peer, ours, strict=True)]
    spread = f"{plain(min(each))}–{plain(max(each))}" if whole[1] >= 0.02 * whole[0] else ""
    row(what, duration(whole[0]), duration(whole[1]), share(whole[1], whole[0]), spread, target)


def step_rows(title: str, case: Callable[[], Case], peers: Sequence[Peer], rounds: int) -> None:
    """The lifted case's step beside each peer's."""
    print(title)
    there = [peer for peer in peers if find_spec(peer.package)]
    for peer in peers:
        if peer not in there:
            print(f"  {peer.name}: left out, {peer.package} is not installed (make peers)")
    with contenders(partial(Lifted, case), *[peer.make for peer in there]) as (lifted, *others):
        loss, gradient = lifted.ask("result")
        for peer, other in zip(there, others, strict=True):
            expected_loss, expected = other.ask("result")
            assert_close(f"{title}: loss of {peer.name}", [loss], [expected_loss], AGREEMENT)
            assert_close(f"{title}: gradient of {peer.name}", gradient, expected, AGREEMENT)
        everyone = [lifted, *others]
        steps = [steps_in_a_turn(contender) for contender in everyone]
        times: list[list[list[float]]] = [[] for _ in everyone]
        for _ in range(rounds):
            for found, contender, count in zip(times, everyone, steps, strict=True):
                found.append(contender.time("step", count))
    for peer, found in zip(there, times[1:], strict=True):
        share_row(f"  {peer.name}", found, times[0], peer.target)


def steps_in_a_turn(contender: Contender) -> int:
    """After warming up."""
    fastest = min(contender.time("step", 3))
    return max(1, min(1000, round(TURN / fastest)))


def lifting_rows(rounds: int) -> None:
    """Lifting beside recording, in one process."""
    print("lifting, beside recording the graph")
    for name, case in (("moons", moons_case), ("GPT, one name", gpt_case), ("random graph", random_case)):
        with contenders(partial(Lifting, case)) as (lifting,):
            for paused in (False, True):
                pairs = [lifting.ask("seconds", paused) for _ in range(rounds + 1)][1:]
                recorded, lifted = ([[seconds] for seconds in both] for both in zip(*pairs, strict=True))
                collector = "paused" if paused else "on"
                share_row(f"  {name}, collector {collector}", recorded, lifted, "" if paused else "≤ 2×")


def exponent_rows(largest: int) -> None:
    """Lifting's cost ~ nodes^k."""
    print(f"lifting ~ nodes^k, 10³ to {largest:,} nodes")
    sizes = [10**k for k in range(3, len(str(largest)))]
    families: dict[str, Callable[[int], Case]] = {
        "moons, more and more samples": moons_of,
        "random graphs": random_case,
        "chains": chain_case,
    }
    for name, family in families.items():
        seconds, nodes = [], []
        for size in sizes:
            with contenders(partial(Lifting, partial(family, size))) as (lifting,):
                repeats = max(3, min(20, 100_000 // size))
                nodes.append(lifting.ask("nodes"))
                seconds.append(statistics.median(lifting.ask("seconds", False)[1] for _ in range(repeats)))
        relative = [t / n * nodes[0] / seconds[0] for t, n in zip(seconds, nodes, strict=True)]
        spread = f"{min(relative):.2f}–{max(relative):.2f}"
        fitted = f"k = {exponent(nodes, seconds):.2f}"
        row(f"  {name}", "", duration(seconds[-1]), fitted, spread, "linear")
    print("  (the largest graph's time; the range: cost a node beside that at 10³)")


def moons_of(nodes: int) -> Case:
    """As many samples as make so many nodes."""
    return moons_case(max(1, nodes // 650))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15, help="turns of each contender (default: 15)")
    parser.add_argument(
        "--largest", type=int, default=1_000_000, help="graph to lift, in nodes (default: 1,000,000)"
    )
    options = parser.parse_args(arguments)
    os.environ |= ONE_THREAD  # before NumPy is imported in the contenders' processes, which do all the work
    row("a step of", "peer", "lifted", "share", "range", "target")
    print("-" * 79)
    moons = [
        Peer("micrograd", MicrogradMoons, "micrograd"),
        Peer("CasADi", partial(Casadi, moons_case), "casadi"),
        Peer("PyTorch, eager, by hand", TorchMoons, "torch"),
        Peer("JAX, jitted, by hand", partial(JaxMoons, one_vector=False), "jax", "≤ 0.6×"),
        Peer("JAX, one parameter vector", partial(JaxMoons, one_vector=True), "jax", "≤ 0.6×"),
    ]
    step_rows("moons, micrograd's style", moons_case, moons, options.rounds)
    gpt = [
        Peer("NumPy, derived by hand", partial(gpt_by_hand, batch=False), target="≤ 1.25×"),
        Peer("the scalar engine", partial(Eager, gpt_case)),
        Peer("CasADi", partial(Casadi, gpt_case), "casadi"),
    ]
    step_rows("GPT, one name", gpt_case, gpt, options.rounds)
    batch = [Peer("NumPy, derived by hand", partial(gpt_by_hand, batch=True))]
    step_rows("GPT, 32 names, one recorded", gpt_batch_case, batch, options.rounds)
    by_hand = [Peer("NeuralNetwork", network_by_hand)]
    step_rows("64-128-10, 128 samples", network_case, by_hand, options.rounds)
    for title, case in (("random graph, 100,000 nodes", random_case), ("chain of 10,000", chain_case)):
        engines = [
            Peer("the scalar engine", partial(Eager, case)),
            Peer("its backward sweep alone", partial(Sweep, case)),
            Peer("CasADi", partial(Casadi, case), "casadi"),
        ]
        step_rows(title, case, engines, options.rounds)
    print()
    lifting_rows(options.rounds)
    exponent_rows(options.largest)


if __name__ == "__main__":
    main()
