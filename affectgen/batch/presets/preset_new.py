"""A new preset file, with every option of its command listed as a comment."""

from __future__ import annotations

import json
import math
import os
import textwrap
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from affectgen.batch.presets.preset_files import PresetFile, check_file
from affectgen.batch.presets.preset_lines import key_lines
from affectgen.batch.presets.preset_schema import PresetModels, expected
from affectgen.batch.spec import ENDING, FILE, FLAG, INTEGER, NUMBER, CommandSpec, OptionSpec, Specs
from affectgen.errors import UsageError

WIDTH = 116
SCHEMA = "schema.json"
EXAMPLES = {FLAG: "true", INTEGER: "1", NUMBER: "0.5", ENDING: '"png"', FILE: '"file.mid"'}


def checked_text(path: Path, text: str, command: str, specs: Specs) -> bytes:
    """A preset's text as the bytes of its file. UsageError where a value is none that the command takes."""
    file = PresetFile(path, tomllib.loads(text), key_lines(text))
    troubles = check_file(file, command, PresetModels(specs))
    if troubles:
        raise UsageError("\n".join(one.text for one in troubles), f"See: affectgen {command} --help")
    return text.encode()


def new_preset(name: str, spec: CommandSpec, values: Mapping[str, Any], extends: str | None, schema: str) -> str:
    """The text of a preset file. values: what it sets, by long names; the command's other options stand below as
    comments; extends: another preset, None for none; schema: the path or address of the JSON schema, for editors."""
    lines = [f"#:schema {schema}", f"description = {toml(f'What {name} is for.')}", f"command = {toml(spec.command)}"]
    lines.append(f"extends = {toml(extends)}" if extends is not None else '# extends = "another preset"')
    lines.append("# count = 1  # so many of each, with seeds counted up")
    lines.append(f'# name = "{_template(spec)}"  # of the files')
    lines += ["tags = []", "", "# A list makes a piece for each of its values.", "[options]"]
    lines += [f"{key} = {toml(value)}" for key, value in values.items()]
    for option in spec.options.values():
        if option.name not in values:
            lines += ["", *_comment(option)]
    return "".join(f"{line}\n" for line in lines)


def _template(spec: CommandSpec) -> str:
    return "{preset}-{seed}" if spec.seeded else "{preset}-{source}"


def _comment(option: OptionSpec) -> list[str]:
    """An option as a comment: what it does, what it may be, and a value to begin with."""
    wanted = f"a list of {expected(option).removeprefix('a ')}s" if option.several else expected(option)
    about = f"{option.about} " if option.about else ""
    text = f"{about}({wanted.rstrip(',')})"
    return [*(f"# {line}" for line in textwrap.wrap(text, WIDTH)), f"# {option.name} = {_example(option)}"]


def _example(option: OptionSpec) -> str:
    """The default, else something of the right kind."""
    if option.default not in (None, "") and not option.several:
        return toml(option.default)
    if option.choices:
        one = toml(option.choices[0])
    elif option.low is not None:
        one = toml(math.ceil(option.low)) if option.kind == INTEGER else toml(float(option.low))
    else:
        one = EXAMPLES.get(option.kind, '""')
    return f"[{one}]" if option.several else one


def toml(value: Any) -> str:
    """A value as TOML spells it: text, numbers, switches, lists of them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(each) for each in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    return repr(value)


def schema_place(path: Path, roots: list[Path]) -> str:
    """Where the schema lies, from a preset's folder: beside it, else in the first folder of presets that has it."""
    folder = Path(os.path.abspath(path)).parent
    for root in (folder, *roots):
        if (root / SCHEMA).is_file():
            inside = os.path.relpath(root / SCHEMA, folder)
            return inside if inside.startswith("..") else f"./{inside}"
    return f"./{SCHEMA}"
