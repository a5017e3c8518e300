"""The emotion of a sound that was just made, as `affectgen rate` reads it: what manifests hold as `measured`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectgen.errors import AudioError

if TYPE_CHECKING:
    from affectgen.recognize.rate import RateSettings


def measure_result(made: Path | bytes, name: str, settings: RateSettings) -> tuple[dict[str, Any], list[str]]:
    """What a manifest says of a finished sound, a file or its bytes, and what a person should know of it.

    name: of the sound in that sentence, such as "the sound". A sound whose emotion cannot be read, because it is silent
    or too short, is done all the same: nothing is measured then, and a sentence says why.
    """
    from affectgen.recognize.items import Item
    from affectgen.recognize.rate import Rater

    try:
        reading = Rater(settings).rate(Item(name, made)).reading
    except AudioError as error:
        why = error.message.replace(str(made), name) if isinstance(made, Path) else error.message
        return {}, [f"The emotion of {name} could not be read: {why}"]
    return ({} if reading is None else reading.measured()), []
