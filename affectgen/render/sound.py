"""The sound that options ask for, block by block: every source played or read, joined, put in a room."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affectgen.audio.bank import bank_digest
from affectgen.audio.files import Frames, frames_of, named
from affectgen.audio.fluid import fluid_available, fluid_version, play_fluid
from affectgen.audio.fonts import check_font, find_font, font_digest
from affectgen.audio.join import joined
from affectgen.audio.options import DRY, RENDERERS
from affectgen.audio.piano import BLOCK_SECONDS, play_piano
from affectgen.audio.reverb import reverberant, space_named
from affectgen.audio.strikes import Strikes, strikes_of
from affectgen.errors import AffectgenError, AudioError, MidiError, UsageError
from affectgen.render.options import RenderOptions
from affectgen.score.messages import read_timeline

SOON = 8.0  # seconds of notes that the piano works through at a time, where the sound shall begin soon
PIANOS = range(4)  # programs of General MIDI that the built-in piano stands for without a word
Source = Path | bytes


@dataclass(frozen=True)
class Player:
    """What plays MIDI. font: of FluidSynth, None for the built-in piano."""

    font: Path | None

    @property
    def name(self) -> str:
        """As after --renderer."""
        return "piano" if self.font is None else "fluidsynth"

    def facts(self) -> dict[str, Any]:
        """What it is, for a manifest."""
        if self.font is None:
            return {"name": self.name, "sha256": bank_digest()}
        version = {"version": fluid_version(), "font": self.font.name, "font_sha256": font_digest(self.font)}
        return {"name": self.name, **version}


def player_for(options: RenderOptions) -> Player:
    """What plays the MIDI among the sources; where there is none, nothing is looked for. Errors as `choose_player`."""
    played = any(is_midi(source) for source in options.sources)
    return choose_player(options.renderer, options.soundfont) if played else Player(None)


def choose_player(renderer: str, soundfont: str | None) -> Player:
    """What will play: for "auto" FluidSynth where its library and a font are found, else the built-in piano.

    AffectgenError where what was asked for by name cannot be had, UsageError for a renderer that nobody knows.
    """
    if renderer not in RENDERERS:
        raise UsageError(f"{renderer!r} is no renderer.", f"Use one of {', '.join(RENDERERS)}.")
    if renderer == "piano":
        return Player(None)
    given = None if soundfont is None else Path(soundfont).expanduser().absolute()
    wanted = renderer == "fluidsynth" or given is not None
    if not fluid_available():
        if wanted:
            raise AffectgenError("The library of FluidSynth is not installed.", "Install it, or use --renderer piano.")
        return Player(None)
    font = find_font(given)
    if font is None:
        if wanted:
            raise AffectgenError("No soundfont was found.", "Name one with --soundfont, or use --renderer piano.")
        return Player(None)
    check_font(font)
    return Player(font)


@dataclass
class Heard:
    """What was met on the way. played: whether MIDI was among the sources; notes; frames: of each source, without the
    room; warnings: what came out otherwise than one would expect, each once."""

    played: bool = False
    notes: int = 0
    frames: list[int] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def warn(self, text: str) -> None:
        """Keep a warning, once."""
        if text not in self.warnings:
            self.warnings.append(text)


def sound_of(options: RenderOptions, player: Player, heard: Heard, soon: bool = False) -> Iterator[Frames]:
    """The whole sound, blocks of float32 [N, 2]; `heard` is filled on the way. soon: whether the first block matters
    more than the last.

    MidiError, AudioError for sources that cannot be read.
    """
    rate = options.encoding.rate
    overlap = round(options.overlap * rate)
    parts = (_counted(source, _part(source, player, rate, heard, soon), heard) for source in options.sources)
    curve = "linear" if options.curve == "linear" else "equal-power"
    sound = joined(parts, overlap, curve)  # type: ignore[arg-type]
    yield from sound if options.reverb == DRY else reverberant(sound, rate, space_named(options.reverb))
    for source, frames in zip(options.sources, heard.frames, strict=True):
        if frames < overlap and len(options.sources) > 1:
            length = f"{named(source)} lasts {frames / rate:.1f} s"
            heard.warn(f"{length}, less than the crossfade of {options.overlap:g} s: it is crossfaded as a whole.")


def _counted(source: Source, part: Iterator[Frames], heard: Heard) -> Iterator[Frames]:
    """A source's sound, its length kept in mind. AudioError where there is none."""
    heard.frames.append(0)
    for block in part:
        heard.frames[-1] += len(block)
        yield block
    if not heard.frames[-1]:
        raise AudioError(f"{named(source)} holds no sound at all.", "Give a longer recording.")


def is_midi(source: Source) -> bool:
    """Whether a source begins as a MIDI file does. AffectgenError where it cannot be read."""
    if isinstance(source, bytes):
        head = source[:64]
    else:
        try:
            with source.open("rb") as file:
                head = file.read(64)
        except OSError as error:
            raise AffectgenError(f"{source} cannot be read: {error.strerror}.", "Check the path.") from error
    return head[:4] == b"MThd" or (head[:4] == b"RIFF" and b"MThd" in head)


def _part(source: Source, player: Player, rate: int, heard: Heard, soon: bool) -> Iterator[Frames]:
    """One source as sound."""
    if not is_midi(source):
        if (isinstance(source, Path) and source.suffix.lower() in (".mid", ".midi")) or not _size(source):
            what = "is no MIDI file and no sound" if _size(source) else "is empty"
            raise MidiError(f"{named(source)} {what}.", "Give a .mid file, or audio.")
        yield from frames_of(source, rate)
        return
    timeline = read_timeline(source)
    heard.played = True
    if player.font is not None:
        heard.notes += int(((timeline.status == 0x90) & (timeline.second > 0)).sum())
        yield from play_fluid(timeline, player.font, rate)
        return
    strikes = strikes_of(timeline)
    heard.notes += len(strikes.onset)
    _check_piano(source, strikes, heard)
    yield from play_piano(strikes, rate, together=SOON if soon else BLOCK_SECONDS)


def _check_piano(source: Source, strikes: Strikes, heard: Heard) -> None:
    """Warnings for what a piano cannot play. MidiError where that is all there is."""
    if not len(strikes.onset):
        text = f"{named(source)} holds drums only, and the built-in piano has none."
        raise MidiError(text, "Use --renderer fluidsynth.")
    others = sorted(set(strikes.programs) - set(PIANOS))
    if others:
        named_ = ", ".join(str(program + 1) for program in others)
        heard.warn(f"The built-in piano plays for other instruments (programs {named_}).")
    if strikes.drums:
        heard.warn(f"The built-in piano has no drums: {_count(strikes.drums, 'note')} of channel 10 left out.")
    if strikes.bends:
        heard.warn(f"The built-in piano cannot bend its pitch: {_count(strikes.bends, 'bend')} left out.")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _size(source: Source) -> int:
    return len(source) if isinstance(source, bytes) else source.stat().st_size
