"""Element transfer and reconstruction, with an untrained model: what must stay stays, and what comes out is a piece."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from affectgen.muser.compose import bar_codes
from affectgen.muser.transfer import attribute_means, measure_moves, note_f1, reconstruct, transfer
from affectgen.score.words import SIZES, Family, decode, encode
from affectgen.writing.options import ELEMENTS


@pytest.mark.parametrize("elements", [("velocity",), ("pitch",), ("tempo",), ("duration", "velocity"), ("chord",)])
def test_only_what_is_borrowed_is_written_anew(tiny, score, elements):
    source, donor = score(1, 3, dense=True), score(2, 2)
    made = transfer(tiny, source, donor, elements, 4, 0.8)
    words = encode(source)
    own, lent = bar_codes(tiny.model, words), bar_codes(tiny.model, encode(donor))
    moved = [ELEMENTS.index(name) for name in elements]
    stays = [number for number in range(7) if number not in moved]
    assert np.array_equal(made.codes[:, stays], own[:, stays])
    assert np.array_equal(made.codes[:, moved], lent[[0, 1, 0]][:, moved]), "the donor repeats"
    free = {*moved, *((4,) if elements == ("chord",) else ())}
    kept = [number for number in range(7) if number not in free]
    assert np.array_equal(made.words[:, kept], words[:, kept])
    assert not np.array_equal(made.words[:, :7], words[:, :7])
    assert np.array_equal(made.score.start, source.start)
    assert (made.score.bars, made.score.key) == (3, source.key)
    assert np.array_equal(made.words, transfer(tiny, source, donor, elements, 4, 0.8).words)
    assert not np.array_equal(made.words, transfer(tiny, source, donor, elements, 5, 0.8).words)


def test_a_borrowed_structure_writes_new_words(tiny, score):
    source, donor = score(1, 3), score(2, 3)
    made = transfer(tiny, source, donor, ("beat",), 0, 0.8)
    assert made.score.bars == 3
    assert made.score.key == source.key
    assert np.array_equal(made.codes[:, 1], bar_codes(tiny.model, encode(donor))[:, 1])
    assert not np.array_equal(made.score.start, source.start)


def test_moves_on_paper(score):
    source = encode(score(1, 2))
    louder = source.copy()
    notes = louder[:, 0] == Family.NOTE
    louder[notes, 6] = np.minimum(louder[notes, 6], 30) + 6
    quiet = source.copy()
    quiet[notes, 6] = np.minimum(quiet[notes, 6], 30)
    moves = measure_moves(quiet, source, louder, np.array([1, 1, 1, 1, 1, 1, 3.0]))
    np.testing.assert_allclose(moves.shift[[0, 1, 2, 4, 5]], 0.0, atol=1e-12)
    assert moves.shift[6] == pytest.approx(2.0)
    np.testing.assert_allclose(moves.donor, attribute_means(source))
    assert moves.result[6] - moves.source[6] == pytest.approx(6.0)


def test_means_leave_out_bars_without_a_value(score):
    words = encode(score(1, 2))
    end, line = words[-1:], words[1:2]
    longer = np.concatenate([words[:-1], line, line, end])
    before, after = attribute_means(words), attribute_means(longer)
    np.testing.assert_allclose(np.delete(after, 1), np.delete(before, 1))
    assert after[1] == pytest.approx(before[1] / 2), "empty bars have no onsets, and that counts"
    assert np.isnan(attribute_means(np.concatenate([words[:1], line, end]))[4])


def test_note_f1_on_paper(score):
    source = score(3, 2)
    assert note_f1(source, source) == 1.0
    half = source.take_bars(0, 1)
    assert note_f1(source, half) == pytest.approx(2 * len(half) / (len(source) + len(half)))
    shifted = type(source)(source.start, source.length, source.pitch + 1, source.velocity, source.tempo, source.chords,
                           source.key, source.bars)  # fmt: skip
    common = set(zip(source.start.tolist(), source.pitch.tolist(), strict=True))
    common &= set(zip(source.start.tolist(), (source.pitch + 1).tolist(), strict=True))
    assert note_f1(source, shifted) == pytest.approx(len(common) / len(source))


@pytest.mark.parametrize("seed", range(4))
def test_a_reconstruction_is_a_piece_whatever_the_model_says(tiny, score, seed):
    source = score(seed, 3, dense=bool(seed % 2))
    rebuilt = reconstruct(tiny, source)
    assert rebuilt.key == source.key
    assert rebuilt.bars >= 1
    assert 0 <= note_f1(source, rebuilt) <= 1
    again = reconstruct(tiny, source)
    assert np.array_equal(rebuilt.pitch, again.pitch)
    assert len(encode(rebuilt)) <= len(encode(source)) + rebuilt.bars


def test_reconstruction_never_teaches_the_books(tiny, score):
    tiny.model.train()
    before = tiny.model.bar_books.books.clone()
    reconstruct(tiny, score(0, 2))
    assert (tiny.model.bar_books.books == before).all()


def test_word_slices_alone_can_carry_a_piece(tiny, score, monkeypatch):
    """With decoders that read nothing but a word's own slices, and one code for all, every field comes back."""
    model, source = tiny.model, score(5, 3)
    expected = decode(encode(source))

    def read_off(self, element, state, plan, detail):
        return -(model.word_latents.tables[element].weight - detail).pow(2).sum(-1)[None]

    def unrounded(self, words):
        return self.word_latents(words), torch.zeros(*words.shape[:2], 7, dtype=torch.long), torch.zeros(())

    monkeypatch.setattr(type(model.elements), "forward", read_off)
    monkeypatch.setattr(type(model), "encode_words", unrounded)
    monkeypatch.setattr(type(model), "word_cells", lambda self: [torch.zeros(size) for size in SIZES.values()])
    rebuilt = reconstruct(tiny, source)
    assert note_f1(expected, rebuilt) == 1.0
    assert np.array_equal(rebuilt.velocity, expected.velocity)
    assert np.array_equal(rebuilt.length, expected.length)
    assert np.array_equal(rebuilt.tempo, expected.tempo)
    assert rebuilt.chords == expected.chords


def test_values_of_other_codes_are_not_written(tiny, score):
    source = score(5, 3)
    words = encode(source)
    _, codes, _ = tiny.model.encode_words(torch.from_numpy(words)[None])
    cells = tiny.model.word_cells()
    for element, name in enumerate(ELEMENTS):
        assert cells[element].shape == (SIZES[name],)
        applies = words[:, element] > 0
        values = torch.from_numpy(words[applies, element])
        assert torch.equal(cells[element][values], codes[0, applies, element]), name
