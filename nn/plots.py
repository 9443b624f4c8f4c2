"""Pictures of training and of predictions: the only room that imports matplotlib, and only when drawing.

It knows a network by the tutorial's methods alone, and of an MLP of Values the network that it is; histories,
metrics and the range test by what they give. Figures are returned, to be shown or saved.
"""

from __future__ import annotations

import importlib
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nn import checks
from nn.history import OWN_NAMES, History, TrainingHistory
from nn.metrics import confusion_matrix
from nn.mlp_training import MLP, rows
from nn.network import NeuralNetwork
from nn.rate_range import RateRange

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = npt.NDArray[np.float64]

# Of classes: together 56 pairs.
COLOURS = ("blue", "orange", "green", "red", "purple", "brown", "pink", "gray")
MARKERS = "o^sxDv*"


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
    """Loss curves over epochs, one for each name, as {"training": […], "validation": […]}.

    A loss that is nan or infinite is a gap; what is left alone between gaps is a point.
    """
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
    for i, (name, losses_of) in enumerate(losses.items()):
        curve = checks.real_array(name, losses_of, "(epochs,)")
        if curve.ndim != 1 or curve.size == 0:
            raise ValueError(f"{name}: expected the losses of one or more epochs, got shape {curve.shape}")
        curve = np.where(np.isfinite(curve), curve, np.nan)
        alone = np.isfinite(curve)                  # a single point makes no line
        alone[1:] &= np.isnan(curve[:-1])
        alone[:-1] &= np.isnan(curve[1:])
        (line,) = axes.plot(curve, dashes[i % len(dashes)], label=name)
        if alone.any():
            line.set(marker="o", markevery=np.flatnonzero(alone).tolist())
    axes.xaxis.set_major_locator(_whole_numbers())
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
    truth = checks.class_numbers("labels", checks.exactly("labels", labels, (len(pictures),)), len(p))
    return pictures, checks.probabilities("probabilities", p), truth


def plot_decision_boundary(
    scores: Callable[[Array], npt.ArrayLike],
    x: npt.ArrayLike,
    labels: npt.ArrayLike,
    title: str = "Decision boundary",
) -> Figure:
    """Which class each point of the plane is put into, and samples of all classes, each with its marker.

    scores  takes points (2, M), one a column, and gives a score for each, (M,) or (1, M), above 0 for the one
            of two classes; where the boundary lies elsewhere, as with probabilities at ½, subtract that. Or
            (classes, M), as a softmax gives them: the largest decides
    x       (2, N) samples
    labels  (N,): of two classes by one score 1, and 0 or -1; of several, whole numbers from 0

    The picture reaches past the samples by a tenth of their spread, 200 points a side.
    """
    samples = checks.columns("x", x, 2)
    given = checks.exactly("labels", labels, samples.shape[1:])
    low, high = samples.min(axis=1), samples.max(axis=1)
    margin = np.where(high > low, 0.1 * (high - low), 1.0)
    across, up = np.linspace(low - margin, high + margin, 200).T
    grid = np.stack([axis.ravel() for axis in np.meshgrid(across, up)])
    surfaces = _scores(scores, grid).reshape(-1, 200, 200)

    figure: Figure = _matplotlib("figure").Figure(figsize=(6, 6), layout="constrained")
    axes = figure.add_subplot()
    draw = _draw_two if len(surfaces) == 1 else _draw_several
    draw(axes, (across, up), surfaces, samples, given)
    axes.set_title(title, parse_math=False)
    axes.legend(loc="upper right")  # "best" tries every sample
    return figure


def _draw_two(axes: Axes, grid: tuple[Array, Array], surfaces: Array, samples: Array, labels: Array) -> None:
    """Where the only score is above 0."""
    checks.finite("labels", labels)
    outside = ~np.isin(labels, (-1.0, 0.0, 1.0))
    if outside.any():
        place = int(np.argmax(outside))
        raise ValueError(f"labels: expected 1, and 0 or -1, got {labels[place]} at index {place}")
    (surface,), positive = surfaces, labels > 0
    axes.pcolormesh(*grid, surface > 0, cmap="coolwarm", vmin=-0.5, vmax=1.5)
    _draw_boundary(axes, grid, surface)
    axes.scatter(*samples[:, positive], marker="x", color="darkred", label="label above 0")
    axes.scatter(*samples[:, ~positive], marker="o", color="navy", label="label 0 or below")


def _draw_several(
    axes: Axes, grid: tuple[Array, Array], surfaces: Array, samples: Array, labels: Array
) -> None:
    """Where each class's score is the largest."""
    classes = len(surfaces)
    numbers = checks.class_numbers("labels", labels, classes)
    colors = _matplotlib("colors")
    own = [np.array(colors.to_rgb(f"tab:{COLOURS[k % len(COLOURS)]}")) for k in range(classes)]
    pale = colors.ListedColormap([0.4 * colour + 0.6 for colour in own])
    axes.pcolormesh(*grid, surfaces.argmax(axis=0), cmap=pale, vmin=-0.5, vmax=classes - 0.5)
    for k, colour in enumerate(own):
        _draw_boundary(axes, grid, surfaces[k] - np.delete(surfaces, k, axis=0).max(axis=0))
        marker = MARKERS[k % len(MARKERS)]
        axes.scatter(*samples[:, numbers == k], marker=marker, color=[0.7 * colour], label=f"class {k}")


def _draw_boundary(axes: Axes, grid: tuple[Array, Array], surface: Array) -> None:
    if surface.min() <= 0 < surface.max():
        axes.contour(*grid, surface, levels=[0.0], colors="black", linewidths=1.0)


def _scores(scores: Callable[[Array], npt.ArrayLike], points: Array) -> Array:
    """(M,), or (classes, M) for two classes or more."""
    found = checks.real_array("scores", scores(points), f"({points.shape[1]},)")
    if found.ndim not in (1, 2) or found.shape[-1] != points.shape[1]:
        raise ValueError(
            f"scores: expected one for each of {points.shape[1]} points, shape {points.shape[1:]} or "
            f"(classes, {points.shape[1]}), got {found.shape}"
        )
    return checks.finite("scores", found)


def plot_history(history: History | TrainingHistory, title: str = "Training") -> Figure:
    """The losses of a training over its epochs, and its metrics: accuracy, or whatever was recorded.

    history  what `train` returns. Training is drawn full, validation dashed; of both, the metrics too
    """
    _check_history(history)
    own = [name for name in history.names if not name.startswith("validation_")]
    metrics = [name for name in own if name not in OWN_NAMES]
    figure: Figure = _matplotlib("figure").Figure(
        figsize=(5 * (1 + len(metrics)), 4), layout="constrained"
    )
    for place, name in enumerate(["loss", *metrics], start=1):
        curves = {"training": history[name].tolist()}
        if f"validation_{name}" in history.names:
            curves["validation"] = history[f"validation_{name}"].tolist()
        axes = figure.add_subplot(1, 1 + len(metrics), place)
        _draw_losses(axes, curves, name)
        axes.set_ylabel(name, parse_math=False)
        axes.legend()
        if name == "accuracy":
            axes.set_ylim(-0.02, 1.02)
    figure.suptitle(title, parse_math=False)
    return figure


def plot_learning_rate(history: History | TrainingHistory, title: str = "Learning rate") -> Figure:
    """The learning rate of each epoch's last step, over the steps; on a logarithmic scale."""
    _check_history(history)
    rates, steps = history["learning_rate"], history["step"]
    figure: Figure = _matplotlib("figure").Figure(figsize=(8, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(steps, rates, marker="o" if len(rates) == 1 else "")
    axes.set_yscale("log", nonpositive="clip")
    axes.xaxis.set_major_locator(_whole_numbers())
    axes.set(xlabel="Step", ylabel="Learning rate")
    axes.set_title(title, parse_math=False)
    axes.grid(True, which="both", alpha=0.4)
    return figure


def _check_history(history: object) -> None:
    if not isinstance(history, History | TrainingHistory):
        raise TypeError(
            f"history: expected what train returns, an nn.TrainingHistory, got {type(history).__name__}; "
            'a list of losses is drawn by plot_losses({"training": losses})'
        )
    if not history.names:
        raise ValueError("history: expected one epoch or more, got none: nothing was recorded")


def plot_activations(network: Any, x: npt.ArrayLike, title: str = "Activations by layer") -> Figure:
    """How each layer's activations for samples x (inputs, N) are distributed: one histogram a layer.

    A good layer uses its range. Sigmoids that pile up at 0 and 1 are saturated, ReLUs at 0 may be dead.
    network is anything with the tutorial's `forward` and `weights`; or an MLP of Values, whose samples are
    the rows of x (N, inputs).
    """
    if isinstance(network, MLP):
        x = rows("x", x, network.sizes[0]).T
        network = NeuralNetwork.from_mlp(network)
    cache = network.forward(x)
    layers = {f"a{layer + 1}": cache[f"a{layer + 1}"] for layer in range(len(network.weights))}
    return _histograms({name: [("activations", array)] for name, array in layers.items()}, title)


def plot_weights(network: Any, title: str = "Weights by layer") -> Figure:
    """How each layer's weights and biases are distributed: one histogram a layer.

    network is anything with the tutorial's `weights` and `biases`, or an MLP of Values.
    """
    if isinstance(network, MLP):
        network = NeuralNetwork.from_mlp(network)
    pairs = zip(network.weights, network.biases, strict=True)
    return _histograms(
        {f"W{layer}, b{layer}": [("weights", W), ("biases", b)] for layer, (W, b) in enumerate(pairs)}, title
    )


def _histograms(layers: Mapping[str, Sequence[tuple[str, Array]]], title: str) -> Figure:
    """A panel a layer; in each, the share of some arrays' entries by their size."""
    across = min(len(layers), 4)
    down = -(-len(layers) // across)
    figure: Figure = _matplotlib("figure").Figure(
        figsize=(3.2 * across + 0.6, 2.6 * down + 0.5), layout="constrained"
    )
    for place, (name, arrays) in enumerate(layers.items(), start=1):
        axes = figure.add_subplot(down, across, place)
        everything = np.concatenate([np.ravel(array) for _, array in arrays])
        if not np.isfinite(everything).all():
            raise ValueError(f"{name}: expected finite numbers to draw, got nan or inf among them")
        edges = _edges(everything)
        for number, (label, array) in enumerate(arrays):
            share = np.full(np.size(array), 1 / np.size(array))
            axes.hist(
                np.ravel(array), edges, weights=share, label=label,
                histtype="step" if number else "stepfilled",
            )  # fmt: skip
        axes.set_title(f"{name}: mean {everything.mean():.2g}, spread {everything.std():.2g}", fontsize=9)
        if len(arrays) > 1:
            axes.legend(fontsize=8)
    figure.suptitle(title, parse_math=False)
    figure.supylabel("share of entries", fontsize=9)
    return figure


def _edges(numbers: Array) -> list[float]:
    """Of 40 bins from the least to the largest, which are held apart where they are nearly one."""
    low, high = float(numbers.min()), float(numbers.max())
    least = 1e-6 * (max(abs(low), abs(high)) or 1.0)
    if high - low < least:
        low, high = low - least, high + least
    return [float(edge) for edge in np.linspace(low, high, 41)]


def plot_gradient_flow(gradients: Mapping[str, npt.ArrayLike], title: str = "Gradient flow") -> Figure:
    """How large the gradient is in each layer, from the input up: the mean and the largest |dW|, and |db|.

    gradients  {"dW0": …, "db0": …, …}, as `backward` gives them

    On a logarithmic scale: bars that shrink towards the input are a vanishing gradient, bars that grow an
    exploding one. A layer without any gradient has no bar.
    """
    names = [name for name in gradients if name.startswith("dW")]
    if not names:
        raise ValueError(
            "gradients: expected dW0, db0 and so on, as backward gives them; got "
            f"{', '.join(gradients) or 'none'}"
        )
    sizes = {name: np.abs(checks.real_array(name, gradients[name], "(out, in)")) for name in gradients}
    size = (max(5.0, 1.1 * len(names)), 4)
    figure: Figure = _matplotlib("figure").Figure(figsize=size, layout="constrained")
    axes, places = figure.add_subplot(), np.arange(len(names))
    for offset, letter, hatch in ((-0.2, "W", ""), (0.2, "b", "//")):
        layers = [sizes.get(name.replace("W", letter), np.zeros(1)) for name in names]
        bars = [array.mean() for array in layers]
        axes.bar(places + offset, bars, width=0.38, hatch=hatch, label=f"mean |d{letter}|")
        axes.plot(places + offset, [array.max() for array in layers], "k_", markersize=14)
    axes.plot([], [], "k_", markersize=14, label="largest")
    axes.set_yscale("log", nonpositive="clip")
    axes.set_xticks(places, [f"layer {name.removeprefix('dW')}" for name in names])
    axes.set_ylabel("size of the gradient")
    axes.set_title(title, parse_math=False)
    axes.legend()
    axes.grid(True, axis="y", alpha=0.4)
    return figure


def plot_rate_range(found: RateRange, title: str = "Learning-rate range test") -> Figure:
    """The loss by the learning rate, both logarithmic, and the rate that the range test suggests."""
    figure: Figure = _matplotlib("figure").Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(found.rates, found.losses, label="loss after a step at the rate")
    if found.suggestion is not None:
        axes.axvline(found.suggestion, color="black", ls="--", label=f"suggested: {found.suggestion:.2g}")
    axes.set_xscale("log")
    axes.set_yscale("log", nonpositive="clip")
    axes.set(xlabel="Learning rate", ylabel="Loss")
    axes.set_title(title, parse_math=False)
    axes.legend()
    axes.grid(True, which="both", alpha=0.4)
    return figure


def plot_confusion_matrix(
    labels: npt.ArrayLike,
    predicted: npt.ArrayLike,
    names: Sequence[str],
    title: str = "Confusion matrix",
) -> Figure:
    """How many samples of each class (rows) were taken for each (columns); right ones on the diagonal.

    labels, predicted  (N,) whole numbers from 0; names has one for each class. Shades are shares of a row.
    """
    counts = confusion_matrix(labels, predicted, len(names))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side, longest = 2.0 + 0.55 * len(names), max(map(len, names))
    size = side + 0.6 + 0.08 * longest, side + 0.06 * longest       # inches, with room for the names
    figure: Figure = _matplotlib("figure").Figure(figsize=size, layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    for (row, column), count in np.ndenumerate(counts):
        dark = shares[row, column] > 0.5
        axes.text(column, row, str(count), ha="center", va="center", color="white" if dark else "black")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(np.arange(len(names)), list(names), parse_math=False)
    if longest > 4:                     # than a cell is wide
        axes.tick_params("x", labelrotation=45)
        for text in axes.get_xticklabels():
            text.set(ha="right", rotation_mode="anchor")
    axes.set(xlabel="predicted class", ylabel="true class")
    share = np.trace(counts) / max(counts.sum(), 1)
    words = textwrap.fill(f"{title}: {share:.1%} right", int(9 * size[0]))        # letters an inch
    axes.set_title(words, parse_math=False)
    return figure


def _whole_numbers() -> Any:
    """Where ticks of epochs and steps are."""
    return _matplotlib("ticker").MaxNLocator("auto", integer=True, min_n_ticks=1)


def _matplotlib(module: str) -> Any:
    """matplotlib.<module>, or an ImportError that says where to get it."""
    try:
        return importlib.import_module(f"matplotlib.{module}")
    except ImportError as error:
        raise ImportError('plots need matplotlib: pip install "liftgrad[plot]"') from error
