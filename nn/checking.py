"""A network's gradients against numerical differentiation, layer by layer.

Knows a network by its `loss_and_gradient` and how it names a gradient's arrays, and `autograd`'s public
`check_gradients`, which differentiates any function of numbers. That one is imported where it is needed only:
the network derived by hand has `check_gradients` of this room for a method, and knows nothing of `autograd`.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt

from nn import checks
from nn.dropout import Masks

if TYPE_CHECKING:
    from autograd import GradientReport, GradientRow

Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

SMALL = 1000        # parameters of a network that is checked whole
SAMPLE = 20         # entries of each array of a larger one
TOLERANCE = 1e-6    # what central differences can tell


class Settings(NamedTuple):
    """How much is asked: tolerance, sample and rng of `check_gradients`."""

    tolerance: float = TOLERANCE
    sample: int | None = None
    rng: np.random.Generator | None = None


class Layout(Protocol):
    """What says which of the parameters an array's entries are."""

    def _named(self, gradient: Any) -> dict[str, Any]: ...


class Network(Layout, Protocol):
    """What is asked of a network."""

    @property
    def parameters(self) -> Array: ...

    def loss_and_gradient(
        self,
        parameters: npt.ArrayLike,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        *,
        weights: npt.ArrayLike | None = None,
        masks: Masks | None = None,
    ) -> tuple[float, Array]:
        """Both at these parameters."""

    def in_float64(self) -> Self:
        """The same network in double precision."""


def check_gradients(
    network: Network,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    masks: Masks | None = None,
    tolerance: float = TOLERANCE,
    sample: int | None = None,
    rng: np.random.Generator | None = None,
) -> GradientReport:
    """Compare each layer's gradients for x (inputs, N), y (outputs, N) with central differences of the loss.

    weights    (N,), the samples' in the loss; None: all count the same
    masks      what dropout keeps, of draw_masks; None: everything. Batch normalisation takes the statistics
               of these samples, as in training
    tolerance  the difference allowed, as a share of an array's largest gradient; where rounding of the loss
               hides more, or a kink as relu's lies between the probes, the row says so and accuses nobody
    sample     so many entries of each array, drawn by `rng`; None: all entries of a network of up to 1,000
               parameters, and 20 of each array of a larger one, which each row then says
    rng        None: the same entries each time

    The report has a row for each array, dW0, db0, …, and dgamma0, dbeta0, … of batch normalisation; a note
    tells the layers that are wrong. A learner's own methods are checked where there are any, by differences
    of the loss that they report. A network in float32 is checked in float64, as float32 blurs differences.

    Raises ValueError for samples that the network does not take, and where the loss is nan or infinite;
    TypeError for one in float32 with a pass that was assigned to it.

    >>> from nn import NeuralNetwork
    >>> network = NeuralNetwork([2, 3, 1], "tanh", rng=np.random.default_rng(0))
    >>> x, y = [[0.0, 1.0, 1.0], [1.0, 0.0, 1.0]], [[1.0, 1.0, 0.0]]
    >>> network.check_gradients(x, y).ok
    True
    >>> network.activation_derivative = lambda z: np.tanh(z)                # for 1 - np.tanh(z)**2
    >>> print(network.check_gradients(x, y).note)
    wrong in layers 0 (dW0, db0) and 1 (dW1, db1); backpropagation comes down
    from the last layer, so look at layer 1 first
    """
    exact = network.in_float64()
    theta = exact.parameters.copy()
    given = {"weights": weights, "masks": masks}
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}

    def both(parameters: Array) -> tuple[float, Array]:     # a learner's own need not know the options
        return exact.loss_and_gradient(parameters, x, y, **options)

    _, gradient = both(theta)
    name, settings = type(network).__name__, Settings(tolerance, sample, rng)
    return report(name, lambda parameters: both(parameters)[0], theta, gradient, exact, settings)


def report(
    name: str,
    loss: Callable[[Array], float],
    theta: Array,
    gradient: Array,
    layout: Layout,
    settings: Settings,
) -> GradientReport:
    """Of the gradient (P,) at theta (P,) of a loss by theta; `layout` says which arrays it is made of."""
    from autograd import check_gradients as differentiate

    if not math.isfinite(value := loss(theta)):
        raise ValueError(f"the loss is {value} at these parameters, where it has no gradient to check")
    arrays = layout._named(np.arange(theta.size))
    places = _chosen(arrays, settings.sample, settings.rng)

    def at(numbers: Mapping[str, Array]) -> float:
        moved = theta.copy()
        for array, values in numbers.items():
            moved[places[array]] = values
        return loss(moved)

    start, slopes = ({name: vector[i] for name, i in places.items()} for vector in (theta, gradient))
    found = differentiate(at, start, gradient=slopes, tolerance=settings.tolerance)
    rows = tuple(_whole(row, arrays[row.name], places[row.name]) for row in found.rows)
    return replace(found, rows=rows, candidate=name, note=_where([row.name for row in rows if not row.ok]))


def _chosen(
    arrays: Mapping[str, Any], sample: int | None, rng: np.random.Generator | None
) -> dict[str, Places]:
    """For each array, where among the parameters the entries to be checked are, in ascending order."""
    if sample is not None:
        checks.count("sample", sample, least=1)
    elif sum(array.size for array in arrays.values()) > SMALL:
        sample = SAMPLE
    rng = np.random.default_rng(0) if rng is None else checks.generator(rng)
    return {
        name: np.sort(array.ravel() if sample is None else rng.permutation(array.ravel())[:sample])
        for name, array in arrays.items()
    }


def _whole(row: GradientRow, array: Places, places: Places) -> GradientRow:
    """The row of checked entries as one of the whole array that they are from."""
    partial = f"{places.size} of {array.size} entries checked" if places.size < array.size else ""
    note = textwrap.wrap("; ".join(filter(None, (partial, row.note))), 76)
    where = np.argwhere(array == places[row.index[0]])[0]
    return replace(row, shape=array.shape, index=tuple(map(int, where)), note="\n    ".join(note))


def _where(wrong: list[str]) -> str:
    """Which layers are wrong, and which to look at first."""
    layers: dict[int, list[str]] = {}
    for name in wrong:
        layers.setdefault(int(re.sub(r"\D", "", name)), []).append(name)
    if not layers:
        return ""
    told = [f"{layer} ({', '.join(names)})" for layer, names in layers.items()]
    if len(told) == 1:
        return f"wrong in layer {told[0]}"
    return textwrap.fill(
        f"wrong in layers {', '.join(told[:-1])} and {told[-1]}; backpropagation comes down from the last "
        f"layer, so look at layer {max(layers)} first",
        76,
    )
