"""An index of voices as a file: one SQLite database of vectors, labels, licences and sources, without audio.

Whatever happens to the process, the file is valid: rows appear by transactions, and what was begun is rolled back when
the file is opened again. Several processes may write to one file; each waits for the others.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

import affectgen
from affectgen.affect.labels import LABELS_VERSION
from affectgen.errors import AffectgenError, CheckpointError
from affectgen.recognize.speech_corpus import LABELS
from affectgen.recognize.speech_features import FEATURES_VERSION, feature_names
from affectgen.speech.converting.prosody import NAMES, PROSODY_VERSION

Floats = NDArray[np.float64]

SCHEMA = 1  # of the tables below; stands in the file as user_version
APPLICATION = 0x41664756  # "AfGV", which SQLite keeps for telling whose a file is
PATIENCE = 60.0  # seconds that a process waits for another that writes
HALF = 65504.0  # the largest number of a float16
WORDS = ("name", "speaker", "sex", "label", "text", "language", "licence", "source")
COLUMNS = ("sound", "file", *WORDS, "valence", "arousal", "shares", "prosody", "heard", "added")
TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE clip (
    id INTEGER PRIMARY KEY,
    sound TEXT NOT NULL UNIQUE,    -- SHA-256 of the samples: the same sound in another kind of file is not added
    file TEXT NOT NULL,            -- SHA-256 of the file, by which it is known without being decoded
    name TEXT NOT NULL,
    speaker TEXT NOT NULL,
    sex TEXT NOT NULL,             -- f, m, or nothing
    label TEXT NOT NULL,           -- one of meta's labels, or nothing
    text TEXT NOT NULL,
    language TEXT NOT NULL,
    licence TEXT NOT NULL,
    source TEXT NOT NULL,          -- who told the emotion
    valence REAL NOT NULL,
    arousal REAL NOT NULL,
    shares BLOB NOT NULL,          -- float16, over meta's labels
    prosody BLOB NOT NULL,         -- float16, meta's prosody
    heard BLOB NOT NULL,           -- float16, meta's features
    added TEXT NOT NULL            -- the day, or nothing
);
CREATE INDEX clip_file ON clip (file);
CREATE TABLE passed (file TEXT PRIMARY KEY, name TEXT NOT NULL, why TEXT NOT NULL); -- files that hold nothing new
"""


@dataclass(frozen=True)
class Entry:
    """One clip to be kept. sound, file: SHA-256 of the samples and of the file; shares: float64 [7]; point: float64
    [2]; prosody: float64 [P]; heard: float64 [F]; the others as in `affectgen.speech.index.voices.Voices`.
    """

    sound: str
    file: str
    name: str
    speaker: str
    sex: str
    label: str
    text: str
    language: str
    licence: str
    source: str
    shares: Floats
    point: Floats
    prosody: Floats
    heard: Floats


@dataclass(frozen=True)
class Passed:
    """A file that is not kept. file: SHA-256; why: a sentence."""

    file: str
    name: str
    why: str


@dataclass(frozen=True)
class Rows:
    """All clips, N of them. words: WORDS, each [N]; shares [N, 7]; points [N, 2]; prosody [N, P]; heard [N, F], None
    where the file's statistics are another version's."""

    words: dict[str, list[str]]
    shares: Floats
    points: Floats
    prosody: Floats
    heard: Floats | None


def versions() -> dict[str, str]:
    """What the columns of vectors mean in this version."""
    return {
        "labels": json.dumps([LABELS_VERSION, *LABELS]),
        "prosody": json.dumps([PROSODY_VERSION, *NAMES]),
        "features": json.dumps([FEATURES_VERSION, *feature_names()]),
    }


class IndexFile:
    """An open index; `opened` opens one."""

    def __init__(self, path: Path, link: sqlite3.Connection) -> None:
        self.path = path
        self._link = link
        self.meta = dict(link.execute("SELECT key, value FROM meta"))

    def __len__(self) -> int:
        return int(self._link.execute("SELECT count(*) FROM clip").fetchone()[0])

    def knows(self, file: str) -> bool:
        """Whether a file of this SHA-256 was read before."""
        asked = "SELECT 1 FROM clip WHERE file = ? UNION ALL SELECT 1 FROM passed WHERE file = ?"
        return self._link.execute(asked, (file, file)).fetchone() is not None

    def keep(self, found: Sequence[Entry | Passed], added: str) -> int:
        """Keep clips, and remember what is passed over, all in one transaction; how many clips were new.

        added: the day. A clip whose sound is there already is passed over.
        """
        new = 0
        with self._transaction():
            for one in found:
                if isinstance(one, Entry) and self._insert(one, added):
                    new += 1
                    continue
                why = "Its sound is in the index already." if isinstance(one, Entry) else one.why
                self._link.execute("INSERT OR IGNORE INTO passed VALUES (?, ?, ?)", (one.file, one.name, why))
        return new

    def rows(self) -> Rows:
        """Everything, in the order it was added; CheckpointError where a vector is not as long as it must be."""
        columns = [*WORDS, "valence", "arousal", "shares", "prosody", "heard"]
        found = list(zip(*self._link.execute(f"SELECT {', '.join(columns)} FROM clip ORDER BY id"), strict=True))
        table = dict(zip(columns, found if found else [()] * len(columns), strict=True))
        known = self.meta.get("features") == versions()["features"]
        return Rows(
            {name: list(table[name]) for name in WORDS},
            self._vectors(table["shares"], len(LABELS)),
            np.array([table["valence"], table["arousal"]], dtype=np.float64).T.reshape(-1, 2),
            self._vectors(table["prosody"], len(NAMES)),
            self._vectors(table["heard"], len(feature_names())) if known else None,
        )

    def entries(self) -> Iterator[Entry]:
        """Every clip as it was kept, in the order it was added."""
        for row in self._link.execute(f"SELECT {', '.join(COLUMNS[:-1])} FROM clip ORDER BY id"):
            one: dict[str, Any] = dict(zip(COLUMNS[:-1], row, strict=True))
            one["point"] = np.array([one.pop("valence"), one.pop("arousal")])
            one |= {name: _unpacked(one[name]) for name in ("shares", "prosody", "heard")}
            yield Entry(**one)

    def shrink(self) -> None:
        """Leave out what is passed over and give back free space: for a file that is passed on."""
        with self._transaction():
            self._link.execute("DELETE FROM passed")
        self._link.execute("VACUUM")

    def _insert(self, one: Entry, added: str) -> bool:
        values = (
            one.sound, one.file, *(getattr(one, name) for name in WORDS), float(one.point[0]), float(one.point[1]),
            _packed(one.shares), _packed(one.prosody), _packed(one.heard), added,
        )  # fmt: skip
        places = ", ".join("?" * len(COLUMNS))
        row = f"INSERT OR IGNORE INTO clip ({', '.join(COLUMNS)}) VALUES ({places})"
        return self._link.execute(row, values).rowcount == 1

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of the block or nothing of it."""
        self._link.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._link.execute("ROLLBACK")
            raise
        self._link.execute("COMMIT")

    def _vectors(self, blobs: Sequence[bytes], size: int) -> Floats:
        """float64 [N, size]."""
        if any(len(blob) != 2 * size for blob in blobs):
            raise CheckpointError(f"{self.path} is damaged: it holds vectors of a wrong length.", "Build it again.")
        return _unpacked(b"".join(blobs)).reshape(-1, size)


@contextmanager
def opened(path: Path, write: bool = False) -> Iterator[IndexFile]:
    """An index to read, or to write to; one that is not there yet is made for writing.

    AffectgenError where it is missing, cannot be opened or another process keeps it for too long; CheckpointError where
    it is no index, damaged, or of another version.
    """
    if not write and not path.is_file():
        raise AffectgenError(f"There is no index {path}.", "Make one: affectgen speech index build DIR -o voices.db")
    try:
        with closing(_connected(path, write)) as link:
            if write:
                _made(link)
            _check(path, link)
            index = IndexFile(path, link)
            _check_versions(index, write)
            yield index
    except sqlite3.OperationalError as error:
        raise _explained(path, error) from error
    except sqlite3.DatabaseError as error:
        raise CheckpointError(f"{path} is no index of voices, or damaged: {error}.", "Build it again.") from error


def _connected(path: Path, write: bool) -> sqlite3.Connection:
    """A connection in which transactions begin only where the code says so."""
    # a reader may have to roll back what a killed writer left; where that is not allowed, nobody writes either
    mode = "rwc" if write else "rw" if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK) else "ro"
    still = "&immutable=1" if mode == "ro" else ""
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}{still}"
    return sqlite3.connect(uri, uri=True, timeout=PATIENCE, isolation_level=None)


def _made(link: sqlite3.Connection) -> None:
    """The tables of a new file; a file that holds anything stays as it is."""
    if link.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return
    link.execute("BEGIN IMMEDIATE")
    if not link.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:  # nobody was quicker
        for statement in TABLES.split(";\n"):
            if statement.strip():
                link.execute(statement)
        facts = {**versions(), "created_by": f"affectgen {affectgen.__version__}"}
        link.executemany("INSERT INTO meta VALUES (?, ?)", facts.items())
        link.execute(f"PRAGMA application_id = {APPLICATION}")
        link.execute(f"PRAGMA user_version = {SCHEMA}")
    link.execute("COMMIT")


def _check(path: Path, link: sqlite3.Connection) -> None:
    """CheckpointError where a file is not one of these."""
    if link.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
        raise CheckpointError(f"{path} is no index of voices.", "Name a file that affectgen speech index build wrote.")
    found = link.execute("PRAGMA user_version").fetchone()[0]
    if found != SCHEMA:
        text = f"{path} is an index of form {found}; this version reads form {SCHEMA}."
        raise CheckpointError(text, "Build it again.")


def _check_versions(index: IndexFile, write: bool) -> None:
    """CheckpointError where its vectors mean something else: to read, prosody and labels must be this version's; to
    write, all."""
    now = versions()
    for name in ("labels", "prosody", *(["features"] if write else [])):
        if index.meta.get(name) != now[name]:
            text = f"{index.path} holds {name} of another version of affectgen ({index.meta.get('created_by')})."
            raise CheckpointError(text, "Build it again.")


def _explained(path: Path, error: sqlite3.OperationalError) -> AffectgenError:
    """What an error of SQLite's means to a person."""
    if "locked" in str(error):
        return AffectgenError(f"Another process is writing to {path}.", "Try again when it is done.")
    if "no such table" in str(error) or "no such column" in str(error):
        return CheckpointError(f"{path} is no index of voices: {error}.", "Build it again.")
    return AffectgenError(f"{path} cannot be opened or written: {error}.", "Check the path, rights and free space.")


def _packed(values: Floats) -> bytes:
    return np.clip(values, -HALF, HALF).astype("<f2").tobytes()


def _unpacked(blob: bytes) -> Floats:
    return np.frombuffer(blob, dtype="<f2").astype(np.float64)
