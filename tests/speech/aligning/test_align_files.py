"""Alignments as JSON, TextGrid and captions."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.speech.aligning.align_files import LINE, LINES, captions, format_of, text_grid, written
from affectgen.speech.aligning.alignment import Alignment, Phone, Word

TEXT = 'She said: "Don\'t -- stop!" Then, after a while, the "old" clock (in the hall) struck twelve; nobody heard it.'


def aligned(words: list[str], step: float = 0.4, pause_after: int = -1) -> Alignment:
    """Each word lasts `step`, of two phones; a pause of 1 s after one of them."""
    found, at = [], 0.2
    for index, text in enumerate(words):
        phones = (Phone("AA", at, at + step / 2), Phone("S", at + step / 2, at + step))
        found.append(Word(text, index, at, at + step, phones))
        at += step + (1.0 if index == pause_after else 0.0)
    return Alignment(tuple(found), at + 0.5)


def test_json_holds_all() -> None:
    given_one = aligned(["one", "“two”"])
    assert Alignment.from_json(json.loads(written(given_one, "json"))).words[1].text == "“two”"


def test_a_text_grid_is_read_by_praat(tmp_path: Path) -> None:
    parselmouth = pytest.importorskip("parselmouth")
    path = tmp_path / "a.TextGrid"
    alignment = aligned(["she", 'sa"id', "café"], pause_after=1)
    path.write_text(text_grid(alignment), encoding="utf-8")
    grid = parselmouth.read(str(path))
    call = parselmouth.praat.call
    assert call(grid, "Get number of tiers") == 2
    assert call(grid, "Get total duration") == pytest.approx(alignment.seconds)
    labels = [call(grid, "Get label of interval", 1, n + 1) for n in range(call(grid, "Get number of intervals", 1))]
    assert labels == ["", "she", 'sa"id', "", "café", ""]
    assert call(grid, "Get start time of interval", 1, 5) == pytest.approx(alignment.words[2].start)
    phones = [call(grid, "Get label of interval", 2, n + 1) for n in range(call(grid, "Get number of intervals", 2))]
    assert phones == ["", "AA", "S", "AA", "S", "", "AA", "S", ""]


def blocks(text: str) -> list[tuple[float, float, list[str]]]:
    """(start, end, lines) of each caption, numbers checked."""
    found = []
    for number, block in enumerate(text.strip().split("\n\n"), start=1):
        first, times, *lines = block.split("\n")
        assert first == str(number)
        clock = re.fullmatch(r"(\d\d):(\d\d):(\d\d),(\d{3}) --> (\d\d):(\d\d):(\d\d),(\d{3})", times)
        assert clock is not None
        parts = [int(part) for part in clock.groups()]
        start, end = (3600 * h + 60 * m + s + ms / 1000 for h, m, s, ms in (parts[:4], parts[4:]))
        found.append((start, end, lines))
    return found


def test_captions_keep_the_punctuation() -> None:
    from affectgen.speech.aligning.transcript import words_of

    found = blocks(captions(aligned(words_of(TEXT)), TEXT))
    assert " ".join(" ".join(lines) for _, _, lines in found) == TEXT
    assert found[0][2][-1].endswith('stop!"')  # a sentence ends a caption


def test_captions_break_at_pauses() -> None:
    found = blocks(captions(aligned(["one", "two", "three", "four"], 0.2, pause_after=1)))
    assert [lines for _, _, lines in found] == [["one two"], ["three four"]]
    assert found[0][1] < found[1][0]


@given(st.lists(st.from_regex(r"[a-z]{1,12}", fullmatch=True), min_size=1, max_size=60), st.floats(0.05, 1.5))
def test_captions_are_short_and_in_order(words: list[str], step: float) -> None:
    found = blocks(captions(aligned(words, step), " ".join(words)))
    assert [word for _, _, lines in found for line in lines for word in line.split()] == words
    for (start, end, lines), after in zip(found, [*found[1:], (float("inf"), 0.0, [])], strict=True):
        assert start < end <= after[0] + 0.001
        assert len(lines) <= LINES
        assert all(len(line) <= LINE for line in lines)


def test_names_tell_the_format() -> None:
    assert [format_of(Path(name)) for name in ("a.TextGrid", "b.SRT", "c.json", "d.txt")] == [
        "textgrid", "srt", "json", None
    ]  # fmt: skip
