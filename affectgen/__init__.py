"""affectgen: an emotion in, music and speech that carry it out. Importing this package imports nothing heavy."""

__version__ = "0.1.0"
