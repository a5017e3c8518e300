from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from affectgen.audio.soundfont import Zone, zones
from affectgen.errors import AffectgenError

KEYS, VELOCITIES, INSTRUMENT, SAMPLE, ROOT, PAN = 43, 44, 41, 53, 58, 17
Bag = Sequence[tuple[int, int]]  # generators with their amounts


def limits(low: int, high: int) -> int:
    return low | high << 8


def chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def bags(groups: Sequence[Sequence[Bag]]) -> tuple[list[int], bytes, bytes]:
    """Where the bags of each group begin, and the tables of bags and generators."""
    starts, rows, generators = [], [], []
    for group in groups:
        starts.append(len(rows))
        for bag in group:
            rows.append(struct.pack("<HH", len(generators), 0))
            generators += [struct.pack("<HH", *one) for one in bag]
    rows.append(struct.pack("<HH", len(generators), 0))
    starts.append(len(rows) - 1)
    return starts, b"".join(rows), b"".join([*generators, bytes(4)])


def font(
    path: Path,
    presets: Sequence[tuple[int, int, Sequence[Bag]]],
    instruments: Sequence[Sequence[Bag]],
    roots: Sequence[int],
) -> Path:
    """A font with presets (program, bank, bags), instruments (bags) and samples with these root keys."""
    begun, pbag, pgen = bags([preset[2] for preset in presets])
    named = [*((p[0], p[1]) for p in presets), (255, 255)]
    phdr = [struct.pack("<20sHHHIII", b"x", *name, at, 0, 0, 0) for name, at in zip(named, begun, strict=True)]
    first, ibag, igen = bags(instruments)
    inst = [struct.pack("<20sH", b"x", at) for at in first]
    shdr = [struct.pack("<20sIIIIIBbHH", b"x", 0, 100, 10, 90, 44100, root, 0, 0, 1) for root in (*roots, 0)]
    tables = {
        b"phdr": b"".join(phdr), b"pbag": pbag, b"pmod": bytes(10), b"pgen": pgen, b"inst": b"".join(inst),
        b"ibag": ibag, b"imod": bytes(10), b"igen": igen, b"shdr": b"".join(shdr),
    }  # fmt: skip
    pdta = b"pdta" + b"".join(chunk(name, data) for name, data in tables.items())
    lists = [b"INFO" + chunk(b"ifil", struct.pack("<HH", 2, 1)), b"sdta" + chunk(b"smpl", bytes(333)), pdta]
    path.write_bytes(chunk(b"RIFF", b"sfbk" + b"".join(chunk(b"LIST", part) for part in lists)))
    return path


SOFT = [
    [(PAN, 3)],  # a global bag plays nothing itself
    [(KEYS, limits(0, 59)), (SAMPLE, 0)],
    [(KEYS, limits(60, 127)), (ROOT, 66), (SAMPLE, 1)],
]
LOUD = [[(VELOCITIES, limits(0, 119)), (SAMPLE, 2)], [(VELOCITIES, limits(120, 127)), (SAMPLE, 1)]]


def grand(path: Path) -> Path:
    piano = [
        [(PAN, 1)],
        [(VELOCITIES, limits(0, 99)), (INSTRUMENT, 0)],
        [(VELOCITIES, limits(100, 127)), (KEYS, limits(21, 108)), (INSTRUMENT, 1)],
    ]
    return font(
        path, [(5, 0, [[(INSTRUMENT, 1)]]), (0, 128, [[(INSTRUMENT, 1)]]), (0, 0, piano)], [SOFT, LOUD], [48, 72, 60]
    )


@pytest.mark.parametrize(
    ("velocity", "wanted"),
    [
        (1, [Zone(0, 59, 48), Zone(60, 127, 66)]),
        (99, [Zone(0, 59, 48), Zone(60, 127, 66)]),
        (100, [Zone(21, 108, 60)]),
        (120, [Zone(21, 108, 72)]),
    ],
)
def test_zones_are_those_of_the_velocity(tmp_path: Path, velocity: int, wanted: list[Zone]) -> None:
    assert zones(grand(tmp_path / "a.sf2"), 0, velocity) == wanted


def test_the_program_is_looked_for_in_bank_0(tmp_path: Path) -> None:
    path = grand(tmp_path / "a.sf2")
    assert zones(path, 5, 60) == [Zone(0, 127, 60)]
    with pytest.raises(AffectgenError, match="has no program 7"):
        zones(path, 7, 60)


def test_the_first_of_two_samples_counts_and_equal_neighbours_are_one_zone(tmp_path: Path) -> None:
    left_and_right = [
        [(KEYS, limits(40, 50)), (SAMPLE, 0)],
        [(KEYS, limits(40, 50)), (SAMPLE, 1)],
        [(KEYS, limits(51, 55)), (SAMPLE, 0)],
        [(KEYS, limits(60, 61)), (SAMPLE, 0)],
    ]
    path = font(tmp_path / "a.sf2", [(0, 0, [[(INSTRUMENT, 0)]])], [left_and_right], [48, 72])
    assert zones(path, 0, 60) == [Zone(40, 55, 48), Zone(60, 61, 48)]


def test_keys_of_the_preset_limit_those_of_the_instrument(tmp_path: Path) -> None:
    path = font(tmp_path / "a.sf2", [(0, 0, [[(KEYS, limits(50, 70)), (INSTRUMENT, 0)]])], [SOFT], [48, 72])
    assert zones(path, 0, 60) == [Zone(50, 59, 48), Zone(60, 70, 66)]


@pytest.mark.parametrize("data", [b"", b"RIFF", b"MThd" + bytes(100), b"RIFF\0\0\0\0WAVE" + bytes(100)])
def test_what_is_no_font_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.sf2").write_bytes(data)
    with pytest.raises(AffectgenError, match="is no SoundFont"):
        zones(tmp_path / "a.sf2", 0, 60)


def test_a_font_without_presets_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.sf2").write_bytes(chunk(b"RIFF", b"sfbk" + chunk(b"LIST", b"INFO")))
    with pytest.raises(AffectgenError, match="has no table of presets"):
        zones(tmp_path / "a.sf2", 0, 60)


@pytest.mark.parametrize("part", [0.3, 0.6, 0.8, 0.99])
def test_a_cut_font_is_refused(tmp_path: Path, part: float) -> None:
    path = grand(tmp_path / "a.sf2")
    data = path.read_bytes()
    path.write_bytes(data[: int(part * len(data))])
    with pytest.raises(AffectgenError):
        zones(path, 0, 60)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AffectgenError, match="cannot be read"):
        zones(tmp_path / "none.sf2", 0, 60)
