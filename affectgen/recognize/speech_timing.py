"""How speech runs in time: voiced stretches and pauses, syllables, and how fast level and spectrum move.

The share of movement about 4 Hz, the rate of syllables, also tells speech from music (Scheirer & Slaney 1997).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from affectgen.audio import voice
from affectgen.audio.f0 import Pitch
from affectgen.audio.spectrum import HOP, RATE

Floats = NDArray[np.float64]

SECOND = RATE / HOP  # frames
PAUSE = -35.0  # dB: what the level of a pause is taken for
RHYTHM = ((0.5, 2.0), (2.0, 4.0), (4.0, 8.0), (8.0, 16.0))  # Hz: bands of the level's own spectrum

TIMING = (
    "voiced_share",
    "pause_share",
    "runs_rate",
    "run_mean",
    "run_sd",
    "gap_mean",
    "nuclei_rate",
    "nuclei_gap_sd",
    "nuclei_pitch_sd",
    "nuclei_level_sd",
    *(f"rhythm_{low:g}" for low, _ in RHYTHM),
    *(f"shape_rhythm_{low:g}" for low, _ in RHYTHM),
)


def timing(level: Floats, pitch: Pitch, mel: Floats) -> list[float]:
    """TIMING, between the first and the last frame that is no pause: seconds, rates a second, shares.

    level: dB over loud frames [T], nan in pauses; mel: bands in dB [T, bands].
    """
    active = np.flatnonzero(np.isfinite(level))
    first, last = (int(active[0]), int(active[-1]) + 1) if len(active) else (0, len(level))
    level, mel = level[first:last], mel[first:last]
    voiced, tones = pitch.voiced[first:last], pitch.semitones[first:last]
    seconds = len(level) / SECOND
    spans = [(end - start) / SECOND for start, end in voice.runs(voiced)]
    gaps = [(end - start) / SECOND for start, end in voice.runs(~voiced)]
    peaks = voice.nuclei(np.nan_to_num(level, nan=PAUSE), voiced)
    distance = np.diff(peaks) / SECOND
    return [
        float(voiced.mean()),
        float(np.isnan(level).mean()),
        len(spans) / seconds,
        float(np.mean(spans)) if spans else 0.0,
        float(np.std(spans)) if spans else 0.0,
        float(np.mean(gaps)) if gaps else 0.0,
        len(peaks) / seconds,
        float(distance.std()) if len(distance) else 0.0,
        float(np.nanstd(tones[peaks])) if len(peaks) else 0.0,
        float(np.nanstd(level[peaks])) if len(peaks) else 0.0,
        *rhythm(np.nan_to_num(level, nan=PAUSE)[:, None], RHYTHM),
        *rhythm(mel - mel.mean(axis=1, keepdims=True), RHYTHM),
    ]


def rhythm(series: Floats, bands: Sequence[tuple[float, float]]) -> list[float]:
    """log shares of the movement of [T, C] in bands of Hz, mean over columns; the whole is what moves below 25 Hz."""
    centred = (series - series.mean(axis=0)) * np.hanning(len(series) + 2)[1:-1, None]
    size = max(256, len(series))
    moved = (np.abs(np.fft.rfft(centred, size, axis=0)) ** 2).mean(axis=1)
    hertz = np.fft.rfftfreq(size, 1 / SECOND)
    total = moved[hertz < 25].sum() + 1e-9
    return [float(np.log(moved[(hertz >= low) & (hertz < high)].sum() / total + 1e-3)) for low, high in bands]
