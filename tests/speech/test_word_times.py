"""The figure of word times: on synthesisers whose truth is made up."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import numpy as np
import pytest

from affectgen.errors import AffectgenError
from affectgen.evaluate.word_times import Said, by_espeak, by_flite, voices_here, word_times
from affectgen.speech.aligning.align import Aligner
from affectgen.speech.aligning.alignment import Alignment, Phone, Word
from affectgen.speech.editing import espeak


class Fixed(Aligner):
    """Finds each word half a second after the last."""

    def __init__(self) -> None:
        pass

    def unchecked(self) -> Fixed:
        return self

    def align(self, samples: object, rate: int, text: str) -> Alignment:
        words = [
            Word(word, n, 0.5 * n, 0.5 * n + 0.4, (Phone("AA", 0.5 * n, 0.5 * n + 0.4),))
            for n, word in enumerate(text.split())
        ]
        return Alignment(tuple(words), 0.5 * len(words))


def test_errors_of_beginnings_and_ends_are_counted() -> None:
    def voice(text: str) -> Said:
        return Said(np.zeros(1, np.float32), 16000, ((0, 0.01, 0.39), (1, 0.58, math.nan), (2, 0.97, 1.5)))

    found = word_times(Fixed(), {"it": voice}, ("one two three",))
    assert found.times == 5  # errors of 10, 10, 80, 30, 100 ms
    assert found.median == pytest.approx(0.030)
    assert found.within == pytest.approx(0.6)
    assert found.voices == {"it": (found.median, found.within)}


def test_espeak_states_most_words() -> None:
    if not espeak.library_there():
        pytest.skip("espeakng-loader is not installed")
    said = by_espeak("en-us", "the old clock in the kitchen stopped")
    numbers = [number for number, _, _ in said.words]
    starts = [start for _, start, _ in said.words]
    assert numbers == sorted(set(numbers))
    assert starts == sorted(starts)
    assert {0, 1, 2, 5, 6} <= set(numbers)


def test_flite_states_all_words() -> None:
    if shutil.which("flite") is None:
        pytest.skip("flite is not installed")
    said = by_flite("slt", "the old clock stopped")
    assert [number for number, _, _ in said.words] == [0, 1, 2, 3]
    assert all(start < end for _, start, end in said.words)


def test_without_any_synthesiser_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(espeak, "library_there", lambda: False)
    with pytest.raises(AffectgenError, match="synthesiser"):
        voices_here()
