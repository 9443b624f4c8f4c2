"""What is asked of every input at the door: arrays, sizes, rates, names.

Knows NumPy and nothing of the project. Each function gives its argument back in the form the
package computes with, or raises an error that says what was expected, what came and what to do.
"""

import inspect
import math
import operator
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Set
from numbers import Real
from typing import Any, SupportsIndex, cast

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

REDUCTIONS = ("mean", "sum")    # of a loss's terms


def real_array(name: str, value: object, expected: object, dtype: npt.DTypeLike = np.float64) -> Array:
    """`value` as an array of this float dtype; integers and booleans are converted, a False is 0.0.

    expected  the shape to name in an error

    Raises TypeError for objects, text, complex numbers and dates, ValueError for ragged rows and for masked
    entries.
    """
    if type(value) is not np.ndarray:   # which comes in every step
        refuse_masked(name, value)
    try:
        array = np.asarray(value)
    except ValueError as error:         # NumPy's word for rows of different lengths
        raise ValueError(shape_message(name, str(expected), "rows of different lengths")) from error
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"{name}: expected an array of real numbers, got dtype {array.dtype}; "
            f"convert it first, for instance with np.asarray({name}, dtype=float)."
        )
    if array.dtype == dtype:
        return array                    # the quick way
    with np.errstate(all="ignore"):     # what is too large for the dtype becomes inf, refused later
        return array.astype(dtype)


def refuse_masked(name: str, value: object) -> None:
    """ValueError for a masked array with anything masked: NumPy would go on with what is under the mask.

    >>> refuse_masked("x", np.ma.array([1.0, -999.0], mask=[False, True]))
    Traceback (most recent call last):
    ValueError: x: expected no masked entries, got 1; fill them, or pass x.filled(np.nan) to an nn.Imputer
    """
    if isinstance(value, np.ma.MaskedArray) and (masked := int(np.ma.getmaskarray(value).sum())):
        raise ValueError(
            f"{name}: expected no masked entries, got {masked}; fill them, or pass {name}.filled(np.nan) "
            "to an nn.Imputer"
        )


def finite(name: str, array: Array) -> Array:
    """`array` itself if all its entries are finite; otherwise ValueError naming the first that is not.

    >>> finite("x", np.array([[1.0, np.nan]]))
    Traceback (most recent call last):
    ValueError: x holds nan at row 0, column 1; expected finite numbers. Repair or drop it first.
    """
    if math.isfinite(np.vdot(array, array)):    # the quick way; squares may overflow where numbers do not
        return array
    ok = np.isfinite(array)
    if ok.all():
        return array
    position = tuple(int(i) for i in np.argwhere(~ok)[0])
    names = ("row", "column") if array.ndim == 2 else ("index",)
    place = ", ".join(f"{axis} {i}" for axis, i in zip(names, position, strict=True))
    raise ValueError(
        f"{name} holds {array[position]} at {place}; expected finite numbers. Repair or drop it first."
    )


def table(
    name: str, value: object, rows: int | None = None, dtype: npt.DTypeLike = np.float64
) -> Array:
    """`value` as a (rows, N) array, one column a sample, N at least 1. It need not be finite.

    rows None: any number of them, from 1 on.
    """
    expected = f"({'features' if rows is None else rows}, N) with N >= 1"
    array = real_array(name, value, expected, dtype)
    if array.ndim != 2 or rows not in (None, array.shape[0]) or 0 in array.shape:
        advice = _advice_for_one_axis(name, array, rows)
        raise ValueError(shape_message(name, expected, str(array.shape), advice))
    return array


def columns(
    name: str, value: object, rows: int | None = None, dtype: npt.DTypeLike = np.float64
) -> Array:
    """`value` as a `table` of finite numbers."""
    return finite(name, table(name, value, rows, dtype))


def exactly(
    name: str, value: object, shape: tuple[int, ...], dtype: npt.DTypeLike = np.float64
) -> Array:
    """`value` as an array of just this shape: nothing is broadcast. It need not be finite."""
    array = real_array(name, value, shape, dtype)
    if array.shape != shape:
        fits = len(shape) == 2 and array.size == math.prod(shape)
        advice = _advice_for_one_axis(name, array, shape[0]) if fits else ""
        raise ValueError(shape_message(name, str(shape), str(array.shape), advice))
    return array


def shape_message(name: str, expected: str, got: str, advice: str = "") -> str:
    """What every wrong shape is answered with."""
    advice = advice or "Here samples are columns: transpose a table that has one row a sample."
    return f"{name}: expected shape {expected}, got {got}; did you pass rows for columns? {advice}"


def _advice_for_one_axis(name: str, array: Array, rows: int | None) -> str:
    """How a vector becomes a table of so many rows, where it can."""
    if array.ndim != 1:
        return ""
    if rows == 1:
        return f"For samples of one number each, pass {name}.reshape(1, -1)."
    return f"For one sample, pass {name}.reshape(-1, 1), a column." if len(array) == rows else ""


def probabilities(name: str, array: Array) -> Array:
    """`array` itself if no entry lies outside [0, 1]; nan passes, as the result of arithmetic."""
    outside = (array < 0) | (array > 1)
    if outside.any():
        row, column = (int(i) for i in np.argwhere(outside)[0])
        raise ValueError(
            f"{name} holds {array[row, column]} at row {row}, column {column}; "
            "expected probabilities in [0, 1]."
        )
    return array


def distributions(name: str, array: Array, axis: int = 0) -> Array:
    """`array` itself if each column, or of axis 1 each row, is a probability distribution, to a millionth."""
    sums = probabilities(name, array).sum(axis=axis, dtype=np.float64)     # float32 would round
    wrong = np.abs(sums - 1) > 1e-6
    if wrong.any():
        place, one_hot = int(np.argmax(wrong)), ("[:, labels]", "[labels]")[axis]
        line = ("column", "row")[axis]
        raise ValueError(
            f"{name}'s {line} {place} sums to {sums[place]}; expected every {line} to sum to 1, "
            f"as a one-hot class label does: np.eye(classes){one_hot}."
        )
    return array


def signs(name: str, array: Array) -> Array:
    """`array` itself if each entry is -1 or +1, the two classes of a hinge loss."""
    right = np.abs(array) == 1.0
    if np.count_nonzero(right) < array.size:
        row, column = (int(i) for i in np.argwhere(~right)[0])
        raise ValueError(
            f"{name} holds {array[row, column]} at row {row}, column {column}; expected -1 or 1, the classes "
            f"of a hinge loss. For classes 0 and 1, pass 2 * {name} - 1."
        )
    return array


TARGETS: Mapping[str, Callable[[str, Array], Array]] = {
    "binary_cross_entropy": probabilities,
    "binary_cross_entropy_with_logits": probabilities,
    "hinge": signs,
}


def targets(name: str, array: Array, loss: str, axis: int = 0) -> Array:
    """`array` itself if it holds what this loss is made for: probabilities, or the signs of two classes.

    axis  along which a sample's targets lie: 0 where samples are columns, 1 where they are rows

    >>> targets("y", np.array([[2.0]]), "binary_cross_entropy")
    Traceback (most recent call last):
    ValueError: y holds 2.0 at row 0, column 0; expected probabilities in [0, 1].
    """
    if loss == "cross_entropy":
        return distributions(name, array, axis)
    return TARGETS[loss](name, array) if loss in TARGETS else array


def labels(name: str, value: object, classes: int) -> Array:
    """Targets (classes, N) for labels (N,), whole numbers from 0: 1.0 in the row of each one's class.

    >>> labels("y", [1, 0], classes=2)
    array([[0., 1.],
           [1., 0.]])
    >>> labels("y", [1, 2], classes=2)
    Traceback (most recent call last):
    ValueError: y: expected classes 0 to 1, got 2 at index 1
    """
    numbers = class_numbers(name, np.asarray(value), classes)
    targets = np.zeros((classes, len(numbers)))
    targets[numbers, np.arange(len(numbers))] = 1.0
    return targets


def class_numbers(name: str, numbers: npt.NDArray[Any], classes: int) -> npt.NDArray[np.intp]:
    """A vector of whole numbers from 0 to classes - 1, be they floats, as integers."""
    outside = ~np.isin(numbers, np.arange(classes))
    if outside.any():
        place = int(np.argmax(outside))
        raise ValueError(
            f"{name}: expected classes 0 to {classes - 1}, got {numbers[place]} at index {place}"
        )
    return numbers.astype(np.intp)


def class_targets(name: str, value: object, outputs: int, loss: str) -> object:
    """`value` itself, or one-hot targets where it is the labels (N,) that the cross-entropy takes, too."""
    if loss != "cross_entropy":
        return value
    refuse_masked(name, value)
    try:
        numbers = np.asarray(value)
    except ValueError:                  # ragged rows: the next check says so
        return value
    return labels(name, numbers, outputs) if numbers.ndim == 1 and numbers.dtype.kind in "iu" else value


def samples(
    x: object, y: object, inputs: int, outputs: int, loss: str, dtype: npt.DTypeLike = np.float64
) -> tuple[Array, Array]:
    """Both as float arrays: x (inputs, N), y (outputs, N), all finite, and y what this loss takes."""
    x = columns("x", x, inputs, dtype)
    y = class_targets("y", y, outputs, loss)
    return x, targets("y", finite("y", exactly("y", y, (outputs, x.shape[1]), dtype)), loss)


def sample_weights(name: str, value: object, samples: int, dtype: npt.DTypeLike = np.float64) -> Array:
    """`value` as an array (N,) of finite numbers of at least 0, and some above it.

    >>> sample_weights("weights", [1, 0, 2], samples=3)
    array([1., 0., 2.])
    >>> sample_weights("weights", [1, -1], samples=2)
    Traceback (most recent call last):
    ValueError: weights holds -1.0 at index 1; expected at least 0.
    """
    array = finite(name, exactly(name, value, (samples,), dtype))
    if (array < 0).any():
        place = int(np.argmax(array < 0))
        raise ValueError(f"{name} holds {array[place]} at index {place}; expected at least 0.")
    if not array.any():
        raise ValueError(f"{name}: expected some weight above 0, got {samples} times 0.")
    with np.errstate(over="ignore"):
        if not np.isfinite(array.sum()):
            raise ValueError(f"{name}: expected weights with a finite sum, got some up to {array.max()}.")
    return array


def positive(name: str, value: object) -> float:
    """`value` as a float, a finite real number above 0.

    >>> positive("learning_rate", -1)
    Traceback (most recent call last):
    ValueError: learning_rate: expected a finite number above 0, got -1
    """
    number = _real(name, value)
    if not (number > 0 and math.isfinite(number)):
        raise ValueError(f"{name}: expected a finite number above 0, got {value}")
    return number


def not_negative(name: str, value: object) -> float:
    """`value` as a float, a finite real number of at least 0.

    >>> not_negative("noise", -0.1)
    Traceback (most recent call last):
    ValueError: noise: expected a finite number of at least 0, got -0.1
    """
    number = _real(name, value)
    if not (number >= 0 and math.isfinite(number)):
        raise ValueError(f"{name}: expected a finite number of at least 0, got {value}")
    return number


def share(name: str, value: object) -> float:
    """`value` as a float in [0, 1): 0 is allowed, 1 is not.

    >>> share("momentum", 1.0)
    Traceback (most recent call last):
    ValueError: momentum: expected a number in [0, 1), got 1.0
    """
    number = _real(name, value)
    if not 0 <= number < 1:
        raise ValueError(f"{name}: expected a number in [0, 1), got {value}")
    return number


def open_share(name: str, value: object) -> float:
    """`value` as a float between 0 and 1, neither of them allowed.

    >>> open_share("factor", 0)
    Traceback (most recent call last):
    ValueError: factor: expected a number above 0 and below 1, got 0
    """
    number = _real(name, value)
    if not 0 < number < 1:
        raise ValueError(f"{name}: expected a number above 0 and below 1, got {value}")
    return number


def _real(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (float, Real)):     # a Real is found more slowly
        raise TypeError(f"{name}: expected a real number, got {type(value).__name__} {value!r}")
    return float(value)


def flag(name: str, value: object) -> bool:
    """`value` itself if it is True or False.

    >>> flag("batch_norm", 1)
    Traceback (most recent call last):
    TypeError: batch_norm: expected True or False, got 1
    """
    if isinstance(value, bool):
        return value
    raise TypeError(f"{name}: expected True or False, got {value!r:.60}")


def path(name: str, value: object) -> str | os.PathLike[str]:
    """`value` itself if it is a path: text, or a pathlib.Path.

    >>> path("path", 3)
    Traceback (most recent call last):
    TypeError: path: expected text or a pathlib.Path, such as "run.npz", got int 3
    """
    if isinstance(value, str) or (isinstance(value, os.PathLike) and isinstance(os.fspath(value), str)):
        return value
    got = f"{type(value).__name__} {value!r:.60}"
    raise TypeError(f'{name}: expected text or a pathlib.Path, such as "run.npz", got {got}')


def float_type(name: str, value: object) -> np.dtype[Any]:
    """`value`, np.float64 or np.float32 or a name of theirs, as a dtype.

    >>> float_type("dtype", "float32")
    dtype('float32')
    >>> float_type("dtype", int)
    Traceback (most recent call last):
    ValueError: dtype: expected np.float64 or np.float32, got <class 'int'>
    """
    if value in (np.float64, np.float32, "float64", "float32"):
        return np.dtype(cast(str, value))
    raise ValueError(f"{name}: expected np.float64 or np.float32, got {value!r:.60}")


def count(name: str, value: object, least: int) -> int:
    """`value` as an int of at least `least`.

    >>> count("epochs", 2.5, least=0)
    Traceback (most recent call last):
    TypeError: epochs: expected a whole number, got float 2.5
    """
    if isinstance(value, bool | np.bool_) or not hasattr(value, "__index__"):
        raise TypeError(f"{name}: expected a whole number, got {type(value).__name__} {value!r}")
    number = operator.index(cast(SupportsIndex, value))
    if number < least:
        raise ValueError(f"{name}: expected a whole number of at least {least}, got {number}")
    return number


def widths(name: str, value: object, least: str) -> list[int]:
    """`value`, a list, a tuple or an array of whole numbers above 0, as a list; `least` is the shortest.

    >>> widths("layer_sizes", np.array([2, 3, 1]), least="[inputs, outputs]")
    [2, 3, 1]
    >>> widths("layer_sizes", [2], least="[inputs, outputs]")
    Traceback (most recent call last):
    ValueError: layer_sizes: expected at least [inputs, outputs], got [2]
    """
    unordered = not isinstance(value, Iterable) or isinstance(value, str | bytes | Mapping | Set)
    if unordered or getattr(value, "ndim", 1) != 1:     # an array may be of no axis, or of two
        raise TypeError(f"{name}: expected a list of widths such as [2, 3, 1], got {value!r:.60}")
    sizes = [count(f"{name}[{i}]", size, least=1) for i, size in enumerate(cast(Iterable[Any], value))]
    if len(sizes) < len(least.split(",")):
        raise ValueError(f"{name}: expected at least {least}, got {sizes}")
    return sizes


def function(name: str, value: object, *arguments: str) -> Callable[..., Any]:
    """`value` itself if it can be called with so many arguments; builtins that hide theirs are trusted.

    >>> function("on_epoch", print, "epoch", "loss") is print
    True
    >>> function("on_epoch", lambda epoch: None, "epoch", "loss")
    Traceback (most recent call last):
    TypeError: on_epoch: expected a function of (epoch, loss), got one of (epoch)
    """
    expected = f"{name}: expected a function of ({', '.join(arguments)}), got"
    if not callable(value):
        raise TypeError(f"{expected} {type(value).__name__} {value!r:.60}")
    try:
        signature = inspect.signature(value)
    except ValueError:                  # some builtins have none to read
        return value
    try:
        signature.bind(*arguments)
    except TypeError:
        raise TypeError(f"{expected} one of {signature}") from None
    return value


def one_of(name: str, value: object, allowed: Collection[str]) -> str:
    """`value` itself if it is one of the `allowed` names.

    >>> one_of("activation", "selu", ["relu", "tanh"])
    Traceback (most recent call last):
    ValueError: activation: expected one of 'relu', 'tanh'; got 'selu'
    """
    if isinstance(value, str) and value in allowed:
        return value
    raise ValueError(f"{name}: expected one of {', '.join(map(repr, allowed))}; got {value!r}")


def generator(rng: object) -> np.random.Generator:
    """`rng` itself, or a freshly seeded generator for None. The global generator is never used."""
    if rng is None:
        return np.random.default_rng()
    if isinstance(rng, np.random.Generator):
        return rng
    raise TypeError(
        f"rng: expected a numpy.random.Generator or None, got {type(rng).__name__}; "
        "pass np.random.default_rng(seed)."
    )


def keys(name: str, value: object, needed: Iterable[str]) -> Mapping[str, Any]:
    """`value` itself if it is a dict with all the `needed` keys.

    >>> keys("gradients", {"dW0": 1.0}, ["dW0", "db0"])
    Traceback (most recent call last):
    ValueError: gradients: expected the keys dW0, db0; missing db0
    """
    if not isinstance(value, Mapping):
        raise TypeError(f"{name}: expected a dict with the keys {', '.join(needed)}, got {value!r:.60}")
    missing = [key for key in needed if key not in value]
    if missing:
        raise ValueError(f"{name}: expected the keys {', '.join(needed)}; missing {', '.join(missing)}")
    return value
