"""Whether a recording is speech or music: a logistic regression on how pitch, level and spectrum move.

Voices glide, and their level rises and falls with syllables, about four a second; notes stand still, and their spectra
change at once (Scheirer & Slaney, "Construction and evaluation of a robust multifeature speech/music discriminator",
1997). A long recording is judged by windows spread over it. Not trained on singing, noise or animals: what it says of
them means little.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.audio import f0, spectrum
from affectgen.audio.files import Samples, is_silent, resampled
from affectgen.audio.spectrum import RATE
from affectgen.errors import AudioError, CheckpointError
from affectgen.nn.checkpoint import load_checkpoint
from affectgen.recognize.speech_timing import SECOND, rhythm

Floats = NDArray[np.float64]

SPEECHNESS = "speechness"
VERSION = "1"
LEAST_SECONDS = 0.25
WINDOW = 4.0  # seconds that are judged at once
MOST_WINDOWS = 6
DECIDED = 12.0  # log-odds beyond this are no surer
OUTLIER = 4.0  # standard deviations
LOW = -20.0  # dB under the loud frames: such frames are many in speech
RHYTHM = ((0.5, 2.0), (2.0, 4.0), (4.0, 8.0), (8.0, 16.0), (16.0, 25.0))  # Hz
STILL, GLIDE = 0.1, 0.4  # semitones from frame to frame: what a note and a gliding voice do

NAMES = (
    "level_sd",
    "level_skew",
    "low_share",
    "level_rises",
    "flux_mean",
    "flux_sd",
    "flux_p90",
    "voiced_share",
    "strength_mean",
    "strength_sd",
    "run_mean",
    "still_share",
    "glide_share",
    "step_median",
    "centroid_sd",
    *(f"level_rhythm_{low:g}" for low, _ in RHYTHM),
    *(f"shape_rhythm_{low:g}" for low, _ in RHYTHM),
    *(f"band_sd_{k}" for k in range(0, spectrum.MEL_BANDS, 5)),
)


@dataclass(frozen=True)
class Speechness:
    """mean, sd: float64 [F], by which statistics are standardised; weight: float64 [F]; bias."""

    mean: Floats
    sd: Floats
    weight: Floats
    bias: float

    def log_odds(self, statistics: Floats) -> Floats:
        """Log-odds of speech, [N], of windows' statistics [N, F]."""
        rows = np.clip((statistics - self.mean) / self.sd, -OUTLIER, OUTLIER)
        return np.asarray(np.clip(rows @ self.weight + self.bias, -DECIDED, DECIDED))


def is_speech(samples: Samples, rate: int) -> float:
    """The probability that a mono recording is speech rather than music, 0 to 1.

    AudioError where it is shorter than 0.25 s, silent, not mono or holds what is no number.
    """
    parts = windows(samples, rate)
    odds = float(load_speechness().log_odds(np.stack([statistics(part) for part in parts])).mean())
    return 1.0 / (1.0 + float(np.exp(-odds)))


@lru_cache(maxsize=2)
def load_speechness(name: str | Path = SPEECHNESS) -> Speechness:
    """The shipped model, or the one in the folder `name`. CheckpointError if missing, damaged or of another kind."""
    found = load_checkpoint(name)
    if found.config.get("kind") != "speechness" or found.config.get("features") != list(NAMES):
        raise CheckpointError(
            f"{name} tells speech from music by other statistics than this version computes.",
            "Fit it again: python -m affectgen.recognize.speechness_fit",
        )
    stored = {key: value.astype(np.float64) for key, value in found.arrays().items()}
    return Speechness(stored["mean"], stored["sd"], stored["weight"], float(stored["bias"]))


def windows(samples: Samples, rate: int) -> list[Samples]:
    """Up to MOST_WINDOWS windows at RATE, spread evenly; silent ones are left out. AudioError as `is_speech`."""
    if samples.ndim != 1:
        raise AudioError(f"A recording must be mono, not of shape {samples.shape}.", "Average its channels.")
    if len(samples) < LEAST_SECONDS * rate:
        raise AudioError(
            f"The recording lasts {len(samples) / rate:.2f} s; at least {LEAST_SECONDS} s are needed.",
            "Give a longer one.",
        )
    if not np.isfinite(samples).all():
        raise AudioError("The recording holds samples that are no numbers.", "Write it anew.")
    size = round(WINDOW * rate)
    count = min(MOST_WINDOWS, max(1, len(samples) // size))
    starts = np.linspace(0, max(len(samples) - size, 0), count).astype(int)
    parts = [part for start in starts if not is_silent(part := samples[start : start + size])]
    if not parts:
        raise AudioError("The recording is silent.", "Give one with a sound.")
    return [resampled(part, rate, RATE) for part in parts]


def statistics(samples: Samples) -> Floats:
    """NAMES of one window at RATE, float64 [F]; none depends on its level."""
    clip = np.asarray(samples, dtype=np.float64)
    clip = clip - clip.mean()
    clip = clip / max(float(np.abs(clip).max()), 1e-9)
    power = spectrum.power_spectra(clip) + spectrum.FLOOR
    level = spectrum.decibels(spectrum.band_power(power, *spectrum.BAND))
    level = np.maximum(level - np.percentile(level, 95), -60.0)
    mel = np.maximum(spectrum.decibels(power @ spectrum.mel_filters().T), -70.0)
    shape = mel - mel.mean(axis=1, keepdims=True)
    loud = level > LOW
    flux = spectrum.flux(mel)[loud]
    found = [*_of_level(level), float(flux.mean()), float(flux.std()), float(np.percentile(flux, 90))]
    found += _of_pitch(f0.track(clip))
    found.append(float(np.log(spectrum.centroid(power)[loud]).std()))
    found += rhythm(level[:, None], RHYTHM) + rhythm(shape, RHYTHM)
    found += shape[loud].std(axis=0)[::5].tolist()
    return np.array(found)


def _of_level(level: Floats) -> list[float]:
    """level_sd, level_skew, low_share, level_rises."""
    spread = max(float(level.std()), 1e-3)
    skew = float((((level - level.mean()) / spread) ** 3).mean())
    change = np.diff(level, prepend=level[:1])
    return [spread, skew, float((level < LOW).mean()), float((change > 3.0).mean())]


def _of_pitch(pitch: f0.Pitch) -> list[float]:
    """voiced_share to step_median; middling values where nothing is voiced."""
    voiced = pitch.voiced
    step = np.abs(np.diff(pitch.semitones))
    step = step[np.isfinite(step)]
    runs = int((np.diff(voiced.astype(np.int8), prepend=0) == 1).sum())
    found = [float(voiced.mean()), float(pitch.strength.mean()), float(pitch.strength.std())]
    found.append(float(voiced.sum()) / SECOND / max(runs, 1))
    if not len(step):
        return [*found, 0.5, 0.2, 0.15]
    still, glide = float((step < STILL).mean()), float((step > GLIDE).mean())
    return [*found, still, glide, float(np.median(step))]
