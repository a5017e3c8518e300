from __future__ import annotations

import hashlib
import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.audio import fonts
from affectgen.audio.fonts import ROWS, VARIABLE, check_font, find_font, font_digest
from affectgen.errors import AffectgenError


def chunk(name: str, data: bytes) -> bytes:
    return name.encode() + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


LISTS = ("INFO", "sdta", "pdta")


def font_of(sizes: dict[str, int] = ROWS, lists: tuple[str, ...] = LISTS, sound: str = "smpl") -> bytes:
    contents = {
        "INFO": chunk("ifil", struct.pack("<HH", 2, 1)) + chunk("INAM", b"odd"),
        "sdta": chunk(sound, bytes(101)),
        "pdta": b"".join(chunk(name, bytes(size)) for name, size in sizes.items()),
    }
    return chunk("RIFF", b"sfbk" + b"".join(chunk("LIST", name.encode() + contents[name]) for name in lists))


@pytest.fixture
def folders(tmp_path: Path, monkeypatch) -> list[Path]:
    """Two places that are searched, and no others."""
    found = [tmp_path / "sf2", tmp_path / "sf3"]
    for folder in found:
        folder.mkdir()
    monkeypatch.setattr(fonts, "FOLDERS", (tmp_path / "absent", *found))
    monkeypatch.setattr(fonts, "OWN_FOLDERS", ())
    monkeypatch.delenv(VARIABLE, raising=False)
    return found


def test_a_whole_font_passes(tmp_path: Path) -> None:
    path = tmp_path / "a.sf2"
    path.write_bytes(font_of())
    check_font(path)
    path.write_bytes(font_of() + b"behind the end")
    check_font(path)
    path.write_bytes(font_of({**ROWS, "pmod": 0, "imod": 20}))
    check_font(path)


def test_a_font_whose_odd_chunks_are_not_filled_up_passes(tmp_path: Path) -> None:
    """As sf3convert writes them, and Debian's MuseScore_General.sf3 is."""
    whole, sound = font_of(), bytes(101)
    odd = chunk("LIST", b"sdta" + chunk("smpl", sound))
    bare = b"LIST" + struct.pack("<I", 4 + 8 + 101) + b"sdta" + b"smpl" + struct.pack("<I", 101) + sound
    data = whole.replace(odd, bare)
    assert len(data) == len(whole) - 1
    path = tmp_path / "a.sf3"
    path.write_bytes(data[:4] + struct.pack("<I", len(data) - 8) + data[8:])
    check_font(path)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no SoundFont"),
        (b"RIFF\x04\0\0\0WAVE", "no SoundFont"),
        (b"MThd" + bytes(60), "no SoundFont"),
        (font_of(lists=("INFO", "sdta")), "lacks its chunk pdta"),
        (font_of(lists=("sdta", "pdta")), "lacks its chunk INFO"),
        (font_of(lists=("INFO", "pdta")), "lacks its chunk sdta"),
        (font_of(sound="smpx"), "holds no samples"),
        (font_of({**ROWS, "shdr": 47}), "its table shdr has 47 bytes"),
        (font_of({**ROWS, "phdr": 0}), "its table phdr has 0 bytes"),
        (font_of({name: size for name, size in ROWS.items() if name != "ibag"}), "lacks its table ibag"),
    ],
)
def test_what_is_no_whole_font_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "a.sf2"
    path.write_bytes(data)
    with pytest.raises(AffectgenError, match=words) as caught:
        check_font(path)
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_any_cut_is_found(tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("cut") / "a.sf2"
    whole = font_of()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(AffectgenError, match=r"cut short|no SoundFont"):
            check_font(path)


@given(data=st.data())
def test_a_changed_byte_is_refused_in_words_or_passes(tmp_path_factory, data) -> None:
    path = tmp_path_factory.getbasetemp() / "changed.sf2"
    changed = bytearray(font_of())
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(changed)
    with suppress(AffectgenError):
        check_font(path)


def test_a_missing_font_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AffectgenError, match="is not there"):
        check_font(tmp_path / "absent.sf2")
    with pytest.raises(AffectgenError, match="cannot be read"):
        check_font(tmp_path)


def test_what_is_given_comes_before_the_variable_and_the_system(folders, monkeypatch, tmp_path: Path) -> None:
    (folders[0] / "default-GM.sf2").touch()
    assert find_font() == folders[0] / "default-GM.sf2"
    monkeypatch.setenv(VARIABLE, str(tmp_path / "mine.sf2"))
    assert find_font() == tmp_path / "mine.sf2"
    assert find_font(Path("this.sf2")) == Path("this.sf2")
    monkeypatch.setenv(VARIABLE, "")
    assert find_font() == folders[0] / "default-GM.sf2"


def test_the_best_known_font_is_taken(folders) -> None:
    assert find_font() is None
    (folders[0] / "notes.txt").touch()
    (folders[0] / "gone.sf2").symlink_to(folders[0] / "nothing.sf2")
    assert find_font() is None
    order = [
        "zither.SF2", "piano.sf2", "TimGM6mb.sf2", "GeneralUser GS v1.471.sf2", "FluidR3_GM.sf2",
        "MuseScore_General.sf3", "default-GM.sf3",
    ]  # fmt: skip
    for place, name in enumerate(order):
        path = folders[place % 2] / name
        path.write_bytes(bytes(place))
        assert find_font() == path


def test_the_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.sf2"
    data = bytes(range(256)) * 5000
    path.write_bytes(data)
    assert font_digest(path) == hashlib.sha256(data).hexdigest()
    with pytest.raises(AffectgenError, match="cannot be read"):
        font_digest(tmp_path / "absent.sf2")
