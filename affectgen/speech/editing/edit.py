"""Editing a recording by its text: the words that a new transcript changes are taken out, put in or replaced.

What is not edited stays as it is, to the bit. After Jin et al., "VoCo: Text-based Insertion and Replacement in Audio
Narration" (2017): another voice says the new words, and becomes the speaker's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from affectgen.affect import Affect
from affectgen.audio.files import Samples, is_silent
from affectgen.errors import AffectgenError, AudioError
from affectgen.speech.aligning.alignment import Alignment, Phone, Word
from affectgen.speech.aligning.transcript import check_english
from affectgen.speech.edited_file import Patch, Recording, patched
from affectgen.speech.editing.builtin import Aligns
from affectgen.speech.editing.differ import Edit, edits_between, tokens_of
from affectgen.speech.editing.engines import Engine, Filling, Request, checked_fillings
from affectgen.speech.editing.seams import FADE, SEARCH, Joint, channel_gains, joint, patch_for

AROUND = 2.0  # seconds about an edit in which the channels are compared


@dataclass(frozen=True)
class Placed:
    """One edit that was made. edit: where it was in the old recording; start, end: seconds of the new recording between
    which everything is new, seams included; patch: in samples of the old one; source: who said it, "" for nothing."""

    edit: Edit
    start: float
    end: float
    patch: Patch
    source: str

    def to_json(self) -> dict[str, Any]:
        """Plain values, times to a tenth of a millisecond."""
        edit = self.edit
        return {
            "kind": edit.kind, "removed": list(edit.removed), "added": list(edit.added),
            "old": [round(edit.start, 4), round(edit.end, 4)], "new": [round(self.start, 4), round(self.end, 4)],
            "samples": [self.patch.start, self.patch.end], "source": self.source,
        }  # fmt: skip


@dataclass(frozen=True)
class Edited:
    """recording: the new one; alignment: of its text; edits: in order; aligned: the old recording's alignment."""

    recording: Recording
    alignment: Alignment
    edits: tuple[Placed, ...]
    aligned: Alignment


def edited(
    recording: Recording, old_text: str, new_text: str, aligner: Aligns, engine: Engine,
    target: Affect | None = None, seed: int = 0, alignment: Alignment | None = None,
) -> Edited:
    """The recording with the words of the new text. target: for engines that make an emotion themselves; alignment: of
    the old text, where it is known.

    AudioError where the recording is silent; MismatchError where it is not of the old text; AffectgenError where the
    new words cannot be said.
    """  # fmt: skip
    mono = recording.mono()
    if is_silent(mono):
        raise AudioError("The recording is silent.", "Give one in which the old text is spoken.")
    if tokens_of(new_text):
        check_english(new_text, "The new text")
    found = aligner.align(mono, recording.rate, old_text) if alignment is None else alignment
    edits = edits_between(found, old_text, new_text)
    spoken = [edit for edit in edits if edit.added]
    request = Request(mono, recording.rate, found, old_text, new_text, tuple(spoken), target, seed)
    fillings = dict(zip(spoken, checked_fillings(engine.fill(request), request), strict=True)) if spoken else {}
    fillings = {edit: _with_words(one, edit, recording.rate, aligner) for edit, one in fillings.items()}
    cuts = _joints(mono, recording.rate, edits, fillings)
    patches = [_patch(recording, cut, fillings.get(edit)) for edit, cut in zip(edits, cuts, strict=True)]
    made = patched(recording, patches)
    placed = _placed(edits, patches, fillings, recording.rate)
    words = _new_words(found, edits, cuts, placed, fillings, recording.rate, new_text)
    return Edited(made, Alignment(words, made.seconds), tuple(placed), found)


def _joints(
    whole: Samples, rate: int, edits: Sequence[Edit], fillings: dict[Edit, Filling]
) -> list[Joint]:
    """The cuts of each edit; where two edits are near each other, so near that they do not meet."""
    cuts = []
    for place, edit in enumerate(edits):
        gaps = (
            edit.start - edits[place - 1].end if place else np.inf,
            edits[place + 1].start - edit.end if place + 1 < len(edits) else np.inf,
        )
        search = tuple(min(SEARCH, max((gap - 2 * FADE) / 2, 0.0)) for gap in gaps)
        filling = fillings.get(edit)
        sound = None if filling is None else np.asarray(filling.samples, dtype=np.float64)
        first, last = (0.0, 0.0) if filling is None else (filling.start, filling.stop(rate))
        cuts.append(joint(whole, rate, edit.start, edit.end, sound, first, last, (search[0], search[1])))
    return cuts


def _patch(recording: Recording, cut: Joint, filling: Filling | None) -> Patch:
    """The patch of one edit for the recording's channels."""
    reach = round(AROUND * recording.rate)
    offset = max(min(cut.left, cut.right) - reach, 0)
    channels = recording.floats(offset, max(cut.left, cut.right) + reach)
    sound = None if filling is None else np.asarray(filling.samples, dtype=np.float64)
    return patch_for(cut, channels, offset, sound, channel_gains(channels))


def _placed(
    edits: Sequence[Edit], patches: Sequence[Patch], fillings: dict[Edit, Filling], rate: int
) -> list[Placed]:
    """The edits with their places in the new recording."""
    found, moved = [], 0
    for edit, patch in zip(edits, patches, strict=True):
        start = patch.start + moved
        end = start + len(patch.sound)
        moved += len(patch.sound) - (patch.end - patch.start)
        source = fillings[edit].source if edit in fillings else ""
        found.append(Placed(edit, start / rate, end / rate, patch, source))
    return found


def _new_words(
    old: Alignment, edits: Sequence[Edit], cuts: Sequence[Joint], placed: Sequence[Placed],
    fillings: dict[Edit, Filling], rate: int, new_text: str,
) -> tuple[Word, ...]:
    """The words of the new recording with their times: the old ones moved, the new ones where they were put.
    """  # fmt: skip
    by_index = {word.index: word for word in old.words}
    words: list[Word] = []
    reached = 0
    moved = 0.0
    texts = [token.text for token in tokens_of(new_text)]
    for edit, cut, done in zip(edits, cuts, placed, strict=True):
        words += [shifted(by_index[i], moved, len(words) + i - reached) for i in range(reached, edit.change.first)]
        begins = done.start - (cut.first - cut.fade // 2) / rate
        if edit in fillings:
            words += [shifted(word, begins, len(words) + i) for i, word in enumerate(fillings[edit].words)]
        reached = edit.change.last
        moved += (done.end - done.start) - (done.patch.end - done.patch.start) / rate
    words += [shifted(by_index[i], moved, len(words) + i - reached) for i in range(reached, len(by_index))]
    return _in_order([replace(word, text=text) for word, text in zip(words, texts, strict=True)])


def shifted(word: Word, seconds: float, index: int) -> Word:
    """The word that much later, at another place in the text."""
    phones = tuple(Phone(one.name, one.start + seconds, one.end + seconds) for one in word.phones)
    return replace(word, start=word.start + seconds, end=word.end + seconds, phones=phones, index=index)


def _in_order(words: Sequence[Word]) -> tuple[Word, ...]:
    """The words without the few milliseconds by which cuts make neighbours overlap."""
    found, reached = [], 0.0
    for word in words:
        phones = []
        for phone in word.phones:
            start = max(phone.start, reached)
            reached = max(phone.end, start)
            phones.append(Phone(phone.name, start, reached))
        start = phones[0].start if phones else max(word.start, reached)
        end = phones[-1].end if phones else max(word.end, start)
        reached = end
        found.append(replace(word, start=start, end=end, phones=tuple(phones)))
    return tuple(found)


def _with_words(filling: Filling, edit: Edit, rate: int, aligner: Aligns) -> Filling:
    """The filling with times of its words: its engine's, else the aligner's, else even shares."""
    if len(filling.words) == len(edit.added):
        return filling
    start, end = filling.start, filling.stop(rate)
    part = np.asarray(filling.samples[round(start * rate) : round(end * rate)], dtype=np.float32)
    try:
        found = aligner.align(part, rate, " ".join(edit.added))
        words = tuple(shifted(word, start, word.index) for word in found.words)
    except AffectgenError:  # what an engine says need not be clear enough; its words are there all the same
        step = (end - start) / len(edit.added)
        words = tuple(
            Word(text, i, start + i * step, start + (i + 1) * step, ()) for i, text in enumerate(edit.added)
        )
    return replace(filling, words=words)
