"""A small GPT, one scalar at a time, in plain Python.

One transformer block as GPT-2 has it (Radford et al., 2019), made as small as in Andrej Karpathy's microgpt:
RMSNorm (Zhang & Sennrich, 2019) for LayerNorm, relu for GELU, no biases. 16 wide, 4 heads, 16 positions and a
vocabulary of 28 make 4,224 weights.

A number is a `Value`, which records what is done with it, or a plain float, which does not: training uses the
one, sampling the other, and the code is the same.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from autograd import Value, logsumexp, relu, softmax

Number = Any  # a Value, or a float
Weights = dict[str, list[list[Number]]]
Token = int | Sequence[Number]  # its number in the vocabulary, or a one-hot row of numbers
Memory = list[tuple[list[Number], list[Number]]]  # of each position so far: its key and its value

VOCABULARY = 28
WIDTH = 16
HEADS = 4
CONTEXT = 16
HIDDEN = 4 * WIDTH

SHAPES = {  # of each matrix of weights: rows are outputs, or the tokens and positions embedded
    "token": (VOCABULARY, WIDTH),
    "position": (CONTEXT, WIDTH),
    "query": (WIDTH, WIDTH),
    "key": (WIDTH, WIDTH),
    "value": (WIDTH, WIDTH),
    "mix": (WIDTH, WIDTH),
    "up": (HIDDEN, WIDTH),
    "down": (WIDTH, HIDDEN),
    "head": (VOCABULARY, WIDTH),
}


def initial_weights(rng: random.Random) -> Weights:
    """Leaves drawn from a normal distribution of spread 0.08."""
    return {
        name: [[Value(rng.gauss(0, 0.08), f"{name}{i}.{j}") for j in range(inputs)] for i in range(outputs)]
        for name, (outputs, inputs) in SHAPES.items()
    }


def leaves(weights: Weights) -> list[Value]:
    """Every weight, matrix by matrix, row by row."""
    return [w for matrix in weights.values() for row in matrix for w in row]


def as_floats(weights: Weights) -> Weights:
    """The same weights as plain numbers, with which the model records nothing."""
    return {name: [[w.data for w in row] for row in matrix] for name, matrix in weights.items()}


def name_loss(weights: Weights, tokens: Sequence[Token], shares: Sequence[Number]) -> Number:
    """How surprising each token is after those before it, -log p(token), added up in these shares.

    tokens  one more than `shares`: the first is only read, the last only predicted
    shares  of each position in the loss: 1/n for the mean over n of them, 0 where there is only padding,
            which no earlier position looks at
    """
    memory: Memory = []
    losses = []
    for position, share in enumerate(shares):
        logits = next_logits(weights, tokens[position], position, memory)
        surprise = logsumexp(logits) - choose(logits, tokens[position + 1])
        losses.append(share * surprise)
    return sum(losses)


def next_logits(weights: Weights, token: Token, position: int, memory: Memory) -> list[Number]:
    """A logit for each token of the vocabulary to be the next one; `memory` grows by this position."""
    embedded = [choose(column, token) for column in zip(*weights["token"], strict=True)]
    x = rms_norm(add(embedded, weights["position"][position]))

    seen = rms_norm(x)
    memory.append((linear(weights["key"], seen), linear(weights["value"], seen)))
    x = add(x, linear(weights["mix"], attention(linear(weights["query"], seen), memory)))

    hidden = [relu(z) for z in linear(weights["up"], rms_norm(x))]
    x = add(x, linear(weights["down"], hidden))
    return linear(weights["head"], x)


def attention(query: list[Number], memory: Memory) -> list[Number]:
    """What each head reads from the positions so far: their values, by how well their keys fit the query."""
    size = WIDTH // HEADS
    mixed = []
    for start in range(0, WIDTH, size):
        head = slice(start, start + size)
        fits = softmax([dot(query[head], key[head]) / size**0.5 for key, _ in memory])
        mixed += [dot(fits, column) for column in zip(*[value[head] for _, value in memory], strict=True)]
    return mixed


def rms_norm(xs: list[Number]) -> list[Number]:
    """The vector, scaled so that its mean square is 1."""
    scale = (dot(xs, xs) / len(xs) + 1e-5) ** -0.5
    return [x * scale for x in xs]


def linear(matrix: list[list[Number]], xs: list[Number]) -> list[Number]:
    """A matrix times a vector."""
    return [dot(row, xs) for row in matrix]


def dot(ws: Sequence[Number], xs: Sequence[Number]) -> Number:
    """Products, added up one by one: what `autograd.dot` would record as a single node."""
    return sum(w * x for w, x in zip(ws, xs, strict=True))


def add(xs: list[Number], ys: list[Number]) -> list[Number]:
    """Two vectors, added."""
    return [x + y for x, y in zip(xs, ys, strict=True)]


def choose(entries: Sequence[Number], token: Token) -> Number:
    """The token's entry; of a one-hot row, the sum of products that comes to the same."""
    return entries[token] if isinstance(token, int) else dot(token, entries)
