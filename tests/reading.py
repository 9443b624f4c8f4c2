"""Formulas in the textbook's notation, read back as Python: independent of what printed them."""

import math
import re

FUNCTIONS = {name: getattr(math, name) for name in (
    "exp", "log", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh",
    "asinh", "acosh", "atanh", "erf", "erfc", "cbrt", "sqrt", "atan2", "pi",
)} | {"abs": abs, "max": max, "min": min, "sign": lambda x: (x > 0) - (x < 0)}  # fmt: skip

_SIGNS = str.maketrans({
    "·": "*", "−": "-", "^": "**", "≤": "<=", "≥": ">=", "≠": "!=", "=": "==", "π": "pi",
    **{digit: str(i) for digits in ("⁰¹²³⁴⁵⁶⁷⁸⁹", "₀₁₂₃₄₅₆₇₈₉") for i, digit in enumerate(digits)},
})  # fmt: skip


def read(text: str) -> str:
    """The formula as Python source."""
    text = re.sub(r"\|([^|]*)\|", r"abs(\1)", text)
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹]+", r"^\g<0>", text)
    text = text.replace("√", "sqrt ").replace("∛", "cbrt ").translate(_SIGNS)
    text = re.sub(r"\b(sqrt|cbrt) \(", r"\1(", text)
    names = "|".join(sorted(FUNCTIONS, key=len, reverse=True))
    text = re.sub(rf"\b({names}) (\w+)", r"\1(\2)", text)  # log x
    text = text.replace(", else ", " else ")
    return re.sub(r" if ((?:(?! else )[^,])*), ", r" if \1 else ", text)  # a if c, b if d else e


def evaluate(text: str, **names: object) -> object:
    return eval(read(text), FUNCTIONS | {name.translate(_SIGNS): x for name, x in names.items()})
