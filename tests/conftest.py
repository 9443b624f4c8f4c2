"""Hypothesis runs the same examples every time; `make fuzz` asks for many more."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "suite", derandomize=True, max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "fuzz", parent=settings.get_profile("suite"), derandomize=False, max_examples=10_000
)
settings.load_profile("suite")
