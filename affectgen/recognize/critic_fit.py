"""Fitting the critic of a generator's pieces: one is composed at the point of each real training clip, and the critic
learns to tell them apart. What is composed is kept in a run folder, so that fitting again takes seconds.

A generator's own command says how its pieces are composed: `python -m affectgen.muser.critic_fit`,
`python -m affectgen.emogen.critic_fit`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from affectgen.errors import UsageError
from affectgen.recognize import store
from affectgen.recognize.corpus import Labelled, read_emopia
from affectgen.recognize.critic import Critic, fit
from affectgen.recognize.features import feature_table
from affectgen.recognize.guide import load_guide
from affectgen.score.notes import NoteArray

Floats = NDArray[np.float64]
FOLDS = 5
STRENGTH = 0.003
LEVEL = 0.03  # share of real clips, read out of fold, that lie below the level
FIRST_SEED = 500_000  # far from the seeds that results are measured on
CHUNK = 64  # pieces composed between two notes of progress
LICENCE = "CC-BY-NC-SA-4.0"
# pieces for affects, as `--affect` reads them, with seeds counted up from the second argument
Compose = Callable[[Sequence[str], int], Sequence[NoteArray]]


class Composer(Protocol):
    """What composes, with the name and the hash of its checkpoint."""

    @property
    def name(self) -> str:
        """The checkpoint's name."""
        ...

    @property
    def sha256(self) -> str:
        """The checkpoint's hash."""
        ...


@dataclass(frozen=True)
class Pool:
    """Statistics of real clips and of the pieces composed in answer, [N, F] each; song: of each clip, [N]."""

    real: Floats
    made: Floats
    song: NDArray[np.str_]


@dataclass(frozen=True)
class Subject:
    """Whose pieces are criticised. composer: its checkpoint and hash; told: what the card says of it first; command:
    the module that fits its critic."""

    composer: str
    told: str
    command: str
    compose: Compose


def answers(clips: Sequence[Labelled], compose: Compose, seed: int) -> Floats:
    """Statistics [N, F] of one piece for each clip, asked for at the point where the guide hears the clip."""
    points = load_guide().rate([clip.notes for clip in clips])
    asked = [f"{valence:.3f},{arousal:.3f}" for valence, arousal in points.tolist()]
    rows = []
    for at in range(0, len(asked), CHUNK):
        some = asked[at : at + CHUNK]
        rows.append(feature_table(compose(some, seed + at)))
        sys.stderr.write(f"composed {at + len(some)} of {len(asked)}\n")
    return np.concatenate(rows)


def read_pool(data: Path, path: Path, subject: Subject, seed: int) -> Pool:
    """The pool in a file, or composed anew and kept there. UsageError for a file of another model or seed."""
    origin = f"{subject.composer} from seed {seed}"
    if not path.is_file():
        clips = read_emopia(data / "emopia", "train")
        made = answers(clips, subject.compose, seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        songs = np.array([clip.song for clip in clips])
        real = feature_table([clip.notes for clip in clips])
        np.savez_compressed(path, real=real, made=made, song=songs, origin=np.array(origin))
    with np.load(path, allow_pickle=False) as file:
        if str(file["origin"]) != origin:
            raise UsageError(f"{path} holds pieces of {file['origin']}, not of {origin}.", "Give another --run folder.")
        return Pool(file["real"], file["made"], file["song"])


def out_of_fold(pool: Pool, strength: float, seed: int = 0) -> tuple[Floats, Floats]:
    """Log odds [N] of real clips and [N] of composed pieces, by critics that saw neither the song nor its answers."""
    songs, place = np.unique(pool.song, return_inverse=True)
    fold = np.random.default_rng(seed).integers(0, FOLDS, len(songs))[place]
    real, made = np.zeros(len(fold)), np.zeros(len(fold))
    for number in range(FOLDS):
        unseen = fold == number
        critic = fit(pool.real[~unseen], pool.made[~unseen], strength)
        real[unseen], made[unseen] = critic.log_odds(pool.real[unseen]), critic.log_odds(pool.made[unseen])
    return real, made


def told_apart(real: Floats, made: Floats) -> float:
    """Area under the ROC curve: how often a real clip reads higher than a composed one."""
    below = np.searchsorted(np.sort(made), real, side="left") + np.searchsorted(np.sort(made), real, side="right")
    return float(below.mean() / (2 * len(made)))


def fit_critic(pool: Pool, strength: float, level: float) -> tuple[Critic, dict[str, float]]:
    """The critic of all rows with its level, and its figures out of fold."""
    real, made = out_of_fold(pool, strength)
    threshold = float(np.quantile(real, level))
    critic = replace(fit(pool.real, pool.made, strength), level=threshold)
    figures = {
        "clips": float(len(real)), "area under the ROC curve": told_apart(real, made),
        "real clips that pass": float((real >= threshold).mean()),
        "composed pieces that pass": float((made >= threshold).mean()),
    }  # fmt: skip
    return critic, {name: round(value, 3) for name, value in figures.items()}


def card(options: argparse.Namespace, subject: Subject, figures: dict[str, float]) -> str:
    """The checkpoint's card in Markdown."""
    rows = "\n".join(f"| {name} | {value:g} |" for name, value in figures.items())
    name = options.output.name
    return f"""# {name}

{subject.told}

Logistic regression over the note statistics of `affectgen/recognize/features.py` and their squares, with an L2 penalty
(C {options.strength:g}).
The level is that of the lowest {options.level:.0%} of real clips. The distance in docs/results.md reads forty of the
same statistics and the same training clips; the table there therefore also shows first tries, which no critic chose.

- Command: `python -m {subject.command} --data ../shared/data --seed {options.seed} -o checkpoints/{name}`
- Nearly all of its time goes into composing; pieces are kept in the run folder.
- Licence of the weights: {LICENCE} (EMOPIA's); not for commercial use.

Out of fold, {FOLDS} folds by song:

| figure | value |
|---|---|
{rows}

Weak point: it knows nothing but real clips and pieces of this model. What is unlike both, noise for instance, passes.
"""


def read_options(document: str, output: str, run: str, arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line of a generator's fit. UsageError for a level that is no share."""
    parser = argparse.ArgumentParser(description=document, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds emopia/")
    parser.add_argument("--checkpoint", help="the model whose pieces are criticised; the shipped one by default")
    parser.add_argument("--run", type=Path, default=Path("runs") / run, help="where composed pieces are kept")
    parser.add_argument("--strength", type=float, default=STRENGTH, help="inverse of the L2 penalty")
    parser.add_argument("--level", type=float, default=LEVEL, help="share of real clips below the level")
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="the first piece's")
    parser.add_argument("-o", "--output", type=Path, default=Path("checkpoints") / output)
    options = parser.parse_args(arguments)
    if not 0 < options.level < 1:
        raise UsageError(f"--level got {options.level}; expected a share between 0 and 1.", "Give for example 0.03.")
    return options


def make(options: argparse.Namespace, composer: Composer, told: str, command: str, compose: Compose) -> int:
    """Compose, fit, write the folder. told: the card's first words, with a place for the composer; command: the module
    that was called."""
    name = f"{composer.name}, sha256 {composer.sha256[:12]}"
    subject = Subject(name, told.format(composer=name), command, compose)
    pool = read_pool(options.data, options.run / "pool.npz", subject, options.seed)
    critic, figures = fit_critic(pool, options.strength, options.level)
    config = {
        "kind": "critic", "bias": critic.bias, "level": critic.level, "figures": figures, "licence": LICENCE,
        "trained_on": f"EMOPIA's training split, and as many pieces by {subject.composer}",
        "settings": {"strength": options.strength, "level": options.level, "seed": options.seed},
    }  # fmt: skip
    arrays = {name: getattr(critic, name).astype(np.float32) for name in ("mean", "scale", "weight")}
    store.save(options.output, arrays, config, card(options, subject, figures))
    sys.stderr.write(f"{options.output}: {figures}\n")
    return 0
