"""The emotion asked for: points and paths of the valence-arousal plane. Importing this imports no torch."""
