"""The two kinds of network, one made like the other: settings, parameters and running statistics.

Knows a NeuralNetwork by the attributes of `Settled`, and an MLP of Values by its own. The MLP is imported
where it is needed only: who computes by hand has no need of Values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from nn.formulas import ACTIVATIONS

if TYPE_CHECKING:
    from nn.layers import MLP

Array = npt.NDArray[np.float64]


class Settled(Protocol):
    """What is asked of a NeuralNetwork."""

    layer_sizes: list[int]
    activation_name: str | None
    output_name: str
    reduction: str
    penalties: list[Any]
    penalise_biases: bool
    dropout: list[float]
    batch_norm: bool
    running_mean: list[Array]
    running_variance: list[Array]

    @property
    def parameters(self) -> Array: ...

    @property
    def loss_name(self) -> str: ...

    def activation_names(self) -> list[str]: ...

    def has_own(self, method: str) -> bool: ...


def settings_of(model: object) -> dict[str, Any]:
    """With what a NeuralNetwork is made like this MLP; TypeError for anything else."""
    from nn.layers import MLP

    if not isinstance(model, MLP):
        raise TypeError(f"from_mlp: expected an nn.MLP, got {type(model).__name__}")
    return {
        "layer_sizes": model.sizes,
        "activation": model.activation,
        "output": model.output,
        "dropout": model.dropout,
        "batch_norm": model.batch_norm,
    }


def copy_numbers(model: MLP, network: Settled) -> None:
    """Write an MLP's parameters and running statistics to a network made like it."""
    network.parameters[:] = [parameter.data for parameter in model.parameters()]
    norms = [layer.norm for layer in model.layers if layer.norm is not None]
    for norm, mean, variance in zip(norms, network.running_mean, network.running_variance, strict=True):
        mean[:, 0], variance[:, 0] = norm.running_mean, norm.running_variance


def mlp_of(network: Settled) -> MLP:
    """The MLP of Values that computes what a network computes, with a copy of all its numbers."""
    from nn.layers import MLP

    if network.has_own("activation"):
        raise TypeError(
            f"to_mlp: {type(network).__name__} has an activation of its own, which an MLP of Values cannot "
            f"take over; its activations are {', '.join(ACTIVATIONS)}"
        )
    inputs, *layers = network.layer_sizes
    model = MLP(
        inputs,
        layers,
        network.activation_name or network.activation_names()[:-1],
        network.output_name,
        dropout=network.dropout,
        batch_norm=network.batch_norm,
    )
    copy_back(network, model)
    return model


def copy_back(network: Settled, model: MLP) -> None:
    """Write a network's parameters and running statistics to an MLP made like it."""
    for parameter, number in zip(model.parameters(), network.parameters.tolist(), strict=True):
        parameter.data = number
    norms = [layer.norm for layer in model.layers if layer.norm is not None]
    for norm, mean, variance in zip(norms, network.running_mean, network.running_variance, strict=True):
        norm.running_mean, norm.running_variance = mean[:, 0].tolist(), variance[:, 0].tolist()


def differences(network: Settled, engine: object) -> list[str]:
    """In what an MLP's engine is for another problem than a network, in words; of other engines, nothing."""
    from nn.engines import ModelEngine

    if not isinstance(engine, ModelEngine):
        return []
    model = engine.model
    pairs = {
        "layer sizes": (model.sizes, network.layer_sizes),
        "activations": ([layer.activation for layer in model.layers], network.activation_names()),
        "loss": (engine.loss_name, network.loss_name),
        "reduction": (engine.reduction, network.reduction),
        "penalties": (_strong(engine.penalties), _strong(network.penalties)),
        "penalties of biases": (_of_biases(engine), _of_biases(network)),
        "dropout": (model.dropout, network.dropout),
        "batch_norm": (model.batch_norm, network.batch_norm),
    }
    return [f"{name} {its}, not {ours}" for name, (its, ours) in pairs.items() if its != ours]


def _of_biases(penalised: Any) -> list[str]:
    return _strong(penalised.penalties) if penalised.penalise_biases else []


def _strong(penalties: list[Any]) -> list[str]:
    """In words and in order, those that penalise at all."""
    return sorted(repr(penalty) for penalty in penalties if penalty.strength)
