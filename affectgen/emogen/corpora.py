"""Corpora as training songs: EMOPIA without its labels, Pop1k7 and POP909, each song performed once."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from affectgen.emogen.config import STYLES
from affectgen.emogen.data import Song, cut_window, load_songs, save_songs
from affectgen.emogen.scale import Scale
from affectgen.errors import AffectgenError
from affectgen.nn.distributed import Workers
from affectgen.score.corpora import read_clip, read_pieces, read_rows
from affectgen.score.expression import load_performer
from affectgen.score.grid import GridScore
from affectgen.score.words import decode, encode

LEAST_WORDS = 60
SCALE_WINDOWS = 1200  # of unlabelled songs, that the scale is made from beside the clips
SCALE_WORDS = 900  # about what a clip of EMOPIA has


def read_corpora(data: Path, folder: Path, seed: int = 0) -> dict[str, list[Song]]:
    """Songs by set: train and dev of EMOPIA, pop1k7, pop909; kept in files of the run folder, and read from them where
    they are there. Of several processes the first one prepares."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: folder / f"songs-{name}.npz" for name in ("train", "dev", *STYLES[1:])}
    if Workers.from_environment().first:
        for name, path in files.items():
            if not path.is_file():
                _prepare(data, name, path, seed)
    Workers.from_environment().wait()
    return {name: _load(path) for name, path in files.items()}


def _prepare(data: Path, name: str, path: Path, seed: int) -> None:
    """Perform the songs of a set into a file, whole or not at all. AffectgenError for a set of EMOPIA without any."""
    songs = perform_songs(list(_pieces(data, name)), name if name in STYLES else STYLES[0], seed)
    if not songs and name in ("train", "dev"):
        raise AffectgenError(
            f"{data / 'emopia'} has no {name} clip of {LEAST_WORDS} words or more.", "Give longer clips."
        )
    if songs:
        part = path.with_name(f".{path.stem}.part.npz")
        save_songs(part, songs)
        part.replace(path)
    sys.stderr.write(f"{name}: {len(songs)} songs, {sum(len(song.table) for song in songs)} words\n")


def _load(path: Path) -> list[Song]:
    """The songs of a file, none where there is no file. AffectgenError for one that is damaged."""
    if not path.is_file():
        return []
    try:
        return load_songs(path)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise AffectgenError(f"{path} is damaged: {error}.", "Delete it; it is made anew from --data.") from error


def _pieces(data: Path, name: str) -> Iterator[tuple[str, GridScore]]:
    """The pieces of one set; nothing where the folder is missing."""
    if name in ("train", "dev"):
        for row in read_rows(data / "emopia", name):
            for score in read_clip(data / "emopia", row):
                yield row["clip"], score
    elif (data / name).is_dir():
        yield from read_pieces(data / name)


def perform_songs(pieces: Sequence[tuple[str, GridScore]], style: str, seed: int) -> list[Song]:
    """Pieces as songs, each played by the shipped performer; those of a few words are left out."""
    written = [(name, encode(score)) for name, score in pieces]
    kept = [(name, words) for name, words in written if len(words) >= LEAST_WORDS]
    played = load_performer().perform_many([decode(words) for _, words in kept], seed)
    return [
        Song.of(name, words, style, style != STYLES[0], _fit(words, one))
        for (name, words), one in zip(kept, played, strict=True)
    ]


def _fit(words: NDArray[np.int64], played: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shifts and ratios for the notes of the words; where words hold one pitch twice in an onset, none and 1."""
    notes = int((words[:, 0] == 4).sum())
    return played if len(played) == notes else np.tile([0.0, 1.0], (notes, 1))


def make_scale(songs: dict[str, list[Song]], seed: int = 0) -> Scale:
    """The scale of all attributes, half from EMOPIA's clips and half from windows of the other corpora."""
    rng = np.random.default_rng(seed)
    clips = [cut_window(song, 0, SCALE_WORDS) for song in songs["train"]]
    others = [song for name in STYLES[1:] for song in songs[name]]
    count = min(SCALE_WINDOWS, 4 * len(others))
    drawn = []
    for index in rng.choice(len(others), size=count) if others else []:
        song = others[index]
        first = int(rng.integers(0, max(1, song.bars - 16)))
        drawn.append(cut_window(song, first, SCALE_WORDS))
    values = np.stack([window.describe(0, window.bars) for window in [*clips, *drawn]])
    weights = np.concatenate([np.full(len(clips), 1 / max(len(clips), 1)), np.full(len(drawn), 1 / max(len(drawn), 1))])
    return Scale.of(values, weights)
