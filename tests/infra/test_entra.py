"""The script that makes the app registration, with stand-ins for the commands ``az`` and ``azd``."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from infra.check import INFRA

CLIENT = "55555555-5555-5555-5555-555555555555"

#: Writes down its arguments, one call a line, and knows the registration after it was made.
AZ = """#!/usr/bin/env python3
import json, os, sys
folder, arguments = os.environ["STAND_IN"], sys.argv[1:]
with open(f"{folder}/calls", "a") as calls:
    calls.write(json.dumps([os.path.basename(sys.argv[0]), *arguments]) + "\\n")
made, principal = f"{folder}/made", f"{folder}/principal"
if arguments[:3] == ["ad", "app", "list"] and os.path.exists(made):
    print(open(made).read())
elif arguments[:3] == ["ad", "app", "create"]:
    open(made, "w").write(os.environ["CLIENT"])
    print(os.environ["CLIENT"])
elif arguments[:3] == ["ad", "app", "show"]:
    print("object-id")
elif arguments[:3] == ["ad", "sp", "show"]:
    sys.exit(0 if os.path.exists(principal) else 1)
elif arguments[:3] == ["ad", "sp", "create"]:
    open(principal, "w").write("")
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    for name in ("az", "azd"):
        (folder / name).write_text(AZ)
        (folder / name).chmod(0o755)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "STAND_IN": str(folder), "CLIENT": CLIENT}
    return subprocess.run([str(INFRA / "entra.sh"), *arguments], env=environment, capture_output=True, text=True)


def calls(folder: Path) -> list[list[str]]:
    return [json.loads(line) for line in (folder / "calls").read_text().splitlines()]


def patches(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(call[call.index("--body") + 1]) for call in calls(folder) if "PATCH" in call]


def test_it_makes_what_the_app_accepts_and_tells_azd(tmp_path: Path) -> None:
    assert run(tmp_path).returncode == 0
    first, second = patches(tmp_path)
    assert first["identifierUris"] == [f"api://{CLIENT}"]
    assert first["api"]["requestedAccessTokenVersion"] == 2
    (scope,) = first["api"]["oauth2PermissionScopes"]
    assert (scope["value"], scope["isEnabled"]) == ("user_impersonation", True)
    assert [role["value"] for role in first["appRoles"]] == ["reader", "deployer", "approver", "administrator"]
    assert len({role["id"] for role in first["appRoles"]} | {scope["id"]}) == 5
    assert second == {
        "api": {
            "preAuthorizedApplications": [
                {"appId": "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "delegatedPermissionIds": [scope["id"]]}
            ]
        }
    }
    assert ["azd", "env", "set", "TEAL_ENTRA_CLIENT_ID", CLIENT] in calls(tmp_path)


def test_again_it_makes_no_second_one(tmp_path: Path) -> None:
    run(tmp_path)
    before = patches(tmp_path)
    assert run(tmp_path).returncode == 0
    assert patches(tmp_path) == before * 2
    assert len([call for call in calls(tmp_path) if "create" in call]) == 2  # the registration and its principal


def test_one_of_several_of_a_name_is_not_guessed(tmp_path: Path) -> None:
    run(tmp_path)
    (tmp_path / "made").write_text(f"{CLIENT}\n{CLIENT}")
    refused = run(tmp_path, "Teal")
    assert refused.returncode == 1
    assert "Several app registrations are called Teal" in refused.stderr
