from __future__ import annotations

import sys

import pytest

from affectgen.score.midi import write_midi
from affectgen.score.roundtrip import main, measure_folder, round_trip


def test_a_piece_loses_nothing(piece) -> None:
    found = round_trip(piece())
    assert found.notes == found.kept == found.words == len(piece())
    assert (found.pieces, found.stable) == (1, 1)


def test_every_clip_of_emopia(emopia) -> None:
    found = measure_folder(emopia / "beat")
    assert found.pieces > 900
    assert found.kept == found.words == found.notes
    assert found.lengths / found.notes > 0.99  # the rest are notes whose key is struck again while they ring
    assert found.stable == found.pieces


def test_the_command(piece, tmp_path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "one.mid").write_bytes(write_midi(piece()))
    monkeypatch.setattr(sys, "argv", ["roundtrip", str(tmp_path)])
    main()
    assert "1 of 1 pieces encode the same again" in capsys.readouterr().out
    (tmp_path / "one.mid").unlink()
    with pytest.raises(SystemExit):
        main()
    assert "no .mid files" in capsys.readouterr().err
