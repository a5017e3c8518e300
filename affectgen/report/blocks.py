"""Marked blocks in documents: the part that a command writes, between `<!-- NAME:begin -->` and `<!-- NAME:end -->`."""

from __future__ import annotations

import os
from pathlib import Path

from affectgen.errors import AffectgenError


def with_block(text: str, name: str, body: str) -> str:
    """The document with the block's content replaced; a block it lacks is added at its end."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    block = f"{begin}\n{body.strip()}\n{end}"
    if begin in text and end in text:
        return text.partition(begin)[0] + block + text.partition(end)[2]
    return f"{text.rstrip()}\n\n{block}\n" if text.strip() else f"{block}\n"


def check_document(path: Path) -> None:
    """AffectgenError where no block could be written into the document."""
    if path.is_dir():
        raise AffectgenError(f"{path} is a folder; a Markdown file was expected.", "Name a file in it.")
    if not path.parent.is_dir():
        raise AffectgenError(f"The folder {path.parent} is not there.", f"Make it: mkdir -p {path.parent}")
    if not os.access(path.parent, os.W_OK) or (path.exists() and not os.access(path, os.R_OK)):
        raise AffectgenError(f"{path} cannot be written.", "Choose another place.")


def write_block(path: Path, name: str, body: str) -> None:
    """Replace the block in the file, whole or not at all; a file that is not there is begun."""
    text = path.read_text(encoding="utf-8") if path.is_file() else "# Results\n"
    part = path.with_name(f".{path.name}.part")
    part.write_text(with_block(text, name, body), encoding="utf-8")
    part.replace(path)
