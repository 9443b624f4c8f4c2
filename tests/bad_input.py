"""What bad input gets: a case for each entry of the table of that name, in its order.

Each is refused with an error of its type that says, in these words, what was expected and what came.
`python -O tests/bad_input.py` tries them where `assert` is no statement, and prints the complaints.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import autograd
from autograd import Value, check_gradients, dot, grad, hvp, jvp, primitive, vjp
from nn import MLP, NeuralNetwork, ScalarEngine


class Case(NamedTuple):
    """An input that is refused."""

    entry: str
    words: str
    call: Callable[[], Any]
    error: type[Exception]


class NotANumber:
    """As a tensor of another library is."""

    __array_ufunc__ = None


v = Value(2.0)
X, Y = np.ones((2, 5)), np.full((1, 5), 0.5)
SHAPE = "expected shape .*, got .*did you pass rows for columns"


def network(**arguments: Any) -> NeuralNetwork:
    return NeuralNetwork(**{"layer_sizes": [2, 3, 1], "rng": np.random.default_rng(0), **arguments})


def train(x: Any = X, y: Any = Y, **arguments: Any) -> None:
    network().train(x, y, **{"epochs": 1, **arguments})


def at(array: np.ndarray, place: tuple[int, int], number: float) -> np.ndarray:
    changed = array.copy()
    changed[place] = number
    return changed


def operand(operation: str, kind: str) -> str:
    return f"operand of '{operation}': expected a real number, got {kind}"


# fmt: off
NAMING_OPERAND_AND_OPERATION = [  # entry, words, call
    ("v * 'a'", operand("multiply", "str 'a'"), lambda: v * "a"),
    ("'a' * v", operand("multiply", "str 'a'"), lambda: "a" * v),
    ("v + None", operand("add", "NoneType"), lambda: v + None),
    ("v ** 1j", operand("power", "complex"), lambda: v**1j),
    ("v * another library's tensor", operand("multiply", "NotANumber"), lambda: v * NotANumber()),
    ("another library's tensor * v", operand("multiply", "NotANumber"), lambda: NotANumber() * v),
    ("v - True", operand("subtract", "bool True"), lambda: v - True),
    ("v / [1]", operand("divide", "list"), lambda: v / [1]),
    ("v < 'a'", operand("<", "str 'a'"), lambda: v < "a"),
    ("sum", operand("sum", "NoneType"), lambda: autograd.sum([v, None])),
    ("dot of numbers", operand("dot", "str"), lambda: dot([1.0], ["a"])),
    ("exp", operand("exp", "str"), lambda: autograd.exp("1")),
    ("maximum", operand("maximum", "bytes"), lambda: autograd.maximum(v, b"1")),
    ("data", "Value data: expected a real number, got str '1'", lambda: Value("1")),
    ("a Value as data", r"Value data: .* got a Value .*; use its \.data", lambda: Value(v)),
    ("label", "Value label: expected a str, got int 3", lambda: Value(1.0, label=3)),
    ("label assigned", "Value label: expected a str, got NoneType", lambda: setattr(v, "label", None)),
    ("grad assigned", "Value grad: expected a real number, got str", lambda: setattr(v, "grad", "0")),
    ("backward's gradient", "backward's gradient: expected a real number", lambda: v.backward("1")),
    ("float(v)", r"use \.data for the number, or autograd\.exp", lambda: float(v)),
    ("int(v)", r"use int\(value\.data\)", lambda: int(v)),
    ("bool(v)", r"compare its number, as in value\.data != 0", lambda: bool(v)),
    ("np.floor(v)", r"np\.floor of a Value is not recorded", lambda: np.floor(v)),
    ("array += v", r"cannot hold a Value.*write array = array \+ value", lambda: np.ones(2).__iadd__(v)),
    ("a loss that is no function, differentiated", "expected a function to differentiate, got float",
     lambda: grad(3.0)(1.0)),
    ("a loss that is no function, checked", "expected a function to check, got float",
     lambda: check_gradients(3.0, 1.0)),
    ("a loss that is no number", "value of the function to differentiate: expected a real number",
     lambda: grad(lambda x: [x])(1.0)),
    ("rate that is no number", "learning_rate: expected a real number, got str 'fast'",
     lambda: train(learning_rate="fast")),
    ("rng that is a seed", r"rng: .*pass np\.random\.default_rng\(seed\)", lambda: MLP(2, [1], rng=0)),
    ("a span of time", "Value data: expected a real number, got timedelta64",
     lambda: Value(np.timedelta64(5, "ns"))),
    ("argnums that is no int", "argnums: expected an argument's position, an int, got tuple",
     lambda: grad(lambda a, b: a * b, (0, 1))(1.0, 2.0)),
    ("a primitive's value that is no function", "primitive 'new': expected functions .* got int 3",
     lambda: primitive("new", 3, [abs])),
    ("a primitive's partials that are no sequence", "primitive 'new': expected a sequence of functions",
     lambda: primitive("new", abs, abs)),
    ("tangent that is no number", "tangents: expected a real number, got str 'a'",
     lambda: jvp(lambda x: x * x, (1.0,), ("a",))),
    ("jvp's argument that is no tuple", r"jvp's args: expected .* as in jvp\(f, \(x,\), \(t,\)\), got float",
     lambda: jvp(lambda x: x * x, 1.0, 1.0)),
    ("jvp's tangent that is no tuple", "jvp's tangents: expected a tuple .* got ndarray",
     lambda: jvp(lambda x: x @ x, (np.ones(2),), np.ones(2))),
    ("what a function gives that is no number", "value of the function to differentiate: .* got str '1'",
     lambda: jvp(lambda x: [x, "1"], (1.0,), (1.0,))),
    ("pow with a modulus", "'power' takes two operands, got 3: pow with a modulus is for integers",
     lambda: pow(v, 2, 3)),
    ("copy of a result", "Copy the leaves and record again", (v * v).__reduce__),
]

INT_TOO_LARGE = [
    ("int too large, as data", "Value data: this int is too large for a float", lambda: Value(10**400)),
    ("int too large, as operand", "operand of 'multiply': this int is too large", lambda: v * 10**400),
]

SHAPES = [
    ("X of the wrong width", SHAPE, lambda: network().forward(X.T)),
    ("y of another length", SHAPE, lambda: train(y=Y[:, :4])),
    ("1-D X", SHAPE, lambda: network().forward(X[0])),
    ("ragged rows", SHAPE, lambda: network().forward([[1.0, 2.0], [1.0]])),
    ("0 samples", SHAPE, lambda: network().forward(X[:, :0])),
    ("y of 3 dimensions", SHAPE, lambda: train(y=Y[None])),
    ("parameter vector of the wrong length", SHAPE,
     lambda: network().loss_and_gradient(np.zeros(12), X, Y)),
    ("the scalar engine's X", SHAPE,
     lambda: ScalarEngine(MLP(2, [1])).loss_and_gradient([0.0] * 3, X.T, Y)),
    ("one sample of the wrong width", "expected a sample of 2 numbers, or a list of samples, got 3",
     lambda: MLP(2, [1])([1.0, 2.0, 3.0])),
    ("weights without inputs", "as many weights as inputs, got 1 and 2", lambda: dot([v], [1, 2])),
    ("tangents", "tangents: expected 2 numbers", lambda: jvp(lambda x: x[0], ([1, 2],), ([1],))),
    ("cotangent", "cotangent: expected 1 numbers", lambda: vjp(lambda x: x, 1.0)[1]([1.0, 2.0])),
    ("tangents of other keys", r"tangents: expected a dict with the keys \['a'\], got",
     lambda: jvp(lambda p: p["a"], ({"a": 1.0},), ({"b": 1.0},))),
    ("hvp's direction", "tangents: expected 2 numbers",
     lambda: hvp(lambda x: x[0] * x[1], [1.0, 2.0], [1.0])),
]

DTYPES = [
    (f"X of dtype {kind}", "x: expected an array of real numbers, got dtype",
     lambda kind=kind: network().forward(X.astype(kind)))
    for kind in ("object", "str", "complex", "datetime64[s]")
] + [
    (f"operand of dtype {kind}", f"operand of 'exp': expected an array of real numbers, got dtype {kind}",
     lambda kind=kind: autograd.exp(np.ones(2).astype(kind)))
    for kind in ("bool", "complex", "timedelta64")
]

NOT_FINITE = [
    ("nan in X", "x holds nan at row 1, column 3", lambda: train(at(X, (1, 3), np.nan))),
    ("inf in y", "y holds inf at row 0, column 2", lambda: train(y=at(Y, (0, 2), np.inf))),
]

DIVERGING = [
    ("training that diverges", "step 0, epoch 0: nan or inf .* first in layer 0",
     lambda: NeuralNetwork([1, 1], "linear").train([[1e200]], [[-1e200]])),
]

NOT_ALLOWED = [
    *[(f"rate {rate}", "learning_rate: expected a finite number above 0, got",
       lambda rate=rate: train(learning_rate=rate)) for rate in (0, -0.1, np.nan, np.inf)],
    ("layers []", r"expected at least \[inputs, outputs\], got \[\]", lambda: NeuralNetwork([])),
    ("an MLP's layers []", r"expected at least \[outputs\], got \[\]", lambda: MLP(2, [])),
    ("width 0", r"layer_sizes\[1\]: expected .* of at least 1, got 0", lambda: NeuralNetwork([2, 0])),
    ("an MLP's width 0", r"layers\[0\]: expected .* of at least 1, got 0", lambda: MLP(2, [0])),
    ("unknown activation", "one of 'sigmoid', 'relu', 'tanh', 'linear'.*; got 'swish'",
     lambda: network(activation="swish")),
    ("an MLP's unknown activation", "one of 'sigmoid', 'relu', 'tanh', 'linear'.*; got 'swish'",
     lambda: MLP(2, [1], activation="swish")),
    ("unknown loss", "one of 'mean_squared_error', .*; got 'mse'", lambda: network(loss="mse")),
    ("batch size 0", "batch_size: expected a whole number of at least 1, got 0",
     lambda: train(batch_size=0)),
    ("class label out of range", "y's column 0 sums to 0.0; expected every column to sum to 1",
     lambda: NeuralNetwork([2, 3], output="softmax", loss="cross_entropy").train(X, np.zeros((3, 5)))),
    ("probability outside [0, 1]", "y holds 2.0 at row 0, column 1; expected probabilities in",
     lambda: network(loss="binary_cross_entropy").train(X, at(Y, (0, 1), 2.0))),
    *[(f"check step {step}", "step must be positive and finite, got",
       lambda step=step: check_gradients(lambda x: x, 1.0, step=step)) for step in (0.0, -1e-6, np.nan)],
    *[(f"check at {x}", "expected finite arguments, .* got", lambda x=x: check_gradients(lambda x: x * x, x))
      for x in (np.inf, np.nan)],
    ("argnums out of range", "argnums is 1, but the function was called with 1",
     lambda: grad(lambda x: x, 1)(1.0)),
    ("logsumexp of nothing", "at least one operand, got none", lambda: autograd.logsumexp([])),
    ("a primitive that exists", "'exp' is in the table already", lambda: primitive("exp", abs, [abs])),
]
# fmt: on

CASES = [
    Case(entry, words, call, error)
    for error, cases in (
        (TypeError, NAMING_OPERAND_AND_OPERATION),
        (OverflowError, INT_TOO_LARGE),
        (ValueError, SHAPES),
        (TypeError, DTYPES),
        (ValueError, NOT_FINITE),
        (FloatingPointError, DIVERGING),
        (ValueError, NOT_ALLOWED),
    )
    for entry, words, call in cases
]


def complaint(case: Case) -> str:
    """What is wrong with the way this input is refused, or ""."""
    try:
        result = case.call()
    except Exception as error:
        if isinstance(error, case.error) and re.search(case.words, str(error)):
            return ""
        return f"{case.entry}: {type(error).__name__}: {error}"
    return f"{case.entry}: accepted, gives {result!r}"


if __name__ == "__main__":
    complaints = [text for text in map(complaint, CASES) if text]
    print("assert is a statement" if __debug__ else "assert is no statement")
    print(f"{len(CASES) - len(complaints)} of {len(CASES)} refused as they should be")
    print(*complaints, sep="\n")
