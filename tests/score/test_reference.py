from __future__ import annotations

import sys

import numpy as np
import pytest

from affectgen.score.accents import WEIGHTS, find_onsets, measure
from affectgen.score.midi import write_midi, write_notes
from affectgen.score.notes import NoteArray
from affectgen.score.reference import (
    Twin,
    align,
    classes_of,
    compare,
    f_measure,
    fit_weights,
    main,
    octave_f_measure,
    read_twins,
)


def late(notes: NoteArray, seconds: float) -> NoteArray:
    return NoteArray.of(notes.onset + seconds, notes.duration, notes.pitch, notes.velocity)


def test_f_measure_counts_hits_once() -> None:
    true = np.arange(10.0)
    assert f_measure(true + 0.05, true) == 1.0
    assert f_measure(true + 0.1, true) == 0.0
    assert f_measure(np.arange(0, 10, 0.5), true) == pytest.approx(2 / 3)
    assert octave_f_measure(np.arange(0, 9.5, 0.5), true) == 1.0
    assert octave_f_measure(true[1::2], true) == 1.0
    assert f_measure(true[:0], true) == 0.0


def test_twins_are_laid_on_each_other(piece) -> None:
    score = piece(tempo=80.0)
    beats = align(late(score.to_notes(), 1.25), score)
    assert beats is not None
    np.testing.assert_allclose(beats, score.line_seconds()[::4] + 1.25)
    other = NoteArray.of(np.arange(200) * 0.1, [0.1] * 200, [90] * 200, [70] * 200)
    assert align(other, score) is None


def test_a_tracked_piece_scores_full_marks(piece) -> None:
    score = piece(bars=12, tempo=100.0)
    notes = late(score.to_notes(), 0.3)
    beats = align(notes, score)
    assert beats is not None
    found = compare(Twin("clip", "song", "val", notes, score, beats))
    assert found == {"beat F": 1.0, "beat F, any octave": 1.0, "downbeat F": 1.0, "notes kept": 1.0}


def test_the_fit_learns_where_the_bass_falls(piece) -> None:
    twins = []
    for seed in range(6):
        score = piece(seed=seed, bars=8)
        notes = score.to_notes()
        beats = align(notes, score)
        assert beats is not None
        twins.append(Twin(str(seed), str(seed), "train", notes, score, beats))
    table, prior = fit_weights(twins)
    assert table.shape == np.array(WEIGHTS).shape
    assert prior.sum() == pytest.approx(1.0)
    assert prior[3] == 0.0  # no sixteenths between eighths in these pieces
    onsets = find_onsets(twins[0].notes)
    named = (measure(twins[0].notes, onsets) @ table[:-1] + table[-1]).argmax(axis=1)
    assert (named == classes_of(twins[0], onsets)).mean() > 0.8


def test_the_command_reads_the_documented_folder(
    piece, tmp_path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("raw", "beat"):
        (tmp_path / name).mkdir()
    table = ["clip,song,split,beat", "a,s,val,a.mid", "b,s,train,a.mid", "c,s,val,", "d,s,val,missing.mid"]
    (tmp_path / "clips.csv").write_text("\n".join(table) + "\n")
    score = piece(bars=12)
    (tmp_path / "beat" / "a.mid").write_bytes(write_midi(score))
    for name in "ab":
        (tmp_path / "raw" / f"{name}.mid").write_bytes(write_notes(late(score.to_notes(), 0.4)))
    assert [twin.clip for twin in read_twins(tmp_path, "val")] == ["a"]
    monkeypatch.setattr(sys, "argv", ["reference", str(tmp_path)])
    main()
    assert "beat F: mean 1.000" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["reference", str(tmp_path), "--fit"])
    main()
    assert capsys.readouterr().out.startswith("WEIGHTS = [[")


@pytest.mark.slow
def test_beats_of_emopias_validation_clips(emopia) -> None:
    rows = [compare(twin) for twin in read_twins(emopia, "val")]
    assert np.mean([row["beat F"] for row in rows]) > 0.74
    assert np.mean([row["beat F, any octave"] for row in rows]) > 0.84
    assert np.mean([row["notes kept"] for row in rows]) > 0.99
