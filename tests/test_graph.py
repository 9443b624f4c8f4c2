"""The order of a recorded graph, and its independence of everything but the graph."""

from hypothesis import given
from hypothesis import strategies as st

from autograd import Value
from autograd.graph import topological_order


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
