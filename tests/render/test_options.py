"""Options that check their own values."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from affectgen.errors import UsageError
from affectgen.render.options import RenderOptions
from affectgen.task import options_from


@pytest.mark.parametrize(("more", "said"), [
    ({"sources": ()}, "Nothing was given"), ({"renderer": "organ"}, "no renderer"), ({"reverb": "cave"}, "no reverb"),
    ({"curve": "s"}, "no curve"), ({"renderer": "piano", "soundfont": "x.sf2"}, "has its own"),
    ({"overlap": -1.0}, "0 to 60"), ({"overlap": math.nan}, "0 to 60"), ({"format": "aiff"}, "no format"),
    ({"format": "mp3", "bits": "16"}, "has not"), ({"rate": 8000}, "8000 samples"), ({"quality": "best"}, "no quality"),
    ({"loudness": 0.0}, "-70 to -5"), ({"loudness": math.nan}, "-70 to -5"), ({"ceiling": 0.5}, "-20 to 0"),
    ({"title": "a\0b"}, "zero character"), ({"comment": "\udcff"}, "no text in UTF-8"),
])  # fmt: skip
def test_what_cannot_be(more, said):
    with pytest.raises(UsageError, match=said):
        RenderOptions(**{"sources": (b"MThd",), **more})


@pytest.mark.parametrize(("format_", "rate"), [("wav", 44_100), ("opus", 48_000), ("mp3", 44_100)])
def test_the_usual_rate_is_the_formats(format_, rate):
    assert RenderOptions((b"",), format=format_).encoding.rate == rate


def test_they_come_back_from_a_manifest():
    made = options_from(RenderOptions, {"sources": ["a.mid", b"MThd"], "loudness": None, "overlap": 0.0})
    assert made.sources == (Path("a.mid"), b"MThd")
    assert made.level.loudness is None
