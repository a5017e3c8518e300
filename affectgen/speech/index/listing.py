"""Who speaks how in a folder: by CREMA-D's and EMO-DB's own lists, by a manifest.csv, or by the names of subfolders."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.files import is_audio_name
from affectgen.errors import AffectError, AffectgenError
from affectgen.recognize.speech_corpus import CORPORA, LABELS, label_points, read_clips
from affectgen.speech.index.voices import shares_of
from affectgen.speech.target import target_of

Floats = NDArray[np.float64]

MANIFEST = "manifest.csv"
NEEDED = ("file", "speaker")
GUIDE = "as the speech guide hears it"
TOLD = "as the folder's manifest says"
ACTED = "as acted"
VOTED = "as its listeners heard it"
LICENCES = {"crema_d": "ODbL-1.0", "emo_db": "CC0-1.0"}
LANGUAGES = {"crema_d": "en", "emo_db": "de"}
SEXES = {"f": "f", "female": "f", "w": "f", "m": "m", "male": "m"}


@dataclass(frozen=True)
class Feeling:
    """The emotion of a clip. label: one of LABELS, or ""; shares: over LABELS, float64 [7]; point: valence and arousal,
    float64 [2]; source: who says so."""

    label: str
    shares: Floats
    point: Floats
    source: str


@dataclass(frozen=True)
class Listed:
    """One recording. feeling: None where the speech guide is to say it; the others as in
    `affectgen.speech.index.voices.Voices`."""

    path: Path
    name: str
    speaker: str
    sex: str = ""
    text: str = ""
    language: str = ""
    licence: str = ""
    feeling: Feeling | None = None


def listed(folder: Path, licence: str = "", language: str = "") -> list[Listed]:
    """The recordings of a folder, in a fixed order. licence, language: of those whose list does not say.

    A folder that holds crema_d/ or emo_db/, or is one of them, in the layout of `affectgen.recognize.speech_corpus`;
    else one with a manifest.csv of file and speaker and, where known, emotion, text, sex, language, licence; else one
    whose subfolders are speakers. AffectgenError where there is no recording, or a manifest lacks a column or says what
    is no emotion.
    """
    if not folder.is_dir():
        raise AffectgenError(f"{folder} is no folder.", "Name the folder that holds the recordings.")
    inside = [name for name in CORPORA if _is_corpus(folder / name)]
    if inside:
        return _corpora(folder, inside)
    if folder.name in CORPORA and _is_corpus(folder):
        return _corpora(folder.parent, [folder.name])
    found = list(_by_manifest(folder) if (folder / MANIFEST).is_file() else _by_folders(folder))
    if not found:
        raise AffectgenError(f"There is no recording in {folder}.", "Give one subfolder a speaker, or a manifest.csv.")
    return [_filled(one, licence, language) for one in found]


def feeling_of(text: str, source: str = TOLD) -> Feeling:
    """What a person wrote: a label, a word of emotion, or a point such as "0.5,-0.2". AffectError where it is none.

    All shares go to the label, or nowhere where there is none.
    """
    word = text.strip()
    if word.lower() in LABELS:
        place = LABELS.index(word.lower())
        return Feeling(LABELS[place], shares_of(LABELS[place]), label_points()[place], source)
    target = target_of(word)
    label = "" if target.label is None else target.label
    return Feeling(label, shares_of(label), np.array([target.affect.valence, target.affect.arousal]), source)


def _is_corpus(folder: Path) -> bool:
    """Whether a folder is CREMA-D or EMO-DB as read_clips wants it, not a user's folder of that name."""
    return {"file", "speaker", "sex", "emotion", "intensity", "flag"} <= set(_header(folder / MANIFEST))


def _header(path: Path) -> list[str]:
    return [name.strip() for name in next(csv.reader(_opened(path)), [])] if path.is_file() else []


def _corpora(data: Path, names: list[str]) -> list[Listed]:
    rows = {f"{name}/{row['file']}": row for name in names for row in _rows(data / name / MANIFEST)}
    return [
        Listed(
            clip.file, clip.name, clip.speaker, clip.sex, rows[clip.name].get("text", ""),
            LANGUAGES[clip.corpus], LICENCES[clip.corpus],
            Feeling(clip.acted, clip.shares, clip.point, VOTED if rows[clip.name].get("voice_vote") else ACTED),
        )
        for clip in read_clips(data, names)
    ]  # fmt: skip


def _by_manifest(folder: Path) -> Iterator[Listed]:
    """The rows of a folder's manifest.csv."""
    path = folder / MANIFEST
    missing = [name for name in NEEDED if name not in _header(path)]
    if missing:
        text = f"{path} has no column {' and no column '.join(missing)}."
        raise AffectgenError(text, "It needs file and speaker; emotion, text, sex, language, licence are read too.")
    for number, row in enumerate(_rows(path), start=2):
        if not row["file"] or not row["speaker"]:
            raise AffectgenError(f"Line {number} of {path} names no file or no speaker.", "Fill both in.")
        emotion = row.get("emotion", "")
        try:
            feeling = feeling_of(emotion) if emotion else None
        except AffectError as error:
            text = f"Line {number} of {path}: {emotion!r} is no emotion."
            raise AffectgenError(text, f"Give one of {', '.join(LABELS)}, another word, or a point.") from error
        words = {name: row.get(name, "") for name in ("text", "language", "licence")}
        sex = SEXES.get(row.get("sex", "").lower(), "")
        yield Listed(folder / row["file"], row["file"], row["speaker"], sex, **words, feeling=feeling)


def _by_folders(folder: Path) -> Iterator[Listed]:
    """Every recording below a folder; its speaker is the first subfolder on the way, or the folder itself."""
    for home, below, names in os.walk(folder):
        below.sort()
        for name in sorted(names):
            path = Path(home) / name
            if is_audio_name(path) and not name.startswith("."):
                parts = path.relative_to(folder).parts
                yield Listed(path, "/".join(parts), parts[0] if len(parts) > 1 else folder.resolve().name)


def _filled(one: Listed, licence: str, language: str) -> Listed:
    return replace(
        one, licence=one.licence if one.licence else licence, language=one.language if one.language else language
    )


def _rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a table, names and values without spaces around; what is missing is empty."""
    for row in csv.DictReader(_opened(path)):
        pairs = ((name, value) for name, value in row.items() if isinstance(name, str))
        yield {name.strip(): value.strip() if isinstance(value, str) else "" for name, value in pairs}


def _opened(path: Path) -> io.StringIO:
    """A table's text. AffectgenError where it cannot be read."""
    try:
        return io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")
    except UnicodeDecodeError as error:
        raise AffectgenError(f"{path} is no table in UTF-8: {error}.", "Save it as CSV, UTF-8.") from error
    except OSError as error:
        raise AffectgenError(f"{path} cannot be read: {error.strerror}.", "Check its rights.") from error
