"""The real music that pieces are held against: which clips and files it is made of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from affectgen.errors import AffectgenError
from affectgen.evaluate.copying import copied_share
from affectgen.evaluate.reference import load_reference
from affectgen.score.midi import read_notes


def test_real_music_that_is_not_there(tmp_path):
    with pytest.raises(AffectgenError, match=r"no emopia/clips\.csv") as caught:
        load_reference(tmp_path)
    assert caught.value.hint


def test_clips_by_split_and_their_grids(music):
    reference = load_reference(music)
    assert (len(reference.train), len(reference.val)) == (28, 20)
    assert {clip.split for clip in reference.train} == {"train"}
    assert [path.stem for path in reference.grids("val")] == [clip.name for clip in reference.val]
    assert len(reference.grids("train")) == 28
    assert all(path.parent.name == "beat" for path in reference.grids("train"))
    assert np.ptp(reference.val[0].notes.velocity) > 0, "as performed"


@pytest.mark.parametrize(("corpora", "files"), [((), 2 * 28), (("pop1k7",), 2 * 28 + 20), (("absent",), 2 * 28)])
def test_patterns_are_of_training_clips_and_the_corpora_named(music, corpora, files):
    reference = load_reference(music)
    index = reference.patterns(corpora, cache=None)
    assert index.files == files
    assert copied_share([clip.notes for clip in reference.train], index) == 1.0
    lent = copied_share([read_notes(path) for path in sorted((music / "pop1k7").glob("*.mid"))], index)
    assert (lent == 1.0) == ("pop1k7" in corpora)


def test_patterns_are_kept_where_the_cache_is(music, tmp_path: Path):
    reference = load_reference(music)
    first = reference.patterns(("pop1k7",), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["patterns-emopia-pop1k7.npz"]
    np.testing.assert_array_equal(reference.patterns(("pop1k7",), tmp_path).hashes, first.hashes)
    assert len(reference.patterns((), tmp_path).hashes) < len(first.hashes)
    assert len(list(tmp_path.iterdir())) == 2, "each has a file of its own"
