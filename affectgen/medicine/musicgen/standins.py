"""Stand-ins for packages that audiocraft 1.3.0 imports and MusicGen never uses: xformers, torchaudio, spacy, av.

audiocraft pins versions of them that cannot be installed beside a present PyTorch; importing its models needs their
names only. A stand-in is a module whose every attribute is a class that refuses to be used, but for the one function
of xformers that the language model calls (`ops.unbind`, which is torch's). Packages that are installed and work are
left alone; a torchaudio that is installed and does not is replaced, for it breaks transformers as well.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

NAMES = {
    "xformers": ("ops",),  # without its profiler: audiocraft takes its absence for "not profiled"
    "torchaudio": ("transforms", "functional"),
    "spacy": (),
    "av": ("audio", "subtitles", "subtitles.stream"),
    "pesq": (),
    "pystoi": (),
}


class LowerTriangularMask:
    """Marks causal attention; torch's own attention is told so by its presence alone."""


class StandIn(ModuleType):
    """A module that has every name, each a class that cannot be made."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (), {"__init__": _refuse, "__module__": self.__name__})
        setattr(self, name, made)
        return made


def _refuse(self: Any, *_: Any, **__: Any) -> None:
    kind = type(self)
    package = kind.__module__.partition(".")[0]
    raise ImportError(f"{kind.__module__}.{kind.__name__} is only a stand-in: install {package} to use it.")


def mend_torchaudio() -> None:
    """Put a stand-in for a torchaudio that is installed and cannot be imported: transformers takes it up unasked."""
    if "torchaudio" in sys.modules or find_spec("torchaudio") is not None:
        put_stand_ins(("torchaudio",))


def put_stand_ins(packages: Iterable[str] = tuple(NAMES)) -> list[str]:
    """Put a stand-in into sys.modules for each of the packages that is missing or broken; returns their names."""
    import torch

    put = []
    for package in packages:
        if _works(package):
            continue
        put.append(package)
        modules = {package: StandIn(package)}
        for part in NAMES[package]:
            name = f"{package}.{part}"
            modules[name] = StandIn(name)
            owner, _, last = name.rpartition(".")
            setattr(modules[owner], last, modules[name])
        for name, module in modules.items():
            module.__spec__ = ModuleSpec(name, None, is_package=True)
            module.__path__ = []
            sys.modules[name] = module
        if package == "xformers":
            modules["xformers.ops"].__dict__.update(unbind=torch.unbind, LowerTriangularMask=LowerTriangularMask)
    return put


def _works(package: str) -> bool:
    """Whether a package can be imported; one that fails half-way is forgotten again."""
    if isinstance(sys.modules.get(package), StandIn):
        return True
    before = set(sys.modules)
    try:
        importlib.import_module(package)
    except (ImportError, OSError, RuntimeError, AttributeError):
        for name in set(sys.modules) - before:
            if name == package or name.startswith(f"{package}."):
                del sys.modules[name]
        return False
    return True
