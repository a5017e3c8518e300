"""Shell completion: what is offered, that it comes at once, and that bash takes it. Real Tabs: test_tab.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

HEAVY = ("torch", "scipy", "librosa", "symusic", "miditok", "matplotlib", "pydantic", "transformers")
WAIT = 5.0  # seconds that nobody waits for a Tab, on a busy machine

PRESETS = {
    "study": 'command = "muser generate"\n', "sleep": 'extends = "zz-study"\n', "bad": "command = \n",
    "battle": 'command = "emogen generate"\n', "angry": 'command = "speech convert"\n', "lost": 'extends = "zz-no"\n',
}  # fmt: skip
ALL = {f"zz-{name}" for name in PRESETS}
MODELS = {
    "zz-ours": '{"kind": "muser"}', "zz-paper": '{"kind": "muser-paper"}', "zz-slides": '{"kind": "emogen"}',
    "zz-judge": '{"kind": "judge"}', "zz-map": '{"kind": "emogen-map"}', "zz-no": "{}", "zz-bad": "{", "zz-list": "[]",
}  # fmt: skip


@pytest.fixture
def program(shell, tmp_path) -> dict[str, str]:
    """An environment in which `affectgen` is a program on the path, with a folder of presets."""
    home = tmp_path / "bin"
    home.mkdir()
    script = home / "affectgen"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m affectgen "$@"\n')
    script.chmod(0o755)
    presets = tmp_path / "presets"
    presets.mkdir()
    for name, held in PRESETS.items():
        (presets / f"zz-{name}.toml").write_text(held)
    for name, config in MODELS.items():
        (shell.models / name).mkdir()
        (shell.models / name / "config.json").write_text(config)
    env = shell.environment(AFFECTGEN_PRESETS=str(presets))
    return {**env, "PATH": f"{home}{os.pathsep}{env['PATH']}", "AFFECTGEN_CHECKPOINTS": str(shell.models)}


def offered(program, *words: str, shell: str = "zsh") -> list[tuple[str, str]]:
    """(type, value) of what is offered for the last of some words, by the protocol of Click's scripts."""
    env = {**program, "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    done = subprocess.run([sys.executable, "-m", "affectgen"], capture_output=True, check=True, text=True,
                          env={**env, "_AFFECTGEN_COMPLETE": f"{shell}_complete"})  # fmt: skip
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    if shell == "zsh":
        return list(zip(lines[::3], lines[1::3], strict=False))
    return [tuple(line.split("\t")[0].split(",", 1)) for line in lines]  # type: ignore[misc]


def values(program, *words: str) -> set[str]:
    return {value for kind, value in offered(program, *words) if kind == "plain"}


def test_commands_and_options(program):
    assert {"muser", "emogen", "batch", "verify", "completion"} <= values(program, "affectgen", "")
    assert values(program, "affectgen", "mus") == {"muser"}
    assert values(program, "affectgen", "muser", "gen") == {"generate"}
    assert "--best-of" in values(program, "affectgen", "muser", "generate", "--b")
    assert values(program, "affectgen", "rate", "--as", "m") == {"midi", "music"}


def test_emotions_where_an_emotion_is_asked_for(program):
    assert {"happy", "hateful", "happiness"} <= values(program, "affectgen", "muser", "generate", "-a", "ha")
    assert values(program, "affectgen", "muser", "generate", "--affect", "calmn") == {"calmness"}
    assert values(program, "affectgen", "muser", "generate", "-a", "'sad>calmn") == {"sad>calmness"}
    assert values(program, "affectgen", "medicine", "plan", "--from", "anx") == {"anxious", "anxiety"}
    assert values(program, "affectgen", "emogen", "generate", "-a", "Q") == {
        "Q1", "Q2", "Q3", "Q4", "quiet"
    }  # fmt: skip


def test_every_word_that_is_offered_is_understood(program):
    from affectgen.affect.path import parse_affect

    found = values(program, "affectgen", "muser", "generate", "-a", "")
    assert len(found) > 60
    for word in found:
        assert " " not in word
        parse_affect(word)


def test_models_presets_and_files(program):
    assert values(program, "affectgen", "muser", "generate", "--checkpoint", "zz-o") == {"zz-ours"}
    assert values(program, "affectgen", "batch", "zz") == ALL
    assert offered(program, "affectgen", "batch", "./p") == [("file", "./p")]
    for words in (("rate", "x"), ("replay", "x"), ("verify", "x"), ("muser", "generate", "-o", "x"),
                  ("muser", "generate", "--source", "x"), ("emogen", "attributes", "x")):  # fmt: skip
        kinds = {kind for kind, _ in offered(program, "affectgen", *words)}
        assert kinds == {"file"}, words
    assert offered(program, "affectgen", "muser", "generate", "--seed", "1") == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("muser", "generate", "--preset"), {"zz-study", "zz-sleep"}),
        (("emogen", "generate", "-a", "calm", "--preset"), {"zz-battle"}),
        (("speech", "convert", "x.wav", "--preset"), {"zz-angry"}),
        (("presets", "new", "x", "--command", "muser_generate", "--extends"), {"zz-study", "zz-sleep"}),
        (("presets", "new", "x", "--extends"), ALL),
        (("presets", "show"), ALL),
        (("batch", "study"), ALL),
    ],
)
def test_presets_are_those_of_the_command(program, words, expected):
    typed = [f"'{word.replace('_', ' ')}'" for word in words]
    assert values(program, "affectgen", *typed, "zz") == expected


def test_where_no_preset_fits_files_are_offered(program):
    assert offered(program, "affectgen", "muser", "transfer", "--preset", "zz") == [("file", "zz")]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("muser", "generate"), {"zz-ours", "zz-paper"}),
        (("evaluate", "muser"), {"zz-ours", "zz-paper"}),
        (("muser", "reconstruct"), {"zz-ours"}),
        (("emogen", "generate"), {"zz-slides"}),
        (("emogen", "map"), {"zz-slides"}),
        (("medicine", "render"), {"zz-slides"}),
        (("medicine", "render", "--composer", "muser"), {"zz-ours", "zz-paper"}),
        (("replay", "x.json"), {"zz-ours", "zz-paper", "zz-slides"}),
    ],
)
def test_models_are_those_that_the_command_can_use(program, words, expected):
    assert values(program, "affectgen", *words, "--checkpoint", "zz") == expected


@pytest.mark.parametrize("name", ["bash", "fish"])
def test_the_protocol_of_each_shell(program, name):
    env = {**program, "_AFFECTGEN_COMPLETE": f"{name}_complete", "COMP_WORDS": "affectgen muser generate -a hap"}
    env["COMP_CWORD"] = "hap" if name == "fish" else "4"
    done = subprocess.run([sys.executable, "-m", "affectgen"], capture_output=True, check=True, text=True, env=env)
    assert done.stdout.split("\n")[0].split("\t")[0] == "plain,happy"


def test_a_folder_of_models_that_cannot_be_read_offers_none(program, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "SHA256SUMS").write_text("")
    env = {**program, "AFFECTGEN_CHECKPOINTS": str(closed)}
    assert values(env, "affectgen", "muser", "generate", "--checkpoint", "zz") == set()


def test_tab_loads_nothing_heavy_and_is_quick(program):
    script = (
        "import json, sys, atexit\n"
        "atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))\n"
        "from affectgen.cli.program import run; run([])"
    )
    for words in ("affectgen ", "affectgen muser generate -a ha", "affectgen muser generate --checkpoint zz",
                  "affectgen batch zz", "affectgen muser generate --preset zz",
                  "affectgen speech edit --", "affectgen render --reverb h"):  # fmt: skip
        env = {**program, "_AFFECTGEN_COMPLETE": "zsh_complete", "COMP_WORDS": words,
               "COMP_CWORD": str(len(words.split(" ")) - 1)}  # fmt: skip
        began = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True, env=env)
        assert time.perf_counter() - began < WAIT
        modules = json.loads(done.stderr.splitlines()[-1])
        assert [name for name in HEAVY if name in modules] == [], words
        assert done.stdout.strip(), words


def bash(program, *words: str, place: int | None = None) -> list[str]:
    """What bash has to offer for words, the script sourced as docs/completion.md says."""
    listed = " ".join(f"'{word}'" for word in words)
    lines = f"""
        source <(affectgen completion bash)
        COMP_WORDS=({listed})
        COMP_CWORD={len(words) - 1 if place is None else place}
        compopt() {{ printf 'compopt %s %s\\n' "$1" "$2"; }}
        _affectgen_completion affectgen
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", lines], capture_output=True, check=True, text=True, env=program)
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


def test_bash_completes(program):
    assert bash(program, "affectgen", "mus") == ["muser"]
    assert "happy" in bash(program, "affectgen", "muser", "generate", "-a", "ha")
    assert bash(program, "affectgen", "muser", "generate", "-a", "in_l") == ["in_love"]
    assert bash(program, "affectgen", "batch", "zz-st") == ["zz-study"]
    assert bash(program, "affectgen", "rate", "x") == ["compopt -o default"]
    assert bash(program, "affectgen", "muser", "generate", "--checkpoint", "zz-o") == ["zz-ours"]


def test_bash_makes_three_words_of_an_option_with_its_value(program):
    assert bash(program, "affectgen", "muser", "generate", "--affect", "=", "calmn") == ["calmness"]
    assert bash(program, "affectgen", "muser", "generate", "--affect", "=", "calm", "--best") == ["--best-of"]
    assert "happy" in bash(program, "affectgen", "muser", "generate", "--affect", "=")


def test_bash_knows_the_function_by_the_programs_name(program):
    done = subprocess.run(["bash", "-c", "source <(affectgen completion bash); complete -p affectgen"],
                          capture_output=True, check=True, text=True, env=program)  # fmt: skip
    assert "-F _affectgen_completion affectgen" in done.stdout


@pytest.mark.parametrize(("name", "signs"), [
    ("bash", ("_AFFECTGEN_COMPLETE=bash_complete", "complete -o nosort -F _affectgen_completion affectgen")),
    ("zsh", ("#compdef affectgen", "_AFFECTGEN_COMPLETE=zsh_complete", "compdef _affectgen_completion affectgen")),
    ("fish", ("_AFFECTGEN_COMPLETE=fish_complete", "complete --no-files --command affectgen")),
])  # fmt: skip
def test_the_scripts(shell, name, signs):
    done = shell("completion", name)
    assert done.returncode == 0, done.stderr
    for sign in signs:
        assert sign in done.stdout.decode()


def test_another_shell_is_a_usage_error(fails):
    assert "tcsh" in fails(2, "completion", "tcsh")
