"""How often the judge hears the emotion that a conversion asked for, and whether the speaker is still the same.

Neutral recordings of speakers that nothing of `affectgen.speech` was fitted on are converted to anger, fear, happiness
and sadness; the judge of speech, which steered nothing, and the verifier of speakers, which steers nothing, measure.
Beside them stand the recordings as they are, MARY's rules, and what the same speakers did when asked for the emotion.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from affectgen.audio.files import read_mono
from affectgen.errors import AffectgenError
from affectgen.evaluate.speaker_trials import kept, split_neutral, voices_of
from affectgen.processes import map_in_processes
from affectgen.recognize.speaker import SpeakerVerifier, load_speaker_verifier
from affectgen.recognize.speech import JUDGE, SpeechRecogniser, hear, load_speech_recogniser
from affectgen.recognize.speech_corpus import CORPORA, JUDGE_SPEAKERS, LABELS, Clip, read_clips
from affectgen.recognize.speech_model import Heard
from affectgen.speech.split import part_of

Floats = NDArray[np.float64]
Say = Callable[[str], None]

TARGETS = ("anger", "fear", "happiness", "sadness")
WORDS = {"anger": "angry", "fear": "afraid", "happiness": "happy", "sadness": "sad"}  # as a person asks
UNTOUCHED, NATURAL, RULES = "untouched", "natural", "rules"


@dataclass(frozen=True)
class Settings:
    """sources: neutral recordings of each speaker that are converted, at most half of them; natural: recordings of each
    speaker and emotion that stand beside; timed: conversions whose time is taken; part: of the speakers, see
    `affectgen.speech.split`; seed: of what is drawn."""

    sources: int = 5
    natural: int = 5
    timed: int = 8
    part: str = "test"
    seed: int = 1000


@dataclass(frozen=True)
class Item:
    """One recording to be measured. method: how it is converted, UNTOUCHED or NATURAL; target: the emotion asked;
    beside: a neutral recording of the speaker that is not converted."""

    clip: Clip
    method: str
    target: str
    beside: Path


@dataclass(frozen=True)
class Outcome:
    """What was measured of an item. shares, relative: float64 [7] over LABELS, as the judge hears it alone and beside a
    neutral recording of the speaker; vector: float64 [D], of the verifier; all 0 where it could not be converted or
    heard, which counts as no hit and no speaker kept; failed: why not."""

    item: Item
    shares: Floats
    relative: Floats
    vector: Floats
    failed: str = ""

    @property
    def hit(self) -> bool:
        """Whether the label with the largest share is the target."""
        return self._hit(self.shares)

    @property
    def relative_hit(self) -> bool:
        """The same as the judge hears it beside a neutral recording of the speaker."""
        return self._hit(self.relative)

    def _hit(self, shares: Floats) -> bool:
        return bool(shares.any()) and LABELS[int(shares.argmax())] == self.item.target


@dataclass(frozen=True)
class Conversions:
    """outcomes: of all methods; voices: of each corpus, the speakers and their vectors [S, D]; factor: seconds of work
    for a second of recording by method, in one process; missing: methods that there are not, and why."""

    outcomes: tuple[Outcome, ...]
    voices: Mapping[str, tuple[tuple[str, ...], Floats]]
    factor: Mapping[str, float]
    missing: Mapping[str, str]

    def chosen(self, method: str, target: str | None = None, corpus: str | None = None) -> list[Outcome]:
        """Those of one method, and of one target and corpus where they are given."""
        return [
            one for one in self.outcomes
            if one.item.method == method and target in (None, one.item.target)
            and corpus in (None, one.item.clip.corpus)
        ]  # fmt: skip

    def hits(self, method: str, target: str | None = None, corpus: str | None = None, relative: bool = False) -> float:
        """The share of hits: the mean over corpora and emotions, so that each counts alike; nan where there are none.
        relative: as the judge hears it beside a neutral recording of the speaker."""
        return self._mean(method, target, corpus, lambda found: _hits(found, relative))

    def shuffled(self, method: str, target: str | None = None, seed: int = 0) -> float:
        """The same where each request is compared with what came of another: the emotions are exchanged among the
        requests of each corpus."""
        exchanged: list[Outcome] = []
        for number, corpus in enumerate(CORPORA):
            found = self.chosen(method, None, corpus)
            order = np.random.default_rng([seed, number]).permutation(len(found)).tolist()
            for one, other in zip(found, order, strict=True):
                exchanged.append(Outcome(one.item, found[other].shares, found[other].relative, found[other].vector))
        return Conversions(tuple(exchanged), self.voices, {}, {}).hits(method, target)

    def speaker_kept(self, method: str, target: str | None = None, corpus: str | None = None) -> float:
        """The share whose nearest voice is their speaker's, the mean over corpora and emotions."""
        return self._mean(method, target, corpus, self._kept)

    def agreed(self) -> tuple[float, int]:
        """(hits on natural recordings that most listeners heard as acted, in CREMA-D, which alone has listeners: the
        mean over emotions; how many recordings)."""
        natural = [one for one in self.chosen(NATURAL, None, "crema_d") if _agreed(one.item)]
        return Conversions(tuple(natural), self.voices, {}, {}).hits(NATURAL), len(natural)

    def _kept(self, found: Sequence[Outcome]) -> float:
        names, voices = self.voices[found[0].item.clip.corpus]
        vectors = np.stack([one.vector for one in found])
        own = kept(vectors, [one.item.clip.speaker for one in found], names, voices)
        return float((own & vectors.any(axis=1)).mean())

    def _mean(
        self, method: str, target: str | None, corpus: str | None, of: Callable[[Sequence[Outcome]], float]
    ) -> float:
        """The mean of a figure over corpora and targets."""
        corpora, targets = [corpus] if corpus else CORPORA, [target] if target else TARGETS
        groups = [self.chosen(method, emotion, place) for place in corpora for emotion in targets]
        values = [of(group) for group in groups if group]
        return float(np.mean(values)) if values else float("nan")


def _agreed(item: Item) -> bool:
    return LABELS[int(item.clip.shares.argmax())] == item.target


def _hits(found: Sequence[Outcome], relative: bool) -> float:
    return float(np.mean([one.relative_hit if relative else one.hit for one in found]))


def run(data: Path, settings: Settings, methods: Sequence[str], jobs: int, say: Say) -> Conversions:
    """Convert by all methods and measure. AffectgenError where the corpora are not in the folder `data`."""
    clips = [clip for clip in read_clips(data) if clip.speaker not in JUDGE_SPEAKERS]
    verifier = load_speaker_verifier()
    known, missing = available(methods)
    items: list[Item] = []
    voices: dict[str, tuple[tuple[str, ...], Floats]] = {}
    for corpus in CORPORA:
        own = rivals([clip for clip in clips if clip.corpus == corpus], settings.part)
        sources, enrolled = split_neutral(own, settings.sources, settings.seed)
        voices[corpus] = enrol(verifier, own, enrolled)
        items += items_of(own, sources, enrolled, known, settings)
    say(f"{len(items)} recordings to convert or to measure, by {', '.join(known)}")
    factor = {method: timed([one for one in items if one.method == method][: settings.timed]) for method in known}
    outcomes = tuple(measured(items, jobs, say))
    return Conversions(outcomes, voices, factor, missing)


def available(methods: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """(those of the methods that there are, why the others are not)."""
    from affectgen.speech.converting.convert import METHODS

    known = [method for method in methods if method in METHODS]
    return known, {method: "no such method here" for method in methods if method not in METHODS}


def rivals(clips: Sequence[Clip], part: str) -> list[Clip]:
    """The clips of one corpus whose speakers enrol: those of the part alone, or of all where they are fewer than five.
    """
    near = [clip for clip in clips if part_of(clip.speaker) == part]
    return near if len({clip.speaker for clip in near}) >= 5 else list(clips)


def enrol(
    verifier: SpeakerVerifier, clips: Sequence[Clip], enrolled: Mapping[str, Sequence[int]]
) -> tuple[tuple[str, ...], Floats]:
    """The voices of speakers by the places of the clips that enrol them."""
    used = sorted({place for places in enrolled.values() for place in places})
    rows = {place: row for row, place in enumerate(used)}
    vectors = np.concatenate([verifier.embed([sound], rate) for sound, rate in map(sound_of, _files(clips, used))])
    return voices_of(vectors, {name: [rows[place] for place in places] for name, places in enrolled.items()})


def _files(clips: Sequence[Clip], places: Sequence[int]) -> Iterator[Path]:
    return (clips[place].file for place in places)


def items_of(
    clips: Sequence[Clip], sources: Mapping[str, Sequence[int]], enrolled: Mapping[str, Sequence[int]],
    methods: Sequence[str], settings: Settings,
) -> list[Item]:  # fmt: skip
    """What is measured of one corpus: sources as they are and by each method to each emotion, and natural emotion."""
    items: list[Item] = []
    for number, speaker in enumerate(sorted(name for name in sources if part_of(name) == settings.part)):
        beside = clips[enrolled[speaker][0]].file
        for clip in (clips[place] for place in sources[speaker]):
            items += [Item(clip, method, target, beside) for method in (UNTOUCHED, *methods) for target in TARGETS]
        for target in TARGETS:
            acted = sorted((c for c in clips if c.speaker == speaker and c.acted == target), key=lambda clip: clip.name)
            drawn = np.random.default_rng([settings.seed, number]).permutation(len(acted))[: settings.natural]
            items += [Item(acted[place], NATURAL, target, beside) for place in sorted(drawn.tolist())]
    return items


def sound_of(file: Path) -> tuple[NDArray[np.float32], int]:
    """(mono samples, rate) of a recording, at its own rate."""
    rate = int(soundfile.info(file).samplerate)
    return read_mono(file, rate), rate


def made(item: Item) -> tuple[NDArray[np.float32], int]:
    """The recording of an item, converted where its method says so."""
    samples, rate = sound_of(item.clip.file)
    if item.method in (UNTOUCHED, NATURAL):
        return samples, rate
    from affectgen.speech.converting.convert import ConvertSettings, converted
    from affectgen.speech.target import target_of

    how = ConvertSettings(method=item.method)
    found = converted(samples.astype(np.float64), rate, target_of(WORDS[item.target]), how)
    return found.samples.astype(np.float32), rate


def timed(items: Sequence[Item]) -> float:
    """Seconds of work for a second of recording, but for the first, which reads what is read once; nan for fewer."""
    spent = length = 0.0
    for number, item in enumerate(items):
        began = time.perf_counter()
        try:
            made(item)
        except AffectgenError:  # it is counted among what is measured
            continue
        if number:
            spent += time.perf_counter() - began
            samples, rate = sound_of(item.clip.file)
            length += len(samples) / rate
    return spent / length if length else float("nan")


def measured(items: Sequence[Item], jobs: int, say: Say) -> Iterator[Outcome]:
    """What comes of all items, by `jobs` processes."""
    found = map(measure, items) if jobs == 1 else map_in_processes(measure, items, jobs, chunk=4)
    for number, outcome in enumerate(found, start=1):
        if number % 200 == 0:
            say(f"{number} of {len(items)} measured")
        yield outcome


@lru_cache(maxsize=1)
def _instruments() -> tuple[SpeechRecogniser, SpeakerVerifier]:
    """Judge and verifier, read once in each process."""
    return load_speech_recogniser(JUDGE), load_speaker_verifier()


@lru_cache(maxsize=64)
def _neutral(file: Path) -> Heard:
    return hear(*sound_of(file))


def measure(item: Item) -> Outcome:
    """Convert one recording, and let judge and verifier hear it."""
    judge, verifier = _instruments()
    try:
        samples, rate = made(item)
        heard = hear(samples, rate)
    except AffectgenError as error:
        return Outcome(item, np.zeros(7), np.zeros(7), np.zeros(verifier.axes.shape[1]), str(error))
    shares, relative = (judge.model.read(heard, beside).shares.mean(axis=0) for beside in (None, _neutral(item.beside)))
    return Outcome(item, shares, relative, verifier.embed([samples], rate)[0])
