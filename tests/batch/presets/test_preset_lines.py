"""Lines of keys: every way to write a key, and any file made of keys and values of all kinds."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.batch.presets.preset_lines import key_lines, line_of
from affectgen.batch.presets.preset_new import toml

EVERY = '''
# a comment = 1
plain = 1
"quoted key" = [ 1, # = [
  "]", """
  hidden = 2
  """, 3 ]
'literal.key' = """a = "x" ""b""""
"esc\\u0041ped" = \'\'\'
[no table]
it\'s = 1\'\'\'
inline = { a = 1, b = [ "}" ] }

[ options ]
a.b . "c d" = 1
[options.deep]
"x=y" = '#' # = z
[[many]]
one = 1
'''


def test_every_way_to_write_a_key():
    tomllib.loads(EVERY)
    assert key_lines(EVERY) == {
        ("plain",): 3, ("quoted key",): 4, ("literal.key",): 8, ("escAped",): 9, ("inline",): 12, ("options",): 14,
        ("options", "a"): 15, ("options", "a", "b"): 15, ("options", "a", "b", "c d"): 15, ("options", "deep"): 16,
        ("options", "deep", "x=y"): 17, ("many",): 18, ("many", "one"): 19,
    }  # fmt: skip


def test_windows_line_ends_and_no_end():
    assert key_lines("a = 1\r\n\r\nb = 2") == {("a",): 1, ("b",): 3}


@pytest.mark.parametrize(
    ("path", "line"), [(("options", "a", "b", "c d"), 15), (("options", "zzz"), 14), (("zzz",), 1), ((), 1)]
)
def test_what_has_no_line_stands_where_its_surroundings_do(path, line):
    assert line_of(key_lines(EVERY), path) == line


texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)
scalars = st.one_of(st.booleans(), st.integers(-9, 9), st.floats(allow_nan=False, allow_infinity=False), texts)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3), max_leaves=5)


@given(st.dictionaries(texts, values, max_size=6), st.dictionaries(texts, values, max_size=6), st.data())
def test_every_key_is_found_on_its_line(top, options, data):
    lines, wanted = [], {}
    gaps = st.sampled_from([[], [""], ["# x = [", ""]])
    for table, held in (((), top), (("tab le",), options)):
        if table:
            lines.append('["tab le"] # = "')
            wanted[table] = len(lines)
        for key, value in held.items():
            lines += data.draw(gaps)
            spread = isinstance(value, list) and data.draw(st.booleans())
            parts = ["[", *(f"{toml(each)}," for each in value), "]"] if spread else [toml(value)]
            wanted[(*table, key)] = len(lines) + 1
            lines += [f"{toml(key)} = {parts[0]}", *parts[1:]]
    text = "\n".join(lines)
    parsed = tomllib.loads(text) if ("tab le" not in top) else None
    if parsed is not None:
        assert parsed == {**top, "tab le": options}
        assert key_lines(text) == wanted


@given(st.text(max_size=60))
def test_what_is_no_toml_raises_nothing(text):
    assert all(1 <= line <= text.count("\n") + 1 for line in key_lines(text).values())
