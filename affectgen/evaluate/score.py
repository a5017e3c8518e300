"""How well scores are read from real files: beats, chords, keys and the way back. The tables of docs/score.md.

    python -m affectgen.evaluate.score --data ../shared/data                           prints them
    python -m affectgen.evaluate.score --data ../shared/data --write docs/score.md     and writes them

`affectgen.score.reference` and `affectgen.score.roundtrip` measure one of them each. Rows of a corpus that is not in
the folder are left out.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.evaluate.reference import load_reference
from affectgen.evaluate.tables import Blocks, Cell, run, table
from affectgen.score.beats import has_beat_grid
from affectgen.score.chords import estimate_chords
from affectgen.score.keys import MODES, PITCH_NAMES, Key, estimate_key
from affectgen.score.midi import open_midi, read_grid, read_notes
from affectgen.score.notes import NoteArray
from affectgen.score.reference import Twin, compare, f_measure, octave_f_measure, read_twins
from affectgen.score.roundtrip import measure_folder

CORPORA = (
    ("EMOPIA `beat/`", "emopia/beat"), ("EMOPIA `raw/` (no tempo known)", "emopia/raw"), ("Pop1k7", "pop1k7"),
    ("VGMIDI", "vgmidi/midi"), ("POP909", "pop909"),
)  # fmt: skip
RATE, HOP = 22050, 512  # of librosa's envelope: its own defaults
AROUND = 0.1  # seconds about the first and last true beat in which beats count
GOOD = 0.8  # an F-measure above this


def own_beats(data: Path) -> str:
    """In how many files of each corpus the file's own beats are used."""
    rows: list[list[Cell]] = []
    for name, folder in CORPORA:
        used = [has_beat_grid(open_midi(path)) for path in sorted((data / folder).glob("*.mid"))]
        if used:
            rows.append([name, len(used), float(np.mean(used))])
    return table(("corpus", "files", "own beats used"), rows)


def librosa_beats(notes: NoteArray) -> NDArray[np.float64]:
    """Beats in seconds by librosa's dynamic programming (Ellis 2007) over an envelope of the onsets' velocities."""
    from librosa.beat import beat_track

    envelope = np.zeros(int((notes.end + 1.0) * RATE / HOP))
    np.add.at(envelope, np.round(notes.onset * RATE / HOP).astype(np.int64), notes.velocity / 127)
    return np.asarray(beat_track(onset_envelope=envelope, sr=RATE, hop_length=HOP, units="time")[1], dtype=np.float64)


def agreement(beats: NDArray[np.float64], twin: Twin) -> tuple[float, float]:
    """F-measure and octave-tolerant F-measure of beats in seconds against a twin's, where it has notes."""
    first, last = twin.notes.onset[0] - AROUND, twin.notes.onset[-1] + AROUND
    true = twin.beats[(twin.beats >= first) & (twin.beats <= last)]
    found = beats[(beats >= true[0] - AROUND) & (beats <= true[-1] + AROUND)]
    return f_measure(found, true), octave_f_measure(found, true)


def tracking(data: Path) -> str:
    """Beats of performances: the project's tracker and librosa's, on validation clips."""
    twins = read_twins(data / "emopia", "val")
    if not twins:
        return "No validation clip has a twin on the beat grid."
    ours = [compare(twin) for twin in twins]
    theirs = np.array([agreement(librosa_beats(twin.notes), twin) for twin in twins])
    columns = {name: np.array([row[name] for row in ours]) for name in ours[0]}
    beat, octave = columns["beat F"], columns["beat F, any octave"]
    rows: list[list[Cell]] = [
        ["`track_beats`", float(beat.mean()), float((beat > GOOD).mean()), float(octave.mean()),
         float((octave > GOOD).mean()), float(columns["downbeat F"].mean()), float(columns["notes kept"].mean())],
        ["librosa's `beat_track`", float(theirs[:, 0].mean()), float((theirs[:, 0] > GOOD).mean()),
         float(theirs[:, 1].mean()), float((theirs[:, 1] > GOOD).mean()), None, None],
    ]  # fmt: skip
    head = (f"{len(twins)} clips", "beat F", f"above {GOOD}", "any octave", f"above {GOOD}", "downbeat F", "notes kept")
    return table(head, rows)


def names(data: Path) -> str:
    """Keys against EMOPIA's table, chords against its markers."""
    folder = data / "emopia"
    keys = []
    with (folder / "clips.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            path = folder / "raw" / f"{row['clip']}.mid"
            if path.is_file():
                notes = read_notes(path)
                theirs = Key(PITCH_NAMES.index(row["key"]), MODES.index(row["mode"]))
                keys.append(estimate_key(notes.pitch, notes.duration) == theirs)
    chords = np.concatenate([_chords(path) for path in sorted((folder / "beat").glob("*.mid"))])
    return _shares("the same", [
        ("clips: key as in `clips.csv`", sum(keys), len(keys)),
        ("beats: root as in the marker", int(chords[:, 0].sum()), len(chords)),
        ("beats: whole chord as in the marker", int(chords[:, 1].sum()), len(chords)),
    ])  # fmt: skip


def _shares(what: str, counts: Sequence[tuple[str, int, int]]) -> str:
    """A table of what is counted, how many of how many, and the share."""
    return table(("", what, "of", "share"), [[name, part, whole, part / max(whole, 1)] for name, part, whole in counts])


def _chords(path: Path) -> NDArray[np.bool_]:
    """Whether root and whole symbol are the marker's, [B, 2], over the beats that have a marked chord."""
    score = read_grid(path)
    found = estimate_chords(score.start, score.length, score.pitch, len(score.tempo))
    both = [(mine, theirs) for mine, theirs in zip(found, score.chords, strict=True) if theirs is not None]
    same = [(mine is not None and mine.root == theirs.root, mine == theirs) for mine, theirs in both]
    return np.array(same, dtype=bool).reshape(-1, 2)


def way_back(data: Path) -> str:
    """What writing EMOPIA's pieces on the grid and reading them again keeps."""
    found = measure_folder(data / "emopia" / "beat")
    return _shares("kept", [
        ("notes through MIDI: sixteenth, pitch, velocity", found.kept, found.notes),
        ("notes through MIDI: length, too", found.lengths, found.notes),
        ("notes through words: sixteenth, pitch", found.words, found.notes),
        ("pieces whose words come out the same again", found.stable, found.pieces),
    ])  # fmt: skip


def blocks(data: Path | None) -> Blocks:
    """Every table, measured one after another. AffectgenError where there is no EMOPIA."""
    folder = load_reference(data).folder
    for part in (own_beats, tracking, names, way_back):
        yield f"score-{part.__name__.replace('_', '-')}", part(folder)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    return run(__doc__, blocks, arguments)


if __name__ == "__main__":
    sys.exit(main())
