"""Where the sound of new words comes from, in one form: a recording of some voice that holds them, aligned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from affectgen.audio.f0 import Floats
from affectgen.audio.glottal import contour
from affectgen.speech.aligning.alignment import VOWELS, Alignment, Phone, Word
from affectgen.speech.editing.voice_frames import VoiceFrames, voice_frames

NEAR = 0.25  # seconds from a word's edge in which its pitch is looked for
LAST = 5  # frames of pitch at an edge: their median is the pitch there


@dataclass(frozen=True)
class Speech:
    """Any voice with its words. samples: mono float64 [N], full scale 1; rate: a second; alignment: of all of it;
    begins: seconds of the recording at which it begins, where it is a part of one."""

    samples: Floats
    rate: int
    alignment: Alignment
    begins: float = 0.0

    @cached_property
    def hertz(self) -> Floats:
        """Its pitch each HOP, 0 where unvoiced."""
        return contour(self.samples, self.rate)

    @cached_property
    def semitones(self) -> Floats:
        """The same in semitones above 27.5 Hz, nan where unvoiced."""
        return np.asarray(np.where(self.hertz > 0, 12 * np.log2(np.maximum(self.hertz, 1.0) / 27.5), np.nan))

    @cached_property
    def middle(self) -> float:
        """Its median pitch in semitones; nan without any."""
        return middle_of(self.semitones)

    @cached_property
    def spread(self) -> float:
        """Semitones between the 20th and the 80th percentile of its pitch; nan without any."""
        known = self.semitones[np.isfinite(self.semitones)]
        return float(np.subtract(*np.percentile(known, (80, 20)))) if len(known) > 10 else float("nan")

    @cached_property
    def frames(self) -> VoiceFrames:
        """All of it as frames."""
        return voice_frames(self.samples, self.rate, self.hertz, self.alignment, 0.0, self.alignment.seconds)

    def words(self) -> dict[int, Word]:
        """Its words by their place in the text."""
        return {word.index: word for word in self.alignment.words}

    def pitch_in(self, start: float, end: float, side: str) -> float:
        """The pitch at the left or right edge of a stretch, semitones: the median of its first or last voiced frames;
        nan where it has none near."""
        near = (start, min(end, start + NEAR)) if side == "left" else (max(start, end - NEAR), end)
        part = self.semitones[frames_between(*near, len(self.semitones))]
        known = part[np.isfinite(part)]
        return middle_of(known[:LAST] if side == "left" else known[-LAST:])

    def level_of(self, words: Sequence[Word]) -> float:
        """Mean level of the words' vowels in dB; nan without any."""
        parts = [self._cut(one) for word in words for one in word.phones if one.name in VOWELS]
        squares = np.concatenate([part**2 for part in parts]) if parts else np.zeros(0)
        return 10 * float(np.log10(squares.mean() + 1e-12)) if len(squares) else float("nan")

    def _cut(self, phone: Phone) -> Floats:
        return self.samples[round(phone.start * self.rate) : round(phone.end * self.rate)]


@dataclass(frozen=True)
class Source:
    """Speech that holds the new words. first, last: their places [first, last) among its words; own: whether it is the
    speaker's own voice; name: for the manifest; lead, tail: seconds of silence before and after them that belong to
    them."""

    speech: Speech
    first: int
    last: int
    own: bool
    name: str
    lead: float = 0.0
    tail: float = 0.0

    @property
    def span(self) -> tuple[float, float]:
        """(start, end) of the words in seconds, with the silence that belongs to them."""
        words = self.speech.words()
        return words[self.first].start - self.lead, words[self.last - 1].end + self.tail


def middle_of(values: Floats) -> float:
    """The median of what is finite, nan of nothing."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def frames_between(start: float, end: float, count: int) -> slice:
    """The frames each HOP of a stretch of seconds."""
    return slice(min(max(round(start * 100), 0), count), min(max(round(end * 100), 0), count))
