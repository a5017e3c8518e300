"""The one door to MusicGen: a name or folder, the backend that runs it, and an adapter."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from affectgen.errors import AffectgenError
from affectgen.medicine.musicgen.folder import find_musicgen
from affectgen.medicine.musicgen.hub import AUDIOCRAFT
from affectgen.medicine.musicgen.interface import MusicGen
from affectgen.medicine.options import BACKENDS

INSTALL = {"transformers": "pip install 'affectgen[musicgen]'", "audiocraft": AUDIOCRAFT}


def load_musicgen(
    name: str | None,
    backend: str = BACKENDS[0],
    device: str = "cpu",
    adapter: Path | None = None,
    tell: Callable[[str], None] | None = None,
    precision: str = "auto",
) -> MusicGen:
    """The model that `find_musicgen(name)` finds, run by a backend on a device ("cpu", "cuda"), with an adapter where
    one is given. precision: of transformers ("float32", "bfloat16", "auto" by what is fast there). What is fetched
    from the network is said to `tell` (see find_musicgen).

    AffectgenError where the backend is unknown or not installed; CheckpointError where weights are missing, or the
    adapter is none or was trained on another base.
    """
    check_backend(backend)
    found = find_musicgen(name, tell)
    model: MusicGen
    if backend == "audiocraft":
        from affectgen.medicine.musicgen.audiocraft_backend import load_audiocraft

        model = load_audiocraft(found, device)
    else:
        from affectgen.medicine.musicgen.transformers_backend import load_transformers

        model = load_transformers(found, device, precision)
    if adapter is not None:
        model.add_adapter(adapter)
    return model


def check_backend(backend: str) -> None:
    """AffectgenError where a backend is unknown, or not installed (with the line that installs it)."""
    if backend not in BACKENDS:
        raise AffectgenError(f"No backend is called {backend!r}.", f"Choose from: {', '.join(BACKENDS)}.")
    missing = [package for package in ("transformers", backend) if find_spec(package) is None]
    if missing:
        raise AffectgenError(f"--backend {backend} needs {missing[0]}, which is not installed.", INSTALL[backend])
