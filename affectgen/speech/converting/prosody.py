"""What is kept of how something was said: pitch, pace, roughness, and the level of each band of the spectrum.

One vector a recording, read without a transcript and in any language. What differs between a speaker's neutral voice
and the same voice in an emotion is a *shift*: the difference of two such vectors, which another voice can be given
(`affectgen.speech.converting.transfer`). Levels are in dB below the recording's own loud frames, so nothing depends on
its level.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.audio import f0, spectrum, voice
from affectgen.audio.files import Samples, is_silent, resampled
from affectgen.audio.spectrum import HOP, MEL_BANDS, RATE
from affectgen.errors import AudioError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

PROSODY_VERSION = "1"
ACTIVE = -35.0  # dB below the loud frames: below, a frame is a pause
LOUD = 95.0  # percentile of the frames' levels that stands for 0 dB
LEAST_VOICED = 5  # frames
LEAST_SECONDS = 0.25
SPREAD = 2.563  # standard deviations between the tenth and the ninetieth percentile of a normal distribution
COURSE = (
    "pitch",  # median, semitones above 27.5 Hz
    "spread",  # of the pitch: a robust standard deviation, semitones
    "slope",  # of the pitch, semitones a second
    "end",  # median of the last third of the voiced frames less that of the first, semitones
    "step",  # mean change of the pitch from frame to frame, semitones
    "rate",  # syllable nuclei a second
    "pauses",  # share of pauses between the first and the last sound
    "voiced",  # share of voiced frames in the others
    "jitter", "shimmer",  # log of the mean relative change of periods; dB between neighbouring periods
    "dynamics",  # standard deviation of the level, dB
)  # fmt: skip
PARTS = ("voiced_mean", "voiced_spread", "unvoiced_mean", "unvoiced_spread")
NAMES = (*COURSE, *(f"{part}{band}" for part in PARTS for band in range(MEL_BANDS)))
PLACES = {name: place for place, name in enumerate(COURSE)}
BANDS = {
    part: slice(len(COURSE) + place * MEL_BANDS, len(COURSE) + (place + 1) * MEL_BANDS)
    for place, part in enumerate(PARTS)
}  # fmt: skip


@dataclass(frozen=True)
class Course:
    """A recording frame by frame, HOP at RATE. pitch: of each frame; bands: mel bands in dB, [T, MEL_BANDS], and level:
    dB, [T], both below the loud frames; clip: the samples read, float64 at RATE."""

    pitch: f0.Pitch
    bands: Floats
    level: Floats
    clip: Floats

    @property
    def active(self) -> Bools:
        """Frames that are no pauses, [T]."""
        return np.asarray(self.level > ACTIVE)

    def at(self, seconds: NDArray[np.floating]) -> NDArray[np.int64]:
        """The frames nearest to moments, [K]."""
        return np.clip(np.rint(seconds * RATE / HOP).astype(np.int64), 0, len(self.level) - 1)


def follow(samples: Samples | Floats, rate: int) -> Course:
    """A mono recording frame by frame. AudioError where it is silent, too short or holds what is no number."""
    if len(samples) < LEAST_SECONDS * rate:
        text = f"The recording lasts {len(samples) / rate:.2f} s; a voice is read from {LEAST_SECONDS} s on."
        raise AudioError(text, "Give a longer one.")
    plain = np.asarray(samples, dtype=np.float32)
    if not np.isfinite(plain).all():
        raise AudioError("The recording holds samples that are no numbers.", "Write it anew.")
    if is_silent(plain):
        raise AudioError("The recording is silent.", "Give one with a voice.")
    clip = np.asarray(resampled(plain, rate, RATE), dtype=np.float64)
    clip = (clip - clip.mean()) / max(float(np.abs(clip).max()), 1e-9)
    power = spectrum.power_spectra(clip)
    bands = spectrum.decibels(power @ spectrum.mel_filters().T)
    level = spectrum.decibels(spectrum.band_power(power, *spectrum.BAND))
    loud = float(np.percentile(level, LOUD))
    return Course(f0.track(clip), bands - loud, level - loud, clip)


def measure(samples: Samples | Floats, rate: int) -> Floats:
    """NAMES of a mono recording, float64 [P]. AudioError as `follow`, and where no voice is heard."""
    return summed_up(follow(samples, rate))


def summed_up(course: Course) -> Floats:
    """NAMES of a recording, float64 [P]. AudioError where no voice is heard."""
    active = course.active
    voiced = course.pitch.voiced & active
    if voiced.sum() < LEAST_VOICED:
        raise AudioError("No voice is heard in the recording.", "Give one in which somebody speaks.")
    unvoiced = active & ~course.pitch.voiced
    other = course.bands[unvoiced if unvoiced.sum() >= LEAST_VOICED else active]
    spoken = course.bands[voiced]
    return np.concatenate(
        [_course(course, voiced), spoken.mean(axis=0), spoken.std(axis=0), other.mean(axis=0), other.std(axis=0)]
    )


def _course(course: Course, voiced: Bools) -> Floats:
    """COURSE of a recording."""
    active, tones = course.active, course.pitch.semitones[voiced]
    places = np.flatnonzero(active)
    first, last = int(places[0]), int(places[-1]) + 1
    level = np.where(active, course.level, ACTIVE)[first:last]
    syllables = voice.nuclei(level, course.pitch.voiced[first:last])
    rough = voice.roughness(course.clip, course.pitch)
    time = np.flatnonzero(voiced) * HOP / RATE
    time = time - time.mean()
    low, high = np.percentile(tones, (10, 90))
    third = max(1, len(tones) // 3)
    found = {
        "pitch": np.median(tones),
        "spread": (high - low) / SPREAD,
        "slope": (tones * time).sum() / max(float((time**2).sum()), 1e-3),
        "end": np.median(tones[-third:]) - np.median(tones[:third]),
        "step": np.abs(np.diff(tones)).mean(),
        "rate": len(syllables) / ((last - first) * HOP / RATE),
        "pauses": 1 - active[first:last].mean(),
        "voiced": voiced.sum() / len(places),
        "jitter": np.log(rough.jitter + 1e-3),
        "shimmer": rough.shimmer,
        "dynamics": course.level[active].std(),
    }
    return np.array([float(found[name]) for name in COURSE])
