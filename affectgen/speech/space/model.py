"""The emotion space at work: texts, voices and requests to vectors that can be compared with one another.

EmoCorrector's idea (Liu et al. 2025), with another notion of what belongs together: all texts and clips that carry the
same emotion, not only the pair at hand (supervised contrastive learning: Khosla et al. 2020). Needs numpy only, and
for texts the text guide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from affectgen.affect.labels import LABELS_VERSION
from affectgen.affect.space import Affect
from affectgen.audio.files import Samples
from affectgen.errors import AffectgenError, CheckpointError
from affectgen.nn.checkpoint import load_checkpoint, save_arrays
from affectgen.recognize.speech_corpus import LABELS
from affectgen.recognize.speech_features import FEATURES_VERSION, describe, feature_names
from affectgen.speech.space.tower import Tower

if TYPE_CHECKING:
    from affectgen.recognize.text import TextRecogniser

Floats = NDArray[np.float64]

NAME = "emotion-space"
KIND = "emotion-space"
TINY = 1e-3  # shares of labels below this are all one: their logarithms are noise


@dataclass(frozen=True)
class EmotionSpace:
    """text, speech, request: a tower for each of what can be put in; points: float64 [D + 1, 2], from a vector and 1 to
    valence and arousal; labels: float64 [D + 1, 7], to logits of LABELS; guide: the name or folder of the text guide.

    All vectors are float64 of length 1, so their dot product says how alike two emotions are, from -1 to 1.
    """

    text: Tower
    speech: Tower
    request: Tower
    points: Floats
    labels: Floats
    guide: str = "text-guide"
    figures: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def _reader(self) -> TextRecogniser:
        """The text guide, read at the first text."""
        from affectgen.recognize.text import load_text_guide

        return load_text_guide(self.guide)

    def of_text(self, texts: Sequence[str]) -> Floats:
        """Sentences to vectors [N, D]. AffectgenError where one is empty."""
        return self.text(text_rows(self._reader, texts))

    def of_speech(self, clips: Sequence[Samples], rate: int) -> Floats:
        """Mono clips [samples] of a few seconds at `rate` to vectors [N, D]. AudioError as `speech_features.describe`:
        for one that is too short, silent or without a voice.
        """
        return self.of_described(np.stack([describe(clip, rate).features for clip in clips]))

    def of_described(self, features: Floats) -> Floats:
        """The statistics of clips [N, F] (`speech_features.describe`) to vectors [N, D]."""
        return self.speech(np.atleast_2d(features))

    def of_target(self, affect: Affect, label: str | None = None) -> Floats:
        """What is asked for, a point and, where the request names it, one of LABELS, to a vector [D]."""
        return self.request(request_rows([(affect, label)]))[0]

    def of_affect(self, affect: Affect) -> Floats:
        """A bare point to a vector [D]."""
        return self.of_target(affect)

    def points_of(self, vectors: Floats) -> Floats:
        """Valence and arousal of vectors [N, D], float64 [N, 2] in [-1, 1]."""
        return np.clip(vectors @ self.points[:-1] + self.points[-1], -1.0, 1.0)

    def shares_of(self, vectors: Floats) -> Floats:
        """How LABELS divide over vectors [N, D], float64 [N, 7], as if all labels were equally frequent."""
        logits = vectors @ self.labels[:-1] + self.labels[-1]
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: Floats = raised / raised.sum(axis=1, keepdims=True)
        return shares


def text_rows(reader: TextRecogniser, texts: Sequence[str]) -> Floats:
    """What the text tower reads of texts, float64 [N, 31]: logarithms of the label shares, and the ratings."""
    found = reader.score(texts)
    return np.concatenate([np.log(np.maximum(found.shares, TINY)), found.ratings], axis=1)


def request_rows(requests: Sequence[tuple[Affect, str | None]]) -> Floats:
    """What the request tower reads, float64 [N, 9]: the point, and which of LABELS is named. AffectgenError where it is
    no label.
    """
    rows = np.zeros((len(requests), 2 + len(LABELS)))
    for row, (affect, label) in zip(rows, requests, strict=True):
        row[:2] = affect.valence, affect.arousal
        if label is not None:
            if label not in LABELS:
                raise AffectgenError(f"{label!r} is no emotion of voices.", f"They are {', '.join(LABELS)}.")
            row[2 + LABELS.index(label)] = 1.0
    return rows


def save_space(folder: Path, space: EmotionSpace, config: dict[str, Any], card: str) -> None:
    """Write a checkpoint folder."""
    arrays = {"points": space.points, "labels": space.labels}
    for name in ("text", "speech", "request"):
        arrays |= getattr(space, name).arrays(name)
    full = {"kind": KIND, "features": list(feature_names()), "features_version": FEATURES_VERSION, "guide": space.guide}
    half = {
        name: values.astype(np.float16 if name.endswith("weights") else np.float32) for name, values in arrays.items()
    }
    save_arrays(folder, half, {**config, **full, "labels_version": LABELS_VERSION, "figures": space.figures}, card)


def load_space(name: str | Path = NAME) -> EmotionSpace:
    """The shipped space, or the one in the folder `name`. CheckpointError if it is missing, damaged, of another kind or
    reads other statistics of voices than this version computes.
    """
    found = load_checkpoint(name)
    config = found.config
    if config.get("kind") != KIND:
        raise CheckpointError(f"{name} is a {config.get('kind')!r}; an emotion space was expected.", "Name another.")
    known = (config.get("features"), config.get("features_version"), config.get("labels_version"))
    if known != (list(feature_names()), FEATURES_VERSION, LABELS_VERSION):
        hint = "Fit it again: python -m affectgen.speech.space.fit"
        raise CheckpointError(f"{name} reads other statistics of speech than this version computes.", hint)
    arrays = found.arrays()
    try:
        text, speech, request = (Tower.of_arrays(part, arrays) for part in ("text", "speech", "request"))
        points, labels = (arrays[part].astype(np.float64) for part in ("points", "labels"))
        return EmotionSpace(text, speech, request, points, labels, config["guide"], config["figures"])
    except KeyError as error:
        raise CheckpointError(f"{name} is incomplete: it has no {error}.", "Install affectgen again.") from error
