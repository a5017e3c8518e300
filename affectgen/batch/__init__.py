"""Pieces to files, one or hundreds: orders, presets, the journal, workers here and on a cluster, and checks of it all.

A single command is a batch of one: what it writes, `making.deliver` writes.
"""
