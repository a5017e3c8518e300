"""What a voice does beside its pitch: resonances, roughness, the balance of its harmonics, syllables.

Formants by linear prediction (Markel & Gray 1976); jitter and shimmer from the periods between pitch marks; H1-H2 and
H1-A3 as in the Geneva parameter set (Eyben et al. 2016); syllable nuclei after de Jong & Wempe (2009).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.f0 import Pitch
from affectgen.audio.files import Samples
from affectgen.audio.spectrum import HOP, RATE, bin_hertz, decibels, frames_of

Floats = NDArray[np.float64]

FORMANTS = 3
ORDER = 12  # of linear prediction: five resonances below 5.5 kHz and the slope of the source
FORMANT_FRAME = 276  # samples: 25 ms
EMPHASIS = 0.97
LOWEST_FORMANT, WIDEST = 150.0, 700.0  # Hz: lower or wider poles are no resonance
LARGEST_CHANGE = 1.3  # of neighbouring periods: more is an error of the marks
NUCLEUS_DIP = 2.0  # dB between two syllables' nuclei


def formants(samples: Samples | Floats, at: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """(frequencies, bandwidths) in Hz of the lowest three resonances of the frames `at` [V]; [V, 3] each, nan where
    fewer are found.
    """
    nothing = np.full((len(at), FORMANTS), np.nan)
    if not len(at):
        return nothing, nothing
    bright = np.append(samples[:1], samples[1:] - EMPHASIS * samples[:-1])
    poles = _poles(_prediction(frames_of(bright, FORMANT_FRAME)[at] * np.hamming(FORMANT_FRAME)))
    hertz = np.angle(poles) * RATE / (2 * np.pi)
    width = -np.log(np.maximum(np.abs(poles), 1e-6)) * RATE / np.pi
    good = (hertz > LOWEST_FORMANT) & (hertz < RATE / 2 - 200) & (width < WIDEST)
    order = np.argsort(np.where(good, hertz, np.inf), axis=1)[:, :FORMANTS]
    kept = np.take_along_axis(good, order, axis=1)
    return (
        np.where(kept, np.take_along_axis(hertz, order, axis=1), np.nan),
        np.where(kept, np.take_along_axis(width, order, axis=1), np.nan),
    )


def _prediction(frames: Floats) -> Floats:
    """Prediction polynomials of frames [V, N] by Levinson and Durbin's recursion, [V, ORDER + 1], leading 1."""
    spectrum = np.fft.rfft(frames, 1024, axis=1)
    lagged = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, 1024, axis=1)[:, : ORDER + 1]
    lagged[:, 0] = lagged[:, 0] * (1 + 1e-6) + 1e-12
    found = np.zeros((len(frames), ORDER + 1))
    found[:, 0] = 1.0
    error = lagged[:, 0].copy()
    for step in range(1, ORDER + 1):
        reflect = -(found[:, :step] * lagged[:, step:0:-1]).sum(axis=1) / error
        found[:, 1 : step + 1] += reflect[:, None] * found[:, step - 1 :: -1][:, :step]
        error *= 1 - reflect**2
    return found


def _poles(polynomial: Floats) -> NDArray[np.complex128]:
    """The roots of polynomials [V, ORDER + 1], as eigenvalues of their companion matrices, complex128 [V, ORDER]."""
    companion = np.zeros((len(polynomial), ORDER, ORDER))
    companion[:, 0] = -polynomial[:, 1:]
    companion[:, np.arange(1, ORDER), np.arange(ORDER - 1)] = 1.0
    return np.linalg.eigvals(companion).astype(np.complex128)


def harmonic_balance(power: Floats, pitch: Pitch, third: Floats) -> tuple[Floats, Floats]:
    """(H1-H2, H1-A3) in dB of each frame of power spectra [T, bins], nan where unvoiced: the first harmonic over the
    second, and over the strongest harmonic about the third formant `third` [T] in Hz (nan: not known).
    """
    level, spacing = decibels(power), bin_hertz()[1]
    rows = np.arange(len(level))
    bins = level.shape[1] - 1

    def height(hertz: Floats) -> Floats:
        middle = np.clip(np.rint(np.nan_to_num(hertz) / spacing).astype(np.int64), 1, bins - 1)
        return np.maximum(np.maximum(level[rows, middle - 1], level[rows, middle]), level[rows, middle + 1])

    first = np.where(pitch.voiced, height(pitch.hertz), np.nan)
    near = np.max([height(third + shift * pitch.hertz) for shift in (-0.8, -0.4, 0.0, 0.4, 0.8)], axis=0)
    return first - height(2 * pitch.hertz), np.where(np.isfinite(third), first - near, np.nan)


@dataclass(frozen=True)
class Roughness:
    """jitter: mean change between neighbouring periods over the mean period; shimmer: mean change of their peaks, dB;
    jitter_sd: spread of the relative changes. 0 where there are too few periods.
    """

    jitter: float
    jitter_sd: float
    shimmer: float


def roughness(samples: Samples | Floats, pitch: Pitch) -> Roughness:
    """Jitter and shimmer over all voiced runs, each at least three periods long."""
    changes: list[Floats] = []
    steps: list[Floats] = []
    for start, end in runs(pitch.voiced):
        marks, heights = _marks(np.asarray(samples, dtype=np.float64), pitch.hertz, start, end)
        if len(marks) < 4:
            continue
        period = np.diff(marks)
        ratio = period[1:] / period[:-1]
        good = (ratio < LARGEST_CHANGE) & (ratio > 1 / LARGEST_CHANGE)
        changes.append(2 * np.abs(np.diff(period))[good] / (period[1:] + period[:-1])[good])
        steps.append(np.abs(np.diff(20 * np.log10(np.maximum(heights, 1e-6)))))
    change = np.concatenate(changes) if changes else np.zeros(0)
    step = np.concatenate(steps) if steps else np.zeros(0)
    if not len(change) or not len(step):
        return Roughness(0.0, 0.0, 0.0)
    return Roughness(float(change.mean()), float(change.std()), float(np.minimum(step, 12.0).mean()))


def _marks(samples: Floats, hertz: Floats, start: int, end: int) -> tuple[Floats, Floats]:
    """(places in samples, heights) of the highest point of each period from frame `start` to before `end`."""
    first, last = start * HOP, min(end * HOP, len(samples) - 2)
    period = RATE / hertz[start]
    stop = int(first + period) + 1
    if stop >= last:
        return np.zeros(0), np.zeros(0)
    at = first + int(samples[first:stop].argmax())
    places, heights = [], []
    while True:
        if 0 < at < len(samples) - 1:
            before, here, after = samples[at - 1 : at + 2]
            bend = before - 2 * here + after
            places.append(at + (0.5 * (before - after) / bend if bend < -1e-12 else 0.0))
            heights.append(here)
        period = RATE / hertz[min(at // HOP, end - 1)]
        low, high = int(at + 0.75 * period), int(at + 1.25 * period) + 1
        if high >= last:
            return np.array(places), np.maximum(np.array(heights), 1e-6)
        at = low + int(samples[low:high].argmax())


def runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """[start, end) of each stretch of true values."""
    edges = np.flatnonzero(np.diff(np.r_[0, mask.astype(np.int8), 0]))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def nuclei(level: Floats, voiced: NDArray[np.bool_], floor: float = -25.0) -> NDArray[np.int64]:
    """The frames of syllable nuclei: voiced peaks of the level in dB [T], smoothed over 50 ms, above `floor` dB of the
    loudest and parted from the next by a dip of at least NUCLEUS_DIP dB.
    """
    smooth = np.convolve(np.pad(level, 2, mode="edge"), np.full(5, 0.2), mode="valid")
    inner = np.flatnonzero((smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] >= smooth[2:])) + 1
    kept: list[int] = []
    for peak in inner[(smooth[inner] > smooth.max() + floor) & voiced[inner]]:
        if not kept:
            kept.append(int(peak))
            continue
        dip = min(smooth[kept[-1]], smooth[peak]) - smooth[kept[-1] : peak + 1].min()
        if dip >= NUCLEUS_DIP:
            kept.append(int(peak))
        elif smooth[peak] > smooth[kept[-1]]:
            kept[-1] = int(peak)
    return np.array(kept, dtype=np.int64)
