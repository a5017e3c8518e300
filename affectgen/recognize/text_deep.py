"""The recogniser's model: a transformer trained further on the corpora, averaged with networks, words and cues.

The transformer reads what a sentence means; the others (`text_blend`) know its words, signs and cues better than its
pieces tell. Both give log label shares and ratings, which are averaged with fixed shares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectgen.recognize.text_blend import TextBlend
from affectgen.recognize.text_features import Sentence
from affectgen.recognize.text_transformer import Transformer

Floats = NDArray[np.float64]
RATING_SHARE = np.array([0.7, 0.55, 0.7])  # of the transformer's ratings; these and the next chosen on the dev splits
LABEL_SHARE = 0.9  # of the transformer's log label shares


@dataclass(frozen=True)
class TextDeep:
    """blend, transformer: what is averaged."""

    blend: TextBlend
    transformer: Transformer

    def scores(self, sentences: Sequence[Sentence]) -> tuple[Floats, Floats]:
        """(log label shares [N, 28], ratings [N, 3]) of sentences."""
        labels, ratings = self.blend.scores(sentences)
        deep_labels, deep_ratings = self.transformer.scores([sentence.text for sentence in sentences])
        mixed = LABEL_SHARE * deep_labels + (1 - LABEL_SHARE) * labels
        return _log_softmax(mixed), RATING_SHARE * deep_ratings + (1 - RATING_SHARE) * ratings

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What a checkpoint stores."""
        return self.blend.arrays() | self.transformer.arrays()

    @classmethod
    def of_arrays(cls, arrays: dict[str, NDArray[Any]]) -> TextDeep:
        """The model that `arrays` stored."""
        return cls(TextBlend.of_arrays(arrays), Transformer.of_arrays(arrays))


def _log_softmax(scores: Floats) -> Floats:
    lowered = scores - scores.max(axis=1, keepdims=True)
    return lowered - np.log(np.exp(lowered).sum(axis=1, keepdims=True))
