"""Tables as Markdown, and the command around them."""

from __future__ import annotations

from pathlib import Path

import pytest

from affectgen.errors import AffectgenError
from affectgen.evaluate.tables import Blocks, run, table


def measure(data: Path | None) -> Blocks:
    yield "one", "| first |"
    if data is None:
        raise AffectgenError("There is no data.", "Give --data.")
    yield "two", f"| {data} |"


def test_cells_by_hand() -> None:
    assert table(("", "n"), [["a", 2], ["b", 0.12349], ["c", None]]) == (
        "|  | n |\n|---|---|\n| a | 2 |\n| b | 0.123 |\n| c |  |"
    )


def test_blocks_are_printed_and_written_where_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    marks = "# Page\n\n<!-- two:begin -->{}\n<!-- two:end -->\n\nProse.\n\n<!-- one:begin -->{}\n<!-- one:end -->\n"
    page.write_text(marks.format("\nold", ""))
    assert run("about", measure, ["--data", "d"]) == 0
    assert "old" in page.read_text()
    assert run("about", measure, ["--data", "d", "--write", str(page)]) == 0
    assert capsys.readouterr().out == 2 * "| first |\n\n| d |\n\n"
    assert page.read_text() == marks.format("\n| d |", "\n| first |")


def test_what_fails_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("about", measure, []) == 1
    assert capsys.readouterr().err == "There is no data. Give --data.\n"
