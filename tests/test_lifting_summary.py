"""What print(program) says."""

import re
from pathlib import Path

import numpy as np
from test_lifting import in_blocks, numbers, one_by_one

import autograd
from autograd import Value, dot, source_lines


def layer_of_four():
    """Σ tanh(W x + b): 3 inputs, 4 results; x is the input."""
    rng = np.random.default_rng(0)
    W, b, x = [numbers(3, rng) for _ in range(4)], numbers(4, rng), numbers(3, rng)
    return autograd.sum([dot(row, x, bi).tanh() for row, bi in zip(W, b, strict=True)]), x


def test_operations_and_bytes_are_counted():
    root, x = layer_of_four()
    text = str(in_blocks(root, inputs=x))
    # 19 leaves, 4 dots, 4 tanh, 1 sum
    assert text.startswith(
        "28 scalars -> 3 array operations, of which 1 matrix product\n16 parameters, float64\n"
    )
    # 4 · (3 products, 3 additions) + 4 tanh + 3 additions
    assert re.search(r"forwards +0 \+ 31 a sample", text)
    # 12 weights and 4 biases, 4 operands of tanh and 4 of the sum, 2 operations each
    assert re.search(r"forwards and backwards +0 \+ 79 a sample", text)
    # and the 3 inputs, each used by 4 results, where they are parameters, too
    assert re.search(r"forwards and backwards +103\n", str(in_blocks(root)))
    # numbers of 8 bytes and their gradients: 16 parameters; x, a 1 for the biases, 4, 4 and 1 results
    assert re.search(r"values and gradients +256 \+ 208 a sample", text)
    assert re.search(r"product +4 x 3 @ 3 x N \+ bias +views", text)


def test_products_holes_and_gathers_are_told():
    rng = np.random.default_rng(1)
    q, k = ([[z.tanh() for z in numbers(2, rng)] for _ in range(5)] for _ in range(2))
    scores = [dot(q[t], k[s]) for t in range(5) for s in range(t + 1)]
    xs = numbers(6, rng)
    mixed = [xs[i] * xs[j] for i, j in [(0, 3), (1, 3), (2, 0), (5, 1), (4, 4)]]
    text = str(in_blocks(autograd.sum([z.exp() for z in scores + mixed])))
    assert re.search(r"product +5 x 2 @ 2 x 5, 10 holes +views", text)
    assert re.search(r"sum +5 of 1 product +1 gather", text)


def test_scalars_that_run_one_by_one_are_one_operation():
    w, x = Value(0.5), Value(0.25)
    text = str(one_by_one((w * x).tanh() + x))
    assert re.search(r"tape +3 scalars", text)


def test_lines_are_those_that_recorded_within_source_lines():
    with source_lines():
        root, x = layer_of_four()
        program = in_blocks(root, inputs=x)
    here = Path(__file__).read_text(encoding="utf-8").splitlines()
    line = 1 + next(i for i, text in enumerate(here) if "dot(row, x, bi).tanh()" in text)
    table = str(program).splitlines()[-3:]
    assert [row.split()[0] for row in table] == ["product", "tanh", "sum"]
    assert all(row.endswith(f"ing_summary.py:{line}") for row in table)


def test_where_lines_are_unknown_it_says_how_to_get_them():
    root, x = layer_of_four()
    with source_lines():
        late = in_blocks(root, inputs=x)
    for program in (in_blocks(root, inputs=x), late):
        assert "within autograd.source_lines()" in str(program).splitlines()[-1]


def test_it_fits_a_terminal_however_large_the_program():
    rng = np.random.default_rng(2)
    nodes = numbers(10, rng)
    with source_lines():
        for _ in range(500):
            a, b = (nodes[int(i)] for i in rng.integers(len(nodes), size=2))
            nodes.append(
                [a + b, a * b, a.tanh(), autograd.binary_cross_entropy_with_logits(a, b)][
                    int(rng.integers(4))
                ]
            )
        programs = [in_blocks(autograd.sum(nodes)), one_by_one(autograd.sum(nodes)), autograd.lift(nodes[0])]
    for program in programs:
        lines = str(program).splitlines()
        assert max(map(len, lines)) <= 80
        assert len(lines) <= 52
    assert re.match(r"and \d+ ", str(programs[0]).splitlines()[-1])
