"""What is measured of the phones of a take, and which phones of two takes of a sentence belong together.

Of each phone: pitch and its movement, length, level, and the shape of the spectrum as the first cepstra of its mel
bands (`affectgen.audio.spectrum`). What a recording's own gain sets is left out: levels are relative to the take.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from affectgen.audio import f0, spectrum
from affectgen.audio.files import Samples, resampled
from affectgen.speech.aligning.alignment import FRICATIVES, PHONES, SILENCE, SONORANTS, STOPS, VOWELS, Alignment

Floats = NDArray[np.float64]

SHAPES = 8  # cepstra that stand for the shape of a spectrum
COLUMNS = ("level", "slope", "length", "energy", *(f"shape{number}" for number in range(1, SHAPES + 1)), "pause")
LEVEL, SLOPE, LENGTH, ENERGY, SHAPE, PAUSE = 0, 1, 2, 3, 4, 4 + SHAPES
NAMES = (SILENCE, *sorted(PHONES))
CLASSES = (VOWELS, SONORANTS, FRICATIVES, STOPS)  # of sounds; silences are none
LEAST_PAUSE = 0.05  # seconds that are added to a pause before its logarithm is taken
STEEPEST = 12.0  # semitones that the pitch moves within one phone at most; beyond it is a fault of the tracker
HOP_SECONDS = spectrum.HOP / spectrum.RATE


@dataclass(frozen=True)
class Take:
    """The phones of one recording without silences. names [P]; word: int64 [P], the place of the word that each is of;
    last: bool [P], where a word ends; values: float64 [P, 13], COLUMNS, nan where one has no meaning.

    level: semitones above 27.5 Hz, the median of the voiced frames; slope: semitones from its start to its end; length:
    log of seconds; energy: dB over the take's loud frames; shapes: cepstra of mel bands in dB; pause: of the last phone
    of a word, log of the seconds of silence behind it and 0.05 s; nan behind the last word.
    """

    names: tuple[str, ...]
    word: NDArray[np.int64]
    last: NDArray[np.bool_]
    values: Floats

    def __len__(self) -> int:
        return len(self.names)

    @property
    def middle(self) -> float:
        """The median pitch of its phones, semitones above 27.5 Hz; nan where none is voiced."""
        level = self.values[:, LEVEL]
        return float(np.median(level[np.isfinite(level)])) if np.isfinite(level).any() else float("nan")


def measure(samples: Samples, rate: int, alignment: Alignment) -> Take:
    """Measure a mono recording whose phones are known. Those of words without phones do not count."""
    clip = np.asarray(resampled(samples, rate, spectrum.RATE), dtype=np.float64)
    clip = clip / max(float(np.abs(clip).max()), 1e-9)
    pitch = f0.track(clip)
    power = spectrum.power_spectra(clip)
    shapes = spectrum.cepstra(spectrum.decibels(power @ spectrum.mel_filters().T))[:, 1 : 1 + SHAPES]
    level = spectrum.decibels(spectrum.band_power(power, *spectrum.BAND))
    level = level - np.percentile(level, 95)
    names, word, last, values = [], [], [], []
    spoken = [one for one in alignment.words if one.phones]
    for number, one in enumerate(spoken):
        for place, phone in enumerate(one.phones):
            frames = _frames(phone.start, phone.end, len(level))
            ends = place == len(one.phones) - 1
            row = [*_pitch(pitch.semitones[frames]), np.log(max(phone.seconds, 0.01)), level[frames].mean()]
            gap = spoken[number + 1].start - one.end if ends and number + 1 < len(spoken) else np.nan
            values.append([*row, *shapes[frames].mean(axis=0), np.log(LEAST_PAUSE + max(gap, 0.0))])
            names.append(phone.name)
            word.append(number)
            last.append(ends)
    found = np.array(values, dtype=np.float64).reshape(-1, len(COLUMNS))
    return Take(tuple(names), np.array(word, dtype=np.int64), np.array(last, dtype=bool), found)


def _frames(start: float, end: float, count: int) -> slice:
    """The frames whose middles lie within a stretch, at least one."""
    first = min(max(int(np.ceil(start / HOP_SECONDS)), 0), count - 1)
    return slice(first, max(first + 1, min(int(np.ceil(end / HOP_SECONDS)), count)))


def _pitch(semitones: Floats) -> tuple[float, float]:
    """(level, slope) of the frames of a phone; nan where fewer than two, or three, are voiced."""
    at = np.flatnonzero(np.isfinite(semitones))
    if len(at) < 2:
        return float("nan"), float("nan")
    level = float(np.median(semitones[at]))
    if len(at) < 3:
        return level, float("nan")
    centred = at - at.mean()
    slope = float(centred @ semitones[at] / (centred @ centred)) * (len(semitones) - 1)
    return level, float(np.clip(slope, -STEEPEST, STEEPEST))


def matched(one: Take, other: Take) -> NDArray[np.int64]:
    """For each phone of a take the place of the same phone in another take of the same words, -1 where it has none."""
    found = np.full(len(one), -1, dtype=np.int64)
    for number in np.unique(one.word):
        here, there = np.flatnonzero(one.word == number), np.flatnonzero(other.word == number)
        match = SequenceMatcher(None, [one.names[n] for n in here], [other.names[n] for n in there], autojunk=False)
        for block in match.get_matching_blocks():
            for step in range(block.size):
                found[here[block.a + step]] = there[block.b + step]
    return found


def differences(neutral: Take, felt: Take) -> Floats:
    """By how much the phones of the neutral take change in the other, float64 [P, 13]; nan where it is not known."""
    places = matched(neutral, felt)
    found = np.where(places[:, None] >= 0, felt.values[places] - neutral.values, np.nan)
    return np.asarray(found, dtype=np.float64)


def class_of(names: Sequence[str]) -> NDArray[np.int64]:
    """The place of each phone's class in CLASSES, [P]; -1 for a silence."""
    known = {name: place for place, kind in enumerate(CLASSES) for name in kind}
    return np.array([known.get(name, -1) for name in names], dtype=np.int64)
