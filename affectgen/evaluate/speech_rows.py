"""The rows of `affectgen evaluate speech`, part by part, and the bars that they are held to."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from affectgen.evaluate.figures import Figure

if TYPE_CHECKING:
    from affectgen.evaluate.conversions import Conversions
    from affectgen.evaluate.corrections import CorrectionFigures
    from affectgen.evaluate.edits import EditFigures
    from affectgen.evaluate.word_times import WordTimes

Say = Callable[[str], None]
NAN = math.nan

MEDIAN, NEAR = "align: word times, ms from those stated, median", "align: word times within 50 ms of those stated"
PICKED, RATIO = "edit: the new word is picked among 40", "edit: distance of a rebuilt word, over a repetition's"
STEP, OUTSIDE = "edit: pitch step at seams, semitones over natural joins", "edit: samples changed outside the spans"
EDIT_TIME = "edit: seconds of work for a second"
HITS, JOY = "convert: judge hears the target, mean", "convert: judge hears happiness"
KEPT, ERROR = "convert: speaker kept, CREMA-D", "speaker verifier: equal error rate, CREMA-D"
CONVERT_TIME = "convert: seconds of work for a second"
PITCH = "correct: pitch error, semitones"

# what each part is held to; where a part cannot be measured, these rows stand without values
BARS: Mapping[str, tuple[Figure, ...]] = {
    "align": (Figure(MEDIAN, NAN, at_most=15.0), Figure(NEAR, NAN, at_least=0.95)),
    "edit": (
        Figure(PICKED, NAN, at_least=0.95), Figure(RATIO, NAN, at_most=1.25), Figure(STEP, NAN, at_most=1.0),
        Figure(OUTSIDE, NAN, at_most=0.0), Figure(EDIT_TIME, NAN, at_most=0.5),
    ),
    "convert": (
        Figure(HITS, NAN, at_least=0.55), Figure(JOY, NAN, at_least=0.35), Figure(KEPT, NAN, at_least=0.85),
        Figure(ERROR, NAN, at_most=0.1), Figure(CONVERT_TIME, NAN, at_most=0.3),
    ),
    "correct": (Figure(PITCH, NAN, at_most=2.8),),
}  # fmt: skip
CORPUS_NAMES = {"crema_d": "CREMA-D", "emo_db": "EMO-DB"}


def filled(part: str, values: Mapping[str, Figure]) -> list[Figure]:
    """The bars of a part with the values, references and notes of `values`, and their rows without a bar after them."""
    bars = BARS[part]
    held = [replace(values[bar.name], at_least=bar.at_least, at_most=bar.at_most) for bar in bars]
    named = {bar.name for bar in bars}
    return held + [figure for name, figure in values.items() if name not in named]


def by_name(figures: Sequence[Figure]) -> dict[str, Figure]:
    """Figures by their names."""
    return {figure.name: figure for figure in figures}


def aligned(quick: bool) -> list[Figure]:
    """Alignment, on synthetic speech. AffectgenError where no synthesiser states its times."""
    from affectgen.evaluate.word_times import TEXTS, word_times
    from affectgen.speech.aligning.align import Aligner

    return align_rows(word_times(Aligner(), texts=TEXTS[:3] if quick else TEXTS))


def align_rows(found: WordTimes) -> list[Figure]:
    """What was measured of word times."""
    told = f"{found.times} times"
    figures = [Figure(MEDIAN, 1000 * found.median, note=told), Figure(NEAR, found.within, note=told)]
    for voice, (median, within) in found.voices.items():
        figures += [Figure(f"{MEDIAN}, {voice}", 1000 * median), Figure(f"{NEAR}, {voice}", within)]
    return filled("align", by_name(figures))


def edited(folder: Path, words: int, seed: int) -> list[Figure]:
    """Editing, on a folder of read speech. AffectgenError where nothing can say new words."""
    from affectgen.evaluate.edits import edit_figures
    from affectgen.speech.aligning.align import Aligner
    from affectgen.speech.editing.builtin import BuiltIn
    from affectgen.speech.editing.donors import find_synthesiser

    aligner = Aligner()
    engine = BuiltIn(aligner, find_synthesiser())
    return edit_rows(edit_figures(aligner, engine, folder, words, seed), engine.name)


def edit_rows(found: EditFigures, voice: str) -> list[Figure]:
    """What was measured of edits; voice: what said the words."""
    told = f"{found.words} words, {voice}"
    return filled("edit", by_name([
        Figure(PICKED, found.picked, note=f"{found.replaced} words"),
        Figure(RATIO, found.ratio, note=f"{told}, {found.pairs} repetitions"),
        Figure("edit: mel-cepstral distance of a rebuilt word, dB", found.distance, real=found.repetition),
        Figure(STEP, found.step - found.natural, note=told),
        Figure("edit: pitch step at seams, semitones", found.step, real=found.natural),
        Figure(OUTSIDE, float(found.outside), note="further than 15 ms"),
        Figure(EDIT_TIME, found.factor),
    ]))  # fmt: skip


def converted(data: Path, sources: int, quick: bool, seed: int, jobs: int, say: Say) -> list[Figure]:
    """Conversion, on test speakers of CREMA-D and EMO-DB."""
    from affectgen.evaluate.conversions import RULES, Settings, run
    from affectgen.recognize.speaker import load_speaker_verifier
    from affectgen.speech.converting.convert import ConvertSettings

    settings = Settings(sources, natural=1 if quick else 5, timed=3 if quick else 8, seed=seed)
    shipped = ConvertSettings().method
    found = run(data, settings, tuple(dict.fromkeys((shipped, "learned", "retrieved", RULES))), jobs, say)
    return convert_rows(found, shipped, load_speaker_verifier().figures)


def convert_rows(found: Conversions, shipped: str, verifier: Mapping[str, Mapping[str, float]]) -> list[Figure]:
    """What was measured of conversions. shipped: the method that is used where none is named; verifier: its own error
    rates by corpus."""
    from affectgen.evaluate.conversions import NATURAL, RULES, TARGETS, UNTOUCHED

    figures = [hits(found, HITS, shipped, told=f"{shipped}, "), hits(found, JOY, shipped, "happiness")]
    figures += [hits(found, f"convert: judge hears {one}", shipped, one) for one in TARGETS if one != "happiness"]
    figures += [hits(found, f"{HITS}, {told}", shipped, None, one) for one, told in CORPUS_NAMES.items()]
    relative = found.hits(shipped, relative=True)
    figures.append(Figure(f"{HITS}, told a neutral recording", relative, real=found.hits(NATURAL, relative=True)))
    agreed, count = found.agreed()
    heard_so = f"{HITS}, natural speech that most listeners heard so, CREMA-D"
    figures.append(Figure(heard_so, agreed, note=f"{count} recordings"))
    for method in (one for one in found.factor if one not in (shipped, RULES)):
        figures.append(hits(found, f"{HITS}, {method}", method))
        figures.append(hits(found, f"{JOY}, {method}", method, "happiness"))
        figures.append(same(found, f"{KEPT}, {method}", method, "crema_d"))
    figures.append(hits(found, f"{HITS}, {UNTOUCHED}", UNTOUCHED))
    figures += [Figure(f"{HITS}, {method}", NAN, note=f"not measured: {why}") for method, why in found.missing.items()]
    for corpus, told in CORPUS_NAMES.items():
        kept = f"convert: speaker kept, {told}"
        figures.append(same(found, kept, shipped, corpus))
        figures.append(Figure(f"{kept}, {UNTOUCHED}", found.speaker_kept(UNTOUCHED, None, corpus)))
    figures += verifier_rows(verifier)
    figures.append(Figure(CONVERT_TIME, found.factor[shipped], note=shipped, baseline=found.factor.get(RULES)))
    return filled("convert", by_name(figures))


def hits(
    found: Conversions, name: str, method: str, target: str | None = None, corpus: str | None = None, told: str = ""
) -> Figure:
    """How often the judge hears what a method was asked for, beside rules and natural speech."""
    from affectgen.evaluate.conversions import NATURAL, RULES

    baseline, natural = (known(found.hits(one, target, corpus)) for one in (RULES, NATURAL))
    mixed = found.shuffled(method, target) if corpus is None else None
    counted = found.chosen(method, target, corpus)
    failed = sum(bool(one.failed) for one in counted)
    note = f"{told}{len(counted)} recordings{f', {failed} not converted' if failed else ''}"
    value = found.hits(method, target, corpus)
    return Figure(name, value, note=note, shuffled=mixed, baseline=baseline, real=natural)


def same(found: Conversions, name: str, method: str, corpus: str) -> Figure:
    """How often the speaker is kept, beside rules and natural speech in the same emotions."""
    from affectgen.evaluate.conversions import NATURAL, RULES

    baseline, natural = (known(found.speaker_kept(one, None, corpus)) for one in (RULES, NATURAL))
    value = found.speaker_kept(method, None, corpus)
    return Figure(name, value, note=voices_told(found, corpus), baseline=baseline, real=natural)


def known(value: float) -> float | None:
    """The value, None for nan."""
    return None if math.isnan(value) else value


def verifier_rows(verifier: Mapping[str, Mapping[str, float]]) -> list[Figure]:
    """The verifier's own error rates on speakers that it has not heard."""
    told, neutral = "equal error, clip against voice", "the same, neutral clips"
    german = "speaker verifier: equal error rate, EMO-DB"
    return [
        Figure(ERROR, verifier["crema_d"][told], note="all emotions"),
        Figure(german, verifier["emo_db"][told], note="a corpus not trained on"),
        Figure(f"{german}, neutral clips", verifier["emo_db"][neutral]),
    ]


def voices_told(found: Conversions, corpus: str) -> str:
    """How many voices there are to be mistaken for."""
    return f"the nearest of {len(found.voices[corpus][0])} voices" if corpus in found.voices else ""


def corrected(data: Path, splices: int, seed: int) -> list[Figure]:
    """Correction of inconsistent edits, on test speakers of CREMA-D."""
    from affectgen.evaluate.corrections import correction_figures
    from affectgen.speech.aligning.align import Aligner

    return correct_rows(correction_figures(Aligner().unchecked(), data, most=splices, seed=seed))


def correct_rows(found: CorrectionFigures) -> list[Figure]:
    """What was measured of corrections."""
    told = f"{found.cases} splices, {found.speakers} speakers, --affect keep"
    kept, uncorrected, rules = (found.rows[name] for name in ("context", "uncorrected", "rules"))
    figures = [
        Figure(PITCH, kept.error, note=told, baseline=rules.error),
        Figure(f"{PITCH}, uncorrected", uncorrected.error),
        Figure(f"{PITCH}, with frames whose pitch is in doubt", kept.every, baseline=rules.every),
        Figure(f"{PITCH}, with such frames, uncorrected", uncorrected.every),
        Figure("correct: pitch step at seams, semitones", kept.step, baseline=rules.step, real=found.natural),
        Figure("correct: mel-cepstral distance, dB", kept.distance, baseline=rules.distance),
        Figure("correct: mel-cepstral distance, dB, uncorrected", uncorrected.distance),
    ]
    shown = ("context", "uncorrected", "rules")
    figures += [Figure(f"{PITCH}, {name}", row.error) for name, row in found.rows.items() if name not in shown]
    return filled("correct", by_name(figures))
