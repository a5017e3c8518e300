"""The clips of a session as a cue sheet (CDRWIN's format, which players read) or as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

FRAMES = 75  # of a second, in cue sheets
MOST_TRACKS = 99
KINDS = {".wav": "WAVE", ".flac": "WAVE", ".mp3": "MP3"}  # what players expect; others are WAVE as well
COLUMNS = ("clip", "start", "valence", "arousal", "word", "prompt", "measured_valence", "measured_arousal")


def cue_sheet(details: Mapping[str, Any], name: str, suffix: str) -> bytes:
    """The clips of a finished session. details: of its manifest; name: of the sound file; suffix: ".cue" or ".csv".

    A cue sheet holds 99 tracks at most: of a longer session every second clip, every third, and so on.
    """
    return _table(details) if suffix == ".csv" else _sheet(details, name)


def _sheet(details: Mapping[str, Any], name: str) -> bytes:
    clips = details["plan"]["clips"]
    step = -(-len(clips) // MOST_TRACKS)
    ending = f".{name.rpartition('.')[2].lower()}"
    lines = [f'TITLE "{_quoted(name)}"', f'FILE "{_quoted(name)}" {KINDS.get(ending, "WAVE")}']
    for number, clip in enumerate(clips[::step], start=1):
        frames = round(clip["start"] * FRAMES)
        minutes, rest = divmod(frames, 60 * FRAMES)
        title = f"{clip['word']} ({clip['valence']:+.2f}, {clip['arousal']:+.2f})"
        lines += [f"  TRACK {number:02d} AUDIO", f'    TITLE "{_quoted(title)}"',
                  f"    INDEX 01 {minutes:02d}:{rest // FRAMES:02d}:{rest % FRAMES:02d}"]  # fmt: skip
    return ("\n".join(lines) + "\n").encode()


def _table(details: Mapping[str, Any]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for clip, made in zip(details["plan"]["clips"], details["clips"], strict=True):
        heard = made["measured"]
        row = [clip[name] for name in COLUMNS[:6]]
        writer.writerow([*row, heard.get("valence", ""), heard.get("arousal", "")])
    return text.getvalue().encode()


def _quoted(text: str) -> str:
    """Inside double quotes, which cue sheets cannot escape."""
    return text.replace('"', "'")
