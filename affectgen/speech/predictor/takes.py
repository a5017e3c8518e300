"""The takes of CREMA-D, aligned and measured, with a cache: what the predictor is trained on."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from affectgen.audio.files import read_mono
from affectgen.audio.spectrum import RATE
from affectgen.errors import AffectgenError
from affectgen.recognize.speech_corpus import Clip
from affectgen.speech.aligning.align import Aligner, AlignSettings
from affectgen.speech.predictor.phones import COLUMNS, NAMES, Take, measure

Say = Callable[[str], None]
EVERY = 500  # clips between two lines of what has been done


def read_texts(data: Path) -> dict[str, str]:
    """What is said in each clip of CREMA-D, by the clip's name."""
    with (data / "crema_d" / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return {f"crema_d/{row['file']}": row["text"] for row in csv.DictReader(file)}


def read_takes(clips: Sequence[Clip], texts: Mapping[str, str], cache: Path | None, say: Say) -> dict[str, Take]:
    """Takes by the clips' names; a clip in which the words cannot be found is left out. A cache is an npz file, made if
    missing.
    """
    known = _cached(cache)
    missing = [clip for clip in clips if clip.name not in known]
    aligner = None
    for count, clip in enumerate(missing, 1):
        aligner = Aligner(AlignSettings(check=False)) if aligner is None else aligner
        found = _take(aligner, clip, texts[clip.name])
        if found is not None:
            known[clip.name] = found
        if count % EVERY == 0:
            say(f"{count} of {len(missing)} clips aligned")
    if cache is not None and missing:
        _store(cache, known)
    return {clip.name: known[clip.name] for clip in clips if clip.name in known}


def _take(aligner: Aligner, clip: Clip, text: str) -> Take | None:
    """One clip; None where its words cannot be found: takes that are cut off or hold no voice do not teach."""
    samples = read_mono(clip.file, RATE)
    try:
        return measure(samples, RATE, aligner.align(samples, RATE, text))
    except AffectgenError:
        return None


def _cached(cache: Path | None) -> dict[str, Take]:
    """What a cache of these columns holds."""
    if cache is None or not cache.is_file():
        return {}
    with np.load(cache, allow_pickle=False) as stored:
        if stored["columns"].tolist() != [*COLUMNS, *NAMES]:
            return {}
        cuts = np.cumsum(stored["counts"])[:-1]
        parts = [np.split(stored[part], cuts) for part in ("phones", "word", "last", "values")]
        names = stored["names"].tolist()
    return {
        name: Take(tuple(NAMES[place] for place in phones), word, last, values)
        for name, phones, word, last, values in zip(names, *parts, strict=True)
    }


def _store(cache: Path, known: Mapping[str, Take]) -> None:
    """Write a cache."""
    cache.parent.mkdir(parents=True, exist_ok=True)
    takes = list(known.values())
    np.savez(
        cache,
        columns=np.array([*COLUMNS, *NAMES]),
        names=np.array(list(known)),
        counts=np.array([len(take) for take in takes]),
        phones=np.concatenate([[NAMES.index(name) for name in take.names] for take in takes]),
        word=np.concatenate([take.word for take in takes]),
        last=np.concatenate([take.last for take in takes]),
        values=np.concatenate([take.values for take in takes]),
    )
