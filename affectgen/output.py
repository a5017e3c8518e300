"""Writing results: whole or not at all, never over an existing file unasked, to a file or to standard output.

Everything goes to a temporary name in the target's own folder first and is renamed when all of it is there, so an
interrupt, a full disk or an error leaves nothing behind.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from affectgen.errors import FULL, AffectgenError, NoSpace
from affectgen.interrupts import held_back
from affectgen.spooled import PREFIX, Spooled

STDOUT = "-"
LONGEST = 240  # bytes of a name that leave room, of the 255 that most disks take, for the rest of a temporary one
PART = re.compile(r"\.(.+)\.[0-9a-f]{8}\.part")  # what a file is called until it has its name


def check_output(path: Path, force: bool = False) -> None:
    """Raise AffectgenError when `path` cannot be written, before any work is done.

    Refused: a missing parent folder, a folder, an existing file unless `force`, a folder without write permission.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:  # a name too long, a folder that may not be looked into
        raise explain(error, path) from error
    parent = path.parent
    if not parent.is_dir():
        raise AffectgenError(f"The folder {parent} for {path.name} does not exist.", _create(parent))
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
        raise AffectgenError(f"The folder {path.parent} does not exist.", _create(path.parent))
    if path.is_dir():
        return False
    try:
        path.mkdir()
    except OSError as error:
        raise explain(error, path) from error
    return True


def _create(folder: Path) -> str:
    """How to make a folder, as a line that can be pasted."""
    return f"Create it: mkdir -p {shlex.quote(str(folder))}"


def drop_empty(path: Path) -> None:
    """Remove a folder that nothing was written to; one that holds anything stays."""
    with suppress(OSError):
        path.rmdir()


def is_special(path: Path) -> bool:
    """Whether `path` is a device or a pipe (/dev/null, /dev/stdout): written in place, never replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()


def write_stdout(data: bytes | Spooled) -> None:
    """Write bytes to standard output and flush, so that a closed pipe shows here as BrokenPipeError."""
    sys.stdout.flush()
    for chunk in _chunks(data):
        rest = memoryview(chunk)
        while rest:  # under PYTHONUNBUFFERED a write may take a part only
            rest = rest[sys.stdout.buffer.write(rest) :]
    sys.stdout.buffer.flush()


def _chunks(data: bytes | Spooled) -> Iterable[bytes]:
    return data.chunks() if isinstance(data, Spooled) else (data,)


@contextmanager
def standard_output() -> Iterator[None]:
    """What fails inside fails on standard output. BrokenPipeError passes through, what else does is an AffectgenError
    that names it."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        text = f"Standard output cannot be written: {error.strerror}."
        raise AffectgenError(text, "Send it to another place.") from error


class Outputs:
    """Files that appear together: `add` and `stage` put each under a temporary name, leaving the block renames all.

    Leaving by an exception (Ctrl-C is one) removes the temporary files and renames nothing.
    """

    def __init__(self, force: bool = False) -> None:
        self._force = force
        self._staged: list[tuple[Path, Path]] = []
        self._special: list[tuple[Spooled, Path]] = []

    def __enter__(self) -> Outputs:
        return self

    def add(self, path: Path, data: bytes | Spooled) -> None:
        """Stage `data` for `path`. AffectgenError when the folder is missing, the file exists or the disk is full.

        A device or pipe is written at once.
        """
        check_output(path, self._force)
        if is_special(path):
            _fill(path, data, "wb")
            return
        _fill(self._part(path), data, "xb")

    def stage(self, path: Path) -> Path:
        """An empty file for a writer to fill, which gets the name `path` on leaving; AffectgenError as for `add`.

        It lies in the target's own folder and can be opened, sought and written like any file; what its writer meets
        there, `explain` tells with the final name. For a device or pipe (/dev/stdout) it lies among the system's
        temporary files, and its bytes are copied to where they belong on leaving, before anything is renamed.
        """
        check_output(path, self._force)
        try:
            if is_special(path):
                spooled = Spooled.empty()
                self._special.append((spooled, path))
                return spooled.path
            part = self._part(path)
            part.touch(exist_ok=False)
        except OSError as error:
            raise explain(error, path) from error
        return part

    def _part(self, path: Path) -> Path:
        """A free temporary name beside the target, known to be removed or renamed on leaving."""
        target = path.resolve()  # a link stays a link: what it points to is replaced
        stem = os.fsencode(target.name)[:LONGEST].decode(errors="ignore")
        part = target.with_name(f".{stem}.{secrets.token_hex(4)}.part")
        self._staged.append((part, target))
        return part

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self._rename()
        finally:
            with held_back():
                self._tidy()

    def _rename(self) -> None:
        """Give every staged file its name; nothing is renamed when one of the names was taken meanwhile."""
        for part, target in self._staged:
            check_output(target, self._force)
            if not part.is_file():
                raise AffectgenError(f"What was written for {target} has been deleted meanwhile.", "Run it again.")
        for spooled, path in self._special:
            _fill(path, spooled, "wb")
        with held_back():  # all of them
            for part, target in self._staged:
                try:
                    os.replace(part, target)
                except OSError as error:
                    raise explain(error, target) from error

    def _tidy(self) -> None:
        """Remove what has no name."""
        for part, _ in self._staged:
            with suppress(OSError):  # renamed, or gone with its folder; and never in the way of a first error
                part.unlink()
        for spooled, _ in self._special:
            spooled.close()


def _fill(path: Path, data: bytes | Spooled, mode: str) -> None:
    """Write all of `data`. BrokenPipeError passes through, what else fails on the disk is an AffectgenError."""
    try:
        with open(path, mode) as file:
            for chunk in _chunks(data):
                file.write(chunk)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise explain(error, path) from error


def shown(path: Path) -> Path:
    """The name that a file is meant to get: of a temporary one, its target's."""
    found = PART.fullmatch(path.name)
    return path.with_name(found[1]) if found else path


def explain(error: OSError, path: Path) -> AffectgenError:
    """The sentence and hint for a failure of the file system at `path`, which may be a temporary name."""
    path = shown(path)
    if error.errno in FULL:
        spooled = path.name.startswith(PREFIX)
        hint = "Free some, or name another folder in TMPDIR." if spooled else "Free some, or choose another folder."
        return NoSpace(f"No space is left to write {path}.", hint)
    if error.errno == errno.EFBIG:
        return AffectgenError(f"{path} became larger than files may be here.", "Choose another format or folder.")
    if error.errno == errno.ENOENT and not path.parent.is_dir():
        return AffectgenError(f"The folder {path.parent} for {path.name} is gone.", "Create it, and run this again.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return AffectgenError(f"{path} may not be written: {error.strerror}.", "Choose another folder.")
    if error.errno == errno.ENAMETOOLONG:
        return AffectgenError(f"The name {path.name[:40]}... is too long for this disk.", "Give a shorter one.")
    return AffectgenError(f"{path} cannot be written: {error.strerror or error}.", "Check the path.")
