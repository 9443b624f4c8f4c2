"""Dependencies point one way, and the public names are what they say."""

import ast
import builtins
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import autograd
import nn

ROOT = Path(__file__).resolve().parent.parent
# fmt: off
ROOMS = {  # each room, and the project's rooms it may know
    "autograd.namespaces": set(),
    "autograd.primitives": set(),
    "autograd.graph": set(),
    "autograd.micrograd": set(),
    "autograd.structures": set(),
    "autograd.reports": set(),
    "autograd.differences": {"autograd.reports"},
    "autograd.numberlike": {"autograd.primitives"},
    "autograd.algebra": set(),
    "autograd.notation": {"autograd.algebra"},
    "autograd.textbook": {
        "autograd.algebra", "autograd.namespaces", "autograd.notation", "autograd.primitives",
    },
    "autograd.ruletable": {"autograd.namespaces", "autograd.primitives", "autograd.textbook"},
    "autograd.value": {
        "autograd.graph", "autograd.micrograd", "autograd.namespaces", "autograd.numberlike",
        "autograd.primitives",
    },
    "autograd.modes": {"autograd.value"},
    "autograd.checking": {
        "autograd.differences", "autograd.modes", "autograd.numberlike", "autograd.reports",
        "autograd.structures", "autograd.value",
    },
    "autograd.functions": {
        "autograd.checking", "autograd.namespaces", "autograd.numberlike", "autograd.primitives",
        "autograd.value",
    },
    "autograd.transforms": {
        "autograd.graph", "autograd.modes", "autograd.numberlike", "autograd.structures", "autograd.value",
    },
    "autograd.drawing": {
        "autograd.cells", "autograd.graph", "autograd.lifting", "autograd.modes", "autograd.primitives",
        "autograd.reports", "autograd.textbook", "autograd.value",
    },
    "autograd.cells": set(),
    "autograd.expressions": {"autograd.cells", "autograd.primitives", "autograd.value"},
    "autograd.terminal": set(),
    "autograd.__main__": {"autograd", "autograd.cells", "autograd.expressions", "autograd.terminal"},
    "autograd.lifting": {
        "autograd.graph", "autograd.modes", "autograd.namespaces", "autograd.numberlike",
        "autograd.primitives", "autograd.value",
    },
    "nn.checks": set(),
    "nn.initializers": {"nn.checks"},
    "nn.formulas": set(),
    "nn.normalization": set(),
    "nn.buffers": {"nn.formulas"},
    "nn.twins": {"nn.engines", "nn.formulas", "nn.layers"},
    "nn.objectives": {"nn.formulas"},
    "nn.dropout": {"nn.checks"},
    "nn.hidden": {"nn.checks"},
    "nn.caches": {"nn.buffers", "nn.checks", "nn.parameters"},
    "nn.passes": {
        "nn.buffers", "nn.checks", "nn.dropout", "nn.formulas", "nn.hidden", "nn.normalization",
        "nn.objectives", "nn.parameters", "nn.penalties",
    },
    "nn.rounding": {
        "nn.dropout", "nn.formulas", "nn.normalization", "nn.objectives", "nn.parameters", "nn.penalties",
    },
    "nn.callbacks": set(),
    "nn.batches": set(),
    "nn.progress": {"nn.callbacks"},
    "nn.early_stopping": {"nn.checks"},
    "nn.metrics": {"nn.checks", "nn.history"},
    "nn.settings": {
        "nn.callbacks", "nn.checkpoints", "nn.checks", "nn.early_stopping", "nn.metrics", "nn.optimizers",
        "nn.schedules",
    },
    "nn.training_state": {
        "nn.early_stopping", "nn.history", "nn.monitors", "nn.optimizers", "nn.schedules",
    },
    "nn.archives": {"nn.checks"},
    "nn.checkpoints": {
        "nn.archives", "nn.checks", "nn.early_stopping", "nn.history", "nn.missing", "nn.monitors",
        "nn.optimizers", "nn.parameters", "nn.preparation", "nn.scaling", "nn.schedules", "nn.soundness",
        "nn.training_state",
    },
    "nn.preparation": {"nn.checks", "nn.missing", "nn.scaling"},
    "nn.soundness": {
        "nn.checks", "nn.early_stopping", "nn.history", "nn.schedules", "nn.training_state",
    },
    "nn.resuming": {
        "nn.archives", "nn.checkpoints", "nn.data", "nn.optimizers", "nn.preparation", "nn.settings",
        "nn.soundness", "nn.training_state",
    },
    "nn.training": {
        "nn.batches", "nn.callbacks", "nn.checks", "nn.clipping", "nn.data", "nn.history", "nn.metrics",
        "nn.checkpoints", "nn.monitors", "nn.preparation", "nn.progress", "nn.resuming", "nn.settings",
        "nn.training_state",
    },
    "nn.network_training": {
        "nn.callbacks", "nn.checkpoints", "nn.checks",
        "nn.early_stopping", "nn.history", "nn.metrics", "nn.optimizers", "nn.parameters",
        "nn.passes", "nn.schedules", "nn.settings", "nn.training", "nn.twins",
    },
    "nn.parameters": {"nn.checks"},
    "nn.optimizers": {"nn.checks"},
    "nn.clipping": {"nn.checks"},
    "nn.penalties": {"nn.checks", "nn.parameters"},
    "nn.schedules": {"nn.checks"},
    "nn.scaling": {"nn.checks"},
    "nn.missing": {"nn.checks"},
    "nn.data": {"nn.checks"},
    "nn.toy_sets": {"nn.checks"},
    "nn.history": {"nn.checks"},
    "nn.monitors": {"nn.checks", "nn.history", "nn.parameters"},
    "nn.rate_range": {"nn.batches", "nn.checks", "nn.optimizers"},
    "nn.checking": {"autograd", "nn.checks", "nn.dropout"},
    "nn.network": {
        "nn.caches",
        "nn.checking",
        "nn.checkpoints",
        "nn.checks",
        "nn.dropout",
        "nn.formulas",
        "nn.history",
        "nn.initializers",
        "nn.layers",
        "nn.missing",
        "nn.network_training",
        "nn.twins",
        "nn.objectives",
        "nn.parameters",
        "nn.passes",
        "nn.penalties",
        "nn.preparation",
        "nn.scaling",
        "nn.training",
    },
    "nn.modules": {"autograd", "nn.checks", "nn.dropout", "nn.normalization"},
    "nn.layers": {"autograd", "nn.checks", "nn.dropout", "nn.hidden", "nn.initializers", "nn.modules"},
    "nn.losses": {"autograd", "nn.checks"},
    "nn.engines": {"autograd", "nn.checks", "nn.dropout", "nn.layers", "nn.losses", "nn.penalties"},
    "nn.witnesses": {
        "nn.checks", "nn.dropout", "nn.engines", "nn.layers", "nn.losses", "nn.network", "nn.penalties",
    },
    "nn.mlp_training": {
        "autograd", "nn.checking", "nn.checkpoints", "nn.checks", "nn.dropout", "nn.engines", "nn.history",
        "nn.layers", "nn.missing", "nn.network", "nn.scaling", "nn.schedules", "nn.twins", "nn.witnesses",
    },
    "nn.comparing": {
        "autograd", "nn.checks", "nn.dropout", "nn.engines", "nn.layers", "nn.network", "nn.rounding",
        "nn.witnesses",
    },
    "nn.diagnosing": {
        "nn.checks", "nn.dropout", "nn.formulas", "nn.network", "nn.normalization", "nn.objectives",
        "nn.parameters", "nn.passes", "nn.penalties", "nn.rounding",
    },
    "nn.plots": {
        "nn.checks", "nn.history", "nn.metrics", "nn.mlp_training", "nn.network", "nn.rate_range",
    },
}
# fmt: on


def modules() -> dict[str, Path]:
    found = {}
    for package in ("autograd", "nn"):
        for path in (ROOT / package).rglob("*.py"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


def room(module: str) -> str:
    package = ".".join(module.split(".")[:2])  # a package of several files is one room
    return package if package in ROOMS else module


def imports(path: Path) -> set[str]:
    """The project's modules that a file imports, at its top or within a function."""
    known, found = set(modules()), set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:  # `from package import module` knows the module, not the package
                whole = f"{node.module}.{alias.name}"
                found.add(whole if whole in known else node.module)
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
    return found & known


@pytest.mark.parametrize("module", sorted(set(modules()) - {"autograd", "nn"}))
def test_each_room_knows_only_the_rooms_it_may(module):
    allowed = ROOMS[room(module)]
    for imported in imports(modules()[module]):
        assert room(imported) == room(module) or imported in allowed or room(imported) in allowed, imported


def test_the_arrows_between_rooms_make_no_cycle():
    levels: dict[str, int] = {}
    while len(levels) < len(ROOMS):
        ready = [
            name
            for name, known in ROOMS.items()
            if name not in levels and known - {"autograd"} <= set(levels)
        ]
        assert ready, f"a cycle among {sorted(set(ROOMS) - set(levels))}"
        levels.update(dict.fromkeys(ready, len(levels)))


def test_only_plots_imports_matplotlib():
    for module, path in modules().items():
        if module != "nn.plots":
            assert "matplotlib" not in path.read_text(encoding="utf-8"), module


@pytest.mark.parametrize("package", [autograd, nn], ids=lambda p: p.__name__)
def test_exported_names_exist_are_sorted_and_documented(package):
    assert len(set(package.__all__)) == len(package.__all__)
    for name in package.__all__:
        assert getattr(package, name).__doc__, name


@pytest.mark.parametrize("package", [autograd, nn], ids=lambda p: p.__name__)
def test_a_star_import_leaves_pythons_own_names_alone(package):
    assert not set(package.__all__) & set(dir(builtins))


def test_sum_is_public_all_the_same():
    assert autograd.sum([autograd.Value(1.0), 2.0]).data == 3.0


def test_importing_pulls_in_nothing_heavy():
    heavy = ("matplotlib", "sklearn", "graphviz", "scipy")
    program = f"import sys, autograd, nn; print([m for m in {heavy} if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_every_benchmark_can_be_imported_without_the_peers():
    peers = ("torch", "jax", "micrograd", "casadi")  # pytest, which looks for doctests, imports every file
    names = [f"tests.benchmarks.{path.stem}" for path in (ROOT / "tests" / "benchmarks").glob("*.py")]
    program = (
        f"import importlib, sys; sys.modules.update(dict.fromkeys({peers})); "
        f"[importlib.import_module(name) for name in {names}]"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert names
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("left", ["autograd.py", "autograd"], ids=["another package", "what is left of one"])
def test_nn_refuses_another_package_called_autograd(left, tmp_path):
    if left.endswith(".py"):
        (tmp_path / left).write_text("grad = None\n")
    else:
        (tmp_path / left).mkdir()
    (tmp_path / "nn").mkdir()
    shutil.copy(ROOT / "nn" / "__init__.py", tmp_path / "nn")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import nn"
    result = subprocess.run(  # -I -S: beside these two only the standard library
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False
    )
    assert result.returncode != 0
    message = result.stderr.strip().splitlines()[-1]
    assert f"imports another one from {tmp_path / left}." in message
    assert "pip uninstall autograd; then, in liftgrad's folder, pip install --force-reinstall" in message
