"""Before a batch begins: what a job is known by, whose files are whose, and what is there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from affectgen.batch.job import Job
from affectgen.batch.journal import DONE, NAME, Journal
from affectgen.batch.order import Order, Target, Work
from affectgen.batch.prepare import planned, prepare, seal
from affectgen.batch.resume import files_of
from affectgen.errors import AffectgenError
from affectgen.manifest import Setting

RUN = {"checkpoint": Setting(None, "default"), "device": Setting("cpu", "default")}


def work(folder: Path, job: Job, source: Path | None = None, audio: str | None = None, **settings: object) -> Work:
    held = {name: Setting(value, "option") for name, value in {"source": source, **settings}.items()}
    sound = None if audio is None else folder / f"{job.name}.{audio}"
    return Work("compose", (), RUN, Order(held, Target(folder / f"{job.name}.mid", None, None, True, audio=sound)))


def test_a_job_is_known_by_its_settings_and_what_its_files_hold(tmp_path):
    source = tmp_path / "in.mid"
    source.write_bytes(b"one")
    job = Job("compose", {"source": "in.mid"}, "a")
    first = seal(job, work(tmp_path, job, source, seed=1))
    moved = tmp_path / "else.mid"
    moved.write_bytes(b"one")
    assert seal(job, work(tmp_path / "other", job, moved, seed=1)) == first  # neither where it lies nor where it goes
    assert seal(job, work(tmp_path, job, source, seed=1, jobs=7, clips="x")) == first
    others = [work(tmp_path, job, source, seed=2), work(tmp_path, job, source, seed=1, affect="sad"),
              work(tmp_path, job, source, audio="wav", seed=1)]  # fmt: skip
    assert len({first, *(seal(job, other) for other in others)}) == 4
    source.write_bytes(b"two")
    assert seal(job, work(tmp_path, job, source, seed=1)) != first
    checkpoint = replace(work(tmp_path, job, source, seed=1), run={**RUN, "checkpoint": Setting("mine", "option")})
    assert seal(job, checkpoint) != seal(job, work(tmp_path, job, source, seed=1))


def test_two_jobs_that_would_write_one_file_are_told(tmp_path):
    jobs = [Job("compose", {}, "a", place="line 1"), Job("compose", {}, "A", place="line 2")]
    one, other = planned([(job, None) for job in jobs], lambda job, folder: work(folder, job), tmp_path)
    assert one.fault is None
    assert other.work is None
    assert "A.mid is a file of the job a, too" in other.fault.message


def refuse(job: Job, folder: Path) -> Work:
    raise AffectgenError(f"{job.place}: in.mid cannot be read.", "Check the path.")


def test_a_job_that_is_done_stays_so_when_its_source_is_gone(tmp_path):
    job = Job("compose", {"source": "in.mid"}, "a", place="line 1")
    (entry,) = planned([(job, None)], lambda job, folder: work(folder, job), tmp_path)
    (tmp_path / "a.mid").write_bytes(b"piece")
    with Journal(tmp_path) as journal:
        journal.enter([entry.job])
        journal.close_job("a", DONE, {"name": "a"}, files_of(entry.work.order.target))
        found = prepare(planned([(job, None)], refuse, tmp_path), journal, False, False)
        assert (dict(found.kept), found.todo) == ({0: ({"name": "a"}, False)}, ())
        (tmp_path / "a.mid").write_bytes(b"other")
        assert prepare(planned([(job, None)], refuse, tmp_path), journal, False, False).todo == (0,)


def test_what_cannot_begin_leaves_nothing_in_the_journal(tmp_path):
    with Journal(tmp_path) as journal:
        found = prepare(planned([(Job("compose", {}, "a"), None)], refuse, tmp_path), journal, False, False)
        assert found.todo == (0,)
        assert journal.rows() == []


def test_half_written_files_go_before_it_begins(tmp_path):
    (tmp_path / ".a.mid.0123abcd.part").touch()
    with Journal(tmp_path) as journal:
        prepare(planned([(Job("compose", {}, "a"), None)], lambda j, f: work(f, j), tmp_path), journal, False, False)
        assert {path.name for path in tmp_path.iterdir()} <= {NAME, f"{NAME}-journal"}


@pytest.mark.parametrize("force", [False, True])
def test_forcing_takes_the_manifest_of_what_is_replaced_away(tmp_path, force):
    job = Job("compose", {}, "a")
    manifest = tmp_path / "a.mid.json"

    def plan(job: Job, folder: Path) -> Work:
        made = work(folder, job)
        return replace(made, order=replace(made.order, target=replace(made.order.target, manifest=manifest)))

    (tmp_path / "a.mid").write_bytes(b"mine")
    manifest.write_bytes(b"mine, too")
    with Journal(tmp_path) as journal:
        entries = planned([(job, None)], plan, tmp_path)
        if not force:
            found = prepare(entries, journal, False, False)
            assert (found.todo, found.entries[0].work) == ((0,), None)  # it fails, and the others go on
            assert "exists already" in found.entries[0].fault.message
            assert journal.rows() == []
            return
        assert prepare(entries, journal, True, False).todo == (0,)
    assert (tmp_path / "a.mid").exists()
    assert not manifest.exists()
