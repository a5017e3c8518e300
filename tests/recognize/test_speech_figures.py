"""Figures of speech by hand: recall, rounds of baselines, speakers that are left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from affectgen.recognize import speech_figures
from affectgen.recognize.speech_corpus import LABELS, Table, baselines, label_points
from affectgen.recognize.speech_expert import Made, Settings
from affectgen.recognize.speech_figures import (
    AS_RECORDED,
    across,
    by_corpus,
    by_damage,
    figures_of,
    joined,
    leave_speakers_out,
    measure,
    read_all,
    recogniser_figures,
    rounded,
    uar,
)
from affectgen.recognize.speech_model import Heard, SpeechModel, Verdict, fit_model, fit_reader

SETTINGS = Settings(family="kernel", ridge=0.1, folds=3)


class Oracle:
    """In place of a model: reads a clip's label from its statistics' highest place; notes the baselines it is given."""

    def __init__(self) -> None:
        self.given: list[np.ndarray] = []

    def scored(self, heard: Heard) -> Heard:
        return heard

    def read(self, heard: Heard, baseline: Heard | None = None, only: str | None = None) -> Verdict:
        if baseline is not None:
            self.given.append(baseline.features)
        shares = np.eye(len(LABELS))[heard.features[:, :7].argmax(axis=1)]
        points = shares @ label_points()
        return Verdict(shares, points, points - 0.1, points + 0.1)


def exact(voices: Callable[..., Table], corpus: str) -> Table:
    """Clips whose statistics say their label for certain."""
    table = voices(corpora=(corpus,))
    features = np.concatenate([table.shares, np.arange(len(table))[:, None]], axis=1)
    return Table(table.clips, features, table.frames)


def test_uar_by_hand() -> None:
    wanted = np.array([0, 0, 0, 0, 1, 1])
    assert uar(np.array([0, 0, 0, 1, 1, 0]), wanted) == pytest.approx((0.75 + 0.5) / 2)
    assert uar(np.full(6, 3), wanted) == 0.0


def test_a_faultless_reader_has_faultless_figures(voices: Callable[..., Table]) -> None:
    figures = figures_of(read_all(Oracle(), exact(voices, "emo_db"), rounds=2))  # type: ignore[arg-type]
    for name in ("uar", "uar_acted", "uar_baseline", "valence_r", "arousal_r", "valence_coverage"):
        assert figures[name] == pytest.approx(1.0), name
    assert figures["clips"] == len(exact(voices, "emo_db"))


def test_the_baseline_is_the_speakers_own_in_turn_and_not_scored(voices: Callable[..., Table]) -> None:
    table, oracle = exact(voices, "emo_db"), Oracle()
    read = read_all(oracle, table, rounds=4)  # type: ignore[arg-type]
    own = baselines(table)
    speaker = table.array("speaker")
    for number, (given, (_, counts)) in enumerate(zip(oracle.given, read.beside, strict=True)):
        place = given[:, -1].astype(int)
        assert (speaker[place] == speaker).all()
        assert set(place) == {int(places[number % len(places)]) for places in own.values()}
        np.testing.assert_array_equal(np.flatnonzero(~counts), sorted(set(place)))


def test_only_clips_whose_listeners_agreed_count_for_recall(voices: Callable[..., Table]) -> None:
    table = exact(voices, "crema_d")
    torn = [clip.shares.copy() for clip in table.clips]
    torn[0][:] = [0.5, 0, 0.5, 0, 0, 0, 0]
    wrong = table.features.copy()
    wrong[0, :7] = np.eye(7)[5]  # the torn clip is read wrong
    clips = (replace(table.clips[0], shares=torn[0]), *table.clips[1:])
    figures = figures_of(read_all(Oracle(), Table(clips, wrong, table.frames), rounds=0))  # type: ignore[arg-type]
    assert figures["uar"] == 1.0
    assert figures["uar_acted"] < 1.0
    assert "uar_baseline" not in figures


def test_labels_that_were_not_offered_are_no_answer(voices: Callable[..., Table]) -> None:
    class Bored(Oracle):
        def read(self, heard: Heard, baseline: Heard | None = None, only: str | None = None) -> Verdict:
            found = super().read(heard, baseline, only)
            shares = 0.4 * found.shares
            shares[:, LABELS.index("boredom")] += 0.6
            return Verdict(shares, found.points, found.low, found.high)

    figures = figures_of(read_all(Bored(), exact(voices, "crema_d"), rounds=0))  # type: ignore[arg-type]
    assert figures["uar"] == 1.0


def test_joined_tables_keep_rows_together(voices: Callable[..., Table]) -> None:
    table, oracle = exact(voices, "emo_db"), Oracle()
    speaker = table.array("speaker")
    parts = [read_all(oracle, table.pick(speaker == name), 2) for name in np.unique(speaker)]  # type: ignore[arg-type]
    whole = joined(parts)
    assert len(whole.table) == len(table)
    assert figures_of(whole)["uar_baseline"] == pytest.approx(1.0)
    np.testing.assert_array_equal(whole.alone.shares, whole.table.shares)


def test_no_model_has_heard_the_speaker_that_it_reads(
    voices: Callable[..., Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[set[str]] = []

    def fit(table: Table, *rest: Any) -> SpeechModel:
        heard.append(set(table.array("speaker").tolist()))
        return fit_model(table, *rest)

    read: list[set[str]] = []

    def note(model: SpeechModel, table: Table, *rest: Any) -> Any:
        read.append(set(table.array("speaker").tolist()))
        return read_all(model, table, *rest)

    monkeypatch.setattr(speech_figures, "fit_model", fit)
    monkeypatch.setattr(speech_figures, "read_all", note)
    table = voices(takes=2)
    ready: Sequence[Any] = [fit_reader(table.pick(table.array("corpus") == "crema_d"), SETTINGS)]
    figures = leave_speakers_out(table, "emo_db", SETTINGS, ready, say=print)[AS_RECORDED]
    assert len(read) == len(heard) == 7
    assert all(not own & known for own, known in zip(read, heard, strict=True))
    assert figures["uar"] > 0.4
    assert figures["clips"] == (table.array("corpus") == "emo_db").sum()


def test_both_corpora_and_both_directions_are_named(voices: Callable[..., Table]) -> None:
    table = voices(takes=2)
    model = fit_model(table, SETTINGS)
    assert set(by_corpus(model, table, 1)) == {"crema_d", "emo_db"}
    found = across(model, table)
    assert {"emo_db_on_crema_d_uar", "crema_d_on_emo_db_uar"} <= set(found)
    assert all(-1 <= value <= 1 for value in found.values())


def worn(table: Table, copies: int = 1, seed: int = 5) -> Table:
    """Copies of clips, whose statistics are moved all in one direction and noisier."""
    rng = np.random.default_rng(seed)
    parts = []
    for copy in range(1, copies + 1):
        clips = tuple(replace(clip, name=f"{clip.name}~{copy}", copy=copy) for clip in table.clips)
        moved = table.features + 3.0 * (np.arange(table.features.shape[1]) == 12)
        parts.append((clips, moved + 0.3 * rng.normal(size=moved.shape)))
    clips = tuple(clip for some, _ in parts for clip in some)
    return Table(clips, np.concatenate([rows for _, rows in parts]), table.frames * copies)


def with_copies(table: Table, copies: int = 1) -> Table:
    more = worn(table, copies)
    return Table(
        table.clips + more.clips, np.concatenate([table.features, more.features]), table.frames + more.frames
    )


def test_worse_recordings_are_figured_by_damage_and_only_of_speakers_unheard(voices: Callable[..., Table]) -> None:
    table = voices(takes=2)
    model = fit_model(with_copies(table), SETTINGS)
    found = by_damage(model, {"hiss": worn(voices(takes=2, seed=9)), "none": worn(table)}, {"emo_db/09"})
    assert set(found) == {"hiss", "none"}
    assert found["hiss"]["emo_db_clips"] == 14
    assert "crema_d_uar" not in found["hiss"]
    assert found["none"]["emo_db_uar"] > 0.6


def test_a_speaker_left_out_is_left_out_of_the_copies_too(
    voices: Callable[..., Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[set[str]] = []

    def fit(table: Table, *rest: Any) -> SpeechModel:
        heard.append({clip.name.split("~")[0] for clip in table.clips})
        return fit_model(table, *rest)

    monkeypatch.setattr(speech_figures, "fit_model", fit)
    table = with_copies(voices(takes=2))
    crema = table.pick((table.array("corpus") == "crema_d") & (table.array("copy") == 0))
    hiss = {"hiss": worn(voices(takes=2, corpora=("emo_db",)), seed=6)}
    found = leave_speakers_out(table, "emo_db", SETTINGS, [fit_reader(crema, SETTINGS)], hiss, lambda line: None)
    assert set(found) == {AS_RECORDED, "hiss"}
    assert found[AS_RECORDED]["clips"] == found["hiss"]["clips"] == 7 * 7 * 2
    assert found["hiss"]["uar"] > 0.5
    for known, speaker in zip(heard, ("03", "08", "09", "10", "11", "12", "13"), strict=True):
        assert not any(name.startswith(f"emo_db/{speaker}") for name in known)


def test_recogniser_figures_have_all_parts_to_three_places(voices: Callable[..., Table]) -> None:
    table = with_copies(voices(takes=2))
    model = fit_model(table, SETTINGS)
    damaged = {"hiss": worn(voices(takes=2, seed=3))}
    found = rounded(recogniser_figures(table, model, damaged, SETTINGS, lambda line: None))
    assert set(found) == {"emo_db", "crema_d", "across", "degraded"}
    assert {"emo_db_uar", "crema_d_uar", "emo_db_arousal_r"} <= set(found["degraded"]["hiss"])
    assert found["crema_d"]["clips"] == 2 * 6 * 2  # the judge's two speakers
    assert all(round(value, 3) == value for value in found["emo_db"].values())


def test_scorers_that_are_shared_change_nothing(voices: Callable[..., Table]) -> None:
    table = voices(takes=2, corpora=("emo_db",))
    made: Made = {}
    fit_reader(table.pick(table.array("speaker") != "emo_db/03"), SETTINGS, made)
    before = len(made)
    rest = table.pick(table.array("speaker") != "emo_db/08")
    shared, alone = fit_reader(rest, SETTINGS, made), fit_reader(rest, SETTINGS)
    assert before < len(made)
    np.testing.assert_allclose(shared.intervals.half, alone.intervals.half, atol=1e-12)
    np.testing.assert_allclose(shared.expert.beside.weight, alone.expert.beside.weight, atol=1e-12)


@pytest.mark.filterwarnings("ignore:Best performing initialization")  # a few frames do not settle a mixture
def test_a_quick_measure_has_the_same_parts(
    voices: Callable[..., Table], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speech_figures, "read_clips", lambda data: [])
    monkeypatch.setattr(speech_figures, "read_table", lambda clips: voices(takes=2))
    said: list[str] = []
    found = measure(tmp_path, said.append, quick=True)
    assert set(found) == {"emo_db", "crema_d", "across", "degraded"}
    assert found["degraded"] == {}
    assert found["emo_db"]["uar"] > 0.4
    assert len(said) == 1 + 1 + 7 + 1


def test_speakers_without_a_neutral_clip_have_no_figures_with_one(voices: Callable[..., Table]) -> None:
    table = exact(voices, "emo_db")
    found = figures_of(read_all(Oracle(), table.pick(table.array("acted") != "neutral"), rounds=2))  # type: ignore[arg-type]
    assert found["uar"] == 1.0
    assert "uar_baseline" not in found
