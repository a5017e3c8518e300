"""What the commands of this package do, from EMOPIA's MIDI files to a checkpoint; a run's folder keeps every step."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from affectgen.errors import AffectgenError
from affectgen.medicine.musicgen.small.card import card_text, figures_of
from affectgen.medicine.musicgen.small.ceiling import measure_codec, spearman
from affectgen.medicine.musicgen.small.codec import CodecConfig
from affectgen.medicine.musicgen.small.codec_train import CodecTraining, train_codec, trained_codec
from affectgen.medicine.musicgen.small.data import RATE, Playing, Say, read_table, render, sound_of
from affectgen.medicine.musicgen.small.folders import pack, publish, sizes
from affectgen.medicine.musicgen.small.hearing import Settings, play, requests
from affectgen.medicine.musicgen.small.language import LanguageConfig
from affectgen.medicine.musicgen.small.language_train import LanguageTraining, train_language
from affectgen.medicine.musicgen.small.segments import write_segments
from affectgen.medicine.musicgen.small.words import make_tokenizer
from affectgen.nn.curves import read_stages, write_curves
from affectgen.recognize.guide import load_guide
from affectgen.recognize.music import load_music_guide

FREE, SOUND, SEGMENTS, FACTS = "free", "sound", "segments", "facts.json"
FIRST_CODEC, CODEC, LANGUAGE = "codec-free", "codec", "language"
STAGES = {FIRST_CODEC: "last", CODEC: "last", LANGUAGE: "best"}
CEILING_CLIPS, CEILING_SECONDS = 60, 10.0
TRIAL_SEED = 5000  # far from the seeds of the proof


AFTERWARDS = CodecTraining(steps=600, rate=8e-4, before=0, aligned=True, validate_every=100)


@dataclass(frozen=True)
class Production:
    """All settings of a training from scratch. first_training: of the codec, on whole performances; codec_training:
    afterwards, on the upper voice; playing: of the latter."""

    codec: CodecConfig = field(default_factory=CodecConfig)
    first_training: CodecTraining = field(default_factory=CodecTraining)
    codec_training: CodecTraining = field(default_factory=lambda: AFTERWARDS)
    playing: Playing = field(default_factory=Playing)
    language: LanguageConfig = field(default_factory=LanguageConfig)
    language_training: LanguageTraining = field(default_factory=LanguageTraining)


def train(data: Path, run: Path, out: Path, made: Production, say: Say) -> None:
    """Render, train the codec, measure it, train the language model, write the base's published folder `out`. What was
    done before an interruption is not done again."""
    run.mkdir(parents=True, exist_ok=True)
    home = run / SOUND
    render(data, run / FREE, Playing(None, None), say)
    render(data, home, made.playing, say)
    begun = time.monotonic()
    train_codec(run / FREE, run / FIRST_CODEC, made.codec, made.first_training, say)
    train_codec(home, run / CODEC, made.codec, made.codec_training, say, run / FIRST_CODEC)
    codec = trained_codec(run / CODEC, made.codec)
    facts = read_facts(run) | {"settings": asdict(made), "machine": f"{platform.machine()}, one thread of a CPU"}
    if "codec" not in facts:
        facts["codec"] = ceiling(codec, home, CEILING_CLIPS)
        say(json.dumps(facts["codec"]))
    write_facts(run, facts)
    model, _ = train_language(home, run / LANGUAGE, codec, made.language, made.language_training, say)
    publish(model, make_tokenizer(), out)
    say(f"{out}: {sizes(out)} parameters; {time.monotonic() - begun:.0f} s since the rendering")


def ceiling(codec: Any, home: Path, count: int) -> dict[str, float]:
    """`measure_codec` on the beginnings of clips, half of them of held-out songs."""
    clips = read_table(home)
    picked = []
    for part in ("dev", "train"):
        mine = [clip for clip in clips if clip.part == part]
        picked += mine[:: max(1, 2 * len(mine) // count)][: count // 2]
    sounds = [(clip, sound_of(home, clip)[: round(CEILING_SECONDS * RATE)]) for clip in picked]
    return measure_codec(codec, sounds, load_music_guide())


def segments(data: Path, run: Path, say: Say) -> None:
    """Cut what was rendered, and have the guide read it."""
    write_segments(data, run / SOUND, run / SEGMENTS, load_guide(), say)


def trial(base: Path, adapter: Path, guidances: Sequence[float], count: int, say: Say) -> Iterator[str]:
    """How the guide reads what base and adapter generate, a line for each guidance: the rank correlations of what was
    asked and heard. Its seeds are none of the proof's."""
    from affectgen.medicine.musicgen.folder import find_musicgen
    from affectgen.medicine.musicgen.transformers_backend import load_transformers

    model = load_transformers(find_musicgen(str(base)), "cpu", "float32")
    model.add_adapter(adapter)
    guide = load_music_guide()
    yield "guidance  prompt    arousal  valence  heard arousal (mean, sd)"
    for guidance in guidances:
        settings = Settings(requests=count, guidance=guidance, seed=TRIAL_SEED)
        asked = requests(settings)
        for words in (True, False):
            read = play(model, asked, words, settings, guide, say).read
            arousal, valence = (spearman(asked[:, column], read[:, column]) for column in (1, 0))
            heard = f"{read[:, 1].mean():.2f}, {read[:, 1].std():.2f}"
            yield f"{guidance:<8g}  {'words' if words else 'constant':<8}  {arousal:7.3f}  {valence:7.3f}  {heard}"


def pack_run(run: Path, base: Path, adapter: Path, out: Path, report: Path | None) -> None:
    """Write the checkpoint `out` of a run's base and adapter, with card and curves. report: what the proof wrote."""
    curves, stages = read_stages(run, STAGES)
    note = json.loads((adapter / "affectgen.json").read_text(encoding="utf-8"))
    log = adapter / "log.csv"
    training = read_facts(run) | {
        "stages": stages, "clips": _counted(run), "parameters": sizes(base),
        "adapter": {name: note[name] for name in ("command", "seed", "data", "training", "figures") if name in note},
        "command": "python -m affectgen.medicine.musicgen.small train --data DATA --run RUN -o RUN/base",
        "adapter_log": log.read_text(encoding="utf-8").splitlines() if log.is_file() else [],
    }  # fmt: skip
    about: dict[str, Any] = {"training": training}
    if report is not None:
        about["figures"] = figures_of(report)
    pack(base, adapter, out, about, card_text(out.name, about))
    write_curves(out / "curves.csv", curves)


def _counted(run: Path) -> dict[str, int]:
    clips = read_table(run / SOUND)
    return {part: sum(clip.part == part for clip in clips) for part in ("train", "dev")}


def read_facts(run: Path) -> dict[str, Any]:
    """What the run has noted so far. AffectgenError where the note is damaged."""
    path = run / FACTS
    if not path.is_file():
        return {}
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise AffectgenError(f"{path} is no JSON: {error}.", "Delete it; it is written anew.") from error
    return found


def write_facts(run: Path, facts: dict[str, Any]) -> None:
    """Note what is known of a run, for its card."""
    (run / FACTS).write_text(json.dumps(facts, indent=1, default=str) + "\n", encoding="utf-8")
