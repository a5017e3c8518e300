"""Short-time spectra, mel bands and cepstra in plain numpy, at one rate and in one band, so that what is measured does
not depend on a file's own bandwidth.

Davis & Mermelstein (1980) for the cepstrum of mel bands; the spectral measures of voice are those of Eyben et al., "The
Geneva minimalistic acoustic parameter set" (2016). Nothing here knows about emotion.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.files import Samples

Floats = NDArray[np.float64]

RATE = 11025  # samples a second: all the voice measures work at this rate
HOP = 110  # samples between frames: about 10 ms
WINDOW = 512  # samples: 46 ms, so that the harmonics of a low voice stand apart
BAND = (60.0, 5000.0)  # Hz: what every recording of a voice holds
MEL_BANDS = 26
CEPSTRA = 13
FLOOR = 1e-10


def frames_of(samples: Samples | Floats, size: int, hop: int = HOP) -> Floats:
    """Frames of `size` samples centred on 0, hop, 2 hop, ...; zeros beyond the ends. float64 [1 + N // hop, size]."""
    half = size // 2
    padded = np.pad(np.asarray(samples, dtype=np.float64), (half, size))
    count = 1 + len(samples) // hop
    return np.lib.stride_tricks.sliding_window_view(padded, size)[::hop][:count]


def power_spectra(samples: Samples | Floats) -> Floats:
    """Power of each frame and bin, float64 [T, WINDOW // 2 + 1], with a Hann window."""
    spectrum = np.fft.rfft(frames_of(samples, WINDOW) * np.hanning(WINDOW), axis=1)
    return np.asarray(spectrum.real**2 + spectrum.imag**2, dtype=np.float64)


def bin_hertz() -> Floats:
    """The frequency of each bin in Hz."""
    return np.asarray(np.fft.rfftfreq(WINDOW, 1 / RATE), dtype=np.float64)


@lru_cache(maxsize=4)
def mel_filters(bands: int = MEL_BANDS) -> Floats:
    """Triangles of equal width in mel over BAND, each of area one in bins, float64 [bands, bins]. Not to be changed."""
    filters = mel_triangles(BAND, bands, bin_hertz())
    return filters / np.maximum(filters.sum(axis=1, keepdims=True), FLOOR)


def mel_triangles(band: tuple[float, float], count: int, hertz: NDArray[np.floating]) -> Floats:
    """Triangles of equal width in mel over a band of Hz, with peaks of 1, at the frequencies [bins]. [count, bins]."""
    low, high = (2595 * np.log10(1 + end / 700) for end in band)
    edges = 700 * (10 ** (np.linspace(low, high, count + 2) / 2595) - 1)
    rise = (hertz - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - hertz) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(np.minimum(rise, fall), 0.0)


def decibels(power: Floats) -> Floats:
    """10 log10 of a power, floored."""
    return 10 * np.log10(np.maximum(power, FLOOR))


def cepstra(mel: Floats) -> Floats:
    """The first CEPSTRA coefficients of mel bands in dB [T, bands]: orthonormal cosine transform, float64 [T, CEPSTRA].

    Coefficient 0 is the level; the others do not depend on it.
    """
    bands = mel.shape[1]
    places = (np.arange(bands) + 0.5) * np.pi / bands
    basis = np.cos(np.arange(CEPSTRA)[:, None] * places) * np.sqrt(2 / bands)
    basis[0] *= np.sqrt(0.5)
    return mel @ basis.T


def band_power(power: Floats, low: float, high: float) -> Floats:
    """The summed power of the bins from low to high Hz of each frame, float64 [T]."""
    hertz = bin_hertz()
    return power[:, (hertz >= low) & (hertz < high)].sum(axis=1)


def alpha_ratio(power: Floats) -> Floats:
    """Energy of 1-5 kHz over that of 50-1000 Hz, dB [T]: high in a pressed or loud voice."""
    return decibels(band_power(power, 1000, 5000)) - decibels(band_power(power, 50, 1000))


def hammarberg(power: Floats) -> Floats:
    """The strongest bin of 0-2 kHz over that of 2-5 kHz, dB [T] (Hammarberg et al. 1980)."""
    hertz = bin_hertz()
    lower, upper = power[:, hertz < 2000].max(axis=1), power[:, (hertz >= 2000) & (hertz < 5000)].max(axis=1)
    return decibels(lower) - decibels(upper)


def slope(power: Floats, low: float, high: float) -> Floats:
    """The slope of a line through the spectrum in dB from low to high Hz, dB a kHz, [T]."""
    hertz = bin_hertz()
    inside = (hertz >= low) & (hertz <= high)
    place = (hertz[inside] - hertz[inside].mean()) / 1000
    return decibels(power[:, inside]) @ place / (place**2).sum()


def centroid(power: Floats) -> Floats:
    """The mean frequency of BAND weighted by power, Hz [T]."""
    hertz = bin_hertz()
    inside = (hertz >= BAND[0]) & (hertz <= BAND[1])
    weight = power[:, inside] + FLOOR
    return (weight @ hertz[inside]) / weight.sum(axis=1)


def flux(mel: Floats) -> Floats:
    """How far the shape of mel bands in dB [T, bands] moves from frame to frame, dB [T]; 0 in the first."""
    shape = mel - mel.mean(axis=1, keepdims=True)
    return np.r_[0.0, np.sqrt((np.diff(shape, axis=0) ** 2).mean(axis=1))]
