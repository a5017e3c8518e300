"""The attribute vector: what the generator can be asked for, the core attributes and EmoGen's hundred side by side."""

from __future__ import annotations

import difflib

import numpy as np
from numpy.typing import NDArray

from affectgen.emogen.options import plain_name
from affectgen.errors import UsageError
from affectgen.score.attributes import ATTRIBUTES, emogen_attributes
from affectgen.score.attributes.core import CORE, core_attributes
from affectgen.score.notes import NoteArray

CORE_NAMES = tuple(one.name for one in CORE)
EMOGEN_NAMES = tuple(one.name for one in ATTRIBUTES)
NAMES = (*CORE_NAMES, *EMOGEN_NAMES)
FIRST_EMOGEN = len(CORE_NAMES)  # the hundred stand from here on
HINTS = 4


def describe(notes: NoteArray, tempo: float = np.nan, core_only: bool = False) -> NDArray[np.float64]:
    """The attributes of a piece [146] in natural units, in the order of NAMES; nan where one is not computed.

    tempo: median beats per minute of the piece, nan where it is not known. core_only: leave EmoGen's hundred out.
    """
    hundred = np.full(len(EMOGEN_NAMES), np.nan) if core_only else emogen_attributes(notes)
    return np.concatenate([core_attributes(notes, tempo), hundred])


def find_attributes(text: str, option: str) -> list[int]:
    """Places in NAMES of an attribute, or of a group of core attributes (`velocity` for `velocity_mean` and others).

    UsageError with the nearest names, or those whose meaning has the word, for one that there is not.
    """
    name = plain_name(text)
    if name in NAMES:
        return [NAMES.index(name)]
    group = [place for place, one in enumerate(CORE_NAMES) if one.startswith(f"{name}_")]
    if group:
        return group
    word = name.replace("_", " ")
    told = [one.name for one in CORE if len(word) > 2 and word in f"{one.meaning} ({one.unit})"]
    near = list(dict.fromkeys([*told, *difflib.get_close_matches(name, NAMES, HINTS, 0.4)]))[:HINTS]
    hint = f"Nearest: {', '.join(near)}." if near else "`affectgen emogen map -a calm --all` lists the names."
    raise UsageError(f"{option} got {text!r}, which is no attribute.", hint)
