"""The pitch of a voice over time: autocorrelation with a path through the candidates of all frames.

After Boersma, "Accurate short-term analysis of the fundamental frequency" (1993): the autocorrelation of a windowed
frame over that of its window, its highest peaks as candidates, and the cheapest path through them (Viterbi).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.files import Samples
from affectgen.audio.spectrum import RATE, frames_of

Floats = NDArray[np.float64]

LOWEST, HIGHEST = 65.0, 550.0  # Hz
FRAME = 508  # samples: three periods of the lowest pitch
FFT = 1024
CANDIDATES = 5
VOICED = 0.45  # least autocorrelation of a voiced frame
SILENCE = 0.03  # of the loudest frame's peak: below, a frame is likely unvoiced
OCTAVE = 0.01  # how much a candidate is favoured for each octave upwards
JUMP = 0.35  # what an octave's jump from frame to frame costs
SWITCH = 0.14  # what a change between voiced and unvoiced costs


@dataclass(frozen=True)
class Pitch:
    """hertz: float64 [T], 0 where unvoiced; strength: float64 [T], the autocorrelation at the chosen period, 0 to 1."""

    hertz: Floats
    strength: Floats

    @property
    def voiced(self) -> NDArray[np.bool_]:
        """Where there is a pitch, bool [T]."""
        return self.hertz > 0

    @property
    def semitones(self) -> Floats:
        """Semitones above 27.5 Hz, nan where unvoiced, [T]."""
        return np.where(self.voiced, 12 * np.log2(np.maximum(self.hertz, 1.0) / 27.5), np.nan)


def track(samples: Samples | Floats) -> Pitch:
    """The pitch of mono samples at RATE, one value each HOP samples."""
    frames = frames_of(samples, FRAME)
    frames = frames - frames.mean(axis=1, keepdims=True)
    peak = np.abs(frames).max(axis=1)
    loudness = peak / max(float(peak.max()), 1e-12)
    place, strength = _candidates(_autocorrelation(frames))
    unvoiced = VOICED + np.maximum(0.0, 2 - loudness / SILENCE / (1 + VOICED))
    return _best_path(place, strength, unvoiced)


def _autocorrelation(frames: Floats) -> Floats:
    """Normalised autocorrelation at lags 0 to RATE / LOWEST + 1 of each frame, corrected for the window, [T, lags]."""
    window = np.hanning(FRAME)
    lags = int(RATE / LOWEST) + 2
    spectrum = np.fft.rfft(frames * window, FFT, axis=1)
    raw = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, FFT, axis=1)[:, :lags]
    own = np.fft.irfft(np.abs(np.fft.rfft(window, FFT)) ** 2, FFT)[:lags]
    return raw / np.maximum(raw[:, :1], 1e-12) / (own / own[0])


def _candidates(correlation: Floats) -> tuple[Floats, Floats]:
    """(Hz, strength) of the highest peaks of each frame, [T, CANDIDATES] each; strength -inf where there are fewer."""
    first = int(RATE / HIGHEST)
    left, middle, right = correlation[:, first - 1 : -2], correlation[:, first:-1], correlation[:, first + 1 :]
    lags = np.arange(first, first + middle.shape[1])
    is_peak = (middle > left) & (middle >= right) & (middle > 0.5 * VOICED)
    score = np.where(is_peak, middle - OCTAVE * np.log2(LOWEST * lags / RATE), -np.inf)
    best = np.argpartition(-score, CANDIDATES - 1, axis=1)[:, :CANDIDATES]
    before, at, after = (np.take_along_axis(part, best, axis=1) for part in (left, middle, right))
    bend = before - 2 * at + after
    shift = np.where(bend < -1e-9, 0.5 * (before - after) / np.minimum(bend, -1e-9), 0.0)
    height = np.minimum(at - 0.25 * (before - after) * shift, 1.0)
    known = np.isfinite(np.take_along_axis(score, best, axis=1))
    hertz = RATE / (lags[best] + np.clip(shift, -0.5, 0.5))
    return np.where(known, hertz, LOWEST), np.where(known, height, -np.inf)


def _best_path(hertz: Floats, strength: Floats, unvoiced: Floats) -> Pitch:
    """The path of least cost through the candidates and the choice of no pitch (last column)."""
    count, none = hertz.shape
    gain = np.c_[strength + OCTAVE * np.log2(hertz / LOWEST), unvoiced]
    octaves = np.log2(hertz)
    back = np.zeros((count, none + 1), dtype=np.int64)
    total = gain[0]
    columns = np.arange(none + 1)
    cost = np.full((none + 1, none + 1), SWITCH)
    cost[none, none] = 0.0
    for frame in range(1, count):
        cost[:none, :none] = JUMP * np.abs(octaves[frame - 1][:, None] - octaves[frame])
        step = total[:, None] - cost  # [from, to]
        back[frame] = step.argmax(axis=0)
        total = step[back[frame], columns] + gain[frame]
    path = np.empty(count, dtype=np.int64)
    path[-1] = int(total.argmax())
    for frame in range(count - 1, 0, -1):
        path[frame - 1] = back[frame, path[frame]]
    rows, has = np.arange(count), path < none
    chosen = np.minimum(path, none - 1)
    best = np.where(np.isfinite(strength[rows, chosen]), strength[rows, chosen], 0.0)
    return Pitch(np.where(has, hertz[rows, chosen], 0.0), np.where(has, best, 0.0).clip(0.0, 1.0))
