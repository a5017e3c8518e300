"""Floor 2: the valence and arousal of finished music. Judge, guide and recogniser are told apart in docs/recognisers.md."""
