"""Speech and pronunciations by espeak-ng, which runs in a process of its own (it is GPL-3.0, this package is not).

The library of the package espeakng-loader (the extra `tts`) is asked first, because it states when each word and sound
is said; an installed `espeak-ng` is asked where that is missing.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectgen.errors import AffectgenError
from affectgen.speech.aligning.alignment import SILENCE
from affectgen.speech.aligning.ipa import arpabet

VOICE = "en-us"
RATE = 160  # words a minute
PITCH = 50  # of 0 to 100
PATIENCE = 120  # seconds that one sentence may take the command
NONE = "espeak-ng is not there to say new words."
REMEDY = "Install it: pip install espeakng-loader"


@dataclass(frozen=True)
class Spoken:
    """samples: mono float32 [N], full scale 1; rate: a second; words: (text, start, end) in seconds; phones: (name of
    ARPAbet or SIL, start, end); both are empty where the synthesiser does not state them."""

    samples: NDArray[np.float32]
    rate: int
    words: tuple[tuple[str, float, float], ...] = ()
    phones: tuple[tuple[str, float, float], ...] = ()


def synthesise(text: str, voice: str = VOICE, rate: int = RATE, pitch: int = PITCH) -> Spoken:
    """Say the text: one sentence or several. rate: words a minute, 80 to 450; pitch: 0 to 100.

    AffectgenError where there is no espeak-ng, it has no such voice, or nothing in the text can be said.
    """
    spoken = _stated(text, voice, rate, pitch) if library_there() else _by_command(text, voice, rate, pitch)
    if not len(spoken.samples) or not spoken.samples.any():
        raise AffectgenError(f"espeak-ng said nothing for {text[:60]!r}.", "Write words that can be spoken.")
    return spoken


def phonemes(word: str, voice: str = VOICE) -> tuple[str, ...]:
    """How a word is pronounced, ARPAbet without stress, empty where it holds no sound. AffectgenError as above."""
    if library_there():
        return arpabet(str(_server().ask({"phones": word, "voice": voice})["phones"]).replace(" ", ""))
    run = _command("-q", "--ipa", "-v", voice, "--", word)
    return arpabet("".join(run.stdout.decode("utf-8", "replace").split()))


def available() -> bool:
    """Whether either form of espeak-ng is there."""
    return library_there() or shutil.which("espeak-ng") is not None


@cache
def library_there() -> bool:
    """Whether espeakng-loader is installed and its library can be loaded (asked of a process of its own, once)."""
    from importlib.util import find_spec

    if find_spec("espeakng_loader") is None:
        return False
    try:
        _server()
    except AffectgenError:
        return False
    return True


@dataclass(eq=False)
class _Server:
    """The process, which ends with this one: its standard input is closed then."""

    process: subprocess.Popen[bytes]
    lock: Lock = field(default_factory=Lock)

    def __enter__(self) -> _Server:
        return self

    def __exit__(self, *_: object) -> None:
        with self.process:  # closes its pipes and waits for its end
            pass

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to one request. AffectgenError where it is an error, or the process is gone."""
        with self.lock:
            try:
                _pipe(self.process.stdin).write(json.dumps(request).encode() + b"\n")
                _pipe(self.process.stdin).flush()
            except OSError as error:
                raise AffectgenError("The process of espeak-ng has ended.", "Run this again.") from error
            return self.read()

    def read(self) -> dict[str, Any]:
        """The next line."""
        line = _pipe(self.process.stdout).readline()
        answer: dict[str, Any] = json.loads(line) if line.endswith(b"\n") else {"error": "its process has ended"}
        if "error" in answer:
            raise AffectgenError(f"espeak-ng failed: {answer['error']}.", f"Look at the text and the voice. {REMEDY}")
        return answer


def _pipe(pipe: Any) -> Any:
    """The pipe itself; AffectgenError where the process was started without one."""
    if pipe is None:
        raise AffectgenError("The process of espeak-ng has no pipe.", "Run this again.")
    return pipe


def _server() -> _Server:
    """The process, started at this process's first question. AffectgenError where the library cannot be loaded."""
    return _started(os.getpid())


@cache
def _started(owner: int) -> _Server:
    """owner: the process that asks: a forked one must not read another's answers."""
    return _begun()


def _begun() -> _Server:
    """A new process. AffectgenError where the library cannot be loaded."""
    words = [sys.executable, "-m", "affectgen.speech.editing.espeak_process"]
    folder = Path(__file__).resolve().parents[2]  # found from a checkout as well
    pipe = subprocess.PIPE
    server = _Server(subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, cwd=folder))
    server.read()
    return server


def _stated(text: str, voice: str, rate: int, pitch: int) -> Spoken:
    """By the library, with times; by a process of its own, so that the same words always sound the same."""
    with _begun() as server:
        said = server.ask({"text": text, "voice": voice, "rate": rate, "pitch": pitch})
    samples = np.frombuffer(base64.b64decode(said["samples"]), dtype="<i2").astype(np.float32) / np.float32(32768)
    total = len(samples) / said["rate"]
    phones = _phones(said["phones"], total)
    return Spoken(samples, said["rate"], _words(text, said["words"], phones), phones)


def _phones(events: list[tuple[str, float]], total: float) -> tuple[tuple[str, float, float], ...]:
    """Sounds that last until the next one; of what becomes two phones each has its half."""
    found: list[tuple[str, float, float]] = []
    ends = [start for _, start in events[1:]] + [total]
    for (ipa, start), end in zip(events, ends, strict=True):
        names = arpabet(ipa) if ipa else (SILENCE,)
        step = (end - start) / max(len(names), 1)
        found += [(name, start + i * step, start + (i + 1) * step) for i, name in enumerate(names) if end > start]
    return tuple(found)


def _words(
    text: str, events: list[tuple[int, int, float]], phones: tuple[tuple[str, float, float], ...]
) -> tuple[tuple[str, float, float], ...]:
    """From a word's event (at the end of the sound before it) to its last sound before the next one's."""
    found = []
    for place, (first, count, start) in enumerate(events):
        after = events[place + 1][2] if place + 1 < len(events) else np.inf
        own = [phone for phone in phones if start - 1e-6 <= phone[1] < after - 1e-6 and phone[0] != SILENCE]
        if own:
            found.append((text[first : first + count], own[0][1], own[-1][2]))
    return tuple(found)


def _by_command(text: str, voice: str, rate: int, pitch: int) -> Spoken:
    """By the installed command, without times."""
    import soundfile

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "said.wav")
        _command("-v", voice, "-s", str(rate), "-p", str(pitch), "-w", str(out), "--", text)
        if not out.is_file():
            raise AffectgenError(f"espeak-ng wrote nothing for {text[:60]!r}.", "Look at the text.")
        samples, found = soundfile.read(str(out), dtype="float32")
    return Spoken(np.asarray(samples, dtype=np.float32), found)


def _command(*words: str) -> subprocess.CompletedProcess[bytes]:
    """Run espeak-ng. AffectgenError where it is not there or fails."""
    name = shutil.which("espeak-ng")
    if name is None:
        raise AffectgenError(NONE, REMEDY)
    try:
        run = subprocess.run([name, *words], capture_output=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AffectgenError(f"espeak-ng could not be run: {error}", REMEDY) from error
    if run.returncode:
        said = run.stderr.decode("utf-8", "replace").strip()
        raise AffectgenError(f"espeak-ng failed: {said[-200:]}", "Look at the text and the voice.")
    return run
