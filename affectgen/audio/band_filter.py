"""Filters that change over time: spectra of short overlapping frames, weighted and added up again.

After Allen & Rabiner (1977). Only the difference that a filter makes is added, so that nothing is touched where it
makes none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.timemap import HOP
from affectgen.errors import AudioError

Floats = NDArray[np.float64]

LONGEST_PERIOD = 1 / 71  # seconds; three of them fit into a transform
OVERLAP = 4  # frames that share a sample
BLOCK = 256  # frames that are worked on at once: what bounds the memory
MOST = 60.0  # dB to either side: more is an error of the caller
TILTED = 3.0  # octaves to either side of the pivot over which a tilt goes on


def fft_size(rate: int) -> int:
    """The length of the transform for spectral envelopes at this rate: three periods of 71 Hz fit in."""
    return int(2 ** np.ceil(np.log2(3 * rate * LONGEST_PERIOD + 1)))


def bin_hertz(rate: int) -> Floats:
    """The frequencies of an envelope's or a filter's bins, Hz [fft_size(rate) // 2 + 1]."""
    return np.asarray(np.fft.rfftfreq(fft_size(rate), 1 / rate), dtype=np.float64)


def shaped(samples: Floats, rate: int, gains_db: Floats, hop: float = HOP) -> Floats:
    """The samples [N] through a filter that changes over time, float64 [N], without delay.

    gains_db: [T, bins], dB at 0, hop, 2 hop, ... seconds and at the frequencies `bin_hertz(rate)`; between frames they
    are interpolated, after the last it goes on. They should be smooth along frequency (over some 100 Hz). Where they
    are 0 for 50 ms the samples are copied, bit for bit. AudioError where the gains have another shape, are no numbers,
    or beyond 60 dB.
    """
    check_gains(gains_db, fft_size(rate) // 2 + 1)
    return _through(np.asarray(samples, dtype=np.float64), rate, gains_db, hop, None)


def filtered(
    samples: Floats, rate: int, gains_db: Floats, hop: float = HOP, band: tuple[float, float] | None = None
) -> Floats:
    """`shaped` by gains of mel bands: gains_db [T, bands] in dB at `band_centres(bands, band)`, interpolated in mel
    between them and level beyond. band: Hz; from 0 to half the rate where not given."""
    gains_db = np.asarray(gains_db, dtype=np.float64)
    check_gains(gains_db, gains_db.shape[-1] if gains_db.ndim else 0)
    centres = band_centres(gains_db.shape[1], (0.0, rate / 2) if band is None else band)
    spread = spreading(_mel(centres), _mel(bin_hertz(rate)))
    return _through(np.asarray(samples, dtype=np.float64), rate, gains_db, hop, spread)


def tilted(samples: Floats, rate: int, db_per_octave: Floats, hop: float = HOP, pivot: float = 1000.0) -> Floats:
    """The samples [N] with their spectrum tilted about `pivot` Hz by so many dB an octave, [T]; level beyond three
    octaves below it and three above."""
    slopes = np.asarray(db_per_octave, dtype=np.float64).reshape(-1, 1)
    check_gains(slopes * TILTED, 1)
    octaves = np.clip(np.log2(np.maximum(bin_hertz(rate), 1e-3) / pivot), -TILTED, TILTED)
    return _through(np.asarray(samples, dtype=np.float64), rate, slopes, hop, octaves[None])


def band_centres(bands: int, band: tuple[float, float]) -> Floats:
    """The middle frequencies of bands of equal width in mel over a band of Hz, [bands]: those of
    `spectrum.mel_triangles`."""
    low, high = _mel(np.array(band, dtype=np.float64))
    return np.asarray(700 * (10 ** (np.linspace(low, high, bands + 2)[1:-1] / 2595) - 1), dtype=np.float64)


def spreading(places: Floats, wanted: Floats) -> Floats:
    """The matrix [places, wanted] that interpolates values at rising places to wanted ones, level beyond the ends."""
    if len(places) == 1:
        return np.ones((1, len(wanted)))
    right = np.clip(np.searchsorted(places, wanted), 1, len(places) - 1)
    share = np.clip((wanted - places[right - 1]) / (places[right] - places[right - 1]), 0.0, 1.0)
    matrix = np.zeros((len(places), len(wanted)))
    matrix[right, np.arange(len(wanted))] = share
    matrix[right - 1, np.arange(len(wanted))] += 1 - share
    return matrix


def between(values: Floats, place: Floats) -> Floats:
    """Rows of values [T, ...] at places [K] between them, level beyond the ends, [K, ...]."""
    place = np.clip(place, 0.0, len(values) - 1)
    left = np.minimum(place.astype(np.int64), max(len(values) - 2, 0))
    share = (place - left).reshape(-1, *(1,) * (values.ndim - 1))
    return np.asarray(values[left] * (1 - share) + values[np.minimum(left + 1, len(values) - 1)] * share)


def check_gains(gains_db: Floats, bins: int) -> None:
    """AudioError unless there is a frame of `bins` gains, all of them numbers within MOST dB."""
    if gains_db.ndim != 2 or gains_db.shape[1] != bins or not gains_db.size:
        raise AudioError(
            f"Gains came in the shape {gains_db.shape}; [frames, {bins or 'bands'}] was expected.",
            "Give at least one frame.",
        )
    if not np.isfinite(gains_db).all() or np.abs(gains_db).max() > MOST:
        raise AudioError(f"A gain is no number, or beyond {MOST:g} dB.", "Limit the gains first.")


def _mel(hertz: Floats) -> Floats:
    return np.asarray(2595 * np.log10(1 + hertz / 700), dtype=np.float64)


def _through(samples: Floats, rate: int, gains: Floats, hop: float, spread: Floats | None) -> Floats:
    """The samples through the filter whose gains in dB at the bins are `gains` [T, G], times `spread` [G, bins] if any.

    A frame is half as long as its transform, so that the filter's answer has a quarter to either side before it would
    wrap round.
    """
    size = fft_size(rate)
    width, step, margin = size // 2, size // 2 // OVERLAP, size // 4
    window = (1 - np.cos(2 * np.pi * np.arange(width) / width)) / OVERLAP  # OVERLAP of them add up to 1
    count = -(-len(samples) // step) + OVERLAP - 1
    lead = width - step  # before the first sample, so that each sample lies in OVERLAP frames
    padded = np.pad(samples, (lead, (count - 1) * step + width - lead - len(samples)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, width)[::step]
    place = (np.arange(count) * step - lead + width / 2) / rate / hop
    active = np.flatnonzero(between(np.abs(gains).max(axis=1), place) > 0)
    added = np.zeros(len(padded) + 2 * margin)
    for first in range(0, len(active), BLOCK):
        rows = active[first : first + BLOCK]
        chosen = between(gains, place[rows])  # [rows, G]
        weight = 10 ** ((chosen if spread is None else chosen @ spread) / 20) - 1  # [rows, bins]
        data = np.zeros((len(rows), size))
        data[:, margin : margin + width] = frames[rows] * window
        data = np.fft.irfft(np.fft.rfft(data, axis=1) * weight, size, axis=1)
        for row, frame in zip(rows.tolist(), data, strict=True):
            added[row * step : row * step + size] += frame
    return np.asarray(samples + added[margin + lead : margin + lead + len(samples)])
