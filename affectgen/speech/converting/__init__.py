"""A whole recording with another emotion: prosody as numbers, shifts of it, and how they are applied."""
