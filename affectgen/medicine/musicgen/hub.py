"""Weights that Hugging Face publishes: what to call them, what they are, their files in its cache, and fetching them.

The cache is read by its documented layout, so that looking costs nothing and wants no package.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from affectgen.errors import CheckpointError

LANGUAGE, CODEC = "state_dict.bin", "compression_state_dict.bin"
LICENCE = "CC-BY-NC 4.0, no commercial use"
PICKLED = "*.bin"  # of transformers' format only the safetensors are read
AUDIOCRAFT = "pip install 'affectgen[audiocraft]' && pip install --no-deps audiocraft==1.3.0"  # how it is installed
SMALL_FILES = "config.json, generation_config.json, model.safetensors, preprocessor_config.json, the tokenizer's files"


@dataclass(frozen=True)
class Published:
    """A repository. files: what is needed of it, empty for all but pickles; size: of these; what: they are, in words;
    licence; wants: another one that is needed beside it."""

    repository: str
    files: tuple[str, ...]
    size: str
    what: str
    licence: str = LICENCE
    wants: Published | None = None

    def command(self, folder: str) -> str:
        """The command line that downloads it into a folder, and what it wants into a folder in it."""
        chosen = " ".join(self.files) if self.files else f'--exclude "{PICKLED}"'
        line = f"hf download {self.repository} {chosen} --local-dir {folder}"
        if self.wants is None:
            return line
        beside = f"{folder}/{self.wants.repository.rpartition('/')[2]}"
        return f"{line} && {self.wants.command(beside)}"


T5_BASE = Published(
    "google-t5/t5-base", ("config.json", "model.safetensors", "spiece.model", "tokenizer.json"), "0.9 GB",
    "the T5 text encoder", "Apache-2.0",
)  # fmt: skip
MODELS = {  # the larger two are published as pickles only, but for audiocraft's
    "musicgen-small": Published("facebook/musicgen-small", (), "2.4 GB", SMALL_FILES),
    "musicgen-medium": Published(
        "facebook/musicgen-medium", (LANGUAGE, CODEC), "about 4 GB", f"{LANGUAGE}, {CODEC}", wants=T5_BASE
    ),
    "musicgen-large": Published(
        "facebook/musicgen-large", (LANGUAGE, CODEC), "6.7 GB", f"{LANGUAGE}, {CODEC}", wants=T5_BASE
    ),
}


def is_offline() -> bool:
    """Whether HF_HUB_OFFLINE forbids the network."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


def cached(repository: str) -> Path | None:
    """The newest files of a repository in the cache, all of them or some; None where there are none."""
    named = os.environ.get("HF_HUB_CACHE", "") or os.environ.get("HUGGINGFACE_HUB_CACHE", "")
    user = os.environ.get("XDG_CACHE_HOME", "") or "~/.cache"
    home = os.environ.get("HF_HOME", "") or os.path.join(user, "huggingface")
    cache = Path(named or os.path.join(home, "hub")).expanduser() / f"models--{repository.replace('/', '--')}"
    reference = cache / "refs" / "main"
    if not reference.is_file():
        return None
    snapshot = cache / "snapshots" / reference.read_text(encoding="utf-8").strip()
    return snapshot if snapshot.is_dir() else None


def fetched(repository: str, files: Sequence[str]) -> Path:
    """Files of a repository, from the network into the cache; all but pickles where none are named. CheckpointError
    where they cannot be had."""
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError
    except ImportError as error:
        hint = "pip install huggingface_hub, or download them by hand."
        raise CheckpointError(f"The files of {repository} are not here.", hint) from error
    theirs: type[Exception] = HfHubHTTPError.__mro__[1]  # of the HTTP client that this version has
    only, never = (list(files), None) if files else (None, [PICKLED])
    try:
        return Path(snapshot_download(repository, allow_patterns=only, ignore_patterns=never))
    except (theirs, OSError, ValueError, RuntimeError) as error:  # without a network, room, or such a repository
        said = str(error).partition("\n")[0]
        raise CheckpointError(f"{repository} could not be downloaded: {said}", "Download it by hand.") from error
