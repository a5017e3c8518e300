"""Words that do not fit their neighbours: those that another editor set in from another take.

Stretches of words are compared with the rest of the recording and with what lies beside them: pitch, its steps at both
ends, level, spectrum, pace. How much of each is natural was learned from CREMA-D's training
speakers, whose takes were spliced at random (`affectgen.evaluate.misfits`, which measures it on others).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.files import Samples
from affectgen.audio.spectrum import HOP, MEL_BANDS, RATE
from affectgen.speech.aligning.alignment import FRICATIVES, SONORANTS, STOPS, VOWELS, Alignment, Word
from affectgen.speech.converting.prosody import Course, follow

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LONGEST = 4  # words of a stretch
LEAST_WORDS = 4  # of a recording: of fewer, none can be told to be the strange one
BESIDE = 0.5  # seconds beside a stretch that are its neighbours
SLACK = 0.05  # seconds that an edge may lie wrong by
NEAR = 0.3  # seconds beside an edge in which its pitch must lie
EDGE = 4  # voiced frames whose median is the pitch at an edge
DOUBT = 6.0  # frames at which half of a difference is believed
ORDERS = 8  # cosines along the bands
SPREADS = (1.0, 2.0)  # semitones, dB that are added to how far the other words spread
WIDE = 2  # the last of FEATURES, which are believed farther
FEATURES = ("pitch", "bump", "step_in", "step_out", "movement", "level", "tilt", "shape", "pace", "stray", "loud")
CLASSES = (VOWELS, SONORANTS, FRICATIVES, STOPS)
MOST_WORDS = 14  # that are compared with each other: of longer recordings, what lies between their longest pauses
AROUND = 0.3  # seconds on either side of such a part
TERMS = (*FEATURES, "steps", "levels", "one", "two")
# `python -m affectgen.evaluate.misfits --fit` learns these
CAPS = (4.9794, 5.3804, 5.6526, 5.6756, 1.4164, 5.5847, 1.2512, 2.3195, 0.3099, 5.8354, 3.7943)
WEIGHTS = (
    0.0000, 0.0000, 0.0757, 0.1156, 0.1978, 0.1816, 0.0000, 0.0122, 0.0000,
    0.1056, 0.2169, 0.0981, 0.0939, -1.4279, -0.4895,
)  # fmt: skip
BIAS = -2.9627  # three untouched takes of twenty lie above 0


@dataclass(frozen=True)
class Misfit:
    """words: their places in the alignment; start, end: seconds; score: above 0, the surer the higher; why: how they
    differ from the rest, by name: pitch (semitones), step (of the pitch where they begin or end, the larger one,
    semitones), level (dB), longer (times)."""

    words: range
    start: float
    end: float
    score: float
    why: dict[str, float]


@dataclass(frozen=True)
class Heard:
    """A recording word by word. tones: semitones, nan without a pitch, [T]; cosines: of the bands, [T, ORDERS]; active:
    no pause, [T]; place: seconds of each frame, [T]; words: in order of time; lengths: of each word, the mean log
    length of its sounds less that of their kind in the recording, [W], and how many sounds, [W]; pitches, levels: of
    each word, semitones and dB, nan where it has no voice, [W]."""

    tones: Floats
    cosines: Floats
    active: Bools
    place: Floats
    words: tuple[Word, ...]
    lengths: Floats
    sounds: Floats
    pitches: Floats
    levels: Floats


def heard(samples: Samples | Floats, rate: int, alignment: Alignment) -> Heard:
    """Mono samples and when their words are spoken. AudioError where they are silent or too short."""
    course = follow(samples, rate)
    lengths, sounds = _lengths(alignment.words)
    tones, cosines = _tones(course), course.bands @ _basis().T
    place = np.arange(len(course.level)) * HOP / RATE
    own = [(place >= word.start) & (place < word.end) & np.isfinite(tones) for word in alignment.words]
    pitches, levels = (np.array([_median(values, one) for one in own]) for values in (tones, cosines[:, 0]))
    return Heard(tones, cosines, course.active, place, alignment.words, lengths, sounds, pitches, levels)


def _tones(course: Course) -> Floats:
    voiced = np.flatnonzero(course.pitch.voiced & course.active)
    tones = np.full(len(course.level), np.nan)
    if len(voiced) >= 5:
        padded = np.pad(course.pitch.semitones[voiced], 2, mode="edge")
        tones[voiced] = np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1)
        tones[np.abs(tones - np.nanmedian(tones)) > 15.0] = np.nan  # octaves that the tracker took wrongly
    return tones


def _basis() -> Floats:
    places = (np.arange(MEL_BANDS) + 0.5) * np.pi / MEL_BANDS
    return np.cos(np.arange(ORDERS)[:, None] * places) / MEL_BANDS


def _lengths(words: Sequence[Word]) -> tuple[Floats, Floats]:
    kinds: list[list[float]] = [[] for _ in CLASSES]
    own: list[list[tuple[int, float]]] = []
    for word in words:
        told = [(kind, float(np.log(max(phone.seconds, 0.01)))) for phone in word.phones
                for kind, names in enumerate(CLASSES) if phone.name in names]
        own.append(told)
        for kind, length in told:
            kinds[kind].append(length)
    means = [float(np.mean(kind)) if kind else 0.0 for kind in kinds]
    mean = [float(np.mean([length - means[kind] for kind, length in told])) if told else 0.0 for told in own]
    return np.array(mean), np.array([float(len(told)) for told in own])


def stretches(count: int) -> Iterator[range]:
    """All stretches of words that may be strange in a recording of `count` words: at most half of it."""
    if count >= LEAST_WORDS:
        for width in range(1, min(LONGEST, count // 2) + 1):
            for first in range(count - width + 1):
                yield range(first, first + width)


def features(found: Heard, words: range) -> Floats:
    """FEATURES of a stretch, all at least 0, [K]."""
    start, end = found.words[words[0]].start, found.words[words[-1]].end
    inside = (found.place >= start) & (found.place < end)
    voiced = np.isfinite(found.tones)
    before = ~inside & (found.place < start) & (found.place >= start - BESIDE)
    after = ~inside & (found.place >= end) & (found.place < end + BESIDE)
    own = _median(found.tones, inside & voiced)
    rest = _median(found.tones, ~inside & voiced)
    sides = [_median(found.tones, side & voiced) for side in (before, after)]
    known = [side for side in sides if np.isfinite(side)]
    colour = _apart(found.cosines, inside & voiced & found.active, ~inside & voiced & found.active)
    told = {
        "pitch": abs(own - rest), "bump": abs(own - float(np.mean(known))) if known else 0.0,
        "step_in": _step(found, start), "step_out": _step(found, end),
        "movement": _movement(found.tones, inside & voiced, ~inside & voiced),
        "level": abs(colour[0]), "tilt": abs(colour[1]), "shape": float(np.sqrt((colour[2:] ** 2).sum())),
        "pace": abs(_slower(found, words)),
        "stray": _stray(found.pitches, words, SPREADS[0]), "loud": _stray(found.levels, words, SPREADS[1]),
    }  # fmt: skip
    return np.array([told[name] if np.isfinite(told[name]) else 0.0 for name in FEATURES])


def terms(own: Floats, caps: Floats, count: int) -> Floats:
    """TERMS of a stretch of `count` words with the FEATURES `own`, [T]. Differences beyond `caps` say no more: many are
    octaves that the tracker took wrongly. steps: the smaller of both; levels: of pitch and bump; one, two: words."""
    held = dict(zip(FEATURES, np.minimum(own, caps).tolist(), strict=True))
    steps, levels = min(held["step_in"], held["step_out"]), min(held["pitch"], held["bump"])
    return np.array([*held.values(), steps, levels, float(count == 1), float(count == 2)])


def scores(found: Heard, words: Sequence[range], caps: Floats, weights: Floats, bias: float) -> Floats:
    """How strange each stretch is, [S]: above 0 it is taken."""
    return np.array([float(terms(features(found, one), caps, len(one)) @ weights) + bias for one in words])


def misfits(samples: Samples | Floats, rate: int, alignment: Alignment) -> list[Misfit]:
    """The stretches of words that do not fit, in order of time, none beside another; at most half of the words of a
    part. AudioError where the recording is silent or too short."""
    found: list[Misfit] = []
    for first, last in parts_of(alignment.words, 0, len(alignment.words)):
        words = alignment.words[first:last]
        if len(words) < LEAST_WORDS:
            continue
        begin = max(words[0].start - AROUND, 0.0)
        cut = samples[round(begin * rate) : round((words[-1].end + AROUND) * rate)]
        moved = tuple(shifted(word, -begin) for word in words)
        sound = heard(cut, rate, Alignment(moved, len(cut) / rate))
        found += [_told(sound, one, score, first, begin) for one, score in strange(sound)]
    return found


def strange(found: Heard) -> list[tuple[range, float]]:
    """(stretch, score) of those above 0, the strangest first chosen and its neighbours let be, in order of time."""
    places = list(stretches(len(found.words)))
    told = scores(found, places, np.array(CAPS), np.array(WEIGHTS), BIAS)
    taken: list[tuple[range, float]] = []
    for place in np.argsort(-told, kind="stable"):
        one, score = places[place], float(told[place])
        room = len(found.words) // 2 - sum(len(other) for other, _ in taken)
        apart = all(one.stop < other.start or other.stop < one.start for other, _ in taken)
        if score > 0 and apart and len(one) <= room:
            taken.append((one, score))
    return sorted(taken, key=lambda each: each[0].start)


def parts_of(words: Sequence[Word], first: int, last: int) -> Iterator[tuple[int, int]]:
    """(first, last) of parts of at most MOST_WORDS words, cut at the longest pauses; each has LEAST_WORDS at least."""
    if last - first <= MOST_WORDS:
        yield first, last
        return
    places = range(first + LEAST_WORDS, last - LEAST_WORDS + 1)
    cut = max(places, key=lambda place: words[place].start - words[place - 1].end)
    yield from parts_of(words, first, cut)
    yield from parts_of(words, cut, last)


def shifted(word: Word, seconds: float) -> Word:
    """The word so much later."""
    phones = tuple(replace(phone, start=phone.start + seconds, end=phone.end + seconds) for phone in word.phones)
    return replace(word, start=word.start + seconds, end=word.end + seconds, phones=phones)


def _told(found: Heard, words: range, score: float, first: int, begin: float) -> Misfit:
    start, end = found.words[words[0]].start, found.words[words[-1]].end
    inside = (found.place >= start) & (found.place < end)
    voiced = np.isfinite(found.tones)
    pitch = _median(found.tones, inside & voiced) - _median(found.tones, ~inside & voiced)
    why = {
        "pitch": round(pitch, 1) if np.isfinite(pitch) else 0.0,
        "step": round(max(_step(found, start), _step(found, end)), 1),
        "level": round(float(_apart(found.cosines, inside & voiced, ~inside & voiced)[0]), 1),
        "longer": round(float(np.exp(_slower(found, words))), 2),
    }
    return Misfit(range(first + words.start, first + words.stop), start + begin, end + begin, score, why)


def _median(values: Floats, which: Bools) -> float:
    return float(np.median(values[which])) if which.any() else float("nan")


def _apart(values: Floats, one: Bools, other: Bools) -> Floats:
    if not one.any() or not other.any():
        return np.zeros(values.shape[1])
    belief = one.sum() / (one.sum() + DOUBT) * other.sum() / (other.sum() + DOUBT)
    return np.asarray(belief * (values[one].mean(axis=0) - values[other].mean(axis=0)))


def _step(found: Heard, moment: float) -> float:
    """Semitones between the pitch before a moment and after it; 0 where one is not near."""
    away, voiced = found.place - moment, np.isfinite(found.tones)
    left = np.flatnonzero(voiced & (away < -SLACK) & (away >= -NEAR))[-EDGE:]
    right = np.flatnonzero(voiced & (away >= SLACK) & (away < NEAR))[:EDGE]
    if not len(left) or not len(right):
        return 0.0
    return abs(float(np.median(found.tones[right]) - np.median(found.tones[left])))


def _movement(tones: Floats, one: Bools, other: Bools) -> float:
    """How differently far the pitch moves: the log of the ratio of its deviations."""
    if min(one.sum(), other.sum()) < EDGE:
        return 0.0
    mine, its = (float(np.std(tones[which])) + 0.5 for which in (one, other))
    return abs(float(np.log(mine / its)))


def _stray(values: Floats, words: range, least: float) -> float:
    """How far a stretch's words lie from the others, in units of how far those spread (and `least`)."""
    inside = np.isin(np.arange(len(values)), words)
    own, rest = values[inside & np.isfinite(values)], values[~inside & np.isfinite(values)]
    if not len(own) or len(rest) < 2:
        return 0.0
    middle = float(np.median(rest))
    return abs(float(np.median(own)) - middle) / (float(np.median(np.abs(rest - middle))) + least)


def _slower(found: Heard, words: range) -> float:
    """Mean log length of a stretch's sounds less that of the others, as far as so few tell it."""
    held = np.zeros(len(found.words), dtype=bool)
    held[list(words)] = True
    own, rest = found.sounds * held, found.sounds * ~held
    if not own.sum() or not rest.sum():
        return 0.0
    apart = (found.lengths * own).sum() / own.sum() - (found.lengths * rest).sum() / rest.sum()
    return float(apart * own.sum() / (own.sum() + 2))
