"""Shared by all tests: one thread each, so that they do not wait for one another, and the folder of real data."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

os.environ["OMP_NUM_THREADS"] = "1"  # before anything imports torch; child processes inherit it
os.environ.setdefault("MPLBACKEND", "Agg")
for name in [name for name in os.environ if name.startswith("AFFECTGEN_") and name != "AFFECTGEN_NO_SKIP"]:
    del os.environ[name]  # a developer's own settings are not the tests'

TOP = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def top() -> Path:
    """The repository's top folder."""
    return TOP


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of training and test music beside the repository; skips where it is absent."""
    folder = TOP.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the data folder ../shared/data is not here")
    return folder


def make_score(seed: int = 0, bars: int = 6, key: Any = None, dense: bool = False) -> Any:
    """Chords and a tune of random notes, with changes of tempo and harmony; dense: up to six notes an onset."""
    import numpy as np

    from affectgen.score.grid import Chord, make_grid
    from affectgen.score.keys import Key

    rng = np.random.default_rng(seed)
    rows = []
    for bar in range(bars):
        for position in sorted(rng.choice(16, size=int(rng.integers(2, 7)), replace=False).tolist()):
            count = int(rng.integers(1, 7 if dense else 4))
            for pitch in rng.choice(np.arange(36, 90), size=count, replace=False).tolist():
                rows.append((16 * bar + position, int(rng.integers(1, 9)), pitch, int(rng.integers(20, 120))))
    beats = 4 * bars
    tempo = np.repeat(rng.uniform(60, 150, bars), 4)
    chords = tuple(Chord(int(rng.integers(12)), ("M", "m", "7")[beat % 3]) for beat in range(beats))
    return make_grid(np.array(rows), tempo, chords, key if key is not None else Key(int(rng.integers(12)), seed % 2))


@pytest.fixture(scope="session")
def score() -> Callable[..., Any]:
    return make_score


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with 48 hand-made clips in EMOPIA's layout: arousal is loud and fast, valence is major.

    Twelve songs with one clip a quadrant: s00-s03 validation, s04 development, the others training.
    """
    import numpy as np

    from affectgen.score.grid import Chord, make_grid
    from affectgen.score.keys import Key
    from affectgen.score.midi import write_midi

    home = tmp_path_factory.mktemp("corpus") / "emopia"
    (home / "beat").mkdir(parents=True)
    rng = np.random.default_rng(0)
    lines = ["clip,song,quadrant,annotator,split,key,mode,beat"]
    for number in range(48):
        song, quadrant = number // 4, number % 4
        loud, bright = quadrant < 2, quadrant in (0, 3)
        name = f"Q{quadrant + 1}_s{song:02d}_{number}"
        step, third = (2, 4 if bright else 3) if loud else (4, 4 if bright else 3)
        starts = np.arange(0, 64, step)
        pitch = 60 + rng.choice([0, third, 7, 12], len(starts))
        velocity = rng.integers(90, 110, len(starts)) if loud else rng.integers(40, 55, len(starts))
        notes = np.stack([starts, np.full(len(starts), step), pitch, velocity], axis=1)
        tempo = np.full(16, 140.0 if loud else 80.0) + rng.normal(0, 3)
        chords = (Chord(0, "M" if bright else "m"),) * 16
        score = make_grid(notes, tempo, chords, Key(0, int(not bright)))
        (home / "beat" / f"{name}.mid").write_bytes(write_midi(score))
        split = "val" if song < 4 else "dev" if song == 4 else "train"
        lines.append(f"{name},s{song:02d},Q{quadrant + 1},A,{split},C,{'major' if bright else 'minor'},{name}.mid")
    (home / "clips.csv").write_text("\n".join(lines) + "\n")
    return home.parent


@pytest.fixture(scope="session")
def tiny_muser(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of an untrained MusER of little width, its books laid on the hand-made clips: a folder `tiny`."""
    import torch

    from affectgen.muser.checkpoint import save_composer
    from affectgen.muser.config import MuserConfig
    from affectgen.muser.corpora import read_emopia
    from affectgen.muser.data import whole_batches
    from affectgen.muser.model import Muser
    from affectgen.muser.prior import Prior

    config = MuserConfig(
        dim=16, layers=1, heads=2, condition=16, encoder_dim=8, prior_dim=16, prior_layers=1, prior_heads=2
    )
    torch.manual_seed(0)
    model, folder = Muser(config), tmp_path_factory.mktemp("muser") / "tiny"
    with torch.no_grad():
        model.train()(whole_batches(read_emopia(corpus / "emopia", "train"), 64, 1000)[0])  # starts the books
    save_composer(folder, model, Prior(config), {"attribute_spread": [1.0] * 7, "licence": "CC0-1.0"}, "")
    return folder


@pytest.fixture(scope="session")
def tiny_emogen(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of an untrained EmoGen of little width, alive to its targets, in a folder `tiny`, and its map
    beside it, `tiny-map`: the hand-made clips that are no validation clips, each about the middle of its quadrant."""
    import csv

    import numpy as np
    import torch

    from affectgen.emogen.checkpoint import save_emogen, save_map
    from affectgen.emogen.config import EmogenConfig
    from affectgen.emogen.mapping import EmotionMap
    from affectgen.emogen.model import Emogen
    from affectgen.emogen.scale import Scale
    from affectgen.emogen.vector import describe
    from affectgen.score.midi import read_grid

    with (corpus / "emopia" / "clips.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] != "val"]
    scores = [read_grid(corpus / "emopia" / "beat" / row["beat"]) for row in rows]
    values = np.stack([describe(score.to_notes(), float(np.median(score.tempo))) for score in scores])
    quadrant = np.array([int(row["quadrant"][1]) - 1 for row in rows])
    middle = np.array([[0.6, 0.6], [-0.6, 0.6], [-0.6, -0.6], [0.6, -0.6]])
    points = middle[quadrant] + np.random.default_rng(0).uniform(-0.3, 0.3, (len(rows), 2))
    torch.manual_seed(0)
    model = Emogen(EmogenConfig(dim=16, layers=1, heads=2, condition=16, hidden=16))
    for name, parameter in model.named_parameters():
        if "film" in name or "out." in name:  # they start as the identity or near zero
            torch.nn.init.normal_(parameter, std=0.4)
    folder = tmp_path_factory.mktemp("emogen") / "tiny"
    save_emogen(folder, model, Scale.of(values), {"licence": "CC0-1.0", "training": {}}, "# tiny\n")
    emotions = EmotionMap(values, points, quadrant, tuple(row["clip"] for row in rows))
    save_map(folder.with_name("tiny-map"), emotions, {"licence": "CC0-1.0"}, "")
    return folder


class Ear:
    """Hears valence in the pitch and arousal in the velocity, and counts what it heard."""

    def __init__(self) -> None:
        self.heard = 0

    def rate(self, pieces: Sequence[Any]) -> Any:
        """Points [N, 2]."""
        import numpy as np

        self.heard += len(pieces)
        points = [
            (np.tanh((piece.pitch.mean() - 62) / 5), np.tanh((piece.velocity.mean() - 64) / 9)) for piece in pieces
        ]
        return np.array(points).reshape(-1, 2)


class Stiff:
    """Plays as written, a little late."""

    def perform(self, score: Any, seed: int) -> Any:
        """A piece as `Performer.perform` plays it."""
        from affectgen.score.grid import Timing

        notes = score.to_notes()
        return Timing(notes.onset + 0.01, notes.duration)

    def perform_many(self, scores: Sequence[Any], seed: int) -> Any:
        """Shifts and ratios as `Performer.perform_many` has them."""
        import numpy as np

        return [np.tile([0.01, 1.0], (len(score), 1)) for score in scores]


@pytest.fixture
def plain_ears(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guide and performer of every generator made in the test: `Ear` and `Stiff`."""
    from affectgen.writing import hearing

    monkeypatch.setattr(hearing, "load_guide", Ear)
    monkeypatch.setattr(hearing, "load_performer", Stiff)
