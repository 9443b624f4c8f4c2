"""no_grad, detect_anomaly and pause_gc: what they do, to whom, and what they leave behind."""

import gc
import threading

import numpy as np
import pytest

import autograd
from autograd import Value, check_gradients, detect_anomaly, grad, jvp, no_grad, pause_gc, vjp
from nn import MLP


def test_nothing_is_recorded_within_no_grad_and_everything_after():
    x = Value(3.0)
    with no_grad():
        inside = x * x + x.exp()
    outside = x * x + inside
    assert (inside.parents, inside.is_constant) == ((), True)
    outside.backward()
    assert x.grad == 6.0


def test_no_grad_ends_with_its_block_even_by_an_error():
    with pytest.raises(ZeroDivisionError), no_grad():
        1 / 0  # noqa: B018
    assert (Value(1.0) + 1).parents


def test_derivatives_that_are_asked_for_within_no_grad_are_right():
    x, (_, pull) = Value(3.0), vjp(lambda x: x * x, 3.0)
    with no_grad():
        assert grad(lambda x: x * x)(3.0) == 6.0
        assert jvp(lambda x: x * x, (3.0,), (1.0,)) == (9.0, 6.0)
        assert pull(1.0) == 6.0
        assert check_gradients(lambda x: x * x, 3.0).ok
        gradient = grad(lambda x: x * x)(x)
        assert not (x * x).parents
    assert (gradient.data, gradient.is_constant) == (6.0, True)
    assert (x * x).parents == (x, x)


def test_no_grad_within_a_function_holds_while_it_is_differentiated():
    def f(x):
        with no_grad():
            factor = x * x
        return factor * x

    assert grad(f)(3.0) == 9.0  # x² as a number, times 1


def test_other_threads_go_on_recording():
    recorded = []
    with no_grad():
        thread = threading.Thread(target=lambda: recorded.append(Value(2.0) * 3))
        thread.start()
        thread.join()
    assert len(recorded[0].parents) == 2


def test_a_nan_forwards_is_named_with_operation_operands_and_line():
    with detect_anomaly():
        x = Value(-1.0) * 4
        with pytest.raises(
            FloatingPointError, match=r"log\(-4\.0\) is nan, recorded at .*test_modes\.py, line 6\d"
        ):
            x.log()


def test_the_line_named_is_the_users_also_through_our_networks_and_numpy():
    model = MLP(1, [1])
    model.parameters()[0].data = 1e308
    values = np.array([Value(1.0), Value(-1.0)])
    with detect_anomaly():
        with pytest.raises(
            FloatingPointError, match=r"dot\(1e\+308, 10\.0, 0\.0\) is inf, recorded at .*test_modes\.py"
        ):
            model([10.0])
        with pytest.raises(FloatingPointError, match=r"log\(-1\.0\) is nan, recorded at .*test_modes\.py"):
            np.log(values)


def test_an_infinity_backwards_is_named_and_leaves_keep_their_gradients():
    x = Value(0.0)
    x.grad = 7.0
    with detect_anomaly():
        y = x.sqrt() + 1
        with pytest.raises(
            FloatingPointError, match=r"backward through sqrt\(0\.0\), recorded at .*partial .* is inf"
        ):
            y.backward()
    assert x.grad == 7.0


def test_an_infinity_on_the_way_back_of_grad_is_named():
    words = r"backward through sqrt\(0.0\), recorded at .*test_modes\.py"
    with detect_anomaly(), pytest.raises(FloatingPointError, match=words):
        grad(lambda x: x.sqrt())(0.0)


@pytest.mark.parametrize("modes", [(no_grad, detect_anomaly), (detect_anomaly, no_grad)])
def test_an_anomaly_within_no_grad_is_named(modes):
    outer, inner = modes
    with outer(), inner(), pytest.raises(FloatingPointError, match=r"^exp\(1000.0\) is inf"):
        Value(1000.0).exp()


def test_what_was_recorded_before_says_so():
    x = Value(0.0)
    y = x.sqrt() + 1
    with detect_anomaly(), pytest.raises(FloatingPointError, match="recorded before detect_anomaly"):
        y.backward()


def test_pause_gc_leaves_the_collector_as_it_was():
    assert gc.isenabled()
    with pause_gc(), pause_gc():
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    try:
        with pause_gc():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize("create_graph", [False, True])
def test_backward_on_what_was_not_recorded_says_how_it_would_be(create_graph):
    x = Value(3.0)
    with no_grad():
        y = x * x
    for constant in (y, (x * x).detach(), (x * 3).parents[1]):
        with pytest.raises(RuntimeError, match=r"nothing is recorded.* outside of no_grad\(\)"):
            constant.backward(create_graph=create_graph)
        assert constant.grad == 0.0
    with no_grad():
        x.backward(create_graph=create_graph)  # dx/dx is 1 wherever it is asked for
    assert (x.grad if not create_graph else x.grad.data) == 1.0


def test_a_checked_function_that_gives_a_constant_has_gradient_0():
    assert check_gradients(lambda x: Value(5.0).detach(), 3.0).worst.candidate == 0.0


def test_an_overflow_in_a_leafs_own_sum_is_named_and_the_leaf_keeps_its_gradient():
    x = Value(1.0, label="weight")
    x.grad = 7.0
    words = r"the gradient of the leaf 'weight' of data 1\.0 adds up to inf"
    with detect_anomaly():
        y = (x * 1e308 - 1e308) + (x * 1e308 - 1e308)  # 0, and 1e308 along either way
        with pytest.raises(FloatingPointError, match=words):
            y.backward()
        assert x.grad == 7.0
        with pytest.raises(FloatingPointError, match=r"the leaf of data 1\.0 adds up to inf"):
            grad(lambda x: (x * 1e308 - 1e308) + (x * 1e308 - 1e308))(1.0)


def test_an_overflow_over_two_sweeps_is_named_and_the_first_one_stays():
    x = Value(1.0)
    with detect_anomaly():
        y = x * 1e308
        y.backward()
        with pytest.raises(FloatingPointError, match=r"the leaf of data 1\.0 adds up to inf"):
            y.backward()
    assert x.grad == 1e308


def test_a_leaf_that_holds_a_recorded_gradient_is_watched_too():
    x = Value(2.0)
    (x * x).backward(create_graph=True)  # 2x
    with detect_anomaly():
        (x * 3).backward()
    assert x.grad.data == 7.0


def test_an_anomaly_of_forward_mode_is_named():
    words = r"forwards through sqrt\(0\.0\), recorded at .*test_modes\.py.* are inf, .* are 1\.0, .* inf"
    with detect_anomaly(), pytest.raises(FloatingPointError, match=words):
        jvp(lambda x: x.sqrt() + 1, (0.0,), (1.0,))
    with detect_anomaly(), pytest.raises(FloatingPointError, match=r"arriving are 1e\+308, 1e\+308, .* inf"):
        jvp(lambda x, y: x + y, (1.0, 1.0), (1e308, 1e308))


def test_forward_mode_computes_nothing_of_its_own_that_could_overflow():
    with detect_anomaly():
        assert jvp(lambda x: [2.0 * x, 3.0], (1e200,), (1.0,)) == ([2e200, 3.0], [2.0, 0.0])


def test_of_a_thousand_operands_six_are_listed():
    xs = [Value(1e308)] * 1000
    words = r"^sum\((1e\+308, ){6}… and 994 more\) is inf, recorded"
    with detect_anomaly(), pytest.raises(FloatingPointError, match=words):
        autograd.sum(xs)
