"""The picture beside a result, whatever the result is: `--plot` of every command that makes something."""

from __future__ import annotations

from affectgen.spooled import Spooled
from affectgen.task import Result

WINDOWS = 40  # of the emotion's curve, at most
SHORTEST = 5.0  # seconds of a window


def draw_result(result: Result, name: str, kind: str = "png") -> bytes:
    """A piano roll for MIDI; for sound a spectrogram over the emotion's curve; for a session its path, asked and
    measured. name: of the piece; kind: "png", "svg" or "pdf". Errors as for reading the result."""
    if "plan" in result.details:
        from affectgen.medicine.plan import plan_from
        from affectgen.report.session import draw_plan

        measured = [clip["measured"] for clip in result.details["clips"]]
        return draw_plan(plan_from(result.details["plan"]), measured, kind)
    if isinstance(result.data, Spooled):
        return _draw_sound(result.data, result, name, kind)
    from affectgen.report.pianoroll import draw_piano_roll

    return draw_piano_roll(result.data, result.asked, result.measured, kind)


def _draw_sound(data: Spooled, result: Result, name: str, kind: str) -> bytes:
    from affectgen.audio.files import audio_info, blocks
    from affectgen.errors import AudioError
    from affectgen.recognize.items import Item
    from affectgen.recognize.rate import Rater, RateSettings
    from affectgen.report.sound import draw_sound

    info = audio_info(data.path)
    window = max(SHORTEST, round(info.seconds / WINDOWS, 1))
    try:
        rated = Rater(RateSettings("music", window)).rate(Item(name, data.path))
        curve, overall = rated.curve, rated.reading
    except AudioError as error:  # silence, or too short a sound: the picture says why it has no curve
        curve, overall = (), None
        name = f"{name}: {error.message.replace(str(data.path), 'this')}"
    return draw_sound(name, blocks(data.path, info.rate), info.rate, curve, result.asked, kind, overall=overall)
