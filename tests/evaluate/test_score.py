"""The tables of docs/score.md: on pieces whose beats, chords and keys are known, and one against the page itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from affectgen.evaluate import score
from affectgen.score.grid import Chord, make_grid
from affectgen.score.keys import Key
from affectgen.score.midi import write_midi
from affectgen.score.notes import NoteArray
from affectgen.score.reference import Twin


def block(page: Path, name: str) -> str:
    return page.read_text().split(f"<!-- {name}:begin -->\n")[1].split(f"\n<!-- {name}:end -->")[0]


def triads(root: int, marked: Chord) -> bytes:
    """Four bars of one major triad on every beat, marked as `marked`."""
    rows = np.array([(4 * beat, 4, 48 + root + tone, 70) for beat in range(16) for tone in (0, 4, 7)])
    return write_midi(make_grid(rows, np.full(16, 100.0), (marked,) * 16, Key(root, 0)))


@pytest.fixture
def known(tmp_path: Path) -> Path:
    """Two pieces: C, named rightly; and D, whose key is named wrongly and whose chord by its root alone."""
    for name in ("raw", "beat"):
        (tmp_path / "emopia" / name).mkdir(parents=True)
    lines = ["clip,song,quadrant,split,key,mode,beat", "c,c,Q1,val,C,major,c.mid", "d,d,Q1,val,G,minor,d.mid"]
    (tmp_path / "emopia" / "clips.csv").write_text("\n".join(lines) + "\n")
    for name, root, marked in (("c", 0, Chord(0, "M")), ("d", 2, Chord(2, "m"))):
        for kind in ("raw", "beat"):
            (tmp_path / "emopia" / kind / f"{name}.mid").write_bytes(triads(root, marked))
    return tmp_path


def test_names_by_hand(known: Path) -> None:
    lines = score.names(known).splitlines()[2:]
    assert [line.split("|")[2:-1] for line in lines] == [
        [" 1 ", " 2 ", " 0.500 "], [" 32 ", " 32 ", " 1.000 "], [" 16 ", " 32 ", " 0.500 "]
    ]  # fmt: skip


def clicks(step: float = 0.5, count: int = 60) -> Twin:
    """A performance with a note on every beat, and those beats."""
    beats = 1.0 + step * np.arange(count)
    notes = NoteArray.of(beats, np.full(count, 0.2), np.full(count, 60), np.full(count, 80))
    grid = make_grid(np.array([[0, 1, 60, 80]]), np.ones(4), (None,), Key(0, 0))
    return Twin("clip", "song", "val", notes, grid, beats)


def test_agreement_counts_beats_where_there_are_notes() -> None:
    twin = clicks()
    assert score.agreement(twin.beats, twin) == (1.0, 1.0)
    assert score.agreement(np.r_[twin.beats - 100, twin.beats, twin.beats + 100], twin) == (1.0, 1.0)
    strict, loose = score.agreement(twin.beats[::2], twin)
    assert strict == pytest.approx(2 / 3)
    assert loose == 1.0
    assert score.agreement(twin.beats + 0.2, twin)[0] == 0.0


def test_librosa_hears_a_plain_pulse() -> None:
    twin = clicks()
    assert score.agreement(score.librosa_beats(twin.notes), twin)[1] > 0.9


def test_own_beats_of_what_is_there(music: Path) -> None:
    assert score.own_beats(music).splitlines()[2:4] == [
        "| EMOPIA `beat/` | 48 | 1.000 |", "| EMOPIA `raw/` (no tempo known) | 48 | 0.000 |"
    ]  # fmt: skip
    assert "POP909" not in score.own_beats(music)


def test_the_page_has_a_place_for_every_block(
    music: Path, top: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score, "librosa_beats", lambda notes: notes.onset)  # compiles for seconds
    page = tmp_path / "score.md"
    page.write_text((top / "docs" / "score.md").read_text())
    assert score.main(["--data", str(music), "--write", str(page)]) == 0
    before, after = (path.read_text().split("<!-- ") for path in (top / "docs" / "score.md", page))
    assert [part for part in after if ":begin" not in part] == [part for part in before if ":begin" not in part]
    assert block(page, "score-tracking").startswith("| 20 clips |")
    assert "| 48 | 48 | 1.000 |" in block(page, "score-way-back")


def test_without_twins_nothing_is_tracked(tmp_path: Path) -> None:
    (tmp_path / "emopia").mkdir()
    (tmp_path / "emopia" / "clips.csv").write_text("clip,song,quadrant,split,key,mode,beat\n")
    assert score.tracking(tmp_path).startswith("No validation clip")


def test_the_page_shows_what_is_measured(top: Path, real_data: Path) -> None:
    assert score.names(real_data) == block(top / "docs" / "score.md", "score-names")
