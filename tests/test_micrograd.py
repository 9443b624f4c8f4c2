"""Code written for micrograd runs here after changing the import, and gives the same results."""

import random
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from benchmarks.moons import MicrogradStyleMLP
from hypothesis import assume, given
from hypothesis import strategies as st

from autograd import Value


@pytest.fixture(scope="module")
def micrograd():
    engine = pytest.importorskip(
        "micrograd.engine", reason="micrograd is not installed (dependency group peers)"
    )
    return engine.Value


# ---- what it publishes


def test_its_readme_example_has_its_published_gradients():
    # https://github.com/karpathy/micrograd, README: g = 24.7041, dg/da = 138.8338, dg/db = 645.5773
    a, b = Value(-4.0), Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    assert f"{g.data:.4f} {a.grad:.4f} {b.grad:.4f}" == "24.7041 138.8338 645.5773"


def test_the_expression_of_its_own_tests_has_the_derivative_of_calculus():
    # At x = -4: z = 3x + 2 = -10, q = relu(z) + zx = 40, h = relu(z²) = 100, y = h + q + qx = -20, and
    # z' = 3, q' = 3x + z = -22, h' = 2zz' = -60, y' = h' + q' + q'x + q = 46.
    x = Value(-4.0)
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    y = h + q + q * x
    y.backward()
    assert (y.data, x.grad) == (-20.0, 46.0)


# demo.ipynb of https://github.com/karpathy/micrograd, what its last but one cell prints
PUBLISHED = [
    (0.8958441028683222, 0.50), (1.7235905336972022, 0.81), (0.7429006313851131, 0.77),
    (0.7705641260584198, 0.82), (0.3692793385976538, 0.84), (0.313545481918522, 0.86),
    (0.2814234349772435, 0.89), (0.26888733313983904, 0.91), (0.2567147286057417, 0.91),
    (0.2704862551637922, 0.91), (0.24507023853658053, 0.91), (0.2509905529791503, 0.92),
]  # fmt: skip


def test_its_moons_demo_prints_its_published_losses():
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed (extra demos)")
    X, y = datasets.make_moons(n_samples=100, noise=0.1, random_state=np.random.RandomState(1337))
    y = y * 2 - 1
    model = MicrogradStyleMLP(Value, [2, 16, 16, 1], random.Random(1337))
    for k, (published_loss, published_accuracy) in enumerate(PUBLISHED):
        scores = [model(list(map(Value, row))) for row in X]
        losses = [(1 + -yi * score).relu() for yi, score in zip(y, scores, strict=True)]
        loss = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in model.parameters())
        correct = [(yi > 0) == (score.data > 0) for yi, score in zip(y, scores, strict=True)]
        # each step may multiply the last one's rounding; 12 steps leave at least nine digits
        assert loss.data == pytest.approx(published_loss, rel=1e-9)
        assert sum(correct) / len(correct) == published_accuracy
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * k / 100) * p.grad


def trace(root):
    """Nodes and edges, as its notebook finds them: each operand once, in no order."""
    nodes, edges, waiting = set(), set(), [root]
    while waiting:
        node = waiting.pop()
        if node not in nodes:
            nodes.add(node)
            edges |= {(child, node) for child in node._prev}
            waiting += node._prev
    return nodes, edges


def labels(root):
    """What its notebook writes: into nodes, into operations, and between them."""
    nodes, edges = trace(root)
    inside = Counter("{ data %.4f | grad %.4f }" % (node.data, node.grad) for node in nodes)  # noqa: UP031
    between = Counter((child._op, node._op) for child, node in edges)
    return inside, Counter(node._op for node in nodes), between


def test_its_notebook_that_draws_finds_nodes_operations_and_edges():
    x = Value(1.0)
    y = (x * 2 + 1).relu()  # its first example
    y.backward()
    inside, operations, between = labels(y)
    assert operations == Counter(["", "", "", "*", "+", "ReLU"])
    assert between == Counter([("", "*"), ("", "*"), ("*", "+"), ("", "+"), ("+", "ReLU")])
    assert inside["{ data 1.0000 | grad 2.0000 }"] == 1  # x
    assert inside["{ data 3.0000 | grad 1.0000 }"] == 2  # the sum and its relu


# ---- the same program there and here


def test_its_notebook_draws_the_same_there_and_here(micrograd):
    def program(value):
        a, b = value(3), value(-2.0)
        c = a * b + a**2 + (b + 1).relu() + b**-1 + a * a
        c.backward()
        return c

    here, there = labels(program(Value)), labels(program(micrograd))
    # a constant's gradient is shown too, and is the same; `**2` has no operand for its exponent
    assert here == there


def test_its_networks_run_on_our_values(micrograd, monkeypatch):
    module = pytest.importorskip("micrograd.nn")

    def run(value):
        monkeypatch.setattr(module, "Value", value)
        random.seed(0)
        model = module.MLP(3, [4, 4, 1])
        losses = []
        for _ in range(5):
            scores = [model([value(x) for x in row]) for row in ([2, 3, -1], [0.5, 1, 1.5])]
            loss = sum((score - target) ** 2 for score, target in zip(scores, (1, -1), strict=True))
            model.zero_grad()
            loss.backward()
            for p in model.parameters():
                p.data += -0.01 * p.grad
            losses.append(loss.data)
        return repr(model), losses, [p.grad for p in model.parameters()], [p.data for p in model.parameters()]

    theirs, ours = run(micrograd), run(Value)
    assert ours[0] == theirs[0]
    for here, there in zip(ours[1:], theirs[1:], strict=True):
        assert here == pytest.approx(there, rel=1e-12)  # its a - b and a / b are a + -1 b and a b⁻¹: one ulp


OPERATIONS = {
    "a + b": lambda a, b, n: a + b,
    "a - b": lambda a, b, n: a - b,
    "a * b": lambda a, b, n: a * b,
    "a + n": lambda a, b, n: a + n,
    "n + a": lambda a, b, n: n + a,
    "n - a": lambda a, b, n: n - a,
    "n * a": lambda a, b, n: n * a,
    "a / 2": lambda a, b, n: a / 2,
    "a / 4.0": lambda a, b, n: a / 4.0,
    "-a": lambda a, b, n: -a,
    "a ** 2": lambda a, b, n: a**2,
    "a ** 3": lambda a, b, n: a**3,
    "relu(a)": lambda a, b, n: a.relu(),
    "sum": lambda a, b, n: sum(x for x in (a, b, a)),
}


@given(
    st.lists(st.integers(-3, 3), min_size=2, max_size=2),
    st.lists(
        st.tuples(
            st.sampled_from(sorted(OPERATIONS)), st.integers(0, 9), st.integers(0, 9), st.integers(-3, 3)
        ),
        min_size=1,
        max_size=8,
    ),
)
def test_random_programs_give_equal_results_there_and_here(micrograd, leaves, steps):
    """Equal means equal where nothing is rounded; what micrograd makes of fractions tells where that is."""

    def run(value):
        nodes = [value(x) for x in leaves]
        for name, i, j, n in steps:
            nodes.append(OPERATIONS[name](nodes[i % len(nodes)], nodes[j % len(nodes)], n))
        nodes[-1].backward()
        return [x for node in nodes for x in (node.data, node.grad)]

    exact = [Fraction(x) for x in run(lambda x: micrograd(Fraction(x)))]
    assume(all(abs(x.numerator) < 2**26 and x.denominator < 2**10 for x in exact))  # few bits
    assert run(Value) == exact
    assert run(micrograd) == exact
