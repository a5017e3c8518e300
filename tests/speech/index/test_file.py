"""The file of an index: what is kept comes back, nothing is kept by half, and what is no index is told from one."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.errors import AffectgenError, CheckpointError
from affectgen.recognize.speech_corpus import LABELS
from affectgen.recognize.speech_features import feature_names
from affectgen.speech.converting.prosody import NAMES
from affectgen.speech.index import file
from affectgen.speech.index.file import Entry, Passed, opened


def entry(number: int = 0, **others: object) -> Entry:
    rng = np.random.default_rng(number)
    made = Entry(
        f"sound{number}", f"file{number}", f"n{number}.wav", "anna", "f", "anger", "Höre, so!", "de", "CC0-1.0", "told",
        np.eye(len(LABELS))[number % 7], np.array([-0.5, 0.25]), rng.normal(size=len(NAMES)),
        rng.normal(size=len(feature_names())),
    )  # fmt: skip
    return replace(made, **others)


def test_what_is_kept_comes_back_in_order(tmp_path: Path) -> None:
    with opened(tmp_path / "v.db", write=True) as index:
        assert index.keep([entry(2), entry(1)], "2020-02-02") == 2
        assert index.keep([entry(0)], "2020-02-03") == 1
    with opened(tmp_path / "v.db") as index:
        back = list(index.entries())
        assert len(index) == 3
    assert [one.name for one in back] == ["n2.wav", "n1.wav", "n0.wav"]
    for one, number in zip(back, (2, 1, 0), strict=True):
        made = entry(number)
        words = ("sound", "file", "name", "speaker", "sex", "label", "text", "language", "licence", "source")
        assert [getattr(one, name) for name in words] == [getattr(made, name) for name in words]
        for name in ("shares", "point", "prosody", "heard"):
            assert getattr(one, name) == pytest.approx(getattr(made, name), rel=1e-3, abs=1e-3)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(width=32, allow_infinity=True, allow_nan=True), min_size=1, max_size=20))
def test_vectors_survive_half_precision(values: list[float]) -> None:
    given_ = np.array(values)
    back = file._unpacked(file._packed(given_))
    assert (np.isnan(back) == np.isnan(given_)).all()
    assert np.isfinite(back[~np.isnan(back)]).all()
    inside = np.abs(given_) < file.HALF
    assert back[inside] == pytest.approx(given_[inside], rel=1e-3, abs=1e-7)


def test_the_same_sound_is_kept_once_and_its_other_file_known(tmp_path: Path) -> None:
    with opened(tmp_path / "v.db", write=True) as index:
        assert index.keep([entry(0)], "") == 1
        assert index.keep([entry(1, sound="sound0"), Passed("file9", "x.wav", "It is silent.")], "") == 0
        assert len(index) == 1
        assert [index.knows(name) for name in ("file0", "file1", "file9", "file2")] == [True, True, True, False]
        index.shrink()
        assert [index.knows(name) for name in ("file0", "file1", "file9")] == [True, False, False]


def test_a_batch_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    with opened(tmp_path / "v.db", write=True) as index:
        index.keep([entry(0)], "")
        with pytest.raises(TypeError):
            index.keep([entry(1), entry(2, point=None)], "")
        assert len(index) == 1
        index.keep([entry(1)], "")
    with opened(tmp_path / "v.db") as index:
        assert len(index) == 2


def test_two_writers_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "v.db"

    def write(first: int) -> None:
        with opened(path, write=True) as index:
            for number in range(first, first + 30):
                index.keep([entry(number)], "")

    writers = [threading.Thread(target=write, args=(first,)) for first in (0, 15)]  # half of them the same clips
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    with opened(path) as index:
        assert sorted(one.sound for one in index.entries()) == sorted(f"sound{number}" for number in range(45))


def test_one_waits_no_longer_than_its_patience(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "PATIENCE", 0.1)
    path = tmp_path / "v.db"
    with opened(path, write=True) as index:
        index.keep([entry(0)], "")
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(AffectgenError, match="Another process is writing"), opened(path, write=True) as index:
        index.keep([entry(1)], "")
    holder.execute("ROLLBACK")
    holder.close()


@pytest.mark.parametrize("damage", [b"no database, but as long as one" * 9, b"SQLite format 3\0" + b"x" * 900])
def test_what_is_no_database_is_no_index(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "v.db").write_bytes(damage)
    for write in (False, True):
        with pytest.raises(CheckpointError, match=r"v\.db is no index of voices"), opened(tmp_path / "v.db", write):
            pass
    assert (tmp_path / "v.db").read_bytes() == damage


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    link = sqlite3.connect(tmp_path / "v.db")
    link.execute("CREATE TABLE mine (a)")
    link.commit()
    link.close()
    before = (tmp_path / "v.db").read_bytes()
    with pytest.raises(CheckpointError, match="no index of voices"), opened(tmp_path / "v.db", write=True):
        pass
    assert (tmp_path / "v.db").read_bytes() == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE meta SET value = '[0]' WHERE key = 'prosody'", "prosody of another version"),
        ("UPDATE meta SET value = '[0]' WHERE key = 'labels'", "labels of another version"),
        ("PRAGMA user_version = 99", "form 99"),
        ("UPDATE clip SET prosody = x'0000'", "wrong length"),
        ("DROP TABLE clip", "no index of voices"),
    ],
)
def test_other_versions_and_damage_are_named(tmp_path: Path, change: str, said: str) -> None:
    with opened(tmp_path / "v.db", write=True) as index:
        index.keep([entry(0)], "")
    link = sqlite3.connect(tmp_path / "v.db", isolation_level=None)
    link.execute(change)
    link.close()
    with pytest.raises(CheckpointError, match=said), opened(tmp_path / "v.db") as index:
        index.rows()


def test_other_statistics_are_read_without_them_and_not_written_to(tmp_path: Path) -> None:
    with opened(tmp_path / "v.db", write=True) as index:
        index.keep([entry(0)], "")
        assert index.rows().heard is not None
    link = sqlite3.connect(tmp_path / "v.db", isolation_level=None)
    link.execute("UPDATE meta SET value = '[0]' WHERE key = 'features'")
    link.close()
    with opened(tmp_path / "v.db") as index:
        assert index.rows().heard is None
    with pytest.raises(CheckpointError, match="features"), opened(tmp_path / "v.db", write=True):
        pass


def test_a_missing_index_is_not_made_by_reading(tmp_path: Path) -> None:
    with pytest.raises(AffectgenError, match="There is no index"), opened(tmp_path / "v.db"):
        pass
    assert not (tmp_path / "v.db").exists()


def test_a_file_that_may_not_be_written_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path / "v.db", write=True) as index:
        index.keep([entry(0)], "")
    monkeypatch.setattr(file.os, "access", lambda *_: False)
    with opened(tmp_path / "v.db") as index:
        assert len(index) == 1
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            index._link.execute("DELETE FROM clip")
