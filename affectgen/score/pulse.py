"""The pulse: beat times that explain best where the accents of a performance fall.

A semi-Markov model. A beat lasts `period` frames and has four slots, the sixteenths. Every onset inside it belongs to
the nearest slot and counts with its log-odds for that place (`affectgen.score.accents`), with how far from the slot it
is, and with how often such a slot is struck at all; periods follow a prior and change slowly. Viterbi over (frame,
period) finds the best chain, like the bar pointer of Whiteley, Cemgil & Godsill (2006) without its particle of time
inside the beat. This module knows nothing of pitches, bars or files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.score.accents import Accents

SLOTS = 4
SLOT_CLASS = np.array([0, 2, 1, 2])  # beat, sixteenth, eighth, sixteenth: columns of the evidence
IMPOSSIBLE = -1e9


@dataclass(frozen=True)
class PulseSettings:
    """Chosen on EMOPIA's training clips (docs/score.md)."""

    frame: float = 0.02  # seconds
    shortest: int = 14  # frames of the fastest beat: 214 beats a minute
    longest: int = 60  # frames of the slowest: 50 beats a minute
    tempo: float = 110.0  # beats a minute, centre of the prior
    tempo_spread: float = 0.35  # its standard deviation in log tempo
    change: float = 40.0  # cost of a change of period, per unit of log ratio
    accent: float = 1.6  # weight of the log-odds of the accents
    struck: tuple[float, float, float] = (0.86, 0.66, 0.2)  # share of beats, eighths, sixteenths that are struck
    jitter: float = 0.03  # seconds, standard deviation of an onset around its slot
    stray: float = 0.08  # share of onsets that keep to no slot


DEFAULT = PulseSettings()


def find_pulse(accents: Accents, settings: PulseSettings = DEFAULT) -> NDArray[np.float64]:
    """Beat times in seconds, float64 [B], B >= 2, rising, from at or before the first onset to after the last one.

    `accents` holds at least one onset. Time and memory grow with the seconds of music: about 1 ms and 20 kB each.
    """
    periods = np.arange(settings.shortest, settings.longest + 1)
    begin = accents.time[0] - settings.longest * settings.frame
    frame = np.round((accents.time - begin) / settings.frame).astype(np.int64)
    gains = _gains(accents, frame, periods, settings)  # [T, P]
    beats = _best_chain(gains, periods, int(frame[0]), int(frame[-1]), settings)
    return _settle(beats * settings.frame + begin, accents.time, settings)


def _gains(
    accents: Accents, frame: NDArray[np.int64], periods: NDArray[np.int64], settings: PulseSettings
) -> NDArray[np.float32]:
    """Log-likelihood gained by a beat of each period that begins at each frame, [T, P]."""
    length = int(frame[-1]) + 2 * int(periods[-1]) + 2
    struck = np.array(settings.struck)
    odds = accents.odds
    on_beat = np.logaddexp(np.log(0.25) + odds[:, 0], np.log(0.75) + odds[:, 1])  # one beat in four is a downbeat
    classes = settings.accent * np.stack([on_beat, odds[:, 2], odds[:, 3]]) + np.log(struck / (1 - struck))[:, None]
    maps = np.stack([np.bincount(frame, weights=row, minlength=length) for row in classes])  # [3, T]
    count = np.bincount(frame, minlength=length).astype(np.float64)
    empty = np.log(1 - struck)[SLOT_CLASS].sum()
    out = np.empty((length, len(periods)), dtype=np.float32)
    for column, period in enumerate(periods.tolist()):
        lead = period // 8  # onsets up to half a sixteenth early belong to the beat
        at = np.arange(-lead, period - lead)
        slot = np.round(at / period * SLOTS).astype(np.int64)
        away = (at - slot * period / SLOTS) * settings.frame
        owner = SLOT_CLASS[slot % SLOTS]
        gain = empty + np.correlate(np.pad(count, (lead, period)), _closeness(away, period, settings), "valid")[:length]
        for kind in range(3):
            gain += np.correlate(np.pad(maps[kind], (lead, period)), (owner == kind).astype(float), "valid")[:length]
        out[:, column] = gain
    return out + _tempo_prior(periods, settings)


def _closeness(away: NDArray[np.float64], period: int, settings: PulseSettings) -> NDArray[np.float64]:
    """Log density of an onset `away` seconds from its slot, against four onsets a second anywhere."""
    bell = np.exp(-0.5 * (away / settings.jitter) ** 2) / (settings.jitter * np.sqrt(2 * np.pi))
    anywhere = SLOTS / (period * settings.frame)
    return np.log((1 - settings.stray) * bell + settings.stray * anywhere) - np.log(4.0)


def _tempo_prior(periods: NDArray[np.int64], settings: PulseSettings) -> NDArray[np.float32]:
    """Log prior of each period, up to a constant, [P]."""
    tempo = 60.0 / (periods * settings.frame)
    return (-0.5 * (np.log(tempo / settings.tempo) / settings.tempo_spread) ** 2).astype(np.float32)


def _best_chain(
    gains: NDArray[np.float32], periods: NDArray[np.int64], first: int, last: int, settings: PulseSettings
) -> NDArray[np.int64]:
    """Frames of the best chain of beats that begins around frame `first` and ends after frame `last`, by Viterbi."""
    columns = np.arange(len(periods))
    turn = -settings.change * np.abs(np.log(periods[:, None] / periods[None, :]))  # [P, P], from and to
    turn = (turn - np.log(np.exp(turn).sum(axis=1, keepdims=True))).astype(np.float32)
    total = len(gains) + int(periods[-1]) + 1
    best = np.full((total, len(periods)), IMPOSSIBLE, dtype=np.float32)  # of chains whose last beat ends here
    origin = np.full((total, len(periods)), -1, dtype=np.int16)  # period of the beat before; -1 begins the chain
    for column, period in enumerate(periods.tolist()):
        best[max(0, first - period + period // 8) : first + period // 8 + 1, column] = -np.log(period)
    for frame in range(max(0, first - int(periods[-1])), len(gains)):
        through = best[frame][:, None] + turn
        source = through.argmax(axis=0)
        value = through[source, columns] + gains[frame]
        ends = frame + periods
        better = value > best[ends, columns]
        best[ends[better], columns[better]] = value[better]
        origin[ends[better], columns[better]] = source[better]
    return _walk_back(best, origin, periods, last)


def _walk_back(
    best: NDArray[np.float32], origin: NDArray[np.int16], periods: NDArray[np.int64], last: int
) -> NDArray[np.int64]:
    """Follow the best chain from the first beat line after frame `last` to its beginning."""
    closings = [
        (float(best[stop, column]), stop, column)
        for column, period in enumerate(periods.tolist())
        for stop in range(last + period // 8 + 1, last + period // 8 + 1 + period)
    ]
    _, frame, column = max(closings)
    chain = [frame]
    while origin[frame, column] >= 0:
        frame, column = frame - int(periods[column]), int(origin[frame, column])
        chain.append(frame)
    return np.array(chain[::-1])


def _settle(beats: NDArray[np.float64], time: NDArray[np.float64], settings: PulseSettings) -> NDArray[np.float64]:
    """Move each beat by the mean distance of the onsets around it from their slots: frames are coarser than playing."""
    index = np.arange(len(beats))
    place = np.interp(time, beats, index)
    away = time - np.interp(np.round(place * SLOTS) / SLOTS, index, beats)
    trust = np.exp(-0.5 * (away / settings.jitter) ** 2)
    weight, moved = _triangle(place, trust, len(beats)), _triangle(place, trust * away, len(beats))
    return beats + np.clip(moved / (weight + 0.5), -settings.jitter, settings.jitter)


def _triangle(place: NDArray[np.float64], value: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Sum of `value` [E] around each of `count` beats, falling to nothing at one and a half beats away."""
    total = np.zeros(count)
    for step in (-1, 0, 1, 2):
        beat = np.floor(place).astype(np.int64) + step
        fall = np.maximum(1.0 - np.abs(place - beat) / 1.5, 0.0)
        inside = (beat >= 0) & (beat < count)
        total += np.bincount(beat[inside], weights=(fall * value)[inside], minlength=count)
    return total
