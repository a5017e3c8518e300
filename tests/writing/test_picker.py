"""Words for rows of several pieces: those that each row draws alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from affectgen.nn.packed import PACKING
from affectgen.score.keys import Key
from affectgen.score.words import Family
from affectgen.writing.grammar import Grammar
from affectgen.writing.picker import Picker
from affectgen.writing.pieces import key_word
from affectgen.writing.row import FREE, Row
from affectgen.writing.sampler import DecodeRequest
from affectgen.writing.stepper import Writing

ROWS = 7


def rows_of(forced=None):
    """Rows at unlike places of their pieces."""
    found = []
    for number in range(ROWS):
        grammar, rng = Grammar(4, Key(number, number % 2)), np.random.default_rng(number)
        row = Row.of(grammar, rng, key_word(grammar.key), forced if number == 3 else None)
        for word in ([Family.KEY] + [0] * 7, [Family.METRICAL, 1] + [0] * 6, [Family.METRICAL, 4, 9, 9] + [0] * 4,
                     [Family.NOTE, 0, 0, 0, 40, 3, 20, 0])[: 1 + number % 4]:  # fmt: skip
            row.take(list(word))
        found.append(row)
    return found


def picker(bare, packed):
    model = bare()
    if packed:
        for parameter in model.parameters():
            parameter.data = parameter.data.half().float()
    like = DecodeRequest(torch.zeros(1, 1, 16), None, [Grammar(1, Key(0, 0))], [], [], 1.0, 0.99, 1.0, 0.92)
    return Picker(Writing.of(model), like, packed)


@torch.no_grad()
@pytest.mark.skipif(torch.backends.quantized.engine not in PACKING, reason="this processor's torch cannot pack")
def test_a_row_draws_the_same_word_among_any_others(bare):
    own, states = picker(bare, True), torch.randn(ROWS, 32)
    together = own.words(rows_of(), range(ROWS), states)
    families = {word[0] for word in together.values()}
    assert {Family.METRICAL, Family.NOTE} <= families
    for number, row in enumerate(rows_of()):
        assert own.words([row], [0], states[number, None])[0] == together[number]
    some = [1, 3, 6]
    rows = rows_of()
    assert own.words(rows, some, states) == {number: together[number] for number in some}


@torch.no_grad()
def test_where_products_have_one_shape_only_those_that_are_wanted_draw(bare):
    own, states = picker(bare, False), torch.randn(ROWS, 32)
    together, rows = own.words(rows_of(), range(ROWS), states), rows_of()
    seen = []
    logits = own._logits
    own._logits = lambda element, part: seen.append(len(part)) or logits(element, part)
    assert own.words(rows, [0, 2, 5], states) == {number: together[number] for number in (0, 2, 5)}
    assert set(seen) == {ROWS}
    assert rows[1].rng.random() == np.random.default_rng(1).random(), "who is not wanted draws nothing"


@torch.no_grad()
def test_given_fields_stay(bare):
    forced = np.full((5, 8), FREE)
    forced[4, :7] = [Family.NOTE, 0, 0, 0, 55, FREE, 21]
    word = picker(bare, False).words(rows_of(forced), [3], torch.randn(ROWS, 32))[3]
    assert (word[0], word[4], word[6]) == (Family.NOTE, 55, 21)
    assert word[5] > 0
