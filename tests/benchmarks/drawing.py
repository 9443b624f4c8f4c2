"""What drawing costs: from a recorded graph to its SVG by the built-in layout, and to its layers.

    python -m tests.benchmarks.drawing

Medians of several runs on one core, each beside what is asked for: 1,000 nodes in 0.2 s, 5,000 in a second,
and the layers of micrograd's demo, 65,000 nodes, in two.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Sequence
from typing import Any

import autograd
from autograd import Value, draw
from tests.benchmarks.moons import autograd_demo

LIMITS = {1_000: 0.2, 5_000: 1.0}
LAYERS_LIMIT = 2.0


def chain(nodes: int) -> Value:
    """Each step uses one and the same weight."""
    weight, value = Value(0.5), Value(1.0)
    for _ in range(nodes - 2):
        value = value * weight
    return value


def tree(nodes: int) -> Value:
    """Sums of two, and sums of those."""
    values = [Value(1.0) for _ in range((nodes + 1) // 2)]
    while len(values) > 1:
        odd = values[len(values) // 2 * 2 :]
        values = [a + b for a, b in zip(values[::2], values[1::2])] + odd  # noqa: B905  # the odd one waits
    return values[0]


def tangle(nodes: int) -> Value:
    """Products and sums of any two of the last sixty."""
    rng = random.Random(0)
    values = [Value(rng.random()) for _ in range(10)]
    while len(values) < nodes - 1:
        a, b = rng.choice(values[-60:]), rng.choice(values[-60:])
        values.append(a * b if rng.random() < 0.5 else a + b)
    return autograd.sum(values[-60:])


def network(nodes: int) -> Value:
    """Samples of micrograd's demo, 644 nodes each, as many as come to so many."""
    demo = autograd_demo()
    samples = max(1, round((nodes - 337) / 644))
    scores = [demo.model(list(map(Value, point))) for point in demo.points[:samples]]
    return autograd.sum(scores)


def named_demo() -> Value:
    """The demo's loss on its hundred samples, its parameters named layer by layer."""
    demo = autograd_demo()
    for i, layer in enumerate(demo.model.layers):
        for j, neuron in enumerate(layer.neurons):
            for k, parameter in enumerate(neuron.parameters()):
                parameter.label = f"l{i}.n{j}.p{k}"
    loss: Value = demo.loss()
    loss.backward()
    return loss


def row(what: str, output: Value, limit: float, rounds: int, **options: Any) -> None:
    """The median of the seconds from graph to SVG."""
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        drawing = draw(output, engine="built-in", **options)
        drawing.svg()
        seconds.append(time.perf_counter() - start)
    picture = repr(drawing).removeprefix("Drawing: ").removesuffix(", drawn by the built-in layout")
    median = statistics.median(seconds)
    print(f"{what:<10} {picture:<48} {median * 1e3:8.1f} ms   asked for: {limit * 1e3:.0f} ms", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="runs of which the median is printed")
    rounds = parser.parse_args(arguments).rounds
    for nodes, limit in LIMITS.items():
        for make in (chain, tree, tangle, network):
            row(make.__name__, make(nodes), limit, rounds)
    loss = named_demo()
    for level in ("layers", "neurons"):
        row(level, loss, LAYERS_LIMIT, rounds, level=level)


if __name__ == "__main__":
    main()
