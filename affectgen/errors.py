"""The errors a user can meet: one sentence that says what came and what was expected, and a hint."""

import errno
import re
from functools import partial

FULL = (errno.ENOSPC, errno.EDQUOT)  # what a system says where there is no room left
QUOTE = 100  # characters of a quoted value that are shown
NAME, PATH = 255, 1000  # characters that a file's name can have, and that paths have at most as people use them
QUOTED = re.compile(r"(?<!\w)(?P<left>['\"`])(?P<inner>[^\n]*?)(?P<right>(?P=left))(?!\w)")
LISTED = re.compile(r"(?P<left>[\[{])(?P<inner>[^]\[{}\n]*)(?P<right>[]}])")
UNQUOTED = re.compile(r"(?P<left>)(?P<inner>\S+)(?P<right>)")


def shortened(text: str) -> str:
    """A message without the middle of long values that it quotes: in quotes or brackets those of more than 100
    characters, elsewhere words that cannot be a file's name. Paths stay whole, and so does the sentence around."""
    for form, most in ((QUOTED, QUOTE), (LISTED, QUOTE), (UNQUOTED, NAME)):
        text = form.sub(partial(_cut, most), text)
    return text


def _cut(most: int, found: re.Match[str]) -> str:
    """What a form found, with at most so many characters inside."""
    value = found["inner"]
    is_path = "/" in value and len(value) <= PATH and max(map(len, value.split("/"))) <= NAME
    return found[0] if len(value) <= most or is_path else f"{found['left']}{value[:60]}...{value[-30:]}{found['right']}"


class AffectgenError(Exception):
    """A failure that is the input's or the machine's, not the program's.

    `message` says what was received and what was expected; `hint` says what to do next.
    The command line prints both and never a traceback. Exit code 1.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageError(AffectgenError):
    """An option's value is wrong: unknown word, out of range, nan, options that exclude each other. Exit code 2."""

    exit_code = 2


class AffectError(UsageError):
    """A valence, arousal, word or path that names no point of the plane."""


class CheckpointError(AffectgenError):
    """A checkpoint is missing, damaged or of another format."""


class MidiError(AffectgenError):
    """A file is no MIDI file, or holds nothing that can be used."""


class PartlyFailed(AffectgenError):
    """Some of several inputs or jobs failed; the others are done. Exit code 3."""

    exit_code = 3


class AudioError(AffectgenError):
    """A file is no audio file, or holds nothing that can be used."""


class NoSpace(AffectgenError):
    """The disk is full: what comes next would fail, too."""
