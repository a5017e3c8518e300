"""The hand-made clips as a folder of all corpora: on the grid, as performed, unlabelled and rated."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from affectgen.score.midi import read_grid, write_midi, write_notes
from affectgen.score.notes import NoteArray


@pytest.fixture(scope="session")
def music(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 validation and 28 training clips: `beat/` of one velocity, `raw/` half a second late and loose by 10 ms.

    pop1k7 holds the validation clips as performed; vgmidi one clip as performed, and one on the grid.
    """
    home = tmp_path_factory.mktemp("music")
    emopia = home / "emopia"
    shutil.copytree(corpus / "emopia", emopia)
    for name in ("emopia/raw", "pop1k7", "vgmidi/midi"):
        (home / name).mkdir(parents=True)
    table = emopia / "clips.csv"
    table.write_text(table.read_text().replace(",dev,", ",val,"))
    rng = np.random.default_rng(0)
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        beat, raw = emopia / "beat" / row["beat"], emopia / "raw" / row["beat"]
        score = read_grid(beat)
        notes = score.to_notes()
        onset = notes.onset + 0.5 + rng.normal(0, 0.01, len(notes))
        raw.write_bytes(write_notes(NoteArray.of(onset, 0.8 * notes.duration, notes.pitch, notes.velocity)))
        score.velocity[:] = 64
        beat.write_bytes(write_midi(score))
        if row["split"] == "val":
            shutil.copy(raw, home / "pop1k7")
    shutil.copy(raw, home / "vgmidi" / "midi" / "a.mid")
    shutil.copy(beat, home / "vgmidi" / "midi" / "b.mid")
    head = "piece_id,midi,valence_mean,arousal_mean\n"
    (home / "vgmidi" / "pieces.csv").write_text(f"{head}a,a.mid,0.1,0.2\nb,b.mid,0.3,0.4\n")
    return home
