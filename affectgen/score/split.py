"""Which of EMOPIA's training songs are held out for development: early stopping and choices, never figures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

DEV_SHARE = 14  # one training song in this many


def is_dev_song(song: str) -> bool:
    """Whether a training song is held out for development: by a hash of its name, so the choice never moves."""
    return hashlib.sha256(song.encode()).digest()[0] % DEV_SHARE == 0


def dev_songs_in_order(songs: Iterable[str]) -> set[str]:
    """Every DEV_SHARE-th song in the order of names, from the first. This choice moves when a song is added.

    `checkpoints/expression` was fitted with it; its card's figures hold for this choice only.
    """
    return set(sorted(set(songs))[::DEV_SHARE])
