"""The task `speech edit` as the upper floors know it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from affectgen.speech.editing.edit_options import AUTO, KEEP, EditOptions
from affectgen.task import Result

if TYPE_CHECKING:
    from affectgen.speech.aligning.align import Aligner
    from affectgen.speech.edited_file import Recording
    from affectgen.speech.editing.edit import Edited
    from affectgen.speech.editing.engines import Engine
    from affectgen.speech.target import Target

COMMENT = "edited with affectgen speech edit"
APART = 0.3  # of the plane: texts nearer to each other, with one label, are taken to have one emotion


@dataclass(frozen=True)
class EditTask:
    """`speech edit`. It runs on the CPU; an engine may use another device."""

    name: str = "speech edit"
    options: type[Any] = EditOptions

    def load(self, checkpoint: str | None, device: str) -> EditRunner:
        """Nothing is read before the first recording."""
        return EditRunner(device)


@dataclass(frozen=True)
class EditRunner:
    """Edits one recording after the other."""

    device: str = "cpu"

    def run(self, options: Sequence[EditOptions]) -> list[Result]:
        """One file for each."""
        return [self._one(option) for option in options]

    @cached_property
    def _aligner(self) -> Aligner:
        """Read once."""
        from affectgen.speech.aligning.align import Aligner

        return Aligner()

    @cached_property
    def _engines(self) -> dict[str, Engine]:
        """Installed engines by their names, each read once."""
        return {}

    def _engine(self, option: EditOptions) -> Engine:
        """What says new words."""
        from affectgen.speech.editing.builtin import BuiltIn
        from affectgen.speech.editing.donors import find_synthesiser
        from affectgen.speech.editing.engines import load_engine

        if option.engine is None:
            return BuiltIn(self._aligner, find_synthesiser(option.tts))
        if option.engine not in self._engines:
            self._engines[option.engine] = load_engine(option.engine, self.device)
        return self._engines[option.engine]

    def _one(self, option: EditOptions) -> Result:
        from affectgen.audio.formats import format_named
        from affectgen.speech.doubts import doubts
        from affectgen.speech.edited_file import encoded, read_recording
        from affectgen.speech.editing.differ import changes_between, tokens_of

        recording, kind = read_recording(option.source), format_named(option.format)
        if not changes_between(tokens_of(option.text), tokens_of(option.to)):
            return _unchanged(option, recording)
        target = wanted(option)
        began = time.perf_counter()
        engine = self._engine(option)
        made, facts = self._edited(option, recording, engine, target)
        seconds = time.perf_counter() - began
        data, notes = encoded(made.recording, kind, COMMENT, option.quality)
        details = {
            "seconds": round(made.recording.seconds, 3), "seconds_before": round(recording.seconds, 3),
            "rate": recording.rate, "channels": recording.stored.shape[1], "engine": engine.name,
            "edits": [one.to_json() for one in made.edits], "correction": facts,
            "words": [[word.text, round(word.start, 3), round(word.end, 3)] for word in made.alignment.words],
            "real_time_factor": round(seconds / recording.seconds, 3), "warnings": [*doubts(recording), *notes],
        }  # fmt: skip
        asked = None if target is None else target.affect.to_json()
        return Result(
            data=data, suffix=kind.suffixes[0], asked=asked, measured={}, details=details, checkpoint={},
            summary=tuple(_summary(details)),
        )  # fmt: skip

    def _edited(
        self, option: EditOptions, recording: Recording, engine: Engine, target: Target | None
    ) -> tuple[Edited, dict[str, Any] | None]:
        """The edited recording, the emotion of its new words corrected where one is asked for, and what was done."""
        from affectgen.speech.editing.edit import edited

        affect = None if target is None else target.affect
        made = edited(recording, option.text, option.to, self._aligner, engine, affect, option.seed)
        return (made, None) if target is None else felt(made, target, option.seed)


def wanted(option: EditOptions) -> Target | None:
    """The emotion that the new words are to have; None to follow the recording.

    "auto" asks for the new text's, where it is another than the old text's: another label, or a point farther than
    APART; the rest is what the speaker made of the old text already.
    """
    from affectgen.speech.target import target_of, target_of_text

    if option.affect == KEEP:
        return None
    if option.affect != AUTO:
        return target_of(option.affect)
    old, new = target_of_text(option.text), target_of_text(option.to)
    same = old.label == new.label and old.affect.distance(new.affect) < APART
    return None if same else new


def felt(made: Edited, target: Target, seed: int = 0) -> tuple[Edited, dict[str, Any] | None]:
    """The edited recording whose new words have the target's emotion, and what was done to them. Seams stay as they
    are: only what lies REACH inside them is changed."""
    from affectgen.speech.correcting.correct import SHORTEST, CorrectSettings, corrected_recording
    from affectgen.speech.editing.seams import REACH

    places = [one for one in made.edits if one.edit.added and one.end - one.start - 2 * REACH >= SHORTEST]
    spans = [(one.start + REACH, one.end - REACH) for one in places]
    if not spans:
        return made, None
    settings = CorrectSettings(seed=seed)
    new, found = corrected_recording(made.recording, made.alignment, spans, target, settings)
    rate, edits, moved = made.recording.rate, [], 0.0
    for one in made.edits:
        start = one.start + moved
        inside = [patch for patch in found.patches if one.start * rate - 1 <= patch.start < one.end * rate]
        moved += sum(len(patch.sound) - (patch.end - patch.start) for patch in inside) / rate
        edits.append(replace(one, start=start, end=one.end + moved))
    alignment = made.alignment if found.alignment is None else found.alignment
    facts = {**target.affect.to_json(), "label": target.label, **found.facts}
    return replace(made, recording=new, alignment=alignment, edits=tuple(edits)), facts


def _unchanged(option: EditOptions, recording: Recording) -> Result:
    """Texts of the same words: the file as it is, byte for byte where it keeps its format."""
    from pathlib import Path

    from affectgen.audio.formats import format_named
    from affectgen.speech.edited_file import encoded, format_of_file

    kind, notes = format_named(option.format), list[str]()
    if format_of_file(option.source) == kind.container:
        data = option.source.read_bytes() if isinstance(option.source, Path) else option.source
    else:
        data, notes = encoded(recording, kind, "", option.quality)
    details = {
        "seconds": round(recording.seconds, 3), "seconds_before": round(recording.seconds, 3),
        "rate": recording.rate, "channels": recording.stored.shape[1], "edits": [], "warnings": notes,
    }  # fmt: skip
    summary = ("The two texts have the same words: nothing was edited.", *(f"Warning: {text}" for text in notes))
    return Result(
        data=data, suffix=kind.suffixes[0], asked=None, measured={}, details=details, checkpoint={}, summary=summary
    )


def _summary(details: dict[str, Any]) -> list[str]:
    """Lines for a person."""
    lines = []
    for edit in details["edits"]:
        removed, added = (" ".join(edit[name]) for name in ("removed", "added"))
        what = {"insert": f"+ {added}", "delete": f"- {removed}", "replace": f"{removed} > {added}"}[edit["kind"]]
        by = f", by {edit['source']}" if edit["source"] else ""
        lines.append(f"{edit['new'][0]:.2f} to {edit['new'][1]:.2f} s: {what}{by}")
    if details["correction"] is not None:
        felt_as = details["correction"].get("label") or "the emotion asked for"
        lines.append(f"new words: {felt_as}")
    lines.append(f"{details['seconds_before']:.2f} s became {details['seconds']:.2f} s")
    return lines + [f"Warning: {text}" for text in details["warnings"]]


EDIT = EditTask()
