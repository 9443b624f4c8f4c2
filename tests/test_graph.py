"""The order of a recorded graph, and its independence of everything but the graph."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value
from autograd.graph import cleared, topological_order


@given(st.data())
def test_operands_come_before_results_each_once(data):
    nodes = [Value(float(i)) for i in range(3)]
    for _ in range(data.draw(st.integers(1, 20))):
        a, b = (data.draw(st.sampled_from(nodes)) for _ in range(2))
        nodes.append(a * b if data.draw(st.booleans()) else a.tanh())
    order = topological_order(nodes[-1])
    place = {node: i for i, node in enumerate(order)}
    assert len(place) == len(order)
    assert order[-1] is nodes[-1]
    assert all(place[parent] < place[node] for node in order for parent in node.parents)


def test_several_roots_are_ordered_together_each_node_once():
    a, b = Value(2.0), Value(3.0)
    product = a * b
    root = product + a
    assert topological_order(root, b.exp(), product, root)[:-1] == [a, b, product, root]
    assert topological_order(product, root) == topological_order(root)
    assert topological_order() == []


def test_order_follows_the_operands_not_the_time_of_construction():
    def gradients(first_made: bool) -> list[str]:
        a, b = Value(0.1), Value(0.3)
        if first_made:
            left, right = a * b, a / b
        else:
            right, left = a / b, a * b
        root = left.tanh() * right + left * right / a
        root.backward()
        return [a.grad.hex(), b.grad.hex()]

    assert gradients(True) == gradients(False)


def test_a_walk_that_no_sweep_followed_does_not_disturb_the_next():
    x = Value(3.0)
    y = x * x * x
    cleared(y, {})  # as an interrupt would leave it
    y.backward()
    assert x.grad == 27.0


class Interrupting(Value):
    """A leaf whose gradient, once it has been read `left` times, raises what Ctrl-C does."""

    __slots__ = ("left", "number")

    @property
    def _grad(self):
        if self.left == 0:
            self.left = -1
            raise KeyboardInterrupt
        self.left -= 1
        return self.number

    @_grad.setter
    def _grad(self, number):
        self.number = number


def test_a_sweep_interrupted_anywhere_leaves_the_leaves_what_they_held():
    interrupted = 0
    while True:
        x, bomb = Value(3.0), Interrupting.__new__(Interrupting)
        bomb.left = -1
        bomb.__init__(2.0)
        x.grad, bomb.grad = 7.0, 5.0
        y = (x + 1) * bomb + bomb * x
        bomb.left = interrupted
        try:
            y.backward()
        except KeyboardInterrupt:
            assert (x.grad, bomb.number) == (7.0, 5.0), interrupted
            interrupted += 1
        else:
            break
    assert (x.grad, bomb.number) == (7.0 + 4.0, 5.0 + 7.0)  # dy/dx = 2 bomb, dy/dbomb = 2 x + 1
    assert interrupted >= 5  # twice or more in the walk, in the sweep for two edges, in adding up


def test_a_walk_that_was_interrupted_does_not_disturb_the_next():
    for interrupted_at in range(6):
        x, bomb = Value(3.0), Interrupting.__new__(Interrupting)
        bomb.left = -1
        bomb.__init__(2.0)
        y = (x * bomb + x).tanh() * (bomb * x + bomb)
        bomb.left = interrupted_at
        with pytest.raises(KeyboardInterrupt):
            y.backward()
        x.grad, bomb.grad = 0.0, 0.0
        y.backward()
        gradients = x.grad, bomb.grad

        plain = Value(3.0), Value(2.0)
        ((plain[0] * plain[1] + plain[0]).tanh() * (plain[1] * plain[0] + plain[1])).backward()
        assert gradients == (plain[0].grad, plain[1].grad)
