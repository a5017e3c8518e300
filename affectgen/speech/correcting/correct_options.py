"""What can be asked of the task `speech correct`. A frozen dataclass that checks its own values; nothing heavy is
imported.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from affectgen.audio.formats import QUALITIES, format_named
from affectgen.audio.options import one_of
from affectgen.errors import UsageError
from affectgen.speech.target import target_of

AUTO, KEEP = "auto", "keep"
STRONGEST = 1.5
SHARE = 0.5
SHORTEST = 0.04  # seconds of a span


@dataclass(frozen=True)
class CorrectOptions:
    """One recording to correct.

    source: the recording; text: what is said in it; before: what was said in it before it was edited, None where that
    is not known: the words that differ are corrected; spans: seconds to correct, "1.2:2.4"; without either, the words
    that do not fit their neighbours are; whole: all of the recording is corrected; affect: "auto" (the emotion
    of the text, where it has one and another than the text before), "keep" (that of the words around) or an affect such
    as "happy", "0.5,0.3"; strength: 0 for an exact copy; share: how much of the correction is the emotion's, the rest
    is the context's; baseline: the speaker's neutral voice, None where the spans are taken for neutral; index: a
    database of voices, None for the shipped one; format: of the result, quality: of a lossy one.

    UsageError for an empty text, spans that are none, reversed or overlap, two of spans, a text before and the whole,
    the whole with nothing to follow, an affect that is none, numbers out of range, an unknown format or quality.
    """

    source: Path | bytes
    text: str
    before: str | None = None
    spans: tuple[str, ...] = ()
    affect: str = AUTO
    strength: float = 1.0
    share: float = SHARE
    baseline: Path | bytes | None = None
    index: Path | bytes | None = None
    whole: bool = False
    format: str = "wav"
    quality: str = "normal"

    def __post_init__(self) -> None:
        if not any(letter.isalnum() for letter in self.text):
            raise UsageError("The text holds no word.", "Give the words as they are spoken.")
        if self.before is not None and self.spans:
            raise UsageError("Spans came with the text before the edit, which tells them.", "Give one of them.")
        spans_of(self.spans)
        if self.affect not in (AUTO, KEEP):
            if ">" in self.affect:
                text = f"A path came, {self.affect}, and an edit is given one emotion."
                raise UsageError(text, "Give a word (sad) or a point (-0.6,-0.4).")
            target_of(self.affect)
        if self.whole and (self.spans or self.before is not None):
            raise UsageError("All of the recording was asked for, and a part of it.", "Give one of them.")
        if self.whole and self.affect == KEEP:
            text = "All of the recording was asked for, which leaves nothing around to follow."
            raise UsageError(text, "Give the emotion: --affect sad")
        for name, value, most in (("strength", self.strength, STRONGEST), ("share", self.share, 1.0)):
            if not (math.isfinite(value) and 0 <= value <= most):
                raise UsageError(f"A {name} of {value} was asked for.", f"Use 0 to {most:g}.")
        if isinstance(self.index, bytes):
            raise UsageError("An index of voices came through a pipe.", "Give a file: --index voices.db")
        format_named(self.format)
        one_of("quality", self.quality, QUALITIES)


def spans_of(texts: tuple[str, ...]) -> list[tuple[float, float]]:
    """Spans in seconds from "1.2:2.4". UsageError where one is no span, reversed, or overlaps another."""
    found = []
    for text in texts:
        start, sign, end = text.partition(":")
        try:
            span = float(start), float(end)
        except ValueError as error:
            raise _no_span(text) from error
        if not sign or not all(math.isfinite(moment) for moment in span):
            raise _no_span(text)
        found.append(span)
    check_spans(found)
    return found


def _no_span(text: str) -> UsageError:
    return UsageError(f"{text!r} is no span of seconds.", "Write START:END, as in --span 1.2:2.4")


def check_spans(spans: Sequence[tuple[float, float]], seconds: float = math.inf) -> None:
    """UsageError for spans that are reversed, too short, overlap each other or lie outside a recording so long."""
    for start, end in spans:
        if not (math.isfinite(start) and math.isfinite(end)) or start >= end:
            raise UsageError(f"A span from {start:g} to {end:g} s came.", "Give its start, then its end: 1.2:2.4")
        if start < 0 or end > seconds + 1e-6:
            lasts = f", which lasts {seconds:.3f} s" if math.isfinite(seconds) else ""
            text = f"The span {start:g} to {end:g} s lies outside the recording{lasts}."
            raise UsageError(text, "Give seconds within it.")
        if end - start < SHORTEST:
            text = f"The span {start:g} to {end:g} s lasts {end - start:.3f} s: too short for a sound."
            raise UsageError(text, f"Give at least {SHORTEST:g} s.")
    for one, other in pairwise(sorted(spans)):
        if other[0] < one[1] - 1e-9:
            text = f"The spans {one[0]:g} to {one[1]:g} s and {other[0]:g} to {other[1]:g} s overlap."
            raise UsageError(text, "Make one of them.")
