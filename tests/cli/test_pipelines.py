"""The action, the template and the recipes: their scripts are run as runner and agent run them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.cli.front import HANG, Front, Reply, Request
from tests.cli.running import Ran, Started, Teal
from tests.cli.test_environment import AZURE, GITHUB
from tests.cli.test_running_again import read_outputs

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PIPELINES = ROOT / "pipelines"
BIN = Path(sys.executable).parent


def loaded(path: Path) -> Any:
    return YAML(typ="safe").load(path)


@pytest.fixture
def action(pyz: Path, tmp_path: Path) -> Path:
    """The action's folder as a release has it: with the command in it."""
    folder = tmp_path / "action"
    shutil.copytree(PIPELINES / "github", folder)
    shutil.copy(pyz, folder / "teal.pyz")
    return folder


def step(action: Path, teal: Teal, **inputs: str) -> tuple[list[str], dict[str, str]]:
    """What the runner runs for the action's own step, and its environment, with these inputs and a matrix."""
    described = loaded(action / "action.yml")
    own = next(one for one in described["runs"]["steps"] if one.get("id") == "teal")
    given = {name: one.get("default", "") for name, one in described["inputs"].items()} | inputs
    filled = {name: filled_in(text, given) for name, text in own["env"].items()}
    script = action / "step.sh"
    script.write_text(own["run"])
    runner = {"GITHUB_ACTION_PATH": str(action), "GITHUB_OUTPUT": str(action / "output")}
    # The runner's own way to call `shell: bash`, src/Runner.Worker/Handlers/ScriptHandlerHelpers.cs.
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)]
    return command, teal.given(**{**GITHUB, **runner, **filled}).variables


def filled_in(text: str, inputs: dict[str, str]) -> str:
    """The expressions that the step has."""
    for name, value in inputs.items():
        text = text.replace(f"${{{{ inputs.{name} }}}}", value)
    return text.replace("${{ toJSON(matrix) }}", '{\n  "region": "west"\n}')


def ran(command: list[str], variables: dict[str, str], timeout: float = 60, **more: Any) -> Ran:
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=timeout, check=False, **more)
    return Ran(done.returncode, done.stdout, done.stderr)


def test_the_action_deploys_and_has_outputs(action: Path, teal: Teal, group: str) -> None:
    options = '--interval=100ms\n\n--comment=it\'s "fine" $(date)\n'
    command, variables = step(
        action, teal, url=teal.environment["TEAL_URL"], group=group, image="1.1.0", options=options
    )
    done = ran(command, variables)
    assert done.code == 0, done.err
    outputs = read_outputs((action / "output").read_text())
    assert set(outputs) == {"id", "status", "reason", "url", "exit-code"}
    assert set(outputs) == set(loaded(action / "action.yml")["outputs"])
    assert outputs["status"] == "finished"
    shown = teal.newest(group)[0]
    assert shown["comment"].startswith('it\'s "fine" $(date) (commit 0123456789ab')


def test_a_cancelled_action_stops_its_deployment_while_the_server_hangs(
    action: Path, teal: Teal, group: str, front: Front
) -> None:
    options = "--canary-size=1\n--canary-approval\n--interval=100ms"
    asked = {"url": front.url, "group": group, "image": "1.1.0", "at-gate": "wait", "on-cancel": "stop"}
    started = Started(*step(action, teal, **asked, options=options))
    try:
        started.until("It waits for an approval")
        front.rule = lambda request: HANG
        began = time.monotonic()
        started.process.send_signal(signal.SIGINT)
        assert (started.end(), time.monotonic() - began < 5.0) == (130, True), started.text
        assert front.asked("POST", "/stop"), "what the shell has become got the signal"
    finally:
        started.kill()


def test_the_action_without_its_command_says_so(teal: Teal, tmp_path: Path) -> None:
    folder = tmp_path / "bare"
    shutil.copytree(PIPELINES / "github", folder, ignore=shutil.ignore_patterns("*.pyz*"))
    done = ran(*step(folder, teal, url="http://127.0.0.1:9", group="web"))
    assert (done.code, "has no teal.pyz" in done.out) == (2, True)


def test_a_github_deployment_is_written_around_it(front: Front, tmp_path: Path) -> None:
    def github(request: Request) -> Reply:
        assert request.headers["authorization"] == "Bearer token"
        return Reply(201, {"id": 42})

    front.rule = github
    output = tmp_path / "output"
    variables = {
        "PATH": os.environ["PATH"],
        "GH_TOKEN": "token",
        "GITHUB_API_URL": front.url,
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_SHA": "0123",
        "GITHUB_OUTPUT": str(output),
        "TEAL_ENVIRONMENT": "production",
        "TEAL_STATUS": "rolledBack",
        "TEAL_PAGE": "https://teal/d",
        "TEAL_GITHUB_DEPLOYMENT": "42",
    }
    script = PIPELINES / "github" / "deployment.sh"
    for way in ("open", "close"):
        done = ran(["bash", str(script), way], variables)
        assert (done.code, done.out, done.err) == (0, "", "")
    assert output.read_text() == "deployment=42\n"
    paths = [request.path for request in front.seen]
    assert paths == ["/repos/o/r/deployments", *["/repos/o/r/deployments/42/statuses"] * 2]
    bodies = [json.loads(request.body) for request in front.seen]
    assert (bodies[0]["ref"], bodies[2]["state"], bodies[2]["environment_url"]) == ("0123", "failure", "https://teal/d")
    front.rule = lambda request: Reply(403, {"message": "no"})
    refused = ran(["bash", str(script), "open"], variables)
    assert (refused.code, "::warning" in refused.out) == (0, True)


def test_the_azure_template_s_scripts_deploy_and_cancel(teal: Teal, group: str, pyz: Path) -> None:
    steps = loaded(PIPELINES / "azure" / "deploy-template.yml")["steps"]
    for way in (steps[0], steps[1]):
        for one in next(iter(way.values())):
            given = one["env"].keys()
            assert {"TEAL_URL", *(("TEAL_DEPLOYMENT",) if "Cancel" in one["displayName"] else ("TEAL_GROUP",))} <= given
    options = json.dumps(["--canary-size=1", "--canary-approval", "--interval=100ms"])
    asked = {"TEAL_GROUP": group, "TEAL_IMAGE": "1.1.0", "TEAL_OPTIONS": options, "TEAL_AT_GATE": "fail"}
    variables = teal.given(**{**AZURE, **asked}, TEAL_TIMEOUT="55m", TEAL_PROGRAM=str(pyz)).variables
    done = ran(["bash", str(PIPELINES / "azure" / "run.sh")], variables)
    assert (done.code, done.err) == (8, ""), done.out
    (line,) = [one for one in done.out.splitlines() if "variable=tealId;" in one]
    cancel = {**variables, "TEAL_DEPLOYMENT": line.partition("]")[2], "TEAL_ON_CANCEL": "stop"}
    cancelled = ran(["bash", str(PIPELINES / "azure" / "cancel.sh")], cancel)
    assert (cancelled.code, "was told to stop" in cancelled.out) == (0, True)
    assert teal("watch", group).code == 5


@pytest.fixture
def path_with_teal(teal: Teal) -> Teal:
    """The command on the path, where a recipe's script finds it."""
    program = teal.folder / "teal"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m teal_cli "$@" --interval 100ms\n')
    program.chmod(0o755)
    return teal.given(PATH=f"{teal.folder}:{BIN}:{os.environ['PATH']}")


def test_packer_s_script_deploys_once_however_often_it_runs(path_with_teal: Teal, group: str) -> None:
    variables = path_with_teal.given(TEAL_GROUP=group, TEAL_IMAGE="1.1.0").variables
    for _ in range(2):
        done = ran(["bash", str(PIPELINES / "recipes" / "packer" / "deploy.sh")], variables)
        assert done.code == 0, done.err
    assert "nothing was started" in done.err


def test_terraform_s_script_tells_terraform_how_it_ended(path_with_teal: Teal, group: str, tmp_path: Path) -> None:
    """By itself, as `local-exec` calls it; and by the real Terraform, where that is on this machine."""
    folder = tmp_path / "terraform"
    shutil.copytree(PIPELINES / "recipes" / "terraform", folder)
    variables = path_with_teal.variables
    own = {**variables, "TEAL_GROUP": group, "TEAL_IMAGE": "9.9.9"}
    assert ran(["sh", "-c", "./deploy.sh"], own, cwd=folder).code == 6
    assert ran(["sh", "-c", "./deploy.sh"], {**own, "TEAL_IMAGE": "1.1.0"}, cwd=folder).code == 0
    if terraform := shutil.which("terraform"):
        assert ran([terraform, "init", "-input=false"], variables, cwd=folder).code == 0
        apply = [terraform, "apply", "-auto-approve", "-input=false", f"-var=group={group}"]
        done = ran([*apply, "-var=image=1.0.0"], variables, cwd=folder)
        assert (done.code, "finished: 2 VMs now on 1.0.0" in done.out) == (0, True), done.out + done.err


def test_ansible_s_playbook_deploys_and_fails_as_the_deployment_does(teal: Teal, group: str) -> None:
    variables = teal.given(TEAL_KEY="key", ANSIBLE_LOCALHOST_WARNING="0", ANSIBLE_INVENTORY_UNPARSED_WARNING="0")
    playbook = [str(BIN / "ansible-playbook"), str(PIPELINES / "recipes" / "ansible" / "deploy.yml")]
    more = ["-e", f"group={group}", "-e", "interval=1", "-e", f"ansible_python_interpreter={sys.executable}"]
    done = ran([*playbook, *more, "-e", "image=1.1.0"], variables.variables)
    assert (done.code, "2 VMs now on 1.1.0" in done.out) == (0, True), done.out + done.err
    refused = ran([*playbook, *more, "-e", "image=9.9.9"], variables.variables)
    assert (refused.code, "There is no image version" in refused.out) == (2, True)


def test_curl_alone_starts_follows_and_stops(teal: Teal, group: str) -> None:
    script = str(PIPELINES / "recipes" / "curl" / "deploy.sh")
    variables = teal.given(TEAL_KEY="key", TEAL_INTERVAL="0.2").variables
    done = ran(["bash", script, group, "1.1.0"], variables)
    assert (done.code, done.out.splitlines()[-1]) == (0, "2 VMs now on 1.1.0"), done.err
    refused = ran(["bash", script, group, "9.9.9"], variables)
    assert (refused.code, "There is no image version" in refused.out) == (1, True)
    started = Started(["bash", script, group, "1.0.0"], variables)
    try:
        started.until("Started")
        started.process.send_signal(signal.SIGTERM)
        assert started.end() == 130
        assert teal("watch", group).code == 5
    finally:
        started.kill()


@pytest.mark.parametrize(
    "command",
    [
        ["check-jsonschema", "--builtin-schema", "vendor.github-actions", "github/action.yml"],
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", "github/examples/build-and-deploy.yml"],
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", "github/examples/image-rule.yml"],
        *(
            [
                *("check-jsonschema", "--regex-variant", "python", "--data-transform", "azure-pipelines"),
                *("--builtin-schema", "vendor.azure-pipelines", f"azure/{file}"),
            ]
            for file in ("deploy-template.yml", "examples/azure-pipelines.yml")
        ),
        [
            *("zizmor", "--offline", "--no-progress", "-q", "github/action.yml"),
            *("github/examples/build-and-deploy.yml", "github/examples/image-rule.yml"),
        ],
    ],
    ids=lambda command: f"{command[0]}-{command[-1].rpartition('/')[2]}",
)
def test_what_is_around_the_scripts_is_understood(command: list[str]) -> None:
    done = ran([str(BIN / command[0]), *command[1:]], {"PATH": os.environ["PATH"]}, cwd=PIPELINES)
    assert done.code == 0, done.out + done.err


@pytest.mark.parametrize("file", ["packer/image.pkr.hcl", "terraform/main.tf"])
def test_hcl_is_understood(file: str) -> None:
    import hcl2

    with (PIPELINES / "recipes" / file).open() as text:
        assert hcl2.load(text)
