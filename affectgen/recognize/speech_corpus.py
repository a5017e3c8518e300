"""Speech with known emotion: CREMA-D as its crowd heard it, EMO-DB as it was acted; and which speakers the judge keeps.

The one place that knows which speakers the judge of speech trains on: no guide and no generator may train on them.
Neutral clips of one speaker serve as that speaker's baseline.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectgen.affect import labels
from affectgen.affect.space import Affect
from affectgen.audio.files import Samples, read_mono
from affectgen.audio.spectrum import RATE
from affectgen.errors import AffectgenError, AudioError
from affectgen.recognize import speech_wear as wear
from affectgen.recognize.speech_features import DESCRIPTORS, FEATURES_VERSION, Described, describe, feature_names

Floats = NDArray[np.float64]

LABELS = ("anger", "boredom", "disgust", "fear", "happiness", "neutral", "sadness")
CORPORA = ("crema_d", "emo_db")
HEARD = {"crema_d": tuple(label for label in LABELS if label != "boredom"), "emo_db": LABELS}  # what could be answered
LETTERS = {label[0].upper(): label for label in HEARD["crema_d"]}

SPLIT_VERSION = "1"
# A quarter of CREMA-D's actors (every fourth of each sex, in order of their numbers) and three of EMO-DB's.
JUDGE_SPEAKERS = frozenset(
    [f"crema_d/{actor}" for actor in (1003, 1008, 1013, 1024, 1030, 1047, 1054, 1060, 1073, 1078)]  # women
    + [f"crema_d/{actor}" for actor in (1005, 1016, 1023, 1032, 1036, 1041, 1048, 1059, 1066, 1070)]  # men
    + ["emo_db/09", "emo_db/12", "emo_db/14"]
)


@dataclass(frozen=True)
class Clip:
    """One clip. name: corpus and file; speaker: corpus and speaker; acted: the emotion asked of the actor; shares: how
    those who heard it divide over LABELS, float64 [7]; point: valence and arousal, float64 [2]; file: the audio; copy:
    0 as recorded, else the number of a worse copy (`affectgen.recognize.speech_wear`), which the name ends with.
    """

    name: str
    corpus: str
    speaker: str
    sex: str
    acted: str
    shares: Floats
    point: Floats
    file: Path
    copy: int = 0

    @property
    def judges(self) -> bool:
        """Whether the speaker is the judge's."""
        return self.speaker in JUDGE_SPEAKERS


@dataclass(frozen=True)
class Table:
    """Clips with what is read of them. clips: N of them; features: float64 [N, F], nan where one has no meaning;
    frames: of each, float16 [T, 38].
    """

    clips: tuple[Clip, ...]
    features: Floats
    frames: tuple[NDArray[np.float16], ...]

    def __len__(self) -> int:
        return len(self.clips)

    def pick(self, mask: NDArray[np.bool_]) -> Table:
        """The clips where the mask [N] is true."""
        places = np.flatnonzero(mask)
        return Table(tuple(self.clips[n] for n in places), self.features[places], tuple(self.frames[n] for n in places))

    @property
    def shares(self) -> Floats:
        """Target distributions, [N, 7]."""
        return np.stack([clip.shares for clip in self.clips])

    @property
    def points(self) -> Floats:
        """Valence and arousal, [N, 2]."""
        return np.stack([clip.point for clip in self.clips])

    def array(self, name: str) -> NDArray[Any]:
        """One field of all clips, [N]: "corpus", "speaker", "sex", "acted", "copy"."""
        return np.array([getattr(clip, name) for clip in self.clips])

    @property
    def answers(self) -> NDArray[np.bool_]:
        """Which of LABELS could have been answered, [N, 7]."""
        return np.array([[label in HEARD[clip.corpus] for label in LABELS] for clip in self.clips])


def label_points() -> Floats:
    """The points of LABELS, float64 [7, 2]."""
    return np.array([_of(labels.emo_db(label)) for label in LABELS])


def read_clips(data: Path, corpora: Sequence[str] = CORPORA) -> list[Clip]:
    """The clips of folders laid out as documented; flagged ones are left out. AffectgenError where one is missing."""
    clips: list[Clip] = []
    for corpus in corpora:
        table = data / corpus / "manifest.csv"
        if not table.is_file():
            raise AffectgenError(f"{table} is not there.", "Give the folder that holds crema_d/ and emo_db/.")
        with table.open(newline="", encoding="utf-8") as file:
            clips += [_clip(row, corpus, data / corpus) for row in csv.DictReader(file) if not row["flag"]]
    return clips


def worse(clips: Sequence[Clip], emo_db: int = 6) -> list[Clip]:
    """Worse copies of clips: `emo_db` of each of EMO-DB's, one of each of CREMA-D's, of the kinds of wear in turn."""
    found: list[Clip] = []
    for place, clip in enumerate(clips):
        kinds = range(1, emo_db + 1) if clip.corpus == "emo_db" else [1 + place % len(wear.KINDS)]
        found += [replace(clip, name=f"{clip.name}~{copy}", copy=copy) for copy in kinds]
    return found


def read_table(
    clips: Sequence[Clip], cache: Path | None = None, read: Callable[[Clip], Described] | None = None
) -> Table:
    """What is read of clips, by `read` if given; those in which no voice is heard are left out. A cache is an npz file,
    made if missing.
    """
    read = _read if read is None else read
    known = _cached(cache)
    before = len(known)
    for clip in clips:
        if clip.name not in known:
            known[clip.name] = read(clip)
    if cache is not None and len(known) > before:
        _store(cache, known)
    kept = [(clip, found) for clip in clips if len((found := known[clip.name]).frames)]
    features = np.stack([found.features for _, found in kept])
    return Table(tuple(clip for clip, _ in kept), features, tuple(found.frames for _, found in kept))


def _cached(cache: Path | None) -> dict[str, Described]:
    """What a cache of this version holds, by clip."""
    if cache is None or not cache.is_file():
        return {}
    with np.load(cache, allow_pickle=False) as stored:
        if stored["features"].tolist() != [FEATURES_VERSION, *feature_names()]:
            return {}
        names, table, voiced = stored["names"].tolist(), stored["table"], stored["voiced"]
        frames = np.split(stored["frames"], np.cumsum(stored["counts"])[:-1])
    return {name: Described(table[n], frames[n], float(voiced[n])) for n, name in enumerate(names)}


def _store(cache: Path, known: dict[str, Described]) -> None:
    """Write a cache."""
    cache.parent.mkdir(parents=True, exist_ok=True)
    found = list(known.values())
    np.savez(
        cache,
        names=np.array(list(known)),
        features=np.array([FEATURES_VERSION, *feature_names()]),
        table=np.stack([one.features for one in found]),
        voiced=np.array([one.voiced for one in found]),
        counts=np.array([len(one.frames) for one in found]),
        frames=np.concatenate([one.frames for one in found]),
    )


def baselines(table: Table) -> dict[str, NDArray[np.int64]]:
    """Of each speaker, the places of the clips acted neutral."""
    neutral = table.array("acted") == "neutral"
    speakers = table.array("speaker")
    return {str(speaker): np.flatnonzero(neutral & (speakers == speaker)) for speaker in np.unique(speakers)}


def _read(clip: Clip) -> Described:
    """What is read of one clip or worse copy."""
    if not clip.copy:
        return tried(read_mono(clip.file, RATE), RATE)
    return tried(wear.worn(read_mono(clip.file, wear.RATE), wear.Wear.drawn(clip.name, clip.copy)), wear.RATE)


def tried(samples: Samples, rate: int) -> Described:
    """What is read of samples; no frames where no voice is heard."""
    try:
        return describe(samples, rate)
    except AudioError:
        return Described(np.full(len(feature_names()), np.nan), np.zeros((0, DESCRIPTORS), dtype=np.float16), 0.0)


def _clip(row: dict[str, str], corpus: str, home: Path) -> Clip:
    """One row of a manifest."""
    acted, votes = row["emotion"], row.get("voice_vote", "")
    heard = [LETTERS[letter] for letter in votes.split(":")] if votes else [acted]
    shares = np.array([heard.count(label) / len(heard) for label in LABELS])
    if corpus == "emo_db":
        point = labels.emo_db(acted)
    elif votes:
        point = labels.crema_d_votes(votes, row["voice_level"])
    else:
        point = labels.crema_d(acted, row["intensity"])
    speaker = f"{corpus}/{row['speaker']}"
    return Clip(f"{corpus}/{row['file']}", corpus, speaker, row["sex"], acted, shares, _of(point), home / row["file"])


def _of(point: Affect) -> Floats:
    return np.array([point.valence, point.arousal])
