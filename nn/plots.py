"""Pictures of training and of predictions: the only room that imports matplotlib, and only when drawing.

It knows a network by the tutorial's methods alone. Figures are returned, to be shown or saved.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nn import checks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = npt.NDArray[np.float64]


def plot_training_process(network: Any, x: npt.ArrayLike, y: npt.ArrayLike, epochs: int = 1000) -> Figure:
    """Train by gradient descent at learning rate 0.01 and plot the loss of each epoch, before its step.

    network is anything with the tutorial's forward, backward, compute_loss and update_parameters; x is
    (inputs, N) and y (outputs, N). Opens a window where matplotlib's backend has windows; otherwise
    the figure is only returned, and belongs to nobody else: figure.savefig("training.png").
    """
    pyplot = _matplotlib("pyplot")
    losses = []
    for _ in range(checks.count("epochs", epochs, least=1)):
        cache = network.forward(x)
        losses.append(network.compute_loss(y, cache[f"a{len(network.weights)}"]))
        network.update_parameters(network.backward(x, y, cache), learning_rate=0.01)

    figure: Figure = pyplot.figure(figsize=(10, 6))
    _draw_losses(figure.add_subplot(), {"training": losses}, "Training Loss Over Time")
    if figure.canvas.required_interactive_framework is None:
        pyplot.close(figure)
    else:
        pyplot.show()
    return figure


def plot_losses(losses: Mapping[str, Sequence[float]], title: str = "Loss over time") -> Figure:
    """Loss curves over epochs, one for each name, as {"training": […], "validation": […]}."""
    if not losses:
        raise ValueError('losses: expected at least one curve, as {"training": [0.9, 0.5]}; got none')
    figure: Figure = _matplotlib("figure").Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    _draw_losses(axes, losses, title)
    legend = axes.legend(axes.lines, list(losses))
    for text in legend.get_texts():
        text.set_parse_math(False)
    return figure


def _draw_losses(axes: Axes, losses: Mapping[str, Sequence[float]], title: str) -> None:
    dashes = ("-", "--", ":", "-.")         # curves differ by more than colour
    for i, (name, curve) in enumerate(losses.items()):
        marker = "o" if len(curve) == 1 else ""     # a single point makes no line
        axes.plot(curve, dashes[i % len(dashes)], marker=marker, label=name)
    axes.set_title(title, parse_math=False)         # names are text, not formulas
    axes.set(xlabel="Epoch", ylabel="Loss")
    axes.grid(True)


def plot_predictions(
    images: npt.ArrayLike, probabilities: npt.ArrayLike, labels: npt.ArrayLike, shown: int = 24
) -> Figure:
    """Images with what was predicted and how surely: mistakes first, the surest of them first of all.

    images (N, h, w); probabilities (classes, N), one column an image; labels (N,), the true classes. A
    mistake has a cross, a frame and the true class; the correct predictions follow, the least sure first.
    """
    pictures, p, truth = _checked_predictions(images, probabilities, labels)
    predicted, confidence = p.argmax(axis=0), p.max(axis=0)
    wrong = predicted != truth
    order = np.lexsort((np.where(wrong, -confidence, confidence), ~wrong))[: checks.count("shown", shown, 1)]

    across = min(len(order), 8)
    down = -(-len(order) // across)
    size = (max(1.4 * across, 3.6), 1.7 * down + 0.6)      # the title has to fit
    figure: Figure = _matplotlib("figure").Figure(figsize=size, layout="constrained")
    figure.suptitle(f"predicted class (confidence); {wrong.sum()} of {len(truth)} mistaken ✗", fontsize=10)
    for place, n in enumerate(order, start=1):
        axes = figure.add_subplot(down, across, place)
        axes.imshow(pictures[n], cmap="gray_r")
        caption = f"{predicted[n]} ({confidence[n]:.0%})"
        _caption(axes, f"✗ {caption}\nis {truth[n]}" if wrong[n] else caption, wrong[n])
    return figure


def _caption(axes: Axes, text: str, mistaken: bool) -> None:
    axes.set_title(text, fontsize=9, color="firebrick" if mistaken else "black")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(linewidth=3.0 if mistaken else 0.5, color="firebrick" if mistaken else "gray")


def _checked_predictions(
    images: npt.ArrayLike, probabilities: npt.ArrayLike, labels: npt.ArrayLike
) -> tuple[Array, Array, npt.NDArray[np.intp]]:
    pictures = checks.real_array("images", images, "(N, h, w)")
    if pictures.ndim != 3 or len(pictures) == 0:
        raise ValueError(f"images: expected shape (N, h, w) with N >= 1, got {pictures.shape}")
    p = checks.columns("probabilities", probabilities, len(np.atleast_1d(probabilities)))
    if p.shape[1] != len(pictures):
        raise ValueError(f"probabilities: expected shape (classes, {len(pictures)}), got {p.shape}")
    truth = checks.exactly("labels", labels, (len(pictures),))
    outside = ~np.isin(truth, np.arange(len(p)))
    if outside.any():
        raise ValueError(f"labels: expected whole numbers from 0 to {len(p) - 1}, got {truth[outside][0]}")
    return pictures, checks.probabilities("probabilities", p), truth.astype(np.intp)


def plot_decision_boundary(
    scores: Callable[[Array], npt.ArrayLike],
    x: npt.ArrayLike,
    labels: npt.ArrayLike,
    title: str = "Decision boundary",
) -> Figure:
    """Where in the plane a score is positive, and samples of two classes: crosses where a label is above 0.

    scores  takes points (2, M), one a column, and gives a score for each, (M,) or (1, M); where the boundary
            lies elsewhere than at 0, as with probabilities at ½, subtract that first
    x       (2, N) samples
    labels  (N,), above 0 for the class whose scores should be

    The picture reaches past the samples by a tenth of their spread, 200 points a side.
    """
    samples = checks.columns("x", x, 2)
    positive = checks.finite("labels", checks.exactly("labels", labels, samples.shape[1:])) > 0
    low, high = samples.min(axis=1), samples.max(axis=1)
    margin = np.where(high > low, 0.1 * (high - low), 1.0)
    across, up = np.linspace(low - margin, high + margin, 200).T
    grid = np.stack([axis.ravel() for axis in np.meshgrid(across, up)])
    surface = _scores(scores, grid).reshape(200, 200)

    figure: Figure = _matplotlib("figure").Figure(figsize=(6, 6), layout="constrained")
    axes = figure.add_subplot()
    axes.pcolormesh(across, up, surface > 0, cmap="coolwarm", vmin=-0.5, vmax=1.5)
    if surface.min() <= 0 < surface.max():
        axes.contour(across, up, surface, levels=[0.0], colors="black")
    axes.scatter(*samples[:, positive], marker="x", color="darkred", label="label above 0")
    axes.scatter(*samples[:, ~positive], marker="o", color="navy", label="label 0 or below")
    axes.set_title(title, parse_math=False)
    axes.legend(loc="upper right")  # "best" tries every sample
    return figure


def _scores(scores: Callable[[Array], npt.ArrayLike], points: Array) -> Array:
    found = checks.real_array("scores", scores(points), f"({points.shape[1]},)")
    if found.ndim == 2 and len(found) == 1:
        (found,) = found
    if found.shape != points.shape[1:]:
        raise ValueError(
            f"scores: expected one for each of {points.shape[1]} points, shape {points.shape[1:]} or "
            f"{(1, *points.shape[1:])}, got {found.shape}"
        )
    return checks.finite("scores", found)


def _matplotlib(module: str) -> Any:
    """matplotlib.<module>, or an ImportError that says where to get it."""
    try:
        return importlib.import_module(f"matplotlib.{module}")
    except ImportError as error:
        raise ImportError('plots need matplotlib: pip install "liftgrad[plot]"') from error
