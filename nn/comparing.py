"""The proof that they agree: one network's gradients, computed in two ways, array by array.

This room knows the engines, the two kinds of network, and `autograd`'s reports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from autograd import GradientReport, compare_arrays
from nn.engines import ScalarEngine
from nn.layers import MLP
from nn.network import NeuralNetwork

Gradients = Mapping[str, Any]


def compare_gradients(
    candidate: Any,
    x: Any,
    y: Any,
    reference: Any = None,
    *,
    loss: str = "mean_squared_error",
    tolerance: float = 1e-12,
) -> GradientReport:
    """Compare a candidate's gradients on samples x (inputs, N), y (outputs, N) with a reference's.

    candidate  whose gradients are in question:
               - a NeuralNetwork, or any object with the tutorial's forward(x) and backward(x, y, cache);
               - an MLP of Values, under `loss`;
               - a function (x, y) -> {"dW0": …, "db0": …, …}, or such a dict itself
    reference  the same choice. None: the candidate's own twin in the other engine: of a NeuralNetwork
               the MLP of Values with its parameters, of an MLP the NeuralNetwork
    loss       an MLP's; a NeuralNetwork has its own
    tolerance  the largest absolute difference allowed, as a share of the array's largest magnitude

    Raises TypeError where the candidate has no twin and no reference is given.

    >>> import numpy as np
    >>> network = NeuralNetwork([2, 3, 1], rng=np.random.default_rng(0))
    >>> x, y = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([[1.0, 0.0]])
    >>> compare_gradients(network, x, y).ok
    True
    >>> wrong = network.backward(x, y, network.forward(x))
    >>> wrong["dW1"] = 2 * wrong["dW1"]
    >>> report = compare_gradients(wrong, x, y, reference=network)
    >>> [row.name for row in report.rows if not row.ok]
    ['dW1']
    """
    if isinstance(candidate, NeuralNetwork):
        loss = candidate.loss_name
    if reference is None:
        reference = _twin(candidate, loss)
    return compare_arrays(
        _gradients(candidate, x, y, loss),
        _gradients(reference, x, y, loss),
        tolerance,
        (_name(candidate), _name(reference)),
    )


def _twin(candidate: Any, loss: str) -> Any:
    if isinstance(candidate, MLP):
        return NeuralNetwork.from_mlp(candidate, loss)
    if isinstance(candidate, NeuralNetwork):
        return candidate.to_mlp()
    raise TypeError(
        f"reference: expected what to compare {_name(candidate)} with; only a NeuralNetwork and an MLP have "
        "a twin of their own. Pass reference=NeuralNetwork(…) with the same parameters"
    )


def _gradients(source: Any, x: Any, y: Any, loss: str) -> Gradients:
    if isinstance(source, Mapping):
        return source
    if isinstance(source, MLP):
        network = NeuralNetwork.from_mlp(source, loss)
        _, gradient = ScalarEngine(source, loss).loss_and_gradient(network.parameters, x, y)
        return network.named_gradients(gradient)
    if hasattr(source, "forward") and hasattr(source, "backward"):
        gradients: Gradients = source.backward(x, y, source.forward(x))
        return gradients
    if isinstance(source, Callable):  # type: ignore[arg-type]
        return source(x, y)  # type: ignore[no-any-return]
    raise TypeError(
        "expected a network with forward and backward, an MLP, a function (x, y) -> gradients or a dict of "
        f"gradients, got {type(source).__name__}"
    )


def _name(source: Any) -> str:
    if isinstance(source, MLP):
        return "MLP of Values"
    if isinstance(source, Mapping):
        return "the given dict"
    return getattr(source, "__name__", type(source).__name__)
