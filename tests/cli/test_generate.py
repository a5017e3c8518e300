"""`affectgen muser`: files, pipes, manifests, many pieces at once."""

from __future__ import annotations

import hashlib
import json

from affectgen.muser.options import GenerateOptions


def test_writes_a_piece_and_its_manifest(shell):
    done = shell.alone("muser", "generate", "-a", "happy", "-o", "happy.mid", "--bars", "4", "--seed", "7")
    assert done.returncode == 0, done.stderr
    assert done.stdout == b""
    assert shell.names() == ["happy.mid", "happy.mid.json"]
    data = (shell.folder / "happy.mid").read_bytes()
    record = json.loads((shell.folder / "happy.mid.json").read_text())
    assert record["output"] == {"path": "happy.mid", "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    assert record["task"] == "muser generate"
    assert record["argv"] == ["muser", "generate", "-a", "happy", "-o", "happy.mid", "--bars", "4", "--seed", "7"]
    assert record["settings"]["bars"] == {"value": 4, "from": "option"}
    assert record["settings"]["seed"] == {"value": 7, "from": "option"}
    assert record["settings"]["top_p"] == {"value": GenerateOptions.top_p, "from": "default"}
    assert record["asked"] == {"valence": 0.7, "arousal": 0.5}
    assert record["measured"]["recogniser"] == "judge"
    assert set(record["checkpoint"]) == {"name", "sha256"}
    assert record["seconds"]["make"] >= 0
    assert record["run"]["device"] == {"value": "cpu", "from": "default"}
    assert "measured by the judge" in done.stderr.decode()


def test_an_absent_seed_is_drawn_and_printed(shell):
    done = shell("muser", "generate", "-a", "sad", "-o", "a.mid")
    assert done.returncode == 0
    record = json.loads((shell.folder / "a.mid.json").read_text())
    assert record["settings"]["seed"]["from"] == "drawn"
    assert f"seed {record['settings']['seed']['value']}" in done.stderr.decode().splitlines()


def test_an_explicit_zero_is_a_value(shell):
    words = ("--valence", "0", "--arousal", "0", "--seed", "0", "--temperature", "0", "-o", "a.mid")
    assert shell("muser", "generate", *words).returncode == 0
    settings = json.loads((shell.folder / "a.mid.json").read_text())["settings"]
    assert settings["seed"] == {"value": 0, "from": "option"}
    assert settings["temperature"] == {"value": 0.0, "from": "option"}
    assert settings["affect"]["value"] == "0.0,0.0"


def test_environment_beats_default_and_option_beats_environment(shell):
    extra = {"AFFECTGEN_SEED": "5", "AFFECTGEN_AFFECT": "sad", "AFFECTGEN_BEST_OF": "3"}
    words = ("muser", "generate", "--valence", "0.5", "--arousal", "0.5", "--best-of", "2", "-o", "a.mid")
    assert shell(*words, **extra).returncode == 0
    settings = json.loads((shell.folder / "a.mid.json").read_text())["settings"]
    assert settings["seed"] == {"value": 5, "from": "environment"}
    assert settings["affect"] == {"value": "0.5,0.5", "from": "option"}
    assert settings["best_of"] == {"value": 2, "from": "option"}


def test_standard_output_holds_the_piece_alone(shell):
    piped = shell.alone("muser", "generate", "-a", "happy", "--seed", "1", "-o", "-")
    assert piped.returncode == 0
    assert shell.names() == []
    assert shell("muser", "generate", "-a", "happy", "--seed", "1", "-o", "a.mid", "--no-manifest").returncode == 0
    assert shell.names() == ["a.mid"]
    assert piped.stdout == (shell.folder / "a.mid").read_bytes()


def test_a_manifest_beside_a_pipe_only_where_it_is_asked_for(shell):
    done = shell("muser", "generate", "-a", "happy", "-o", "-", "--manifest", "m.json")
    assert done.returncode == 0
    record = json.loads((shell.folder / "m.json").read_text())
    assert record["output"]["path"] is None
    assert record["output"]["sha256"] == hashlib.sha256(done.stdout).hexdigest()


def test_count_makes_a_folder_with_seeds_counted_up(shell):
    done = shell("muser", "generate", "-a", "sad>happy", "--count", "18", "--seed", "30", "-o", "out/")
    assert done.returncode == 0, done.stderr
    pieces = sorted((shell.folder / "out").glob("*.mid"))
    assert [path.name for path in pieces] == [f"sad_happy-{seed}.mid" for seed in range(30, 48)]
    assert len({path.read_bytes() for path in pieces}) == 18
    alone = shell("muser", "generate", "-a", "sad>happy", "--seed", "47", "-o", "-")
    assert alone.stdout == pieces[-1].read_bytes()
    record = json.loads((shell.folder / "out" / "sad_happy-47.mid.json").read_text())
    assert record["settings"]["seed"]["value"] == 47


def test_a_folder_without_count_gets_one_piece(shell):
    assert shell("muser", "generate", "-a", "0.7,-0.2", "--seed", "4", "-o", "out/").returncode == 0
    assert shell.names() == ["out", "out/0.7_-0.2-4.mid", "out/0.7_-0.2-4.mid.json"]


def test_json_describes_every_piece(shell):
    done = shell("muser", "generate", "-a", "calm", "--count", "2", "--seed", "1", "-o", "out", "--json", "-q")
    assert done.returncode == 0
    assert done.stderr == b""
    told = json.loads(done.stdout)
    assert told["task"] == "muser generate"
    assert [piece["files"]["piece"] for piece in told["pieces"]] == ["out/calm-1.mid", "out/calm-2.mid"]
    assert [piece["settings"]["seed"]["value"] for piece in told["pieces"]] == [1, 2]


def test_inputs_come_from_files_and_from_standard_input(shell):
    first = shell("muser", "generate", "-a", "calm", "--seed", "1", "-o", "a.mid")
    assert first.returncode == 0
    data = (shell.folder / "a.mid").read_bytes()
    from_file = shell("muser", "generate", "-a", "calm", "--seed", "2", "--continue", "a.mid", "-o", "-")
    from_pipe = shell("muser", "generate", "-a", "calm", "--seed", "2", "--continue", "-", "-o", "-", stdin=data)
    without = shell("muser", "generate", "-a", "calm", "--seed", "2", "-o", "-")
    assert from_file.returncode == from_pipe.returncode == 0
    assert from_file.stdout == from_pipe.stdout != without.stdout


def test_transfer_and_reconstruct(shell):
    for seed in ("1", "2"):
        assert shell("muser", "generate", "-a", "calm", "--seed", seed, "-o", f"{seed}.mid").returncode == 0
    words = ("--source", "1.mid", "--donor", "2.mid", "--elements", "velocity,duration,velocity", "-o", "t.mid")
    assert shell("muser", "transfer", *words).returncode == 0
    record = json.loads((shell.folder / "t.mid.json").read_text())
    assert record["settings"]["elements"]["value"] == ["velocity", "duration"]
    source = record["settings"]["source"]["value"]
    assert source["path"].endswith("1.mid")
    assert source["sha256"] == hashlib.sha256((shell.folder / "1.mid").read_bytes()).hexdigest()
    done = shell("muser", "reconstruct", "1.mid", "-o", "r.mid")
    assert done.returncode == 0
    assert "note F1 0.98" in done.stderr.decode()


def test_force_replaces_and_a_link_stays_a_link(shell):
    target = shell.folder / "real.mid"
    target.write_bytes(b"old")
    (shell.folder / "link.mid").symlink_to(target)
    assert shell("muser", "generate", "-a", "calm", "-o", "link.mid", "--force").returncode == 0
    assert (shell.folder / "link.mid").is_symlink()
    assert target.read_bytes()[:4] == b"MThd"


def test_a_device_is_written_in_place(shell):
    done = shell.alone("muser", "generate", "-a", "calm", "-o", "/dev/stdout", "-q")
    assert done.returncode == 0
    assert done.stdout[:4] == b"MThd"
    assert shell.names() == []


def test_plot_draws_a_picture_of_every_piece(shell):
    done = shell("muser", "generate", "-a", "calm", "--count", "2", "--seed", "1", "-o", "out", "--plot", "pics")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in sorted((shell.folder / "pics").iterdir())] == ["calm-1.png", "calm-2.png"]
    assert (shell.folder / "pics" / "calm-1.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert shell("muser", "generate", "-a", "calm", "-o", "-", "--plot", "a.svg").returncode == 0
    assert b"<svg" in (shell.folder / "a.svg").read_bytes()[:2000]
