"""Fit a recogniser of speech and write its checkpoint folder: weights, config with the figures, card.

python -m affectgen.recognize.speech_fit --data ../shared/data --what judge|guide|recogniser
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from affectgen.recognize import speech_store as store
from affectgen.recognize.speech_corpus import Table, read_clips, read_table
from affectgen.recognize.speech_expert import Settings
from affectgen.recognize.speech_figures import Figures, across, by_corpus, leave_speakers_out
from affectgen.recognize.speech_model import SpeechModel, fit_model

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
    """model; figures by corpus, on speakers unseen; trained: the table that the model was fitted on."""

    model: SpeechModel
    figures: dict[str, Figures]
    trained: Table


def fit_one(what: str, table: Table, settings: Settings) -> Fitted:
    """Fit the judge (its speakers), the guide (the others) or the recogniser (all)."""
    judges = np.array([clip.judges for clip in table.clips])
    if what == "recogniser":
        return _fit_recogniser(table, judges, settings)
    mine = judges if what == "judge" else ~judges
    model = fit_model(table.pick(mine), settings)
    return Fitted(model, by_corpus(model, table.pick(~mine)), table.pick(mine))


def _fit_recogniser(table: Table, judges: np.ndarray, settings: Settings) -> Fitted:
    """The model on everything; its figures come from models that had not heard the speakers."""
    model = fit_model(table, settings)
    crema = [reader for reader in model.readers if reader.expert.corpus == "crema_d"]
    figures = {"emo_db": leave_speakers_out(table, "emo_db", settings, crema)}
    part = fit_model(table.pick(~judges), settings)
    figures["crema_d"] = by_corpus(part, table.pick(judges & (table.array("corpus") == "crema_d")))["crema_d"]
    return Fitted(model, figures | {"across": across(model, table)}, table)


def card(what: str, seed: int, figures: dict[str, Figures], seconds: float) -> str:
    """The checkpoint's card in Markdown."""
    names = list(dict.fromkeys(name for part in figures.values() for name in part))
    rows = "\n".join(
        f"| {name.replace('_', ' ')} | " + " | ".join(_cell(part.get(name)) for part in figures.values()) + " |"
        for name in names
    )
    return f"""# speech-{what}

{PURPOSE[what]}

Reads mono speech in one band (60 Hz to 5 kHz), whatever its level, and gives how listeners would divide over anger,
boredom, disgust, fear, happiness, neutral and sadness, and valence and arousal with 80 % intervals. Model:
{FAMILY[what]}.
One expert for each corpus; they are weighed by which corpus a clip sounds like.

- Fitted on {TRAINED_ON[what]}; the speakers are listed in `config.json`.
- Command: `python -m affectgen.recognize.speech_fit --data ../shared/data --what {what} --seed {seed}`
- {seconds:.0f} s on {os.cpu_count()} CPU cores.
- Licence of the weights: {LICENCE} (CREMA-D's data base licence, attribution and share-alike); EMO-DB is CC0.

{MEASURED_ON[what]}

UAR: unweighted average recall, against the votes of clips whose listeners agreed ("acted": against the emotion asked of
the actor); r: Pearson's correlation with the labels' points; coverage: of the 80 % intervals; "baseline": with one
neutral clip of the speaker, mean over which one.

| figure | {" | ".join(figures)} |
|---|{"---|" * len(figures)}
{rows}

Weak points: acted speech of two languages; happiness and anger are mixed up, valence is read far worse than arousal;
boredom is known from EMO-DB only; the gate between corpora also hears the recording's channel.
"""


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, fit, write the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds crema_d/ and emo_db/")
    parser.add_argument("--what", choices=tuple(PURPOSE), required=True)
    parser.add_argument("--output", type=Path, help="folder to write; default checkpoints/speech-WHAT")
    parser.add_argument("--cache", type=Path, help="npz file that keeps what was read of the clips")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    what, started = options.what, time.perf_counter()
    settings = Settings(family="kernel" if what == "judge" else "linear", seed=options.seed)
    fitted = fit_one(what, read_table(read_clips(options.data), options.cache), settings)
    folder = options.output if options.output is not None else Path("checkpoints") / f"speech-{what}"
    figures = {corpus: {name: round(v, 3) for name, v in part.items()} for corpus, part in fitted.figures.items()}
    seconds = time.perf_counter() - started
    config = {"what": what, "trained_on": TRAINED_ON[what], "settings": asdict(settings), "figures": figures}
    config |= {"licence": LICENCE, "speakers": sorted({clip.speaker for clip in fitted.trained.clips})}
    store.save(folder, fitted.model, config, card(what, options.seed, figures, seconds))
    sys.stderr.write(f"{folder}: {figures}, {seconds:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
