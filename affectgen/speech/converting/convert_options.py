"""What can be asked of the task `speech convert`. A frozen dataclass that checks its own values; nothing heavy is
imported.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from affectgen.audio.formats import QUALITIES, format_named
from affectgen.audio.options import one_of
from affectgen.errors import UsageError
from affectgen.speech.converting.convert import METHODS, MOST_TRIES
from affectgen.speech.converting.converters import SOCKET
from affectgen.speech.target import target_of

STRONGEST = 2.0


@dataclass(frozen=True)
class ConvertOptions:
    """One recording to give another emotion.

    source: the recording; affect: the emotion, a word such as "sad", "happy:0.5" or a point; strength: 0 for an exact
    copy, 1 for what the emotion's typical speakers do; method: of METHODS; tries: grades that the emotion space
    chooses among; baseline: the speaker's neutral voice, None where the recording is neutral itself; index: a database
    of voices, None for the shipped one; engine: an installed converter, None for the one built in, which alone knows
    methods, tries and an index; format: of the result, quality: of a lossy one.

    AffectError for an affect that is none; UsageError for a strength out of range, another method, engine, format or
    quality, and an index that is no file.
    """

    source: Path | bytes
    affect: str
    strength: float = 1.0
    method: str = METHODS[0]
    tries: int = MOST_TRIES
    baseline: Path | bytes | None = None
    index: Path | bytes | None = None
    engine: str | None = None
    format: str = "wav"
    quality: str = "normal"

    def __post_init__(self) -> None:
        if ">" in self.affect:
            text = f"A path came, {self.affect}, and a recording is given one emotion."
            raise UsageError(text, "Give a word (sad) or a point (-0.6,-0.4).")
        target_of(self.affect)
        if not (math.isfinite(self.strength) and 0 <= self.strength <= STRONGEST):
            raise UsageError(f"A strength of {self.strength} was asked for.", f"Use 0 to {STRONGEST:g}.")
        one_of("method", self.method, METHODS)
        if not 1 <= self.tries <= MOST_TRIES:
            raise UsageError(f"{self.tries} tries were asked for.", f"Use 1 to {MOST_TRIES}.")
        if isinstance(self.index, bytes):
            raise UsageError("An index of voices came through a pipe.", "Give a file: --index voices.db")
        if self.index is not None and self.method != "retrieved":
            text = f"An index came with the method {self.method}, which reads none."
            raise UsageError(text, "Leave one of them out.")
        if self.engine is not None:
            SOCKET.find(self.engine)
            self._check_alone(self.engine)
        format_named(self.format)
        one_of("quality", self.quality, QUALITIES)

    def _check_alone(self, engine: str) -> None:
        """UsageError where something came with an installed converter that only the built-in one knows."""
        built_in = {"method": METHODS[0], "tries": MOST_TRIES, "index": None}
        given = [name for name, usual in built_in.items() if getattr(self, name) != usual]
        if given:
            text = f"--{given[0]} came with --engine {engine}; it is for the built-in converter."
            raise UsageError(text, "Leave one of them out.")
