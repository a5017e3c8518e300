"""What the files at the top say: floors, packaging, README."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from affectgen.cli.docs import page
from affectgen.cli.program import affectgen

TOP = Path(__file__).resolve().parent.parent
FLOORS = (
    ("affect", "errors", "paths", "device", "manifest", "task", "output", "spooled", "processes",
     "interrupts", "__init__"),
    ("score", "audio", "nn"),
    ("recognize",),
    ("writing",),
    ("muser", "emogen", "medicine", "speech", "render"),
    ("batch", "report", "evaluate"),
    ("cli", "__main__"),
)
FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names}
MODULES = sorted((TOP / "affectgen").rglob("*.py"))


def part_of(path):
    return path.relative_to(TOP / "affectgen").parts[0].removesuffix(".py")


def imported(path):
    """The parts of affectgen that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            whole = node.module == "affectgen"
            names = [f"affectgen.{alias.name}" for alias in node.names] if whole else [node.module]
        for name in names:
            if name.startswith("affectgen."):
                yield name.split(".")[1]


@pytest.mark.parametrize("path", MODULES, ids=[str(path.relative_to(TOP)) for path in MODULES])
def test_a_module_imports_only_from_floors_below(path):
    own = part_of(path)
    used = {part for part in imported(path) if part in FLOOR} - {own}
    above = {part for part in used if FLOOR[part] > FLOOR[own]}
    beside = {part for part in used if FLOOR[part] == FLOOR[own] and FLOOR[own] == FLOOR["muser"]}
    assert (above, beside) == (set(), set())


def project():
    return tomllib.loads((TOP / "pyproject.toml").read_text())


def test_constraints_pin_every_dependency():
    lines = (TOP / "constraints.txt").read_text().splitlines()
    pinned = {line.partition("==")[0].lower().replace("_", "-"): line.partition("==")[2] for line in lines}
    wanted = [*project()["project"]["dependencies"], *project()["project"]["optional-dependencies"]["dev"]]
    for requirement in wanted:
        name = re.split(r"[\[<>=]", requirement)[0].lower().replace("_", "-")
        assert pinned[name]
    assert pinned["torch"] == "2.13.0"
    assert not any("torchaudio" in name for name in (*pinned, *wanted))
    assert not any("+" in version or "@" in version for version in pinned.values())


def readme():
    return (TOP / "README.md").read_text(encoding="utf-8")


def test_ci_finds_the_test_command():
    block = readme().split("<!-- test command -->")[1].split("```sh\n")[1].split("```")[0]
    assert len(block.strip().splitlines()) == 1
    assert "pip install -c constraints.txt" in block
    assert "pytest" in block
    subprocess.run(["bash", "-n", str(TOP / ".ci" / "run")], check=True)


def tour():
    """Every affectgen command in the README's blocks, as words."""
    blocks = re.findall(r"```sh\n(.*?)```", readme(), flags=re.DOTALL)
    lines = [line.split("  #")[0] for block in blocks for line in block.splitlines()]
    parts = [part.strip() for line in lines for part in re.split(r"&&|\|", line)]
    import shlex

    return [shlex.split(part)[1:] for part in parts if part.startswith("affectgen ")]


def test_every_option_in_the_readme_exists():
    assert len(tour()) > 10
    for words in tour():
        command: click.Command = affectgen
        with click.Context(affectgen, info_name="affectgen") as ctx:
            while isinstance(command, click.Group):
                found = command.get_command(ctx, words.pop(0))
                assert found is not None
                command = found
        known = {spelling for param in command.params for spelling in (*param.opts, *param.secondary_opts)}
        asked = {word for word in words if re.fullmatch(r"--?[a-z-]+", word) and word != "-"}
        assert asked <= known


def test_the_page_of_commands_is_what_the_commands_say():
    assert (TOP / "docs" / "cli.md").read_text() == page(), "run: python -m affectgen.cli.docs > docs/cli.md"


def test_the_shim_runs_from_the_checkout():
    done = subprocess.run([sys.executable, "cli.py", "--version"], cwd=TOP, capture_output=True, check=True)
    assert done.stdout.startswith(b"affectgen ")
