"""Six mistakes of the tutorial's own code, and how each one is caught.

Each is shown in three steps: what the tutorial writes; what the comparison, or another measurement,
says about it, run here and now; what is right, run too. A section makes one mistake and no other.

Letters: m samples, one a column; a the network's output, z its logits, y the targets, all (1, m); dz is
∂loss/∂z; σ the sigmoid, σ'(z) = a (1 - a).
"""

import argparse
import textwrap
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import numpy.typing as npt

from autograd.terminal import run
from nn import NeuralNetwork, compare_gradients

Array = npt.NDArray[np.float64]
Gradients = dict[str, Array]

XOR_X = np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]])
XOR_Y = np.array([[0.0, 1.0, 1.0, 0.0]])
XOR_SIZES = (2, 4, 1)
STARTS = ("tutorial", "xavier")


def main(argv: Sequence[str] | None = None) -> int:
    """Print all sections; returns the exit code."""
    args = _parser().parse_args(argv)
    sections = [
        ("The gradient of another loss than the one reported", another_loss()),
        ("No mean over the samples", no_mean()),
        ("The stand-alone function reads the cache one layer off", one_layer_off()),
        ("The plain exponential overflows", plain_exponential()),
        ("Weights of size 0.01 leave XOR on a plateau", tiny_weights(args.epochs, args.seeds)),
        ("A target of shape (m, 1) broadcasts to (m, m)", column_target()),
    ]
    for number, (title, paragraphs) in enumerate(sections, start=1):
        print(f"{number}. {title}\n{'=' * (len(title) + 3)}\n")
        for paragraph in paragraphs:
            print(paragraph, flush=True)
        print()
    print(f"{len(sections)} mistakes shown, each beside what is right.")
    return 0


# The tutorial's passes, with the one thing in question left open.


def backpropagate(
    network: NeuralNetwork, cache: Mapping[str, Array], dz: Array, gradients: Gradients, shift: int = 0
) -> None:
    """The tutorial's way down from the output's dz; fills `gradients` in. shift=1 reads one layer off."""
    for layer in reversed(range(len(network.weights))):
        gradients[f"dW{layer}"] = np.dot(dz, cache[f"a{layer - shift}"].T)
        gradients[f"db{layer}"] = dz.sum(axis=1, keepdims=True)
        if layer > 0:
            slope = network.activation_derivative(cache[f"z{layer - shift}"])
            dz = np.dot(network.weights[layer].T, dz) * slope


@dataclass(frozen=True)
class Tutorial:
    """The tutorial's passes with the network's parameters and the output's dz = error(a, y)."""

    network: NeuralNetwork
    error: Callable[[Array, Array], Array]

    def forward(self, x: Array) -> dict[str, Array]:
        """The network's own."""
        return self.network.forward(x)

    def backward(self, x: Array, y: Array, cache: Mapping[str, Array]) -> Gradients:
        """Gradients from the error in question; all else is right."""
        gradients: Gradients = {}
        a = cache[f"a{len(self.network.weights)}"]
        backpropagate(self.network, cache, self.error(a, y), gradients)
        return gradients


def stand_alone(network: NeuralNetwork, x: Array, y: Array) -> tuple[Gradients, str]:
    """What the tutorial's stand-alone function computes, with the mean it lacks, and how it ends."""
    cache = network.forward(x)
    dz = (cache[f"a{len(network.weights)}"] - y) / y.size
    gradients: Gradients = {}
    return gradients, refusal(lambda: backpropagate(network, cache, dz, gradients, shift=1))


def squared_error(a: Array, y: Array) -> Array:
    """The true dz of the mean squared error."""
    return 2 * (a - y) / y.size * a * (1 - a)


def cross_entropy_error(a: Array, y: Array) -> Array:
    """The true dz of the mean binary cross-entropy."""
    return (a - y) / y.size


def summed_error(a: Array, y: Array) -> Array:
    """The tutorial's dz."""
    return a - y


def example(
    sizes: Sequence[int] = (2, 3, 1), m: int = 8, loss: str = "mean_squared_error"
) -> tuple[NeuralNetwork, Array, Array]:
    """A network of sigmoids, x and y of zeros and ones: the same parameters and samples for either loss."""
    rng = np.random.default_rng(0)
    network = NeuralNetwork(sizes, loss=loss, rng=rng)
    network.parameters = rng.normal(size=network.parameters.size)
    x = rng.normal(size=(sizes[0], m))
    y = rng.integers(0, 2, size=(sizes[-1], m)).astype(float)
    return network, x, y


# The sections: each yields its paragraphs.


def another_loss() -> Iterator[str]:
    """The error a - y, while the mean squared error is reported."""
    network, x, y = example()
    tutorial = Tutorial(network, summed_error)
    yield tutorial_writes(
        """
        dz = a - y
        loss = np.mean((y - a) ** 2)
        """
    )
    yield comparison_says(f"m = {y.size}, layers {network.layer_sizes}, the loss that is reported")
    yield indented(compare_gradients(tutorial, x, y, reference=network))

    yield "\nIt is the gradient of another loss, the cross-entropy summed over samples:"
    crossed, _, _ = example(loss="binary_cross_entropy")
    means = crossed.backward(x, y, crossed.forward(x))
    summed = {name: y.size * gradient for name, gradient in means.items()}
    yield indented(compare_gradients(tutorial, x, y, reference=summed))

    yield "\nSample by sample, its dz is the true one times m / (2σ'(z)):"
    yield from error_table(network, x, y)
    yield filled(
        f"The factor is 2m = {2 * y.size} at its least, where a = 1/2 and σ' = 1/4, and grows where the "
        "network is surer of its answer: no learning rate makes up for it."
    )
    yield right("dz = 2 * (a - y) / m * a * (1 - a)       # of the mean squared error")
    yield verdict(Tutorial(network, squared_error), x, y, network)
    yield indented("dz = (a - y) / m                         # of the mean cross-entropy")
    yield verdict(Tutorial(crossed, cross_entropy_error), x, y, crossed)


def no_mean() -> Iterator[str]:
    """The sum over samples, for the loss that a - y belongs to."""
    network, x, y = example(loss="binary_cross_entropy")
    yield tutorial_writes(
        """
        dz = a - y
        dW = np.dot(dz, a_below.T)               # nowhere divided by m
        """
    )
    yield comparison_says(f"m = {y.size}, the mean cross-entropy: this mistake stands alone")
    yield indented(compare_gradients(Tutorial(network, summed_error), x, y, reference=network))

    yield "\nEvery entry is m times too large; the step grows with the data:"
    for m in (8, 80, 800):
        network, x, y = example(m=m, loss="binary_cross_entropy")
        least, most = ratios(Tutorial(network, summed_error), network, x, y)
        yield indented(f"m = {m:<4} its gradient over the true one: {least:.6f} to {most:.6f}")
    yield filled("With the tutorial's 1,000 samples, its learning rate of 0.01 is a rate of 10.")

    yield right("dz = (a - y) / m")
    yield verdict(Tutorial(network, cross_entropy_error), x, y, network)


def one_layer_off() -> Iterator[str]:
    """The stand-alone backward_pass, which reads a(l-1) and z(l-1) from a cache that starts at a0 = x."""
    yield tutorial_writes(
        """
        dz = cache['a' + str(L)] - y
        dW = np.dot(dz, cache['a' + str(l - 1)].T)
        dz = np.dot(W.T, dz) * activation_derivative(cache['z' + str(l - 1)])
        """
    )
    yield comparison_says("the tutorial's forward pass makes the cache a0 = x, z1, a1, z2, a2, ...")
    for sizes in ((2, 1), (2, 3, 1), (3, 3, 3, 3)):
        computed, error = stand_alone(*example(sizes, loss="binary_cross_entropy"))
        shapes = [f"{name} {gradient.shape}" for name, gradient in computed.items() if name[1] == "W"]
        yield indented(f"layers {sizes!s:<13} {error:<15} after {', '.join(shapes) or 'nothing'}")

    yield filled(
        "dW1 ought to be (1, 3) in the second network. In the third all shapes fit, and what was computed "
        "before the error passes for a gradient:"
    )
    network, x, y = example((3, 3, 3, 3), loss="binary_cross_entropy")
    computed, _ = stand_alone(network, x, y)
    yield indented(compare_gradients(computed, x, y, reference=network))

    yield right(
        """
        dW = np.dot(dz, cache['a' + str(l)].T)   # what layer l was given
        dz = np.dot(W.T, dz) * activation_derivative(cache['z' + str(l)])
        """
    )
    yield verdict(Tutorial(network, cross_entropy_error), x, y, network)


def plain_exponential() -> Iterator[str]:
    """The sigmoid 1 / (1 + e⁻ᶻ), taken literally."""
    yield tutorial_writes("a = 1 / (1 + np.exp(-z))")

    yield comparison_says("a network with this activation; one sample is multiplied by -10,000")
    network, x, y = example()
    x[:, 0] *= -1e4
    plain = PlainSigmoid(network.layer_sizes)
    plain.parameters = network.parameters
    yield indented(compare_gradients(plain, x, y, reference=network))

    lowest, limit = network.forward(x)["z1"].min(), np.log(np.finfo(float).max)
    yield filled(
        f"No gradient is wrong, though logits go down to {lowest:,.0f}: 1 / inf is 0, by luck. But "
        f"below -{limit:.1f} each call warns, and what is luck in a sigmoid is nan in a softmax and "
        "inf in a logarithm. With z = [-1000, 0, 1000]:"
    )
    z = np.array([-1000.0, 0.0, 1000.0])
    yield measured("1 / (1 + np.exp(-z))", lambda: plain_sigmoid(z))
    yield measured("np.exp(z) / np.exp(z).sum()", lambda: np.exp(z) / np.exp(z).sum())
    yield measured("-np.log(1 / (1 + np.exp(-z)))", lambda: -np.log(plain_sigmoid(z)))

    yield right(
        """
        a = np.exp(np.minimum(z, 0)) / (1 + np.exp(-np.abs(z)))
        e = np.exp(z - z.max());  softmax = e / e.sum()
        -log σ(z) = np.maximum(z, 0) - z + np.log1p(np.exp(-np.abs(z)))
        """
    )
    yield measured("a", lambda: stable_sigmoid(z))
    yield measured("softmax", lambda: stable_softmax(z))
    yield measured("-log σ(z)", lambda: stable_surprise(z))


def tiny_weights(epochs: int, seeds: int) -> Iterator[str]:
    """The tutorial's first weights against Xavier's, on XOR."""
    yield tutorial_writes("W = np.random.randn(outputs, inputs) * 0.01")

    yield comparison_says("nothing: the gradient is right. It is only small")
    for start in STARTS:
        network = xor_network(start, seed=0)
        size = np.abs(network.backward(XOR_X, XOR_Y, network.forward(XOR_X))["dW0"]).max()
        report = compare_gradients(network, XOR_X, XOR_Y)
        agreement = "all agree" if report.ok else "they do not agree"
        yield indented(f"{start:<9} against its scalar twin: {agreement}; largest |dW0| {size:.1e}")

    yield filled(
        f"Learning tells. Layers {XOR_SIZES}, sigmoids, the mean cross-entropy and its true gradient, seeds "
        f"0 to {seeds - 1}, at most {epochs:,} epochs. Learnt is the first epoch that has all four "
        "answers on the right side of 1/2. A rate of 2 is the tutorial's summed step at 0.5."
    )
    yield from race(2.0, epochs, seeds)
    yield from race(5.0, epochs, seeds)
    yield filled(
        f"From small weights every hidden neuron says 1/2 and the loss is ln 2 = {np.log(2):.4f}: a plateau. "
        "Along the output's parameters the loss curves there by 1/4 (4 · 1/2² + 1) = 1/2, so that "
        "steps at a rate above 4 overshoot, more each time, until they have left it. A rate of 5 does; a "
        "start that depends on that is a start by accident."
    )
    yield right(
        """
        limit = np.sqrt(6 / (inputs + outputs))                      # Xavier
        W = rng.uniform(-limit, limit, size=(outputs, inputs))
        """
    )


def column_target() -> Iterator[str]:
    """Targets (m, 1) where the network's output is (1, m)."""
    network, x, y = example((2, 1))
    column = y.T
    yield tutorial_writes(
        """
        dz = a - y                               # a (1, m), y (m, 1)
        loss = np.mean((y - a) ** 2)
        """
    )
    yield comparison_says(f"one layer {network.layer_sizes}, m = {y.size}, dz mended but for this")
    a = network.forward(x)["a1"]
    yield indented(f"shapes: a {a.shape}, y {column.shape}, a - y {(a - column).shape}")
    yield indented(f"loss of predictions that are all correct: {np.mean((column - y) ** 2):.4f}")
    tutorial = Tutorial(network, lambda a, y: squared_error(a, y.T))
    yield indented(compare_gradients(tutorial, x, y, reference=network))

    yield "\nWith a hidden layer it stops at last, at a line that is not to blame:"
    network, x, y = example()
    cache = network.forward(x)
    yield indented(refusal(lambda: Tutorial(network, summed_error).backward(x, column, cache)))

    yield right("dz = 2 * (a - y) / m * a * (1 - a)       # where y.shape == a.shape")
    yield verdict(Tutorial(network, squared_error), x, y, network)
    yield "NeuralNetwork asks for the shape at the door:"
    yield indented(refusal(lambda: network.backward(x, column, cache)))


# What the sections measure.


def error_table(network: NeuralNetwork, x: Array, y: Array) -> Iterator[str]:
    """Each sample's dz, the tutorial's beside the true one: db1 of that sample alone, over m."""
    yield indented("     a    σ'(z)   its dz    true dz    ratio   m/(2σ')")
    for n in range(y.size):
        one, target = x[:, [n]], y[:, [n]]
        cache = network.forward(one)
        a, wrong = cache["a2"].item(), summed_error(cache["a2"], target).item()
        true = network.backward(one, target, cache)["db1"].item() / y.size
        slope = a * (1 - a)
        figures = f"{a:6.3f} {slope:8.4f} {wrong:8.4f} {true:10.6f}"
        yield indented(f"{figures} {wrong / true:8.3f} {y.size / (2 * slope):9.3f}")


def ratios(tutorial: Tutorial, network: NeuralNetwork, x: Array, y: Array) -> tuple[float, float]:
    """The least and the largest quotient of an entry of the tutorial's gradients by the network's."""
    cache = network.forward(x)
    wrong, true = tutorial.backward(x, y, cache), network.backward(x, y, cache)
    quotients = np.concatenate([(wrong[name] / true[name]).ravel() for name in true])
    return float(quotients.min()), float(quotients.max())


class PlainSigmoid(NeuralNetwork):
    """A network with the tutorial's activation and its derivative."""

    def activation(self, z: Array) -> Array:
        """The exponential as it comes."""
        return plain_sigmoid(z)

    def activation_derivative(self, z: Array) -> Array:
        """σ (1 - σ)."""
        a = plain_sigmoid(z)
        return a * (1 - a)


def plain_sigmoid(z: Array) -> Array:
    """The tutorial's: e⁻ᶻ overflows for z below -709.8."""
    return 1 / (1 + np.exp(-z))


def stable_sigmoid(z: Array) -> Array:
    """The same; neither exponential can overflow."""
    a: Array = np.exp(np.minimum(z, 0)) / (1 + np.exp(-np.abs(z)))
    return a


def stable_softmax(z: Array) -> Array:
    """Softmax of a vector; the largest exponent is 0."""
    e = np.exp(z - z.max())
    a: Array = e / e.sum()
    return a


def stable_surprise(z: Array) -> Array:
    """-log σ(z), from the logits: what a target of 1 costs."""
    surprise: Array = np.maximum(z, 0) - z + np.log1p(np.exp(-np.abs(z)))
    return surprise


def xor_network(initialization: str, seed: int) -> NeuralNetwork:
    """A network of sigmoids for XOR."""
    rng = np.random.default_rng(seed)
    return NeuralNetwork(XOR_SIZES, loss="binary_cross_entropy", initialization=initialization, rng=rng)


def race(rate: float, epochs: int, seeds: int) -> Iterator[str]:
    """A table: each seed's epochs to learn XOR, from the tutorial's weights and from Xavier's."""
    yield f"\n    learning rate {rate:g}\n    seed   {'0.01 weights':<28}Xavier"
    learnt: dict[str, list[int]] = {start: [] for start in STARTS}
    for seed in range(seeds):
        outcomes = []
        for start in STARTS:
            network = xor_network(start, seed)
            epoch = epochs_to_learn(network, rate, epochs)
            if epoch is not None:
                learnt[start].append(epoch)
            outcomes.append(outcome(network, epoch))
        yield f"    {seed:>4}   {outcomes[0]:<28}{outcomes[1]}"
    totals = [total(learnt[start], seeds) for start in STARTS]
    yield f"    all    {totals[0]:<28}{totals[1]}"


def epochs_to_learn(network: NeuralNetwork, rate: float, epochs: int) -> int | None:
    """The first epoch with all four answers right, by gradient descent; None if there is none."""
    for epoch in range(epochs):
        cache = network.forward(XOR_X)
        if np.array_equal(cache["a2"] > 0.5, XOR_Y == 1):
            return epoch
        network.update_parameters(network.backward(XOR_X, XOR_Y, cache), rate)
    return None


def outcome(network: NeuralNetwork, epoch: int | None) -> str:
    """When the network had learnt, or the loss it was left with."""
    if epoch is None:
        return f"not learnt, loss {network.compute_loss(XOR_Y, network.forward(XOR_X)['a2']):.4f}"
    return f"epoch {epoch:,}"


def total(epochs: Sequence[int], seeds: int) -> str:
    """How many learnt, and how fast."""
    return f"{len(epochs)} of {seeds}" + (f", median epoch {median(epochs):,g}" if epochs else "")


def measured(formula: str, compute: Callable[[], Array]) -> str:
    """The formula's numbers, and the warnings NumPy gave over them."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        numbers = compute()
    messages = dict.fromkeys(f"    {warning.category.__name__}: {warning.message}" for warning in caught)
    return indented("\n".join([f"{formula} = {numbers}", *messages]))


def refusal(call: Callable[[], object]) -> str:
    """The error that the call ends in, as text."""
    try:
        call()
    except (KeyError, ValueError) as error:
        return textwrap.fill(f"{type(error).__name__}: {error}", 72)
    return "no error"


# How it is printed.


def tutorial_writes(code: str) -> str:
    """The first step of a section."""
    return f"The tutorial writes\n{block(code)}\n"


def comparison_says(setting: str) -> str:
    """The second step's heading; what it says follows."""
    return f"The comparison says\n  ({setting})"


def right(code: str) -> str:
    """The third step; what the comparison says to it may follow."""
    return f"\nRight is\n{block(code)}"


def verdict(candidate: Tutorial, x: Array, y: Array, reference: NeuralNetwork) -> str:
    """The last line of the report."""
    report = compare_gradients(candidate, x, y, reference=reference)
    return indented(f"    {str(report).splitlines()[-1]}")


def block(code: str) -> str:
    """Lines of code, set off from the prose."""
    return indented(textwrap.dedent(code).strip())


def indented(text: object) -> str:
    """Set off from the prose."""
    return textwrap.indent(str(text), "    ")


def filled(text: str) -> str:
    """A paragraph of prose after an empty line, not wider than 78 columns."""
    return "\n" + textwrap.fill(text, 78)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m demos.tutorial_mistakes",
        description="Six mistakes of the tutorial's own code, and how each one is caught.",
        epilog="With the defaults it takes about twenty seconds, nearly all of them for XOR.",
    )
    parser.add_argument("--epochs", type=whole_number, default=30_000, help="XOR: at most (%(default)s)")
    parser.add_argument("--seeds", type=whole_number, default=5, help="XOR: networks a start (%(default)s)")
    return parser


def whole_number(text: str) -> int:
    """An option that counts something, from 1 on."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text}")
    return number


if __name__ == "__main__":
    run(main)
