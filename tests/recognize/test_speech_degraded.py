"""Recordings made worse in known ways."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from affectgen.audio.spectrum import RATE
from affectgen.errors import AffectgenError
from affectgen.recognize.speech_corpus import LABELS, Clip, label_points
from affectgen.recognize.speech_degraded import (
    UNHEARD,
    babblers,
    by_mobile,
    by_telephone,
    clipped,
    damaged,
    damages,
    some_of,
    with_babble,
    with_noise,
)


def tone(hertz: float) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE)).astype(np.float32)


VOICES = tuple(tone(hertz) for hertz in (110, 140, 190, 230))


def power(samples: np.ndarray) -> float:
    return float((samples.astype(np.float64) ** 2).mean())


@pytest.mark.parametrize("pink", [False, True])
@pytest.mark.parametrize("ratio", [10.0, 20.0, 30.0])
def test_noise_lies_the_stated_decibels_below(ratio: float, pink: bool) -> None:
    clean = tone(200)
    noise = with_noise(clean, ratio, 0, pink) - clean
    assert 10 * np.log10(power(clean) / power(noise)) == pytest.approx(ratio, abs=0.3)


def test_babble_lies_the_stated_decibels_below_and_differs_by_seed() -> None:
    clean = tone(200)
    first, second = (with_babble(clean, 15.0, seed, VOICES) - clean for seed in (0, 1))
    assert 10 * np.log10(power(clean) / power(first)) == pytest.approx(15.0, abs=0.1)
    assert not np.allclose(first, second)


def test_a_telephone_keeps_only_its_band() -> None:
    assert power(by_telephone(tone(1000))) > 0.8 * power(tone(1000))
    for hertz in (80, 4500):
        assert power(by_telephone(tone(hertz))) < 0.02 * power(tone(hertz))
    assert power(by_mobile(tone(4500))) < 0.05 * power(tone(4500))


def test_clipping_cuts_the_peaks_only() -> None:
    cut = clipped(tone(200))
    assert np.abs(cut).max() == pytest.approx(0.15, abs=1e-3)
    low = np.abs(tone(200)) < 0.1
    np.testing.assert_array_equal(cut[low], tone(200)[low])


def test_all_keep_the_length_and_change_something() -> None:
    clean = tone(300)
    tried = {damage.name: damage.make(clean, 3) for damage in damages(VOICES)}
    assert set(UNHEARD) <= set(tried)
    for name, made in tried.items():
        assert made.shape == clean.shape, name
        assert np.isfinite(made).all(), name
        assert not np.allclose(made, clean), name


def test_babblers_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(AffectgenError, match="holds no clips"):
        babblers(tmp_path)


def vowel(file: Path, seed: int) -> Clip:
    """A clip of a made-up voice at `file`."""
    time = np.arange(16000) / 16000
    chance = np.random.default_rng(seed)
    buzz = sum(np.sin(2 * np.pi * (150 + 10 * seed) * k * time) / k for k in range(1, 20))
    sound = buzz * (0.3 + 0.2 * np.sin(2 * np.pi * 3 * time)) + 0.001 * chance.normal(size=len(time))
    file.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(file, 0.3 * sound, 16000)
    shares = np.eye(len(LABELS))[0]
    return Clip(f"emo_db/{file.name}", "emo_db", "emo_db/03", "m", "anger", shares, label_points()[0], file)


def test_each_damage_has_a_table_and_a_cache_gives_it_again(tmp_path: Path) -> None:
    vowel(tmp_path / "ljspeech" / "flac" / "a.flac", 1)
    clips = [vowel(tmp_path / f"{n}.flac", n) for n in (2, 3)]
    tables = damaged(clips, tmp_path, tmp_path / "cache.npz")
    assert set(tables) == {damage.name for damage in damages(VOICES)}
    assert all(len(table) == 2 for table in tables.values())
    again = damaged([replace(clip, file=tmp_path / "gone.flac") for clip in clips], tmp_path, tmp_path / "cache.npz")
    for name, table in tables.items():
        np.testing.assert_array_equal(table.features, again[name].features)
    assert not np.allclose(tables["telephone"].features, tables["room"].features, equal_nan=True)


def test_some_are_emo_db_whole_and_few_of_crema_d_from_the_judges_speakers() -> None:
    made = [Clip(f"emo_db/{n}", "emo_db", "emo_db/03", "m", "anger", np.eye(7)[0], np.zeros(2), Path()) for n in "ab"]
    for actor in ("1003", "1004"):
        speaker = f"crema_d/{actor}"
        for n in range(10):
            made.append(Clip(f"{speaker}/{n}", "crema_d", speaker, "f", "anger", np.eye(7)[0], np.zeros(2), Path()))
    kept = some_of(made, 5)
    assert [clip.name for clip in kept] == ["emo_db/a", "emo_db/b", "crema_d/1003/0", "crema_d/1003/5"]
