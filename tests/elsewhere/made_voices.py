"""Made voices for the tests of the signal path: pulses through resonances, whose pitch marks and formants are known."""

from __future__ import annotations

import numpy as np

RESONANCES = ((500.0, 80.0), (1500.0, 120.0), (2500.0, 160.0))  # Hz, width


def pulses(hertz: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """(samples of pulses at the pitch `hertz` of each sample, without aliasing; their places in samples)."""
    cycles = np.cumsum(hertz) / rate
    whole = np.flatnonzero(np.diff(np.floor(cycles)) > 0)
    places = whole + (np.floor(cycles[whole + 1]) - cycles[whole]) / (cycles[whole + 1] - cycles[whole])
    sound = np.zeros(len(hertz))
    for place in places:
        near = np.arange(max(int(place) - 24, 0), min(int(place) + 25, len(hertz)))
        sound[near] += np.sinc(near - place) * np.cos(np.pi * (near - place) / 50) ** 2
    return sound, places


def resonator(rate: int) -> np.ndarray:
    """The prediction polynomial of the resonances."""
    polynomial = np.ones(1)
    for hertz, width in RESONANCES:
        radius = np.exp(-np.pi * width / rate)
        polynomial = np.convolve(polynomial, [1, -2 * radius * np.cos(2 * np.pi * hertz / rate), radius**2])
    return polynomial


def vowel(hertz: np.ndarray, rate: int) -> np.ndarray:
    """A held vowel with the pitch `hertz` of each sample, of a peak of 0.5."""
    from scipy.signal import lfilter

    sound = lfilter([1.0], resonator(rate), pulses(hertz, rate)[0])
    return 0.5 * sound / np.abs(sound).max()


def response(hertz: np.ndarray, rate: int) -> np.ndarray:
    """The gain of the resonances in dB at frequencies."""
    polynomial = resonator(rate)
    return -20 * np.log10(np.abs(np.exp(-2j * np.pi * np.outer(hertz / rate, np.arange(len(polynomial)))) @ polynomial))


def sentence(rate: int, seed: int = 0) -> np.ndarray:
    """A second and a half: silence, a hiss, a vowel that glides, a stop with its burst, a vowel, silence."""
    rng = np.random.default_rng(seed)
    count = int(1.5 * rate)
    sound = 0.0003 * rng.normal(size=count)
    at = np.arange(count) / rate
    sound[(at > 0.15) & (at < 0.3)] += 0.05 * rng.normal(size=int(((at > 0.15) & (at < 0.3)).sum()))
    for start, stop, low, high in ((0.3, 0.75, 110.0, 160.0), (0.9, 1.35, 150.0, 90.0)):
        inside = (at >= start) & (at < stop)
        sound[inside] += vowel(np.linspace(low, high, int(inside.sum())), rate)
    burst = (at >= 0.85) & (at < 0.858)
    sound[burst] += 0.3 * rng.normal(size=int(burst.sum()))
    return sound
