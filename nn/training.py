"""Gradient descent: minibatches, and the loop over epochs.

Knows a network only by its engine's signature, loss_and_gradient(parameters, x, y) -> (float, (P,)),
with all parameters in one flat vector and one sample a column: the loop trains any engine.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Engine = Callable[[Array, Array, Array], tuple[float, Array]]
Update = Callable[[Array, Array], Array]


def minibatches(
    x: Array, y: Array, batch_size: int | None, rng: np.random.Generator
) -> Iterator[tuple[Array, Array]]:
    """One epoch: every sample once, in a new order, batch_size at a time; None gives x and y whole.

    x is (features, N) and y (targets, N); the last batch may be smaller. Quickest where a sample's
    numbers are adjacent in memory, as in np.asfortranarray(x).

    >>> x = np.array([[1.0, 2.0, 3.0]])
    >>> epoch = minibatches(x, 10 * x, 2, np.random.default_rng(0))
    >>> [(x_batch.shape, bool((y_batch == 10 * x_batch).all())) for x_batch, y_batch in epoch]
    [((1, 2), True), ((1, 1), True)]
    """
    if batch_size is None:
        yield x, y
        return
    order = rng.permutation(x.shape[1])
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        yield x.T[batch].T, y.T[batch].T


def train(
    engine: Engine,
    update: Update,
    parameters: Array,
    x: Array,
    y: Array,
    *,
    epochs: int,
    batch_size: int | None,
    rng: np.random.Generator,
    on_epoch: Callable[[int, float], object] | None,
    locate: Callable[[Array, Array], int],
) -> list[float]:
    """Train in place; returns each epoch's loss, the mean over its samples as each batch was met.

    `update` (parameters, gradient) -> parameters is one step. After each epoch, on_epoch(epoch, loss)
    is called; None prints every hundredth. Raises FloatingPointError where the loss, the gradient or
    the step is not finite, with the parameters as they were before it; `locate` (x, numbers (P,))
    names the layer. Arguments are taken as already checked.
    """
    report = print_progress if on_epoch is None else on_epoch
    if batch_size is not None:
        x, y = np.asfortranarray(x), np.asfortranarray(y)
    history: list[float] = []
    step = 0
    for epoch in range(epochs):
        mean = 0.0
        for x_batch, y_batch in minibatches(x, y, batch_size, rng):
            loss, gradient = engine(parameters, x_batch, y_batch)
            if not (math.isfinite(loss) and all_finite(gradient)):
                raise _stopped(step, epoch, f"in the gradient of the loss {loss}", locate(x_batch, gradient))
            updated = update(parameters, gradient)
            if not all_finite(updated):
                raise _stopped(step, epoch, "in the step to take", locate(x_batch, updated))
            parameters[:] = updated
            mean += loss * (x_batch.shape[1] / x.shape[1])
            step += 1
        history.append(mean)
        report(epoch, mean)
    return history


def print_progress(epoch: int, loss: float) -> None:
    """Print the loss of every hundredth epoch.

    >>> print_progress(100, 0.25)
    Epoch 100, Loss: 0.25
    """
    if epoch % 100 == 0:
        print(f"Epoch {epoch}, Loss: {loss}")


def all_finite(numbers: Array) -> bool:
    """Whether no entry of a vector is nan or infinite."""
    with np.errstate(all="ignore"):
        return math.isfinite(numbers @ numbers) or bool(np.isfinite(numbers).all())  # the quick way first


def _stopped(step: int, epoch: int, where: str, layer: int) -> FloatingPointError:
    return FloatingPointError(
        f"training stopped at step {step}, epoch {epoch}: nan or inf {where}, first in layer {layer}. "
        "The parameters are those from before this step. Try a smaller learning_rate, "
        "or bring x and y to a scale near 1."
    )
