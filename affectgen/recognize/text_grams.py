"""Words and pairs of words with TF-IDF weights, read by a linear model: the judge, of another family than the networks.

A row also holds the cues of `text_features`. The weights are ridge regression's; fitting needs nothing but scipy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from affectgen.recognize.text_features import Sentence

Floats = NDArray[np.float64]
PIECES = range(2, 6)  # lengths of runs of letters
LONGEST = 40  # letters of a word that are looked at
LEAST = 2  # texts that a word or pair must stand in


def grams(sentence: Sentence) -> list[str]:
    """Its words and the pairs of neighbours, joined by a space."""
    words = sentence.tokens
    return [*words, *(f"{first} {second}" for first, second in pairwise(words))]


def pieces(sentence: Sentence) -> list[str]:
    """Runs of 2 to 5 letters of its words, with the space before and after a word as a letter."""
    words = [f" {word[:LONGEST]} " for word in sentence.tokens]
    return [word[i : i + size] for word in words for size in PIECES for i in range(len(word) - size + 1)]


@dataclass(frozen=True)
class Grams:
    """rows: a word's or pair's column; idf: float64 [G], its weight; letters: columns are runs of letters instead."""

    rows: Mapping[str, int]
    idf: Floats
    letters: bool = False

    def names(self, sentence: Sentence) -> list[str]:
        """What of a sentence may have a column."""
        return pieces(sentence) if self.letters else grams(sentence)

    @classmethod
    def of(cls, sentences: Sequence[Sentence], least: int = LEAST, letters: bool = False) -> Grams:
        """The words and pairs, or runs of letters, that stand in at least `least` of the sentences."""
        of = pieces if letters else grams
        count = Counter(gram for sentence in sentences for gram in set(of(sentence)))
        names = sorted(gram for gram, texts in count.items() if texts >= least)
        held = np.array([count[name] for name in names], dtype=np.float64)
        idf = np.log((1 + len(sentences)) / (1 + held)) + 1
        return cls({name: column for column, name in enumerate(names)}, idf, letters)

    def matrix(self, sentences: Sequence[Sentence]) -> Any:
        """A sparse float64 [N, G]; a row has length 1, or 0 where nothing of it is known."""
        values, columns, starts = [np.empty(0)], [np.empty(0, dtype=np.int64)], [0]
        for sentence in sentences:
            count = Counter(self.rows[gram] for gram in self.names(sentence) if gram in self.rows)
            found = np.array(sorted(count), dtype=np.int64)
            value = (1 + np.log(np.array([count[column] for column in found.tolist()]))) * self.idf[found]
            values.append(value / max(float(np.linalg.norm(value)), 1e-9))
            columns.append(found)
            starts.append(starts[-1] + len(found))
        shape = (len(sentences), len(self.idf))
        return sparse.csr_matrix((np.concatenate(values), np.concatenate(columns), starts), shape=shape)
