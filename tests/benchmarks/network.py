"""What the hand-derived network costs beside PyTorch, JAX and its own matrix products: ratios, side by side.

    python -m tests.benchmarks.network

Losses and parameters are compared before anything is timed. Each contender lives in a process of its own,
with one thread; they take turns, and what is printed is the ratio of the medians, with the smallest and
largest ratio of one turn beside it. A step is the loss, its gradient, and a step of gradient descent, on
arrays that are not checked again: what a training does again and again. JAX has threads that no flag takes
from it; "on a core" it is pinned to one, where a small step is quicker.
"""

from __future__ import annotations

import argparse
import os
import random
import tracemalloc
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import numpy as np

from tests.benchmarks.moons import SAMPLES, SIZES, moons
from tests.benchmarks.turns import Contender, assert_close, contenders, ratio_row, row

RATE, PENALTY = 0.01, 2e-4
LARGE = [([784, 512, 512, 10], 256), ([784, 1024, 1024, 10], 512)]


Network = tuple[Sequence[int], int, str, float]  # sizes, samples, dtype, L2 penalty


def problem(
    sizes: Sequence[int], samples: int, dtype: str
) -> tuple[Any, Any, list[Any], list[Any]]:
    """Inputs, targets, weights and biases: the moons for the small network, random digits for a large one."""
    rng = np.random.default_rng(0)
    if sizes == SIZES:
        points, classes = moons(samples, random.Random(0))
        x, y = np.array(points).T, np.array([classes], dtype=float)
    else:
        x, y = rng.standard_normal((sizes[0], samples)), np.eye(sizes[-1])[:, rng.integers(0, 10, samples)]
    weights = [rng.standard_normal((out, n)) * np.sqrt(2 / n) for n, out in pairwise(sizes)]
    biases = [0.1 * rng.standard_normal((out, 1)) for out in sizes[1:]]
    x, y, *arrays = (np.ascontiguousarray(array, dtype) for array in (x, y, *weights, *biases))
    return x, y, arrays[: len(weights)], arrays[len(weights) :]


class Ours:
    """The network: relu; hinge loss of one output, or cross-entropy of several classes."""

    def __init__(self, sizes: Sequence[int], samples: int, dtype: str, l2: float) -> None:
        from nn import NeuralNetwork
        from nn.network_training import own_engine

        self.x, self.y, weights, biases = problem(sizes, samples, dtype)
        output, loss = ("linear", "hinge") if sizes[-1] == 1 else ("softmax", "cross_entropy")
        self.network = NeuralNetwork(sizes, "relu", output=output, loss=loss, l2=l2, dtype=dtype)
        self.network.weights, self.network.biases = weights, biases
        self.engine = own_engine(self.network, np.random.default_rng(0))

    def step(self) -> float:
        theta = self.network.parameters
        loss, gradient = self.engine(theta, self.x, self.y)
        gradient *= RATE
        theta -= gradient
        return loss

    def parameters(self) -> list[float]:
        return [v for array in (*self.network.weights, *self.network.biases) for v in array.ravel().tolist()]


class Torch:
    """The same by a person who knows PyTorch: rows are samples, parameters are updated in place."""

    def __init__(self, sizes: Sequence[int], samples: int, dtype: str, l2: float) -> None:
        import torch

        torch.set_num_threads(1)
        self.torch, self.l2 = torch, l2
        x, y, weights, biases = problem(sizes, samples, dtype)
        self.x, self.y = torch.tensor(x.T.copy()), torch.tensor(y.T.copy())
        self.labels = self.y.argmax(dim=1)
        self.weights = [torch.tensor(W, requires_grad=True) for W in weights]
        self.biases = [torch.tensor(b[:, 0], requires_grad=True) for b in biases]

    def step(self) -> float:
        torch = self.torch
        functional = torch.nn.functional
        z = self.x
        for W, b in zip(self.weights, self.biases, strict=True):
            z = functional.linear(z if W is self.weights[0] else torch.relu(z), W, b)
        if z.shape[1] == 1:
            loss = torch.relu(1 - self.y * z).mean()
        else:
            loss = functional.cross_entropy(z, self.labels)
        if self.l2:
            loss = loss + self.l2 / 2 * sum((W * W).sum() for W in self.weights)
        loss.backward()
        with torch.no_grad():
            for leaf in (*self.weights, *self.biases):
                leaf.sub_(leaf.grad, alpha=RATE)
                leaf.grad = None
        return loss.item()

    def parameters(self) -> list[float]:
        return [v for leaf in (*self.weights, *self.biases) for v in leaf.detach().ravel().tolist()]


class Jax:
    """The same in one function, step and all, compiled by JAX."""

    def __init__(self, sizes: Sequence[int], samples: int, dtype: str, l2: float) -> None:
        import jax

        jax.config.update("jax_enable_x64", dtype == "float64")
        x, y, weights, biases = problem(sizes, samples, dtype)
        np_, self.x, self.y = jax.numpy, jax.numpy.asarray(x), jax.numpy.asarray(y)
        self.leaves = [jax.numpy.asarray(array) for array in (*weights, *biases)]
        self.block = jax.block_until_ready

        def loss(leaves: list[Any], x: Any, y: Any) -> Any:
            z, half = x, len(leaves) // 2
            for layer in range(half):
                z = leaves[layer] @ (np_.maximum(z, 0) if layer else z) + leaves[half + layer]
            penalty = l2 / 2 * sum((W * W).sum() for W in leaves[:half]) if l2 else 0.0
            if y.shape[0] == 1:
                return np_.maximum(1 - y * z, 0).mean() + penalty
            return -(y * jax.nn.log_softmax(z, axis=0)).sum(axis=0).mean() + penalty

        def step(leaves: list[Any], x: Any, y: Any) -> tuple[Any, list[Any]]:
            value, slopes = jax.value_and_grad(loss)(leaves, x, y)
            return value, [leaf - RATE * slope for leaf, slope in zip(leaves, slopes, strict=True)]

        self.compiled = jax.jit(step)

    def step(self) -> float:
        loss, self.leaves = self.block(self.compiled(self.leaves, self.x, self.y))
        return float(loss)

    def parameters(self) -> list[float]:
        return [v for leaf in self.leaves for v in np.asarray(leaf).ravel().tolist()]


class PinnedJax(Jax):
    """The same on one processor core."""

    def __init__(self, *network: Any) -> None:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        super().__init__(*network)


class Products:
    """Nothing but a step's matrix products, into arrays made before: z = W a, dW = dz aᵀ, da = Wᵀ dz."""

    def __init__(self, sizes: Sequence[int], samples: int, dtype: str, l2: float) -> None:
        x, _, self.weights, _ = problem(sizes, samples, dtype)
        rng = np.random.default_rng(1)
        self.a = [x, *(rng.standard_normal((width, samples)).astype(dtype) for width in sizes[1:])]
        self.out = [np.empty_like(a) for a in self.a]
        self.slopes = [np.empty_like(W) for W in self.weights]

    def step(self) -> None:
        layers = list(enumerate(self.weights))
        for layer, W in layers:
            np.matmul(W, self.a[layer], out=self.out[layer + 1])
        for layer, W in reversed(layers):
            np.matmul(self.a[layer + 1], self.a[layer].T, out=self.slopes[layer])
            if layer:
                np.matmul(W.T, self.a[layer + 1], out=self.out[layer])


PEERS = {"PyTorch": (Torch, "≥ 4×"), "JAX jitted": (Jax, "≥ 1.5×"), "JAX on a core": (PinnedJax, "≥ 1.5×")}
UNASKED = {name: (make, "") for name, (make, _) in PEERS.items()}  # for the record


# ---- digits, a whole training

HIDDEN, EPOCHS, BATCH, ADAM_RATE = 128, 50, 64, 1e-3


class Digits:
    """Scikit-learn's digits, of which every fifth is held out; the inputs are in [0, 1]."""

    def __init__(self, dtype: str) -> None:
        from sklearn.datasets import load_digits

        x, labels = load_digits(return_X_y=True)
        self.dtype, held_out = dtype, np.arange(len(x)) % 5 == 0
        self.x, self.x_out = (np.ascontiguousarray(x[part] / 16, dtype) for part in (~held_out, held_out))
        self.y, self.y_out = labels[~held_out], labels[held_out]
        self.seed = 0

    def fit(self) -> float:
        """Train from new weights; the accuracy on what was held out."""
        self.seed += 1
        return float((self.predicted() == self.y_out).mean())

    def predicted(self) -> Any:
        raise NotImplementedError


class OurDigits(Digits):
    def predicted(self) -> Any:
        from nn import NeuralNetwork

        rng = np.random.default_rng(self.seed)
        network = NeuralNetwork(
            [64, HIDDEN, 10], "relu", output="softmax", loss="cross_entropy", dtype=self.dtype, rng=rng
        )
        network.train(
            self.x.T, self.y, ADAM_RATE, EPOCHS, batch_size=BATCH, optimizer="adam", progress=False, rng=rng
        )
        return network.forward(self.x_out.T)["a2"].argmax(axis=0)


class SklearnDigits(Digits):
    def predicted(self) -> Any:
        import warnings

        from sklearn.neural_network import MLPClassifier

        model = MLPClassifier(
            (HIDDEN,), alpha=0, batch_size=BATCH, learning_rate_init=ADAM_RATE, max_iter=EPOCHS, tol=0,
            n_iter_no_change=EPOCHS, random_state=self.seed,
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it may not have converged
            return model.fit(self.x, self.y).predict(self.x_out)


class TorchDigits(Digits):
    def predicted(self) -> Any:
        import torch

        torch.set_num_threads(1)
        torch.manual_seed(self.seed)
        layers = torch.nn.Linear(64, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, 10)
        x, y = torch.from_numpy(self.x), torch.from_numpy(self.y)
        model = torch.nn.Sequential(*layers).to(x.dtype)
        optimizer = torch.optim.Adam(model.parameters(), lr=ADAM_RATE)
        cross_entropy = torch.nn.CrossEntropyLoss()
        for _ in range(EPOCHS):
            for batch in torch.randperm(len(x)).split(BATCH):
                optimizer.zero_grad()
                cross_entropy(model(x[batch]), y[batch]).backward()
                optimizer.step()
        return model(torch.from_numpy(self.x_out)).argmax(dim=1).numpy()


DIGITS = {"scikit-learn": ("sklearn", SklearnDigits, "≥ 3×"), "PyTorch": ("torch", TorchDigits, "≥ 4×")}


def digits_rows(dtype: str, rounds: int) -> None:
    """Trainings to equal accuracy: the means over three seeds are within 1.5 percent points."""
    peers = {name: peer for name, peer in DIGITS.items() if find_spec(peer[0])}
    makes = [partial(make, dtype) for make in (OurDigits, *(make for _, make, _ in peers.values()))]
    with contenders(*makes) as (ours, *theirs):
        accuracies = [float(np.mean([who.ask("fit") for _ in range(3)])) for who in (ours, *theirs)]
        for name, accuracy in zip(peers, accuracies[1:], strict=True):
            assert abs(accuracy - accuracies[0]) < 0.015, f"{name}: {accuracy} beside {accuracies[0]}"
        times = turns([ours, *theirs], rounds, steps=1, method="fit")
    for (name, (_, _, target)), seconds in zip(peers.items(), times[1:], strict=True):
        ratio_row(f"{name} / digits, {dtype}", seconds, times[0], target)
    named = ", ".join(f"{a:.1%} {who}" for who, a in zip(("ours", *peers), accuracies, strict=True))
    print(f"    (accuracy: {named}; ours in {1000 * float(np.median(times[0])):.0f} ms)")


MODULES = {"PyTorch": "torch", "JAX jitted": "jax", "JAX on a core": "jax"}


def assert_agreement(ours: Contender, peer: Contender, dtype: str) -> None:
    """The same losses for three steps, and the same parameters after them."""
    tolerance = 1e-11 if dtype == "float64" else 1e-4
    losses = [[contender.ask("step") for _ in range(3)] for contender in (ours, peer)]
    assert_close("losses", *losses, tolerance)
    assert_close("parameters", ours.ask("parameters"), peer.ask("parameters"), tolerance)


def named(network: Network) -> str:
    sizes, _, dtype, l2 = network
    return f"{'-'.join(map(str, sizes))}{' L2' if l2 else ''}, {dtype}"


def peer_rows(network: Network, peers: dict[str, tuple[Any, str]], rounds: int) -> None:
    """One network beside each peer, whose results are compared with its own."""
    names = [name for name in peers if find_spec(MODULES[name])]
    makes = [partial(make, *network) for make in (Ours, *(peers[name][0] for name in names))]
    small = network[0] == SIZES
    with contenders(*makes) as (ours, *theirs):
        for peer in theirs:
            with contenders(makes[0]) as (fresh,):
                assert_agreement(fresh, peer, network[2])
        times = turns([ours, *theirs], rounds, steps=50 if small else 3)
        for name, seconds in zip(names, times[1:], strict=True):
            ratio_row(f"{name} / {named(network)}", seconds, times[0], peers[name][1])
        if small:
            row("    µs a step of ours", f"{1e6 * float(np.median(times[0])):.0f}")


def turns(
    who: list[Contender], rounds: int, steps: int, method: str = "step"
) -> list[list[list[float]]]:
    """Each one's times, turn by turn."""
    found: list[list[list[float]]] = [[] for _ in who]
    for _ in range(rounds + 1):
        for contender, times in zip(who, found, strict=True):
            times.append(contender.time(method, steps))
    return [times[1:] for times in found]  # the first warms up


def product_row(network: Network, rounds: int) -> None:
    """A large network beside its matrix products."""
    with contenders(partial(Ours, *network), partial(Products, *network)) as pair:
        mine, theirs = turns(pair, rounds, steps=3)
    ratios = [float(np.median(a) / np.median(b)) for a, b in zip(mine, theirs, strict=True)]
    whole = float(np.median(mine) / np.median(theirs))
    row(named(network), f"{whole:.2f}×", f"{min(ratios):.2f}–{max(ratios):.2f}", "≤ 1.10×")


def memory_row(network: Network) -> None:
    """The peak of a training by Adam, beside what it cannot do without."""
    from nn import Adam
    from nn.network_training import own_engine

    sizes, samples, *_ = network
    ours, optimizer = Ours(*network), Adam()
    theta, x, y = ours.network.parameters, ours.x, ours.y
    tracemalloc.start()
    engine = own_engine(ours.network, np.random.default_rng(0))
    state = optimizer.init(theta)
    for _ in range(3):
        _, gradient = engine(theta, x, y)
        state, step = optimizer(state, gradient, RATE)
        theta += step
    peak = theta.nbytes + tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    needed = 4 * theta.nbytes + x.itemsize * samples * sum(sizes)
    row(named(network), f"{peak / needed:.2f}×", f"{peak / 1e6:.0f} MB", "≤ 2×")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15, help="turns of each contender (default: 15)")
    options = parser.parse_args(arguments)
    os.environ |= {
        "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"
    }  # fmt: skip
    for name, module in MODULES.items():
        if not find_spec(module):
            print(f"{module} is not installed: the row of {name} is left out (make peers)")
    dtypes = ("float64", "float32")
    row("a step: how many times faster", "ratio", "range", "target")
    print("-" * 79)
    for dtype in dtypes:
        peer_rows((SIZES, SAMPLES, dtype, PENALTY), PEERS, options.rounds)
    for dtype in dtypes:
        peer_rows((SIZES, SAMPLES, dtype, 0.0), UNASKED, options.rounds)
    print("    (micrograd's moons, 100 samples: relu, hinge loss; with the demo's penalty and without)")
    print()
    row("a step beside its matrix products", "ratio", "range", "target")
    print("-" * 79)
    for sizes, samples in LARGE:
        for dtype in dtypes:
            product_row((sizes, samples, dtype, 0.0), options.rounds)
    for dtype in dtypes:
        peer_rows((*LARGE[0], dtype, 0.0), UNASKED, options.rounds)
    print("    (relu, cross-entropy; 256 samples; 512 where the layers have 1024)")
    print()
    row("50 epochs of Adam, 64-128-10, batches of 64", "ratio", "range", "target")
    print("-" * 79)
    if find_spec("sklearn"):  # whose digits they are
        for dtype in dtypes:
            digits_rows(dtype, max(3, options.rounds // 2))
    else:
        print("scikit-learn is not installed: left out (make peers)")
    print()
    row("peak memory of training by Adam", "ratio", "peak", "target")
    print("-" * 79)
    for dtype in dtypes:
        memory_row((*LARGE[0], dtype, 0.0))
    print("    (beside parameters, gradient, Adam's two moments and activations, inputs among them)")


if __name__ == "__main__":
    main()
