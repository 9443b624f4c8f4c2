"""micrograd's names for what a node is, which code written for it reads: `_prev` and `_op`.

Its notebook that draws a graph walks `_prev` and shows `_op`. Here they are views of `parents` and `op`,
which say more: the order, and an operand twice where it is there twice. This room knows nothing of the
project, and of a Value only that it has these.
"""

from __future__ import annotations

from typing import Any

_SYMBOLS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "negative": "neg", "relu": "ReLU"}


class MicrogradNames:
    """`_prev` and `_op`, of a class that has `op` and `parents`.

    >>> from autograd import Value
    >>> x = Value(3.0)
    >>> (x * 2)._op, (x**2)._op, x.relu()._op, x.tanh()._op, x._op
    ('*', '**2', 'ReLU', 'tanh', '')
    >>> (x * x)._prev == {x}
    True
    """

    __slots__ = ()

    op: Any
    parents: Any

    @property
    def _prev(self) -> set[Any]:
        """The operands; without a plain number's power, which is in the name of the operation."""
        return set(self.parents[:1] if self._has_plain_exponent else self.parents)

    @property
    def _op(self) -> str:
        """The operation by micrograd's symbol; "" for a leaf."""
        if self.op == "power":
            return f"**{self.parents[1].data:g}" if self._has_plain_exponent else "**"
        return _SYMBOLS.get(self.op, str(self.op))

    @property
    def _has_plain_exponent(self) -> bool:
        return bool(self.op == "power" and self.parents[1].is_constant)
