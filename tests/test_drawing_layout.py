"""The built-in layout: nothing overlaps, arrows run one way and across no box, and few of them cross."""

import re
from collections import Counter
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Value, draw
from autograd.drawing.layers import FARTHEST_BENDS
from autograd.drawing.layout import lay_out
from tests.drawings import built_in_svg, graph, read_svg, recorded, shared_chain, uses_shown

WAYS = {"LR": (1, 0), "RL": (-1, 0), "TB": (0, 1), "BT": (0, -1)}
ways = st.sampled_from(list(WAYS))


@given(output=recorded(), way=ways, partials=st.booleans())
def test_boxes_are_apart_and_operands_before_results(output, way, partials):
    boxes, arrows = read_svg(built_in_svg(output, direction=way, partials=partials))
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    by_name = {box.name: box for box in boxes}
    for tail, head in uses_shown(boxes, arrows):
        before, after = by_name[tail], by_name[head]
        gap = {
            "LR": after.left - before.right, "RL": before.left - after.right,
            "TB": after.top - before.bottom, "BT": before.top - after.bottom,
        }  # fmt: skip
        assert gap[way] > 0


@given(output=recorded(), way=ways, partials=st.booleans())
def test_arrows_run_only_forward_and_never_across_a_box(output, way, partials):
    boxes, arrows = read_svg(built_in_svg(output, direction=way, partials=partials))
    dx, dy = WAYS[way]
    for points in arrows:
        progress = [x * dx + y * dy for x, y in points]
        assert all(earlier <= later for earlier, later in pairwise(progress))
        assert not any(box.holds(point) for point in points for box in boxes)


@given(output=recorded(), way=ways)
def test_texts_stand_within_their_boxes_and_apart(output, way):
    output.backward()
    root = ElementTree.fromstring(built_in_svg(output, direction=way, partials=True))
    for group in root.findall("{*}g")[1:]:
        if group.get("class") == "legend":
            continue
        frame = group.find("{*}rect")
        left, top, width, height = (float(frame.get(key)) for key in ("x", "y", "width", "height"))
        spots = [_extent(text) for text in group.findall("{*}text")]
        for spot in spots:
            assert left <= spot[0] <= spot[2] <= left + width
            assert top <= spot[1] <= spot[3] <= top + height
        for one, other in combinations(spots, 2):
            assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def _extent(text):
    """Where a text's digits stand: in DejaVu Sans Mono a character is 0.602 em wide, 0.73 em tall."""
    size = float(text.get("font-size", 13))
    x, y, width = float(text.get("x")), float(text.get("y")), 0.602 * size * len(text.text)
    left = x - width * {"middle": 0.5, "end": 1.0}.get(text.get("text-anchor"), 0.0)
    return left, y - 0.73 * size, left + width, y


@given(st.data())
def test_layouts_of_any_sizes_are_apart_and_within_the_picture(data):
    number = data.draw(st.integers(1, 30))
    size = st.tuples(st.integers(1, 300), st.integers(1, 200))
    sizes = data.draw(st.lists(size, min_size=number, max_size=number))
    arrow = st.tuples(st.integers(0, number - 1), st.integers(0, number - 1)).filter(lambda a: a[0] < a[1])
    arrows = data.draw(st.lists(arrow, max_size=60)) if number > 1 else []
    layout = lay_out(sizes, arrows)
    boxes = [(x, y, x + w, y + h) for (x, y), (w, h) in zip(layout.corners, sizes, strict=True)]
    for one, other in combinations(boxes, 2):
        assert one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]
    points = [point for route in layout.routes for point in route]
    points += [corner for box in boxes for corner in (box[:2], box[2:])]
    assert all(0 < x < layout.width and 0 < y < layout.height for x, y in points)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=40))
def test_a_tree_is_drawn_without_crossings(choices):
    # node i's one result is some later node: numbered so that operands come first, the root last
    last = len(choices)
    arrows = [(i, i + 1 + choice % (last - i)) for i, choice in enumerate(choices)]
    layout = lay_out([(40, 20)] * (last + 1), arrows)
    legs = [(route[0], route[-1]) for route in layout.routes]
    for (start, end), (other_start, other_end) in combinations(legs, 2):
        if start[0] == other_start[0]:
            assert (start[1] - other_start[1]) * (end[1] - other_end[1]) >= 0


def test_a_box_is_tall_enough_to_tell_sixty_five_arrows_apart():
    ws = [Value(0.1 * i, label=f"w{i}") for i in range(32)]
    xs = [Value(0.2 * i, label=f"x{i}") for i in range(32)]
    boxes, arrows = read_svg(built_in_svg(autograd.dot(ws, xs, Value(1.0, label="b"))))
    ends = sorted(points[-1][1] for points in arrows)
    assert (len(boxes), len(ends)) == (66, 65)
    assert min(lower - upper for upper, lower in pairwise(ends)) >= 6


def weighted_sum(inputs):
    """The weighted sum of a neuron: two leaves an input, and the bias."""
    ws, xs = ([Value(i / inputs, label=f"{name}{i}") for i in range(inputs)] for name in "wx")
    return autograd.dot(ws, xs, Value(1.0, label="b"))


@pytest.mark.parametrize("inputs", [13, 32, 64])
def test_the_many_leaves_of_one_box_stand_in_rows_and_not_in_one_tall_column(inputs):
    output = weighted_sum(inputs)
    output.label = "z"
    boxes, arrows = read_svg(built_in_svg(output))
    width, height = max(box.right for box in boxes), max(box.bottom for box in boxes)
    assert height < 2 * width  # one column is four times as tall as wide, or more
    assert (Counter(box.name for box in boxes), Counter(uses_shown(boxes, arrows))) == graph(output)
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert not any(box.holds(point) for points in arrows for point in points for box in boxes)
    ends = sorted(arrows, key=lambda points: points[-1][1])
    assert [tail for tail, _ in uses_shown(boxes, ends)] == [parent.label for parent in output.parents]
    assert repr(draw(output)).endswith('built-in layout (too wide for Graphviz "dot")')


def test_a_thousand_leaves_have_no_more_columns_than_arrows_may_bend_in():
    boxes, arrows = read_svg(built_in_svg(weighted_sum(1000)))
    assert len(boxes) == 2002
    floor = max(box.bottom for box in boxes)
    assert all(y < floor for points in arrows for _, y in points)  # none has to run below the boxes


def test_an_arrow_across_many_columns_runs_below_the_boxes():
    steps = FARTHEST_BENDS + 10
    boxes, arrows = read_svg(built_in_svg(shared_chain(steps)))
    floor = max(box.bottom for box in boxes)
    low = [points for points in arrows if max(y for _, y in points) > floor]
    assert 0 < len(low) < steps
    assert Counter(uses_shown(boxes, arrows))["w", f"step {steps - 1}"] == 1
    assert not any(
        box.holds(point) for point in (point for points in low for point in points) for box in boxes
    )


@pytest.mark.parametrize(
    "make", [shared_chain, lambda n: autograd.sum([Value(1.0)] * n)], ids=["deep", "wide"]
)
def test_five_thousand_nodes_or_uses_are_drawn(make):
    drawing = draw(make(5000))
    assert 'too large for Graphviz "dot"' in repr(drawing)
    assert ElementTree.fromstring(drawing.svg()).tag.endswith("svg")


def test_wide_characters_get_wide_boxes():
    (narrow,), _ = read_svg(built_in_svg(Value(1.0, label="w" * 20)))
    (wide,), _ = read_svg(built_in_svg(Value(1.0, label="重" * 20)))
    assert wide.right - wide.left > 1.8 * (narrow.right - narrow.left)


def test_the_picture_is_large_enough_for_its_legend_and_its_notes():
    x = Value(3.0, label="x")
    (x * x).backward()
    root = ElementTree.fromstring(built_in_svg(x, highlight=x))
    width, height = (float(root.get(key)) for key in ("width", "height"))
    (legend,) = root.findall("{*}g[@class='legend']")
    for text in legend.findall("{*}text"):
        assert float(text.get("x")) + 0.602 * 13 * len(text.text) <= width
        assert float(text.get("y")) < height
    numbers = re.findall(r'<rect x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"', built_in_svg(x))
    assert all(int(x) + int(w) <= width and int(y) + int(h) <= height for x, y, w, h in numbers)
