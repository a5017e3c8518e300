"""Tags of MP3 files: ID3 version 2.4 (id3.org, "ID3 tag version 2.4.0 - Main Structure"), before the sound.

libsndfile leaves them to LAME, which writes the older kind, at the end of the file, where that can hold them: a pipe's
reader and many players never see those.
"""

from __future__ import annotations

from affectgen.audio.formats import Tags

FRAMES = {"title": b"TIT2", "artist": b"TPE1", "comment": b"COMM"}
UTF8 = b"\x03"
LANGUAGE = b"und"  # of a comment: undetermined


def id3_tag(tags: Tags) -> bytes:
    """The bytes that come before an MP3's first frame; none without tags."""
    frames = b"".join(_frame(name, text) for name, text in tags.given())
    return b"ID3\x04\x00\x00" + _size(len(frames)) + frames if frames else b""


def _frame(name: str, text: str) -> bytes:
    """One tag; a comment has a language and an empty description first."""
    body = UTF8 + (LANGUAGE + b"\0" if name == "comment" else b"") + text.encode()
    return FRAMES[name] + _size(len(body)) + b"\0\0" + body


def _size(length: int) -> bytes:
    """28 bits in four bytes whose highest bit is 0, so that no reader takes them for a frame of sound."""
    return bytes(length >> shift & 0x7F for shift in (21, 14, 7, 0))
