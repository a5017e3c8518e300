"""Presets by name and by path, and what is said to somebody who names neither."""

from __future__ import annotations

import pytest

from affectgen.batch.presets.preset_find import is_path, preset_path, preset_paths
from affectgen.errors import AffectgenError, UsageError


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Two folders of presets, the first of which wins."""
    for folder, names in (("first", "ab"), ("second", "bc")):
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / f"{name}.toml").write_text("")
    monkeypatch.setenv("AFFECTGEN_PRESETS", f"{tmp_path / 'first'}:{tmp_path / 'second'}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_by_name_the_first_folder_wins(home):
    assert preset_path("b") == home / "first" / "b.toml"
    assert preset_path("c") == home / "second" / "c.toml"
    assert list(preset_paths()) == sorted(preset_paths())


def test_paths_start_at_the_folder_and_at_home(home, monkeypatch):
    assert preset_path("first/a.toml").samefile(home / "first" / "a.toml")
    assert preset_path("../first/a.toml", home / "second").samefile(home / "first" / "a.toml")
    monkeypatch.setenv("HOME", str(home))
    assert preset_path("~/second/c.toml") == home / "second" / "c.toml"
    assert [is_path(text) for text in ("a", "a.toml", "./a", "x/a", "a.b")] == [False, True, True, True, False]


@pytest.mark.parametrize(
    ("kind", "said", "hint"),
    [
        (AffectgenError, "first/a", "Say: first/a.toml"),
        (AffectgenError, "second/", "Say which file of the folder: second/b.toml"),
        (UsageError, "second", "Say which file of the folder: second/b.toml"),
        (AffectgenError, "elsewhere/c", "There is a preset of that name; say: c"),
        (AffectgenError, "elsewhere/none", "Check the path."),
        (UsageError, "x" * 300, "There are: a, "),
        (AffectgenError, "x/" + "y" * 300, "Check the path."),
    ],
)
def test_what_is_meant_is_said(home, kind, said, hint):
    with pytest.raises(AffectgenError) as caught:
        preset_path(said)
    assert type(caught.value) is kind
    assert caught.value.hint.startswith(hint)


def test_a_file_wins_over_a_folder_of_its_name(home):
    (home / "first" / "a").mkdir()
    with pytest.raises(AffectgenError, match="is a folder") as caught:
        preset_path("first/a")
    assert caught.value.hint == "Say: first/a.toml"
