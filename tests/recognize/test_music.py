"""The shipped recognisers of music as sound: plain cases, faults, long recordings, and what they were fitted on."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from affectgen.audio.mel import RATE
from affectgen.audio.synth import Voice, render
from affectgen.errors import AudioError
from affectgen.recognize.music import (
    MusicRecogniser,
    load_music_guide,
    load_music_judge,
    load_music_recogniser,
)
from affectgen.score.notes import NoteArray

LOADERS = {"judge": load_music_judge, "guide": load_music_guide, "recogniser": load_music_recogniser}
MAJOR, MINOR = (0, 4, 7, 12), (0, 3, 7, 12)


@lru_cache
def arpeggios(chord: tuple[int, ...], per_second: float, velocity: int, seconds: float = 10.0) -> np.ndarray:
    """A broken chord over a bass note every two seconds, as the project's synthesiser plays it."""
    onset = np.arange(0, seconds - 0.5, 1 / per_second)
    pitch = 57 + np.array([chord[index % len(chord)] for index in range(len(onset))])
    bass = np.arange(0, seconds - 1, 2.0)
    notes = NoteArray.of(
        np.r_[onset, bass],
        np.r_[np.full(len(onset), 0.9 / per_second), np.full(len(bass), 1.9)],
        np.r_[pitch, np.full(len(bass), 45)],
        np.r_[np.full(len(onset), velocity), np.full(len(bass), velocity)],
    )
    return render(notes, Voice(), RATE)


@pytest.fixture(scope="module", params=LOADERS)
def ear(request: pytest.FixtureRequest) -> MusicRecogniser:
    return LOADERS[request.param]()


def test_fast_reads_more_aroused_than_slow(ear: MusicRecogniser) -> None:
    fast, slow = ear.read([arpeggios(MAJOR, 9.0, 105), arpeggios(MAJOR, 1.5, 40)], RATE)
    assert fast.affect.arousal > slow.affect.arousal + 0.4


def test_major_reads_more_pleasant_than_minor(ear: MusicRecogniser) -> None:
    major, minor = ear.read([arpeggios(MAJOR, 4.0, 75), arpeggios(MINOR, 4.0, 75)], RATE)
    assert major.affect.valence > minor.affect.valence + 0.1


def test_a_reading_is_whole(ear: MusicRecogniser) -> None:
    reading = ear.read([arpeggios(MAJOR, 4.0, 75)], RATE)[0]
    assert sum(reading.quadrants) == pytest.approx(1.0)
    for axis, value in enumerate((reading.affect.valence, reading.affect.arousal)):
        assert -1 <= reading.low[axis] <= value <= reading.high[axis] <= 1


def test_neither_level_nor_rate_matters_much(ear: MusicRecogniser) -> None:
    import soxr

    sound = arpeggios(MINOR, 3.0, 70, 10.0)
    wanted = ear.read([sound], RATE)[0].affect
    for changed, rate in ((sound * np.float32(0.02), RATE), (soxr.resample(sound, RATE, 44100), 44100)):
        assert ear.read([changed], rate)[0].affect.distance(wanted) < 0.25


@pytest.mark.parametrize(
    ("sound", "words"),
    [
        (np.zeros(RATE, dtype=np.float32), "silent"),
        (np.ones(RATE // 4, dtype=np.float32), "too short"),
        (np.zeros(0, dtype=np.float32), "too short"),
        (np.full(RATE, np.nan, dtype=np.float32), "no numbers"),
        (np.ones((RATE, 2), dtype=np.float32), "mono"),
    ],
)
def test_what_cannot_be_read_is_said(ear: MusicRecogniser, sound: np.ndarray, words: str) -> None:
    with pytest.raises(AudioError, match=words):
        ear.read([sound], RATE)


def test_noise_and_a_sine_read_neutral_and_uncertain(ear: MusicRecogniser) -> None:
    chance, clock = np.random.default_rng(0), np.arange(5 * RATE) / RATE
    noise = chance.normal(0, 0.1, 5 * RATE).astype(np.float32)
    sine = (0.4 * np.sin(2 * np.pi * 440 * clock)).astype(np.float32)
    for reading in ear.read([noise, sine], RATE):
        assert (reading.affect.valence, reading.affect.arousal) == (0, 0)
        assert reading.uncertainty == 1
        assert set(reading.quadrants) == {0.25}


def test_half_a_second_and_loud_clipping_have_an_answer(ear: MusicRecogniser) -> None:
    sound = np.clip(arpeggios(MAJOR, 6.0, 90, 5.0) * 50, -1, 1)
    for part in (sound, sound[: RATE // 2]):
        assert np.isfinite(ear.read([part], RATE)[0].affect.valence)


def test_a_long_recording_is_the_mean_of_its_windows(ear: MusicRecogniser) -> None:
    parts = [arpeggios(MAJOR, 8.0, 100, 30.5)[: 30 * RATE], arpeggios(MINOR, 1.5, 40, 30.5)[: 30 * RATE]]
    levelled = [part / np.abs(part).max() for part in parts]
    apart = ear.read(levelled, RATE)
    whole = ear.read([np.concatenate([*levelled, np.zeros(2 * RATE, dtype=np.float32)])], RATE)[0]
    for axis in ("valence", "arousal"):
        expected = np.mean([getattr(one.affect, axis) for one in apart])
        assert getattr(whole.affect, axis) == pytest.approx(expected, abs=1e-6)


def test_thirty_seconds_are_read_in_time() -> None:
    ear, sound = load_music_recogniser(), arpeggios(MAJOR, 6.0, 90, 30.0)
    ear.read([sound], RATE)  # what is imported and built at first use
    started = time.process_time()
    ear.read([sound], RATE)
    assert time.process_time() - started < 1.5


def test_reading_needs_neither_torch_nor_librosa_nor_sklearn() -> None:
    code = (
        "import sys, numpy as np\n"
        "from affectgen.recognize.music import load_music_recogniser\n"
        "load_music_recogniser().read([np.sin(np.arange(16000) / 9).astype('f')], 16000)\n"
        "found = {'torch', 'librosa', 'sklearn'} & set(sys.modules)\n"
        "assert not found, found\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_judge_has_heard_no_song_of_the_guide(top: Path, real_data: Path) -> None:
    rows = [line.split(",") for line in (real_data / "emopia" / "clips.csv").read_text().splitlines()[1:]]
    train, val = ({row[1] for row in rows if row[4] == split} for split in ("train", "val"))
    songs = {
        what: set(json.loads((top / "checkpoints" / f"music-{what}" / "config.json").read_text())["songs"])
        for what in LOADERS
    }
    assert songs["judge"] == val
    assert songs["guide"] == train
    assert not songs["judge"] & songs["guide"]
    assert songs["recogniser"] == train | val


def test_what_the_guide_reaches_on_an_unheard_renderer(top: Path) -> None:
    """Bars: arousal .86, valence .66; a fit that falls back does not pass."""
    figures = json.loads((top / "checkpoints" / "music-guide" / "config.json").read_text())["figures"]
    assert figures["clips musescore plain"] > 150
    assert figures["arousal musescore plain"] >= 0.86
    assert figures["valence musescore plain"] >= 0.72
    for axis in ("valence", "arousal"):
        assert 0.75 <= figures[f"coverage_{axis} musescore plain"] <= 0.85
