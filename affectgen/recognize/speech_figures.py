"""How well speech is read: recall and correlation on speakers that a model has not heard, one corpus at a time.

UAR is the unweighted average recall: the mean over emotions of the share of its clips that are named rightly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.recognize.interval import coverage
from affectgen.recognize.speech_corpus import HEARD, LABELS, Table, baselines, read_clips, read_table
from affectgen.recognize.speech_expert import Settings
from affectgen.recognize.speech_model import Heard, Reader, SpeechModel, Verdict, correlation, fit_model, fit_reader

Floats = NDArray[np.float64]
Figures = dict[str, float]
ROUNDS = 8  # neutral clips of each speaker that are the baseline in turn


@dataclass(frozen=True)
class Read:
    """Verdicts on a table: alone: one; beside: one for each round, with the rows that count (all but the baselines)."""

    table: Table
    alone: Verdict
    beside: tuple[tuple[Verdict, NDArray[np.bool_]], ...]


def heard_of(table: Table) -> Heard:
    """A table as the model takes it."""
    return Heard(table.features, [np.asarray(rows, dtype=np.float64) for rows in table.frames])


def read_all(model: SpeechModel, table: Table, rounds: int = ROUNDS, only: str | None = None) -> Read:
    """Every clip alone, and beside one neutral clip of its speaker: the first in the first round, and so on."""
    heard, neutral = heard_of(table), baselines(table)
    alone = model.read(heard, only=only)
    beside = []
    for number in range(rounds):
        chosen = {speaker: int(own[number % len(own)]) for speaker, own in neutral.items() if len(own)}
        place = np.array([chosen.get(clip.speaker, 0) for clip in table.clips])
        base = Heard(heard.features[place], [heard.frames[n] for n in place])
        counts = np.array([clip.speaker in chosen for clip in table.clips]) & (place != np.arange(len(table)))
        beside.append((model.read(heard, base, only), counts))
    return Read(table, alone, tuple(beside))


def uar(found: NDArray[np.int64], wanted: NDArray[np.int64]) -> float:
    """Unweighted average recall over the labels that occur in `wanted` [N]."""
    return float(np.mean([(found[wanted == label] == label).mean() for label in np.unique(wanted)]))


def figures_of(read: Read) -> Figures:
    """UAR on the clips whose listeners agreed (and on what was acted), correlations, coverage; alone, with a baseline.

    Labels that the corpus's listeners were not offered are no answer. All clips must be of one corpus.
    """
    table = read.table
    offered = np.array([label in HEARD[table.clips[0].corpus] for label in LABELS])
    sure, label = table.shares.max(axis=1) == 1, table.shares.argmax(axis=1)
    acted = np.array([LABELS.index(clip.acted) for clip in table.clips])
    points = table.points

    def named(verdict: Verdict) -> NDArray[np.int64]:
        return np.where(offered, verdict.shares, -1.0).argmax(axis=1)

    alone = named(read.alone)
    inside = coverage(read.alone.low, read.alone.high, points)
    figures = {
        "uar": uar(alone[sure], label[sure]),
        "uar_acted": uar(alone, acted),
        "valence_r": correlation(read.alone.points[:, 0], points[:, 0]),
        "arousal_r": correlation(read.alone.points[:, 1], points[:, 1]),
        "valence_coverage": float(inside[0]),
        "arousal_coverage": float(inside[1]),
        "clips": float(len(table)),
    }
    if read.beside:
        rounds = [(verdict, counts) for verdict, counts in read.beside if counts.any()]
        figures["uar_baseline"] = float(np.mean([uar(named(v)[sure & c], label[sure & c]) for v, c in rounds]))
        for axis, name in enumerate(("valence", "arousal")):
            r = [correlation(v.points[c, axis], points[c, axis]) for v, c in rounds]
            figures[f"{name}_r_baseline"] = float(np.mean(r))
            inside = np.array([coverage(v.low[c], v.high[c], points[c]) for v, c in rounds]).mean(axis=0)
            figures[f"{name}_coverage_baseline"] = float(inside[axis])
    return figures


def by_corpus(model: SpeechModel, table: Table, rounds: int = ROUNDS) -> dict[str, Figures]:
    """Figures for each corpus in a table of speakers that the model has not heard."""
    corpora = table.array("corpus")
    return {
        str(name): figures_of(read_all(model, table.pick(corpora == name), rounds)) for name in np.unique(corpora)
    }


def leave_speakers_out(table: Table, corpus: str, settings: Settings, ready: Sequence[Reader]) -> Figures:
    """Figures on one corpus, each speaker read by a model fitted without them; other corpora's readers are given."""
    own = table.array("corpus") == corpus
    speaker = table.array("speaker")
    parts = []
    for name in np.unique(speaker[own]):
        model = fit_model(table.pick(speaker != name), settings, ready)
        parts.append(read_all(model, table.pick(speaker == name)))
    return figures_of(joined(parts))


def joined(parts: Sequence[Read]) -> Read:
    """Several tables' verdicts as of one table."""
    clips = tuple(clip for part in parts for clip in part.table.clips)
    frames = tuple(rows for part in parts for rows in part.table.frames)
    table = Table(clips, np.concatenate([part.table.features for part in parts]), frames)
    rounds = tuple(
        (_stacked([verdict for verdict, _ in verdicts]), np.concatenate([counts for _, counts in verdicts]))
        for verdicts in zip(*(part.beside for part in parts), strict=True)
    )
    return Read(table, _stacked([part.alone for part in parts]), rounds)


def _stacked(verdicts: Sequence[Verdict]) -> Verdict:
    """Verdicts on more clips."""
    return Verdict(*(np.concatenate([getattr(v, name) for v in verdicts]) for name in Verdict.__dataclass_fields__))


def across(model: SpeechModel, table: Table) -> Figures:
    """UAR over the six shared emotions of each corpus read by the other's expert alone, which has not heard it."""
    corpora = table.array("corpus")
    shared = np.array([label in HEARD["crema_d"] for label in LABELS])
    found: Figures = {}
    for name, other in (("emo_db", "crema_d"), ("crema_d", "emo_db")):
        part = table.pick((corpora == name) & (table.array("acted") != "boredom"))
        verdict = model.read(heard_of(part), only=other)
        sure, label = part.shares.max(axis=1) == 1, part.shares.argmax(axis=1)
        named = np.where(shared, verdict.shares, -1.0).argmax(axis=1)
        found[f"{other}_on_{name}_uar"] = uar(named[sure], label[sure])
        for axis, which in enumerate(("valence", "arousal")):
            found[f"{other}_on_{name}_{which}_r"] = correlation(verdict.points[:, axis], part.points[:, axis])
    return found


def evaluate(data: Path, seed: int = 0, cache: Path | None = None) -> list[tuple[str, float, int]]:
    """Every figure of speech, measured anew: (name, value, clips). Minutes: it fits a model for each speaker of EMO-DB,
    and one on the speakers that are not the judge's. The shipped guide and judge are measured as they are.
    """
    from affectgen.recognize.speech_store import load

    table = read_table(read_clips(data), cache)
    judges = np.array([clip.judges for clip in table.clips])
    settings = Settings(seed=seed)
    rows: list[tuple[str, float, int]] = []
    for name, unseen in (("guide", table.pick(judges)), ("judge", table.pick(~judges))):
        for corpus, figures in by_corpus(load(f"speech-{name}")[0], unseen).items():
            rows += _rows(f"{name}: {corpus}", figures)
    whole = table.pick(table.array("corpus") == "crema_d")
    other = fit_reader(whole, settings)
    rows += _rows("recogniser: emo_db, leave one speaker out", leave_speakers_out(table, "emo_db", settings, [other]))
    model = fit_model(table, settings, [other])
    return rows + [(f"across: {name}", value, len(table)) for name, value in across(model, table).items()]


def shipped() -> list[tuple[str, float, int]]:
    """The figures that the fits wrote into the shipped checkpoints, in the same form; at once."""
    from affectgen.recognize.speech_store import load

    rows: list[tuple[str, float, int]] = []
    for name in ("recogniser", "guide", "judge"):
        for corpus, figures in load(f"speech-{name}")[1]["figures"].items():
            rows += _rows(f"{name}: {corpus}", figures)
    return rows


def _rows(title: str, figures: Figures) -> list[tuple[str, float, int]]:
    """Figures as rows of a table; clips are 0 where figures have different ones."""
    clips = round(figures.get("clips", 0))
    return [(f"{title}: {name}", value, clips) for name, value in figures.items() if name != "clips"]
