"""Shared by the tests of the speech recognisers: made-up clips of made-up speakers, without any sound."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from affectgen.recognize.speech_corpus import HEARD, LABELS, Clip, Table, label_points

STATISTICS, DESCRIPTORS = 14, 6
SPEAKERS = {  # the first two of each are the judge's
    "crema_d": ("1003", "1005", "1001", "1002", "1004", "1006", "1007"),
    "emo_db": ("09", "12", "03", "08", "10", "11", "13"),
}


def make_voices(seed: int = 0, takes: int = 3, corpora: tuple[str, ...] = tuple(SPEAKERS)) -> Table:
    """Clips of every label by every speaker: statistics and frames lie about places of the label, moved by speaker."""
    rng = np.random.default_rng(seed)
    places, tints = 2.5 * np.eye(len(LABELS), STATISTICS), rng.normal(size=(len(LABELS), DESCRIPTORS))
    clips, features, frames = [], [], []
    for corpus in corpora:
        for number, name in enumerate(SPEAKERS[corpus]):
            own = 0.7 * rng.normal(size=STATISTICS)
            own[-1] += 4.0 if corpus == "emo_db" else 0.0  # how the recording room sounds
            for label in HEARD[corpus]:
                kind = LABELS.index(label)
                for take in range(takes):
                    sex = "fm"[number % 2]
                    file = f"{corpus}/{name}_{label}_{take}.wav"
                    shares, point = np.eye(len(LABELS))[kind], label_points()[kind]
                    clips.append(Clip(file, corpus, f"{corpus}/{name}", sex, label, shares, point, Path(file)))
                    features.append(places[kind] + own + 0.6 * rng.normal(size=STATISTICS))
                    frames.append((tints[kind] + rng.normal(size=(12, DESCRIPTORS))).astype(np.float16))
    return Table(tuple(clips), np.array(features), tuple(frames))


@pytest.fixture(scope="session")
def voices() -> Callable[..., Table]:
    return make_voices
