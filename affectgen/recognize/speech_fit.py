"""Fit a recogniser of speech and write its checkpoint folder: weights, config with the figures, card.

python -m affectgen.recognize.speech_fit --data ../shared/data --what judge|guide|recogniser
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from affectgen.recognize import speech_store as store
from affectgen.recognize.speech_corpus import CORPORA, Table
from affectgen.recognize.speech_degraded import UNHEARD
from affectgen.recognize.speech_expert import Settings
from affectgen.recognize.speech_figures import (
    EVERY,
    Say,
    by_corpus,
    by_damage,
    recogniser_figures,
    rounded,
    tables_of,
)
from affectgen.recognize.speech_model import SpeechModel, fit_model

WORSE = tuple(f"{corpus}_{name}" for corpus in CORPORA for name in ("uar", "valence_r", "arousal_r"))
LICENCE = "ODbL-1.0"
PURPOSE = {
    "judge": "Measures generated and edited speech. Nothing trains on it, stops early by it or picks by it.",
    "guide": "May steer: `--best-of`, retrieval. It never measures a result; the judge does.",
    "recogniser": "What `affectgen rate` reports for speech. It has heard every speaker there is.",
}
TRAINED_ON = {
    "judge": "20 actors of CREMA-D (labels: the crowd's voice-only votes) and 3 of EMO-DB, kept for it alone",
    "guide": "60 actors of CREMA-D (labels: the crowd's voice-only votes) and 7 of EMO-DB; none is the judge's",
    "recogniser": "all 80 actors of CREMA-D (labels: the crowd's voice-only votes) and all 10 of EMO-DB",
}
FAMILY = {
    "judge": "a Gaussian kernel over statistics of the voice (kernel ridge regression)",
    "guide": "softmax regressions on statistics of the voice and on Fisher vectors of its cepstra",
    "recogniser": "softmax regressions on statistics of the voice and on Fisher vectors of its cepstra",
}
MEASURED_ON = {
    "judge": "On all speakers that are not the judge's.",
    "guide": "On the judge's speakers, none of whom it has heard.",
    "recogniser": """EMO-DB: each speaker by a model fitted without them. CREMA-D: the judge's 20 actors, by a model of
the same settings fitted on the other 60. Across: one corpus by the expert of the other, six emotions.""",
}


@dataclass(frozen=True)
class Fitted:
    """model; figures by corpus and "degraded", on speakers unseen; trained: the table that the model was fitted on."""

    model: SpeechModel
    figures: dict[str, Any]
    trained: Table


def fit_one(what: str, table: Table, damaged: Mapping[str, Table], settings: Settings, say: Say) -> Fitted:
    """Fit the judge (its speakers), the guide (the others) or the recogniser (all); damaged: is measured on as well."""
    if what == "recogniser":
        model = fit_model(table, settings)
        say("the whole heard")
        return Fitted(model, recogniser_figures(table, model, damaged, settings, say), table)
    judges, plain = np.array([clip.judges for clip in table.clips]), table.array("copy") == 0
    mine = judges if what == "judge" else ~judges
    model = fit_model(table.pick(mine), settings)
    unheard = {clip.speaker for clip in table.pick(~mine).clips}
    figures: dict[str, Any] = dict(by_corpus(model, table.pick(~mine & plain)))
    return Fitted(model, figures | {"degraded": by_damage(model, damaged, unheard)}, table.pick(mine))


def _rows(figures: Mapping[str, Mapping[str, float]]) -> str:
    """Rows of a Markdown table: a figure each, a column for each part."""
    names = list(dict.fromkeys(name for part in figures.values() for name in part))
    return "\n".join(
        f"| {name.replace('_', ' ')} | " + " | ".join(_cell(part.get(name)) for part in figures.values()) + " |"
        for name in names
    )


def _degraded(figures: Mapping[str, Mapping[str, float]]) -> str:
    """A Markdown table of worse recordings: one a row."""
    names = [name for name in WORSE if any(name in part for part in figures.values())]
    rows = [
        f"| {kind}{' *' if kind in UNHEARD else ''} | " + " | ".join(_cell(part.get(name)) for name in names) + " |"
        for kind, part in figures.items()
    ]
    head = f"| recording | {' | '.join(name.replace('_', ' ') for name in names)} |\n|---|{'---|' * len(names)}"
    return "\n".join([head, *rows])


def card(what: str, seed: int, found: Mapping[str, Any], seconds: float, cached: bool) -> str:
    """The checkpoint's card in Markdown; cached: whether a cache spared the fit the reading of clips."""
    figures = {name: part for name, part in found.items() if name != "degraded"}
    rows, degraded = _rows(figures), _degraded(found["degraded"])
    return f"""# speech-{what}

{PURPOSE[what]}

Reads mono speech in one band (60 Hz to 5 kHz), whatever its level, and gives how listeners would divide over anger,
boredom, disgust, fear, happiness, neutral and sadness, and valence and arousal with 80 % intervals. Model:
{FAMILY[what]}.
One expert for each corpus as recorded and one for worse copies of it (noise, telephone, rooms, lossy files); they
are weighed by which of these a clip sounds like.

- Fitted on {TRAINED_ON[what]}; the speakers are listed in `config.json`.
- Worse copies: six of each clip of EMO-DB, one of each of CREMA-D (`affectgen/recognize/speech_wear.py`).
- Command: `python -m affectgen.recognize.speech_fit --data ../shared/data --what {what} --seed {seed}`
- {seconds:.0f} s on {os.cpu_count()} CPU cores{" beside what was read of the clips before" if cached else ""}.
- Licence of the weights: {LICENCE} (CREMA-D's data base licence, attribution and share-alike); EMO-DB is CC0.

{MEASURED_ON[what]}

UAR: unweighted average recall, against the votes of clips whose listeners agreed ("acted": against the emotion asked of
the actor); r: Pearson's correlation with the labels' points; coverage: of the 80 % intervals; "baseline": with one
neutral clip of the speaker, mean over which one.

| figure | {" | ".join(figures)} |
|---|{"---|" * len(figures)}
{rows}

Of worse recordings, on the same speakers (of CREMA-D one clip in {EVERY}, the judge's); noises, rooms and filters are
not those learnt from, and * marks whole kinds that were not:

{degraded}

Weak points: acted speech of two languages; happiness and anger are mixed up, valence is read far worse than arousal;
boredom is known from EMO-DB only; the gate between corpora also hears the recording's channel; other people talking
close by are heard as if they were the speaker, and in their babble and in lossy files of few bits intervals hold less
often than stated.
"""


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, fit, write the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds crema_d/, emo_db/ and ljspeech/")
    parser.add_argument("--what", choices=tuple(PURPOSE), required=True)
    parser.add_argument("--output", type=Path, help="folder to write; default checkpoints/speech-WHAT")
    parser.add_argument("--cache", type=Path, help="folder that keeps what was read of the clips")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    what, started = options.what, time.perf_counter()
    settings = Settings(family="kernel" if what == "judge" else "linear", seed=options.seed)
    cached = options.cache is not None and (options.cache / "clips.npz").is_file()
    fitted = fit_one(what, *tables_of(options.data, options.cache), settings, _say)
    folder = options.output if options.output is not None else Path("checkpoints") / f"speech-{what}"
    figures = rounded(fitted.figures)
    seconds = time.perf_counter() - started
    config = {"what": what, "trained_on": TRAINED_ON[what], "settings": asdict(settings), "figures": figures}
    config |= {"licence": LICENCE, "speakers": sorted({clip.speaker for clip in fitted.trained.clips})}
    store.save(folder, fitted.model, config, card(what, options.seed, figures, seconds, cached))
    _say(f"{folder}: {figures}, {seconds:.0f} s")
    return 0


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
