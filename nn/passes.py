"""The passes of the hand-derived network, in buffers: z = [W | b] [a; 1] up, and the chain rule down.

What `nn.network` derives and promises is computed here, in place and in a handful of array calls a layer.
This room too may know NumPy and the plain helpers of `nn`, and never `autograd`. Letters as there; layers are
counted from 1 here, so that layer l gives z_l and a_l, and a_0 = x.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from nn import checks
from nn.buffers import Buffers, Pool
from nn.dropout import Masks, draw_masks
from nn.formulas import ACTIVATIONS, OUTPUTS, Activation
from nn.hidden import activation_names, dropout_shares
from nn.normalization import batch_statistics, moved_towards, normalize, normalize_backward
from nn.objectives import LOSSES, reduced
from nn.parameters import Block, LayeredParameters
from nn.penalties import L1, L2, weight_mask

Array = npt.NDArray[np.float64]


class Batch(NamedTuple):
    """Checked samples, their weights and the masks of the hidden layers."""

    x: Array
    y: Array
    weights: Array | None = None
    masks: Masks | None = None


class Passes(LayeredParameters):
    """A network's settings, and its passes over checked arrays. Arguments as NeuralNetwork has them.

    Call the underscored methods under np.errstate(all="ignore").
    """

    def __init__(
        self,
        layer_sizes: list[int],
        activation: str | Sequence[str],
        output: str | None,
        loss: str,
        reduction: str,
        l1: float,
        l2: float,
        penalise_biases: bool,
        dropout: float | Sequence[float],
        batch_norm: bool,
        dtype: npt.DTypeLike,
    ) -> None:
        checks.flag("batch_norm", batch_norm)
        super().__init__(layer_sizes, batch_norm, checks.float_type("dtype", dtype))
        hidden = len(layer_sizes) - 2
        self._hidden = activation_names(activation, hidden, ACTIVATIONS)
        self.activation_name = activation if isinstance(activation, str) else _only(self._hidden)
        if output is None:
            self.output_name = activation if isinstance(activation, str) else _last(self._hidden)
        else:
            self.output_name = checks.one_of("output", output, OUTPUTS)
        self.loss_name = checks.one_of("loss", loss, LOSSES)
        self.reduction = checks.one_of("reduction", reduction, checks.REDUCTIONS)
        _check_combination(self.loss_name, self.output_name)
        self.dropout = dropout_shares(dropout, hidden)
        strengths = (L1, "l1", l1), (L2, "l2", l2)
        penalties = [kind(checks.not_negative(name, strength)) for kind, name, strength in strengths]
        self.penalties = [penalty for penalty in penalties if penalty.strength]
        self.penalise_biases = biases = checks.flag("penalise_biases", penalise_biases)
        self._penalised = np.empty(0)
        if self.penalties:
            self._penalised = weight_mask(layer_sizes, batch_norm, biases=biases)
        self.running_mean = [np.zeros_like(beta) for beta in self.betas]
        self.running_variance = [np.ones_like(gamma) for gamma in self.gammas]
        self._pool = Pool(layer_sizes, self.dtype, batch_norm)
        self._formulas = [OUTPUTS[name] for name in self.activation_names()]

    def in_float64(self) -> Self:
        """The network itself, or where it is in float32 a copy in float64, with a learner's methods."""
        if self.dtype == np.float64:
            return self
        assigned = [name for name in ("forward", "backward", "compute_loss") if name in self.__dict__]
        if assigned:                        # it may read this network's weights, whoever calls it
            raise TypeError(
                f"{assigned[0]}: it was assigned to a network in float32, and a copy in float64 cannot have "
                "it; put it in a subclass, or use dtype=np.float64"
            )
        twin = copy.copy(self)
        twin.dtype = np.dtype(np.float64)
        twin._bind(self._parameters.astype(np.float64))
        twin.running_mean = [mean.astype(np.float64) for mean in self.running_mean]
        twin.running_variance = [variance.astype(np.float64) for variance in self.running_variance]
        twin._pool = Pool(self.layer_sizes, twin.dtype, self.batch_norm)
        return twin

    def activation_names(self) -> list[str]:
        """Each layer's, the output's last."""
        return [*self._hidden, self.output_name]

    def _rules(self) -> list[Activation]:
        """How each layer gets a from z, and dz from da."""
        return self._formulas

    # Up.

    def _run(
        self, blocks: list[Block], x: Array, to: Buffers, masks: Masks | None = None, training: bool = True
    ) -> None:
        """Write a pass to these buffers: [W | b] meets a_l over a row of ones, which is W a_l + b."""
        to.masks, to.training = None if masks is None else [*masks, None], training
        to.rules = rules = self._rules()
        to.a[0][...] = x
        for layer, (Wb, gamma_beta) in enumerate(blocks, start=1):
            np.dot(Wb, to.fed[layer - 1], out=to.z[layer])      # its call costs less than matmul's
            if gamma_beta is not None:
                self._normalize(layer, gamma_beta, to)
            rules[layer - 1].value(to.u[layer], to.a[layer])
            if to.masks is not None and (mask := to.masks[layer - 1]) is not None:
                to.a[layer] *= mask

    def _normalize(self, layer: int, gamma_beta: Array, to: Buffers) -> None:
        if to.training:
            statistics = batch_statistics(to.z[layer])
        else:
            statistics = self.running_mean[layer - 1], self.running_variance[layer - 1]
        to.mean[layer], to.variance[layer] = statistics
        normalize(to.z[layer], *statistics, gamma_beta, to.normal[layer], to.u[layer])

    def _data_loss(self, y: Array, z: Array, p: Array, weights: Array | None) -> float:
        """The loss of a pass, from its logits where that is the stable way."""
        loss = LOSSES[self.loss_name]
        terms = loss.terms(y, p) if loss.of_pass is None else loss.of_pass(y, z, p)
        return reduced(terms, self.reduction, weights, per_sample=loss.per_sample)

    def _penalty(self, parameters: Array, gradient: Array | None = None) -> float:
        """What the penalties come to; their gradient is added to `gradient`."""
        total = 0.0
        for penalty in self.penalties:
            value, slope = penalty.value_and_gradient(parameters, self._penalised)
            total += value
            if gradient is not None:
                gradient += slope
        return total

    # Down.

    def _loaded(self, cache: Mapping[str, Array]) -> Buffers:
        """Buffers that hold a cache's pass, for `_back` to use up."""
        to = self._pool.take(cache["a0"].shape[1])
        to.rules = self._rules()
        to.masks = [cache.get(f"mask{layer}") for layer in range(1, len(self.layer_sizes))]
        to.training = "mean1" in cache
        to.a[0][...] = cache["a0"]
        for layer, (_, gamma_beta) in enumerate(self._blocks, start=1):
            to.z[layer][...], to.a[layer][...] = cache[f"z{layer}"], cache[f"a{layer}"]
            if gamma_beta is not None:
                self._normalize(layer, gamma_beta, to)
        return to

    def _back(
        self, blocks: list[Block], y: Array, to: Buffers, slopes: list[Block], weights: Array | None
    ) -> None:
        """Write the gradient of the pass in these buffers to its blocks, and use the buffers up."""
        rules = to.rules
        self._output_error(y, to, weights, rules[-1])
        for layer in range(len(blocks), 0, -1):
            dz, below = to.d[layer], layer - 1
            np.dot(dz, to.fed[below].T, out=slopes[below][0])
            if below == 0:
                return
            W = blocks[below][0][:, :-1]
            product = np.matmul if len(dz) > 1 else np.multiply     # one row's product is all pairs: quicker
            da = product(W.T, dz, out=to.d[below])
            if to.masks is not None and (mask := to.masks[below - 1]) is not None:
                da *= mask
                rules[below - 1].value(to.u[below], to.a[below])    # over which the mask was laid
            rules[below - 1].backward(to.u[below], to.a[below], da)
            gamma_beta, d_gamma_beta = blocks[below - 1][1], slopes[below - 1][1]
            if gamma_beta is not None and d_gamma_beta is not None:
                normal, variance = to.normal[below], to.variance[below]
                normalize_backward(da, normal, variance, gamma_beta, d_gamma_beta, constant=not to.training)

    def _output_error(self, y: Array, to: Buffers, weights: Array | None, rule: Activation) -> None:
        """Write the last layer's dz."""
        loss, p = LOSSES[self.loss_name], to.a[-1]
        dz = loss.reduced_gradient(y, p, self.reduction, weights, out=to.d[-1])
        if loss.of_pass is None:
            rule.backward(to.z[-1], p, dz)

    # Dropout and running statistics.

    def draw_masks(self, samples: int, rng: np.random.Generator) -> list[Array | None]:
        """Dropout for so many samples: a mask (width, N) for each hidden layer; None where none drops.

        Entries are 0 or 1 / (1 - share), for `forward` and `loss_and_gradient`; see nn.dropout.
        """
        return draw_masks(self.layer_sizes[1:-1], self.dropout, samples, rng, self.dtype)

    def update_statistics(self, cache: Mapping[str, Array]) -> None:
        """Move running_mean and running_variance towards those of a batch, of forward(x, training=True)."""
        layers = range(1, len(self.running_mean) + 1)
        names = [[f"{word}{layer}" for layer in layers] for word in ("mean", "variance")]
        checks.keys("cache", cache, [name for words in names for name in words])
        means, variances = ([np.asarray(cache[name]) for name in words] for words in names)
        self._take_in(means, variances, cache["a0"].shape[1])

    def _take_in(self, means: Sequence[Array], variances: Sequence[Array], samples: int) -> None:
        for running, batch in zip(self.running_mean, means, strict=False):
            moved_towards(running, batch, samples, unbiased=False)
        for running, batch in zip(self.running_variance, variances, strict=False):
            moved_towards(running, batch, samples, unbiased=True)

    # Checks at the door.

    def _samples(self, x: object, y: object) -> tuple[Array, Array]:
        return checks.samples(x, y, self.layer_sizes[0], self.layer_sizes[-1], self.loss_name, self.dtype)

    def _checked_weights(self, weights: object, samples: int) -> Array | None:
        return None if weights is None else checks.sample_weights("weights", weights, samples, self.dtype)

    def _check_batch(self, samples: int, training: bool) -> None:
        if training and self.batch_norm and samples < 2:
            raise ValueError(
                "x has one sample, of which batch normalisation knows no variance; expected at least two. "
                "Where N is one more than a multiple of batch_size, choose another batch_size"
            )

    # What went wrong.

    def _bad_layer(self, x: Array, numbers: Array) -> int:
        """The first layer to meet nan or inf, in a forward pass and then in numbers (P,) on the way back."""
        buffers = self._pool.make(x.shape[1])
        with np.errstate(all="ignore"):
            self._run(self._blocks, x, buffers)
        for layer, z in enumerate(buffers.z[1:]):
            if not np.isfinite(z).all():
                return layer
        return self._last_bad_layer(numbers)

    def _last_bad_layer(self, numbers: Array) -> int:
        """The uppermost layer with nan or inf among its numbers; the top one if only the loss has them."""
        blocks = self._blocks_of(numbers)
        finite = [all(np.isfinite(block).all() for block in pair if block is not None) for pair in blocks]
        return max((layer for layer, ok in enumerate(finite) if not ok), default=len(finite) - 1)


def _only(names: list[str]) -> str | None:
    """The name that all have; None where they differ, or there are none."""
    return names[0] if len(set(names)) == 1 else None


def _last(names: list[str]) -> str:
    if not names:
        raise ValueError("output: expected a name, as there is no hidden layer to be like; got None")
    return names[-1]


def _check_combination(loss: str, output: str) -> None:
    needed = LOSSES[loss].output
    if needed not in (None, output):
        allowed = ", ".join(repr(name) for name, row in LOSSES.items() if row.output in (None, output))
        raise ValueError(
            f"loss {loss!r} belongs to output {needed!r}, got output {output!r}; "
            f"for {output!r} the loss can be {allowed}."
        )
