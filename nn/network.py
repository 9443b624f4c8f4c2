"""The hand-derived network: a multilayer perceptron in NumPy, one column a sample.

This room is an independent witness. Every derivative in it was worked out on paper, here for the
layers (`NeuralNetwork.backward`) and in `nn.formulas` for activations and losses; it may know NumPy
and the plain helpers of `nn`, and never `autograd`, so that the two can be compared as strangers.

Letters: N samples, P parameters; layer l, counted from 0, maps a_l to z_{l+1} = W_l a_l + b_l and
a_{l+1} = g(z_{l+1}); W is (out, in), b (out, 1), a and z (width, N); a_0 = x. dW is ∂loss/∂W.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from nn import checking, checkpoints, checks, network_training, training, twins
from nn.caches import check_origin, checked_cache, named_cache
from nn.checkpoints import PathLike
from nn.dropout import Masks, checked_masks
from nn.formulas import ACTIVATIONS, Activation
from nn.history import TrainingHistory
from nn.initializers import INITIALIZERS, default_for
from nn.missing import Imputer
from nn.objectives import LOSSES, reduced
from nn.parameters import Gradient
from nn.passes import Batch, Passes
from nn.penalties import L1, L2
from nn.preparation import Preparation
from nn.scaling import Scaler

if TYPE_CHECKING:
    from nn.layers import MLP

Array = npt.NDArray[np.float64]     # or float32, where a network's dtype is that

PASSES = ("activation", "activation_derivative", "forward", "backward", "compute_loss")  # to the gradient


class NeuralNetwork(Passes):
    """A fully connected network with hand-derived gradients; x is (inputs, N), y is (outputs, N).

    layer_sizes     [inputs, hidden..., outputs]
    activation      of the hidden layers: "sigmoid", "relu", "tanh", "linear", "leaky_relu", "elu", "gelu",
                    "silu" or "softplus" (see nn.formulas), or a list with one for each
    output          the last layer's: any of these, or "softmax"; None is as the last hidden layer
    loss            over all entries: "mean_squared_error", "mean_absolute_error", "huber", "hinge" (linear
                    output, targets -1 and 1), "binary_cross_entropy" (sigmoid output) or
                    "binary_cross_entropy_with_logits" (linear output); over samples: "cross_entropy" (softmax
                    output), whose y is columns of class probabilities, or labels (N,). See nn.objectives
    reduction       "mean" or "sum" of the loss's terms; the gradient is that of the loss reported
    initialization  a name in nn.initializers; None: what fits each layer's activation. Biases are 0
    l1, l2          strength of the penalties l1 Σ |w| and l2 / 2 Σ w² on weights, part of the loss
    penalise_biases whether the penalties are on biases, too; never on γ and β
    dropout         share of the hidden activations that training drops, in [0, 1), or a list of shares
    batch_norm      whether hidden layers normalise their logits over the batch (see nn.normalization)
    dtype           np.float64 or np.float32: of the parameters and of all that is computed
    rng             a numpy.random.Generator for the weights; None takes a fresh one

    `weights[l]` (out, in) and `biases[l]` (out, 1) are windows on the one vector `parameters` (P,), which
    runs layer by layer, neuron by neuron, weights then bias; a normalised layer's `gammas[l]` and `betas[l]`
    follow. Arithmetic follows IEEE 754 and never raises; inputs are checked and must be finite; integers
    and booleans become floats. What a public method returns is the caller's: no later call writes to it.

    A subclass may replace `activation` with its `activation_derivative`, or any other public method:
    training and `loss_and_gradient` use the replacement.

    >>> network = NeuralNetwork([2, 3, 1], rng=np.random.default_rng(0))
    >>> cache = network.forward(np.zeros((2, 5)))
    >>> [(name, array.shape) for name, array in cache.items()]
    [('a0', (2, 5)), ('z1', (3, 5)), ('a1', (3, 5)), ('z2', (1, 5)), ('a2', (1, 5))]
    >>> network.parameters.shape
    (13,)
    """

    def __init__(
        self,
        layer_sizes: Iterable[int],
        activation: str | Sequence[str] = "sigmoid",
        *,
        output: str | None = None,
        loss: str = "mean_squared_error",
        reduction: str = "mean",
        initialization: str | None = None,
        l1: float = 0.0,
        l2: float = 0.0,
        penalise_biases: bool = False,
        dropout: float | Sequence[float] = 0.0,
        batch_norm: bool = False,
        dtype: npt.DTypeLike = np.float64,
        rng: np.random.Generator | None = None,
    ) -> None:
        sizes = checks.widths("layer_sizes", layer_sizes, least="[inputs, outputs]")
        super().__init__(
            sizes, activation, output, loss, reduction, l1, l2, penalise_biases, dropout, batch_norm, dtype
        )
        self.history: TrainingHistory | None = None     # of the last training
        self._output_is_activation = output is None and LOSSES[loss].output is None
        if initialization is not None:
            checks.one_of("initialization", initialization, INITIALIZERS)
        rng = checks.generator(rng)
        for W, name in zip(self._weights, self.activation_names(), strict=True):
            draw = INITIALIZERS[initialization or default_for(name)]
            W[...] = draw(W.shape[1], W.shape[0], rng)

    def __repr__(self) -> str:
        return (
            f"NeuralNetwork({self.layer_sizes}, activation={self.activation_name or self._hidden!r}, "
            f"output={self.output_name!r}, loss={self.loss_name!r})"
        )

    # To and from the network of Values.

    @classmethod
    def from_mlp(
        cls, model: MLP, loss: str = "mean_squared_error", *, reduction: str = "mean", l1: float = 0.0,
        l2: float = 0.0, penalise_biases: bool = False,
    ) -> Self:  # fmt: skip
        """The network that computes what this MLP of Values computes, with a copy of all its numbers.

        >>> from nn import MLP
        >>> NeuralNetwork.from_mlp(MLP(2, [3, 1], activation="tanh"))
        NeuralNetwork([2, 3, 1], activation='tanh', output='linear', loss='mean_squared_error')
        """
        network = cls(
            **twins.settings_of(model), loss=loss, reduction=reduction, l1=l1, l2=l2,
            penalise_biases=penalise_biases,
        )  # fmt: skip
        twins.copy_numbers(model, network)
        return network

    def to_mlp(self) -> MLP:
        """The MLP of Values that computes what this network computes, with a copy of all its numbers.

        Raises TypeError where a learner's own `activation` is in place: no MLP has that.
        """
        return twins.mlp_of(self)

    # The activations, which a learner may replace.

    def activation(self, z: Array) -> Array:
        """g(z), elementwise: the hidden layers' and, where `output` is None, the last one's.

        Raises ValueError where the hidden layers' activations differ; a replacement is used for them all.
        """
        with np.errstate(all="ignore"):
            return self._only_formula().of(np.asarray(z))

    def activation_derivative(self, z: Array) -> Array:
        """g'(z), elementwise; relu'(0) is 0."""
        with np.errstate(all="ignore"):
            return self._only_formula().slope(np.asarray(z))

    def _only_formula(self) -> Activation:
        if self.activation_name is None:
            raise ValueError(f"activation: the hidden layers have different ones, {self._hidden}")
        return ACTIVATIONS[self.activation_name]

    def has_own(self, method: str) -> bool:
        """Whether a subclass, or an assignment to this object, has put its own method in."""
        return method in self.__dict__ or getattr(type(self), method) is not getattr(NeuralNetwork, method)

    def _is_taught(self) -> bool:
        """Whether any method on the way to the gradient is a learner's."""
        if type(self) is NeuralNetwork and self.__dict__.keys().isdisjoint(PASSES):
            return False                # the quick way: it is asked several times a step
        return any(map(self.has_own, PASSES))

    def _rules(self) -> list[Activation]:
        """How each layer gets a from z, and dz from da."""
        rules = super()._rules()
        if self._is_taught() and (self.has_own("activation") or self.has_own("activation_derivative")):
            own = Activation(self._write_own_activation, self._multiply_own_derivative)
            return [own] * len(self._hidden) + [own if self._output_is_activation else rules[-1]]
        return rules

    def _write_own_activation(self, z: Array, out: Array) -> None:
        out[...] = checks.exactly("activation(z)", self.activation(z.copy()), z.shape, self.dtype)

    def _multiply_own_derivative(self, z: Array, a: Array, da: Array) -> None:
        slope = self.activation_derivative(z.copy())
        da *= checks.exactly("activation_derivative(z)", slope, z.shape, self.dtype)

    # Forwards.

    def forward(
        self, x: npt.ArrayLike, masks: Masks | None = None, *, training: bool = False
    ) -> dict[str, Array]:
        """Every layer's logits and activations for x (inputs, N): {"a0": x, "z1": …, "a1": …, …}.

        z_{l+1} = W_l a_l + b_l and a_{l+1} = g(z_{l+1}).

        masks     for dropout, of draw_masks: a_l is then what mask_l has left. None: nothing is dropped
        training  normalise by the statistics of this batch, of at least two samples, and not the running
                  ones: u_l = γ (z_l - mean_l) / √(variance_l + ε) + β, and a_l = g(u_l). It draws no
                  masks: what dropout drops is said by `masks` alone

        Raises ValueError for another shape, nan or inf.
        """
        inputs = checks.columns("x", x, self.layer_sizes[0], self.dtype)
        kept = checked_masks(masks, self.layer_sizes, inputs.shape[1], self.dtype)
        self._check_batch(inputs.shape[1], training)
        buffers = self._pool.make(inputs.shape[1])
        with np.errstate(all="ignore"):
            self._run(self._blocks, inputs, buffers, kept, training)
        return named_cache(buffers)

    def compute_loss(
        self, y_true: npt.ArrayLike, y_pred: npt.ArrayLike, weights: npt.ArrayLike | None = None
    ) -> float:
        """The loss of predictions y_pred (outputs, N) for targets y_true of the same shape, or labels (N,).

        weights  (N,), of the samples: each multiplies its sample's terms, and a mean is divided by their sum

        Penalties of the present weights W are part of it. A cross-entropy takes probabilities; expecting
        what was given probability 0 costs inf.
        """
        y = checks.class_targets("y_true", y_true, self.layer_sizes[-1], self.loss_name)
        y = checks.targets("y_true", checks.columns("y_true", y, self.layer_sizes[-1]), self.loss_name)
        p = checks.exactly("y_pred", y_pred, y.shape)
        loss = LOSSES[self.loss_name]
        if loss.of_pass is not None:
            checks.probabilities("y_pred", p)
        with np.errstate(all="ignore"):
            given = self._checked_weights(weights, y.shape[1])
            data_loss = reduced(loss.terms(y, p), self.reduction, given, per_sample=loss.per_sample)
            return data_loss + self._penalty(self._parameters)

    def evaluate(self, x: npt.ArrayLike, y: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> float:
        """The loss at x, y of the network in use: no dropout, running statistics, and no penalties."""
        inputs, targets = self._samples(x, y)
        given = self._checked_weights(weights, inputs.shape[1])
        buffers = self._pool.take(inputs.shape[1])
        with np.errstate(all="ignore"):
            self._run(self._blocks, inputs, buffers, training=False)
            loss = self._data_loss(targets, buffers.z[-1], buffers.a[-1], given)
        self._pool.give(buffers)
        return loss

    # Backwards.

    def backward(
        self,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        cache: Mapping[str, Array],
        *,
        weights: npt.ArrayLike | None = None,
    ) -> dict[str, Array]:
        """Gradients of the loss at y (outputs, N): {"dW0": (out, in), "db0": (out, 1), …}.

        `cache` is what forward(x) returned, with these parameters; one that shows another origin is refused
        with a ValueError. The chain rule from the last layer down, for sample n, inputs j and outputs i:

            z = W a + b  means   z_in = Σ_j W_ij a_jn + b_i,  hence
            dW_ij = Σ_n dz_in a_jn     dW = dz aᵀ       each weight meets every sample once
            db_i  = Σ_n dz_in          db = dz summed over samples
            da_jn = Σ_i W_ij dz_in     da = Wᵀ dz       each activation feeds every neuron above
            and below that, as a = g(z'):  dz' = da ⊙ g'(z')

        A bias is the weight of an input that is always 1: with a row of ones under a, [dW | db] = dz [a; 1]ᵀ.

        At the top, the mean squared error has dp = 2 (p - y) / (out N), which goes back through the
        output as any da does; a cross-entropy and its output together have dz = (p - y) / N, over
        samples, or (p - y) / (out N), over entries. The tutorial's dz = p - y lacks the mean, and for
        the squared error it reports also the 2 and the g'(z). The other losses, sums and sample weights are
        in nn.objectives, batch normalisation in nn.normalization; dropout has da = mask ⊙ da'.
        """
        inputs, targets = self._samples(x, y)
        arrays = checked_cache(cache, self.layer_sizes, inputs.shape[1], self.dtype)
        given = self._checked_weights(weights, inputs.shape[1])
        gradient = np.empty_like(self._parameters)
        with np.errstate(all="ignore"):
            if not self.has_own("forward"):     # a learner's own may scale x, or drop activations
                check_origin(arrays, inputs, self._blocks)
            buffers = self._loaded(arrays)
            self._back(self._blocks, targets, buffers, self._blocks_of(gradient), given)
            self._penalty(self._parameters, gradient)
        self._pool.give(buffers)
        return self._named(gradient)

    # The engine, and training.

    def loss_and_gradient(
        self,
        parameters: npt.ArrayLike,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        *,
        weights: npt.ArrayLike | None = None,
        masks: Masks | None = None,
    ) -> tuple[float, Array]:
        """Loss and gradient (P,) at `parameters` (P,) for x (inputs, N), y (outputs, N); changes nothing.

        weights  (N,), of the samples; masks, of draw_masks, for dropout; as in compute_loss and forward.
                 Batch normalisation takes the statistics of this batch, as it does in training

        >>> network = NeuralNetwork([1, 1], activation="linear")
        >>> network.loss_and_gradient([2.0, 1.0], [[3.0]], [[5.0]])   # (2·3 + 1 - 5)² = 4, 2·2·(3, 1)
        (4.0, array([12.,  4.]))
        """
        theta, (inputs, targets) = self._vector("parameters", parameters), self._samples(x, y)
        samples = inputs.shape[1]
        given = self._checked_weights(weights, samples)
        kept = checked_masks(masks, self.layer_sizes, samples, self.dtype)
        self._check_batch(samples, training=True)
        return self._loss_and_gradient(theta, Batch(inputs, targets, given, kept))

    def _loss_and_gradient(
        self, parameters: Array, batch: Batch, out: Gradient | None = None, learning: bool = False
    ) -> tuple[float, Array]:
        """The same for a checked batch; a learner's own methods are used where there are any.

        out       where to write the gradient; None: a new array
        learning  whether running statistics take in those of this batch, if its loss is finite
        """
        gradient = self._room_for_gradient() if out is None else out
        if not self._is_taught():
            return self._both_passes(parameters, batch, gradient, learning), gradient.vector
        with self._holding(parameters):     # a function assigned to this object knows no other object
            if self.has_own("forward") or self.has_own("backward"):
                return self._passes_by_cache(batch, learning)
            own = self.compute_loss if self.has_own("compute_loss") else None
            return self._both_passes(self._parameters, batch, gradient, learning, own), gradient.vector

    def _both_passes(
        self,
        parameters: Array,
        batch: Batch,
        gradient: Gradient,
        learning: bool,
        own_loss: Callable[..., float] | None = None,
    ) -> float:
        """Write the gradient of this network's own passes; gives the loss, by a learner's if there is one."""
        blocks = self._blocks if parameters is self._parameters else self._blocks_of(parameters)
        x, y, weights, masks = batch
        y = np.ascontiguousarray(y)     # as p is: mixed layouts are slow
        buffers = self._pool.take(x.shape[1])
        with np.errstate(all="ignore"):
            self._run(blocks, x, buffers, masks)
            z, p = buffers.z[-1], buffers.a[-1]
            if own_loss is None:
                loss = self._data_loss(y, z, p, weights)
            else:
                loss = _loss_by_learner(own_loss, y, p, weights)
            self._back(blocks, y, buffers, gradient.blocks, weights)
            penalty = self._penalty(parameters, gradient.vector)
        if learning and self.batch_norm and isfinite(loss):
            self._take_in(buffers.mean[1:], buffers.variance[1:], buffers.samples)
        self._pool.give(buffers)
        return loss + penalty if own_loss is None else loss

    def _passes_by_cache(self, batch: Batch, learning: bool) -> tuple[float, Array]:
        """By the public forward and backward, which a learner has replaced."""
        x, y, weights, masks = batch
        cache = self.forward(x, **_given(masks=masks, training=self.batch_norm or None))
        z, p = f"z{len(self._weights)}", f"a{len(self._weights)}"
        checks.keys("forward(x)", cache, (z, p))
        with np.errstate(all="ignore"):
            gradient = self.flat_gradient(self.backward(x, y, cache, **_given(weights=weights)))
            if self.has_own("compute_loss"):
                loss = _loss_by_learner(self.compute_loss, y, cache[p], weights)
            else:
                loss = self._data_loss(y, cache[z], cache[p], weights) + self._penalty(self._parameters)
        if learning and self.batch_norm and isfinite(loss):
            self.update_statistics(cache)
        return loss, gradient

    def update_parameters(self, gradients: Mapping[str, npt.ArrayLike], learning_rate: float) -> None:
        """One step of gradient descent: W -= learning_rate dW, b -= learning_rate db.

        Raises FloatingPointError, and leaves the parameters as they are, if the step is not finite.
        """
        rate = checks.positive("learning_rate", learning_rate)
        updated = self._descended(self._parameters, self.flat_gradient(gradients), rate)
        if not training.all_finite(updated):
            raise FloatingPointError(
                f"the step holds nan or inf in layer {self._last_bad_layer(updated)}; the parameters "
                "were left as they are. Try a smaller learning_rate, or bring x and y to a scale near 1."
            )
        self._parameters[:] = updated

    def _descended(self, parameters: Array, gradient: Array, learning_rate: float) -> Array:
        """Where one step leads; it is not taken yet."""
        with np.errstate(all="ignore"):
            return parameters - learning_rate * gradient

    def _updated_by_learner(self, parameters: Array, gradient: Array, learning_rate: float) -> Array:
        """Where a learner's own update_parameters leads; the step is taken back."""
        with self._holding(parameters):
            self.update_parameters(self._named(gradient), learning_rate)
            return self._parameters.copy()

    check_gradients = checking.check_gradients      # against numerical differentiation, layer by layer
    train = network_training.train      # no formula is in it: minibatches, optimisers, schedules, callbacks

    # Saving.

    def architecture(self) -> dict[str, Any]:
        """What the constructor needs to make such a network, but for its first weights; as JSON has it."""
        strengths = {type(penalty): penalty.strength for penalty in self.penalties}
        return {
            "layer_sizes": self.layer_sizes,
            "activation": self.activation_name or self.activation_names()[:-1],
            "output": None if self._output_is_activation else self.output_name,
            "loss": self.loss_name,
            "reduction": self.reduction,
            "l1": strengths.get(L1, 0.0),
            "l2": strengths.get(L2, 0.0),
            "penalise_biases": self.penalise_biases,
            "dropout": self.dropout,
            "batch_norm": self.batch_norm,
            "dtype": self.dtype.name,
        }

    def state_arrays(self) -> dict[str, Array]:
        """All numbers that training changes, by name, live: parameters, and running statistics."""
        running = {"running_mean": self.running_mean, "running_variance": self.running_variance}
        named = {f"{name}{layer}": a for name, arrays in running.items() for layer, a in enumerate(arrays)}
        return {"parameters": self._parameters, **named}

    def save(self, path: PathLike, scaler: Scaler | None = None, imputer: Imputer | None = None) -> None:
        """Write the network, its history and what x went through (the imputer first) to one .npz file.

        Raises TypeError or ValueError, and leaves the file that was there, for what could not be loaded:
        parameters of nan, a scaler of other features than the network takes.
        """
        checkpoints.save(path, self, Preparation(imputer, scaler))

    @classmethod
    def load(cls, path: PathLike) -> Self:
        """The network that `save` or a training put there; nn.load_preparation gives what x went through.

        Raises CheckpointError where the file cannot be trusted.
        """
        return checkpoints.load(path, cls, cls.__name__)


def _loss_by_learner(own_loss: Callable[..., float], y: Array, p: Array, weights: Array | None) -> float:
    """A learner's own loss of a pass, whole: penalties and all."""
    return float(own_loss(y, p.copy(), **_given(weights=weights)))


def _given(**options: Any) -> dict[str, Any]:
    """Those that are not None: a learner's own method need not know the others."""
    return {name: value for name, value in options.items() if value is not None}
