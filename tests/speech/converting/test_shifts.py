"""What an emotion does to a voice, learnt from others."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.errors import AffectgenError
from affectgen.recognize.speech_corpus import LABELS
from affectgen.speech.converting.prosody import BANDS, NAMES, PLACES
from affectgen.speech.converting.shifts import Retrieval, Taken, distances, find_shift
from affectgen.speech.index.voices import Voices
from affectgen.speech.target import target_of

PITCH = PLACES["pitch"]
LIFTS = {"anger": 6.0, "fear": 8.0, "happiness": 7.0, "sadness": -2.0}
POINTS = {"anger": (-0.5, 0.6), "fear": (-0.6, 0.6), "happiness": (0.8, 0.5), "sadness": (-0.6, -0.3)}
PLAIN = Retrieval(exemplars=4, typical=0.0, likeness=0.1, caricature=0.0)


def index(labels: dict[str, float] = LIFTS, speakers: int = 4) -> Voices:
    """Speakers whose neutral pitch rises with their number; of each a clip a label, whose pitch is lifted by it."""
    rows = [(f"s{number}", label) for number in range(speakers) for label in labels]
    neutral = np.zeros((len(rows), len(NAMES)))
    neutral[:, PITCH] = [25.0 + 2 * int(speaker[1:]) for speaker, _ in rows]
    neutral[:, 11:37] = np.random.default_rng(0).normal(size=(len(rows), 26))
    prosody = neutral.copy()
    prosody[:, PITCH] += [labels[label] + 0.1 * int(speaker[1:]) for speaker, label in rows]
    words = {name: np.full(len(rows), "") for name in ("sexes", "languages", "texts", "licences", "sources")}
    return Voices(
        names=np.array([f"{speaker}_{label}" for speaker, label in rows]),
        speakers=np.array([speaker for speaker, _ in rows]),
        labels=np.array([label for _, label in rows]),
        shares=np.array([np.eye(len(LABELS))[LABELS.index(label)] for _, label in rows]),
        points=np.array([POINTS[label] for _, label in rows]),
        prosody=prosody, neutral=neutral, **words,
    )  # fmt: skip


def nothing(voices: Voices):
    return lambda target: np.zeros(len(voices))


def test_the_mean_shift_of_the_label() -> None:
    voices = index()
    found = find_shift(target_of("fear"), voices, voices.neutral[0], PLAIN, nothing(voices))
    assert set(voices.labels[found.exemplars]) == {"fear"}
    assert found.shift[PITCH] == pytest.approx(8.15, abs=1e-9)


def test_speakers_alike_come_first() -> None:
    voices = index()
    own = voices.neutral[-1]
    found = find_shift(target_of("sad"), voices, own, Retrieval(1, 0.0, 0.5, 0.0), nothing(voices))
    assert voices.speakers[found.exemplars].tolist() == ["s3"]
    assert distances(voices, own)[-1] == pytest.approx(0.0, abs=1e-9)


def test_typical_clips_come_first() -> None:
    voices = index()
    sure = np.linspace(0.0, 1.0, len(voices))
    found = find_shift(target_of("angry"), voices, voices.neutral[0], Retrieval(1, 1.0, 0.0, 0.0), lambda _: sure)
    assert voices.speakers[found.exemplars].tolist() == ["s3"]


def test_a_caricature_goes_away_from_the_others() -> None:
    voices = index()
    drawn = find_shift(
        target_of("fear"), voices, voices.neutral[0], Retrieval(4, 0.0, 0.1, 0.5), nothing(voices)
    ).shift[PITCH]
    others = np.mean([LIFTS[label] for label in ("anger", "happiness", "sadness")])
    assert drawn == pytest.approx(8.15 + 0.5 * (8.0 - others), abs=1e-6)


def test_half_an_emotion_is_half_the_shift() -> None:
    voices = index()
    half, whole = (
        find_shift(target_of(word), voices, voices.neutral[0], PLAIN, nothing(voices)).shift[PITCH]
        for word in ("sadness:0.5", "sadness")
    )
    assert half == pytest.approx(whole / 2)


def test_a_point_takes_what_lies_near() -> None:
    voices = index()
    found = find_shift(target_of("0.7,0.4"), voices, voices.neutral[0], PLAIN, nothing(voices))
    assert set(voices.labels[found.exemplars]) == {"happiness"}


def test_speakers_without_a_neutral_voice_do_not_count() -> None:
    voices = index()
    alone = voices.speakers == "s3"
    neutral = np.where(alone[:, None], np.nan, voices.neutral)
    lame = Voices(**{**voices.__dict__, "neutral": neutral})
    found = find_shift(target_of("sad"), lame, voices.neutral[-1], PLAIN, nothing(voices))
    assert "s3" not in voices.speakers[found.exemplars]
    assert np.isfinite(found.shift).all()


def test_a_small_index_does() -> None:
    voices = index({"anger": 6.0, "fear": 8.0})
    drawn = find_shift(target_of("fear"), voices, voices.neutral[0], Retrieval(4), nothing(voices)).shift[PITCH]
    assert drawn == pytest.approx(8.15 + 0.5 * 2.0, abs=1e-6)


def test_a_share_of_each_part_is_taken() -> None:
    whole = np.ones(len(NAMES))
    taken = Taken(pitch=0.5, course=0.25, voiced=0.75, unvoiced=0.0, voiced_movement=2.0, unvoiced_movement=1.0)
    part = taken.of(whole)
    assert part[PITCH] == 0.5
    assert part[PLACES["slope"]] == part[PLACES["spread"]] == 0.25
    assert part[PLACES["rate"]] == 1.0
    assert set(part[BANDS["voiced_mean"]]) == {0.75}
    assert set(part[BANDS["unvoiced_mean"]]) == {0.0}
    assert set(part[BANDS["voiced_spread"]]) == {2.0}


def test_what_the_index_lacks_is_said() -> None:
    voices = index({"anger": 6.0, "fear": 8.0})
    with pytest.raises(AffectgenError, match="no voice"):
        find_shift(target_of("sad"), voices, voices.neutral[0], PLAIN, nothing(voices))
    with pytest.raises(ValueError, match="exemplars"):
        Retrieval(exemplars=0)
