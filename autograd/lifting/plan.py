"""The passes, one after the other: from a recording to a layout of array operations.

    recording -> normal form -> blocks -> tapes and matrix products -> registers -> layout

This room knows the passes and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autograd.lifting.blocks import Block, blocks, levels, varying
from autograd.lifting.layout import Layout
from autograd.lifting.normal_form import normal_form
from autograd.lifting.recording import Ints, Recording
from autograd.lifting.registers import Registers
from autograd.lifting.structure import Operation, operations

# What an operand that is not there counts as: a padded operation may have some.
NEUTRAL = {"logsumexp": -np.inf, "prod": 1.0, "norm": 0.0}


@dataclass(slots=True)
class Plan:
    """A layout, and where in it the leaves and the outputs are.

    parameters  the leaves that are the same in every sample, in the order of their registers; their places
                in the recording (P,)
    inputs      places of the inputs, -1 where the outputs do not depend on one
    outputs     places of the outputs
    """

    graph: Recording
    layout: Layout
    parameters: Ints
    inputs: Ints
    outputs: Ints


def planned(graph: Recording, inputs: Ints) -> Plan:
    """The graph as array operations; `inputs` are the places of leaves that differ from sample to sample."""
    size = len(graph.nodes)
    leaf = np.diff(graph.start) == 0
    given = np.zeros(size, dtype=bool)
    given[inputs[inputs >= 0]] = True

    form = normal_form(graph, rank=np.where(leaf & ~given, 0, 1))
    varies = varying(form, np.flatnonzero(given), size)
    steps = [
        step
        for found in blocks(form, levels(form, size), varies, _padded_kinds(graph))
        for step in (operations(found) if isinstance(found, Block) else [found])
    ]
    registers = Registers(graph, varies)
    layout = Layout(registers, [step for step in steps if isinstance(step, Operation)], _any_number(graph))
    registers.give(np.flatnonzero(leaf))
    for step in steps:
        if isinstance(step, Operation):
            layout.place(step)
        else:
            layout.place_tape(step)

    parameters = np.flatnonzero(leaf & ~graph.constant & ~given)
    parameters = parameters[np.argsort(registers.of[parameters])]
    return Plan(graph, layout, parameters, inputs, form.outputs)


def _any_number(graph: Recording) -> dict[int, float]:
    """The kinds that take any number of operands, with what a missing one counts as."""
    rows = enumerate(graph.primitives)
    return {kind: NEUTRAL.get(row.name, 0.0) for kind, row in rows if row.arity is None}


def _padded_kinds(graph: Recording) -> list[int]:
    return [kind for kind, row in enumerate(graph.primitives) if row.name in NEUTRAL]
