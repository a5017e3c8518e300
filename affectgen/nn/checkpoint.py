"""Checkpoints: a folder with weights (safetensors in fp16, or npz), config.json and card.md, found by name or path.

A database of vectors (SQLite), as `affectgen.speech.index` keeps, may stand for weights. Nothing here loads pickles.
A checkpoint's identity is the SHA-256 of its weights file: the metrics in its config.json may be measured again without
making it another model. `SHA256SUMS` beside the folders has the form `sha256sum -c` reads and covers both files.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from affectgen.errors import CheckpointError
from affectgen.paths import CHECKPOINTS_VARIABLE, checkpoint_roots

if TYPE_CHECKING:
    from torch import Tensor

TENSORS = "weights.safetensors"
ARRAYS = "weights.npz"
DATABASE = "voices.db"
KINDS = (TENSORS, ARRAYS, DATABASE)
CONFIG = "config.json"
CARD = "card.md"
SUMS = "SHA256SUMS"


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint found on disk. name: its folder's name; config: config.json; sha256: of the weights file."""

    name: str
    folder: Path
    config: dict[str, Any]
    sha256: str

    @property
    def weights_path(self) -> Path:
        """The weights file: the first of KINDS that there is."""
        return weights_file(self.folder)

    def weights(self) -> dict[str, Tensor]:
        """Every tensor by name, on the CPU; floats as float32, whole numbers as stored. CheckpointError if damaged."""
        import torch
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        if self.weights_path.name != TENSORS:
            raise self._other(TENSORS)
        try:
            stored = load_file(self.weights_path)
        except (SafetensorError, OSError, ValueError) as error:
            raise _damaged(self.weights_path, error) from error
        return {name: t.to(torch.float32) if t.is_floating_point() else t for name, t in stored.items()}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Every array of an npz checkpoint by name, as stored. CheckpointError if damaged or of the other kind."""
        if self.weights_path.name != ARRAYS:
            raise self._other(ARRAYS)
        try:
            with np.load(self.weights_path, allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}
        except (OSError, ValueError, EOFError, BadZipFile) as error:
            raise _damaged(self.weights_path, error) from error

    def record(self) -> dict[str, str]:
        """What a manifest says of it: {"name", "sha256"}."""
        return {"name": self.name, "sha256": self.sha256}

    def _other(self, wanted: str) -> CheckpointError:
        text = f"{self.name} holds {self.weights_path.name}; {wanted} was expected."
        return CheckpointError(text, "Give another checkpoint.")


def save_checkpoint(folder: Path, state: Mapping[str, Tensor], config: Mapping[str, Any], card: str = "") -> None:
    """Write weights.safetensors (floats as fp16), config.json and, where given, card.md into `folder`.

    Each file appears whole or not at all. ValueError when a finite float does not fit fp16.
    """
    import torch
    from safetensors.torch import save

    half: dict[str, Tensor] = {}
    for name, tensor in state.items():
        value = tensor.detach().cpu()
        if value.is_floating_point():
            small = value.to(torch.float16)
            if not bool(torch.equal(torch.isfinite(small), torch.isfinite(value))):
                raise ValueError(f"{name} has values beyond fp16's 65504; leave buffers of training out of the state")
            value = small
        half[name] = value.contiguous().clone()  # tied tensors are stored twice: safetensors wants no shared memory
    _write_folder(folder, TENSORS, save(half), config, card)


def save_arrays(folder: Path, state: Mapping[str, NDArray[Any]], config: Mapping[str, Any], card: str = "") -> None:
    """The same for plain arrays, as weights.npz in their own types: trees and linear models of the recognisers."""
    import io

    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **{name: np.asarray(state[name]) for name in sorted(state)})
    _write_folder(folder, ARRAYS, buffer.getvalue(), config, card)


def load_checkpoint(name_or_path: str | Path) -> Checkpoint:
    """Find a checkpoint by the name of its folder or by its path, read its config and check its hash.

    Names are looked for in $AFFECTGEN_CHECKPOINTS, the checkout, the packaged copy. CheckpointError when it is missing
    (the sentence lists what there is), incomplete, damaged, or other than SHA256SUMS beside it says.
    """
    folder = _find(name_or_path)
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(folder / CONFIG, error) from error
    if not isinstance(config, dict):
        raise _damaged(folder / CONFIG, ValueError("no JSON object"))
    weights = weights_file(folder)
    found = file_sha256(weights)
    for path in (folder / CONFIG, weights):
        wanted = read_sums(folder.parent).get(f"{folder.name}/{path.name}")
        if wanted is not None and wanted != (found if path == weights else file_sha256(path)):
            raise CheckpointError(f"{path} is not the file that {SUMS} describes.", "See: affectgen models verify")
    return Checkpoint(folder.name, folder, config, found)


def list_checkpoints() -> list[Path]:
    """The folder of every checkpoint that can be found by name, sorted by name."""
    found: dict[str, Path] = {}
    for root in checkpoint_roots():
        for folder in sorted(root.iterdir()):
            if (folder / CONFIG).is_file():
                found.setdefault(folder.name, folder)
    return [found[name] for name in sorted(found)]


def weights_file(folder: Path) -> Path:
    """The weights file inside `folder`. CheckpointError when there is none."""
    for name in KINDS:
        if (folder / name).is_file():
            return folder / name
    raise CheckpointError(f"{folder} has none of {', '.join(KINDS)}.", "Give another checkpoint.")


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal digits."""
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def read_sums(root: Path) -> dict[str, str]:
    """The hashes that `root`/SHA256SUMS gives, by path relative to `root`; empty where there is no such file."""
    path = root / SUMS
    if not path.is_file():
        return {}
    rows = (line.split(maxsplit=1) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return {name.removeprefix("*"): digest for digest, name in rows}


def write_sums(root: Path) -> None:
    """Write `root`/SHA256SUMS anew: the weights and the config of every checkpoint folder in `root`."""
    folders = sorted(path for path in root.iterdir() if (path / CONFIG).is_file())
    files = [file for folder in folders for file in (folder / CONFIG, weights_file(folder))]
    rows = [f"{file_sha256(file)}  {file.parent.name}/{file.name}\n" for file in files]
    _write(root / SUMS, "".join(rows).encode())


def verify_sums(root: Path) -> dict[str, str]:
    """The state of each file that SHA256SUMS or a folder names: "ok", "changed", "missing", or "unlisted" in it."""
    wanted = read_sums(root)
    present = {f"{p.parent.name}/{p.name}" for n in (CONFIG, *KINDS) for p in root.glob(f"*/{n}")}
    state: dict[str, str] = {}
    for name in sorted({*wanted, *present}):
        if name not in wanted:
            state[name] = "unlisted"
        elif not (root / name).is_file():
            state[name] = "missing"
        else:
            state[name] = "ok" if file_sha256(root / name) == wanted[name] else "changed"
    return state


def _find(name_or_path: str | Path) -> Path:
    """The folder: the first root that has the name, else the path itself."""
    text = str(name_or_path)
    path = Path(text).expanduser()
    is_name = not isinstance(name_or_path, Path) and os.sep not in text and not text.startswith(".")
    for folder in (*(root / text for root in checkpoint_roots() if is_name), path):
        if (folder / CONFIG).is_file():
            return folder.resolve()
    if is_name and not path.is_dir():
        raise CheckpointError(f"There is no checkpoint named {text!r}.", _what_there_is())
    raise CheckpointError(f"{path} is no checkpoint folder: it has no {CONFIG}.", _what_there_is())


def _what_there_is() -> str:
    names = ", ".join(folder.name for folder in list_checkpoints())
    return f"Available: {names}." if names else f"None was found: set {CHECKPOINTS_VARIABLE} to the folder with them."


def _damaged(path: Path, error: Exception) -> CheckpointError:
    return CheckpointError(f"{path} is damaged or incomplete: {error}.", "Install affectgen again, or train it again.")


def _write_folder(folder: Path, name: str, data: bytes, config: Mapping[str, Any], card: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / name, data)
    _write(folder / CONFIG, (json.dumps(config, indent=2, sort_keys=True) + "\n").encode())
    if card:
        _write(folder / CARD, card.encode())


def _write(path: Path, data: bytes) -> None:
    """Replace `path` by `data` in one step: an interrupted training leaves the checkpoint of before."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
