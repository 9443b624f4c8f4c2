"""What a training shows while it goes on: the tutorial's lines, or a bar on a terminal.

Knows the callbacks. tqdm draws the bar where it is installed; output that is piped gets none.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from nn.callbacks import Callback, Epoch


def print_hundredth(epoch: Epoch) -> None:
    """Print the loss of every hundredth epoch, as the tutorial does.

    >>> print_hundredth(Epoch(100, 101, 0.25, {}))
    Epoch 100, Loss: 0.25
    """
    if epoch.epoch % 100 == 0:
        print(f"Epoch {epoch.epoch}, Loss: {epoch.loss}")


@contextmanager
def bar(epochs: int, done: int) -> Iterator[Callback]:
    """A progress bar over so many epochs on the terminal's standard error, `done` of them before."""
    if not sys.stderr.isatty():
        yield _nothing
    elif find_spec("tqdm") is None:
        yield _counter(epochs)
        print(file=sys.stderr)
    else:
        from tqdm import tqdm

        with tqdm(total=epochs, initial=done, unit="epoch", file=sys.stderr) as drawn:

            def show(epoch: Epoch) -> None:
                drawn.set_postfix_str(describe(epoch), refresh=False)
                drawn.update()

            yield show


def describe(epoch: Epoch) -> str:
    """The epoch's losses, shortly.

    >>> describe(Epoch(0, 1, 0.25, {"loss": 0.25, "validation_loss": 1 / 3}))
    'loss 0.25, validation 0.3333'
    """
    text = f"loss {epoch.loss:.4g}"
    if "validation_loss" in epoch.quantities:
        text += f", validation {epoch.quantities['validation_loss']:.4g}"
    return text


def _counter(epochs: int) -> Callback:
    def show(epoch: Epoch) -> None:
        print(
            f"\repoch {epoch.epoch + 1} of {epochs}: {describe(epoch)} ", end="", file=sys.stderr, flush=True
        )

    return show


def _nothing(epoch: Epoch) -> None:
    pass
