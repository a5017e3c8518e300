"""Jobs of presets: their order, their seeds, their names, and the files they work on."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.batch.job import LONGEST, check_name
from affectgen.batch.presets.preset import Preset
from affectgen.batch.presets.preset_grid import jobs_of
from affectgen.cli.jobs import command_specs
from affectgen.errors import UsageError


def preset(command: str = "emogen generate", count: int = 1, title: str | None = None, **options) -> Preset:
    named = {key.replace("_", "-"): value for key, value in options.items()}
    spec = command_specs()[command]
    return Preset("p", Path("p.toml"), "d", command, named, count, title, (), spec)


def test_lists_make_a_grid_in_their_order_with_seeds_innermost():
    jobs = jobs_of(preset(affect=["calm", "sad>happy"], bars=[4, 8], set=["tempo=90"]), 7, 2)
    told = [(job.values["affect"], job.values["bars"], job.values["seed"]) for job in jobs]
    assert told == list(itertools.product(["calm", "sad>happy"], [4, 8], [7, 8]))
    assert all(job.values["set"] == ["tempo=90"] for job in jobs)
    assert jobs[0].name == "p-calm-7-bars-4"
    assert jobs[-1].name == "p-sad_happy-8-bars-8"
    assert jobs[0].preset == "p"
    assert jobs[0].own == {"affect", "bars", "seed"}


def test_a_list_of_lists_is_an_axis_of_what_takes_several():
    jobs = jobs_of(preset(affect="calm", set=[["tempo=90"], ["tempo=60", "gap=+1"]]), 0, None)
    assert [job.values["set"] for job in jobs] == [["tempo=90"], ["tempo=60", "gap=+1"]]


@pytest.mark.parametrize(
    ("own", "count", "asked", "seeds"),
    [
        (None, 1, None, [5]), (None, 3, None, [5, 6, 7]), (None, 3, 1, [5]), (9, 1, 2, [9, 10]),
        ([1, 8], 1, None, [1, 8]), ([1, 2], 2, None, [1, 2, 3]),  # 2 comes once
    ],
)  # fmt: skip
def test_seeds_are_the_presets_own_or_the_batchs_and_counted_up(own, count, asked, seeds):
    one = preset(affect="calm", count=count, **({} if own is None else {"seed": own}))
    assert [job.values["seed"] for job in jobs_of(one, 5, asked)] == seeds


def test_what_draws_nothing_is_made_once_and_gets_no_seed():
    jobs = jobs_of(preset("speech convert", affect="sad", strength=[0.5, 1.0]), 5, 10, ["x/a.wav", "b.wav", "b.wav"])
    assert [(job.values["source"], job.values["strength"]) for job in jobs] == [
        ("x/a.wav", 0.5), ("x/a.wav", 1.0), ("b.wav", 0.5), ("b.wav", 1.0)
    ]  # fmt: skip
    assert all("seed" not in job.values for job in jobs)


def test_files_go_to_presets_that_need_one_and_name_none():
    assert jobs_of(preset(affect="sad"), 0, None, ["a.mid"])[0].values == {"affect": "sad", "seed": 0}
    own = preset("speech convert", affect="sad", source="mine.wav")
    assert [job.values["source"] for job in jobs_of(own, 0, None, ["a.wav", "b.wav"])] == ["mine.wav"]
    kept = preset("muser generate", affect="sad", keep="pitch")
    assert [job.values["source"] for job in jobs_of(kept, 0, None, ["a.mid", "b.mid"])] == ["a.mid", "b.mid"]
    with pytest.raises(UsageError, match="works on a file"):
        jobs_of(kept, 0, None)
    assert jobs_of(preset("render"), 0, None, ["a.mid", "b.mid"])[1].values == {"files": ["b.mid"]}
    (joined,) = jobs_of(preset("render", join=2), 0, None, ["a.mid", "b.mid"])
    assert joined.values["files"] == ["a.mid", "b.mid"]


def test_files_beside_the_one_worked_on():
    one = preset("speech correct", **{"text-file": "{source}.txt", "affect": "auto"})
    jobs = jobs_of(one, 0, None, ["in/take.1.wav", "b.flac"])
    assert [job.values["text-file"] for job in jobs] == ["in/take.1.txt", "b.txt"]
    with pytest.raises(UsageError, match="no file came"):
        jobs_of(preset(affect="sad", **{"continue": "{source}.mid"}), 0, None)


def test_names_by_template():
    one = preset(affect=["calm", "0.4,-0.1"], expressive=False, title="{number}_{preset}/{affect}-{expressive}-{seed}")
    assert [job.name for job in jobs_of(one, 3, None)] == ["1_p_calm-false-3", "2_p_0.4_-0.1-false-3"]
    voice = preset("speech convert", affect="sad", title="{source}-sadder")
    names = [job.name for job in jobs_of(voice, 0, None, ["x/a.wav", "y/A.wav", "b.wav"])]
    assert names == ["a-sadder", "A-sadder-2", "b-sadder"]


def test_too_many_pieces_are_refused_at_once():
    with pytest.raises(UsageError, match="at most"):
        jobs_of(preset(affect="calm"), 0, 2_000_000_000)
    axis = list(range(1, 200))
    with pytest.raises(UsageError, match="pieces"):
        jobs_of(preset(affect="calm", bars=axis, best_of=axis, tempo=axis), 0, None)
    with pytest.raises(UsageError, match="largest"):
        jobs_of(preset(affect="calm", seed=2**31 - 1), 0, 2)


words = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=200)


@given(
    st.lists(words, min_size=1, max_size=4, unique=True), st.lists(words, min_size=1, max_size=4, unique=True),
    st.sampled_from([None, "{affect}", "{preset}", "{key}{number}", "{affect}-{key}-{seed}", "{seed}"]),
    st.integers(1, 3),
)  # fmt: skip
def test_no_two_jobs_share_a_name_and_the_order_is_fixed(affects, keys, title, count):
    one = preset(affect=affects, key=keys, title=title)
    jobs = jobs_of(one, 1, count)
    assert len(jobs) == len(affects) * len(keys) * count
    assert len({job.name.casefold() for job in jobs}) == len(jobs)
    assert len({job.key for job in jobs}) == len(jobs)
    assert jobs == jobs_of(one, 1, count)
    for job in jobs:
        assert check_name(job.name, "") == job.name
        assert len(job.name) <= LONGEST
