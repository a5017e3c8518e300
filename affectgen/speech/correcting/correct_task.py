"""The task `speech correct` as the upper floors know it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectgen.errors import AffectgenError, UsageError
from affectgen.speech.correcting.correct_options import AUTO, KEEP, SHORTEST, CorrectOptions, check_spans, spans_of
from affectgen.task import Result

if TYPE_CHECKING:
    from affectgen.speech.aligning.align import Aligner
    from affectgen.speech.aligning.alignment import Alignment
    from affectgen.speech.correcting.correct import CorrectSettings
    from affectgen.speech.correcting.correct_misfits import Misfit
    from affectgen.speech.edited_file import Recording
    from affectgen.speech.target import Target

    Span = tuple[float, float]

COMMENT = "edited with affectgen speech correct"
FOLLOWED = "the recording around"  # what a span without an emotion of its own follows


@dataclass(frozen=True)
class CorrectTask:
    """`speech correct`. It runs on the CPU; its checkpoint is the index of voices."""

    name: str = "speech correct"
    options: type[Any] = CorrectOptions

    def load(self, checkpoint: str | None, device: str) -> CorrectRunner:
        """Nothing is read before the first recording, whose options say what is needed."""
        return CorrectRunner(checkpoint)


@dataclass(frozen=True)
class CorrectRunner:
    """Corrects one recording after the other. checkpoint: name or path of the index's folder, None for the shipped one.
    """

    checkpoint: str | None

    def run(self, options: Sequence[CorrectOptions]) -> list[Result]:
        """One file for each."""
        return [self._one(option) for option in options]

    @cached_property
    def _aligner(self) -> Aligner:
        from affectgen.speech.aligning.align import Aligner

        return Aligner()

    def _one(self, option: CorrectOptions) -> Result:
        from affectgen.audio.formats import format_named
        from affectgen.speech.doubts import doubts
        from affectgen.speech.edited_file import encoded, read_recording

        recording, kind = read_recording(option.source), format_named(option.format)
        if option.spans:
            check_spans(spans_of(option.spans), recording.seconds)
        target = wanted(option)
        settings, used = self._settings(option, target)
        new, facts = self._corrected(option, recording, target, settings)
        data, notes = encoded(new, kind, COMMENT, option.quality)
        if facts.get("found") == []:
            used = {}
        details = {
            "seconds": round(new.seconds, 3), "seconds_before": round(recording.seconds, 3), "rate": recording.rate,
            "channels": recording.stored.shape[1], "emotion": FOLLOWED if target is None else _named(target), **facts,
            "warnings": [*doubts(recording), *notes],
        }  # fmt: skip
        return Result(
            data=data, suffix=kind.suffixes[0], asked=None if target is None else target.affect.to_json(), measured={},
            details=details, checkpoint=used, summary=tuple(_summary(details)),
        )  # fmt: skip

    def _corrected(
        self, option: CorrectOptions, recording: Recording, target: Target | None, settings: CorrectSettings
    ) -> tuple[Recording, dict[str, Any]]:
        """The new recording and the facts of it."""
        from affectgen.speech.correcting.correct import corrected_recording

        if option.whole:
            return _whole(option, recording, target, settings)
        alignment = self._aligner.align(recording.mono(), recording.rate, option.text)
        spans = spans_of(option.spans)
        if option.before is not None:
            spans = spans_between(option.before, option.text, alignment)
        told: dict[str, Any] = {}
        if not spans:
            found_words = misfits_of(recording, alignment)
            spans = [(one.start, one.end) for one in found_words]
            told = {"found": [_found(one, alignment) for one in found_words]}
        if not spans:
            return recording, {"strength": settings.strength, **told}
        neutral = None
        if target is not None and option.baseline is not None:
            from affectgen.speech.converting.prosody import measure
            from affectgen.speech.edited_file import neutral_voice

            neutral = measure(neutral_voice(option.baseline, recording.rate), recording.rate)
        new, found = corrected_recording(recording, alignment, spans, target, settings, neutral)
        aligned = alignment if found.alignment is None else found.alignment
        words = [[word.text, round(word.start, 3), round(word.end, 3)] for word in aligned.words]
        after = [[round(start, 4), round(end, 4)] for start, end in found.spans]
        return new, {**told, **found.facts, "spans_after": after, "words": words}

    def _settings(self, option: CorrectOptions, target: Target | None) -> tuple[CorrectSettings, dict[str, str]]:
        """How it is done, and the checkpoint that is used: none where no voice is needed, or an index of one's own
        is."""
        from affectgen.nn.checkpoint import load_checkpoint
        from affectgen.speech.correcting.correct import CorrectSettings
        from affectgen.speech.index.voices import SHIPPED

        plain = CorrectSettings(strength=option.strength, share=option.share)
        if target is None or not plain.needs_voices:
            return plain, {}
        if isinstance(option.index, Path):
            return replace(plain, index=option.index), {}
        found = load_checkpoint(SHIPPED if self.checkpoint is None else self.checkpoint)
        return replace(plain, index=found.weights_path), found.record()


def wanted(option: CorrectOptions) -> Target | None:
    """The emotion that the spans are to have; None to follow the recording.

    "auto" asks for the text's, where the text has one, and another than the text before had: what both have, the
    speaker has made of it already.
    """
    from affectgen.speech.target import target_of, target_of_text

    if option.affect == KEEP:
        return None
    if option.affect != AUTO:
        return target_of(option.affect)
    target = target_of_text(option.text)
    if target.label == "neutral":
        return None
    if option.before is not None and target.label is not None and target_of_text(option.before).label == target.label:
        return None
    return target


def spans_between(before: str, text: str, alignment: Alignment) -> list[Span]:
    """Where the words lie that the text has and the text before had not. UsageError where there are none."""
    from affectgen.speech.editing.differ import changes_between, tokens_of

    found = []
    for change in changes_between(tokens_of(before), tokens_of(text)):
        words = [word for word in alignment.words if change.start <= word.index < change.stop]
        if words:
            found.append((words[0].start, words[-1].end))
    if not found:
        raise UsageError("The text has no word that the text before had not.", "Give --span 1.2:2.4 instead.")
    return found


def misfits_of(recording: Recording, alignment: Alignment) -> list[Misfit]:
    """The stretches of words that do not fit their neighbours and are long enough to be corrected."""
    from affectgen.speech.correcting.correct_misfits import misfits

    found = misfits(recording.mono(), recording.rate, alignment)
    return [one for one in found if one.end - one.start >= SHORTEST and one.end <= recording.seconds]


def _found(one: Misfit, alignment: Alignment) -> dict[str, Any]:
    """A misfit for the manifest."""
    words = " ".join(alignment.words[place].text for place in one.words)
    span = [round(one.start, 4), round(one.end, 4)]
    return {"words": words, "span": span, "score": round(one.score, 3), "why": one.why}


def _whole(
    option: CorrectOptions, recording: Recording, target: Target | None, settings: CorrectSettings
) -> tuple[Recording, dict[str, Any]]:
    """All of the recording with the target's emotion: there is nothing around to follow."""
    from affectgen.speech.converting.convert import ConvertSettings, converted
    from affectgen.speech.edited_file import neutral_voice

    if target is None:
        raise AffectgenError(
            "The text calls for no emotion, and of the whole recording nothing is left to follow.",
            "Give the emotion: --affect sad; or the words: --span 1.2:2.4, --before 'the old words'",
        )
    how = ConvertSettings(strength=option.strength, index=settings.index)
    baseline = None if option.baseline is None else neutral_voice(option.baseline, recording.rate)
    found = converted(recording.floats(), recording.rate, target, how, baseline)
    new = replace(recording, stored=recording.rounded(found.samples))
    return new, {"follows": "target", **found.facts}


def _named(target: Target) -> str:
    point = f"{target.affect.valence:+.2f},{target.affect.arousal:+.2f}"
    return point if target.label is None else target.label


def _summary(details: dict[str, Any]) -> list[str]:
    """Lines for a person."""
    if details.get("found") == []:
        lines = ["no word stands out from its neighbours: the sound is left as it is "
                 "(--span, --before or --whole say what to correct all the same)"]  # fmt: skip
        return lines + [f"Warning: {text}" for text in details["warnings"]]
    lines = [_reason(one) for one in details.get("found", [])]
    for one in details.get("spans", []):
        start, end = one["span"]
        what = f"pitch {one['pitch']:+.1f} st, {one['longer']:.2f} times as long, level {one['level']:+.1f} dB"
        lines.append(f"{start:.2f} to {end:.2f} s: {what}")
    lines.append(f"emotion: {details['emotion']}")
    lines.append(f"{details['seconds_before']:.2f} s became {details['seconds']:.2f} s")
    return lines + [f"Warning: {text}" for text in details["warnings"]]


def _reason(one: dict[str, Any]) -> str:
    """Which words were taken and why, as a person reads it."""
    why, (start, end) = one["why"], one["span"]
    told = [
        f"pitch {why['pitch']:+.1f} st from the rest", f"a step of {why['step']:.1f} st at an end",
        f"level {why['level']:+.1f} dB", f"{why['longer']:.2f} times as long",
    ]  # fmt: skip
    return f"{one['words']!r}, {start:.2f} to {end:.2f} s, does not fit its neighbours: {', '.join(told)}"


CORRECT = CorrectTask()
