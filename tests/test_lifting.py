"""Lifted programs against exact arithmetic and the scalar engine; and what structure is found."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from programs import (
    agrees,
    exact,
    few_hundred,
    leaf_places,
    record,
    smooth_programs,
    wild_programs,
)

import autograd
from autograd import Value, dot, lift, logsumexp, softmax
from autograd.graph import topological_order
from autograd.lifting import blocks, kernels
from autograd.namespaces import ARRAY
from autograd.primitives import PRIMITIVES
from nn import MLP

LARGEST = 1e150  # beyond it the order of a sum decides whether it overflows


def in_blocks(*args, **options):
    """Small programs mostly run one scalar at a time; this one does not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_STRETCH", math.inf)
        return lift(*args, **options)


def one_by_one(*args, **options):
    """As if calls of NumPy were never worth it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_STRETCH", 0.0)
        patch.setattr(blocks, "_BLOCK", 1e9)
        return lift(*args, **options)


every_way = pytest.mark.parametrize("lift", [lift, in_blocks, one_by_one], ids=lambda f: f.__name__)


def swept(root, leaves):
    """The gradients that the scalar sweep gives, starting from 0."""
    for leaf in leaves:
        leaf.grad = 0.0
    root.backward()
    return [leaf.grad for leaf in leaves]


def assert_agree(got, expected, scale=1.0):
    """Within 1e-12 of the largest magnitude, `scale` at least; nan with nan, infinity with itself."""
    got, expected = np.asarray(got, dtype=float), np.asarray(expected, dtype=float)
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(got[~finite], expected[~finite])
    scale = max(scale, float(np.abs(expected[finite]).max(initial=0.0)))
    np.testing.assert_allclose(got[finite], expected[finite], rtol=0, atol=1e-12 * scale)


def largest_number(root):
    """The largest datum or partial on the way to the root: what rounding is measured by."""
    return max(1.0, *(abs(x) for node in topological_order(root) for x in (*node.partials, node.data)))


def agree_roughly(a, b):
    if not (math.isfinite(a) and math.isfinite(b)):
        return (math.isnan(a) and math.isnan(b)) or a == b
    return abs(a - b) <= 1e-9 * max(1.0, abs(a), abs(b))


# ---- random programs over the whole table


@every_way
@few_hundred
@given(program=smooth_programs(most=12))
def test_values_and_gradients_match_exact_arithmetic(lift, program):
    expected = exact(program)
    nodes = record(program)
    lifted = lift(nodes[-1])
    value, gradient = lifted.value_and_gradient([leaf.data for leaf in lifted.parameters])
    by_leaf = dict(zip(lifted.parameters, gradient, strict=True))
    assert agrees(value, expected.value, 2 * expected.value_error)  # twice: sums are in another order
    for i, exactly, error in zip(
        leaf_places(program), expected.gradient, expected.gradient_error, strict=True
    ):
        assert agrees(by_leaf.get(nodes[i], 0.0), exactly, 2 * error)


@every_way
@few_hundred
@given(program=wild_programs(most=8))
def test_special_numbers_come_out_as_the_scalar_engine_has_them(lift, program):
    nodes = record(program)
    assume(not any(LARGEST < abs(getattr(node, "data", node)) < math.inf for node in nodes))
    lifted = lift(nodes[-1])
    value, gradient = lifted.value_and_gradient([leaf.data for leaf in lifted.parameters])
    assert agree_roughly(value, nodes[-1].data)
    assert all(map(agree_roughly, gradient.tolist(), swept(nodes[-1], lifted.parameters)))


@every_way
@few_hundred
@given(program=smooth_programs(most=8), data=st.data())
def test_a_batch_is_its_samples_one_by_one(lift, program, data):
    leaves = [Value(step.number) for step in program if step.op == "leaf"]
    inputs = [leaf for leaf in leaves if data.draw(st.booleans())] or leaves[:1]
    shares = data.draw(st.lists(st.sampled_from([1.0, 0.75, 1.25]), min_size=3, max_size=3))
    samples = [exactly_at(program, leaves, inputs, share) for share in shares]
    assume(all(root.data == root.data and abs(root.data) < 1e6 for root, _ in samples))

    root, own = exactly_at(program, leaves, inputs, 1.0)
    lifted = lift(root, inputs=[own[leaf] for leaf in inputs], reduce="sum")
    back = {node: leaf for leaf, node in own.items()}
    batch = np.array([[leaf.data * share for share in shares] for leaf in inputs])
    theta = [leaf.data for leaf in lifted.parameters]
    value, gradient = lifted.value_and_gradient(theta, batch)

    each = [[swept(r, [o[back[p]]])[0] for p in lifted.parameters] for r, o in samples]
    by_inputs = np.array([[swept(r, [o[leaf]])[0] for leaf in inputs] for r, o in samples]).T
    scale = max(largest_number(r) for r, _ in samples)
    assume(scale < 1e6)
    assert_agree(value, sum(r.data for r, _ in samples), scale)
    assert_agree(lifted.outputs(theta, batch)[0], [r.data for r, _ in samples], scale)
    assert_agree(gradient, np.sum(each, axis=0), scale**2)
    assert_agree(lifted.input_gradient(theta, batch), by_inputs, scale**2)
    mean, mean_gradient = lift(root, inputs=[own[leaf] for leaf in inputs]).value_and_gradient(theta, batch)
    assert_agree([mean * 3, *(3 * mean_gradient)], [value, *gradient], scale**2)


def exactly_at(program, leaves, inputs, share):
    """The program recorded on leaves of its own, the inputs at a share of their numbers."""
    numbers = iter([leaf.data * (share if leaf in inputs else 1.0) for leaf in leaves])
    moved = tuple(step._replace(number=next(numbers)) if step.op == "leaf" else step for step in program)
    nodes = record(moved)
    return nodes[-1], dict(zip(leaves, [nodes[i] for i in leaf_places(moved)], strict=True))


@every_way
@given(program=smooth_programs(most=8), data=st.data())
def test_several_outputs_are_several_roots(lift, program, data):
    nodes = record(program)
    results = [node for node in nodes if isinstance(node, Value) and node.parents]
    outputs = [data.draw(st.sampled_from(results)) for _ in range(3)]
    lifted = lift(outputs)
    theta = [leaf.data for leaf in lifted.parameters]
    assert_agree(lifted.outputs(theta), [output.data for output in outputs])
    expected = np.sum([swept(output, lifted.parameters) for output in outputs], axis=0)
    value, gradient = lifted.value_and_gradient(theta)
    scale = largest_number(autograd.sum(outputs))
    assert_agree(value, sum(output.data for output in outputs), scale)
    assert_agree(gradient, expected, scale**2)
    assert lifted.forward() == lifted.outputs(theta).tolist()


@every_way
@given(program=smooth_programs(most=8))
def test_forward_and_backward_do_to_the_leaves_what_the_scalar_sweep_does(lift, program):
    nodes, twin = record(program), record(program)
    leaves, theirs = ([ns[i] for i in leaf_places(program)] for ns in (nodes, twin))
    lifted = lift(nodes[-1])
    expected = exact(program)
    assert agrees(lifted.forward(), expected.value, 2 * expected.value_error)
    lifted.backward()
    lifted.backward(2.0)  # adds, as a second sweep does
    twin[-1].backward(3.0)
    for ours, other, error in zip(leaves, theirs, expected.gradient_error, strict=True):
        assert abs(ours.grad - other.grad) <= 3 * 4 * error + 1e-300
    assert all(node.grad == 0.0 for node in nodes if isinstance(node, Value) and node.parents)


# ---- graphs with structure


def numbers(count, rng):
    return [Value(x) for x in rng.standard_normal(count).tolist()]


def check(root, rtol=1e-12, lift=lift):
    """Lift, compare with the scalar sweep, and give the program."""
    lifted = lift(root)
    value, gradient = lifted.value_and_gradient([leaf.data for leaf in lifted.parameters])
    assert value == pytest.approx(root.data, rel=1e-12, abs=1e-14)
    expected = np.array(swept(root, lifted.parameters))
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=rtol * np.abs(expected).max(initial=1e-3))
    return lifted


def products(lifted):
    """The shapes (batches, rows, columns) of the program's matrix products; how many of them gather."""
    found = [p for p in lifted._plan.layout.placed if not hasattr(p, "blocks") and p.operation.is_product]
    gathered = [p for p in found if any(factor.grid is None for factor in p.factors)]
    return [p.out.shape for p in found], len(gathered)


def layer_in_micrograds_style(W, b, x):
    return [sum((wi * xi for wi, xi in zip(row, x, strict=True)), bi) for row, bi in zip(W, b, strict=True)]


def layer_backwards_written(W, b, x):
    return [bi - sum(-(xi * wi) for wi, xi in zip(row, x, strict=True)) for row, bi in zip(W, b, strict=True)]


def layer_of_dots(W, b, x):
    return [dot(row, x, bi) for row, bi in zip(W, b, strict=True)]


@pytest.mark.parametrize("layer", [layer_in_micrograds_style, layer_of_dots])
def test_a_network_recorded_sample_by_sample_is_three_matrix_products(layer):
    rng = np.random.default_rng(0)
    sizes = [2, 16, 16, 1]
    weights = [([numbers(n, rng) for _ in range(m)], numbers(m, rng)) for n, m in itertools.pairwise(sizes)]
    losses = []
    for point, sign in zip(
        rng.standard_normal((100, 2)).tolist(), rng.choice([-1.0, 1.0], 100).tolist(), strict=True
    ):
        a = [Value(x) for x in point]
        for k, (W, b) in enumerate(weights):
            a = layer(W, b, a)
            a = [z.relu() for z in a] if k < 2 else a
        losses.append((1 - sign * a[0]).relu())
    squares = sum(p * p for W, b in weights for row, bi in zip(W, b, strict=True) for p in [*row, bi])
    lifted = check(sum(losses) / 100 + 1e-4 * squares)
    assert products(lifted) == ([(1, 16, 100), (1, 16, 100), (1, 1, 100)], 0)
    assert all(p.biased for p in lifted._plan.layout.placed if p.operation.is_product)
    assert all(o.grid is not None for p in lifted._plan.layout.placed for o in operands(p))


def operands(placed):
    return [*placed.factors, *placed.terms, *([placed.stack] if placed.stack else [])]


@pytest.mark.parametrize("layer", [layer_in_micrograds_style, layer_backwards_written, layer_of_dots])
@pytest.mark.parametrize("samples", [1, 2, 5])
def test_a_layer_is_one_product_in_any_style(layer, samples):
    rng = np.random.default_rng(1)
    W, b = [numbers(3, rng) for _ in range(4)], numbers(4, rng)
    outputs = [z.tanh() for _ in range(samples) for z in layer(W, b, numbers(3, rng))]
    shapes, gathered = products(check(autograd.sum(outputs)))
    assert [sorted(shape) for shape in shapes] == [sorted((1, 4, samples))]  # as it is written, x w or w x
    assert gathered == 0


def test_a_matrix_may_be_used_twice_and_transposed():
    rng = np.random.default_rng(2)
    E = [numbers(4, rng) for _ in range(6)]
    x = numbers(4, rng)
    hidden = [dot(row, x).tanh() for row in E]
    back = [dot(column, hidden) for column in zip(*E, strict=True)]
    bent = [z.tanh() for z in back]
    again = [dot(row, bent) for row in E]
    lifted = check(logsumexp(again), lift=in_blocks)
    assert products(lifted) == ([(1, 6, 1), (1, 4, 1), (1, 6, 1)], 0)


def test_weights_times_weights_is_a_product():
    rng = np.random.default_rng(3)
    A, B = [numbers(3, rng) for _ in range(4)], [numbers(3, rng) for _ in range(5)]
    lifted = check(autograd.sum([dot(a, b).tanh() for a in A for b in B]))
    assert products(lifted) == ([(1, 4, 5)], 0)


def test_many_small_products_are_one_batched_product():
    rng = np.random.default_rng(4)
    heads = [([numbers(3, rng) for _ in range(4)], [numbers(3, rng) for _ in range(5)]) for _ in range(6)]
    root = autograd.sum([dot(a, b).tanh() for A, B in heads for a in A for b in B])
    assert products(check(root)) == ([(6, 4, 5)], 0)


def test_layers_of_different_widths_side_by_side_are_products_of_their_own():
    rng = np.random.default_rng(5)
    outputs = []
    for rows in (4, 7):
        W, b = [numbers(3, rng) for _ in range(rows)], numbers(rows, rng)
        outputs += [z.tanh() for _ in range(5) for z in layer_of_dots(W, b, numbers(3, rng))]
    assert sorted(products(check(autograd.sum(outputs)))[0]) == [(1, 4, 5), (1, 7, 5)]


@pytest.mark.parametrize("positions", [2, 3, 7])
def test_causal_attention_is_batched_products_with_holes_and_gathers_nothing(positions):
    rng = np.random.default_rng(6)
    heads, size = 3, 4
    q, k, v = (
        [[[z.tanh() for z in numbers(size, rng)] for _ in range(heads)] for _ in range(positions)]
        for _ in range(3)
    )
    outputs = []
    for t in range(positions):
        for h in range(heads):
            fits = softmax([dot(q[t][h], k[s][h]) / 2.0 for s in range(t + 1)])
            outputs += [dot(fits, [v[s][h][d] for s in range(t + 1)]) for d in range(size)]
    lifted = check(autograd.sum([z.tanh() for z in outputs]))
    shapes, gathered = products(lifted)
    if positions > 2:  # two lengths are not ragged
        assert (shapes, gathered) == ([(heads, positions, positions), (heads, positions, size)], 0)


def test_what_lies_in_the_holes_does_no_harm():
    """Keys that a query must not see make its score overflow; what depends on it is not asked for."""
    rng = np.random.default_rng(7)
    q, k = [numbers(2, rng) for _ in range(4)], [numbers(2, rng) for _ in range(4)]
    for key in k[2:]:
        key[0].data = 1e4
    scores = [dot(a, b) for t, a in enumerate(q) for b in k[: t + 1] if t < 2 or b not in k[2:]]
    root = autograd.sum([(1.0 / (1.0 + (z * z).exp())).tanh() for z in scores])
    check(root)


def test_ragged_sums_are_padded():
    rng = np.random.default_rng(8)
    xs = [z.tanh() for z in numbers(6, rng)]
    root = autograd.sum([autograd.sum(xs[: n + 1]).exp() for n in range(1, 6)])
    lifted = check(root, lift=in_blocks)
    stacked = [p for p in lifted._plan.layout.placed if p.stack is not None]
    assert len(stacked) == 2  # one for all lengths, one on top


@every_way
@pytest.mark.parametrize("name", ["logsumexp", "norm", "prod", "mean"])
def test_ragged_operations_of_many_operands_are_right(lift, name):
    rng = np.random.default_rng(9)
    xs = [z.tanh() for z in numbers(6, rng)]
    function = getattr(autograd, name)
    check(autograd.sum([function(xs[: n + 1]).tanh() for n in range(6)]), lift=lift)


def test_a_network_of_inputs_runs_any_batch():
    model = MLP(3, [5, 4, 2], activation="tanh", rng=np.random.default_rng(10))
    x = [Value(0.1 * i) for i in range(3)]
    root = autograd.norm(model(x))
    lifted = lift(root, inputs=x)
    assert products(lifted) == ([(1, 5, 1), (1, 4, 1), (1, 2, 1)], 0)
    assert lifted.parameters == model.parameters()
    batch = np.random.default_rng(11).standard_normal((3, 7))
    value, gradient = lifted.value_and_gradient([p.data for p in model.parameters()], batch)
    roots = [autograd.norm(model(column)) for column in batch.T.tolist()]
    assert value == pytest.approx(sum(r.data for r in roots) / 7, rel=1e-13)
    expected = np.mean([swept(r, model.parameters()) for r in roots], axis=0)
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-13 * np.abs(expected).max())


def test_products_of_two_things_that_vary_are_per_sample():
    rng = np.random.default_rng(12)
    W = [numbers(2, rng) for _ in range(6)]
    x = [Value(0.3), Value(-0.2)]
    z = [dot(row, x).tanh() for row in W]
    a, b = [z[:2], z[2:4]], [z[:2], z[4:]]
    root = autograd.sum([dot(p, q).tanh() for p in a for q in b])
    lifted = lift(root, inputs=x, reduce="sum")
    theta, batch = [p.data for p in lifted.parameters], rng.standard_normal((2, 5))
    _, gradient = lifted.value_and_gradient(theta, batch)
    total = np.zeros(len(theta))
    for column in batch.T.tolist():
        for leaf, number in zip(x, column, strict=True):
            leaf.data = number
        z = [dot(row, x).tanh() for row in W]
        a, b = [z[:2], z[2:4]], [z[:2], z[4:]]
        total += swept(autograd.sum([dot(p, q).tanh() for p in a for q in b]), lifted.parameters)
    np.testing.assert_allclose(gradient, total, rtol=0, atol=1e-13 * np.abs(total).max())


def test_what_is_added_to_a_product_may_vary_alone():
    W, b = [[Value(1.0), Value(2.0)], [Value(-0.5), Value(0.25)]], Value(0.1)
    xs = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]

    def loss():
        return autograd.sum([(dot(row, x) + b).tanh() for x in xs for row in W])

    lifted = lift(loss(), inputs=[b], reduce="sum")
    theta, batch = [p.data for p in lifted.parameters], np.array([[0.1, -1.5, 2.0]])
    value, gradient = lifted.value_and_gradient(theta, batch)
    roots = []
    for b.data in batch[0].tolist():
        roots.append(loss())
    assert value == pytest.approx(sum(root.data for root in roots), rel=1e-13)
    each = [swept(root, [*lifted.parameters, b]) for root in roots]
    np.testing.assert_allclose(gradient, np.sum(each, axis=0)[:-1], rtol=0, atol=1e-13)
    np.testing.assert_allclose(lifted.input_gradient(theta, batch)[0], [e[-1] for e in each], atol=1e-13)


# ---- sizes


def test_a_leaf_a_constant_and_one_operation_are_programs():
    x = Value(3.0)
    assert lift(x).value_and_gradient([5.0])[0] == 5.0
    assert lift(x).value_and_gradient([5.0])[1].tolist() == [1.0]
    value, gradient = lift(x.detach()).value_and_gradient([])
    assert (value, gradient.shape) == (3.0, (0,))
    assert lift(x * x).value_and_gradient([5.0])[1].tolist() == [10.0]


@every_way
def test_an_operand_used_twice_in_one_operation_counts_twice(lift):
    x = Value(0.7)
    check(autograd.hypot(x, x) + autograd.maximum(x, x) + x**x + dot([x, x], [x, 2.0], x) + x / x, lift=lift)


@pytest.mark.parametrize("length", [1_000, 100_000])
def test_a_chain_is_one_call_and_a_long_sum_one_reduction(length):
    w, x = Value(0.5), Value(0.25)
    chain, total = x, x
    for _ in range(length):
        chain = (chain * w).tanh() + x
        total = total + w
    lifted = check(chain)
    assert len(lifted._plan.layout.placed) == 1
    assert len(check(total, rtol=1e-12)._plan.layout.placed) == 1


@every_way
def test_sums_that_differ_in_where_the_sign_stands_are_told_apart(lift):
    a, b, c = Value(1.0), Value(2.0), Value(4.0)
    program = lift([a + b - c, a - b + c, a * b - c * a + b * c, a * b + c * a - b * c])
    theta = [leaf.data for leaf in program.parameters]
    assert program.outputs(theta).tolist() == [-1.0, 3.0, 2.0 - 4.0 + 8.0, 2.0 + 4.0 - 8.0]


@every_way
def test_zeros_of_either_sign_are_two_constants(lift):
    """atan2(0, 0) is 0 and atan2(0, -0) is π, as C has them: half of these and half of those."""
    leaves = [Value(0.0) for _ in range(6)]
    lifted = lift([autograd.atan2(leaf, (0.0, -0.0)[i % 2]) for i, leaf in enumerate(leaves)])
    np.testing.assert_array_equal(lifted.outputs([0.0] * 6), [0.0, math.pi] * 3)
    two = lift([autograd.atan2(leaves[0], 0.0), autograd.atan2(leaves[1].tanh(), -0.0)])
    np.testing.assert_array_equal(two.outputs([0.0] * 2), [0.0, math.pi])


@every_way
@pytest.mark.parametrize(
    ("x", "divisors", "quotient"),
    [
        (1e300, (1e200, 1e200), 1e-100),
        (1e-300, (1e-200, 1e-200), 1e100),
        (0.0, (1e-200, 1e-200), 0.0),
        (1e300, (1e12,) * 50, 1e-300),
        (1e10, (1e12,) * 20 + (1e-12,) * 40, 1e250),
    ],
)
def test_divisors_that_only_together_leave_the_range_divide_one_by_one(lift, x, divisors, quotient):
    leaf, other = Value(x), Value(0.0)
    result = leaf
    for divisor in divisors:
        result = result / divisor
    lifted = lift(result + other)
    (found,) = lifted.outputs([parameter.data for parameter in lifted.parameters])
    assert found == pytest.approx(quotient, rel=1e-12, abs=0.0)


def test_unreachable_leaves_have_no_gradient():
    x, y = Value(2.0), Value(3.0)
    lifted = lift(x * 2.0, inputs=[y])
    assert lifted.parameters == [x]
    value, gradient = lifted.value_and_gradient([2.0], [[1.0, 2.0]])
    assert (value, gradient.tolist()) == (4.0, [2.0])
    np.testing.assert_array_equal(lifted.input_gradient([2.0], [[1.0, 2.0]]), np.zeros((1, 2)))
    lifted.forward()
    lifted.backward()
    assert (x.grad, y.grad) == (2.0, 0.0)


def test_sums_over_a_batch_count_what_does_not_vary_once_a_sample():
    x, y = Value(2.0), Value(3.0)
    assert lift([x * 2.0, y * x], inputs=[y], reduce="sum").value_and_gradient([2.0], [[1.0, 2.0]])[0] == 14.0
    assert lift([x * 2.0, y * x], inputs=[y]).value_and_gradient([2.0], [[1.0, 2.0]])[0] == 7.0


# ---- precision and purity


def test_float32_agrees_to_float32():
    model = MLP(4, [8, 3], activation="tanh", rng=np.random.default_rng(13))
    x = [Value(0.5 * i) for i in range(4)]
    root = logsumexp(model(x))
    lifted = lift(root, inputs=x, dtype=np.float32)
    theta, batch = [p.data for p in model.parameters()], np.ones((4, 3))
    value, gradient = lifted.value_and_gradient(theta, batch)
    expected_value, expected = lift(root, inputs=x).value_and_gradient(theta, batch)
    assert gradient.dtype == np.float32
    assert value == pytest.approx(expected_value, rel=1e-5)
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_values_and_gradients_touch_no_leaf_and_repeat_their_bits():
    x, y = Value(2.0, "x"), Value(3.0, "y")
    lifted = lift((x * y).tanh() * x)
    first = lifted.value_and_gradient([1.0, 0.5])
    lifted.value_and_gradient([9.0, 9.0])
    second = lifted.value_and_gradient([1.0, 0.5])
    assert (first[0], first[1].tolist()) == (second[0], second[1].tolist())
    first[1][:] = 0.0  # a copy
    assert lifted.value_and_gradient([1.0, 0.5])[1].tolist() == second[1].tolist()
    assert [(v.data, v.grad) for v in (x, y)] == [(2.0, 0.0), (3.0, 0.0)]


def test_a_parameter_changed_later_is_read_by_forward():
    w = Value(2.0)
    lifted = lift(w * w)
    w.data = 5.0
    assert lifted.forward() == 25.0
    w.data = 7.0  # the sweep is of what was computed
    lifted.backward()
    assert w.grad == 10.0


# ---- misuse


@pytest.mark.parametrize(
    ("error", "words", "call"),
    [
        (TypeError, "expected Values, got float", lambda x: lift(1.0 * 2.0)),
        (TypeError, "expected Values, got str", lambda x: lift(x * x, inputs=["x"])),
        (ValueError, "at least one output", lambda x: lift([])),
        (TypeError, "expected inputs as a list of Values, got Value", lambda x: lift(x * x, inputs=x)),
        (TypeError, "theta: expected an array of real", lambda x: lift(x * x).value_and_gradient(["a"])),
        (ValueError, "an input must be a leaf", lambda x: lift(x * x, inputs=[x * 2])),
        (ValueError, "an input must be a leaf", lambda x: lift(x * x, inputs=[x.detach()])),
        (ValueError, "an input comes twice", lambda x: lift(x * x, inputs=[x, x])),
        (ValueError, "reduce as 'mean' or 'sum', got 'max'", lambda x: lift(x * x, reduce="max")),
        (ValueError, "float64 or float32, got int64", lambda x: lift(x * x, dtype=np.int64)),
        (
            ValueError,
            r"theta: expected shape \(1,\), got \(2,\)",
            lambda x: lift(x * x).value_and_gradient([1, 2]),
        ),
        (ValueError, "batch: expected none", lambda x: lift(x * x).value_and_gradient([1], [[1]])),
        (
            ValueError,
            r"batch: expected shape \(1, N\)",
            lambda x: lift(x * x, inputs=[x]).value_and_gradient([]),
        ),
        (
            ValueError,
            r"expected shape \(1, N\) with N >= 1, got \(2, 1\); did you pass rows for columns",
            lambda x: lift(x * x, inputs=[x]).value_and_gradient([], [[1.0], [2.0]]),
        ),
        (RuntimeError, r"call forward\(\) first", lambda x: lift(x * x).backward()),
    ],
)
def test_misuse_is_explained(error, words, call):
    with pytest.raises(error, match=words):
        call(Value(2.0))


# ---- verification


def test_a_right_program_verifies_with_and_without_its_author():
    model = MLP(2, [4, 1], activation="tanh", rng=np.random.default_rng(14))
    x = [Value(0.5), Value(-1.0)]
    lifted = lift(model(x), inputs=x)
    assert lifted.verify().ok
    lifted.verify(lambda: model(x)).assert_ok()
    assert [leaf.data for leaf in x] == [0.5, -1.0]


def test_a_frozen_branch_is_named():
    x, y = Value(2.0, "x"), Value(3.0, "y")

    def loss():
        bent = x * y
        return bent.tanh() if x.data > 0 else bent.sin()

    found = lift(loss()).verify(loss)
    assert not found.ok
    assert found.node.op == "tanh"
    assert "(tanh) is now node 3 (sin): a branch that recording froze" in str(found)


def test_a_frozen_number_is_named():
    x, y = Value(2.0, "x"), Value(3.0, "y")

    def loss():
        return (x * 1.0 - max(x.data, y.data)).exp() * y

    found = lift(loss()).verify(loss)
    assert found.node.op == "subtract"
    assert "the constant 3 in node 4 (subtract)" in found.note
    assert "a number taken from .data, which recording froze" in found.note
    with pytest.raises(autograd.LiftMismatch, match=r"taken from \.data"):
        found.assert_ok()


def test_the_shift_of_a_softmax_may_be_frozen_for_it_cancels():
    xs = numbers(3, np.random.default_rng(15))

    def loss():
        top = max(x.data for x in xs)
        return sum((x - top).exp() for x in xs).log() + top

    lift(loss()).verify(loss).assert_ok()


def test_what_recording_froze_is_found_where_half_of_all_numbers_have_no_logarithm():
    xs = numbers(8, np.random.default_rng(16))
    for x in xs:
        x.data = 1.0 + abs(x.data)

    def loss():
        top = max(x.data for x in xs)
        return sum((x / top).log() for x in xs)

    found = lift(loss()).verify(loss)
    assert not found.ok
    assert "a number taken from .data, which recording froze" in found.note


@pytest.mark.parametrize(
    ("otherwise", "words"),
    [
        (lambda x: [x * 2.0, x], "1 output was recorded, and now 2"),
        (lambda x: x.data, "a float is recorded now, where it was a Value"),
    ],
)
def test_what_is_recorded_otherwise_need_not_be_one_output(otherwise, words):
    x = Value(2.0)

    def loss():
        return x * 2.0 if x.data == 2.0 else otherwise(x)

    found = lift(loss()).verify(loss)
    assert not found.ok
    assert words in found.note


def test_a_program_of_which_nothing_but_nan_comes_is_not_verified():
    x = Value(-2.0)
    found = lift((x * x * -1.0 - 1.0).log()).verify()
    assert not found.ok
    assert "nothing could be compared" in found.note


def test_a_mistake_of_lifting_itself_is_found_and_named(monkeypatch):
    x, y = Value(2.0), Value(3.0)
    lifted = in_blocks((x * y).relu().tanh() + x.exp())
    monkeypatch.setattr(kernels, "_relu", lambda x, y: ([lambda: np.abs(x, out=y)], lambda *_: []))
    found = lifted.verify()
    assert (found.ok, found.node.op) == (False, "relu")
    assert "(relu) is" in found.note


# ---- random structure: layers, samples, ragged sums and shared weights in random styles


STYLES = [layer_in_micrograds_style, layer_backwards_written, layer_of_dots]
BENDS = ["tanh", "sigmoid", "sin", "softplus", "relu"]


@st.composite
def structured_losses(draw):
    """A loss over samples of a small network, in any style: weights used again, sums of many lengths."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    width, samples = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    square = [numbers(width, rng) for _ in range(width)], numbers(width, rng)
    kinds = st.sampled_from(["same again", "transposed", "ragged", "attend", "scale"])
    steps = draw(st.lists(kinds, min_size=1, max_size=4))
    style, bend = draw(st.sampled_from(STYLES)), draw(st.sampled_from(BENDS))
    gain = Value(0.5)
    leaves_vary = draw(st.booleans())
    rows = []
    for _ in range(samples):
        a = numbers(width, rng) if leaves_vary else rng.standard_normal(width).tolist()
        for step in steps:
            a = stepped(step, style, square, gain, a)
            a = [getattr(autograd, bend)(z) for z in a]
        rows.append(a)
    if draw(st.booleans()):  # samples that look at each other
        rows = [[dot(p, q) / width for q in rows[: t + 1]] for t, p in enumerate(rows)]
        rows = [softmax(row) for row in rows]
    return autograd.sum([logsumexp(row) for row in rows]) / samples


def stepped(step, style, square, gain, a):
    W, b = square
    if step == "same again":
        return style(W, b, a)
    if step == "transposed":
        return [dot(column, a) for column in zip(*W, strict=True)]
    if step == "ragged":
        return [sum(a[: k + 1]) * w for k, w in enumerate(b)]
    if step == "attend":
        share = softmax([gain * x for x in a])
        return [x * s - b[0] for x, s in zip(a, share, strict=True)]
    return [gain * x * 2.0 + x**2 for x in a]


@every_way
@few_hundred
@given(root=structured_losses())
def test_structured_losses_agree_with_the_scalar_sweep(lift, root):
    assume(isinstance(root, Value))
    lifted = lift(root)
    value, gradient = lifted.value_and_gradient([leaf.data for leaf in lifted.parameters])
    scale = largest_number(root)
    assert_agree(value, root.data, scale)
    assert_agree(gradient, swept(root, lifted.parameters), scale**2)


# ---- kernels


@pytest.mark.parametrize("name", ["relu", "power", "logsumexp"])
@given(data=st.data())
def test_kernels_do_what_their_rows_say(name, data):
    """At special numbers, too; 4 units of the last place apart, as the row itself may be."""
    row = PRIMITIVES[name]
    some = st.sampled_from([0.0, -0.0, 1.0, -1.5, 3.0, 1e-300, 700.0, -700.0, math.inf, -math.inf, math.nan])
    number = some | st.floats(-50, 50)
    if name == "logsumexp":
        xs = np.array(data.draw(st.lists(st.tuples(number, number), min_size=1, max_size=4)))
        operands, given_ones = xs, list(xs)
    else:
        x = np.array(data.draw(st.lists(number, min_size=2, max_size=2)))
        n = data.draw(st.sampled_from([-2.0, -0.5, 0.5, 1.0, 3.0]))
        operands = [x, n] if name == "power" else [x]
        given_ones = operands
    y, dy = np.empty(2), np.array([1.0, -2.0])
    steps, pull = kernels.kernel(name, operands, y)
    with np.errstate(all="ignore"):
        for step in steps:
            step()
        expected = row.evaluate(ARRAY, given_ones)
        np.testing.assert_array_max_ulp(y, expected, 4)
        np.testing.assert_array_equal(np.signbit(y[y == 0]), np.signbit(expected[y == 0]))
        dx = np.empty_like(operands if name == "logsumexp" else operands[0])
        for step in pull(0, dy, dx):
            step()
        rules = row.differentiate(ARRAY, expected, given_ones)
        slope = np.asarray(rules if name == "logsumexp" else rules[0]) * dy
        # of logsumexp, exp(x - y) carries the rounding of x - y: so many units of it
        sizes = np.abs([*operands, expected]) if name == "logsumexp" else np.ones(1)
        largest = float(sizes[np.isfinite(sizes)].max(initial=1.0))
        np.testing.assert_allclose(dx, slope, rtol=2e-15 * largest, atol=1e-300)
