"""The recogniser's model: a network's labels, and ratings from a ridge regression that hears it too.

The regression (Wolpert's stacking, 1992) reads words and pairs, runs of letters, cues and the network's label scores;
its ratings and the network's own are averaged with fixed shares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from affectgen.recognize.text_features import Sentence
from affectgen.recognize.text_grams import Grams
from affectgen.recognize.text_net import TextNet

Floats = NDArray[np.float64]
PENALTY = 4.0  # ridge's
CUE_SIZE, LABEL_SIZE = 0.3, 0.1  # how large cues and label scores stand beside a row of words of length 1
NET_SHARE = np.array([0.15, 0.5, 0.5])  # of the network's own ratings; chosen on EmoBank's dev split
LEAST_LETTERS = 4  # sentences that a run of letters must stand in


@dataclass(frozen=True)
class TextBlend:
    """net: labels and ratings; words, letters: columns; middle, spread: float64 [C + 28] of cues and label scores;
    weights: float32 [G + L + C + 28, 3]; offset: float64 [3].
    """

    net: TextNet
    words: Grams
    letters: Grams
    middle: Floats
    spread: Floats
    weights: NDArray[np.float32]
    offset: Floats

    def scores(self, sentences: Sequence[Sentence]) -> tuple[Floats, Floats]:
        """(log label shares [N, 28], ratings [N, 3]) of sentences."""
        labels, ratings = self.net.scores(sentences)
        rows = _rows(self.words, self.letters, _dense(sentences, labels), self.middle, self.spread, sentences)
        return labels, NET_SHARE * ratings + (1 - NET_SHARE) * (rows @ self.weights + self.offset)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What a checkpoint stores; names in the order of their columns."""
        own = {
            "words_names": np.array(["\n".join(self.words.rows)]),
            "letters_names": np.array(["\n".join(self.letters.rows)]),
            "words_idf": self.words.idf.astype(np.float16),
            "letters_idf": self.letters.idf.astype(np.float16),
            "beside_middle": self.middle,
            "beside_spread": self.spread,
            "ridge": self.weights.astype(np.float16),
            "ridge_offset": self.offset,
        }
        return self.net.arrays() | own

    @classmethod
    def of_arrays(cls, arrays: dict[str, NDArray[Any]]) -> TextBlend:
        """The model that `arrays` stored."""
        known = []
        for kind in ("words", "letters"):
            names = str(arrays[f"{kind}_names"][0]).split("\n")
            rows = {name: column for column, name in enumerate(names)}
            known.append(Grams(rows, arrays[f"{kind}_idf"].astype(np.float64), kind == "letters"))
        beside = (arrays["beside_middle"], arrays["beside_spread"])
        weights = arrays["ridge"].astype(np.float32)
        return cls(TextNet.of_arrays(arrays), known[0], known[1], *beside, weights, arrays["ridge_offset"])


def fit(net: TextNet, sentences: Sequence[Sentence], ratings: Floats) -> TextBlend:
    """From a trained network and sentences with ratings [N, 3]."""
    words, letters = Grams.of(sentences), Grams.of(sentences, LEAST_LETTERS, letters=True)
    dense = _dense(sentences, net.scores(sentences)[0])
    middle, spread = dense.mean(axis=0), dense.std(axis=0) + 1e-6
    rows = _rows(words, letters, dense, middle, spread, sentences)
    offset = ratings.mean(axis=0)
    weights = np.stack([_ridge(rows, ratings[:, axis] - offset[axis]) for axis in range(ratings.shape[1])], axis=1)
    return TextBlend(net, words, letters, middle, spread, weights.astype(np.float32), offset)


def _dense(sentences: Sequence[Sentence], labels: Floats) -> Floats:
    """Cues and label scores [N, C + 28]."""
    return np.concatenate([np.stack([sentence.cues for sentence in sentences]), labels], axis=1)


def _rows(
    words: Grams, letters: Grams, dense: Floats, middle: Floats, spread: Floats, sentences: Sequence[Sentence]
) -> Any:
    """Sparse rows [N, G + L + C + 28]."""
    size = np.full(dense.shape[1], CUE_SIZE)
    size[-28:] = LABEL_SIZE
    beside = sparse.csr_matrix(((dense - middle) / spread).clip(-4, 4) * size)
    return sparse.hstack([words.matrix(sentences), letters.matrix(sentences), beside]).tocsr()


def _ridge(rows: Any, target: Floats) -> Floats:
    """Ridge regression's weights [G] by least squares on the sparse rows (Paige & Saunders' LSQR)."""
    from scipy.sparse.linalg import lsqr

    return lsqr(rows, target, damp=PENALTY**0.5, atol=1e-5, btol=1e-5, iter_lim=200)[0]
