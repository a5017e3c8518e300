"""Speech edited by its text, and its emotion corrected (after EmoCorrector): alignment, new words, prosody."""
