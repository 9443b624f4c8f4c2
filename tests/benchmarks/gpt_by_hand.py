"""The GPT of `demos.gpt_model` in NumPy, with its backward pass derived by hand: the lifted program's peer.

It shares nothing with the scalar model but the names and shapes of the weights. A batch of N names of T
positions is one computation. Rows are positions, as in most published ports: a linear layer is Y = X Wᵀ, so
that dW = dYᵀ X and dX = dY W; heads are a leading axis of the attention's products.

Derivations of the two steps that are not linear (g is the gradient that arrives):

    y = x r, r = (mean x² + ε)^-½     dx = r (g - y mean(g y)),      for dr/dx_j = -r³ x_j / d
    p = softmax(s)                    ds = p (g - Σ g p)
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from demos.gpt_model import CONTEXT, HEADS, SHAPES, VOCABULARY, WIDTH

Array = npt.NDArray[np.float64]
Cache = dict[str, Array]

SIZE = WIDTH // HEADS
PARAMETERS = sum(prod(shape) for shape in SHAPES.values())


def matrices(flat: Array) -> dict[str, Array]:
    """Views of a parameter vector (P,), by name; `attention` is query, key and value on top of each other."""
    views, start = {}, 0
    for name, shape in SHAPES.items():
        views[name] = flat[start : start + prod(shape)].reshape(shape)
        if name == "query":
            views["attention"] = flat[start : start + 3 * prod(shape)].reshape(3 * WIDTH, WIDTH)
        start += prod(shape)
    return views


class GPTByHand:
    """Loss and gradient on a fixed batch of names; the parameters vary.

    tokens  (N, T + 1) whole numbers: each position's token, and the one it is to predict next
    shares  (N, T) of each position in the loss, 0 where there is only padding
    """

    def __init__(self, tokens: npt.NDArray[np.intp], shares: Array) -> None:
        self.names, self.length = shares.shape
        self.read, self.target = tokens[:, :-1].ravel(), tokens[:, 1:].ravel()
        self.shares = shares.reshape(-1, 1)
        self.rows = np.arange(self.read.size)
        self.one_hot = np.eye(VOCABULARY)[:, self.read]
        self.later = np.triu(np.full((self.length, self.length), -np.inf), 1)
        self.mean = np.full((WIDTH, 1), 1 / WIDTH)
        self.flat = np.empty(PARAMETERS)
        self.W = matrices(self.flat)

    def loss_and_gradient(self, parameters: Array) -> tuple[float, Array]:
        """The loss at `parameters` (P,), in the order of `SHAPES`, and its gradient (P,)."""
        loss, cache = self.forward(parameters)
        return loss, self.backward(cache)

    def forward(self, parameters: Array) -> tuple[float, Cache]:
        """The loss, and what the backward pass needs again."""
        np.copyto(self.flat, parameters)
        W, c = self.W, {}
        x = W["token"][self.read]
        x.reshape(self.names, self.length, WIDTH)[:] += W["position"][: self.length]
        c["r0"], c["x0"] = self.rms_norm(x)
        c["r1"], c["x1"] = self.rms_norm(c["x0"])
        c["mixed"] = self.attention(c["x1"] @ W["attention"].T, c)
        x = c["x0"] + c["mixed"] @ W["mix"].T
        c["r2"], c["x2"] = self.rms_norm(x)
        c["hidden"] = np.maximum(c["x2"] @ W["up"].T, 0)
        c["x3"] = x + c["hidden"] @ W["down"].T
        logits = c["x3"] @ W["head"].T
        logits -= np.maximum.reduce(logits, axis=1, keepdims=True)
        chosen = logits[self.rows, self.target]
        np.exp(logits, out=logits)
        total = np.add.reduce(logits, axis=1, keepdims=True)
        c["p"] = np.divide(logits, total, out=logits)
        return float((np.log(total[:, 0]) - chosen) @ self.shares[:, 0]), c

    def attention(self, projected: Array, c: Cache) -> Array:
        """Projected (NT, 3 WIDTH) to mixed (NT, WIDTH); within, heads are (N, HEADS, T, SIZE)."""
        c["q"], c["k"], c["v"] = self.heads(projected)
        scores = c["q"] @ c["k"].transpose(0, 1, 3, 2)
        scores *= SIZE**-0.5
        scores += self.later
        scores -= np.maximum.reduce(scores, axis=3, keepdims=True)
        np.exp(scores, out=scores)
        scores /= np.add.reduce(scores, axis=3, keepdims=True)
        c["fits"] = scores
        return (scores @ c["v"]).transpose(0, 2, 1, 3).reshape(-1, WIDTH)

    def heads(self, projected: Array) -> tuple[Array, Array, Array]:
        """Views (N, HEADS, T, SIZE) of queries, keys and values in rows (NT, 3 WIDTH)."""
        q, k, v = projected.reshape(self.names, self.length, 3, HEADS, SIZE).transpose(2, 0, 3, 1, 4)
        return q, k, v

    def backward(self, c: Cache) -> Array:
        """The gradient (P,) by every parameter."""
        W, gradient = self.W, np.zeros(PARAMETERS)
        dW = matrices(gradient)
        dz = c["p"] * self.shares
        dz[self.rows, self.target] -= self.shares[:, 0]
        np.matmul(dz.T, c["x3"], out=dW["head"])
        dx = dz @ W["head"]

        np.matmul(dx.T, c["hidden"], out=dW["down"])
        dz = dx @ W["down"]
        dz *= c["hidden"] > 0
        np.matmul(dz.T, c["x2"], out=dW["up"])
        dx += self.rms_norm_backward(c["r2"], c["x2"], dz @ W["up"])

        np.matmul(dx.T, c["mixed"], out=dW["mix"])
        dz = self.attention_backward(dx @ W["mix"], c)
        np.matmul(dz.T, c["x1"], out=dW["attention"])
        dx += self.rms_norm_backward(c["r1"], c["x1"], dz @ W["attention"])

        dx = self.rms_norm_backward(c["r0"], c["x0"], dx)
        np.matmul(self.one_hot, dx, out=dW["token"])
        np.add.reduce(dx.reshape(self.names, -1, WIDTH), axis=0, out=dW["position"][: self.length])
        return gradient

    def attention_backward(self, dmixed: Array, c: Cache) -> Array:
        """Gradient by the mixed values (NT, WIDTH) to that by the projected (NT, 3 WIDTH)."""
        dout = dmixed.reshape(self.names, self.length, HEADS, SIZE).transpose(0, 2, 1, 3)
        projected = np.empty((self.names * self.length, 3 * WIDTH))
        dq, dk, dv = self.heads(projected)
        p = c["fits"]
        np.matmul(p.transpose(0, 1, 3, 2), dout, out=dv)
        ds = dout @ c["v"].transpose(0, 1, 3, 2)
        ds *= p
        ds -= p * np.add.reduce(ds, axis=3, keepdims=True)
        ds *= SIZE**-0.5
        np.matmul(ds, c["k"], out=dq)
        np.matmul(ds.transpose(0, 1, 3, 2), c["q"], out=dk)
        return projected

    def rms_norm(self, x: Array) -> tuple[Array, Array]:
        """The scales r (NT, 1) and the scaled rows."""
        r = (x * x) @ self.mean
        r += 1e-5
        np.power(r, -0.5, out=r)
        return r, x * r

    def rms_norm_backward(self, r: Array, y: Array, g: Array) -> Array:
        """The docstring's formula."""
        dx = y * ((g * y) @ self.mean)
        np.subtract(g, dx, out=dx)
        dx *= r
        return dx


def padded(names: list[list[int]], length: int = CONTEXT) -> tuple[npt.NDArray[Any], Array]:
    """Tokens (N, length + 1) and shares (N, length), for the mean over names of the mean over positions."""
    tokens = np.zeros((len(names), length + 1), dtype=np.intp)
    shares = np.zeros((len(names), length))
    for row, name in enumerate(names):
        tokens[row, : len(name)] = name
        shares[row, : len(name) - 1] = 1 / (len(names) * (len(name) - 1))
    return tokens, shares
