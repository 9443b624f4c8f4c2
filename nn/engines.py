"""Engines: anything with loss_and_gradient(parameters (P,), X, Y) -> (float, (P,)), samples as columns.

`NeuralNetwork` is one by itself; here are the two that an MLP of Values gives: swept scalar by scalar, and
lifted to array operations. This room knows layers, losses, penalties, the checks at the door and `autograd`'s
public names.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from autograd import Program, Value, dot, lift
from autograd import sum as add_up
from nn import checks
from nn.dropout import Masks, checked_masks
from nn.layers import MLP
from nn.losses import LOSSES
from nn.penalties import L1, L2

Array = npt.NDArray[np.float64]
Order = npt.NDArray[np.intp]

KEPT = 4    # programs that a lifted engine keeps


class Engine(Protocol):
    """What training and comparing ask of a network."""

    def loss_and_gradient(
        self, parameters: Array, x: Array, y: Array, *, weights: Any = None, masks: Any = None
    ) -> tuple[float, Array]:
        """The loss at `parameters` on samples x, y, and its gradient in the same order."""


class ModelEngine(ABC):
    """What the engines of an MLP of Values share: the model, its loss, and what they take.

    model      an MLP; its parameters' order is that of every vector (P,)
    loss       one of nn.losses.LOSSES; "binary_cross_entropy" where the model's output is sigmoid,
               "cross_entropy" where it is softmax, "hinge" and "binary_cross_entropy_with_logits" where it is
               linear, the others with any output
    reduction  "mean" or "sum", of the loss's terms
    penalties  L1 or L2 of nn.penalties, on the weights, added to the loss
    penalise_biases  whether they are on the biases, too
    """

    def __init__(
        self,
        model: MLP,
        loss: str = "mean_squared_error",
        *,
        reduction: str = "mean",
        penalties: Iterable[L1 | L2] = (),
        penalise_biases: bool = False,
    ) -> None:
        if not isinstance(model, MLP):
            raise TypeError(f"model: expected an nn.MLP, got {type(model).__name__}")
        self.model = model
        self.loss_name = checks.one_of("loss", loss, LOSSES)
        self.loss = LOSSES[loss]
        needed = self.loss.output
        if needed not in (None, model.output):
            raise ValueError(f"loss {loss!r} needs output {needed!r}; the model's is {model.output!r}")
        self.reduction = checks.one_of("reduction", reduction, checks.REDUCTIONS)
        self.penalties = list(penalties)
        for penalty in self.penalties:
            if not isinstance(penalty, L1 | L2):
                raise TypeError(f"penalties: expected L1(strength) or L2(strength), got {penalty!r:.60}")
        self.penalise_biases = checks.flag("penalise_biases", penalise_biases)
        self._count = len(model.parameters())

    def loss_and_gradient(
        self, parameters: Any, x: Any, y: Any, *, weights: Any = None, masks: Masks | None = None
    ) -> tuple[float, Array]:
        """Loss and gradient (P,) at `parameters` (P,) for x (inputs, N) and y (outputs, N).

        y        for the cross-entropy, class labels (N,) as well
        weights  (N,), by which each sample's terms of the loss are multiplied; their mean is divided by the
                 weights' sum
        masks    what the model's dropout keeps (see MLP.draw_masks); None: all

        Batch normalisation is by the statistics of these samples, which must be 2 or more; the running ones
        stay as they are.
        """
        x, y = checks.samples(x, y, self.model.sizes[0], self.model.sizes[-1], self.loss_name)
        theta = checks.exactly("parameters", parameters, (self._count,))
        samples = x.shape[1]
        if weights is not None:
            weights = checks.sample_weights("weights", weights, samples)
        kept = checked_masks(masks, self.model.sizes, samples, np.float64)
        if kept is None:
            kept = [None] * len(self.model.sizes[1:-1])
        return self._loss_and_gradient(theta, x, y, weights, kept)

    @abstractmethod
    def _loss_and_gradient(
        self, theta: Array, x: Array, y: Array, weights: Array | None, masks: Masks
    ) -> tuple[float, Array]:
        """The same for checked arrays."""

    def _outputs(self, x: list[list[Any]], masks: Masks) -> list[list[Value]]:
        """What the loss starts from, for samples x, one row each; RuntimeError within no_grad()."""
        if self.loss.output is not None:
            outputs = self.model.logits(x, masks, training=True)
        else:
            single_or_list = self.model(x, masks, training=True)
            outputs = [a if isinstance(a, list) else [a] for a in single_or_list]
        if outputs[0][0].is_constant:
            raise RuntimeError("no gradient within no_grad(), where nothing is recorded: ask outside of it")
        return outputs

    def _recorded_penalties(self) -> list[Value]:
        penalised = self.model.weights(biases=self.penalise_biases)
        return [penalty(penalised) for penalty in self.penalties]


class ScalarEngine(ModelEngine):
    """The gradient by one backward sweep over the whole batch, recorded anew; arguments as of ModelEngine.

    >>> from nn.layers import MLP
    >>> engine = ScalarEngine(MLP(1, [1]))
    >>> loss, gradient = engine.loss_and_gradient([2.0, 0.0], [[1.0, 3.0]], [[1.0, 3.0]])
    >>> loss, gradient.tolist()          # mean (2x - x)², mean 2(2x - x)x, mean 2(2x - x)
    (5.0, [10.0, 4.0])
    """

    def _loss_and_gradient(
        self, theta: Array, x: Array, y: Array, weights: Array | None, masks: Masks
    ) -> tuple[float, Array]:
        leaves = self.model.parameters()
        before = [(leaf.data, leaf.grad) for leaf in leaves]
        try:
            for leaf, number in zip(leaves, theta.tolist(), strict=True):
                leaf.data, leaf.grad = number, 0.0
            outputs = self._outputs(x.T.tolist(), masks)
            loss = self.loss.function(outputs, y.T.tolist(), self.reduction, weights)
            loss = add_up([loss, *self._recorded_penalties()])
            loss.backward()
            return loss.data, np.array([leaf.grad for leaf in leaves])
        finally:
            for leaf, (data, grad) in zip(leaves, before, strict=True):
                leaf.data, leaf.grad = data, grad


class LiftedEngine(ModelEngine):
    """The gradient by a lifted program; arguments as of ModelEngine.

    One sample's loss is recorded once, and run on any number of samples. Where batch normalisation ties the
    samples of a batch together, the batch is recorded, once for each of the last few sizes met. The model is
    read when that is done, and its Values are never touched; `program` gives what was lifted.

    >>> from nn.layers import MLP
    >>> engine = LiftedEngine(MLP(1, [1]))
    >>> loss, gradient = engine.loss_and_gradient([2.0, 0.0], [[1.0, 3.0]], [[1.0, 3.0]])
    >>> loss, gradient.tolist()
    (5.0, [10.0, 4.0])
    """

    @cached_property
    def _programs(self) -> dict[tuple[int, tuple[bool, ...]], tuple[Program, Order]]:
        return {}

    def program(self, samples: int, masked: tuple[bool, ...] = ()) -> Program:
        """What runs on so many samples, with a mask in these of the hidden layers; () is none.

        Its inputs are, for each sample that it records, x, y, the masks and the sample's share of the loss.
        """
        return self._lifted(samples, masked or (False,) * len(self.model.sizes[1:-1]))[0]

    def _lifted(self, samples: int, masked: tuple[bool, ...]) -> tuple[Program, Order]:
        """The program, and where its parameters are among the model's."""
        key = samples if self.model.batch_norm else 1, masked
        if key not in self._programs:
            while len(self._programs) >= KEPT:
                del self._programs[next(iter(self._programs))]
            program = self._lift(*key)
            places = {leaf: i for i, leaf in enumerate(self.model.parameters())}
            order = np.array([places[leaf] for leaf in program.parameters], dtype=np.intp)
            self._programs[key] = program, order
        return self._programs[key]

    def _lift(self, samples: int, masked: tuple[bool, ...]) -> Program:
        widths = self.model.sizes
        x, y = _leaves("x", widths[0], samples), _leaves("y", widths[-1], samples)
        masks: list[Any] = [
            _leaves(f"mask{layer}_", width, samples) if there else None
            for layer, (width, there) in enumerate(zip(widths[1:-1], masked, strict=True))
        ]
        share = _leaves("share", 1, samples)
        outputs = self._outputs(x.T.tolist(), masks)
        losses = [
            self.loss.function([output], [target], self.reduction)
            for output, target in zip(outputs, y.T.tolist(), strict=True)
        ]
        inputs = np.concatenate([x, y, *_there(masks), share])
        return lift([dot(share[0], losses), *self._recorded_penalties()], inputs=inputs.T.ravel().tolist())

    def _loss_and_gradient(
        self, theta: Array, x: Array, y: Array, weights: Array | None, masks: Masks
    ) -> tuple[float, Array]:
        samples = x.shape[1]
        program, order = self._lifted(samples, tuple(mask is not None for mask in masks))
        columns = 1 if self.model.batch_norm else samples
        share = np.full(samples, float(columns)) if weights is None else columns * weights
        if self.reduction == "mean":            # the program's value is the mean over its columns
            share /= samples if weights is None else weights.sum()
        rows = np.concatenate([x, y, *_there(masks), share[np.newaxis]])
        loss, found = program.value_and_gradient(theta[order], rows.T.reshape(columns, -1).T)
        gradient = np.zeros_like(theta)         # where the loss does not depend on a parameter
        gradient[order] = found
        return loss, gradient


def _there(masks: Iterable[Any]) -> list[Any]:
    return [mask for mask in masks if mask is not None]


def _leaves(name: str, width: int, samples: int) -> npt.NDArray[np.object_]:
    """Inputs to be named (width, samples)."""
    leaves = np.empty((width, samples), dtype=object)
    for i, n in np.ndindex(width, samples):
        leaves[i, n] = Value(0.0, f"{name}{i}" if samples == 1 else f"{name}{i}_{n}")
    return leaves
