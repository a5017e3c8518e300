"""Fit a recogniser of music as sound and write its checkpoint folder: weights, config with the figures, card.

    python -m affectgen.recognize.music_fit --data ../shared/data --what judge|guide|recogniser --cache runs/music/cache

Clips are rendered first, where the cache does not hold them. The guide is also the honest measure of the recogniser,
which is fitted with the same settings on everything: the guide has heard neither the validation songs nor FluidSynth
with MuseScore General, and is measured on just these.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.errors import AffectgenError
from affectgen.nn.checkpoint import save_arrays
from affectgen.recognize import mlp, trees
from affectgen.recognize.corpus import read_emopia
from affectgen.recognize.fit import LICENCE
from affectgen.recognize.intensity import Intensity
from affectgen.recognize.interval import Intervals
from affectgen.recognize.judge import Judge, Verdict
from affectgen.recognize.midi_labelled import fit_forests
from affectgen.recognize.music import Ensemble, MusicRecogniser, load_music_guide, stored
from affectgen.recognize.music_notes import Transcriber
from affectgen.recognize.music_notes_fit import NoteSettings, fit_notes, note_accuracy
from affectgen.recognize.music_renders import Rendering, renderings
from affectgen.recognize.music_rows import Rows, joined, rows_of
from affectgen.recognize.music_table import measured
from affectgen.recognize.pseudo import SIGNS

Floats = NDArray[np.float64]
Source = tuple[str, str, str]  # split, renderer, draw
FOLDS = 5
NOTE_CHECKS = 60  # renderings on which the transcriber is checked

TRAIN: tuple[Source, ...] = tuple(
    ("train", renderer, draw)
    for renderer, draw in (("fluidr3", "0"), ("synth", "0"), ("timgm", "bright0"))
)
SOURCES: dict[str, tuple[Source, ...]] = {
    "guide": TRAIN,
    "recogniser": (*TRAIN, ("val", "synth", "0"), ("val", "timgm", "0"), ("val", "musescore", "plain")),
    "judge": (
        *(("val", renderer, "0") for renderer in ("synth", "timgm")),
        *(("val", "musescore", draw) for draw in ("plain", "room", "noise")),
    ),
}
MEASURED: dict[str, tuple[Source, ...]] = {
    "guide": (
        *(("val", "musescore", draw) for draw in ("plain", "mp3", "noise", "room")),
        *(("val", renderer, "0") for renderer in ("fluidr3", "synth", "timgm")),
    ),
    "recogniser": (),
    "judge": (("train", "fluidr3", "0"),),
}
PURPOSE = {
    "judge": "Measures generated music. Nothing trains on it, stops early by it or picks by it.",
    "guide": "May steer: `--best-of`, pseudo-labels. It never measures a result; the judge does.",
    "recogniser": "What `affectgen rate` reports for music as sound. It has heard every labelled clip there is.",
}


MODEL = {
    "judge": "Gradient-boosted trees, and a transcriber of its own, fitted on the same clips.",
    "guide": "An ensemble of perceptrons.",
    "recogniser": "An ensemble of perceptrons of the guide's settings; the guide's transcriber, which knows no labels.",
}
TRAINED_ON = {
    "judge": "EMOPIA's validation split",
    "guide": "EMOPIA's training split",
    "recogniser": "both splits of EMOPIA",
}
MEASURED_ON = {
    "judge": "Out of fold: five folds by song. Then the training split, none of whose songs it has heard, rendered by "
    "a font that it has not heard either.",
    "guide": "Out of fold: five folds by song. Then the validation split, none of whose songs it has heard; nothing of "
    "it was rendered by FluidSynth with MuseScore General in fitting.",
    "recogniser": "Out of fold: five folds by song. How it does with a renderer unheard in fitting: see music-guide.",
}


@dataclass(frozen=True)
class MusicSettings:
    """notes: of the transcriber; perceptrons: of guide and recogniser; forests: of the judge; parts: whether guide and
    recogniser are fitted on parts of clips too.
    """

    notes: NoteSettings = field(default_factory=NoteSettings)
    perceptrons: mlp.Settings = field(default_factory=lambda: mlp.Settings(mask=0.0))
    forests: trees.Settings = field(default_factory=trees.Settings)
    parts: bool = True

    def seeded(self, seed: int) -> MusicSettings:
        """The same with another seed everywhere."""
        return replace(
            self,
            notes=replace(self.notes, seed=seed),
            perceptrons=replace(self.perceptrons, seed=seed),
            forests=replace(self.forests, seed=seed),
        )


@dataclass(frozen=True)
class FittedMusic:
    """A fit: the recogniser, the songs it has heard, and figures by name."""

    recogniser: MusicRecogniser
    songs: list[str]
    figures: dict[str, float]


def load_sources(data: Path, sources: Sequence[Source], cache: Path) -> list[list[Rendering]]:
    """The renderings of each source, rendered where the cache does not hold them."""
    clips = {split: read_emopia(data / "emopia", split) for split in {source[0] for source in sources}}
    return [renderings(clips[split], renderer, draw, cache) for split, renderer, draw in sources]


def fit_music(
    what: str, data: Path, cache: Path, settings: MusicSettings, guide: str | Path = "music-guide"
) -> FittedMusic:
    """Fit the transcriber on the renderings, and the model on their statistics; measure it on what it has not heard.

    The recogniser takes the transcriber of the checkpoint `guide`, which must have been fitted before.
    """
    groups = load_sources(data, SOURCES[what], cache)
    together = [item for group in groups for item in group]
    transcriber = transcriber_for(what, together, settings.notes, guide, cache / "transcribers")
    parts = settings.parts and what != "judge"  # which is given whole clips to judge
    rows = joined([rows_of(group, transcriber, parts, cache / "statistics") for group in groups])
    unheard = out_of_fold(what, rows, settings)
    whole = rows.pick(rows.whole)
    try:
        intensity = Intensity.of(unheard.points, SIGNS[whole.quadrant])
        points = intensity(unheard.points)
        intervals = Intervals.fit(points, whole.points)
    except ValueError as error:
        raise AffectgenError(f"{data} cannot be fitted on: {error}.", "Give more clips of all quadrants.") from error
    recogniser = MusicRecogniser(transcriber, fit_model(what, rows, settings), intensity, intervals)
    figures = {f"{name} out of fold": value for name, value in unheard.accuracy(whole.quadrant).items()}
    for source, group in zip(MEASURED[what], load_sources(data, MEASURED[what], cache), strict=True):
        unseen = rows_of(group, transcriber, False, cache / "statistics")
        figures |= {f"{name} {source[1]} {source[2]}": value for name, value in measured(recogniser, unseen).items()}
        figures[f"note_f {source[1]} {source[2]}"] = note_accuracy(transcriber, group[:NOTE_CHECKS])["note_f"]
    return FittedMusic(replace(recogniser, figures=figures), sorted(set(rows.song.tolist())), figures)


def fit_model(what: str, rows: Rows, settings: MusicSettings) -> Judge | Ensemble:
    """The judge's trees, or the others' perceptrons."""
    if what == "judge":
        return Judge(**fit_forests(rows.examples(), settings.forests), figures={})
    return Ensemble(mlp.fit(rows.examples(), np.zeros(rows.statistics.shape[1], dtype=bool), settings.perceptrons))


def out_of_fold(what: str, rows: Rows, settings: MusicSettings) -> Verdict:
    """What is read of the whole clips, each song by a model fitted without it."""
    songs, index = np.unique(rows.song, return_inverse=True)
    fold = (np.random.default_rng(settings.perceptrons.seed).permutation(len(songs)) % FOLDS)[index]
    raw, quadrants = np.zeros((len(fold), 2)), np.zeros((len(fold), 4))
    for number in range(FOLDS):
        held = fold == number
        if held.any():
            found = fit_model(what, rows.pick(~held), settings).judge_statistics(rows.statistics[held])
            raw[held], quadrants[held] = found.points, found.quadrants
    return Verdict(raw[rows.whole], quadrants[rows.whole])


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, render, fit, write the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds emopia/")
    parser.add_argument("--what", choices=tuple(PURPOSE), required=True)
    parser.add_argument("--cache", type=Path, required=True, help="folder for renderings (about 100 kB each)")
    parser.add_argument("--output", type=Path, help="folder to write; default checkpoints/music-WHAT")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    what, started = options.what, time.perf_counter()
    settings = MusicSettings().seeded(options.seed)
    fitted = fit_music(what, options.data, options.cache, settings)
    seconds = time.perf_counter() - started
    figures = {name: round(value, 3) for name, value in fitted.figures.items()}
    arrays, config = stored(fitted.recogniser)
    config |= {"kind": what, "trained_on": TRAINED_ON[what], "settings": asdict(settings), "figures": figures}
    config |= {"licence": LICENCE, "songs": fitted.songs, "sources": ["/".join(source) for source in SOURCES[what]]}
    folder = options.output if options.output is not None else Path("checkpoints") / f"music-{what}"
    save_arrays(folder, arrays, config, card(what, options.seed, figures, seconds))
    sys.stderr.write(f"{folder}: {figures}, {seconds:.0f} s\n")
    return 0


def card(what: str, seed: int, figures: dict[str, float], seconds: float) -> str:
    """The checkpoint's card in Markdown."""
    rows = "\n".join(f"| {name.replace('_', ' ')} | {value:g} |" for name, value in figures.items())
    heard = ", ".join(" ".join(source) for source in SOURCES[what])
    return f"""# music-{what}

{PURPOSE[what]}

Reads 30 s windows of music as sound: statistics of the sound and of the notes that a small transcriber hears in it;
gives valence, arousal and the probabilities of Russell's quadrants. A coordinate is the rank of the model's reading
(how sure it is) among labelled clips of the same sign, taken out of fold, with the median at 0.6.

- {MODEL[what]}
- Fitted on {TRAINED_ON[what]}, rendered (split, renderer, draw): {heard}. Songs are listed in `config.json`.
- Command: `python -m affectgen.recognize.music_fit --data ../shared/data --what {what} --cache CACHE --seed {seed}`
- {seconds:.0f} s on one thread of {os.cpu_count()} CPU cores, beside what the cache held before (renderings, a
  transcriber, statistics).
- Licence of the weights: {LICENCE} (EMOPIA's); not for commercial use.

{MEASURED_ON[what]}

| figure | value |
|---|---|
{rows}

Weak points: fitted on rendered piano music and single instruments, none of it recorded, none sung or with drums; one
annotator a clip in EMOPIA; loudness of the recording is not heard.
"""


def transcriber_for(
    what: str, rendered: Sequence[Rendering], settings: NoteSettings, guide: str | Path, kept: Path
) -> Transcriber:
    """Fitted on the renderings (guide, judge), or the guide's (recogniser); as it is when loaded, in half precision, so
    that models are fitted on what they will be given. A fitted one stays in the folder `kept`."""
    if what == "recogniser":
        return load_music_guide(guide).transcriber
    place = kept / f"{_mark(rendered, settings)}.npz"
    if not place.is_file():
        kept.mkdir(parents=True, exist_ok=True)
        np.savez(place, allow_pickle=False, **fit_notes(rendered, settings).arrays())
    with np.load(place, allow_pickle=False) as found:
        return Transcriber.of_arrays(dict(found))


def _mark(rendered: Sequence[Rendering], settings: NoteSettings) -> str:
    """What a transcriber was fitted on, in a few letters."""
    digest = sha256(repr(settings).encode())
    for item in rendered:
        digest.update(item.picture.semitones.tobytes())
    return digest.hexdigest()[:16]


if __name__ == "__main__":
    sys.exit(main())
