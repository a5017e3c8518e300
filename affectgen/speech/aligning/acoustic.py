"""Sounds as the recogniser hears them: cepstra of a recording, and how well each state of the model fits each of them.

Mel cepstra as sphinxtrain's front end takes them, here at any distance between frames: the slopes are taken over the
same times whatever that is, so that a fine grid gives fine boundaries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.files import Samples
from affectgen.speech.aligning.acoustic_files import DENSITIES, STREAMS, WEIGHT_STEP, WIDTH, AcousticModel

Floats32 = NDArray[np.float32]

RATE = 16000
HOP = 80  # samples between frames: 5 ms, where the recogniser itself takes 10
USUAL = 160  # samples between the frames that the model was trained on
FRAME, FFT = 410, 512
BANDS, LOWEST, HIGHEST = 25, 130.0, 6800.0  # feat.params
LIFTER = 22
EMPHASIS = 0.97
FULL_SCALE = 32768.0
FLOOR = 1e-4
DEPTH = 1e-4  # of the loud frames' power, which no band falls below: digital silence is in no room
RANGE = 60.0  # dB that recordings of rooms keep within
MOMENT = 9  # frames over which the least power of a band is sought
QUIETEST = 10  # per cent of the moments that are below what counts as noise
TAKEN_OFF, REMAINDER = 1.2, 0.1  # of the noise
BLOCK = 256  # frames that are scored at once
TINY = 1e-30
CENTRE = (FRAME - HOP) / 2 / RATE  # seconds from a frame's start to the middle between its middle and that before


@dataclass(frozen=True)
class Heard:
    """Of one recording. features: float32 [T, 3, 13], a frame each HOP; loud: float32 [T], decibels of full scale."""

    features: Floats32
    loud: Floats32

    @property
    def frames(self) -> int:
        """How many there are."""
        return len(self.features)


def listen(samples: Samples) -> Heard:
    """The features of mono samples [N] at RATE, their mean cepstrum taken off."""
    cepstra, loud = _cepstra(samples)
    cepstra = cepstra - cepstra[_in_a_room(loud)].mean(axis=0)
    one = USUAL // HOP
    padded = np.pad(cepstra, ((3 * one, 3 * one), (0, 0)), mode="edge")
    count = len(cepstra)

    def at(step: int) -> Floats32:
        return padded[(3 + step) * one : (3 + step) * one + count]

    slope = at(2) - at(-2)
    bend = at(3) - at(-1) - at(1) + at(-3)
    return Heard(np.stack([cepstra, slope, bend], axis=1).astype(np.float32), loud)  # [T, 3, 13]


def _cepstra(samples: Samples) -> tuple[Floats32, Floats32]:
    """Cepstra [T, 13] and levels [T] of frames that start each HOP; the last ones reach over the end."""
    wave = np.asarray(samples, dtype=np.float32) * FULL_SCALE
    count = max(1, len(wave) // HOP)
    emphasised = wave - EMPHASIS * np.concatenate([wave[:1], wave[:-1]])
    padded = np.pad(emphasised, (0, FRAME))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP][:count]
    bands = np.empty((count, BANDS), dtype=np.float32)
    for first in range(0, count, 4096):  # bounded memory
        part = frames[first : first + 4096] * np.hamming(FRAME).astype(np.float32)
        spectrum = np.fft.rfft(part, FFT, axis=1)
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)  # [t, 257]
        bands[first : first + 4096] = power @ _filters().T
    squares = np.concatenate([[0.0], np.cumsum(np.pad(wave.astype(np.float64), (0, FRAME)) ** 2)])
    starts = np.arange(count) * HOP
    power_of = (squares[starts + FRAME] - squares[starts]) / FRAME / FULL_SCALE**2
    loud = (10 * np.log10(power_of + 1e-12)).astype(np.float32)
    return np.log(np.maximum(_without_noise(bands, loud), FLOOR)) @ _cosines().T, loud


def _without_noise(bands: Floats32, loud: Floats32) -> Floats32:
    """Powers of bands [T, BANDS] less what is always there: the least that each has over a moment, taken off, but for a
    remainder (Boll, "Suppression of acoustic noise in speech using spectral subtraction", 1979)."""
    sums = np.cumsum(np.pad(bands, ((MOMENT // 2 + 1, MOMENT // 2), (0, 0)), mode="edge"), axis=0, dtype=np.float64)
    moments = (sums[MOMENT:] - sums[:-MOMENT]) / MOMENT
    noise = np.percentile(moments[_in_a_room(loud)], QUIETEST, axis=0).astype(np.float32)
    least = DEPTH * np.percentile(bands.mean(axis=1), 95)
    return np.asarray(np.maximum(bands - TAKEN_OFF * noise, np.maximum(REMAINDER * noise, least)), dtype=np.float32)


def levels(loud: Floats32, low: float = 10.0, high: float = 95.0) -> tuple[float, float]:
    """Decibels that so many per cent of the frames lie below, digital silence left out."""
    found = np.percentile(loud[_in_a_room(loud)], (low, high))
    return float(found[0]), float(found[1])


def _in_a_room(loud: Floats32) -> NDArray[np.bool_]:
    """Which frames are no digital silence, bool [T]."""
    return loud > float(loud.max()) - RANGE


@cache
def _filters() -> Floats32:
    """Triangles of unit area on whole bins, float32 [BANDS, 257]."""

    def mel(hertz: float) -> float:
        return float(2595 * np.log10(1 + hertz / 700))

    low, high = mel(LOWEST), mel(HIGHEST)
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    step = RATE / FFT
    edges = np.floor(edges / step + 0.5) * step
    hertz = np.arange(FFT // 2 + 1) * step
    left, top, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rise, fall = (hertz - left) / (top - left), (right - hertz) / (right - top)
    return (np.maximum(np.minimum(rise, fall), 0.0) * 2 / (right - left)).astype(np.float32)


@cache
def _cosines() -> Floats32:
    """From log energies to liftered cepstra, float32 [13, BANDS]."""
    order, band = np.arange(WIDTH)[:, None], np.arange(BANDS)[None, :]
    basis = np.cos(np.pi * order / BANDS * (band + 0.5)) * np.sqrt(2 / BANDS)
    basis[0] = np.sqrt(1 / BANDS)
    lift = 1 + LIFTER / 2 * np.sin(np.arange(WIDTH) * np.pi / LIFTER)
    return np.asarray(basis * lift[:, None], dtype=np.float32)


def score(model: AcousticModel, heard: Heard, states: Sequence[int]) -> Floats32:
    """Log likelihoods of the states at each frame, float32 [T, states], in nats, before any weighting by HOP."""
    wanted = np.asarray(states, dtype=np.int64)
    found = np.zeros((heard.frames, len(wanted)), dtype=np.float32)
    phones = np.unique(model.codebook[wanted])
    columns = [np.flatnonzero(model.codebook[wanted] == phone) for phone in phones]
    for stream in range(STREAMS):
        weights = [np.exp(-WEIGHT_STEP * model.weight[stream][:, wanted[own]].astype(np.float32)) for own in columns]
        factors, constant = _gaussians(model, phones, stream)
        for first in range(0, heard.frames, BLOCK):
            rows = heard.features[first : first + BLOCK, stream]  # [t, 13]
            density = np.c_[rows, rows**2] @ factors + constant  # [t, phones x 128]
            density = density.reshape(len(rows), len(phones), DENSITIES)
            top = density.max(axis=2)
            density -= top[:, :, None]
            np.exp(density, out=density)
            for place, own in enumerate(columns):
                fit = np.log(density[:, place] @ weights[place] + TINY) + top[:, place, None]
                found[first : first + BLOCK, own] += fit
    return found


def _gaussians(model: AcousticModel, phones: NDArray[np.int64], stream: int) -> tuple[Floats32, Floats32]:
    """Log densities as a product: factors [26, phones x 128] of a frame and its squares, and constants."""
    precision, mean = model.precision[phones, stream], model.mean[phones, stream]  # [phones, 128, 13]
    constant = model.constant[phones, stream] - 0.5 * (mean**2 * precision).sum(axis=2)
    factors = np.concatenate([mean * precision, -0.5 * precision], axis=2)
    return np.ascontiguousarray(factors.reshape(-1, 2 * WIDTH).T), constant.reshape(-1)


class Fits:
    """The log likelihoods of states at the frames of one recording, each worked out once."""

    def __init__(self, model: AcousticModel, heard: Heard) -> None:
        self._model, self._heard = model, heard
        self._known: dict[int, Floats32] = {}

    def of(self, states: Sequence[int]) -> Floats32:
        """float32 [T, states], in nats, before any weighting by HOP."""
        new = [state for state in states if state not in self._known]
        if new:
            self._known.update(zip(new, score(self._model, self._heard, new).T, strict=True))
        return np.stack([self._known[state] for state in states], axis=1)


def usual_fit(model: AcousticModel, heard: Heard) -> tuple[Floats32, float]:
    """What any sound reaches: the log likelihood of the best fitting state of all phones, whatever their contexts, at
    each frame, float32 [T]; and how far the middling one lies below it on average, which is less in noise. Taken at the
    frames that the model was trained on, of which each stands for its neighbours too.
    """
    step = USUAL // HOP
    alone = [state for phone in range(len(model.names)) for state in model.states[model.sequence[phone]].tolist()]
    few = Heard(np.ascontiguousarray(heard.features[::step]), heard.loud[::step])
    found = score(model, few, alone)
    top = found.max(axis=1)
    contrast = float((top - np.median(found, axis=1)).mean())
    return np.repeat(top, step)[: heard.frames], max(contrast, 1.0)
