"""Latent exploration: what each element's bar slices tell about arousal and valence, on a folder of labelled clips.

MusER (AAAI 2024) looks at t-SNE pictures of its slices and measures silhouettes on them; here probes and silhouettes
see the slices themselves, and no song is in both the fitting and the testing part of a probe.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from affectgen.errors import AffectgenError
from affectgen.muser.compose import Composer
from affectgen.muser.probes import FOLDS, REPEATS, Projection, majority_share, probe_accuracy, project, silhouette
from affectgen.score.beats import read_score
from affectgen.score.corpora import read_clip
from affectgen.score.grid import GridScore
from affectgen.score.keys import PITCH_NAMES
from affectgen.score.stream import Stream
from affectgen.score.words import encode
from affectgen.writing.options import ELEMENTS

TABLE = "clips.csv"
SPLITS = ("val", "train", "all")
QUADRANTS = ("Q1", "Q2", "Q3", "Q4")
TARGETS = ("arousal", "valence", "quadrant")
LEAST_CLIPS = 8
LAYOUT = "docs/training.md shows the layout: clips.csv with the columns clip, song, quadrant, split; beat/<clip>.mid"


@dataclass(frozen=True)
class ClipFile:
    """A labelled clip on disk. quadrant: 0-3; home: the corpus's folder; row: its row of the table."""

    name: str
    song: str
    quadrant: int
    home: Path
    row: dict[str, str]

    def read(self) -> list[GridScore]:
        """The clip on the grid, as training reads it; several pieces where its beats were found in parts.

        A clip without a beat file or a key in the table is read as any MIDI file. MidiError if a file is damaged.
        """
        if self.row.get("key") in PITCH_NAMES and self.row.get("beat") and "mode" in self.row:
            found = list(read_clip(self.home, self.row))
            if found:
                return found
        return [read_score(path) for path in self.paths()[:1]]

    def paths(self) -> list[Path]:
        """The clip's own files that are there, beat-aligned before raw."""
        listed = [name for name in self.row.get("beat", "").split(";") if name]
        beat = [self.home / "beat" / name for name in (listed if listed else [f"{self.name}.mid"])]
        return [path for path in (*beat, self.home / "raw" / f"{self.name}.mid") if path.is_file()]


@dataclass(frozen=True)
class Clips:
    """Encoded clips: names and songs, quadrant int64 [N] (0-3), latents [N, 7, S]: each element's mean bar slice."""

    names: tuple[str, ...]
    songs: tuple[str, ...]
    quadrant: NDArray[np.int64]
    latents: NDArray[np.float64]

    def labels(self, target: str) -> NDArray[np.int64]:
        """Classes of one of TARGETS: 1 for high arousal or valence, or the quadrant."""
        if target == "quadrant":
            return self.quadrant
        return np.isin(self.quadrant, (0, 1) if target == "arousal" else (0, 3)).astype(np.int64)


@dataclass(frozen=True)
class Told:
    """What some vectors tell: probe accuracy and silhouette by target, nan where they cannot be had."""

    probe: dict[str, float]
    silhouette: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, None for nan."""
        return {"probe": _rounded(self.probe), "silhouette": _rounded(self.silhouette)}


@dataclass(frozen=True)
class Exploration:
    """Figures and projection of each element, figures of all seven side by side, and each target's majority share."""

    clips: Clips
    elements: dict[str, Told]
    together: Told
    majority: dict[str, float]
    projections: dict[str, Projection]

    def to_json(self) -> dict[str, Any]:
        """All figures."""
        rows = {
            name: told.to_json() | {"explained": [round(float(s), 4) for s in self.projections[name].explained]}
            for name, told in self.elements.items()
        }
        return {
            "clips": len(self.clips.names), "songs": len(set(self.clips.songs)), "folds": FOLDS, "repeats": REPEATS,
            "majority": _rounded(self.majority), "elements": rows, "all": self.together.to_json(),
        }  # fmt: skip

    def to_table(self) -> str:
        """The same for a person."""
        head = f"{'':10}" + "".join(f"{target:>10}" for target in TARGETS)
        lines = [
            f"{len(self.clips.names)} clips of {len(set(self.clips.songs))} songs; probes are tested on other songs.",
            "", f"{'':10}{'probe accuracy':^30}{'silhouette':^30}", head + head[10:],
            f"{'majority':10}" + "".join(f"{self.majority[target]:10.3f}" for target in TARGETS),
        ]  # fmt: skip
        for name, told in (*self.elements.items(), ("all seven", self.together)):
            values = [*(told.probe[target] for target in TARGETS), *(told.silhouette[target] for target in TARGETS)]
            lines.append(f"{name:10}" + "".join(f"{value:10.3f}" for value in values))
        return "\n".join(lines)


def find_clips(folder: Path, split: str) -> list[ClipFile]:
    """The clips of one of SPLITS in a folder laid out like EMOPIA, or in its subfolder emopia/.

    AffectgenError where the table, a column, the split or every file is missing, or a label is no quadrant. Clips whose
    file is not there are left out.
    """
    home = folder if (folder / TABLE).is_file() or not (folder / "emopia" / TABLE).is_file() else folder / "emopia"
    if not folder.is_dir():
        raise AffectgenError(f"The folder {folder} does not exist.", "Give --data the folder with the labelled clips.")
    if not (home / TABLE).is_file():
        raise AffectgenError(f"{folder} has no {TABLE}, which names the clips and their quadrants.", LAYOUT)
    with (home / TABLE).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    needed = ("clip", "song", "quadrant", *(() if split == "all" else ("split",)))
    missing = [name for name in needed if not rows or name not in rows[0]]
    if missing:
        raise AffectgenError(f"{home / TABLE} has no column {', '.join(missing)}.", LAYOUT)
    chosen = [row for row in rows if split == "all" or row["split"] == split]
    if not chosen:
        raise AffectgenError(f"{home / TABLE} has no clip of the split {split!r}.", "Try --split all.")
    found = [clip for row in chosen if (clip := _clip(home, row)) is not None]
    if len(found) < LEAST_CLIPS:
        raise AffectgenError(
            f"{len(found)} of the {len(chosen)} clips that {home / TABLE} names are in beat/ or raw/; "
            f"at least {LEAST_CLIPS} are needed.", LAYOUT
        )  # fmt: skip
    return found


def _clip(home: Path, row: dict[str, str]) -> ClipFile | None:
    """The clip of a table's row; None where its files are missing."""
    if row["quadrant"] not in QUADRANTS:
        raise AffectgenError(
            f"{home / TABLE} gives the clip {row['clip']} the quadrant {row['quadrant']!r}; Q1 to Q4 were expected.",
            "Correct the table.",
        )
    clip = ClipFile(row["clip"], row["song"], QUADRANTS.index(row["quadrant"]), home, row)
    return clip if clip.paths() else None


@torch.no_grad()
def mean_slices(composer: Composer, scores: Sequence[GridScore]) -> NDArray[np.float64]:
    """A clip's quantised bar slices [7, S], each element's averaged over the bars that have any of it."""
    model = composer.model.eval()
    slices, weights = [], []
    for score in scores:
        table = torch.from_numpy(Stream.of(encode(score)).table())[None].to(composer.device)
        latents = model.encode_bars(table, int(table[..., 8].max()) + 1)
        slices.append(model.bar_books.lookup(latents.codes)[0])  # [N, 7, S]
        weights.append(latents.filled[0][..., None])  # [N, 7, 1]
    weight = torch.cat(weights).double()
    mean = (torch.cat(slices).double() * weight).sum(0) / weight.sum(0).clamp_min(1.0)
    return mean.cpu().numpy()


def encode_clips(composer: Composer, files: Sequence[ClipFile], progress: Callable[[int, int], None]) -> Clips:
    """Read and encode every clip; `progress` is told how many of how many are done."""
    latents = []
    for number, clip in enumerate(files, 1):
        latents.append(mean_slices(composer, clip.read()))
        progress(number, len(files))
    quadrant = np.array([clip.quadrant for clip in files], dtype=np.int64)
    return Clips(tuple(c.name for c in files), tuple(c.song for c in files), quadrant, np.stack(latents))


def explore(clips: Clips) -> Exploration:
    """Probes, silhouettes and projections of every element's slices."""
    told = {name: _told(clips, clips.latents[:, element]) for element, name in enumerate(ELEMENTS)}
    together = _told(clips, clips.latents.reshape(len(clips.names), -1))
    majority = {target: majority_share(clips.labels(target)) for target in TARGETS}
    projections = {name: project(clips.latents[:, element]) for element, name in enumerate(ELEMENTS)}
    return Exploration(clips, told, together, majority, projections)


def _told(clips: Clips, vectors: NDArray[np.float64]) -> Told:
    """What vectors [N, D] of the clips tell about every target."""
    labels = {target: clips.labels(target) for target in TARGETS}
    return Told(
        {target: probe_accuracy(vectors, known, clips.songs) for target, known in labels.items()},
        {target: silhouette(vectors, known) for target, known in labels.items()},
    )


def _rounded(values: dict[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else round(value, 4) for name, value in values.items()}
