"""`affectgen emogen train`: a tiny generator and map from hand-made clips, through an interruption, to a piece."""

from __future__ import annotations

import json
import shutil
import signal

import pytest

from affectgen.cli import emogen_train as command
from affectgen.emogen import map_fit
from affectgen.emogen.config import EmogenConfig
from affectgen.emogen.train import EmogenTrainOptions
from affectgen.nn.checkpoint import load_checkpoint

TINY = ("--dim", "16", "--layers", "1", "--heads", "2", "--rows", "2", "--words", "48", "--finetune", "4")


def words(corpus, *more):
    return ("emogen", "train", "--data", str(corpus), "-o", "mine", *TINY, *more)


@pytest.fixture
def centred(monkeypatch):
    """No points are predicted, which saves ten seconds: every clip stands at the centre of its quadrant."""
    monkeypatch.setattr(map_fit, "emopia_points", lambda data: {})


def test_interrupted_resumed_and_used(shell, corpus, centred):
    process = shell.start(*words(corpus, "--pretrain", "40"))
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(b"step 20/40"):
            process.send_signal(signal.SIGINT)
            break
    said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert "The run is kept in mine.run" in said
    assert "go on with the same words:\n  affectgen emogen train --data" in said
    assert shell.names()[0] == "mine.run", "no checkpoint is begun"

    done = shell(*words(corpus, "--pretrain", "40"))
    assert done.returncode == 0, done.stderr.decode()
    assert b"try: affectgen emogen generate --checkpoint ./mine -a happy -o happy.mid" in done.stderr
    config = load_checkpoint(shell.folder / "mine").config
    assert config["training"]["stages"]["pretrain"]["steps"] == 40
    assert config["training"]["command"].startswith("affectgen emogen train --data")
    assert config["model"] == EmogenConfig(dim=16, layers=1, heads=2, condition=16).to_dict()
    steps = [line.split(",")[0] for line in (shell.folder / "mine.run/pretrain/log.csv").read_text().splitlines()[1:]]
    assert list(dict.fromkeys(steps)) == ["10", "20", "30", "40"]
    assert steps.count("10") == 1, "the run went on where it was"
    assert "affectgen emogen train" in (shell.folder / "mine-map" / "card.md").read_text()

    ask = ("-a", "happy", "--bars", "2", "--seed", "1", "--best-of", "1", "-o", "x.mid")
    made = shell("emogen", "generate", "--checkpoint", "./mine", *ask)
    assert made.returncode == 0, made.stderr
    assert (shell.folder / "x.mid").read_bytes()[:4] == b"MThd"
    shown = shell("emogen", "map", "--checkpoint", "./mine", "-a", "happy", "--json")
    assert json.loads(shown.stdout)["attributes"]

    again = shell(*words(corpus, "--pretrain", "40"))
    assert again.returncode == 1
    assert b"holds a checkpoint already" in again.stderr
    other = shell(*words(corpus, "--pretrain", "40", "--force", "--seed", "2"))
    assert other.returncode == 2
    assert b"was begun with seed 1 (now 2)" in other.stderr
    forced = shell(*words(corpus, "--pretrain", "40", "--force"))
    assert forced.returncode == 0, forced.stderr


def test_on_from_a_checkpoint(shell, corpus, centred, tiny_emogen):
    steps = ("--pretrain", "0", "--finetune", "2", "--rows", "2", "--words", "48")
    done = shell("emogen", "train", "--data", str(corpus), "--from", str(tiny_emogen), *steps, "-o", "tuned")
    assert done.returncode == 0, done.stderr.decode()
    assert b"stage finetune" in done.stderr
    assert b"stage pretrain" not in done.stderr
    start, tuned = load_checkpoint(str(tiny_emogen)), load_checkpoint(shell.folder / "tuned")
    assert tuned.config["model"] == start.config["model"]
    before = tuned.config["training"]["before"]
    assert (before["name"], before["sha256"]) == ("tiny", start.sha256)
    assert f"Goes on from tiny (sha256 {start.sha256[:12]})" in (shell.folder / "tuned" / "card.md").read_text()
    assert (shell.folder / "tuned-map" / "config.json").is_file()


def test_the_run_may_be_kept_elsewhere(shell, corpus, centred):
    done = shell(*words(corpus, "--pretrain", "2", "--run", "somewhere"))
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in shell.folder.iterdir()) == ["mine", "mine-map", "somewhere"]


def test_the_defaults_are_those_of_training():
    known = EmogenTrainOptions.__dataclass_fields__
    assert {name: known[name].default for name in command.NUMBERS} == command.NUMBERS
    options = {option.name: option.default for option in command.train.params}
    assert {name: options[name] for name in command.NUMBERS} == command.NUMBERS
    plain = EmogenConfig()
    assert [options[name] for name in ("dim", "layers", "heads")] == [plain.dim, plain.layers, plain.heads]
    assert plain.condition == plain.dim, "the command gives the condition the width of the decoder"
    assert options["seed"] == known["seed"].default


def test_a_gpu_gets_processes_that_draw(monkeypatch):
    monkeypatch.setattr(command, "cores", lambda: 16)
    monkeypatch.setattr(command, "pick_device", lambda device: "cuda" if device == "auto" else device)
    assert command.drawers(None, "auto") == 15
    assert command.drawers(None, "cpu") == 0
    assert command.drawers(3, "cpu") == 3
    assert command.drawers(0, "auto") == 0


def test_data_that_do_not_fit(fails, corpus, tmp_path):
    head = ("emogen", "train", "-o", "mine", "--data")
    assert "nowhere does not exist" in fails(1, *head, "nowhere")
    assert "no emopia/clips.csv" in fails(1, *head, ".")
    data = shutil.copytree(corpus, tmp_path / "copy")
    table = data / "emopia" / "clips.csv"
    table.write_text(table.read_text().replace(",Q3,", ",sad,"))
    assert "'sad'" in fails(1, *head, str(data))


def test_words_that_do_not_fit(shell, fails, corpus):
    data = ("emogen", "train", "--data", str(corpus))
    assert "no/such does not exist" in fails(1, *data, "-o", "no/such/mine")
    assert "--rate" in fails(2, *data, "-o", "mine", "--rate", "nan")
    assert "--layers" in fails(2, *data, "-o", "mine", "--layers", "0")
    assert "--words" in fails(2, *data, "-o", "mine", "--words", "3")
    assert "--output" in fails(2, *data)
    assert "no checkpoint named 'nothing'" in fails(1, *data, "-o", "mine", "--from", "nothing")
    assert "fake is a checkpoint of kind None" in fails(1, *data, "-o", "mine", "--from", "fake")
    (shell.folder / "file").write_text("a file")
    assert "file is a file" in fails(1, *data, "-o", "file")
    nothing = ("--pretrain", "0", "--finetune", "0")
    for more, said in ((nothing, "leave nothing to train"), (("--dim", "34"), "multiple")):
        done = shell(*data, "-o", "mine", *more)
        assert done.returncode == 2
        assert said in done.stderr.decode()
    assert shell.names() == ["file"]


def test_sizes_have_no_meaning_beside_a_checkpoint(shell, corpus, centred, tiny_emogen):
    """As in `muser train`: what --from decides cannot be given as well."""
    steps = ("--pretrain", "0", "--finetune", "1", "--rows", "1", "--words", "48")
    data = ("emogen", "train", "--data", str(corpus), "-o", "mine", "--from", str(tiny_emogen), *steps)
    done = shell(*data, "--dim", "256", "--layers", "6", "--heads", "4")
    assert b"--dim and --layers and --heads cannot be used with --from" in done.stderr
    assert done.returncode == 2


def test_a_map_is_not_replaced_without_force(shell, corpus, centred):
    """The map goes to OUTPUT-map: a checkpoint that is there already is somebody's."""
    folder = shell.folder / "mine-map"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    done = shell(*words(corpus, "--pretrain", "0"))
    assert (folder / "config.json").read_text() == "{}"
    assert done.returncode == 1
    assert b"mine-map holds a checkpoint already" in done.stderr
