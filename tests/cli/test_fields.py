"""The options of a start are the API's fields, all of them, as the OpenAPI document has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer

from teal_cli.fields import FIELDS, Field, Kind, body_of

SCHEMAS = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text())["components"]["schemas"]


def resolved(schema: Any) -> Any:
    """A schema without what it refers to, and without that it may be null."""
    if "$ref" in schema:
        return resolved(SCHEMAS[schema["$ref"].rpartition("/")[2]])
    options = [one for one in schema.get("anyOf", []) if one.get("type") != "null"]
    return resolved(options[0]) if len(options) == 1 else {**schema, "anyOf": options} if options else schema


def test_every_field_of_a_start_is_an_option_and_nothing_else_is() -> None:
    names = set()
    for name, schema in SCHEMAS["DeploymentBody"]["properties"].items():
        inner = resolved(schema).get("properties")
        names |= {f"{name}.{one}" for one in inner} if inner else {name}
    assert {field.name for field in FIELDS} == names


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_an_option_takes_what_its_field_takes(field: Field) -> None:
    outer, _, inner = field.name.partition(".")
    schema = resolved(SCHEMAS["DeploymentBody"]["properties"][outer])
    schema = resolved(schema["properties"][inner]) if inner else schema
    kinds = {"string": Kind.TEXT, "boolean": Kind.FLAG, "array": Kind.LIST}
    if schema.get("type") == "integer":
        assert (field.kind is Kind.DURATION) == whole_seconds(field)
        assert field.kind in (Kind.DURATION, Kind.NUMBER)
    else:
        assert field.kind is kinds.get(schema.get("type"), Kind.APPROVALS)
    assert list(field.choices) == schema.get("enum", [])


def whole_seconds(field: Field) -> bool:
    outer, _, inner = field.name.partition(".")
    schema = resolved(SCHEMAS["Parameters"]["properties"][outer])
    schema = schema["properties"][inner] if inner else SCHEMAS["Parameters"]["properties"][outer]
    return "econds" in json.dumps(schema)


def test_options_are_in_kebab_case() -> None:
    assert {field.option for field in FIELDS} >= {"--batch-size-percentage", "--canary-bake-time", "--protected-vms"}


def test_only_what_was_given_is_in_the_body() -> None:
    given = {
        "image": "1.1.0",
        "canary_size": 1,
        "canary_bake_time": "5m",
        "grace_period": "1h",
        "approvals": "1, 3",
        "health_check_types": "vmState,loadBalancer",
        "adjust": False,
        "force": None,
    }
    assert body_of(given) == {
        "image": "1.1.0",
        "canary": {"size": 1, "bakeTime": 300},
        "gracePeriod": 3600,
        "approvals": [1, 3],
        "healthCheckTypes": ["vmState", "loadBalancer"],
        "adjust": False,
    }
    assert body_of({"approvals": "everyBatch"}) == {"approvals": "everyBatch"}


@pytest.mark.parametrize("given", [{"on_failure": "explode"}, {"grace_period": "soon"}])
def test_what_the_api_would_refuse_is_refused_here(given: dict[str, str]) -> None:
    with pytest.raises(typer.BadParameter):
        body_of(given)
