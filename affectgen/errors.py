"""The errors a user can meet: one sentence that says what came and what was expected, and a hint."""


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
