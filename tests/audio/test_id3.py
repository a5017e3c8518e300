"""Tags of MP3: where they are, and that what follows is the same sound."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from affectgen.audio.formats import Encoding, Tags, format_named
from affectgen.audio.id3 import id3_tag
from affectgen.audio.write import write_sound

WORDS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=300)


def test_nothing_without_tags():
    assert id3_tag(Tags()) == b""


def test_by_hand():
    body = b"TIT2\0\0\0\x03\0\0\x03ab"
    assert id3_tag(Tags("ab")) == b"ID3\x04\0\0\0\0\0\x0d" + body
    assert id3_tag(Tags(comment="a" * 200))[10:20] == b"COMM\0\0\x01\x4d\0\0"  # 205 = 1 * 128 + 77


@given(WORDS, WORDS, WORDS)
def test_its_sizes_add_up(title, artist, comment):
    data = id3_tag(Tags(title, artist, comment))
    if not data:
        return
    assert max(data[6:10]) < 128
    assert sum(byte << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=True)) == len(data) - 10
    place, found = 10, []
    while place < len(data):
        length = sum(byte << s for byte, s in zip(data[place + 4 : place + 8], (21, 14, 7, 0), strict=True))
        found.append(data[place + 10 : place + 10 + length])
        place += 10 + length
    assert place == len(data)
    assert [body.removeprefix(b"\x03").removeprefix(b"und\0").decode() for body in found] == [
        text for text in (title, artist, comment) if text
    ]


@pytest.mark.parametrize("quality", ["low", "high"])
@pytest.mark.parametrize("comment", ["short", "long " * 400, "Glück – 幸福"])
def test_they_come_first_and_the_sound_after_them_is_the_same(tmp_path, quality, comment):
    sound = (np.random.default_rng(0).normal(size=(30_000, 2)) * 0.1).astype(np.float32)
    tags = Tags("Happy", "me", comment)
    for name, one in (("plain", Tags()), ("tagged", tags)):
        write_sound(tmp_path / name, [sound], Encoding(format_named("mp3"), quality=quality, tags=one))
    plain, tagged = ((tmp_path / name).read_bytes() for name in ("plain", "tagged"))
    assert tagged == id3_tag(tags) + plain
    with soundfile.SoundFile(tmp_path / "tagged") as file:
        assert (file.title, file.artist, file.comment, file.frames) == ("Happy", "me", comment, 30_000)
