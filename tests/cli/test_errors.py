"""What a user does wrong: the exit code, one sentence with a hint, no traceback, nothing written."""

from __future__ import annotations

import pytest

GENERATE = ("muser", "generate")
USAGE = [
    (("-a", "blissfull", "-o", "x.mid"), "blissfull"),
    (("-a", "sad>>happy", "-o", "x.mid"), ""),
    (("-a", "", "-o", "x.mid"), ""),
    (("--valence", "3", "--arousal", "0", "-o", "x.mid"), "3 is not a number between -1 and 1"),
    (("--valence", "nan", "--arousal", "0", "-o", "x.mid"), "nan is not a number between -1 and 1"),
    (("--valence", "loud", "--arousal", "0", "-o", "x.mid"), "'loud' is not a number"),
    (("-a", "nan,0", "-o", "x.mid"), "nan"),
    (("--valence", "0.5", "-o", "x.mid"), "--valence came without --arousal"),
    (("--arousal", "0.5", "-o", "x.mid"), "--arousal came without --valence"),
    (("-a", "happy", "--valence", "0.5", "--arousal", "0.5", "-o", "x.mid"), "exclude each other"),
    (("-o", "x.mid"), "No affect"),
    (("-a", "happy"), "--output"),
    (("-a", "happy", "--bars", "0", "-o", "x.mid"), "0 is not in the range 1<=x<=256"),
    (("-a", "happy", "--bars", "8", "--seconds", "20", "-o", "x.mid"), "--bars and --seconds exclude each other"),
    (("-a", "happy", "--seconds", "inf", "-o", "x.mid"), "inf is not a number between 4 and 900"),
    (("-a", "happy", "--bars", "999999", "-o", "x.mid"), "999999"),
    (("-a", "happy", "--source", "/dev/null", "--keep", "colour", "-o", "x.mid"), "'colour'"),
    (("-a", "happy", "--temperature", "-1", "-o", "x.mid"), "-1 is not a number between 0 and 5"),
    (("-a", "happy", "--best-of", "0", "-o", "x.mid"), "--best-of"),
    (("-a", "happy", "--tries", "0", "-o", "x.mid"), "--tries"),
    (("-a", "happy", "--count", "0", "-o", "out"), "--count"),
    (("-a", "happy", "--seed", "-1", "-o", "x.mid"), "--seed"),
    (("-a", "happy", "--device", "gpu", "-o", "x.mid"), "'gpu' is not known"),
    (("-a", "happy", "--json", "-o", "-"), "--json and -o -"),
    (("-a", "happy", "--count", "2", "-o", "-"), "one stream"),
    (("-a", "happy", "--count", "2", "-o", "x.mid"), "-o x.mid names one file"),
    (("-a", "happy", "--source", "/dev/null", "--keep", "pitch", "--bars", "8", "-o", "x.mid"), "whose length stays"),
    (("-a", "happy", "--count", "2", "--manifest", "m.json", "-o", "out"), "--manifest"),
    (("-a", "happy", "--count", "2", "--plot", "p.png", "-o", "out"), "--plot p.png"),
    (("-a", "happy", "--plot", "p.bmp", "-o", "x.mid"), "p.bmp"),
    (("-a", "happy", "--manifest", "m.json", "--no-manifest", "-o", "x.mid"), "exclude each other"),
    (("-a", "happy", "-q", "-v", "-o", "x.mid"), "exclude each other"),
    (("-a", "happy", "--keep", "pitch", "-o", "x.mid"), "--keep came without --source"),
    (("-a", "happy", "--frobnicate", "-o", "x.mid"), "--frobnicate"),
]


@pytest.mark.parametrize(("words", "expected"), USAGE, ids=[" ".join(words) for words, _ in USAGE])
def test_usage(fails, words, expected):
    assert expected in fails(2, *GENERATE, *words)


def test_a_near_word_is_suggested(fails):
    assert "blissful" in fails(2, *GENERATE, "-a", "blissfull", "-o", "x.mid").partition("Hint:")[2]


def test_a_group_or_the_program_alone_shows_its_help(shell):
    for words in ((), ("muser",), ("models",)):
        done = shell(*words)
        assert done.returncode == 2
        assert b"Commands:" in done.stderr
        assert done.stdout == b""


@pytest.mark.parametrize("words", [("-a", "{}"), ("-a", "happy", "--seed", "{}"), ("-a", "happy", "--valence", "{}"),
                                   ("--preset", "{}"), ("-a", "happy", "--{}"), ("-a", "happy", "--device", "{}")])
@pytest.mark.parametrize("value", ["x" * 5000, "9" * 5000, "ab cd " * 900])
def test_a_long_value_is_not_told_whole(shell, words, value):
    done = shell.alone(*GENERATE, *(word.format(value) for word in words), "-o", "x.mid")
    said = done.stderr.decode()
    assert done.returncode in (1, 2)
    assert "..." in said
    assert len(said.partition("\nHint: ")[0]) < 250
    assert said.partition("\nHint: ")[0].endswith(".")


def test_an_unknown_command(fails):
    assert "mouser" in fails(2, "mouser")


def test_an_existing_output(shell, fails):
    (shell.folder / "x.mid").write_bytes(b"mine")
    assert "exists already" in fails(1, *GENERATE, "-a", "happy", "-o", "x.mid")
    assert (shell.folder / "x.mid").read_bytes() == b"mine"


def test_an_existing_manifest_or_picture_is_not_replaced_either(shell, fails):
    (shell.folder / "x.mid.json").write_text("mine")
    (shell.folder / "p.png").write_text("mine")
    assert "x.mid.json exists already" in fails(1, *GENERATE, "-a", "happy", "-o", "x.mid")
    assert "p.png exists already" in fails(1, *GENERATE, "-a", "happy", "-o", "y.mid", "--plot", "p.png")


def test_one_name_for_two_outputs(fails):
    assert "twice" in fails(1, *GENERATE, "-a", "happy", "-o", "x.mid", "--manifest", "x.mid")


def test_a_missing_folder(fails):
    assert "does not exist" in fails(1, *GENERATE, "-a", "happy", "-o", "no/such/x.mid")
    assert "does not exist" in fails(1, *GENERATE, "-a", "happy", "--count", "2", "-o", "no/such/")


def test_a_file_where_a_folder_was_expected(shell, fails):
    (shell.folder / "out").write_text("a file")
    assert "is a file" in fails(1, *GENERATE, "-a", "happy", "--count", "2", "-o", "out")


def test_a_command_that_fails_leaves_no_folder(shell, fails):
    fails(1, *GENERATE, "-a", "happy", "--checkpoint", "nope", "--plot", "pictures/", "--count", "2", "-o", "out/")
    assert shell.names() == []
    (shell.folder / "kept").mkdir()
    fails(1, *GENERATE, "-a", "happy", "--checkpoint", "nope", "-o", "kept/")
    assert shell.names() == ["kept"], "a folder that was there stays"


def test_a_text_file_as_midi(shell, fails):
    (shell.folder / "t.mid").write_text("not music")
    assert "is no MIDI file" in fails(1, *GENERATE, "-a", "happy", "--continue", "t.mid", "-o", "x.mid")
    assert "is no MIDI file" in fails(1, "muser", "reconstruct", "-", "-o", "x.mid", stdin=b"not music")


def test_a_missing_or_unreadable_input(fails):
    assert "nowhere.mid cannot be read" in fails(1, "muser", "reconstruct", "nowhere.mid", "-o", "x.mid")
    assert "cannot be read" in fails(1, "muser", "reconstruct", "/", "-o", "x.mid")


def test_standard_input_twice(fails):
    words = ("--source", "-", "--donor", "-", "--elements", "pitch", "-o", "x.mid")
    assert "read only once" in fails(2, "muser", "transfer", *words)


def test_a_missing_checkpoint_lists_what_there_is(fails):
    said = fails(1, *GENERATE, "-a", "happy", "--checkpoint", "nope", "-o", "x.mid")
    assert "'nope'" in said
    assert "fake" in said.partition("Hint:")[2]


def test_a_changed_checkpoint(shell, fails):
    weights = shell.models / "fake" / "weights.npz"
    weights.write_bytes(weights.read_bytes() + b"x")
    assert "SHA256SUMS" in fails(1, *GENERATE, "-a", "happy", "-o", "x.mid")


def test_an_absent_cuda_device(fails):
    said = fails(1, *GENERATE, "-a", "happy", "--device", "cuda:99", "-o", "x.mid")
    assert "cuda:99" in said


def test_a_fault_of_the_program_is_one_sentence_unless_debug_is_on(shell, fails):
    words = (*GENERATE, "-a", "happy", "-o", "x.mid")
    assert "fault of affectgen" in fails(1, *words, FAKE_FAIL="1")
    assert b"Traceback" in shell("--debug", *words, FAKE_FAIL="1").stderr
    assert b"Traceback" in shell.alone(*words, FAKE_FAIL="1", AFFECTGEN_DEBUG="1").stderr


def test_a_full_disk(shell):
    done = shell.alone(*GENERATE, "-a", "happy", "-o", "/dev/full")
    said = done.stderr.decode()
    assert done.returncode == 1
    assert "No space" in said
    assert "Traceback" not in said
