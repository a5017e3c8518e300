"""The JSON schema of presets: the file in the repository is up to date, and says the same as the checks."""

from __future__ import annotations

import json
import tomllib

import pytest

from affectgen.batch.presets.preset import Reader
from affectgen.batch.presets.preset_new import new_preset, schema_place, toml
from affectgen.batch.presets.preset_schema import preset_schema, schema_text
from affectgen.cli.jobs import command_specs


def test_the_file_in_the_repository_is_up_to_date(top):
    written = (top / "presets" / "schema.json").read_text(encoding="utf-8")
    assert written == schema_text(command_specs()), "affectgen presets schema > presets/schema.json"


def test_it_knows_every_command_and_option():
    schema, specs = preset_schema(command_specs()), command_specs()
    assert len(schema["oneOf"]) == len(specs) + 1
    known = schema["$defs"]
    for command, spec in specs.items():
        name = "".join(word.title() for word in command.split())
        assert known[name]["properties"]["command"] == {"const": command, "description": "The command whose options "
                                                        "these are.", "type": "string"}  # fmt: skip
        assert known[name]["additionalProperties"] is False
        assert set(known[f"{name}Options"]["properties"]) == set(spec.options)
        assert known[f"{name}Options"]["additionalProperties"] is False
    options = known["RenderOptions"]["properties"]
    assert options["title"]["description"] == "A tag of the file."  # a name, no title
    assert (options["ceiling"]["default"], options["quality"]["default"]) == (-1.0, "normal")
    assert "default" not in options["format"]


@pytest.fixture(scope="module")
def fits():
    """Whether a table is a preset by the schema."""
    jsonschema = pytest.importorskip("jsonschema")
    schema = preset_schema(command_specs())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema).is_valid


def test_the_shipped_presets_fit(top, fits):
    paths = sorted((top / "presets").glob("*.toml"))
    assert len(paths) >= 28
    for path in paths:
        assert fits(tomllib.loads(path.read_text(encoding="utf-8"))), path


@pytest.mark.parametrize(
    ("change", "good"),
    [
        ({}, True), ({"options": {"bars": 8}}, True), ({"options": {"bars": [8, 9]}}, True),
        ({"options": {"bars": 8.5}}, False), ({"options": {"bars": 0}}, False), ({"options": {"barz": 8}}, False),
        ({"options": {"set": ["tempo=90"]}}, True), ({"options": {"set": [["tempo=90"]]}}, True),
        ({"options": {"set": "tempo=90"}}, False), ({"mood": 1}, False), ({"command": "emogen"}, False),
        ({"command": "render"}, True), ({"command": "render", "options": {"bars": 8}}, False),
        ({"command": "render", "options": {"loudness": "off"}}, True), ({"tags": ["A"]}, False),
    ],
)  # fmt: skip
def test_it_takes_what_the_checks_take(fits, change, good):
    assert fits({"description": "d", "command": "emogen generate", **change}) is good


def test_a_file_without_a_command_must_extend_another(fits):
    assert fits({"description": "d", "extends": "study", "options": {"bars": 8}})
    assert not fits({"description": "d", "options": {"bars": 8}})
    assert not fits({"description": "d", "extends": "study", "options": {"barz": 8}})


def test_a_new_preset_holds_every_option_and_each_comment_is_good(tmp_path):
    reader = Reader(command_specs())
    for command, spec in command_specs().items():
        text = new_preset("n", spec, {}, None, "./schema.json")
        assert tomllib.loads(text)["options"] == {}
        lines = [line.removeprefix("# ") for line in text.splitlines()]
        for name, option in spec.options.items():
            (line,) = [line for line in lines if line.startswith(f"{name} = ")]
            if option.kind == "text" and not option.several and '""' in line:
                continue  # an example of nothing
            path = tmp_path / "x.toml"
            path.write_text(f'description = "d"\ncommand = "{command}"\n[options]\n{line}\n')
            assert set(reader.read(path).options) == {name}


def test_values_are_spelled_as_toml_reads_them():
    held = {"a": 'x"\\\n\x7f\u20ac', "b": [1, 2.5, True, ["y"]], "c": 1e-7, "d": False}
    assert tomllib.loads("".join(f"{key} = {toml(value)}\n" for key, value in held.items())) == held


def test_the_schema_is_named_from_where_the_preset_lies(tmp_path):
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "schema.json").write_text(json.dumps({}))
    roots = [tmp_path / "presets"]
    assert schema_place(tmp_path / "presets" / "a.toml", roots) == "./schema.json"
    assert schema_place(tmp_path / "a.toml", roots) == "./presets/schema.json"
    assert schema_place(tmp_path / "in" / "a.toml", roots) == "../presets/schema.json"
    assert schema_place(tmp_path / "a.toml", []) == "./schema.json"
