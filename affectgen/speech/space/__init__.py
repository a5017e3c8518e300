"""One space for the emotion of texts, of voices and of requests: what is felt alike lies close together.

`load_space()` (`affectgen.speech.space.model`) reads the shipped checkpoint; numpy is all it needs. `fit` makes it.
"""
