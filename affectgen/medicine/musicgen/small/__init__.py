"""A tiny MusicGen with its own codec, trained from scratch on rendered EMOPIA: the proof that conditioning works."""
