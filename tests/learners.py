"""Networks as a learner would write them: their formulas, their passes up and down, random cases of them.

They share nothing with the diagnosis that is tested by them, nor with the network's own pass: what is named
is not what the namer made.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nn import NeuralNetwork

erf = np.vectorize(math.erf, otypes=[float])


def normal_share(z):
    return (1 + erf(z / math.sqrt(2))) / 2


def logistic(z):
    return 1 / (1 + np.exp(-z))


VALUES: Mapping[str, Callable[[Any], Any]] = {
    "sigmoid": logistic,
    "tanh": np.tanh,
    "relu": lambda z: np.where(z > 0, z, 0.0),
    "linear": lambda z: z,
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0, z, np.exp(z) - 1),
    "gelu": lambda z: z * normal_share(z),
    "silu": lambda z: z * logistic(z),
    "softplus": lambda z: np.log(1 + np.exp(z)),
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=0),
}
SLOPES: Mapping[str, Callable[[Any], Any]] = {
    "sigmoid": lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2,
    "tanh": lambda z: 1 / np.cosh(z) ** 2,
    "relu": lambda z: np.where(z > 0, 1.0, 0.0),
    "linear": np.ones_like,
    "leaky_relu": lambda z: np.where(z > 0, 1.0, 0.01),
    "elu": lambda z: np.where(z > 0, 1.0, np.exp(z)),
    "gelu": lambda z: normal_share(z) + z * np.exp(-z * z / 2) / math.sqrt(2 * math.pi),
    "silu": lambda z: logistic(z) * (1 + z * (1 - logistic(z))),
    "softplus": logistic,
}
FROM_A: Mapping[str, Callable[[Any], Any]] = {"sigmoid": lambda a: a * (1 - a), "tanh": lambda a: 1 - a**2}
SMOOTH = ["sigmoid", "tanh", "gelu", "silu", "softplus"]
ENDS = [  # losses, and the outputs they go with
    ("mean_squared_error", "sigmoid"),
    ("mean_squared_error", "tanh"),
    ("mean_squared_error", "relu"),
    ("mean_squared_error", "linear"),
    ("mean_squared_error", "softmax"),
    ("mean_squared_error", "silu"),
    ("mean_absolute_error", "linear"),
    ("mean_absolute_error", "softplus"),
    ("huber", "linear"),
    ("huber", "tanh"),
    ("hinge", "linear"),
    ("binary_cross_entropy", "sigmoid"),
    ("binary_cross_entropy_with_logits", "linear"),
    ("cross_entropy", "softmax"),
]
BY_PREDICTION = {"mean_squared_error", "mean_absolute_error", "huber"}  # losses for any output


@dataclass(frozen=True)
class Case:
    """A network, samples, and what the loss holds besides: dropout masks by layer, weights, penalties."""

    network: NeuralNetwork
    x: Any
    y: Any
    masks: Mapping[int, Any] = field(default_factory=dict)
    l1: float = 0.0
    l2: float = 0.0
    weights: Any = None

    @property
    def top(self):
        return len(self.network.weights)

    @property
    def m(self):
        return self.x.shape[1]

    def error(self, layer):
        """What the error is called that the activation's derivative makes."""
        return f"d{'u' if self.network.batch_norm and layer < self.top else 'z'}{layer}"

    def context(self):
        """What diagnose has to be told."""
        masks = [self.masks.get(n) for n in range(1, self.top)] if self.masks else None
        return {"masks": masks, "l1": self.l1, "l2": self.l2, "weights": self.weights}


def one_of(rng, choices):
    choices = list(choices)
    return choices[rng.integers(len(choices))]


def random_case(rng, *, square=False, hidden=None, ends=ENDS, deep=1, samples=1, normalised=None):
    """1 to 4 layers of 1 to 5 neurons, or all of one width; 1 to 10 samples.

    normalised  whether with batch normalisation; None: sometimes
    """
    normalised = rng.random() < 0.15 if normalised is None else normalised
    deep, samples = (max(deep, 2), max(samples, 4)) if normalised else (deep, samples)
    loss, output = ends[rng.integers(len(ends))]
    sizes = rng.integers(1, 6, size=int(rng.integers(deep, 5)) + 1).tolist()
    if square:
        sizes = [int(rng.integers(2, 5))] * len(sizes)
    if output == "softmax":
        sizes[-1] = max(sizes[-1], 2)
    hidden = hidden or one_of(rng, SLOPES)
    network = NeuralNetwork(sizes, hidden, output=output, loss=loss, batch_norm=normalised, rng=rng)
    network.parameters = rng.choice([0.5, 1.0]) * rng.normal(size=network.parameters.size)
    m = int(rng.integers(samples, 11))
    x, outputs = rng.normal(size=(sizes[0], m)), sizes[-1]
    if output == "softmax":
        y = np.eye(outputs)[:, rng.integers(0, outputs, size=m)]
    elif loss.startswith("binary_cross_entropy"):
        y = rng.integers(0, 2, size=(outputs, m)).astype(float)
    elif loss == "hinge":
        y = rng.choice([-1.0, 1.0], size=(outputs, m))
    else:
        y = rng.normal(size=(outputs, m))
    return Case(network, x, y)


# The learner's passes.


def forward(case, running=False):
    cache = {"a0": case.x}
    net = case.network
    for layer, (W, b) in enumerate(zip(net.weights, net.biases, strict=True), start=1):
        z = cache[f"z{layer}"] = W @ cache[f"a{layer - 1}"] + b
        if case.error(layer).startswith("du"):
            mean, variance = z.mean(axis=1, keepdims=True), z.var(axis=1, keepdims=True)
            if running:
                mean, variance = net.running_mean[layer - 1], net.running_variance[layer - 1]
            normal = (z - mean) / np.sqrt(variance + 1e-5)
            cache |= {f"mean{layer}": mean, f"variance{layer}": variance, f"normal{layer}": normal}
            z = cache[f"u{layer}"] = net.gammas[layer - 1] * normal + net.betas[layer - 1]
        name = net.activation_name if layer < case.top else net.output_name
        cache[f"a{layer}"] = VALUES[name](z) * case.masks.get(layer, 1.0)
    return cache


def met(layer, cache):
    """What the layer's activation met."""
    return cache.get(f"u{layer}", cache[f"z{layer}"])


def error_under(loss, output, y, z, a, weights=None):
    """dz of the last layer, sample by sample."""
    w = np.ones(y.shape[1]) if weights is None else weights
    samples, entries = w / w.sum(), w / w.sum() / len(y)
    if loss == "cross_entropy":
        return (a - y) * samples  # for targets that sum to 1
    if loss == "binary_cross_entropy":
        return (a - y) * entries
    if loss == "binary_cross_entropy_with_logits":
        return (logistic(z) - y) * entries
    da = slope_of(loss, y, a) * entries
    if output != "softmax":
        return da * SLOPES[output](z)
    jacobians = [np.diag(p) - np.outer(p, p) for p in a.T]
    return np.stack([J @ d for J, d in zip(jacobians, da.T, strict=True)], axis=1)


def slope_of(loss, y, a):
    """Each entry's derivative by the prediction."""
    if loss == "mean_squared_error":
        return 2 * (a - y)
    if loss == "mean_absolute_error":
        return np.where(a > y, 1.0, -1.0)
    if loss == "huber":
        return np.where(np.abs(a - y) <= 1, a - y, np.where(a > y, 1.0, -1.0))
    return np.where(y * a < 1, -y, 0.0)


def right_error(case, cache):
    net, top = case.network, case.top
    z, a = cache[f"z{top}"], cache[f"a{top}"]
    return error_under(net.loss_name, net.output_name, case.y, z, a, case.weights)


def through_norm(case, layer, du, cache):
    """dz from du, term by term as in Ioffe and Szegedy's paper."""
    gamma, mean = case.network.gammas[layer - 1], cache[f"mean{layer}"]
    variance, centred = cache[f"variance{layer}"] + 1e-5, cache[f"z{layer}"] - mean
    d_normal = du * gamma
    d_variance = (d_normal * centred * -0.5 * variance**-1.5).sum(axis=1, keepdims=True)
    d_mean = (-d_normal / np.sqrt(variance)).sum(axis=1, keepdims=True)
    return d_normal / np.sqrt(variance) + d_variance * 2 * centred / case.m + d_mean / case.m


def passes(case, *, error=None, slope=None, down=None, norm=None, cache=None):
    """Gradients, errors by layer, the cache.

    error(cache), slope(layer, cache), down(W, dW) for W, norm(layer, du, cache) replace the right ones.
    """
    cache = forward(case) if cache is None else cache
    net, top = case.network, case.top
    dz = right_error(case, cache) if error is None else error(cache)
    errors, gradients = {top: dz}, {}
    for layer in reversed(range(top)):
        W = net.weights[layer]
        dW = gradients[f"dW{layer}"] = dz @ cache[f"a{layer}"].T + case.l2 * W + case.l1 * np.sign(W)
        gradients[f"db{layer}"] = dz.sum(axis=1, keepdims=True)
        if layer:
            right = case.masks.get(layer, 1.0) * SLOPES[net.activation_name](met(layer, cache))
            wrong = None if slope is None else slope(layer, cache)
            dz = ((W if down is None else down(W, dW)).T @ dz) * (right if wrong is None else wrong)
            if net.batch_norm:
                cache[f"du{layer}"] = du = dz
                gradients[f"dgamma{layer - 1}"] = (du * cache[f"normal{layer}"]).sum(axis=1, keepdims=True)
                gradients[f"dbeta{layer - 1}"] = du.sum(axis=1, keepdims=True)
                wrong = None if norm is None else norm(layer, du, cache)
                dz = through_norm(case, layer, du, cache) if wrong is None else wrong
            errors[layer] = dz
    return gradients, errors, cache


def right(case):
    return passes(case)[0]
