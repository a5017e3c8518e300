"""One piece against its manifest: hash and size, whether it can be read to its end, and the emotion that it carries."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from affectgen import __version__
from affectgen.batch.checks.measuring import (
    KEY,
    RECOGNISER,
    Point,
    checkpoint_name,
    heard_in_midi,
    heard_in_sound,
    point_of,
    readings_in,
    sound_kind,
)
from affectgen.batch.checks.verify_files import Case, Finding, State
from affectgen.errors import AffectgenError, AudioError, CheckpointError, MidiError, UsageError
from affectgen.manifest import Manifest, file_hash, read_manifest
from affectgen.recognize.items import kind_of

TOLERANCE = 0.05  # of the plane
ROUNDED = 0.5  # the least, where a reading was taken before the notes were written (`affectgen.batch.checks.measuring`)
LENGTH = 0.06  # seconds by which a lossy file may decode longer or shorter than what went into it
DIGITS = 4


@dataclass(frozen=True)
class VerifySettings:
    """tolerance: how far the measured affect may lie from the recorded one, a distance in the plane; measure: whether
    it is measured at all. UsageError for a tolerance that is no distance."""

    tolerance: float = TOLERANCE
    measure: bool = True

    def __post_init__(self) -> None:
        if not (math.isfinite(self.tolerance) and self.tolerance >= 0):
            raise UsageError(f"The tolerance is {self.tolerance}.", "Give a distance of the plane, 0 or more.")


def check(case: Case, settings: VerifySettings) -> Finding:
    """What is to be told of one piece. Nothing about it is an error; only a full memory or Ctrl-C gets through."""
    try:
        record = read_manifest(case.manifest)
    except AffectgenError as error:
        return Finding(case.manifest, State.UNREADABLE, error.message.rstrip("."))
    told = Finding(case.shown, State.OK, manifest=case.manifest, task=record.task)
    if case.piece is None:
        return replace(told, state=State.UNCHECKED, notes=("the piece went to standard output",))
    try:
        state, text = _state(case, case.piece, record)
        heard, notes = _heard(case.piece, record) if state == State.OK and settings.measure else ({}, ())
    except OSError as error:
        return replace(told, state=State.UNREADABLE, text=f"cannot be read: {error.strerror}")
    away = [why for name, one in heard.items() if (why := _away(name, one, record, settings)) is not None]
    if away:
        state, text = State.AFFECT, "; ".join(away)
    return replace(told, state=state, text=text, notes=notes, heard=heard)


def _state(case: Case, piece: Path, record: Manifest) -> tuple[State, str]:
    """The state of a file but for its affect, and what is wrong with it."""
    if not piece.is_file():
        return State.MISSING, "the file that its manifest describes is not there"
    size, wanted = piece.stat().st_size, record.output.get("bytes")
    other = [f"{size} bytes, {wanted} are recorded"] if size != wanted else []
    found = file_hash(piece)
    if found != record.output.get("sha256"):
        other.append(f"SHA-256 {found[:12]}..., {str(record.output.get('sha256'))[:12]}... is recorded")
    broken = unreadable(piece, record.details)
    if other:
        return State.CHANGED, "; ".join([*other, *([broken] if broken is not None else [])])
    if broken is not None:
        return State.DAMAGED, broken
    return (State.OK, "") if case.called is None else (State.RENAMED, f"its manifest calls it {case.called}")


def unreadable(piece: Path, details: Mapping[str, Any]) -> str | None:
    """What is wrong with a file that cannot be read to its end or is not as long as recorded; None for nothing.

    details: of its manifest; what they do not say is not compared.
    """
    try:
        if kind_of(piece) == "midi":
            return _midi(piece, details)
        return _sound(piece, details)
    except (MidiError, AudioError) as error:
        return error.message.replace(f"{piece}: ", "").rstrip(".")


def _midi(piece: Path, details: Mapping[str, Any]) -> str | None:
    from affectgen.score.midi import read_notes

    count, wanted = len(read_notes(piece)), details.get("notes")
    return f"{count} notes, {wanted} are recorded" if isinstance(wanted, int) and count != wanted else None


def _sound(piece: Path, details: Mapping[str, Any]) -> str | None:
    from affectgen.audio.files import audio_info, blocks

    rate = audio_info(piece).rate
    frames = sum(len(block) for block in blocks(piece, rate))
    wanted, seconds = details.get("frames"), details.get("seconds")
    if isinstance(wanted, int) and details.get("rate") == rate and frames != wanted:
        return f"{frames} frames can be heard, {wanted} are recorded"
    if isinstance(seconds, int | float) and abs(frames / rate - seconds) > LENGTH:
        return f"{frames / rate:.2f} s can be heard, {seconds:.2f} s are recorded"
    return None


def _heard(piece: Path, record: Manifest) -> tuple[dict[str, Any], tuple[str, ...]]:
    """By recogniser what is recorded and what is heard now; and why something could not be measured."""
    said = readings_in(record.measured)
    kind = "midi" if kind_of(piece) == "midi" else sound_kind(record.task)
    noted = record.details.get(KEY)
    known: Mapping[str, Any] = noted if isinstance(noted, Mapping) else {}
    if not known and kind == "midi" and _continued(record):
        return {}, ("not measured: what was composed was heard, without what it goes on from",) if said else ()
    heard: dict[str, Any] = {}
    notes: list[str] = []
    for name, point in said.items():
        held = known.get(name)
        try:
            _check_recogniser(held, name, kind)
            now = _measured(piece, record, name, kind)
        except AffectgenError as error:
            notes.append(f"not measured: {error.message.rstrip('.')}")
            continue
        if now is None:
            notes.append(f"not measured: the recogniser {name!r} is not known here")
            continue
        in_file = point_of(held)
        heard[name] = _compared(point if in_file is None else in_file, now, in_file is not None or kind != "midi")
        if in_file is not None and math.dist(point, in_file) > ROUNDED and not _continued(record):
            notes.append(f"the {name} heard {_shown(point)} before it was written")
    return heard, tuple(notes)


def _compared(recorded: Point, now: Point, in_file: bool) -> dict[str, Any]:
    return {
        "recorded": [round(value, DIGITS) for value in recorded], "now": [round(value, DIGITS) for value in now],
        "distance": round(math.dist(recorded, now), DIGITS), "in_file": in_file,
    }  # fmt: skip


def _shown(point: Sequence[float]) -> str:
    return ",".join(f"{value:+.2f}" for value in point)


def _check_recogniser(held: Any, recogniser: str, kind: str) -> None:
    """CheckpointError where the recogniser is another one than the manifest names, or is not here."""
    from affectgen.nn.checkpoint import load_checkpoint

    if not isinstance(held, Mapping) or "sha256" not in held:
        return
    name = str(held.get("name", checkpoint_name(recogniser, kind)))
    if load_checkpoint(checkpoint_name(recogniser, kind)).sha256 != held["sha256"]:
        raise CheckpointError(f"{name} is another one now than the one that measured it.", "")


def _measured(piece: Path, record: Manifest, recogniser: str, kind: str) -> Point | None:
    """What a recogniser hears now; None for one that is not known."""
    if kind == "midi":
        return heard_in_midi(piece, [recogniser])[recogniser]
    if recogniser != RECOGNISER:
        return None
    return heard_in_sound(piece, kind, _baseline(record) if kind == "speech" else None)


def _baseline(record: Manifest) -> Path | None:
    """The neutral voice beside which speech was heard. AffectgenError where it is not what it was."""
    setting = record.settings.get("baseline")
    held = None if setting is None else setting.value
    if not isinstance(held, Mapping) or not isinstance(held.get("path"), str):
        return None  # none was given, or it came through a pipe and was not heard
    path = Path(held["path"])
    if not path.is_file() or file_hash(path) != held.get("sha256"):
        raise AffectgenError(f"the neutral voice {path} is not what it was.", "")
    return path


def _continued(record: Manifest) -> bool:
    setting = record.settings.get("continue_from")
    return setting is not None and setting.value is not None


def _away(name: str, one: Mapping[str, Any], record: Manifest, settings: VerifySettings) -> str | None:
    """The sentence for a reading that is too far from the recorded one, None where it is near."""
    allowed = settings.tolerance if one["in_file"] else max(settings.tolerance, ROUNDED)
    if one["distance"] <= allowed:
        return None
    made = record.versions.get("affectgen")
    older = f" (made with affectgen {made})" if made is not None and made != __version__ else ""
    now, recorded = _shown(one["now"]), _shown(one["recorded"])
    return f"the {name} hears {now}, {recorded} is recorded: {one['distance']:.2f} apart{older}"
