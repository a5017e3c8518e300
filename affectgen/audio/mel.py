"""What a listening network sees of sound: bands of one semitone and mel bands, in decibels below the loudest moment.

Semitone bands come from spectra over three lengths of time, the lowest notes from the longest, so that neighbours stand
apart down to the bass and onsets stay sharp in the treble (a constant-Q transform in short: Brown, JASA 1991).
Mel bands (Davis & Mermelstein 1980; the triangles of librosa's `filters.mel(htk=True)`) tell timbre and onsets. Levels
count from the loudest band of the recording, so that how loud it was recorded is no evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.files import Samples
from affectgen.audio.spectrum import mel_triangles

Levels = NDArray[np.uint8]
Floats32 = NDArray[np.float32]

RATE = 16000  # samples a second
HOP = 800  # samples: 50 ms, the grid on which music is judged
LOWEST = 21  # MIDI key of the first semitone band, a piano's lowest
SEMITONES = 98  # up to 7.5 kHz: the highest key of a piano, and overtones
WINDOWS = ((8192, LOWEST, 52), (4096, 52, 68), (2048, 68, LOWEST + SEMITONES))  # (samples, first key, key after last)
MEL_WINDOW = 1024
MELS = 40
MEL_BAND = (40.0, 7800.0)  # Hz
STEP = 0.3  # dB a level
TOP = 255  # the loudest band; 0 is 76.5 dB below it, or less
FLOOR = 1e-12


@dataclass(frozen=True)
class Picture:
    """semitones: uint8 [T, SEMITONES]; mel: uint8 [T, MELS]; one frame every 50 ms, levels of 0.3 dB up to 255."""

    semitones: Levels
    mel: Levels

    def __len__(self) -> int:
        return len(self.semitones)

    def between(self, start: float, stop: float) -> Picture:
        """The frames from start to stop seconds."""
        first, last = round(start * RATE / HOP), round(stop * RATE / HOP)
        return Picture(self.semitones[first:last], self.mel[first:last])


def picture(samples: Samples) -> Picture:
    """Bands of samples at RATE, frames centred on 0, 50, 100 ms, ...; a recording of silence is 0 everywhere."""
    parts = []
    for size, first, last in WINDOWS:
        parts.append(_power(samples, size) @ _semitone_filters(size, first, last))
    return Picture(_levels(np.concatenate(parts, axis=1)), _levels(_power(samples, MEL_WINDOW) @ mel_filters()))


def decibels(levels: Levels) -> Floats32:
    """Levels as dB below the loudest, float32, 0 to -76.5."""
    return (levels.astype(np.float32) - TOP) * np.float32(STEP)


@lru_cache(maxsize=1)
def mel_filters() -> Floats32:
    """Triangles of equal width in mel with peaks of 1, float32 [MEL_WINDOW // 2 + 1, MELS]. Not to be changed."""
    triangles = mel_triangles(MEL_BAND, MELS, np.fft.rfftfreq(MEL_WINDOW, 1 / RATE))
    return np.ascontiguousarray(triangles.T, dtype=np.float32)


@lru_cache(maxsize=len(WINDOWS))
def _semitone_filters(size: int, first: int, last: int) -> Floats32:
    """Triangles one semitone to either side of each key, float32 [size // 2 + 1, keys]; the nearest bin counts."""
    hertz = np.fft.rfftfreq(size, 1 / RATE)
    key = 69 + 12 * np.log2(np.maximum(hertz, 1.0) / 440.0)
    keys = np.arange(first, last)
    filters = np.maximum(1.0 - np.abs(key[:, None] - keys), 0.0)
    nearest = np.abs(hertz[:, None] - 440.0 * 2 ** ((keys - 69) / 12)).argmin(axis=0)
    filters[nearest, np.arange(len(keys))] = 1.0
    return filters.astype(np.float32)


def _power(samples: Samples, size: int) -> Floats32:
    """Power of each frame and bin under a Hann window, a full-scale sine's peak at 1. float32 [T, size // 2 + 1]."""
    from scipy.fft import rfft

    window = np.hanning(size + 1)[:-1]
    padded = np.pad(np.asarray(samples, dtype=np.float32), (size // 2, size))
    count = 1 + len(samples) // HOP
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::HOP][:count]
    spectrum = rfft(frames * (window * (2 / window.sum())).astype(np.float32), axis=1)
    return spectrum.real**2 + spectrum.imag**2


def _levels(power: Floats32) -> Levels:
    """Levels below the loudest band."""
    loudest = float(power.max()) if power.size else 0.0
    if loudest <= FLOOR:
        return np.zeros(power.shape, dtype=np.uint8)
    below = 10 * np.log10(np.maximum(power / loudest, FLOOR))
    return np.clip(np.round(TOP + below / STEP), 0, TOP).astype(np.uint8)
