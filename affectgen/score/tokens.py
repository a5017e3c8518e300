"""A MidiTok tokeniser that writes the project's compound words (`affectgen.score.words`).

For people whose tools speak MidiTok (Fradet et al., 2021): data loaders, its CLI, other models. Inside the project the
streams are arrays and this module is not needed; it is the only one that imports miditok, which takes seconds.

    tokenizer = CompoundWords()
    tokens = tokenizer(symusic.Score("piece.mid"))   # or a path; tokens.ids is the array of words.encode
    score = tokenizer(tokens)                        # a symusic.Score
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import miditok
import numpy as np
import symusic

from affectgen.score.beats import to_grid
from affectgen.score.grid import BAR
from affectgen.score.keys import MODES, PITCH_NAMES
from affectgen.score.midi import TICKS, open_midi, write_midi
from affectgen.score.words import (
    DURATIONS,
    FIELDS,
    HIGHEST_PITCH,
    LOWEST_PITCH,
    QUALITY_NAMES,
    SIZES,
    TEMPI,
    VELOCITY_STEP,
    Field,
    decode,
    encode,
)

PAD = "PAD_None"  # index 0 of every vocabulary: the field does not apply (a row of zeros pads a batch)
SUCCESSORS = {
    "Key": {"Bar"},
    "Bar": {"Bar", "Position", "End"},
    "Position": {"Pitch"},
    "Pitch": {"Pitch", "Position", "Bar", "End"},
    "End": set[str](),
}
# What a word of each kind must say, besides its family, and what it may say.
NEEDED = {"Key": {"key"}, "Bar": {"beat"}, "Position": {"beat"}, "Pitch": {"pitch", "duration", "velocity"}}
ALLOWED = {"Position": {"tempo", "chord"}}


def vocabularies() -> list[list[str]]:
    """The tokens of every field in the order of its indices from 1 on, one list a field in the order of FIELDS.

    Pitch is written as if the tonic were C, chord roots as semitones above the tonic (`Chord_7:M` is the dominant).
    """
    chords = [f"Chord_{root}:{quality}" for root in range(12) for quality in QUALITY_NAMES]
    return [
        ["Family_End", "Family_Key", "Family_Metric", "Family_Note"],
        ["Bar_None", *(f"Position_{position}" for position in range(BAR))],
        [f"Tempo_{tempo:.2f}" for tempo in TEMPI],
        ["Chord_None", *chords],
        [f"Pitch_{pitch}" for pitch in range(LOWEST_PITCH, HIGHEST_PITCH + 1)],
        [f"Duration_{length}" for length in DURATIONS.tolist()],
        [f"Velocity_{step * VELOCITY_STEP}" for step in range(1, SIZES["velocity"])],
        [f"Key_{tonic}:{mode}" for mode in MODES for tonic in PITCH_NAMES],
    ]


class CompoundWords(miditok.CPWord):  # type: ignore[misc]
    """Compound words of eight fields, one vocabulary each, numerically ordered: ids are the rows of `words.encode`.

    All pitched tracks become one stream. The vocabularies are fixed: of a TokenizerConfig only what MidiTok does
    around the stream matters, and special tokens are reduced to padding (the stream has its own end). Training a
    subword model on it is not supported, as for all of MidiTok's compound tokenisers.
    """

    def __init__(
        self, tokenizer_config: miditok.TokenizerConfig | None = None, params: str | Path | None = None
    ) -> None:
        super().__init__(tokenizer_config, params)
        self.one_token_stream = True
        self.time_division = TICKS

    def _tweak_config_before_creating_voc(self) -> None:
        self.config.special_tokens = [PAD]
        self.config.use_chords = self.config.use_tempos = self.config.use_velocities = True
        self.config.use_programs = self.config.use_rests = self.config.use_time_signatures = False
        super()._tweak_config_before_creating_voc()
        self.vocab_types_idx = {field.capitalize(): column for column, field in enumerate(FIELDS)}
        self.vocab_types_idx |= {"Bar": int(Field.BEAT), "Position": int(Field.BEAT)}

    def _create_base_vocabulary(self) -> list[list[str]]:
        return vocabularies()

    def _create_token_types_graph(self) -> dict[str, set[str]]:
        return {kind: set(after) for kind, after in SUCCESSORS.items()}

    def preprocess_score(self, score: symusic.Score) -> symusic.Score:
        """The score as it is: the grid does the quantising (`affectgen.score.beats.to_grid`)."""
        return score

    def encode(self, score: symusic.Score | Path | str, *args: Any, **kwargs: Any) -> miditok.TokSequence:
        """Tokenise a score or a file. MidiError if it is damaged or holds no pitched notes."""
        if isinstance(score, (str, Path)):
            score = open_midi(Path(score))
        return super().encode(score, *args, **kwargs)

    def _score_to_tokens(self, score: symusic.Score, attribute_controls_indexes: object = None) -> miditok.TokSequence:
        tokens = miditok.TokSequence(ids=encode(to_grid(score)).tolist())
        self.complete_sequence(tokens)
        return tokens

    def _tokens_to_score(self, tokens: miditok.TokSequence, programs: object = None) -> symusic.Score:
        """One piano track. WordError (a ValueError) where the stream is no piece; see `tokens_errors`."""
        self.complete_sequence(tokens)
        words = np.array(tokens.ids, dtype=np.int64).reshape(-1, len(FIELDS))
        return symusic.Score.from_midi(write_midi(decode(words)))

    def _tokens_errors(self, tokens: list[list[str]]) -> int:
        """How many words cannot stand where they stand: wrong kind, a field too few or too many, time standing still
        or a pitch struck twice in one onset."""
        errors, before, position = 0, "", -1
        struck: set[str] = set()
        for word in tokens:
            kind = kind_of(word)
            wrong = not _may_follow(before, kind) or not _is_complete(word, kind)
            if kind == "Bar":
                position = -1
            elif kind == "Position":
                here = int(word[Field.BEAT].split("_")[1])
                wrong = wrong or here <= position
                position, struck = here, set()
            elif kind == "Pitch":
                wrong = wrong or word[Field.PITCH] in struck
                struck.add(word[Field.PITCH])
            errors, before = errors + wrong, kind
        return errors


def kind_of(word: list[str]) -> str:
    """Key, Bar, Position, Pitch or End; PAD for padding and for a metrical word without its beat."""
    family = word[Field.FAMILY].split("_")[1]
    if family == "Metric":
        return word[Field.BEAT].split("_")[0]
    return {"Note": "Pitch", "None": "PAD"}.get(family, family)


def _may_follow(before: str, kind: str) -> bool:
    """Whether a word of a kind may stand after another, or first where `before` is empty; padding after the end."""
    if kind == "PAD":
        return before in ("End", "PAD")
    return before == "" or kind in SUCCESSORS.get(before, set())


def _is_complete(word: list[str], kind: str) -> bool:
    """Whether a word holds the fields of its kind and no others."""
    given = {field for field, token in zip(FIELDS[1:], word[1:], strict=True) if token != PAD}
    needed = NEEDED.get(kind, set())
    return needed <= given <= needed | ALLOWED.get(kind, set())
