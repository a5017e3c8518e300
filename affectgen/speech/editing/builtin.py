"""The editor that is built in: new words by a donor or from the recording, in the speaker's voice, pitch and rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from affectgen.audio.f0 import Floats
from affectgen.audio.files import Samples, resampled
from affectgen.errors import AffectgenError
from affectgen.speech.aligning.alignment import SILENCE, Alignment, Word
from affectgen.speech.aligning.stated import stated_alignment
from affectgen.speech.editing.differ import PAUSE, Edit, Token, tokens_of
from affectgen.speech.editing.donors import Synthesiser, context_of, no_voice
from affectgen.speech.editing.engines import Filling, Request
from affectgen.speech.editing.espeak import Spoken
from affectgen.speech.editing.fitting import MARGIN, fitted
from affectgen.speech.editing.matching import Matching, in_voice, targets_for
from affectgen.speech.editing.sources import Source, Speech
from affectgen.speech.editing.twins import twins_of
from affectgen.speech.editing.units import ANY, from_sounds, whole_words
from affectgen.speech.editing.voice_frames import STEP, VoiceFrames

WHOLE = 45.0  # seconds of a recording that is listened to as a whole
POOL = 15.0  # seconds on either side of an edit in which the speaker is listened to
LONGEST_PAUSE = 0.35  # seconds that new words bring with them
NOISE = 10 ** (-55 / 20)  # of the donor's peak: what a filter turns into breath and room where the donor is silent
STRONG = frozenset(".;:!?…")  # marks that end what is said in one breath
FAR = 0.12  # seconds between two accounts of when a word begins, of which one must be wrong
SHORTEST = 0.03  # seconds of a word that can be recognised
FRAME = 0.005  # seconds that a likelihood is of
WORST = -10.0  # of a frame: what a word that cannot be heard at all counts
CLOSER = 2.0  # of a frame's log likelihood: what the whole way to the speaker's voice is worth against clear words
BESIDE = 1.5  # seconds of the recording on either side by which a recogniser knows the voice


class Aligns(Protocol):
    """What is used of `affectgen.speech.aligning.align.Aligner`."""

    def align(self, samples: Samples, rate: int, text: str) -> Alignment: ...
    def pronunciation(self, word: str) -> tuple[str, ...]: ...
    def pick(
        self, samples: Samples, rate: int, words: Sequence[str], span: tuple[float, float] | None = None
    ) -> list[float]: ...


@dataclass(frozen=True)
class BuiltIn:
    """The built-in engine. aligner: aligns what the synthesiser says, without doubting that it is the text;
    synthesiser: None where nothing is installed; matching: how its voice becomes the speaker's."""

    aligner: Aligns
    synthesiser: Synthesiser | None
    matching: Matching = field(default_factory=Matching)

    def __post_init__(self) -> None:
        object.__setattr__(self, "aligner", trusting(self.aligner))

    @property
    def name(self) -> str:
        """For the manifest."""
        return f"built-in, {'no synthesiser' if self.synthesiser is None else self.synthesiser.name}"

    def fill(self, request: Request) -> list[Filling]:
        """One filling for each edit. AffectgenError where nothing can say its words."""
        old, new = tokens_of(request.old_text), tokens_of(request.new_text)
        whole = None if request.alignment.seconds > WHOLE else nearby(request, None)
        near = ((edit, nearby(request, edit) if whole is None else whole) for edit in request.edits)
        return [self._one(edit, speaker, old, new, request.seed) for edit, speaker in near]

    def _one(self, edit: Edit, near: Speech, old: Sequence[Token], new: Sequence[Token], seed: int) -> Filling:
        source = with_pauses(self._source(edit, near, old, new, seed), edit, near, new)
        start, end = source.span
        first = max(round((start - MARGIN) / STEP), 0) * STEP
        if source.own:
            rate = source.speech.rate
            sound = source.speech.samples[round(first * rate) : round((end + MARGIN) * rate)]
            return fitted(source, sound, first, near, edit)
        donor, target = self._targets(source, first, end + MARGIN, near)
        versions = []
        for share in self.matching.shares:
            sound = in_voice(self._stretch(source, first, end + MARGIN), near.rate, donor, target, share)
            filling = fitted(source, sound, first, near, edit)
            versions.append((self._clear(filling, near, edit) + CLOSER * share, share, filling))
        return max(versions, key=lambda one: one[:2])[2]

    def _clear(self, filling: Filling, speaker: Speech, edit: Edit) -> float:
        """How well the new words are understood, mean log likelihood of 5 ms; 0 where only one version is made."""
        if len(self.matching.shares) == 1:
            return 0.0
        rate, places = speaker.rate, (edit.start - speaker.begins, edit.end - speaker.begins)
        before = speaker.samples[max(round((places[0] - BESIDE) * rate), 0) : round(places[0] * rate)]
        after = speaker.samples[round(places[1] * rate) : round((places[1] + BESIDE) * rate)]
        sound = filling.samples[round(filling.start * rate) : round(filling.stop(rate) * rate)]
        whole = np.concatenate([before, sound, after]).astype(np.float32)
        found, frames = 0.0, 0.0
        for word in filling.words:
            if word.end - word.start < SHORTEST:
                continue
            start, end = (len(before) / rate + second - filling.start for second in (word.start, word.end))
            score = self.aligner.pick(whole, rate, [word.text], (start, end))[0]
            found += max(score, WORST * (end - start) / FRAME)
            frames += (end - start) / FRAME
        return found / max(frames, 1.0)

    def _source(self, edit: Edit, speaker: Speech, old: Sequence[Token], new: Sequence[Token], seed: int) -> Source:
        """The recording's own words where they fit, else a synthesiser's, else the recording's words or sounds."""
        start, stop = edit.change.start, edit.change.stop
        sounds = beside(speaker, edit)
        own = whole_words(speaker, old, new, start, stop, sounds)
        if own is not None:
            return own
        if self.synthesiser is not None:
            return self._said(edit, speaker, new, seed)
        own = whole_words(speaker, old, new, start, stop, sounds, ANY)
        if own is None:
            names = [token.text for token in new[start:stop]]
            own = from_sounds(speaker, names, [self.aligner.pronunciation(name) for name in names])
        if own is None:
            raise no_voice(edit.added)
        return own

    def _said(self, edit: Edit, speaker: Speech, new: Sequence[Token], seed: int) -> Source:
        """The new words with those around them by the synthesiser, aligned, at the speaker's sampling rate."""
        if self.synthesiser is None:
            raise no_voice(edit.added)
        ends = [bool(set(token.after) & STRONG) for token in new]
        start, stop = edit.change.start, edit.change.stop
        first, last = context_of([token.text for token in new], start, stop, ends)
        text = "".join(token.text + token.after for token in new[first:last]).strip()
        hertz = 27.5 * 2 ** (speaker.middle / 12) if np.isfinite(speaker.middle) else 150.0
        spoken = self.synthesiser.say(text, hertz)
        aligned = self._aligned(spoken, text, start - first)
        samples = resampled(spoken.samples, spoken.rate, speaker.rate).astype(np.float64)
        breath = np.random.default_rng(seed).standard_normal(len(samples))
        samples += breath * float(np.abs(samples).max()) * NOISE
        voice = Speech(samples, speaker.rate, replace(aligned, seconds=len(samples) / speaker.rate))
        return Source(voice, start - first, stop - first, False, self.synthesiser.name)

    def _aligned(self, spoken: Spoken, text: str, place: int) -> Alignment:
        """The alignment of what was said: as it is heard, which finds a sound's edges as in the speaker's recording;
        as the synthesiser states it where that fails or is far off at the word of that place. AffectgenError where
        neither is to be had."""
        stated = stated_alignment(spoken, text, self.aligner.pronunciation)
        try:
            heard = self.aligner.align(spoken.samples, spoken.rate, text)
        except AffectgenError as error:
            if stated is not None:
                return stated
            who = self.synthesiser.name if self.synthesiser is not None else "the synthesiser"
            said = f"What {who} said for {text[:60]!r} does not fit the words: {error.message}"
            raise AffectgenError(said, "Try another voice with --tts, or other words.") from error
        if stated is not None and abs(stated.words[place].start - heard.words[place].start) > FAR:
            return stated
        return heard

    def _targets(self, source: Source, start: float, end: float, speaker: Speech) -> tuple[VoiceFrames, Floats]:
        """(the source's frames from `start` to `end`, the speaker's envelopes for them)."""
        voice = source.speech.frames
        place = np.arange(len(voice.phone))
        donor = voice.only((place >= round(start / STEP)) & (place < round(end / STEP)))
        return donor, targets_for(donor, voice, speaker.frames, self.matching, twins_of(source, speaker))

    @staticmethod
    def _stretch(source: Source, start: float, end: float) -> Floats:
        rate = source.speech.rate
        return source.speech.samples[round(start * rate) : round(end * rate)]


def trusting(aligner: Aligns) -> Aligns:
    """The same aligner, which takes its text for granted: synthesisers' voices are unlike those that it knows, and what
    they say is what they were told."""
    from affectgen.speech.aligning.align import Aligner, AlignSettings

    if isinstance(aligner, Aligner) and aligner.settings.check:
        return Aligner(AlignSettings(check=False))
    return aligner


def nearby(request: Request, edit: Edit | None) -> Speech:
    """The recording around an edit, so that long ones cost no more, or all of it; words keep their place in the text.
    """
    words, rate, seconds = request.alignment.words, request.rate, request.alignment.seconds
    start, end = 0.0, seconds
    if edit is not None:
        words = tuple(word for word in words if edit.start - POOL <= word.start and word.end <= edit.end + POOL)
        start, end = max(edit.start - POOL, 0.0), min(edit.end + POOL, seconds)
    first = round(start * rate)
    part = request.samples[first : round(end * rate)].astype(np.float64)
    moved = tuple(_earlier(word, first / rate) for word in words)
    return Speech(part, rate, Alignment(moved, len(part) / rate), first / rate)


def _earlier(word: Word, seconds: float) -> Word:
    phones = tuple(replace(one, start=one.start - seconds, end=one.end - seconds) for one in word.phones)
    return replace(word, start=word.start - seconds, end=word.end - seconds, phones=phones)


def beside(speaker: Speech, edit: Edit) -> tuple[str, str]:
    """The sounds that stand before and after the new words, SIL where a pause or nothing does."""
    words = speaker.words()
    before, after = words.get(edit.change.first - 1), words.get(edit.change.last)
    left = before.phones[-1].name if before is not None and before.phones else SILENCE
    right = after.phones[0].name if after is not None and after.phones else SILENCE
    return left, right


def with_pauses(source: Source, edit: Edit, speaker: Speech, new: Sequence[Token]) -> Source:
    """The source with its own pauses beside the new words, where the new text has a mark and the recording no pause."""
    said, theirs = source.speech.words(), speaker.words()
    before, after = said.get(source.first - 1), said.get(source.last)
    lead = tail = 0.0
    start, stop = edit.change.start, edit.change.stop
    opens, closes = edit.start - speaker.begins, edit.end - speaker.begins
    kept = theirs.get(edit.change.first - 1)
    if before is not None and kept is not None and new[start - 1].ends and opens - kept.end < PAUSE:
        lead = min(said[source.first].start - before.end, LONGEST_PAUSE)
    kept = theirs.get(edit.change.last)
    if after is not None and kept is not None and new[stop - 1].ends and kept.start - closes < PAUSE:
        tail = min(after.start - said[source.last - 1].end, LONGEST_PAUSE)
    return replace(source, lead=max(lead, 0.0), tail=max(tail, 0.0))
