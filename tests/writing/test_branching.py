"""Candidates of one piece: the best is kept at bar lines, and whoever goes on from it does as if it had written it.

And pieces side by side: each is what it is alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.nn.packed import PACKING
from affectgen.score.keys import Key
from affectgen.score.words import BAR_LINE, Family, decode
from affectgen.writing import branching
from affectgen.writing.branching import Branching, Choice, Lineage, decode_branching
from affectgen.writing.grammar import Grammar
from affectgen.writing.lockstep import Ready
from affectgen.writing.pieces import WIDTH, key_word
from affectgen.writing.sampler import DecodeRequest, Decoding
from affectgen.writing.stepper import Writing

BARS = 6
PACKS = torch.backends.quantized.engine in PACKING
KINDS = ["fp32", pytest.param("fp16", marks=pytest.mark.skipif(not PACKS, reason="this torch cannot pack"))]


@pytest.fixture(params=KINDS)
def model(request, bare):
    """One whose weights fp16 does not hold, so that products have one shape, and one whose products are packed."""
    return made(bare, request.param)


def made(bare, kind):
    model = bare()
    if kind == "fp16":
        for parameter in model.parameters():
            parameter.data = parameter.data.half().float()
    assert Ready.of(Writing.of(model)).packed == (kind == "fp16")
    return model


def request(rows=3, bars=BARS, seed=5, temperature=1.0):
    """Rows with one condition, as candidates of one piece have it; others fill the batch."""
    generator = torch.Generator().manual_seed(seed)
    asked = torch.randn(1, bars, 16, generator=generator).expand(WIDTH, -1, -1)
    keys = [Key(row, row % 2) for row in range(rows)] + [Key(0, 0)] * (WIDTH - rows)
    counts = [bars] * rows + [0] * (WIDTH - rows)
    return DecodeRequest(
        asked, None, [Grammar(*one) for one in zip(counts, keys, strict=True)],
        guidance=1.0, top_p=0.99, strict_top_p=0.92, temperature=temperature,
        prefix=[key_word(key) for key in keys], forced=[None] * WIDTH,
    )  # fmt: skip


def lineage(choose, words, lines=(2, 4), seed=0, **more):
    """A piece to be written, whose words come into a dict."""
    rngs = [np.random.default_rng((seed, row)) for row in range(WIDTH)]
    return Lineage(request(**more), rngs, lines, choose, lambda row, found: words.update({row: found}) or ())


def together(model, lineages):
    """Write pieces side by side."""
    left = list(lineages)
    decode_branching(Ready.of(Writing.of(model)), lambda beside: left.pop(0) if left else None, len(left))


def write(model, choose=None, lines=(2, 4), **more):
    """The words of each row; with `choose` by branching, without by `Decoding`."""
    words = {}
    one = lineage(choose, words, lines, **more)
    if choose is not None:
        together(model, [one])
        return words
    with torch.no_grad():
        Decoding(Writing.of(model), one.request, one.rngs).run(one.finished)
    return words


def up_to(words, bars):
    """The words before the bar line that opens bar `bars`."""
    lines = np.flatnonzero((words[:, 0] == Family.METRICAL) & (words[:, 1] == BAR_LINE))
    return words[: lines[bars]]


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_the_row_that_is_always_kept_writes_what_it_writes_alone(model, kept):
    plain = write(model)
    found = write(model, lambda bars, written: Choice(kept))
    assert found[kept].tolist() == plain[kept].tolist()


def test_all_rows_begin_as_the_kept_one(model):
    chosen = iter([2, 0])
    found = write(model, lambda bars, written: Choice(next(chosen)))
    first = up_to(write(model)[2], 2)
    for words in found.values():
        assert up_to(words, 2).tolist() == first.tolist()
        assert up_to(words, 4).tolist() == up_to(found[0], 4).tolist()
    assert len({words.tobytes() for words in found.values()}) == 3, "they end in ways of their own"


def test_it_chooses_among_words_up_to_the_bar_line(model):
    told = []

    def choose(bars, written):
        told.append((bars, [words.copy() for words in written]))
        return Choice(1)

    found = write(model, choose)
    assert [bars for bars, _ in told] == [2, 4]
    for bars, written in told:
        assert len(written) == 3
        assert all(decode(words).bars == bars for words in written)
        assert up_to(found[0], bars).tolist() == written[1].tolist()
    plain = write(model)
    assert [words.tolist() for words in told[0][1]] == [up_to(plain[row], 2).tolist() for row in range(3)]


def test_pieces_are_whole(model):
    for words in write(model, lambda bars, written: Choice(len(written) - 1)).values():
        assert words[-1, 0] == Family.END
        assert decode(words).bars == BARS


def test_without_bar_lines_nothing_is_chosen(model):
    def never(bars, written):
        raise AssertionError("nothing to choose")

    plain, found = write(model), write(model, never, lines=())
    assert {row: words.tolist() for row, words in found.items()} == {r: words.tolist() for r, words in plain.items()}


def test_a_row_that_fills_the_batch_changes_nothing(model):
    few, full = (write(model, lambda bars, written: Choice(1), rows=rows) for rows in (3, 4))
    assert (set(few), set(full)) == ({0, 1, 2}, {0, 1, 2, 3})
    assert [few[row].tolist() for row in range(3)] == [full[row].tolist() for row in range(3)]


def test_what_is_asked_may_change_at_a_bar_line(model):
    """What was written stays, and the rest is written for what is asked then."""
    other = torch.randn(BARS, 16, generator=torch.Generator().manual_seed(9))
    same = request().condition[0]
    kept = write(model, lambda bars, written: Choice(1, same))
    plain = write(model)
    assert kept[1].tolist() == plain[1].tolist(), "asked for the same again, it does the same"
    changed = write(model, lambda bars, written: Choice(1, other if bars == 4 else None))
    assert up_to(changed[1], 4).tolist() == up_to(plain[1], 4).tolist()
    assert changed[1].tolist() != plain[1].tolist()


# seed, bars, candidates, and bar lines of pieces that are unlike in all of them
PIECES = ((1, 6, 3, (2, 4)), (2, 3, 4, (1,)), (3, 9, 2, (2, 4, 6, 8)), (4, 2, 4, ()), (5, 5, 4, (3,)), (6, 1, 1, ()))


def piece(number, words):
    """One of PIECES to be written; the longest row is kept."""
    seed, bars, rows, lines = PIECES[number]
    return lineage(
        lambda at, written: Choice(int(np.argmax([len(one) for one in written]))), words, lines, seed, bars=bars,
        rows=rows,
    )  # fmt: skip


@pytest.fixture(scope="module", params=KINDS)
def alone(request, bare):
    """A model and what it writes of each piece alone."""
    model, found = made(bare, request.param), []
    for number in range(len(PIECES)):
        words = {}
        together(model, [piece(number, words)])
        found.append(words)
    return model, found


@settings(max_examples=8, deadline=None)
@given(st.permutations(range(len(PIECES))), st.integers(1, len(PIECES)))
def test_a_piece_is_the_same_to_the_bit_whatever_stands_beside_it(alone, order, places):
    """In any order, and however many are written at a time: those that end make room for the next."""
    model, expected = alone
    found = [{} for _ in PIECES]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(branching, "PIECES", places)
        together(model, [piece(number, found[number]) for number in order])
    for number, words in enumerate(found):
        assert words.keys() == expected[number].keys() == set(range(PIECES[number][2]))
        for row, rows_words in words.items():
            np.testing.assert_array_equal(rows_words, expected[number][row], err_msg=f"piece {number}, row {row}")


def test_states_are_the_same_to_the_bit_whatever_stands_beside_them(alone, monkeypatch):
    """Words are drawn from them: these must agree, not only what chance makes of them."""
    model, _ = alone
    states, step = {}, branching.Lockstep.step

    def noting(self, rows, values, bars, live):
        step(self, rows, values, bars, live)
        for row, value in zip(rows[live].tolist(), np.array(values)[live].tolist(), strict=True):
            value = tuple(value)
            states.setdefault(value, set()).add(self.states[row].numpy().tobytes())

    monkeypatch.setattr(branching.Lockstep, "step", noting)
    together(model, [piece(0, {})])
    first = {value: frozenset(found) for value, found in states.items()}
    together(model, [piece(number, {}) for number in (3, 0, 1)])
    assert len(first) > 30
    assert all(found <= states[value] for value, found in first.items())


def test_needless_pieces_are_written_no_further(model):
    """The second of two makes the first needless when one of its rows ends, wherever the first is by then."""
    words, needless = {}, []
    long = lineage(lambda at, written: Choice(0), words, (2, 4), bars=12)
    long = Lineage(long.request, long.rngs, long.bars, long.choose, long.finished, lambda: needless)
    short = lineage(lambda at, written: Choice(0), {}, (), bars=1)

    def finished(row, found):
        needless.extend(range(WIDTH))
        return range(WIDTH)

    short = Lineage(short.request, short.rngs, short.bars, short.choose, finished)
    together(model, [long, short] if Ready.of(Writing.of(model)).packed else [short, long])
    assert words == {}


def test_a_piece_begins_where_another_has_ended(model, monkeypatch):
    monkeypatch.setattr(branching, "PIECES", 2)
    seen, left = [], [piece(number, {}) for number in (3, 5, 3, 5)]

    def source(beside):
        seen.append(len(beside))
        return left.pop(0) if left else None

    decode_branching(Ready.of(Writing.of(model)), source, 4)
    assert max(seen) == (1 if Ready.of(Writing.of(model)).packed else 0)
    assert len(seen) >= 5
    assert not left


def test_long_pieces_are_fewer_at_a_time(bare, monkeypatch):
    monkeypatch.setattr(branching, "MOST_BARS", 10)
    most, step = [], Branching._step
    monkeypatch.setattr(Branching, "_step", lambda self: most.append(len(self.seats)) or step(self))
    together(made(bare, KINDS[1].values[0]) if PACKS else bare(), [piece(number, {}) for number in (0, 2, 4)])
    assert max(most) == (2 if PACKS else 1)
