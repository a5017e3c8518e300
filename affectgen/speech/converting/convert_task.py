"""The task `speech convert` as the upper floors know it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectgen.speech.converting.convert_options import ConvertOptions
from affectgen.task import Result

if TYPE_CHECKING:
    from affectgen.speech.converting.convert import Converted, ConvertSettings
    from affectgen.speech.converting.converters import Converter
    from affectgen.speech.edited_file import Recording
    from affectgen.speech.target import Target

COMMENT = "edited with affectgen speech convert"


@dataclass(frozen=True)
class ConvertTask:
    """`speech convert`. It runs on the CPU, a converter from outside where it likes; its checkpoint is the index of
    voices."""

    name: str = "speech convert"
    options: type[Any] = ConvertOptions

    def load(self, checkpoint: str | None, device: str) -> ConvertRunner:
        """Nothing is read before the first recording, whose options say what is needed."""
        return ConvertRunner(checkpoint, device)


@dataclass(frozen=True)
class ConvertRunner:
    """Converts one recording after the other. checkpoint: name or path of the index's folder, None for the shipped one;
    device: of a converter from outside."""

    checkpoint: str | None
    device: str = "cpu"

    def run(self, options: Sequence[ConvertOptions]) -> list[Result]:
        """One file for each."""
        return [self._one(option) for option in options]

    @cached_property
    def _converters(self) -> dict[str, Converter]:
        """Installed converters by their names, each read once."""
        return {}

    def _one(self, option: ConvertOptions) -> Result:
        from affectgen.audio.formats import format_named
        from affectgen.recognize.measured import measure_result
        from affectgen.recognize.rate import RateSettings
        from affectgen.speech.doubts import doubts
        from affectgen.speech.edited_file import encoded, read_recording
        from affectgen.speech.target import target_of

        recording, target = read_recording(option.source), target_of(option.affect)
        found, used, told = self._converted(option, recording, target)
        new, kind = replace(recording, stored=recording.rounded(found.samples)), format_named(option.format)
        data, notes = encoded(new, kind, COMMENT, option.quality)
        beside = option.baseline if isinstance(option.baseline, Path) else None
        measured, unread = measure_result(data, "the result", RateSettings("speech", baseline=beside))
        details = {
            "seconds": round(new.seconds, 3), "seconds_before": round(recording.seconds, 3), "rate": recording.rate,
            "channels": recording.stored.shape[1], **found.facts, **self._made_by(option),
            "warnings": [*doubts(recording), *told, *notes, *unread],
        }  # fmt: skip
        return Result(
            data=data, suffix=kind.suffixes[0], asked=target.affect.to_json(), measured=measured, details=details,
            checkpoint=used, summary=tuple(_summary(details, found)),
        )  # fmt: skip

    def _converted(
        self, option: ConvertOptions, recording: Recording, target: Target
    ) -> tuple[Converted, dict[str, str], list[str]]:
        """The new sound, the checkpoint that is used, and what a person should know of it."""
        from affectgen.speech.converting.convert import converted
        from affectgen.speech.converting.converters import ConvertRequest, converted_by
        from affectgen.speech.edited_file import neutral_voice

        channels, rate = recording.floats(), recording.rate
        baseline = None if option.baseline is None else neutral_voice(option.baseline, rate)
        if option.engine is not None and option.strength > 0:  # at 0 nobody is asked for a copy
            request = ConvertRequest(channels.mean(axis=1), rate, target, option.strength, baseline)
            made, told = converted_by(self._converter(option.engine), channels, request)
            return made, {}, told
        settings, used = self._settings(option)
        return converted(channels, rate, target, settings, baseline), used, []

    def _converter(self, name: str) -> Converter:
        """An installed converter."""
        from affectgen.speech.converting.converters import load_converter

        if name not in self._converters:
            self._converters[name] = load_converter(name, self.device)
        return self._converters[name]

    def _settings(self, option: ConvertOptions) -> tuple[ConvertSettings, dict[str, str]]:
        """How it is done, and the checkpoint that is used: the predictor's where it is learned; none by rules, an index
        of one's own or an exact copy."""
        from affectgen.nn.checkpoint import load_checkpoint
        from affectgen.speech.converting.convert import ConvertSettings
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

        if option.method != "retrieved" or option.strength == 0 or option.engine is not None:
            return {}
        return {"emotion_space": load_checkpoint(NAME).record()}


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
