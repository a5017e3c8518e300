"""The last step: what a player decodes stays below the ceiling, of lossy files as well."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from affectgen.audio.finish import finish, spooled
from affectgen.audio.formats import Encoding, format_named
from affectgen.audio.level import Level
from affectgen.audio.loudness import true_peak
from affectgen.audio.spool import Spool


def plucks(rate, seconds=4.0):
    """Sharp onsets over quiet tones, whose peaks lossy formats do not give back as they were."""
    chance = np.random.default_rng(0)
    time = np.arange(round(seconds * rate)) / rate
    sound = 0.02 * np.sin(2 * np.pi * 220 * time)
    for begun in np.arange(0.1, seconds - 0.5, 0.25):
        length = round(0.2 * rate)
        first = round(begun * rate)
        sound[first : first + length] += chance.normal(size=length) * np.exp(-np.arange(length) / (0.01 * rate))
    return np.stack([sound, np.roll(sound, 40)], axis=1).astype(np.float32)


@pytest.mark.parametrize(("kind", "quality"), [
    ("mp3", "low"), ("ogg", "low"), ("opus", "low"), ("opus", "high"), ("wav", "normal"), ("flac", "normal"),
])  # fmt: skip
@pytest.mark.parametrize("ceiling", [-1.0, -3.0])
def test_what_is_decoded_stays_below_the_ceiling(tmp_path, kind, quality, ceiling):
    form = format_named(kind)
    encoding = Encoding(form, rate=form.rates[0], quality=quality)
    path = tmp_path / f"x.{kind}"
    with Spool(encoding.rate, 2) as spool:
        spooled([plucks(encoding.rate)], spool)
        done = finish(spool, Level(-14.0, ceiling), encoding, path)
        assert done.frames == spool.frames
    sound, _ = soundfile.read(path, dtype="float32", always_2d=True)
    peak = true_peak(sound)
    assert peak <= ceiling + 0.1
    assert peak == pytest.approx(done.facts["true_peak"], abs=0.05)
    assert peak > ceiling - 3, "no more is given away than needed"
    assert done.facts["ceiling"] == ceiling


def test_silence_has_no_peak_and_stays(tmp_path):
    encoding = Encoding(format_named("ogg"))
    with Spool(encoding.rate, 2) as spool:
        spool.write(np.zeros((encoding.rate, 2), dtype=np.float32))
        done = finish(spool, Level(), encoding, tmp_path / "x.ogg")
    assert (done.facts["true_peak"], done.facts["note"]) == (None, "silent")
