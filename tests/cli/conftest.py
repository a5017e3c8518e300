"""The command line as a user meets it: a process of its own, with a tiny composer in place of MusER."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from affectgen.cli.program import run
from affectgen.nn.checkpoint import save_arrays, write_sums

FAKE = Path(__file__).resolve().parent / "fake"
TOP = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Done:
    """What a command line came to."""

    returncode: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True)
class Shell:
    """Runs `affectgen` in a folder of its own, where a checkpoint named `fake` can be found.

    Called, it runs inside this process, since importing torch takes seconds; `alone` is a process of its own.
    """

    folder: Path
    models: Path

    def environment(self, **extra: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AFFECTGEN_")}
        path = os.pathsep.join([str(FAKE), str(TOP)])
        return {**kept, "PYTHONPATH": path, "AFFECTGEN_CHECKPOINTS": str(self.models), **extra}

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "affectgen", *words]

    def __call__(self, *words: str, stdin: bytes = b"", **extra: str) -> Done:
        streams = [io.TextIOWrapper(io.BytesIO(data), encoding="utf-8") for data in (stdin, b"", b"")]
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            patch.syspath_prepend(str(FAKE))
            for name, value in {**self.environment(), **extra}.items():
                patch.setenv(name, value)
            for name, stream in zip(("stdin", "stdout", "stderr"), streams, strict=True):
                patch.setattr(sys, name, stream)
            try:
                code = run(words)
            finally:
                for number, handler in handlers.items():
                    signal.signal(number, handler)
        for stream in streams:
            stream.flush()
        return Done(code, streams[1].buffer.getvalue(), streams[2].buffer.getvalue())

    def alone(self, *words: str, stdin: bytes = b"", **extra: str) -> Done:
        env = self.environment(**extra)
        done = subprocess.run(
            self.command(*words), input=stdin, capture_output=True, cwd=self.folder, env=env, timeout=120, check=False
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str, **extra: str) -> subprocess.Popen[bytes]:
        pipe: Any = subprocess.PIPE
        return subprocess.Popen(
            self.command(*words), stdout=pipe, stderr=pipe, cwd=self.folder, env=self.environment(**extra)
        )

    def start_with(
        self, *words: str, stdin: bytes, pipe: Any = subprocess.PIPE, start_new_session: bool = False, **extra: str
    ) -> subprocess.Popen[bytes]:
        """Start a process that finds `stdin` on its standard input. pipe: where what it says goes."""
        with tempfile.TemporaryFile() as given:
            given.write(stdin)
            given.seek(0)
            return subprocess.Popen(
                self.command(*words), stdin=given, stdout=pipe, stderr=pipe, cwd=self.folder,
                env=self.environment(**extra), start_new_session=start_new_session,
            )  # fmt: skip

    def wait_for_ears(self, process: subprocess.Popen[bytes]) -> None:
        """Until a process listens to SIGTERM, as Python by itself does not: what comes before is Python's own start."""
        heard = 0
        while not heard & 1 << (signal.SIGTERM - 1):
            assert process.poll() is None
            status = Path(f"/proc/{process.pid}/status").read_text()
            heard = int(status.partition("SigCgt:")[2].split()[0], 16)

    def names(self) -> list[str]:
        """Every file in the folder, hidden ones too."""
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*"))


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell in an empty folder."""
    models, folder = tmp_path / "models", tmp_path / "work"
    folder.mkdir()
    save_arrays(models / "fake", {"a": np.arange(3)}, {"licence": "CC0-1.0", "about": "nothing at all"})
    write_sums(models)
    return Shell(folder, models)


@pytest.fixture
def fails(shell: Shell) -> Callable[..., str]:
    """Run what must fail: the exit code fits, nothing is written anywhere, there is a sentence and no traceback.

    Usage errors run in a process of their own: they come before anything slow is imported.
    """

    def check(code: int, *words: str, stdin: bytes = b"", **extra: str) -> str:
        before = shell.names()
        done = (shell.alone if code == 2 else shell)(*words, stdin=stdin, **extra)
        said = done.stderr.decode()
        assert done.returncode == code, said
        assert done.stdout == b""
        assert shell.names() == before
        assert "Traceback" not in said
        assert "Error: " in said
        assert "Hint: " in said
        return said

    return check
