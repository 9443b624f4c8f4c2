"""The hand-derived network: a multilayer perceptron in NumPy, one column a sample.

This room is an independent witness. Every derivative in it was worked out on paper, here for the
layers (`NeuralNetwork.backward`) and in `nn.formulas` for activations and losses; it may know NumPy
and the plain helpers of `nn`, and never `autograd`, so that the two can be compared as strangers.

Letters: N samples, P parameters; layer l, counted from 0, maps a_l to z_{l+1} = W_l a_l + b_l and
a_{l+1} = g(z_{l+1}); W is (out, in), b (out, 1), a and z (width, N); a_0 = x. dW is ∂loss/∂W.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from nn import checks, training
from nn.formulas import ACTIVATIONS, LOSSES, OUTPUTS
from nn.initializers import INITIALIZERS
from nn.parameters import LayeredParameters, windows

if TYPE_CHECKING:
    from nn.layers import MLP

Array = npt.NDArray[np.float64]

PASSES = ("activation", "activation_derivative", "forward", "backward", "compute_loss")  # to the gradient


class NeuralNetwork(LayeredParameters):
    """A fully connected network with hand-derived gradients; x is (inputs, N), y is (outputs, N).

    layer_sizes    [inputs, hidden..., outputs]
    activation     "sigmoid", "relu", "tanh" or "linear"; of the hidden layers
    output         the last layer's: any of these, or "softmax"; None is as the hidden layers
    loss           "mean_squared_error" over all entries; "binary_cross_entropy" over all entries, for
                   a sigmoid output; "cross_entropy" over samples, for a softmax output with columns of
                   class probabilities as targets. Each is a mean, and its gradient its own.
    initialization "xavier", "he" or "tutorial" (see nn.initializers); biases are 0
    rng            a numpy.random.Generator for the weights; None takes a fresh one

    `weights[l]` (out, in) and `biases[l]` (out, 1) are windows on the one vector `parameters` (P,),
    which runs layer by layer, neuron by neuron, weights then bias. Arithmetic follows IEEE 754 and
    never raises; inputs are checked and must be finite; integers and booleans become float64.

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
        activation: str = "sigmoid",
        *,
        output: str | None = None,
        loss: str = "mean_squared_error",
        initialization: str = "xavier",
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__(checks.widths("layer_sizes", layer_sizes, least="[inputs, outputs]"))
        self.activation_name = checks.one_of("activation", activation, ACTIVATIONS)
        self.output_name = checks.one_of("output", activation if output is None else output, OUTPUTS)
        self.loss_name = checks.one_of("loss", loss, LOSSES)
        _check_combination(self.loss_name, self.output_name)
        initialize = INITIALIZERS[checks.one_of("initialization", initialization, INITIALIZERS)]
        rng = checks.generator(rng)

        self._output_is_activation = output is None and LOSSES[loss].output is None
        for W in self._weights:
            W[...] = initialize(W.shape[1], W.shape[0], rng)

    def __repr__(self) -> str:
        return (
            f"NeuralNetwork({self.layer_sizes}, activation={self.activation_name!r}, "
            f"output={self.output_name!r}, loss={self.loss_name!r})"
        )

    # To and from the network of Values.

    @classmethod
    def from_mlp(cls, model: MLP, loss: str = "mean_squared_error") -> Self:
        """The network that computes what this MLP of Values computes, with a copy of its parameters.

        >>> from nn import MLP
        >>> NeuralNetwork.from_mlp(MLP(2, [3, 1], activation="tanh"))
        NeuralNetwork([2, 3, 1], activation='tanh', output='linear', loss='mean_squared_error')
        """
        from nn.layers import MLP

        if not isinstance(model, MLP):
            raise TypeError(f"from_mlp: expected an nn.MLP, got {type(model).__name__}")
        network = cls(model.sizes, activation=model.activation, output=model.output, loss=loss)
        network.parameters = np.array([parameter.data for parameter in model.parameters()])
        return network

    def to_mlp(self) -> MLP:
        """The MLP of Values that computes what this network computes, with a copy of its parameters.

        Raises TypeError where a learner's own `activation` is in place: no MLP has that.
        """
        from nn.layers import MLP

        if self.has_own("activation"):
            raise TypeError(
                f"to_mlp: {type(self).__name__} has an activation of its own, which an MLP of Values cannot "
                f"take over; its activations are {', '.join(ACTIVATIONS)}"
            )
        inputs, *layers = self.layer_sizes
        model = MLP(inputs, layers, self.activation_name, self.output_name)
        for parameter, number in zip(model.parameters(), self._parameters.tolist(), strict=True):
            parameter.data = number
        return model

    # The activation, which a learner may replace.

    def activation(self, z: Array) -> Array:
        """g(z), elementwise: the hidden layers' and, where `output` is None, the last one's."""
        with np.errstate(all="ignore"):
            return ACTIVATIONS[self.activation_name].value(z)

    def activation_derivative(self, z: Array) -> Array:
        """g'(z), elementwise; relu'(0) is 0."""
        rule = ACTIVATIONS[self.activation_name]
        with np.errstate(all="ignore"):
            return rule.backward(rule.value(z), np.ones_like(z))

    def has_own(self, method: str) -> bool:
        """Whether a subclass, or an assignment to this object, has put its own method in."""
        return getattr(getattr(self, method), "__func__", None) is not getattr(NeuralNetwork, method)

    # Forwards.

    def forward(self, x: npt.ArrayLike) -> dict[str, Array]:
        """Every layer's logits and activations for x (inputs, N): {"a0": x, "z1": …, "a1": …, …}.

        z_{l+1} = W_l a_l + b_l and a_{l+1} = g(z_{l+1}). Raises ValueError for another shape, nan or inf.
        """
        inputs = checks.columns("x", x, self.layer_sizes[0])
        with np.errstate(all="ignore"):
            return self._forward(inputs)

    def _forward(self, x: Array) -> dict[str, Array]:
        cache = {"a0": x}
        a = x
        top = len(self._weights) - 1
        for layer, (W, b) in enumerate(zip(self._weights, self._biases, strict=True)):
            z = W @ a
            z += b
            a = self.activation(z) if layer < top else self._output(z)
            cache[f"z{layer + 1}"], cache[f"a{layer + 1}"] = z, a
        return cache

    def _output(self, z: Array) -> Array:
        if self._output_is_activation:
            return self.activation(z)
        return OUTPUTS[self.output_name].value(z)

    def compute_loss(self, y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
        """The loss of predictions y_pred (outputs, N) for targets y_true of the same shape.

        A cross-entropy takes probabilities; expecting what was given probability 0 costs inf.
        """
        y = checks.columns("y_true", y_true, self.layer_sizes[-1])
        y = checks.targets("y_true", y, self.loss_name)
        p = checks.exactly("y_pred", y_pred, y.shape)
        loss = LOSSES[self.loss_name]
        if loss.output is not None:
            checks.probabilities("y_pred", p)
        with np.errstate(all="ignore"):
            return loss.value(y, p)

    @property
    def _top(self) -> tuple[str, str]:
        """The names of the last layer's logits and activations in a cache."""
        return f"z{len(self._weights)}", f"a{len(self._weights)}"

    def _loss(self, y: Array, cache: Mapping[str, Array]) -> float:
        """The loss of a forward pass, from its logits where that is the stable way."""
        z, p = (cache[name] for name in self._top)
        if self.has_own("compute_loss"):
            return float(self.compute_loss(y, p))
        loss = LOSSES[self.loss_name]
        return loss.value(y, p) if loss.of_logits is None else loss.of_logits(y, z)

    # Backwards.

    def backward(self, x: npt.ArrayLike, y: npt.ArrayLike, cache: Mapping[str, Array]) -> dict[str, Array]:
        """Gradients of the loss at y (outputs, N): {"dW0": (out, in), "db0": (out, 1), …}.

        `cache` is what forward(x) returned, with these parameters; one that shows another origin is refused
        with a ValueError. The chain rule from the last layer
        down, for sample n, inputs j and outputs i of a layer:

            z = W a + b  means   z_in = Σ_j W_ij a_jn + b_i,  hence
            dW_ij = Σ_n dz_in a_jn     dW = dz aᵀ       each weight meets every sample once
            db_i  = Σ_n dz_in          db = dz summed over samples
            da_jn = Σ_i W_ij dz_in     da = Wᵀ dz       each activation feeds every neuron above
            and below that, as a = g(z'):  dz' = da ⊙ g'(z')

        At the top, the mean squared error has dp = 2 (p - y) / (out N), which goes back through the
        output as any da does; a cross-entropy and its output together have dz = (p - y) / N, over
        samples, or (p - y) / (out N), over entries. The tutorial's dz = p - y lacks the mean, and for
        the squared error it reports also the 2 and the g'(z).
        """
        inputs, targets = self._samples(x, y)
        arrays = self._checked_cache(inputs, cache)
        with np.errstate(all="ignore"):
            return self._named(self._backward(targets, arrays))

    def _backward(self, y: Array, cache: Mapping[str, Array]) -> Array:
        """The gradient (P,)."""
        gradient = np.empty_like(self._parameters)
        dz = self._output_error(y, cache)
        for layer, (dW, db) in reversed(list(enumerate(windows(gradient, self.layer_sizes)))):
            z, a = cache.get(f"z{layer}"), cache[f"a{layer}"]
            np.matmul(dz, a.T, out=dW)
            np.sum(dz, axis=1, keepdims=True, out=db)
            if z is not None:           # x has no logits
                dz = self._activation_backward(z, a, self._weights[layer].T @ dz)
        return gradient

    def _output_error(self, y: Array, cache: Mapping[str, Array]) -> Array:
        """The last layer's dz."""
        z, p = (cache[name] for name in self._top)
        loss = LOSSES[self.loss_name]
        error = loss.gradient(y, p)
        if loss.output is not None:
            return error
        if self._output_is_activation:
            return self._activation_backward(z, p, error)
        return OUTPUTS[self.output_name].backward(p, error)

    def _activation_backward(self, z: Array, a: Array, da: Array) -> Array:
        """Back through g: dz = da ⊙ g'(z), taken from a = g(z) unless a learner's own g is in place."""
        if self.has_own("activation") or self.has_own("activation_derivative"):
            return da * self.activation_derivative(z)
        return ACTIVATIONS[self.activation_name].backward(a, da)

    # The engine, and training.

    def loss_and_gradient(
        self, parameters: npt.ArrayLike, x: npt.ArrayLike, y: npt.ArrayLike
    ) -> tuple[float, Array]:
        """Loss and gradient (P,) at `parameters` (P,) for x (inputs, N), y (outputs, N); changes nothing.

        >>> network = NeuralNetwork([1, 1], activation="linear")
        >>> network.loss_and_gradient([2.0, 1.0], [[3.0]], [[5.0]])   # (2·3 + 1 - 5)² = 4, 2·2·(3, 1)
        (4.0, array([12.,  4.]))
        """
        return self._loss_and_gradient(self._vector("parameters", parameters), *self._samples(x, y))

    def _loss_and_gradient(self, parameters: Array, x: Array, y: Array) -> tuple[float, Array]:
        """The same for checked arrays; a learner's own methods are used where there are any."""
        if not any(map(self.has_own, PASSES)):
            return self._at(parameters)._both_passes(x, y)
        with self._holding(parameters):     # a function assigned to this object knows no other object
            return self._both_passes(x, y)

    def _both_passes(self, x: Array, y: Array) -> tuple[float, Array]:
        with np.errstate(all="ignore"):
            if self.has_own("forward") or self.has_own("backward"):
                cache = checks.keys("forward(x)", self.forward(x), self._top)
                gradient = self.flat_gradient(self.backward(x, y, cache))
            else:
                cache = self._forward(x)
                gradient = self._backward(y, cache)
            return self._loss(y, cache), gradient

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

    def train(
        self,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        learning_rate: float = 0.01,
        epochs: int = 1000,
        *,
        batch_size: int | None = None,
        rng: np.random.Generator | None = None,
        on_epoch: Callable[[int, float], object] | None = None,
    ) -> list[float]:
        """Gradient descent on x (inputs, N), y (outputs, N); returns each epoch's loss.

        batch_size   samples a step, in an order shuffled by `rng` each epoch; None: all, in order
        on_epoch     called with (epoch, loss) after each epoch; None prints every hundredth

        The loss is the mean over the epoch's samples, each taken before the step it leads to. Raises
        FloatingPointError, naming step and layer, where nan or inf comes up; the parameters then are
        the last finite ones.
        """
        rate = checks.positive("learning_rate", learning_rate)
        if on_epoch is not None:
            checks.function("on_epoch", on_epoch, "epoch", "loss")
        update = self._updated_by_learner if self.has_own("update_parameters") else self._descended
        return training.train(
            self._loss_and_gradient,
            lambda parameters, gradient: update(parameters, gradient, rate),
            self._parameters,
            *self._samples(x, y),
            epochs=checks.count("epochs", epochs, least=0),
            batch_size=None if batch_size is None else checks.count("batch_size", batch_size, least=1),
            rng=checks.generator(rng),
            on_epoch=on_epoch,
            locate=self._bad_layer,
        )

    def _bad_layer(self, x: Array, numbers: Array) -> int:
        """The first layer to meet nan or inf, in a forward pass and then in numbers (P,) on the way back."""
        with np.errstate(all="ignore"):
            cache = self._forward(x)
        for layer in range(len(self._weights)):
            if not np.isfinite(cache[f"z{layer + 1}"]).all():
                return layer
        return self._last_bad_layer(numbers)

    def _last_bad_layer(self, numbers: Array) -> int:
        """The uppermost layer with nan or inf among its numbers; the top one if only the loss has them."""
        layers = windows(numbers, self.layer_sizes)
        finite = [np.isfinite(W).all() and np.isfinite(b).all() for W, b in layers]
        return max((layer for layer, ok in enumerate(finite) if not ok), default=len(finite) - 1)

    # Checks at the door.

    def _samples(self, x: object, y: object) -> tuple[Array, Array]:
        return checks.samples(x, y, self.layer_sizes[0], self.layer_sizes[-1], self.loss_name)

    def _checked_cache(self, x: Array, cache: object) -> dict[str, Array]:
        """The cache's arrays; refused where it shows that forward(x), with these parameters, gave others."""
        names = ["a0", *(f"{letter}{layer}" for layer in range(1, len(self.layer_sizes)) for letter in "za")]
        entries = checks.keys("cache", cache, names)
        arrays = {n: checks.real_array(f"cache[{n!r}]", entries[n], "of forward(x)") for n in names}
        for name, array in arrays.items():
            shape = self.layer_sizes[int(name[1:])], x.shape[1]
            if array.shape != shape:
                raise _stale(f"cache[{name!r}] has shape {array.shape}, expected {shape} for this x")
        if not self.has_own("forward"):       # a learner's own may scale x, or drop activations
            if not np.array_equal(arrays["a0"], x):
                raise _stale("cache['a0'] is not this x")
            with np.errstate(all="ignore"):
                self._check_first_sample(arrays)
        return arrays

    def _check_first_sample(self, cache: Mapping[str, Array]) -> None:
        """Refuse logits that other parameters gave: one sample tells, at a small share of a pass's cost."""
        for layer, (W, b) in enumerate(zip(self._weights, self._biases, strict=True)):
            a, z = cache[f"a{layer}"][:, 0], cache[f"z{layer + 1}"][:, 0]
            off = W @ a + b[:, 0] - z   # BLAS may sum one column in another order than many
            if off @ off <= 1e-24 * (z @ z):
                continue                # quickly told: so small is rounding
            if (np.abs(off) > 1e-9 * (np.abs(W) @ np.abs(a) + np.abs(b[:, 0]))).any():
                raise _stale(f"cache['z{layer + 1}'] was made with other parameters")


def _stale(what: str) -> ValueError:
    return ValueError(f"{what}; pass what forward(x) returned for this x, before any step.")


def _check_combination(loss: str, output: str) -> None:
    needed = LOSSES[loss].output
    if needed not in (None, output):
        allowed = ", ".join(repr(name) for name, row in LOSSES.items() if row.output in (None, output))
        raise ValueError(
            f"loss {loss!r} belongs to output {needed!r}, got output {output!r}; "
            f"for {output!r} the loss can be {allowed}."
        )
