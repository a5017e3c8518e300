"""The fit command on a corpus small enough for a test: right split, right folder, repeatable."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from affectgen.recognize import fit, held_out, midi_labelled, mlp, trees
from affectgen.recognize.guide import load_guide
from affectgen.recognize.judge import Verdict, load_judge
from affectgen.recognize.midi import load_recogniser
from affectgen.score.notes import NoteArray

symusic = pytest.importorskip("symusic")
pytest.importorskip("sklearn")


def write_clip(path: Path, quadrant: int, seed: int) -> None:
    """Loud and dense or soft and thin, on a major or a minor chord."""
    numbers = np.random.default_rng(seed)
    step = 120 if quadrant < 2 else 600
    chord = (0, 4, 7) if quadrant in (0, 3) else (0, 3, 7)
    score = symusic.Score(480)
    track = symusic.Track("piano")
    for index in range(24000 // step):
        force = int((90 if quadrant < 2 else 45) + numbers.integers(-8, 8))
        pitch = int(50 + seed % 6 + numbers.choice(chord))
        track.notes.append(symusic.Note(index * step, step, pitch, force))
    score.tracks.append(track)
    path.parent.mkdir(parents=True, exist_ok=True)
    score.dump_midi(str(path))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    rows = ["clip,song,quadrant,split"]
    for index in range(40):
        name = f"Q{index % 4 + 1}_s{index}_0"
        rows.append(f"{name},s{index},Q{index % 4 + 1},{'train' if index < 24 else 'val'}")
        write_clip(root / "emopia" / "raw" / f"{name}.mid", index % 4, index)
    (root / "emopia" / "clips.csv").write_text("\n".join(rows) + "\n")
    rows = ["piece_id,midi,valence_mean,arousal_mean"]
    for index in range(30):
        name = f"Game{index % 6}_{index}.mid"
        rows.append(f"p{index},{name},{0.3 if index % 4 in (0, 3) else -0.3},{0.3 if index % 4 < 2 else -0.3}")
        write_clip(root / "vgmidi" / "midi" / name, index % 4, 100 + index)
    (root / "vgmidi" / "pieces.csv").write_text("\n".join(rows) + "\n")
    return root


def test_the_judge_is_fitted_on_validation_songs_alone(data: Path) -> None:
    small = trees.Settings(stages=10, forests=1, leaf=1, columns=0.5)
    fitted = fit.fit_judge(data, small)
    assert fitted.songs == sorted(f"s{index}" for index in range(24, 40))
    assert fitted.figures["clips"] == 24
    assert fitted.figures["arousal"] > 0.9
    for path in (data / "emopia" / "raw").glob("*.mid"):  # other training clips must not change a single number
        if int(path.stem.split("_s")[1].split("_")[0]) < 24:
            write_clip(path, int(path.stem[1]) - 1, 999)
    again = fit.fit_judge(data, small)
    assert all(np.array_equal(again.arrays[name], array) for name, array in fitted.arrays.items())


BRIEF = mlp.Settings(members=1, hidden=6, steps=30, batch=64)  # enough to read some clip of each side rightly
LITTLE = held_out.Settings(labelled=midi_labelled.Settings(BRIEF, trees.Settings(stages=4, forests=1)))


def test_the_guide_is_fitted_on_training_songs_and_ratings(data: Path) -> None:
    fitted = fit.fit_guide(data, BRIEF)
    assert len(fitted.songs) == 24 + 30
    assert "s30" not in fitted.songs
    assert "intensity" in fitted.more
    assert fitted.figures["arousal"] > 0.8


def test_the_command_writes_folders_that_load(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fit.mlp, "Settings", lambda seed: BRIEF)
    monkeypatch.setattr(fit.held_out, "Settings", lambda seed: LITTLE)
    for what in ("judge", "guide", "recogniser"):
        arguments = ["--data", str(data), "--what", what, "--output", str(tmp_path / what), "--seed", "3"]
        assert fit.main(arguments) == 0
    assert "arousal" in capsys.readouterr().err
    piece = NoteArray.of([0, 1, 2], [1, 1, 1], [60, 64, 67], [50, 60, 70])
    assert load_judge(tmp_path / "judge").judge([piece]).points.shape == (1, 2)
    guide = load_guide(tmp_path / "guide")
    assert guide.rate([piece]).shape == (1, 2)
    assert guide.intensity is not None
    assert guide.intensity.knots.shape == (2, 2, 11)
    reading = load_recogniser(tmp_path / "recogniser").read([piece])[0]
    assert reading.low[0] <= reading.affect.valence <= reading.high[0]
    config = json.loads((tmp_path / "recogniser" / "config.json").read_text())
    assert len(config["songs"]) == 40 + 30
    assert config["figures"]["validation_clips"] == 16
    assert config["figures"]["validation_arousal"] > 0.9
    config = json.loads((tmp_path / "judge" / "config.json").read_text())
    assert config["settings"]["seed"] == 3
    assert config["licence"] == "CC-BY-NC-SA-4.0"
    assert "--what judge --seed 3" in (tmp_path / "judge" / "card.md").read_text()


def test_figures_by_hand() -> None:
    verdict = Verdict(
        np.array([[0.5, 0.5], [-0.5, 0.5], [0.1, 0.9], [0.2, 0.8], [0.3, 0.7]]),
        np.array([[0.7, 0.1, 0.1, 0.1]] * 5),
    )
    examples = mlp.Examples(
        np.zeros((5, 1)), np.ones(5, bool), np.array([0, 1, -1, -1, -1]),
        np.array([[0, 0], [0, 0], [0.1, 0.1], [0.2, 0.2], [0.3, 0.3]]), np.ones(5),
    )  # fmt: skip
    found = fit.figures_of(verdict, examples)
    assert (found["quadrants"], found["arousal"], found["valence"]) == (0.5, 1.0, 1.0)
    assert found["spearman_valence"] == pytest.approx(1.0)
    assert found["spearman_arousal"] == pytest.approx(-1.0)
    assert (found["clips"], found["rated_windows"]) == (2, 3)
