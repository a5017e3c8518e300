"""Edited words said as what is around them, or as a text asks."""
