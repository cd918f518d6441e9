"""docs/api.md says what the code does."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BeforeValidator

from api.contract.bodies import (
    ApprovalBody,
    Body,
    CanaryBody,
    DefaultsBody,
    DeploymentBody,
    GroupBody,
    ImageRuleBody,
    ScheduleBody,
    SignalBody,
    SignalRuleBody,
)
from api.contract.explanations import EXPLANATIONS
from api.contract.fields import Range
from api.contract.known_values import FAILURES, FINDINGS
from api.handlers.rendering import render_deployment, render_event
from api.routes import open_routes, routes
from api.transport.errors import STATUS, Code
from rollout.model.azure.scale_set import ImageReference
from rollout.model.choices import HealthCheckType
from rollout.model.codec import encode
from rollout.model.group import SignalType
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Deployment, Event, Image
from rollout.model.status import Status
from rollout.preflight.beside import CAUSED
from rollout.preflight.vms import KINDS
from settings import Settings

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
AT = datetime(2026, 11, 23, tzinfo=UTC)
DEPLOYMENT = Deployment("d", "g", "s", Parameters("1.1.0"), Image("1.1.0", ImageReference(id="i")), AT)


def section(title: str) -> str:
    return TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]


def table(title: str) -> list[list[str]]:
    """The rows of a section's table, their cells without backticks around them."""
    rows = [line for line in section(title).splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in row.strip().strip("|").split(" | ")] for row in rows]


def code(cell: str) -> str:
    return cell.strip("`")


def test_every_route_is_documented_and_no_other() -> None:
    documented = {(code(row[0]), code(row[1])) for row in table("Routes")}
    served = {(f"{route.method} /{route.path}", route.name) for route in (*routes(Settings()), *open_routes())}
    assert documented == served


def test_every_error_code_is_documented_with_its_status_and_no_other() -> None:
    documented = {code(row[0]): int(row[1]) for row in table("Errors")}
    assert documented == {str(known): STATUS[known] for known in Code}
    explained = {code(row[0]): (row[2], row[3]) for row in table("Errors")}
    assert explained == {str(known): tuple(EXPLANATIONS[known]) for known in Code}


def findings(path: str) -> Iterator[tuple[str, str]]:
    """The code and severity of every finding that a module makes."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        constants = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
        maker = {"_adjusted": "info"}.get(node.func.id, node.func.id.removeprefix("_"))
        if maker in ("error", "warning", "info") and node.args and isinstance(node.args[0], ast.Constant):
            yield str(constants[0]), maker
        elif node.func.id == "Finding" and isinstance(node.args[0], ast.Attribute) and constants:
            yield str(constants[0]), node.args[0].attr.lower()


def test_every_finding_is_documented_with_its_severity_and_no_other() -> None:
    modules = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "rollout" / "preflight").glob("*.py"))]
    modules += [
        "rollout/model/azure/images.py",
        "services/images/version.py",
        "api/handlers/plan.py",
        "rollout/planning/inheritance.py",
    ]
    made = {pair for path in modules for pair in findings(path)}
    # What VMs need somebody's decision is a table there, and the severity follows from the policy.
    made |= {(kind, severity) for kind, _ in KINDS.values() for severity in ("error", "warning")}
    documented = [(code(row[0]), row[1]) for row in table("Findings of the preflight")]
    assert len(documented) == len(set(documented))
    assert set(documented) == made
    assert all(row[3] for row in table("Findings of the preflight"))


def test_every_finding_is_a_known_value() -> None:
    assert list(dict.fromkeys(code(row[0]) for row in table("Findings of the preflight"))) == list(FINDINGS)


def test_every_failure_that_is_explained_is_a_known_value() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = text.split("\n## Why a deployment failed\n")[1].split("\n## ")[0]
    explained = {name for row in re.findall(r"^\| (`.+?`) \|", rows, re.MULTILINE) for name in re.findall(r"\w+", row)}
    assert explained == set(FAILURES)


def test_every_finding_says_whether_the_running_deployment_may_cause_it() -> None:
    documented = {code(row[0]) for row in table("Findings of the preflight") if row[2] == "may be"}
    assert documented == CAUSED | {"deploymentInProgress", "queueFull"}
    assert {row[2] for row in table("Findings of the preflight")} == {"may be", "no"}


#: Fields that hold bodies of their own.
PARTS: dict[str, tuple[type[Body], str]] = {
    "signals": (SignalRuleBody, "signals[]."),
    "imageRule": (ImageRuleBody, "imageRule."),
    "schedules": (ScheduleBody, "schedules[]."),
}


def fields(kind: type[Body], prefix: str = "") -> dict[str, Range | None]:
    """A body's fields with the range that each is held to."""
    found: dict[str, Range | None] = {}
    for field in kind.model_fields.values():
        if field.alias == "defaults":
            found |= fields(DefaultsBody, "defaults.")
            continue
        if field.alias == "canary":
            found |= {f"{prefix}canary": None, **fields(CanaryBody, f"{prefix}canary.")}
            continue
        if field.alias in PARTS:
            part, within = PARTS[field.alias]
            found |= {field.alias: None, **fields(part, within)}
            continue
        validators = [item.func for item in field.metadata if isinstance(item, BeforeValidator)]
        found[f"{prefix}{field.alias}"] = next((item for item in validators if isinstance(item, Range)), None)
    return found


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Registering a scale set", GroupBody),
        ("Starting a deployment", DeploymentBody),
        ("Commands", ApprovalBody),
        ("Signals", SignalBody),
    ],
)
def test_every_field_is_documented_with_its_range(title: str, kind: type[Body]) -> None:
    documented = {code(row[0]): row[1] for row in table(title)}
    known = fields(kind)
    assert sorted(documented) == sorted(known)
    for name, range_ in known.items():
        if range_ is not None:
            unit = f" {range_.unit}" if range_.unit else ""
            assert documented[name].startswith(f"{range_.least} to {range_.most}{unit}"), name


@pytest.mark.parametrize("name", ["batchSizePercentage", "gracePeriod", "batchMinHealthyPercentage", "drainingTimeout"])
def test_teals_own_defaults_are_the_documented_ones(name: str) -> None:
    own = encode(Parameters("1.1.0"))[name]
    asked = {code(row[0]): row[2] for row in table("Starting a deployment")}
    grouped = {code(row[0]).removeprefix("defaults."): row[2] for row in table("Registering a scale set")}
    assert (asked[name], grouped[name]) == (f"the group's, else {own}", f"Teal's, {own}")


def test_every_status_and_health_check_type_is_documented() -> None:
    named = set(re.findall(r"`(\w+)`", section("Starting a deployment")))
    assert named >= {str(status) for status in Status}
    assert all(f"`{kind}`" in section("Registering a scale set") for kind in HealthCheckType)


def test_every_signal_is_documented() -> None:
    assert all(f"* `{kind}`" in section("Signals") for kind in SignalType)


def sent() -> list[Any]:
    """The bodies of the examples' requests."""
    return [json.loads(body) for body in re.findall(r"<<'JSON'\n(.*?)JSON\n", TEXT, re.DOTALL)]


def answered() -> list[Any]:
    """The answers that are shown whole; of others ``…`` stands for the rest."""
    shown = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    return [json.loads(block) for block in shown if "…" not in block]


def test_the_examples_of_bodies_are_accepted() -> None:
    group, deployment = sent()[:2]
    assert GroupBody.model_validate(group).scale_set_id == group["scaleSetId"]
    assert DeploymentBody.model_validate(deployment).comment == "release 42"


def test_the_examples_of_answers_have_the_fields_that_are_sent_in_their_order() -> None:
    deployment, events, error = answered()
    rendered = {**render_deployment(DEPLOYMENT, ""), "dangers": [], "findings": []}
    assert list(deployment) == list(rendered)
    for part in ("image", "parameters"):
        assert list(deployment[part]) == list(rendered[part])
    assert list(events["value"][0]) == list(render_event(Event(1, AT, "BatchLaunched", "")))
    assert list(error["error"]) == ["code", "message", "target", "details"]
