"""A GPT written one scalar at a time learns the names that Python knows, as a program of matrix products.

The model is in `demos.gpt_model`: plain Python on numbers. One name is recorded, with one-hot inputs for its
letters and a share of 0 in the loss where there is only padding, and lifted; the program then runs batches of
names. The first step is taken both ways: by the scalar engine, name by name, and by the program.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from autograd import Program, Value, compare_arrays, lift, pause_gc, softmax
from autograd.terminal import run
from demos.gpt_model import (
    CONTEXT,
    VOCABULARY,
    Memory,
    Weights,
    as_floats,
    initial_weights,
    leaves,
    name_loss,
    next_logits,
)
from demos.program import parsed
from demos.python_names import ALPHABET, BOUNDARY, python_names, tokens_of
from nn import Adam, plot_losses
from nn.schedules import cosine

Array = npt.NDArray[np.float64]
LossAndGradient = Callable[[Array, Array], tuple[float, Array]]

BATCH = 32
HELD_OUT = 256
REPORTS = 20
TEMPERATURE = 0.5  # below 1, the likelier letters are taken more often than the model believes
EIGHTHS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")


# ---- the program


def record_padded(weights: Weights) -> tuple[Value, list[Value]]:
    """The loss of one name as long as can be, and its inputs in the order of a column of `columns`."""
    tokens = [[Value(0.0, f"token{t}.{v}") for v in range(VOCABULARY)] for t in range(CONTEXT + 1)]
    shares = [Value(0.0, f"share{t}") for t in range(CONTEXT)]
    return name_loss(weights, tokens, shares), [leaf for row in [*tokens, shares] for leaf in row]


def columns(names: Sequence[str]) -> Array:
    """A column for each name: its tokens as one-hot rows, one after the other, then its shares.

    The rest of a name's tokens are boundaries, and their share is 0.
    """
    one_hot = np.eye(VOCABULARY)
    batch = np.zeros(((CONTEXT + 1) * VOCABULARY + CONTEXT, len(names)))
    for column, name in zip(batch.T, names, strict=True):
        tokens, positions = tokens_of(name), len(name) + 1
        tokens += [BOUNDARY] * (CONTEXT + 1 - len(tokens))
        column[:-CONTEXT] = one_hot[tokens].ravel()
        column[-CONTEXT:][:positions] = 1 / positions
    return batch


# ---- the same step by the scalar engine


def scalar_step(weights: Weights, names: Sequence[str]) -> float:
    """The mean loss; its gradient is left on the weights. Each name's graph is swept as it is recorded."""
    total = 0.0
    with pause_gc():
        for name in names:
            tokens, positions = tokens_of(name), len(name) + 1
            loss = name_loss(weights, tokens, [1 / positions] * positions)
            loss.backward(1 / len(names))
            total += loss.data
    return total / len(names)


def compare(program: Program, weights: Weights, names: Sequence[str], say: Callable[..., None]) -> None:
    """Print what a step takes both ways, and how the gradients compare, matrix by matrix.

    Raises GradientMismatch where they do not agree.
    """
    start = time.perf_counter()
    scalar_loss = scalar_step(weights, names)
    scalar_seconds = time.perf_counter() - start

    theta, batch = np.array([leaf.data for leaf in program.parameters]), columns(names)
    times = []
    for _ in range(10):
        start = time.perf_counter()
        loss, gradient = program.value_and_gradient(theta, batch)
        times.append(time.perf_counter() - start)
    seconds = sorted(times)[len(times) // 2]

    found = dict(zip(program.parameters, gradient, strict=True))
    report = compare_arrays(
        {name: [[found[w] for w in row] for row in matrix] for name, matrix in weights.items()},
        {name: [[w.grad for w in row] for row in matrix] for name, matrix in weights.items()},
        sides=("lifted program", "scalar engine"),
    )
    say(f"\none step on {len(names)} names, loss and gradient")
    say(f"  scalar engine     {1e3 * scalar_seconds:9.2f} ms   loss {scalar_loss:.12f}")
    say(f"  lifted program    {1e3 * seconds:9.2f} ms   loss {loss:.12f}")
    say(f"  ratio             {scalar_seconds / seconds:9.0f}")
    say(f"\n{report}\n")
    report.assert_ok()


# ---- training


def train(
    loss_and_gradient: LossAndGradient,
    theta: Array,
    data: Array,
    held_out: Array,
    steps: int,
    rng: np.random.Generator,
    show: Callable[[int, float, float], None],
) -> tuple[Array, dict[str, list[float]]]:
    """Parameters after so many steps of Adam, and the curves: mean losses between reports, and held out."""
    adam, rate = Adam(beta2=0.99), cosine(0.01, steps)
    state = adam.init(theta)
    curves: dict[str, list[float]] = {"training": [], "held out": []}
    losses: list[float] = []
    for step in range(1, steps + 1):
        chosen = rng.integers(data.shape[1], size=BATCH)
        loss, gradient = loss_and_gradient(theta, data[:, chosen])
        losses.append(loss)
        state, change = adam(state, gradient, rate(step - 1))
        theta = theta + change
        if step % max(1, steps // REPORTS) == 0 or step == steps:
            curves["training"].append(sum(losses) / len(losses))
            curves["held out"].append(loss_and_gradient(theta, held_out)[0])
            show(step, curves["training"][-1], curves["held out"][-1])
            losses.clear()
    return theta, curves


def bar(loss: float, width: int = 30) -> str:
    """A bar of the loss, whose full width is that of guessing among all tokens."""
    eighths = round(min(loss / math.log(VOCABULARY), 1) * width * 8)
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8]


# ---- names of its own


def sample(weights: Weights, rng: random.Random) -> str:
    """A name that the model makes up, letter by letter; the weights are floats, and nothing is recorded."""
    memory: Memory = []
    token, letters = BOUNDARY, ""
    for position in range(CONTEXT):
        logits = next_logits(weights, token, position, memory)
        (token,) = rng.choices(range(VOCABULARY), softmax([z / TEMPERATURE for z in logits]))
        if token == BOUNDARY:
            break
        letters += ALPHABET[token - 1]
    return letters


def main(argv: Sequence[str] | None = None) -> None:
    """Run the demonstration."""
    options = parsed("scalar_gpt", __doc__ or "", "steps", 2000, argv, {"matplotlib": "matplotlib"})

    def say(*words: object) -> None:
        if not options.quiet:
            print(*words, flush=True)

    rng = random.Random(options.seed)
    names = python_names()
    shuffled = rng.sample(names, len(names))
    learnt, held_out = shuffled[HELD_OUT:], shuffled[:HELD_OUT]
    weights = initial_weights(rng)
    say(f"{len(learnt)} names that Python knows to learn from, {len(held_out)} held out")
    say(f"a GPT of {len(leaves(weights))} weights, one scalar at a time")

    program = lift(*record_padded(weights))
    compare(program, weights, learnt[:BATCH], say)

    theta, curves = train(
        program.value_and_gradient,
        np.array([leaf.data for leaf in program.parameters]),
        columns(learnt),
        columns(held_out),
        options.steps,
        np.random.default_rng(options.seed),
        lambda step, loss, other: say(f"step {step:>5}  loss {loss:.3f}  held out {other:.3f}  {bar(other)}"),
    )
    print(f"loss on the names held out: {curves['held out'][-1]:.4f}", flush=True)
    for leaf, number in zip(program.parameters, theta.tolist(), strict=True):
        leaf.data = number

    numbers = as_floats(weights)
    made_up = [sample(numbers, rng) for _ in range(20)]
    say("\nnames it makes up (in brackets: Python knows them)")
    shown = [f"({name})" if name in names else name for name in made_up]
    for start in range(0, len(shown), 4):
        say("  " + "".join(f"{name:<18}" for name in shown[start : start + 4]).rstrip())

    figure = plot_losses(curves, "Loss on Python's names")
    figure.axes[0].set_xlabel(f"× {max(1, options.steps // REPORTS)} steps")
    figure.savefig(options.out / "gpt_losses.png", dpi=120)
    print(f"\nwrote\n  {options.out / 'gpt_losses.png'}")


if __name__ == "__main__":
    run(main)
