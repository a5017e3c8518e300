"""Who says the new words: a speech synthesiser, whose voice is then matched to the speaker's.

In this order: the command the user names, an installed `espeak-ng`, an installed `flite` (Black & Lenzo 2001), the
library of the extra `tts`. Each runs in a process of its own. Where there is none of them, the speaker's own recording
may still hold the words or their sounds (`affectgen.speech.editing.units`).
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from affectgen.audio.files import audio_info, is_silent, read_mono
from affectgen.errors import AffectgenError, UsageError
from affectgen.speech.editing import espeak
from affectgen.speech.editing.espeak import PATIENCE, Spoken

TEXT, OUT = "{text}", "{out}"
MISSING = "Nothing is installed that could say the new words"
REMEDY = "Install a voice: pip install espeakng-loader (or flite, or espeak-ng; or name one: --tts 'cmd {text} {out}')"
DEEP = 155.0  # Hz: below, the deeper of a synthesiser's voices is nearer
MIDDLE, POINTS = 198.0, 74.0  # Hz of espeak-ng's f2 at pitch 50; points of pitch to an octave
CONTEXT = 6  # words on either side of the new ones that are said with them


class Synthesiser(Protocol):
    """What says a text."""

    @property
    def name(self) -> str:
        """For the manifest."""
        ...

    def say(self, text: str, hertz: float) -> Spoken:
        """Say it, in a voice as near as there is to a median pitch of `hertz`. AffectgenError where that fails."""
        ...


@dataclass(frozen=True)
class CommandVoice:
    """The user's own command. template: its words, with {text} and {out} where the text and the WAV file go; nothing in
    it reaches a shell."""

    template: str

    def __post_init__(self) -> None:
        try:
            words = shlex.split(self.template)
        except ValueError as error:
            raise UsageError(f"--tts {self.template!r} cannot be read: {error}.", "Balance its quotes.") from error
        if not words or not any(TEXT in word for word in words[1:]) or not any(OUT in word for word in words[1:]):
            text = f"--tts {self.template!r} does not say where the text and the sound go."
            raise UsageError(text, "Write it like --tts 'cmd {text} {out}'.")

    @property
    def name(self) -> str:
        """Its first word."""
        return shlex.split(self.template)[0]

    def say(self, text: str, hertz: float) -> Spoken:
        """Run the command."""
        return _run_for_sound([(word, True) for word in shlex.split(self.template)], text, f"--tts {self.name}")


@dataclass(frozen=True)
class EspeakCommand:
    """An installed espeak-ng."""

    name: str = "espeak-ng"

    def say(self, text: str, hertz: float) -> Spoken:
        """In American English."""
        voice, pitch = espeak_voice(hertz)
        words = ["espeak-ng", "-v", voice, "-s", str(espeak.RATE), "-p", str(pitch), "-w", OUT, "--", TEXT]
        return _run_for_sound([(word, word in (TEXT, OUT)) for word in words], text, "espeak-ng")


@dataclass(frozen=True)
class Flite:
    """An installed flite: its voices slt and rms."""

    name: str = "flite"

    def say(self, text: str, hertz: float) -> Spoken:
        """By the man's voice or the woman's."""
        words = ["flite", "-voice", "rms" if hertz < DEEP else "slt", "-t", TEXT, "-o", OUT]
        return _run_for_sound([(word, word in (TEXT, OUT)) for word in words], text, "flite")


@dataclass(frozen=True)
class EspeakLibrary:
    """espeak-ng of the package espeakng-loader."""

    name: str = "espeak-ng (espeakng-loader)"

    def say(self, text: str, hertz: float) -> Spoken:
        """In American English."""
        voice, pitch = espeak_voice(hertz)
        return espeak.synthesise(text, voice, pitch=pitch)


def espeak_voice(hertz: float) -> tuple[str, int]:
    """(voice, pitch of 0 to 99) of espeak-ng for a median pitch in Hz. A recogniser understands the variant f2 far
    better than the plain voice, for men's pitch too."""
    return "en-us+f2", int(np.clip(50 + POINTS * np.log2(hertz / MIDDLE), 0, 99))


def find_synthesiser(command: str | None = None) -> Synthesiser | None:
    """The first that is there, None without any. UsageError for a command that says not where text and sound go."""
    if command is not None:
        return CommandVoice(command)
    if shutil.which("espeak-ng") is not None:
        return EspeakCommand()
    if shutil.which("flite") is not None:
        return Flite()
    return EspeakLibrary() if espeak.library_there() else None


def no_voice(words: Sequence[str]) -> AffectgenError:
    """What is said where nothing can say the new words."""
    return AffectgenError(f"{MISSING} ({' '.join(words)!r}), and the recording does not hold them.", REMEDY)


def context_of(words: Sequence[str], start: int, stop: int, ends: Sequence[bool]) -> tuple[int, int]:
    """The words [first, last) said together with the new ones [start, stop): their sentence, or the nearest few words
    of it. ends: whether a mark that ends a sentence follows each word."""
    first, last = start, stop
    while first > 0 and start - first < CONTEXT and not ends[first - 1]:
        first -= 1
    while last < len(words) and last - stop < CONTEXT and not ends[last - 1]:
        last += 1
    return first, last


def _run_for_sound(words: list[tuple[str, bool]], text: str, who: str) -> Spoken:
    """Run a command that writes a sound file, each placeholder of a marked word filled in. AffectgenError, with what it
    said last, where it fails."""
    with tempfile.TemporaryDirectory(prefix="affectgen-") as folder:
        out = Path(folder, "said.wav")
        filled = [word.replace(OUT, str(out)).replace(TEXT, text) if fill else word for word, fill in words]
        try:
            run = subprocess.run(filled, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False)
        except subprocess.TimeoutExpired as error:
            raise AffectgenError(f"{who} was not done after {PATIENCE} s.", "Give a faster command.") from error
        except (OSError, ValueError) as error:
            raise AffectgenError(f"{who} could not be run: {error}.", "Check the command.") from error
        if run.returncode:
            said = (run.stderr or run.stdout).decode("utf-8", "replace").strip().splitlines()
            last = f": {said[-1][:200]}" if said else ""
            raise AffectgenError(f"{who} failed with status {run.returncode}{last}", "Try the command by itself.")
        if not out.is_file() or not out.stat().st_size:
            raise AffectgenError(f"{who} wrote no sound.", "It must write a WAV file to {out}.")
        return _read(out, who)


def _read(path: Path, who: str) -> Spoken:
    """The sound that a command wrote, at its own rate."""
    rate = audio_info(path).rate
    samples = read_mono(path, rate)
    if is_silent(samples):
        raise AffectgenError(f"{who} wrote silence.", "Try the command by itself.")
    return Spoken(samples, rate)
