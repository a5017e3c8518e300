"""How well `affectgen speech edit` does: words it puts in against the reader's own, on any folder of read speech.

A word is cut out of a recording, the rest is given to the editor to put it back, and what comes is compared with what
was cut out; and words are replaced by others, which a recogniser must then pick. The folder is laid out like LJSpeech's
here: manifest.csv with the columns file, text and speaker.
"""

from __future__ import annotations

import csv
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from affectgen.audio.f0 import Floats
from affectgen.audio.glottal import contour
from affectgen.audio.timemap import HOP
from affectgen.errors import AffectgenError
from affectgen.evaluate.cepstra import mel_cepstral_distance
from affectgen.speech.aligning.alignment import Alignment, Word
from affectgen.speech.edited_file import Recording, read_recording
from affectgen.speech.editing.builtin import Aligns
from affectgen.speech.editing.edit import Edited, edited, shifted
from affectgen.speech.editing.engines import Engine
from affectgen.speech.editing.seams import REACH

SHORTEST = 4  # letters of a word that is measured
LENGTHS = (0.2, 0.9)  # seconds
ALTERNATIVES = 40
LEAST = 4.0  # seconds of a recording whose words are exchanged: it is all that is known of the voice
CLIPS = 8  # that are read at least, so that there are so many words
EDGE = 3  # frames
PAIRS = 300  # repetitions of words that are measured at most
SEAM = 0.06  # seconds on either side of a seam in which a pitch must be


@dataclass(frozen=True)
class Clip:
    """One recording, its alignment and the name it has in the manifest."""

    name: str
    recording: Recording
    alignment: Alignment

    @property
    def text(self) -> str:
        """Its words as the alignment has them."""
        return " ".join(word.text for word in self.alignment.words)

    def sound_of(self, word: Word) -> Floats:
        """The word's samples, mono."""
        rate = self.recording.rate
        return self.recording.floats(round(word.start * rate), round(word.end * rate)).mean(axis=1)


@dataclass(frozen=True)
class EditFigures:
    """words: how many were rebuilt, replaced: replaced, pairs: how many repetitions of a word stand beside them.

    distance: mean mel-cepstral distance in dB of rebuilt words to the true ones, repetition: of one word said twice by
    the same reader; step, natural: median pitch step in semitones at the seams, and at the same places before; picked:
    share of replaced words that the recogniser picks among ALTERNATIVES; outside: samples changed farther than REACH
    from an edited span; factor: seconds of work for a second of recording.
    """

    words: int
    replaced: int
    pairs: int
    distance: float
    repetition: float
    step: float
    natural: float
    picked: float
    outside: int
    factor: float

    @property
    def ratio(self) -> float:
        """How many times a repetition's distance a rebuilt word is away."""
        return self.distance / self.repetition


def edit_figures(aligner: Aligns, engine: Engine, folder: Path, words: int = 40, seed: int = 0) -> EditFigures:
    """All figures on a folder of read speech by one reader. words: how many are rebuilt, and how many replaced, at most
    one in a recording of LEAST seconds or more.

    AffectgenError where the folder holds fewer than two recordings that fit their texts.
    """
    clips = read_clips(aligner, folder, max(2 * words, CLIPS))
    if len(clips) < 2:
        raise AffectgenError(f"{folder} holds {len(clips)} recordings that fit their texts.", "Give at least two.")
    rng = np.random.default_rng(seed)
    long = [clip for clip in clips if clip.alignment.seconds >= LEAST][:words]
    back = [rebuild(clip, aligner, engine, rng) for clip in long]
    other = [exchange(clip, clips, aligner, engine, rng) for clip in long]
    rebuilt, changes = [one for one in back if one is not None], [one for one in other if one is not None]
    repeated = repetitions(clips, PAIRS, rng)
    return EditFigures(
        words=len(rebuilt), replaced=len(changes), pairs=len(repeated),
        distance=_mean([one.distance for one in rebuilt]), repetition=_mean(repeated),
        step=_median([value for one in rebuilt for value in one.steps]),
        natural=_median([value for one in rebuilt for value in one.natural]),
        picked=_mean([float(one.picked) for one in changes]), outside=sum(one.outside for one in changes),
        factor=sum(one.seconds for one in changes) / max(sum(one.length for one in changes), 1e-9),
    )  # fmt: skip


def read_clips(aligner: Aligns, folder: Path, most: int) -> list[Clip]:
    """The first recordings of the folder that fit their texts, aligned."""
    found: list[Clip] = []
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if len(found) == most:
                break
            recording = read_recording(folder / row["file"])
            try:
                alignment = aligner.align(recording.mono(), recording.rate, row["text"])
            except AffectgenError:  # a recording cut short of its text, which is no matter of the editor's
                continue
            found.append(Clip(row["file"], recording, alignment))
    return found


@dataclass(frozen=True)
class Rebuilt:
    """One word put back. distance: dB; steps, natural: semitones, of those seams that have a pitch on both sides."""

    word: str
    distance: float
    steps: tuple[float, ...]
    natural: tuple[float, ...]


def rebuild(clip: Clip, aligner: Aligns, engine: Engine, rng: np.random.Generator) -> Rebuilt | None:
    """Cut a word out of the clip that it holds once, let the editor put it back, and compare. None without such a word.
    """
    word = _chosen(clip, rng)
    if word is None:
        return None
    rest, alignment = without(clip, word)
    texts = [one.text for one in clip.alignment.words]
    left = " ".join(texts[: word.index] + texts[word.index + 1 :])
    made = edited(rest, left, clip.text, aligner, engine, alignment=alignment)
    again = made.alignment.words[word.index]
    rate = clip.recording.rate
    sound = made.recording.floats(round(again.start * rate), round(again.end * rate)).mean(axis=1)
    distance = mel_cepstral_distance(clip.sound_of(word), sound, rate)
    pairs = []
    before, after = _hertz(clip.recording), _hertz(made.recording)
    for old, new in ((word.start, made.edits[0].start), (word.end, made.edits[0].end)):
        pair = pitch_step(before, old), pitch_step(after, new)
        if np.isfinite(pair).all():
            pairs.append(pair)
    return Rebuilt(word.text, distance, tuple(p[1] for p in pairs), tuple(p[0] for p in pairs))


def without(clip: Clip, word: Word) -> tuple[Recording, Alignment]:
    """The recording and alignment without the word."""
    rate = clip.recording.rate
    first, last = round(word.start * rate), round(word.end * rate)
    stored = np.concatenate([clip.recording.stored[:first], clip.recording.stored[last:]])
    gone = (last - first) / rate
    kept = [
        one if one.index < word.index else shifted(one, -gone, one.index - 1)
        for one in clip.alignment.words if one.index != word.index
    ]  # fmt: skip
    return replace(clip.recording, stored=stored), Alignment(tuple(kept), clip.alignment.seconds - gone)


@dataclass(frozen=True)
class Exchanged:
    """One word replaced. picked: whether the recogniser picks the new one; outside: samples changed that should not be;
    seconds: of work; length: seconds of the recording."""

    word: str
    picked: bool
    outside: int
    seconds: float
    length: float


def exchange(
    clip: Clip, clips: Sequence[Clip], aligner: Aligns, engine: Engine, rng: np.random.Generator
) -> Exchanged | None:
    """Replace a word of the clip by one that it does not hold, and let the recogniser pick among the new word, the old
    one and others."""
    word = _chosen(clip, rng)
    held = {one.text.casefold() for one in clip.alignment.words}
    others = sorted(
        {one.text.casefold() for other in clips for one in other.alignment.words if len(one.text) >= SHORTEST} - held
    )
    if word is None or len(others) < ALTERNATIVES - 1:
        return None
    chosen = [str(one) for one in rng.choice(others, ALTERNATIVES - 1, replace=False)]
    texts = [one.text for one in clip.alignment.words]
    new = " ".join([*texts[: word.index], chosen[0], *texts[word.index + 1 :]])
    began = time.perf_counter()
    made = edited(clip.recording, clip.text, new, aligner, engine)
    seconds = time.perf_counter() - began
    again, rate = made.alignment.words[word.index], clip.recording.rate
    scores = aligner.pick(made.recording.mono(), rate, [*chosen, word.text.casefold()], (again.start, again.end))
    changed = changed_outside(clip.recording, made)
    return Exchanged(chosen[0], int(np.argmax(scores)) == 0, changed, seconds, clip.recording.seconds)


def changed_outside(old: Recording, made: Edited) -> int:
    """How many samples differ that lie further than REACH from every edited span, in any channel."""
    rate, count = old.rate, 0
    reached = new = 0  # where the next untouched stretch begins, in the old and in the new recording
    for place in made.edits:
        first, last = round((place.edit.start - REACH) * rate), round((place.edit.end + REACH) * rate)
        before = old.stored[reached : max(first, reached)]
        count += _differing(before, made.recording.stored[new : new + len(before)])
        longer = len(place.patch.sound) - (place.patch.end - place.patch.start)
        new += len(before) + (max(last, first) - max(first, reached)) + longer
        reached = max(last, reached)
    rest = old.stored[reached:]
    return count + _differing(rest, made.recording.stored[len(made.recording.stored) - len(rest) :])


def _differing(one: Any, other: Any) -> int:
    if one.shape != other.shape:
        return len(one)
    return int((one != other).any(axis=1).sum())


def repetitions(clips: Sequence[Clip], most: int, rng: np.random.Generator) -> list[float]:
    """Mel-cepstral distances between two sayings of one word in different clips, of words as long as those measured."""
    said: dict[str, list[tuple[Clip, Word]]] = defaultdict(list)
    for clip in clips:
        for word in clip.alignment.words:
            if _fits(word):
                said[word.text.casefold()].append((clip, word))
    pairs = [
        (one, other) for _, found in sorted(said.items())
        for place, one in enumerate(found) for other in found[place + 1 :] if one[0] is not other[0]
    ]  # fmt: skip
    order = rng.permutation(len(pairs))[:most]
    sounds = [(pairs[i][0], pairs[i][1]) for i in order]
    return [mel_cepstral_distance(a.sound_of(v), b.sound_of(w), a.recording.rate) for (a, v), (b, w) in sounds]


def pitch_step(hertz: Floats, at: float) -> float:
    """Semitones between the pitch before a moment and the one after it, the median of up to EDGE frames each, which
    leaves out what a tracker gets wrong at a single one; nan where one of them is not near."""
    place, reach = at / HOP, SEAM / HOP
    frames = np.flatnonzero(hertz > 0)
    left = frames[(frames <= place) & (frames >= place - reach)]
    right = frames[(frames > place) & (frames <= place + reach)]
    if not len(left) or not len(right):
        return float("nan")
    return float(abs(12 * np.log2(np.median(hertz[right[:EDGE]]) / np.median(hertz[left[-EDGE:]]))))


def _hertz(recording: Recording) -> Floats:
    return contour(recording.mono().astype(np.float64), recording.rate)


def _fits(word: Word) -> bool:
    return len(word.text) >= SHORTEST and LENGTHS[0] <= word.end - word.start <= LENGTHS[1]


def _chosen(clip: Clip, rng: np.random.Generator) -> Word | None:
    """A word inside the clip that it holds once, drawn."""
    words = clip.alignment.words
    texts = [word.text.casefold() for word in words]
    inside = [word for word in words[1:-1] if _fits(word) and texts.count(word.text.casefold()) == 1]
    return inside[int(rng.integers(len(inside)))] if inside else None


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if len(values) else float("nan")


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
