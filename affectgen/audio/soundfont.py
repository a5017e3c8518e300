"""Which samples a SoundFont plays: the key zones of one preset at one velocity (SoundFont 2.04, section 7).

Only what the repacking of a piano needs is read; sounds themselves come from FluidSynth.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from affectgen.errors import AffectgenError

KEYS, VELOCITIES, INSTRUMENT, SAMPLE, ROOT = 43, 44, 41, 53, 58  # generators, by their numbers in the standard
ALL = (0, 127)
# names of the tables and the sizes of their rows
TABLES = {"phdr": 38, "pbag": 4, "pgen": 4, "inst": 22, "ibag": 4, "igen": 4, "shdr": 46}


@dataclass(frozen=True)
class Zone:
    """Keys low to high (MIDI numbers) are played by a sample whose own key is root."""

    low: int
    high: int
    root: int


def zones(font: Path, program: int, velocity: int) -> list[Zone]:
    """The zones of bank 0's `program` at a velocity, by key; of several that cover a key, the first in the font.

    AffectgenError where the file cannot be read, is no SoundFont, is damaged or has no such program.
    """
    try:
        return _merged(_zones(_tables(font), program, velocity, font))
    except OSError as error:
        raise AffectgenError(f"{font} cannot be read: {error.strerror}.", "Check the path.") from error
    except (struct.error, KeyError, IndexError, UnicodeDecodeError) as error:
        raise AffectgenError(f"The SoundFont {font} is damaged.", "Give a whole one.") from error


def _zones(tables: dict[str, list[bytes]], program: int, velocity: int, font: Path) -> dict[int, Zone]:
    """The zone of each key, of that key alone."""
    found: dict[int, Zone] = {}
    for keys, instrument in _preset(tables, program, velocity, font):
        for zone in _instrument(tables, instrument, velocity):
            for key in range(max(keys[0], zone.low), min(keys[1], zone.high) + 1):
                found.setdefault(key, Zone(key, key, zone.root))
    return found


def _merged(found: dict[int, Zone]) -> list[Zone]:
    """Neighbours with one root as one zone."""
    merged: list[Zone] = []
    for key in sorted(found):
        last = merged[-1] if merged else None
        if last is not None and last.high == key - 1 and last.root == found[key].root:
            merged[-1] = Zone(last.low, key, last.root)
        else:
            merged.append(found[key])
    return merged


def _tables(font: Path) -> dict[str, list[bytes]]:
    """The rows of the tables in the chunk pdta."""
    with font.open("rb") as file:
        if file.read(4) != b"RIFF" or file.read(8)[4:] != b"sfbk":
            raise AffectgenError(f"{font} is no SoundFont.", "Give a file in the format SF2.")
        while header := file.read(8):
            name, size = struct.unpack("<4sI", header)
            if name == b"LIST" and file.read(4) == b"pdta":
                held = file.read(size - 4)
                if len(held) < size - 4:
                    raise AffectgenError(f"The SoundFont {font} is damaged.", "Give a whole one.")
                return _rows(held)
            file.seek(size - 4 + size % 2, 1)
    raise AffectgenError(f"{font} has no table of presets.", "Give a whole SoundFont.")


def _rows(data: bytes) -> dict[str, list[bytes]]:
    found, at = {}, 0
    while at + 8 <= len(data):
        name, size = data[at : at + 4].decode("ascii"), struct.unpack("<I", data[at + 4 : at + 8])[0]
        if name in TABLES:
            step = TABLES[name]
            found[name] = [data[start : start + step] for start in range(at + 8, at + 8 + size, step)]
        at += 8 + size
    return found


def _generators(tables: dict[str, list[bytes]], kind: str, index: int) -> dict[int, int]:
    """The generators of one bag; kind: "p" or "i"."""
    first, last = (struct.unpack("<HH", tables[f"{kind}bag"][index + k])[0] for k in (0, 1))
    return dict(struct.unpack("<HH", row) for row in tables[f"{kind}gen"][first:last])


def _preset(
    tables: dict[str, list[bytes]], program: int, velocity: int, font: Path
) -> Iterator[tuple[tuple[int, int], int]]:
    """(keys, instrument) of the preset's zones that sound at the velocity."""
    rows = [struct.unpack("<20sHHHIII", row) for row in tables["phdr"]]
    for row, following in pairwise(rows):
        if (row[1], row[2]) != (program, 0):
            continue
        for bag in range(row[3], following[3]):
            held = _generators(tables, "p", bag)
            if INSTRUMENT in held and _inside(velocity, _range(held, VELOCITIES)):
                yield _range(held, KEYS), held[INSTRUMENT]
        return
    raise AffectgenError(f"{font} has no program {program}.", "Give a font with a grand piano as program 0.")


def _instrument(tables: dict[str, list[bytes]], index: int, velocity: int) -> Iterator[Zone]:
    """The zones of an instrument that sound at the velocity."""
    first, last = (struct.unpack("<20sH", tables["inst"][index + k])[1] for k in (0, 1))
    for bag in range(first, last):
        held = _generators(tables, "i", bag)
        if SAMPLE in held and _inside(velocity, _range(held, VELOCITIES)):
            own = struct.unpack("<20sIIIIIBbHH", tables["shdr"][held[SAMPLE]])[6]
            yield Zone(*_range(held, KEYS), held.get(ROOT, own))


def _range(held: dict[int, int], generator: int) -> tuple[int, int]:
    value = held.get(generator)
    return ALL if value is None else (value & 0xFF, value >> 8)


def _inside(value: int, limits: tuple[int, int]) -> bool:
    return limits[0] <= value <= limits[1]
