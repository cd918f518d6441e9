"""JSON schemas of bodies and answers: pydantic's, with what validators of ``api.contract.fields`` hold values to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from api.contract import fields
from api.contract.descriptions import describe, sentence
from api.contract.known_values import known_values
from api.contract.shapes import Shape
from rollout.model.choices import AFTER_CANARY, EVERY_BATCH, NO_APPROVALS
from rollout.model.names import GROUP_ID
from rollout.model.parameters import COMMENT_LENGTH_MAX

_WORDS = [NO_APPROVALS, AFTER_CANARY, EVERY_BATCH]
_APPROVALS = {"$ref": "#/components/schemas/Approvals"}


def _pattern(pattern: re.Pattern[str]) -> str:
    """The same for JSON schema, whose patterns know no flags."""
    letters = re.sub(
        r"\\.|\[[^\]]*\]|[a-zA-Z]",
        lambda found: f"[{found[0].lower()}{found[0].upper()}]" if found[0].isalpha() else found[0],
        pattern.pattern,
    )
    return f"^{letters}$"


def _range(found: fields.Range) -> JsonSchemaValue:
    return {"minimum": found.least, "maximum": found.most}


#: What a validator adds to the schema of its type: to the part that is a string, a number, an array.
_HELD_TO: Mapping[Callable[..., Any], JsonSchemaValue] = {
    fields.text: {"minLength": 1, "maxLength": fields.TEXT_LENGTH_MAX, "pattern": r"\S"},
    fields.comment: {"maxLength": COMMENT_LENGTH_MAX},
    fields._scale_set_id: {"pattern": _pattern(fields._SCALE_SET_ID)},
    fields._image_id: {"pattern": _pattern(fields._IMAGE_ID)},
    fields.schedule_name: {"pattern": _pattern(GROUP_ID)},
}


class Generator(GenerateJsonSchema):
    """Knows the validators of bodies."""

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        return self._held(schema["function"], super().function_before_schema(schema))

    def function_after_schema(self, schema: core_schema.AfterValidatorFunctionSchema) -> JsonSchemaValue:
        return self._held(schema["function"], super().function_after_schema(schema))

    def get_title_from_name(self, name: str) -> str:
        return ""

    def _held(self, said: Mapping[str, Any], schema: JsonSchemaValue) -> JsonSchemaValue:
        function = said["function"]
        if function is fields._approvals:
            number = {"type": "integer", **_range(fields.BATCH_NUMBER)}
            return {"anyOf": [_APPROVALS, {"type": "array", "items": number}, {"type": "null"}]}
        if function is fields.approval_word:
            return {"anyOf": [_APPROVALS, {"type": "null"}]}
        more = _range(function) if isinstance(function, fields.Range) else _HELD_TO.get(function, {})
        return _with(schema, more)


def _with(schema: JsonSchemaValue, more: JsonSchemaValue) -> JsonSchemaValue:
    """A schema, or of one that may be null the other part, with what holds besides."""
    if "anyOf" in schema:
        options = [option if option.get("type") == "null" else _with(option, more) for option in schema["anyOf"]]
        return {**schema, "anyOf": options}
    return {**schema, **more}


Mode = Literal["validation", "serialization"]


def components(models: Sequence[type[BaseModel]]) -> tuple[dict[type[BaseModel], JsonSchemaValue], JsonSchemaValue]:
    """A reference to the schema of each model, and all schemas by name."""
    asked: list[tuple[type[BaseModel], Mode]] = [(model, "validation") for model in dict.fromkeys(models)]
    references, document = models_json_schema(
        asked, ref_template="#/components/schemas/{model}", schema_generator=Generator
    )
    schemas = {name: _tidy(schema) for name, schema in document["$defs"].items()}
    strict = set(_named([model for model in models if not issubclass(model, Shape)], schemas))
    # Readers pass over what they do not know: a release may add fields to answers, and words. Bodies stay strict.
    for name in _named([model for model in models if issubclass(model, Shape)], schemas):
        schemas[name].pop("additionalProperties", None)
    words = {name: schema["enum"] for name, schema in schemas.items() if "enum" in schema and name not in strict}
    told = {name: _told(name, _opened(schema, words)) for name, schema in schemas.items() if name not in words}
    told["Approvals"] = {"type": "string", "enum": _WORDS, "description": "After which batches a person must approve."}
    known = {model: references[(model, mode)] for model, mode in asked}
    return known, dict(sorted(told.items()))


def _named(models: Sequence[type[BaseModel]], schemas: Mapping[str, Any]) -> Iterator[str]:
    """The schemas of these models, and all that they are made of."""
    left, seen = [model.__name__ for model in models], set()
    while left:
        name = left.pop()
        if name not in seen and name in schemas:
            seen.add(name)
            left += re.findall(r"#/components/schemas/(\w+)", str(schemas[name]))
    yield from seen


def _opened(schema: Any, words: Mapping[str, Sequence[str]]) -> Any:
    """A schema in which each enumeration of ``words`` is a string of which some values are known."""
    if isinstance(schema, list):
        return [_opened(item, words) for item in schema]
    if not isinstance(schema, dict):
        return schema
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    if name in words:
        return {"type": "string", "x-known-values": list(words[name])}
    return {key: _opened(value, words) for key, value in schema.items()}


def _told(name: str, schema: JsonSchemaValue) -> JsonSchemaValue:
    """A schema whose fields each say what they hold, in which unit, and which values are known by now."""
    properties = {field: _field(name, field, one) for field, one in schema.get("properties", {}).items()}
    return {**schema, "properties": properties} if properties else schema


def _field(model: str, field: str, schema: JsonSchemaValue) -> JsonSchemaValue:
    words = describe(model, field)
    unit = {"x-unit": words.unit} if words and words.unit else {}
    values = known_values(model, field)
    more = {"x-known-values": list(values)} if values else {}
    return {**schema, "description": sentence(model, field), **unit, **more}


def _tidy(schema: Any) -> Any:
    """Without empty titles, and without the defaults of fields that may be left out."""
    if isinstance(schema, list):
        return [_tidy(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _tidy(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str)) and not (key == "default" and value is None)
    }
