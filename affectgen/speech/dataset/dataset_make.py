"""From a folder of transcribed speech to an evaluation set on disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import affectgen
from affectgen.errors import AffectgenError
from affectgen.speech.dataset.dataset_files import Folder, check_place, read_folder, write_set
from affectgen.speech.dataset.dataset_spoken import Voice, same_set, speak_set
from affectgen.speech.dataset.dataset_words import EMOTIONS, Variant, guide_reads, usual_words, variants
from affectgen.speech.dataset.sentences import LEFT_OUT, SPLITS, Division, Item, items_of

Say = Callable[[str], None]


def numbers_of(shares: str) -> tuple[float, float, float]:
    """Three shares from "0.6,0.2,0.2". ValueError for anything else."""
    train, valid, test = (float(share) for share in shares.split(","))
    return train, valid, test


def made_set(
    folder: Path, output: Path, shares: tuple[float, float, float], seed: int, link: bool, force: bool, say: Say,
    voice: Voice | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Make the set and give what its about.json says. voice: says the new texts; a set that is there and would come out
    the same is then gone on with. AffectgenError where the folder cannot be used, nothing comes of it, the output
    cannot be written, or the voice fails; UsageError for shares that are no parts of a whole."""
    division = Division(shares, seed)
    check_place(output, force or voice is not None)
    found = read_folder(folder)
    for why, count in found.skipped.items():
        say(f"{count} recordings {why} are left out")
    reads, fluent = guide_reads(), usual_words()

    def make(text: str, chance: np.random.Generator) -> Mapping[str, Variant]:
        return variants(text, reads, fluent, chance)

    items = items_of(found.spoken, make, division)
    if not items:
        raise AffectgenError(f"No sentence of {folder} has a word that can be changed.", "Give other sentences.")
    about = about_of(found, items, division)
    for split in SPLITS:
        if not about["items"][split]:
            say(f"{split} is empty: {about['speakers']} speakers and {about['sentences']} sentences do not fill it")
    if voice is None:
        write_set(output, items, about, link, force)
        return about
    if force or not same_set(output, items, about):
        write_set(output, items, about, link, force)
    else:
        say(f"{output} holds this set: what is missing of its speech is made")
    return {**about, "spoken": speak_set(output, items, voice, say)}


def about_of(found: Folder, items: Sequence[Item], division: Division) -> dict[str, Any]:
    """What about.json says: how the set was made, and what is in it."""
    splits = Counter(item.split for item in items)
    speakers = {f"{item.speaker:03d}": item.recording.speaker for item in items}
    return {
        "made_by": f"affectgen {affectgen.__version__}, speech dataset", "seed": division.seed,
        "shares": dict(zip(SPLITS, division.shares, strict=True)),
        "items": {split: splits[split] for split in (*SPLITS, LEFT_OUT)},
        "emotions": {emotion: sum(item.variant.emotion == emotion for item in items) for emotion in EMOTIONS},
        "speakers": len({one.speaker for one in found.spoken}), "sentences": len({item.number for item in items}),
        "recordings": len(found.spoken), "skipped": found.skipped, "speaker_names": speakers,
    }  # fmt: skip
