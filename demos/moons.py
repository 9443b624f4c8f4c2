"""Micrograd's classic: a network of scalars learns to tell two moons apart, and its steps run as matrices.

The loss of all 100 points is recorded once, by a plain loop over points, and lifted. The first steps are
taken both ways: by recording and sweeping each time anew, and by the program. With --html, a page shows the
boundary, the loss and the gradients at every step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from autograd import Value, compare_arrays, lift, pause_gc
from autograd.terminal import run
from demos.moons_page import Training, training_page
from demos.program import parsed
from nn import MLP, NeuralNetwork, plot_decision_boundary, toy_sets

Array = npt.NDArray[np.float64]
Step = Callable[[Array], tuple[float, Array]]  # loss and gradient at given parameters
Say = Callable[..., None]

SAMPLES = 100
BOTH_WAYS = 10  # steps


def moons_loss(model: MLP, points: Array, classes: Array) -> Value:
    """The mean of how far each score falls short of a margin of 1, and a little for large parameters.

    points (2, N); classes (N,) of 1 and -1, the signs that scores should have
    """
    scores = [model(point) for point in points.T.tolist()]
    shortfalls = [(1 - y * score).relu() for y, score in zip(classes.tolist(), scores, strict=True)]
    loss: Value = sum(shortfalls) / len(shortfalls) + 1e-4 * sum(p * p for p in model.parameters())
    return loss


def eager_step(record: Callable[[], Value], parameters: Sequence[Value], theta: Array) -> tuple[float, Array]:
    """Loss and gradient (P,) at theta (P,), by recording the loss and sweeping it."""
    for p, number in zip(parameters, theta.tolist(), strict=True):
        p.data, p.grad = number, 0.0
    with pause_gc():
        loss = record()
        loss.backward()
    return loss.data, np.array([p.grad for p in parameters])


def descend(
    step: Step, theta: Array, rates: Sequence[float], show: Callable[[int, float], None]
) -> tuple[Array, float]:
    """Parameters after a step of gradient descent at each rate, and the seconds that a step took."""
    seconds = 0.0
    for number, rate in enumerate(rates, start=1):
        start = time.perf_counter()
        loss, gradient = step(theta)
        theta = theta - rate * gradient
        seconds += time.perf_counter() - start
        show(number, loss)
    return theta, seconds / len(rates)


def compare(lifted: Step, eager: Step, theta: Array, rates: Sequence[float], say: Say) -> None:
    """Print by how much the gradients at theta differ, and what a step takes both ways.

    Raises GradientMismatch where they do not agree.
    """
    report = compare_arrays({"gradient": lifted(theta)[1]}, {"gradient": eager(theta)[1]})
    report.assert_ok()
    _, eager_seconds = descend(eager, theta, rates, lambda *_: None)
    _, seconds = descend(lifted, theta, rates, lambda *_: None)
    say(f"\nthe first {len(rates)} steps, both ways")
    say(f"  scalar engine     {1e6 * eager_seconds:9.0f} µs a step")
    say(f"  lifted program    {1e6 * seconds:9.0f} µs a step")
    say(f"  ratio             {eager_seconds / seconds:9.0f}")
    say(f"  largest difference of the gradients: {report.worst.relative:.1e} of the largest entry\n")


def main(argv: Sequence[str] | None = None) -> None:
    """Run the demonstration."""
    flags = {"html": "write a page with every step of the training, too"}
    options = parsed("moons", __doc__ or "", "steps", 200, argv, {"matplotlib": "matplotlib"}, flags)

    def say(*words: object) -> None:
        if not options.quiet:
            print(*words, flush=True)

    def show(step: int, loss: float) -> None:
        if step % max(1, options.steps // 10) == 0:
            say(f"step {step:>5}  loss {loss:.4f}")

    rng = np.random.default_rng(options.seed)
    points, labels = toy_sets.moons(SAMPLES, rng=rng)
    classes = np.where(labels == 0, 1.0, -1.0)
    model = MLP(2, [16, 16, 1], initialization="he", rng=rng)
    say(f"{SAMPLES} points, and\n{model}")
    rates = [1.0 - 0.9 * step / options.steps for step in range(options.steps)]
    record = partial(moons_loss, model, points, classes)
    program = lift(record())
    start = np.array([p.data for p in program.parameters])
    by_recording = partial(eager_step, record, program.parameters)
    compare(program.value_and_gradient, by_recording, start, rates[:BOTH_WAYS], say)

    training = Training(program.value_and_gradient)
    theta, _ = descend(training, start, rates, show)

    def scores_at(theta: Array, x: Array) -> Array:
        """The scores (M,) of points (2, M), as many as there are at once."""
        for p, number in zip(program.parameters, theta.tolist(), strict=True):
            p.data = number
        found: Array = NeuralNetwork.from_mlp(model).forward(x)["a3"][0]
        return found

    accuracy = float(((scores_at(theta, points) > 0) == (classes > 0)).mean())
    print(f"points on the right side of the boundary: {accuracy:.0%}", flush=True)
    figure = plot_decision_boundary(
        partial(scores_at, theta), points, classes, "Two moons, and where the network parts them"
    )
    figure.savefig(options.out / "moons.png", dpi=120)
    print(f"\nwrote\n  {options.out / 'moons.png'}")
    if options.html:
        training(theta)  # what the last step has led to
        owners = {p: k for k, layer in enumerate(model.layers) for p in layer.parameters()}
        layer_of = np.array([owners[p] for p in program.parameters])
        layers = [layer_of == k for k in range(len(model.layers))]
        page = training_page(training, scores_at, points, classes, layers)
        (options.out / "moons.html").write_text(page, encoding="utf-8")
        print(f"  {options.out / 'moons.html'}")


if __name__ == "__main__":
    run(main)
