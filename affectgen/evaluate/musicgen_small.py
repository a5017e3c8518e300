"""The proof of MusicGen's conditioning: whether the arousal that is heard follows the arousal that was asked.

    python -m affectgen.evaluate.musicgen_small -o docs/runs/musicgen-tiny.json --write docs/results.md

The same requests and seeds go to the base model, to the base with an adapter that has not learned (which must change
nothing), and to the base with the trained adapter; once in the words of `prompt_for`, once under a prompt that is the
same for all, where only the conditioner can tell the requests apart. The judge, which chose nothing, reads what comes
out; every request gets one clip, and none is left out.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from affectgen.device import choose_threads, use_threads
from affectgen.errors import AffectgenError, CheckpointError
from affectgen.evaluate.figures import Figure, Report
from affectgen.medicine.musicgen.interface import MusicGen
from affectgen.medicine.musicgen.small.ceiling import spearman
from affectgen.medicine.musicgen.small.folders import NAME, unpack
from affectgen.medicine.musicgen.small.hearing import Floats, Heard, Say, Settings, play, requests
from affectgen.recognize.music import MusicRecogniser, load_music_judge
from affectgen.report.blocks import check_document, write_block

BLOCK = "musicgen-tiny"
TITLE = "MusicGen, toy-sized: a proof of its conditioning"
DRAWS = 2000  # of the bootstrap
LEAST, NOTHING = 0.5, 0.3  # bars of the rank correlation: with the adapter; without, either way


def interval(asked: Floats, read: Floats, seed: int) -> tuple[float, float]:
    """95 % of the rank correlations of requests drawn anew with replacement (Efron, 1979)."""
    chance = np.random.default_rng(seed)
    picks = chance.integers(len(asked), size=(DRAWS, len(asked)))
    found = np.array([spearman(asked[pick], read[pick]) for pick in picks])
    if np.isnan(found).all():  # one reading for all
        return float("nan"), float("nan")
    low, high = np.nanpercentile(found, (2.5, 97.5))
    return float(low), float(high)


def figures(name: str, asked: Floats, heard: Heard, adapted: bool, seed: int) -> list[Figure]:
    """The rank correlations of one set of clips, with their intervals; shuffled: with requests exchanged. Clips in
    which no music is heard read neutral, and stay in."""
    made = []
    for column, label in ((1, "arousal"), (0, "valence")):
        mine, read = asked[:, column], heard.read[:, column]
        low, high = interval(mine, read, seed)
        bars: dict[str, Any] = {}
        if column == 1:
            bars = {"at_least": LEAST} if adapted else {"at_least": -NOTHING, "at_most": NOTHING}
        shuffled = spearman(np.random.default_rng(seed).permutation(mine), read)
        note = f"95 % from {low:.2f} to {high:.2f}"
        made.append(Figure(f"{name}: {label}, Spearman", spearman(mine, read), note=note, shuffled=shuffled, **bars))
    unread = int((heard.read == 0).all(axis=1).sum())  # silent, or without tones: read as neutral
    made.append(Figure(f"{name}: clips in which no music is heard", float(unread), note=f"{heard.silent} silent"))
    return made


def prove(
    load: Callable[[Path | None], MusicGen], adapter: Path, untrained: Path, recogniser: MusicRecogniser,
    settings: Settings, say: Say,
) -> tuple[list[Figure], dict[str, Any]]:
    """Measure all. load: gives the base model anew, with an adapter or without; untrained: an adapter that has not
    learned. Returns the figures, and what was asked and read of every clip, by set."""
    asked = requests(settings)
    found: list[Figure] = []
    readings: dict[str, Any] = {"asked": asked.tolist()}
    kept: dict[bool, Heard] = {}
    for adapted in (False, True):
        model = load(adapter if adapted else None)
        for words in (True, False):
            who = "with the adapter" if adapted else "base model"
            name = f"{who}, {'prompts in words' if words else 'one prompt for all'}"
            say(name)
            heard = play(model, asked, words, settings, recogniser, say)
            found += figures(name, asked, heard, adapted, settings.seed)
            readings[name] = heard.read.round(4).tolist()
            if not adapted:
                kept[words] = heard
    say("base model, adapter that has not learned")
    heard = play(load(untrained), asked, True, settings, recogniser, say)
    same = float((heard.codes == kept[True].codes).float().mean())
    found.append(Figure("codes that an adapter which has not learned leaves as they were", same, at_least=1.0))
    return found, readings


def write_untrained(base: Path, out: Path) -> None:
    """An adapter as it is before training: random A, B of zero, an affect conditioner that adds nothing."""
    from affectgen.medicine.musicgen.training.adapter import save_adapter
    from affectgen.medicine.musicgen.training.base import add_lora, load_base
    from affectgen.medicine.musicgen.training.options import Lora

    out.mkdir()
    save_adapter(add_lora(load_base(str(base), "cpu"), Lora(), 0.0, False), out, base.name)


def run(checkpoint: str, settings: Settings, quick: bool, say: Say) -> tuple[Report, dict[str, Any]]:
    """Unpack a checkpoint and prove. CheckpointError where it is missing, or holds no adapter."""
    from affectgen.medicine.musicgen.folder import find_musicgen
    from affectgen.medicine.musicgen.transformers_backend import load_transformers

    with tempfile.TemporaryDirectory(prefix="affectgen-") as home:
        held = unpack(checkpoint, Path(home))
        if held.adapter is None:
            raise CheckpointError(f"{checkpoint} holds no adapter.", "Pack one with it: docs/musicgen_tiny.md.")
        untrained = Path(home) / "untrained"
        write_untrained(held.base, untrained)

        def load(adapter: Path | None) -> MusicGen:
            model = load_transformers(find_musicgen(str(held.base)), "cpu", "float32")
            if adapter is not None:
                model.add_adapter(adapter)
            return model

        found, readings = prove(load, held.adapter, untrained, load_music_judge(), settings, say)
    about = {
        "checkpoint": checkpoint, "clips of each kind": settings.requests, "seconds": settings.seconds,
        "guidance": settings.guidance, "temperature": settings.temperature, "top k": settings.top_k,
        "seeds from": settings.seed,
    }  # fmt: skip
    if quick:
        about["quick"] = True
    return Report(TITLE, about, found), readings


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, write what was asked for."""
    plain = Settings()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", default=NAME, help=f"name or folder; default {NAME}")
    parser.add_argument("--requests", type=int, default=plain.requests, help=f"default {plain.requests}")
    parser.add_argument("--seconds", type=float, default=plain.seconds, help=f"of a clip; default {plain.seconds:g}")
    parser.add_argument("--guidance", type=float, default=plain.guidance, help=f"default {plain.guidance:g}")
    parser.add_argument("--temperature", type=float, default=plain.temperature, help=f"default {plain.temperature:g}")
    parser.add_argument("--seed", type=int, default=plain.seed, help=f"the first; default {plain.seed}")
    parser.add_argument("--quick", action="store_true", help="a few short clips: shows that all of it works")
    parser.add_argument("-o", "--output", type=Path, help="the report as JSON, with every clip's reading")
    parser.add_argument("--write", type=Path, help="also put the table into this Markdown file, between its marks")
    given = parser.parse_args(arguments)
    if given.requests < 4 or given.seconds < 1:
        parser.error("--requests must be at least 4, --seconds at least 1")
    if given.quick and given.write is not None:
        parser.error("--write came with --quick, whose figures are of too few")
    names = ("requests", "seconds", "guidance", "temperature", "seed")
    settings = replace(plain, **{name: getattr(given, name) for name in names})
    if given.quick:
        settings = replace(settings, requests=4, seconds=1.0)
    try:
        if given.write is not None:
            check_document(given.write)
        use_threads(choose_threads())
        report, readings = run(given.checkpoint, settings, given.quick, _say)
    except AffectgenError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(report.to_table())
    if given.output is not None:
        text = json.dumps(report.to_json() | {"readings": readings}, indent=1)
        given.output.write_text(text + "\n", encoding="utf-8")
    if given.write is not None:
        write_block(given.write, BLOCK, report.to_table())
    return 0


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
