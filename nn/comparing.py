"""The proof that they agree: one network's gradients, computed in two ways, array by array.

This room knows the engines, the two kinds of network, the size of a gradient's terms, and `autograd`'s
reports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from autograd import GradientReport, check_gradients, compare_arrays
from nn import checks
from nn.engines import ScalarEngine
from nn.layers import MLP
from nn.losses import LOSSES
from nn.network import NeuralNetwork
from nn.rounding import gradient_terms

Gradients = Mapping[str, Any]


def compare_gradients(
    candidate: Any,
    x: Any,
    y: Any,
    reference: Any = None,
    *,
    loss: str | None = None,
    tolerance: float | None = None,
) -> GradientReport:
    """Compare a candidate's gradients on samples x (inputs, N), y (outputs, N) with a reference's.

    candidate  whose gradients are in question:
               - a NeuralNetwork, or any object with the tutorial's forward(x) and backward(x, y, cache);
               - an MLP of Values, under `loss`;
               - a function (x, y) -> {"dW0": …, "db0": …, …}, or such a dict itself
    reference  the same choice. None: the candidate's own twin in the other engine: of a NeuralNetwork
               the MLP of Values with its parameters, of an MLP the NeuralNetwork. A NeuralNetwork with a
               learner's own activation or compute_loss has no twin: the loss it reports is differentiated
               numerically, each array's parameters along one random direction
    loss       an MLP's; None: that of the NeuralNetwork beside it, or "mean_squared_error"
    tolerance  the largest absolute difference allowed, as a share of the array's largest magnitude; None:
               1e-12, where an array is float32 1e-4, numerically 1e-6

    Where one side is a NeuralNetwork or an MLP, arrays that differ by no more than rounding of the terms that
    they are summed from agree, too: a network that has learnt is not accused for the noise that is left.

    Raises TypeError where the candidate has no twin and no reference is given, ValueError for a loss that is
    not the network's.

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
    loss = _loss_of((candidate, reference), loss)
    if reference is None and _has_own(candidate, "activation", "compute_loss"):
        return _against_its_loss(candidate, x, y, tolerance)
    if reference is None:
        reference = _twin(candidate, loss)
    sides = candidate, reference
    ours, theirs = (_gradients(side, x, y, loss) for side in sides)
    names = _name(candidate), _name(reference)
    report = compare_arrays(ours, theirs, tolerance, names, _terms(sides, x, y, loss))
    notes = [_uncompared_loss(side) for side in sides if _has_own(side, "compute_loss")]
    return replace(report, note="\n".join(notes))


def _loss_of(sides: tuple[Any, Any], given: str | None) -> str:
    """The loss of a network among the sides, which the one given must be; else the one given."""
    if given is not None:
        checks.one_of("loss", given, LOSSES)
    for network in (side for side in sides if isinstance(side, NeuralNetwork)):
        if given not in (None, network.loss_name):
            raise ValueError(
                f"loss: that of the {type(network).__name__} is {network.loss_name!r}, got {given!r}; "
                "leave it out, or compare with a network that has this loss"
            )
        given = network.loss_name
    return given or "mean_squared_error"


def _has_own(side: Any, *methods: str) -> bool:
    """Whether a learner has put one of these methods into a NeuralNetwork."""
    return isinstance(side, NeuralNetwork) and any(map(side.has_own, methods))


def _uncompared_loss(side: Any) -> str:
    return f"compute_loss of {_name(side)} is a learner's own; it has not been compared"


def _against_its_loss(network: NeuralNetwork, x: Any, y: Any, tolerance: float | None) -> GradientReport:
    """The network's gradient against the slopes of the loss it reports, along one direction an array."""
    theta = network.parameters.copy()
    _, gradient = network.loss_and_gradient(theta, x, y)
    rng = np.random.default_rng(0)
    drawn = network.named_gradients(rng.standard_normal(theta.size))
    ways = {name: way / np.linalg.norm(way) for name, way in drawn.items()}
    none = dict.fromkeys(ways, 0.0)

    def loss(steps: dict[str, float]) -> float:
        moved = {name: step * ways[name] for name, step in steps.items()}
        return network.loss_and_gradient(theta + network.flat_gradient(moved), x, y)[0]

    arrays = network.named_gradients(gradient)
    slopes = {name: float(np.sum(array * ways[name])) for name, array in arrays.items()}
    allowed = 1e-6 if tolerance is None else tolerance      # what central differences can tell
    report = check_gradients(loss, none, gradient=lambda _: slopes, tolerance=allowed)
    return replace(
        report,
        candidate=_name(network),
        reference="its loss, numerically",
        note="each row: the slope along one random direction among that array's parameters\n"
        "(activation or compute_loss is a learner's own, and has no twin on Values)",
    )


def _terms(sides: tuple[Any, Any], x: Any, y: Any, loss: str) -> dict[str, float]:
    """The size of the terms in each gradient array, where a side is a network whose formulas are known."""
    for side in reversed(sides):
        known = isinstance(side, MLP | NeuralNetwork) and not _has_own(side, "activation")
        if known:
            plain = NeuralNetwork.from_mlp(side if isinstance(side, MLP) else side.to_mlp(), loss)
            samples = checks.samples(x, y, plain.layer_sizes[0], plain.layer_sizes[-1], loss)
            return gradient_terms(plain, *samples)
    return {}


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
