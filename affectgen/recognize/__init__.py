"""Floor 2: the valence and arousal of finished music and speech. docs/recognisers.md tells which model does what."""
