"""When each word and phone of a recording is spoken: what the aligner gives and everything else reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

SILENCE = "SIL"
# ARPAbet without stress marks, as the CMU dictionary has it
VOWELS = frozenset(["AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"])
SONORANTS = frozenset(["L", "M", "N", "NG", "R", "W", "Y"])
FRICATIVES = frozenset(["DH", "F", "HH", "S", "SH", "TH", "V", "Z", "ZH"])
STOPS = frozenset(["B", "CH", "D", "G", "JH", "K", "P", "T"])
PHONES = VOWELS | SONORANTS | FRICATIVES | STOPS


@dataclass(frozen=True)
class Phone:
    """One sound. name: of PHONES, or SILENCE; start, end: seconds."""

    name: str
    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.end - self.start


@dataclass(frozen=True)
class Word:
    """One word. text: as the transcript spells it; index: its place among the transcript's words; start, end: seconds;
    phones: in order, without silences; score: how well it fits the sound, mean log likelihood a frame, as the
    recogniser counts it."""

    text: str
    index: int
    start: float
    end: float
    phones: tuple[Phone, ...]
    score: float = 0.0


@dataclass(frozen=True)
class Alignment:
    """A recording's words in the order of time, which do not overlap. seconds: the recording's length."""

    words: tuple[Word, ...]
    seconds: float

    @property
    def phones(self) -> tuple[Phone, ...]:
        """All phones from 0 to `seconds`, without gaps: silences stand wherever no word is."""
        return tuple(self._phones())

    def _phones(self) -> Iterator[Phone]:
        reached = 0.0
        for word in self.words:
            for phone in word.phones:
                if phone.start > reached + 1e-9:
                    yield Phone(SILENCE, reached, phone.start)
                yield phone
                reached = phone.end
        if self.seconds > reached + 1e-9:
            yield Phone(SILENCE, reached, self.seconds)

    def to_json(self) -> dict[str, Any]:
        """Plain values, times to a tenth of a millisecond."""
        return {"seconds": round(self.seconds, 4), "words": [_word(word) for word in self.words]}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Alignment:
        """Read back what `to_json` gave. KeyError or TypeError where it is no alignment."""
        words = tuple(
            Word(**{**word, "phones": tuple(Phone(**phone) for phone in word["phones"])}) for word in values["words"]
        )
        return cls(words, values["seconds"])


def _word(word: Word) -> dict[str, Any]:
    phones = [{"name": one.name, "start": round(one.start, 4), "end": round(one.end, 4)} for one in word.phones]
    times = {"start": round(word.start, 4), "end": round(word.end, 4)}
    return {"text": word.text, "index": word.index, **times, "score": round(word.score, 3), "phones": phones}
