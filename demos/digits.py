"""The main job: learn real digits, prove that the gradients agree, and draw what happened.

    python -m demos.digits --out out

Trains nn.NeuralNetwork on scikit-learn's 1,797 handwritten digits, carries its parameters into an nn.MLP of
Values, compares both networks' gradients with each other and with numerical differentiation, and writes the
computation graph of one output neuron, the loss curves, and digits with their predictions.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd import GradientReport, Value, check_gradients, dot, draw
from autograd.terminal import run
from demos.program import parsed
from nn import Engine, NeuralNetwork, ScalarEngine, compare_gradients, plot_losses, plot_predictions

Array = npt.NDArray[np.float64]

LAYERS = [64, 32, 10]
COMPARED = 32  # held-out digits whose gradients are compared
SAMPLED = 150  # parameters by which the loss is also differentiated numerically


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the digits: x (64, N) scaled to mean 0, y (10, N) one-hot, labels (N,), images (N, 8, 8)."""

    x: Array
    y: Array
    labels: npt.NDArray[np.intp]
    images: Array


def load(seed: int) -> tuple[Part, Part]:
    """The training and the held-out digits, three quarters and one; scaled by the training part alone."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    order = np.arange(len(digits.target))
    train, test = train_test_split(order, test_size=0.25, random_state=seed, stratify=digits.target)
    mean, spread = digits.data[train].mean(axis=0), digits.data[train].std()
    return (
        _part(digits, train, mean, spread),
        _part(digits, test, mean, spread),
    )


def _part(digits: Any, chosen: npt.NDArray[np.intp], mean: Array, spread: float) -> Part:
    labels = digits.target[chosen]
    return Part(
        x=((digits.data[chosen] - mean) / spread).T,
        y=np.eye(10)[:, labels],
        labels=labels,
        images=digits.images[chosen],
    )


def train(
    network: NeuralNetwork, part: Part, held_out: Part, epochs: int, seed: int, show: Any
) -> dict[str, list[float]]:
    """Train in place; the loss of each epoch on both parts."""
    curve: list[float] = []

    def after(epoch: int, loss: float) -> None:
        curve.append(network.loss_and_gradient(network.parameters, held_out.x, held_out.y)[0])
        show(epoch, loss, curve[-1])

    rng = np.random.default_rng(seed + 1)
    losses = network.train(
        part.x, part.y, learning_rate=0.1, epochs=epochs, batch_size=32, rng=rng, on_epoch=after
    )
    return {"training": losses, "held out": curve}


def progress(epochs: int, quiet: bool) -> tuple[Callable[[int, float, float], None], Callable[[], None]]:
    """How to show an epoch, and how to end: a bar on a terminal, plain lines where output is piped."""
    if quiet:
        return lambda epoch, loss, held_out: None, lambda: None
    if not sys.stdout.isatty():
        every = max(1, epochs // 10)

        def line(epoch: int, loss: float, held_out: float) -> None:
            if (epoch + 1) % every == 0 or epoch + 1 == epochs:
                print(
                    f"epoch {epoch + 1:>4} of {epochs}: loss {loss:.4f}, held out {held_out:.4f}", flush=True
                )

        return line, lambda: None
    from tqdm import tqdm

    bar = tqdm(total=epochs, unit="epoch", ncols=79, file=sys.stdout)

    def step(epoch: int, loss: float, held_out: float) -> None:
        bar.set_postfix_str(f"loss {loss:.4f}, held out {held_out:.4f}", refresh=False)
        bar.update()

    return step, bar.close


def compare(network: NeuralNetwork, part: Part, seed: int, say: Callable[..., None]) -> None:
    """Print that the vectorised gradient, the scalar one and the numerical one are the same."""
    x, y = part.x[:, :COMPARED], part.y[:, :COMPARED]
    say(f"\nGradients on {COMPARED} held-out digits\n")
    report = compare_gradients(network, x, y)
    say(report)
    report.assert_ok()

    engines: dict[str, Engine] = {
        "NeuralNetwork": network,
        "MLP of Values": ScalarEngine(network.to_mlp(), network.loss_name),
    }
    few = slice(0, 4)  # the scalar engine records its graph anew for each probe
    for name, engine in engines.items():
        say(f"\nThe same by numerical differentiation: {name}\n")
        report = check_numerically(engine, network.parameters, x[:, few], y[:, few], seed)
        say(report)
        report.assert_ok()


def check_numerically(engine: Engine, parameters: Array, x: Array, y: Array, seed: int) -> GradientReport:
    """Central differences of the engine's loss by a sample of its parameters."""

    def loss(parameters: Array) -> float:
        return engine.loss_and_gradient(parameters, x, y)[0]

    def gradient(parameters: Array) -> Array:
        return engine.loss_and_gradient(parameters, x, y)[1]

    rng = np.random.default_rng(seed + 2)
    return check_gradients(loss, parameters, gradient=gradient, sample=SAMPLED, rng=rng)


def neuron_graph(network: NeuralNetwork, part: Part, digit: int = 0) -> tuple[Value, int]:
    """The recorded graph of the winning output neuron for one digit, swept; and which neuron that is."""
    cache = network.forward(part.x[:, digit : digit + 1])
    winner = int(cache["a2"].argmax())
    hidden = [Value(a, label=f"h{i}") for i, a in enumerate(cache["a1"][:, 0].tolist())]
    weights = [Value(w, label=f"w{i}") for i, w in enumerate(network.weights[1][winner].tolist())]
    z = dot(weights, hidden, Value(float(network.biases[1][winner, 0]), label="b"))
    z.label = f"z of “{winner}”"
    z.backward()
    return z, winner


def main(argv: Sequence[str] | None = None) -> None:
    """Run the demonstration."""
    needed = {"sklearn": "scikit-learn", "matplotlib": "matplotlib", "tqdm": "tqdm"}
    options = parsed("digits", __doc__ or "", "epochs", 60, argv, needed)

    def say(*words: object) -> None:
        if not options.quiet:
            print(*words, flush=True)

    training, held_out = load(options.seed)
    network = NeuralNetwork(
        LAYERS, activation="relu", output="softmax", loss="cross_entropy", initialization="he",
        rng=np.random.default_rng(options.seed),
    )  # fmt: skip
    say(f"a network of {LAYERS} neurons; relu, softmax, cross-entropy")
    say(f"{training.x.shape[1]} digits to learn from, {held_out.x.shape[1]} held out")
    show, finish = progress(options.epochs, options.quiet)
    losses = train(network, training, held_out, options.epochs, options.seed, show)
    finish()

    probabilities = network.forward(held_out.x)["a2"]
    accuracy = float((probabilities.argmax(axis=0) == held_out.labels).mean())
    print(f"accuracy on the held-out digits: {accuracy:.2%}", flush=True)
    compare(network, held_out, options.seed, say)

    z, winner = neuron_graph(network, held_out)
    drawn = draw(z).save(options.out / "neuron.svg")
    plot_losses(losses, "Loss on the digits").savefig(options.out / "losses.png", dpi=120)
    figure = plot_predictions(held_out.images, probabilities, held_out.labels)
    figure.savefig(options.out / "predictions.png", dpi=120)
    graph, who = drawn.split(", drawn")
    print(f"\nwrote\n  {graph}: the output neuron for “{winner}”,\n    drawn{who}")
    print(f"  {options.out / 'losses.png'}\n  {options.out / 'predictions.png'}")


if __name__ == "__main__":
    run(main)
