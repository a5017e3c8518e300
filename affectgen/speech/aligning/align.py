"""Forced alignment: when each word and phone of a known text is spoken in a recording.

The states of phones are those of the model that pocketsphinx carries; the search is this package's own, over frames
of 5 ms, and exact (`affectgen.speech.aligning.lattice`). A transcript that is not what is heard is told by how much
worse its sounds fit than the best of all sounds would (`affectgen.speech.aligning.mismatch`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from affectgen.audio.files import Samples, audio_info, is_silent, named, resampled
from affectgen.errors import AudioError
from affectgen.speech.aligning.acoustic import HOP, RATE, Fits, Heard, listen, usual_fit
from affectgen.speech.aligning.acoustic_files import load_model
from affectgen.speech.aligning.align_long import WINDOW, Forward, align_windows
from affectgen.speech.aligning.aligned import Row, Stretch, fitted, rows_of, words_at
from affectgen.speech.aligning.alignment import Alignment, Word
from affectgen.speech.aligning.lattice import build, build_amid, search
from affectgen.speech.aligning.mismatch import MismatchError, mismatch, nothing_fits
from affectgen.speech.aligning.phone_loop import loop, stretches
from affectgen.speech.aligning.pronounce import pronunciations
from affectgen.speech.aligning.transcript import check_english, spoken

__all__ = ["AlignSettings", "Aligner", "MismatchError"]

SHORTEST = 0.05  # seconds
LONGEST_WHOLE = 45.0  # seconds that are aligned at once
LONGER = "Give a longer recording."


@dataclass(frozen=True)
class AlignSettings:
    """check: whether a transcript that is not what is heard is refused."""

    check: bool = True


class Aligner:
    """Aligns recordings with their texts, and tells which words are heard. Reads the acoustic model once."""

    def __init__(self, settings: AlignSettings = AlignSettings()) -> None:
        """CheckpointError where pocketsphinx, which carries the model, is missing."""
        self.settings = settings
        self._model = load_model()

    def unchecked(self) -> Aligner:
        """One that aligns whatever it is given: for text that is known to be said, in voices hard to understand."""
        return self if not self.settings.check else Aligner(replace(self.settings, check=False))

    def align(self, samples: Samples, rate: int, text: str) -> Alignment:
        """When each word of `text` is spoken in mono `samples` [N] (full scale 1) at `rate` a second, of any length.

        AudioError where they are silent, music or no numbers; MismatchError where the text is not what is heard;
        AffectgenError where it is empty or not English.
        """
        rows = rows_of(check_english(text))
        _check(samples, rate)

        def part(start: float, seconds: float) -> Samples:
            return resampled(samples[round(start * rate) : round((start + seconds) * rate)], rate, RATE)

        return self._aligned(part, len(samples) / rate, rows)

    def align_file(self, source: Path | bytes, text: str) -> Alignment:
        """The same of a file of any length, channels averaged, of which 45 s at most are in memory at once. Tells
        `affectgen.progress` how many seconds are done.
        """
        rows = rows_of(check_english(text))
        info = audio_info(source)
        if info.seconds < SHORTEST:
            raise AudioError(f"{named(source)} lasts {info.seconds:.3f} s: too short for a word.", LONGER)
        return self._aligned(Forward(source), info.seconds, rows)

    def pick(
        self, samples: Samples, rate: int, words: Sequence[str], span: tuple[float, float] | None = None
    ) -> list[float]:
        """The log likelihood of each of `words` (single words) as all that is said in `samples` [N], or in the `span`
        of it in seconds, which is better: the voice and room are then known from the rest, and what the word stands
        between may be any sound.

        In nats below the best fitting sounds at each time; -inf for a word that cannot fit.
        """
        _check(samples, rate)
        heard = listen(resampled(samples, rate, RATE))
        if span is not None:
            first, last = (round(second * RATE / HOP) for second in span)
            heard = Heard(heard.features[first:last], heard.loud[first:last])
            if not heard.frames:
                raise AudioError(f"The span {span[0]:g} to {span[1]:g} s holds no sound.", "Give another.")
        fits, model = Fits(self._model, heard), self._model
        usual = float(usual_fit(model, heard)[0].sum()) / 2
        found = []
        for word in words:
            rows = [row.variants for row in rows_of([word])]
            amid = span is not None and len(rows) == 1
            best = search(model, fits, build_amid(model, rows[0]) if amid else build(model, rows)) if rows else None
            found.append(-np.inf if best is None else best[1] - usual)
        return found

    def heard(self, samples: Samples, rate: int) -> Alignment:
        """The phones of speech of unknown text or another language, by a loop of phones: a Word of the text "" for each
        stretch between silences, in order. AudioError where the samples are silent or no numbers.
        """
        _check(samples, rate)
        whole = resampled(samples, rate, RATE)
        found: list[Word] = []
        for first in range(0, len(whole), round(WINDOW * RATE)):
            part = whole[first : first + round(WINDOW * RATE)]
            if len(part) >= SHORTEST * RATE and not is_silent(part):
                found += stretches(self._model, loop(self._model, listen(part)), first / RATE, len(found))
        return Alignment(tuple(found), len(samples) / rate)

    def pronunciation(self, word: str) -> tuple[str, ...]:
        """A written word's phones, ARPAbet without stress: by the dictionary, else from its letters; empty where it
        cannot be read."""
        return tuple(phone for piece in spoken(word) for phone in pronunciations(piece)[0])

    def _aligned(self, part: Callable[[float, float], Samples], seconds: float, rows: list[Row]) -> Alignment:
        """By stretches of a recording of `seconds`, of which `part` gives `seconds` from a start on, at RATE."""
        if seconds > LONGEST_WHOLE:
            words = align_windows(self._model, part, seconds, rows, self.settings.check)
        else:
            words = words_at([self._whole(part(0.0, seconds), rows)], rows, seconds)
        return Alignment(tuple(words), seconds)

    def _whole(self, samples: Samples, rows: list[Row]) -> Stretch:
        """All words in all samples."""
        if is_silent(samples):
            raise AudioError("The recording is silent.", "Give one of speech.")
        heard = listen(samples)
        stretch = fitted(self._model, heard, rows, 0.0)
        if stretch is None:
            raise nothing_fits(samples, rows, 0.0)
        if self.settings.check:
            error = mismatch(stretch, heard, rows, samples)
            if error is not None:
                raise error
        return stretch


def _check(samples: Samples, rate: int) -> None:
    """AudioError for samples that no word can be heard in."""
    if samples.ndim != 1:
        raise AudioError(f"A recording must be mono, not of shape {samples.shape}.", "Average its channels.")
    if rate <= 0 or len(samples) < SHORTEST * rate:
        raise AudioError(f"{len(samples)} samples at {rate} a second are too short for a word.", LONGER)
    if not np.isfinite(samples).all():
        raise AudioError("The recording holds samples that are no numbers.", "Write it anew.")
    if is_silent(samples):
        raise AudioError("The recording is silent.", "Give one of speech.")
