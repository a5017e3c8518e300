"""The tables of docs/recognisers.md: each on a small folder of all corpora, and some against the page itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from affectgen.evaluate import real, real_grid
from affectgen.evaluate.reference import load_reference
from affectgen.recognize.judge import Verdict
from affectgen.score.midi import read_grid, read_notes
from affectgen.score.notes import NoteArray

Rows = dict[str, list[str]]


def block(page: Path, name: str) -> str:
    """The content of one marked block of a page."""
    return page.read_text().split(f"<!-- {name}:begin -->\n")[1].split(f"\n<!-- {name}:end -->")[0]


def rows(markdown: str) -> Rows:
    """The cells of a table after its first column, by that column."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in markdown.splitlines() if line[:1] == "|"]
    return {row[0]: row[1:] for row in cells[2:]}


@pytest.fixture(scope="module")
def page(music: Path, top: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped page, written anew from the small folder."""
    copy = tmp_path_factory.mktemp("page") / "recognisers.md"
    copy.write_text((top / "docs" / "recognisers.md").read_text())
    assert real.main(["--data", str(music), "--write", str(copy)]) == 0
    return copy


def test_the_page_has_a_place_for_every_block_and_nothing_else_changes(page: Path, top: Path) -> None:
    before, after = (path.read_text().split("<!-- ") for path in (top / "docs" / "recognisers.md", page))
    assert len(before) == len(after)
    assert [part for part in after if ":begin" not in part] == [part for part in before if ":begin" not in part]
    assert [part for part in after if ":begin" in part] != [part for part in before if ":begin" in part]


def test_readers(page: Path, top: Path) -> None:
    found = rows(block(page, "real-reading"))
    assert {name: row[0] for name, row in found.items() if "card" not in name} == {
        "judge, the same clips on the beat grid": "28", "judge, 8 s of each clip": "28",
        "judge, every velocity 64": "28", "guide, songs never seen": "20",
    }  # fmt: skip
    shipped = json.loads((top / "checkpoints" / "midi-guide" / "config.json").read_text())["figures"]
    names = ("quadrants", "arousal", "valence")
    assert found["guide, out of fold by song (card)"] == [
        f"{shipped['clips']:.0f}", *(f"{shipped[name]:.3f}" for name in names), f"{0.5 / shipped['clips'] ** 0.5:.3f}",
        f"{shipped['spearman_arousal']:.3f}", f"{shipped['spearman_valence']:.3f}",
    ]  # fmt: skip


def test_who_passes_for_real(page: Path, top: Path) -> None:
    found = rows(block(page, "real-critic"))
    assert [int(row[0]) for row in found.values()][1] == 20
    figures = json.loads((top / "checkpoints" / "muser-critic" / "config.json").read_text())["figures"]
    assert [row[1] for row in found.values()][::2] == [
        f"{figures[name]:.3f}" for name in ("real clips that pass", "composed pieces that pass")
    ]
    shown = rows(block(top / "docs" / "recognisers.md", "real-critic"))
    assert list(found.values())[::2] == list(shown.values())[::2], "the page shows the shipped critic"


def test_accuracy_by_hand(music: Path) -> None:
    clips = load_reference(music).val[:4]  # one a quadrant
    verdict = Verdict(np.array([[1.0, 1.0]] * 4), np.array([[1.0, 0.0, 0.0, 0.0]] * 4))
    assert real.accuracy_row("x", clips, verdict) == ["x", 4, 0.25, 0.5, 0.5, 0.25, None, None]


def test_counts_of_what_is_there(page: Path) -> None:
    assert rows(block(page, "real-rated")) == {"2": ["0.500"]}
    assert [row[0] for row in rows(block(page, "real-endings")).values()] == ["48", "48", "20", "2"]
    assert list(rows(block(page, "real-floors"))) == ["20"]


def test_measures_of_the_raw_files(page: Path, music: Path) -> None:
    ranges = [float(np.ptp(read_notes(path).pitch)) for path in (music / "emopia" / "raw").glob("*.mid")]
    assert rows(block(page, "real-measures"))["EMOPIA's clips, at full length"][:2] == ["48", f"{np.mean(ranges):.3f}"]


def test_what_is_in_the_training_set_is_found(page: Path) -> None:
    found = rows(block(page, "real-copied"))["validation clips as performed"]
    assert float(found[1]) < 1
    assert found[2] == "1.0000"  # the unlabelled corpus holds these very files


def test_what_was_played_brings_clips_back(page: Path) -> None:
    found = {name: float(row[1]) for name, row in rows(block(page, "real-cost")).items()}
    dynamics = found["with the velocities and lengths that were played"]
    played = found["with the onsets that were played, too"]
    assert found["read as sixteenths"] > dynamics > played
    assert played == pytest.approx(1.0, abs=0.05)
    assert "100.00%" in block(page, "real-cost")
    assert {"`velocity_sd`", "`velocity_mean`"} & set(rows(block(page, "real-shifts")))  # one velocity on the grid


def test_a_matched_piece_becomes_its_performance(music: Path) -> None:
    score, played = real_grid.pairs(load_reference(music))[0]
    back = real_grid.as_timed(score, played)
    for name in ("onset", "duration", "pitch", "velocity"):
        np.testing.assert_array_equal(getattr(back, name), getattr(played, name))


def test_a_piece_that_was_not_played_stays_as_written(music: Path) -> None:
    score = read_grid(next((music / "emopia" / "beat").glob("*.mid")))
    other = NoteArray.of([0.0, 1.0], [1.0, 1.0], [20, 21], [64, 64])
    np.testing.assert_array_equal(real_grid.as_timed(score, other).onset, score.to_notes().onset)


def test_noise_moves_chords_together_and_notes_apart() -> None:
    notes = NoteArray.of(np.repeat(np.arange(1, 801), 2), np.full(1600, 0.3), np.tile([60, 64], 800), np.full(1600, 64))
    both = [real_grid.loosened(notes, *ms, np.random.default_rng(0)) for ms in ((20, 0), (0, 20))]
    lower, upper = both[0].onset[::2], both[0].onset[1::2]
    np.testing.assert_array_equal(lower, upper)
    assert np.std(lower - np.arange(1, 801)) == pytest.approx(0.02, rel=0.1)
    apart = [both[1].onset[both[1].pitch == pitch] - np.arange(1, 801) for pitch in (60, 64)]
    assert np.std(apart[0] - apart[1]) == pytest.approx(0.02 * 2**0.5, rel=0.1)


def test_a_flat_piece_has_one_velocity_and_the_same_notes() -> None:
    notes = NoteArray.of([0, 1], [1, 1], [60, 64], [30, 90])
    assert real.flat(notes).velocity.tolist() == [real.FLAT, real.FLAT]
    assert real.flat(notes).pitch is notes.pitch


def test_a_folder_without_emopia_changes_no_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert real.main(["--data", str(tmp_path), "--write", str(tmp_path / "page.md")]) == 1
    assert "no emopia/clips.csv" in capsys.readouterr().err
    assert not (tmp_path / "page.md").exists()


def test_the_page_shows_the_shipped_checkpoints(top: Path) -> None:
    shown = rows(block(top / "docs" / "recognisers.md", "real-reading"))
    for what in ("judge", "guide", "recogniser"):
        row = next(row for name, row in shown.items() if name.startswith(what) and name.endswith("(card)"))
        figures = json.loads((top / "checkpoints" / f"midi-{what}" / "config.json").read_text())["figures"]
        assert row[1:4] == [f"{figures[name]:.3f}" for name in ("quadrants", "arousal", "valence")], (
            "run: python -m affectgen.evaluate.real --data ../shared/data --write docs/recognisers.md"
        )


def test_the_page_shows_what_is_measured(top: Path, real_data: Path) -> None:
    assert real.measures(load_reference(real_data)) == block(top / "docs" / "recognisers.md", "real-measures")
