"""What a notebook shows where a cell ends with something that has a picture or a table.

A cell never ends in an error for its picture's sake: where there can be none, the text says why. Reports know
nothing of notebooks, so their method is given to them here. This room knows the report and the modes.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any, TypeVar

from autograd.modes import recorded
from autograd.reports import GradientReport

Bundle = dict[str, str]
Thing = TypeVar("Thing")


def notebook_bundle(thing: Thing, rich: Callable[[], Bundle], text: Callable[[Thing], str] = repr) -> Bundle:
    r"""What the method `_repr_mimebundle_` of `thing` returns to a notebook; never raises.

    rich  what else can be shown, by MIME type. It may record, also where a `no_grad` is in force; where it
          raises, the text says why there is no picture
    text  what stands where nothing else is shown; where it raises, Python's own word for an object

    >>> class Model:
    ...     def __repr__(self):
    ...         return "Model"
    ...     def _repr_mimebundle_(self, include=None, exclude=None):
    ...         return notebook_bundle(self, lambda: {"text/html": f"<b>{1 / self.size}</b>"})
    >>> model = Model()
    >>> model.size = 2
    >>> model._repr_mimebundle_()
    {'text/plain': 'Model', 'text/html': '<b>0.5</b>'}
    >>> model.size = 0
    >>> model._repr_mimebundle_()
    {'text/plain': 'Model\n(no picture: division by zero)'}
    """
    words = object.__repr__(thing)
    try:
        with recorded():
            words = text(thing)
            return {"text/plain": words, **rich()}
    except Exception as error:  # a cell's result must be shown, whatever its picture fails of
        return {"text/plain": f"{words}\n(no picture: {_reason(error)})"}


def _reason(error: Exception) -> str:
    """The error's message; its name where it has none, or none that can be read."""
    try:
        return str(error) or type(error).__name__
    except Exception:  # of a class that fails to describe itself
        return type(error).__name__


def _of_report(report: GradientReport, include: Any = None, exclude: Any = None) -> Bundle:
    """The table."""
    return notebook_bundle(report, lambda: {"text/html": report_table(report)}, str)


def report_table(report: GradientReport) -> str:
    """A report's rows as an HTML table."""
    words = ("array", "shape", "abs. diff.", "relative", "ulps", "verdict")
    head = "".join(f"<th>{word}</th>" for word in words)
    rows = [
        [
            row.name,
            "×".join(map(str, row.shape)) or "scalar",
            f"{row.absolute:.2e}",
            f"{row.relative:.1e}",
            f"{row.ulps:.3g}",
            "agrees" if row.ok else f"DIFFERS {row.note}".rstrip(),
        ]
        for row in report.rows
    ]
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    verdict = "all agree" if report.ok else "they do not agree"
    caption = f"gradients: {escape(report.candidate)} against {escape(report.reference)}; {verdict}"
    return f"<table><caption>{caption}</caption><tr>{head}</tr>{body}</table>"


setattr(GradientReport, "_repr_mimebundle_", _of_report)  # noqa: B010  # mypy knows no such attribute of it
