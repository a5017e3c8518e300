"""Evaluation sets in the manner of ECD-TSE out of folders of transcribed speech."""
