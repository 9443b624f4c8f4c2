"""What goes wrong while training, said in words: where, since when, and the usual remedy.

Knows NumPy, the layout of the flat parameter vector, the history and the checks at the door; of a network
only the tutorial's vocabulary: layer l, counted from 0, gives a_{l+1} in the cache of a forward pass.

Each check is a function of what it looks at and gives a list of warnings, empty where all is well. The
thresholds are set so that ordinary runs are left alone: a warning is worth reading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from nn import checks
from nn.history import History
from nn.parameters import blocks, parameter_count, windows

Array = npt.NDArray[np.float64]
Cache = Mapping[str, Array]

REMEDIES: Mapping[str, str] = {
    "dead_relus": "a smaller learning rate, He initialisation with biases at 0, or a leaky ReLU",
    "saturated": "inputs at a scale near 1, smaller first weights (Xavier), or ReLU",
    "vanishing": "an initialisation that fits the activation (Xavier, He), ReLU for sigmoid, batch "
    "normalisation, or fewer layers",
    "exploding": "a smaller learning rate, clipping the gradient by its norm, inputs at a scale near 1, or "
    "smaller first weights (Xavier, He)",
    "oscillating": "a smaller learning rate, or one that falls by a schedule",
    "overfitting": "going back to the parameters of that step (early stopping), L2 or dropout, more data, "
    "or a smaller network",
}

FEWEST_SAMPLES = 20     # in fewer, a healthy ReLU can be off for all by chance
DEAD = 0.7              # share of a layer's ReLUs that give 0 for every sample
FLAT, SATURATED = 0.05, 0.8     # a slope below this share of the steepest; the share of a layer that has it
VANISHING = 1e-4        # a layer's gradient relative to the largest above it
EXPLODING = 1e3         # a layer's gradient relative to the top layer's
CONVERGED = 1e-10       # gradients below this are what rounding left
VIOLENT = 2.0           # a step relative to the parameters of a layer
RECENT = 20             # observations in which oscillation is looked for
SWING, COUNTS = 0.1, 0.05       # of the recent loss, of the first loss: smaller moves are no oscillation
PATIENCE, WORSE, RISE, GAP = 10, 1.2, 0.1, 1.5      # of over-fitting: see find_overfitting


@dataclass(frozen=True)
class TrainingWarning:
    """One thing that goes wrong.

    kind      a key of REMEDIES
    step      at which it was seen
    layer     from 0 for the first; None where it concerns the whole network
    evidence  what was seen
    """

    kind: str
    step: int
    layer: int | None
    evidence: str

    def __str__(self) -> str:
        place = f"step {self.step}" if self.layer is None else f"step {self.step}, layer {self.layer}"
        return f"{place}: {self.evidence}. The usual remedy: {REMEDIES[self.kind]}."


def layer_norms(vector: Array, layer_sizes: Sequence[int]) -> Array:
    """The Euclidean norm of each layer's numbers (layers,) in a vector (P,) laid out as the parameters are.

    >>> layer_norms(np.array([3.0, 4.0, 0.0, 1.0, 0.0]), [2, 1, 1])       # w w b, w b
    array([5., 1.])
    """
    pairs = windows(checks.exactly("vector", vector, (parameter_count(layer_sizes),)), layer_sizes)
    with np.errstate(all="ignore"):
        return np.array([np.hypot(np.linalg.norm(W), np.linalg.norm(b)) for W, b in pairs])


def find_dead_relus(step: int, cache: Cache, activations: Sequence[str]) -> list[TrainingWarning]:
    """Layers in which most ReLUs, seven in ten, give 0 for every sample, and so learn nothing any more.

    Looks at 20 samples or more, and at none below: pass a forward pass over many. activations names each
    layer's, as in ["relu", "sigmoid"].
    """
    found = []
    for layer, name in enumerate(activations):
        a = cache[f"a{layer + 1}"]
        if name != "relu" or a.shape[1] < FEWEST_SAMPLES:
            continue
        dead = int((a <= 0).all(axis=1).sum())
        if dead >= DEAD * len(a):
            evidence = f"{dead} of {len(a)} ReLUs are dead: 0 for each of {a.shape[1]} samples"
            found.append(TrainingWarning("dead_relus", step, layer, evidence))
    return found


def find_saturation(step: int, cache: Cache, activations: Sequence[str]) -> list[TrainingWarning]:
    """Hidden layers of sigmoid or tanh that are flat for most samples, and so pass hardly any gradient on.

    The output layer is left out: it is meant to decide.
    """
    found = []
    for layer, name in enumerate(activations[:-1]):
        a = cache[f"a{layer + 1}"]
        if name not in ("sigmoid", "tanh"):
            continue
        slope = 4.0 * a * (1.0 - a) if name == "sigmoid" else 1.0 - a * a       # relative to the steepest
        share = float((slope < FLAT).mean())
        if share > SATURATED:
            evidence = f"{share:.0%} of its {name} activations are saturated: their slope is next to nothing"
            found.append(TrainingWarning("saturated", step, layer, evidence))
    return found


def find_lost_gradients(step: int, gradient: Array, layer_sizes: Sequence[int]) -> list[TrainingWarning]:
    """The layer whose gradient is lost on its way down, and the one whose gradient outgrew the top's.

    A layer's size is the root mean square of its gradient's entries, biases among them. At most one warning
    of each kind, for the worst layer.
    """
    counts = [parameter_count(pair) for pair in pairwise(layer_sizes)]
    sizes = layer_norms(gradient, layer_sizes) / np.sqrt(counts)
    if not sizes.max() > CONVERGED:
        return []
    found = []
    above = np.maximum.accumulate(sizes[::-1])[::-1]            # the largest from each layer up
    with np.errstate(all="ignore"):
        lost = np.where(above > 0, sizes / above, 1.0)
        grown = np.where(sizes[-1] > 0, sizes / sizes[-1], 1.0)
    if lost.min() < VANISHING:
        layer = int(lost.argmin())
        evidence = f"the gradient vanishes: its size here is {lost[layer]:.1g} of what it is further up"
        found.append(TrainingWarning("vanishing", step, layer, evidence))
    if grown.max() > EXPLODING:
        layer = int(grown.argmax())
        evidence = f"the gradient explodes: its size here is {grown[layer]:.1g} times the top layer's"
        found.append(TrainingWarning("exploding", step, layer, evidence))
    return found


def find_violent_steps(
    step: int, update: Array, parameters: Array, layer_sizes: Sequence[int]
) -> list[TrainingWarning]:
    """Layers that one step changes by more than twice their own size: what they had learnt is gone.

    update is the step (P,) taken, parameters (P,) those before it. About a thousandth is usual. A layer with
    smaller parameters than Xavier's counts as large as those: a first step away from 0 is no violence.
    """
    fresh = np.sqrt(layer_sizes[1:])            # each neuron's weights of length 1
    with np.errstate(all="ignore"):
        ratios = layer_norms(update, layer_sizes) / np.maximum(layer_norms(parameters, layer_sizes), fresh)
    return [
        TrainingWarning("exploding", step, layer, f"the step is {ratio:.2g} times as large as its parameters")
        for layer, ratio in enumerate(ratios.tolist())
        if ratio > VIOLENT
    ]


def find_oscillation(step: int, losses: npt.ArrayLike) -> list[TrainingWarning]:
    """Whether the loss goes up and down without getting anywhere, over the last 20 observations.

    losses is what was observed so far, best the means over epochs: single minibatches differ by themselves.
    It oscillates if a quarter of the moves or more lead up, all together go five times as far as the loss
    has come, and each is on average a tenth of the loss, and a twentieth of the first loss.
    """
    curve = np.asarray(losses, dtype=float)
    recent = curve[-RECENT:]
    if len(recent) < RECENT or not np.isfinite(recent).all():
        return []
    moves = np.diff(recent)
    move = float(np.abs(moves).mean())
    aimless = (moves > 0).mean() >= 0.25 and np.abs(moves).sum() >= 5 * abs(recent[-1] - recent[0])
    if not (aimless and move >= SWING * recent.mean() and move >= COUNTS * curve[0]):
        return []
    evidence = f"the loss oscillates: it moves by {move / recent.mean():.0%} an observation and gets nowhere"
    return [TrainingWarning("oscillating", step, None, evidence)]


def find_overfitting(
    step: int, losses: npt.ArrayLike, validation_losses: npt.ArrayLike, factor: float = 1.0
) -> list[TrainingWarning]:
    """Whether the validation loss has turned upwards while the training loss went on falling.

    factor  by which a validation loss is multiplied to be of as many samples as the training loss: where
            they are sums, the samples trained with over those for validation

    Both are smoothed by the median of five. It overfits if the validation loss was lowest 10 observations
    ago or more, has since grown by a fifth and by a tenth of the first validation loss, and is half as
    large again as the training loss, which is lower than it was then.
    """
    training, validation = _medians(losses), _medians(validation_losses)
    if len(validation) == 0 or not np.isfinite(validation).all():
        return []
    best, now = int(validation.argmin()), float(validation[-1])
    ago = len(validation) - 1 - best
    grown = now >= WORSE * validation[best] and now >= validation[best] + RISE * validation[0]
    if ago < PATIENCE or not grown or factor * now < GAP * training[-1] or training[-1] >= training[best]:
        return []
    evidence = (
        f"it overfits: the validation loss was lowest {ago} observations ago, {validation[best]:.3g}, and is "
        f"{now:.3g} now, while the training loss fell from {training[best]:.3g} to {training[-1]:.3g}"
    )
    return [TrainingWarning("overfitting", step, None, evidence)]


def _medians(losses: npt.ArrayLike) -> Array:
    """The median of each five losses in a row, by the last of them; empty for less than five."""
    curve = np.asarray(losses, dtype=float)
    if len(curve) < 5:
        return np.empty(0)
    medians: Array = np.median(np.lib.stride_tricks.sliding_window_view(curve, 5), axis=1)
    return medians


class Monitor:
    """Observes a training: keeps its history, and says each warning once for a layer.

    layer_sizes        [inputs, …, outputs]
    activations        each layer's by name, the output's last, as in ["relu", "sigmoid"]
    batch_norm         whether the hidden layers are normalised; their γ and β are not looked at
    validation_factor  the factor of find_overfitting, for losses that are sums

    `history` holds loss, gradient_norms and update_norms (a number a layer), and what else is passed;
    `warnings` all that was said so far.

    >>> monitor = Monitor([1, 1, 1], ["sigmoid", "linear"])
    >>> theta, gradient = np.ones(4), np.array([1e-9, 0.0, 1.0, 0.0])      # w b, w b
    >>> for warning in monitor.observe(0, 0.5, gradient, -0.1 * gradient, theta):
    ...     print(warning)
    step 0, layer 0: the gradient vanishes: its size here is 1e-09 of what it is further up. The usual remedy:
    an initialisation that fits the activation (Xavier, He), ReLU for sigmoid, batch normalisation, or fewer
    layers.
    """

    def __init__(
        self,
        layer_sizes: Sequence[int],
        activations: Sequence[str],
        batch_norm: bool = False,
        *,
        validation_factor: float = 1.0,
    ) -> None:
        if len(activations) != len(layer_sizes) - 1:
            raise ValueError(
                f"activations: expected {len(layer_sizes) - 1}, one a layer, got {list(activations)}"
            )
        self.layer_sizes, self.activations = list(layer_sizes), list(activations)
        self.batch_norm = batch_norm
        self.validation_factor = checks.positive("validation_factor", validation_factor)
        self.history = History()
        self.warnings: list[TrainingWarning] = []

    def observe(
        self,
        step: int,
        loss: float,
        gradient: Array,
        update: Array,
        parameters: Array,
        cache: Cache | None = None,
        **quantities: float,
    ) -> list[TrainingWarning]:
        """Record what happened at a step, and give the warnings that are new: once an epoch, or less often.

        gradient    (P,)
        update      (P,), the step taken
        parameters  (P,), after the step
        cache       of a forward pass over many samples: "a1", "a2", …; None: activations are not looked at
        quantities  other numbers to record, the same each time, such as accuracy=0.9; validation_loss is
                    also looked at for over-fitting
        """
        sizes = self.layer_sizes
        shape = (parameter_count(sizes, self.batch_norm),)
        gradient = checks.exactly("gradient", gradient, shape)
        update = checks.exactly("update", update, shape)
        parameters = checks.exactly("parameters", parameters, shape)
        if cache is not None:
            checks.keys("cache", cache, [f"a{layer}" for layer in range(1, len(sizes))])
        if self.batch_norm:
            gradient, update, parameters = map(self._dense, (gradient, update, parameters))
        self.history.record(
            step,
            loss=loss,
            gradient_norms=layer_norms(gradient, sizes),
            update_norms=layer_norms(update, sizes),
            **quantities,
        )
        losses = self.history["loss"]
        found = find_lost_gradients(step, gradient, sizes)
        with np.errstate(all="ignore"):
            found += find_violent_steps(step, update, parameters - update, sizes)
        found += find_oscillation(step, losses)
        if cache is not None:
            found += find_dead_relus(step, cache, self.activations)
            found += find_saturation(step, cache, self.activations)
        if "validation_loss" in quantities:
            validation = self.history["validation_loss"]
            found += find_overfitting(step, losses, validation, self.validation_factor)
        said = {(warning.kind, warning.layer) for warning in self.warnings}
        new = [warning for warning in found if (warning.kind, warning.layer) not in said]
        self.warnings += new
        return new

    def _dense(self, vector: Array) -> Array:
        """The weights and biases among a vector (P,), laid out as without batch normalisation."""
        return np.concatenate([Wb.ravel() for Wb, _ in blocks(vector, self.layer_sizes, self.batch_norm)])
