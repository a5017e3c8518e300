"""Correcting how edited words are said, so that their emotion follows the recording around them, or the text.

After EmoCorrector (Liu et al., Interspeech 2025), which retrieves speech of the wanted emotion and says all of it anew;
here only the spans change, in pitch, pace, level and colour, and what lies around them counts too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from affectgen.speech.aligning.alignment import Alignment, Phone, Word
from affectgen.speech.converting.prosody import PLACES
from affectgen.speech.converting.transfer import Recipe
from affectgen.speech.correcting.correct_context import Region, by_context, check_voice, read_region
from affectgen.speech.correcting.correct_options import SHARE, SHORTEST, STRONGEST, check_spans
from affectgen.speech.correcting.correct_span import Piece, by_shift, joining, mixed, nothing, said_anew, span_prosody
from affectgen.speech.edited_file import Patch, Recording, patched
from affectgen.speech.target import Target

if TYPE_CHECKING:
    from affectgen.speech.index.voices import Voices

Floats = NDArray[np.float64]
Span = tuple[float, float]

__all__ = [
    "METHODS", "SHORTEST", "CorrectSettings", "Corrected", "corrected", "corrected_recording", "shift_for", "together",
]  # fmt: skip

METHODS = ("retrieved", "rules")
EXEMPLARS, LIKENESS = 60, 0.15  # as in `shifts.Retrieval`, without caricature: the words stand beside natural ones
COLOUR = 0.8  # of the shift of the bands: what the words beside them are like counts as well
MILD = 0.8  # of the exemplars' mean shift, which listeners chose for being clear
TOGETHER = 0.03  # seconds between two spans below which they are changed as one


@dataclass(frozen=True)
class CorrectSettings:
    """strength: of the whole correction, 0 leaves everything as it is; share: with a target, how much of it is the
    target's, the rest is the context's; method: where a target's share comes from, of METHODS; index: a database of
    voices, None for the shipped one; without: speakers whose voices are not taken; seed: nothing is drawn yet.

    ValueError for values out of range.
    """

    strength: float = 1.0
    share: float = SHARE
    method: str = METHODS[0]
    index: Path | None = None
    without: frozenset[str] = frozenset()
    seed: int = 0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.strength) and 0 <= self.strength <= STRONGEST):
            raise ValueError(f"strength must be 0 to {STRONGEST:g}, not {self.strength}")
        if not (math.isfinite(self.share) and 0 <= self.share <= 1):
            raise ValueError(f"share must be 0 to 1, not {self.share}")
        if self.method not in METHODS:
            raise ValueError(f"method must be one of {METHODS}, not {self.method!r}")

    @property
    def needs_voices(self) -> bool:
        """Whether an index of voices is read where there is a target."""
        return self.strength > 0 and self.share > 0 and self.method == "retrieved"


@dataclass(frozen=True)
class Corrected:
    """samples: mono [N'], float64 or, of a file, float32; spans: where they lie now, seconds, in the order they came;
    patches: what was changed, in samples of the input; alignment: of the new recording, None where none came; facts:
    JSON-able."""

    samples: NDArray[np.floating]
    spans: tuple[Span, ...]
    patches: tuple[Patch, ...]
    alignment: Alignment | None
    facts: dict[str, Any] = field(default_factory=dict)


def corrected(
    samples: NDArray[np.floating], rate: int, alignment: Alignment | None, spans: Sequence[Span],
    target: Target | None, settings: CorrectSettings = CorrectSettings(), baseline: Floats | None = None,
) -> Corrected:
    """Mono `samples` [N], full scale 1, with the words in `spans` (seconds) said as the rest is (target None), or as a
    target asks, mixed with that.

    alignment: of the recording's text; without it the pace stays where the context is followed. baseline: the speaker's
    neutral prosody (`affectgen.speech.converting.prosody.measure`), float64 [P], None where the spans are taken for
    neutral themselves; it only counts with a target. Farther than 15 ms from every span nothing changes, bit for bit.
    UsageError for spans that are reversed, overlap or lie outside; AudioError where no voice is heard.
    """  # fmt: skip
    recording = Recording(np.asarray(samples, dtype=np.float64)[:, None], rate, "DOUBLE")
    new, found = corrected_recording(recording, alignment, spans, target, settings, baseline)
    return replace(found, samples=new.stored[:, 0])


def corrected_recording(
    recording: Recording, alignment: Alignment | None, spans: Sequence[Span], target: Target | None,
    settings: CorrectSettings = CorrectSettings(), baseline: Floats | None = None,
) -> tuple[Recording, Corrected]:
    """The same for a file as it is stored, all channels by the same change; `Corrected` is that of their mean."""
    check_spans(spans, recording.seconds)
    mono = recording.mono()
    facts: dict[str, Any] = {"follows": "context" if target is None else "target", "strength": settings.strength}
    if settings.strength == 0 or not spans:
        return recording, Corrected(mono, tuple(spans), (), alignment, facts)
    pieces, told = [], []
    for span in together(spans):
        region = read_region(mono, recording.rate, span, spans, alignment)
        check_voice(region)
        recipe, fact = _recipe(region, target, settings, baseline)
        channels = recording.floats(region.first, region.first + len(region.voice.samples))
        pieces.append((span, said_anew(region, recipe, channels)))
        told.append({"span": [round(span[0], 4), round(span[1], 4)], **_told(region, recipe), **fact})
    new = patched(recording, [piece.patch for _, piece in pieces])
    clock = _Clock(pieces, recording.rate)
    moved = tuple((clock(start), clock(end)) for start, end in spans)
    aligned = None if alignment is None else _moved(alignment, clock, new.seconds)
    patches = tuple(piece.patch for _, piece in pieces)
    return new, Corrected(new.mono(), moved, patches, aligned, {**facts, "spans": told})


def together(spans: Sequence[Span]) -> list[Span]:
    """The spans in order, those that nearly touch made one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start - found[-1][1] < TOGETHER:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def _recipe(
    region: Region, target: Target | None, settings: CorrectSettings, baseline: Floats | None
) -> tuple[Recipe, dict[str, Any]]:
    """How a span is changed, and what a manifest says of it."""
    context = by_context(region) if target is None or settings.share < 1 else nothing(region.count)
    if target is None:
        return mixed(nothing(region.count), context, settings.strength), {}
    if settings.share == 0:
        return mixed(context, context, 0.0, settings.strength), {}
    own = span_prosody(region)
    shift, names = shift_for(own if baseline is None else baseline, target, settings)
    if baseline is not None:  # of a few words the pitch alone is sure to tell how far they are from neutral
        shift[PLACES["pitch"]] += baseline[PLACES["pitch"]] - own[PLACES["pitch"]]
    felt = by_shift(region, own, shift)
    joined = joining(region) if settings.share < 1 else None
    return mixed(context, felt, settings.share, settings.strength, joined), {"exemplars": list(names[:5])}


def shift_for(own: Floats, target: Target, settings: CorrectSettings) -> tuple[Floats, Sequence[str]]:
    """The shift [P] from neutral to a target for a voice of the prosody `own` [P], and the exemplars' names."""
    if settings.method == "rules":
        from affectgen.speech.converting.rules import shift_by_rules

        return shift_by_rules(target, own), ()
    from affectgen.speech.converting.shifts import Retrieval, Taken, find_shift

    how = Retrieval(exemplars=EXEMPLARS, typical=0.0, likeness=LIKENESS, caricature=0.0)
    voices = voices_for(settings.index, settings.without)
    found = find_shift(target, voices, own, how, lambda _: np.zeros(len(voices)))
    taken = Taken(voiced=COLOUR, unvoiced=COLOUR)
    return MILD * taken.of(found.shift), [str(name) for name in voices.names[found.exemplars]]


@lru_cache(maxsize=2)
def voices_for(index: Path | None, without: frozenset[str]) -> Voices:
    """The index of voices, read once. CheckpointError or AffectgenError where it is missing or damaged."""
    from affectgen.speech.index.voices import load_voices

    voices = load_voices(index)
    return voices.without_speakers(without) if without else voices


@dataclass(frozen=True)
class _Clock:
    """Where moments of the old recording lie in the new one, seconds."""

    pieces: Sequence[tuple[Span, Piece]]
    rate: int

    def __call__(self, seconds: float) -> float:
        moved = 0.0
        for (start, end), piece in self.pieces:
            if seconds < start:
                break
            begin = moved + piece.patch.start / self.rate
            if seconds <= end:
                return begin + piece.moment(seconds)
            moved += (len(piece.patch.sound) - (piece.patch.end - piece.patch.start)) / self.rate
        return seconds + moved


def _moved(alignment: Alignment, clock: _Clock, seconds: float) -> Alignment:
    """The alignment of the new recording, which lasts so long."""
    words: list[Word] = []
    reached = 0.0
    for word in alignment.words:
        phones = []
        for phone in word.phones:
            start = max(clock(phone.start), reached)
            reached = max(min(clock(phone.end), seconds), start)
            phones.append(Phone(phone.name, start, reached))
        first = phones[0].start if phones else max(clock(word.start), reached)
        reached = phones[-1].end if phones else max(min(clock(word.end), seconds), first)
        words.append(replace(word, start=first, end=reached, phones=tuple(phones)))
    return Alignment(tuple(words), seconds)


def _told(region: Region, recipe: Recipe) -> dict[str, float]:
    """What is done to a span in figures that a person reads: semitones, times, dB."""
    inside, voiced = region.inside, region.inside & region.voiced
    pitch = 12 * np.log2(recipe.change.pitch[voiced if voiced.any() else inside])
    return {
        "pitch": round(float(np.median(pitch)), 2) if len(pitch) else 0.0,
        "longer": round(float(recipe.change.time[inside].mean()), 3) if inside.any() else 1.0,
        "level": round(float(recipe.gains[inside].mean()), 2) if inside.any() else 0.0,
    }
