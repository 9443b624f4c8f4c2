"""What a notebook shows where a cell ends with a Value, a Drawing or a report.

Values and reports know nothing of drawings, so their method is given to them here. A cell never ends in an
error for its picture's sake: where there can be none, the text says why. This room knows draw, Value and the
report.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from autograd.drawing.drawing import Drawing, draw
from autograd.reports import GradientReport
from autograd.value import Value

Bundle = dict[str, str]

READABLE = 200  # boxes; a larger graph is shown as layers, or by the value alone


def bundle(text: str, rich: Callable[[], Bundle]) -> Bundle:
    r"""Text, and what else can be shown; never raises.

    >>> bundle("a", lambda: {"text/html": "<b>a</b>"})
    {'text/plain': 'a', 'text/html': '<b>a</b>'}
    >>> bundle("a", lambda: {"text/html": 1 / 0})
    {'text/plain': 'a\n(no picture: division by zero)'}
    """
    try:
        return {"text/plain": text, **rich()}
    except Exception as error:  # a cell's result must be shown, whatever its picture fails of
        return {"text/plain": f"{text}\n(no picture: {str(error) or type(error).__name__})"}


def _of_value(value: Value, include: Any = None, exclude: Any = None) -> Bundle:
    """The graph that the value was computed by."""
    return bundle(repr(value), lambda: {"image/svg+xml": draw(value, limit=READABLE).svg()})


def _of_drawing(drawing: Drawing, include: Any = None, exclude: Any = None) -> Bundle:
    """The picture, and who drew it."""
    return bundle("Drawing", lambda: {"text/plain": repr(drawing), "image/svg+xml": drawing.svg()})


def _of_report(report: GradientReport, include: Any = None, exclude: Any = None) -> Bundle:
    """The table."""
    return bundle(str(report), lambda: {"text/html": report_table(report)})


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


for _shown, _method in ((Value, _of_value), (Drawing, _of_drawing), (GradientReport, _of_report)):
    setattr(_shown, "_repr_mimebundle_", _method)  # noqa: B010  # mypy knows no such attribute of a Value
