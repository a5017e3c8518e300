"""The codes of all recordings, computed once: a file for each recording, named by what its codes depend on.

`codes/<key>.npz` holds the codes of a recording's pieces side by side [K, T] and the frames of each; the key hashes the
recording's bytes, the codec's weights and the cut. `codes/<key>.<guide>.npz` holds the guide's features [P, F], where
they are asked for. `codes/files-R-of-N.json`, one for each process that worked on it, says which key a file has, so
that files that have not changed are not read again. Nothing is pickled.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from affectgen.audio.files import Frames
from affectgen.errors import AudioError, CheckpointError
from affectgen.medicine.musicgen.training.guide import Listener
from affectgen.medicine.musicgen.training.pieces import pieces
from affectgen.output import explain

FORMAT = 1
CHUNK = 1 << 20
Arrays = dict[str, NDArray[Any]]


class Codec(Protocol):
    """What turns sound into codes. rate, channels: that it reads; name: hash of its weights."""

    rate: int
    channels: int
    name: str

    def encode(self, sound: Frames) -> Tensor:
        """sound [N, C] -> codes [K, T]."""
        ...


@dataclass(frozen=True)
class Kept:
    """A recording in the cache. size, changed: of the file, by which a change is noticed; sha256: of its bytes; key: of
    its codes; frames: of each piece; seconds: of all pieces; damaged: why it has none."""

    size: int
    changed: int
    sha256: str
    key: str
    frames: tuple[int, ...] = ()
    seconds: float = 0.0
    damaged: str = ""


class Cache:
    """The folder of codes. listener: whose features are kept as well, None for none."""

    def __init__(self, folder: Path, codec: Codec, seconds: float, listener: Listener | None = None) -> None:
        self.folder, self.codec, self.seconds, self.listener = folder, codec, seconds, listener

    def fill(
        self, audio: Path, names: Sequence[str], share: tuple[int, int], tell: Callable[[int, int], None]
    ) -> None:
        """Encode what is missing of every N-th recording, from the R-th on, with (R, N) = share; `tell` hears how many
        of them are done. What is damaged is noted, and no error."""
        self.folder.mkdir(parents=True, exist_ok=True)
        known, mine = self._noted(), {}
        chosen = names[share[0] :: share[1]]
        for number, name in enumerate(chosen):
            mine[name] = self._kept(audio / name, known.get(name))
            tell(number + 1, len(chosen))
        note = {name: asdict(kept) for name, kept in mine.items()}
        path = self.folder / f"files-{share[0]}-of-{share[1]}.json"
        _write(path, json.dumps(note, ensure_ascii=False, indent=0).encode())

    def kept(self, audio: Path, names: Sequence[str]) -> dict[str, Kept]:
        """What is known of recordings after all processes have filled their share; AudioError for one that changed
        meanwhile."""
        known = self._noted()
        lost = [name for name in names if name not in known or not self._is_current(audio / name, known[name])]
        if lost:
            raise AudioError(f"{audio / lost[0]} changed while it was read.", "Run this again.")
        return {name: known[name] for name in names}

    def codes(self, kept: Kept) -> list[NDArray[np.uint16]]:
        """The codes of a recording's pieces, each [K, T]."""
        held = self._read(self._path(kept.key))["codes"]
        ends = np.cumsum(kept.frames)
        return [held[:, end - count : end] for end, count in zip(ends, kept.frames, strict=True)]

    def features(self, kept: Kept) -> NDArray[np.float32]:
        """What the listener hears in a recording's pieces, [P, F]."""
        return self._read(self._path(kept.key, self.listener))["features"]

    def _kept(self, path: Path, known: Kept | None) -> Kept:
        """A recording's place in the cache, filled."""
        if known is None or not self._is_current(path, known):
            stat = path.stat()
            content = _hash(path)
            known = Kept(stat.st_size, stat.st_mtime_ns, content, self._key(content))
        elif known.damaged:
            return known
        restored = self._restored(known)
        if restored is not None:
            return restored
        try:
            return self._filled(path, known)
        except AudioError as error:
            return replace(known, damaged=error.message)

    def _filled(self, path: Path, known: Kept) -> Kept:
        """Encode a recording, and listen to it."""
        codes, features, seconds = [], [], 0.0
        for piece in pieces(path, self.codec.rate, self.codec.channels, self.seconds):
            codes.append(self.codec.encode(piece).numpy().astype(np.uint16))
            seconds += len(piece) / self.codec.rate
            if self.listener is not None:
                features.append(self.listener(piece, self.codec.rate))
        frames, seconds = tuple(one.shape[1] for one in codes), round(seconds, 3)
        held = {"codes": np.concatenate(codes, axis=1), "frames": np.array(frames), "seconds": np.array(seconds)}
        _save(self._path(known.key), held)
        if self.listener is not None:
            _save(self._path(known.key, self.listener), {"features": np.stack(features)})
        return replace(known, frames=frames, seconds=seconds)

    def _is_current(self, path: Path, kept: Kept) -> bool:
        """Whether a note speaks of the file as it is, and of this codec and cut."""
        stat = path.stat()
        return (kept.size, kept.changed, kept.key) == (stat.st_size, stat.st_mtime_ns, self._key(kept.sha256))

    def _restored(self, kept: Kept) -> Kept | None:
        """A recording whose files are all there and can be read, under whatever name it was encoded; else None."""
        try:
            held = self._read(self._path(kept.key))
            frames = tuple(int(count) for count in held["frames"])
            if held["codes"].shape[1] != sum(frames):
                return None
            if self.listener is not None and len(self.features(kept)) != len(frames):
                return None
            return replace(kept, frames=frames, seconds=float(held["seconds"]))
        except (CheckpointError, KeyError, IndexError, ValueError):
            return None

    def _key(self, content: str) -> str:
        text = f"{FORMAT} {content} {self.codec.name} {self.codec.rate} {self.codec.channels} {self.seconds:g}"
        return sha256(text.encode()).hexdigest()[:32]

    def _path(self, key: str, listener: Listener | None = None) -> Path:
        return self.folder / (f"{key}.npz" if listener is None else f"{key}.{listener.name}.npz")

    def _noted(self) -> dict[str, Kept]:
        """What all processes noted; a note that cannot be read counts for nothing, as its files are then read anew."""
        found: dict[str, Kept] = {}
        for path in sorted(self.folder.glob("files-*.json"), key=lambda path: path.stat().st_mtime_ns):
            try:
                noted = json.loads(path.read_text(encoding="utf-8"))
                found |= {name: Kept(**{**kept, "frames": tuple(kept["frames"])}) for name, kept in noted.items()}
            except (ValueError, TypeError, KeyError, AttributeError):
                continue
        return found

    def _read(self, path: Path) -> Arrays:
        try:
            with np.load(path, allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}
        except (OSError, ValueError, EOFError, BadZipFile) as error:
            raise CheckpointError(f"The cached codes {path} cannot be read.", "Delete the file; run again.") from error


def codec_name(codec: nn.Module) -> str:
    """A hash of a codec's weights."""
    found = sha256()
    for name, value in sorted(codec.state_dict().items()):
        found.update(name.encode())
        found.update(value.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()[:16]


def _hash(path: Path) -> str:
    """The SHA-256 of a file."""
    found = sha256()
    with path.open("rb") as file:
        for chunk in _chunks(file):
            found.update(chunk)
    return found.hexdigest()


def _chunks(file: Any) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def _save(path: Path, arrays: Arrays) -> None:
    """Arrays as npz, whole or not at all."""
    import io

    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    _write(path, buffer.getvalue())


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise explain(error, path) from error
