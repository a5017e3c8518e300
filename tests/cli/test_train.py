"""`affectgen muser train`: tiny models from hand-made clips, through an interruption or on from another, to a piece."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess

import numpy as np
import pytest

from affectgen.cli import train as command
from affectgen.errors import UsageError
from affectgen.muser.config import MuserConfig
from affectgen.muser.paper.config import PaperConfig
from affectgen.muser.paper.train import PaperTrainOptions
from affectgen.muser.produce import claim_run, find_points
from affectgen.muser.train import STAGES, TrainOptions, read_points
from affectgen.nn.checkpoint import load_checkpoint
from affectgen.recognize.mlp import Settings

TINY = ("--dim", "32", "--layers", "1", "--heads", "2", "--rows", "2", "--words", "64")
TINY += ("--prior", "6", "--finetune", "6")


def words(corpus, *more):
    return ("muser", "train", "--data", str(corpus), "-o", "mine", *TINY, *more)


def test_interrupted_resumed_and_used(shell, corpus):
    process = shell.start(*words(corpus, "--pretrain", "40"))
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(b"step 20/40"):
            process.send_signal(signal.SIGINT)
            break
    said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert "go on with the same words:\n  affectgen muser train --data" in said
    assert not (shell.folder / "mine").exists()
    points = read_points(shell.folder / "mine.run" / "points.csv")
    assert len(points) == 28  # the training clips; made without being asked for

    done = shell.alone(*words(corpus, "--pretrain", "40"))
    assert done.returncode == 0, done.stderr.decode()
    assert b"resumed at step" in done.stderr
    assert b"predicting the points" not in done.stderr
    config = json.loads((shell.folder / "mine" / "config.json").read_text())
    assert config["training"]["stages"]["pretrain"]["steps"] == 40
    assert config["training"]["command"].startswith("affectgen muser train")
    assert config["model"]["dim"] == config["model"]["condition"] == 32

    ask = ("-a", "happy", "--bars", "2", "--seed", "1", "-o", "x.mid")
    made = shell("muser", "generate", "--checkpoint", "./mine", *ask)
    assert made.returncode == 0, made.stderr
    assert (shell.folder / "x.mid").read_bytes()[:4] == b"MThd"
    again = shell(*words(corpus, "--pretrain", "40"))
    assert again.returncode == 1
    assert b"holds a checkpoint already" in again.stderr
    other = shell(*words(corpus, "--pretrain", "40", "--force", "--seed", "2"))
    assert other.returncode == 2
    assert b"was begun with seed 1 (now 2)" in other.stderr


def test_stages_one_by_one(shell, corpus, tmp_path):
    table = tmp_path / "points.csv"
    table.write_text("clip,valence,arousal\nQ1_s05_20,0.9,0.9\n")
    more = ("--pretrain", "6", "--points", str(table))
    early = shell(*words(corpus, *more, "--stages", "prior"))
    assert early.returncode == 1
    assert b"holds no pretraining" in early.stderr
    first = shell(*words(corpus, *more, "--stages", "pretrain,prior"))
    assert first.returncode == 0, first.stderr
    assert b"still to do before there is a checkpoint: finetune" in first.stderr
    assert not (shell.folder / "mine").exists()
    last = shell(*words(corpus, *more, "--stages", "finetune"))
    assert last.returncode == 0, last.stderr
    assert (shell.folder / "mine" / "weights.safetensors").is_file()


@pytest.fixture
def points(tmp_path):
    """A table without points: every clip at its quadrant's centre, which saves predicting them."""
    table = tmp_path / "points.csv"
    table.write_text("clip,valence,arousal\n")
    return ("--points", str(table))


def go_on(shell, corpus, points, start, out, steps):
    """Train on from a checkpoint, with the steps of pretrain, prior and finetune."""
    numbers = [word for name, count in zip(STAGES, steps, strict=True) for word in (f"--{name}", str(count))]
    sizes = ("--rows", "2", "--words", "64")
    return shell("muser", "train", "--data", str(corpus), "-o", out, "--from", str(start), *points, *sizes, *numbers)


def test_from_a_checkpoint_and_from_that_one_again(shell, corpus, points, tiny_muser):
    done = go_on(shell, corpus, points, tiny_muser, "once", (2, 2, 2))
    assert done.returncode == 0, done.stderr.decode()
    done = go_on(shell, corpus, points, "./once", "twice", (0, 0, 3))
    assert done.returncode == 0, done.stderr.decode()
    assert b"stage finetune" in done.stderr
    assert b"stage pretrain" not in done.stderr
    assert b"predicting" not in done.stderr

    made = shell.folder
    first, second, third = (load_checkpoint(path) for path in (tiny_muser, made / "once", made / "twice"))
    for part in ("encoder", "bar_books.books", "word_latents", "word_books.books"):
        kept = {key: value for key, value in first.weights().items() if key.startswith(f"model.{part}")}
        assert kept, part
        assert all(np.array_equal(value, third.weights()[key]) for key, value in kept.items()), part
    moved = [key for key, value in second.weights().items() if not np.array_equal(value, third.weights()[key])]
    assert moved
    assert all(key.startswith("model.") for key in moved), "the prior was to be kept"
    assert third.config["model"] == first.config["model"]
    told = third.config["training"]
    assert list(told["stages"]) == ["finetune"]
    assert {name: told["before"][name] for name in ("name", "sha256")} == {"name": "once", "sha256": second.sha256}
    assert told["before"]["training"] == second.config["training"]
    assert told["before"]["training"]["before"]["sha256"] == first.sha256
    assert told["passes_over_labelled"] > second.config["training"]["passes_over_labelled"] > 0

    card = (made / "twice" / "card.md").read_text()
    assert f"Goes on from once (sha256 {second.sha256[:12]})" in card
    assert f"once went on from tiny (sha256 {first.sha256[:12]})" in card
    rows = [line.split()[1:4:2] for line in card.splitlines() if line.startswith("| ")][1:]
    assert rows == [["before-pretrain", "2"], ["before-prior", "2"], ["before-finetune", "2"], ["finetune", "3"]]
    curves = [line.partition(",")[0] for line in (made / "twice" / "curves.csv").read_text().splitlines()[1:]]
    assert list(dict.fromkeys(curves)) == [stage for stage, _ in rows]

    ask = ("-a", "happy", "--bars", "2", "--seed", "1", "-o", "x.mid")
    done = shell("muser", "generate", "--checkpoint", "./twice", *ask)
    assert done.returncode == 0, done.stderr
    assert (made / "x.mid").read_bytes()[:4] == b"MThd"
    other = go_on(shell, corpus, points, tiny_muser, "twice", (0, 0, 3))
    assert other.returncode == 1, "twice holds a checkpoint"
    other = go_on(shell, corpus, (*points, "--force"), tiny_muser, "twice", (0, 0, 3))
    assert other.returncode == 2
    assert f"begun with from {second.sha256[:12]} (now {first.sha256[:12]})".encode() in other.stderr


def test_the_published_structure(shell, corpus):
    steps = ("--finetune", "3", "--prior", "3", "--rows", "2", "--dim", "64", "--layers", "2", "--heads", "2")
    ask = ("muser", "train", "--data", str(corpus), "-o", "mine", "--structure", "paper", *steps)
    done = shell(*ask)
    assert done.returncode == 0, done.stderr.decode()
    assert b"predicting" not in done.stderr
    assert b"try: affectgen muser generate --checkpoint ./mine" in done.stderr
    config = json.loads((shell.folder / "mine" / "config.json").read_text())
    assert config["kind"] == "muser-paper"
    sizes = ("dim", "decoder_layers", "heads", "element_dim", "element_heads", "prior_dim")
    assert [config["model"][name] for name in sizes] == [64, 2, 2, 32, 1, 64]
    assert {name: stage["steps"] for name, stage in config["training"]["stages"].items()} == {"vqvae": 3, "prior": 3}
    card = (shell.folder / "mine" / "card.md").read_text()
    assert "--structure paper --finetune 3" in card
    assert "Trained on labelled clips (EMOPIA's layout)." in card
    other = shell(*ask, "--force", "--seed", "2")
    assert other.returncode == 2
    assert b"was begun with seed 1 (now 2)" in other.stderr
    other = shell(*words(corpus, "--run", "mine.run", "--force"))
    assert other.returncode == 2
    assert b"was begun with structure paper (now ours)" in other.stderr
    other = shell("muser", "train", "--data", str(corpus), "-o", "other", "--from", "./mine")
    assert other.returncode == 1
    assert b"mine is a checkpoint of kind 'muser-paper'" in other.stderr
    ask = ("-a", "happy", "--bars", "3", "--seed", "1", "--tries", "1", "-o", "x.mid")
    made = shell("muser", "generate", "--checkpoint", "./mine", *ask)
    assert made.returncode == 0, made.stderr
    assert (shell.folder / "x.mid").read_bytes()[:4] == b"MThd"


def test_the_defaults_are_those_of_training_and_of_the_shipped_model(top):
    (sizes, ours), (paper_sizes, paper) = (command._parted(command.NUMBERS[name]) for name in ("ours", "paper"))
    known = TrainOptions.__dataclass_fields__
    assert {name: known[name].default for name in ours} == ours
    known = PaperTrainOptions.__dataclass_fields__
    assert {name: known["steps" if name == "finetune" else name].default for name in paper} == paper
    assert command.STAGES == STAGES
    options = {option.name: option.default for option in command.train.params}
    assert options["regulariser"] == MuserConfig.regulariser
    shipped = json.loads((top / "checkpoints" / "muser" / "config.json").read_text())["model"]
    assert sizes == {name: shipped[name] for name in command.SIZES}
    assert PaperConfig.sized(**paper_sizes) == PaperConfig()


def test_points_stay_inside_their_quadrants_and_are_made_once(corpus, tmp_path):
    path = tmp_path / "points.csv"
    assert find_points(corpus, path, Settings(members=1, steps=20)) == path
    for clip, (valence, arousal) in read_points(path).items():
        assert clip[:2] == {(1, 1): "Q1", (0, 1): "Q2", (0, 0): "Q3", (1, 0): "Q4"}[valence > 0, arousal > 0]
    before = path.read_bytes()
    assert find_points(tmp_path, path) == path
    assert path.read_bytes() == before


def test_a_run_keeps_its_settings(tmp_path):
    options = TrainOptions(tmp_path, tmp_path / "run", MuserConfig(dim=32))
    claim_run(options)
    claim_run(TrainOptions(tmp_path / "moved", tmp_path / "run", MuserConfig(dim=32), threads=2))
    with pytest.raises(UsageError) as caught:
        claim_run(TrainOptions(tmp_path, tmp_path / "run", MuserConfig(dim=64), rows=3))
    assert "dim 32 (now 64)" in caught.value.message
    assert "rows 12 (now 3)" in caught.value.message


def edited(corpus, tmp_path, change):
    """A copy of the corpus whose table is changed line by line."""
    copy = shutil.copytree(corpus, tmp_path / "copy")
    table = copy / "emopia" / "clips.csv"
    table.write_text("\n".join(change(line) for line in table.read_text().splitlines()) + "\n")
    return str(copy)


def test_data_that_do_not_fit(fails, corpus, tmp_path):
    head = ("muser", "train", "-o", "mine", "--data")
    assert "nowhere does not exist" in fails(1, *head, "nowhere")
    assert "no emopia/clips.csv" in fails(1, *head, ".")
    lost = edited(corpus, tmp_path / "a", lambda line: line.rpartition(",")[0])
    assert "no column beat" in fails(1, *head, lost)
    alone = edited(corpus, tmp_path / "b", lambda line: line.replace(",dev,", ",val,").replace(",train,", ",val,"))
    assert "none can be trained on" in fails(1, *head, alone)
    odd = edited(corpus, tmp_path / "c", lambda line: line.replace(",Q3,", ",sad,"))
    assert "'sad'" in fails(1, *head, odd)


def test_words_that_do_not_fit(fails, corpus, tmp_path):
    data = ("muser", "train", "--data", str(corpus))
    assert "no/such does not exist" in fails(1, *data, "-o", "no/such/mine")
    assert "points.csv cannot be read" in fails(1, *data, "-o", "mine", "--points", "points.csv")
    assert "got dance" in fails(2, *data, "-o", "mine", "--stages", "dance")
    assert "multiple of 8" in fails(2, *data, "-o", "mine", "--dim", "34")
    assert "multiple of 12" in fails(2, *data, "-o", "mine", "--dim", "34", "--heads", "3", "--structure", "paper")
    assert "--rate" in fails(2, *data, "-o", "mine", "--rate", "nan")
    assert "--layers" in fails(2, *data, "-o", "mine", "--layers", "0")
    assert "--output" in fails(2, *data)
    table = tmp_path / "odd.csv"
    table.write_text("clip,valence\na,1\n")
    assert "no table of points" in fails(1, *data, "-o", "mine", "--points", str(table))


def test_options_that_have_no_meaning_beside_others(shell, fails, corpus, tiny_muser):
    data = ("muser", "train", "--data", str(corpus), "-o", "mine")
    sizes = ("--dim", "256", "--layers", "6", "--heads", "4", "--regulariser", "0.5")
    said = fails(2, *data, *sizes, "--from", str(tiny_muser))
    assert "--dim and --layers and --heads and --regulariser cannot be used with --from" in said
    ours = (*sizes[-2:], "--from", "muser", "--words", "512", "--stages", "prior")
    said = fails(2, *data, *ours, "--structure", "paper")
    assert "--regulariser and --words and --from and --stages cannot be used with --structure paper" in said
    assert "no checkpoint named 'nothing'" in fails(1, *data, "--from", "nothing")
    assert "fake is a checkpoint of kind None" in fails(1, *data, "--from", "fake")
    for lost in (("--pretrain", "0"), ("--prior", "0"), ("--structure", "paper", "--finetune", "0")):
        done = shell(*data, *lost)
        assert done.returncode == 2
        assert f"{lost[-2]} 0 leaves out a stage".encode() in done.stderr
    done = shell(*data, "--from", str(tiny_muser), "--stages", "pretrain", "--pretrain", "0")
    assert done.returncode == 2
    assert b"No stage of pretrain has steps" in done.stderr
    assert shell.names() == []


def test_training_leaves_no_half_written_points(corpus, tmp_path, monkeypatch):
    def stop(*words, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr("affectgen.recognize.pseudo.out_of_fold", stop)
    with pytest.raises(KeyboardInterrupt):
        find_points(corpus, tmp_path / "points.csv")
    assert list(tmp_path.glob("*")) == []


def test_help_needs_no_torch(shell):
    called = "from affectgen.cli.program import run; run(['muser', 'train', '--help'])"
    script = f"import sys; {called}; print('torch' in sys.modules)"
    done = subprocess.run(
        [*shell.command()[:1], "-c", script], capture_output=True, env=shell.environment(), check=True, cwd=shell.folder
    )
    assert done.stdout.splitlines()[-1] == b"False"
