"""What the words around a span say of how it should be said: the pitch beside it, the pace, the level and the spectrum.

The weights are those that best tell how CREMA-D's training speakers said the middle words of a sentence in an emotion,
from the words around and from their own neutral take of the middle words (`affectgen.evaluate.corrections` shows it).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.glottal import Voice, analyse
from affectgen.audio.psola import Change
from affectgen.audio.spectrum import MEL_BANDS
from affectgen.audio.timemap import HOP
from affectgen.errors import AudioError
from affectgen.speech.aligning.alignment import FRICATIVES, SONORANTS, STOPS, VOWELS, Alignment, Phone
from affectgen.speech.converting.prosody import Course, follow
from affectgen.speech.converting.transfer import Recipe, smoothed

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Span = tuple[float, float]

POOL = 6.0  # seconds on either side of a span that are listened to
BESIDE = 0.4  # seconds of sound beside a span whose pitch is that of its neighbours
EDGE = 5  # voiced frames next to a span: their median is the pitch that it joins
FARTHEST = 1.0  # seconds from the span within which neighbours are looked for
# Pitch: from the middle between the neighbours on.
ARCH = 0.75  # semitones that words between two neighbours stand above it
OWN = 0.1  # of the difference of the span's own level to it
EDGES = (0.6, 1.1)  # of the differences of the pitch before and after the span to it, at these ends of the span
FARTHEST_EDGE = 10.0  # semitones that this difference is taken for at most
FADES = 0.16  # seconds in which the pull of an edge falls to a third
SHORT, LONG = 1.0, 3.0  # seconds of spans of whose own movement so much stays:
MOVEMENTS = (0.25, 0.9)
LARGEST = 7.0  # semitones: a movement beyond is a fault of the tracker
FAULT = 17.0  # semitones from the median around beyond which a pitch is none, in the liveliest voice
MOST = 14.0  # semitones that the pitch is moved by
PACE = 0.4  # of the difference in log lengths
PACES = (0.7, 1.5)
LEVEL, TILT, SHAPE = 0.3, 0.7, 0.4  # of the differences of spectra: order 0, 1 and the others
ORDERS = 9  # of cosines along the bands that tell a voice's colour; higher ones tell sounds apart
DOUBT = (5.0, 20.0)  # frames of the span and of the context at which half of a difference is believed
MOST_GAIN = 15.0  # dB
CLASSES = (VOWELS, SONORANTS, FRICATIVES, STOPS)


@dataclass(frozen=True)
class Region:
    """A recording around a span. first: sample of the recording that it begins with; voice: its pitch and marks, mono;
    course: what is measured of it; at: of each frame of `voice`, that of `course`, [T]; span: seconds from its start;
    inside, outside: frames of the span, and of no span, bool [T]; phones: in it, and those of no span."""

    first: int
    voice: Voice
    course: Course
    at: NDArray[np.int64]
    span: Span
    inside: Bools
    outside: Bools
    phones: tuple[Phone, ...]
    others: tuple[Phone, ...]

    @property
    def count(self) -> int:
        """Frames each HOP."""
        return len(self.voice.hertz)

    @property
    def bands(self) -> Floats:
        """Mel bands in dB below the loud frames, [T, MEL_BANDS]."""
        return np.asarray(self.course.bands[self.at])

    @property
    def active(self) -> Bools:
        """Frames that are no pauses, [T]."""
        return np.asarray(self.course.active[self.at])

    @property
    def voiced(self) -> Bools:
        """Frames with a pitch, [T]."""
        return np.asarray(self.voice.hertz > 0)

    @property
    def tones(self) -> Floats:
        """The pitch in semitones above 27.5 Hz, nan where there is none, [T]."""
        return np.where(self.voiced, 12 * np.log2(np.maximum(self.voice.hertz, 1.0) / 27.5), np.nan)


def read_region(
    samples: NDArray[np.floating], rate: int, span: Span, spans: Sequence[Span], alignment: Alignment | None
) -> Region:
    """The mono recording [N] around one of its spans. AudioError where it is silent or too short."""
    first = max(round((span[0] - POOL) * rate), 0)
    last = min(round((span[1] + POOL) * rate), len(samples))
    start = first / rate
    cut = np.asarray(samples[first:last], dtype=np.float64)
    course, voice = follow(cut, rate), analyse(cut, rate)
    moments = start + np.arange(len(voice.hertz)) * HOP
    held = np.zeros(len(moments), dtype=bool)
    for one in spans:
        held |= (moments >= one[0]) & (moments < one[1])
    inside = (moments >= span[0]) & (moments < span[1])
    phones = () if alignment is None else _spoken(alignment, start, last / rate)
    mine = tuple(phone for phone in phones if span[0] <= _middle(phone) < span[1])
    others = tuple(phone for phone in phones if not any(a <= _middle(phone) < b for a, b in spans))
    return Region(
        first, voice, course, course.at(np.arange(len(moments)) * HOP), (span[0] - start, span[1] - start),
        inside, ~held, mine, others,
    )  # fmt: skip


def _spoken(alignment: Alignment, start: float, end: float) -> tuple[Phone, ...]:
    """The phones of the words in a stretch, without silences."""
    return tuple(phone for word in alignment.words for phone in word.phones if start <= _middle(phone) < end)


def _middle(phone: Phone) -> float:
    return (phone.start + phone.end) / 2


def by_context(region: Region) -> Recipe:
    """What brings the span nearer to what is around it, for each frame; beyond the span its edges' values go on."""
    time = np.ones(region.count)
    time[region.inside] = pace_of(region)
    change = Change(pitch_of(region), time, np.zeros(region.count))
    return Recipe(gains_of(region), change)


def pitch_of(region: Region) -> Floats:
    """The factor on each frame's pitch, [T]; 1 where the span or all around it is without a voice."""
    tones = believed(region)
    own = np.flatnonzero(region.inside & np.isfinite(tones))
    around = tones[region.outside & region.active & np.isfinite(tones)]
    if not len(own) or not len(around):
        return np.ones(region.count)
    moments = own * HOP
    start, end = region.span
    level, whole = float(np.median(tones[own])), float(np.median(around))
    left, right = neighbour(region, tones, before=True), neighbour(region, tones, before=False)
    known = [side for side in (left, right) if side is not None]
    middle = float(np.mean([side[0] for side in known])) if len(known) == 2 else whole
    if len(known) == 1:
        middle = (known[0][0] + whole) / 2
    goal = middle + (ARCH if len(known) == 2 else 0.0) + OWN * (level - middle)
    kept = float(np.interp(end - start, (SHORT, LONG), MOVEMENTS))
    wanted = goal + kept * np.clip(tones[own] - level, -LARGEST, LARGEST)
    for side, away, pull in zip((left, right), (moments - start, end - moments), EDGES, strict=True):
        if side is not None:
            edge = float(np.clip(side[1] - middle, -FARTHEST_EDGE, FARTHEST_EDGE))
            wanted = wanted + pull * np.exp(-np.maximum(away, 0.0) / FADES) * edge
    steps = np.clip(wanted - tones[own], -MOST, MOST)
    return np.asarray(2 ** (np.interp(np.arange(region.count), own, steps) / 12))


def neighbour(region: Region, tones: Floats, before: bool) -> tuple[float, float] | None:
    """(level, edge) of the pitch beside the span in semitones: the median of the voiced part of BESIDE seconds of
    sound, and of the EDGE frames next to the span. None where nothing is voiced near."""
    place = np.arange(region.count) * HOP
    edge = region.span[0] if before else region.span[1]
    near = (place < edge) & (place >= edge - FARTHEST) if before else (place >= edge) & (place < edge + FARTHEST)
    frames = np.flatnonzero(near & region.outside & region.active)
    frames = frames[::-1] if before else frames
    frames = frames[: round(BESIDE / HOP)]
    frames = frames[np.isfinite(tones[frames])]
    if len(frames) < EDGE:
        return None
    return float(np.median(tones[frames])), float(np.median(tones[frames[:EDGE]]))


def believed(region: Region) -> Floats:
    """The pitch in semitones, smooth, [T]: nan where there is none, and around the span where it lies farther than
    FAULT from the median there: noises and octaves that the tracker took wrongly."""
    tones = region.tones
    known = region.outside & np.isfinite(tones)
    if known.any():
        tones[known & (np.abs(tones - np.median(tones[known])) > FAULT)] = np.nan
    return smooth_tones(tones)


def smooth_tones(tones: Floats) -> Floats:
    """Tones [T] as running medians of five voiced frames, so that small irregularities are neither read nor taken away;
    nan stays nan."""
    known = np.flatnonzero(np.isfinite(tones))
    found = tones.copy()
    if len(known) >= 5:
        padded = np.pad(tones[known], 2, mode="edge")
        found[known] = np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1)
    return found


def pace_of(region: Region) -> float:
    """How many times longer the span is to last: by the lengths of sounds of the same class around it, as far as they
    are known; 1 without an alignment."""
    differences, weights = [], []
    for kind in CLASSES:
        own = [np.log(max(one.seconds, 0.01)) for one in region.phones if one.name in kind]
        around = [np.log(max(one.seconds, 0.01)) for one in region.others if one.name in kind]
        if own and around:
            differences.append(float(np.mean(around) - np.mean(own)))
            weights.append(len(own) * len(around) / (len(own) + len(around)))
    if not weights:
        return 1.0
    return float(np.clip(np.exp(PACE * np.average(differences, weights=weights)), *PACES))


def gains_of(region: Region) -> Floats:
    """dB of each frame and mel band, [T, MEL_BANDS]: voiced and unvoiced sounds of their own."""
    share = smoothed(region.voiced.astype(np.float64)[:, None], 5, 0)
    voiced = _difference(region, region.voiced & region.active)
    unvoiced = _difference(region, ~region.voiced & region.active)
    quiet = smoothed((~region.active).astype(np.float64)[:, None], 9, 0)
    gains = share * voiced + (1 - share) * unvoiced
    gains = gains * (1 - quiet) + np.minimum(gains, 0.0) * quiet  # pauses are not made louder
    return np.clip(gains, -MOST_GAIN, MOST_GAIN)


def _difference(region: Region, kind: Bools) -> Floats:
    """dB by which the span's frames of a kind differ from those around it, as far as it is to be made good, [bands]."""
    own, around = region.bands[kind & region.inside], region.bands[kind & region.outside]
    if not len(own) or not len(around):
        return np.zeros(MEL_BANDS)
    belief = len(own) / (len(own) + DOUBT[0]) * len(around) / (len(around) + DOUBT[1])
    return np.asarray(belief * colour(around.mean(axis=0) - own.mean(axis=0)))


def colour(bands: Floats) -> Floats:
    """The part of a difference of spectra [MEL_BANDS] that tells of the voice, not of its sounds: few cosines,
    weighted."""
    places = (np.arange(MEL_BANDS) + 0.5) * np.pi / MEL_BANDS
    basis = np.cos(np.arange(ORDERS)[:, None] * places) * np.sqrt(2 / MEL_BANDS)
    basis[0] *= np.sqrt(0.5)
    weights = np.r_[LEVEL, TILT, np.full(ORDERS - 2, SHAPE)]
    return np.asarray((weights * (basis @ bands)) @ basis)


def check_voice(region: Region) -> None:
    """AudioError where nothing in the region has a pitch."""
    if not region.voiced.any():
        raise AudioError("No voice is heard in the recording.", "Give one in which somebody speaks.")
