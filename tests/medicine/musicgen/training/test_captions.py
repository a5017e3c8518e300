"""Captions: the words of sessions' prompts, varied by seed and epoch alone."""

from __future__ import annotations

from affectgen.affect import Affect
from affectgen.medicine.musicgen.training.captions import PLAIN, VARIANTS, caption_of, varied_caption
from affectgen.medicine.musicgen.training.table import Track
from affectgen.medicine.plan import prompt_for

TRACK = Track("a.wav", Affect(0.6, -0.6), "a waltz", ("piano", "film", "slow"))


def test_a_full_caption_says_everything_in_the_words_of_prompts():
    said = caption_of(TRACK, "solo piano")
    assert said == f"a waltz, piano, film, slow, {prompt_for(Affect(0.6, -0.6), 'solo piano')}"
    assert caption_of(Track("b", Affect(0.6, -0.6)), "solo piano") == prompt_for(Affect(0.6, -0.6), "solo piano")
    assert caption_of(Track("b", None, "x", ("x", "y")), "") == "x, y"
    assert caption_of(Track("b"), "") == PLAIN


def test_varied_captions_repeat_with_seed_and_epoch_and_differ_otherwise():
    made = [varied_caption(TRACK, "", 1, epoch) for epoch in range(2 * VARIANTS)]
    assert made[:VARIANTS] == made[VARIANTS:]
    assert made == [varied_caption(TRACK, "", 1, epoch) for epoch in range(2 * VARIANTS)]
    assert len(set(made)) > 1
    assert made != [varied_caption(TRACK, "", 2, epoch) for epoch in range(2 * VARIANTS)]


def test_words_are_left_out_but_never_made_up():
    words = prompt_for(Affect(0.6, -0.6), "")
    tracks = [Track(f"{n}.wav", Affect(0.6, -0.6), "a waltz", ("piano", "film")) for n in range(300)]
    made = [varied_caption(track, "solo", 0, 0) for track in tracks]
    assert all(said.startswith("a waltz") and said.endswith("solo") for said in made)
    for part in (words, "piano", "film"):
        assert 0.6 < sum(part in said for said in made) / len(made) < 0.8
    known = {*words.split(", "), "a waltz", "piano", "film", "solo"}
    assert {part for said in made for part in said.split(", ")} == known
    assert varied_caption(Track("b"), "", 0, 0) == PLAIN
