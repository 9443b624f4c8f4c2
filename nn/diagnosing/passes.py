"""The true backward pass, quantity by quantity, with the line of code that each one is.

This room knows a NeuralNetwork's public names, its parameters' layout and the formulas. Letters as in
`nn.network` and `nn.normalization`: layer l maps a_l to z_{l+1}; dz_{l+1} gives dW_l and db_l, and goes down
to dz_l. With batch normalisation a_l = g(u_l), u_l = γ x̂_l + β: du_l gives dγ and dβ, and goes down to dz_l.
m samples, L layers; g is the activation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_letters

import numpy as np
import numpy.typing as npt

from nn.formulas import OUTPUTS
from nn.network import NeuralNetwork
from nn.normalization import EPSILON, batch_statistics, inverse_spread
from nn.objectives import LOSSES
from nn.parameters import LayeredParameters
from nn.passes import Batch
from nn.penalties import L1, L2

Array = npt.NDArray[np.float64]
Function = Callable[[Array], Array]

SLOPES_OF_LOSSES: Mapping[str, str] = {  # one entry's, by the prediction or, with an output, by z
    "mean_squared_error": "2 * ({a} - y)",
    "mean_absolute_error": "np.sign({a} - y)",
    "huber": "np.clip({a} - y, -1, 1)",
    "hinge": "-y * (y * {a} < 1)",
    "binary_cross_entropy": "({a} - y)",
    "binary_cross_entropy_with_logits": "(1 / (1 + np.exp(-{a})) - y)",
    "cross_entropy": "({a} - y)",
}


@dataclass(frozen=True)
class Norm:
    """Batch normalisation of one layer: x̂ = (z - μ) s and u = γ x̂ + β.

    gamma, s   (width, 1); running_s: the s of the running variance
    normal     x̂ (width, m)
    constant   whether μ and s are the running ones
    """

    gamma: Array
    normal: Array
    s: Array
    running_s: Array
    constant: bool

    def down(self, du: Array) -> Array:
        """Dz from du."""
        inner = du if self.constant else du - self.share_of_mean(du) - self.share_of_spread(du)
        return self.gamma * self.s * inner

    def share_of_mean(self, du: Array) -> Array:
        """What μ takes of du, as it depends on all z: Σ du / m."""
        share: Array = du.mean(axis=1, keepdims=True)
        return share

    def share_of_spread(self, du: Array) -> Array:
        """What s takes of it: x̂ Σ du x̂ / m."""
        share: Array = self.normal * (du * self.normal).mean(axis=1, keepdims=True)
        return share


@dataclass(frozen=True)
class TruePass:
    """One backward pass as it should be. The lists of layers run from 0 to L; z[0] is x.

    W, b         (out, in) and (out, 1) of each layer, 0 … L-1
    u            what the activations met: z, or what normalisation made of it
    masks        dropout's factors (width, m) by layer, None where there is no dropout
    norms        None where there is no normalisation
    weights      of the samples (m,); None: all count the same
    activations  names by layer, of what made a_l; derivatives: their g' by u
    l1, l2       the loss reported holds l1 Σ|W| + l2/2 ΣW² besides, and where `penalise_biases` the same of b

    An error is dz_l, or du_l of a layer with normalisation; errors go by the names "dz1", "du1".
    """

    W: Sequence[Array]
    b: Sequence[Array]
    z: Sequence[Array]
    u: Sequence[Array]
    a: Sequence[Array]
    masks: Sequence[Array | None]
    norms: Sequence[Norm | None]
    y: Array
    weights: Array | None
    loss: str
    reduction: str
    activations: Sequence[str]
    derivatives: Sequence[Function]
    l1: float
    l2: float
    penalise_biases: bool

    @property
    def top(self) -> int:
        """The number of layers, L: the last dz is dz_L."""
        return len(self.W)

    @property
    def samples(self) -> int:
        """How many columns x has, m."""
        return int(self.y.shape[1])

    @property
    def counted(self) -> float:
        """What a mean over samples is divided by: m, or the sum of their weights."""
        return float(self.samples if self.weights is None else self.weights.sum())

    def places(self) -> list[str]:
        """The names of all errors, as they are made from the top down."""
        hidden = [self.met(layer) for layer in reversed(range(1, self.top))]
        below = [[f"d{met}", f"dz{met[1:]}"][: 1 + met.startswith("u")] for met in hidden]
        return [f"dz{self.top}", *(place for places in below for place in places)]

    def errors(self) -> dict[str, Array]:
        """Every error by its name, as they are made."""
        found: dict[str, Array] = {}
        for place in self.places():
            layer, norm = layer_of(place), self.norms[layer_of(place)]
            if layer == self.top:
                found[place] = self.error(self.loss)
            elif place.startswith("dz") and norm is not None:
                found[place] = norm.down(found[f"du{layer}"])
            else:
                found[place] = self.down(layer, found[f"dz{layer + 1}"])
        return found

    def error(self, loss: str, *, weighted: bool = True) -> Array:
        """dz_L under a loss."""
        gradient, p = self.loss_gradient(loss, weighted=weighted), self.a[self.top]
        if LOSSES[loss].output is not None:
            return gradient
        if self.activations[self.top] == "softmax":
            OUTPUTS["softmax"].backward(np.empty_like(p), p, gradient)
            return gradient
        return gradient * self.derivatives[self.top](self.z[self.top])

    def loss_gradient(self, loss: str, *, weighted: bool = True) -> Array:
        """The loss's gradient by the predictions; by the logits, where it is computed with an output."""
        weights = self.weights if weighted else None
        return LOSSES[loss].reduced_gradient(self.y, self.a[self.top], self.reduction, weights)

    def down(self, layer: int, dz: Array) -> Array:
        """du_l of a hidden layer, or dz_l, from dz_{l+1}: (Wᵀ dz) ⊙ mask ⊙ g'(u)."""
        da = self.W[layer].T @ dz
        mask = self.masks[layer]
        return (da if mask is None else da * mask) * self.derivatives[layer](self.u[layer])

    def penalty(self, layer: int) -> Array:
        """The penalty's part of dW_l: l1 sign W + l2 W."""
        return np.asarray(self.penalty_in(f"dW{layer}"))

    def penalised(self, name: str) -> Array | None:
        """The parameters of an array, where the penalty is on them: never on γ and β."""
        layer = layer_of(name)
        if name.startswith("dW"):
            return self.W[layer]
        return self.b[layer] if self.penalise_biases and name == f"db{layer}" else None

    def penalty_in(self, name: str) -> Array | float:
        """The penalty's part of any array."""
        of = self.penalised(name)
        return 0.0 if of is None else self.l1 * np.sign(of) + self.l2 * of

    def summed(self, place: str, error: Array) -> dict[str, Array]:
        """The arrays that are made from an error, without penalties."""
        below, norm = layer_of(place) - 1, self.norms[layer_of(place)]
        if place.startswith("du") and norm is not None:
            return {f"dgamma{below}": over_samples(error * norm.normal), f"dbeta{below}": over_samples(error)}
        return {f"dW{below}": error @ self.a[below].T, f"db{below}": over_samples(error)}

    def arrays(self, place: str, error: Array) -> dict[str, Array]:
        """The arrays that are made from an error."""
        return {name: array + self.penalty_in(name) for name, array in self.summed(place, error).items()}

    def gradients(self) -> dict[str, Array]:
        """{"dW1": …, "db1": …, …}, as they are made."""
        made = (self.arrays(place, error) for place, error in self.errors().items())
        return {name: array for arrays in made for name, array in arrays.items()}

    # The right lines of code.

    def _penalty_words(self, place: str) -> str:
        of = place.removeprefix("d")
        if self.penalised(place) is None:
            return ""
        words = f" + {self.l1:g} * np.sign({of})" if self.l1 else ""
        return words + (f" + {self.l2:g} * {of}" if self.l2 else "")

    def line(self, place: str) -> str:
        """What computes a quantity: "dz1", "dW0", "db0", "du1", "dgamma0" or "dbeta0"."""
        layer = layer_of(place)
        up = layer + 1
        if place.startswith("dW"):
            return f"dW{layer} = dz{up} @ a{layer}.T{self._penalty_words(place)}"
        if place.startswith("dgamma"):
            return f"dgamma{layer} = (du{up} * normal{up}).sum(axis=1, keepdims=True)"
        if place.startswith(("dbeta", "db")):
            error = f"du{up}" if place.startswith("dbeta") else f"dz{up}"
            return f"{place} = {error}.sum(axis=1, keepdims=True){self._penalty_words(place)}"
        if layer == self.top:
            return self._error_line()
        if place.startswith("dz") and self.norms[layer] is not None:
            return self._norm_line(layer)
        mask = "" if self.masks[layer] is None else f" * mask{layer}"
        return f"{place} = W{layer}.T @ dz{up}{mask}{self._times_slope(layer)}"

    def _error_line(self) -> str:
        a = f"a{self.top}"
        da = SLOPES_OF_LOSSES[self.loss].format(a=a) + self._reduction_line()
        if LOSSES[self.loss].output is not None:
            return f"dz{self.top} = {da}"
        if self.activations[self.top] == "softmax":
            return f"da = {da}; dz{self.top} = {a} * (da - (da * {a}).sum(axis=0))"
        return f"dz{self.top} = {da}{self._times_slope(self.top)}"

    def _reduction_line(self) -> str:
        """What a loss's slopes are multiplied by."""
        per_sample, weighted = LOSSES[self.loss].per_sample, self.weights is not None
        weights = " * weights" if weighted else ""
        if self.reduction == "sum":
            return weights
        if weighted:
            return f"{weights} / weights.sum()" + ("" if per_sample else " / len(y)")
        return " / m" if per_sample else " / y.size"

    def _norm_line(self, layer: int) -> str:
        du, normal = f"du{layer}", f"normal{layer}"
        of_mean = f"{du}.mean(axis=1, keepdims=True)"
        of_spread = f"{normal} * ({du} * {normal}).mean(axis=1, keepdims=True)"
        factor = f"gamma{layer - 1} / np.sqrt(variance{layer} + {EPSILON:g})"
        return f"dz{layer} = {factor} * ({du} - {of_mean} - {of_spread})"

    def met(self, layer: int) -> str:
        """The name of what a layer's activation met: z1, or u1 after normalisation; x at 0."""
        return "x" if layer == 0 else f"{'z' if self.norms[layer] is None else 'u'}{layer}"

    def slope(self, layer: int) -> str:
        """How g' is written."""
        return f"{self.activations[layer]}'({self.met(layer)})"

    def _times_slope(self, layer: int) -> str:
        return "" if self.activations[layer] == "linear" else f" * {self.slope(layer)}"


def layer_of(name: str) -> int:
    """The layer in dz2, dW0, dgamma0.

    >>> layer_of("dW12")
    12
    """
    return int(name.lstrip(ascii_letters))


def is_error(place: str) -> bool:
    """Whether it is an error, that goes on below, and no array.

    >>> is_error("du1"), is_error("db1")
    (True, False)
    """
    return place.startswith(("dz", "du"))


def over_samples(terms: Array) -> Array:
    """The sum of (width, m) over samples, (width, 1): db from dz, dβ from du, dγ from du x̂."""
    total: Array = terms.sum(axis=1, keepdims=True)
    return total


def derivative_of(activation: str) -> Function:
    """The derivative of an activation by z, elementwise.

    >>> derivative_of("tanh")(np.array([0.0]))
    array([1.])
    """
    return OUTPUTS[activation].slope


def slope_from(activation: str, z: Array, a: Array) -> Array:
    """What the formula for g' gives for these z and a."""
    slope = np.ones_like(a)
    OUTPUTS[activation].backward(z.copy(), a, slope)  # which uses its z up
    return slope


def true_pass(
    network: NeuralNetwork,
    parameters: Array,
    batch: Batch,
    l1: float = 0.0,
    l2: float = 0.0,
    *,
    running: bool = False,
) -> TruePass:
    """The true pass of a network with these parameters (P,) on a checked batch, in float64.

    l1, l2   come on top of the network's own penalties
    running  normalise by the running statistics, and not by those of this batch
    """
    layers = LayeredParameters(network.layer_sizes, network.batch_norm)
    layers.parameters = parameters
    top, gammas, betas = len(layers.weights), layers.gammas, layers.betas
    names, values, derivatives = _functions(network)
    masks = [None, *(batch.masks or [None] * (top - 1)), None]
    norms: list[Norm | None] = [None]
    z, u, a = [batch.x], [batch.x], [batch.x]
    for layer, (W, b) in enumerate(zip(layers.weights, layers.biases, strict=True), start=1):
        z.append(W @ a[-1] + b)
        normalised = layer <= len(gammas)
        norms.append(_norm(network, layer, gammas[layer - 1], z[-1], running) if normalised else None)
        norm = norms[-1]
        u.append(z[-1] if norm is None else norm.gamma * norm.normal + betas[layer - 1])
        mask = masks[layer]
        value = values[layer - 1](u[-1])
        a.append(value if mask is None else value * mask)
    l1 += sum(penalty.strength for penalty in network.penalties if isinstance(penalty, L1))
    l2 += sum(penalty.strength for penalty in network.penalties if isinstance(penalty, L2))
    return TruePass(
        W=list(layers.weights),
        b=list(layers.biases),
        z=z,
        u=u,
        a=a,
        masks=masks,
        norms=norms,
        y=batch.y,
        weights=batch.weights,
        loss=network.loss_name,
        reduction=network.reduction,
        activations=["", *names],
        derivatives=[derivatives[0], *derivatives],
        l1=l1,
        l2=l2,
        penalise_biases=network.penalise_biases,
    )


def _functions(network: NeuralNetwork) -> tuple[list[str], list[Function], list[Function]]:
    """Each layer's activation by name, value and derivative."""
    names = list(network.activation_names())
    values: list[Function] = [OUTPUTS[name].of for name in names]
    derivatives: list[Function] = [derivative_of(name) for name in names]
    if network.activation_name is not None:  # which a learner may have replaced
        for layer, name in enumerate(names):
            if layer < len(names) - 1 or name == network.activation_name:
                values[layer], derivatives[layer] = network.activation, network.activation_derivative
                names[layer] = "g" if network.has_own("activation") else name
    return names, values, derivatives


def _norm(network: NeuralNetwork, layer: int, gamma: Array, z: Array, running: bool) -> Norm:
    means = network.running_mean[layer - 1], network.running_variance[layer - 1]
    gathered_mean, gathered_variance = (np.asarray(number, dtype=float) for number in means)
    mean, variance = (gathered_mean, gathered_variance) if running else batch_statistics(z)
    s = inverse_spread(variance)
    return Norm(gamma, (z - mean) * s, s, inverse_spread(gathered_variance), running)
