"""How much of a thing the suite does, and how much the fuzz profile."""

from hypothesis import settings


def amount(suite: int, fuzz: int) -> int:
    """`fuzz` under `pytest --hypothesis-profile=fuzz`, else `suite`."""
    return fuzz if settings().max_examples > 1000 else suite
