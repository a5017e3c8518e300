"""Fit the verifier of speakers, and write its checkpoint folder: weights, config with figures, card.

python -m affectgen.evaluate.speaker_fit --data ../shared/data

It hears CREMA-D's actors but for those that figures of speech are measured on (`affectgen.speech.split`), in all their
emotions, so that an emotion is no other voice, and a worse copy of each clip. EMO-DB is not trained on. It stands on
this floor because it knows that split; the verifier itself is `affectgen.recognize.speaker`.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectgen.audio import spectrum
from affectgen.audio.files import Samples, read_mono, resampled
from affectgen.evaluate.speaker_trials import NEUTRAL, pair_error, split_neutral, trials
from affectgen.nn.checkpoint import save_arrays
from affectgen.recognize.speaker import COEFFICIENTS, KIND, SPEAKER, VERSION, SpeakerVerifier, descriptors, pack
from affectgen.recognize.speech_corpus import JUDGE_SPEAKERS, Clip, read_clips
from affectgen.recognize.speech_fisher import Mixture
from affectgen.speech.split import SPEECH_SPLIT_VERSION, part_of

Floats = NDArray[np.float64]
Frames = NDArray[np.float16]

LICENCE = "ODbL-1.0"  # CREMA-D's
SPEED = 0.04  # share by which a copy is played faster or slower, at most
NOISE = (15.0, 40.0)  # dB under a copy's sound
# standard deviations by which cepstra 1, 2, ... of a copy are moved, as another microphone would; chosen on training
# speakers held out in turn: half as much is worse on natural clips and on clips through other microphones
COLOUR = (18.0, 12.0, 8.0, 6.0, 4.0, 4.0)
SOURCES = 5  # neutral clips of a speaker that do not enrol, as `affectgen evaluate speech` converts them


@dataclass(frozen=True)
class Settings:
    """gaussians: of the mixture; kept: principal components; dimensions: of a vector; shrinkage: of the scatter within
    speakers towards a sphere; seed."""

    gaussians: int = 64
    kept: int = 250
    dimensions: int = 40
    shrinkage: float = 0.05
    seed: int = 0


def training_clips(clips: Sequence[Clip], development: bool = True) -> list[Clip]:
    """CREMA-D's clips that are fitted on. development: with those of the speakers that settings are chosen on."""
    left_out = {"test"} if development else {"test", "development"}
    return [clip for clip in clips if clip.corpus == "crema_d" and part_of(clip.speaker) not in left_out]


def worn(samples: Samples, name: str) -> Frames:
    """What is heard of a worse copy: a little faster or slower, under noise, through another microphone; drawn by the
    clip's name."""
    chance = np.random.default_rng(zlib.crc32(name.encode()))
    speed = 1 + chance.uniform(-SPEED, SPEED)
    sound = resampled(samples, spectrum.RATE * speed, spectrum.RATE)
    size = float(sound.std()) * 10 ** (-chance.uniform(*NOISE) / 20)
    found = descriptors((sound + size * chance.normal(size=len(sound))).astype(np.float32), spectrum.RATE)
    moved = np.zeros(found.shape[1])
    moved[: len(COLOUR)] = chance.normal(size=len(COLOUR)) * COLOUR
    return (found + moved).astype(np.float16)


def fit(
    clean: Sequence[Frames], copies: Sequence[Frames], speakers: Sequence[str], settings: Settings
) -> SpeakerVerifier:
    """Fit on descriptors of clips and of a worse copy of each; speakers: of the clips."""
    from sklearn.decomposition import PCA

    half = [one for pair in zip(clean[::2], copies[1::2], strict=False) for one in pair]
    mixture = Mixture.fit(half, settings.gaussians, settings.seed)
    rows = np.concatenate([mixture.vectors(clean), mixture.vectors(copies)]).astype(np.float32)  # [2N, F]
    labels = np.array([*speakers, *speakers])
    components = min(settings.kept, len(rows) - 1, rows.shape[1])
    found = PCA(components, svd_solver="randomized", random_state=settings.seed).fit(rows)
    axes = discriminant(found.transform(rows).astype(np.float64), labels, settings)
    return SpeakerVerifier(mixture, found.mean_.astype(np.float64), found.components_.T.astype(np.float64) @ axes, {})


def discriminant(rows: Floats, labels: NDArray[Any], settings: Settings) -> Floats:
    """The directions [F, D] in which speakers' means differ most for the scatter about them (Fisher 1936)."""
    from scipy.linalg import eigh

    names = np.unique(labels)
    means = np.stack([rows[labels == name].mean(axis=0) for name in names])
    apart = rows - means[np.searchsorted(names, labels)]
    within = apart.T @ apart / len(rows)
    sphere = np.eye(len(within)) * np.trace(within) / len(within)
    within = (1 - settings.shrinkage) * within + settings.shrinkage * sphere
    axes: Floats = eigh(np.cov(means.T, bias=True), within)[1][:, ::-1]
    return axes[:, : min(settings.dimensions, len(names) - 1)]


def figures_of(verifier: SpeakerVerifier, clips: Sequence[Clip], frames: Sequence[Frames], tested: frozenset[str],
               seed: int) -> dict[str, float]:  # fmt: skip
    """Error rates in one corpus: all speakers that are not the judge's enrol, and the clips of `tested` are tried."""
    vectors = verifier.embed_frames(frames)
    _, enrolled = split_neutral(clips, SOURCES, seed)
    found = trials(clips, vectors, enrolled, tested)
    neutral = found.pick(np.array([emotion == NEUTRAL for emotion in found.acted]))
    own = [place for place, clip in enumerate(clips) if clip.speaker in tested]
    return {
        "equal error, clip against voice": found.error, "the same, other speakers of the same sex": found.error_alike,
        "the same, neutral clips": neutral.error, "equal error, clip against clip":
        pair_error([clips[place] for place in own], vectors[own], seed), "nearest voice is the own": found.found,
        "the same of neutral clips": neutral.found, "speakers": len(tested), "voices": len(enrolled),
        "clips": len(found.acted),
    }  # fmt: skip


def measured(verifier: SpeakerVerifier, clips: Sequence[Clip], seed: int, part: str = "test") -> dict[str, Any]:
    """Error rates by corpus, of the speakers of one part of `affectgen.speech.split`. In CREMA-D the voices are those
    of the part alone, in EMO-DB, which has few speakers and is not trained on, of all but the judge's."""
    report: dict[str, Any] = {}
    for corpus in ("crema_d", "emo_db"):
        near = [clip for clip in clips if clip.corpus == corpus and clip.speaker not in JUDGE_SPEAKERS]
        if corpus == "crema_d":
            near = [clip for clip in near if part_of(clip.speaker) == part]
        tested = frozenset(clip.speaker for clip in near if part_of(clip.speaker) == part)
        found = figures_of(verifier, near, [heard(clip) for clip in near], tested, seed)
        report[corpus] = {name: round(value, 4) for name, value in found.items()}
    return report


def heard(clip: Clip) -> Frames:
    """The descriptors of a clip."""
    return descriptors(read_mono(clip.file, spectrum.RATE), spectrum.RATE)


def card(figures: dict[str, Any], settings: Settings, speakers: int, clips: int, seconds: float) -> str:
    """The checkpoint's card in Markdown."""
    names = list(figures["crema_d"])
    rows = "\n".join(f"| {name} | {' | '.join(f'{figures[c][name]:g}' for c in figures)} |" for name in names)
    return f"""# speaker

Tells whether two recordings are of the same voice (`affectgen/recognize/speaker.py`). It measures conversions and
chooses nothing.

- {settings.gaussians} Gaussians over {2 * COEFFICIENTS + 1} descriptors, Fisher vectors, {settings.kept} principal
  components, {settings.dimensions} discriminant axes, cosine.
- Fitted on {clips} clips of {speakers} actors of CREMA-D in all six emotions, and on a copy of each under noise, up to
  {100 * SPEED:g} % faster or slower, through another microphone. None of the speakers that figures of speech are
  measured on, and nothing of EMO-DB.
- Command: `python -m affectgen.evaluate.speaker_fit --data ../shared/data --seed {settings.seed}`
- {seconds:.0f} s on {os.cpu_count()} CPU cores.
- Licence of the weights: {LICENCE} (CREMA-D's).

On speakers it has not heard. A voice is the mean of a speaker's neutral clips (all but {SOURCES}, or half); tried are
clips of all emotions. In EMO-DB the voices are of all speakers that are not the emotion judge's.

| figure | {" | ".join(figures)} |
|---|{"---|" * len(figures)}
{rows}

Weak points: it was fitted on 12 English sentences recorded alike; strong emotion changes a voice more than it allows
for, most in EMO-DB, whose anger, fear and joy it often gives to another speaker. It is no means of security.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, fit, write the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds crema_d/ and emo_db/")
    parser.add_argument("--output", type=Path, default=Path("checkpoints") / SPEAKER)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--develop", action="store_true", help="leave out and measure on the development speakers")
    options = parser.parse_args(arguments)
    started, settings = time.perf_counter(), Settings(seed=options.seed)
    clips = read_clips(options.data)
    trained = training_clips(clips, not options.develop)
    sounds = [read_mono(clip.file, spectrum.RATE) for clip in trained]
    clean = [descriptors(sound, spectrum.RATE) for sound in sounds]
    copies = [worn(sound, clip.name) for sound, clip in zip(sounds, trained, strict=True)]
    verifier = fit(clean, copies, [clip.speaker for clip in trained], settings)
    figures = measured(verifier, clips, options.seed, "development" if options.develop else "test")
    seconds = time.perf_counter() - started
    speakers = sorted({clip.speaker for clip in trained})
    config = {"kind": KIND, "version": VERSION, "settings": asdict(settings), "figures": figures, "licence": LICENCE}
    config |= {"trained_on": "CREMA-D without the speakers that figures of speech are measured on"}
    config |= {"about": "whether two recordings are of one voice; measures, and chooses nothing"}
    config |= {"speakers": speakers, "split_version": SPEECH_SPLIT_VERSION}
    save_arrays(options.output, pack(verifier), config, card(figures, settings, len(speakers), len(trained), seconds))
    sys.stderr.write(f"{options.output}: {figures}, {seconds:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
