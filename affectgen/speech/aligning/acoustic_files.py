"""Reads the acoustic model that the pocketsphinx wheel carries: US English, 42 phones, 5,126 states of triphones.

The files are sphinxtrain's: `mdef` (which states a phone in its context has), `means` and `variances` (128 Gaussians a
phone in three streams: cepstra, their slopes, the slopes' slopes), `sendump` (each state's weights of them) and
`transition_matrices`. They state their own layouts; all are little-endian.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.errors import CheckpointError

Floats32 = NDArray[np.float32]

STREAMS, DENSITIES, WIDTH = 3, 128, 13
STATES = 3  # of a phone
WEIGHT_STEP = 1024 * float(np.log(1.0001))  # what one unit of a weight in `sendump` is, in nats
LEAST_VARIANCE = 1e-4
INSIDE, BEGIN, END, SINGLE = range(4)  # a phone's place in its word
_TREE = np.dtype([("context", "<i2"), ("below", "<i2"), ("first", "<i4")])
_PHONE = np.dtype([("sequence", "<i4"), ("matrix", "<i4"), ("attributes", "i1", 4)])
REMEDY = "Install it again: pip install --force-reinstall pocketsphinx"


@dataclass(frozen=True, eq=False)
class AcousticModel:
    """names: of the phones; silence: the number of SIL; tree: contexts to triphones; sequence: int32 [triphones], of
    which `states`, int32 [sequences, 3], are the rows; mean, precision: float32 [42, 3, 128, 13]; constant: float32
    [42, 3, 128], the logarithm of each Gaussian's factor; weight: uint8 [3, 128, states], in -WEIGHT_STEP; codebook:
    int [states], the phone whose Gaussians a state uses; stay: float32 [42, 3], the chance of staying in a state."""

    names: tuple[str, ...]
    silence: int
    tree: NDArray[np.void]
    sequence: NDArray[np.int32]
    states: NDArray[np.int32]
    mean: Floats32
    precision: Floats32
    constant: Floats32
    weight: NDArray[np.uint8]
    codebook: NDArray[np.int64]
    stay: Floats32
    _known: dict[tuple[int, int, int, int], tuple[int, ...]] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """A phone's number. ValueError where there is none of that name."""
        return self.names.index(name)

    def states_of(self, phone: int, left: int, right: int, place: int) -> tuple[int, ...]:
        """The three states of a phone between two others at a place in its word: of the same or the nearest context
        that was trained, else of the phone alone."""
        key = (phone, left, right, place)
        if key not in self._known:
            self._known[key] = self._find(*key)
        return self._known[key]

    def _find(self, phone: int, left: int, right: int, place: int) -> tuple[int, ...]:
        if not self.names[phone].startswith("+") and phone != self.silence:
            places = [place, *(other for other in (INSIDE, BEGIN, END, SINGLE) if other != place)]
            for sides in ((left, right), (self.silence, right), (left, self.silence), (self.silence, self.silence)):
                for where in places:
                    found = self._leaf(where, phone, *sides)
                    if found is not None:
                        return tuple(self.states[self.sequence[found]].tolist())
        return tuple(self.states[self.sequence[phone]].tolist())

    def _leaf(self, *contexts: int) -> int | None:
        """The triphone of a place, a phone, its left and right neighbour."""
        first, count = 0, 4
        for context in contexts:
            rows = self.tree[first : first + count]
            hits = np.flatnonzero(rows["context"] == context)
            if not len(hits):
                return None
            row = rows[hits[0]]
            first, count = int(row["first"]), int(row["below"])
            if not count:
                return first if first >= 0 else None
        return None


@cache
def load_model() -> AcousticModel:
    """The model inside the installed pocketsphinx, read once. CheckpointError where it is missing or another."""
    folder = model_folder() / "en-us"
    try:
        names, silence, tree, sequence, states, first_state = _definition((folder / "mdef").read_bytes())
        mean = _gaussians((folder / "means").read_bytes())
        variance = np.maximum(_gaussians((folder / "variances").read_bytes()), LEAST_VARIANCE)
        weight = _weights((folder / "sendump").read_bytes())
        stay = _stay((folder / "transition_matrices").read_bytes(), len(names))
    except (OSError, ValueError, struct.error) as error:
        raise CheckpointError(f"The acoustic model in {folder} cannot be read: {error}.", REMEDY) from error
    constant = np.asarray(-0.5 * np.log(2 * np.pi * variance).sum(axis=-1), dtype=np.float32)
    precision = np.asarray(1 / variance, dtype=np.float32)
    return AcousticModel(
        names, silence, tree, sequence, states, mean, precision, constant, weight, first_state, stay
    )  # fmt: skip


@cache
def model_folder() -> Path:
    """Where the wheel keeps its US English model. CheckpointError where pocketsphinx is not installed."""
    from importlib.util import find_spec

    found = find_spec("pocketsphinx")
    if found is None or found.origin is None:
        raise CheckpointError("pocketsphinx, which holds the model of speech, is missing.", "pip install pocketsphinx")
    return Path(found.origin).parent / "model" / "en-us"


def _definition(
    data: bytes,
) -> tuple[tuple[str, ...], int, NDArray[np.void], NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
    """Phones, contexts and states of `mdef`, and the phone of each state."""
    if data[:4] != b"BMDF":
        raise ValueError("mdef is not in the binary form")
    at = 12 + struct.unpack_from("<i", data, 8)[0]
    phones, triphones, states, _, senones, _, sequences, _, nodes, silence = struct.unpack_from("<10i", data, at)
    if states != STATES:
        raise ValueError(f"phones have {states} states, not {STATES}")
    at += 40
    names, begin = [], at
    for _ in range(phones):
        end = data.index(b"\0", at)
        names.append(data[at:end].decode("ascii"))
        at = end + 1
    at += -(at - begin) % 4
    tree = np.frombuffer(data, _TREE, nodes, at)
    at += tree.nbytes
    table = np.frombuffer(data, _PHONE, triphones, at)
    at += table.nbytes + 4  # the number of sequences once more
    rows = np.frombuffer(data, "<i2", sequences * STATES, at).reshape(sequences, STATES).astype(np.int32)
    base = np.where(np.arange(triphones) < phones, np.arange(triphones), table["attributes"][:, 1])
    of_state = np.zeros(senones, dtype=np.int64)
    of_state[rows[table["sequence"]]] = base[:, None]
    return tuple(names), silence, tree, table["sequence"].astype(np.int32), rows, of_state


def _body(data: bytes) -> int:
    """Where the numbers of a file with sphinxtrain's header begin: after the mark of the byte order."""
    return data.index(b"endhdr\n") + len(b"endhdr\n") + 4


def _gaussians(data: bytes) -> Floats32:
    """float32 [phones, 3, 128, 13] of `means` or `variances`."""
    at = _body(data)
    phones, streams, densities = struct.unpack_from("<3i", data, at)
    widths = struct.unpack_from(f"<{streams}i", data, at + 12)
    if (streams, densities, widths) != (STREAMS, DENSITIES, (WIDTH,) * STREAMS):
        raise ValueError("the Gaussians have another shape")
    count = phones * streams * densities * WIDTH
    found = np.frombuffer(data, "<f4", count, at + 12 + 4 * streams + 4)
    return found.reshape(phones, streams, densities, WIDTH).astype(np.float32)


def _weights(data: bytes) -> NDArray[np.uint8]:
    """uint8 [3, 128, states] of `sendump`: strings, each after its length, up to a length of 0."""
    at = 0
    while size := struct.unpack_from("<i", data, at)[0]:
        at += 4 + size
    densities, states = struct.unpack_from("<2i", data, at + 4)
    if densities != DENSITIES:
        raise ValueError(f"states weigh {densities} Gaussians, not {DENSITIES}")
    count = STREAMS * densities * states
    return np.frombuffer(data, np.uint8, count, at + 12).reshape(STREAMS, densities, states)


def _stay(data: bytes, phones: int) -> Floats32:
    """float32 [phones, 3]: chances of staying, of counts."""
    counts = np.frombuffer(data, "<f4", phones * STATES * (STATES + 1), _body(data) + 16)
    rows = counts.reshape(phones, STATES, STATES + 1)
    rows = rows / rows.sum(axis=2, keepdims=True)
    return np.diagonal(rows, axis1=1, axis2=2).astype(np.float32)
