"""Marked blocks of documents."""

from __future__ import annotations

from pathlib import Path

from affectgen.report.blocks import with_block, write_block


def test_a_block_is_replaced_and_the_rest_stays() -> None:
    text = "above\n<!-- a:begin -->\nold\n<!-- a:end -->\nbelow\n"
    assert with_block(text, "a", "new") == "above\n<!-- a:begin -->\nnew\n<!-- a:end -->\nbelow\n"


def test_a_missing_block_is_added_once() -> None:
    once = with_block("page\n", "a", "one")
    assert with_block(once, "a", "two").count("<!-- a:begin -->") == 1
    assert "two" in with_block(once, "a", "two")


def test_other_blocks_are_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    write_block(page, "a", "first")
    write_block(page, "b", "second")
    write_block(page, "a", "third")
    text = page.read_text()
    assert "third" in text
    assert "second" in text
    assert "first" not in text
