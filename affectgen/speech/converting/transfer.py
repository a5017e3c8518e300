"""Gives a recording another prosody: what is wanted of `affectgen.speech.converting.prosody` as pitch, pace, filters.

Each mel band's level is moved and its movement widened or narrowed about its mean, in voiced and in unvoiced frames of
their own; the pitch is shifted, widened and sloped; time is stretched, pauses more or less than speech. What came out
is then measured and the difference to what was wanted asked for once more (analysis by synthesis).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.band_filter import filtered
from affectgen.audio.files import Samples
from affectgen.audio.glottal import Voice, analyse
from affectgen.audio.psola import Change, changed_channels
from affectgen.audio.spectrum import BAND, MEL_BANDS
from affectgen.audio.timemap import HOP
from affectgen.errors import AudioError
from affectgen.speech.converting.prosody import BANDS, COURSE, PLACES, Course, follow, measure, summed_up

Floats = NDArray[np.float64]

ROUNDS = 1  # times that what is missing is asked for once more
GAIN = 0.7  # how much of it
MOST_GAIN = 24.0  # dB that a band is moved by
WIDTHS = (0.5, 2.0)  # factors on the movement of a band
SPREADS = (0.4, 2.5)  # factors on the movement of the pitch
PITCHES = (0.35, 3.0)  # factors on the pitch
PACES, PAUSES = (0.7, 1.5), (0.5, 2.0)  # factors on time
MOST_SLOPE = 12.0  # semitones a second
OUTLYING = 2.5  # standard deviations beyond which a band's or the pitch's movement is not widened
SLOWEST, USUAL_RATE = 1.2, 3.5  # syllables a second
FEW_PAUSES = 0.1  # share of pauses that is added, so that a recording without them does not ask for endless ones
# what the measuring after a round corrects: syllables are counted too roughly, and roughness follows from the rest
STEERED = np.array([name in ("pitch", "spread", "slope") for name in COURSE] + [True] * 4 * MEL_BANDS)


@dataclass(frozen=True)
class Source:
    """A recording that is to sound otherwise. samples: mono, float64 [N]; own: its prosody [P]; bands, active: of each
    frame of `voice`, [T, MEL_BANDS] and [T]."""

    samples: Floats
    rate: int
    voice: Voice
    own: Floats
    bands: Floats
    active: NDArray[np.bool_]


@dataclass(frozen=True)
class Recipe:
    """What is done to a recording, frame by frame of its `Voice`. gains: dB of each mel band, [T, MEL_BANDS]."""

    gains: Floats
    change: Change


def read_source(samples: Samples | Floats, rate: int) -> Source:
    """Read a mono recording. AudioError where it is too short, silent or without a voice."""
    sound = np.asarray(samples, dtype=np.float64)
    course = follow(sound, rate)
    own = summed_up(course)
    voice = analyse(sound, rate)
    if not (voice.hertz > 0).any():
        raise AudioError("No voice is heard in the recording.", "Give one in which somebody speaks.")
    return source_of(sound, rate, voice, course, own)


def source_of(sound: Floats, rate: int, voice: Voice, course: Course, own: Floats) -> Source:
    """The same from what was read before."""
    frames = course.at(np.arange(len(voice.hertz)) * HOP)
    return Source(sound, rate, voice, own, course.bands[frames], course.active[frames])


def transferred(source: Source, shift: Floats, rounds: int = ROUNDS) -> tuple[Floats, Recipe]:
    """The recording with its prosody moved by `shift` [P], float64 of another length, and how it was done.

    A shift of zeros gives a copy, bit for bit.
    """
    if not shift.any():
        count = len(source.voice.hertz)
        return source.samples.copy(), Recipe(np.zeros((count, MEL_BANDS)), Change.even(count))
    goal = source.own + shift
    wanted = goal.copy()
    for turn in range(rounds + 1):
        recipe = recipe_for(source, wanted)
        sound = applied(recipe, source.voice, source.samples)
        if turn < rounds:
            try:
                missing = goal - measure(sound, source.rate)
            except AudioError:  # the voice is lost to the tracker: there is nothing to correct by
                break
            wanted = wanted + GAIN * np.where(STEERED, missing, 0.0)
    return sound, recipe


def applied(recipe: Recipe, voice: Voice, samples: Floats) -> Floats:
    """The recording, [N] or channels [N, C], changed, [M] or [M, C]: channels alike. Its loudness stays, and its peak
    below full scale where it was."""
    if samples.ndim == 1:
        return applied(recipe, voice, samples[:, None])[:, 0]
    coloured = np.stack([_coloured(channel, voice.rate, recipe.gains) for channel in samples.T], axis=1)
    sound = changed_channels(voice, coloured, recipe.change)
    power = float(np.square(sound).mean())
    if power > 0:
        sound = sound * np.sqrt(float(np.square(samples).mean()) / power)
    peak, most = float(np.abs(sound).max()), max(1.0, float(np.abs(samples).max()))
    return np.asarray(sound * min(1.0, most / max(peak, 1e-12)))


def _coloured(samples: Floats, rate: int, gains: Floats) -> Floats:
    return filtered(samples, rate, gains, band=(BAND[0], min(BAND[1], rate / 2))) if gains.any() else samples.copy()


def recipe_for(source: Source, wanted: Floats) -> Recipe:
    """How a recording is brought to the prosody `wanted` [P] at a first guess."""
    own, hertz = source.own, source.voice.hertz
    move = wanted - own
    pitch = _pitch(hertz, own, move)
    rate = (own[PLACES["rate"]] + USUAL_RATE) / 2  # few syllables are counted too roughly to be believed alone
    pace = rate / max(rate + move[PLACES["rate"]], SLOWEST)
    time = np.full(len(hertz), float(np.clip(pace, *PACES)))
    still = own[PLACES["pauses"]] + FEW_PAUSES
    spoken = np.flatnonzero(source.active)
    inside = np.arange(spoken[0], spoken[-1])  # the silence at either end is no pause
    time[inside] *= np.where(source.active[inside], 1.0, np.clip((still + move[PLACES["pauses"]]) / still, *PAUSES))
    time[: spoken[0]], time[spoken[-1] + 1 :] = 1.0, 1.0
    return Recipe(_gains(source, move), Change(pitch, time, np.zeros(len(hertz))))


def _pitch(hertz: Floats, own: Floats, move: Floats) -> Floats:
    """The factor on the pitch of each frame [T]; through unvoiced frames it goes on."""
    voiced = np.flatnonzero(hertz > 0)
    tones = 12 * np.log2(hertz[voiced] / 27.5)
    middle, spread = own[PLACES["pitch"]], own[PLACES["spread"]]
    most = OUTLYING * spread + 1.0
    wider = float(np.clip((spread + move[PLACES["spread"]]) / max(spread, 0.4), *SPREADS))
    time = (voiced - voiced.mean()) * HOP
    slope = own[PLACES["slope"]]  # about it the pitch is widened, not with it
    steeper = slope + float(np.clip(move[PLACES["slope"]], -MOST_SLOPE, MOST_SLOPE))
    away = np.clip(tones - middle - slope * time, -most, most)
    goal = middle + move[PLACES["pitch"]] + wider * away + steeper * time
    factor = 2 ** (np.interp(np.arange(len(hertz)), voiced, goal - tones) / 12)
    return np.asarray(np.clip(factor, *PITCHES))


def _gains(source: Source, move: Floats) -> Floats:
    """The gain of each band and frame in dB, [T, MEL_BANDS]; pauses are not made louder."""
    voiced = smoothed((source.voice.hertz > 0).astype(np.float64)[:, None], 5, 0)
    gains = voiced * _part(source, move, "voiced") + (1 - voiced) * _part(source, move, "unvoiced")
    pause = smoothed((~source.active).astype(np.float64)[:, None], 9, 0)
    gains = gains * (1 - pause) + np.minimum(gains, 0.0) * pause
    return np.clip(smoothed(smoothed(gains, 5, 0), 3, 1), -MOST_GAIN, MOST_GAIN)


def _part(source: Source, move: Floats, part: str) -> Floats:
    """The gains as if all frames were voiced, or unvoiced, [T, MEL_BANDS]."""
    mean, spread = BANDS[f"{part}_mean"], BANDS[f"{part}_spread"]
    own = np.maximum(source.own[spread], 1.0)
    wider = np.clip((source.own[spread] + move[spread]) / own, *WIDTHS)
    away = np.clip(source.bands - source.own[mean], -OUTLYING * own, OUTLYING * own)
    return np.asarray((wider - 1) * away + move[mean])


def smoothed(values: Floats, width: int, axis: int) -> Floats:
    """Values [T, B] under a Hann window of so many places along one axis, level beyond the ends."""
    window = np.hanning(width + 2)[1:-1]
    pad = [(0, 0), (0, 0)]
    pad[axis] = (width // 2, width // 2)
    padded = np.pad(values, pad, mode="edge")
    view = np.lib.stride_tricks.sliding_window_view(padded, width, axis=axis)
    return np.asarray(view @ (window / window.sum()))
