"""The proof that they agree: one network's gradients, computed in several ways, array by array.

This room knows the witnesses, the lifted engine, the size of a gradient's terms, and `autograd`'s reports.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from autograd import GradientReport, check_gradients, compare_arrays
from nn import checks
from nn.dropout import Masks
from nn.engines import LiftedEngine
from nn.layers import MLP
from nn.network import NeuralNetwork
from nn.rounding import gradient_terms
from nn.witnesses import Question, gradients_of, has_own, name_of, objective_of, point_of, twin_of


def compare_gradients(
    candidate: Any,
    x: Any,
    y: Any,
    reference: Any = None,
    *,
    loss: str | None = None,
    weights: Any = None,
    masks: Masks | None = None,
    tolerance: float | None = None,
) -> GradientReport:
    """Compare a candidate's gradients on samples x (inputs, N), y (outputs, N) with a reference's.

    candidate  whose gradients are in question:
               - a NeuralNetwork, or any object with the tutorial's forward(x) and backward(x, y, cache);
               - an MLP of Values, under `loss`;
               - an engine, anything with loss_and_gradient, at the parameters of the network beside it or
                 else at those of its own model;
               - a function (x, y) -> {"dW0": …, "db0": …, …}, or such a dict itself, which must know of
                 weights and masks without being told
    reference  the same choice. None: the candidate's own twin in the other engine: of a NeuralNetwork
               the MLP of Values with its parameters, of an MLP the NeuralNetwork; and the program lifted
               from the MLP is compared with it, too: a note says that it agrees, or its arrays follow as
               "dW0 lifted", "db0 lifted", … . A NeuralNetwork with a learner's own activation or
               compute_loss has no twin: the loss it reports is differentiated numerically, each array's
               parameters along one random direction
    loss       an MLP's; None: that of the network or engine beside it, whose reduction and penalties it
               takes over, too, or the "mean_squared_error" alone
    weights    (N,), the samples' weights in the loss; None: all count the same
    masks      what dropout keeps, as draw_masks of a network or an MLP gives them; None: everything. With
               batch normalisation, gradients are those of training, by the statistics of these samples
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
    objective = objective_of((candidate, reference), loss)
    if reference is None and has_own(candidate, "activation", "compute_loss"):
        return _against_its_loss(candidate, x, y, tolerance, weights=weights, masks=masks)
    sides = candidate, twin_of(candidate, objective) if reference is None else reference
    question = Question(x, y, weights, masks, objective, point_of(sides, objective))
    ours, theirs = (gradients_of(side, question) for side in sides)
    names, terms = (name_of(sides[0]), name_of(sides[1])), _terms(question)
    report = compare_arrays(ours, theirs, tolerance, names, terms)
    notes = [_uncompared_loss(side) for side in sides if has_own(side, "compute_loss")]
    report = replace(report, note="\n".join(notes))
    if reference is not None:
        return report
    lifted = objective.engine(LiftedEngine, next(side for side in sides if isinstance(side, MLP)))
    found = gradients_of(lifted, question)
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


def _uncompared_loss(side: Any) -> str:
    return f"compute_loss of {name_of(side)} is a learner's own; it has not been compared"


def _against_its_loss(
    network: NeuralNetwork, x: Any, y: Any, tolerance: float | None, **options: Any
) -> GradientReport:
    """The network's gradient against the slopes of the loss it reports, along one direction an array."""
    theta = network.parameters.copy()
    _, gradient = network.loss_and_gradient(theta, x, y, **options)
    rng = np.random.default_rng(0)
    drawn = network.named_gradients(rng.standard_normal(theta.size))
    ways = {name: way / np.linalg.norm(way) for name, way in drawn.items()}
    none = dict.fromkeys(ways, 0.0)

    def loss(steps: dict[str, float]) -> float:
        moved = {name: step * ways[name] for name, step in steps.items()}
        return network.loss_and_gradient(theta + network.flat_gradient(moved), x, y, **options)[0]

    arrays = network.named_gradients(gradient)
    slopes = {name: float(np.sum(array * ways[name])) for name, array in arrays.items()}
    allowed = 1e-6 if tolerance is None else tolerance      # what central differences can tell
    report = check_gradients(loss, none, gradient=lambda _: slopes, tolerance=allowed)
    return replace(
        report,
        candidate=name_of(network),
        reference="its loss, numerically",
        note="each row: the slope along one random direction among that array's parameters\n"
        "(activation or compute_loss is a learner's own, and has no twin on Values)",
    )


def _terms(question: Question) -> dict[str, float]:
    """The size of the terms in each gradient array, where the formulas are known."""
    network = question.point
    if network is None or has_own(network, "activation"):
        return {}
    plain = question.objective.network(network.to_mlp())
    sizes, loss = plain.layer_sizes, question.objective.loss
    x, y = checks.samples(question.x, question.y, sizes[0], sizes[-1], loss)
    weights = question.weights
    if weights is not None:
        weights = checks.sample_weights("weights", weights, x.shape[1])
    return gradient_terms(plain, x, y, weights=weights, masks=question.masks)
