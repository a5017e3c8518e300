"""How well speech is read: recall and correlation on speakers that a model has not heard, one corpus at a time.

UAR is the unweighted average recall: the mean over emotions of the share of its clips that are named rightly.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectgen.recognize.interval import coverage
from affectgen.recognize.speech_corpus import (
    HEARD,
    JUDGE_SPEAKERS,
    LABELS,
    Table,
    baselines,
    read_clips,
    read_table,
    worse,
)
from affectgen.recognize.speech_degraded import damaged, some_of
from affectgen.recognize.speech_expert import Made, Settings
from affectgen.recognize.speech_model import Heard, Reader, SpeechModel, Verdict, correlation, fit_model

Floats = NDArray[np.float64]
Figures = dict[str, float]
Say = Callable[[str], None]
AS_RECORDED = "as recorded"
EVERY = 5  # one in so many of CREMA-D's clips is measured in worse recordings
QUICK = 7  # no divisor of the six emotions that files run through
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
    heard, neutral = model.scored(heard_of(table)), baselines(table)
    alone = model.read(heard, only=only)
    beside = []
    for number in range(rounds):
        chosen = {speaker: int(own[number % len(own)]) for speaker, own in neutral.items() if len(own)}
        place = np.array([chosen.get(clip.speaker, 0) for clip in table.clips])
        counts = np.array([clip.speaker in chosen for clip in table.clips]) & (place != np.arange(len(table)))
        beside.append((model.read(heard, heard.pick(place), only), counts))
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
    rounds = [(verdict, counts) for verdict, counts in read.beside if counts.any()]
    if rounds:
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


def by_damage(model: SpeechModel, damaged: Mapping[str, Table], unheard: Collection[str]) -> dict[str, Figures]:
    """Figures for each table of worse recordings, by name: "emo_db_uar" and so on; of the speakers unheard only."""
    found: dict[str, Figures] = {}
    for name, table in damaged.items():
        mine = table.pick(np.isin(table.array("speaker"), sorted(unheard)))
        parts = by_corpus(model, mine, 0).items() if len(mine) else ()
        found[name] = {f"{corpus}_{key}": value for corpus, part in parts for key, value in part.items()}
    return found


def leave_speakers_out(
    table: Table,
    corpus: str,
    settings: Settings,
    ready: Sequence[Reader],
    damaged: Mapping[str, Table] | None = None,
    say: Say = print,
) -> dict[str, Figures]:
    """Figures on one corpus, each speaker read by a model fitted without them; other corpora's readers are given.

    Under AS_RECORDED, and under the name of each table of worse recordings.
    """
    own, speaker, plain = table.array("corpus") == corpus, table.array("speaker"), table.array("copy") == 0
    tables = {AS_RECORDED: table.pick(plain), **(damaged if damaged is not None else {})}
    parts: dict[str, list[Read]] = {name: [] for name in tables}
    made: Made = {}
    for one in np.unique(speaker[own]):
        model = fit_model(table.pick(speaker != one), settings, ready, made)
        for name, held in tables.items():
            theirs = held.pick(held.array("speaker") == one)
            if len(theirs):
                parts[name].append(read_all(model, theirs, ROUNDS if name == AS_RECORDED else 0))
        say(f"{one} read without being heard")
    return {name: figures_of(joined(reads)) for name, reads in parts.items()}


def recogniser_figures(
    table: Table, model: SpeechModel, damaged: Mapping[str, Table], settings: Settings, say: Say
) -> dict[str, Any]:
    """The figures of the recogniser `model`, by models of the same settings that had not heard the speakers.

    By "emo_db", "crema_d", "across", and "degraded" with one entry for each table of worse recordings.
    """
    judges, plain = np.isin(table.array("speaker"), sorted(JUDGE_SPEAKERS)), table.array("copy") == 0
    crema = [reader for reader in model.readers if reader.expert.corpus == "crema_d"]
    corpora = {name: worse.array("corpus") for name, worse in damaged.items()}
    own = {name: worse.pick(corpora[name] == "emo_db") for name, worse in damaged.items()}
    left = leave_speakers_out(table, "emo_db", settings, crema, own, say)
    part = fit_model(table.pick(~judges), settings)
    say("CREMA-D's 60 actors heard")
    theirs = {name: worse.pick(corpora[name] == "crema_d") for name, worse in damaged.items()}
    degraded = by_damage(part, theirs, JUDGE_SPEAKERS)
    for name in damaged:
        degraded[name] |= {f"emo_db_{key}": value for key, value in left[name].items()}
    unheard = table.pick(judges & plain & (table.array("corpus") == "crema_d"))
    found: dict[str, Any] = {"emo_db": left[AS_RECORDED], "crema_d": by_corpus(part, unheard)["crema_d"]}
    return found | {"across": across(model, table.pick(plain)), "degraded": degraded}


def tables_of(data: Path, cache: Path | None = None) -> tuple[Table, dict[str, Table]]:
    """(clips and worse copies to learn from, tables of worse recordings to measure on). cache: a folder for what is
    read of them, which takes long without one.
    """
    clips = read_clips(data)
    table = read_table([*clips, *worse(clips)], None if cache is None else cache / "clips.npz")
    return table, damaged(some_of(clips, EVERY), data, None if cache is None else cache / "damaged.npz")


def measure(data: Path, say: Say, cache: Path | None = None, quick: bool = False) -> dict[str, Any]:
    """The recogniser's figures measured anew, as its fit leaves them in its config: models are fitted without those
    whom they read.

    quick: learn from one clip in seven and no worse copies, and leave out worse recordings, for trying the command.
    """
    worn: dict[str, Table] = {}
    if quick:
        table = read_table(read_clips(data)[::QUICK])
    else:
        table, worn = tables_of(data, cache)
    say(f"{len(table)} clips and copies read")
    settings = Settings(gaussians=(16,)) if quick else Settings()
    model = fit_model(table, settings)
    say("the whole heard")
    return rounded(recogniser_figures(table, model, worn, settings, say))


def rounded(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Nested figures to three places."""
    return {
        name: rounded(value) if isinstance(value, Mapping) else round(float(value), 3)
        for name, value in figures.items()
    }


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
