"""The states of captions: as the model itself computes them, once each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from affectgen.medicine.musicgen.training.base import encode_text
from affectgen.medicine.musicgen.training.text import TextStates


class Counting:
    def __init__(self, music: Any) -> None:
        self.music, self.seen = music, []

    def __call__(self, captions: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
        self.seen += captions
        return encode_text(self.music, captions)


def test_states_are_the_models_own(music: Any):
    captions = ["solo piano", "calm", "", "sad slow strings of a calm piano"]
    states, mask = TextStates(lambda texts: encode_text(music, texts))(captions)
    nothing = torch.zeros(4, 2), torch.zeros(4, dtype=torch.bool)
    with torch.no_grad():
        own, own_mask = music.states(captions, *nothing)
    assert torch.allclose(states, own * mask[..., None], atol=1e-6)
    assert states[0].abs().max() > 0.1
    assert mask[[0, 1, 3]].tolist() == own_mask[[0, 1, 3]].tolist()
    assert not states[2].any()
    assert not mask[2].any()


def test_each_caption_is_encoded_once_while_there_is_room(music: Any):
    count = Counting(music)
    text = TextStates(count)
    first, _ = text(["calm", "calm", "sad"])
    again, _ = text(["sad", "calm", "calm", ""])
    assert count.seen == ["calm", "sad"]
    assert torch.equal(first[2], again[0])
    size = first[0].numel()
    small = TextStates(count, most=2 * size)
    for word in ("calm", "sad", "calm", "happy", "calm", "sad"):
        small([word])
    assert count.seen[2:] == ["calm", "sad", "happy", "sad"]  # what was used longest ago makes room


def test_a_batch_without_any_words(music: Any):
    states, mask = TextStates(lambda texts: encode_text(music, texts))(["", ""])
    assert states.shape == (2, 1, music.shape.dim)
    assert not states.any()
    assert not mask.any()
