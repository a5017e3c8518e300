"""The Tab key in real shells, at a terminal, set up as docs/completion.md says (pytest -m external)."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from lacking import missing

pytestmark = pytest.mark.external

WAIT = 60.0  # seconds for a shell and its Tabs, on a busy machine
# Started as a shell starts a program, it notes what it was given; asked what completes a word, it answers.
PROGRAM = """#!/bin/sh
if [ -n "$_AFFECTGEN_COMPLETE" ] || [ "$1" = completion ]; then exec "{python}" -m affectgen "$@"; fi
printf '%s\\n' "$@" > "$TYPED.part" && mv "$TYPED.part" "$TYPED"
"""


@dataclass(frozen=True)
class Setup:
    """A shell, and what docs/completion.md says to do once (before) and to have in its start file (held)."""

    start: tuple[str, ...]
    before: str
    file: str
    held: str


BASH, ZSH = ("bash", "--noprofile", "--rcfile", "{home}/.bashrc", "-i"), ("zsh", "-i")
SETUPS = {
    "bash": Setup(BASH, "true", ".bashrc", "source <(affectgen completion bash)\n"),
    "zsh": Setup(ZSH, "mkdir -p ~/.zfunc; affectgen completion zsh > ~/.zfunc/_affectgen", ".zshrc",
                 "fpath=(~/.zfunc $fpath)\nautoload -Uz compinit && compinit -u\n"),
    "zsh, sourced": Setup(ZSH, "true", ".zshrc", "autoload -Uz compinit && compinit -u\n"
                                                 "source <(affectgen completion zsh)\n"),
    "fish": Setup(("fish", "-i"), "mkdir -p ~/.config/fish/completions; affectgen completion fish > "
                                  "~/.config/fish/completions/affectgen.fish", ".config/fish/config.fish", ""),
}  # fmt: skip


@pytest.fixture(params=list(SETUPS))
def typing(request, shell, tmp_path) -> Callable[[str], list[str]]:
    """Types a line at a shell's terminal, and gives the words that the program was then started with."""
    setup, home = SETUPS[request.param], tmp_path / "home"
    if shutil.which(setup.start[0]) is None:
        missing(f"{setup.start[0]} is not installed")
    (home / "bin").mkdir(parents=True)
    (home / "bin/affectgen").write_text(PROGRAM.format(python=sys.executable))
    (home / "bin/affectgen").chmod(0o755)
    env = shell.environment(HOME=str(home), ZDOTDIR=str(home), TYPED=str(home / "typed"), TERM="xterm")
    env["LC_ALL"] = "C.UTF-8"
    env["PATH"] = f"{home / 'bin'}{os.pathsep}{env['PATH']}"
    subprocess.run(["bash", "-ec", setup.before], env=env, check=True, timeout=WAIT)
    (home / setup.file).parent.mkdir(parents=True, exist_ok=True)
    (home / setup.file).write_text(setup.held)
    command = [word.format(home=home) for word in setup.start]
    return lambda line: type_line(command, env, line, home / "typed")


def type_line(command: list[str], env: dict[str, str], line: str, typed: Path) -> list[str]:
    """The words in `typed` once a line was typed; fails with what the terminal showed where none come."""
    shown = b""
    with terminal(command, env) as there:
        os.write(there, f"{line}\r".encode())
        until = time.monotonic() + WAIT
        while not typed.exists() and time.monotonic() < until:
            if select.select([there], [], [], 0.1)[0]:
                shown += os.read(there, 4096)
    assert typed.exists(), shown.decode(errors="replace")
    return typed.read_text().splitlines()


@contextlib.contextmanager
def terminal(command: list[str], env: dict[str, str]) -> Iterator[int]:
    """A program at a terminal of its own: the terminal's other end."""
    child, there = pty.fork()
    if child == 0:
        os.execvpe(command[0], command, env)
    try:
        yield there
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(there)


def test_commands_options_and_emotions(typing):
    words = typing("affectgen mus\tgen\t--best\t4 -a calmn\t")
    assert words == ["muser", "generate", "--best-of", "4", "-a", "calmness"]


def test_a_path_of_emotions_in_quotes(typing):
    assert typing("affectgen muser generate -a 'sad>calmn\t")[-1] == "sad>calmness"  # the shell closes the quotes


def test_files_where_files_are_asked_for(typing, tmp_path):
    (tmp_path / "home/first song.mid").write_bytes(b"")
    assert typing(f"affectgen rate {tmp_path}/home/firs\t") == ["rate", f"{tmp_path}/home/first song.mid"]
