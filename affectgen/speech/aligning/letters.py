"""How a word that no dictionary holds may be pronounced: from its letters, by the words that are spelled alike.

A tree of letters in context (IGTree: Daelemans, van den Bosch & Weijters, "IGTree: using trees for compression and
classification in lazy learning algorithms", 1997): for each letter, the sounds that it has in the largest known
surroundings, looked at in a fixed order. Learnt from the CMU dictionary by `affectgen.speech.aligning.letters_fit`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectgen.errors import CheckpointError
from affectgen.nn.checkpoint import load_checkpoint

CHECKPOINT = "letters"
KIND = "letters-to-sound"
EDGE = "_"
ALPHABET = EDGE + "abcdefghijklmnopqrstuvwxyz'"
# letters to the right (+) and left (-) of the one that is read, in the order in which they tell most
ORDER = (0, 1, -1, 2, -2, 3, -3, 4, -4)
REACH = max(map(abs, ORDER))


@dataclass(frozen=True)
class Letters:
    """sounds: the phones that a letter can stand for, none to three; nodes: by surroundings, as letters in ORDER, the
    number of the sounds that are most usual there."""

    sounds: tuple[tuple[str, ...], ...]
    nodes: Mapping[str, int]

    def pronounce(self, word: str) -> tuple[str, ...]:
        """The phones of a word, ARPAbet without stress; letters that are not of ALPHABET are passed over."""
        kept = "".join(letter for letter in word.lower() if letter in ALPHABET and letter != EDGE)
        found: list[str] = []
        for place in range(len(kept)):
            found += self.sounds[self._at(surroundings(kept, place))]
        return tuple(found)

    def _at(self, key: str) -> int:
        """What the largest known part of the surroundings says."""
        for size in range(len(key), 0, -1):
            number = self.nodes.get(key[:size])
            if number is not None:
                return number
        return 0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What a checkpoint stores; `of_arrays` is the way back."""
        keys = sorted(self.nodes)
        return {
            "keys": np.frombuffer("\n".join(keys).encode("ascii"), dtype=np.uint8),
            "numbers": np.array([self.nodes[key] for key in keys], dtype=np.uint16),
            "sounds": np.array([" ".join(phones) for phones in self.sounds]),
        }

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Letters:
        """Read back what `arrays` gave."""
        keys = arrays["keys"].tobytes().decode("ascii").split("\n")
        nodes = dict(zip(keys, arrays["numbers"].tolist(), strict=True))
        return cls(tuple(tuple(str(text).split()) for text in arrays["sounds"]), nodes)


def surroundings(word: str, place: int) -> str:
    """The letters about one place of a word, in ORDER; EDGE beyond its ends."""
    padded = EDGE * REACH + word + EDGE * REACH
    return "".join(padded[REACH + place + step] for step in ORDER)


@cache
def load_letters(name: str = CHECKPOINT) -> Letters:
    """The shipped tree, or that of the folder `name`. CheckpointError where it is missing, damaged or another thing."""
    found = load_checkpoint(name)
    if found.config.get("kind") != KIND:
        raise CheckpointError(f"{name} is a {found.config.get('kind')!r}; a {KIND!r} was expected.", "Name another.")
    return Letters.of_arrays(found.arrays())
