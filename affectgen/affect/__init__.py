"""The emotion asked for: points and paths of the valence-arousal plane. Importing this imports no torch."""

from affectgen.affect.isoprinciple import iso
from affectgen.affect.path import AffectPath, Keyframe, parse_affect, read_json
from affectgen.affect.space import Affect

__all__ = ["Affect", "AffectPath", "Keyframe", "iso", "parse_affect", "read_json"]
