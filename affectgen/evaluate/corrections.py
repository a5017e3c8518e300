"""How well an inconsistent edit is corrected: neutral words in an emotional take, against what the actor really said.

CREMA-D's actors say the same sentence neutral and in an emotion. The neutral take's middle words are set into the
emotional one, corrected, and compared with that take's own words: pitch and spectrum, phone by phone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from affectgen.affect import labels
from affectgen.audio.files import Samples, read_mono
from affectgen.audio.glottal import contour
from affectgen.audio.timemap import HOP
from affectgen.errors import AffectgenError
from affectgen.evaluate.cepstra import RATE as CEPSTRUM_RATE
from affectgen.evaluate.cepstra import STEP, mel_cepstra
from affectgen.recognize.speech_corpus import Clip, read_clips
from affectgen.speech.aligning.alignment import Alignment, Word
from affectgen.speech.correcting.correct import Corrected, CorrectSettings, corrected
from affectgen.speech.editing.edit import shifted
from affectgen.speech.editing.seams import REACH, joint, patch_for
from affectgen.speech.predictor.pairs import sentence_of
from affectgen.speech.predictor.takes import read_texts
from affectgen.speech.split import part_of
from affectgen.speech.target import Target

Floats = NDArray[np.float64]
Span = tuple[float, float]

EMOTIONS = ("anger", "fear", "happiness", "sadness")
SEVERAL = 6  # words of a sentence from which on three of them are replaced, else two
FAULT = 9.0  # semitones from a true take's median beyond which its pitch is not believed
NEAR = 0.06  # seconds on either side of a seam in which a pitch must be
LEAST_FRAMES = 10  # voiced in both, of a case that counts
ROWS: Mapping[str, CorrectSettings | None] = {
    "uncorrected": None,
    "rules": CorrectSettings(share=1.0, method="rules"),
    "retrieved": CorrectSettings(share=1.0),
    "context": CorrectSettings(),
    "both": CorrectSettings(),
}


class Aligns(Protocol):
    """What is used of `affectgen.speech.aligning.align.Aligner`."""

    def align(self, samples: Samples, rate: int, text: str) -> Alignment: ...


@dataclass(frozen=True)
class Case:
    """A neutral take's words in an emotional take. samples, alignment: of the spliced recording, mono float64 [N];
    span: of the words in it; true, known: the emotional take and its alignment; words: their places; emotion."""

    samples: Floats
    rate: int
    alignment: Alignment
    span: Span
    true: Floats
    known: Alignment
    words: range
    emotion: str


@dataclass(frozen=True)
class CorrectionRow:
    """Means over cases. error: absolute difference of pitch to the true take in semitones, over frames voiced in both
    and believed (`likely`); rms: its root mean square; every: the error over all frames voiced in both; step: of pitch
    at the seams, semitones; distance: mel-cepstral, dB."""

    error: float
    rms: float
    every: float
    step: float
    distance: float


@dataclass(frozen=True)
class CorrectionFigures:
    """cases: how many; rows: by the names of ROWS; natural: step of pitch at the same places of the true takes."""

    cases: int
    speakers: int
    rows: Mapping[str, CorrectionRow]
    natural: float


def correction_figures(
    aligner: Aligns, data: Path, part: str = "test", most: int = 160, seed: int = 0,
    rows: Mapping[str, CorrectSettings | None] = ROWS,
) -> CorrectionFigures:
    """The figures on speakers of a part of `affectgen.speech.split`. data: holds crema_d/; most: cases, drawn.

    AffectgenError where the data is missing or no case can be made.
    """  # fmt: skip
    pairs = pairs_of(data, part, most, seed)
    texts = read_texts(data)
    found: dict[str, list[Floats]] = {name: [] for name in rows}
    natural: list[float] = []
    speakers = set()
    for neutral, felt in pairs:
        case = made(aligner, neutral, felt, texts[felt.name])
        if case is None:
            continue
        results = {name: measured(case, done(case, name, settings)) for name, settings in rows.items()}
        if not all(np.isfinite(one[[0, 1, 2, 4]]).all() for one in results.values()):
            continue
        for name, result in results.items():
            found[name].append(result)
        natural.append(natural_step(case))
        speakers.add(felt.speaker)
    if not natural:
        raise AffectgenError(f"{data} gives no case for speakers of the part {part!r}.", "Give the whole data.")
    means = {name: CorrectionRow(*np.nanmean(np.array(values), axis=0).tolist()) for name, values in found.items()}
    return CorrectionFigures(len(natural), len(speakers), means, float(np.nanmean(natural)))


def pairs_of(data: Path, part: str, most: int, seed: int) -> list[tuple[Clip, Clip]]:
    """(neutral, emotional) takes of a sentence by one speaker, drawn."""
    clips = [clip for clip in read_clips(data, ["crema_d"]) if part_of(clip.speaker) == part]
    calm = {sentence_of(clip): clip for clip in clips if clip.acted == "neutral"}
    pairs = [(calm[sentence_of(clip)], clip) for clip in clips if clip.acted in EMOTIONS and sentence_of(clip) in calm]
    order = np.random.default_rng(seed).permutation(len(pairs))[:most]
    return [pairs[place] for place in sorted(order.tolist())]


def made(aligner: Aligns, neutral: Clip, felt: Clip, text: str) -> Case | None:
    """The case of a pair; None where a take does not fit its words or the sentence is too short."""
    from affectgen.audio.files import audio_info

    rate = audio_info(felt.file).rate
    sounds = [read_mono(clip.file, rate).astype(np.float64) for clip in (neutral, felt)]
    try:
        calm, known = (aligner.align(sound.astype(np.float32), rate, text) for sound in sounds)
    except AffectgenError:  # a take that is cut off or badly spoken says nothing about corrections
        return None
    count = len(known.words)
    if count < 4 or len(calm.words) != count:
        return None
    width = 2 if count < SEVERAL else 3
    first = (count - width) // 2
    return spliced(sounds[0], sounds[1], rate, calm, known, range(first, first + width), felt.acted)


def spliced(
    neutral: Floats, felt: Floats, rate: int, calm: Alignment, known: Alignment, words: range, emotion: str
) -> Case:
    """The neutral take's words in the emotional one, cut as the editor does."""
    first, last = calm.words[words[0]].start, calm.words[words[-1]].end
    start, end = known.words[words[0]].start, known.words[words[-1]].end
    cut = joint(felt, rate, start, end, neutral, first, last)
    patch = patch_for(cut, felt[:, None], 0, neutral, np.ones(1))
    sound = np.concatenate([felt[: patch.start], patch.sound[:, 0], felt[patch.end :]])
    to_new = (patch.start - (cut.first - cut.fade // 2)) / rate  # from seconds of the neutral take
    later = (len(sound) - len(felt)) / rate
    parts = [
        *known.words[: words[0]], *(shifted(calm.words[n], to_new, n) for n in words),
        *(shifted(word, later, word.index) for word in known.words[words[-1] + 1 :]),
    ]  # fmt: skip
    span = (max(first + to_new, 0.0), min(last + to_new, len(sound) / rate))
    return Case(sound, rate, Alignment(tuple(parts), len(sound) / rate), span, felt, known, words, emotion)


def done(case: Case, name: str, settings: CorrectSettings | None) -> Corrected:
    """A case as a row of the table has it."""
    if settings is None:
        return Corrected(case.samples, (case.span,), (), case.alignment)
    target = None if name == "context" else target_for(case.emotion)
    return corrected(case.samples, case.rate, case.alignment, [case.span], target, settings)


def target_for(emotion: str) -> Target:
    """What is asked of a correction towards one of EMOTIONS."""
    return Target(labels.emo_db(emotion), emotion)


def measured(case: Case, found: Corrected) -> Floats:
    """The values of a CorrectionRow for one case, float64 [5]; nan where there is nothing to compare."""
    if found.alignment is None:
        raise ValueError("a case has an alignment")
    at, true_at = matching(found.alignment, case.known, case.words)
    sound = np.asarray(found.samples, dtype=np.float64)
    mine, true = contour(sound, case.rate), contour(case.true, case.rate)
    pitch, wanted = (hertz[np.clip(np.rint(when / HOP).astype(np.int64), 0, len(hertz) - 1)]
                     for hertz, when in ((mine, at), (true, true_at)))  # fmt: skip
    both = (pitch > 0) & (wanted > 0)
    good = likely(wanted, true)[both]
    if good.sum() < LEAST_FRAMES:
        return np.full(5, np.nan)
    away = 12 * np.log2(pitch[both] / wanted[both])
    every, away = float(np.abs(away).mean()), away[good]
    steps = [step_at(mine, moment) for moment in found.spans[0]]
    step = float(np.nanmean(steps)) if np.isfinite(steps).any() else float("nan")
    distance = _cepstral(sound, case.true, case.rate, at, true_at)
    return np.array([np.abs(away).mean(), np.sqrt((away**2).mean()), every, step, distance])


def likely(hertz: Floats, take: Floats) -> NDArray[np.bool_]:
    """Which pitches [K] are not farther than FAULT from the median of a take's [T]: those that are, are octaves that
    the tracker took wrongly, and nothing that a correction could meet."""
    middle = float(np.median(take[take > 0])) if (take > 0).any() else 1.0
    return np.asarray(np.abs(12 * np.log2(np.maximum(hertz, 1.0) / middle)) <= FAULT)


def natural_step(case: Case) -> float:
    """The step of pitch at the seams' places in the true take."""
    hertz = contour(case.true, case.rate)
    edges = (case.known.words[case.words[0]].start, case.known.words[case.words[-1]].end)
    steps = [step_at(hertz, edge) for edge in edges]
    return float(np.nanmean(steps)) if np.isfinite(steps).any() else float("nan")


def step_at(hertz: Floats, at: float) -> float:
    """Semitones between the pitch before a seam and after it, beyond what the seam itself may touch; nan where one of
    them is not near."""
    place = np.arange(len(hertz)) * HOP
    left = np.flatnonzero((hertz > 0) & (place <= at - REACH) & (place >= at - REACH - NEAR))
    right = np.flatnonzero((hertz > 0) & (place >= at + REACH) & (place <= at + REACH + NEAR))
    if not len(left) or not len(right):
        return float("nan")
    return float(abs(12 * np.log2(hertz[right[0]] / hertz[left[-1]])))


def matching(one: Alignment, other: Alignment, words: range) -> tuple[Floats, Floats]:
    """Moments of two recordings that belong together, a frame of HOP of the second apart: linear within each phone that
    both have, [K] each, seconds."""
    mine, its = [], []
    for number in words:
        for a, b in _pairs(one.words[number], other.words[number]):
            count = max(round((b[1] - b[0]) / HOP), 1)
            share = (np.arange(count) + 0.5) / count
            mine.append(a[0] + share * (a[1] - a[0]))
            its.append(b[0] + share * (b[1] - b[0]))
    if not mine:
        return np.zeros(0), np.zeros(0)
    return np.concatenate(mine), np.concatenate(its)


def _pairs(one: Word, other: Word) -> list[tuple[Span, Span]]:
    """The times of the phones that two sayings of a word share."""
    mine, its = ([phone.name for phone in word.phones] for word in (one, other))
    blocks = SequenceMatcher(None, mine, its, autojunk=False).get_matching_blocks()
    places = [(block.a + step, block.b + step) for block in blocks for step in range(block.size)]
    return [((one.phones[a].start, one.phones[a].end), (other.phones[b].start, other.phones[b].end)) for a, b in places]


def _cepstral(one: Floats, other: Floats, rate: int, at: Floats, other_at: Floats) -> float:
    """Mean mel-cepstral distance in dB between two recordings at moments that belong together."""
    rows = []
    for sound, when in ((one, at), (other, other_at)):
        cepstra = mel_cepstra(sound, rate)
        rows.append(cepstra[np.clip(np.rint(when * CEPSTRUM_RATE / STEP).astype(np.int64), 0, len(cepstra) - 1)])
    apart = np.sqrt(2 * ((rows[0] - rows[1]) ** 2).sum(axis=1)) * 10 / np.log(10)
    return float(apart.mean())


def lines_of(figures: CorrectionFigures) -> Sequence[str]:
    """A table for a person."""
    lines = [f"{figures.cases} cases of {figures.speakers} speakers; natural step {figures.natural:.2f} st"]
    for name, row in figures.rows.items():
        error = f"error {row.error:.2f} st (rms {row.rms:.2f}, all frames {row.every:.2f})"
        lines.append(f"{name:12} {error}, step {row.step:.2f} st, distance {row.distance:.2f} dB")
    return lines
