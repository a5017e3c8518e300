"""Who says new words: the user's own command first, and nothing of it through a shell."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from affectgen.errors import AffectgenError, UsageError
from affectgen.speech.editing import donors, espeak
from affectgen.speech.editing.donors import CommandVoice, context_of, espeak_voice, find_synthesiser

SAYS = """import sys, wave
file = wave.open(sys.argv[2], "wb")
file.setparams((1, 2, 8000, 0, "NONE", ""))
file.writeframes(bytes(ord(c) for c in sys.argv[1]) * 200 * (2 - len(sys.argv[1]) % 2))
open(sys.argv[2] + ".said", "w").write(sys.argv[1]) if len(sys.argv) > 3 else None
"""


def command(tmp_path: Path, source: str = SAYS) -> str:
    script = tmp_path / "a voice.py"
    script.write_text(source)
    return f"{shlex.quote(sys.executable)} {shlex.quote(str(script))} {{text}} {{out}}"


def test_a_text_reaches_the_command_whole_and_no_shell_reads_it(tmp_path: Path) -> None:
    text = "It's \"me\"; $(touch evil) & `touch evil` {out} * %s"
    source = SAYS + f"\nassert sys.argv[1] == {text!r}, sys.argv"
    said = CommandVoice(command(tmp_path, source)).say(text, 100.0)
    assert said.rate == 8000
    assert len(said.samples) > 1000
    assert not (tmp_path / "evil").exists()
    assert not Path("evil").exists()


@pytest.mark.parametrize("template", ["say", "say {text}", "say {out}", "{text} {out}", "", "say '{text} {out}"])
def test_a_command_without_its_places_is_refused(template: str) -> None:
    with pytest.raises(UsageError, match="--tts"):
        CommandVoice(template)


@pytest.mark.parametrize(
    ("source", "message"),
    [("import sys; sys.exit('no licence')", "status 1: no licence"), ("", "wrote no sound"),
     ("import sys; open(sys.argv[2], 'w').write('x' * 100)", "not audio")],
)  # fmt: skip
def test_what_goes_wrong_is_said_in_a_sentence(tmp_path: Path, source: str, message: str) -> None:
    with pytest.raises(AffectgenError, match=message):
        CommandVoice(command(tmp_path, source)).say("hello", 100.0)


def test_a_command_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(donors, "PATIENCE", 0.3)
    with pytest.raises(AffectgenError, match="not done after"):
        CommandVoice(command(tmp_path, "import time; time.sleep(60)")).say("hello", 100.0)
    with pytest.raises(AffectgenError, match="could not be run"):
        CommandVoice("/nowhere/voice {text} {out}").say("hello", 100.0)


def test_silence_is_no_speech(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "quiet.wav", np.zeros(8000), 8000)
    source = f"import shutil, sys; shutil.copy({str(tmp_path / 'quiet.wav')!r}, sys.argv[2])"
    with pytest.raises(AffectgenError, match="silence"):
        CommandVoice(command(tmp_path, source)).say("hello", 100.0)


def test_the_order_is_the_users_command_then_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = find_synthesiser("my-voice {text} {out}")
    assert found is not None
    assert found.name == "my-voice"
    there = {"espeak-ng", "flite"}
    monkeypatch.setattr(donors.shutil, "which", lambda name: name if name in there else None)
    monkeypatch.setattr(espeak, "library_there", lambda: True)
    names = []
    for gone in ("espeak-ng", "flite", None):
        one = find_synthesiser()
        names.append(one.name if one is not None else "")
        there.discard(gone or "")
    assert names == ["espeak-ng", "flite", "espeak-ng (espeakng-loader)"]
    monkeypatch.setattr(espeak, "library_there", lambda: False)
    assert find_synthesiser() is None


def test_new_words_are_said_with_their_sentence() -> None:
    words = "go home . now we can all sleep in our own soft beds again tonight".replace(" .", "").split()
    ends = [word == "home" for word in words]
    assert context_of(words, 3, 4, ends) == (2, 10)  # from after the mark to six words on
    assert context_of(words, 0, 1, ends) == (0, 2)
    assert context_of(words, 11, 13, ends)[0] == 5


def test_deep_voices_get_a_deep_one() -> None:
    pitches = [espeak_voice(hertz)[1] for hertz in (60, 110, 150, 220, 400)]
    assert pitches == sorted(pitches)
    assert pitches[0] >= 0
    assert pitches[-1] <= 99
