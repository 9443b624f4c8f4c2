"""Hypothesis runs the same examples every time; `make fuzz` asks for many more."""

import gc

from hypothesis import HealthCheck, settings

settings.register_profile(
    "suite", derandomize=True, max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "fuzz", parent=settings.get_profile("suite"), derandomize=False, max_examples=10_000
)
settings.load_profile("suite")


def pytest_collection_finish() -> None:
    """What was collected stays to the end: the collector need not walk it again and again."""
    gc.collect()
    gc.freeze()
