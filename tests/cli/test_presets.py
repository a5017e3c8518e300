"""`affectgen presets` and `--preset` as a user meets them."""

from __future__ import annotations

import json
import tomllib

import pytest

MINE = """\
description = "A quiet piece."
command = "muser generate"
tags = ["calm", "mine"]

[options]
affect = "calm"
bars = 2
seed = 5
temperature = 0.7
plot = "svg"
"""


@pytest.fixture
def desk(shell):
    """A shell with presets of its own: mine, its grid, and a damaged one can be added."""
    (shell.folder / "mine.toml").write_text(MINE)
    (shell.folder / "many.toml").write_text(
        'description = "Several."\nextends = "mine"\ntags = ["grid"]\n[options]\nbars = [1, 2, 3]\n'
    )
    return shell


HERE = {"AFFECTGEN_PRESETS": "."}


def settings(shell, name: str) -> dict[str, tuple[object, str]]:
    held = json.loads((shell.folder / f"{name}.json").read_text())["settings"]
    return {key: (each["value"], each["from"]) for key, each in held.items()}


def test_a_preset_stands_below_options_and_environment_and_above_defaults(desk):
    done = desk.alone("muser", "generate", "--preset", "mine", "--bars", "3", "-o", "a.mid",
                      **HERE, AFFECTGEN_SEED="9", AFFECTGEN_BEST_OF="2")  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = settings(desk, "a.mid")
    assert found["affect"] == ("calm", "preset")
    assert found["temperature"] == (0.7, "preset")
    assert found["bars"] == (3, "option")
    assert found["seed"] == (9, "environment")
    assert found["best_of"] == (2, "environment")
    assert found["top_p"][1] == "default"
    assert (desk.folder / "a.svg").is_file()  # further files are named like the piece
    assert desk("replay", "a.mid.json").returncode == 0


def test_the_same_bytes_as_saying_it_all(desk):
    desk("muser", "generate", "--preset", "./mine.toml", "-o", "a.mid")
    desk("muser", "generate", "-a", "calm", "--bars", "2", "--seed", "5", "--temperature", "0.7", "-o", "b.mid")
    assert (desk.folder / "a.mid").read_bytes() == (desk.folder / "b.mid").read_bytes()


@pytest.mark.parametrize(
    ("words", "name", "value", "gone"),
    [
        (("--seconds", "12"), "seconds", 12.0, ("bars", 16)),
        (("--valence", "0.5", "--arousal", "0.25"), "affect", "0.5,0.25", ("seconds", None)),
    ],
)
def test_an_option_takes_away_what_it_cannot_stand_beside(desk, words, name, value, gone):
    assert desk("muser", "generate", "--preset", "./mine.toml", *words, "-o", "a.mid").returncode == 0
    found = settings(desk, "a.mid")
    assert found[name] == (value, "option")
    assert found[gone[0]] == (gone[1], "default")


def test_several_pieces_and_standard_output(desk):
    done = desk("muser", "generate", "--preset", "./mine.toml", "--count", "2", "-o", "out/")
    assert done.returncode == 0, done.stderr
    assert {"out/calm-5.mid", "out/calm-5.png", "out/calm-6.mid"} <= set(desk.names())
    done = desk("muser", "generate", "--preset", "./mine.toml", "-o", "-")
    assert done.stdout.startswith(b"MThd")


def test_a_grid_and_another_commands_preset_are_usage_errors(desk, fails):
    said = fails(2, "muser", "generate", "--preset", "./many.toml", "-o", "a.mid")
    assert "many has 3 values of bars" in said
    assert "affectgen batch ./many.toml -o out/" in said
    assert desk("muser", "generate", "--preset", "./many.toml", "--bars", "2", "-o", "b.mid").returncode == 0
    said = fails(2, "emogen", "generate", "--preset", "./mine.toml", "-o", "a.mid")
    assert "is one of `affectgen muser generate`" in said
    said = fails(2, "muser", "generate", "--preset", "mime", "-o", "a.mid", **HERE)
    assert "Did you mean 'mine'?" in said


@pytest.mark.parametrize(
    ("code", "words", "message", "hint"),
    [
        (1, ("./mine",), "There is no file ./mine.", "Say: ./mine.toml"),
        (2, ("mine",), "There is no preset 'mine'.", "Say: ./mine.toml"),
        (1, ("more/",), "more/ is a folder, and a preset's file was", "Say which file of the folder: more/a.toml"),
        (2, ("more",), "There is no preset 'more'.", "Say which file of the folder: more/a.toml"),
        (1, ("./study",), "There is no file ./study.", "There is a preset of that name; say: study"),
        (1, ("presets/study.toml",), "There is no file presets/study.toml.", "say: study"),
        (1, ("empty/",), "empty/ is a folder", "It holds no preset"),
        (1, ("./nothing",), "There is no file ./nothing.", "Check the path."),
    ],
)
def test_a_path_without_its_ending_and_a_folder_are_told_what_to_say(desk, fails, code, words, message, hint):
    for folder in ("more", "empty"):
        (desk.folder / folder).mkdir()
    for name in ("a", "b"):
        (desk.folder / "more" / f"{name}.toml").write_text(MINE)
    for command in (("muser", "generate", "--preset", *words, "-o", "a.mid"), ("batch", *words, "-o", "out")):
        said = fails(code, *command)
        assert message in said
        assert hint in said.partition("Hint: ")[2]


def test_what_is_said_instead_of_a_wrong_path_works(desk, fails):
    fails(1, "muser", "generate", "--preset", "./mine", "-o", "a.mid")
    assert desk("muser", "generate", "--preset", "./mine.toml", "-o", "a.mid").returncode == 0
    (desk.folder / "top.toml").write_text('description = "d"\nextends = "./mine"\n')
    assert "top.toml:2: There is no file ./mine. Say: ./mine.toml" in fails(1, "presets", "check", "./top.toml")
    (desk.folder / "top.toml").write_text('description = "d"\nextends = "./mine.toml"\n')
    assert desk("presets", "check", "./top.toml").returncode == 0


def test_a_damaged_preset_is_told_by_file_and_line(desk, fails):
    (desk.folder / "bad.toml").write_text(MINE + "barz = 3\nvalence = 7\n")
    said = fails(2, "muser", "generate", "--preset", "./bad.toml", "-o", "a.mid")
    assert "bad.toml:11: muser generate has no option 'barz'. Did you mean 'bars'?" in said
    assert "bad.toml:12: valence got 7; a number from -1 to 1 was expected." in said


def test_the_ending_of_the_output_beats_a_presets_format(shell, tmp_path):
    (shell.folder / "a.toml").write_text('description = "d"\ncommand = "render"\n[options]\nformat = "mp3"\n')
    shell("muser", "generate", "-a", "calm", "--bars", "1", "--seed", "1", "-o", "x.mid")
    for output, ending in (("x.flac", "flac"), ("x.mp3", "mp3"), ("out/", "mp3")):
        done = shell("render", "x.mid", "--preset", "./a.toml", "--renderer", "piano", "-o", output)
        assert done.returncode == 0, done.stderr
        name = f"out/x.{ending}" if output == "out/" else output
        assert settings(shell, name)["format"][0] == ending
        assert (shell.folder / name).stat().st_size > 1000


def test_files_beside_the_source_are_found(shell, fails):
    (shell.folder / "a.toml").write_text(
        'description = "d"\ncommand = "speech correct"\n[options]\ntext-file = "{source}.txt"\naffect = "happy"\n'
    )
    (shell.folder / "in.wav").write_bytes(b"no sound")
    assert "in.txt cannot be read" in fails(1, "speech", "correct", "in.wav", "--preset", "./a.toml", "-o", "o.wav")
    words = ("speech", "correct", "in.wav", "--preset", "./a.toml", "--text", "Well.", "-o", "o.wav")
    assert "in.wav" in fails(1, *words)  # the text is there; the sound is none


def test_list(desk):
    done = desk.alone("presets", "list", **HERE)
    assert done.returncode == 0
    text = done.stdout.decode()
    assert "mine" in text
    assert "A quiet piece. [calm, mine]" in text
    assert "study" in text  # those of the package, too
    done = desk("presets", "list", "--json", "--tag", "mine", **HERE)
    (row,) = json.loads(done.stdout)["presets"]
    assert (row["name"], row["command"], row["pieces"], row["works_on"]) == ("mine", "muser generate", 1, None)
    rows = json.loads(desk("presets", "list", "--command", "speech", "--json").stdout)["presets"]
    assert {row["command"] for row in rows} == {"speech convert", "speech correct", "speech edit"}
    assert all(row["works_on"] == "source" for row in rows)


def test_damaged_ones_are_told_in_the_list(desk):
    (desk.folder / "bad.toml").write_text("bad = \n")
    done = desk("presets", "list", "--json", **HERE)
    assert done.returncode == 3
    held = json.loads(done.stdout)
    assert [one["name"] for one in held["damaged"]] == ["bad"]
    assert "mine" in {one["name"] for one in held["presets"]}
    assert b"bad.toml:1: This is no TOML" in done.stderr


def test_one_that_is_too_large_does_not_hide_the_others(desk):
    grid = 'count = 100000\n[options]\naffect = ["happy", "sad"]\nbars = [1, 2, 3, 4, 5, 6]\n'
    (desk.folder / "huge.toml").write_text(f'description = "x"\ncommand = "emogen generate"\n{grid}')
    done = desk("presets", "list", **HERE)
    assert done.returncode == 3
    assert b"huge.toml:3: The preset comes to 1200000 pieces" in done.stderr
    assert b"mine" in done.stdout
    assert "huge" not in json.loads(desk("doctor", "--json", **HERE).stdout)["presets"]["names"]


def test_show(desk):
    held = json.loads(desk("presets", "show", "many", "--json", **HERE).stdout)
    assert held["options"]["bars"] == {"value": [1, 2, 3], "from": "many.toml"}
    assert held["options"]["affect"] == {"value": "calm", "from": "mine.toml"}
    assert held["files"] == ["many.toml", "mine.toml"]
    assert [job["name"] for job in held["jobs"]] == [f"many-calm-5-bars-{bars}" for bars in (1, 2, 3)]
    assert held["jobs"][1]["values"]["bars"] == 2
    text = desk("presets", "show", "./many.toml").stdout.decode()
    assert "3 pieces" in text
    assert "many-calm-5-bars-2" in text


def test_check(desk, fails):
    done = desk.alone("presets", "check", "mine.toml", "many", **HERE)
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"2 presets are good" in done.stderr
    (desk.folder / "bad.toml").write_text(MINE + 'source = "none.mid"\n')
    assert "bad.toml:11: " in fails(1, "presets", "check", "./bad.toml")
    said = desk("presets", "check", "./bad.toml", "mine.toml", "--json")
    assert said.returncode == 3
    rows = json.loads(said.stdout)["presets"]
    assert [bool(row["errors"]) for row in rows] == [True, False]
    assert "bad.toml:" in rows[0]["errors"][0]
    assert "none.mid cannot be read" in rows[0]["errors"][0]
    assert sorted(desk.names()) == ["bad.toml", "many.toml", "mine.toml"]  # nothing is made


def test_new_makes_a_preset_that_says_what_the_words_say(desk, fails):
    words = ("presets", "new", "own", "--command", "emogen generate", "-o", "own.toml")
    said = ("--affect", "sad>calm", "--set", "tempo=90", "--on-grid", "--audio", "x.ogg", "--top-p", "1")
    done = desk(*words, "--", *said)
    assert done.returncode == 0, done.stderr
    text = (desk.folder / "own.toml").read_text()
    assert tomllib.loads(text)["options"] == {
        "set": ["tempo=90"], "affect": "sad>calm", "top-p": 1, "expressive": False, "audio": "ogg"
    }  # fmt: skip
    assert "\n# bars = 16\n" in text
    assert desk("presets", "check", "own.toml").returncode == 0
    assert "--force" in fails(1, *words)
    assert (desk.folder / "own.toml").read_text() == text
    assert desk(*words, "--force").returncode == 0
    assert (desk.folder / "own.toml").read_text() != text


def test_new_on_top_of_another(desk, fails):
    words = ("presets", "new", "own", "--command", "muser generate", "--extends", "./mine.toml")
    held = tomllib.loads(desk(*words, "-o", "-", "--", "--bars", "3").stdout.decode())
    assert (held["extends"], held["options"]) == ("./mine.toml", {"bars": 3})
    assert desk(*words).returncode == 0
    assert json.loads(desk("presets", "show", "./own.toml", "--json").stdout)["options"]["affect"]["value"] == "calm"
    assert "no preset of render" in fails(2, "presets", "new", "x", "--command", "render", "--extends", "./mine.toml")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--bars", "0"), "bars got 0; an integer from 1 to 256 was expected."),
        (("--bars", "many"), 'bars got "many"; an integer from 1 to 256 was expected.'),
        (("--affect", "clam"), "Did you mean calm?"), (("--barz", "2"), "--barz"),
        (("-o", "x.mid"), "--output is no part"),
        (("stray",), "'stray' is no option of muser generate."),
    ],
)  # fmt: skip
def test_new_refuses_what_no_preset_can_say(fails, words, said):
    assert said in fails(2, "presets", "new", "x", "--command", "muser generate", "--", *words)


def test_schema_prints_the_file(shell, top):
    assert shell.alone("presets", "schema").stdout == (top / "presets" / "schema.json").read_bytes()


def test_a_batch_of_a_preset(desk):
    done = desk.alone("batch", "many", "-o", "out", "--jobs", "1", "--count", "2", **HERE)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {line["name"] for line in lines} == {f"many-calm-{s}-bars-{b}" for s in (5, 6) for b in (1, 2, 3)}
    found = settings(desk, "out/many-calm-6-bars-2.mid")
    assert (found["bars"], found["seed"][0]) == ((2, "preset"), 6)
    assert desk("muser", "generate", "--preset", "./mine.toml", "-o", "alone.mid").returncode == 0
    assert (desk.folder / "alone.mid").read_bytes() == (desk.folder / "out/many-calm-5-bars-2.mid").read_bytes()


@pytest.mark.parametrize(
    ("preset", "words"),
    [
        ("film-grief", ("--source", "song.mid", "--keep", "pitch")),
        ("film-grief", ("--continue", "song.mid")),
        ("film-chase", ("--source", "song.mid", "--keep", "pitch")),
    ],
)  # fmt: skip
def test_what_a_preset_says_makes_way_for_what_cannot_stand_beside_it(shell, preset, words):
    import json

    shell("muser", "generate", "-a", "calm", "--bars", "2", "--seed", "1", "-o", "song.mid")
    found = json.loads(shell("presets", "show", preset, "--json").stdout)
    command = found["command"].split()
    done = shell(*command, "--preset", preset, "--seed", "1", *words, "-o", "new.mid")
    assert b"came with" not in done.stderr
    assert done.returncode in (0, 1), done.stderr  # 1: EmoGen's weights are not in this shell


def test_a_new_preset_finds_what_was_typed_from_elsewhere(shell):
    (shell.folder / "sub").mkdir()
    (shell.folder / "song.mid").write_bytes(b"MThd")
    words = ("--", "-a", "sad", "--source", "song.mid", "--keep", "pitch")
    first = shell("presets", "new", "p", "-o", "sub/p.toml", "--command", "muser generate", *words)
    assert first.returncode == 0, first.stderr
    second = shell("presets", "new", "x", "-o", "x.toml", "--command", "muser generate", "--extends", "./sub/p.toml")
    assert second.returncode == 0, second.stderr
    for name in ("sub/p.toml", "x.toml"):
        shown = shell("presets", "show", name).stdout.decode()
        assert str(shell.folder / "song.mid") in shown


SHORT = 'description = "d"\ncommand = "muser generate"\n[options]\nbars = 1\n'
WAYS = {
    "word": 'affect = "calm"', "point": 'affect = "0.5,-0.25"', "path": 'affect = "calm>happy"',
    "numbers": "valence = 0.5\narousal = -0.25",
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("environment", [{}, {"AFFECTGEN_AFFECT": "sad"}], ids=["alone", "environment"])
def test_a_batch_and_a_single_command_ask_for_the_same_emotion(shell, way, environment):
    (shell.folder / "p.toml").write_text(f'{SHORT}seed = 5\naudio = "wav"\n{WAYS[way]}\n')
    single = shell("muser", "generate", "--preset", "./p.toml", "-o", "a.mid", **environment)
    assert single.returncode == 0, single.stderr
    batch = shell("batch", "./p.toml", "-o", "out", "--jobs", "1", **environment)
    assert batch.returncode == 0, batch.stderr
    name = json.loads(batch.stdout)["name"]
    found, other = settings(shell, "a.mid"), settings(shell, f"out/{name}.mid")
    wanted = "0.5,-0.25" if way == "numbers" else WAYS[way].partition('"')[2].rstrip('"')
    assert found["affect"] == (("sad", "environment") if environment else (wanted, "preset"))
    assert other == found
    assert (shell.folder / f"out/{name}.mid").read_bytes() == (shell.folder / "a.mid").read_bytes()
    assert settings(shell, f"out/{name}.wav")["title"] == settings(shell, "a.wav")["title"]


def test_numbers_of_a_presets_list_stand_above_a_word_of_the_environment(shell):
    (shell.folder / "p.toml").write_text(f"{SHORT}valence = [0.5, -0.5]\narousal = 0.25\n")
    done = shell("batch", "./p.toml", "-o", "out", "--jobs", "1", "--seed", "3", AFFECTGEN_AFFECT="sad")
    assert done.returncode == 0, done.stderr
    names = [json.loads(line)["name"] for line in done.stdout.splitlines()]
    asked = {settings(shell, f"out/{name}.mid")["affect"] for name in names}
    assert asked == {("0.5,0.25", "preset"), ("-0.5,0.25", "preset")}


def test_a_number_of_the_command_line_and_the_presets_other_one_stand_above_the_environment(shell):
    (shell.folder / "p.toml").write_text(f"{SHORT}seed = 5\nvalence = 0.5\narousal = 0.25\n")
    words = ("muser", "generate", "--preset", "./p.toml", "--arousal", "-0.75", "--audio", "a.wav", "-o", "a.mid")
    done = shell(*words, AFFECTGEN_AFFECT="sad")
    assert done.returncode == 0, done.stderr
    assert settings(shell, "a.mid")["affect"] == ("0.5,-0.75", "option")
    assert settings(shell, "a.wav")["title"][0] == "0.5,-0.75"
