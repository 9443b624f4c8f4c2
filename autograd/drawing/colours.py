"""The colours of a drawing, and what they say: the sign and the size of gradients.

Orange is negative and blue positive, which colour-blind people tell apart; the larger the darker, which print
keeps; and every number stands beside its colour with its sign. Sizes go by powers of ten below the largest.

This room knows nothing of the project.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

INK = "#111827"
SOFT_INK = "#475569"  # arrows and captions
SYMBOL_PAPER = "#e5e7eb"  # behind an operation's symbol

STEPS = 4  # of size, three of them a power of ten wide

FILLS = {
    "": "#ffffff",
    "n1": "#fdeedb", "n2": "#fbd5a8", "n3": "#f3ad66", "n4": "#e08a34",
    "p1": "#e6f0fa", "p2": "#bcd8f2", "p3": "#86b8e8", "p4": "#5698d8",
    "s1": "#f3eef8", "s2": "#ddd0ec", "s3": "#bfa6dc", "s4": "#a383cb",
    "odd": "#f7ef8a",
}  # fmt: skip
"""Each shade's colour: n and p for negative and positive numbers, s for sizes, by steps; odd: not finite."""


def caption_ink(shade: str) -> str:
    """The ink for captions on a shade: soft, but on the dark ones, where it would be hard to read."""
    return INK if shade[-1:] in ("3", "4") else SOFT_INK


class Scale:
    """Shades for gradients, relative to the largest of them.

    >>> scale = Scale([0.5, -0.02, 0.0])
    >>> [scale.shade(x) for x in (0.5, -0.02, 1e-9, 0.0, float("nan"))]
    ['p4', 'n3', 'p1', '', 'odd']
    >>> scale.legend({"p4", "n3"})
    [('n3', '≤ -0.01'), ('p4', '≥ 0.1')]
    """

    def __init__(self, gradients: Iterable[float]) -> None:
        largest = max((abs(g) for g in gradients if math.isfinite(g)), default=0.0)
        exponent = int(f"{largest:.16e}".partition("e")[2])  # of the largest, exactly
        self.edges = [_power(exponent - below) for below in range(STEPS - 1)]  # from the top down

    def shade(self, gradient: float, signed: bool = True) -> str:
        """The key in FILLS of a gradient, or of a size where not signed."""
        if gradient == 0:
            return ""
        if not math.isfinite(gradient):
            return "odd"
        size = abs(gradient)
        step = next((STEPS - i for i, edge in enumerate(self.edges) if size >= edge), 1)
        return f"{'s' if not signed else 'n' if gradient < 0 else 'p'}{step}"

    def legend(self, shades: Iterable[str]) -> list[tuple[str, str]]:
        """The shades among those given that need a word, from negative to positive, and the word."""
        words = {"odd": "not finite"}
        for step in range(STEPS, 0, -1):
            edge = f"{self.edges[STEPS - step]:g}" if step > 1 else ""
            words[f"n{step}"] = f"≤ -{edge}" if edge else "< 0"
        for step in range(1, STEPS + 1):
            edge = f"{self.edges[STEPS - step]:g}" if step > 1 else ""
            words[f"p{step}"] = f"≥ {edge}" if edge else "> 0"
            words[f"s{step}"] = f"|grad| ≥ {edge}" if edge else "|grad| > 0"
        return [(shade, word) for shade, word in words.items() if shade in set(shades)]


def _power(exponent: int) -> float:
    """Ten to the power, as the nearest float; where that is 0, the smallest."""
    return float(f"1e{exponent}") or math.ulp(0.0)
