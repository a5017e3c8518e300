"""The task `speech convert` as the upper floors know it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from affectgen.speech.convert_options import ConvertOptions
from affectgen.task import Result

if TYPE_CHECKING:
    from affectgen.speech.convert import Converted, ConvertSettings
    from affectgen.speech.edited_file import Recording

COMMENT = "edited with affectgen speech convert"
FULL = 0.999  # of full scale: samples there are taken for cut off
CLIPPED = 0.001  # share of them from which a person is told
MUSIC = 0.5  # probability of speech below which a person is told


@dataclass(frozen=True)
class ConvertTask:
    """`speech convert`. It runs on the CPU; its checkpoint is the index of voices."""

    name: str = "speech convert"
    options: type[Any] = ConvertOptions

    def load(self, checkpoint: str | None, device: str) -> ConvertRunner:
        """Nothing is read before the first recording, whose options say what is needed."""
        return ConvertRunner(checkpoint)


@dataclass(frozen=True)
class ConvertRunner:
    """Converts one recording after the other. checkpoint: name or path of the index's folder, None for the shipped
    one."""

    checkpoint: str | None

    def run(self, options: Sequence[ConvertOptions]) -> list[Result]:
        """One file for each."""
        return [self._one(option) for option in options]

    def _one(self, option: ConvertOptions) -> Result:
        from affectgen.audio.formats import format_named
        from affectgen.speech.convert import converted
        from affectgen.speech.edited_file import encoded, neutral_voice, read_recording
        from affectgen.speech.target import target_of

        recording = read_recording(option.source)
        settings, used = self._settings(option)
        target = target_of(option.affect)
        baseline = None if option.baseline is None else neutral_voice(option.baseline, recording.rate)
        found = converted(recording.floats(), recording.rate, target, settings, baseline)
        new = replace(recording, stored=recording.rounded(found.samples))
        kind = format_named(option.format)
        data, notes = encoded(new, kind, COMMENT, option.quality)
        warnings = [*_doubts(recording), *notes]
        measured = _measured(data, option.baseline, warnings)
        details = {
            "seconds": round(new.seconds, 3), "seconds_before": round(recording.seconds, 3), "rate": recording.rate,
            "channels": recording.stored.shape[1], **found.facts, **self._made_by(option), "warnings": warnings,
        }  # fmt: skip
        return Result(
            data=data, suffix=kind.suffixes[0], asked=target.affect.to_json(), measured=measured, details=details,
            checkpoint=used, summary=tuple(_summary(details, found)),
        )  # fmt: skip

    def _settings(self, option: ConvertOptions) -> tuple[ConvertSettings, dict[str, str]]:
        """How it is done, and the checkpoint that is used: the predictor's where it is learned; none by rules, an index
        of one's own or an exact copy."""
        from affectgen.nn.checkpoint import load_checkpoint
        from affectgen.speech.convert import ConvertSettings
        from affectgen.speech.index.voices import SHIPPED

        plain = ConvertSettings(method=option.method, strength=option.strength, tries=option.tries)
        if option.method == "rules" or option.strength == 0:
            return plain, {}
        if option.method == "learned":
            from affectgen.speech.predictor.ready import NAME as PREDICTOR

            return plain, load_checkpoint(PREDICTOR).record()
        if isinstance(option.index, Path):
            return replace(plain, index=option.index), {}
        found = load_checkpoint(SHIPPED if self.checkpoint is None else self.checkpoint)
        return replace(plain, index=found.weights_path), found.record()

    @staticmethod
    def _made_by(option: ConvertOptions) -> dict[str, Any]:
        """The emotion space that had a say, for the manifest."""
        from affectgen.nn.checkpoint import load_checkpoint
        from affectgen.speech.space.model import NAME

        if option.method != "retrieved" or option.strength == 0:
            return {}
        return {"emotion_space": load_checkpoint(NAME).record()}


def _doubts(recording: Recording) -> list[str]:
    """What a person should know of a recording that was changed all the same."""
    from affectgen.recognize.speechness import LEAST_SECONDS, is_speech

    told = []
    if recording.seconds >= LEAST_SECONDS and is_speech(recording.mono(), recording.rate) < MUSIC:
        told.append("This sounds like music rather than speech; what was done to it may make no sense.")
    if float((np.abs(recording.floats()) >= FULL).mean()) > CLIPPED:
        told.append("The recording is clipped: what was cut off its peaks is not brought back.")
    return told


def _measured(data: bytes, baseline: Path | bytes | None, warnings: list[str]) -> dict[str, Any]:
    """The emotion of the result, as `affectgen rate` reads it, beside the speaker's neutral voice where that is a file;
    empty, with a warning, where none can be read."""
    from affectgen.errors import AudioError
    from affectgen.recognize.items import Item
    from affectgen.recognize.rate import Rater, RateSettings

    settings = RateSettings("speech", baseline=baseline if isinstance(baseline, Path) else None)
    try:
        reading = Rater(settings).rate(Item("the result", data)).reading
    except AudioError as error:  # the sound itself is done, and stays
        warnings.append(f"The emotion of the result could not be read: {error.message}")
        return {}
    if reading is None:
        return {}
    affect = reading.affect
    point = {"valence": round(affect.valence, 4), "arousal": round(affect.arousal, 4), "quadrant": reading.quadrant}
    shares = {} if reading.labels is None else {name: round(share, 4) for name, share in reading.labels.items()}
    return {"recogniser": "recogniser", **point, "labels": shares}


def _summary(details: dict[str, Any], found: Converted) -> list[str]:
    """Lines for a person."""
    lines = [f"{details['seconds_before']:.2f} s became {details['seconds']:.2f} s"]
    parts = found.facts.get("pieces", [])
    if parts and "shift" in parts[0]:
        lines.append(f"asked of the voice: {_moved(parts[0]['shift'])}")
    return lines + [f"Warning: {text}" for text in details["warnings"]]


def _moved(shift: dict[str, float]) -> str:
    """The first figures of a shift in words."""
    return f"pitch {shift['pitch']:+.1f} st, rate {shift['rate']:+.1f} syllables a second"


CONVERT = ConvertTask()
