"""An MLP of Values in use: trained, checked, saved and loaded as a NeuralNetwork is.

The rules of all that are the network's, and its options stand there alone: a network of the same settings
is trained by the gradients of the MLP's own Values, and its numbers are copied back. Knows both kinds of
network, the engines of an MLP, and what they are asked for. MLP stands below all these and cannot know them:
at the end of this file its methods are put in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nn import checking, checks, twins
from nn.checkpoints import PathLike
from nn.dropout import Masks
from nn.engines import LiftedEngine, ModelEngine, ScalarEngine
from nn.history import TrainingHistory
from nn.layers import MLP
from nn.missing import Imputer
from nn.network import NeuralNetwork
from nn.scaling import Scaler
from nn.schedules import Schedule
from nn.witnesses import name_of, objective_of

if TYPE_CHECKING:
    from autograd import GradientReport

__all__ = ["MLP", "rows"]      # MLP is to be had from here, with its methods

Array = npt.NDArray[np.float64]

ENGINES: Mapping[str, type[ModelEngine]] = {"lifted": LiftedEngine, "scalar": ScalarEngine}
OF_NETWORK = ("validation", "metrics", "monitor", "checkpoint")     # asked of the network, not of the engine
OBJECTIVE = ("loss", "reduction", "l1", "l2", "penalise_biases")    # what a network has, and an MLP has not


def train(
    model: MLP,
    xs: Any,
    ys: Any,
    learning_rate: float | Schedule | None = None,
    epochs: int = 1000,
    *,
    loss: str = "mean_squared_error",
    reduction: str = "mean",
    l1: float = 0.0,
    l2: float = 0.0,
    penalise_biases: bool = False,
    engine: str | None = None,
    validation: Any = None,
    **options: Any,
) -> TrainingHistory:
    """Train on samples xs, one a row, and targets ys; returns each epoch's loss, and what else was kept.

    xs          (N, inputs) numbers: a list of samples or an array
    ys          (N, outputs), or (N,) where there is one output, or classes (N,) for the cross-entropy
    loss        and the other four are those of NeuralNetwork
    engine      "lifted": the gradients are those of the program lifted from the Values; "scalar": of a sweep
                over them, slowly. The numbers are the same but for rounding. None: lifted, but scalar for a
                subclass, whose branches a program would freeze
    validation  a share of the samples, or (xs, ys)
    options     all others are NeuralNetwork.train's. Metrics of one's own get arrays as there, a column a
                sample; checkpoints are a NeuralNetwork's, which MLP.load reads, too

    The Values get their numbers at the end, also after Ctrl-C or an error: then those of the last finite
    step. `history` is that of the last training.

    Raises TypeError for a subclass with the lifted engine, or with what the NeuralNetwork of its settings
    would answer for it: validation, metrics, monitor, checkpoint.

    >>> model = MLP(2, [8, 1], "tanh", "sigmoid", rng=np.random.default_rng(0))
    >>> xs, ys = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> history = model.train(xs, ys, epochs=100, loss="binary_cross_entropy", progress=False)
    >>> [round(y.data) for y in model(xs)]
    [0, 1, 1, 0]
    """
    kind = _engine_for(model, engine)
    if not _is_plain(model):
        _refuse_of_subclass(model, {"validation": validation, **options})
    network = NeuralNetwork.from_mlp(
        model, loss, reduction=reduction, l1=l1, l2=l2, penalise_biases=penalise_biases
    )
    x, y = _columns(model, xs, ys, loss)
    if isinstance(validation, tuple) and len(validation) == 2:
        validation = _columns(model, *validation, loss)
    guide = objective_of((network, None), None).engine(kind, model)
    try:
        return network.train(x, y, learning_rate, epochs, engine=guide, validation=validation, **options)
    finally:
        if network.history is not None:     # it has begun
            _take_over(network, model)


def check_gradients(
    model: MLP,
    xs: Any,
    ys: Any,
    *,
    loss: str = "mean_squared_error",
    reduction: str = "mean",
    l1: float = 0.0,
    l2: float = 0.0,
    penalise_biases: bool = False,
    weights: npt.ArrayLike | None = None,
    masks: Masks | None = None,
    tolerance: float = checking.TOLERANCE,
    sample: int | None = None,
    rng: np.random.Generator | None = None,
) -> GradientReport:
    """Compare each layer's gradients, of one sweep over the Values, with central differences of the loss.

    xs, ys and the loss as in `train`, weights and what follows as in NeuralNetwork.check_gradients. The
    differences are of the lifted program's loss, which is quick; for a subclass, whose branches a program
    would freeze, of the Values' own.

    >>> model = MLP(2, [3, 1], "tanh", rng=np.random.default_rng(0))
    >>> model.check_gradients([[0.0, 1.0], [1.0, 1.0]], [1.0, 0.0]).ok
    True
    """
    network = NeuralNetwork.from_mlp(
        model, loss, reduction=reduction, l1=l1, l2=l2, penalise_biases=penalise_biases
    )
    x, y = _columns(model, xs, ys, loss)
    make = objective_of((network, None), None).engine
    swept, theta = make(ScalarEngine, model), network.parameters
    quick = make(LiftedEngine, model) if _is_plain(model) else swept
    _, gradient = swept.loss_and_gradient(theta, x, y, weights=weights, masks=masks)

    def value(parameters: Array) -> float:
        return quick.loss_and_gradient(parameters, x, y, weights=weights, masks=masks)[0]

    settings = checking.Settings(tolerance, sample, rng)
    return checking.report(name_of(model), value, theta, gradient, network, settings)


def save(model: MLP, path: PathLike, scaler: Scaler | None = None, imputer: Imputer | None = None) -> None:
    """Write the MLP, its history and what x went through to one .npz file, as its NeuralNetwork would.

    Raises TypeError for a subclass: the file would say nothing of what it does otherwise.
    """
    _expect_plain("save", type(model))
    network = NeuralNetwork.from_mlp(model, **model.objective)
    network.history = model.history
    network.save(path, scaler, imputer)


def load(cls: type[MLP], path: PathLike) -> MLP:
    """The MLP that `save`, a training or a NeuralNetwork put there; CheckpointError where it is none.

    Raises TypeError for a subclass, of which a file says nothing.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     MLP(2, [3, 1], "tanh").save(f"{folder}/model.npz")
    ...     MLP.load(f"{folder}/model.npz")
    MLP(2, [3, 1], activation='tanh', output='linear'), 13 parameters
    """
    _expect_plain("load", cls)
    network = NeuralNetwork.load(path)
    model = network.to_mlp()
    _take_over(network, model)
    return model


def _is_plain(model: MLP) -> bool:
    """Whether it computes what an MLP does: a subclass may have a pass of its own."""
    return type(model) is MLP


def _engine_for(model: MLP, name: str | None) -> type[ModelEngine]:
    plain = _is_plain(model)
    if name is None:
        name = "lifted" if plain else "scalar"
    if checks.one_of("engine", name, ENGINES) == "lifted" and not plain:
        raise TypeError(
            f"engine: a lifted program would freeze what a {type(model).__name__} decides; expected 'scalar'"
        )
    return ENGINES[name]


def _refuse_of_subclass(model: MLP, options: Mapping[str, Any]) -> None:
    for name in OF_NETWORK:
        if options.get(name) not in (None, False):
            raise TypeError(
                f"{name}: the NeuralNetwork of the same settings would answer for it, and a "
                f"{type(model).__name__} may compute something else; leave it out, and look at the outputs "
                "of its own call in on_epoch"
            )


def _expect_plain(action: str, kind: type[MLP]) -> None:
    if kind is not MLP:
        raise TypeError(
            f"{action}: expected an MLP itself, got {kind.__name__}: a file says nothing of what a subclass "
            "does otherwise. NeuralNetwork.from_mlp(model).save(path) keeps the numbers"
        )


def _take_over(network: NeuralNetwork, model: MLP) -> None:
    """Give a model what its network has come to."""
    twins.copy_back(network, model)
    if network.history is not None:
        model.history = network.history
    architecture = network.architecture()
    model.objective = {name: architecture[name] for name in OBJECTIVE}


def _columns(model: MLP, xs: Any, ys: Any, loss: str) -> tuple[Array, Array]:
    """Samples and targets, rows that are checked, as a network's columns."""
    inputs, outputs = model.sizes[0], model.sizes[-1]
    x = rows("xs", xs, inputs)
    found = checks.class_targets("ys", ys, outputs, loss)
    if found is ys:
        classes = " or classes (N,)" if loss == "cross_entropy" else ""
        y = checks.real_array("ys", ys, f"(N, {outputs})")
        y = rows("ys", y[:, np.newaxis] if y.ndim == outputs == 1 else y, outputs, classes)
    else:                               # they were classes
        y = np.asarray(found).T
    if len(y) != len(x):
        raise ValueError(f"ys: expected {len(x)} targets, one for each sample, got {len(y)}")
    return x.T, checks.targets("ys", y, loss, axis=1).T


def rows(name: str, value: Any, width: int, instead: str = "") -> Array:
    """`value` as a (N, width) array of finite numbers, one row a sample, N at least 1; `instead`: or what."""
    table = checks.real_array(name, value, f"(N, {width})")
    if table.ndim != 2 or table.shape[1] != width or len(table) == 0:
        raise ValueError(
            f"{name}: expected shape (N, {width}) with N >= 1, one row a sample{instead}, got {table.shape}"
        )
    return checks.finite(name, table)


MLP.train, MLP.check_gradients, MLP.save = train, check_gradients, save
MLP.load = classmethod(load)  # type: ignore[assignment]
