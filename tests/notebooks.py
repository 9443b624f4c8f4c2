"""Notebooks without Jupyter: run one's cells from top to bottom, and keep what they show in the file.

    python -m tests.notebooks demos/tutorial.ipynb

writes the outputs anew, drawn by the built-in layout, so that they are the same everywhere.
"""

import ast
import contextlib
import io
import json
import sys
from pathlib import Path
from unittest import mock

from autograd.drawing import engines


def read(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


def code_cells(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def run(notebook):
    """The outputs of each code cell, run in order in one namespace, as a notebook's file has them."""
    namespace = {}
    with (
        mock.patch.object(engines.shutil, "which", return_value=None),
        mock.patch.object(engines, "find_spec", return_value=None),
    ):
        return [
            _outputs("".join(cell["source"]), namespace, number)
            for number, cell in enumerate(code_cells(notebook), start=1)
        ]


def _outputs(source, namespace, number):
    """What a cell prints, then what its last line is if that is an expression, as Jupyter shows it."""
    body = ast.parse(source).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        exec(compile(ast.Module(body, []), f"cell {number}", "exec"), namespace)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), f"cell {number}", "eval"), namespace)
    outputs = []
    if printed.getvalue():
        outputs.append({"name": "stdout", "output_type": "stream", "text": _lines(printed.getvalue())})
    if value is not None:
        shown = (
            value._repr_mimebundle_() if hasattr(value, "_repr_mimebundle_") else {"text/plain": repr(value)}
        )
        data = {kind: _lines(text) for kind, text in sorted(shown.items())}
        outputs.append(
            {"data": data, "execution_count": number, "metadata": {}, "output_type": "execute_result"}
        )
    return outputs


def _lines(text):
    return text.splitlines(keepends=True)


def main(path):
    notebook = read(path)
    found = run(notebook)
    for number, (cell, outputs) in enumerate(zip(code_cells(notebook), found, strict=True), start=1):
        cell["execution_count"], cell["outputs"] = number, outputs
    Path(path).write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{path}: {len(found)} cells run")


if __name__ == "__main__":
    main(sys.argv[1])
