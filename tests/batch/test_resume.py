"""What is there: done, written by a killed batch, changed, somebody else's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from affectgen.batch.job import Job
from affectgen.batch.journal import DONE, Journal, Row
from affectgen.batch.order import Target
from affectgen.batch.resume import JOB, Standing, clean_parts, files_of, result_line, standing
from affectgen.errors import AffectgenError
from affectgen.manifest import Manifest, Setting, digest, manifest_path

JOBBED = Job("compose", {"seed": 4}, "a")


def manifest(key: str = JOBBED.key, data: bytes = b"piece") -> Manifest:
    output = {"path": "a.mid", "sha256": digest(data), "bytes": len(data)}
    settings = {"seed": Setting(4, "option")}
    return Manifest("compose", (), settings, {}, {}, output, {"valence": 0.1, "arousal": 0.2}, {}, {JOB: {"key": key}},
                    {"make": 1.5}, {})  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Target:
    piece = tmp_path / "a.mid"
    return Target(piece, manifest_path(piece), None, True)


def write(place: Target, made: Manifest) -> None:
    place.piece.write_bytes(b"piece")
    place.manifest.write_bytes(made.to_bytes())


def stand(place: Target, row: bool | str, force: bool = False, skip: bool = False, state: str = "todo") -> Any:
    with Journal(place.piece.parent) as journal:
        journal.enter([JOBBED] if row is True else [Job("compose", {"seed": 5}, "a")])
        if state == DONE:
            journal.close_job("a", DONE, {"name": "a", "x": 1}, files_of(place))
        found: Row | None = journal.rows()[0] if row else None
        return standing(JOBBED, place, found, journal, place.piece.parent, force, skip), journal.rows()[0]


def test_nothing_there_is_made(place):
    for row in (False, True, "other"):
        assert stand(place, row)[0] == Standing()


def test_what_is_done_is_kept_even_if_it_was_touched(place):
    write(place, manifest())
    files = {"piece": str(place.piece), "manifest": str(place.manifest), "plot": None}  # where they lie now
    assert stand(place, True, state=DONE)[0].kept == {"name": "a", "x": 1, "files": files}
    with Journal(place.piece.parent) as journal:
        row = journal.rows()[0]

        def now() -> Standing:
            return standing(JOBBED, place, row, journal, place.piece.parent, False, False)

        place.piece.touch()
        assert now().kept == {"name": "a", "x": 1, "files": files}
        place.piece.write_bytes(b"other")  # as long as before
        assert now() == Standing()
        assert not place.manifest.exists()  # nothing of it is ever taken for new
        assert now() == Standing()


def test_what_a_killed_batch_had_written_is_adopted(place):
    write(place, manifest())
    found, row = stand(place, True)
    assert found.kept == result_line(JOBBED, place, manifest(), 1.5)
    assert (row.state, row.files) == (DONE, tuple(files_of(place)))


def test_what_a_killed_batch_wrote_in_part_is_made_anew(place):
    write(place, manifest(data=b"other"))  # the piece is not the manifest's
    assert stand(place, True)[0] == Standing()
    assert not place.manifest.exists()
    write(place, manifest())
    place.piece.unlink()  # the manifest comes first
    assert stand(place, True)[0] == Standing()


@pytest.mark.parametrize("what", ["key", "no manifest", "cut", "no job"])
def test_what_lies_there_and_is_not_the_jobs_is_in_the_way(place, what):
    made = {"key": manifest("another"), "no job": replace(manifest(), details={})}
    write(place, made.get(what, manifest()))
    if what == "no manifest":
        place.manifest.unlink()
    if what == "cut":
        place.manifest.write_bytes(place.manifest.read_bytes()[:100])
    with pytest.raises(AffectgenError, match="exists already"):
        stand(place, True)
    assert place.piece.read_bytes() == b"piece"


def test_a_sound_that_is_not_its_manifests_is_not_adopted(place):
    sound = place.piece.with_suffix(".wav")
    whole = replace(place, audio=sound, audio_manifest=manifest_path(sound))
    write(whole, manifest())
    sound.write_bytes(b"garbage")
    whole.audio_manifest.write_bytes(manifest().to_bytes())
    assert stand(whole, True)[0] == Standing()
    write(whole, manifest())
    sound.write_bytes(b"piece")
    whole.audio_manifest.write_bytes(manifest().to_bytes())
    assert stand(whole, True)[0].kept is not None


def test_a_lost_journal_is_begun_anew_from_the_manifests(place):
    write(place, manifest())
    with Journal(place.piece.parent) as journal:
        found = standing(JOBBED, place, None, journal, place.piece.parent, False, False)
        assert found.kept is not None
        assert [row.state for row in journal.rows()] == [DONE]


def test_only_asking_changes_nothing(place):
    write(place, manifest(data=b"other"))
    with Journal(place.piece.parent) as journal:
        journal.enter([JOBBED])
        row = journal.rows()[0]
        assert standing(JOBBED, place, row, None, place.piece.parent, True, False) == Standing()
    assert place.manifest.exists()


def test_files_of_others_are_in_the_way_unless_told(place):
    write(place, manifest("another"))
    with pytest.raises(AffectgenError, match="exists already"):
        stand(place, False)
    with pytest.raises(AffectgenError, match="was made from other settings"):
        stand(place, "other")
    assert stand(place, False, force=True)[0] == Standing()
    assert stand(place, False, skip=True)[0].skipped


def test_a_line_says_what_was_asked_measured_and_made(place):
    line = result_line(JOBBED, place, manifest(), 2.0004)
    assert line["files"]["piece"] == str(place.piece)
    assert (line["name"], line["seed"], line["seconds"], line["status"]) == ("a", 4, 2.0, "done")
    assert line["sha256"] == digest(b"piece")


def test_only_parts_of_the_batchs_own_files_go(tmp_path):
    names = (".a.mid.0123abcd.part", ".b.mid.0123abcd.part", "a.mid", ".a.mid.0123abcd.part.bak", ".a.mid.xyz.part")
    for name in names:
        (tmp_path / name).touch()
    assert clean_parts(tmp_path, ["a.mid", "a.mid.json"]) == 1
    assert {path.name for path in tmp_path.iterdir()} == set(names[1:])
