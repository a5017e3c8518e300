"""What `affectgen rate` says of a file or a text: which recogniser reads it, as a whole and in windows over time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from affectgen.audio.files import Samples, audio_info, is_silent, named, read_mono
from affectgen.device import cores
from affectgen.errors import AffectgenError, AudioError, MidiError, UsageError
from affectgen.processes import map_in_processes
from affectgen.recognize.curves import LEAST_WINDOW, Window, cuts, parts_to_read
from affectgen.recognize.items import KINDS, Item, kind_of, text_of
from affectgen.recognize.midi import MidiRecogniser, load_recogniser
from affectgen.recognize.music import MusicRecogniser, load_music_recogniser
from affectgen.recognize.reading import Reading, mean_reading
from affectgen.recognize.speech import SpeechRecogniser, hear, load_speech_recogniser
from affectgen.recognize.speech_model import Heard
from affectgen.recognize.speechness import is_speech
from affectgen.recognize.text import TextRecogniser, load_text_recogniser
from affectgen.score.midi import read_notes
from affectgen.score.notes import NoteArray

RATE = 22_050  # samples a second at which sound is read
PROBES, PROBE_SECONDS = 3, 8.0  # parts of a recording that tell whether it is speech
BASELINE_SECONDS = 60.0  # of a neutral recording that are heard
LEAST_NOTES = 2  # of a window of a piece that is read
FEW = 24  # items that are rated sooner than other processes start
CHUNK = 8  # items that a process rates before it loads its recognisers anew


@dataclass(frozen=True)
class RateSettings:
    """kind: one of KINDS, or "auto"; window: seconds of the windows of a curve, None for no curve; baseline: a
    recording of the speaker's neutral voice, for speech.
    """

    kind: str = "auto"
    window: float | None = None
    baseline: Path | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("auto", *KINDS):
            raise UsageError(f"{self.kind!r} is no kind of input.", f"Give auto or one of {', '.join(KINDS)}.")
        if self.window is not None and not (math.isfinite(self.window) and self.window >= LEAST_WINDOW):
            raise UsageError(f"A window lasts {self.window} s.", f"Give at least {LEAST_WINDOW:g} s.")


@dataclass(frozen=True)
class Rated:
    """One item. kind: one of KINDS; reading: of the whole; curve: its windows, if asked for; error: what is wrong with
    it instead.
    """

    name: str
    kind: str = ""
    reading: Reading | None = None
    curve: tuple[Window, ...] = ()
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `affectgen rate --json` prints them."""
        told = {"file": self.name, "kind": self.kind, **(self.reading.to_json() if self.reading is not None else {})}
        return told | ({"curve": [window.to_json() for window in self.curve]} if self.curve else {})


class Rater:
    """Rates items of any kind; a recogniser is loaded when the first item of its kind comes."""

    def __init__(self, settings: RateSettings) -> None:
        self._settings = settings

    @cached_property
    def _midi(self) -> MidiRecogniser:
        return load_recogniser()

    @cached_property
    def _music(self) -> MusicRecogniser:
        return load_music_recogniser()

    @cached_property
    def _speech(self) -> SpeechRecogniser:
        return load_speech_recogniser()

    @cached_property
    def _text(self) -> TextRecogniser:
        return load_text_recogniser()

    @cached_property
    def _baseline(self) -> Heard | None:
        home = self._settings.baseline
        return None if home is None else hear(read_mono(home, RATE, seconds=BASELINE_SECONDS), RATE)

    def rate(self, item: Item) -> Rated:
        """Rate one item; AffectgenError where it cannot be read as its kind."""
        source, wanted = item.source, self._settings.kind
        found = kind_of(source) if wanted == "auto" else wanted
        if found == "midi":
            return self._rate_midi(item.name, source)
        if found == "text":
            if self._settings.window is not None:
                raise UsageError(f"{item.name} is text, which has no windows in time.", "Leave --window out.")
            return Rated(item.name, "text", self._text.read([text_of(source)])[0])
        return self._rate_audio(item.name, source, wanted if wanted != "auto" else None)

    def _rate_midi(self, name: str, source: Path | bytes | str) -> Rated:
        if isinstance(source, str):
            raise MidiError("A text was given as MIDI.", "Name a file.")
        notes = read_notes(source).from_zero()
        return Rated(name, "midi", self._midi.read([notes])[0], tuple(self._midi_windows(notes)))

    def _midi_windows(self, notes: NoteArray) -> Iterator[Window]:
        """The curve of a piece."""
        if self._settings.window is None:
            return
        for start, end in cuts(notes.end, self._settings.window):
            part = notes.between(start, end)
            heard = self._midi.read([part])[0] if len(part) >= LEAST_NOTES else None
            yield Window(start, end, heard)

    def _rate_audio(self, name: str, source: Path | bytes | str, kind: str | None) -> Rated:
        if isinstance(source, str):
            raise AudioError("A text was given as audio.", "Name a file.")
        seconds = audio_info(source).seconds
        if kind is None:
            kind = "speech" if self._speech_share(source, seconds) >= 0.5 else "music"
        parts = list(self._parts(source, parts_to_read(seconds), kind))
        if not parts:
            raise AudioError(f"{named(source)} is silent: nothing can be heard in it.", "Give another recording.")
        reading = mean_reading([part for part, _ in parts], [length for _, length in parts])
        return Rated(name, kind, reading, tuple(self._audio_windows(source, seconds, kind)))

    def _speech_share(self, source: Path | bytes, seconds: float) -> float:
        """The mean probability that parts spread over a recording are speech; silent parts do not count."""
        length = min(PROBE_SECONDS, seconds)
        starts = {(seconds - length) * place for place in (0.5, 0.15, 0.85)[:PROBES]}
        found = [read_mono(source, RATE, start, length) for start in sorted(starts)]
        heard = [is_speech(samples, RATE) for samples in found if not is_silent(samples)]
        return sum(heard) / len(heard) if heard else 0.0

    def _parts(
        self, source: Path | bytes, places: Iterator[tuple[float, float]], kind: str
    ) -> Iterator[tuple[Reading, float]]:
        """(reading, seconds) of the parts of a recording that are not silent. AudioError if none can be read."""
        failed, read = None, 0
        for start, end in places:
            samples = read_mono(source, RATE, start, end - start)
            if is_silent(samples):
                continue
            try:
                yield self._listen(samples, kind), len(samples) / RATE
                read += 1
            except AudioError as error:
                failed = error
        if failed is not None and not read:
            raise AudioError(f"{named(source)}: {failed.message}", failed.hint)

    def _audio_windows(self, source: Path | bytes, seconds: float, kind: str) -> Iterator[Window]:
        """The curve of a recording; no reading where it is silent, or speech has no voice."""
        if self._settings.window is None:
            return
        for start, end in cuts(seconds, self._settings.window):
            samples = read_mono(source, RATE, start, end - start)
            try:
                heard = None if is_silent(samples) else self._listen(samples, kind)
            except AudioError:  # a window without a voice, or too short, has no reading
                heard = None
            yield Window(start, end, heard)

    def _listen(self, samples: Samples, kind: str) -> Reading:
        if kind == "speech":
            return self._speech.read([samples], RATE, self._baseline)[0]
        return self._music.read([samples], RATE)[0]


def rate_items(items: Sequence[Item], settings: RateSettings, jobs: int | None = None) -> Iterator[Rated]:
    """Every item in turn, those that cannot be rated with their error; many of them by several processes.

    jobs: processes; None for one, or as many as there are processors for more than FEW items.
    """
    count = jobs if jobs is not None else (cores() if len(items) > FEW else 1)
    if count == 1 or len(items) == 1:
        yield from _rate_chunk(items, settings)
        return
    chunks = [items[first : first + CHUNK] for first in range(0, len(items), CHUNK)]
    for done in map_in_processes(partial(_rate_list, settings=settings), chunks, min(count, len(chunks))):
        yield from done


def _rate_list(items: Sequence[Item], settings: RateSettings) -> list[Rated]:
    return list(_rate_chunk(items, settings))


def _rate_chunk(items: Sequence[Item], settings: RateSettings) -> Iterator[Rated]:
    """Items by one rater; what is wrong with one does not stop the others, a wrong setting does."""
    rater = Rater(settings)
    for item in items:
        try:
            yield rater.rate(item)
        except UsageError:
            raise
        except AffectgenError as error:
            said = error.message if item.name in error.message else f"{item.name}: {error.message}"
            yield Rated(item.name, error=said)
