"""What a new transcript changes in an old one: words taken away, put in or replaced, and where in the recording."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from affectgen.errors import UsageError
from affectgen.speech.aligning.alignment import Alignment, Word
from affectgen.speech.aligning.transcript import words_of

Kind = Literal["insert", "delete", "replace"]
PAUSE = 0.06  # seconds of silence that count as a pause between two words
ENDS = frozenset(".,;:!?…—–")  # what a pause may stand after


@dataclass(frozen=True)
class Token:
    """One word of a transcript. text: as written; after: what stands between it and the next one."""

    text: str
    after: str

    @property
    def plain(self) -> str:
        """What is compared: no case, no accents' forms, straight apostrophes."""
        return unicodedata.normalize("NFKC", self.text).casefold().replace("’", "'")

    @property
    def ends(self) -> bool:
        """Whether a mark follows at which one pauses."""
        return any(letter in ENDS for letter in self.after)


@dataclass(frozen=True)
class Change:
    """Words [first, last) of the old text become words [start, stop) of the new one; one of the two may be empty."""

    first: int
    last: int
    start: int
    stop: int

    @property
    def kind(self) -> Kind:
        """What it is."""
        if self.first == self.last:
            return "insert"
        return "delete" if self.start == self.stop else "replace"


@dataclass(frozen=True)
class Edit:
    """One change of the recording. start, end: seconds of what is taken out, equal where nothing is; removed, added:
    the words."""

    change: Change
    start: float
    end: float
    removed: tuple[str, ...]
    added: tuple[str, ...]

    @property
    def kind(self) -> Kind:
        """What it is."""
        return self.change.kind


def tokens_of(text: str) -> list[Token]:
    """The words of a transcript with what follows each, in order."""
    text = unicodedata.normalize("NFC", text)  # as `words_of` does
    words, found, place = words_of(text), [], 0
    starts = []
    for word in words:
        start = text.find(word, place)
        start = place if start < 0 else start
        starts.append(start)
        place = start + len(word)
    for index, word in enumerate(words):
        end = starts[index + 1] if index + 1 < len(words) else len(text)
        found.append(Token(word, text[starts[index] + len(word) : end]))
    return found


def changes_between(old: Sequence[Token], new: Sequence[Token]) -> list[Change]:
    """The changes in the order of the text; case and marks do not count. Empty where the words are the same."""
    matcher = SequenceMatcher(None, [one.plain for one in old], [one.plain for one in new], autojunk=False)
    return [Change(*places) for tag, *places in matcher.get_opcodes() if tag != "equal"]


def edits_between(alignment: Alignment, old_text: str, new_text: str) -> list[Edit]:
    """The edits that make a recording of `old_text`, aligned so, one of `new_text`, in order and not overlapping.

    UsageError where the new text holds no word, or the alignment is of another text.
    """
    old, new = tokens_of(old_text), tokens_of(new_text)
    if not new:
        raise UsageError("The new text holds no word.", "Give the words that are to be heard.")
    by_index = {word.index: word for word in alignment.words}
    if sorted(by_index) != list(range(len(old))):
        text = f"The alignment has {len(by_index)} words and the old text {len(old)}."
        raise UsageError(text, "Align the recording with the same text.")
    return [_placed(change, old, new, by_index, alignment.seconds) for change in changes_between(old, new)]


def _placed(
    change: Change, old: Sequence[Token], new: Sequence[Token], words: dict[int, Word], seconds: float
) -> Edit:
    """A change with its place in the recording."""
    before = words.get(change.first - 1)
    after = words.get(change.last)
    if change.kind == "replace":
        start, end = words[change.first].start, words[change.last - 1].end
    elif change.kind == "delete":
        start, end = _taken_out(words[change.first], words[change.last - 1], before, after)
    else:
        start = end = _put_in(change, new, before, after, seconds)
    removed = tuple(one.text for one in old[change.first : change.last])
    return Edit(change, start, end, removed, tuple(one.text for one in new[change.start : change.stop]))


def _taken_out(first: Word, last: Word, before: Word | None, after: Word | None) -> tuple[float, float]:
    """Of the pauses on both sides the longer one stays; what precedes the first word of all or follows the last does
    too."""
    if before is None:
        return first.start, (last.end if after is None else after.start)
    if after is None:
        return before.end, last.end
    ahead, behind = first.start - before.end, after.start - last.end
    return (first.start, after.start) if ahead >= behind else (before.end, last.end)


def _put_in(change: Change, new: Sequence[Token], before: Word | None, after: Word | None, seconds: float) -> float:
    """Between two words: behind a pause that is there, unless the new words end with a mark and the word before them
    does not, which says that the pause comes after them."""
    if before is None and after is None:
        return seconds
    if before is None or after is None:
        return after.start if after is not None else before.end if before is not None else seconds
    if after.start - before.end < PAUSE:
        return (before.end + after.start) / 2
    pause_comes_later = new[change.stop - 1].ends and not new[change.start - 1].ends
    return before.end if pause_comes_later else after.start
