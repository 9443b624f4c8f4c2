"""What long runs rely on: memory that comes back, small nodes, equal bits in every process."""

import os
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autograd import Value

ROOT = Path(__file__).resolve().parent.parent
STATM = Path("/proc/self/statm")


def run(program: str, **environment: str) -> str:
    """What a Python process of its own prints."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", **environment}  # no threads to start
    command = [sys.executable, "-c", program]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()


# ---- memory

TRAINING = """
import gc, os
import numpy as np
from autograd import Value
from nn import MLP

def resident():
    with open("/proc/self/statm") as numbers:
        return int(numbers.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def train(steps):
    for _ in range(steps):
        losses = [(model(x) - y) ** 2 for x, y in samples]
        loss = sum(losses) * (1 / len(losses))
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= 0.05 * p.grad
        LEAK

gc.disable()
model = MLP(2, [4, 4, 1], activation="tanh", rng=np.random.default_rng(0))
samples = [((0.5, -1.0), 1.0), ((-0.25, 2.0), -1.0)]
train(200)  # fills the allocator's pools, which then stay
before = resident()
train(10_000)
print(resident() - before)
"""


@pytest.mark.skipif(
    not STATM.exists(), reason="resident memory is read from /proc/self/statm, which is not here"
)
def test_10_000_steps_of_training_without_the_collector_grow_memory_by_less_than_a_megabyte():
    assert int(run(TRAINING.replace("LEAK", ""))) < 1_000_000


@pytest.mark.skipif(
    not STATM.exists(), reason="resident memory is read from /proc/self/statm, which is not here"
)
def test_a_planted_reference_cycle_would_be_seen():
    assert int(run(TRAINING.replace("LEAK", "cycle = [loss]; cycle.append(cycle)"))) > 5_000_000


def test_a_two_operand_node_takes_at_most_300_bytes():
    count, y, w = 10_000, Value(0.5), Value(1.5)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(count):
            y = y * w + w  # two nodes, each with its own data and partial derivatives
        y.backward()  # and its own gradient
        bytes_a_node = (tracemalloc.get_traced_memory()[0] - before) / (2 * count)
    finally:
        tracemalloc.stop()
    # at least the object and its number: what is measured is there
    assert sys.getsizeof(y) + sys.getsizeof(y.data) <= bytes_a_node <= 300


# ---- determinism

# The engine alone: NumPy, which it asks only what is an array, and the package's other rooms would take three
# quarters of a process's time.
ENGINE = """
import sys, types
package, numpy = types.ModuleType("autograd"), types.ModuleType("numpy")
package.__path__ = ["autograd"]
numpy.__getattr__ = lambda name: type(name, (), {})
sys.modules.update(autograd=package, numpy=numpy)

from autograd.primitives import PRIMITIVES
from autograd.value import Value, record

a, b, c = Value(0.1), Value(0.7), Value(-1.3)
x = a
for i in range(50):
    x = (x * b + record(PRIMITIVES["dot"], a, x, c, b, x) / 3).tanh()
    x = x + record(PRIMITIVES["sum"], x, a, x * c)
x.backward()
print(*(v.grad.hex() for v in (a, b, c)))
"""

PACKAGE = """
import autograd
from autograd import Value, grad

def f(p):
    return autograd.logsumexp([x * p["one"] for x in p.values()]) * p["two"].exp()

print(*(v.hex() for v in grad(f)({"one": 0.1, "two": 0.7, "three": -1.3}).values()))
a, b = Value(0.1), Value(0.7)
((a * b).tanh() * (a / b + a)).backward(create_graph=True)
second, a.grad, b.grad = a.grad, 0.0, 0.0
second.backward()
print(a.grad.hex(), b.grad.hex())
"""


@pytest.mark.parametrize(("program", "processes", "numbers"), [(ENGINE, 100, 3), (PACKAGE, 5, 5)])
def test_gradients_have_equal_bits_in_processes_with_different_hash_seeds(program, processes, numbers):
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outputs = list(pool.map(lambda seed: run(program, PYTHONHASHSEED=str(seed)), range(processes)))
    assert len(outputs) == processes
    assert len(set(outputs)) == 1
    assert len(outputs[0].split()) == numbers


def test_the_seeds_do_change_the_order_of_sets():
    orders = {run("print(*set('abcdefgh'))", PYTHONHASHSEED=str(seed)) for seed in range(5)}
    assert len(orders) > 1


# ---- threads


def test_threads_with_graphs_of_their_own_are_independent():
    def gradients(seed: float) -> list[str]:
        found = []
        for i in range(50):
            a, b = Value(seed + i), Value(0.5)
            x = a
            for _ in range(50):
                x = (x * b + a).tanh() - a / (x * x + 1)
            x.backward()
            found += [a.grad.hex(), b.grad.hex()]
        return found

    seeds = [0.1, 0.2, 0.3, 0.4]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # threads take turns within a sweep
    try:
        with ThreadPoolExecutor(len(seeds)) as pool:
            together = list(pool.map(gradients, seeds))
    finally:
        sys.setswitchinterval(interval)
    assert together == [gradients(seed) for seed in seeds]
