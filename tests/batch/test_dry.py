"""A dry run says what would be done, and does nothing."""

from __future__ import annotations

from affectgen.batch.dry import dry_lines
from affectgen.batch.job import Job
from affectgen.batch.journal import DONE, Journal
from affectgen.batch.order import Order, Target, Work
from affectgen.batch.pool import Fault
from affectgen.batch.prepare import planned
from affectgen.batch.resume import files_of
from affectgen.errors import UsageError
from affectgen.manifest import Setting

GOOD, OLD, BAD = (Job("compose", {"seed": 1}, name, "study") for name in ("good", "old", "bad"))


def plan(job, folder):
    if job is BAD:
        raise UsageError("It cannot be.", "Try another.")
    assert folder.is_dir()
    target = Target(folder / f"{job.name}.mid", None, None, True)
    return Work("compose", ("compose", "-a", "sad calm"), {"checkpoint": Setting(None, "default")}, Order({}, target))


def lines(folder):
    return {each["name"]: each for each in dry_lines([(job, None) for job in (GOOD, OLD, BAD)], plan, folder)}


def test_each_job_is_told_with_its_state(tmp_path):
    with Journal(tmp_path) as journal:
        (old,) = planned([(OLD, None)], plan, tmp_path)
        (tmp_path / "old.mid").write_bytes(b"piece")
        journal.enter([old.job])
        journal.close_job("old", DONE, {}, files_of(old.work.order.target))
    found = lines(tmp_path)
    assert {name: each["status"] for name, each in found.items()} == {"good": "todo", "old": "kept", "bad": "failed"}
    assert found["good"]["line"] == "affectgen compose -a 'sad calm'"
    assert found["good"]["files"] == [str(tmp_path / "good.mid")]
    assert found["bad"]["error"]["message"] == "It cannot be."
    (tmp_path / "old.mid").write_bytes(b"changed")
    (tmp_path / "good.mid").write_bytes(b"mine")
    found = lines(tmp_path)
    assert {name: each["status"] for name, each in found.items()} == {"good": "failed", "old": "todo", "bad": "failed"}
    assert "exists already" in found["good"]["error"]["message"]
    assert (tmp_path / "old.mid").read_bytes() == b"changed"


def test_a_folder_that_is_not_there_stays_so(tmp_path):
    assert lines(tmp_path / "out")["old"]["status"] == "todo"
    assert list(tmp_path.iterdir()) == []


def test_a_line_that_was_not_understood_is_told(tmp_path):
    (found,) = dry_lines([(Job("", {}, "line-3"), Fault("UsageError", "no JSON"))], plan, tmp_path)
    assert (found["status"], found["error"]["message"]) == ("failed", "no JSON")
