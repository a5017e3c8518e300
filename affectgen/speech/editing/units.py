"""New words out of the speaker's own recording: the whole words where it holds them, else their sounds one by one.

Whole words, said next to each other in the order wanted, are the speaker's own and beat any other voice; of several the
one whose neighbouring sounds and place in the sentence are most like those of the new place is taken (Hunt & Black,
"Unit selection in a concatenative speech synthesis system", 1996). Single sounds are a last resort, for where nothing
is installed that speaks.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from affectgen.audio.f0 import Floats
from affectgen.speech.aligning.alignment import Alignment, Phone, Word
from affectgen.speech.editing.differ import Token
from affectgen.speech.editing.sources import Source, Speech
from affectgen.speech.editing.voice_frames import kind_of

LEAST = 0.12  # seconds: shorter words are said too carelessly to stand elsewhere
FINAL = 2.0  # what another place in the sentence costs
SOUND, SORT = 0.5, 0.5  # what another sound beside costs, and one of another sort
MOST = 2.5  # the most that a unit may cost where a synthesiser is there
ANY = float("inf")  # where there is none, whatever it costs
FADE = 0.006  # seconds between two sounds
PAUSE = 0.1  # seconds of silence after which a word ends a phrase


def whole_words(
    speaker: Speech, old: Sequence[Token], new: Sequence[Token], start: int, stop: int, sounds: tuple[str, str],
    most: float = MOST,
) -> Source | None:
    """The new words [start, stop) as the recording has them elsewhere, None where it has not, or nothing that fits.

    sounds: the ones that will stand before and after them, SIL for none; most: what the best may cost.
    """  # fmt: skip
    wanted = [token.plain for token in new[start:stop]]
    words = speaker.words()
    found: list[tuple[float, int]] = []
    for first in range(len(old) - len(wanted) + 1):
        unit = [words.get(first + i) for i in range(len(wanted))]
        if [token.plain for token in old[first : first + len(wanted)]] != wanted or None in unit:
            continue
        kept = [word for word in unit if word is not None]
        if kept[-1].end - kept[0].start >= LEAST and _together(kept):
            found.append((_cost(words, first, len(wanted), sounds, new[stop - 1].ends or stop == len(new)), first))
    if not found or min(found)[0] > most:
        return None
    first = min(found)[1]
    return Source(speaker, first, first + len(wanted), True, "the recording's own words")


def _together(words: Sequence[Word]) -> bool:
    """Whether no pause stands between them."""
    return all(after.start - before.end < PAUSE for before, after in pairwise(words))


def _cost(words: dict[int, Word], first: int, count: int, sounds: tuple[str, str], final: bool) -> float:
    """What is unlike the place where they are to stand."""
    before, after = words.get(first - 1), words.get(first + count)
    last = words[first + count - 1]
    ends = after is None or after.start - last.end > PAUSE
    cost = FINAL * (ends != final)
    for word, side, wanted in ((before, -1, sounds[0]), (after, 0, sounds[1])):
        name = word.phones[side].name if word is not None and word.phones else "SIL"
        cost += SOUND * (name != wanted) + SORT * (kind_of(name) != kind_of(wanted))
    return cost


def from_sounds(speaker: Speech, words: Sequence[str], pronunciations: Sequence[Sequence[str]]) -> Source | None:
    """The words put together from the longest runs of sounds that the recording has, None where it lacks one."""
    have = [phone for phone in speaker.alignment.phones if phone.seconds >= 0.02]
    wanted = [name for one in pronunciations for name in one]
    if not wanted:
        return None
    pieces: list[tuple[int, int]] = []  # (first phone of `have`, how many)
    place = 0
    while place < len(wanted):
        best = max(range(len(have)), key=lambda i: _run(have, i, wanted, place), default=-1)
        length = _run(have, best, wanted, place) if best >= 0 else 0
        if not length:
            return None
        pieces.append((best, length))
        place += length
    return _joined(speaker, have, pieces, words, pronunciations)


def _run(have: Sequence[Phone], first: int, wanted: Sequence[str], place: int) -> int:
    """How many sounds from `first` on are those wanted, without a gap."""
    count = 0
    while (
        first + count < len(have) and place + count < len(wanted) and have[first + count].name == wanted[place + count]
        and (not count or have[first + count].start - have[first + count - 1].end < 1e-6)
    ):  # fmt: skip
        count += 1
    return count


def _joined(
    speaker: Speech, have: Sequence[Phone], pieces: Sequence[tuple[int, int]], words: Sequence[str],
    pronunciations: Sequence[Sequence[str]],
) -> Source:
    """The pieces one after another, as speech of these words."""  # fmt: skip
    fade = round(FADE * speaker.rate)
    sound: Floats = np.zeros(0)
    phones: list[Phone] = []
    for first, count in pieces:
        run = have[first : first + count]
        start = round(run[0].start * speaker.rate)
        part = speaker.samples[start : round(run[-1].end * speaker.rate)]
        lap = min(fade, len(sound), len(part) // 2)
        begins = (len(sound) - lap) / speaker.rate
        rise = np.sin(np.linspace(0, np.pi / 2, lap)) ** 2
        joined = sound[len(sound) - lap :] * (1 - rise) + part[:lap] * rise
        sound = np.concatenate([sound[: len(sound) - lap], joined, part[lap:]])
        shift = begins - run[0].start
        for one in run:
            reached = phones[-1].end if phones else 0.0
            phones.append(Phone(one.name, max(one.start + shift, reached), one.end + shift))
    made, place = [], 0
    for index, (word, names) in enumerate(zip(words, pronunciations, strict=True)):
        own = tuple(phones[place : place + len(names)])
        made.append(Word(word, index, own[0].start, own[-1].end, own))
        place += len(names)
    whole = Speech(sound, speaker.rate, Alignment(tuple(made), len(sound) / speaker.rate))
    return Source(whole, 0, len(words), True, "the recording's own sounds")
