"""What a worker on a cluster sends, and what becomes of it here; without a cluster."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.batch.cluster import cluster_ship, cluster_worker
from affectgen.batch.cluster.cluster_ship import InHand, made_where, shipped
from affectgen.batch.cluster.cluster_worker import Came, ClusterWorker, Hello, Message, Piece, SendingBench
from affectgen.batch.order import Order, Target, Work
from affectgen.batch.pool import Event, Share
from affectgen.errors import UsageError
from affectgen.manifest import Setting, versions
from affectgen.spooled import Spooled
from affectgen.task import Result

HELLO = Hello("n1", "node-a", versions())


def share(folder: Path, number: int = 0, after: Callable[[Result], None] | None = None, **settings: Any) -> Share:
    piece = folder / f"p{number}.bin"
    target = Target(piece, piece.with_name(f"{piece.name}.json"), None, False)
    order = Order({name: Setting(value, "option") for name, value in settings.items()}, target, after)
    run = {name: Setting(value, "default") for name, value in (("device", "cpu"), ("threads", 1), ("checkpoint", None))}
    return Share(number, Work("stand in", (), run, order), {"key": "k"})


def sent(number: int, data: bytes | Spooled) -> list[Message]:
    """The messages that a result becomes."""
    found: list[Message] = []
    bench = SendingBench(0, send=found.append)
    result = Result(data, ".bin", None, {}, {"bars": 2}, {})
    bench._deliver(share(Path("nowhere"), number), result, 1.25, found.append)
    return found


def spooled(data: bytes) -> Spooled:
    found = Spooled.empty()
    found.path.write_bytes(data)
    return found


@pytest.mark.parametrize("spool", [False, True])
@given(data=st.binary(max_size=40), piece=st.integers(1, 12))
def test_a_result_comes_as_it_went(spool, data, piece):
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        patch.setattr(cluster_worker, "PIECE", piece)
        messages = sent(7, spooled(data) if spool else data)
        assert all(len(each.data) <= piece or spool for each in messages if isinstance(each, Piece))
        tidied: list[Result] = []
        hand = InHand(3)
        hand.begin([share(folder, 7, tidied.append)])
        for each in messages[:-1]:
            assert isinstance(each, Piece)
            hand.keep(each)
        assert isinstance(messages[-1], Came)
        event = hand.deliver(messages[-1], HELLO)
        assert (event.worker, event.number, event.fault, event.seconds) == (3, 7, None, 1.25)
        assert (folder / "p7.bin").read_bytes() == data
        assert json.loads((folder / "p7.bin.json").read_text()) == event.made
        assert len(tidied) == 1
        assert hand.numbers == []


def test_a_job_travels_without_places_of_this_disk(tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    given_ = share(tmp_path, after=print, source=tmp_path / "a", sources=(tmp_path / "a", b"two"), clips="x.clips",
                   index=tmp_path, seed=3)  # fmt: skip
    gone = shipped(given_)
    assert {name: setting.value for name, setting in gone.work.order.settings.items()} == {
        "source": b"one", "sources": (b"one", b"two"), "clips": None, "index": tmp_path, "seed": 3,
    }  # fmt: skip
    assert gone.work.order.target.files() == []
    assert gone.work.order.after is None
    assert given_.work.order.settings["source"].value == tmp_path / "a"


def test_a_full_disk_here_fails_the_job_and_the_pieces_that_follow_do_no_harm(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    hand = InHand(0)
    hand.begin([share(tmp_path, 1), share(tmp_path, 2)])
    hand.keep(Piece(1, b"abc"))
    spool = next(path for path in tmp_path.iterdir() if path.name.startswith("affectgen-"))
    spool.unlink()
    spool.symlink_to("/dev/full")
    hand.keep(Piece(1, b"def"))
    hand.keep(Piece(1, b"ghi"))
    came = Came(1, Result(b"", ".bin", None, {}, {}, {}), True, True, {}, 1.0)
    event = hand.deliver(came, HELLO)
    assert event.fault is not None
    assert event.fault.no_space
    assert hand.numbers == [2]
    assert list(tmp_path.iterdir()) == []
    assert hand.deliver(sent(2, b"x")[0], HELLO).fault is None


def test_nothing_stays_of_what_was_cut_short(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    hand = InHand(0)
    hand.begin([share(tmp_path, 1), share(tmp_path, 2)])
    hand.keep(Piece(1, b"abc"))
    hand.keep(Piece(2, b"abc"))
    hand.ended(Event(0, 1))
    assert len(list(tmp_path.iterdir())) == 1
    hand.drop()
    assert list(tmp_path.iterdir()) == []


def test_files_that_only_their_node_sees_fail_the_job(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster_ship, "APPEARS", 0.05)
    hand = InHand(0)
    hand.begin([share(tmp_path, 1), share(tmp_path, 2)])
    (tmp_path / "p1.bin").touch()
    (tmp_path / "p2.bin").touch()
    (tmp_path / "p2.bin.json").touch()
    event = hand.ended(Event(0, 1, made={}))
    assert "p1.bin.json was written on a node, and is not to be seen here" in event.fault.message
    assert hand.ended(Event(0, 2, made={})) == Event(0, 2, made={})
    assert hand.numbers == []


def test_what_is_in_the_way_fails_the_job(tmp_path):
    (tmp_path / "p1.bin").write_bytes(b"mine")
    hand = InHand(0)
    hand.begin([share(tmp_path, 1)])
    event = hand.deliver(sent(1, b"x")[0], HELLO)
    assert "exists already" in event.fault.message
    assert (tmp_path / "p1.bin").read_bytes() == b"mine"


def test_a_manifest_names_the_node_and_its_other_versions():
    assert made_where(HELLO) == {"node": "node-a"}
    other = Hello("n", "node-b", {**versions(), "numpy": "0.1"})
    assert made_where(other) == {"node": "node-b", "versions": {"numpy": "0.1"}}


def test_a_worker_tells_message_by_message_and_survives_what_fails(monkeypatch):
    class Loaded:
        def run(self, options: Any) -> list[Result]:
            if any(each["what"] == "odd" for each in options):
                raise KeyboardInterrupt
            if any(each["what"] == "bad" for each in options):
                raise UsageError("bad", "be good")
            return [Result(each["what"].encode(), ".bin", None, {}, {}, {}) for each in options]

    monkeypatch.setattr(SendingBench, "loaded", lambda self, work: Loaded())
    monkeypatch.setattr(Work, "options", lambda self: {name: s.value for name, s in self.order.settings.items()})
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    worker = ClusterWorker(5, shared=False)
    job = partial(share, Path("nowhere"))

    def told(*shares: Share) -> list[Any]:
        found: list[Any] = [worker.take(shares)]
        while not (isinstance(found[-1], Event) and found[-1].number is None and not found[-1].begun):
            found.append(worker.more())
        return [each for each in found if not (isinstance(each, Event) and each.begun)]

    first = told(job(1, what="a"), job(2, what="bad"), job(3, what="c"))
    assert [each.number for each in first] == [1, 2, 3, None]
    assert first[1].fault.kind == "UsageError"
    assert first[-1].memory > 0
    assert not first[-1].lost
    assert told(job(4, what="odd"))[-1].lost
    assert [each.number for each in told(job(5, what="e"))] == [5, None]


def test_a_worker_without_the_shared_folder_says_so(tmp_path, monkeypatch):
    ray = pytest.importorskip("ray") if "AFFECTGEN_NO_SKIP" not in os.environ else __import__("ray")

    class Context:
        def get_node_id(self) -> str:
            return "n9"

    monkeypatch.setattr(ray, "get_runtime_context", Context)
    worker = ClusterWorker(0, shared=True)
    hello = worker.hello(str(tmp_path / "none"))
    assert hello.node == "n9"
    assert hello.fault is not None
    assert "is not on the node" in hello.fault.message
    monkeypatch.chdir(tmp_path)
    assert worker.hello(str(tmp_path)).fault is None
