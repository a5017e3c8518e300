"""Words drawn one by one: as from the whole prefix, whatever stands beside a row, and kept where they are given."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from affectgen.score.keys import Key
from affectgen.score.words import BAR_LINE, Family, Field, decode, encode
from affectgen.writing.grammar import Grammar
from affectgen.writing.pieces import key_word
from affectgen.writing.sampler import FREE, DecodeRequest, Decoding, decode_words
from affectgen.writing.stepper import Writing

KEY = Key(4, 0)
BARS = (6, 2, 4)  # of which the last is an excerpt


def conditions(seeds, bars):
    return torch.stack([torch.randn(bars, 16, generator=torch.Generator().manual_seed(seed)) for seed in seeds])


def request(guidance=1.7, slice_dim=0, bars=BARS, seeds=(1, 2, 3), sides=None, **more):
    """Rows of unlike lengths, each with a condition (and plan) of its own; a row of no bars fills the batch."""
    rows, most = len(bars), max(bars)
    sides = sides if sides is not None else 1 if guidance == 1 else 2
    asked = conditions(seeds, most)
    plan = conditions([seed + 50 for seed in seeds], most)[..., :7, None].repeat(1, 1, 1, slice_dim)
    without = [conditions([99] * rows, most)] * (sides - 1)
    values = {"prefix": [key_word(KEY)] * rows, "forced": [None] * rows, "temperature": 1.0} | more
    return DecodeRequest(
        torch.cat([asked, *without]), plan if slice_dim else None,
        [Grammar(count, KEY, number != 2) for number, count in enumerate(bars)], guidance=guidance, top_p=0.99,
        strict_top_p=0.92, **values,
    )  # fmt: skip


def write(model, asked, seeds=(1, 2, 3), decoding=Decoding):
    """The words of each row that is finished."""
    words = {}
    with torch.no_grad():
        rngs = [np.random.default_rng(seed) for seed in seeds]
        decoding(Writing.of(model), asked, rngs).run(lambda row, found: words.update({row: found}) or ())
    return words


class Plain(Decoding):
    """The same without a memory: the whole prefix through the decoder at every word, slices projected at every draw."""

    def _advance(self, word):
        state = super()._advance(word)
        table = np.zeros((self.rows, 13), dtype=np.int64)
        table[:, :8], table[:, 9:12], table[:, 8] = word, self.in_force, self.bar
        self.tables = [*getattr(self, "tables", []), table]
        whole = torch.from_numpy(np.stack(self.tables, axis=1))
        plain = self.writing.model.globally(torch.cat([whole] * self.request.sides), self.request.condition)[:, -1]
        live = self._live()
        np.testing.assert_allclose(state[:live], plain[:live], atol=1e-4)
        return plain

    def _logits(self, element, state):
        if self.request.plan is None:
            return self.writing.model.elements(element, state)
        rows = torch.arange(self.rows)
        plan = self.request.plan[rows, torch.from_numpy(self.bar)][:, element]
        both = torch.cat([plan] * self.request.sides)
        return self.writing.model.elements(element, state, both, torch.zeros_like(both))


@pytest.mark.parametrize("guidance", [1.0, 1.7])
@pytest.mark.parametrize("slice_dim", [0, 6])
def test_words_are_those_of_the_whole_prefix(bare, guidance, slice_dim):
    model = bare(slice_dim)
    fast, plain = (write(model, request(guidance, slice_dim), decoding=how) for how in (Decoding, Plain))
    assert sum(len(words) for words in fast.values()) > 60
    assert fast.keys() == plain.keys() == {0, 1, 2}
    for row, words in fast.items():
        np.testing.assert_array_equal(words, plain[row])
        assert decode(words).bars == BARS[row]


def test_guidance_of_one_is_what_is_asked_alone(bare):
    """Hardly more than 1 takes rows without as well, and must draw the same words."""
    one, more = (write(bare(), request(guidance)) for guidance in (1.0, 1.0 + 1e-9))
    assert all(np.array_equal(one[row], more[row]) for row in range(3))
    strong = write(bare(), request(4.0))
    assert not np.array_equal(strong[0], one[0])


def test_a_row_is_the_same_whatever_stands_beside_it(bare):
    first = write(bare(), request(bars=(3, 1, 0), seeds=(7, 1, 2)), seeds=(7, 1, 2))
    other = write(bare(), request(bars=(3, 3, 3), seeds=(7, 4, 5)), seeds=(7, 4, 5))
    np.testing.assert_array_equal(first[0], other[0])
    assert not np.array_equal(first[1], other[1])
    assert 2 not in first, "a row of no bars only fills the batch"


def test_logits_are_computed_for_the_whole_batch(bare, monkeypatch):
    """Products of few rows may round otherwise than products of many; so how many draw an element must not matter."""
    seen = []
    logits = Decoding._logits
    monkeypatch.setattr(Decoding, "_logits", lambda *args: seen.append(found := logits(*args)) or found)
    write(bare(), request())
    assert {len(found) for found in seen} == {6}


def test_the_plan_is_heard(bare):
    model, asked = bare(6), request(slice_dim=6)
    other = request(slice_dim=6)
    other.plan[0] += 3.0
    before, after = write(model, asked), write(model, other)
    assert not np.array_equal(before[0], after[0])
    np.testing.assert_array_equal(before[1], after[1])


@pytest.mark.parametrize("column", [Field.TEMPO, Field.CHORD, Field.PITCH, Field.DURATION, Field.VELOCITY])
def test_given_fields_stay_and_no_note_is_lost(bare, score, column):
    source = score(7, 3, dense=True, key=KEY)
    words = encode(source)
    forced = np.full_like(words, FREE)
    kept = [Field.FAMILY, Field.BEAT, column]
    forced[:, kept] = words[:, kept]
    asked = request(bars=(1, 1, 3), forced=[None, None, forced])
    found = write(bare(), asked)[2]
    assert np.array_equal(found[:, kept], words[:, kept])
    assert np.array_equal(decode(found).start, source.start), "an onset keeps its number of notes"
    drawn = [number for number in range(2, 7) if number not in kept]
    assert not np.array_equal(found[:, drawn], words[:, drawn])


def test_what_opens_a_row_stays(bare, score):
    opening = encode(score(3, 2, key=KEY))[:-1]
    found = write(bare(), request(prefix=[opening, key_word(KEY), key_word(KEY)]))
    assert np.array_equal(found[0][: len(opening)], opening)
    assert decode(found[0]).bars == 6


def test_a_row_that_runs_out_of_room_ends_with_a_whole_bar(bare, monkeypatch):
    whole = write(bare(), request())
    monkeypatch.setattr("affectgen.writing.sampler.WORDS_PER_BAR", 6)
    found = write(bare(), request())
    cut = [row for row in range(3) if len(found[row]) < len(whole[row])]
    assert cut, "six words a bar are too few"
    assert all(words[-1, 0] == Family.END for words in found.values())
    for row in cut:
        stop = len(found[row]) - 1
        assert np.array_equal(found[row][:stop], whole[row][:stop])
        assert whole[row][stop, :2].tolist() == [Family.METRICAL, BAR_LINE], "what follows is another bar"


def test_needless_rows_are_written_no_further(bare):
    whole = write(bare(), request())
    shortest = min(whole, key=lambda row: len(whole[row]))
    told = []
    with torch.no_grad():
        rngs = [np.random.default_rng(seed) for seed in (1, 2, 3)]
        decode_words(Writing.of(bare()), request(), rngs, lambda row, words: told.append(row) or range(3))
    assert told == [shortest]


def test_rows_that_end_together_can_make_each_other_needless(bare):
    asked, told = request(bars=(2, 2, 0), seeds=(1, 1, 2)), []
    twins = write(bare(), asked, (5, 5, 6))
    assert np.array_equal(twins[0], twins[1])
    with torch.no_grad():
        rngs = [np.random.default_rng(seed) for seed in (5, 5, 6)]
        again = request(bars=(2, 2, 0), seeds=(1, 1, 2))
        decode_words(Writing.of(bare()), again, rngs, lambda row, words: told.append(row) or (0, 1))
    assert told == [0]


def test_cold_words_do_not_depend_on_the_seed(bare):
    cold = [write(bare(), request(temperature=0.0), seeds) for seeds in ((1, 2, 3), (4, 5, 6))]
    warm = [write(bare(), request(), seeds) for seeds in ((1, 2, 3), (4, 5, 6))]
    assert all(np.array_equal(cold[0][row], cold[1][row]) for row in range(3))
    assert not np.array_equal(warm[0][0], warm[1][0])
