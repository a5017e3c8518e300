"""Speech and pronunciations by espeak-ng, in a process of its own; what is said where there is none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from affectgen.errors import AffectgenError
from affectgen.speech.aligning.alignment import PHONES, SILENCE
from affectgen.speech.aligning.ipa import arpabet
from affectgen.speech.editing import espeak

needed = pytest.mark.skipif(not espeak.library_there(), reason="the extra tts is not installed")


@pytest.mark.parametrize(
    ("ipa", "phones"),
    [("tʃˈɑːklət", "CH AA K L AH T"), ("d͡ʒˈʌd͡ʒ", "JH AH JH"), ("vˈɪʒən", "V IH ZH AH N"), ("bˈʌɾɚ", "B AH T ER"),
     ("mˈɔːɹ", "M AO R"), ("fˈaɪɚ", "F AY ER"), ("", ""), ("☃", "")],
)  # fmt: skip
def test_ipa_becomes_arpabet(ipa: str, phones: str) -> None:
    assert arpabet(ipa) == tuple(phones.split())


@needed
def test_what_is_said_comes_with_its_times() -> None:
    said = espeak.synthesise("Hello world, this is a test.")
    assert [word for word, _, _ in said.words] == ["Hello", "world", "this", "is", "a", "test"]
    assert said.rate >= 16_000
    assert np.abs(said.samples).max() > 0.1
    reached = 0.0
    for name, start, end in said.phones:
        assert name in PHONES or name == SILENCE
        assert reached - 1e-9 <= start < end <= len(said.samples) / said.rate + 1e-9
        reached = start
    quiet = next(phone for phone in said.phones if phone[0] == SILENCE and phone[2] - phone[1] > 0.1)
    part = said.samples[round((quiet[1] + 0.05) * said.rate) : round(quiet[2] * said.rate)]
    assert np.abs(part).max() < 0.05  # the comma's pause is where it says


@needed
def test_voice_rate_and_pitch_are_obeyed() -> None:
    slow, fast = (len(espeak.synthesise("A longer sentence.", rate=rate).samples) for rate in (100, 250))
    assert slow > 1.5 * fast
    with pytest.raises(AffectgenError, match="no voice"):
        espeak.synthesise("Hello", voice="xx-none")
    assert espeak.phonemes("judge") == ("JH", "AH", "JH")  # and the process goes on after a fault


@needed
def test_nothing_to_say_is_an_error_and_no_silence() -> None:
    with pytest.raises(AffectgenError, match="said nothing"):
        espeak.synthesise("...")


@needed
def test_the_process_answers_bad_lines_and_stays(top: Path) -> None:
    words = [sys.executable, "-m", "affectgen.speech.editing.espeak_process"]
    lines = '{"nothing": 1}\nno json\n{"phones": "cat"}\n'
    done = subprocess.run(words, input=lines, capture_output=True, text=True, cwd=top, check=True, timeout=60)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert "ready" in answers[0]
    assert "error" in answers[1]
    assert "error" in answers[2]
    assert answers[3]["phones"] == "kˈæt"


def test_without_any_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak, "library_there", lambda: False)
    monkeypatch.setenv("PATH", "")
    assert not espeak.available()
    for ask in (lambda: espeak.synthesise("hello"), lambda: espeak.phonemes("hello")):
        with pytest.raises(AffectgenError, match="pip install espeakng-loader"):
            ask()
