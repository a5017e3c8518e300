from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from affectgen.errors import AffectgenError
from affectgen.evaluate.attributes import areas, main
from affectgen.evaluate.thresholds import Row, agreement, compare, measure, read_clips, report
from affectgen.score.attributes import ATTRIBUTES
from affectgen.score.midi import write_notes
from affectgen.score.notes import NoteArray

THRESHOLDS = np.array([a.threshold for a in ATTRIBUTES])


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Six clips of three songs in EMOPIA's layout; the table names a seventh whose file is not here."""
    raw = tmp_path / "emopia" / "raw"
    raw.mkdir(parents=True)
    lines = ["clip,song"]
    for number in range(7):
        lines.append(f"c{number},s{number // 2}")
        if number < 6:
            steps = np.arange(20)  # quarter notes of half a second
            notes = NoteArray.of(steps / 2, np.full(20, 0.5), 60 + (number + 3 * steps) % 24, 50 + steps)
            (raw / f"c{number}.mid").write_bytes(write_notes(notes))
    (tmp_path / "emopia" / "clips.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_a_row_says_how_near_the_median_is() -> None:
    bass = ATTRIBUTES[8]  # 0.27355
    assert Row(bass, 0.27355 * 1.029, 0.0).close
    assert not Row(bass, 0.27355 * 1.031, 0.0).close
    assert Row(bass, 0.27355 * 1.05, 0.27355 * 0.026).likely
    assert not Row(bass, 0.27355 * 1.05, 0.27355 * 0.024).likely
    row = Row(bass, 0.27355 * 1.05, 0.27355 * 0.024).markdown()
    assert row == "| 8 | Importance of Bass Register | 0.27355 | 0.28723 | +5.0 | 2.4 | no |"


def test_a_threshold_of_zero_asks_for_zero() -> None:
    rare = ATTRIBUTES[22]
    assert Row(rare, 0.0, 0.0).close
    assert not Row(rare, 1e-6, 0.0).close
    assert Row(rare, 0.0, 0.0).markdown().endswith("| 0 | 0 |  |  | yes |")


def test_medians_and_their_errors_by_song() -> None:
    # two songs of 3 and 1 clips, all alike within a song: the median is that of the larger one, or in a draw without it
    # (one in four) that of the other
    values = np.repeat([[1.0], [1.0], [1.0], [5.0]], 100, axis=1)
    rows = compare(values, ["a", "a", "a", "b"])
    assert [row.median for row in rows] == [1.0] * 100
    assert rows[0].error == pytest.approx(4 * np.sqrt(1 / 4 * 3 / 4), rel=0.2)


def test_the_report_counts() -> None:
    values = np.stack([THRESHOLDS, THRESHOLDS])
    text = report(compare(values, ["a", "b"]), 2, 4.0)
    assert len(text.splitlines()) == 2 + 100 + 2
    assert text.endswith(
        "2 clips, 4.0 ms each on one core. 100 of 100 medians lie within 3 % of the published threshold, 100 within "
        "3 % or within two standard errors by song."
    )


def test_the_command_prints_and_writes(small: Path, capsys) -> None:
    page = small / "page.md"
    assert main(["--data", str(small), "--write", str(page)]) == 0
    printed = capsys.readouterr().out
    first, second = printed.strip().split("\n\n| k |")  # the core attributes, then the hundred
    assert first in page.read_text()
    assert f"| k |{second}" in page.read_text()
    assert "6 clips" in printed
    assert "| 94 | Duration in Seconds | 39.585 | 10 |" in printed  # twenty quarters


def test_what_is_not_there_is_said(tmp_path: Path, capsys) -> None:
    assert main(["--data", str(tmp_path)]) == 1
    assert "clips.csv is not here" in capsys.readouterr().err
    (tmp_path / "emopia").mkdir()
    (tmp_path / "emopia" / "clips.csv").write_text("clip,song\na,b\n")
    with pytest.raises(AffectgenError, match="none of the clips"):
        agreement(tmp_path)


def test_emopias_medians_meet_the_published_thresholds(real_data: Path) -> None:
    clips = read_clips(real_data / "emopia")
    if len(clips) < 900:
        pytest.skip("EMOPIA's raw files are not here")
    values = np.stack([measure(path)[0] for path, _ in clips])
    rows = compare(values, [song for _, song in clips])
    far = [(row.attribute.title, row.median, row.attribute.threshold) for row in rows if not row.close]
    assert len(far) <= 13, far
    assert [row.attribute.title for row in rows if not row.likely] == []


def test_areas_under_the_curve() -> None:
    values = np.array([[1.0, 4.0, 1.0], [2.0, 3.0, 1.0], [3.0, 2.0, 1.0], [4.0, 1.0, 1.0]])
    positive = np.array([False, False, True, True])
    assert areas(values, positive).tolist() == [1.0, 0.0, 0.5]  # above all others, below them, all alike
    values[0, 0] = np.nan
    assert np.isnan(areas(values, positive)[0])
