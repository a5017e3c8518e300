"""Music as notes: files, grids, keys, chords, words."""
