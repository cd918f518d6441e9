"""The command to the end of a deployment, whichever that is: each with its own exit code."""

from __future__ import annotations

import json
import re

import pytest

from tests.cli.front import Front
from tests.cli.running import Teal

pytestmark = pytest.mark.slow


def test_a_deployment_is_started_and_followed_to_its_end(teal: Teal, group: str) -> None:
    ran = teal(
        "deploy",
        group,
        "--image",
        "1.1.0",
        "--batch-size",
        "1",
        "--wait",
        "--output",
        "json",
        "--comment",
        "release 42",
    )
    assert ran.code == 0, ran.err
    assert (ran.record["status"], ran.record["greenVms"], ran.record["comment"]) == ("finished", 2, "release 42")
    lines = ran.err.splitlines()
    assert sum("green VM launched" in line for line in lines) == 2
    assert len(lines) == len(set(lines))
    assert "finished: 2 VMs now on 1.1.0" in ran.err
    shown = teal("status", group)
    assert f"{ran.record['id']}: finished, 100 %" in shown.out
    assert "serving: 0 of the previous image, 2 of the new" in shown.out
    assert teal("watch", group).code == 0, "a wait that begins after the end returns at once"


def test_jsonl_is_a_stream_of_events_with_the_deployment_last(teal: Teal, group: str) -> None:
    ran = teal("deploy", group, "--image", "1.1.0", "--wait", "--output", "jsonl")
    stream = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.code == 0, ran.err
    numbers = [one["sequence"] for one in stream if one["kind"] == "event"]
    assert numbers == list(range(1, len(numbers) + 1))
    assert (stream[-1]["kind"], stream[-1]["status"]) == ("deployment", "finished")


def test_a_failure_is_1_with_its_reason_and_a_retry_goes_on(teal: Teal, group: str) -> None:
    ran = teal("deploy", group, "--image", "1.2.0", "--grace-period", "2m", "--wait")
    assert ran.code == 1, ran.err
    assert "batchUnhealthy" in ran.err
    failed = re.search(rf"Deployment ({group}-\S+) started", ran.err)
    assert failed is not None
    again = teal("retry", failed[1], "--image", "1.1.0", "--grace-period", "8h", "--wait", "--output", "json")
    assert (again.code, again.record["retryOf"]) == (0, failed[1]), again.err


def test_a_roll_back_is_3(teal: Teal, group: str) -> None:
    arguments = ("--image", "1.2.0", "--grace-period", "2m", "--on-failure", "rollBack", "--wait")
    ran = teal("deploy", group, *arguments, "--output", "json")
    assert (ran.code, ran.record["status"]) == (3, "rolledBack"), ran.err


def test_a_refusal_is_6_and_what_is_asked_wrongly_is_2(teal: Teal, group: str) -> None:
    refused = teal("deploy", group, "--image", "9.9.9", "--wait")
    assert refused.code == 6
    assert "preflightFailed" in refused.err
    assert "List the versions that can be deployed" in refused.err, "the remedy is told"
    planned = teal("plan", group, "--image", "9.9.9")
    assert planned.code == 6
    assert "Would be refused" in planned.out
    for arguments in (
        ("deploy", "nosuchgroup"),
        ("deploy", group, "--grace-period", "1s"),
        ("deploy", group, "--grace-period", "soon"),
        ("watch", "web-20261123T081500Z-1a2b3c"),
        ("nothing",),
    ):
        assert teal(*arguments).code == 2, arguments


def test_a_conflict_is_7_and_names_the_other(teal: Teal, group: str) -> None:
    started = teal("deploy", group, "--image", "1.1.0", "--canary-size", "1", "--canary-approval")
    first = started.out.strip()
    assert started.code == 0, started.err
    refused = teal("deploy", group, "--image", "1.0.0")
    assert refused.code == 7
    assert f"teal watch {first}" in refused.err
    assert teal("stop", first).code == 0
    stopped = teal("watch", first)
    assert stopped.code == 5, stopped.err
    assert teal("pause", first).code == 7, "a command that makes no sense any more"


def test_a_gate_is_8_with_the_link_in_a_pipeline_and_is_waited_out_elsewhere(teal: Teal, group: str) -> None:
    arguments = ("deploy", group, "--image", "1.1.0", "--canary-size", "1", "--canary-approval", "--wait")
    waits = teal.given(CI="true")(*arguments, "--output", "json")
    assert (waits.code, waits.record["status"]) == (8, "awaitingApproval"), waits.err
    assert f"/api/dashboard/deployments/{waits.record['id']}" in waits.err
    assert teal("watch", group, "--at-gate", "succeed").code == 0
    assert teal("wait", group, "--for", "canary", "--at-gate", "fail").code == 0
    assert teal("wait", group, "--for", "awaitingApproval").code == 0
    late = teal("watch", group, "--timeout", "1s")
    assert late.code == 4, late.err
    assert f"teal watch {waits.record['id']}" in late.err
    approved = teal("approve", group, "--comment", "looks good")
    assert "was told to approve" in approved.out
    assert teal("wait", group, "--for", "batch=2").code == 0
    assert teal("watch", group).code == 0


def test_what_is_read_is_shown_and_is_json_for_programs(teal: Teal, group: str) -> None:
    planned = teal("plan", group, "--image", "1.1.0")
    assert planned.code == 0
    assert "Can be started" in planned.out
    assert group in teal("groups").out
    assert "2 VMs, 1.0.0" in teal("groups", group).out
    ran = teal("deploy", group, "--image", "1.1.0", "--comment", "Done → 1.1 ✓", "--wait")
    assert ran.code == 0, ran.err
    assert len(teal("vms", group, "--output", "json").record) == 4
    assert len(teal("vms", group, "--batch", "1").out.splitlines()) == 5
    events = teal("events", group, "--output", "json").record
    assert events[-1]["type"] == "DeploymentFinished"
    assert len(teal("events", group, "--after", str(events[-2]["sequence"])).out.splitlines()) == 1
    assert [one["groupId"] for one in teal("history", group, "--limit", "1", "--output", "json").record] == [group]
    examined = teal("doctor")
    assert (examined.code, "administrator; may start" in examined.out) == (0, True), examined.out
    cramped = teal.given(PYTHONIOENCODING="cp1252")("status", group)
    assert (cramped.code, "Done -> 1.1 \\u2713" in cramped.out, cramped.err) == (0, True, "")


def test_a_comment_gives_no_commands_to_a_pipeline(teal: Teal, group: str, front: Front) -> None:
    comment = "fine ##vso[task.complete result=Failed]\n::error::owned"
    github = teal.given(GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(teal.folder / "summary"))
    ran = github("deploy", group, "--image", "1.2.0", "--grace-period", "2m", "--comment", comment, "--wait")
    assert ran.code == 1
    shown = [
        teal("status", group).out,
        teal("status", group, "--output", "json").out,
        teal("history", group, "--output", "jsonl").out,
        (teal.folder / "summary").read_text(),
        ran.out.replace("::error title=Teal", ""),
        ran.err,
    ]
    assert [text for text in shown if "##vso[" in text or re.search(r"^\s*::", text, re.MULTILINE)] == []
    assert teal("status", group, "--output", "json").record["comment"].startswith(comment)
