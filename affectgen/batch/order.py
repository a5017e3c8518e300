"""What is to be made and where it goes: targets, orders, and what became of them. Nothing here runs anything."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affectgen.manifest import Manifest, Setting
from affectgen.task import Result, find_task


@dataclass(frozen=True)
class Beside:
    """A further file that belongs to a piece. name: of its kind, as the option that asks for it; make: its bytes, from
    the result and the piece's name."""

    name: str
    path: Path
    make: Callable[[Result, str], bytes]


@dataclass(frozen=True)
class Target:
    """Where one piece goes. piece: None is standard output; manifest, plot, audio, audio_manifest: None where there is
    none; audio: the sound of a piece that is MIDI; beside: what else appears with it."""

    piece: Path | None
    manifest: Path | None
    plot: Path | None
    force: bool
    audio: Path | None = None
    audio_manifest: Path | None = None
    beside: tuple[Beside, ...] = ()

    @property
    def name(self) -> str:
        """The piece's name, for a person."""
        return "standard output" if self.piece is None else self.piece.name

    def files(self) -> list[Path]:
        """Every file that will appear."""
        places = (self.piece, self.manifest, self.plot, self.audio, self.audio_manifest)
        return [*(path for path in places if path is not None), *(one.path for one in self.beside)]

    def named(self) -> dict[str, Path | None]:
        """The files by what they are, the manifest of a sound left out."""
        files = {"piece": self.piece, "manifest": self.manifest, "plot": self.plot}
        if self.audio is not None:
            files["audio"] = self.audio
        return files | {one.name: one.path for one in self.beside}


@dataclass(frozen=True)
class Order:
    """One piece to make: the settings of the task's options, and where it goes. after: called when all of its files are
    there, to tidy up."""

    settings: Mapping[str, Setting]
    target: Target
    after: Callable[[Result], None] | None = None


@dataclass(frozen=True)
class Work:
    """An order with all that is needed to carry it out, here or in another process.

    task: its name; argv: the command line's words; run: device, threads and the checkpoint as it was asked for; sound:
    how a sound beside the piece is made, as `affectgen.batch.sound` takes it; empty where there is none.
    """

    task: str
    argv: tuple[str, ...]
    run: Mapping[str, Setting]
    order: Order
    sound: Mapping[str, Setting] = field(default_factory=dict)

    def options(self) -> Any:
        """The options object of the task. UsageError where the dataclass does not take a value."""
        return find_task(self.task).options(**{name: each.value for name, each in self.order.settings.items()})

    def flow(self) -> Hashable:
        """What works must agree in, beside task, checkpoint and device, to be in one flow; None where it is in none."""
        alike = getattr(find_task(self.task), "alike", None)
        found: Hashable = None if alike is None else alike(self.options())
        return found


@dataclass(frozen=True)
class Made:
    """A piece that was written."""

    target: Target
    manifest: Manifest
    summary: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The manifest, and under "files" the paths as they were given."""
        files = {name: None if path is None else str(path) for name, path in self.target.named().items()}
        return {"files": files, **self.manifest.to_json()}
