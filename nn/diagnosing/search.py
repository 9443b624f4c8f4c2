"""Which mistakes explain a candidate's gradient: the simplest story that gives all its arrays.

The search goes the way the backward pass goes, from the top down. At each layer it plants every mistake of
the table, one or two at a time, in the error dz that the story so far has led to, and sees which of the
layer's arrays come out. A mistake in dz goes on below, one in an array ends there: so a cause is named once,
where it is made, and what follows from it is known to follow. Stories are weighed by their mistakes, and the
lightest is taken up first.

This room knows the table of mistakes, the true pass and the explanations of one array.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count, product

from nn.diagnosing.explaining import Explainer, Explanation, is_unnamed, weight
from nn.diagnosing.mistakes import (
    Claims,
    Variant,
    bias_gradients,
    claim,
    downs,
    errors,
    only_in,
    parts,
    rearranged,
    weight_gradients,
)
from nn.diagnosing.passes import Array, TruePass, bias_gradient

KEPT = 12  # stories that are followed through a layer
EQUAL = 0.12  # stories whose weights differ by less cannot be told apart


@dataclass(frozen=True)
class Story:
    """What a candidate's pass is taken to have done, from the top down to some layer.

    dz      each layer's error, 1 … L; the true one where the story has not come to yet
    claims  the mistakes, in the order in which they were made
    arrays  what each of the candidate's arrays is in this story; those it cannot explain are left out
    """

    dz: Mapping[int, Array]
    claims: Claims = ()
    arrays: Mapping[str, Array] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """Whether it leaves something unexplained: an array, or a factor without a name."""
        return is_unnamed(self.claims) or any(one.kind == "unknown" for one in self.claims)


Continuations = Callable[[Story], Iterable[Story]]


def stories(true: TruePass, explainer: Explainer) -> list[Story]:
    """The lightest stories of the whole pass, the very lightest first."""
    start = Story({layer: dz for layer, dz in enumerate(true.errors()) if layer})
    layers = [_Layer(true, explainer, layer) for layer in reversed(range(true.top))]
    return _lightest_first(start, [step for layer in layers for step in (layer.errors, layer.arrays)])


def stories_of_arrays(reference: Mapping[str, Array], explainer: Explainer) -> list[Story]:
    """The same without a network: from the true arrays alone, each for itself."""

    def step(name: str) -> Continuations:
        others = _of_arrays(name, reference, explainer)
        explained = explainer.explained(name, reference[name], others)
        return lambda story: (_longer(story, {name: one}) for one in explained)

    return _lightest_first(Story({}), [step(name) for name in reference])


def _of_arrays(name: str, reference: Mapping[str, Array], explainer: Explainer) -> Iterator[Variant]:
    given = explainer.candidate.get(name)
    if given is None:
        return
    yield from rearranged(reference[name], given, name)
    for other, array in reference.items():
        if other != name:
            yield claim("neighbour layer", other, name, f"{name} is the gradient of others: {other}."), array


@dataclass(frozen=True)
class _Layer:
    """One layer on the way down: dz_{l+1}, then dW_l and db_l."""

    true: TruePass
    explainer: Explainer
    layer: int

    def errors(self, story: Story) -> Iterator[Story]:
        """The story with every reading of dz_{l+1}; a mistake must explain one of the layer's arrays."""
        for claims, dz in self._variants(story):
            for of_factor, factor in self._factors(dz):
                if claims and is_unnamed(of_factor):
                    continue
                made = claims + of_factor
                agreeing = sum(
                    self.explainer.entries(name, array)
                    for name, array in self._right(factor * dz).items()
                    if self.explainer.agrees(name, array)
                )
                if not made or self.explainer.suffice(agreeing - is_unnamed(made)):
                    yield Story({**story.dz, self.layer + 1: factor * dz}, story.claims + made, story.arrays)

    def arrays(self, story: Story) -> Iterator[Story]:
        """The story with every reading of dW_l and db_l."""
        right = self._right(story.dz[self.layer + 1])
        explained = [
            self.explainer.explained(name, array, self._others(name, array, story))
            for name, array in right.items()
        ]
        for pair in product(*explained):
            yield _longer(story, dict(zip(right, pair, strict=True)))

    def _right(self, dz: Array) -> dict[str, Array]:
        """The layer's arrays from its error."""
        return {
            f"dW{self.layer}": self.true.weight_gradient(self.layer, dz),
            f"db{self.layer}": bias_gradient(dz),
        }

    def _variants(self, story: Story) -> Iterator[Variant]:
        if self.layer + 1 < self.true.top:
            yield from downs(self.true, self.layer + 1, story.dz[self.layer + 2])
            return
        whole = list(errors(self.true))
        yield from whole
        db = self.explainer.candidate.get(f"db{self.layer}")
        if db is not None:
            for claims, dz in whole:
                for of_part, part in parts(self.true, dz, db, self.explainer.tolerance):
                    yield of_part + claims, part

    def _factors(self, dz: Array) -> list[tuple[Claims, float]]:
        """The factors that dz may have: 1, and what the layer's arrays show."""
        found: dict[float, Claims] = {1.0: ()}
        shown = (
            self.explainer.factor(
                f"dW{self.layer}", dz @ self.true.a[self.layer].T, self.true.penalty(self.layer)
            ),
            self.explainer.factor(f"db{self.layer}", bias_gradient(dz)),
        )
        for factor in shown:
            if factor is not None:
                claims, exact = self.explainer.scaled(factor, f"dz{self.layer + 1}")
                found.setdefault(exact, claims)
        return [(claims, factor) for factor, claims in found.items()]

    def _others(self, name: str, right: Array, story: Story) -> Iterator[Variant]:
        """One of the layer's arrays under every mistake of its own."""
        given = self.explainer.candidate[name]
        yield from rearranged(right, given, name)
        if name.startswith("dW"):
            yield from weight_gradients(self.true, self.layer, story.dz, given)
        else:
            yield from bias_gradients(self.true, self.layer, story.dz)
        for claims, dz in self._variants(story):
            if claims:
                yield tuple(only_in(name, one) for one in claims), self._right(dz)[name]


def _longer(story: Story, explained: Mapping[str, Explanation]) -> Story:
    claims = story.claims + tuple(one for of_array, _ in explained.values() for one in of_array)
    known = {name: value for name, (_, value) in explained.items() if value is not None}
    return Story(story.dz, claims, {**story.arrays, **known})


def _lightest_first(start: Story, steps: Sequence[Continuations]) -> list[Story]:
    """The lightest story that has taken all steps, and those that are as light, each once.

    Weights only grow on the way, so that the first story to arrive, of those always taken up where they are
    lightest, is the lightest of all. No more than KEPT stories are taken through any one step.
    """
    order = count()
    waiting = [(0.0, next(order), 0, start)]
    taken = dict.fromkeys(range(len(steps)), 0)
    arrived: list[Story] = []
    seen: set[tuple[int, tuple[tuple[str, ...], ...]]] = set()
    while waiting:
        heavy, _, done, story = heappop(waiting)
        mark = done, tuple(one[:3] for one in story.claims)
        if arrived and heavy > weight(arrived[0].claims) + EQUAL:
            break
        if mark in seen:
            continue
        seen.add(mark)
        if done == len(steps):
            arrived.append(story)
        elif taken[done] < KEPT:
            taken[done] += 1
            for longer in steps[done](story):
                heappush(waiting, (weight(longer.claims), next(order), done + 1, longer))
    return arrived
