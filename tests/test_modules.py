"""Activations, dropout and batch normalisation on Values, against PyTorch."""

import numpy as np
import pytest

from autograd import Value
from autograd import sum as add_up
from nn import BatchNorm, Dropout
from nn.modules import ACTIVATIONS, OUTPUTS

torch = pytest.importorskip("torch", reason="PyTorch is the witness here")

F = torch.nn.functional
TORCH = {
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "tanh": torch.tanh,
    "linear": lambda z: z,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "gelu": F.gelu,
    "silu": F.silu,
    "softplus": F.softplus,
    "softmax": lambda z: torch.softmax(z, dim=0),
}


def tensor(numbers):
    return torch.tensor(numbers, dtype=torch.float64, requires_grad=True)


def test_every_activation_has_its_witness():
    assert set(TORCH) == set(OUTPUTS) == {*ACTIVATIONS, "softmax"}


@pytest.mark.parametrize("name", OUTPUTS)
def test_an_activation_and_its_derivative_are_pytorchs(name):
    numbers, seeds = [-3.0, -0.5, 0.0, 0.25, 2.0], [1.0, -2.0, 3.0, 0.5, 1.5]
    zs = [Value(z) for z in numbers]
    outputs = OUTPUTS[name](zs)
    add_up([a * seed for a, seed in zip(outputs, seeds, strict=True)]).backward()
    theirs = tensor(numbers)
    activated = TORCH[name](theirs)
    activated.backward(torch.tensor(seeds, dtype=torch.float64))
    assert [a.data for a in outputs] == pytest.approx(activated.tolist(), rel=1e-13, abs=1e-15)
    assert [z.grad for z in zs] == pytest.approx(theirs.grad.tolist(), rel=1e-13, abs=1e-15)


def test_a_mask_keeps_scaled_up_or_drops():
    dropout = Dropout(0.25)
    mask = dropout.draw(width=200, samples=50, rng=np.random.default_rng(0))
    assert set(mask.flat) == {0.0, 1 / 0.75}
    assert abs((mask == 0).mean() - 0.25) < 3 * (0.25 * 0.75 / 10_000) ** 0.5       # three standard errors
    a = [Value(2.0), Value(3.0)]
    kept = dropout(a, [0.0, 1 / 0.75])
    assert [k.data for k in kept] == [0.0, 4.0]
    add_up(kept).backward()
    assert [x.grad for x in a] == [0.0, 1 / 0.75]
    assert Dropout(0.0).draw(2, 3, np.random.default_rng(0)) is None
    assert dropout.parameters() == []


def batch(width, samples, seed):
    rng = np.random.default_rng(seed)
    return 3.0 * rng.standard_normal((samples, width)) + 1.0, rng.standard_normal((samples, width))


def both(width):
    """Our module and PyTorch's, with the same γ and β."""
    ours, theirs = BatchNorm(width), torch.nn.BatchNorm1d(width, dtype=torch.float64)
    for j in range(width):
        ours.gammas[j].data, ours.betas[j].data = 0.5 + j, 0.25 * j
    with torch.no_grad():
        theirs.weight[:] = torch.arange(width) + 0.5
        theirs.bias[:] = 0.25 * torch.arange(width)
    return ours, theirs


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("samples", [2, 5])
def test_batch_normalisation_and_its_gradients_are_pytorchs(samples, training):
    ours, theirs = both(3)
    theirs.train(training)
    numbers, seeds = batch(3, samples, seed=0)
    zs = [[Value(z) for z in sample] for sample in numbers.tolist()]
    normal = ours(zs, training=training)
    flat = [u for sample in normal for u in sample]
    add_up([u * seed for u, seed in zip(flat, seeds.ravel().tolist(), strict=True)]).backward()
    z = tensor(numbers)
    expected = theirs(z)
    expected.backward(torch.tensor(seeds))
    assert [u.data for u in flat] == pytest.approx(expected.flatten().tolist(), rel=1e-12, abs=1e-14)
    found = [[z.grad for z in sample] for sample in zs]
    np.testing.assert_allclose(found, z.grad, rtol=0, atol=1e-12 * float(z.grad.abs().max()))
    assert [g.grad for g in ours.gammas] == pytest.approx(theirs.weight.grad.tolist(), rel=1e-12)
    assert [b.grad for b in ours.betas] == pytest.approx(theirs.bias.grad.tolist(), rel=1e-12)


def test_running_statistics_move_as_pytorchs_and_only_when_told():
    ours, theirs = both(2)
    for seed in range(3):
        numbers, _ = batch(2, 4, seed)
        before = list(ours.running_mean), list(ours.running_variance)
        ours(numbers.tolist(), training=True)
        assert (ours.running_mean, ours.running_variance) == before
        ours.update_statistics(numbers.tolist())
        theirs(torch.tensor(numbers))
        assert ours.running_mean == pytest.approx(theirs.running_mean.tolist(), rel=1e-13)
        assert ours.running_variance == pytest.approx(theirs.running_var.tolist(), rel=1e-13)
    numbers, _ = batch(2, 3, seed=9)
    theirs.eval()
    for sample, expected in zip(numbers.tolist(), theirs(torch.tensor(numbers)).tolist(), strict=True):
        [alone] = ours([sample])
        assert [u.data for u in alone] == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(
    ("error", "words", "make"),
    [
        (ValueError, r"dropout: expected a number in \[0, 1\), got 1", lambda: Dropout(1.0)),
        (ValueError, "width: expected a whole number of at least 1, got 0", lambda: BatchNorm(0)),
        (ValueError, "trains on 2 samples or more, got 1", lambda: BatchNorm(1)([[1.0]], training=True)),
        (ValueError, "trains on 2 samples or more, got 1", lambda: BatchNorm(1).update_statistics([[1.0]])),
        (ValueError, r"samples of 2 numbers, got 2 of \[1\]", lambda: BatchNorm(2)([[1.0], [2.0]])),
        (ValueError, r"samples of 2 numbers, got 0 of \[\]", lambda: BatchNorm(2)([])),
    ],
)
def test_misuse_is_explained(error, words, make):
    with pytest.raises(error, match=words):
        make()
