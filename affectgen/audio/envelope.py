"""The envelope of a voice's spectrum, in which its harmonics do not show, and voices with another one.

CheapTrick (Morise, Speech Communication 2015): a window of three periods, a smoothing over two thirds of the
fundamental frequency, and a lifter of the cepstrum that takes out what is left of the harmonics.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.band_filter import (
    BLOCK,
    LONGEST_PERIOD,
    band_centres,
    bin_hertz,
    fft_size,
    filtered,
    shaped,
    tilted,
)
from affectgen.audio.timemap import HOP, frame_count
from affectgen.errors import AudioError

__all__ = ["band_centres", "bin_hertz", "envelopes", "fft_size", "filtered", "shaped", "tilted", "warped"]

Floats = NDArray[np.float64]

UNVOICED = 250.0  # Hz: as if this were the pitch where there is none, a window of 12 ms
HIGHEST = 1000.0  # Hz: a higher pitch is taken for this one
RECOVERY = -0.15  # of the lifter: how much of the peaks that the smoothing took away it gives back
FLOOR = 1e-12  # of power, 120 dB below that of a full-scale sample
WARPS = (0.5, 2.0)  # factors by which formants can be moved
MOST_WARP = 24.0  # dB that moving them can add or take


def envelopes(samples: Floats, rate: int, at: Floats, hertz: Floats | None = None) -> Floats:
    """Spectral envelopes in dB at moments `at` in seconds [K]: float64 [K, bins] at the frequencies `bin_hertz(rate)`.

    10 log10 of the power a sample: white noise of standard deviation s lies about 20 log10 s. Silence is at -120 dB.
    hertz: the pitch at each moment [K], 0 where unvoiced; it is tracked where not given. The difference of two
    envelopes is a filter for `shaped`.
    """
    samples, at = np.asarray(samples, dtype=np.float64), np.asarray(at, dtype=np.float64)
    pitch = pitch_at(samples, rate, at) if hertz is None else np.asarray(hertz, dtype=np.float64)
    if pitch.shape != at.shape or at.ndim != 1:
        raise AudioError(
            f"{pitch.shape} values of pitch came for moments of shape {at.shape}.", "Give one for each moment."
        )
    pitch = np.where(pitch > 0, np.clip(pitch, 1 / LONGEST_PERIOD, HIGHEST), UNVOICED)
    found = np.empty((len(at), fft_size(rate) // 2 + 1))
    for first in range(0, len(at), BLOCK):
        part = slice(first, first + BLOCK)
        found[part] = _block(samples, rate, at[part], pitch[part])
    return found


def warped(samples: Floats, rate: int, factor: Floats, hop: float = HOP, hertz: Floats | None = None) -> Floats:
    """The samples [N] with their formants moved to `factor` [T] times their frequencies, a frame each hop; pitch and
    time stay. 1.1 is a vocal tract a tenth shorter. Copied bit for bit where the factor is 1 for 50 ms.

    hertz: the pitch of each frame [T], tracked where not given. AudioError where a factor is not in WARPS.
    """
    factor = np.asarray(factor, dtype=np.float64).reshape(-1)
    samples = np.asarray(samples, dtype=np.float64)
    if not len(factor) or not (np.isfinite(factor).all() and WARPS[0] <= factor.min() and factor.max() <= WARPS[1]):
        raise AudioError("A factor on the formants is out of range.", f"It can be {WARPS[0]:g} to {WARPS[1]:g}.")
    gains = np.zeros((len(factor), fft_size(rate) // 2 + 1))
    moved = np.flatnonzero(factor != 1)
    if not len(moved):
        return samples.copy()
    at = np.asarray(moved * hop, dtype=np.float64)
    level = envelopes(samples, rate, at, None if hertz is None else np.asarray(hertz, dtype=np.float64)[moved])
    bins = np.arange(gains.shape[1])
    origin = np.minimum(bins / factor[moved, None], gains.shape[1] - 1)
    left = np.minimum(origin.astype(np.int64), gains.shape[1] - 2)
    share = origin - left
    shifted = np.take_along_axis(level, left, axis=1) * (1 - share)
    shifted += np.take_along_axis(level, left + 1, axis=1) * share
    gains[moved] = np.clip(shifted - level, -MOST_WARP, MOST_WARP)
    return shaped(samples, rate, gains, hop)


def pitch_at(samples: Floats, rate: int, at: Floats) -> Floats:
    """The pitch at moments in seconds [K], Hz, 0 where unvoiced, [K]."""
    from affectgen.audio.glottal import contour

    hertz = contour(samples, rate)
    return hertz[np.clip(np.rint(at / HOP).astype(np.int64), 0, frame_count(len(samples), rate) - 1)]


def _block(samples: Floats, rate: int, at: Floats, pitch: Floats) -> Floats:
    """`envelopes` of some moments."""
    size = fft_size(rate)
    power = _power(samples, rate, at, pitch, size)
    spacing = rate / size
    power = _smoothed(_filled(power, pitch / spacing), pitch * (2 / 3) / spacing)
    return _liftered(np.log(np.maximum(power, FLOOR)), pitch / rate) * (10 / np.log(10))


def _power(samples: Floats, rate: int, at: Floats, pitch: Floats, size: int) -> Floats:
    """Power a sample of each frame and bin under a Hann window three periods long, [K, size // 2 + 1]."""
    half = size // 2
    offset = np.arange(-half, half)
    middle = np.rint(at * rate).astype(np.int64)
    padded = np.pad(samples, half)
    starts = np.clip(middle, 0, len(samples))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[starts]
    inside = offset * (pitch / (1.5 * rate))[:, None]  # -1 to 1 over the window
    window = np.where(np.abs(inside) < 1, 0.5 + 0.5 * np.cos(np.pi * inside), 0.0)
    weight = window.sum(axis=1, keepdims=True)
    frames = (frames - (frames * window).sum(axis=1, keepdims=True) / weight) * window
    spectrum = np.fft.rfft(frames, axis=1)
    return np.asarray((spectrum.real**2 + spectrum.imag**2) / (window**2).sum(axis=1, keepdims=True))


def _filled(power: Floats, pitch: Floats) -> Floats:
    """Below the pitch (in bins) [K] there is no harmonic: the power there and its mirror image about it are added."""
    bins = np.arange(power.shape[1])
    mirror = np.clip(pitch[:, None] - bins, 0, power.shape[1] - 1)
    left = np.minimum(mirror.astype(np.int64), power.shape[1] - 2)
    share = mirror - left
    folded = np.take_along_axis(power, left, axis=1) * (1 - share) + np.take_along_axis(power, left + 1, axis=1) * share
    return np.where(bins < pitch[:, None], power + folded, power)


def _smoothed(power: Floats, width: Floats) -> Floats:
    """Means over `width` bins [K] about each bin; the spectrum goes on as in a mirror at both ends."""
    bins = power.shape[1]
    pad = int(width.max()) + 2
    mirrored = np.pad(power, ((0, 0), (pad, pad)), mode="reflect")
    total = np.pad(np.cumsum(mirrored, axis=1), ((0, 0), (1, 0)))  # up to the left edge of each bin

    def up_to(edge: Floats) -> Floats:
        left = edge.astype(np.int64)
        low = np.take_along_axis(total, left, axis=1)
        return low + (np.take_along_axis(total, left + 1, axis=1) - low) * (edge - left)

    middle = np.arange(bins) + pad + 0.5
    half = width[:, None] / 2
    return (up_to(middle + half) - up_to(middle - half)) / width[:, None]


def _liftered(level: Floats, pitch: Floats) -> Floats:
    """Logarithmic spectra [K, bins] without the ripple of harmonics at `pitch` [K] in periods a sample."""
    size = 2 * (level.shape[1] - 1)
    cepstrum = np.fft.irfft(level, size, axis=1)[:, : size // 2 + 1]
    phase = np.arange(size // 2 + 1) * pitch[:, None]
    lifter = np.sinc(phase) * (1 - 2 * RECOVERY + 2 * RECOVERY * np.cos(2 * np.pi * phase))
    half = cepstrum * lifter
    return np.asarray(np.fft.rfft(np.concatenate([half, half[:, -2:0:-1]], axis=1), axis=1).real)
