"""Where a network starts: random weights for one layer at a time.

Knows NumPy and the checks at the door. An initializer is a function (inputs, outputs, rng) -> W of shape
(outputs, inputs); biases start at zero everywhere and need none.

What a dense layer gives has about `inputs` times the variance of its weights times that of what it is
given; what it sends back has `outputs` times. Hence the two fans, and the variances below.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from nn import checks

Array = npt.NDArray[np.float64]
Initializer = Callable[[int, int, np.random.Generator], Array]


def xavier(inputs: int, outputs: int, rng: np.random.Generator) -> Array:
    """Uniform on ±√(6 / (inputs + outputs)): for tanh, sigmoid and linear layers.

    The variance 2 / (inputs + outputs) is the compromise between keeping the size of the
    activations on their way forwards (1 / inputs) and of the gradients on their way back
    (1 / outputs). Glorot & Bengio 2010, "Understanding the difficulty of training deep
    feedforward neural networks", formula 16.

    >>> bool(abs(xavier(4, 2, np.random.default_rng(0))).max() <= 1.0)
    True
    """
    return _uniform(np.sqrt(6.0 / (inputs + outputs)), inputs, outputs, rng)


def xavier_normal(inputs: int, outputs: int, rng: np.random.Generator) -> Array:
    """Normal with the variance 2 / (inputs + outputs). Glorot & Bengio 2010, formula 12.

    >>> xavier_normal(3, 2, np.random.default_rng(0)).shape
    (2, 3)
    """
    return _normal(2.0 / (inputs + outputs), inputs, outputs, rng)


def he(inputs: int, outputs: int, rng: np.random.Generator) -> Array:
    """Normal with variance 2 / inputs: for relu, which lets through half of what it is given.

    He, Zhang, Ren & Sun 2015, "Delving deep into rectifiers", formula 10.

    >>> he(3, 2, np.random.default_rng(0)).shape
    (2, 3)
    """
    return _normal(2.0 / inputs, inputs, outputs, rng)


def he_uniform(inputs: int, outputs: int, rng: np.random.Generator) -> Array:
    """Uniform on ±√(6 / inputs), which has the variance 2 / inputs: that of ±c is c² / 3.

    >>> bool(abs(he_uniform(6, 2, np.random.default_rng(0))).max() <= 1.0)
    True
    """
    return _uniform(np.sqrt(6.0 / inputs), inputs, outputs, rng)


def lecun(inputs: int, outputs: int, rng: np.random.Generator) -> Array:
    """Normal with variance 1 / inputs: what comes out is as large as what went in, for a slope near 1.

    LeCun, Bottou, Orr & Müller 1998, "Efficient BackProp", section 4.6.

    >>> lecun(3, 2, np.random.default_rng(0)).shape
    (2, 3)
    """
    return _normal(1.0 / inputs, inputs, outputs, rng)


def orthogonal(inputs: int, outputs: int, rng: np.random.Generator) -> Array:
    """Orthonormal rows, or columns where outputs > inputs: no direction is stretched, in many layers too.

    The factor Q of a normal matrix, with the signs that make it uniform over all such matrices (Mezzadri
    2007, "How to generate random matrices from the classical compact groups"). Saxe, McClelland & Ganguli
    2014, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks".

    >>> W = orthogonal(3, 2, np.random.default_rng(0))
    >>> bool(np.allclose(W @ W.T, np.eye(2)))
    True
    """
    long, short = max(inputs, outputs), min(inputs, outputs)
    Q, R = np.linalg.qr(rng.standard_normal((long, short)))
    Q = Q * np.where(np.diagonal(R) < 0, -1.0, 1.0)
    return np.ascontiguousarray(Q if outputs == long else Q.T)


def zeros(inputs: int, outputs: int, rng: np.random.Generator) -> Array:
    """All 0, to show why it fails: equal neurons get equal gradients, and a layer stays one neuron.

    >>> zeros(2, 1, np.random.default_rng(0))
    array([[0., 0.]])
    """
    return np.zeros((outputs, inputs))


def tutorial(inputs: int, outputs: int, rng: np.random.Generator) -> Array:
    """Normal with standard deviation 0.01, as the tutorial has it: to show why it fails.

    Nearly equal neurons get nearly equal gradients and stay nearly equal, and what reaches the
    lower layers is scaled by 0.01 at each step: the network learns its output's mean, and stops.

    >>> tutorial(3, 2, np.random.default_rng(0)).shape
    (2, 3)
    """
    return 0.01 * rng.standard_normal((outputs, inputs))


INITIALIZERS: Mapping[str, Initializer] = {
    "xavier": xavier,
    "xavier_normal": xavier_normal,
    "he": he,
    "he_uniform": he_uniform,
    "lecun": lecun,
    "orthogonal": orthogonal,
    "zeros": zeros,
    "tutorial": tutorial,
}

# Whose slope is near 1 about 0, or the same everywhere, gets Xavier; who lets through one half, He.
DEFAULTS: Mapping[str, str] = {
    **dict.fromkeys(("sigmoid", "tanh", "linear", "softmax"), "xavier"),
    **dict.fromkeys(("relu", "leaky_relu", "elu", "gelu", "silu", "softplus"), "he"),
}


def default_for(activation: str) -> str:
    """The name of the initializer that fits a layer with this activation.

    >>> default_for("relu"), default_for("tanh")
    ('he', 'xavier')
    """
    return DEFAULTS[checks.one_of("activation", activation, DEFAULTS)]


def _uniform(limit: float, inputs: int, outputs: int, rng: np.random.Generator) -> Array:
    return rng.uniform(-limit, limit, size=(outputs, inputs))


def _normal(variance: float, inputs: int, outputs: int, rng: np.random.Generator) -> Array:
    return rng.normal(0.0, np.sqrt(variance), size=(outputs, inputs))
