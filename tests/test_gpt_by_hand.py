"""The benchmark's hand-derived GPT against the scalar engine and PyTorch, and the scalar model by itself."""

import random

import numpy as np
import pytest

from autograd import Value
from demos.gpt_model import (
    CONTEXT,
    HEADS,
    SHAPES,
    VOCABULARY,
    WIDTH,
    as_floats,
    initial_weights,
    leaves,
    name_loss,
    next_logits,
)
from tests.benchmarks.gpt_by_hand import PARAMETERS, GPTByHand, matrices, padded

SHARE = 1e-12  # of the largest magnitude of a gradient: SEMANTICS' bound for sums in another order
NAMES = [[0, 7, 5, 20, 0], [0, 1, 0], [0, *range(1, 16), 0], [0, 27, 27, 3, 3, 3, 0]]


@pytest.fixture(scope="module")
def weights():
    """Large enough for attention that is far from even and relus of both signs."""
    model = initial_weights(random.Random(0))
    for leaf in leaves(model):
        leaf.data *= 5
    return model


@pytest.fixture(scope="module")
def theta(weights):
    return np.array([leaf.data for leaf in leaves(weights)])


def scalar_loss_and_gradient(weights, tokens, shares):
    for leaf in leaves(weights):
        leaf.grad = 0.0
    loss = name_loss(weights, tokens, shares)
    loss.backward()
    return loss.data, np.array([leaf.grad for leaf in leaves(weights)])


def even(tokens):
    return [1 / (len(tokens) - 1)] * (len(tokens) - 1)


def assert_same(found, expected):
    assert found[0] == pytest.approx(expected[0], rel=1e-12)
    assert np.abs(found[1] - expected[1]).max() <= SHARE * np.abs(expected[1]).max()


def test_the_model_has_the_size_that_it_says():
    """28 tokens and 16 positions 16 wide, four square matrices, 64 by 16, 16 by 64, 28 by 16 for logits."""
    assert PARAMETERS == 28 * 16 + 16 * 16 + 4 * 16 * 16 + 2 * 64 * 16 + 28 * 16 == 4224


@pytest.mark.parametrize("tokens", NAMES, ids=len)
def test_one_name_by_hand_agrees_with_the_scalar_engine(tokens, weights, theta):
    by_hand = GPTByHand(*padded([tokens], len(tokens) - 1))
    assert_same(by_hand.loss_and_gradient(theta), scalar_loss_and_gradient(weights, tokens, even(tokens)))


def test_a_padded_batch_by_hand_is_the_mean_of_its_names(weights, theta):
    each = [scalar_loss_and_gradient(weights, tokens, even(tokens)) for tokens in NAMES]
    mean = np.mean([loss for loss, _ in each]), np.mean([gradient for _, gradient in each], axis=0)
    assert_same(GPTByHand(*padded(NAMES)).loss_and_gradient(theta), mean)


def test_a_batch_by_hand_agrees_with_pytorch(theta):
    torch = pytest.importorskip("torch", reason="PyTorch is a witness, not a requirement")
    F = torch.nn.functional
    tokens, shares = padded(NAMES)
    flat = torch.tensor(theta, requires_grad=True)
    sizes = [rows * columns for rows, columns in SHAPES.values()]
    W = {
        name: part.view(shape) for (name, shape), part in zip(SHAPES.items(), flat.split(sizes), strict=True)
    }

    def norm(x):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-5)

    def heads(x):
        return x.unflatten(-1, (HEADS, WIDTH // HEADS)).transpose(1, 2)

    x = norm(F.embedding(torch.tensor(tokens[:, :-1]), W["token"]) + W["position"])
    q, k, v = (heads(F.linear(norm(x), W[name])) for name in ("query", "key", "value"))
    mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    x = x + F.linear(mixed.transpose(1, 2).flatten(2), W["mix"])
    x = x + F.linear(F.relu(F.linear(norm(x), W["up"])), W["down"])
    surprise = F.cross_entropy(
        F.linear(x, W["head"]).transpose(1, 2), torch.tensor(tokens[:, 1:]), reduction="none"
    )
    loss = (surprise * torch.tensor(shares)).sum()
    loss.backward()
    assert_same(GPTByHand(tokens, shares).loss_and_gradient(theta), (loss.item(), flat.grad.numpy()))


def test_a_second_call_by_hand_leaves_the_first_one_s_gradient_alone(theta):
    by_hand = GPTByHand(*padded(NAMES))
    loss, gradient = by_hand.loss_and_gradient(theta)
    kept = gradient.copy()
    by_hand.loss_and_gradient(2 * theta)
    np.testing.assert_array_equal(gradient, kept)
    again = by_hand.loss_and_gradient(theta)
    assert again[0] == loss
    np.testing.assert_array_equal(again[1], kept)


def test_matrices_are_the_scalar_model_s_in_its_order(weights, theta):
    for name, view in matrices(theta).items():
        if name != "attention":
            assert view.tolist() == as_floats(weights)[name]


def test_one_hot_tokens_with_padding_give_what_numbered_tokens_give(weights):
    tokens, shares = padded([NAMES[0]])
    one_hot = [[Value(float(v == token)) for v in range(VOCABULARY)] for token in tokens[0]]
    expected = scalar_loss_and_gradient(weights, NAMES[0], even(NAMES[0]))
    assert_same(scalar_loss_and_gradient(weights, one_hot, list(map(Value, shares[0]))), expected)


def test_padding_is_never_looked_at(weights):
    numbers = as_floats(weights)
    (tokens,), (shares,) = padded([NAMES[0]])
    other = [*NAMES[0], *[5] * (CONTEXT + 1 - len(NAMES[0]))]
    loss = name_loss(numbers, tokens.tolist(), shares.tolist())
    assert name_loss(numbers, other, shares.tolist()) == loss


def test_floats_give_the_logits_that_values_give_and_record_nothing(weights):
    recorded, plain = [], []
    for position, token in enumerate(NAMES[0]):
        values = next_logits(weights, token, position, recorded)
        numbers = next_logits(as_floats(weights), token, position, plain)
        assert numbers == [value.data for value in values]
        assert {type(number) for number in numbers} == {float}


def test_a_wrong_derivation_would_be_noticed(weights, theta):
    """The same comparison, of a backward pass that forgets one term of RMSNorm's derivative."""

    class Forgetful(GPTByHand):
        def rms_norm_backward(self, r, y, g):
            return r * g

    tokens = NAMES[0]
    wrong = Forgetful(*padded([tokens], len(tokens) - 1)).loss_and_gradient(theta)
    with pytest.raises(AssertionError):
        assert_same(wrong, scalar_loss_and_gradient(weights, tokens, even(tokens)))
