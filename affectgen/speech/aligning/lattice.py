"""The best way through a recording for a row of words, each in one of its pronunciations: Viterbi over phone states.

Words follow each other with or without silence between them; every phone is modelled between the neighbours it really
has, across words too, so what ends or begins a word stands in the graph once for each neighbour there may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from affectgen.speech.aligning.acoustic import HOP, USUAL, Fits
from affectgen.speech.aligning.acoustic_files import BEGIN, END, INSIDE, SINGLE, STATES, AcousticModel
from affectgen.speech.aligning.alignment import SILENCE

Floats32 = NDArray[np.float32]

WEIGHT = HOP / USUAL  # frames are closer than the model knows, and tell less of their own
PAUSE = -3.0  # log chance of a silence between two words
NEVER = np.float32(-1e30)


@dataclass
class Graph:
    """Phones as nodes. phone: their numbers; states: three of each; word: the word they belong to, -1 for silence;
    variant: which pronunciation; place: in the word; before: (node, cost) from which each can be entered; first: where
    a path may begin; last: where it may end."""

    phone: list[int] = field(default_factory=list)
    states: list[tuple[int, ...]] = field(default_factory=list)
    word: list[int] = field(default_factory=list)
    place: list[int] = field(default_factory=list)
    before: list[list[tuple[int, float]]] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    last: list[int] = field(default_factory=list)

    def add(self, phone: int, states: tuple[int, ...], word: int, place: int) -> int:
        """A new node's number."""
        self.phone.append(phone)
        self.states.append(states)
        self.word.append(word)
        self.place.append(place)
        self.before.append([])
        return len(self.phone) - 1


@dataclass(frozen=True)
class Step:
    """One phone of the path. word: its word's number, -1 for silence; phone: its number; place: in its word; start,
    end: frames; fit: the sum of the log likelihoods of its frames."""

    word: int
    phone: int
    place: int
    start: int
    end: int
    fit: float


def build(model: AcousticModel, words: Sequence[Sequence[tuple[int, ...]]], open_end: bool = False) -> Graph:
    """The graph of words, each a list of pronunciations (numbers of phones, at least one). open_end: a path may end
    after any word, or before the first."""
    graph, quiet = Graph(), model.silence
    silence = graph.add(quiet, model.states_of(quiet, quiet, quiet, INSIDE), -1, 0)
    graph.first.append(silence)
    if open_end or not words:
        graph.last.append(silence)
    # ways out of the word before: (its last node, that node's phone, the neighbour it expects)
    exits: list[tuple[int, int, int]] = [(-1, quiet, quiet)]
    for number, variants in enumerate(words):
        lefts = {phone for _, phone, expects in exits if expects != quiet} | {quiet}
        after = {option[0] for option in words[number + 1]} if number + 1 < len(words) else set()
        entries, leaving = _word(graph, model, number, variants, lefts, after | {quiet})
        for node, left, phone in entries:
            _enter(graph, node, left, phone, exits, silence, quiet)
        exits = leaving
        silence = graph.add(quiet, model.states_of(quiet, quiet, quiet, INSIDE), -1, 0)
        graph.before[silence] += [(node, PAUSE) for node, _, expects in exits if expects == quiet]
        if open_end or number + 1 == len(words):
            graph.last += [silence, *(node for node, _, expects in exits if expects == quiet)]
    return graph


def build_amid(model: AcousticModel, variants: Sequence[tuple[int, ...]]) -> Graph:
    """The graph of one word amid others that are not known: its ends are modelled between any neighbours, silence being
    one."""
    graph, quiet = Graph(), model.silence
    silence = graph.add(quiet, model.states_of(quiet, quiet, quiet, INSIDE), -1, 0)
    any_phone = {number for number, name in enumerate(model.names) if not name.startswith("+")}
    entries, exits = _word(graph, model, 0, variants, any_phone, any_phone)
    graph.first = [silence, *(node for node, _, _ in entries)]
    for node, left, _ in entries:
        if left == quiet:
            graph.before[node].append((silence, 0.0))
    silence = graph.add(quiet, model.states_of(quiet, quiet, quiet, INSIDE), -1, 0)
    graph.before[silence] += [(node, PAUSE) for node, _, expects in exits if expects == quiet]
    graph.last = [silence, *(node for node, _, _ in exits)]
    return graph


def _enter(
    graph: Graph, node: int, left: int, phone: int, exits: list[tuple[int, int, int]], silence: int, quiet: int
) -> None:
    """Join a word's first node with the silence before it, or with the ends of the word before that expect it."""
    if left == quiet:
        graph.before[node].append((silence, 0.0))
        if exits[0][0] < 0:
            graph.first.append(node)
    graph.before[node] += [
        (last, 0.0) for last, ended, expects in exits if last >= 0 and ended == left and expects == phone != quiet
    ]


def _word(
    graph: Graph, model: AcousticModel, number: int, variants: Sequence[tuple[int, ...]], lefts: set[int],
    rights: set[int],
) -> tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]]:  # fmt: skip
    """Add a word. Gives its first nodes (node, left neighbour, phone) and its last (node, phone, right neighbour)."""
    entries, exits = [], []
    for phones in variants:
        if len(phones) == 1:
            for left in lefts:
                for right in rights:
                    states = model.states_of(phones[0], left, right, SINGLE)
                    node = graph.add(phones[0], states, number, 0)
                    entries.append((node, left, phones[0]))
                    exits.append((node, phones[0], right))
            continue
        before = []
        for left in lefts:
            node = graph.add(phones[0], model.states_of(phones[0], left, phones[1], BEGIN), number, 0)
            entries.append((node, left, phones[0]))
            before.append((node, 0.0))
        for place in range(1, len(phones) - 1):
            states = model.states_of(phones[place], phones[place - 1], phones[place + 1], INSIDE)
            node = graph.add(phones[place], states, number, place)
            graph.before[node] += before
            before = [(node, 0.0)]
        for right in rights:
            node = graph.add(phones[-1], model.states_of(phones[-1], phones[-2], right, END), number, len(phones) - 1)
            graph.before[node] += before
            exits.append((node, phones[-1], right))
    return entries, exits


def search(
    model: AcousticModel, fits: Fits, graph: Graph, quiet: Floats32 | None = None
) -> tuple[list[Step], float] | None:
    """The best path, and its log likelihood with the costs of its turns; None where none fits into the recording.

    quiet: float32 [T], the least log likelihood of silence at each frame.
    """
    wanted, column = np.unique(np.array(graph.states), return_inverse=True)
    fit = fits.of(wanted.tolist())  # [T, states]
    if quiet is not None:
        silent = np.isin(wanted, model.states[model.sequence[model.silence]])
        fit[:, silent] = np.maximum(fit[:, silent], quiet[:, None])
    fit *= WEIGHT
    column = column.reshape(len(graph.phone), STATES)
    stay, leave = _chances(model, graph)
    back, total = _forward(fit, column, stay, leave, graph)
    ends = np.array(graph.last)
    finals = total[ends, STATES - 1] + leave[ends, STATES - 1]
    if float(finals.max()) <= float(NEVER) / 2:
        return None
    return _trace(int(ends[finals.argmax()]), back, fit, column, graph), float(finals.max())


def _chances(model: AcousticModel, graph: Graph) -> tuple[Floats32, Floats32]:
    """Log chances of staying in and of leaving each state, float32 [nodes, 3] each, for frames of HOP."""
    stay = model.stay[np.array(graph.phone)].astype(np.float64)
    expected = 1 / (1 - stay) * USUAL / HOP  # frames that a state lasts on average
    return np.log(1 - 1 / expected).astype(np.float32), np.log(1 / expected).astype(np.float32)


def _forward(
    fit: Floats32, column: NDArray[np.int64], stay: Floats32, leave: Floats32, graph: Graph
) -> tuple[tuple[NDArray[np.int32], NDArray[np.bool_]], Floats32]:
    """Viterbi's way forward. Gives, for each frame, the node before each entered one (-1: it stayed) and whether the
    other states were entered from those before them; and the last totals [nodes, 3]."""
    count, nodes = len(fit), len(column)
    most = max(1, max(map(len, graph.before)))
    source = np.full((nodes, most), nodes, dtype=np.int64)  # the last row of `out` is never
    cost = np.zeros((nodes, most), dtype=np.float32)
    for node, before in enumerate(graph.before):
        for place, (other, extra) in enumerate(before):
            source[node, place], cost[node, place] = other, extra
    entered = np.full((count, nodes), -1, dtype=np.int32)
    moved = np.zeros((count, nodes, STATES - 1), dtype=bool)
    total = np.full((nodes, STATES), NEVER, dtype=np.float32)
    first = np.array(graph.first)
    total[first, 0] = fit[0, column[first, 0]]
    out = np.full(nodes + 1, NEVER, dtype=np.float32)
    rows = np.arange(nodes)
    for frame in range(1, count):
        np.add(total[:, -1], leave[:, -1], out=out[:nodes])
        ways = out[source] + cost  # [nodes, most]
        chosen = ways.argmax(axis=1)
        entry = ways[rows, chosen]
        kept = total + stay
        onward = total[:, :-1] + leave[:, :-1]
        moved[frame] = onward > kept[:, 1:]
        np.maximum(kept[:, 1:], onward, out=kept[:, 1:])
        better = entry > kept[:, 0]
        entered[frame] = np.where(better, source[rows, chosen], -1)
        np.maximum(kept[:, 0], entry, out=kept[:, 0])
        total = kept + fit[frame][column]
        np.maximum(total, NEVER, out=total)
    return (entered, moved), total


def _trace(
    node: int, back: tuple[NDArray[np.int32], NDArray[np.bool_]], fit: Floats32, column: NDArray[np.int64], graph: Graph
) -> list[Step]:
    """The steps of the best path that ends in `node`."""
    entered, moved = back
    steps, state, end, total = [], STATES - 1, len(fit), 0.0
    for frame in range(len(fit) - 1, -1, -1):
        total += float(fit[frame, column[node, state]])
        if state and moved[frame, node, state - 1]:
            state -= 1
        elif not state and (entered[frame, node] >= 0 or frame == 0):
            steps.append(Step(graph.word[node], graph.phone[node], graph.place[node], frame, end, total))
            node, state, end, total = int(entered[frame, node]), STATES - 1, frame, 0.0
    return steps[::-1]


def names_of(model: AcousticModel, steps: Sequence[Step]) -> list[str]:
    """The phones' names."""
    return [SILENCE if step.word < 0 else model.names[step.phone] for step in steps]
