"""A learned predictor of emotional prosody: what a neutral take's phones change by under an emotion that is asked for.

`model.load_predictor()` reads the shipped checkpoint (torch); `apply.learned_change` turns its answer into changes of a
recording; `fit` makes it.
"""
