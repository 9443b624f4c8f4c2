"""Dropout: leave out some neurons of a layer, others for every sample of every step.

Knows NumPy and the checks at the door. Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov 2014,
"Dropout: a simple way to prevent neural networks from overfitting", in the inverted form: a neuron is
dropped with probability p, and one that is kept counts 1 / (1 - p) times, so that its mean stays

    p · 0 + (1 - p) · a / (1 - p) = a

and a network in use needs no mask. A mask is a factor on the activations: a' = m ⊙ a, hence da = m ⊙ da'.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nn import checks

Array = npt.NDArray[np.float64]
Masks = Sequence[Array | None]


def draw_masks(
    widths: Sequence[int],
    shares: Sequence[float],
    samples: int,
    rng: np.random.Generator | None,
    dtype: npt.DTypeLike = np.float64,
) -> list[Array | None]:
    """A mask (width, N) for each layer, its entries 0 or 1 / (1 - share); None where the share is 0.

    rng  draws them; None: a fresh generator

    >>> none, mask = draw_masks([2, 3], [0.0, 0.5], samples=4, rng=np.random.default_rng(0))
    >>> none is None, mask.shape, sorted(set(mask.ravel().tolist()))
    (True, (3, 4), [0.0, 2.0])
    """
    rng, samples = checks.generator(rng), checks.count("samples", samples, least=1)
    return [
        np.asarray((rng.random((width, samples)) >= share) / (1.0 - share), dtype) if share else None
        for width, share in zip(widths, shares, strict=True)
    ]


def checked_masks(
    masks: object, layer_sizes: Sequence[int], samples: int, dtype: npt.DTypeLike
) -> list[Array | None] | None:
    """The same, each mask an array (width, N) of this dtype; None as it is."""
    if masks is None:
        return None
    hidden = layer_sizes[1:-1]
    return [
        None if mask is None else checks.exactly(f"masks[{i}]", mask, (width, samples), dtype)
        for i, (mask, width) in enumerate(zip(one_each(masks, len(hidden)), hidden, strict=True))
    ]


def one_each(masks: object, hidden: int) -> Masks:
    """`masks` itself if it is a list with a mask or None for each hidden layer."""
    if isinstance(masks, list | tuple) and len(masks) == hidden:
        return masks
    raise ValueError(
        f"masks: expected a list of {hidden}, a mask or None for each hidden layer, as draw_masks "
        f"gives; got {masks!r:.60}"
    )
