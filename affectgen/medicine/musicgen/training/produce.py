"""From labelled recordings to an adapter: what `affectgen medicine train` does around the training itself."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from affectgen.affect.labels import LABELS_VERSION
from affectgen.device import use_threads
from affectgen.errors import AudioError
from affectgen.medicine.musicgen.training.adapter import (
    CARD,
    SAMPLES,
    base_licence,
    card_of,
    save_adapter,
    staged,
    write_note,
)
from affectgen.medicine.musicgen.training.align import Alignment
from affectgen.medicine.musicgen.training.base import BaseCodec, Learner, add_lora, load_base
from affectgen.medicine.musicgen.training.cache import Cache, Kept
from affectgen.medicine.musicgen.training.data import Piece, Reader, Standard, pieces_of
from affectgen.medicine.musicgen.training.guide import Guide
from affectgen.medicine.musicgen.training.loop import Draw, Objective, Validation, config_of, steps_of, train
from affectgen.medicine.musicgen.training.options import LoraOptions
from affectgen.medicine.musicgen.training.samples import TABLE, Samples, read_table, write_samples, write_table
from affectgen.medicine.musicgen.training.table import Track, read_tracks
from affectgen.medicine.musicgen.training.workers import first_first, join, leave, own_device
from affectgen.medicine.options import PlanOptions
from affectgen.nn.distributed import Workers
from affectgen.nn.runs import claim, plain
from affectgen.nn.training import LOG, Training

FREE = ("audio", "labels", "tags", "folder", "threads", "device", "base", "skip_missing", "skip_damaged")
TOLD_EVERY = 10.0  # seconds between two lines of progress


@dataclass(frozen=True)
class Data:
    """Recordings in the cache. reader puts batches together."""

    tracks: list[Track]
    kept: dict[str, Kept]
    train: list[Piece]
    valid: list[Piece]
    reader: Reader
    features: int

    @property
    def hours(self) -> float:
        """Of all pieces."""
        return sum(kept.seconds for kept in self.kept.values()) / 3600


def produce(options: LoraOptions, out: Path, command: str) -> bool:
    """Train as `options` say and write the adapter's folder `out`; `command` goes into its card. Of several processes
    that share the work the first one writes. Returns whether this process wrote.

    AffectgenError for labels, recordings or a base that cannot be used; UsageError where the run folder was begun with
    other settings.
    """
    use_threads(options.threads)
    options = replace(options, device=own_device(options.device))
    tracks, missing = read_tracks(options.corpus, options.seed)
    music = load_base(options.base, options.device)
    workers = join(options.device)
    tell = say if workers.first else _silent
    if missing:
        tell(f"left out {len(missing)} files that are not there, {missing[0]} first")
    first_first(workers, lambda: claim(options.folder, held_settings(options, music, tracks), {}))
    data = prepare(options, music, tracks, workers, tell)
    if workers.first:
        before(options, music, tell)
    workers.wait()
    learner, adapted, ended = learn(options, music, data, workers, tell)
    if workers.first:
        export(options, music, adapted, data, ended, out, command, learner, tell)
    workers.wait()
    leave()
    return workers.first


def held_settings(options: LoraOptions, music: Any, tracks: Sequence[Track]) -> dict[str, Any]:
    """What a run keeps to, as JSON holds it: the base first, then settings and what the tables say."""
    settings = {"base": music.identity.get("sha256", "")[:12], "labels_version": LABELS_VERSION}
    settings |= {"data": tracks_hash(tracks)[:12]}
    for name, value in asdict(options).items():
        if isinstance(value, dict):
            settings[name] = {inner: held for inner, held in value.items() if inner not in FREE}
        elif name not in FREE:
            settings[name] = value
    return dict(plain(settings))


def tracks_hash(tracks: Sequence[Track]) -> str:
    """SHA-256 of all that was said of the recordings."""
    text = "\n".join(repr(asdict(track)) for track in sorted(tracks, key=lambda track: track.name))
    return sha256(text.encode()).hexdigest()


def prepare(
    options: LoraOptions, music: Any, tracks: Sequence[Track], workers: Workers, tell: Callable[[str], None]
) -> Data:
    """Codes, and with alignment features, of all recordings. AudioError for a damaged one unless they are skipped."""
    listener = Guide() if options.schedule.align > 0 else None
    audio = options.corpus.audio
    cache = Cache(options.codes, BaseCodec(music), options.corpus.seconds, listener)
    names = [track.name for track in tracks]
    cache.fill(audio, names, (workers.rank, workers.count), Progress("recordings encoded", tell))
    workers.wait()
    kept = cache.kept(audio, names)
    damaged = [name for name in names if kept[name].damaged]
    if damaged and not options.corpus.skip_damaged:
        hint = f"{len(damaged)} of {len(names)} are damaged; go on without them by --skip-damaged."
        raise AudioError(kept[damaged[0]].damaged, hint)
    for name in damaged:
        tell(f"left out {name}: {kept.pop(name).damaged}")
    usable = [track for track in tracks if track.name in kept]
    parts = {split: pieces_of(usable, kept, split) for split in ("train", "valid")}
    for split, found in parts.items():
        if not found:
            raise AudioError(f"No recording is left for {split}.", "Give some that can be read.")
    standard = _standard(cache, parts["train"]) if listener is not None else None
    reader = Reader(cache, music.shape.card, options.device, standard)
    data = Data(usable, kept, parts["train"], parts["valid"], reader, 0 if standard is None else len(standard.mean))
    pieces = f"{len(data.train)} pieces to learn from, {len(data.valid)} held out"
    tell(f"{len(usable)} recordings, {data.hours:.2f} h: {pieces}")
    return data


def _standard(cache: Cache, pieces: Sequence[Piece]) -> Standard:
    """Means and deviations of the features of the pieces that are learned from."""
    recordings = {piece.track.name: piece.kept for piece in pieces}
    return Standard.of(np.concatenate([cache.features(kept) for kept in recordings.values()]))


def before(options: LoraOptions, music: Any, tell: Callable[[str], None]) -> None:
    """Samples of the untrained model, unless an earlier start of the run wrote them."""
    asked, folder = sampled(options), options.folder / SAMPLES
    if options.samples and not (folder / TABLE).is_file():
        tell(f"writing {options.samples} samples from before the training")
        write_table(_in(folder) / TABLE, write_samples(music, asked, folder, "before"))


def _in(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def sampled(options: LoraOptions) -> Samples:
    """What is asked of samples."""
    style = options.corpus.style or PlanOptions.style
    return Samples(options.samples, options.sample_seconds, style, options.seed)


def learn(
    options: LoraOptions, music: Any, data: Data, workers: Workers, tell: Callable[[str], None]
) -> tuple[Learner, Any, Training]:
    """Train; the model then holds the best weights."""
    schedule, style = options.schedule, options.corpus.style
    adapted = add_lora(music, options.lora, schedule.affect_dropout, schedule.checkpointing, options.seed)
    alignment = Alignment(music.shape.dim, data.features).to(options.device) if data.features else None
    learner = Learner(music, alignment)
    steps = steps_of(schedule, len(data.train), workers.count)
    count = sum(value.numel() for value in learner.state_dict().values())
    tell(f"{count} weights learn for {steps} steps of {schedule.batch * schedule.accumulate * workers.count} pieces")
    objective = Objective(music, alignment, schedule.align_layer, schedule.align)
    draw = Draw(data.reader, data.train, schedule, style, options.seed, workers)
    validation = Validation(objective, data.reader, data.valid, schedule.batch, style, options.seed, workers)
    config = config_of(schedule, steps)
    ended = train(learner, draw, objective, validation, config, options.folder, workers)
    learner.eval()
    return learner, adapted, ended


def export(
    options: LoraOptions, music: Any, adapted: Any, data: Data, ended: Training, out: Path, command: str,
    learner: Learner, tell: Callable[[str], None],
) -> None:  # fmt: skip
    """Write the adapter, and samples of the base as it is loaded anew with it."""
    from affectgen.medicine.musicgen.transformers_backend import adapter_note

    note = dict(adapter_note(music)) | note_of(options, data, ended, command)
    note["licence"] = base_licence(music.found.folder)
    with staged(out) as folder:
        save_adapter(adapted, folder, str(note["base"].get("name", "MusicGen")))
        write_note(folder, note)
        (folder / CARD).write_text(card_of(note), encoding="utf-8")
        shutil.copyfile(options.folder / LOG, folder / LOG)
        if options.samples:
            tell(f"writing {options.samples} samples from after the training")
            learner.to("meta")  # makes room for the base, which is loaded anew
            after(options, folder)


def after(options: LoraOptions, folder: Path) -> None:
    """Samples by the base with the adapter in `folder`, beside those from before, in the run and in the adapter."""
    kept = options.folder / SAMPLES
    music = load_base(options.base, options.device)
    music.add_adapter(folder)
    rows = [row for row in read_table(kept / TABLE) if row["when"] == "before"]
    write_table(kept / TABLE, rows + write_samples(music, sampled(options), kept, "after"))
    shutil.copytree(kept, folder / SAMPLES)


def note_of(options: LoraOptions, data: Data, ended: Training, command: str) -> dict[str, Any]:
    """What affectgen.json says besides the base's own note."""
    lora, schedule = options.lora, options.schedule
    held = [track for track in data.tracks if track.split == "valid"]
    return {
        "labels_version": LABELS_VERSION, "seed": options.seed, "command": command,
        "data": {
            "files": len(data.tracks), "valid_files": len(held), "hours": round(data.hours, 4),
            "pieces": len(data.train), "valid_pieces": len(data.valid), "labels_sha256": tracks_hash(data.tracks),
        },
        "training": {
            **asdict(schedule), "rank": lora.rank, "alpha": float(lora.rank if lora.alpha is None else lora.alpha),
            "targets": lora.targets, "lora_dropout": lora.dropout, "steps": ended.steps, "best_step": ended.best_step,
            "seconds": round(ended.seconds, 1),
        },
        "figures": {"loss": ended.best},
    }  # fmt: skip


class Progress:
    """Tells how far something is, every few seconds."""

    def __init__(self, what: str, tell: Callable[[str], None]) -> None:
        self.what, self.tell, self.last = what, tell, time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """One more is done."""
        if time.monotonic() - self.last >= TOLD_EVERY:
            self.last = time.monotonic()
            self.tell(f"{done} of {total} {self.what}")


def say(line: str) -> None:
    """One line of progress with the time of day."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stderr.flush()


def _silent(_: str) -> None:
    """What the other processes say."""
