"""`affectgen evaluate recognisers`: how well each recogniser reads what it has not heard or read, in one table.

The figures are those that the fits left in the checkpoints' configs, each measured by the command in its card on songs,
speakers or sentences that the fit had not seen, or are measured anew. Of music they are the guide's: the recogniser has
heard every clip.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectgen.evaluate.figures import Figure, Report
from affectgen.evaluate.recognisers_anew import CHECKPOINTS, measure
from affectgen.nn.checkpoint import load_checkpoint

TITLE = "Recognisers"
Say = Callable[[str], None]
AXES = ("arousal", "valence")
WORN = ("white noise at 20 dB", "babble at 20 dB", "telephone", "mobile telephone", "room")
COVERED = (0.75, 0.85)  # the stated 80 % intervals hold so many unseen labels


@dataclass(frozen=True)
class Row:
    """One figure. checkpoint; keys: where it stands in the config's figures; at_least, at_most: its bar; baseline: what
    a plain method reaches on items of the same split (the project's notes): gradient boosting and ridge on 40 note
    statistics, logistic regression on 96 of speech, ridge on TF-IDF and VADER's features."""

    name: str
    checkpoint: str
    keys: tuple[str, ...]
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""
    baseline: float | None = None


def _covered(name: str, checkpoint: str, *keys: tuple[str, ...]) -> list[Row]:
    """Rows for the coverage of valence and arousal."""
    axes = zip(("valence", "arousal"), keys, strict=True)
    return [Row(f"{name}: in the 80 % interval, {axis}", checkpoint, key, *COVERED) for axis, key in axes]


def rows() -> list[Row]:
    """The table's rows in their order."""
    midi, music, speech, text = "midi-recogniser", "music-guide", "speech-recogniser", "text-recogniser"
    series = "five folds by series"
    unseen = "EMOPIA's validation clips, fitted without them"
    held = "its validation clips by a renderer and font that no fit had heard; the third fit so measured"
    table = [
        Row("MIDI: 4 quadrants", midi, ("validation_quadrants",), 0.66, None, unseen, 0.59),
        Row("MIDI: arousal", midi, ("validation_arousal",), 0.90, None, unseen, 0.88),
        Row("MIDI: valence", midi, ("validation_valence",), 0.76, None, unseen, 0.69),
        Row("MIDI: VGMIDI, Spearman arousal", midi, ("series_spearman_arousal",), 0.85, None, series, 0.82),
        Row("MIDI: VGMIDI, Spearman valence", midi, ("series_spearman_valence",), 0.72, None, series, 0.68),
        *_covered("MIDI, EMOPIA", midi, ("covered_emopia_valence",), ("covered_emopia_arousal",)),
        *_covered("MIDI, VGMIDI", midi, ("covered_vgmidi_valence",), ("covered_vgmidi_arousal",)),
        Row("music: arousal", music, ("arousal musescore plain",), 0.86, None, held),
        Row("music: valence", music, ("valence musescore plain",), 0.66, None, held),
        Row("music: 4 quadrants", music, ("quadrants musescore plain",), None, None, held),
    ]
    for kind in ("mp3", "noise", "room"):
        table += [Row(f"music, {kind}: {axis}", music, (f"{axis} musescore {kind}",)) for axis in AXES]
    plain = ("coverage_valence musescore plain",), ("coverage_arousal musescore plain",)
    return [*table, *_covered("music", music, *plain), *_speech_rows(speech), *_text_rows(text)]


def _speech_rows(speech: str) -> list[Row]:
    """Speech: EMO-DB by speaker, CREMA-D by speaker, and one corpus read by what learnt from the other."""
    speakers, heard = "each speaker left out", "the crowd's vote, 20 unseen actors"
    table = [
        Row("speech, EMO-DB: UAR of 7 from one file", speech, ("emo_db", "uar"), 0.74, None, speakers, 0.693),
        Row("speech, EMO-DB: UAR with a neutral clip", speech, ("emo_db", "uar_baseline"), 0.80, None, speakers, 0.769),
        Row("speech, CREMA-D: UAR of 6", speech, ("crema_d", "uar"), None, None, heard),
        Row("speech, CREMA-D: UAR of 6, acted", speech, ("crema_d", "uar_acted")),
    ]
    for corpus, key in (("EMO-DB", "emo_db"), ("CREMA-D", "crema_d")):
        table += [Row(f"speech, {corpus}: r {axis}", speech, (key, f"{axis}_r")) for axis in AXES]
        table += _covered(f"speech, {corpus}", speech, (key, "valence_coverage"), (key, "arousal_coverage"))
    for worn in WORN:
        table += [
            Row(f"speech, {name}, {worn}: {figure}", speech, ("degraded", worn, f"{key}_{found}"))
            for name, key in (("EMO-DB", "emo_db"), ("CREMA-D", "crema_d"))
            for figure, found in (("UAR", "uar"), ("r arousal", "arousal_r"))
        ]
    across = ("CREMA-D read by EMO-DB's", "emo_db_on_crema_d"), ("EMO-DB read by CREMA-D's", "crema_d_on_emo_db")
    for name, key in across:
        table += [Row(f"speech, {name}: UAR of 6", speech, ("across", f"{key}_uar"))]
        table += [Row(f"speech, {name}: r {axis}", speech, ("across", f"{key}_{axis}_r")) for axis in AXES]
    return table


def _text_rows(text: str) -> list[Row]:
    """Text: the test splits of EmoBank and GoEmotions."""
    bars = (("valence", 0.66, 0.62), ("arousal", 0.50, 0.47), ("dominance", 0.35, 0.32))
    table = [
        Row(f"text, EmoBank test: r {axis}", text, (f"emobank_r_{axis}",), bar, baseline=plain)
        for axis, bar, plain in bars
    ]
    for corpus, key in (("EmoBank", "emobank"), ("GoEmotions", "goemotions")):
        keys = (f"{key}_coverage_valence",), (f"{key}_coverage_arousal",)
        table += _covered(f"text, {corpus} test", text, *keys)
    for axis in ("valence", "arousal"):
        table.append(Row(f"text, GoEmotions test: sign of {axis}", text, (f"goemotions_sign_{axis}",)))
    return [*table, Row("text, GoEmotions test: macro F1 of 28", text, ("goemotions_macro_f1",))]


def run(data: Path | None, kinds: Sequence[str], cache: Path | None, quick: bool, say: Say) -> Report:
    """The table of some kinds: from the shipped checkpoints, or where `data` is given measured anew, with
    `quick` as far as that is quick. CheckpointError where a checkpoint is missing or damaged, AffectgenError where a
    corpus is."""
    names = {CHECKPOINTS[kind]: kind for kind in kinds}
    if data is None:
        held = {name: load_checkpoint(name).config["figures"] for name in names}
    else:
        held = {name: measure(kind, data, cache, quick, say) for name, kind in names.items()}
    told = [row for row in rows() if row.checkpoint in held and not (quick and _lacks(held[row.checkpoint], row))]
    figures = [
        Figure(row.name, _found(held[row.checkpoint], row), row.at_least, row.at_most, None, row.note,
               baseline=row.baseline)
        for row in told
    ]  # fmt: skip
    about = {"checkpoint": "recognisers", "read from" if data is None else "measured": ", ".join(names)}
    return Report(TITLE, about | ({"quick": True} if quick else {}), figures)


def _lacks(figures: Mapping[str, Any], row: Row) -> bool:
    """Whether there is no figure at the row's keys."""
    try:
        _found(figures, row)
    except KeyError:
        return True
    return False


def _found(figures: Mapping[str, Any], row: Row) -> float:
    """The figure at the row's keys. KeyError where there is none: then what was measured and this table disagree."""
    value: Any = figures
    for key in row.keys:
        value = value[key]
    return float(value)
