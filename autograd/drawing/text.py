"""A picture as text: an indented tree with the output on top, for a terminal.

A box that is used more than once has a number: its operands stand under its first line, and the later ones
say `see #3`. This room knows a Picture.
"""

from __future__ import annotations

from collections import Counter

from autograd.drawing.picture import Arrow, Box, Picture

DEEPEST = 40  # levels of indentation; what lies deeper continues as a tree of its own
_SYMBOLS = {"leaf": "leaf", "constant": "number"}


def text_tree(picture: Picture) -> str:
    """The picture as lines: where it stands in the tree, operation, numbers, and last the label.

    >>> from autograd.drawing.picture import Arrow, Box
    >>> a = Box("leaf", "", "a", (("data", "3"),))
    >>> square = Box("operation", "×", "a squared", (("data", "9"),), is_output=True)
    >>> print(text_tree(Picture([a, square], [Arrow(0, 1), Arrow(0, 1)])), end="")
    ×  data 9  a squared
    ├─ #0 leaf  data 3  a
    └─ see #0
    """
    return _Tree(picture).written()


class _Tree:
    """What has been written of a picture, and which boxes begin trees of their own below."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.operands: list[list[Arrow]] = [[] for _ in picture.boxes]
        for arrow in picture.arrows:
            self.operands[arrow.head].append(arrow)
        self.uses = Counter(arrow.tail for arrow in picture.arrows)
        self.met: set[int] = set()
        self.below: dict[int, None] = {}  # an ordered set: boxes too deep to go on with
        self.lines: list[str] = []

    def written(self) -> str:
        outputs = [i for i, box in enumerate(self.picture.boxes) if box.is_output]
        for output in reversed(outputs):
            self.write(output)
        while self.below:
            box = next(iter(self.below))
            del self.below[box]
            self.write(box)
        notes = ["", *self.picture.notes] if self.picture.notes else []
        return "\n".join([*self.lines, *notes, ""])

    def write(self, root: int) -> None:
        """The tree under one box, without recursion: each entry holds a box and what leads to it."""
        stack = [(root, "", "", "", 0)]
        while stack:
            box, lead, branch, note, depth = stack.pop()
            if box in self.met:
                self.lines.append(f"{lead}{branch}{note}see #{box}")
                continue
            if depth == DEEPEST and self.operands[box]:
                self.below[box] = None
                self.lines.append(f"{lead}{branch}{note}see #{box} below")
                continue
            self.met.add(box)
            self.below.pop(box, None)
            numbered = self.uses[box] > 1 or (root == box and depth == 0 and self.uses[box] > 0)
            mark = f"#{box} " if numbered else ""
            self.lines.append(f"{lead}{branch}{note}{mark}{_line(self.picture.boxes[box])}")
            inner = lead + {"": "", "├─ ": "│  ", "└─ ": "   "}[branch]
            last = len(self.operands[box]) - 1
            for i in range(last, -1, -1):
                arrow = self.operands[box][i]
                stack.append((arrow.tail, inner, "└─ " if i == last else "├─ ", _note(arrow), depth + 1))


def _note(arrow: Arrow) -> str:
    """The local derivative, or the number of uses, before the operand that it belongs to."""
    return f"({arrow.note}) " if arrow.note else ""


def _line(box: Box) -> str:
    facts = [f"{caption} {number}".strip() for caption, number in box.facts]
    return "  ".join([_SYMBOLS.get(box.kind, box.symbol), *facts, *([box.short_name] if box.label else [])])
