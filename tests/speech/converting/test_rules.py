"""Emotional prosody by MARY's rules."""

from __future__ import annotations

import numpy as np
from talking import RATE, talk

from affectgen.speech.converting.prosody import BANDS, PLACES, measure
from affectgen.speech.converting.rules import shift_by_rules
from affectgen.speech.target import target_of


def test_arousal_lifts_pitch_and_pace() -> None:
    own = measure(talk(), RATE)
    joy, sadness = (shift_by_rules(target_of(word), own) for word in ("joy", "sad"))
    for name in ("pitch", "spread", "rate"):
        assert joy[PLACES[name]] > 0 > sadness[PLACES[name]]
    assert not joy[BANDS["voiced_mean"]].any()
    assert np.array_equal(shift_by_rules(target_of("0,0"), own), np.zeros_like(own))
