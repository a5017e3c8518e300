"""The tiny text encoder's words: all that prompts of sessions are made of, and those of the captions it learns from."""

from __future__ import annotations

import re
from typing import Any

from affectgen.affect.words import ALIASES, words
from affectgen.medicine.options import PlanOptions
from affectgen.medicine.plan import PACES, TURNS

PAD, END, UNKNOWN = "<pad>", "</s>", "<unk>"
PIECES = re.compile(r"\w+|[^\w\s]+")  # as the tokenizer below splits
NOTES = "C C# D D# E F F# G G# A A# B"


def vocabulary() -> list[str]:
    """Words and marks in lower case, sorted, after the three special ones."""
    texts = [f"solo piano, {NOTES} major minor", PlanOptions.style, *(word.name for word in words()), *ALIASES]
    texts += [part for _, *parts in (*PACES, *TURNS) for part in parts]
    return [PAD, END, UNKNOWN, *sorted({piece for text in texts for piece in PIECES.findall(text.lower())})]


def make_tokenizer() -> Any:
    """transformers' PreTrainedTokenizerFast over `vocabulary`; a text ends with END, as T5's do."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    numbers = {word: number for number, word in enumerate(vocabulary())}
    made = Tokenizer(models.WordLevel(numbers, unk_token=UNKNOWN))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(single=f"$A {END}", special_tokens=[(END, numbers[END])])
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token=PAD, eos_token=END, unk_token=UNKNOWN, model_max_length=64,
    )  # fmt: skip
