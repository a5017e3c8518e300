"""Pieces of a recording, faded in and out, added up at new places, which may lie between two samples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.voice import runs

Floats = NDArray[np.float64]

TAPS = 32  # of the filter that shifts a piece by a part of a sample
PHASES = 128  # parts of a sample
BETA = 8.0  # of its Kaiser window


@dataclass(frozen=True)
class Grains:
    """Pieces in the order of time, [G] each. at: where a piece's middle comes to lie, in samples, rising; source: where
    it lies in the recording; rise, fall: samples over which it is faded in before and out after its middle; gain: its
    factor; likeness: how like it and the next one are where they overlap, the correlation, -1 to 1: it decides between
    a crossfade of equal amplitude and one of equal power.
    """

    at: Floats
    source: Floats
    rise: Floats
    fall: Floats
    gain: Floats
    likeness: Floats


def overlapped(samples: Floats, grains: Grains, length: int) -> Floats:
    """The pieces of samples [N], added up, float64 [length]; beyond the recording's ends there is silence.

    Between two pieces that are moved by the same whole number of samples and need no factor it is a copy, bit for bit.
    """
    shift = grains.source - grains.at
    whole, phase = np.floor(shift).astype(np.int64), np.rint((shift - np.floor(shift)) * PHASES).astype(np.int64)
    whole, phase = whole + phase // PHASES, phase % PHASES
    first = np.maximum(np.ceil(grains.at - grains.rise).astype(np.int64), 0)
    stop = np.minimum(np.floor(grains.at + grains.fall).astype(np.int64) + 1, length)
    reach = TAPS + int(max(np.abs(np.r_[first + whole, stop + whole]).max() - len(samples), 0)) if len(whole) else TAPS
    low = TAPS - int(min((first + whole).min(), 0)) if len(whole) else TAPS
    padded = np.pad(samples, (low, reach + TAPS))
    added, table = np.zeros(length), _fractions()
    for index in np.flatnonzero(stop > first).tolist():
        start, end = int(first[index]), int(stop[index])
        begin = start + int(whole[index]) + low
        if phase[index]:
            reached = padded[begin - TAPS // 2 + 1 : begin + end - start + TAPS // 2]
            piece = np.convolve(reached, table[phase[index]], "valid")
        else:
            piece = padded[begin : begin + end - start]
        added[start:end] += piece * _window(grains, index, start, end)
    _copy(added, padded[low:], grains, whole, phase)
    return added


def _window(grains: Grains, index: int, start: int, end: int) -> Floats:
    """The weight of a piece at the samples from `start` to before `end`."""
    place = np.arange(start, end) - grains.at[index]
    middle = int(np.searchsorted(place, 0.0))
    weight = np.empty(end - start)
    before = grains.likeness[index - 1] if index else 1.0
    weight[:middle] = _rising(1 + place[:middle] / grains.rise[index], before)
    weight[middle:] = _rising(1 - place[middle:] / grains.fall[index], grains.likeness[index])
    return weight * grains.gain[index]


def _rising(place: Floats, likeness: float) -> Floats:
    """The gain over a crossfade at places 0 to 1: what keeps the power of two sounds of this correlation."""
    rise = 0.5 - 0.5 * np.cos(np.pi * place)
    if likeness >= 1:
        return np.asarray(rise)
    fall = 1 - rise
    return np.asarray(rise / np.sqrt(np.maximum(rise**2 + fall**2 + 2 * likeness * rise * fall, 0.1)))


def _copy(added: Floats, samples: Floats, grains: Grains, whole: NDArray[np.int64], phase: NDArray[np.int64]) -> None:
    """Put the recording itself between pieces that all are moved alike."""
    exact = (phase == 0) & (grains.gain == 1)
    same = exact[:-1] & exact[1:] & (whole[:-1] == whole[1:]) & (grains.likeness[:-1] >= 1)
    gaps = np.diff(grains.at)
    fits = (np.abs(grains.fall[:-1] - gaps) < 0.5) & (np.abs(grains.rise[1:] - gaps) < 0.5)  # no gap, no third piece
    same &= fits & np.r_[True, fits[:-1]] & np.r_[fits[1:], True]
    for start, stop in runs(same):
        shift = int(whole[start])
        first, last = max(int(np.ceil(grains.at[start])), 0, -shift), min(int(grains.at[stop]) + 1, len(added))
        if last > first:
            added[first:last] = samples[first + shift : last + shift]


@lru_cache(maxsize=1)
def _fractions() -> Floats:
    """Filters [PHASES, TAPS] that read a signal 0/PHASES, 1/PHASES, ... samples later: sinc under a Kaiser window, for
    np.convolve. Not to be changed."""
    later = np.arange(PHASES)[:, None] / PHASES
    place = np.arange(TAPS) - (TAPS // 2 - 1) - later  # of the tap for the sample at -TAPS // 2 + 1 + its number
    inside = np.clip(1 - (place / (TAPS // 2)) ** 2, 0, 1)
    taps = np.sinc(place) * np.i0(BETA * np.sqrt(inside)) / np.i0(BETA)
    return np.ascontiguousarray((taps / taps.sum(axis=1, keepdims=True))[:, ::-1])
