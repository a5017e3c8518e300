"""The adapter's folder: peft's files, what it was trained on, a card, the log and the samples.

`adapter_config.json` and `adapter_model.safetensors` are peft's own format; the weights of the affect's part are among
them (`modules_to_save`). `affectgen.json` says on which base, labels and data it was trained.
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from affectgen.errors import AffectgenError, UsageError
from affectgen.output import explain

CONFIG, WEIGHTS, NOTE, CARD = "adapter_config.json", "adapter_model.safetensors", "affectgen.json", "card.md"
LOG, SAMPLES = "log.csv", "samples"
OURS = {CONFIG, WEIGHTS, NOTE, CARD, LOG, SAMPLES}
PUBLISHED = "not stated by the base; Meta's published MusicGen weights are CC BY-NC 4.0 (no commercial use)"


def check_target(out: Path, force: bool) -> None:
    """AffectgenError where an adapter cannot be written to `out`."""
    if out.exists() and not out.is_dir():
        raise AffectgenError(f"{out} is a file, and a folder was expected.", "Give another name.")
    if out.is_dir() and any(out.iterdir()):
        if not (out / CONFIG).is_file():
            raise AffectgenError(f"The folder {out} holds something that is no adapter.", "Give another name.")
        if not force:
            raise AffectgenError(f"{out} holds an adapter already.", "Give another name, or --force to replace it.")
        others = sorted(path.name for path in out.iterdir() if path.name not in OURS)
        if others:
            raise AffectgenError(f"Beside an adapter {out} holds {others[0]}, which would be lost.", "Move it away.")
    if not out.parent.is_dir():
        raise AffectgenError(f"The folder {out.parent} does not exist.", f"Create it: mkdir -p {out.parent}")


def check_apart(out: Path, **kept: Path) -> None:
    """UsageError where a folder that is needed lies in the adapter's, which is replaced as a whole."""
    for name, folder in kept.items():
        if out.resolve() in (folder.resolve(), *folder.resolve().parents):
            raise UsageError(f"--{name} {folder} lies in the adapter's folder {out}.", f"Give another --{name}.")


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `out` on leaving, in place of an older one; nothing stays after an error."""
    part = out.with_name(f".{out.name}.{secrets.token_hex(4)}.part")
    old = out.with_name(f".{out.name}.{secrets.token_hex(4)}.old")
    try:
        part.mkdir()
        yield part
        if out.exists():
            out.rename(old)
        part.rename(out)
    except OSError as error:
        if old.exists() and not out.exists():
            old.rename(out)
        raise explain(error, out) from error
    finally:
        for folder in (part, old):
            shutil.rmtree(folder, ignore_errors=True)


def save_adapter(adapted: Any, folder: Path, base: str) -> None:
    """Write peft's two files. base: name of the model, which the config holds instead of a path of this machine."""
    adapted.peft_config["default"].base_model_name_or_path = base
    adapted.save_pretrained(str(folder), safe_serialization=True, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)  # peft's empty template of a model card; ours is card.md
    path = folder / CONFIG
    config = json.loads(path.read_text(encoding="utf-8"))
    for name in ("target_modules", "modules_to_save"):
        if isinstance(config.get(name), list):
            config[name] = sorted(config[name])
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def write_note(folder: Path, note: Mapping[str, Any]) -> None:
    """affectgen.json."""
    text = json.dumps(note, indent=2, ensure_ascii=False, default=str)
    (folder / NOTE).write_text(text + "\n", encoding="utf-8")


def base_licence(folder: Path) -> str:
    """The licence that a base states: in its README's front matter, as hubs have it; else what is known of Meta's."""
    readme = folder / "README.md"
    if readme.is_file():
        for line in readme.read_text(encoding="utf-8", errors="replace").splitlines()[:40]:
            name, _, value = line.partition(":")
            if name.strip() == "license" and value.strip():
                return value.strip()
    return PUBLISHED


def card_of(note: Mapping[str, Any]) -> str:
    """The card: what a person must know before using the adapter."""
    base, data, training, figures = (note[name] for name in ("base", "data", "training", "figures"))
    rows = "\n".join(f"| {name} | {value:.4f} |" for name, value in figures.items())
    return f"""# A LoRA adapter for {base.get("name", "MusicGen")}

Made by `affectgen medicine train`. It moves MusicGen's music with words and with a point of the valence-arousal plane.

| | |
|---|---|
| base | {base.get("name", "")}, SHA-256 {base.get("sha256", "")} |
| licence of the base | {note["licence"]}; it binds the adapter, too |
| recordings | {data["files"]} files, {data["hours"]:.2f} h; {data["valid_files"]} of them held out |
| labels | SHA-256 {data["labels_sha256"]}; affectgen's labels, version {note["labels_version"]} |
| adapter | rank {training["rank"]}, alpha {training["alpha"]:g}, {training["targets"]} |
| steps | {training["steps"]}; kept: step {training["best_step"]}, the best by validation |
| seed | {note["seed"]} |

Made by:

    {note["command"]}

| figure | |
|---|---|
{rows}

`loss` is the cross-entropy of held-out pieces in nats a code. Whether the music carries the emotion asked for is
another question: listen to `samples/`, and measure by `affectgen rate`. Music for relief is no treatment.
"""
