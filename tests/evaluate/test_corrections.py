"""The figure of corrected edits, on made voices whose true answer is known, and on a few real takes."""

from __future__ import annotations

import numpy as np
import pytest
from talking import RATE, talk

from affectgen.errors import AffectgenError
from affectgen.evaluate.corrections import (
    ROWS,
    correction_figures,
    done,
    likely,
    matching,
    measured,
    natural_step,
    pairs_of,
    spliced,
)
from affectgen.speech.aligning.alignment import Alignment, Phone, Word
from affectgen.speech.correcting.correct import Corrected
from affectgen.speech.split import TEST_SPEAKERS


def words(stretch: float = 1.0) -> Alignment:
    """Five words, half a second each times `stretch`, of a consonant and a vowel, cut amidst syllables."""
    step, first = 0.5 * stretch, 0.06
    found = [
        Word("ma", n, first + n * step, first + (n + 1) * step, (
            Phone("M", first + n * step, first + (n + 0.2) * step),
            Phone("AA", first + (n + 0.2) * step, first + (n + 1) * step),
        ))
        for n in range(5)
    ]  # fmt: skip
    return Alignment(tuple(found), 3.0)


def case():
    calm, felt = (talk(3.0, pitch, 0.0).astype(np.float64) for pitch in (120.0, 180.0))
    return spliced(calm, felt, RATE, words(), words(), range(2, 4), "anger")


def test_a_splice_holds_the_neutral_words_and_the_emotional_rest() -> None:
    one = case()
    first, last = round((one.span[0] - 0.015) * RATE), round((one.span[1] + 0.015) * RATE)
    assert one.span == pytest.approx((1.06, 2.06), abs=0.012)
    assert np.array_equal(one.samples[:first], one.true[:first])
    assert np.array_equal(one.samples[last:], one.true[len(one.true) - (len(one.samples) - last) :])
    assert not np.array_equal(one.samples[first:last], one.true[first:last])


def test_the_error_is_the_distance_of_the_pitches() -> None:
    one = case()
    apart = 12 * np.log2(180 / 120)
    error, rms, every, step, distance = measured(one, done(one, "uncorrected", None))
    assert error == pytest.approx(apart, abs=0.5)
    assert rms == pytest.approx(apart, abs=0.6)
    assert step > apart - 1
    assert distance > 0
    perfect = Corrected(one.true, ((1.06, 2.06),), (), one.known)
    error, rms, every, step, distance = measured(one, perfect)
    assert (error, rms, every, distance) == (0.0, 0.0, 0.0, 0.0)
    assert step == pytest.approx(natural_step(one))


def test_the_context_corrects_it() -> None:
    one = case()
    before, after = (measured(one, done(one, name, ROWS[name])) for name in ("uncorrected", "context"))
    assert after[0] < 0.45 * before[0]
    assert after[3] < before[3]


def test_moments_belong_together_phone_by_phone() -> None:
    mine, its = matching(words(), words(0.8), range(2, 4))
    assert len(mine) == len(its) == 80
    assert mine - 0.06 == pytest.approx((its - 0.06) / 0.8)
    assert 1.06 < mine.min() < mine.max() < 2.06


def test_wrong_octaves_of_the_true_take_do_not_count() -> None:
    take = np.r_[np.zeros(5), np.full(40, 200.0), np.full(4, 100.0)]
    assert likely(np.array([200.0, 300.0, 100.0, 410.0]), take).tolist() == [True, True, False, False]


def test_the_data_must_be_there(tmp_path) -> None:
    with pytest.raises(AffectgenError, match="not there"):
        correction_figures(None, tmp_path)


def test_real_takes_of_test_speakers(real_data) -> None:
    from affectgen.speech.aligning.align import Aligner, AlignSettings

    pairs = pairs_of(real_data, "test", 8, 3)
    assert {clip.speaker for pair in pairs for clip in pair} <= TEST_SPEAKERS
    assert all(calm.acted == "neutral" and calm.speaker == felt.speaker for calm, felt in pairs)
    rows = {name: ROWS[name] for name in ("uncorrected", "context")}
    found = correction_figures(Aligner(AlignSettings(check=False)), real_data, most=8, seed=3, rows=rows)
    assert 3 <= found.cases <= 8
    assert found.rows["context"].error < 0.75 * found.rows["uncorrected"].error
