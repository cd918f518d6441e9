"""The document of the API, and its page."""

from __future__ import annotations

import json
import re
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel

from api.__main__ import written
from api.contract import bodies
from api.contract.descriptions import WORDS
from api.contract.examples import EXAMPLES
from api.contract.operations import OPERATIONS
from api.contract.page import page
from api.routes import document, open_routes, routes
from api.tables import filled
from api.transport.errors import STATUS, Code, respond
from api.transport.http import VERSION, Answer, Request
from rollout.model.status import Status
from rollout.ports.ports import Ports
from settings import Settings

ROOT = Path(__file__).parents[3]


def operations() -> list[tuple[str, str, Any]]:
    return [(method, path, one) for path, methods in document()["paths"].items() for method, one in methods.items()]


def no_ports() -> Ports:
    raise AssertionError("nobody is asked")


def shown(examples: Any) -> list[Any]:
    """What examples are that are kept once for all operations."""
    kept = document()["components"]["examples"]
    return [kept[one["$ref"].removeprefix("#/components/examples/")]["value"] for one in examples.values()]


def fields() -> list[tuple[str, str, Any]]:
    """Every field of every schema."""
    schemas = document()["components"]["schemas"]
    return [
        (name, field, one) for name, schema in schemas.items() for field, one in schema.get("properties", {}).items()
    ]


async def asked(path: str) -> Answer:
    (route,) = [route for route in open_routes() if route.path == path]

    async def handler(ports: Any, request: Request) -> Answer:
        return await route.handler(ports, request)

    return await respond(handler, lambda: None, Request("GET", f"https://teal.example/api/{path}"))  # type: ignore[arg-type, return-value]


def test_every_route_is_in_the_document_and_no_other() -> None:
    served = {(route.method.lower(), f"/{route.path}", route.name) for route in (*routes(Settings()), *open_routes())}
    assert {(method, path, one["operationId"]) for method, path, one in operations()} == served
    assert set(OPERATIONS) == {name for _, _, name in served}


def test_every_code_is_in_the_document_with_its_status_and_an_example() -> None:
    told = {
        (code, int(status))
        for _, _, one in operations()
        for status, answer in one["responses"].items()
        if status >= "401"
        for code in answer["content"]["application/json"]["examples"]
    } | {
        (code, 400)
        for _, _, one in operations()
        for code in one["responses"].get("400", {}).get("content", {}).get("application/json", {}).get("examples", {})
    }
    assert told == {(str(code), STATUS[code]) for code in Code}


def test_the_file_is_the_document() -> None:
    assert (ROOT / "docs" / "openapi.json").read_text(encoding="utf-8") == written(), "make openapi writes it anew"


def test_the_tables_of_fields_are_the_documents() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert text == filled(text), "make openapi writes them anew"
    made = re.findall(r"<!-- fields of (\w+) -->", text)
    assert set(made) == {"Batch", "Stage", "Vm", "Event", "Command"}


def test_every_field_says_what_it_holds() -> None:
    assert [f"{model}.{field}" for model, field, one in fields() if not one["description"]] == []


def test_no_words_are_of_a_field_that_is_not_there() -> None:
    known = {name for model, field, _ in fields() for name in (f"{model}.{field}", field)}
    assert set(WORDS) - known == set()
    plainly = {field for model, field, _ in fields() if f"{model}.{field}" not in WORDS}
    assert {name for name in WORDS if "." not in name} - plainly == set()


def test_durations_and_counts_say_their_unit() -> None:
    units = {f"{model}.{field}": one.get("x-unit") for model, field, one in fields()}
    assert units["DeploymentBody.gracePeriod"] == units["Parameters.gracePeriod"] == "seconds"
    assert units["DeploymentBody.batchSize"] == "VMs"
    assert units["Deployment.progress"] == "percent"


def test_a_body_says_what_holds_where_a_field_is_left_out() -> None:
    bodies_ = {(model, field): one for model, field, one in fields() if model.endswith("Body")}
    schemas = document()["components"]["schemas"]
    silent = [
        name
        for name, one in bodies_.items()
        if name[1] not in schemas[name[0]].get("required", []) and "Default: " not in one["description"]
    ]
    assert [name for name in silent if name[0] != "ErrorBody"] == []


def test_there_is_one_error() -> None:
    refusals = [a for _, _, one in operations() for status, a in one["responses"].items() if status > "401"]
    refusals = [answer for answer in refusals if "content" in answer]
    assert len(refusals) > 100
    only = {"$ref": "#/components/schemas/Error"}
    assert all(answer["content"]["application/json"]["schema"] == only for answer in refusals)


def test_words_that_only_answers_use_may_become_more() -> None:
    told = {f"{model}.{field}": one for model, field, one in fields()}
    assert told["ErrorBody.code"]["x-known-values"] == [str(code) for code in Code]
    assert told["Deployment.status"]["x-known-values"] == [str(status) for status in Status]
    assert "ScaleSetGone" not in told["Event.type"]["x-known-values"]
    for name in ("ErrorBody.code", "Deployment.status", "Event.type", "Finding.code", "Problem.code", "Danger.code"):
        assert told[name]["type"] == "string"
        assert told[name]["x-known-values"]
        assert "enum" not in told[name]


def test_the_document_is_valid() -> None:
    """By the schema of OpenAPI 3.1 and what it cannot say: ``$ref`` that lead somewhere, parameters of the path."""
    assert list(OpenAPIV31SpecValidator(document()).iter_errors()) == []


def test_a_client_that_is_made_from_it_has_few_models() -> None:
    """openapi-python-client makes one of each schema, and of each object or enumeration within a field."""
    within = sum(1 for _, _, one in fields() if re.search(r'"(enum|additionalProperties)":', json.dumps(one)))
    assert len(document()["components"]["schemas"]) + within < 100


def test_examples_are_what_they_are_examples_of() -> None:
    components = {"components": document()["components"]}
    media = [one.get("requestBody", {}).get("content", {}) for _, _, one in operations()]
    media += [answer.get("content", {}) for _, _, one in operations() for answer in one["responses"].values()]
    checked = 0
    for content in media:
        for one in content.values():
            schema = Draft202012Validator({**one["schema"], **components})
            for example in [one["example"]] if "example" in one else shown(one.get("examples", {})):
                assert list(schema.iter_errors(example)) == []
                checked += 1
    assert checked > len(Code)


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name.endswith("Body")])
def test_examples_of_bodies_are_accepted(name: str) -> None:
    kind: type[BaseModel] = getattr(bodies, name)
    assert kind.model_validate(EXAMPLES[name])


def test_the_schemas_are_schemas_and_refer_to_what_is_there() -> None:
    schemas = document()["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    assert set(re.findall(r"#/components/schemas/(\w+)", json.dumps(document()))) <= set(schemas)


@pytest.mark.parametrize(
    ("field", "value", "accepted"),
    [
        ("gracePeriod", 120, True),
        ("gracePeriod", 119, False),
        ("gracePeriod", None, True),
        ("gracePeriod", "120", False),
        ("approvals", [1, 2], True),
        ("approvals", "everyBatch", True),
        ("approvals", "sometimes", False),
        ("image", " ", False),
        ("comment", "x" * 257, False),
        ("onFailure", "keep", True),
        ("onFailure", "hope", False),
        ("unknown", 1, False),
    ],
)
def test_the_schema_of_a_body_says_what_is_accepted(field: str, value: Any, accepted: bool) -> None:
    schema = {"$ref": "#/components/schemas/DeploymentBody", "components": document()["components"]}
    assert Draft202012Validator(schema).is_valid({field: value}) == accepted
    try:
        bodies.DeploymentBody.model_validate({field: value})
    except ValueError:
        assert not accepted
    else:
        assert accepted


def test_the_schema_of_a_scale_set_s_id_knows_no_case() -> None:
    schema = {"$ref": "#/components/schemas/GroupBody", "components": document()["components"]}
    named = {"scaleSetId": str(EXAMPLES["GroupBody"]["scaleSetId"])}
    assert Draft202012Validator(schema).is_valid(named)
    assert Draft202012Validator(schema).is_valid({"scaleSetId": named["scaleSetId"].upper()})
    assert not Draft202012Validator(schema).is_valid({"scaleSetId": f"{named['scaleSetId']}/x"})


def test_bodies_take_no_unknown_fields_and_answers_may_get_more() -> None:
    schemas = document()["components"]["schemas"]
    assert schemas["GroupBody"]["additionalProperties"] is False
    assert "additionalProperties" not in schemas["Deployment"]


def test_the_version_is_the_project_s() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


async def test_the_document_says_where_it_was_asked_for() -> None:
    answer = await asked("openapi.json")
    assert answer.body["openapi"] == "3.1.0"
    assert answer.body["servers"] == [{"url": "https://teal.example/api"}]


def test_only_what_says_nothing_of_anybody_needs_no_key() -> None:
    open_to_all = {one["operationId"] for _, _, one in operations() if one.get("security") == []}
    assert open_to_all == {"get_health", "get_openapi", "get_docs"}
    assert all("401" in one["responses"] for _, _, one in operations() if one["operationId"] not in open_to_all)


class Tags(HTMLParser):
    """The tags and attributes of a page, and whether they nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


async def test_the_page_shows_everything_and_loads_nothing() -> None:
    answer = await asked("docs")
    assert answer.all_headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.all_headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    tags = Tags()
    tags.feed(answer.content.decode())
    assert tags.open == []
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in tags.seen}
    assert not any({"src", "style", "onclick"} & set(attributes) for _, attributes in tags.seen)
    links = {str(attributes.get("href")) for tag, attributes in tags.seen if tag == "a"}
    ids = {f"#{attributes['id']}" for _, attributes in tags.seen if "id" in attributes}
    assert links - {"openapi.json"} <= ids
    assert {f"#{one['operationId']}" for _, _, one in operations()} <= ids


def test_the_page_takes_texts_for_texts() -> None:
    assert "<script" not in page(document())
    assert all(str(code) in page(document()) for code in Code)
