"""LoRA training of MusicGen on one's own recordings: labels, cached codes, captions, the loop, and the adapter."""
