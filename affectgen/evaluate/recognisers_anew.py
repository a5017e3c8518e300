"""The recognisers' figures measured anew, by the keys under which the fits left them in the checkpoints' configs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from affectgen.errors import AffectgenError

Figures = Mapping[str, Any]
Say = Callable[[str], None]
QUICK_CLIPS = 12  # of music, rendered and read
NEEDED = {
    "midi": "emopia/clips.csv", "music": "emopia/clips.csv", "speech": "emo_db/manifest.csv",
    "text": "text/emobank.csv",
}  # fmt: skip
CHECKPOINTS = {
    "midi": "midi-recogniser", "music": "music-guide", "speech": "speech-recogniser", "text": "text-recogniser",
}  # fmt: skip


def measure(kind: str, data: Path, cache: Path | None, quick: bool, say: Say) -> Figures:
    """The figures of one kind: "midi", "music", "speech" or "text". AffectgenError where the corpus is not there."""
    if not (data / NEEDED[kind]).is_file():
        raise AffectgenError(
            f"{data} has no {NEEDED[kind]} to measure the recogniser of {kind} on.",
            "Give --data a folder as docs/rating.md shows, or leave this kind out by --only.",
        )
    say(f"measuring the recogniser of {kind}")
    return _MEASURES[kind](data, cache, quick, say)


def _midi(data: Path, cache: Path | None, quick: bool, say: Say) -> Figures:
    from affectgen.recognize import held_out

    return held_out.measure(data, say, quick)


def _music(data: Path, cache: Path | None, quick: bool, say: Say) -> Figures:
    from affectgen.recognize import music_table

    most = QUICK_CLIPS if quick else None
    if cache is not None:
        return music_table.measure(data, cache, most, say)
    with tempfile.TemporaryDirectory() as folder:
        return music_table.measure(data, Path(folder), most, say)


def _speech(data: Path, cache: Path | None, quick: bool, say: Say) -> Figures:
    from affectgen.recognize import speech_figures

    return speech_figures.measure(data, say, cache, quick)


def _text(data: Path, cache: Path | None, quick: bool, say: Say) -> Figures:
    from affectgen.recognize import text_evaluate

    return text_evaluate.measure(data)


_MEASURES: dict[str, Callable[[Path, Path | None, bool, Say], Figures]] = {
    "midi": _midi, "music": _music, "speech": _speech, "text": _text,
}  # fmt: skip
