"""The shipped judge, guide and recogniser: what they were fitted on, and what they say of plain cases."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from affectgen.errors import CheckpointError
from affectgen.recognize import store
from affectgen.recognize.corpus import read_emopia
from affectgen.recognize.guide import load_guide
from affectgen.recognize.judge import Verdict, load_judge
from affectgen.recognize.midi import load_recogniser
from affectgen.score.notes import NoteArray

NAMES = {"judge": "midi-judge", "guide": "midi-guide", "recogniser": "midi-recogniser"}
MAJOR, MINOR = (0, 4, 7, 12), (0, 3, 7, 12)


def arpeggios(chord: tuple[int, ...], per_second: float, velocity: int, low: int = 55) -> NoteArray:
    """30 s of a broken chord with a little accent, over a bass note every two seconds."""
    onset = np.arange(0, 29.5, 1 / per_second)
    pitch = low + np.array([chord[index % len(chord)] for index in range(len(onset))])
    force = velocity + 6 * (np.arange(len(onset)) % 4 == 0)
    bass = np.arange(0, 29, 2.0)
    return NoteArray.of(
        np.r_[onset, bass],
        np.r_[np.full(len(onset), 0.9 / per_second), np.full(len(bass), 1.9)],
        np.r_[pitch, np.full(len(bass), low - 12)],
        np.r_[force, np.full(len(bass), velocity)],
    )


def config(what: str, top: Path) -> dict:
    return json.loads((top / "checkpoints" / NAMES[what] / "config.json").read_text())


def test_the_judge_has_seen_no_training_song_and_the_guide_no_validation_song(top: Path, real_data: Path) -> None:
    rows = [line.split(",") for line in (real_data / "emopia" / "clips.csv").read_text().splitlines()[1:]]
    train, val = ({row[1] for row in rows if row[4] == split} for split in ("train", "val"))
    judge, guide = set(config("judge", top)["songs"]), set(config("guide", top)["songs"])
    assert judge == val
    assert not judge & train
    assert train < guide
    assert not guide & val
    assert train | val < set(config("recogniser", top)["songs"])


def test_judge_and_guide_share_no_song(top: Path) -> None:
    assert not set(config("judge", top)["songs"]) & set(config("guide", top)["songs"])


@pytest.mark.parametrize("what", NAMES)
def test_cards_and_configs_say_what_is_needed(what: str, top: Path) -> None:
    folder = top / "checkpoints" / NAMES[what]
    card = (folder / "card.md").read_text()
    assert f"python -m affectgen.recognize.fit --data ../shared/data --what {what} --seed 0" in card
    assert "not for commercial use" in card
    figures = config(what, top)["figures"]
    assert all(f"| {value:g} |" in card for value in figures.values())
    assert figures["quadrants"] > 0.6
    assert figures["arousal"] > 0.85
    assert figures["valence"] > 0.69
    assert sum(path.stat().st_size for path in folder.iterdir()) < 2_000_000


def test_all_three_hear_loud_and_fast_as_aroused() -> None:
    wild, calm = arpeggios(MAJOR, 10, 95), arpeggios(MAJOR, 1.5, 40)
    points = load_judge().judge([wild, calm]).points
    assert points[0, 1] > 0.5
    assert points[1, 1] < -0.5
    ranks = load_guide().rate([wild, calm])  # a sure reading can be a middling rank
    assert ranks[0, 1] > 0.5
    assert ranks[1, 1] < -0.2
    first, second = load_recogniser().read([wild, calm])
    assert first.affect.arousal > 0.5
    assert second.affect.arousal < -0.2
    assert first.quadrant in ("Q1", "Q2")
    assert second.quadrant in ("Q3", "Q4")


def test_all_three_hear_major_as_brighter_than_minor() -> None:
    pair = [arpeggios(MAJOR, 4, 64), arpeggios(MINOR, 4, 64)]
    for points in (load_judge().judge(pair).points, load_guide().rate(pair)):
        assert points[0, 0] > points[1, 0]
    bright, dark = load_recogniser().read(pair)
    assert bright.affect.valence > dark.affect.valence


def test_answers_do_not_depend_on_the_neighbours() -> None:
    pieces = [arpeggios(MAJOR, speed, 50 + 5 * speed) for speed in (2, 4, 8)]
    guide, judge = load_guide(), load_judge()
    np.testing.assert_allclose(guide.rate(pieces)[1:2], guide.rate(pieces[1:2]), atol=1e-12)
    np.testing.assert_allclose(judge.judge(pieces).points[1:2], judge.judge(pieces[1:2]).points, atol=1e-12)


def test_the_guide_does_not_take_a_constant_velocity_for_loudness() -> None:
    piece = arpeggios(MAJOR, 4, 64)
    loud, soft = (NoteArray.of(piece.onset, piece.duration, piece.pitch, [v] * len(piece)) for v in (120, 20))
    np.testing.assert_array_equal(load_guide().rate([loud]), load_guide().rate([soft]))


def test_no_pieces_give_no_points() -> None:
    assert load_guide().rate([]).shape == (0, 2)
    assert load_judge().judge([]).quadrants.shape == (0, 4)
    assert load_recogniser().read([]) == []


def test_the_emptiest_pieces_are_judged_without_a_warning() -> None:
    pieces = [NoteArray.of([], [], [], []), NoteArray.of([0], [1], [60], [64])]
    verdict = load_judge().judge(pieces)
    assert np.isfinite(verdict.points).all()
    assert np.isfinite(load_guide().rate(pieces)).all()


def test_accuracy_of_a_verdict_by_hand() -> None:
    verdict = Verdict(np.array([[0.5, 0.5], [0.5, 0.5]]), np.array([[0.7, 0.1, 0.1, 0.1], [0.7, 0.1, 0.1, 0.1]]))
    assert verdict.accuracy(np.array([0, 1])) == {"quadrants": 0.5, "arousal": 1.0, "valence": 0.5}


def test_the_recogniser_says_how_unsure_it_is() -> None:
    """A sure reading has the narrower interval; every point lies in its own."""
    for reading in load_recogniser().read([arpeggios(MAJOR, 10, 95), arpeggios(MAJOR, 3, 60)]):
        for value, low, high in zip(
            (reading.affect.valence, reading.affect.arousal), reading.low, reading.high, strict=True
        ):
            assert -1 <= low <= value <= high <= 1
        assert sum(reading.quadrants) == pytest.approx(1.0)


def test_a_recogniser_that_lacks_something_is_refused(tmp_path: Path) -> None:
    arrays, settings = store.load("midi-recogniser", "recogniser")
    store.save(tmp_path / "old", arrays, {k: v for k, v in settings.items() if k != "scale"}, "card")
    with pytest.raises(CheckpointError, match="older version"):
        load_recogniser(tmp_path / "old")
    store.save(tmp_path / "other", arrays, settings | {"attributes": settings["attributes"][1:]}, "card")
    with pytest.raises(CheckpointError, match="other attributes"):
        load_recogniser(tmp_path / "other")
    store.save(tmp_path / "part", {k: v for k, v in arrays.items() if k != "gate_slope"}, settings, "card")
    with pytest.raises(CheckpointError, match="gate_slope"):
        load_recogniser(tmp_path / "part")


def test_a_checkpoint_of_another_kind_or_of_other_statistics_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="'guide'"):
        load_judge("midi-guide")
    with pytest.raises(CheckpointError):
        load_guide("midi-nothing")
    arrays, settings = store.load("midi-guide", "guide")
    store.save(tmp_path / "old", arrays, settings, "card")
    load_guide(tmp_path / "old")
    path = tmp_path / "old" / "config.json"
    changed = json.loads(path.read_text()) | {"features": ["velocity_mean"]}
    path.write_text(json.dumps(changed))
    with pytest.raises(CheckpointError, match="other note statistics"):
        load_guide(tmp_path / "old")


def test_rating_needs_neither_torch_nor_sklearn() -> None:
    code = (
        "import sys; from affectgen.recognize.judge import load_judge; "
        "from affectgen.recognize.midi import load_recogniser;"
        "from affectgen.score.notes import NoteArray; p = [NoteArray.of([0, 1], [1, 1], [60, 64], [60, 70])];"
        "load_judge().judge(p); load_recogniser().read(p);"
        "print(sorted({'torch', 'sklearn', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_the_judge_reads_the_training_clips_as_its_card_says(top: Path, real_data: Path) -> None:
    clips = read_emopia(real_data / "emopia", "train")
    found = load_judge().judge([clip.notes for clip in clips]).accuracy(np.array([clip.quadrant for clip in clips]))
    wanted = config("judge", top)["figures"]
    assert {name: round(value, 3) for name, value in found.items()} == {name: wanted[name] for name in found}


def test_the_judge_reads_some_training_clips(real_data: Path) -> None:
    clips = read_emopia(real_data / "emopia", "train")[::8]
    found = load_judge().judge([clip.notes for clip in clips]).accuracy(np.array([clip.quadrant for clip in clips]))
    assert found["arousal"] > 0.8
    assert found["valence"] > 0.65
    assert found["quadrants"] > 0.55
