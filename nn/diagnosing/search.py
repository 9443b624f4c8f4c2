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

import numpy as np

from nn.diagnosing.array_mistakes import arrays_made_wrong, rearranged
from nn.diagnosing.claims import Claims, Variant, claim, is_fitted, is_unnamed, only_in
from nn.diagnosing.explaining import Explainer, Explanation, weight
from nn.diagnosing.mistakes import downs, errors, norm_downs, updated
from nn.diagnosing.parts import parts
from nn.diagnosing.passes import Array, TruePass, layer_of

KEPT = 12  # stories that are followed through a layer
EQUAL = 0.12  # stories whose weights differ by less cannot be told apart


@dataclass(frozen=True)
class Story:
    """What a candidate's pass is taken to have done, from the top down to some layer.

    errors  by name, "dz2", "du1", …; the true one where the story has not come to yet
    claims  the mistakes, in the order in which they were made
    arrays  what each of the candidate's arrays is in this story; those it cannot explain are left out
    """

    errors: Mapping[str, Array]
    claims: Claims = ()
    arrays: Mapping[str, Array] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """Whether it leaves something unexplained: an array, or a factor without a name."""
        return is_unnamed(self.claims) or any(one.kind == "unknown" for one in self.claims)


Continuations = Callable[[Story], Iterable[Story]]


def stories(true: TruePass, explainer: Explainer) -> list[Story]:
    """The lightest stories of the whole pass, the very lightest first."""
    start = Story(true.errors())
    steps = [_Step(true, explainer, place) for place in true.places()]
    return _lightest_first(start, [half for step in steps for half in (step.errors, step.arrays)])


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
        if other != name and other in (name.replace("dgamma", "dbeta"), name.replace("dbeta", "dgamma")):
            yield claim("gamma and beta exchanged", "", name, f"{name} and {other} are exchanged."), array
        elif other != name:
            yield claim("neighbour layer", other, name, f"{name} is the gradient of others: {other}."), array


@dataclass(frozen=True)
class _Step:
    """One step on the way down: an error, dz or du, then the arrays that are made from it."""

    true: TruePass
    explainer: Explainer
    place: str

    def errors(self, story: Story) -> Iterator[Story]:
        """The story with every reading of the error; a mistake must matter, and explain one of its arrays."""
        variants = list(self._variants(story))
        variants += [*self._parts(variants), *self._fitted(story)]
        right = variants[0][1]
        for claims, error in variants:
            if claims and np.array_equal(error, right):
                continue
            for of_factor, factor in self._factors(error):
                if claims and of_factor and (is_fitted(claims) or is_unnamed(of_factor)):
                    continue
                made, value = claims + of_factor, factor * error
                agreeing = sum(
                    self.explainer.entries(name, array)
                    for name, array in self.true.arrays(self.place, value).items()
                    if self.explainer.agrees(name, array)
                )
                if not made or self.explainer.suffice(agreeing - is_fitted(made)):
                    yield Story({**story.errors, self.place: value}, story.claims + made, story.arrays)

    def arrays(self, story: Story) -> Iterator[Story]:
        """The story with every reading of the error's arrays."""
        right = self.true.arrays(self.place, story.errors[self.place])
        explained = [
            self.explainer.explained(name, array, self._others(name, array, story))
            for name, array in right.items()
        ]
        for pair in product(*explained):
            yield _longer(story, dict(zip(right, pair, strict=True)))

    def _variants(self, story: Story) -> Iterator[Variant]:
        layer = layer_of(self.place)
        norm = self.true.norms[layer]
        if layer == self.true.top:
            yield from errors(self.true)
        elif self.place.startswith("dz") and norm is not None:
            yield from norm_downs(norm, layer, story.errors[f"du{layer}"])
        else:
            yield from downs(self.true, layer, story.errors[f"dz{layer + 1}"])

    def _parts(self, variants: Sequence[Variant]) -> Iterator[Variant]:
        """The last layer's errors with samples left out, as the candidate's db shows it."""
        db = self.explainer.candidate.get(f"db{self.true.top - 1}")
        if layer_of(self.place) == self.true.top and db is not None:
            for claims, dz in variants:
                for of_part, part in parts(self.true, dz, db, self.explainer.tolerance):
                    yield of_part + claims, part

    def _fitted(self, story: Story) -> Iterator[Variant]:
        """The error from weights that were updated, where the story knows their gradient."""
        layer = layer_of(self.place)
        made_from_above = layer < self.true.top and self.place == f"d{self.true.met(layer)}"
        if made_from_above and f"dW{layer}" in story.arrays:
            dz, dW = story.errors[f"dz{layer + 1}"], story.arrays[f"dW{layer}"]
            if dW.shape == self.true.W[layer].shape:
                yield from updated(self.true, layer, dz, dW, self.explainer.candidate)

    def _factors(self, error: Array) -> list[tuple[Claims, float]]:
        """The factors that the error may have: 1, and what its arrays show."""
        found: dict[float, Claims] = {1.0: ()}
        for name, array in self.true.summed(self.place, error).items():
            factor = self.explainer.factor(name, array, self.true.penalty_in(name))
            if factor is not None:
                claims, exact = self.explainer.scaled(factor, self.place)
                found.setdefault(exact, claims)
        return [(claims, factor) for factor, claims in found.items()]

    def _others(self, name: str, right: Array, story: Story) -> Iterator[Variant]:
        """One of the error's arrays under every mistake of its own."""
        given = self.explainer.candidate[name]
        yield from rearranged(right, given, name)
        yield from self._multiple_beside_penalty(name, right)
        yield from arrays_made_wrong(self.true, name, story.errors, given)
        for claims, error in self._variants(story):
            if claims:
                of_array = tuple(only_in(name, one) for one in claims)
                yield of_array, self.true.arrays(self.place, error)[name]


    def _multiple_beside_penalty(self, name: str, right: Array) -> Iterator[Variant]:
        """An array of which the data's part alone has a factor."""
        penalty = self.true.penalty_in(name)
        factor = self.explainer.factor(name, right - penalty, penalty) if np.any(penalty) else None
        if factor is not None:
            claims, exact = self.explainer.scaled(factor, name)
            yield claims, exact * (right - penalty) + penalty


def _longer(story: Story, explained: Mapping[str, Explanation]) -> Story:
    claims = story.claims + tuple(one for of_array, _ in explained.values() for one in of_array)
    known = {name: value for name, (_, value) in explained.items() if value is not None}
    return Story(story.errors, claims, {**story.arrays, **known})


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
