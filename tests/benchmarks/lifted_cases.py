"""The losses that the lifted benchmark records, written with scalars as users write them."""

from __future__ import annotations

import operator
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd import Value, softmax_cross_entropy
from demos import scalar_gpt
from demos.gpt_model import initial_weights, leaves, name_loss
from demos.python_names import python_names, tokens_of
from nn import NeuralNetwork
from tests.benchmarks.moons import Demo, moons

Array = npt.NDArray[np.float64]

NAME = "format"  # seven positions, as a typical name


@dataclass(frozen=True)
class Case:
    """A loss that can be recorded any number of times.

    leaves  by which it is differentiated
    record  records it
    inputs  leaves that vary per sample; batch (len(inputs), N) their data, one column a sample
    """

    leaves: Sequence[Value]
    record: Callable[[], Value]
    inputs: Sequence[Value] = ()
    batch: Array | None = None


def moons_case(samples: int = 100) -> Case:
    """Micrograd's demo, in micrograd's style, as the eager benchmark has it."""
    demo = Demo(Value)
    demo.points, demo.classes = moons(samples, random.Random(0))
    return Case(demo.model.parameters(), demo.loss)


def gpt_case() -> Case:
    """One name through the GPT, its letters looked up: not every weight is used."""
    weights, tokens = initial_weights(random.Random(0)), tokens_of(NAME)
    positions = len(tokens) - 1
    return Case(leaves(weights), partial(name_loss, weights, tokens, [1 / positions] * positions))


def gpt_names() -> list[str]:
    """As many names as the demo's batch has."""
    return random.Random(1).sample(python_names(), scalar_gpt.BATCH)


def gpt_batch_case() -> Case:
    """A batch of names as one-hot inputs, padded: what the demo trains on."""
    weights = initial_weights(random.Random(0))
    loss, inputs = scalar_gpt.record_padded(weights)
    return Case(leaves(weights), lambda: loss, inputs, scalar_gpt.columns(gpt_names()))


def network() -> tuple[NeuralNetwork, Array, Array]:
    """A 64-128-10 network for classes, and 128 samples."""
    rng = np.random.default_rng(0)
    made = NeuralNetwork([64, 128, 10], activation="relu", output="softmax", loss="cross_entropy", rng=rng)
    return made, rng.normal(size=(64, 128)), np.eye(10)[:, rng.integers(10, size=128)]


def network_case() -> Case:
    """The same network as an MLP of Values: one sample is recorded, and 128 are run."""
    made, x, y = network()
    model = made.to_mlp()
    inputs, targets = [Value(0.0) for _ in x], [Value(0.0) for _ in y]
    return Case(
        model.parameters(),
        lambda: softmax_cross_entropy(model.logits(inputs), targets),
        [*inputs, *targets],
        np.vstack([x, y]),
    )


def random_case(nodes: int = 100_000) -> Case:
    """Operations on operands drawn from all that is there, with a thousandth of leaves, and no structure.

    Results that no one used are added up in the end; squashing functions keep numbers from growing.
    """
    operations: list[Callable[[Any, Any], Any]] = [
        operator.add, operator.sub, operator.mul,
        lambda a, b: a.tanh(), lambda a, b: a.sin(), lambda a, b: a.sigmoid(),
    ]  # fmt: skip
    rng = random.Random(0)
    found = [Value(rng.gauss(0, 1)) for _ in range(max(10, nodes // 1000))]
    plan = [  # two in seven nodes add up what is left
        (rng.choice(operations), rng.randrange(known), rng.randrange(known))
        for known in range(len(found), nodes * 5 // 7)
    ]

    def record() -> Value:
        values, unused = list(found), dict.fromkeys(found)
        for operation, first, second in plan:
            y = operation(values[first], values[second])
            for operand in y.parents:
                unused.pop(operand, None)
            values.append(y)
            unused[y] = None
        total: Value = sum(unused)
        return total

    return Case(found, record)


def chain_case(nodes: int = 10_000) -> Case:
    """Operations each on the last one's result, so that no two can be one array operation."""
    w = Value(0.5)

    def record() -> Value:
        y = w
        for _ in range(nodes // 2):
            y = (y * w).tanh()
        return y

    return Case([w], record)
