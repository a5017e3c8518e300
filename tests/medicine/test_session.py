"""The folder that a session's clips are kept in."""

from __future__ import annotations

import pytest

from affectgen.errors import AffectgenError
from affectgen.medicine.clips import kept_seed
from affectgen.medicine.session import work_folder


def test_two_commands_do_not_work_in_one_folder(tmp_path):
    home = tmp_path / "s.wav.clips"
    with work_folder(str(home), 7) as folder:
        assert folder == home
        (home / "001.wav").write_bytes(b"")
        with pytest.raises(AffectgenError, match="Another command"), work_folder(str(home), 7):
            pass
        assert home.is_dir()
    with work_folder(str(home), 7):
        assert (home / "001.wav").exists()
    assert sorted(path.name for path in home.iterdir()) == ["001.wav", "seed"], "what is kept stays, the lock does not"
    assert kept_seed(home) == 7


def test_a_folder_without_clips_goes_again(tmp_path):
    with pytest.raises(ZeroDivisionError), work_folder(str(tmp_path / "c"), 7):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_temporary_folder_is_gone_afterwards():
    with work_folder(None, 7) as folder:
        folder.mkdir()
        (folder / "001.wav").write_bytes(b"x")
    assert not folder.exists()
