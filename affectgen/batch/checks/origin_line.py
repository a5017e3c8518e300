"""A command line that makes one recorded piece: what was typed, with what was drawn or came from the environment."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from affectgen.manifest import Manifest

# of the piece's place, of further files, and of what is said on the way: (long, short) of options with a value, and of
# switches
VALUES = (("--output", "-o"), ("--seed", ""), ("--count", ""), ("--plot", ""), ("--manifest", ""), ("--audio", ""),
          ("--cue", ""), ("--report", ""))  # fmt: skip
SWITCHES = frozenset(("--force", "--json", "--no-manifest", "-q", "--quiet", "-v", "--verbose"))
FROM_ELSEWHERE = ("environment",)
NO_OPTION = frozenset({"threads", "seed"})
END = "--"  # what follows are no options


def retold(record: Manifest) -> str | None:
    """The line that makes the piece of a manifest into its file, whatever the environment says then.

    None where it cannot be told: the sound beside a piece whose seed was drawn, and one of several files of a line.
    """
    task, words = record.task.split(), list(record.argv)
    if words[: len(task)] != task:  # the sound beside a piece: the line makes both
        return _shell(words) if option_value(words, "--seed") is not None else None
    place = option_value(words, "--output", "-o")
    name = record.output.get("path")
    several = place is not None and place != "-" and name is not None and Path(place).name != name
    sources = record.settings.get("sources")
    if several and sources is not None:
        return None
    kept, rest = _split(without(words))
    seed = record.settings.get("seed")
    if seed is not None and isinstance(seed.value, int):
        kept.append(f"--seed={seed.value}")
    kept += _from_environment(record)
    return _shell([*kept, "-o", "-" if name is None else str(name), *rest])


def without(words: Sequence[str]) -> list[str]:
    """A command line without its options of VALUES and SWITCHES."""
    kept: list[str] = []
    taken = ended = False
    for word in words:
        if taken:
            taken = False
        elif ended or not word.startswith("-") or word == "-":
            kept.append(word)
        elif word == END:
            ended = True
            kept.append(word)
        elif any(word in (long, short) for long, short in VALUES):
            taken = True
        elif word not in SWITCHES and not _glued(word):
            kept.append(word)
    return kept


def option_value(words: Sequence[str], long: str, short: str = "") -> str | None:
    """The value of an option on a command line, the last one where it is given more than once; None without it."""
    found = None
    for place, word in enumerate(words):
        if word == END:
            break
        if word in (long, short) and place + 1 < len(words):
            found = words[place + 1]
        elif word.startswith(f"{long}="):
            found = word.partition("=")[2]
        elif short and word.startswith(short) and not word.startswith("--") and word != short:
            found = word.removeprefix(short)
    return found


def _glued(word: str) -> bool:
    """Whether a word is an option of VALUES with its value in it: --seed=3, -oout.mid."""
    return any(
        word.startswith(f"{long}=") or (short and word.startswith(short) and not word.startswith("--"))
        for long, short in VALUES
    )


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """What comes before `--`, and the rest."""
    place = words.index(END) if END in words else len(words)
    return list(words[:place]), list(words[place:])


def _from_environment(record: Manifest) -> list[str]:
    """What the environment said, as options."""
    found = []
    for name, setting in (*record.settings.items(), *record.run.items()):
        text = _text(setting.value)
        if setting.origin in FROM_ELSEWHERE and name not in NO_OPTION and text is not None:
            found.append(f"--{name.replace('_', '-')}={text}")
    return list(dict.fromkeys(found))


def _text(value: Any) -> str | None:
    """A value as a word; None for what no single word says."""
    if isinstance(value, Mapping):
        path = value.get("path")
        return path if isinstance(path, str) else None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value)


def _shell(words: Sequence[str]) -> str:
    return shlex.join(["affectgen", *words])
