"""Schedules against PyTorch's schedulers and arithmetic by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.schedules import (
    PlateauState,
    ReduceOnPlateau,
    constant,
    cosine,
    exponential,
    linear_warmup,
    one_cycle,
    resolve,
    step_decay,
)

STEPS = 30
# PyTorch's schedulers work from one step's rate to the next: a rounding or two a step
ROUNDING = 1e-14


def torch_rates(scheduler, rate):
    """The rate PyTorch would use for each of STEPS steps."""
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)
    schedule = scheduler(torch.optim.lr_scheduler, optimizer)
    rates = []
    for _ in range(STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return rates


PAIRS = {
    "constant": (constant(0.3), lambda s, o: s.ConstantLR(o, factor=1.0)),
    "step": (step_decay(0.3, every=7, factor=0.4), lambda s, o: s.StepLR(o, step_size=7, gamma=0.4)),
    "exponential": (exponential(0.3, factor=0.9), lambda s, o: s.ExponentialLR(o, gamma=0.9)),
    "cosine": (cosine(0.3, steps=29), lambda s, o: s.CosineAnnealingLR(o, T_max=29)),
    "cosine to 0.1": (
        cosine(0.3, steps=29, final=0.1),
        lambda s, o: s.CosineAnnealingLR(o, T_max=29, eta_min=0.1),
    ),
    "warm-up": (
        linear_warmup(0.3, steps=9, start=0.2),
        lambda s, o: s.LinearLR(o, start_factor=0.2, total_iters=9),
    ),
    "warm-up, then exponential": (
        linear_warmup(exponential(0.3, factor=0.9), steps=9, start=0.2),
        lambda s, o: s.SequentialLR(
            o,
            [s.LinearLR(o, start_factor=0.2, total_iters=9), s.ExponentialLR(o, gamma=0.9)],
            milestones=[9],
        ),
    ),
    "one-cycle": (
        one_cycle(0.3, steps=30),
        lambda s, o: s.OneCycleLR(o, max_lr=0.3, total_steps=30, cycle_momentum=False),
    ),
    "one-cycle, peak between steps": (
        one_cycle(0.3, steps=30, rising=0.45, start=0.1, final=0.1 / 50),
        lambda s, o: s.OneCycleLR(
            o, 0.3, total_steps=30, pct_start=0.45, div_factor=10, final_div_factor=50, cycle_momentum=False
        ),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_rates_are_those_of_pytorch_s_scheduler(name):
    ours, theirs = PAIRS[name]
    # the cosine at its end is a difference of nearly equal numbers: relative to the rate, not to itself
    assert [ours(k) for k in range(STEPS)] == pytest.approx(torch_rates(theirs, 0.3), rel=0, abs=ROUNDING)


def test_rates_worked_by_hand():
    assert [constant(2)(k) for k in (0, 10**9)] == [2.0, 2.0]
    assert [step_decay(1.0, every=3, factor=0.25)(k) for k in (0, 2, 3, 6)] == [1.0, 1.0, 0.25, 0.0625]
    assert [exponential(8.0, factor=0.5)(k) for k in (0, 3)] == [8.0, 1.0]
    # cos of 0, 60, 90 and 120 degrees: 1, 1/2, 0, -1/2
    expected = pytest.approx([1.0, 0.75, 0.5, 0.25], rel=1e-15)
    assert [cosine(1.0, steps=6)(k) for k in (0, 2, 3, 4)] == expected
    # a fifth, then 1/5 + 4/5 · k/4
    assert [linear_warmup(1.0, steps=4, start=0.2)(k) for k in (0, 1, 4)] == pytest.approx([0.2, 0.4, 1.0])
    # up from 0.1 to 1 by step 2, half way at 1; down to 0.01 by step 5, half way at 3.5, 60° at 3
    cycle = one_cycle(1.0, steps=6, rising=0.5, start=0.1, final=0.01)
    assert [cycle(k) for k in (0, 1, 2, 3, 5)] == pytest.approx([0.1, 0.55, 1.0, 0.01 + 0.99 * 0.75, 0.01])


@pytest.mark.parametrize(
    ("schedule", "end"),
    [
        (cosine(1.0, steps=5), 0.0),
        (cosine(1.0, steps=5, final=0.2), 0.2),
        (one_cycle(1.0, steps=5, final=0.01), 0.01),
        (linear_warmup(cosine(1.0, steps=3, final=0.2), steps=2), 0.2),
    ],
)
def test_past_its_last_step_a_schedule_stays_where_it_ended(schedule, end):
    assert [schedule(k) for k in (5, 6, 1000)] == pytest.approx([end] * 3, rel=1e-15, abs=0)


@given(st.integers(2, 50), st.floats(0.01, 0.99))
def test_one_cycle_climbs_and_falls_within_its_bounds(steps, rising):
    rates = [one_cycle(1.0, steps, rising)(k) for k in range(steps)]
    top = rates.index(max(rates))
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert 0 < min(rates) <= max(rates) <= 1.0


def test_a_number_is_resolved_to_itself_and_so_is_a_schedule():
    schedule = cosine(1.0, steps=3)
    assert resolve(schedule) is schedule
    assert resolve(0.5)(3) == 0.5


# ---- reduce on plateau

LOSSES = [3.0, 2.0, 1.9999, 1.9, 1.95, math.nan, 1.9, 1.9, 1.95, 1.0, 1.2, 1.3, 1.1, 1.0, *[0.9] * 20]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"patience": 0, "factor": 0.5},
        {"patience": 2, "factor": 0.3, "threshold": 0.1},
        {"patience": 1, "cooldown": 3},
        {"patience": 0, "cooldown": 1, "minimum": 0.01},
        {"patience": 0, "minimum": 5.0},
    ],
    ids=str,
)
def test_plateaus_are_those_of_pytorch(settings):
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = {("min_lr" if name == "minimum" else name): value for name, value in settings.items()}
    peer = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, eps=0.0, **theirs)
    plateau = ReduceOnPlateau(**settings)
    state = plateau.init(1.0)
    for loss in LOSSES:
        state = plateau(state, loss)
        peer.step(loss)
        assert state.rate == optimizer.param_groups[0]["lr"]


def test_the_rate_falls_when_patience_ends_and_rests_in_the_cooldown():
    plateau = ReduceOnPlateau(factor=0.5, patience=1, cooldown=2)
    state, rates = plateau.init(8.0), []
    for loss in [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]:    # best, 1st, 2nd: halve; two rest; 1st, 2nd: halve
        state = plateau(state, loss)
        rates.append(state.rate)
    assert rates == [8.0, 8.0, 4.0, 4.0, 4.0, 4.0, 2.0]


def test_the_rate_stops_at_the_minimum_and_is_never_raised_to_it():
    plateau = ReduceOnPlateau(factor=0.5, patience=0, minimum=0.3)
    for start, end in ((1.0, 0.3), (0.2, 0.2)):
        state = plateau.init(start)
        for _ in range(5):
            state = plateau(state, 1.0)
        assert state.rate == end


def test_a_loss_below_0_improves_by_falling():
    plateau = ReduceOnPlateau(factor=0.5, patience=0, threshold=0.1)
    state = plateau(plateau.init(1.0), -10.0)
    assert plateau(state, -11.5).rate == 1.0
    assert plateau(state, -10.5).rate == 0.5        # not a tenth of the best


def test_nan_is_no_improvement():
    plateau = ReduceOnPlateau(patience=0)
    state = plateau(plateau.init(1.0), math.nan)
    assert state.best == math.inf
    assert state.rate == 0.1


def test_a_state_is_plain_numbers_and_is_not_changed():
    plateau = ReduceOnPlateau(factor=0.5, patience=0)
    state = plateau(plateau.init(1.0), 1.0)
    before = tuple(state)
    assert plateau(state, 2.0) == plateau(PlateauState(*before), 2.0)
    assert tuple(state) == before


# ---- misuse


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, math.inf])
def test_a_rate_that_is_not_above_0_is_refused(rate):
    makers = [
        constant,
        lambda r: step_decay(r, every=2),
        lambda r: exponential(r, 0.9),
        lambda r: cosine(r, 3),
        lambda r: linear_warmup(r, 3),
        lambda r: one_cycle(r, 3),
        resolve,
        ReduceOnPlateau().init,
    ]
    for make in makers:
        with pytest.raises(ValueError, match="expected a finite number above 0, got"):
            make(rate)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: step_decay(1.0, every=0), "every: expected a whole number of at least 1"),
        (lambda: step_decay(1.0, every=1, factor=1.0), "factor: expected a number above 0 and below 1"),
        (lambda: exponential(1.0, factor=1.1), "factor: expected a number above 0 and below 1"),
        (lambda: cosine(1.0, steps=0), "steps: expected a whole number of at least 1"),
        (lambda: cosine(1.0, steps=3, final=-0.1), "final: expected a finite number of at least 0"),
        (lambda: linear_warmup(1.0, steps=3, start=0.0), "start: expected a number above 0 and below 1"),
        (lambda: one_cycle(1.0, steps=1), "steps: expected a whole number of at least 2"),
        (lambda: one_cycle(1.0, steps=9, rising=1.0), "rising: expected a number above 0 and below 1"),
        (lambda: one_cycle(1.0, steps=9, final=0.0), "final: expected a number above 0 and below 1"),
        (lambda: ReduceOnPlateau(factor=1.0), "factor: expected a number above 0 and below 1"),
        (lambda: ReduceOnPlateau(patience=-1), "patience: expected a whole number of at least 0"),
        (lambda: ReduceOnPlateau(threshold=1.0), r"threshold: expected a number in \[0, 1\)"),
        (lambda: ReduceOnPlateau(cooldown=-1), "cooldown: expected a whole number of at least 0"),
        (lambda: ReduceOnPlateau(minimum=-1.0), "minimum: expected a finite number of at least 0"),
    ],
)
def test_a_setting_out_of_range_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
