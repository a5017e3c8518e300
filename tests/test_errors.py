"""Every error carries its sentence, its hint and its exit code."""

from __future__ import annotations

import pytest

from affectgen import errors


@pytest.mark.parametrize(("kind", "code"), [
    (errors.AffectgenError, 1), (errors.CheckpointError, 1), (errors.MidiError, 1),
    (errors.UsageError, 2), (errors.AffectError, 2), (errors.PartlyFailed, 3),
])  # fmt: skip
def test_exit_codes_and_words(kind, code):
    error = kind("What came.", "What to do.")
    assert isinstance(error, errors.AffectgenError)
    assert error.exit_code == code
    assert str(error) == "What came. What to do."
    assert str(kind("What came.")) == "What came."
