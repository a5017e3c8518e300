"""A set to measure how well the emotion of edited speech follows its text, in the manner of ECD-TSE, out of any folder
of transcribed speech.

Each item is a recording and a text that differs from what is said in it by one word, which gives the text another
emotion. Speakers and sentences are divided between training, validation and test so that neither a speaker nor a
sentence is in two of them; ECD-TSE (Liu et al., Interspeech 2025) divides its clips at random.
"""

from __future__ import annotations

import re
import zlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from affectgen.errors import AffectgenError, UsageError
from affectgen.speech.dataset.dataset_words import EMOTIONS, Variant

SPLITS = ("train", "valid", "test")
LEFT_OUT = "left_out"
FOLDERS = {"anger": "angry", "fear": "fear", "happiness": "happy", "neutral": "neutral", "sadness": "sadness"}
MOST_SPEAKERS, MOST_SENTENCES = 1000, 1_000_000  # that the names have room for
WORDS = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


@dataclass(frozen=True)
class Spoken:
    """One transcribed recording. emotion: as its list names it, "" where it says nothing."""

    file: Path
    speaker: str
    text: str
    emotion: str = ""


@dataclass(frozen=True)
class Item:
    """One item. number: of the sentence; speaker: its number; variant: the new text; recording: what is to be edited;
    acted: the speaker's own recording of the sentence in the variant's emotion, None where there is none; split: of
    SPLITS, or LEFT_OUT."""

    number: int
    speaker: int
    variant: Variant
    recording: Spoken
    acted: Spoken | None
    split: str

    @property
    def name(self) -> str:
        """SSS_E_NNNNNN: speaker, emotion's letter, sentence."""
        return f"{self.speaker:03d}_{self.variant.emotion[0].upper()}_{self.number:06d}"

    @property
    def folder(self) -> str:
        """speaker/emotion, as ECD-TSE names them."""
        return f"{self.speaker:03d}/{FOLDERS[self.variant.emotion]}"

    def to_json(self, raw: str, acted: str | None) -> dict[str, Any]:
        """A line of the list. raw, acted: where the recordings lie in the set."""
        return {
            "id": self.name, "split": self.split, "speaker": self.recording.speaker, "emotion": self.variant.emotion,
            "text": self.variant.text, "source_text": self.recording.text, "source_emotion": self.recording.emotion,
            "word": self.variant.place, "old": self.variant.old, "new": self.variant.new,
            "text_share": self.variant.share, "audio": raw, "acted": acted,
        }  # fmt: skip


@dataclass(frozen=True)
class Division:
    """shares: of speakers and of sentences in training, validation and test, which sum to 1; seed: of all draws."""

    shares: tuple[float, float, float] = (0.6, 0.2, 0.2)
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.shares) < 0 or abs(sum(self.shares) - 1) > 1e-6:
            told = ", ".join(f"{share:g}" for share in self.shares)
            raise UsageError(f"The shares {told} are no parts of a whole.", "Give three that sum to 1: 0.6,0.2,0.2")


def items_of(
    spoken: Sequence[Spoken], make: Callable[[str, np.random.Generator], Mapping[str, Variant]], division: Division
) -> list[Item]:
    """The items of a folder, by speaker, sentence and emotion. make: variants of a sentence; those without any are not
    counted among the sentences, nor are speakers who say no other.

    AffectgenError where there are more speakers or sentences than the names have room for.
    """
    groups: dict[str, list[Spoken]] = defaultdict(list)
    for one in spoken:
        groups[plain(one.text)].append(one)
    _check(len({one.speaker for one in spoken}), len(groups))
    made = {sentence: make(min(one.text for one in own), _chance(division.seed, sentence))
            for sentence, own in sorted(groups.items())}
    sentences = [sentence for sentence, found in made.items() if found]
    speakers = sorted({one.speaker for sentence in sentences for one in groups[sentence]})
    voices = dict(zip(speakers, parts(len(speakers), division, 0), strict=True))
    families = relatives(sentences)
    names = sorted(set(families))
    homes = dict(zip(names, parts(len(names), division, 1), strict=True))
    items: list[Item] = []
    for number, sentence in enumerate(sentences):
        for place, speaker in enumerate(speakers):
            own = sorted((one for one in groups[sentence] if one.speaker == speaker), key=lambda one: str(one.file))
            if own:
                split = voices[speaker] if voices[speaker] == homes[families[number]] else LEFT_OUT
                items += _of_speaker(number, place, own, made[sentence], split, division.seed)
    return items


def _chance(seed: int, sentence: str) -> np.random.Generator:
    """Draws for one sentence, whatever others there are."""
    return np.random.default_rng([seed, zlib.crc32(sentence.encode())])


def _of_speaker(
    number: int, speaker: int, own: Sequence[Spoken], found: Mapping[str, Variant], split: str, seed: int
) -> list[Item]:
    """Items of one sentence by one speaker, who may have said it several times: a neutral recording is edited where
    there is one, else one that the seed draws."""
    chance = np.random.default_rng([seed, 3, number, speaker])
    calm = [one for one in own if one.emotion in ("neutral", "")] or list(own)
    recording = calm[int(chance.integers(len(calm)))]
    items = []
    for emotion in EMOTIONS:
        if emotion in found:
            acted = [one for one in own if one.emotion == emotion]
            there = acted[int(chance.integers(len(acted)))] if acted else None
            items.append(Item(number, speaker, found[emotion], recording, there, split))
    return items


def plain(text: str) -> str:
    """A sentence's words, so that case and marks make no other sentence."""
    return " ".join(word.lower().replace("’", "'") for word in WORDS.findall(text))


def parts(count: int, division: Division, stream: int) -> list[str]:
    """Which of SPLITS each of `count` things belongs to, drawn: as many as the shares say, and one at least of each
    whose share is not 0 where there are enough. One alone is in the test."""
    wanted = np.array(division.shares) * count
    sizes = np.floor(wanted).astype(int)
    for place in np.argsort(sizes - wanted, kind="stable")[: count - int(sizes.sum())]:
        sizes[place] += 1
    for place in (2, 1, 0):  # the test first
        if sizes[place] == 0 and division.shares[place] > 0 and sizes.max() > 1:
            sizes[int(sizes.argmax())] -= 1
            sizes[place] += 1
    if count == 1 and division.shares[2] > 0:
        sizes[:] = (0, 0, 1)
    order = np.random.default_rng([division.seed, stream]).permutation(count)
    names = [name for name, size in zip(SPLITS, sizes.tolist(), strict=True) for _ in range(size)]
    found = [""] * count
    for place, name in zip(order.tolist(), names, strict=True):
        found[place] = name
    return found


def relatives(sentences: Sequence[str]) -> list[int]:
    """The family of each sentence: those that differ by one word, or by one word from a third, are of one, because one
    of them changed by a word may be the other."""
    home = list(range(len(sentences)))

    def top(place: int) -> int:
        while home[place] != place:
            place = home[place]
        return place

    seen: dict[tuple[str, ...], int] = {}
    for place, sentence in enumerate(sentences):
        words = sentence.split()
        for gap in range(len(words)):
            key = (*words[:gap], "", *words[gap + 1 :])
            if key in seen:
                one, other = sorted((top(seen[key]), top(place)))
                home[other] = one
            else:
                seen[key] = place
    return [top(place) for place in range(len(sentences))]


def _check(speakers: int, sentences: int) -> None:
    if speakers > MOST_SPEAKERS or sentences > MOST_SENTENCES:
        raise AffectgenError(
            f"There are {speakers} speakers and {sentences} sentences; names have room for {MOST_SPEAKERS} and "
            f"{MOST_SENTENCES}.",
            "Give a part of the folder.",
        )
