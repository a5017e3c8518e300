"""Filling an index: once is enough, an interrupt loses little, and what cannot be read does not stop the rest."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from talking import RATE, talk

from affectgen.errors import AffectgenError
from affectgen.recognize.speech_corpus import LABELS
from affectgen.recognize.speech_features import describe
from affectgen.speech.converting.prosody import measure
from affectgen.speech.index import build
from affectgen.speech.index.build import fill, sound_sha256
from affectgen.speech.index.file import Entry, opened
from affectgen.speech.index.listing import GUIDE, Listed, listed


def stored(path: Path) -> list[Entry]:
    with opened(path) as index:
        return list(index.entries())


def test_a_clip_is_kept_as_it_is_measured(takes: Path, filled: Path) -> None:
    entries = stored(filled)
    assert len(entries) == 12
    one = next(entry for entry in entries if entry.name == "anna_anger_1.wav")
    samples, rate = soundfile.read(takes / one.name, dtype="float32")
    assert (one.speaker, one.sex, one.label, one.text) == ("anna", "f", "anger", "What is said.")
    assert (one.licence, one.language) == ("CC0-1.0", "en")
    assert one.prosody == pytest.approx(measure(samples, rate), rel=1e-3, abs=1e-3)
    assert one.heard == pytest.approx(describe(samples, rate).features, rel=1e-3, abs=1e-3, nan_ok=True)


def test_filling_again_reads_nothing(
    takes: Path, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(filled, tmp_path / "v.db"))
    monkeypatch.setattr(build, "read_entry", None)  # would be called for what is new
    told = fill(path, listed(takes), jobs=1)
    assert (told.new, told.known, told.doubled, told.refused) == (0, 12, 0, [])
    assert path.read_bytes() == filled.read_bytes()


def test_a_folder_that_grows_is_read_where_it_grew(takes: Path, filled: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(filled, tmp_path / "v.db"))
    soundfile.write(tmp_path / "new.flac", talk(pitch=170), RATE)
    shutil.copy(takes / "anna_anger_0.wav", tmp_path / "copy.wav")
    samples, rate = soundfile.read(takes / "bert_anger_0.wav", dtype="int16")
    soundfile.write(tmp_path / "same_sound.flac", samples, rate)
    names = ("new.flac", "copy.wav", "same_sound.flac")
    more = [Listed(tmp_path / name, name, "cora", feeling=listed(takes)[0].feeling) for name in names]
    told = fill(path, more, jobs=1)
    assert (told.new, told.known, told.doubled) == (1, 1, 1)
    assert stored(path)[-1].name == "new.flac"
    again = fill(path, more, jobs=1)
    assert (again.new, again.known, again.doubled) == (0, 3, 0)


def test_what_cannot_be_read_is_told_and_the_rest_is_kept(tmp_path: Path) -> None:
    sounds = {
        "silent.wav": np.zeros(RATE), "short.wav": talk()[:1000],
        "noise.wav": 0.1 * np.random.default_rng(0).normal(size=RATE),
        "long.wav": np.tile(talk(), 60), "nan.wav": np.full(RATE, np.nan, dtype=np.float32), "good.wav": talk(),
    }  # fmt: skip
    for name, samples in sounds.items():
        soundfile.write(tmp_path / name, samples, RATE, "FLOAT")
    (tmp_path / "text.wav").write_text("This is no sound.")
    feeling = build.Feeling("neutral", np.eye(len(LABELS))[LABELS.index("neutral")], np.zeros(2), "told")
    names = [*sounds, "text.wav", "missing.wav"]
    told = fill(tmp_path / "v.db", [Listed(tmp_path / name, name, "anna", feeling=feeling) for name in names], jobs=1)
    assert told.new == 1
    assert {name for name, _ in told.refused} == set(names) - {"good.wav"}
    assert all(why.endswith((".", "'")) and "Traceback" not in why for _, why in told.refused)
    assert [one.name for one in stored(tmp_path / "v.db")] == ["good.wav"]


def test_nothing_that_can_be_read_makes_no_index(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE), RATE)
    told = fill(tmp_path / "v.db", listed(tmp_path), jobs=1)
    assert (told.new, len(told.refused)) == (0, 1)
    assert not (tmp_path / "v.db").exists()


def test_the_guide_says_what_nobody_said(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", talk(), RATE)
    fill(tmp_path / "v.db", listed(tmp_path), jobs=1)
    (one,) = stored(tmp_path / "v.db")
    assert one.source == GUIDE
    assert one.shares.sum() == pytest.approx(1, abs=0.01)
    assert one.label == LABELS[int(one.shares.argmax())]


def test_the_hash_is_of_the_sound_and_its_rate() -> None:
    sound = talk()
    assert sound_sha256(sound, RATE) == sound_sha256(sound.copy(), RATE)
    assert len({sound_sha256(sound, RATE), sound_sha256(sound, 2 * RATE), sound_sha256(sound[:-1], RATE)}) == 3


def test_several_processes_find_the_same(takes: Path, filled: Path, tmp_path: Path) -> None:
    fill(tmp_path / "v.db", listed(takes, language="en"), jobs=2, added="2020-02-02")
    assert [one.sound for one in stored(tmp_path / "v.db")] == [one.sound for one in stored(filled)]


SLOW = """
import sys, time
from pathlib import Path
from affectgen.speech.index import build
from affectgen.speech.index.listing import listed

whole, build.TOGETHER = build.read_entry, 1
def slowly(work):
    time.sleep(0.15)
    return whole(work)
build.read_entry = slowly
print("begins", flush=True)
build.fill(Path(sys.argv[1]), listed(Path(sys.argv[2])), jobs=1, added="")
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupt_leaves_a_file_that_goes_on(takes: Path, tmp_path: Path, how: signal.Signals) -> None:
    path = tmp_path / "v.db"
    process = subprocess.Popen([sys.executable, "-c", SLOW, str(path), str(takes)], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)  # fmt: skip
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
        if path.is_file() and _count(path) >= 2:
            break
    process.send_signal(how)
    process.wait(30)
    if process.stdout is not None:
        process.stdout.close()
    half = _count(path)
    assert 2 <= half < 12
    told = fill(path, listed(takes), jobs=1)
    assert (told.new, told.known) == (12 - half, half)


def _count(path: Path) -> int:
    try:
        with opened(path) as index:
            return len(index)
    except AffectgenError:  # before its tables are there
        return 0
