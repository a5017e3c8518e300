"""The tiny text encoder's tokenizer knows all that sessions say."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from affectgen.affect import Affect
from affectgen.medicine.musicgen.small.words import NOTES, UNKNOWN, make_tokenizer, vocabulary
from affectgen.medicine.options import PlanOptions
from affectgen.medicine.plan import prompt_for

TOKENIZER = make_tokenizer()
UNIT = st.floats(-1, 1)


@settings(max_examples=100, deadline=None)
@given(UNIT, UNIT)
def test_no_word_of_a_prompt_is_unknown(valence, arousal):
    numbers = TOKENIZER(prompt_for(Affect(valence, arousal), PlanOptions.style)).input_ids
    assert TOKENIZER.unk_token_id not in numbers
    assert numbers[-1] == TOKENIZER.eos_token_id


def test_keys_are_told_apart_and_other_words_are_unknown():
    said = [tuple(TOKENIZER(f"solo piano, {note} {mode}").input_ids) for note in NOTES.split() for mode in
            ("major", "minor")]  # fmt: skip
    assert len(set(said)) == 24
    assert TOKENIZER.convert_ids_to_tokens(TOKENIZER("Zeppelin").input_ids)[0] == UNKNOWN


def test_words_are_there_once_and_transformers_reads_the_tokenizer_back(tmp_path):
    assert len(set(vocabulary())) == len(vocabulary()) == len(TOKENIZER)
    TOKENIZER.save_pretrained(tmp_path)
    text = "Happy, very slow, solo piano, F# minor"
    assert AutoTokenizer.from_pretrained(tmp_path)(text).input_ids == TOKENIZER(text).input_ids
