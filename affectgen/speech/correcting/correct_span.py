"""One span of a recording, said otherwise and set back in its place: nothing beyond 15 ms of it changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.band_filter import band_centres, filtered
from affectgen.audio.glottal import Voice
from affectgen.audio.psola import Change, changed_channels, placed
from affectgen.audio.spectrum import BAND, MEL_BANDS
from affectgen.audio.timemap import HOP, PITCHES, TIMES, frame_count
from affectgen.errors import AudioError
from affectgen.speech.converting.prosody import BANDS, LEAST_VOICED, PLACES, summed_up
from affectgen.speech.converting.transfer import Recipe, Source, recipe_for
from affectgen.speech.correcting.correct_context import Region
from affectgen.speech.edited_file import Patch
from affectgen.speech.editing.seams import Joint, joint

Floats = NDArray[np.float64]

MARGIN = 0.12  # seconds beyond a span that are changed with it, for the seams
SEAM = 0.08  # seconds from an edge within which two thirds of a target's pitch are reached
SPREAD = 2.563  # as in `affectgen.speech.converting.prosody`


@dataclass(frozen=True)
class Piece:
    """A span, changed. patch: in samples of the whole recording; moment: where a moment of the span, seconds of the
    whole recording, lies in the patch's sound, seconds."""

    patch: Patch
    moment: Callable[[float], float]


def span_prosody(region: Region) -> Floats:
    """The prosody [P] of a region with pitch and spectrum of the span alone, which is too short for the rest.

    AudioError where no voice is heard."""
    own = summed_up(region.course)
    tones = region.tones[region.inside & region.voiced & region.active]
    if len(tones) >= LEAST_VOICED:
        low, high = np.percentile(tones, (10, 90))
        own[PLACES["pitch"]] = np.median(tones)
        own[PLACES["spread"]] = (high - low) / SPREAD
    for part, kind in (("voiced", region.voiced), ("unvoiced", ~region.voiced)):
        bands = region.bands[region.inside & region.active & kind]
        if len(bands) >= LEAST_VOICED:
            own[BANDS[f"{part}_mean"]], own[BANDS[f"{part}_spread"]] = bands.mean(axis=0), bands.std(axis=0)
    return own


def by_shift(region: Region, own: Floats, shift: Floats) -> Recipe:
    """What moves the span's prosody `own` [P] by a shift [P], for each frame of the region; its level stays, and beyond
    the span its edges' values go on."""
    frames = np.flatnonzero(region.inside)
    if not len(frames):
        return nothing(region.count)
    first, last = int(frames[0]), int(frames[-1]) + 1
    hertz = region.voice.hertz[first:last]
    voice = replace(region.voice, hertz=hertz if (hertz > 0).any() else np.ones(last - first))
    source = Source(region.voice.samples, region.voice.rate, voice, own, region.bands[first:last],
                    region.active[first:last])  # fmt: skip
    made = recipe_for(source, own + shift)
    near = np.clip(np.arange(region.count) - first, 0, last - first - 1)
    pitch = made.change.pitch[near] if (hertz > 0).any() else np.ones(region.count)
    time = np.where(region.inside, made.change.time[near], 1.0)
    gains = made.gains - louder(source.bands, made.gains)
    return Recipe(gains[near], Change(pitch, time, np.zeros(region.count)))


def louder(bands: Floats, gains: Floats) -> float:
    """dB by which gains make frames of mel bands louder, both [K, MEL_BANDS] in dB."""
    width = 700 + band_centres(MEL_BANDS, BAND)  # of bands of equal width in mel, Hz but for a factor
    before = (width * 10 ** (bands / 10)).sum()
    return float(10 * np.log10((width * 10 ** ((bands + gains) / 10)).sum() / max(float(before), 1e-12)))


def nothing(count: int) -> Recipe:
    """What leaves everything as it is."""
    return Recipe(np.zeros((count, MEL_BANDS)), Change.even(count))


def mixed(one: Recipe, other: Recipe, share: float, strength: float = 1.0, joined: Floats | None = None) -> Recipe:
    """So much of the other recipe and the rest of the one, all of it as strong as asked. joined: of each frame, how far
    the other's pitch counts, 0 to 1, [T]: it begins and ends with the one's where the seams are."""
    of_pitch = share if joined is None else share * joined
    pitch = (one.change.pitch ** (1 - of_pitch) * other.change.pitch**of_pitch) ** strength
    time = (one.change.time ** (1 - share) * other.change.time**share) ** strength
    gains = strength * ((1 - share) * one.gains + share * other.gains)
    return Recipe(gains, Change(pitch.clip(*PITCHES), time.clip(*TIMES), np.zeros(len(time))))


def joining(region: Region) -> Floats:
    """How far each frame is from the span's nearer edge, 0 at the edges to nearly 1, [T]."""
    moments = np.arange(region.count) * HOP
    away = np.minimum(moments - region.span[0], region.span[1] - moments)
    return np.asarray(1 - np.exp(-np.maximum(away, 0.0) / SEAM))


def said_anew(region: Region, recipe: Recipe, channels: Floats) -> Piece:
    """The span by a recipe. channels: the region as it is, float64 [M, C]."""
    rate, (start, end) = region.voice.rate, region.span
    first = max(int((start - MARGIN) / HOP), 0)
    last = min(int(np.ceil((end + MARGIN) / HOP)) + 1, region.count)
    voice, begin, stop = _cut(region.voice, first, last)
    change = Change(*(part[first : first + len(voice.hertz)] for part in _parts(recipe)))
    gains = recipe.gains[first : first + len(voice.hertz)]
    mine = channels[begin:stop]
    band = (BAND[0], min(BAND[1], rate / 2))
    coloured = np.stack([filtered(one, rate, gains, band=band) for one in mine.T], axis=1) if gains.any() else mine
    sound = changed_channels(replace(voice, samples=coloured.mean(axis=1)), coloured, change)
    sound = _below(sound, mine)
    at = begin / rate

    def within(seconds: float) -> float:
        return float(placed(np.array(seconds - at), change))

    cut = joint(region.voice.samples, rate, start, end, sound.mean(axis=1), within(start), within(end))
    patch = _patch(cut, channels, sound)
    patch = replace(patch, start=patch.start + region.first, end=patch.end + region.first)
    lead = (cut.first - cut.fade // 2) / rate

    def moment(seconds: float) -> float:
        return within(seconds - region.first / rate) - lead

    return Piece(patch, moment)


def _parts(recipe: Recipe) -> tuple[Floats, Floats, Floats]:
    return recipe.change.pitch, recipe.change.time, recipe.change.gain


def _cut(voice: Voice, first: int, last: int) -> tuple[Voice, int, int]:
    """Frames [first, last) of a voice, and its samples' places in it."""
    begin = round(first * HOP * voice.rate)
    stop = min(round((last - 1) * HOP * voice.rate) + 1, len(voice.samples)) if last else begin
    count = frame_count(stop - begin, voice.rate)
    if stop - begin < 2 or count < 1:
        raise AudioError("A span is too short to be changed.", "Give a longer one.")
    hertz = np.zeros(count)
    known = voice.hertz[first : first + count]
    hertz[: len(known)] = known
    inside = (voice.places >= begin) & (voice.places < stop)
    part = Voice(voice.samples[begin:stop], voice.rate, hertz, voice.places[inside] - begin, voice.voiced[inside])
    return part, begin, stop


def _below(sound: Floats, before: Floats) -> Floats:
    """The sound no louder than full scale where the old one was not."""
    peak, most = float(np.abs(sound).max(initial=0.0)), max(1.0, float(np.abs(before).max(initial=0.0)))
    return sound * min(1.0, most / max(peak, 1e-12))


def _patch(cut: Joint, channels: Floats, sound: Floats) -> Patch:
    """The new sound [L, C] between the cuts in the region, faded at both ends with the region's own."""
    half = cut.fade // 2
    rise = (0.5 - 0.5 * np.cos(np.pi * (np.arange(cut.fade) + 0.5) / cut.fade))[:, None]
    left, right = cut.left - half, cut.right - half
    head = (1 - rise) * _rows(channels, left, cut.fade) + rise * _rows(sound, cut.first - half, cut.fade)
    tail = (1 - rise) * _rows(sound, cut.last - half, cut.fade) + rise * _rows(channels, right, cut.fade)
    middle = _rows(sound, cut.first + half, max(cut.last - cut.first - cut.fade, 0))
    return Patch(left, right + cut.fade, np.concatenate([head, middle, tail]))


def _rows(frames: Floats, start: int, count: int) -> Floats:
    """`count` rows from `start` on, zeros beyond the ends, [count, C]."""
    rows = start + np.arange(count)
    inside = (rows >= 0) & (rows < len(frames))
    return np.where(inside[:, None], frames[np.clip(rows, 0, max(len(frames) - 1, 0))], 0.0)
