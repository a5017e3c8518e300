"""What recordings are labelled with: a CSV of one's own, the tags of MTG-Jamendo, or both.

The CSV has a header. A column `file` or `path` names a recording, relative to the folder of audio; its emotion stands
in `valence` and `arousal` (each in [-1, 1]), in `affect` (a word, quadrant or point, as everywhere) or in `quadrant`
(Q1 to Q4). `caption`, `tags` (separated by ;) and `split` (train, valid, test) are optional.

MTG-Jamendo (Bogdanov et al., 2019) publishes tracks as tab-separated lines of TRACK_ID, ARTIST_ID, ALBUM_ID, PATH,
DURATION and any number of TAGS, each "category---tag", with a header.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from affectgen.affect import Affect
from affectgen.affect.labels import jamendo, quadrant
from affectgen.errors import AffectError, AffectgenError
from affectgen.medicine.musicgen.training.options import Corpus

NAMES = ("file", "path")
SPLITS = {"train": "train", "training": "train", "valid": "valid", "val": "valid", "validation": "valid",
          "test": "test", "": None}  # fmt: skip
JAMENDO_HEADER = ("TRACK_ID", "ARTIST_ID", "ALBUM_ID", "PATH", "DURATION", "TAGS")
HELD_OUT = 0.1  # share of files that a seed holds out where no split is given
MORE = "\0"  # what csv calls fields beyond the header's
LISTED = 5  # missing files that are named
EXAMPLE = "Its header may be file,valence,arousal or file,affect or file,quadrant."


@dataclass(frozen=True)
class Track:
    """One recording. name: its path below the folder of audio; affect: None where it is not known; caption: own words;
    tags; split: "train" or "valid", None where the table does not say."""

    name: str
    affect: Affect | None = None
    caption: str = ""
    tags: tuple[str, ...] = ()
    split: str | None = None


def read_tracks(corpus: Corpus, seed: int) -> tuple[list[Track], list[str]]:
    """The recordings that can be learned from, each with a split, and the names of those that are missing.

    With labels and tags, the labels say which recordings count and what they carry, and the tags join their captions.
    Where no row gives a split, a tenth of the files, drawn by the seed, is held out. AffectgenError for a bad row,
    for files that are not there unless the corpus skips them, and where fewer than two are left.
    """
    if not corpus.audio.is_dir():
        raise AffectgenError(f"The folder of audio {corpus.audio} is not there.", "Check the path.")
    tracks = [] if corpus.labels is None else read_labels(corpus.labels)
    tagged = [] if corpus.tags is None else read_jamendo(corpus.tags)
    if corpus.labels is not None:
        words = {_plain(track.name): track.tags for track in tagged}
        tracks = [_joined(track, words.get(_plain(track.name), ())) for track in tracks]
    else:
        tracks = tagged
    present, missing = _present(tracks, corpus.audio)
    if missing and not corpus.skip_missing:
        more = f" and {len(missing) - LISTED} more" if len(missing) > LISTED else ""
        raise AffectgenError(
            f"{len(missing)} of {len(tracks)} files are not in {corpus.audio}: {', '.join(missing[:LISTED])}{more}.",
            "Check the folder, or go on without them by --skip-missing.",
        )
    return split_tracks(present, seed), missing


def read_labels(path: Path) -> list[Track]:
    """The rows of a CSV of labels. AffectgenError that names the row where it is none."""
    reader = csv.DictReader(io.StringIO(_text(path)), restkey=MORE)
    columns = [str(name).strip().lower() for name in reader.fieldnames or ()]
    reader.fieldnames = columns
    name = next((name for name in NAMES if name in columns), None)
    if name is None:
        raise AffectgenError(f"{path} has the columns {', '.join(columns) or 'none'}, but no file.", EXAMPLE)
    if not ({"affect", "quadrant"} & set(columns) or {"valence", "arousal"} <= set(columns)):
        raise AffectgenError(f"{path} has the columns {', '.join(columns)}, but no emotion.", EXAMPLE)
    tracks: list[Track] = []
    seen: dict[str, int] = {}
    for row in reader:
        where = f"{path}, line {reader.line_num}"
        if MORE in row or None in row.values():
            raise AffectgenError(f"{where} has not as many fields as the header's {len(columns)}.", "Fill it up.")
        track = _labelled(row, name, where)
        if track.name in seen:
            raise AffectgenError(f"{where} names {track.name}, as line {seen[track.name]} does.", "Leave one of them.")
        seen[track.name] = reader.line_num
        tracks.append(track)
    if not tracks:
        raise AffectgenError(f"{path} holds a header and no rows.", "Give it a row for each recording.")
    return tracks


def _labelled(row: Mapping[str, str], name: str, where: str) -> Track:
    """One row of the labels."""
    file = row[name].strip()
    if not file or Path(file).is_absolute() or ".." in Path(file).parts:
        raise AffectgenError(f"{where} names the file {file!r}.", "Give a path relative to the folder of --audio.")
    try:
        affect = _affect(row)
    except AffectError as error:
        raise AffectgenError(f"{where} ({file}): {error.message}", error.hint) from error
    split = row.get("split", "").strip().lower()
    if split not in SPLITS:
        raise AffectgenError(f"{where} ({file}) has the split {split!r}.", "Write train, valid or test.")
    tags = tuple(tag.strip() for tag in row.get("tags", "").split(";") if tag.strip())
    caption = row.get("caption", "").strip()
    if affect is None and not (tags or caption):
        raise AffectgenError(f"{where} ({file}) has no emotion, no caption and no tags.", "Give it one of them.")
    return Track(str(PurePosixPath(file)), affect, caption, tags, SPLITS[split])


def _affect(row: Mapping[str, str]) -> Affect | None:
    """The emotion of a row: numbers, else words, else a quadrant; None where all of them are empty."""
    valence, arousal = (row.get(name, "").strip() for name in ("valence", "arousal"))
    if valence or arousal:
        return Affect(_number("valence", valence), _number("arousal", arousal))
    if text := row.get("affect", "").strip():
        return Affect.parse(text)
    if text := row.get("quadrant", "").strip():
        return quadrant(int(text) if text.isdecimal() else text.upper())
    return None


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise AffectError(f"{name} is {text!r}; a number from -1 to 1 was expected.", "Write 0.5 or -0.5.") from error


def read_jamendo(path: Path) -> list[Track]:
    """The tracks of one of MTG-Jamendo's lists, with the emotion that their tags stand for, where they stand for one.

    AffectgenError that names the line where it is none.
    """
    lines = _text(path).splitlines()
    if not lines or tuple(lines[0].split("\t")) != JAMENDO_HEADER:
        came = lines[0][:60] if lines else ""
        raise AffectgenError(f"{path} begins with {came!r}.", f"A list begins with: {' '.join(JAMENDO_HEADER)}")
    tracks = []
    for number, line in enumerate(lines[1:], start=2):
        fields = line.split("\t")
        if len(fields) < len(JAMENDO_HEADER):
            raise AffectgenError(
                f"{path}, line {number} has {len(fields)} fields; at least {len(JAMENDO_HEADER)} were expected.",
                "Take the list as its authors publish it.",
            )
        tags = tuple(field for field in fields[5:] if field)
        plain = tuple(dict.fromkeys(tag.rpartition("---")[2] for tag in tags))
        tracks.append(Track(fields[3], jamendo(tags), tags=plain))
    return tracks


def _joined(track: Track, tags: Sequence[str]) -> Track:
    """A labelled track with the tags of a list as well."""
    return replace(track, tags=tuple(dict.fromkeys((*track.tags, *tags))))


def _plain(name: str) -> str:
    """A name without what marks MTG-Jamendo's files of low quality."""
    path = PurePosixPath(name)
    return str(path.with_name(path.name.replace(".low.", ".")))


def _low(name: str) -> str:
    """The name under which MTG-Jamendo publishes the same track in low quality: 48/948.low.mp3."""
    path = PurePosixPath(name)
    return str(path.with_name(f"{path.stem}.low{path.suffix}"))


def _present(tracks: Sequence[Track], audio: Path) -> tuple[list[Track], list[str]]:
    """The tracks whose files are there, under the names they have there, and the names of the others."""
    present, missing = [], []
    for track in tracks:
        found = next((name for name in (track.name, _low(track.name)) if (audio / name).is_file()), None)
        if found is None:
            missing.append(track.name)
        else:
            present.append(replace(track, name=found))
    return present, missing


def split_tracks(tracks: Sequence[Track], seed: int, share: float = HELD_OUT) -> list[Track]:
    """The tracks of the splits train and valid; where none is said to be valid, a share of the undecided ones is, drawn
    by the seed among sorted names. AffectgenError unless both splits hold something."""
    undecided = sorted(track.name for track in tracks if track.split is None)
    held: set[str] = set()
    if not any(track.split == "valid" for track in tracks):
        count = max(1, round(share * len(undecided)))
        held = set(random.Random(seed).sample(undecided, min(count, len(undecided))))
    found = [replace(t, split=t.split or ("valid" if t.name in held else "train")) for t in tracks if t.split != "test"]
    for split in ("train", "valid"):
        if not any(track.split == split for track in found):
            raise AffectgenError(
                f"Of {len(tracks)} files none is left for {'training' if split == 'train' else 'validation'}.",
                "Give at least two files, and a split to each or to none.",
            )
    return found


def _text(path: Path) -> str:
    """A table's text. AffectgenError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise AffectgenError(f"{path} cannot be read: {error.strerror}.", "Check the path.") from error
    except UnicodeDecodeError as error:
        raise AffectgenError(f"{path} is no text in UTF-8.", "Save it as UTF-8.") from error
