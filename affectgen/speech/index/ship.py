"""Makes the index that comes with the package: CREMA-D and EMO-DB without the speakers that figures are measured on.

    python -m affectgen.speech.index.ship --data ../shared/data
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from affectgen.affect.labels import LABELS_VERSION
from affectgen.nn.checkpoint import DATABASE
from affectgen.recognize.speech_corpus import LABELS, SPLIT_VERSION
from affectgen.recognize.speech_features import FEATURES_VERSION, feature_names
from affectgen.speech.converting.prosody import PROSODY_VERSION
from affectgen.speech.index.build import fill
from affectgen.speech.index.file import SCHEMA, opened
from affectgen.speech.index.listing import listed
from affectgen.speech.index.voices import SHIPPED, Voices, load_voices
from affectgen.speech.split import SPEECH_SPLIT_VERSION, part_of

KEPT = ("training", "development")
COMMAND = "python -m affectgen.speech.index.ship --data ../shared/data"


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the index; going on after an interrupt does only the rest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder with crema_d/ and emo_db/")
    parser.add_argument("--out", type=Path, default=Path("checkpoints") / SHIPPED, help="[default: %(default)s]")
    parser.add_argument("--part", type=Path, help="where the index grows [default: the system's temporary files]")
    parser.add_argument("--jobs", type=int, help="processes [default: all processors]")
    asked = parser.parse_args(arguments)
    part = asked.part if asked.part is not None else Path(tempfile.gettempdir()) / "affectgen-voices.db"
    kept = [one for one in listed(asked.data) if part_of(one.speaker) in KEPT]
    filled = fill(part, kept, asked.jobs, added="", say=_say)
    for name, why in filled.refused:
        sys.stderr.write(f"left out: {name}: {why}\n")
    asked.out.mkdir(parents=True, exist_ok=True)
    _write(asked.out / DATABASE, part)
    voices = load_voices(asked.out / DATABASE)
    _text(asked.out / "config.json", json.dumps(config(voices), indent=2, sort_keys=True) + "\n")
    _text(asked.out / "card.md", card(voices))
    return 0


def config(voices: Voices) -> dict[str, Any]:
    """What the checkpoint's config.json says."""
    return {
        "about": "how voices of CREMA-D and EMO-DB sound in each emotion: statistics, no audio",
        "clips": len(voices), "command": COMMAND, "features": FEATURES_VERSION, "form": SCHEMA, "kind": "voices",
        "labels": list(LABELS), "labels_version": LABELS_VERSION, "licence": "ODbL-1.0", "prosody": PROSODY_VERSION,
        "speakers": len(np.unique(voices.speakers)), "speech_split": SPEECH_SPLIT_VERSION, "split": SPLIT_VERSION,
    }  # fmt: skip


def card(voices: Voices) -> str:
    """card.md."""
    corpora = np.array([name.split("/")[0] for name in voices.speakers])
    rows = []
    for corpus in ("crema_d", "emo_db"):
        own = voices.pick(corpora == corpus)
        licences = ", ".join(sorted(set(own.licences.tolist())))
        rows.append(f"| {corpus} | {len(own)} | {len(set(own.speakers.tolist()))} | {licences} |")
    heard = Counter(LABELS[place] for place in voices.shares.argmax(axis=1))
    lines = "\n".join(f"| {label} | {heard[label]} |" for label in LABELS)
    return CARD.format(rows="\n".join(rows), heard=lines, command=COMMAND, features=len(feature_names()))


def _write(place: Path, part: Path) -> None:
    """A copy of the filled index without what only filling needs, in its place in one step.

    Rows go in again in the order of their names, so that the file does not depend on how it came about.
    """
    new = place.with_name(f".{place.name}.part")
    new.unlink(missing_ok=True)
    with opened(part) as index:
        entries = sorted(index.entries(), key=lambda one: one.name)
    with opened(new, write=True) as index:
        index.keep(entries, "")
        index.shrink()
    os.replace(new, place)


def _text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _say(done: int, total: int) -> None:
    if done % 200 < 8:
        sys.stderr.write(f"{done} of {total}\n")


CARD = """# voices

How voices sound in each emotion (`affectgen/speech/index`): of each clip its prosody
(`affectgen/speech/converting/prosody.py`),
{features} statistics of the sound (`affectgen/recognize/speech_features.py`), who speaks, what is said, and which
emotion most of its listeners heard (shared where several were heard as often). No audio, and none can be made from it.

- Made from CREMA-D and EMO-DB, measured at their own rates. The judge's speakers and those that the figures of speech
  are measured on (`affectgen/speech/split.py`) are not in it.
- Command: `{command}`
- Licence: ODbL-1.0 (CREMA-D's; EMO-DB is CC0-1.0). CREMA-D: Cao et al. 2014; EMO-DB: Burkhardt et al. 2005.

| corpus | clips | speakers | licence |
|---|---|---|---|
{rows}

| most heard | clips |
|---|---|
{heard}

Weak points: acted speech of two languages, few sentences; CREMA-D holds nothing above 5.5 kHz; its listeners heard the
acted emotion in under half of the clips, which is why what they heard stands beside what was acted.
"""

if __name__ == "__main__":
    raise SystemExit(main())
