"""Every row of the table against 50-digit arithmetic, and scalars against arrays."""

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.namespaces import ARRAY, SCALAR
from autograd.primitives import PRIMITIVES, Primitive

EPSILON = 2.0**-52



def mp_where(condition, a, b):
    return a if condition else b


def mp_cross_entropy(*operands):
    n = len(operands) // 2
    zs, ts = operands[:n], operands[n:]
    total = mp.log(mp.fsum(mp.exp(z) for z in zs))
    return mp.fsum(t * (total - z) for z, t in zip(zs, ts, strict=True))


ORACLES = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "power": lambda a, b: a**b,
    "negative": lambda a: -a,
    "absolute": abs,
    "exp": mp.exp,
    "exp2": lambda a: mp.mpf(2) ** a,
    "expm1": mp.expm1,
    "log": mp.log,
    "log2": lambda a: mp.log(a, 2),
    "log10": mp.log10,
    "log1p": mp.log1p,
    "sqrt": mp.sqrt,
    "cbrt": mp.cbrt,
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "asin": mp.asin,
    "acos": mp.acos,
    "atan": mp.atan,
    "atan2": mp.atan2,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "tanh": mp.tanh,
    "asinh": mp.asinh,
    "acosh": mp.acosh,
    "atanh": mp.atanh,
    "erf": mp.erf,
    "erfc": mp.erfc,
    "sigmoid": lambda a: 1 / (1 + mp.exp(-a)),
    "logsigmoid": lambda a: -mp.log1p(mp.exp(-a)),
    "softplus": lambda a: mp.log1p(mp.exp(a)),
    "relu": lambda a: max(a, mp.mpf(0)),
    "leaky_relu": lambda a, slope: a if a > 0 else slope * a,
    "elu": lambda a, scale: a if a > 0 else scale * mp.expm1(a),
    "gelu": lambda a: a * mp.erfc(-a / mp.sqrt(2)) / 2,
    "silu": lambda a: a / (1 + mp.exp(-a)),
    "maximum": max,
    "minimum": min,
    "clip": lambda x, low, high: low if x < low else min(x, high),
    "where": mp_where,
    "hypot": mp.hypot,
    "binary_cross_entropy_with_logits": lambda z, t: mp.log1p(mp.exp(z)) - t * z,
    "sum": lambda *xs: mp.fsum(xs),
    "prod": lambda *xs: mp.fprod(xs),
    "mean": lambda *xs: mp.fsum(xs) / len(xs),
    "norm": lambda *xs: mp.sqrt(mp.fsum(x * x for x in xs)),
    "dot": lambda *xs: mp.fdot(xs[: len(xs) // 2], xs[len(xs) // 2 : -1]) + xs[-1],
    "logsumexp": lambda *xs: mp.log(mp.fsum(mp.exp(x) for x in xs)),
    "softmax_cross_entropy": mp_cross_entropy,
}

def magnitude(primitive: Primitive, operands: list[float], exact: float) -> float:
    """What the value's rounding error is measured against: for sums, the size of what is added."""
    name = primitive.name
    if name in {"add", "subtract", "sum"}:
        return math.fsum(map(abs, operands))
    if name == "mean":
        return math.fsum(map(abs, operands)) / len(operands)
    if name == "dot":
        n = len(operands) // 2
        products = (abs(w * x) for w, x in zip(operands[:n], operands[n:-1], strict=True))
        return math.fsum(products) + abs(operands[-1])
    if name == "logsumexp":
        return max(abs(exact), *map(abs, operands))  # the shift is added to the logarithm: log 1 cancels
    if name == "softmax_cross_entropy":
        zs, ts = halves(operands)
        return 2 * max(1.0, *map(abs, zs)) * math.fsum(map(abs, ts))
    if name == "binary_cross_entropy_with_logits":
        return abs(operands[0]) + 1
    if name == "gelu":  # the rounding of the square in erfc's exponent
        return abs(exact) * (1 + operands[0] ** 2)
    return abs(exact)


def partial_magnitude(primitive: Primitive, operands: list[float], y: float, exact: float) -> float:
    """The same for the partial derivatives."""
    name = primitive.name
    if name == "logsumexp":  # exp(x - y) carries the rounding of y and of x - y: so many units of it
        return 2 * max(1.0, abs(y), *map(abs, operands)) * abs(exact)
    if name == "softmax_cross_entropy":
        zs, ts = halves(operands)
        return 2 * max(1.0, *map(abs, zs)) * max(1.0, math.fsum(map(abs, ts)))
    if name == "power":  # the rounding of n - 1 meets log x, and the logarithm and power have their own
        return (2 + 2 * abs(math.log(operands[0]))) * abs(exact)
    if name in {"erf", "erfc"}:  # the rounding of x² in the exponent
        return abs(exact) * (1 + operands[0] ** 2)
    if name in {"tanh", "sigmoid", "gelu", "silu", "binary_cross_entropy_with_logits"}:
        return max(1.0, abs(exact))  # as every textbook has them: off by at most a unit of 1.0
    return abs(exact)


def halves(operands: list[float]) -> tuple[list[float], list[float]]:
    n = len(operands) // 2
    return operands[:n], operands[n:]


def draw_operands(data: st.DataObject, primitive: Primitive) -> list[float]:
    if primitive.arity is None:
        count = data.draw(st.integers(1, 5))
        count = {"dot": 2 * count + 1, "softmax_cross_entropy": 2 * count}.get(primitive.name, count)
        intervals = primitive.domain * count
    else:
        intervals = primitive.domain
    operands = [
        data.draw(st.floats(low, high, exclude_min=True, exclude_max=True)) for low, high in intervals
    ]
    # subnormal operands and those at a kink have their own tests
    if primitive.name == "clip" and operands[0] in operands[1:]:
        operands[0] = 0.5
    return [0.5 if abs(x) < 1e-150 or x in primitive.kinks else x for x in operands]


OWN = set(PRIMITIVES)      # before any example, of a docstring say, adds a user's


def close(got: float, exact: mp.mpf, ulps: float, scale: float) -> bool:
    return abs(mp.mpf(got) - exact) <= ulps * EPSILON * scale + 1e-300


def derivative(oracle, operands: list[float], i: int) -> mp.mpf:
    """Central differences with so many digits that neither the step's square nor cancellation is seen."""
    with mp.workdps(500):
        exact = list(map(mp.mpf, operands))
        h = abs(exact[i]) * mp.mpf(10) ** -60
        above, below = ([*exact[:i], x, *exact[i + 1 :]] for x in (exact[i] + h, exact[i] - h))
        return (oracle(*above) - oracle(*below)) / (2 * h)


def test_each_row_has_an_oracle():
    assert set(ORACLES) == OWN


@pytest.mark.parametrize("primitive", PRIMITIVES.values(), ids=lambda p: p.name)
@given(data=st.data())
def test_values_match_fifty_digit_arithmetic(primitive, data):
    operands = draw_operands(data, primitive)
    with mp.workdps(400):  # oracles may cancel
        exact = ORACLES[primitive.name](*map(mp.mpf, operands))
    got = primitive.evaluate(SCALAR, operands)
    assert close(got, exact, 4 + len(operands), magnitude(primitive, operands, float(exact)))


@pytest.mark.parametrize("primitive", PRIMITIVES.values(), ids=lambda p: p.name)
@given(data=st.data())
def test_partials_match_fifty_digit_arithmetic(primitive, data):
    operands = draw_operands(data, primitive)
    y = primitive.evaluate(SCALAR, operands)
    partials = primitive.differentiate(SCALAR, y, operands)
    assert len(partials) == len(operands)
    for i, got in enumerate(partials):
        exact = derivative(ORACLES[primitive.name], operands, i)
        assert close(got, exact, 4 + len(operands), partial_magnitude(primitive, operands, y, float(exact)))


EDGES = [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 3.0, 0.5, -0.5, 1e3, -1e3, 1e308, -1e308, 5e-324, -5e-324,
         math.inf, -math.inf, math.nan]  # fmt: skip


def same(a: float, b: float, ulps: float) -> bool:
    if math.isnan(a) or math.isnan(b) or math.isinf(a) or math.isinf(b):
        return (math.isnan(a) and math.isnan(b)) or a == b
    return abs(a - b) <= ulps * float(np.spacing(max(abs(a), abs(b))))


@pytest.mark.parametrize("primitive", [p for p in PRIMITIVES.values() if p.arity], ids=lambda p: p.name)
def test_scalars_and_arrays_agree_at_every_edge(primitive):
    grid = np.array(np.meshgrid(*[EDGES] * primitive.arity)).reshape(primitive.arity, -1)
    with np.errstate(all="ignore"):
        values = np.broadcast_to(primitive.evaluate(ARRAY, list(grid)), grid.shape[1:])
        partials = [
            np.broadcast_to(d, grid.shape[1:]) for d in primitive.differentiate(ARRAY, values, list(grid))
        ]
    for k, operands in enumerate(grid.T.tolist()):
        y = primitive.evaluate(SCALAR, operands)
        assert isinstance(y, float)
        assert same(y, float(values[k]), 4), operands
        # the value's 4 ulp pass through 1 - y² and the like: compared with the array's own y
        for scalar, array in zip(
            primitive.differentiate(SCALAR, float(values[k]), operands), partials, strict=True
        ):
            assert same(scalar, float(array[k]), 4), operands
