"""What is said of composed pieces, in results and manifests."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from affectgen.recognize.judge import load_judge
from affectgen.score.grid import make_grid
from affectgen.score.keys import Key
from affectgen.score.midi import read_notes
from affectgen.writing.given import composed_notes
from affectgen.writing.heard import Candidate, Piece
from affectgen.writing.options import ComposeOptions
from affectgen.writing.pieces import WIDTH
from affectgen.writing.results import facts, line, measurements, midi, piece_details, reading, record


def test_facts(score):
    source = score(1, 3)
    found = facts(source)
    assert (found["bars"], found["notes"], found["key"]) == (3, len(source), str(source.key))
    assert found["seconds"] == pytest.approx(source.seconds, abs=1e-3)
    assert found["tempo"] == pytest.approx(np.median(source.tempo), rel=0.3)


def test_facts_and_their_line_by_hand():
    rows = np.array([(0, 4, 60, 64), (16, 4, 64, 64)])
    piece = make_grid(rows, np.array([60.0] * 3 + [120.0] * 5), (None,) * 8, Key(6, 1))
    found = facts(piece)  # three beats of a second, five of half a second; of eight beats the fifth slowest
    assert found == {"bars": 2, "notes": 2, "seconds": 5.5, "key": str(Key(6, 1)), "tempo": 120.0}
    assert line(found) == f"2 bars, 5.5 s, 2 notes, {Key(6, 1)}"


@pytest.mark.parametrize(("point", "quadrant"), [
    ((0.5, 0.25), "Q1"), ((-0.5, 0.25), "Q2"), ((-0.5, -0.25), "Q3"), ((0.5, -0.25), "Q4"),
])  # fmt: skip
def test_a_reading_names_its_recogniser_and_quadrant(point, quadrant):
    found = reading(point)
    assert found["recogniser"] == "guide"
    assert (found["valence"], found["arousal"]) == point
    assert str(found["quadrant"]) == quadrant
    assert json.loads(json.dumps(found, allow_nan=False))["valence"] == point[0]


def test_the_checkpoint_and_the_file(score):
    assert record(SimpleNamespace(name="tiny", sha256="ab", other=1)) == {"name": "tiny", "sha256": "ab"}
    source = score(2, 2)
    data = midi(source)
    assert data[:4] == b"MThd"
    assert len(read_notes(data)) == len(source)


class Plain(Piece):
    """A piece that is as good as any."""

    good, rank = True, (False, 0.0)


def test_details_of_a_piece(score):
    source = score(1, 2)
    path = np.array([[0.123456, -0.5], [0.0, 1.0]])
    heard = (Candidate(3, np.array([0.5, -0.123456]), True, 0.7),)
    plain = Plain(source, 2, None, None, np.zeros(2), None, candidate=3, attempts=2, heard=heard)
    details = piece_details(plain, 5)
    told = {"heard": [{"candidate": 3, "valence": 0.5, "arousal": -0.1235, "good": True, "cost": 0.7}]}
    assert details == facts(source) | {"batch_width": WIDTH, "candidate": 3, "candidates": 5, "attempts": 2} | told
    moved = piece_details(Plain(source, 2, None, None, np.zeros(2), path), 1)
    assert moved["measured_path"] == [[0.1235, -0.5], [0.0, 1.0]]
    assert (moved["candidate"], moved["candidates"], moved["attempts"]) == (0, 1, 1)
    json.dumps(moved, allow_nan=False)


def test_the_judge_hears_what_was_composed(score):
    source = score(3, 8)
    plain, gone_on = ComposeOptions("happy", 1), ComposeOptions("happy", 1, continue_from=midi(source))
    pieces = [Plain(source, bars, None, None, np.array([0.25, -0.5]), None) for bars in (8, 4)]
    whole, part = measurements([plain, gone_on], pieces)
    assert (whole["recogniser"], whole["valence"], whole["arousal"]) == ("guide", 0.25, -0.5)
    verdict = load_judge().judge([source.to_notes(), composed_notes(gone_on, source, 4, None)])
    for found, point, shares in zip((whole, part), verdict.points, verdict.quadrants, strict=True):
        assert found["judge"]["recogniser"] == "judge"
        assert (found["judge"]["valence"], found["judge"]["arousal"]) == tuple(point)
        assert found["judge"]["quadrant"] == f"Q{shares.argmax() + 1}"
    assert whole["judge"] != part["judge"]
    assert measurements([], []) == []
