"""`affectgen evaluate speech`: alignment, editing, conversion and correction in one table, with what stands beside.

Figures of emotion and of speakers are of speakers that nothing here was fitted on (`affectgen.speech.split`); the judge
and the verifier of speakers measure and choose nothing. What cannot be measured stands in the table without a value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from affectgen.errors import AffectgenError
from affectgen.evaluate import speech_rows as rows
from affectgen.evaluate.figures import Figure, Report

Say = Callable[[str], None]
PARTS = ("align", "edit", "convert", "correct")
HEADS = {"baseline": "MARY's rules", "real": "natural speech"}


@dataclass(frozen=True)
class Settings:
    """sources: neutral recordings of each speaker that are converted; words: to rebuild, and as many to replace;
    splices: inconsistent edits to correct; parts: of PARTS; seed; quick: a few of everything."""

    sources: int = 5
    words: int = 40
    splices: int = 60
    parts: tuple[str, ...] = PARTS
    seed: int = 1000
    quick: bool = False


def run(data: Path, settings: Settings, jobs: int, say: Say) -> Report:
    """Measure all parts. AffectgenError where there is no folder `data`."""
    if not data.is_dir():
        raise AffectgenError(f"The folder {data} is not there.", "Give the one with crema_d/, emo_db/ and ljspeech/.")
    measures: dict[str, Callable[[], list[Figure]]] = {
        "align": lambda: rows.aligned(settings.quick),
        "edit": lambda: rows.edited(data / "ljspeech", settings.words, settings.seed),
        "convert": lambda: rows.converted(data, settings.sources, settings.quick, settings.seed, jobs, say),
        "correct": lambda: rows.corrected(data, settings.splices, settings.seed),
    }
    figures: list[Figure] = []
    for part in settings.parts:
        say(f"{part}: measuring")
        figures += measured(part, measures[part], say)
    about = {
        "sources a speaker": settings.sources, "words": settings.words, "splices": settings.splices,
        "seed": settings.seed,
    }  # fmt: skip
    if settings.quick:
        about["quick"] = True
    return Report("Speech", about, figures, heads=HEADS)


def measured(part: str, measure: Callable[[], list[Figure]], say: Say) -> list[Figure]:
    """The figures of a part; where it cannot be measured, its bars without values, and why."""
    try:
        return measure()
    except (AffectgenError, ImportError) as error:
        why = f"not measured: {error.message if isinstance(error, AffectgenError) else error}"
        say(f"{part}: {why}")
        return unmeasured(rows.BARS[part], why)


def unmeasured(bars: Sequence[Figure], why: str) -> list[Figure]:
    """Bars without values."""
    return [replace(bar, note=why) for bar in bars]
