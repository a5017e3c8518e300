"""Alignments as files: JSON, Praat's TextGrid (words and phones), captions (SubRip)."""

from __future__ import annotations

import json
import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from affectgen.speech.aligning.alignment import SILENCE, Alignment, Word

FORMATS = ("json", "textgrid", "srt")
SUFFIXES = {".json": "json", ".textgrid": "textgrid", ".srt": "srt"}
LINE, LINES = 42, 2  # letters of a line and lines of a caption
LONGEST = 6.0  # seconds of a caption
PAUSE = 0.6  # seconds of silence after which a new one begins
SENTENCE = 1.0  # seconds after which the end of a sentence ends a caption
LINGER = 0.4  # seconds that a caption stays after its last word
SENTENCE_ENDS = (".", "!", "?", "…")


def format_of(path: Path) -> str | None:
    """The format that a file's name asks for; None where it names none."""
    return SUFFIXES.get(path.suffix.lower())


def written(alignment: Alignment, kind: str, text: str = "") -> str:
    """The file's text. kind: one of FORMATS; text: the transcript, whose punctuation captions keep."""
    if kind == "textgrid":
        return text_grid(alignment)
    if kind == "srt":
        return captions(alignment, text)
    return json.dumps(alignment.to_json(), indent=1, ensure_ascii=False) + "\n"


def text_grid(alignment: Alignment) -> str:
    """Praat's long text format: a tier of words and one of phones, "" where it is silent."""
    words: list[tuple[float, float, str]] = []
    reached = 0.0
    for word in alignment.words:
        if word.start > reached:
            words.append((reached, word.start, ""))
        words.append((word.start, word.end, word.text))
        reached = word.end
    if alignment.seconds > reached:
        words.append((reached, alignment.seconds, ""))
    phones = [(one.start, one.end, "" if one.name == SILENCE else one.name) for one in alignment.phones]
    end = f"{alignment.seconds:.6f}"
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {end}"]
    lines += ["tiers? <exists>", "size = 2", "item []:"]
    for number, (name, rows) in enumerate((("words", words), ("phones", phones)), start=1):
        lines += [f"    item [{number}]:", '        class = "IntervalTier"', f'        name = "{name}"']
        lines += ["        xmin = 0", f"        xmax = {end}", f"        intervals: size = {len(rows)}"]
        for place, (start, stop, label) in enumerate(rows, start=1):
            quoted = label.replace('"', '""')
            lines += [f"        intervals [{place}]:", f"            xmin = {start:.6f}"]
            lines += [f"            xmax = {stop:.6f}", f'            text = "{quoted}"']
    return "\n".join(lines) + "\n"


@dataclass
class _Caption:
    words: list[str]
    start: float
    end: float

    def fits(self, word: str) -> bool:
        """Whether another word has room."""
        return len(textwrap.wrap(" ".join([*self.words, word]), LINE, break_long_words=False)) <= LINES


def captions(alignment: Alignment, text: str = "") -> str:
    """SubRip: captions of two lines of 42 letters at most, cut at pauses and ends of sentences."""
    found: list[_Caption] = []
    for word, shown in zip(alignment.words, _shown(alignment.words, text), strict=True):
        last = found[-1] if found else None
        if last is None or _ended(last, word) or not last.fits(shown):
            found.append(_Caption([shown], word.start, word.end))
        else:
            last.words.append(shown)
            last.end = word.end
    blocks = []
    for number, caption in enumerate(found):
        until = found[number + 1].start if number + 1 < len(found) else alignment.seconds
        lines = textwrap.wrap(" ".join(caption.words), LINE, break_long_words=False)
        times = f"{_clock(caption.start)} --> {_clock(min(caption.end + LINGER, max(until, caption.end)))}"
        blocks.append("\n".join([str(number + 1), times, *lines]))
    return "\n\n".join(blocks) + "\n"


def _ended(caption: _Caption, word: Word) -> bool:
    """Whether a caption is over before a word."""
    if word.start - caption.end >= PAUSE or word.end - caption.start > LONGEST:
        return True
    stop = caption.words[-1].rstrip("\"'”’)").endswith(SENTENCE_ENDS)
    return stop and caption.end - caption.start >= SENTENCE


def _shown(words: Sequence[Word], text: str) -> list[str]:
    """The words with the punctuation that the transcript has about them; bare where they are not found in it."""
    text = " ".join(unicodedata.normalize("NFC", text).split())
    begins, reached = [], 0
    for word in words:
        at = text.find(word.text, reached)
        if at < 0:
            return [one.text for one in words]
        space = text.rfind(" ", reached, at)  # what stands before it, up to a space, is its own
        begins.append(space + 1 if space >= 0 else at)
        reached = at + len(word.text)
    ends = [*begins[1:], len(text)]
    return [text[begin:end].strip() for begin, end in zip([0, *begins[1:]], ends, strict=True)] if begins else []


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02d}:{minutes:02d}:{rest // 1000:02d},{rest % 1000:03d}"
