"""What a preset file may hold: pydantic models made from the commands' options, and their JSON schema for editors.

Strict throughout: an integer is no number with a point, a text is no number, and no key is unknown. An option that
takes one value may have a list of them, one that takes several a list of lists: an axis of a grid.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

from affectgen.batch.spec import (
    CHOICE,
    ENDING,
    FLAG,
    INTEGER,
    NUMBER,
    TEXT,
    CommandSpec,
    OptionSpec,
    Specs,
    find_spec,
    nearest,
)
from affectgen.errors import UsageError

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

KEYS = ("description", "command", "extends", "count", "name", "tags", "options")
MOST_COUNT = 100_000
TAG = "^[a-z0-9][a-z0-9-]*$"
AFFECTS = ("affect", "from", "path")  # options that hold an affect; `to` does where there is a `from`
BY_ITSELF = ("auto", "keep")  # words that stand for an affect where "auto" is the default
MEASURES = ("loudness",)  # options that are a number or a word
ONE, GRID = "one", "grid"
ABOUT = {
    "description": "What it is for, in one plain sentence.",
    "command": "The command whose options these are.",
    "extends": "Another preset, by its name or its path from here, whose values stand where this one says nothing.",
    "count": "So many pieces of each, with seeds counted up.",
    "name": "The files' names: {preset}, {number}, {source}, or an option between braces.",
    "tags": "Moods and uses, for `affectgen presets list --tag`.",
    "options": "Options by their long names. A list makes a piece for each of its values.",
}


class PresetModels:
    """The models of the commands, each made when it is asked for."""

    def __init__(self, specs: Specs) -> None:
        self.specs = specs
        self._made: dict[str, type[BaseModel]] = {}

    def model(self, command: str) -> type[BaseModel]:
        """The model of a file with this command. UsageError for one that makes no pieces."""
        if command not in self._made:
            self._made[command] = _file_model(find_spec(self.specs, command))
        return self._made[command]


def preset_schema(specs: Specs) -> dict[str, Any]:
    """The JSON schema (2020-12) of a preset file: by its command, or without one where it extends another."""
    from pydantic import Field, TypeAdapter

    models = PresetModels(specs)
    union: Any = None
    for command in sorted(specs):
        model = models.model(command)
        union = model if union is None else union | model
    made = TypeAdapter(Annotated[union, Field(discriminator="command")]).json_schema()
    definitions = made.pop("$defs")
    definitions["inherits"] = _inheriting(definitions, specs)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A preset of affectgen",
        "type": "object",
        "oneOf": [*made["oneOf"], {"$ref": "#/$defs/inherits"}],
        "$defs": _plain(definitions),
    }


def schema_text(specs: Specs) -> str:
    """The schema as the file `presets/schema.json` has it."""
    return json.dumps(preset_schema(specs), indent=1, ensure_ascii=False) + "\n"


def _inheriting(definitions: Mapping[str, Any], specs: Specs) -> dict[str, Any]:
    """The schema of a file without a command: any option of any command is let through."""
    some = next(each for each in definitions.values() if "command" in each.get("properties", {}))
    properties = {name: each for name, each in some["properties"].items() if name not in ("command", "options")}
    known = sorted({name for spec in specs.values() for name in spec.options})
    options = {"type": "object", "propertyNames": {"enum": known}, "description": ABOUT["options"]}
    return {
        "type": "object", "additionalProperties": False, "properties": {**properties, "options": options},
        "required": ["description", "extends"],
    }  # fmt: skip


def _plain(held: Any) -> Any:
    """Without the titles that pydantic makes of names, and without defaults that are none."""
    if isinstance(held, Mapping):
        idle = {key for key in ("title", "default") if not isinstance(held.get(key, {}), Mapping)}
        idle -= {"default"} if held.get("default") is not None else set()
        return {key: _plain(value) for key, value in held.items() if key not in idle}
    return [_plain(each) for each in held] if isinstance(held, list) else held


def _file_model(spec: CommandSpec) -> type[BaseModel]:
    """The model of a file with one command."""
    from pydantic import ConfigDict, Field, StringConstraints, create_model

    config = ConfigDict(extra="forbid", strict=True)
    text = Annotated[str, StringConstraints(min_length=1)]
    name = "".join(word.title() for word in spec.command.split())
    fields: dict[str, Any] = {
        f"option_{option.name.replace('-', '_')}": (
            _option_type(spec, option), Field(option.default, alias=option.name, description=option.about)
        )
        for option in spec.options.values()
    }  # fmt: skip
    options = create_model(f"{name}Options", __config__=config, **fields)
    whole: dict[str, Any] = {
        "description": (text, Field(description=ABOUT["description"])),
        "command": (Literal[spec.command], Field(description=ABOUT["command"])),
        "extends": (text, Field(None, description=ABOUT["extends"])),
        "count": (Annotated[int, Field(ge=1, le=MOST_COUNT)], Field(None, description=ABOUT["count"])),
        "name": (text, Field(None, description=ABOUT["name"])),
        "tags": (list[Annotated[str, StringConstraints(pattern=TAG)]], Field(None, description=ABOUT["tags"])),
        "options": (options, Field(None, description=ABOUT["options"])),
    }
    return create_model(name, __config__=config, **whole)


def _option_type(spec: CommandSpec, option: OptionSpec) -> Any:
    """The type of an option's value: one, or an axis of a grid."""
    from pydantic import Discriminator, Field, Tag

    item = _value_type(spec, option)
    one: Any = Annotated[list[item], Field(min_length=1)] if option.several else item  # type: ignore[valid-type]
    axis: Any = Annotated[list[one], Field(min_length=1)]

    def which(value: Any) -> str:  # pydantic wants a function with a name
        return GRID if is_axis(value, option.several) else ONE

    return Annotated[Annotated[one, Tag(ONE)] | Annotated[axis, Tag(GRID)], Discriminator(which)]


def is_axis(value: Any, several: bool) -> bool:
    """Whether a value, checked or not, stands for several pieces. several: the option takes a list."""
    return isinstance(value, list) and (not several or (len(value) > 0 and isinstance(value[0], list)))


def _value_type(spec: CommandSpec, option: OptionSpec) -> Any:
    """The type of one value."""
    from pydantic import AfterValidator, Field, StringConstraints

    if option.kind == FLAG:
        return bool
    if option.kind == CHOICE:
        return Literal[option.choices]
    if option.kind == INTEGER:
        return Annotated[int, Field(ge=option.low, le=option.high)]
    number = Annotated[float, Field(ge=option.low, le=option.high, allow_inf_nan=False)]
    if option.kind == NUMBER:
        return number
    if option.name in MEASURES:
        return number | str
    if option.kind == ENDING:
        return Annotated[str, StringConstraints(pattern=r"^\.?[A-Za-z0-9]+$")]
    if holds_affect(spec, option):
        return Annotated[str, AfterValidator(partial(_affect, free=option.default == BY_ITSELF[0]))]
    return str


def holds_affect(spec: CommandSpec, option: OptionSpec) -> bool:
    """Whether an option's text is an affect or a path."""
    return option.kind == TEXT and (option.name in AFFECTS or (option.name == "to" and "from" in spec.options))


def _affect(text: str, free: bool) -> str:
    """The text of an affect. free: it may be left to the command."""
    from affectgen.affect.path import parse_affect

    if not (free and text in BY_ITSELF):
        try:
            parse_affect(text)
        except UsageError as error:
            raise ValueError(str(error)) from error
    return text


def expected(option: OptionSpec) -> str:
    """What an option's value is to be, for a person."""
    if option.kind == CHOICE:
        return "one of " + ", ".join(f'"{choice}"' for choice in option.choices)
    if option.kind in (INTEGER, NUMBER):
        kind = "an integer" if option.kind == INTEGER else "a number"
        low, high = option.low, option.high
        if low is not None and high is not None:
            return f"{kind} from {low:g} to {high:g}" if high < 1e6 else f"{kind} from {low:g} to {high:.0f}"
        return kind if low is None else f"{kind} of at least {low:g}"
    if option.name in MEASURES:
        return 'a number or "off"'
    return {FLAG: "true or false", ENDING: 'the ending of a file, such as "png",'}.get(option.kind, "a text")


def mistakes(error: ValidationError, spec: CommandSpec) -> list[tuple[tuple[str, ...], str]]:
    """What is wrong with a file: by the path of the key, a sentence for each."""
    found: dict[tuple[str, ...], str] = {}
    for one in error.errors():
        words = [part for place, part in enumerate(one["loc"]) if place < 2 or part not in (ONE, GRID)]
        path = tuple(str(part) for part in words[:2] if isinstance(part, str))
        sentence = _option_mistake(one, path[1], words, spec) if len(path) > 1 else _key_mistake(one, path[0], spec)
        found.setdefault(path, sentence)
    return list(found.items())


def _option_mistake(error: Any, name: str, words: Iterable[Any], spec: CommandSpec) -> str:
    """The sentence for an option."""
    if name not in spec.options:
        return f"{spec.command} has no option {name!r}. {nearest(name, spec.options)}"
    option = spec.options[name]
    if error["type"] == "value_error":
        return f"{name}: {error['ctx']['error']}"
    if error["type"] == "too_short":
        return f"{name} is an empty list; a value or a list of values was expected."
    shown, wanted = _shown(error["input"]), expected(option)
    if option.kind == CHOICE and isinstance(error["input"], str):
        return f"{name} got {shown}, which is none of its values. {nearest(error['input'], option.choices)}"
    if option.several and not isinstance(error["input"], str | int | float | bool):
        wanted = f"a list of {wanted.removeprefix('a ')}s"
    elif option.several and len(list(words)) == 2:
        wanted = f"a list of {wanted.removeprefix('a ')}s, such as [{shown}],"
    return f"{name} got {shown}; {wanted} was expected."


def _key_mistake(error: Any, name: str, spec: CommandSpec) -> str:
    """The sentence for a key of the file itself."""
    if error["type"] == "missing":
        return f"The preset has no {name}. {ABOUT[name]}"
    if error["type"] == "extra_forbidden":
        where = "It is an option: write it under [options]." if name in spec.options else nearest(name, KEYS)
        return f"A preset has no key {name!r}. {where}"
    wanted = {
        "count": f"an integer from 1 to {MOST_COUNT}", "tags": "a list of words in small letters",
        "options": "a table of options",
    }.get(name, "a text")  # fmt: skip
    return f"{name} got {_shown(error['input'])}; {wanted} was expected."


def _shown(value: Any) -> str:
    """A value as the file has it, roughly."""
    if isinstance(value, bool):
        return str(value).lower()
    text = f'"{value}"' if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
