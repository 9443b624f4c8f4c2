"""Engines: anything with loss_and_gradient(parameters (P,), X, Y) -> (float, (P,)), samples as columns.

`NeuralNetwork` is one by itself; here is the scalar one. This room knows layers, losses and `autograd`'s
public names.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from nn import checks
from nn.layers import MLP
from nn.losses import LOSSES

Array = npt.NDArray[np.float64]


class Engine(Protocol):
    """What training and comparing ask of a network."""

    def loss_and_gradient(self, parameters: Array, x: Array, y: Array) -> tuple[float, Array]:
        """The loss at `parameters` on samples x, y, and its gradient in the same order."""


class ScalarEngine:
    """An MLP of Values and a loss: the gradient comes from one backward sweep over the recorded batch.

    loss  "mean_squared_error"; "binary_cross_entropy" where the model's output is sigmoid;
          "cross_entropy" where it is softmax

    >>> from nn.layers import MLP
    >>> engine = ScalarEngine(MLP(1, [1]))
    >>> loss, gradient = engine.loss_and_gradient([2.0, 0.0], [[1.0, 3.0]], [[1.0, 3.0]])
    >>> loss, gradient.tolist()          # mean (2x - x)², mean 2(2x - x)x, mean 2(2x - x)
    (5.0, [10.0, 4.0])
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
        theta = checks.exactly("parameters", parameters, (len(leaves),))
        before = [(leaf.data, leaf.grad) for leaf in leaves]
        try:
            for leaf, number in zip(leaves, theta.tolist(), strict=True):
                leaf.data, leaf.grad = number, 0.0
            loss = self._recorded_loss(x.T.tolist(), y.T.tolist())
            loss.backward()
            return loss.data, np.array([leaf.grad for leaf in leaves])
        finally:
            for leaf, (data, grad) in zip(leaves, before, strict=True):
                leaf.data, leaf.grad = data, grad

    def _recorded_loss(self, x: list[list[float]], y: list[list[float]]) -> Any:
        if self.loss.output is not None:
            return self.loss.function([self.model.logits(sample) for sample in x], y)
        outputs = [self.model(sample) for sample in x]
        return self.loss.function([a if isinstance(a, list) else [a] for a in outputs], y)
