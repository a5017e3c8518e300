"""Stand-ins: put for what is missing or broken only, and refusing to be used."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from affectgen.medicine.musicgen.standins import NAMES, StandIn, put_stand_ins


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch):
    """Takes packages out of sys.modules for the test, and puts back what was there."""

    def take(*packages: str) -> None:
        for name in list(sys.modules):
            if name.partition(".")[0] in packages:
                monkeypatch.delitem(sys.modules, name)
        for package in packages:  # what the test puts there goes as well
            monkeypatch.setitem(sys.modules, package, None)
            monkeypatch.delitem(sys.modules, package)

    yield take
    monkeypatch.undo()


def package(home: Path, name: str, text: str) -> None:
    (home / name).mkdir()
    (home / name / "__init__.py").write_text(textwrap.dedent(text))


def run(code: str, home: Path, top: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(home), str(top)])}
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def test_what_works_is_left_alone_and_what_is_broken_is_replaced(tmp_path: Path, top: Path):
    """One package that works, one that breaks half-way, one that is missing; each looked at twice."""
    package(tmp_path, "av", "here = 1")
    package(tmp_path, "torchaudio", "from . import part\nraise OSError('no CUDA')")
    (tmp_path / "torchaudio" / "part.py").write_text("")
    package(tmp_path, "xformers", "raise ImportError('gone')")
    code = """
        import sys
        from affectgen.medicine.musicgen.standins import StandIn, put_stand_ins
        put = put_stand_ins()
        import av, torchaudio, torchaudio.transforms, xformers.ops
        assert av.here == 1 and "av" not in put
        assert {"torchaudio", "xformers"} <= set(put), put
        assert isinstance(torchaudio, StandIn) and isinstance(sys.modules["torchaudio.transforms"], StandIn)
        assert "torchaudio.part" not in sys.modules
        try:
            torchaudio.transforms.Resample(1, 2)
        except ImportError as error:
            print(error)
        assert put_stand_ins() == []
    """
    assert (
        run(code, tmp_path, top) == "torchaudio.transforms.Resample is only a stand-in: install torchaudio to use it."
    )


def test_a_broken_torchaudio_does_not_break_transformers(tmp_path: Path, top: Path):
    """PyPI's torchaudio wants CUDA; transformers imports it wherever it is installed."""
    package(tmp_path, "torchaudio", "raise OSError('libcudart.so.13: cannot open shared object file')")
    (tmp_path / "torchaudio-2.11.0.dist-info").mkdir()
    (tmp_path / "torchaudio-2.11.0.dist-info" / "METADATA").write_text("Name: torchaudio\nVersion: 2.11.0\n")
    plain = "import transformers.audio_utils as utils"  # which MusicGen and its codec import
    with pytest.raises(subprocess.CalledProcessError) as caught:
        run(plain, tmp_path, top)
    assert "libcudart" in caught.value.stderr
    mended = "from affectgen.medicine.musicgen.standins import mend_torchaudio as mend; mend()"
    assert run(f"{mended}; {plain}; print(utils.torchaudio.__class__.__name__)", tmp_path, top) == "StandIn"


def test_the_one_function_that_musicgen_calls_is_torchs(without, monkeypatch: pytest.MonkeyPatch):
    without("xformers")
    monkeypatch.setattr(importlib, "import_module", _missing)
    put_stand_ins()
    from xformers import ops

    parts = ops.unbind(torch.arange(6).reshape(3, 2), dim=0)
    assert [part.tolist() for part in parts] == [[0, 1], [2, 3], [4, 5]]
    with pytest.raises(ImportError):
        importlib.import_module("xformers.profiler")


def _missing(name: str) -> None:
    raise ImportError(name)


def test_a_stand_in_is_no_package_with_private_names():
    module = StandIn("spacy")
    assert module.Language is module.Language
    with pytest.raises(AttributeError):
        _ = module.__version__
    with pytest.raises(ImportError, match=r"spacy\.Language is only a stand-in: install spacy"):
        module.Language("en")
    assert set(NAMES) >= {"xformers", "torchaudio", "spacy", "av"}
