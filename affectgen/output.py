"""Writing results: whole or not at all, never over an existing file unasked, to a file or to standard output.

Everything goes to a temporary name in the target's own folder first and is renamed when all of it is there, so an
interrupt, a full disk or an error leaves nothing behind.
"""

from __future__ import annotations

import errno
import os
import secrets
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from affectgen.errors import AffectgenError

STDOUT = "-"


def check_output(path: Path, force: bool = False) -> None:
    """Raise AffectgenError when `path` cannot be written, before any work is done.

    Refused: a missing parent folder, a folder, an existing file unless `force`, a folder without write permission.
    """
    parent = path.parent
    if not parent.is_dir():
        raise AffectgenError(f"The folder {parent} for {path.name} does not exist.", f"Create it: mkdir -p {parent}")
    if path.is_dir():
        raise AffectgenError(f"{path} is a folder, and a file name was expected.", "Name the file inside it.")
    if is_special(path):
        return
    if path.exists() and not force:
        raise AffectgenError(f"{path} exists already.", "Give another name, or --force to replace it.")
    if not os.access(parent, os.W_OK):
        raise AffectgenError(f"The folder {parent} is not writable.", "Choose another folder.")


def check_outputs(paths: Sequence[Path], force: bool = False) -> None:
    """`check_output` for each, and no two of them the same file."""
    seen: set[Path] = set()
    for path in paths:
        check_output(path, force)
        if path.resolve() in seen and not is_special(path):
            raise AffectgenError(f"{path} would be written twice.", "Give every output a name of its own.")
        seen.add(path.resolve())


def prepare_folder(path: Path) -> bool:
    """Create the output folder itself (`out/`), not its parents, and say whether it is new. AffectgenError when that is
    not possible.
    """
    if path.exists() and not path.is_dir():
        raise AffectgenError(f"{path} is a file, and a folder was expected.", "Give another name.")
    if not path.parent.is_dir():
        raise AffectgenError(f"The folder {path.parent} does not exist.", f"Create it: mkdir -p {path.parent}")
    if path.is_dir():
        return False
    try:
        path.mkdir()
    except OSError as error:
        raise explain(error, path) from error
    return True


def drop_empty(path: Path) -> None:
    """Remove a folder that nothing was written to; one that holds anything stays."""
    with suppress(OSError):
        path.rmdir()


def is_special(path: Path) -> bool:
    """Whether `path` is a device or a pipe (/dev/null, /dev/stdout): written in place, never replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()


def write_stdout(data: bytes) -> None:
    """Write bytes to standard output and flush, so that a closed pipe shows here as BrokenPipeError."""
    sys.stdout.flush()
    rest = memoryview(data)
    while rest:  # under PYTHONUNBUFFERED a write may take a part only
        rest = rest[sys.stdout.buffer.write(rest) :]
    sys.stdout.buffer.flush()


class Outputs:
    """Files that appear together: `add` writes each under a temporary name, leaving the block renames them all.

    Leaving by an exception (Ctrl-C is one) removes the temporary files and renames nothing.
    """

    def __init__(self, force: bool = False) -> None:
        self._force = force
        self._staged: list[tuple[Path, Path]] = []

    def __enter__(self) -> Outputs:
        return self

    def add(self, path: Path, data: bytes) -> None:
        """Stage `data` for `path`. AffectgenError when the folder is missing, the file exists or the disk is full."""
        check_output(path, self._force)
        if is_special(path):
            path.write_bytes(data)
            return
        target = path.resolve()  # a link stays a link: what it points to is replaced
        part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        self._staged.append((part, target))
        try:
            with open(part, "xb") as file:
                file.write(data)
        except OSError as error:
            raise explain(error, path) from error

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self._rename()
        finally:
            for part, _ in self._staged:
                part.unlink(missing_ok=True)

    def _rename(self) -> None:
        """Give every staged file its name; nothing is renamed when one of the names was taken meanwhile."""
        for _, target in self._staged:
            check_output(target, self._force)
        for part, target in self._staged:
            try:
                os.replace(part, target)
            except OSError as error:
                raise explain(error, target) from error


def explain(error: OSError, path: Path) -> AffectgenError:
    """The sentence and hint for a failure of the file system at `path`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return AffectgenError(f"No space is left to write {path}.", "Free some, or choose another folder.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return AffectgenError(f"{path} may not be written: {error.strerror}.", "Choose another folder.")
    if error.errno == errno.ENAMETOOLONG:
        return AffectgenError(f"The name {path.name[:40]}... is too long for this disk.", "Give a shorter one.")
    return AffectgenError(f"{path} cannot be written: {error.strerror or error}.", "Check the path.")
