"""An index of voices in memory: of each clip who speaks, how it was said, and what emotion was heard in it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from affectgen.recognize.speech_corpus import LABELS

if TYPE_CHECKING:
    from affectgen.speech.index.file import Rows
    from affectgen.speech.space.model import EmotionSpace

Floats = NDArray[np.float64]
Words = NDArray[np.str_]

SHIPPED = "voices"


@dataclass(frozen=True)
class Voices:
    """N clips.

    names: of the recordings; speakers; sexes: "f", "m" or ""; languages: such as "en", or ""; labels: of LABELS, the
    emotion that was acted or that somebody said it is, "" where only a point is known; texts: what is said, or "";
    licences: of the recordings; sources: who told the emotion; all [N].

    shares: how those who heard a clip divide over LABELS, float64 [N, 7], all 0 where only a point is known; points:
    valence and arousal, float64 [N, 2]; prosody: `affectgen.speech.converting.prosody.measure`, float64 [N, P];
    neutral: the mean prosody of the neutral clips of each clip's speaker, float64 [N, P], rows of nan where the
    speaker has none; heard:
    `affectgen.recognize.speech_features.describe`, float64 [N, F], None in an index of other statistics than this
    version computes.
    """

    names: Words
    speakers: Words
    sexes: Words
    languages: Words
    labels: Words
    texts: Words
    licences: Words
    sources: Words
    shares: Floats
    points: Floats
    prosody: Floats
    neutral: Floats
    heard: Floats | None = None

    def __len__(self) -> int:
        return len(self.names)

    @property
    def shifts(self) -> Floats:
        """What the emotion does to the voice: the prosody less the speaker's neutral one, [N, P], nan without one."""
        return self.prosody - self.neutral

    @cached_property
    def space(self) -> Floats | None:
        """Vectors of the shipped emotion space, float64 [N, D] of length 1; None where `heard` is, or without a clip.

        CheckpointError where the space is missing or damaged.
        """
        from affectgen.speech.space.model import load_space

        return None if self.heard is None or not len(self) else self.space_of(load_space())

    def space_of(self, space: EmotionSpace) -> Floats | None:
        """The clips' vectors in an emotion space, float64 [N, D]; None where `heard` is, or without a clip."""
        return None if self.heard is None or not len(self) else space.of_described(self.heard)

    def pick(self, which: NDArray[np.bool_] | NDArray[np.integer[Any]]) -> Voices:
        """Those where a mask [N] is true, or those at places [K], in that order. Each keeps its speaker's neutral."""
        parts = ((one.name, getattr(self, one.name)) for one in fields(self))
        kept: dict[str, Any] = {name: None if part is None else part[which] for name, part in parts}
        return Voices(**kept)

    def without_speakers(self, names: Collection[str]) -> Voices:
        """Those of other speakers."""
        return self.pick(~np.isin(self.speakers, list(names)))


def neutral_of(speakers: Words, labels: Words, prosody: Floats) -> Floats:
    """The mean prosody of the clips labelled neutral of each clip's speaker, [N, P]; nan where there are none."""
    neutral = np.full_like(prosody, np.nan)
    for speaker in np.unique(speakers):
        own = speakers == speaker
        calm = own & (labels == "neutral")
        if calm.any():
            neutral[own] = prosody[calm].mean(axis=0)
    return neutral


def shares_of(label: str) -> Floats:
    """All of one label, float64 [7]; all 0 for ""."""
    return np.array([float(label == one) for one in LABELS])


def load_voices(name: str | Path | None = None) -> Voices:
    """The shipped index, or the SQLite file `name`. AffectgenError where a file is missing, CheckpointError where it is
    no index, damaged, or of another version.
    """
    from affectgen.nn.checkpoint import load_checkpoint
    from affectgen.speech.index import file

    path = load_checkpoint(SHIPPED).weights_path if name is None else Path(name).expanduser()
    with file.opened(path) as index:
        return _voices(index.rows())


def _voices(rows: Rows) -> Voices:
    """Rows of the file, in memory."""
    words = {name: np.array(values, dtype=np.str_) for name, values in rows.words.items()}
    neutral = neutral_of(words["speaker"], words["label"], rows.prosody)
    return Voices(
        words["name"], words["speaker"], words["sex"], words["language"], words["label"], words["text"],
        words["licence"], words["source"], rows.shares, rows.points, rows.prosody, neutral, rows.heard,
    )  # fmt: skip
