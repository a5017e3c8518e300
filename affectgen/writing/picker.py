"""The next words of rows of several pieces: element after element, each for the rows whose words have it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from affectgen.score.words import BAR_LINE, Family, Field
from affectgen.writing.decoder import METRICAL, NOTE
from affectgen.writing.draws import draw
from affectgen.writing.row import FREE, Row, Word, never_empty
from affectgen.writing.sampler import LAST, NEVER, STRICT, DecodeRequest
from affectgen.writing.stepper import Writing


@dataclass(frozen=True)
class Part:
    """Some of the rows and the states that their next element is drawn from.

    rows: which of the rows; at: where each stands in the states; states: [n, D].
    """

    rows: list[int]
    at: list[int]
    states: Tensor


class Picker:
    """Draws words by the sampling of a request, whose pieces it need not be. packed: whether products may be computed
    for some rows of a part only."""

    def __init__(self, writing: Writing, like: DecodeRequest, packed: bool) -> None:
        self.writing, self.packed = writing, packed
        self.temperature = like.temperature
        self.top_p = [
            min(like.top_p, like.strict_top_p if element in STRICT else 1.0) for element in range(len(writing.hands))
        ]
        self.chosen = [cast(nn.Embedding, table).weight.detach() for table in writing.model.elements.chosen]

    def words(self, rows: Sequence[Row], wanted: Sequence[int], states: Tensor) -> dict[int, Word]:
        """The next words of the rows of these numbers, by number. states: of all rows, [n, D]."""
        words: dict[int, Word] = {number: [0] * 8 for number in wanted}
        whole = self._draw(Field.FAMILY, Part(list(wanted), list(wanted), states), rows, words)
        metrical = self._only(whole, [row for row in wanted if words[row][0] == Family.METRICAL])
        note = self._only(whole, [row for row in wanted if words[row][0] == Family.NOTE])
        if metrical.rows:
            metrical = self._draw(Field.BEAT, metrical, rows, words)
            onset = self._only(metrical, [row for row in metrical.rows if words[row][1] > BAR_LINE])
            for element in METRICAL if onset.rows else ():
                onset = self._draw(element, onset, rows, words)
        for element in NOTE if note.rows else ():
            note = self._draw(element, note, rows, words)
        return words

    def _only(self, part: Part, rows: list[int]) -> Part:
        """Fewer rows of a part; the states of the others are left out where that changes nothing."""
        where = dict(zip(part.rows, part.at, strict=True))
        at = [where[row] for row in rows]
        if not self.packed or len(at) in (0, len(part.states)):
            return Part(rows, at, part.states)
        kept = part.states.index_select(0, torch.tensor(at, device=part.states.device))
        return Part(rows, list(range(len(rows))), kept)

    def _draw(self, element: int, part: Part, rows: Sequence[Row], words: dict[int, Word]) -> Part:
        """Draw one element of the rows of a part: it is put into their words, and into the states that come back."""
        values = self._logits(element, part.states)[part.at]
        masks = [rows[row].mask(element) for row in part.rows]
        if element == Field.PITCH:
            masks = [never_empty(mask) for mask in masks]
        values = np.where(np.stack(masks), values, NEVER)
        drawn = draw(values, self.top_p[element], self.temperature, [rows[row].rng for row in part.rows]).tolist()
        for row, value in zip(part.rows, drawn, strict=True):
            given = FREE if rows[row].forced is None else rows[row].given(element)
            words[row][element] = value if given == FREE else given
        return part if element in LAST else self._decided(element, part, words)

    def _logits(self, element: int, states: Tensor) -> NDArray[np.float64]:
        """What the values of an element are drawn by, [n, V], from states [n, D]."""
        hand = self.writing.hands[element]
        logits: Tensor = hand.out(F.gelu(hand.hidden(hand.norm(states))))
        return logits.double().cpu().numpy()

    def _decided(self, element: int, part: Part, words: dict[int, Word]) -> Part:
        """The part once its rows have their value of an element; what becomes of others' states is read by nobody."""
        values = np.zeros(len(part.states), dtype=np.int64)
        values[part.at] = [words[row][element] for row in part.rows]
        index = torch.from_numpy(values).to(part.states.device)
        return Part(part.rows, part.at, part.states + F.embedding(index, self.chosen[element]))
