"""What there is to rate: folders, kinds by content and by name, texts."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.errors import AffectgenError
from affectgen.recognize.items import find_items, is_text, kind_of, text_of


def test_a_folder_stands_for_what_can_be_rated_in_it(tmp_path: Path) -> None:
    for name in ("b.mid", "a.wav", "sub/c.txt", "notes.pdf", ".hidden.mid", ".git/d.mid"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    found = [str(Path(item.name).relative_to(tmp_path)) for item in find_items([str(tmp_path)])]
    assert found == ["a.wav", "b.mid", "sub/c.txt"]


def test_a_folder_without_anything_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AffectgenError, match="holds no MIDI, audio or text"):
        find_items([str(tmp_path)])


def test_names_that_are_no_folders_are_kept_as_they_are() -> None:
    assert [item.name for item in find_items(["x.mid", "y"])] == ["x.mid", "y"]


def test_content_tells_more_than_the_suffix(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    path.write_bytes(b"MThd\0\0\0\6")
    assert kind_of(path) == "midi"
    assert kind_of(b"RIFF\0\0\0\0RMID") == "midi"
    assert kind_of(b"RIFF\0\0\0\0WAVEfmt ") == "audio"
    assert kind_of("MThd") == "text"
    for name, kind in (("a.txt", "text"), ("a.MID", "midi"), ("a.flac", "audio"), ("a", "text")):
        (tmp_path / name).write_text("so it is")
        assert kind_of(tmp_path / name) == kind
    with pytest.raises(AffectgenError, match="cannot be read"):
        kind_of(tmp_path / "none.mid")


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1))
def test_any_text_is_text_even_when_cut(text: str) -> None:
    data = text.encode()
    assert is_text(data)
    assert is_text(data[:-1]) or len(data) == 1 or len(data[:-1]) < 4


def test_bytes_that_are_no_text_are_told() -> None:
    assert not is_text(b"\x00\x01\x02")
    assert not is_text(b"\xff\xfe\xfd\xfc\xfb\xfa")
    with pytest.raises(AffectgenError, match="neither MIDI nor audio nor"):
        text_of(b"\xff\xfe\xfd\xfc")


def test_a_byte_order_mark_is_no_part_of_a_text() -> None:
    assert text_of(b"\xef\xbb\xbfwell") == "well"
