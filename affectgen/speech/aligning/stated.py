"""The alignment that a synthesiser states itself: surer than one found in its sound, which is like no person's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from affectgen.speech.aligning.alignment import PHONES, Alignment, Phone, Word
from affectgen.speech.editing.differ import tokens_of
from affectgen.speech.editing.espeak import Spoken


def stated_alignment(spoken: Spoken, text: str, pronounce: Callable[[str], Sequence[str]]) -> Alignment | None:
    """The alignment of `text` by the times that came with its sound, None where they do not cover its words.

    pronounce: a word's phones by the dictionary: a word of as many sounds gets their names, so that both voices' sounds
    are called alike. A stretch that the synthesiser counts as one word ("of the") is shared out by it as well.
    """
    words = [token.text for token in tokens_of(text)]
    starts = _places(text, words)
    events = _places(text, [name for name, _, _ in spoken.words])
    if starts is None or events is None or not words:
        return None
    groups: list[list[int]] = [[] for _ in spoken.words]  # the words that each event covers
    for index, place in enumerate(starts):
        owners = [event for event, at in enumerate(events) if at <= place]
        if not owners:
            return None
        groups[owners[-1]].append(index)
    pieces: list[tuple[list[int], list[Phone]]] = []
    for group, (_, start, end) in zip(groups, spoken.words, strict=True):
        said = [Phone(*one) for one in spoken.phones if start - 1e-6 <= one[1] < end - 1e-6 and one[0] in PHONES]
        if group:
            pieces.append((group, said))
        elif pieces:  # one written word that is said as several: "42"
            pieces[-1][1].extend(said)
    made = [word for group, said in pieces for word in _shared(group, said, words, pronounce)]
    if len(made) != len(words) or any(not word.phones for word in made):
        return None
    return Alignment(tuple(made), len(spoken.samples) / spoken.rate)


def _places(text: str, words: Sequence[str]) -> list[int] | None:
    """Where each word begins in the text, one after another; None where one is not found."""
    found, place = [], 0
    for word in words:
        at = text.find(word, place)
        if at < 0:
            return None
        found.append(at)
        place = at + len(word)
    return found


def _shared(
    group: Sequence[int], said: Sequence[Phone], words: Sequence[str], pronounce: Callable[[str], Sequence[str]]
) -> list[Word]:
    """The sounds of one event as the words that it covers."""
    names = [tuple(pronounce(words[index])) for index in group]
    total = max(sum(map(len, names)), 1)
    found, taken, counted = [], 0, 0
    for index, own in zip(group, names, strict=True):
        counted += len(own)
        stop = len(said) if index == group[-1] else max(round(len(said) * counted / total), taken + 1)
        phones = said[taken:stop]
        if len(phones) == len(own):
            phones = [Phone(name, one.start, one.end) for name, one in zip(own, phones, strict=True)]
        taken = stop
        if phones:
            found.append(Word(words[index], index, phones[0].start, phones[-1].end, tuple(phones)))
    return found
