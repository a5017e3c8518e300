"""How near the aligner's word times come to the true ones: of synthetic speech whose synthesiser states them.

flite (voices kal16, slt, rms, awb) where it is installed: beginnings and ends of words count. Else four voices of
espeak-ng, which states beginnings alone, of most words, and those less exactly (it counts the closure of a stop
now to it, now to the sound before). `python -m affectgen.evaluate.word_times` prints the figures.
"""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np

from affectgen.audio.files import Samples
from affectgen.errors import AffectgenError
from affectgen.speech.aligning.align import Aligner
from affectgen.speech.editing import espeak

FLITE = ("kal16", "slt", "rms", "awb")
ESPEAK = ("en-us", "en-us+f2", "en-us+m3", "en-us+f4")
NEAR = 0.05  # seconds
PATIENCE = 60  # seconds
TEXTS = (
    "the old clock in the kitchen stopped again last night",
    "please bring both of your brothers to the garden after lunch",
    "nobody knew why the river had turned such a deep shade of green",
    "we walked along the empty beach and talked about the summer",
    "a small brown dog was sleeping under the broken table",
    "they will open the new station before the end of the year",
    "her letter arrived on friday and made everybody laugh",
    "the captain asked for more coffee and a better map",
    "it takes patience to teach a young horse how to jump",
    "the printing of books became an important trade in this city",
    "put the heavy boxes near the door and close the window",
    "my sister plays the violin but she would rather sing",
)


@dataclass(frozen=True)
class Said:
    """samples: mono float32 [N]; rate; words: (number, start, end) of those whose times the synthesiser states, in
    seconds; the end is nan where it states none."""

    samples: Samples
    rate: int
    words: tuple[tuple[int, float, float], ...]


@dataclass(frozen=True)
class WordTimes:
    """median: seconds between found and true beginnings and ends of words; within: the share nearer than 50 ms;
    voices: the same two of each voice; times: how many were compared."""

    median: float
    within: float
    voices: Mapping[str, tuple[float, float]]
    times: int


Synthesiser = Callable[[str], Said]


def word_times(
    aligner: Aligner, voices: Mapping[str, Synthesiser] | None = None, texts: Sequence[str] = TEXTS
) -> WordTimes:
    """Align what each voice says of `texts` (lower-case words alone) and compare. voices: those of `voices_here` if
    not given. AffectgenError where none is there."""
    given, aligner = voices_here() if voices is None else voices, aligner.unchecked()
    errors = {name: np.concatenate([_errors(aligner, voice, text) for text in texts]) for name, voice in given.items()}
    together = np.concatenate(list(errors.values()))
    each = {name: (float(np.median(values)), float((values < NEAR).mean())) for name, values in errors.items()}
    return WordTimes(float(np.median(together)), float((together < NEAR).mean()), each, len(together))


def _errors(aligner: Aligner, voice: Synthesiser, text: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Seconds between the found and the true beginnings and ends of the words of one text."""
    said = voice(text)
    found = aligner.align(said.samples, said.rate, text).words
    pairs = [(found[number].start - start, found[number].end - end) for number, start, end in said.words]
    errors = np.array(pairs).reshape(-1)
    return np.abs(errors[np.isfinite(errors)])


def voices_here() -> dict[str, Synthesiser]:
    """Four voices of flite where it is installed, else of espeak-ng. AffectgenError where neither states times."""
    if shutil.which("flite") is not None:
        return {f"flite {name}": partial(by_flite, name) for name in FLITE}
    if espeak.library_there():
        return {f"espeak-ng {name}": partial(by_espeak, name) for name in ESPEAK}
    raise AffectgenError("No synthesiser that states the times of words is there.", "pip install espeakng-loader")


def by_espeak(voice: str, text: str) -> Said:
    """What espeak-ng says, with its times. AffectgenError where its library is not there."""
    spoken = espeak.synthesise(text, voice)
    words, place = text.split(), 0
    found = []
    for stated, start, _ in spoken.words:  # "in the" is stated as one
        if stated in words[place:]:
            place += words[place:].index(stated) + 1
            found.append((place - 1, start, math.nan))
    return Said(spoken.samples, spoken.rate, tuple(found))


def by_flite(voice: str, text: str) -> Said:
    """What flite says, with the ends of its phones, which are counted off by how many each word has alone."""
    import soundfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "said.wav")
        rows = [row.rpartition(":") for row in _flite("-voice", voice, "-psdur", "-t", text, "-o", str(path)).split()]
        samples, rate = soundfile.read(str(path), dtype="float32")
    phones, start = [], 0.0
    for name, _, end in rows:
        if name != "pau":
            phones.append((start, float(end)))
        start = float(end)
    counts = [_phones_alone(word) for word in text.split()]
    if sum(counts) != len(phones):
        raise AffectgenError(f"flite says {text!r} in other phones than its words alone.", "Use another text.")
    ends = np.cumsum(counts)
    places = enumerate(zip(ends, counts, strict=True))
    words = tuple((number, phones[end - count][0], phones[end - 1][1]) for number, (end, count) in places)
    return Said(samples, rate, words)


@cache
def _phones_alone(word: str) -> int:
    """How many phones flite has for a word."""
    return sum(name != "pau" for name in _flite("-voice", FLITE[0], "-ps", "-t", word, "-o", "none").split())


def _flite(*words: str) -> str:
    try:
        done = subprocess.run(["flite", *words], capture_output=True, text=True, timeout=PATIENCE, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise AffectgenError(f"flite could not be run: {error}.", "Install it, or take it out of PATH.") from error
    return done.stdout


def main() -> None:
    """Print the figures of the voices that are here."""
    found = word_times(Aligner())
    lines = [f"{name}: median {1000 * median:.1f} ms, {share:.1%} within 50 ms" for name, (median, share) in
             found.voices.items()]  # fmt: skip
    lines.append(f"all {found.times} times: median {1000 * found.median:.1f} ms, {found.within:.1%} within 50 ms")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
