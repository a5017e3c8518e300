"""What a person is told of a recording: every channel is looked at."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from talking import RATE, talk

from affectgen.speech import doubts as module
from affectgen.speech.doubts import clipped_share, doubts
from affectgen.speech.edited_file import Recording
from affectgen.speech.editing import espeak


def recording(*channels: np.ndarray) -> Recording:
    return Recording(np.stack(channels, axis=1).astype(np.float64), RATE, "FLOAT")


def test_a_fine_voice_raises_none() -> None:
    if not espeak.library_there():
        pytest.skip("espeakng-loader is not installed")
    said = espeak.synthesise("The meeting is on Monday morning at the office.", "en-us+f4")
    both = np.stack([said.samples, 0.5 * said.samples], axis=1).astype(np.float64)
    assert doubts(Recording(both, said.rate, "FLOAT")) == []


def test_silence_is_neither_music_nor_clipped() -> None:
    assert doubts(recording(np.zeros(RATE))) == []


@pytest.mark.parametrize("clipped", [0, 1])
def test_one_clipped_channel_is_enough(clipped: int) -> None:
    channels = [0.2 * talk(), 0.2 * talk()]
    channels[clipped] = np.clip(8 * talk(), -1, 1)  # the mean of the two is not at full scale anywhere
    assert np.abs(np.mean(channels, axis=0)).max() < 0.99
    assert any("clipped" in text for text in doubts(recording(*channels)))
    channels[clipped] = 0.2 * talk()
    assert not any("clipped" in text for text in doubts(recording(*channels)))


def test_music_is_told() -> None:
    time = np.arange(3 * RATE) / RATE
    notes = sum(np.sin(2 * np.pi * hertz * k * time) / k for hertz in (220.0, 277.2, 329.6) for k in range(1, 6))
    assert "music" in doubts(recording(0.1 * notes))[0]


@given(st.lists(st.integers(0, 40), min_size=1, max_size=3), st.sampled_from([7, 100, 1000]))
def test_the_worst_channel_counts_however_it_is_read(counts: list[int], block: int) -> None:
    channels = [np.r_[np.ones(count), np.zeros(40 - count)] for count in counts]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        assert clipped_share(recording(*channels)) == max(counts) / 40
