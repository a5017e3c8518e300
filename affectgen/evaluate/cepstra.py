"""Mel cepstra of two sounds, and how far apart they are along the path that aligns them."""

from __future__ import annotations

import numpy as np

from affectgen.audio.f0 import Floats
from affectgen.audio.files import resampled
from affectgen.audio.spectrum import mel_triangles

RATE, WINDOW, STEP, BANDS, ORDER = 16_000, 400, 80, 40, 24  # 25 ms each 5 ms


def mel_cepstral_distance(one: Floats, other: Floats, rate: int) -> float:
    """Mean distance in dB between the mel cepstra, without the level, of two sounds at `rate`, along the cheapest path
    that aligns them (Kubichek, "Mel-cepstral distance measure for objective speech quality assessment", 1993)."""
    first, second = (mel_cepstra(sound, rate) for sound in (one, other))
    apart = np.sqrt(2 * ((first[:, None] - second) ** 2).sum(axis=-1)) * 10 / np.log(10)  # [T1, T2]
    return float(_path_mean(apart))


def mel_cepstra(sound: Floats, rate: int) -> Floats:
    """Mel cepstra 1 to ORDER of each frame, natural logarithms of amplitude, [T, ORDER]."""
    samples = resampled(np.asarray(sound, dtype=np.float32), rate, RATE).astype(np.float64)
    padded = np.pad(samples, (WINDOW // 2, WINDOW))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::STEP][: 1 + len(samples) // STEP]
    power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW), 512, axis=1)) ** 2
    bands = mel_triangles((0.0, 7600.0), BANDS, np.fft.rfftfreq(512, 1 / RATE))
    logs = 0.5 * np.log(power @ bands.T + 1e-8)  # [T, BANDS]
    orders = np.arange(1, ORDER + 1)[:, None]
    return np.asarray(logs @ np.cos(np.pi * orders * (np.arange(BANDS) + 0.5) / BANDS).T / BANDS)


def _path_mean(apart: Floats) -> float:
    """The mean along the path of least sum from corner to corner, one step of either or both at a time."""
    rows, columns = apart.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    steps = np.zeros((rows + 1, columns + 1))
    total[0, 0] = 0.0
    for row in range(rows):
        for column in range(columns):
            before = ((row, column), (row, column + 1), (row + 1, column))
            best = min(before, key=lambda place: total[place])
            total[row + 1, column + 1] = total[best] + apart[row, column]
            steps[row + 1, column + 1] = steps[best] + 1
    return float(total[rows, columns] / steps[rows, columns])
