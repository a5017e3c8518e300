"""Databases of voices: how recordings were said and what emotion was heard in them, in one SQLite file without audio.

`voices` is an index in memory, `load` reads one, `file` is the SQLite file, `listing` finds out who speaks how in a
folder, `build` fills an index, `query` looks things up.
"""
