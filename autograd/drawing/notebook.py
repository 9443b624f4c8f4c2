"""What a notebook shows where a cell ends with something that has a picture or a table.

A cell never ends in an error for its picture's sake: where there can be none, the text says why. Reports know
nothing of notebooks, so their method is given to them here. This room knows the report.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from autograd.reports import GradientReport

Bundle = dict[str, str]


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


setattr(GradientReport, "_repr_mimebundle_", _of_report)  # noqa: B010  # mypy knows no such attribute of it
