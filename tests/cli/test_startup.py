"""Help is cheap: it loads nothing heavy and takes at most three times what importing Click takes."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

import pytest

HEAVY = ("torch", "scipy", "librosa", "numpy", "symusic", "miditok", "matplotlib", "pydantic", "transformers")
LOADED = "import json, sys; from affectgen.cli.program import run; code = run({words}); {after}"
LIST = "print('\\n' + json.dumps([code, sorted(sys.modules)]))"


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["muser", "--help"], ["muser", "generate", "--help"], ["rate", "--help"],
              ["render", "--help"], ["medicine", "render", "--help"]]
)
def test_help_imports_nothing_heavy(shell, words):
    script = LOADED.format(words=words, after=LIST)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, env=shell.environment(), check=True)
    code, modules = json.loads(done.stdout.decode().splitlines()[-1])
    assert code == 0
    assert [name for name in HEAVY if name in modules] == []


def test_a_usage_error_imports_no_torch(shell):
    script = LOADED.format(words=["muser", "generate", "-a", "blissfull", "-o", "x.mid"], after=LIST)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, env=shell.environment(), check=True)
    code, modules = json.loads(done.stdout.decode().splitlines()[-1])
    assert code == 2
    assert "torch" not in modules


def test_importing_the_package_imports_nothing_heavy(shell):
    script = "import affectgen.task, affectgen.affect.path, sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, env=shell.environment(), check=True)
    modules = json.loads(done.stdout)
    assert [name for name in ("torch", "scipy", "librosa", "transformers") if name in modules] == []


def test_help_is_at_most_three_times_as_slow_as_importing_click(shell):
    def seconds(*words):
        began = time.perf_counter()
        subprocess.run([sys.executable, *words], capture_output=True, env=shell.environment(), check=True)
        return time.perf_counter() - began

    pairs = [(seconds("-m", "affectgen", "--help"), seconds("-c", "import click")) for _ in range(9)]
    assert statistics.median(ours / click for ours, click in pairs) <= 3
