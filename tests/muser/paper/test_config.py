import dataclasses
import json

import pytest

from affectgen.muser.paper.config import GREEDY, PUBLISHED, PaperConfig
from affectgen.score.words import ELEMENTS


def test_a_config_survives_json():
    config = PaperConfig(dim=32, heads=2, embeddings=(1, 2, 3, 4, 5, 6, 7))
    assert PaperConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_the_latent_is_as_wide_as_published():
    assert PaperConfig().latent == 112
    assert PaperConfig().codes == 512


def test_unknown_names_are_refused():
    with pytest.raises(TypeError):
        PaperConfig.from_dict(PaperConfig().to_dict() | {"books": 7})


def test_every_element_has_an_embedding():
    with pytest.raises(ValueError):
        PaperConfig(embeddings=(8, 8))


def test_the_published_draws():
    drawn = {name: dataclasses.astuple(draw) for name, draw in zip(ELEMENTS, PUBLISHED, strict=True)}
    assert drawn["velocity"] == (5.0, 1.0)
    assert drawn["duration"] == (2.0, 0.9)
    assert drawn["chord"] == (1.0, 0.99)
    assert all(draw.temperature == 0 for draw in GREEDY)
