"""Presets: how a file is read, checked and inherited, and the jobs that its grid comes to."""
