"""The fit command on a corpus small enough for a test: right split, right folder, same readings when loaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from affectgen.errors import CheckpointError
from affectgen.nn.checkpoint import save_arrays
from affectgen.recognize import mlp, music_fit, music_table, trees
from affectgen.recognize.corpus import PART_WEIGHT, Labelled
from affectgen.recognize.music import load_music_guide, load_music_judge, load_music_recogniser, stored
from affectgen.recognize.music_fit import MusicSettings, fit_music, main
from affectgen.recognize.music_notes import Transcriber
from affectgen.recognize.music_notes_fit import NoteSettings
from affectgen.recognize.music_renders import renderings
from affectgen.recognize.music_rows import rows_of
from affectgen.recognize.reading import readings
from affectgen.score.midi import write_notes
from affectgen.score.notes import NoteArray

symusic = pytest.importorskip("symusic")
pytest.importorskip("sklearn")
SMALL = MusicSettings(
    NoteSettings(hidden=4, second=4, steps=20, batch=2, frames=40),
    mlp.Settings(members=2, hidden=8, steps=80, mask=0.0, learning_rate=2e-2),
    trees.Settings(stages=12, forests=1, leaf=1, columns=0.4),
)
SPLITS = {"guide": ("train",), "judge": ("val",), "recogniser": ("train", "val")}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 clips of 2.5 s, one a song: fast and high or slow and low, on a major or a minor chord."""
    root = tmp_path_factory.mktemp("data")
    (root / "emopia" / "raw").mkdir(parents=True)
    rows = ["clip,song,quadrant,split"]
    for index in range(48):
        quadrant, chance = index % 4, np.random.default_rng(index)
        step = 0.15 if quadrant < 2 else 0.5
        chord = (0, 4, 7, 12) if quadrant in (0, 3) else (0, 3, 7, 12)
        onset = np.arange(0.0, 2.5, step)
        pitch = 52 + index % 5 + chance.choice(chord, len(onset)) + 7 * (quadrant < 2)
        notes = NoteArray.of(onset, np.full(len(onset), step), pitch, np.full(len(onset), 95 if quadrant < 2 else 45))
        name = f"Q{quadrant + 1}_s{index}_0"
        rows.append(f"{name},s{index},Q{quadrant + 1},{'train' if index < 24 else 'val'}")
        (root / "emopia" / "raw" / f"{name}.mid").write_bytes(write_notes(notes))
    (root / "emopia" / "clips.csv").write_text("\n".join(rows) + "\n")
    return root


@pytest.fixture(autouse=True)
def own_synthesiser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sources and measurements by the one renderer that is always there."""
    sources = {what: tuple((split, "synth", "0") for split in splits) for what, splits in SPLITS.items()}
    unseen = {"guide": (("val", "synth", "plain"),), "judge": (("train", "synth", "plain"),), "recogniser": ()}
    monkeypatch.setattr(music_fit, "SOURCES", sources)
    monkeypatch.setattr(music_fit, "MEASURED", unseen)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_the_judge_hears_validation_songs_alone_and_reads_others(data: Path, cache: Path) -> None:
    fitted = fit_music("judge", data, cache, SMALL)
    assert fitted.songs == sorted(f"s{index}" for index in range(24, 48))
    assert fitted.figures["arousal synth plain"] >= 0.75
    assert fitted.figures["clips synth plain"] == 24


def test_guide_and_recogniser_by_the_command(data: Path, cache: Path, tmp_path: Path) -> None:
    fitted = fit_music("guide", data, cache, SMALL)
    assert fitted.songs == sorted(f"s{index}" for index in range(24))
    arrays, config = stored(fitted.recogniser)
    save_arrays(tmp_path / "guide", arrays, {**config, "kind": "guide", "figures": fitted.figures})
    again = load_music_guide(tmp_path / "guide")
    rendered = music_fit.load_sources(data, music_fit.SOURCES["guide"], cache)[0]
    rows = rows_of(rendered, fitted.recogniser.transcriber, False)
    first, second = (one.judge_statistics(rows.statistics) for one in (fitted.recogniser, again))
    np.testing.assert_allclose(
        [one.affect.valence for one in first], [one.affect.valence for one in second], atol=1e-3
    )
    whole = fit_music("recogniser", data, cache, SMALL, tmp_path / "guide")
    assert len(whole.songs) == 48
    assert whole.figures["arousal out of fold"] >= 0.75
    with pytest.raises(CheckpointError, match="no judge of music"):
        load_music_judge(tmp_path / "guide")


def test_the_command_writes_a_folder_that_loads(
    data: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(music_fit, "MusicSettings", lambda: SMALL)
    line = ["--data", str(data), "--what", "judge", "--cache", str(cache), "--output", str(tmp_path / "j")]
    assert main([*line, "--seed", "3"]) == 0
    judge = load_music_judge(tmp_path / "j")
    assert judge.figures["clips synth plain"] == 24
    card = (tmp_path / "j" / "card.md").read_text()
    assert "--what judge" in card
    assert "--seed 3" in card
    with pytest.raises(CheckpointError):
        load_music_recogniser(tmp_path / "j")


def test_parts_weigh_less_and_have_the_label(tmp_path: Path) -> None:
    onset = np.arange(0.0, 20.0, 0.25)
    notes = NoteArray.of(onset, np.full(80, 0.2), 60 + np.arange(80) % 7, np.full(80, 80))
    clip = Labelled("Q3_a_0", "a", "train", 2, (0.0, 0.0), True, notes)
    rendered = renderings([clip], "synth", "0", tmp_path)
    deaf = Transcriber(
        np.zeros((2, 8, 5, 3), dtype=np.float32),
        np.zeros(2, dtype=np.float32),
        np.zeros((2, 2, 5, 3), dtype=np.float32),
        np.zeros(2, dtype=np.float32),
        np.zeros((3, 2), dtype=np.float32),
        np.full(3, -9.0, dtype=np.float32),
    )
    rows = rows_of(rendered, deaf, True, tmp_path / "kept")
    again = rows_of(rendered, deaf, True, tmp_path / "kept")
    np.testing.assert_array_equal(rows.statistics, again.statistics)
    assert rows.whole.tolist() == [True] + [False] * 4  # the last of five parts would be too short
    assert rows.weight.tolist() == [1.0] + [PART_WEIGHT] * 4
    assert set(rows.quadrant) == {2}
    assert not np.allclose(rows.statistics[0], rows.statistics[1])


def test_figures_are_what_they_say() -> None:
    points = [(0.6, 0.6), (-0.6, 0.6), (0.4, -0.6), (0.5, -0.5)]
    wide = [(value - 0.3, other - 0.3) for value, other in points]
    high = [(value + 0.3, other + 0.3) for value, other in points]
    shares = [(0.7, 0.1, 0.1, 0.1), (0.1, 0.7, 0.1, 0.1), (0.1, 0.1, 0.1, 0.7), (0.1, 0.1, 0.1, 0.7)]
    quadrant = np.array([0, 1, 2, 3])
    labels = np.array([[0.6, 0.6], [-0.6, 0.6], [-0.6, -0.6], [0.6, -0.6]])
    found = music_table.figures_of(readings(points, shares, wide, high), quadrant, labels)
    assert found["valence"] == 0.75
    assert found["arousal"] == 1.0
    assert found["quadrants"] == 0.75
    assert found["coverage_valence"] == 0.75
    assert found["coverage_arousal"] == 1.0
    assert found["typical_valence"] == pytest.approx(0.6)
