"""Which nodes of a recorded graph one box stands for, at a level of zoom, with modules open or closed.

Boxes and the arrows between them must have an order. Where modules are used in turns, as a recurrent
network's are, there is none: such a module is drawn once for each turn, and its parameters once.

This room knows the homes of nodes.
"""

from __future__ import annotations

import difflib
import heapq
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from autograd.drawing.homes import Homes, Path
from autograd.value import Value

INPUTS, OUTPUT = ("(inputs)",), ("(output)",)  # what no module holds: before and after them all
FEW = 12  # of those that are drawn singly
PARAMETERS = -1  # the turn of a module's parameters, where it is drawn once for each

Key = tuple[Any, ...]  # a scalar's place in the order, as (i,); else a module's path and its turn


def grouped(
    order: Sequence[Value], homes: Homes, level: str, opened: Collection[str], closed: Collection[str]
) -> list[Key]:
    """For each node the key of its box.

    opened, closed  dotted names of modules; raises ValueError for one that is not there, or in both
    """
    modules = {path[:n] for path in homes.paths for n in range(1, len(path) + 1)}
    _check_names({".".join(path) for path in (*modules, INPUTS, OUTPUT)}, [*opened, *closed])
    if both := sorted({*opened} & {*closed}):
        raise ValueError(f"draw: {', '.join(both)}: expected in open or in close, got in both")
    rule = _Rule(modules, level, opened, closed)
    groups = [rule.group(path) for path in homes.paths]
    _group_the_rest(groups, order, homes, rule)
    for rest in (INPUTS, OUTPUT):
        if rest in rule.closed and rest not in groups:
            raise ValueError(f"draw: close: this graph has nothing in {rest[0]!r} that could be one box")
    keys = [(i,) if group is None else (group, 0) for i, group in enumerate(groups)]
    turning = _in_cycles(keys, homes.parents)
    return _taken_apart(keys, homes, turning) if turning else keys


class _Rule:
    """The module that is drawn as one box in which a node of some home is; None: the node itself."""

    def __init__(
        self, modules: Collection[Path], level: str, opened: Collection[str], closed: Collection[str]
    ) -> None:
        self.parents = {path[:-1] for path in modules}
        self.level = level
        paths = [tuple(name.split(".")) for name in opened]
        self.opened = {path[:n] for path in paths for n in range(1, len(path) + 1)}
        self.closed = {tuple(name.split(".")) for name in closed}
        self.known: dict[Path, Path | None] = {(): None}

    def group(self, home: Path) -> Path | None:
        if home not in self.known:
            self.known[home] = self._group(home)
        return self.known[home]

    def _group(self, home: Path) -> Path | None:
        for n in range(1, len(home) + 1):
            if home[:n] in self.closed:
                return home[:n]
        if self.level == "scalars":
            return None
        whole = home if self.level == "neurons" or home in self.parents else home[:-1] or home
        for n in range(len(whole), len(home) + 1):
            if home[:n] not in self.opened:
                return home[:n]
        return None

    def closes(self, rest: Path, number: int) -> bool:
        """Whether so many nodes of no module are drawn as one box."""
        return rest in self.closed or (self.level != "scalars" and number > FEW and rest not in self.opened)


def _group_the_rest(groups: list[Path | None], order: Sequence[Value], homes: Homes, rule: _Rule) -> None:
    """Give what no module holds to the inputs or the output; constants go where they are used.

    A constant that several boxes use, as they use a sample's number, is an input.
    """
    rest: dict[Path, list[int]] = {INPUTS: [], OUTPUT: []}
    for i, value in enumerate(order):
        if not homes.paths[i] and not value.is_constant:
            rest[OUTPUT if value.op and homes.after[i] else INPUTS].append(i)
    for path, members in rest.items():
        if rule.closes(path, len(members)):
            for i in members:
                groups[i] = path
    uses: list[set[Path | None]] = [set() for _ in order]
    for i, operands in enumerate(homes.parents):
        for p in operands:
            uses[p].add(groups[i])
    shared = [i for i, value in enumerate(order) if value.is_constant and len(uses[i]) > 1]
    for i, value in enumerate(order):
        if value.is_constant and len(uses[i]) == 1:
            (groups[i],) = uses[i]
    if rule.closes(INPUTS, len(shared)):  # plain numbers as samples
        for i in shared:
            groups[i] = INPUTS


def _check_names(known: Collection[str], asked: Iterable[str]) -> None:
    for name in asked:
        if name not in known:
            near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.0)
            raise ValueError(
                f"draw: there is no module {name!r} to open or close; did you mean {', '.join(near)}?"
            )


def _in_cycles(keys: Sequence[Key], parents: Sequence[Sequence[int]]) -> set[Key]:
    """The keys from which arrows lead back to themselves by others: Kosaraju's strong components."""
    after: dict[Key, dict[Key, None]] = {key: {} for key in keys}
    before: dict[Key, dict[Key, None]] = {key: {} for key in keys}
    for i, operands in enumerate(parents):
        for p in operands:
            if keys[p] != keys[i]:
                after[keys[p]][keys[i]] = None
                before[keys[i]][keys[p]] = None
    finished: list[Key] = []
    seen: set[Key] = set()
    for key in after:
        finished += _reached(key, after, seen)
    seen = set()
    turning: set[Key] = set()
    for key in reversed(finished):
        component = _reached(key, before, seen)
        turning |= set(component) if len(component) > 1 else set()
    return turning


def _reached(start: Key, neighbours: dict[Key, dict[Key, None]], seen: set[Key]) -> list[Key]:
    """What is reached from a key and was not seen, each after all that is reached through it."""
    if start in seen:
        return []
    seen.add(start)
    finished, stack = [], [(start, iter(neighbours[start]))]
    while stack:
        key, ahead = stack[-1]
        following = next((near for near in ahead if near not in seen), None)
        if following is None:
            finished.append(key)
            stack.pop()
        else:
            seen.add(following)
            stack.append((following, iter(neighbours[following])))
    return finished


def _taken_apart(keys: Sequence[Key], homes: Homes, turning: Collection[Key]) -> list[Key]:
    """The keys of those in cycles with their turn, by how many changes of box come after, at most.

    That number never rises along an arrow and falls where the box changes, so that no cycle remains.
    """
    changes = [0] * len(keys)
    for i in range(len(keys) - 1, -1, -1):
        for p in homes.parents[i]:
            changes[p] = max(changes[p], changes[i] + (keys[p] != keys[i]))
    met: dict[Key, set[int]] = {key: set() for key in turning if len(key) > 1}
    for key, left, operands in zip(keys, changes, homes.parents, strict=True):
        if key in met and operands:
            met[key].add(left)
    turns = {
        (key, left): turn
        for key, found in met.items()
        for turn, left in enumerate(sorted(found, reverse=True), 1)
    }
    return [
        key if key not in met else (key[0], turns[key, left] if operands else PARAMETERS)
        for key, left, operands in zip(keys, changes, homes.parents, strict=True)
    ]


def box_order(keys: Sequence[Key], parents: Sequence[Sequence[int]]) -> list[Key]:
    """The boxes, operands before results; among those free to come, the one whose first node is first."""
    first: dict[Key, int] = {}
    for i, key in enumerate(keys):
        first.setdefault(key, i)
    links = {
        (keys[p], keys[i]): None for i, operands in enumerate(parents) for p in operands if keys[p] != keys[i]
    }
    waiting = Counter(head for _, head in links)
    after: dict[Key, list[Key]] = {key: [] for key in first}
    for tail, head in links:
        after[tail].append(head)
    ready = [(i, key) for key, i in first.items() if not waiting[key]]
    heapq.heapify(ready)
    ordered = []
    while ready:
        _, key = heapq.heappop(ready)
        ordered.append(key)
        for head in after[key]:
            waiting[head] -= 1
            if not waiting[head]:
                heapq.heappush(ready, (first[head], head))
    return ordered
