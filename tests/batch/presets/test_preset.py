"""Presets: inheritance, strictness, and errors that name file, line and the nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from affectgen.batch.presets.preset import Damaged, find_preset, list_presets, preset_command, read_preset
from affectgen.batch.presets.preset_files import PresetError
from affectgen.batch.presets.preset_new import toml
from affectgen.cli.jobs import command_specs
from affectgen.errors import AffectgenError, UsageError

BASE = 'description = "d"\ncommand = "emogen generate"\n'


@pytest.fixture
def write(tmp_path):
    """Write a preset into a folder of its own, and return its path."""

    def one(name: str, text: str) -> Path:
        path = tmp_path / f"{name}.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return one


def read(path: Path):
    return read_preset(path, command_specs())


def troubles(path: Path) -> list[str]:
    """What is said of a bad preset: "line: sentence"."""
    with pytest.raises(PresetError) as caught:
        read(path)
    assert str(caught.value).startswith(str(caught.value.troubles[0].path))
    return [f"{one.line}: {one.text}" for one in caught.value.troubles]


def test_a_preset_as_the_file_has_it(write):
    keys = 'count = 3\nname = "{preset}-{seed}"\ntags = ["x", "y-z"]\n'
    options = '[options]\naffect = ["calm", "sad>happy"]\nbars = 8\ntempo = 90\nset = ["tempo=90"]\n'
    made = read(write("a", BASE + keys + options))
    assert (made.name, made.command, made.count, made.title) == ("a", "emogen generate", 3, "{preset}-{seed}")
    assert made.tags == ("x", "y-z")
    assert made.options == {"affect": ["calm", "sad>happy"], "bars": 8, "tempo": 90, "set": ["tempo=90"]}
    assert made.axes == ("affect",)
    assert isinstance(made.options["tempo"], int)  # as in the file


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("barz = 8", "emogen generate has no option 'barz'. Did you mean 'bars'?"),
        ("bars = 8.0", "bars got 8.0; an integer from 1 to 256 was expected."),
        ('bars = "8"', 'bars got "8"; an integer from 1 to 256 was expected.'),
        ("bars = true", "bars got true; an integer from 1 to 256 was expected."),
        ("bars = 0", "bars got 0; an integer from 1 to 256 was expected."),
        ("bars = [4, 0]", "bars got 0; an integer from 1 to 256 was expected."),
        ("bars = []", "bars is an empty list; a value or a list of values was expected."),
        ("bars = [4, 8, 4]", "bars holds 4 twice, and the pieces would be the same."),
        ("tempo = 301", "tempo got 301; a number from 20 to 300 was expected."),
        ("tempo = nan", "tempo got nan; a number from 20 to 300 was expected."),
        ('tempo = "90"', 'tempo got "90"; a number from 20 to 300 was expected.'),
        ("tempo = true", "tempo got true; a number from 20 to 300 was expected."),
        ("key = 5", "key got 5; a text was expected."),
        ("expressive = 1", "expressive got 1; true or false was expected."),
        ('mapping = "kernal"', "mapping got \"kernal\", which is none of its values. Did you mean 'kernel'?"),
        ("mapping = 3", 'mapping got 3; one of "kernel", "paper" was expected.'),
        ('set = "tempo=90"', 'set got "tempo=90"; a list of texts, such as ["tempo=90"], was expected.'),
        ("set = [3]", "set got 3; a text was expected."),
        ('audio = "a/b.wav"', 'audio got "a/b.wav"; the ending of a file, such as "png", was expected.'),
        ('source = "-"', "source got '-': a preset reads no standard input. Name a file."),
        ('source = "a\\u0000b"', "source holds a character that no command line can hold."),
        ("one = 1", "emogen generate has no option 'one'."),
        ("count = 4", "emogen generate has no option 'count'. Did you mean"),
    ],
)
def test_a_bad_option_is_told_with_its_line(write, line, said):
    (told,) = troubles(write("a", f"{BASE}\n[options]\naffect = 'calm'\n{line}\n"))
    assert told.startswith(f"6: {said}")


def test_an_affect_is_read(write):
    (told,) = troubles(write("a", BASE + '[options]\naffect = ["calm", "clam"]\n'))
    assert told.startswith("4: affect: 'clam' names no emotion that affectgen knows. Did you mean calm?")
    (told,) = troubles(write("b", 'description = "d"\ncommand = "medicine render"\n[options]\nto = "clam"\n'))
    assert told.startswith("4: to: 'clam' names no emotion")
    own = 'description = "d"\ncommand = "speech correct"\n[options]\naffect = ["auto", "keep", "sad"]\n'
    assert read(write("c", own)).options["affect"] == ["auto", "keep", "sad"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('discription = "x"', "A preset has no key 'discription'. Did you mean 'description'?"),
        ("bars = 8", "A preset has no key 'bars'. It is an option: write it under [options]."),
        ("count = 2.0", "count got 2.0; an integer from 1 to 100000 was expected."),
        ("count = 0", "count got 0; an integer from 1 to 100000 was expected."),
        ('tags = ["Loud"]', 'tags got "Loud"; a list of words in small letters was expected.'),
        ('options = "x"', 'options got "x"; a table of options was expected.'),
        ('name = "{affect"', "name got '{affect': expected '}'"),
        ('name = "{affcet}"', "name holds {affcet}, which is no option of emogen generate. Did you mean 'affect'?"),
        ('name = "{bars}"', "name holds {bars}, which the preset does not set."),
        ('name = "{seed:03}"', "name got '{seed:03}'; only a name stands between braces"),
        ('name = "./."', "name got './.', which names nothing."),
        ("extends = 3", "extends got 3; a preset's name or path was expected."),
        ('extends = "nobody.toml"', "There is no file nobody.toml."),
        ('extends = "nobody-at-all"', "There is no preset 'nobody-at-all'."),
    ],
)
def test_a_bad_key_is_told_with_its_line(write, line, said):
    (told,) = troubles(write("a", f"{BASE}{line}\n"))
    assert told.startswith(f"3: {said}")


def test_all_that_is_wrong_is_told_line_by_line(write):
    base = write("base", BASE + "[options]\nbars = 0\n")
    path = write("a", 'extends = "base"\nmood = "x"\n[options]\ntempo = 1\nbarz = 2\n')
    told = troubles(path)
    assert [one.partition(":")[0] for one in told] == ["1", "2", "4", "5", "4"]
    assert "no description" in told[0]
    with pytest.raises(PresetError) as caught:
        read(path)
    assert {one.path for one in caught.value.troubles} == {path, base}
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "line"),
    [("a = 1\nb = = 2\n", 2), ("a = 1\na = 2\n", 2), ("a = 1\n\nb = [1,\n", 3), ('x = """\n\n', 1), ("[a\n", 1)],
)
def test_what_is_no_toml_is_told_with_its_line(write, text, line):
    (told,) = troubles(write("a", text))
    assert told.startswith(f"{line}: This is no TOML: ")


def test_what_is_no_text_and_what_is_not_there(write, tmp_path):
    path = write("a", "")
    path.write_bytes(b'description = "d"\n# \xff\n')
    assert troubles(path) == ["2: This is no text in UTF-8."]
    path.write_bytes(b"#" * 1_000_001)
    assert "has more" in troubles(path)[0]
    with pytest.raises(AffectgenError, match="cannot be read"):
        read(tmp_path / "none.toml")
    with pytest.raises(AffectgenError, match="cannot be read"):
        read(tmp_path)


def test_a_command_is_needed_and_known(write):
    assert "names no command" in troubles(write("a", 'description = "d"\n'))[0]
    (told,) = troubles(write("b", 'description = "d"\ncommand = "emogen generat"\n'))
    assert told == "2: 'emogen generat' is no command that makes a piece. Did you mean 'emogen generate'?"
    (told,) = troubles(write("c", 'description = "d"\ncommand = ["emogen generate"]\n'))
    assert told.startswith("2: ")
    write("base", BASE)
    (told,) = troubles(write("d", 'description = "d"\ncommand = "muser generate"\nextends = "base"\n'))
    assert told.startswith("2: The command is 'muser generate'")


def test_what_a_preset_says_stands_above_what_it_extends(write):
    keys = 'count = 2\ntags = ["x"]\nname = "{seed}"\n'
    write("grand", BASE + keys + '[options]\naffect = "calm"\nbars = 4\ntempo = 60\n')
    write("base", 'description = "e"\nextends = "grand"\n[options]\ntempo = 70\n')
    made = read(write("a", 'description = "f"\nextends = "base.toml"\ncount = 5\n[options]\nseconds = 10\n'))
    assert (made.description, made.count, made.tags, made.title) == ("f", 5, ("x",), "{seed}")
    assert made.options == {"affect": "calm", "tempo": 70, "seconds": 10}  # which takes the place of bars
    assert {name: path.stem for name, path in made.origins.items()} == {
        "affect": "grand", "tempo": "base", "seconds": "a"
    }  # fmt: skip
    assert [path.stem for path in made.files] == ["a", "base", "grand"]


def test_circles_and_long_chains_are_errors(write):
    write("a", BASE + 'extends = "b"\n')
    assert "goes round in a circle" in troubles(write("b", BASE + 'extends = "a"\n'))[0]
    assert "goes round in a circle" in troubles(write("c", BASE + 'extends = "c"\n'))[0]
    write("n0", BASE)
    for number in range(1, 17):
        write(f"n{number}", f'{BASE}extends = "n{number - 1}"\n')
    assert len(read(write("n15", f'{BASE}extends = "n14"\n')).files) == 16
    assert "More than 16" in troubles(write("n16", f'{BASE}extends = "n15"\n'))[0]


def test_paths_start_at_the_folder_of_the_file_that_names_them(write, tmp_path, monkeypatch):
    write("in/base", BASE + '[options]\nsource = "x/a.mid"\nkeep = "pitch"\naffect = "sad"\ncheckpoint = "plain"\n')
    path = write("top", 'description = "d"\nextends = "in/base.toml"\n[options]\ncontinue = "../b.mid"\n')
    monkeypatch.chdir(tmp_path / "in")
    options = read(path).options
    assert options["continue"] == str(tmp_path.parent / "b.mid")
    assert "source" not in options  # continue takes its place
    options = read(tmp_path / "in" / "base.toml").options
    assert options["source"] == str(tmp_path / "in/x/a.mid")
    assert options["checkpoint"] == "plain"  # a name
    (tmp_path / "in/plain").mkdir()
    assert read(tmp_path / "in" / "base.toml").options["checkpoint"] == str(tmp_path / "in/plain")


def test_a_count_of_what_draws_nothing_is_an_error(write):
    (told,) = troubles(write("a", 'description = "d"\ncommand = "render"\ncount = 2\n'))
    assert told.startswith("3: render draws nothing")


def test_names_are_looked_for_in_the_folders_of_presets(write, tmp_path, monkeypatch):
    write("one/mine", BASE)
    write("two/mine", BASE + "count = 7\n")
    write("two/other", BASE + "count = nine\n")
    monkeypatch.setenv("AFFECTGEN_PRESETS", f"{tmp_path / 'one'}:{tmp_path / 'two'}")
    specs = command_specs()
    assert find_preset("mine", specs).count == 1
    assert find_preset(str(tmp_path / "two/mine.toml"), specs).count == 7
    with pytest.raises(UsageError, match="Did you mean 'mine'"):
        find_preset("mime", specs)
    found = {one.name: one for one in list_presets(specs)}
    assert isinstance(found["other"], Damaged)
    assert found["other"].error.message.startswith(f"{tmp_path / 'two/other.toml'}:3: ")
    assert found["mine"].path == tmp_path / "one/mine.toml"
    assert list(found) == sorted(found)


keys = st.sampled_from(["description", "command", "extends", "count", "name", "tags", "options", "bars", "x y", ""])
names = st.sampled_from(["affect", "bars", "set", "tempo", "audio", "expressive", "source", "one", "grid", "x y", ""])
leaves = st.one_of(
    st.booleans(), st.integers(-5, 2**70), st.floats(), st.text(st.characters(exclude_categories=("Cs",)), max_size=5),
    st.sampled_from(["emogen generate", "calm", "tempo=90", "wav", "./a.toml", "{seed}", "~nobody/x.toml"]),
)  # fmt: skip
anything = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3), max_leaves=4)


@given(st.dictionaries(keys, anything), st.none() | st.dictionaries(names, anything))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_a_file_holds_is_taken_or_told_with_its_line(tmp_path, top, options):
    lines = [f"{toml(key)} = {toml(value)}" for key, value in top.items()]
    if options is not None and "options" not in top:
        lines += ["[options]", *(f"{toml(key)} = {toml(value)}" for key, value in options.items())]
    path = tmp_path / "a.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    try:
        made, said = read(path), ()
    except PresetError as error:
        made, said = None, error.troubles
    assert (made is None) == bool(said)
    assert all(1 <= one.line <= max(len(lines), 1) for one in said)
    assert made is None or set(made.options) <= set(options if options is not None else {})


def test_the_command_is_told_without_checking_the_rest(write):
    assert preset_command(write("a", f"{BASE}nonsense = 3\n")) == "emogen generate"
    assert preset_command(write("b", 'extends = "a"\n')) == "emogen generate"
    for name, text in (("c", "command =\n"), ("d", ""), ("e", 'extends = "e"\n'), ("f", 'extends = "no"\n')):
        assert preset_command(write(name, text)) is None
