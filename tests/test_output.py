"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from affectgen.errors import AffectgenError
from affectgen.output import Outputs, check_output, check_outputs, explain, prepare_folder, shown
from affectgen.spooled import Spooled


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
    (errno.EIO, "cannot be written"), (errno.EFBIG, "larger than files may be"), (errno.ENOENT, "a for b is gone"),
])  # fmt: skip
def test_every_system_failure_gets_a_sentence(number, words):
    error = explain(OSError(number, os.strerror(number)), Path("a/b"))
    assert words in error.message
    assert error.hint


def test_a_staged_file_appears_with_the_others(tmp_path):
    with Outputs() as outputs:
        outputs.add(tmp_path / "a", b"one")
        part = outputs.stage(tmp_path / "b.wav")
        assert part.parent == tmp_path
        assert shown(part) == tmp_path / "b.wav"
        with open(part, "r+b") as file:
            file.write(b"two")
        assert not (tmp_path / "b.wav").exists()
    assert names(tmp_path) == ["a", "b.wav"]
    assert (tmp_path / "b.wav").read_bytes() == b"two"


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, BrokenPipeError])
def test_nothing_staged_stays_after_a_failure(tmp_path, error):
    with pytest.raises(error), Outputs() as outputs:
        outputs.add(tmp_path / "a", b"one")
        outputs.stage(tmp_path / "b").write_bytes(b"half of")
        raise error
    assert names(tmp_path) == []


def test_staging_refuses_what_adding_refuses(tmp_path):
    (tmp_path / "there").write_bytes(b"before")
    for path, words in ((tmp_path / "there", "exists already"), (tmp_path / "no" / "x", "does not exist")):
        with pytest.raises(AffectgenError, match=words), Outputs() as outputs:
            outputs.stage(path)
    with pytest.raises(AffectgenError, match="too long"), Outputs() as outputs:
        outputs.stage(tmp_path / ("x" * 256))
    with pytest.raises(AffectgenError, match="b exists already"), Outputs() as outputs:
        outputs.add(tmp_path / "a", b"one")
        outputs.stage(tmp_path / "b")
        (tmp_path / "b").write_bytes(b"another's")
    assert names(tmp_path) == ["b", "there"]
    with Outputs(force=True) as outputs:
        outputs.stage(tmp_path / "there").write_bytes(b"after")
    assert (tmp_path / "there").read_bytes() == b"after"


def test_any_name_that_the_disk_takes_can_be_written(tmp_path):
    wanted = ["x" * 255, "é" * 127, "y" * 240]
    with Outputs() as outputs:
        outputs.stage(tmp_path / wanted[0]).write_bytes(b"one")
        outputs.add(tmp_path / wanted[1], b"two")
        outputs.add(tmp_path / wanted[2], b"three")
    assert names(tmp_path) == sorted(wanted)


def test_a_link_stays_a_link_and_the_umask_is_kept(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "true").write_bytes(b"before")
    (tmp_path / "link").symlink_to(tmp_path / "far" / "true")
    before = os.umask(0o027)
    try:
        with Outputs(force=True) as outputs:
            outputs.stage(tmp_path / "link").write_bytes(b"after")
    finally:
        os.umask(before)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "far" / "true").read_bytes() == b"after"
    assert stat.S_IMODE((tmp_path / "far" / "true").stat().st_mode) == 0o640
    assert names(tmp_path / "far") == ["true"]


@pytest.mark.parametrize("instead", ["nothing", "a new folder", "a file"])
@pytest.mark.parametrize("staged", [True, False])
def test_a_folder_that_goes_midway_is_told_and_nothing_is_left(tmp_path, instead, staged):
    folder = tmp_path / "out"
    folder.mkdir()
    words = "does not exist" if instead != "a new folder" else "has been deleted"
    with pytest.raises(AffectgenError, match=words) as caught, Outputs() as outputs:
        outputs.add(tmp_path / "beside", b"one")
        if staged:
            outputs.stage(folder / "a").write_bytes(b"two")
        else:
            outputs.add(folder / "a", b"two")
        shutil.rmtree(folder)
        if instead == "a new folder":
            folder.mkdir()
        elif instead == "a file":
            folder.write_bytes(b"")
    assert ".part" not in str(caught.value)
    assert caught.value.hint
    assert [name for name in names(tmp_path) if name != "out"] == []
    assert not folder.is_dir() or names(folder) == []


def test_errors_at_a_temporary_name_are_told_with_the_final_one(tmp_path):
    with Outputs() as outputs:
        part = outputs.stage(tmp_path / ".hidden.part")
        error = explain(OSError(errno.ENOSPC, "full"), part)
    assert error.message == f"No space is left to write {tmp_path / '.hidden.part'}."
    assert shown(tmp_path / "plain.part") == tmp_path / "plain.part"


def test_a_pipe_gets_the_staged_bytes_on_leaving(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    heard: list[bytes] = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_bytes()))
    with Outputs() as outputs:
        part = outputs.stage(pipe)
        assert part.parent != tmp_path
        assert part.is_file(), "it can be sought in"
        part.write_bytes(b"one" * 100_000)
        reader.start()
    reader.join()
    assert heard == [b"one" * 100_000]
    assert not part.exists()
    assert names(tmp_path) == ["pipe"]
    with Outputs() as outputs:
        outputs.stage(Path("/dev/null")).write_bytes(b"x")
    assert not Path("/dev/null").is_file()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("staged", [True, False])
def test_a_full_device_stops_all_of_them(tmp_path, staged):
    with pytest.raises(AffectgenError, match="No space is left to write /dev/full"), Outputs() as outputs:
        outputs.add(tmp_path / "a", b"one")
        if staged:
            outputs.stage(Path("/dev/full")).write_bytes(b"x" * 10_000)
        else:
            outputs.add(Path("/dev/full"), b"x" * 10_000)
    assert names(tmp_path) == []


def test_a_full_folder_of_temporary_files_can_be_moved():
    with Spooled.empty() as spooled:
        assert "TMPDIR" in explain(OSError(errno.ENOSPC, "full"), spooled.path).hint


def test_spooled_results_are_written_and_stay_their_owners(tmp_path):
    with Spooled.empty() as spooled:
        spooled.path.write_bytes(b"one" * 1_000_000)
        with Outputs() as outputs:
            outputs.add(tmp_path / "a", spooled)
            outputs.add(tmp_path / "b", spooled)
        assert spooled.size == 3_000_000
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == b"one" * 1_000_000


def test_spooled_results_go_to_standard_output():
    code = """
from affectgen.output import write_stdout
from affectgen.spooled import Spooled
spooled = Spooled.empty()
spooled.path.write_bytes(b"one" * 1_000_000)
write_stdout(spooled)
write_stdout(b"two")
"""
    for words in ([], ["-u"]):
        run = subprocess.run([sys.executable, *words, "-c", code], capture_output=True, check=True)
        assert run.stdout == b"one" * 1_000_000 + b"two"
