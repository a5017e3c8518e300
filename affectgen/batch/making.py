"""From a result to files: the piece, its manifest, its picture, its sound and what else belongs to it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from affectgen.batch.checks.measuring import noted
from affectgen.batch.order import Made, Target, Work
from affectgen.batch.sound import Sound, make_sound
from affectgen.manifest import Manifest, build_manifest
from affectgen.output import Outputs, standard_output, write_stdout
from affectgen.spooled import Spooled
from affectgen.task import Result


def deliver(work: Work, result: Result, seconds: Mapping[str, float]) -> Made:
    """Write what came of some work: all of its files, or none. seconds: wall times by name, for the manifest.

    A spooled result is gone afterwards. AffectgenError where a file cannot be written.
    """
    target = work.order.target
    result = noted(result, work.task)
    record = (work.task, work.argv, work.order.settings, work.run, result, target.piece, seconds)
    sound = make_sound(work, result)
    try:
        made = _write(target, build_manifest(*record), result, sound)
        if work.order.after is not None:
            work.order.after(result)
        return made
    finally:
        for done in (result, *([sound.result] if sound is not None else [])):
            if isinstance(done.data, Spooled):
                done.data.close()  # now, not whenever the memory is tidied up


def _write(target: Target, manifest: Manifest, result: Result, sound: Sound | None) -> Made:
    """The piece, its picture, its sound and the manifests: all of them, or none."""
    with Outputs(target.force) as outputs:
        if target.manifest is not None:  # it appears first: after a kill it tells whose the other files are
            outputs.add(target.manifest, manifest.to_bytes())
        if target.piece is not None:
            outputs.add(target.piece, result.data)
        if target.plot is not None:
            outputs.add(target.plot, _draw(result, target, target.plot))
        if target.audio is not None and sound is not None:
            outputs.add(target.audio, sound.result.data)
            if target.audio_manifest is not None:
                outputs.add(target.audio_manifest, sound.manifest.to_bytes())
        for one in target.beside:
            outputs.add(one.path, one.make(result, target.name))
        if target.piece is None:
            with standard_output():
                write_stdout(result.data)
    return Made(target, manifest, (*result.summary, *(sound.summary if sound is not None else ())))


def _draw(result: Result, target: Target, plot: Path) -> bytes:
    """The picture of a piece as the bytes of a file of the kind that its name says: a piano roll, or a spectrogram with
    the emotion over time."""
    from affectgen.report.picture import draw_result

    return draw_result(result, target.name, plot.suffix[1:].lower())
