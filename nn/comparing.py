"""The proof that they agree: one network's gradients, computed in several ways, array by array.

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
from nn.engines import Engine, LiftedEngine, ModelEngine, ScalarEngine
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
               - an engine, anything with loss_and_gradient, at the parameters of the network beside it or
                 else at those of its own model;
               - a function (x, y) -> {"dW0": …, "db0": …, …}, or such a dict itself
    reference  the same choice. None: the candidate's own twin in the other engine: of a NeuralNetwork
               the MLP of Values with its parameters, of an MLP the NeuralNetwork; and the program lifted
               from the MLP is compared with it, too: a note says that it agrees, or its arrays follow as
               "dW0 lifted", "db0 lifted", … . A NeuralNetwork with a learner's own activation or
               compute_loss has no twin: the loss it reports is differentiated numerically, each array's
               parameters along one random direction
    loss       an MLP's; None: that of the network or engine beside it, or "mean_squared_error"
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
    sides = candidate, _twin(candidate, loss) if reference is None else reference
    point = _point(sides, loss)
    ours, theirs = (_gradients(side, x, y, loss, point) for side in sides)
    names, terms = (_name(sides[0]), _name(sides[1])), _terms(point, x, y, loss)
    report = compare_arrays(ours, theirs, tolerance, names, terms)
    notes = [_uncompared_loss(side) for side in sides if _has_own(side, "compute_loss")]
    report = replace(report, note="\n".join(notes))
    if reference is not None:
        return report
    lifted = LiftedEngine(next(side for side in sides if isinstance(side, MLP)), loss)
    found = _gradients(lifted, x, y, loss, point)
    return _with_lifted(report, compare_arrays(found, theirs, tolerance, names, terms))


def _with_lifted(report: GradientReport, lifted: GradientReport) -> GradientReport:
    """The report with what comparing the lifted program with the same reference came to."""
    if lifted.ok:
        worst = lifted.worst
        excused = ", which is rounding" if worst.relative > lifted.tolerance else ""
        note = f"lifted program: agrees, at most {worst.relative:.1e} of an array's magnitude{excused}"
        return replace(report, note=f"{report.note}\n{note}".strip())
    rows = [
        replace(row, name=f"{row.name} lifted", note=row.note or "the lifted program, as the candidate")
        for row in lifted.rows
    ]
    return replace(report, rows=(*report.rows, *rows))


def _loss_of(sides: tuple[Any, Any], given: str | None) -> str:
    """The loss of a network or engine among the sides, which the one given must be; else the one given."""
    if given is not None:
        checks.one_of("loss", given, LOSSES)
    for network in (side for side in sides if isinstance(side, NeuralNetwork | ModelEngine)):
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


def _point(sides: tuple[Any, Any], loss: str) -> NeuralNetwork | None:
    """The network at whose parameters engines are compared: a side's own, else that of an engine's model."""
    own = [side for side in reversed(sides) if not isinstance(side, ModelEngine)]
    models = [side for side in reversed(sides) if isinstance(side, ModelEngine)]
    networks = [network for side in (*own, *models) if (network := _network(side, loss)) is not None]
    plain = [network for network in networks if not _has_own(network, "activation")]
    return next(iter(plain or networks), None)


def _network(side: Any, loss: str) -> NeuralNetwork | None:
    """The network with this side's layers and parameters, where it has them."""
    model = side.model if isinstance(side, ModelEngine) else side
    if isinstance(model, MLP):
        return NeuralNetwork.from_mlp(model, loss)
    return side if isinstance(side, NeuralNetwork) else None


def _terms(network: NeuralNetwork | None, x: Any, y: Any, loss: str) -> dict[str, float]:
    """The size of the terms in each gradient array, where the formulas are known."""
    if network is None or _has_own(network, "activation"):
        return {}
    plain = NeuralNetwork.from_mlp(network.to_mlp(), loss)
    samples = checks.samples(x, y, plain.layer_sizes[0], plain.layer_sizes[-1], loss)
    return gradient_terms(plain, *samples)


def _twin(candidate: Any, loss: str) -> Any:
    if isinstance(candidate, MLP):
        return NeuralNetwork.from_mlp(candidate, loss)
    if isinstance(candidate, NeuralNetwork):
        return candidate.to_mlp()
    raise TypeError(
        f"reference: expected what to compare {_name(candidate)} with; only a NeuralNetwork and an MLP have "
        "a twin of their own. Pass reference=NeuralNetwork(…) with the same parameters"
    )


def _gradients(source: Any, x: Any, y: Any, loss: str, point: NeuralNetwork | None) -> Gradients:
    """A side's gradients by name; an engine's at the parameters of `point`."""
    if isinstance(source, Mapping):
        return source
    if isinstance(source, MLP):
        return _of_engine(ScalarEngine(source, loss), x, y, NeuralNetwork.from_mlp(source, loss))
    if hasattr(source, "forward") and hasattr(source, "backward"):
        gradients: Gradients = source.backward(x, y, source.forward(x))
        return gradients
    if hasattr(source, "loss_and_gradient"):
        return _of_engine(source, x, y, point)
    if isinstance(source, Callable):  # type: ignore[arg-type]
        return source(x, y)  # type: ignore[no-any-return]
    raise TypeError(
        "expected a network with forward and backward, an MLP, an engine, a function (x, y) -> gradients or "
        f"a dict of gradients, got {type(source).__name__}"
    )


def _of_engine(engine: Engine, x: Any, y: Any, point: NeuralNetwork | None) -> Gradients:
    if point is None:
        raise TypeError(
            f"{_name(engine)}: an engine is compared at the parameters of a NeuralNetwork or an MLP, "
            "and neither side has them; pass one as the other side"
        )
    _, gradient = engine.loss_and_gradient(point.parameters, x, y)
    return point.named_gradients(gradient)


def _name(source: Any) -> str:
    if isinstance(source, MLP):
        return "MLP of Values"
    if isinstance(source, Mapping):
        return "the given dict"
    return getattr(source, "__name__", type(source).__name__)
