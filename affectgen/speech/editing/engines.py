"""How an outside editor of speech is plugged in: `affectgen speech edit --engine NAME`.

A package declares it as an entry point of the group `affectgen.speech_engines`:

    [project.entry-points."affectgen.speech_engines"]
    mine = "my_package.editor:load"

`load(device)` returns an `Engine`; whatever is heavy is imported there. The engine gives the sound of the new words
only: cutting, seams, the untouched rest of the file and the emotion are this project's, so samples outside the edited
spans stay what they were whatever an engine does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from affectgen.affect import Affect
from affectgen.audio.files import Samples
from affectgen.errors import AffectgenError
from affectgen.speech.aligning.alignment import Alignment, Word
from affectgen.speech.editing.differ import Edit
from affectgen.speech.plugins import Socket, faults_of

SOCKET = Socket("affectgen.speech_engines", "speech engine", "fill")


@dataclass(frozen=True)
class Request:
    """One recording and all that is to be new in it.

    samples: the recording, mono float32 [N], full scale 1; rate: a second; alignment: of `old_text`; edits: those with
    new words, in order; target: the emotion that the new words are to have, None to follow the recording; seed: what
    draws at random draws from this.
    """

    samples: Samples
    rate: int
    alignment: Alignment
    old_text: str
    new_text: str
    edits: tuple[Edit, ...]
    target: Affect | None = None
    seed: int = 0


@dataclass(frozen=True)
class Filling:
    """The sound of one edit's new words. samples: mono float [M] at the request's rate; start, end: seconds of it
    between which the words are, None for its end: what is outside may be used for the seams; words: with their times
    in it, empty where the engine does not know; source: who said them, for the manifest."""

    samples: NDArray[np.float64]
    start: float = 0.0
    end: float | None = None
    words: tuple[Word, ...] = ()
    source: str = ""

    def stop(self, rate: int) -> float:
        """`end`, or the end of the samples."""
        return len(self.samples) / rate if self.end is None else self.end


class Engine(Protocol):
    """An editor that is ready."""

    @property
    def name(self) -> str:
        """For the manifest: its name and version, and that of its weights."""
        ...

    def fill(self, request: Request) -> Sequence[Filling]:
        """One filling for each of the request's edits. AffectgenError for what it cannot say."""
        ...


def engine_names() -> list[str]:
    """The engines that installed packages declare, sorted."""
    return SOCKET.names()


def load_engine(name: str, device: str = "cpu") -> Engine:
    """The engine of that name. UsageError for one that no package declares; AffectgenError where it does not load."""
    return _Plugged(cast(Engine, SOCKET.load(name, device)))


@dataclass(frozen=True)
class _Plugged:
    """An engine from outside, whose faults are said to be its own."""

    engine: Engine

    @property
    def name(self) -> str:
        return self.engine.name

    def fill(self, request: Request) -> Sequence[Filling]:
        with faults_of(f"The speech engine {self.name}"):
            return self.engine.fill(request)


def checked_fillings(fillings: Sequence[Filling], request: Request) -> list[Filling]:
    """The fillings, if they can be used. AffectgenError where their number, shape or values are not as promised."""
    if len(fillings) != len(request.edits):
        text = f"The engine gave {len(fillings)} pieces of sound for {len(request.edits)} edits."
        raise AffectgenError(text, "Report it to the engine's authors.")
    for filling in fillings:
        sound, end = filling.samples, filling.stop(request.rate)
        whole = sound.ndim == 1 and len(sound) > 0 and bool(np.isfinite(sound).all())
        if not whole or not 0 <= filling.start < end <= len(sound) / request.rate + 1e-6:
            raise AffectgenError("The engine gave no sound that can be used.", "Report it to the engine's authors.")
    return list(fillings)
