"""Formats by name and by ending, and what cannot be asked of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

from affectgen.audio.files import is_audio_name
from affectgen.audio.formats import FORMATS, RATES, Encoding, Tags, format_named, format_of
from affectgen.errors import UsageError


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("a.WAV", "wav"), ("b/c.flac", "flac"), ("x.oga", "ogg"), ("x.y.opus", "opus"), ("m.Mp3", "mp3")],
)
def test_the_ending_names_the_format(name: str, wanted: str) -> None:
    assert format_of(Path(name)) is format_named(wanted.upper())


@pytest.mark.parametrize("name", ["out.xyz", "out", "wav", ".flac", "out.mid"])
def test_another_ending_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="has no ending that names a sound format") as caught:
        format_of(Path(name))
    assert all(one.suffixes[0] in caught.value.hint for one in FORMATS)


def test_another_name_is_refused() -> None:
    with pytest.raises(UsageError, match="'aac' is no format") as caught:
        format_named("aac")
    assert "opus" in caught.value.hint


def test_libsndfile_has_all_that_is_asked_of_it() -> None:
    for one in FORMATS:
        for subtype in one.subtypes.values():
            assert soundfile.check_format(one.container, subtype)
        assert all(is_audio_name(Path(f"a{suffix}")) for suffix in one.suffixes), "what is written can be read"


@pytest.mark.parametrize(
    ("name", "bits", "rate", "quality", "words"),
    [
        ("flac", "float", 44_100, "normal", "flac was asked for with 'float' bits"),
        ("wav", "8", 44_100, "normal", "wav was asked for with '8' bits"),
        ("mp3", "16", 44_100, "normal", "mp3 was asked for with '16' bits"),
        ("wav", None, 22_050, "normal", "wav was asked for at 22050"),
        ("opus", None, 44_100, "normal", "opus was asked for at 44100"),
        ("ogg", None, 48_000, "best", "'best' is no quality"),
    ],
)
def test_what_a_format_lacks_is_refused(name: str, bits: str | None, rate: int, quality: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        Encoding(format_named(name), bits, rate, quality)
    assert caught.value.hint


def test_bits_are_16_where_nothing_is_said_and_lossy_formats_have_none() -> None:
    assert {one.name: Encoding(one, rate=RATES[1]).depth for one in FORMATS} == {
        "wav": "16", "flac": "16", "ogg": "float", "opus": "float", "mp3": "float"
    }  # fmt: skip
    assert Encoding(format_named("flac"), "24").subtype == "PCM_24"


def test_channels_that_do_not_fit_are_refused() -> None:
    Encoding(format_named("wav")).check_channels(8)
    with pytest.raises(UsageError, match="mp3 holds 1 to 2 channels; 3 came"):
        Encoding(format_named("mp3")).check_channels(3)


def test_tags_end_at_a_zero_so_none_is_taken() -> None:
    assert Tags(artist="A").given() == [("artist", "A")]
    with pytest.raises(UsageError, match="The title holds a zero"):
        Tags(title="a\0b")
