"""What an optimiser's step costs beside PyTorch's: ratios, measured side by side.

    python -m tests.benchmarks.optimizers

Ten steps are compared before anything is timed. One thread; the contenders take turns, and what is printed
is the ratio of the medians: below 1, ours is faster. PyTorch's step adds to the parameters, so ours is timed
with that addition. Without PyTorch there is nothing to compare with, and it says so.
"""

from __future__ import annotations

import statistics
import sys
import time
from importlib.util import find_spec
from typing import Any

import numpy as np

from nn.optimizers import SGD, Adagrad, Adam, AdamW, Momentum, Nesterov, Optimizer, RMSprop

RATE = 1e-3
SIZES = {337: 400, 10_000: 200, 670_000: 15}  # parameters: turns. 2-16-16-1; the target; 784-512-512-10
WAYS: dict[str, dict[str, bool]] = {"single tensor": {"foreach": False}, "fused": {"fused": True}}

PAIRS: list[tuple[Optimizer, str, dict[str, Any]]] = [  # ours, and PyTorch's by name and options
    (SGD(), "SGD", {}),
    (Momentum(), "SGD", {"momentum": 0.9}),
    (Nesterov(), "SGD", {"momentum": 0.9, "nesterov": True}),
    (RMSprop(), "RMSprop", {"alpha": 0.9}),
    (Adagrad(), "Adagrad", {}),
    (Adam(), "Adam", {}),
    (AdamW(), "AdamW", {}),
]


class Ours:
    """Our optimiser at work on parameters and a gradient of its own; each call is one step."""

    def __init__(self, optimizer: Optimizer, parameters: Any, gradient: Any) -> None:
        self.optimizer, self.parameters, self.gradient = optimizer, parameters.copy(), gradient
        self.state = optimizer.init(parameters)

    def __call__(self) -> None:
        self.state, step = self.optimizer(self.state, self.gradient, RATE, self.parameters)
        self.parameters += step


class Theirs:
    """PyTorch's."""

    def __init__(self, peer: str, options: dict[str, Any], parameters: Any, gradient: Any) -> None:
        import torch

        self.tensor = torch.nn.Parameter(torch.from_numpy(parameters.copy()))
        self.tensor.grad = torch.from_numpy(gradient)
        self.optimizer = getattr(torch.optim, peer)([self.tensor], lr=RATE, **options)

    def __call__(self) -> None:
        self.optimizer.step()

    @property
    def parameters(self) -> Any:
        return self.tensor.detach().numpy()


def contenders(
    optimizer: Optimizer, peer: str, options: dict[str, Any], size: int, dtype: Any
) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    parameters, gradient = (rng.standard_normal(size).astype(dtype) for _ in range(2))
    found: dict[str, Any] = {"ours": Ours(optimizer, parameters, gradient)}
    for name, way in WAYS.items():
        try:
            found[name] = Theirs(peer, options | way, parameters, gradient)
        except TypeError:  # this one has no such way
            continue
    return found


def medians(found: dict[str, Any], turns: int) -> dict[str, float]:
    """Seconds a step; each turn takes ten steps of everyone."""
    seconds: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(turns):
        for name, step in found.items():
            start = time.perf_counter()
            for _ in range(10):
                step()
            seconds[name].append((time.perf_counter() - start) / 10)
    return {name: statistics.median(times) for name, times in seconds.items()}


def main() -> None:
    if not find_spec("torch"):
        sys.exit("PyTorch, which this compares with, is not installed: make peers")
    import torch

    torch.set_num_threads(1)
    print(f"{'a step of':10} {'parameters':>10} {'':8} {'ours':>10}   of PyTorch's time: {', '.join(WAYS)}")
    for size, turns in SIZES.items():
        for dtype in (np.float64, np.float32):
            for optimizer, peer, options in PAIRS:
                found = contenders(optimizer, peer, options, size, dtype)
                for _ in range(10):
                    for step in found.values():
                        step()
                for contender in found.values():
                    np.testing.assert_allclose(
                        contender.parameters, found["ours"].parameters, atol=50 * np.finfo(dtype).eps
                    )
                time_of = medians(found, turns)
                ratios = [
                    f"{time_of['ours'] / time_of[way]:8.2f}" if way in time_of else f"{'-':>8}"
                    for way in WAYS
                ]
                print(
                    f"{type(optimizer).__name__:10} {size:10,} {np.dtype(dtype).name:8} "
                    f"{time_of['ours'] * 1e6:7.1f} µs   {' '.join(ratios)}"
                )


if __name__ == "__main__":
    main()
