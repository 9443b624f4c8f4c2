"""The true backward pass, quantity by quantity, with the line of code that each one is.

This room knows a NeuralNetwork's public names and the formulas. Letters as in `nn.network`: layer l maps a_l
to z_{l+1}; dz_{l+1} gives dW_l and db_l, and goes down to dz_l. m samples, L layers; g is the activation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nn.formulas import OUTPUTS
from nn.network import NeuralNetwork
from nn.objectives import LOSSES
from nn.penalties import L1, L2

Array = npt.NDArray[np.float64]
Function = Callable[[Array], Array]


@dataclass(frozen=True)
class TruePass:
    """One backward pass as it should be. The lists of layers run from 0 to L; z[0] is x.

    W            (out, in) of each layer, 0 … L-1
    masks        dropout's factors (width, m) by layer, None where there is no dropout
    activations  names by layer, of what made a_l; derivatives: their g' by z
    l1, l2       the loss reported holds l1 Σ|W| + l2/2 ΣW² besides
    """

    W: Sequence[Array]
    z: Sequence[Array]
    a: Sequence[Array]
    masks: Sequence[Array | None]
    y: Array
    loss: str
    reduction: str
    activations: Sequence[str]
    derivatives: Sequence[Function]
    l1: float
    l2: float

    @property
    def top(self) -> int:
        """The number of layers, L: the last dz is dz_L."""
        return len(self.W)

    @property
    def samples(self) -> int:
        """How many columns x has, m."""
        return int(self.y.shape[1])

    def error(self, loss: str) -> Array:
        """dz_L under a loss."""
        gradient, p = self.loss_gradient(loss), self.a[self.top]
        if LOSSES[loss].output is not None:
            return gradient
        if self.activations[self.top] == "softmax":
            OUTPUTS["softmax"].backward(np.empty_like(p), p, gradient)
            return gradient
        return gradient * self.derivatives[self.top](self.z[self.top])

    def loss_gradient(self, loss: str) -> Array:
        """The loss's gradient by the predictions; by the logits, where it is computed with an output."""
        return LOSSES[loss].reduced_gradient(self.y, self.a[self.top], self.reduction)

    def down(self, layer: int, dz: Array) -> Array:
        """dz_l of a hidden layer from dz_{l+1}: (Wᵀ dz) ⊙ mask ⊙ g'(z)."""
        da = self.W[layer].T @ dz
        mask = self.masks[layer]
        return (da if mask is None else da * mask) * self.derivatives[layer](self.z[layer])

    def errors(self) -> list[Array]:
        """Every dz_l, by layer; at 0 stands an empty array."""
        dz = [self.error(self.loss)]
        for layer in range(self.top - 1, 0, -1):
            dz.insert(0, self.down(layer, dz[0]))
        return [np.empty((0, self.samples)), *dz]

    def penalty(self, layer: int) -> Array:
        """The penalty's part of dW_l: l1 sign W + l2 W."""
        return self.l1 * np.sign(self.W[layer]) + self.l2 * self.W[layer]

    def weight_gradient(self, layer: int, dz: Array) -> Array:
        """dW_l from dz_{l+1}."""
        return dz @ self.a[layer].T + self.penalty(layer)

    def gradients(self) -> dict[str, Array]:
        """{"dW0": …, "db0": …, …}."""
        named = {}
        for layer, dz in enumerate(self.errors()[1:]):
            named[f"dW{layer}"] = self.weight_gradient(layer, dz)
            named[f"db{layer}"] = bias_gradient(dz)
        return named

    # The right lines of code.

    def line(self, place: str) -> str:
        """What computes a quantity: "dz1", "dW0" or "db0"."""
        layer = int(place[2:])
        if place.startswith("dW"):
            penalty = f" + {self.l1:g} * np.sign(W{layer})" if self.l1 else ""
            penalty += f" + {self.l2:g} * W{layer}" if self.l2 else ""
            return f"dW{layer} = dz{layer + 1} @ a{layer}.T{penalty}"
        if place.startswith("db"):
            return f"db{layer} = dz{layer + 1}.sum(axis=1, keepdims=True)"
        if layer == self.top:
            return self._error_line()
        mask = "" if self.masks[layer] is None else f" * mask{layer}"
        return f"dz{layer} = W{layer}.T @ dz{layer + 1}{mask}{self._times_slope(layer)}"

    def _error_line(self) -> str:
        a = f"a{self.top}"
        rule = LOSSES[self.loss]
        mean = "" if self.reduction == "sum" else f" / {'m' if rule.per_sample else 'y.size'}"
        if rule.of_pass is not None:
            return f"dz{self.top} = ({a} - y){mean}"
        da = f"2 * ({a} - y){mean}" if self.loss == "mean_squared_error" else f"d_{self.loss}/d_{a}"
        if self.activations[self.top] == "softmax":
            return f"da = {da}; dz{self.top} = {a} * (da - (da * {a}).sum(axis=0))"
        return f"dz{self.top} = {da}{self._times_slope(self.top)}"

    def slope(self, layer: int) -> str:
        """How g'(z_l) is written."""
        return f"{self.activations[layer]}'(z{layer})"

    def _times_slope(self, layer: int) -> str:
        return "" if self.activations[layer] == "linear" else f" * {self.slope(layer)}"


def bias_gradient(dz: Array) -> Array:
    """The sum of dz (out, m) over samples, db (out, 1)."""
    db: Array = dz.sum(axis=1, keepdims=True)
    return db


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
    x: object,
    y: object,
    masks: Mapping[int, Array],
    l1: float = 0.0,
    l2: float = 0.0,
) -> TruePass:
    """The true pass of a network on checked samples, with dropout masks by layer.

    The network's own penalties come on top of l1 and l2.
    """
    top = len(network.weights)
    names = list(network.activation_names())
    values: list[Function] = [OUTPUTS[name].of for name in names]
    derivatives: list[Function] = [derivative_of(name) for name in names]
    if network.activation_name is not None:  # which a learner may have replaced
        for layer, name in enumerate(names):
            if layer < top - 1 or name == network.activation_name:
                values[layer], derivatives[layer] = network.activation, network.activation_derivative
                names[layer] = "g" if network.has_own("activation") else name
    z, a = [np.asarray(x, dtype=float)], [np.asarray(x, dtype=float)]
    for layer, (W, b) in enumerate(zip(network.weights, network.biases, strict=True), start=1):
        z.append(W @ a[-1] + b)
        a.append(values[layer - 1](z[-1]))
        if layer in masks:
            a[-1] = a[-1] * masks[layer]
    l1 += sum(penalty.strength for penalty in network.penalties if isinstance(penalty, L1))
    l2 += sum(penalty.strength for penalty in network.penalties if isinstance(penalty, L2))
    return TruePass(
        W=list(network.weights),
        z=z,
        a=a,
        masks=[masks.get(layer) for layer in range(top + 1)],
        y=np.asarray(y, dtype=float),
        loss=network.loss_name,
        reduction=network.reduction,
        activations=["", *names],
        derivatives=[derivatives[0], *derivatives],
        l1=l1,
        l2=l2,
    )
