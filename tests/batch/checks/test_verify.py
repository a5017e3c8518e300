"""Pieces against their manifests: every kind of harm is told by its name, and none is told where there is none."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from affectgen.batch.checks.measuring import KEY, noted
from affectgen.batch.checks.verify import VerifySettings, verify
from affectgen.batch.checks.verify_files import Case, Finding, State, find_cases, folders_of, manifest_for
from affectgen.batch.checks.verify_journal import check_journal
from affectgen.batch.checks.verify_piece import check, unreadable
from affectgen.batch.job import Job
from affectgen.batch.journal import DONE, FAILED, Journal, seen
from affectgen.errors import AffectgenError, UsageError
from affectgen.manifest import Setting, build_manifest, file_hash, manifest_path
from affectgen.score.midi import write_midi
from affectgen.task import Result

MEASURED = {"recogniser": "guide", "valence": 0.1, "arousal": 0.2, "quadrant": "Q1"}


def write(
    folder: Path, name: str, data: bytes, task: str = "muser generate", measured: Any = MEASURED, details: Any = None,
    settings: Any = None,
) -> Path:  # fmt: skip
    """A piece and its manifest."""
    given = {} if details is None else details
    made = noted(Result(data, Path(name).suffix, None, measured, given, {}), task)
    piece = folder / name
    piece.write_bytes(data)
    record = build_manifest(task, (), {} if settings is None else settings, {}, made, piece, {})
    manifest_path(piece).write_bytes(record.to_bytes())
    return piece


@pytest.fixture(scope="module")
def midi(score) -> bytes:
    return write_midi(score(5, bars=4))


@pytest.fixture(scope="module")
def tone() -> bytes:
    import io

    import soundfile

    file = io.BytesIO()
    soundfile.write(file, 0.3 * np.sin(np.arange(44_100) / 20), 44_100, format="FLAC")
    return file.getvalue()


def one(path: Path, **how: Any) -> Finding:
    """The single finding of a path."""
    found = list(verify([path], VerifySettings(**how))[1])
    assert len(found) == 1, found
    return found[0]


def test_a_piece_as_recorded_is_good(tmp_path, midi):
    piece = write(tmp_path, "a.mid", midi)
    for named in (piece, manifest_path(piece), tmp_path):
        found = one(named)
        assert (found.state, found.text, found.notes[1:]) == (State.OK, "", ())
        assert found.good
        assert not found.bad
        assert found.path == piece
    assert one(piece).heard["guide"]["distance"] == pytest.approx(0, abs=1e-4)


def test_the_tolerance_is_that_of_the_plane(tmp_path, midi):
    piece = write(tmp_path, "a.mid", midi)
    told = json.loads(manifest_path(piece).read_text())
    there = told["details"][KEY]["guide"]["valence"]
    told["details"][KEY]["guide"]["valence"] = there - 0.2 if there > 0 else there + 0.2
    manifest_path(piece).write_text(json.dumps(told))
    found = one(piece)
    assert found.state == State.AFFECT
    assert "0.20 apart" in found.text
    assert one(piece, tolerance=0.25).state == State.OK
    assert one(piece, measure=False).state == State.OK
    assert one(piece, measure=False).heard == {}


def test_a_manifest_without_a_reading_of_the_file_allows_for_what_writing_does(tmp_path, midi):
    piece = write(tmp_path, "a.mid", midi)
    told = json.loads(manifest_path(piece).read_text())
    now = told["details"].pop(KEY)["guide"]
    for away, state in ((0.4, State.OK), (0.6, State.AFFECT)):
        told["measured"]["valence"] = now["valence"] + (away if now["valence"] < 0 else -away)
        told["measured"]["arousal"] = now["arousal"]
        manifest_path(piece).write_text(json.dumps(told))
        assert one(piece).state == state


def test_a_reading_far_from_that_of_the_file_is_a_note(tmp_path, midi):
    piece = write(tmp_path, "a.mid", midi, measured={**MEASURED, "valence": -1.0, "arousal": -1.0})
    found = one(piece)
    assert found.state == State.OK
    assert found.notes == ("the guide heard -1.00,-1.00 before it was written",)


def test_another_recogniser_measures_nothing_and_says_so(tmp_path, midi):
    piece = write(tmp_path, "a.mid", midi)
    told = json.loads(manifest_path(piece).read_text())
    told["details"][KEY]["guide"] |= {"sha256": "0" * 64, "valence": -1.0}
    manifest_path(piece).write_text(json.dumps(told))
    found = one(piece)
    assert found.state == State.OK
    assert "midi-guide is another one now" in found.notes[0]


def test_a_continued_piece_of_old_is_not_measured(tmp_path, midi):
    source = Setting({"path": None, "sha256": "0" * 64}, "option")
    piece = write(tmp_path, "a.mid", midi, settings={"continue_from": source})
    told = json.loads(manifest_path(piece).read_text())
    del told["details"][KEY]
    manifest_path(piece).write_text(json.dumps(told))
    assert "without what it goes on from" in one(piece).notes[0]


@example(place=0.14453125, bit=0)  # a velocity of 129
@settings(max_examples=60, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_changed_bit_is_found(tmp_path_factory, midi, place, bit):
    folder = tmp_path_factory.mktemp("bits")
    piece = write(folder, "a.mid", midi)
    data = bytearray(midi)
    data[int(place * len(data))] ^= 1 << bit
    piece.write_bytes(bytes(data))
    found = one(piece)
    assert found.state == State.CHANGED
    assert "SHA-256" in found.text
    assert found.bad


def test_other_sizes_missing_renamed_and_damaged(tmp_path, midi, tone):
    short = write(tmp_path, "short.mid", midi)
    short.write_bytes(midi[:-20])
    assert f"{len(midi) - 20} bytes, {len(midi)} are recorded" in one(short).text
    gone = write(tmp_path, "gone.mid", midi + b"\0")
    gone.unlink()
    assert one(manifest_path(gone)).state == State.MISSING
    moved = write(tmp_path, "moved.flac", tone, task="render", measured={})
    moved.rename(tmp_path / "called.flac")
    for named in (tmp_path / "called.flac", manifest_path(moved)):
        found = one(named)
        assert (found.state, found.path.name) == (State.RENAMED, "called.flac")
        assert "calls it moved.flac" in found.text
    bad = write(tmp_path, "bad.mid", b"MThd nothing", measured={})
    assert one(bad).state == State.DAMAGED


def test_notes_and_length_are_compared_with_the_record(tmp_path, midi, tone):
    few = write(tmp_path, "few.mid", midi, details={"notes": 3})
    assert one(few).state == State.DAMAGED
    assert "3 are recorded" in one(few).text
    facts = {"frames": 44_100, "rate": 44_100, "notes": 9}
    sound = write(tmp_path, "s.flac", tone, "render", measured={}, details=facts)
    assert one(sound).state == State.OK
    long = write(tmp_path, "l.flac", tone, "render", measured={}, details={"seconds": 1.5})
    assert "1.00 s can be heard, 1.50 s are recorded" in one(long).text
    assert unreadable(sound, {"frames": 44_099, "rate": 44_100}) == "44100 frames can be heard, 44099 are recorded"


def test_speech_is_measured_beside_the_neutral_voice_that_it_was(tmp_path, tone):
    measured = {"recogniser": "recogniser", "valence": 0.1, "arousal": 0.2}
    voice = tmp_path / "neutral.txt"
    voice.write_text("another voice now")
    for held in ({"path": str(tmp_path / "gone.wav"), "sha256": "0"}, {"path": str(voice), "sha256": "0"}):
        given = {"baseline": Setting(held, "option")}
        piece = write(tmp_path, "s.flac", tone, "speech convert", measured=measured, settings=given)
        found = one(piece)
        assert found.state == State.OK
        assert found.notes == (f"not measured: the neutral voice {held['path']} is not what it was",)


def test_sound_that_cannot_be_heard_is_a_note(tmp_path):
    import soundfile

    silent = tmp_path / "silent.wav"
    soundfile.write(silent, np.zeros(44_100), 44_100)
    piece = write(tmp_path, "s.wav", silent.read_bytes(), "render", {"recogniser": "recogniser", "valence": 0.1,
                                                                     "arousal": 0.2})  # fmt: skip
    found = one(piece)
    assert found.state == State.OK
    assert "silent" in found.notes[0]


def test_sound_that_stops_early_is_damaged(tmp_path, tone):
    cut = tmp_path / "cut.flac"
    cut.write_bytes(tone[: len(tone) // 2])
    assert unreadable(cut, {"seconds": 1.0}) is not None


def test_what_lies_in_a_folder_without_the_other(tmp_path, midi):
    inner = tmp_path / "inner"
    inner.mkdir()
    write(inner, "a.mid", midi)
    (tmp_path / "lone.mid").write_bytes(midi + b"\0")
    (tmp_path / ".a.mid.0123abcd.part").write_bytes(b"")
    (tmp_path / "notes.json").write_text('{"bars": 3}')
    (tmp_path / "b.mid").write_bytes(midi)
    (tmp_path / "b.mid.json").write_text("{")
    (tmp_path / "readme.txt").write_text("hello")
    hidden = tmp_path / ".git"
    hidden.mkdir()
    shutil.copy(tmp_path / "lone.mid", hidden / "x.mid")
    total, found = verify([tmp_path], VerifySettings())
    states = {finding.path.name: finding.state for finding in found}
    assert states == {
        "a.mid": State.OK, "lone.mid": State.ORPHAN, ".a.mid.0123abcd.part": State.LEFTOVER,
        "b.mid.json": State.UNREADABLE,
    }  # fmt: skip
    assert total == 4
    quiet = {finding.path.name for finding in verify([tmp_path], VerifySettings(), orphans=False)[1]}
    assert "lone.mid" not in quiet
    assert one(tmp_path / "lone.mid").state == State.ORPHAN, "what was named is told all the same"


def test_each_file_is_told_once(tmp_path, midi):
    piece = write(tmp_path, "a.mid", midi)
    found = find_cases([piece, manifest_path(piece), tmp_path, tmp_path / ".." / tmp_path.name])
    assert found == [Case(manifest_path(piece), piece)]
    assert folders_of([tmp_path, piece]) == [tmp_path]


def test_nothing_to_verify(tmp_path):
    with pytest.raises(AffectgenError, match="holds no piece"):
        find_cases([tmp_path])
    assert one(tmp_path / "nope.mid").state == State.UNREADABLE
    with pytest.raises(UsageError):
        VerifySettings(float("nan"))


def test_a_folder_that_may_not_be_looked_into_is_not_passed_over(tmp_path, midi, monkeypatch):
    write(tmp_path, "a.mid", midi)
    closed = tmp_path / "closed"
    closed.mkdir()
    real = os.scandir

    def scan(path):
        if Path(path) == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scan)
    with pytest.raises(AffectgenError, match="closed cannot be looked into"):
        find_cases([tmp_path])


def test_a_piece_that_went_to_standard_output_cannot_be_checked(tmp_path, midi):
    piece = write(tmp_path, "a.mid", midi)
    told = json.loads(manifest_path(piece).read_text())
    told["output"]["path"] = None
    lone = tmp_path / "m.json"
    lone.write_text(json.dumps(told))
    found = one(lone)
    assert (found.state, found.good, found.bad) == (State.UNCHECKED, False, False)


@pytest.mark.parametrize("key", ["output", "measured", "details", "versions", "task"])
@pytest.mark.parametrize("value", [None, [], 3, ""])
def test_a_manifest_of_other_kinds_is_told_and_no_crash(tmp_path, midi, key, value):
    piece = write(tmp_path, "a.mid", midi)
    told = json.loads(manifest_path(piece).read_text())
    manifest_path(piece).write_text(json.dumps({**told, key: value}))
    found = one(piece)
    assert found.state == State.UNREADABLE
    assert str(manifest_path(piece)) in found.text


def test_a_path_in_a_manifest_stays_in_its_folder(tmp_path, midi):
    inner = tmp_path / "inner"
    inner.mkdir()
    piece = write(inner, "a.mid", midi)
    outside = tmp_path / "secret.mid"
    outside.write_bytes(midi)
    piece.unlink()
    told = json.loads(manifest_path(piece).read_text())
    told["output"]["path"] = "../secret.mid"
    manifest_path(piece).write_text(json.dumps(told))
    assert one(manifest_path(piece)).state == State.MISSING


def test_a_manifest_is_found_by_name_then_by_hash(tmp_path, midi):
    piece = write(tmp_path, "a.mid", midi)
    other = tmp_path / "other.mid"
    shutil.copy(piece, other)
    assert manifest_for(piece) == manifest_path(piece)
    assert manifest_for(other) == manifest_path(piece)
    other.write_bytes(midi + b"\0")
    assert manifest_for(other) is None


def test_processes_find_the_same_in_the_same_order(tmp_path, midi):
    for number in range(10):
        write(tmp_path, f"{number}.mid", midi)
    (tmp_path / "3.mid").write_bytes(midi + b"\0")
    alone = list(verify([tmp_path], VerifySettings(), 1)[1])
    together = list(verify([tmp_path], VerifySettings(), 2)[1])
    assert together == alone
    assert [finding.path.name for finding in alone] == [f"{number}.mid" for number in range(10)]


def journal(folder: Path, piece: Path, failed: bool = False) -> None:
    """A journal with a job that is done, one that failed and one that was not begun."""
    with Journal(folder) as book:
        jobs = [Job("muser generate", {}, name) for name in ("a", "b", "c")]
        book.enter(jobs if failed else jobs[:1])
        book.close_job("a", DONE, {}, [seen(piece, file_hash(piece))])
        if failed:
            book.close_job("b", FAILED, {"error": {"message": "It broke."}}, [])


def test_a_journal_that_agrees_says_nothing(tmp_path, midi):
    piece = write(tmp_path, "a.mid", midi)
    journal(tmp_path, piece)
    assert check_journal(tmp_path) == []
    assert one(tmp_path).state == State.OK
    assert check_journal(tmp_path / "none") == []


def test_a_journal_tells_of_jobs_and_of_files(tmp_path, midi):
    piece = write(tmp_path, "a.mid", midi)
    journal(tmp_path, piece, failed=True)
    texts = [finding.text for finding in check_journal(tmp_path)]
    assert texts == ["the job failed: It broke", "the job is not done; run the batch again"]
    piece.write_bytes(midi + b"\0")
    found = [finding for finding in verify([tmp_path], VerifySettings())[1] if finding.path == piece]
    assert [finding.state for finding in found] == [State.CHANGED], "told once"
    piece.unlink()
    assert "cannot be read" in check_journal(tmp_path)[0].text


def test_a_journal_in_use_and_one_that_is_none(tmp_path, midi):
    write(tmp_path, "a.mid", midi)
    with Journal(tmp_path):
        assert "at work" in check_journal(tmp_path)[0].text
    (tmp_path / ".affectgen-batch.sqlite").write_bytes(b"x" * 5000)
    assert "no journal" in check_journal(tmp_path)[0].text


def test_findings_are_json(tmp_path, midi):
    piece = write(tmp_path, "a.mid", midi)
    told = json.loads(json.dumps(check(Case(manifest_path(piece), piece), VerifySettings()).to_json()))
    assert told["state"] == "ok"
    assert told["heard"]["guide"]["in_file"] is True
