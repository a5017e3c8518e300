"""The environment comes first, then the checkout, then the packaged copy; folders that are not there are left out."""

from __future__ import annotations

import os

from affectgen import paths


def test_order(monkeypatch, tmp_path):
    package, top = tmp_path / "site" / "affectgen", tmp_path / "site"
    named = [tmp_path / "one", tmp_path / "two"]
    for folder in (package / "checkpoints", top / "checkpoints", *named):
        folder.mkdir(parents=True)
    monkeypatch.setattr(paths, "PACKAGE", package)
    variable = os.pathsep.join([str(named[0]), str(tmp_path / "absent"), str(named[1])])
    monkeypatch.setenv(paths.CHECKPOINTS_VARIABLE, variable)
    # a folder that happens to be called checkpoints beside an installed package is not ours
    assert paths.checkpoint_roots() == [*named, package / "checkpoints"]
    (top / "pyproject.toml").write_text("")
    assert paths.checkpoint_roots() == [*named, top / "checkpoints", package / "checkpoints"]
    assert paths.preset_roots() == []
    monkeypatch.delenv(paths.CHECKPOINTS_VARIABLE)
    assert paths.checkpoint_roots()[0] == top / "checkpoints"


def test_the_checkout_is_found(top):
    assert paths.checkout() == top
    assert top / "checkpoints" in paths.checkpoint_roots()
