"""Filling an index of voices: recordings are read, measured and kept a few at a time.

Doing it again does only what is new: a file is known by its hash before anything of it is decoded, so an index can
be filled in several goes, and grows with its folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import numpy as np

from affectgen.audio.files import Samples, audio_info, read_mono
from affectgen.device import cores
from affectgen.errors import AffectgenError, AudioError
from affectgen.nn.checkpoint import file_sha256
from affectgen.processes import map_in_processes
from affectgen.recognize.speech import SpeechRecogniser, load_speech_recogniser
from affectgen.recognize.speech_corpus import LABELS
from affectgen.recognize.speech_features import describe
from affectgen.speech.converting.prosody import measure
from affectgen.speech.index.file import Entry, IndexFile, Passed, opened
from affectgen.speech.index.listing import GUIDE, Feeling, Listed

LONGEST = 60.0  # seconds: an index holds utterances
TOGETHER = 8  # clips that are kept at once: what an interrupt loses at most
FEW = 24  # clips that are read sooner than other processes start
CHUNK = 4  # clips that a process takes at a time
Say = Callable[[int, int], None]


@dataclass(frozen=True)
class Work:
    """One recording to read. file: its SHA-256."""

    listed: Listed
    file: str


@dataclass
class Filled:
    """What came of it. new: clips that were added; known: files that had been read before; doubled: other files whose
    sound was there already; refused: names and why, of those in which nothing can be read."""

    new: int = 0
    known: int = 0
    doubled: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)


def fill(
    path: Path, recordings: Sequence[Listed], jobs: int | None = None, added: str | None = None, say: Say | None = None
) -> Filled:
    """Add recordings to the index `path`, which is made where there is none; those that it knows are passed over.

    jobs: processes, None for as many as there are processors where that is worth it; added: the day that is noted, None
    for today. say: told how many are done, of how many. What cannot be read is told in the result; AffectgenError where
    the index is not one, or cannot be written. Where nothing could be read, no new file stays.
    """
    fresh = not path.exists()
    day = datetime.now(UTC).date().isoformat() if added is None else added
    told, done = Filled(), 0
    with opened(path, write=True) as index:
        work = _new(index, recordings, told)
        done = len(recordings) - len(work)
        for found in _together(_measured(work, jobs), TOGETHER):
            _keep(index, found, day, told)
            done += len(found)
            if say is not None:
                say(done, len(recordings))
    if fresh and not told.new:
        path.unlink()
    return told


def _new(index: IndexFile, recordings: Sequence[Listed], told: Filled) -> list[Work]:
    """Those that the index does not know, each file once."""
    work: dict[str, Work] = {}
    for one in recordings:
        try:
            file = file_sha256(one.path)
        except OSError as error:
            told.refused.append((one.name, f"It cannot be read: {error.strerror}."))
            continue
        if index.knows(file) or file in work:
            told.known += 1
            continue
        work[file] = Work(one, file)
    return list(work.values())


def _keep(index: IndexFile, found: Sequence[Entry | Passed], day: str, told: Filled) -> None:
    entries = sum(isinstance(one, Entry) for one in found)
    new = index.keep(found, day)
    told.new += new
    told.doubled += entries - new
    told.refused += [(one.name, one.why) for one in found if isinstance(one, Passed)]


def _measured(work: Sequence[Work], jobs: int | None) -> Iterator[Entry | Passed]:
    """What is read of each, in order, by several processes where that is worth it."""
    count = jobs if jobs is not None else (cores() if len(work) > FEW else 1)
    if count == 1 or len(work) < 2:
        return map(read_entry, work)
    return map_in_processes(read_entry, work, count, CHUNK)


def read_entry(work: Work) -> Entry | Passed:
    """What is kept of one recording, or why nothing is."""
    one = work.listed
    try:
        samples, rate = _read(one.path)
        prosody, described = measure(samples, rate), describe(samples, rate)
        feeling = one.feeling if one.feeling is not None else heard_feeling(samples, rate)
    except AudioError as error:
        return Passed(work.file, one.name, error.message)
    return Entry(
        sound_sha256(samples, rate), work.file, one.name, one.speaker, one.sex, feeling.label, one.text, one.language,
        one.licence, feeling.source, feeling.shares, feeling.point, prosody, described.features,
    )  # fmt: skip


def heard_feeling(samples: Samples, rate: int) -> Feeling:
    """The emotion of a mono recording as the speech guide hears it. AudioError where no voice is heard."""
    reading = _guide().read([samples], rate)[0]
    if reading.labels is None:
        raise AffectgenError("The speech guide names no emotions.", "Install affectgen again.")
    shares = np.array([reading.labels[label] for label in LABELS])
    point = np.array([reading.affect.valence, reading.affect.arousal])
    return Feeling(LABELS[int(shares.argmax())], shares, point, GUIDE)


def sound_sha256(samples: Samples, rate: int) -> str:
    """The SHA-256 of samples as 16-bit numbers, and of their rate: the same for the same sound in WAV and FLAC."""
    digest = hashlib.sha256(f"{rate} ".encode())
    digest.update(np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return digest.hexdigest()


def _read(path: Path) -> tuple[Samples, int]:
    """A recording at its own rate, mono. AudioError where it is no audio, or longer than an utterance."""
    info = audio_info(path)
    if info.seconds > LONGEST:
        text = f"{path.name} lasts {info.seconds:.0f} s; an index holds utterances of up to {LONGEST:g} s."
        raise AudioError(text, "Cut it.")
    return read_mono(path, info.rate), info.rate


@lru_cache(maxsize=1)
def _guide() -> SpeechRecogniser:
    return load_speech_recogniser("speech-guide")


def _together(found: Iterable[Entry | Passed], count: int) -> Iterator[list[Entry | Passed]]:
    """A few at a time."""
    batch: list[Entry | Passed] = []
    for one in found:
        batch.append(one)
        if len(batch) == count:
            yield batch
            batch = []
    if batch:
        yield batch
