"""Word pieces: BERT's way of cutting a text (Devlin et al., NAACL 2019), over a vocabulary that can be cut down.

A text is lowered, its accents dropped, its signs set apart; then each word is cut into the longest known pieces from
the left (WordPiece, Schuster & Nakajima 2012). A cut vocabulary keeps every single letter, so that a word of which no
long piece was kept is spelled, not lost.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UNKNOWN, FIRST, LAST = "[UNK]", "[CLS]", "[SEP]"
SPECIAL = (UNKNOWN, FIRST, LAST)
LONGEST_WORD = 100  # letters; a longer word is unknown, as in BERT
MOST_PIECES = 96  # of one text, the two marks at its ends counted; what follows is not read
INSIDE = "##"  # before a piece that does not begin its word
_IDEOGRAPHS = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2CEAF), (0x2F800, 0x2FA1F))


def words_of(text: str) -> list[str]:
    """Words and single signs, lower-case and without accents."""
    kept = "".join(_letter(sign) for sign in text)
    plain = unicodedata.normalize("NFD", kept).lower()
    return "".join(_apart(sign) for sign in plain if unicodedata.category(sign) != "Mn").split()


@dataclass(frozen=True)
class Pieces:
    """rows: a piece's row in the table of vectors."""

    rows: Mapping[str, int]

    @classmethod
    def of(cls, names: Sequence[str]) -> Pieces:
        """From pieces in the order of their rows. ValueError where a special one is missing."""
        rows = {name: row for row, name in enumerate(names)}
        if not all(name in rows for name in SPECIAL):
            raise ValueError(f"a vocabulary needs {', '.join(SPECIAL)}")
        return cls(rows)

    def ids(self, text: str, most: int = MOST_PIECES) -> NDArray[np.int64]:
        """Rows of the text's pieces between the marks of its beginning and its end, int64 [2 to `most`]."""
        found: list[int] = []
        for word in words_of(text):
            found += self._cut(word)
            if len(found) >= most - 2:
                break
        return np.array([self.rows[FIRST], *found[: most - 2], self.rows[LAST]], dtype=np.int64)

    def cut_down(self, texts: Iterable[str], least: int) -> list[str]:
        """The pieces that `least` texts hold or more, ASCII's single letters and those in any text, the special ones;
        in the order of rows.
        """
        count = Counter(row for text in texts for row in set(self.ids(text).tolist()))

        def stays(name: str, row: int) -> bool:
            bare = name.removeprefix(INSIDE)
            single = len(bare) == 1 and (bare.isascii() or count[row] > 0)
            return name in SPECIAL or single or count[row] >= least

        return [name for name, row in self.rows.items() if stays(name, row)]

    def _cut(self, word: str) -> list[int]:
        if len(word) > LONGEST_WORD:
            return [self.rows[UNKNOWN]]
        found, start = [], 0
        while start < len(word):
            mark = INSIDE if start else ""
            ends = range(len(word), start, -1)
            end = next((end for end in ends if mark + word[start:end] in self.rows), None)
            if end is None:
                return [self.rows[UNKNOWN]]
            found.append(self.rows[mark + word[start:end]])
            start = end
        return found


def _letter(sign: str) -> str:
    """Control signs left out, white space a blank, ideographs apart."""
    if sign in "\t\n\r":
        return " "
    category = unicodedata.category(sign)
    if sign in ("\x00", "\ufffd") or category in ("Cc", "Cf", "Co"):
        return ""
    if category == "Zs":
        return " "
    return f" {sign} " if any(low <= ord(sign) <= high for low, high in _IDEOGRAPHS) else sign


def _apart(sign: str) -> str:
    """A sign of punctuation between blanks; ASCII's other signs count as such."""
    odd = sign.isascii() and sign.isprintable() and not sign.isalnum() and not sign.isspace()
    return f" {sign} " if odd or unicodedata.category(sign).startswith("P") else sign
