"""New words at the speaker's pitch, rate and level, continued from the words beside them.

The source says more than the new words: its neighbouring words are those of the recording. So the pitch moves from the
recording's last word into the new one by as much as the source's does, and from there into the next; in between, the
difference between the two voices goes evenly from one to the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from affectgen.audio.f0 import Floats
from affectgen.audio.psola import HOP, Change, analyse, contoured, placed
from affectgen.speech.aligning.alignment import PHONES, Alignment, Word
from affectgen.speech.editing.differ import Edit
from affectgen.speech.editing.engines import Filling
from affectgen.speech.editing.sources import Source, Speech, frames_between, middle_of

MARGIN = 0.08  # seconds of the source kept on either side for the seams
RATES = (0.6, 1.7)  # of the source's lengths
MOVEMENTS = (0.7, 1.5)  # of the source's pitch movements
APART = 4.0  # semitones that an edge may pull the pitch from the speaker's usual one
HERTZ = (60.0, 600.0)
LOUDER = 6.0  # dB to either side
CLOSE, EDGE = 0.06, 3  # seconds from a seam, and frames, by which the pitch beside it is told
STEP = 0.5  # semitones between two words: natural joins have about that much
EASED = 0.15  # seconds over which the pitch comes back to its own way
NEIGHBOURS = 3  # words on either side whose level is followed


def fitted(source: Source, sound: Floats, first: float, speaker: Speech, edit: Edit) -> Filling:
    """The source's words at the speaker's pitch, rate and level.

    sound: the stretch of the source around its words, in the speaker's voice, float64 [N] at the speaker's rate, which
    begins `first` seconds into the source.
    """
    start, end = source.span
    voice = analyse(sound, speaker.rate)
    count = len(voice.hertz)
    at: Floats = first + np.arange(count, dtype=np.float64) * HOP
    time = np.full(count, rate_of(source, speaker))
    gain = np.full(count, level_of(source, speaker, edit, sound, first))
    wanted = contour_of(source, speaker, edit, at, voice.hertz)
    change = Change(np.ones(count), time, np.zeros(count))
    moved = contoured(voice, wanted, time, gain)

    def moment(seconds: float) -> float:
        return float(placed(np.array(seconds - first), change))

    words = [word for word in source.speech.alignment.words if source.first <= word.index < source.last]
    spoken = tuple(_moved(word, moment) for word in words)
    return Filling(moved, moment(start), min(moment(end), len(moved) / speaker.rate), spoken, source.name)


def _moved(word: Word, moment: Callable[[float], float]) -> Word:
    """The word at other times."""
    phones = tuple(replace(one, start=moment(one.start), end=moment(one.end)) for one in word.phones)
    return replace(word, start=moment(word.start), end=moment(word.end), phones=phones)


def rate_of(source: Source, speaker: Speech) -> float:
    """How many times longer the speaker's sounds last than the source's, over the sounds that both have."""
    if source.own:
        return 1.0
    theirs, own = _lengths(speaker.alignment), _lengths(source.speech.alignment)
    shared = sorted(set(theirs) & set(own))
    if not shared:
        return 1.0
    weights = [min(len(theirs[name]), len(own[name])) for name in shared]
    ratios = [np.mean(theirs[name]) - np.mean(own[name]) for name in shared]
    return float(np.clip(np.exp(np.average(ratios, weights=weights)), *RATES))


def _lengths(alignment: Alignment) -> dict[str, list[float]]:
    """Logarithms of how long each sound lasted, by name."""
    found: dict[str, list[float]] = defaultdict(list)
    for phone in alignment.phones:
        if phone.name in PHONES:
            found[phone.name].append(float(np.log(max(phone.seconds, 0.01))))
    return found


def contour_of(source: Source, speaker: Speech, edit: Edit, at: Floats, hertz: Floats) -> Floats:
    """The pitch in Hz that each frame of the source's stretch is to have [T], 0 where it has none. at: seconds of the
    source [T]; hertz: the stretch's own pitch [T]."""
    if not np.isfinite(source.speech.middle) or not np.isfinite(speaker.middle):
        return np.zeros(len(at))
    own = 12 * np.log2(np.maximum(hertz, 1.0) / 27.5)
    scale = 1.0
    if not source.own and np.isfinite(source.speech.spread) and np.isfinite(speaker.spread):
        scale = float(np.clip(speaker.spread / max(source.speech.spread, 0.5), *MOVEMENTS))
    usual = speaker.middle - scale * source.speech.middle
    left, right = edge_differences(source, speaker, edit, scale, usual)
    start, end = source.span
    difference = np.interp(at, (start, end), (left, right))
    tones = met(np.where(hertz > 0, scale * own + difference, np.nan), at, (start, end), edges_of(speaker, edit))
    wanted = np.clip(27.5 * 2 ** (np.nan_to_num(tones) / 12), *HERTZ)
    return np.asarray(np.where(hertz > 0, wanted, 0.0))


def edges_of(speaker: Speech, edit: Edit) -> tuple[float, float]:
    """The recording's pitch just before and just after an edit, semitones, nan where it has none so near."""
    tones = speaker.semitones
    start, end = edit.start - speaker.begins, edit.end - speaker.begins
    before = tones[frames_between(start - CLOSE, start, len(tones))]
    after = tones[frames_between(end, end + CLOSE, len(tones))]
    return middle_of(before[np.isfinite(before)][-EDGE:]), middle_of(after[np.isfinite(after)][:EDGE])


def met(tones: Floats, at: Floats, span: tuple[float, float], edges: tuple[float, float]) -> Floats:
    """The new words' pitch, semitones [T], nan where unvoiced, bent at both ends so that a step to what lies beside
    them is no larger than most that a voice makes between two words. at: seconds [T]; span: of the words; edges: the
    pitch before and after."""
    bent = tones.copy()
    for place, edge, sign in ((span[0], edges[0], 1.0), (span[1], edges[1], -1.0)):
        inside = sign * (at - place)  # seconds into the words
        near = np.flatnonzero(np.isfinite(tones) & (inside >= 0) & (inside <= CLOSE))
        step = middle_of(tones[near[:EDGE] if sign > 0 else near[-EDGE:]]) - edge
        if np.isfinite(step):
            share = np.clip(1 - inside / EASED, 0.0, 1.0)
            bent -= (step - np.clip(step, -STEP, STEP)) * share
    return bent


def edge_differences(
    source: Source, speaker: Speech, edit: Edit, scale: float, usual: float
) -> tuple[float, float]:
    """How many semitones the speaker lies above the source's scaled pitch in the word before and in the one after; an
    edge without a word on both sides takes the other's, or `usual`."""
    theirs, own = speaker.words(), source.speech.words()
    found = []
    for mine, other, side in (
        (own.get(source.first - 1), theirs.get(edit.change.first - 1), "right"),
        (own.get(source.last), theirs.get(edit.change.last), "left"),
    ):
        step = float("nan")
        if mine is not None and other is not None:
            step = speaker.pitch_in(other.start, other.end, side)
            step -= scale * source.speech.pitch_in(mine.start, mine.end, side)
        found.append(usual + float(np.clip(step - usual, -APART, APART)) if np.isfinite(step) else step)
    left, right = found
    middle = usual if not (np.isfinite(left) or np.isfinite(right)) else float(np.nanmean(found))
    return left if np.isfinite(left) else middle, right if np.isfinite(right) else middle


def level_of(source: Source, speaker: Speech, edit: Edit, sound: Floats, first: float) -> float:
    """dB that bring the new words' vowels to the level that the speaker's have around them, relative to how loud the
    source says its words against the same neighbours, as far as that is known."""
    words = [word for word in source.speech.alignment.words if source.first <= word.index < source.last]
    shifted = Alignment(tuple(_moved(word, lambda s: s - first) for word in words), len(sound) / speaker.rate)
    now = Speech(sound, speaker.rate, shifted).level_of(shifted.words)
    around = [
        word for word in speaker.alignment.words
        if edit.change.first - NEIGHBOURS <= word.index < edit.change.first
        or edit.change.last <= word.index < edit.change.last + NEIGHBOURS
    ]  # fmt: skip
    wanted = speaker.level_of(around if around else speaker.alignment.words)
    beside = [
        word for word in source.speech.alignment.words
        if source.first - NEIGHBOURS <= word.index < source.first
        or source.last <= word.index < source.last + NEIGHBOURS
    ]  # fmt: skip
    stress = source.speech.level_of(words) - source.speech.level_of(beside) if beside else 0.0
    stress = float(np.clip(stress, -3.0, 3.0)) if np.isfinite(stress) else 0.0
    if not (np.isfinite(now) and np.isfinite(wanted)):
        return 0.0
    return float(np.clip(wanted + stress - now, -LOUDER, LOUDER))
