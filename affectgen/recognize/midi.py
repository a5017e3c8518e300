"""The recogniser of MIDI behind `affectgen rate`: fitted on everything there is, EMOPIA and VGMIDI.

One expert for each corpus, because labels and ratings mean different things, and a gate that weighs them by which
corpus a piece is like. It is the best single reading of an unknown piece, and therefore unfit to measure this project's
own generators, which have learned from the same clips: that is the judge's part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectgen.errors import CheckpointError
from affectgen.recognize import store
from affectgen.recognize.judge import FORESTS
from affectgen.recognize.midi_gate import Gate
from affectgen.recognize.midi_labelled import LabelledExpert
from affectgen.recognize.midi_rated import RatedExpert
from affectgen.recognize.midi_rows import Rows, rows_of
from affectgen.recognize.midi_scale import Opinions, Scale
from affectgen.recognize.mlp import Perceptrons
from affectgen.recognize.reading import Reading, readings
from affectgen.recognize.trees import Forest
from affectgen.score.attributes import ATTRIBUTES
from affectgen.score.notes import NoteArray

RECOGNISER = "midi-recogniser"


@dataclass(frozen=True)
class Experts:
    """labelled: EMOPIA's; rated: VGMIDI's; gate: which of them knows pieces like this one."""

    labelled: LabelledExpert
    rated: RatedExpert
    gate: Gate

    def opinions(self, rows: Rows) -> Opinions:
        """What they say of pieces."""
        return Opinions(self.labelled.quadrants(rows), self.rated.ratings(rows), self.gate(rows))

    def arrays(self) -> store.Arrays:
        """What a checkpoint stores; `of_arrays` is the way back."""
        found: store.Arrays = _prefixed("perceptrons", self.labelled.perceptrons.arrays())
        for name, forest in self.labelled.forests.items():
            found |= forest.arrays(name)
        rated = {name: getattr(self.rated, name) for name in RatedExpert.__dataclass_fields__}
        found |= _prefixed("rated", rated | {"support": self.rated.support.astype(np.float16)})
        return found | _prefixed("gate", {name: getattr(self.gate, name) for name in Gate.__dataclass_fields__})

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Experts:
        """The experts that `arrays` holds. KeyError where a part is missing."""
        stored = dict(arrays)
        stored["rated_support"] = stored["rated_support"].astype(np.float64)
        perceptrons = Perceptrons(**{n: stored[f"perceptrons_{n}"] for n in Perceptrons.__dataclass_fields__})
        forests = {name: Forest.of_arrays(stored, name) for name in FORESTS}
        rated = RatedExpert(**{n: stored[f"rated_{n}"] for n in RatedExpert.__dataclass_fields__})
        gate = Gate(**{n: stored[f"gate_{n}"] for n in Gate.__dataclass_fields__})
        return cls(LabelledExpert(perceptrons, forests), rated, gate)


@dataclass(frozen=True)
class MidiRecogniser:
    """experts: what is heard; scale: what it means."""

    experts: Experts
    scale: Scale

    def read(self, pieces: Sequence[NoteArray]) -> list[Reading]:
        """Readings of pieces by their first 30 s; about 30 ms a piece."""
        if not pieces:
            return []
        heard = self.scale(self.experts.opinions(rows_of(pieces)))
        return readings(heard.points, heard.quadrants, heard.low, heard.high)


def load_recogniser(name: str | Path = RECOGNISER) -> MidiRecogniser:
    """The shipped recogniser, or the one in the folder `name`. CheckpointError if it is missing or damaged."""
    arrays, config = store.load(name, "recogniser")
    fit_again = "Fit it again: python -m affectgen.recognize.fit --what recogniser"
    if "scale" not in config:
        raise CheckpointError(f"{name} is a recogniser of an older version, without experts.", fit_again)
    if config.get("attributes") != attribute_names():
        raise CheckpointError(f"{name} reads other attributes than this version computes.", fit_again)
    try:
        return MidiRecogniser(Experts.of_arrays(arrays), Scale.of_json(config["scale"]))
    except KeyError as error:
        raise CheckpointError(f"{name} lacks {error}.", fit_again) from error


def attribute_names() -> list[str]:
    """The attributes that the recogniser reads, in their order, as its config holds them."""
    return [one.name for one in ATTRIBUTES]


def _prefixed(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> store.Arrays:
    return {f"{prefix}_{name}": array for name, array in arrays.items()}
