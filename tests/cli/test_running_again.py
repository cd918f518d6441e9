"""A job of a pipeline that runs again, end to end."""

from __future__ import annotations

import pytest

from tests.cli.running import Ran, Teal
from tests.cli.test_environment import AZURE, GITHUB

pytestmark = pytest.mark.slow


def attempt(teal: Teal, number: int, group: str, *more: str) -> Ran:
    """The job's step, in this attempt."""
    own = teal.given(**GITHUB, GITHUB_OUTPUT=str(teal.folder / f"output-{number}")).given(
        GITHUB_RUN_ATTEMPT=str(number)
    )
    return own("deploy", group, "--wait", "--output", "json", *more)


def ids(teal: Teal, group: str) -> list[str]:
    return [one["id"] for one in teal.newest(group)]


def test_after_success_nothing_is_started_again(teal: Teal, group: str) -> None:
    first = attempt(teal, 1, group, "--image", "1.1.0")
    assert (first.code, first.record["comment"]) == (0, "commit 0123456789ab, o/r run 42"), first.err
    again = attempt(teal, 2, group, "--image", "1.1.0")
    assert (again.code, again.record["id"]) == (0, first.record["id"]), again.err
    assert "nothing was started" in again.err
    same_attempt = attempt(teal, 1, group, "--image", "1.1.0")
    assert (same_attempt.code, len(ids(teal, group))) == (0, 1), "a second step of the job that asks for the same"
    other_step = attempt(teal, 1, group, "--image", "1.1.0", "--key", "second", "--force")
    assert (other_step.code, len(ids(teal, group))) == (0, 2), other_step.err
    moved_on = attempt(teal, 3, group, "--image", "1.1.0")
    assert (moved_on.code, other_step.record["id"] in moved_on.err) == (7, True), "the group runs what came since"
    anyway = attempt(teal, 3, group, "--image", "1.1.0", "--again")
    assert (anyway.code, len(ids(teal, group))) == (0, 3), anyway.err


def test_after_failure_it_goes_on_where_that_ended(teal: Teal, group: str) -> None:
    arguments = ("--image", "1.2.0", "--grace-period", "2m")
    first = attempt(teal, 1, group, *arguments)
    assert first.code == 1, first.err
    same_attempt = attempt(teal, 1, group, *arguments)
    assert (same_attempt.code, same_attempt.record["id"]) == (1, first.record["id"])
    again = attempt(teal, 2, group, *arguments)
    assert (again.code, again.record["retryOf"]) == (1, first.record["id"]), again.err
    third = attempt(teal, 3, group, *arguments)
    assert third.record["retryOf"] == again.record["id"]
    assert len(ids(teal, group)) == 3
    assert f"Going on where {again.record['id']} ended (failed)" in third.err


def test_while_it_is_live_it_is_watched_on(teal: Teal, group: str) -> None:
    arguments = ("--image", "1.1.0", "--canary-size", "1", "--canary-approval")
    first = attempt(teal, 1, group, *arguments)
    assert first.code == 8, first.err
    assert teal("approve", group).code == 0
    again = attempt(teal, 2, group, *arguments)
    assert (again.code, again.record["id"]) == (0, first.record["id"]), again.err


def test_outputs_name_the_deployment_and_how_it_ended(teal: Teal, group: str) -> None:
    summary = teal.folder / "summary"
    own = teal.given(GITHUB_STEP_SUMMARY=str(summary))
    ran = attempt(own, 1, group, "--image", "1.2.0", "--grace-period", "2m")
    outputs = read_outputs((teal.folder / "output-1").read_text())
    assert (outputs["id"], outputs["status"], outputs["exit-code"]) == (ran.record["id"], "failed", "1")
    assert outputs["url"].endswith(f"/deployments/{ran.record['id']}")
    lines = summary.read_text().splitlines()
    assert lines[2].startswith("**What to do:** `teal retry"), "the remedy comes first"
    assert f"::error title=Teal%3A {group}::batchUnhealthy" in ran.err
    refused = attempt(own, 1, group, "--image", "9.9.9")
    assert (refused.code, refused.out) == (6, "")
    assert read_outputs((teal.folder / "output-1").read_text())["exit-code"] == "6"


def test_azure_pipelines_reads_stdout_and_nothing_is_on_stderr(teal: Teal, group: str) -> None:
    """``failOnStandardError`` fails a task for one line there."""
    arguments = ("deploy", group, "--image", "1.1.0", "--wait")
    ran = teal.given(**AZURE)(*arguments)
    assert (ran.code, ran.err) == (0, "")
    deployment = teal.newest(group)[0]["id"]
    assert f"##vso[task.setvariable variable=tealId;isOutput=true]{deployment}" in ran.out
    assert "##vso[task.setvariable variable=tealExitCode;isOutput=true]0" in ran.out
    again = teal.given(**{**AZURE, "SYSTEM_JOBATTEMPT": "2"})(*arguments, "--output", "json")
    assert (again.code, again.record["id"]) == (0, deployment), "stdout is the record alone"


def read_outputs(text: str) -> dict[str, str]:
    """A GITHUB_OUTPUT file as the runner reads it; the last of a name counts."""
    outputs = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, _, end = line.partition("<<")
        value = []
        for inner in lines:
            if inner == end:
                break
            value.append(inner)
        outputs[name] = "\n".join(value)
    return outputs
