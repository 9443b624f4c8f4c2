"""Engines: anything with loss_and_gradient(parameters (P,), X, Y) -> (float, (P,)), samples as columns.

`NeuralNetwork` is one by itself; here are the two that an MLP of Values gives: swept scalar by scalar, and
lifted to array operations. This room knows layers, losses and `autograd`'s public names.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from autograd import Value, lift
from nn import checks
from nn.layers import MLP
from nn.losses import LOSSES

Array = npt.NDArray[np.float64]


class Engine(Protocol):
    """What training and comparing ask of a network."""

    def loss_and_gradient(self, parameters: Array, x: Array, y: Array) -> tuple[float, Array]:
        """The loss at `parameters` on samples x, y, and its gradient in the same order."""


class ModelEngine(ABC):
    """What the engines of an MLP of Values share: the model, its loss, and what they take.

    model  an MLP; its parameters' order is that of every vector (P,)
    loss   "mean_squared_error"; "binary_cross_entropy" where the model's output is sigmoid;
           "cross_entropy" where it is softmax
    """

    def __init__(self, model: MLP, loss: str = "mean_squared_error") -> None:
        if not isinstance(model, MLP):
            raise TypeError(f"model: expected an nn.MLP, got {type(model).__name__}")
        self.model = model
        self.loss_name = checks.one_of("loss", loss, LOSSES)
        self.loss = LOSSES[loss]
        needed = self.loss.output
        if needed not in (None, model.output):
            raise ValueError(f"loss {loss!r} needs output {needed!r}; the model's is {model.output!r}")

    def loss_and_gradient(self, parameters: Any, x: Any, y: Any) -> tuple[float, Array]:
        """Loss and gradient (P,) at `parameters` (P,) for x (inputs, N) and y (outputs, N)."""
        x, y = checks.samples(x, y, self.model.sizes[0], self.model.sizes[-1], self.loss_name)
        leaves = self.model.parameters()
        return self._loss_and_gradient(checks.exactly("parameters", parameters, (len(leaves),)), x, y)

    @abstractmethod
    def _loss_and_gradient(self, theta: Array, x: Array, y: Array) -> tuple[float, Array]:
        """The same for checked arrays."""

    def _record(self, x: list[list[Any]], y: list[list[Any]]) -> Value:
        """The loss of samples x with targets y, one row each, as a graph; RuntimeError within no_grad()."""
        if self.loss.output is not None:
            outputs = [self.model.logits(sample) for sample in x]
        else:
            outputs = [a if isinstance(a, list) else [a] for a in map(self.model, x)]
        loss = self.loss.function(outputs, y)
        if loss.is_constant:
            raise RuntimeError("no gradient within no_grad(), where nothing is recorded: ask outside of it")
        return loss


class ScalarEngine(ModelEngine):
    """The gradient by one backward sweep over the whole batch, recorded anew; model and loss as above.

    >>> from nn.layers import MLP
    >>> engine = ScalarEngine(MLP(1, [1]))
    >>> loss, gradient = engine.loss_and_gradient([2.0, 0.0], [[1.0, 3.0]], [[1.0, 3.0]])
    >>> loss, gradient.tolist()          # mean (2x - x)², mean 2(2x - x)x, mean 2(2x - x)
    (5.0, [10.0, 4.0])
    """

    def _loss_and_gradient(self, theta: Array, x: Array, y: Array) -> tuple[float, Array]:
        leaves = self.model.parameters()
        before = [(leaf.data, leaf.grad) for leaf in leaves]
        try:
            for leaf, number in zip(leaves, theta.tolist(), strict=True):
                leaf.data, leaf.grad = number, 0.0
            loss = self._record(x.T.tolist(), y.T.tolist())
            loss.backward()
            return loss.data, np.array([leaf.grad for leaf in leaves])
        finally:
            for leaf, (data, grad) in zip(leaves, before, strict=True):
                leaf.data, leaf.grad = data, grad


class LiftedEngine(ModelEngine):
    """The gradient by a lifted program: one sample's loss, recorded once, run on any number of samples.

    model and loss as above. The model is read when the engine is made, and its Values are never touched;
    `program` is what was lifted from it (see `autograd.lift`).

    >>> from nn.layers import MLP
    >>> engine = LiftedEngine(MLP(1, [1]))
    >>> loss, gradient = engine.loss_and_gradient([2.0, 0.0], [[1.0, 3.0]], [[1.0, 3.0]])
    >>> loss, gradient.tolist()
    (5.0, [10.0, 4.0])
    """

    def __init__(self, model: MLP, loss: str = "mean_squared_error") -> None:
        super().__init__(model, loss)
        x = [Value(0.0, f"x{i}") for i in range(model.sizes[0])]
        y = [Value(0.0, f"y{k}") for k in range(model.sizes[-1])]
        self.program = lift(self._record([x], [y]), inputs=[*x, *y])
        places = {leaf: i for i, leaf in enumerate(model.parameters())}
        self._places = np.array([places[leaf] for leaf in self.program.parameters], dtype=np.intp)

    def _loss_and_gradient(self, theta: Array, x: Array, y: Array) -> tuple[float, Array]:
        loss, found = self.program.value_and_gradient(theta[self._places], np.concatenate([x, y]))
        gradient = np.zeros_like(theta)         # where the loss does not depend on a parameter
        gradient[self._places] = found
        return loss, gradient
