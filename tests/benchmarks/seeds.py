"""How often training with default settings succeeds: XOR, moons, spiral and digits, from 20 seeds each.

    python -m tests.benchmarks.seeds

A seed draws the data, where they are drawn, their split and the weights. The networks differ by their layers
and, for more than two classes, by softmax and cross-entropy; all else is the default, of NeuralNetwork and of
`train`. Each row says when a training counts as a success; it is judged on samples not trained with, but for
XOR, which has only four.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nn import NeuralNetwork, accuracy, one_hot, stratified_split, toy_sets

Array = npt.NDArray[np.float64]
Part = tuple[Array, Array]
CLASSES: dict[str, Any] = {"output": "softmax", "loss": "cross_entropy"}


class Task(NamedTuple):
    """What to learn: samples to train and to judge with, the network's layers, and the accuracy to reach."""

    samples: Callable[[np.random.Generator], tuple[Part, Part]]
    layers: list[int]
    options: dict[str, Any]
    least: float


def _xor(rng: np.random.Generator) -> tuple[Part, Part]:
    x, labels = toy_sets.xor(rng=rng)
    part = x, labels[np.newaxis].astype(float)
    return part, part


def _moons(rng: np.random.Generator) -> tuple[Part, Part]:
    parts = [toy_sets.moons(200, rng=rng) for _ in range(2)]
    first, second = ((x, labels[np.newaxis].astype(float)) for x, labels in parts)
    return first, second


def _spiral(rng: np.random.Generator) -> tuple[Part, Part]:
    first, second = ((x, one_hot(labels)) for x, labels in (toy_sets.spiral(300, rng=rng) for _ in range(2)))
    return first, second


def _digits(rng: np.random.Generator) -> tuple[Part, Part]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    x, y = digits.data.T / 16, one_hot(digits.target)
    train, held_out = stratified_split(digits.target, 0.25, rng)
    return (x[:, train], y[:, train]), (x[:, held_out], y[:, held_out])


TASKS = {
    "XOR": Task(_xor, [2, 8, 1], {}, 1.0),
    "moons": Task(_moons, [2, 16, 1], {}, 0.97),
    "spiral": Task(_spiral, [2, 32, 3], CLASSES, 0.95),
    "digits": Task(_digits, [64, 32, 10], CLASSES, 0.95),
}


def reached(task: Task, seed: int) -> float:
    """The accuracy of one training."""
    rng = np.random.default_rng(seed)
    train, judge = task.samples(rng)
    network = NeuralNetwork(task.layers, **task.options, rng=rng)
    network.train(*train, rng=rng, progress=False)
    return accuracy(judge[1], network.forward(judge[0])[f"a{len(task.layers) - 1}"])


def main(argv: Sequence[str] | None = None) -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.seeds", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=f"of {', '.join(TASKS)} (default: all)")
    parser.add_argument("--seeds", type=int, default=20, help="how many (default: 20)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default: 0)")
    options = parser.parse_args(argv)
    unknown = set(options.tasks) - set(TASKS)
    if unknown:
        parser.error(f"expected tasks of {', '.join(TASKS)}; got {', '.join(sorted(unknown))}")
    print("task     layers         succeeds at  succeeded   lowest  median  seconds each")
    for name in options.tasks or TASKS:
        task, start = TASKS[name], time.perf_counter()
        seeds = range(options.first, options.first + options.seeds)
        found = np.array([reached(task, seed) for seed in seeds])
        seconds = (time.perf_counter() - start) / options.seeds
        count = f"{(found >= task.least).sum()} of {len(found)}"
        print(
            f"{name:<8} {'-'.join(map(str, task.layers)):<14} {task.least:>11.0%}  {count:<10} "
            f"{found.min():>7.1%} {np.median(found):>7.1%}  {seconds:>12.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
