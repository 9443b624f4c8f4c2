"""Where a network starts: random weights for one layer at a time.

Knows NumPy alone. An initializer is a function (inputs, outputs, rng) -> W of shape
(outputs, inputs); biases start at zero everywhere and need none.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

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
    limit = np.sqrt(6.0 / (inputs + outputs))
    return rng.uniform(-limit, limit, size=(outputs, inputs))


def he(inputs: int, outputs: int, rng: np.random.Generator) -> Array:
    """Normal with variance 2 / inputs: for relu, which lets through half of what it is given.

    He, Zhang, Ren & Sun 2015, "Delving deep into rectifiers", formula 10.

    >>> he(3, 2, np.random.default_rng(0)).shape
    (2, 3)
    """
    return rng.normal(0.0, np.sqrt(2.0 / inputs), size=(outputs, inputs))


def tutorial(inputs: int, outputs: int, rng: np.random.Generator) -> Array:
    """Normal with standard deviation 0.01, as the tutorial has it: to show why it fails.

    Nearly equal neurons get nearly equal gradients and stay nearly equal, and what reaches the
    lower layers is scaled by 0.01 at each step: the network learns its output's mean, and stops.

    >>> tutorial(3, 2, np.random.default_rng(0)).shape
    (2, 3)
    """
    return 0.01 * rng.standard_normal((outputs, inputs))


INITIALIZERS: Mapping[str, Initializer] = {"xavier": xavier, "he": he, "tutorial": tutorial}
