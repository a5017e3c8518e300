"""What can be asked of the task `speech edit`: a frozen dataclass that checks its own values. Nothing heavy is
imported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from affectgen.audio.formats import QUALITIES, format_named
from affectgen.audio.options import one_of
from affectgen.errors import UsageError

AUTO, KEEP = "auto", "keep"


@dataclass(frozen=True)
class EditOptions:
    """One recording to edit.

    source: the recording; text: what is said in it; to: what is to be said; affect: "auto" (the emotion that the new
    text has, where it is another than the old one's), "keep" (that of the recording) or an affect such as "happy",
    "0.5,0.3"; tts: a command that says new words, with {text} and {out}; engine: an installed editor, None for the one
    built in; format: of the result, quality: of a lossy one; seed.

    UsageError for an empty text, an affect that is none, a command without its places, an unknown format or quality.
    """

    source: Path | bytes
    text: str
    to: str
    affect: str = AUTO
    tts: str | None = None
    engine: str | None = None
    format: str = "wav"
    quality: str = "normal"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, text in (("old", self.text), ("new", self.to)):
            if not any(letter.isalnum() for letter in text):
                raise UsageError(f"The {name} text holds no word.", "Give the words as they are spoken.")
        if self.affect not in (AUTO, KEEP):
            from affectgen.affect import Affect

            Affect.parse(self.affect)
        if self.tts is not None:
            from affectgen.speech.editing.donors import CommandVoice

            CommandVoice(self.tts)
        if self.tts is not None and self.engine is not None:
            raise UsageError("--tts and --engine exclude each other.", "Give one of them.")
        format_named(self.format)
        one_of("quality", self.quality, QUALITIES)
