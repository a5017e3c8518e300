"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from affectgen.errors import AffectgenError
from affectgen.output import Outputs, check_output, check_outputs, explain, prepare_folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_all_appear_at_the_end(tmp_path):
    with Outputs() as outputs:
        outputs.add(tmp_path / "a", b"one")
        outputs.add(tmp_path / "b", b"two")
        assert not (tmp_path / "a").exists()
        assert len(names(tmp_path)) == 2
    assert names(tmp_path) == ["a", "b"]
    assert (tmp_path / "b").read_bytes() == b"two"


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, BrokenPipeError])
def test_nothing_stays_after_a_failure(tmp_path, error):
    with pytest.raises(error), Outputs() as outputs:
        outputs.add(tmp_path / "a", b"one")
        raise error
    assert names(tmp_path) == []


def test_a_name_taken_meanwhile_stops_all_of_them(tmp_path):
    with pytest.raises(AffectgenError, match="b exists already"), Outputs() as outputs:
        outputs.add(tmp_path / "a", b"one")
        outputs.add(tmp_path / "b", b"two")
        (tmp_path / "b").write_bytes(b"another's")
    assert names(tmp_path) == ["b"]
    assert (tmp_path / "b").read_bytes() == b"another's"


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    class Full:
        def __init__(self, path, mode):
            Path(path).touch()

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def write(self, data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("affectgen.output.open", Full, raising=False)
    with pytest.raises(AffectgenError, match="No space is left"), Outputs() as outputs:
        outputs.add(tmp_path / "a", b"one")
    assert names(tmp_path) == []


def test_permissions_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        with Outputs() as outputs:
            outputs.add(tmp_path / "a", b"one")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_what_cannot_be_written(tmp_path):
    (tmp_path / "there").write_bytes(b"")
    for path, words in (
        (tmp_path / "there", "exists already"),
        (tmp_path, "is a folder"),
        (tmp_path / "no" / "x", "does not exist"),
        (tmp_path / "there" / "x", "does not exist"),
    ):
        with pytest.raises(AffectgenError, match=words) as caught:
            check_output(path)
        assert caught.value.hint
    check_output(tmp_path / "there", force=True)
    with pytest.raises(AffectgenError, match="written twice"):
        check_outputs([tmp_path / "x", tmp_path / "." / "x"], force=True)


def test_an_output_folder_is_created_and_its_parents_are_not(tmp_path):
    prepare_folder(tmp_path / "out")
    prepare_folder(tmp_path / "out")
    assert (tmp_path / "out").is_dir()
    with pytest.raises(AffectgenError, match="does not exist"):
        prepare_folder(tmp_path / "no" / "out")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(AffectgenError, match="is a file"):
        prepare_folder(tmp_path / "file")


@pytest.mark.parametrize(("number", "words"), [
    (errno.ENOSPC, "No space"), (errno.EACCES, "may not be written"), (errno.ENAMETOOLONG, "too long"),
    (errno.EIO, "cannot be written"),
])  # fmt: skip
def test_every_system_failure_gets_a_sentence(number, words):
    error = explain(OSError(number, os.strerror(number)), Path("a/b"))
    assert words in error.message
    assert error.hint
