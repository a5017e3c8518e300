"""Candidates of one piece: the best is kept at bar lines, and whoever goes on from it does as if it had written it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from affectgen.score.keys import Key
from affectgen.score.words import BAR_LINE, Family, decode
from affectgen.writing.branching import Branching, Choice
from affectgen.writing.grammar import Grammar
from affectgen.writing.pieces import key_word
from affectgen.writing.sampler import DecodeRequest, Decoding
from affectgen.writing.stepper import Writing

BARS = 6


def request(rows=3, sides=2, bars=BARS):
    """Rows with one condition, as candidates of one piece have it."""
    generator = torch.Generator().manual_seed(5)
    asked, without = (torch.randn(1, bars, 16, generator=generator).expand(rows, -1, -1) for _ in range(2))
    keys = [Key(row, row % 2) for row in range(rows)]
    return DecodeRequest(
        torch.cat([asked, without][:sides]), None, [Grammar(bars, key) for key in keys], guidance=1.7, top_p=0.99,
        strict_top_p=0.92, temperature=1.0, prefix=[key_word(key) for key in keys], forced=[None] * rows,
    )  # fmt: skip


def write(model, choose=None, bars=(2, 4), rows=3, sides=2):
    """The words of each row; with `choose` by branching."""
    words = {}
    rngs = [np.random.default_rng(seed) for seed in range(rows)]
    parts = (Writing.of(model), request(rows, sides), rngs)
    decoding = Decoding(*parts) if choose is None else Branching(*parts, bars, choose)
    with torch.no_grad():
        decoding.run(lambda row, found: words.update({row: found}) or ())
    return words


def up_to(words, bars):
    """The words before the bar line that opens bar `bars`."""
    lines = np.flatnonzero((words[:, 0] == Family.METRICAL) & (words[:, 1] == BAR_LINE))
    return words[: lines[bars]]


@pytest.mark.parametrize("sides", [1, 2])
@pytest.mark.parametrize("kept", [0, 1, 2])
def test_the_row_that_is_always_kept_writes_what_it_writes_alone(bare, kept, sides):
    model = bare()
    plain = write(model, sides=sides)
    found = write(model, lambda bars, written: Choice(kept), sides=sides)
    assert found[kept].tolist() == plain[kept].tolist()


def test_all_rows_begin_as_the_kept_one(bare):
    chosen = iter([2, 0])
    found = write(bare(), lambda bars, written: Choice(next(chosen)))
    first = up_to(write(bare())[2], 2)
    for words in found.values():
        assert up_to(words, 2).tolist() == first.tolist()
        assert up_to(words, 4).tolist() == up_to(found[0], 4).tolist()
    assert len({words.tobytes() for words in found.values()}) == 3, "they end in ways of their own"


def test_it_chooses_among_words_up_to_the_bar_line(bare):
    told = []

    def choose(bars, written):
        told.append((bars, [words.copy() for words in written]))
        return Choice(1)

    found = write(bare(), choose)
    assert [bars for bars, _ in told] == [2, 4]
    for bars, written in told:
        assert len(written) == 3
        assert all(decode(words).bars == bars for words in written)
        assert up_to(found[0], bars).tolist() == written[1].tolist()
    plain = write(bare())
    assert [words.tolist() for words in told[0][1]] == [up_to(plain[row], 2).tolist() for row in range(3)]


def test_pieces_are_whole(bare):
    for words in write(bare(), lambda bars, written: Choice(len(written) - 1)).values():
        assert words[-1, 0] == Family.END
        assert decode(words).bars == BARS


def test_without_bar_lines_nothing_is_chosen(bare):
    def never(bars, written):
        raise AssertionError("nothing to choose")

    plain, found = write(bare()), write(bare(), never, bars=())
    assert {row: words.tolist() for row, words in found.items()} == {r: words.tolist() for r, words in plain.items()}


def test_a_row_that_fills_the_batch_changes_nothing(bare):
    def write_with_idle(idle):
        words = {}
        asked = request(3 + idle)
        for grammar in asked.grammars[3:]:
            grammar.bars = 0
        rngs = [np.random.default_rng(seed) for seed in range(3 + idle)]
        branching = Branching(Writing.of(bare()), asked, rngs, (2, 4), lambda bars, written: Choice(1))
        with torch.no_grad():
            branching.run(lambda row, found: words.update({row: found}) or ())
        return words

    plain, padded = write_with_idle(0), write_with_idle(1)
    assert set(padded) == {0, 1, 2}
    assert [plain[row].tolist() for row in range(3)] == [padded[row].tolist() for row in range(3)]


@pytest.mark.parametrize("sides", [1, 2])
def test_what_is_asked_may_change_at_a_bar_line(bare, sides):
    """What was written stays, and the rest is written for what is asked then."""
    model, other = bare(), torch.randn(BARS, 16, generator=torch.Generator().manual_seed(9))
    same = request(1, sides).condition[0]
    kept = write(model, lambda bars, written: Choice(1, same), sides=sides)
    plain = write(model, sides=sides)
    assert kept[1].tolist() == plain[1].tolist(), "asked for the same again, it does the same"
    changed = write(model, lambda bars, written: Choice(1, other if bars == 4 else None), sides=sides)
    assert up_to(changed[1], 4).tolist() == up_to(plain[1], 4).tolist()
    assert changed[1].tolist() != plain[1].tolist()
