"""Pieces of NumPy text, with the shapes of what they compute.

    d = named("da1", (16, "N")), y = named("a1", (16, "N"))
    d * (1 - y * y)         da1 * (1 - a1 * a1)          of shape (16, N)

Operators on pieces write operators, with the brackets that Python needs and no others. The size "N" stands
for the number of samples.

This room knows Python's grammar.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

Size: TypeAlias = "int | str"
Shape: TypeAlias = "tuple[Size, ...]"

COMPARISON, OR, AND, SUM, PRODUCT, SIGN, ATOM = range(7)  # how tightly a piece holds together


class Expression:
    """A piece of text.

    form      with {} in the operands' places
    floors    how tightly each operand must hold together to do without brackets
    shape     of the array that it computes
    row_of    of `xs[3]`: xs and 3
    order     of `x.transpose(1, 0)`: 1 and 0
    """

    __slots__ = ("floors", "form", "level", "operands", "order", "row_of", "shape")

    def __init__(
        self,
        form: str,
        operands: Sequence[Expression] = (),
        shape: Shape = (),
        level: int = ATOM,
        floors: Sequence[int] | None = None,
    ) -> None:
        self.form, self.operands, self.shape, self.level = form, tuple(operands), shape, level
        self.floors = tuple(floors) if floors is not None else (0,) * len(self.operands)
        self.row_of: tuple[Expression, int] | None = None
        self.order: tuple[int, ...] | None = None

    def __str__(self) -> str:
        return written(self, {})

    def __bool__(self) -> bool:
        raise TypeError("an expression is neither true nor false: rules choose by m.where(condition, a, b)")

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, key: slice) -> Expression:
        begin, end, _ = key.indices(len(self))
        return suffixed(self, f"[{begin}:{end}]", (end - begin, *self.shape[1:]))

    def __iter__(self) -> Iterator[Expression]:
        for i in range(len(self)):
            row = suffixed(self, f"[{i}]", self.shape[1:])
            row.row_of = self, i
            yield row

    def __add__(self, other: Any) -> Expression:
        return total([self, piece(other)])

    def __radd__(self, other: Any) -> Expression:
        return total([piece(other), self])

    def __sub__(self, other: Any) -> Expression:
        return total([self, -piece(other)])

    def __rsub__(self, other: Any) -> Expression:
        return total([piece(other), -self])

    def __mul__(self, other: Any) -> Expression:
        return self._signed(other) if _is_sign(other) else _product(self, piece(other))

    def __rmul__(self, other: Any) -> Expression:
        return self._signed(other) if _is_sign(other) else _product(piece(other), self)

    def _signed(self, sign: float) -> Expression:
        return self if sign == 1 else -self

    def __matmul__(self, other: Expression) -> Expression:
        rows, columns = self.shape[:-1], other.shape[-1:]
        return Expression("{} @ {}", (self, other), (*rows, *columns), PRODUCT, (PRODUCT, PRODUCT + 1))

    def __neg__(self) -> Expression:
        if self.is_negative:
            return self.operands[0]
        level = min(max(self.level, PRODUCT), SIGN)  # -a * b is -(a * b)
        return Expression("-{}", (self,), self.shape, level, (PRODUCT,))

    def __abs__(self) -> Expression:
        return called("np.abs", self)

    def __or__(self, other: Any) -> Any:
        return other or self if isinstance(other, bool) else _binary("|", self, other, OR)

    def __and__(self, other: Any) -> Any:
        return other and self if isinstance(other, bool) else _binary("&", self, other, AND)

    __ror__, __rand__ = __or__, __and__

    def __lt__(self, other: Any) -> Expression:
        return compared(self, "<", other)

    def __le__(self, other: Any) -> Expression:
        return compared(self, "<=", other)

    def __gt__(self, other: Any) -> Expression:
        return compared(self, ">", other)

    def __ge__(self, other: Any) -> Expression:
        return compared(self, ">=", other)

    @property
    def is_negative(self) -> bool:
        """Whether it begins with a minus sign that holds for all of it."""
        return self.form == "-{}"

    @property
    def is_fresh(self) -> bool:
        """Whether it computes an array of its own, and is not another name for (a part of) an array."""
        if self.level < ATOM or self.form.startswith(("{}.sum(", "{}.mean(")):
            return True
        if self.form.startswith("{}"):
            return self.operands[0].is_fresh
        return "(" in self.form and not self.form.startswith("np.broadcast_to")

    @property
    def T(self) -> Expression:
        """A matrix's transpose, or that of each in a batch of them."""
        rest = len(self.shape) - 2
        return transposed(self, (*range(rest), rest + 1, rest))


# ---- making pieces


def named(name: str, shape: Shape = ()) -> Expression:
    return Expression(name.replace("{", "{{").replace("}", "}}"), shape=shape)


def piece(x: Any) -> Expression:
    """A piece as it is; a number as its literal."""
    if isinstance(x, Expression):
        return x
    number = float(x) if not isinstance(x, int) else x
    if math.isnan(number):
        return named("np.nan")
    if number < 0 or (number == 0 and math.copysign(1.0, number) < 0):
        return -piece(-number)
    return named("np.inf" if number == math.inf else repr(number))


def called(function: str, *operands: Any, shape: Shape | None = None, options: str = "") -> Expression:
    """A function's call; elementwise, unless the shape of its result is given."""
    pieces = [piece(x) for x in operands]
    found = broadcast(*[x.shape for x in pieces]) if shape is None else shape
    return Expression(f"{function}({', '.join(['{}'] * len(pieces))}{options})", pieces, found)


def suffixed(x: Expression, suffix: str, shape: Shape) -> Expression:
    """What an index, an attribute or a method makes of a piece."""
    return Expression(f"{{}}{suffix}", (x,), shape, ATOM, (ATOM,))


def transposed(x: Expression, order: Sequence[int]) -> Expression:
    """With the axes in another order; twice may be once, or not at all."""
    order = tuple(map(int, order))
    if x.order is not None:
        return transposed(x.operands[0], [x.order[k] for k in order])
    if order == tuple(sorted(order)):
        return x
    suffix = ".T" if len(order) == 2 else f".transpose({', '.join(map(str, order))})"
    found = suffixed(x, suffix, tuple(x.shape[k] for k in order))
    found.order = order
    return found


def compared(a: Any, relation: str, b: Any) -> Expression:
    return _binary(relation, a, b, COMPARISON)


def raised(x: Any, exponent: Any) -> Expression:
    a, b = piece(x), piece(exponent)
    return Expression("{} ** {}", (a, b), broadcast(a.shape, b.shape), SIGN, (ATOM, SIGN))


def quotient(a: Any, b: Any) -> Expression:
    a, b = piece(a), piece(b)
    if a.is_negative:
        return -quotient(-a, b)
    return Expression("{} / {}", (a, b), broadcast(a.shape, b.shape), PRODUCT, (PRODUCT, PRODUCT + 1))


def total(terms: Sequence[Expression]) -> Expression:
    """The terms' sum; one without a minus sign comes first, if there is one."""
    first = next((i for i, term in enumerate(terms) if not term.is_negative), 0)
    ordered = [terms[first], *terms[:first], *terms[first + 1 :]]
    if len(ordered) == 1:
        return ordered[0]
    form, operands = "{}", [ordered[0]]
    for term in ordered[1:]:
        form += " - {}" if term.is_negative else " + {}"
        operands.append(-term if term.is_negative else term)
    shape = broadcast(*[term.shape for term in ordered])
    return Expression(form, operands, shape, SUM, (SUM, *[SUM + 1] * (len(ordered) - 1)))


def _is_sign(x: Any) -> bool:
    return not isinstance(x, Expression) and abs(x) == 1


def _product(a: Expression, b: Expression) -> Expression:
    if a.is_negative != b.is_negative:
        return -_product(-a, b) if a.is_negative else -_product(a, -b)
    return _binary("*", a, b, PRODUCT)


def _binary(operator: str, a: Any, b: Any, level: int) -> Expression:
    a, b = piece(a), piece(b)
    return Expression(f"{{}} {operator} {{}}", (a, b), broadcast(a.shape, b.shape), level, (level, level + 1))


# ---- shapes


def broadcast(*shapes: Shape) -> Shape:
    """The shape of what an elementwise operation makes of arrays of these shapes."""
    found: list[Size] = [1] * max(map(len, shapes), default=0)
    for shape in shapes:
        for k, size in enumerate(shape, len(found) - len(shape)):
            if size != 1:
                if found[k] not in (1, size):
                    raise ValueError(f"expected shapes that broadcast, got {shapes}")
                found[k] = size
    return tuple(found)


def shape_text(shape: Shape) -> str:
    """As Python has it.

    >>> shape_text((16, "N")), shape_text((3,))
    ('(16, N)', '(3,)')
    """
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def filled(x: Expression, shape: Shape) -> Expression:
    """The piece, repeated to this shape where its own is smaller."""
    if x.shape == shape:
        return x
    if x.shape == ():
        return called("np.full", named(shape_text(shape)), x, shape=shape)
    return called("np.broadcast_to", x, named(shape_text(shape)), shape=shape)


# ---- writing them down


def written(x: Expression, names: dict[int, str]) -> str:
    """The text, with names in the place of some pieces, by their id."""
    texts = []
    for operand, floor in zip(x.operands, x.floors, strict=True):
        name = names.get(id(operand))
        text = name or written(operand, names)
        texts.append(f"({text})" if name is None and operand.level < floor else text)
    return x.form.format(*texts)


def shared(x: Expression) -> list[Expression]:
    """The pieces within x that occur in it several times and compute something, operands before users."""
    uses: dict[int, int] = {}
    order: list[Expression] = []

    def visit(piece: Expression) -> None:
        uses[id(piece)] = uses.get(id(piece), 0) + 1
        computes = bool(piece.operands) and (piece.level < ATOM or not piece.form.startswith("{}"))
        if uses[id(piece)] == 1 or not computes:
            for operand in piece.operands:
                visit(operand)
        if uses[id(piece)] == 1 and computes:
            order.append(piece)

    visit(x)
    return [piece for piece in order if uses[id(piece)] > 1]


def function_name(x: Expression) -> str:
    """What to call a piece that gets a name: `max` for np.max(…)."""
    head = x.form.split("(")[0].rpartition(".")[2]
    return head if head.isidentifier() else "part"
