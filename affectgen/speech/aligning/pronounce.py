"""How words are pronounced: by the CMU dictionary that pocketsphinx carries, else by rule, else from their letters."""

from __future__ import annotations

import re
from functools import cache

from affectgen.errors import CheckpointError
from affectgen.speech.aligning.acoustic_files import REMEDY, model_folder
from affectgen.speech.aligning.alignment import PHONES
from affectgen.speech.aligning.letters import load_letters

Phones = tuple[str, ...]

DICTIONARY = "cmudict-en-us.dict"
VOICELESS, HISSING = frozenset(("P", "T", "K", "F", "TH")), frozenset(("S", "Z", "SH", "ZH", "CH", "JH"))
# what letters are called, where they stand alone
CALLED = {
    "a": "EY", "b": "B IY", "c": "S IY", "d": "D IY", "e": "IY", "f": "EH F", "g": "JH IY", "h": "EY CH", "i": "AY",
    "j": "JH EY", "k": "K EY", "l": "EH L", "m": "EH M", "n": "EH N", "o": "OW", "p": "P IY", "q": "K Y UW",
    "r": "AA R", "s": "EH S", "t": "T IY", "u": "Y UW", "v": "V IY", "w": "D AH B AH L Y UW", "x": "EH K S",
    "y": "W AY", "z": "Z IY",
}  # fmt: skip


def pronunciations(word: str) -> tuple[Phones, ...]:
    """The ways of saying one word of letters and apostrophes, the usual one first; empty where it has no letters."""
    word = word.lower()
    known = dictionary().get(word)
    if known is not None:
        return known
    if word in CALLED:
        return (tuple(CALLED[word].split()),)
    return tuple(dict.fromkeys(phones for phones in (_derived(word), _guessed(word)) if phones))


def _derived(word: str) -> Phones:
    """A known word with a possessive or a plural ending; empty where it is none."""
    found = re.fullmatch(r"(.+?)('s|s'|'|s)", word)
    base = dictionary().get(found[1]) if found else None
    if found is None or base is None:
        return ()
    if found[2] == "'":
        return base[0]
    last = base[0][-1]
    ending = ("IH", "Z") if last in HISSING else ("S",) if last in VOICELESS else ("Z",)
    return (*base[0], *ending)


def _guessed(word: str) -> Phones:
    """From the letters; a word in which no letter sounds is spelled out."""
    guessed = load_letters().pronounce(word)
    if guessed:
        return guessed
    return tuple(phone for letter in word for phone in CALLED.get(letter, "").split())


@cache
def dictionary() -> dict[str, tuple[Phones, ...]]:
    """All words of the dictionary with their pronunciations. CheckpointError where it cannot be read."""
    path = model_folder() / DICTIONARY
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f"The dictionary {path} cannot be read: {error}.", REMEDY) from error
    found: dict[str, tuple[Phones, ...]] = {}
    for line in lines:
        word, *phones = line.split()
        if set(phones) <= PHONES:
            word = word.partition("(")[0]
            found[word] = (*found.get(word, ()), tuple(phones))
    return found
