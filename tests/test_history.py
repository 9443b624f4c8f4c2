"""What is recorded comes back, by name, through a file too; a record that does not fit is refused."""

import io
import math

import numpy as np
import pytest

from nn.history import History


def recorded(records):
    history = History()
    for k in range(records):
        history.record(10 * k, loss=1.0 / (k + 1), gradient_norms=[k, -k])
    return history


@pytest.mark.parametrize("records", [1, 16, 17, 100])
def test_quantities_come_back_by_name(records):
    history = recorded(records)
    assert len(history) == records
    assert history.names == ["step", "loss", "gradient_norms"]
    assert history["step"].tolist() == [10 * k for k in range(records)]
    assert history["loss"].tolist() == [1.0 / (k + 1) for k in range(records)]
    assert history["gradient_norms"].tolist() == [[k, -k] for k in range(records)]


def test_nan_and_inf_are_part_of_history():
    history = History()
    history.record(0, loss=math.nan)
    history.record(1, loss=math.inf)
    np.testing.assert_array_equal(history["loss"], [math.nan, math.inf])


def test_what_was_recorded_cannot_be_changed():
    history, norms = History(), np.array([1.0])
    history.record(0, norms=norms)
    norms[0] = 5.0
    assert history["norms"].tolist() == [[1.0]]
    with pytest.raises(ValueError, match="read-only"):
        history["norms"][0] = 5.0


def test_a_history_saved_as_arrays_goes_on_where_it_was():
    history, file = recorded(20), io.BytesIO()
    np.savez(file, **history.to_arrays())
    file.seek(0)
    with np.load(file) as arrays:
        loaded = History.from_arrays(arrays)
    for each in (history, loaded):
        each.record(200, loss=0.0, gradient_norms=[0, 0])
    assert loaded.names == history.names
    for name in history.names:
        np.testing.assert_array_equal(loaded[name], history[name])


def test_an_empty_history_saves_and_loads():
    assert len(History.from_arrays(History().to_arrays())) == 0


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"step": 10, "loss": 1.0, "gradient_norms": [1, 2]}, "step: expected one after 10, .* got 10"),
        ({"step": -1}, "step: expected a whole number of at least 0, got -1"),
        ({"step": 20, "loss": 1.0}, "expected step, loss, gradient_norms, as recorded before; got step,"),
        (
            {"step": 20, "loss": [1.0], "gradient_norms": [1, 2]},
            r"loss: expected shape \(\), as before, got \(1,\)",
        ),
        ({"step": 20, "loss": [[1.0]]}, r"loss: expected a number or a vector, got shape \(1, 1\)"),
    ],
)
def test_a_record_that_does_not_fit_is_refused_and_leaves_no_trace(record, message):
    history = recorded(2)
    with pytest.raises(ValueError, match=message):
        history.record(**record)
    assert [len(history[name]) for name in history.names] == [2, 2, 2]


def test_text_is_no_quantity():
    with pytest.raises(TypeError, match="loss: expected an array of real numbers"):
        History().record(0, loss="0.5")


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(KeyError, match="history holds step, loss, gradient_norms; got 'accuracy'"):
        recorded(1)["accuracy"]
    with pytest.raises(KeyError, match="history holds nothing yet; got 'loss'"):
        History()["loss"]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"loss": [1.0]}, r"expected arrays of one length, step among them, got loss \(1,\)"),
        ({"step": [0.0, 1.0], "loss": [1.0]}, r"step \(2,\), loss \(1,\)"),
        ({"step": 0.0, "loss": 1.0}, r"step \(\), loss \(\)"),
        ({"step": [1.0, 0.0]}, "step: expected one after 1, the last recorded, got 0"),
        ({"step": [-1.0]}, "step: expected a whole number of at least 0, got -1"),
    ],
)
def test_arrays_that_no_history_gave_are_refused(arrays, message):
    with pytest.raises(ValueError, match=message):
        History.from_arrays(arrays)


def test_half_a_step_is_no_step():
    with pytest.raises(TypeError, match="step: expected a whole number"):
        History.from_arrays({"step": [0.5]})
