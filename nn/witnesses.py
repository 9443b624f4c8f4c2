"""Whoever has gradients, asked the same question: networks, engines, functions, dicts; gradients by name.

This room knows the engines, the two kinds of network, the losses and penalties that they may have, and the
checks at the door.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from nn import checks
from nn.dropout import Masks
from nn.engines import Engine, ModelEngine, ScalarEngine
from nn.layers import MLP
from nn.losses import LOSSES
from nn.network import NeuralNetwork
from nn.penalties import L1, L2

Gradients = Mapping[str, Any]
Kind = TypeVar("Kind", bound=ModelEngine)


class Objective(NamedTuple):
    """What is differentiated: a loss's name and reduction, and penalties, perhaps on biases, too."""

    loss: str
    reduction: str
    penalties: list[L1 | L2]
    penalise_biases: bool = False

    def engine(self, kind: type[Kind], model: MLP) -> Kind:
        """An engine of this kind for the model."""
        return kind(model, **self._options(), penalties=self.penalties)

    def network(self, model: MLP) -> NeuralNetwork:
        """The hand-derived network for the model."""
        l1, l2 = (sum(p.strength for p in self.penalties if isinstance(p, kind)) for kind in (L1, L2))
        return NeuralNetwork.from_mlp(model, **self._options(), l1=l1, l2=l2)

    def _options(self) -> dict[str, Any]:
        return {"loss": self.loss, "reduction": self.reduction, "penalise_biases": self.penalise_biases}


def objective_of(sides: tuple[Any, Any], loss: str | None) -> Objective:
    """That of a network or engine among the sides, whose loss must be the one given; else that loss alone."""
    if loss is not None:
        checks.one_of("loss", loss, LOSSES)
    found = Objective(loss or "mean_squared_error", "mean", [])
    for side in (side for side in sides if isinstance(side, NeuralNetwork | ModelEngine)):
        if loss not in (None, side.loss_name):
            raise ValueError(
                f"loss: that of the {type(side).__name__} is {side.loss_name!r}, got {loss!r}; "
                "leave it out, or compare with a network that has this loss"
            )
        loss = side.loss_name
        found = Objective(loss, side.reduction, side.penalties, side.penalise_biases)
    return found


@dataclass(frozen=True, slots=True)
class Question:
    """What each side is asked: the objective's gradients, on samples with their weights and masks.

    point  the network at whose parameters an engine is asked; None: no side has any
    """

    x: Any
    y: Any
    weights: Any
    masks: Masks | None
    objective: Objective
    point: NeuralNetwork | None


def gradients_of(side: Any, question: Question) -> Gradients:
    """A side's gradients by name. Functions and dicts must know of weights and masks by themselves.

    Raises TypeError for what has no gradients, and for an engine where there are no parameters to ask it at.
    """
    if isinstance(side, Mapping):
        return side
    if isinstance(side, MLP):
        objective = question.objective
        return _of_engine(objective.engine(ScalarEngine, side), question, objective.network(side))
    if hasattr(side, "forward") and hasattr(side, "backward"):
        return _by_cache(side, question)
    if hasattr(side, "loss_and_gradient"):
        return _of_engine(side, question, question.point)
    if isinstance(side, Callable):  # type: ignore[arg-type]
        return side(question.x, question.y)  # type: ignore[no-any-return]
    raise TypeError(
        "expected a network with forward and backward, an MLP, an engine, a function (x, y) -> gradients or "
        f"a dict of gradients, got {type(side).__name__}"
    )


def _by_cache(network: Any, question: Question) -> Gradients:
    """In the tutorial's two steps; a learner's own methods are told only what they must know."""
    training = getattr(network, "batch_norm", False) or None
    cache = network.forward(question.x, **_given(masks=question.masks, training=training))
    gradients: Gradients = network.backward(
        question.x, question.y, cache, **_given(weights=question.weights)
    )
    return gradients


def _of_engine(engine: Engine, question: Question, point: NeuralNetwork | None) -> Gradients:
    if point is None:
        raise TypeError(
            f"{name_of(engine)}: an engine is compared at the parameters of a NeuralNetwork or an MLP, "
            "and neither side has them; pass one as the other side"
        )
    options = _given(weights=question.weights, masks=question.masks)
    _, gradient = engine.loss_and_gradient(point.parameters, question.x, question.y, **options)
    return point.named_gradients(gradient)


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def point_of(sides: tuple[Any, Any], objective: Objective) -> NeuralNetwork | None:
    """The network at whose parameters engines are asked: a side's own, else that of an engine's model."""
    own = [side for side in reversed(sides) if not isinstance(side, ModelEngine)]
    models = [side.model for side in reversed(sides) if isinstance(side, ModelEngine)]
    networks = [
        objective.network(side) if isinstance(side, MLP) else side
        for side in (*own, *models)
        if isinstance(side, MLP | NeuralNetwork)
    ]
    plain = [network for network in networks if not has_own(network, "activation")]
    return next(iter(plain or networks), None)


def twin_of(candidate: Any, objective: Objective) -> Any:
    """The candidate's own network in the other engine, with a copy of its parameters."""
    if isinstance(candidate, MLP):
        return objective.network(candidate)
    if isinstance(candidate, NeuralNetwork):
        return candidate.to_mlp()
    raise TypeError(
        f"reference: expected what to compare {name_of(candidate)} with; only a NeuralNetwork and an MLP "
        "have a twin of their own. Pass reference=NeuralNetwork(…) with the same parameters"
    )


def has_own(side: Any, *methods: str) -> bool:
    """Whether a learner has put one of these methods into a NeuralNetwork."""
    return isinstance(side, NeuralNetwork) and any(map(side.has_own, methods))


def name_of(side: Any) -> str:
    """What a report calls this side."""
    if isinstance(side, MLP):
        return "MLP of Values"
    if isinstance(side, Mapping):
        return "the given dict"
    return getattr(side, "__name__", type(side).__name__)
