"""The folder that a session's clips are kept in."""

from __future__ import annotations

import pytest

from affectgen.errors import AffectgenError
from affectgen.medicine.session import work_folder


def test_two_commands_do_not_work_in_one_folder(tmp_path):
    home = tmp_path / "s.wav.clips"
    with work_folder(str(home)) as folder:
        assert folder == home
        (home / "001.wav").write_bytes(b"")
        with pytest.raises(AffectgenError, match="Another command"), work_folder(str(home)):
            pass
        assert home.is_dir()
    with work_folder(str(home)):
        assert (home / "001.wav").exists()
    assert [path.name for path in home.iterdir()] == ["001.wav"], "what is kept stays, the lock does not"


def test_a_folder_without_clips_goes_again(tmp_path):
    with pytest.raises(ZeroDivisionError), work_folder(str(tmp_path / "c")):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_temporary_folder_is_gone_afterwards():
    with work_folder(None) as folder:
        folder.mkdir()
        (folder / "001.wav").write_bytes(b"x")
    assert not folder.exists()
