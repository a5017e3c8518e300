"""Against Praat (parselmouth, of the dev extra): pitch on real clips, and changes as Praat measures them."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from lacking import missing
from made_voices import sentence

from affectgen.audio.envelope import warped
from affectgen.audio.glottal import analyse
from affectgen.audio.psola import HOP, Change, changed

HIGH, LOW = 550.0, 65.0  # Hz
CORPORA = ("crema_d", "emo_db", "ljspeech")


@pytest.fixture(scope="module", autouse=True)
def _praat() -> None:
    if importlib.util.find_spec("parselmouth") is None:
        missing("parselmouth is not installed")


def praat_pitch(sound: np.ndarray, rate: int, count: int, low: float = LOW, high: float = HIGH) -> np.ndarray:
    """Hz of each frame, nan where unvoiced or more than 20 dB softer than the loudest: some rooms hum."""
    from parselmouth import Sound

    found = Sound(sound, rate).to_pitch_ac(time_step=HOP, pitch_floor=low, pitch_ceiling=high)
    hertz = np.array([found.get_value_at_time(frame * HOP) for frame in range(count)])
    size = int(2 * HOP * rate)
    padded = np.pad(sound, size)
    power = [(padded[middle : middle + 2 * size] ** 2).mean() for middle in (np.arange(count) * HOP * rate).astype(int)]
    return np.where(np.array(power) > max(power) / 100, hertz, np.nan)


def praat_formants(sound: np.ndarray, rate: int, frames: np.ndarray, top: float = 5000.0) -> np.ndarray:
    from parselmouth import Sound

    found = Sound(sound, rate).to_formant_burg(time_step=HOP, maximum_formant=top)
    return np.array([[found.get_value_at_time(number, frame * HOP) for number in (1, 2, 3)] for frame in frames])


def some_clips(data: Path, corpus: str, count: int) -> list[tuple[np.ndarray, int]]:
    """Clips of speakers whom no figure is measured on."""
    import soundfile

    from affectgen.speech.split import part_of

    with (data / corpus / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if not row["flag"] and float(row["dur_s"]) < 4]
    rows = [row for row in rows if part_of(f"{corpus}/{row['speaker']}") in ("training", "development")]
    return [soundfile.read(data / corpus / row["file"]) for row in rows[:: len(rows) // count][:count]]


def made_clips() -> list[tuple[np.ndarray, int]]:
    return [(sentence(rate, seed), rate) for seed, rate in enumerate((8000, 16000, 44100))]


@pytest.fixture(params=["made", *CORPORA])
def clips(request: pytest.FixtureRequest) -> list[tuple[np.ndarray, int]]:
    """Made voices, which are always there, and real ones where the data are."""
    if request.param == "made":
        return made_clips()
    return some_clips(request.getfixturevalue("real_data"), request.param, 3)


def cents(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    both = np.isfinite(found) & np.isfinite(wanted) & (np.nan_to_num(wanted) > 0) & (np.nan_to_num(found) > 0)
    return 1200 * np.log2(found[both] / wanted[both])


def test_the_pitch_is_the_one_that_praat_finds(clips: list[tuple[np.ndarray, int]]) -> None:
    off, differ = [], []
    for sound, rate in clips:
        hertz = analyse(sound, rate).hertz
        praats = praat_pitch(sound, rate, len(hertz))
        off.append(cents(hertz, praats))
        differ.append((hertz == 0) & np.isfinite(praats))
    every = np.concatenate(off)
    assert abs(np.median(every)) < 1  # no bias
    assert np.median(np.abs(every)) < 4
    assert (np.abs(every) > 300).mean() < 0.04
    assert np.concatenate(differ).mean() < 0.05


def test_marks_are_as_far_apart_as_praats_pitch_says(clips: list[tuple[np.ndarray, int]]) -> None:
    off = []
    for sound, rate in clips:
        voice = analyse(sound, rate)
        praats = praat_pitch(sound, rate, len(voice.hertz))
        inner = voice.voiced[1:] & voice.voiced[:-1]
        middle = (voice.places[1:] + voice.places[:-1])[inner] / (2 * rate * HOP)
        frames = np.minimum(np.rint(middle).astype(int), len(praats) - 1)
        off.append(cents(rate / np.diff(voice.places)[inner], praats[frames]))
    every = np.concatenate(off)
    assert abs(np.median(every)) < 6
    assert np.median(np.abs(every)) < 30  # single periods of real voices


@pytest.mark.parametrize("factor", [0.6, 1.25, 2.0])
def test_praat_hears_the_pitch_that_was_asked_for(clips: list[tuple[np.ndarray, int]], factor: float) -> None:
    off, drift = [], []
    for sound, rate in clips:
        voice = analyse(sound, rate)
        count = len(voice.hertz)
        result = changed(voice, Change.even(count, pitch=factor))
        before = praat_pitch(sound, rate, count)
        agreed = np.abs(np.log2(np.maximum(voice.hertz, 1) / before)) < 1 / 12
        before = np.where(agreed & (before * factor > 55), before, np.nan)  # below, creak
        after = praat_pitch(result, rate, count, LOW * min(factor, 1), HIGH * max(factor, 1))
        off.append(cents(after, factor * before))
        frames = np.flatnonzero(np.isfinite(before) & np.isfinite(after))
        drift.append(np.abs(np.log2(praat_formants(result, rate, frames) / praat_formants(sound, rate, frames))))
    every = np.concatenate(off)
    fine = np.abs(every)[np.abs(every) <= 300]
    assert np.median(fine) < 12
    assert len(fine) / len(every) > 0.96
    assert np.nanmedian(np.concatenate(drift)) < (0.06 if factor < 1.9 else 0.1)  # Praat's own change: as much


@pytest.mark.parametrize("factor", [0.88, 1.12])
def test_praat_hears_the_formants_move(clips: list[tuple[np.ndarray, int]], factor: float) -> None:
    moved = []
    for sound, rate in clips:
        voice = analyse(sound, rate)
        result = warped(sound, rate, np.full(len(voice.hertz), factor), hertz=voice.hertz)
        frames = np.flatnonzero(voice.hertz > 0)
        new, old = praat_formants(result, rate, frames, 4500 * factor), praat_formants(sound, rate, frames, 4500)
        moved.append(new / old)
    assert np.nanmedian(np.concatenate(moved)) == pytest.approx(factor, abs=0.03)
