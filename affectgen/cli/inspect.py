"""`affectgen inspect`: what a file is and how it was made."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affectgen.cli.values import read_stdin
from affectgen.errors import AffectgenError
from affectgen.output import STDOUT, standard_output

if TYPE_CHECKING:
    from affectgen.batch.checks.origin import Origin
    from affectgen.batch.checks.origin_facts import FileFacts
    from affectgen.manifest import Manifest

KINDS = {"midi": "MIDI", "audio": "sound", "text": "text", "other": "neither MIDI nor text, nor sound that can be read"}
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")  # what would move the cursor, or begin a line of its own


@click.command()
@click.argument("file", metavar="FILE|-")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def inspect(ctx: click.Context, file: str, as_json: bool) -> None:
    """Say what FILE is and how it was made: by the manifest beside it, by one in its folder that records its hash (so a
    renamed file is known), or by the words that sound carries; and how to make it again.

    FILE may be the manifest itself, and - reads standard input.

    \b
    affectgen inspect happy.mid
    affectgen inspect happy.mp3 --json
    affectgen emogen generate -a calm -o - | affectgen inspect -
    """
    from affectgen.batch.checks.origin import origin_of

    if file != STDOUT and not Path(file).is_file():
        why = "is a folder" if Path(file).is_dir() else "is not there"
        raise AffectgenError(f"{file} {why}.", "Name a file; affectgen verify checks folders.")
    found = origin_of(read_stdin(ctx) if file == STDOUT else Path(file))
    with standard_output():
        text = json.dumps(found.to_json(), indent=2) if as_json else "\n".join(_page(found))
        click.echo(text.encode("utf-8", "backslashreplace").decode())  # a file's name need not be UTF-8


def _page(found: Origin) -> Iterator[str]:
    """The same for a person."""
    yield "standard input" if found.path is None else CONTROL.sub(" ", str(found.path))
    if found.facts is not None:
        yield from _facts(found.facts)
    if found.record is not None:
        yield from _made(found, found.record)
    elif found.told is not None:
        yield _row("made", found.told)
    else:
        yield _row("made", "nothing says how this was made")


def _facts(facts: FileFacts) -> Iterator[str]:
    """What the file is."""
    yield _row("file", f"{KINDS[facts.kind]}, {facts.size} bytes, SHA-256 {facts.sha256[:16]}...")
    if facts.damaged is not None:
        yield _row("damaged", facts.damaged)
    told = facts.details
    if facts.kind == "midi" and told:
        slow, fast = told["tempo"]
        tempo = f"{slow:g}" if slow == fast else f"{slow:g} to {fast:g}"
        yield _row("music", f"{told['seconds']:.1f} s, {told['bars']} bars, {told['notes']} notes in {told['tracks']} "
                            f"track{'s' if told['tracks'] != 1 else ''}, tempo {tempo}")  # fmt: skip
        named = [str(told[name]) for name in ("key", "metre") if told[name] is not None]
        if named:
            yield _row("key, metre", ", ".join(named))
    elif facts.kind == "audio" and told:
        channels = f"{told['channels']} channel{'s' if told['channels'] != 1 else ''}"
        encoding = f"{told['format']} ({told['encoding']})"
        yield _row("sound", f"{told['seconds']:.2f} s, {told['rate']} Hz, {channels}, {encoding}")
    for name, text in facts.tags.items():
        yield _row(name, text)


def _made(found: Origin, record: Manifest) -> Iterator[str]:
    """How it was made."""
    from affectgen.batch.checks.origin import differing, input_name

    if found.facts is None:
        what = record.output.get("path")
        if what is None:
            yield _row("piece", "went to standard output")
        elif found.manifest is not None:
            yield _row("piece", f"{what} is not there")
    elif found.changed:
        yield _row("changed", "this is not what the manifest describes: it was changed since, or is another file")
    version = record.versions.get("affectgen", "of an unknown version")
    place = "" if found.manifest is None else f", {found.manifest}"
    yield _row("made", f"by `{record.task}` of affectgen {version}; known by the {found.known_by}{place}")
    if record.asked is not None:
        yield _row("asked", _affect(record.asked))
    for heard in (record.measured, record.measured.get("judge")):
        if isinstance(heard, Mapping) and "valence" in heard:
            yield _row("measured", f"{_affect(heard)} by the {heard.get('recogniser', 'recogniser')}")
    if record.checkpoint:
        sha256 = str(record.checkpoint.get("sha256", ""))
        yield _row("model", f"{record.checkpoint.get('name')}, SHA-256 {sha256[:16]}...")
    for name, value, origin in differing(record):
        yield _row(name, f"{input_name(value)} ({origin})")
    if found.command is not None:
        yield _row("line", found.command)
    if found.replay is not None:
        yield _row("same bytes", found.replay)


def _affect(held: Any) -> str:
    """An affect or a path, as manifests hold them."""
    if isinstance(held, Mapping) and "keys" in held:
        return "a path: " + " > ".join(f"{key[1]:+.2f},{key[2]:+.2f} at {key[0]:g}" for key in held["keys"])
    if isinstance(held, Mapping) and held.get("valence") is not None and held.get("arousal") is not None:
        return f"valence {held['valence']:+.2f}, arousal {held['arousal']:+.2f} {held.get('quadrant', '')}".rstrip()
    return str(held)


def _row(name: str, text: str) -> str:
    """A line, whatever a stranger's file has written into the text."""
    return f"  {name:<14}{CONTROL.sub(' ', text)}"
