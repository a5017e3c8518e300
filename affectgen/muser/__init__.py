"""MusER: piano music for a point or path in the valence-arousal plane."""
