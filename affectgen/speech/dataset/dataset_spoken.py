"""The new texts of an evaluation set as a synthesiser says them, in the emotion that each asks for.

ECD-TSE (Liu et al., Interspeech 2025) holds text variants spoken in each emotion. Here the emotion comes from
`affectgen.speech.converting.convert`, because free synthesisers speak in none. Each file has a description beside it
that says that it is synthetic, and how it was made. What is there is not made again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import affectgen
from affectgen.errors import AffectgenError, AudioError
from affectgen.output import Outputs, prepare_folder
from affectgen.speech.dataset.dataset_files import ABOUT, LIST
from affectgen.speech.dataset.sentences import Item

if TYPE_CHECKING:
    from affectgen.speech.converting.convert import ConvertSettings
    from affectgen.speech.edited_file import Recording
    from affectgen.speech.editing.donors import Synthesiser
    from affectgen.speech.editing.espeak import Spoken

FOLDER, SPOKEN = "spoken", "spoken.jsonl"
COMMENT = "synthetic speech, made with affectgen speech dataset"
MIDDLE = 165.0  # Hz, between the voices of men and women: for a speaker whose recording has no voice
LEAST, MOST = 60.0, 400.0  # Hz of a voice that a synthesiser is asked for
HEARD = 20.0  # seconds of a recording from which its speaker's pitch is read
EVERY = 25  # files between two lines for a person
METHOD = "retrieved"


@dataclass(frozen=True)
class Voice:
    """What says the texts. synthesiser: of `affectgen.speech.editing.donors`; command: what the user named, else None;
    strength: of the emotion, 0 for the voice as it is."""

    synthesiser: Synthesiser
    command: str | None = None
    strength: float = 1.0

    def to_json(self) -> dict[str, Any]:
        """How all files are made: another of these makes them anew."""
        return {"synthesiser": self.synthesiser.name, "command": self.command, "method": METHOD,
                "strength": self.strength, "made_by": f"affectgen {affectgen.__version__}, speech dataset"}  # fmt: skip


def voice_for(command: str | None, strength: float = 1.0) -> Voice:
    """The synthesiser that the user names, or the first that is installed. AffectgenError where there is none."""
    from affectgen.speech.editing.donors import REMEDY, find_synthesiser

    found = find_synthesiser(command)
    if found is None:
        raise AffectgenError("Nothing is installed that could say the texts.", REMEDY)
    return Voice(found, command, strength)


def same_set(folder: Path, items: Sequence[Item], about: dict[str, Any]) -> bool:
    """Whether a folder holds this very set, so that its speech can be gone on with."""
    try:
        lines = (folder / LIST).read_text(encoding="utf-8").splitlines()
        there = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        held = [json.loads(line) for line in lines]
    except (OSError, ValueError):
        return False
    wanted = [item.to_json("", None) for item in items]
    if len(held) != len(wanted):
        return False
    keys = [key for key in (wanted[0] if wanted else {}) if key not in ("audio", "acted")]
    return there == json.loads(json.dumps(about)) and all(
        one.get(key) == other[key] for one, other in zip(held, wanted, strict=True) for key in keys
    )


def speak_set(folder: Path, items: Sequence[Item], voice: Voice, say: Callable[[str], None]) -> dict[str, int]:
    """Make what is missing of a set's speech, then the list of it; how many files were made, and were there.

    AffectgenError where the synthesiser fails or a file cannot be written: what is made by then stays.
    """
    pitches: dict[int, float] = {}
    lines, made = [], 0
    for place, item in enumerate(items, start=1):
        path = place_of(folder, item)
        if item.speaker not in pitches:
            pitches[item.speaker] = pitch_of(item.recording.file)
        told = {"id": item.name, "synthetic": True, "audio": path.relative_to(folder).as_posix(),
                "text": item.variant.text, "emotion": item.variant.emotion,
                "pitch_asked": round(pitches[item.speaker], 1), **voice.to_json()}  # fmt: skip
        line = _there(path, told)
        if line is None:
            line = _made(path, told, voice)
            made += 1
        lines.append(line)
        if place % EVERY == 0:
            say(f"{place} of {len(items)} texts are spoken")
    data = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)
    with Outputs(force=True) as outputs:
        outputs.add(folder / SPOKEN, data.encode())
    return {"made": made, "there": len(lines) - made}


def place_of(folder: Path, item: Item) -> Path:
    """Where an item's speech lies in its set."""
    return folder / item.folder / FOLDER / f"{item.name}.wav"


def pitch_of(file: Path) -> float:
    """The median pitch of a recording, Hz, for the voice that stands for its speaker; MIDDLE where none is heard."""
    from affectgen.audio.files import audio_info, read_mono
    from affectgen.audio.glottal import contour

    rate = audio_info(file).rate
    hertz = contour(read_mono(file, rate, seconds=HEARD).astype(np.float64), rate)
    return float(np.clip(np.median(hertz[hertz > 0]), LEAST, MOST)) if (hertz > 0).any() else MIDDLE


def _there(path: Path, told: dict[str, Any]) -> dict[str, Any] | None:
    """The description of a file that is there whole and was made in this way; None for any other."""
    with suppress(OSError, ValueError):
        held: dict[str, Any] = json.loads(path.with_name(f"{path.name}.json").read_text(encoding="utf-8"))
        if all(held.get(key) == value for key, value in told.items()) and held["sha256"] == _hash(path.read_bytes()):
            return held
    return None


def _made(path: Path, told: dict[str, Any], voice: Voice) -> dict[str, Any]:
    """Say, convert and write one text, and describe it."""
    from affectgen.audio.formats import format_named
    from affectgen.speech.edited_file import encoded

    try:
        recording, facts = _emotional(voice.synthesiser.say(told["text"], told["pitch_asked"]), told["emotion"], voice)
    except AudioError as error:
        message = f"What {voice.synthesiser.name} said for {told['text']!r} cannot be used: {error.message}"
        raise AffectgenError(message, "Try the synthesiser by itself.") from error
    data, _ = encoded(recording, format_named("wav"), COMMENT)
    line = {**told, "rate": recording.rate, "seconds": round(recording.seconds, 3), "convert": facts,
            "sha256": _hash(data)}  # fmt: skip
    prepare_folder(path.parent)
    with Outputs(force=True) as outputs:
        outputs.add(path, data)
        outputs.add(path.with_name(f"{path.name}.json"), f"{json.dumps(line, indent=2)}\n".encode())
    return line


def _emotional(said: Spoken, emotion: str, voice: Voice) -> tuple[Recording, dict[str, Any] | None]:
    """A voice that speaks in an emotion, and how it came to it; neutral ones, which nothing is done to, None."""
    from affectgen.affect import labels
    from affectgen.speech.converting.convert import converted
    from affectgen.speech.edited_file import Recording
    from affectgen.speech.target import Target

    sound = np.asarray(said.samples, dtype=np.float64)
    plain = Recording(np.zeros((0, 1), dtype=np.int32), said.rate, "PCM_16")
    facts = None
    if emotion != "neutral" and voice.strength > 0:
        found = converted(sound, said.rate, Target(labels.emo_db(emotion), emotion), _how(voice))
        sound, facts = found.samples, found.facts
    return replace(plain, stored=plain.rounded(sound[:, None])), facts


def _how(voice: Voice) -> ConvertSettings:
    from affectgen.speech.converting.convert import ConvertSettings

    return ConvertSettings(METHOD, voice.strength)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
