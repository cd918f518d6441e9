"""`make rehearse`: what is said of a scale set that nobody has seen before."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from local.azure.real_input import read_scale_sets
from local.azure.world_images import Behavior
from local.clock import run_virtual
from local.rehearsal.__main__ import main
from local.rehearsal.copies import copy_of
from local.rehearsal.figures import Figures, Level
from local.rehearsal.outcome import Found, Kind, Rehearsal, Run, exit_code
from local.rehearsal.plays import KILLED_AT, Refused, dry_run

EXAMPLE = Path(__file__).parents[3] / "local" / "worlds" / "example-set.json"

SUBSCRIPTION = "/subscriptions/11111111-2222-3333-4444-555555555555"
OTHER = "99999999-8888-7777-6666-555555555555"
GALLERY = f"{SUBSCRIPTION}/resourceGroups/images/providers/Microsoft.Compute/galleries/golden/images/frontend"

Change = Callable[[dict[str, Any]], Any]


def example(change: Change = lambda body: None) -> dict[str, Any]:
    """The example set as `az` prints it, changed."""
    body: dict[str, Any] = json.loads(EXAMPLE.read_text())
    change(body)
    return body


def image(reference: dict[str, Any]) -> Change:
    def change(body: dict[str, Any]) -> None:
        body["virtualMachineProfile"]["storageProfile"]["imageReference"] = reference

    return change


def no_health(body: dict[str, Any]) -> None:
    profile = body["virtualMachineProfile"]
    profile["extensionProfile"] = None
    interface = profile["networkProfile"]["networkInterfaceConfigurations"][0]
    interface["ipConfigurations"][0]["loadBalancerBackendAddressPools"] = None


def automatic(body: dict[str, Any]) -> None:
    body["sku"]["capacity"] = 2
    body["overprovision"] = True
    body["upgradePolicy"] = {"mode": "Rolling", "automaticOsUpgradePolicy": {"enableAutomaticOsUpgrade": True}}


def named(name: str, group: str = "shop-prod") -> Change:
    def change(body: dict[str, Any]) -> None:
        body["name"], body["id"] = name, body["id"].replace("Shop_Frontend", name).replace("shop-prod", group)

    return change


def file_of(tmp_path: Path, document: Any, encoding: str = "utf-8") -> Path:
    path = tmp_path / "my-set.json"
    path.write_text(json.dumps(document), encoding=encoding)
    return path


def planned(tmp_path: Path, document: Any) -> Any:
    """The dry run of a good image for the copy of a set."""
    [body] = read_scale_sets(file_of(tmp_path, document))
    return run_virtual(dry_run(copy_of(body, Behavior()), {}))


URN = {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server"}
SHARED = f"/SharedGalleries/{OTHER}-GOLDEN/Images/frontend"
COMMUNITY = "/CommunityGalleries/contoso-1a2b3c/Images/frontend"


@pytest.mark.parametrize(
    ("reference", "pinned"),
    [
        ({"id": f"{GALLERY}/versions/2.3.4"}, f"{GALLERY}/versions/2.4.0"),
        ({"id": f"{GALLERY}/versions/latest"}, f"{GALLERY}/versions/1.1.0"),
        ({"id": GALLERY}, f"{GALLERY}/versions/1.1.0"),
        ({"id": GALLERY.replace("11111111-2222-3333-4444-555555555555", OTHER)}, OTHER),
        (
            {"id": f"{SUBSCRIPTION}/resourceGroups/images/providers/Microsoft.Compute/images/frontend"},
            "/galleries/apps/",
        ),
        ({"sharedGalleryImageId": f"{SHARED}/Versions/2.3.4"}, f"{SHARED}/versions/2.4.0"),
        ({"sharedGalleryImageId": f"{SHARED}/Versions/latest"}, f"{SHARED}/versions/1.1.0"),
        ({"communityGalleryImageId": COMMUNITY}, f"{COMMUNITY}/versions/1.1.0"),
        ({**URN, "version": "24.04.202605070"}, "Canonical:ubuntu-24_04-lts:server:24.04.202605072"),
        ({**URN, "version": "latest", "exactVersion": "24.04.7"}, "Canonical:ubuntu-24_04-lts:server:24.04.9"),
    ],
)
def test_a_set_of_an_image_of_any_kind_can_be_deployed_to(
    tmp_path: Path, reference: dict[str, Any], pinned: str
) -> None:
    plan = planned(tmp_path, example(image(reference)))
    assert (plan["canStart"], plan["numberOfBatches"]) == (True, 5)
    assert pinned in plan["image"]["pinned"]


@pytest.mark.parametrize(
    ("name", "group", "group_id"),
    [
        ("prod-westeurope-frontend-linux-scaleset-blue-001", "rg", "prod-westeurope-frontend-linux-scaleset"),
        ("_Web.1_", "rg", "web-1"),
        ("web", "Größe.(prod)", "web"),
    ],
)
def test_a_set_of_any_name_gets_a_group(tmp_path: Path, name: str, group: str, group_id: str) -> None:
    document = example(named(name, group))
    [body] = read_scale_sets(file_of(tmp_path, document))
    assert copy_of(body, Behavior()).group_id == group_id
    assert planned(tmp_path, document)["canStart"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    "wrap", [lambda one: one, lambda one: [one], lambda one: {"value": [one]}, lambda one: {"data": [one]}]
)
def test_whatever_az_prints_in_whatever_shell_is_read(tmp_path: Path, wrap: Any, encoding: str) -> None:
    assert [body["name"] for body in read_scale_sets(file_of(tmp_path, wrap(example()), encoding))] == ["Shop_Frontend"]


def test_windows_arm_and_bought_images_fit_their_sets(tmp_path: Path) -> None:
    def windows(body: dict[str, Any]) -> None:
        body["virtualMachineProfile"]["osProfile"]["windowsConfiguration"] = {"provisionVmAgent": True}
        body["virtualMachineProfile"]["storageProfile"]["osDisk"]["osType"] = "Windows"

    def arm(body: dict[str, Any]) -> None:
        body["sku"]["name"] = "Standard_D4ps_v5"

    def bought(body: dict[str, Any]) -> None:
        body["plan"] = {"publisher": "p", "product": "o", "name": "s", "promotionCode": None}

    for change in (windows, arm, bought):
        assert planned(tmp_path, example(change))["canStart"]


def no_profile(body: dict[str, Any]) -> None:
    body["virtualMachineProfile"] = None
    body["sku"] = None


def of_aks(body: dict[str, Any]) -> None:
    body["tags"]["aks-managed-poolName"] = "nodes"


@pytest.mark.parametrize(("change", "code"), [(no_profile, "noVmProfile"), (of_aks, "managedScaleSet")])
def test_a_set_that_cannot_be_registered_is_told_with_the_true_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Change, code: str
) -> None:
    path, html = file_of(tmp_path, example(change)), tmp_path / "page.html"
    assert main([str(path), "--html", str(html)]) == 1
    said = capsys.readouterr().out
    assert f"refuses  {code}: " in said
    assert "         -> " in said
    assert "nothing could be played" in said
    assert code in html.read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--ask", "gracePeriod=1"], "gracePeriod must be at least 120 seconds, not 1"),
        (["--health", "vmState,pulse"], "pulse"),
        (["--only", "other"], "no scale set named other in it"),
    ],
)
def test_a_wish_that_cannot_be_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main([str(EXAMPLE), *arguments]) == 2
    said = capsys.readouterr()
    assert (said.out, words in said.err.splitlines()[-1]) == ("", True)


class Loads(HTMLParser):
    """What a page would load, and how its elements are nested."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.counts: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.loaded += [str(value) for name, value in attrs if name in ("src", "href", "srcset", "data")]


@pytest.mark.slow
def test_the_example_is_rehearsed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    html = tmp_path / "page.html"
    assert main([str(EXAMPLE), "--html", str(html)]) == 0
    said = capsys.readouterr().out
    assert "Ready: the good image went everywhere, the other nowhere, and never fewer VMs served than before." in said
    rows = {line[:24].strip(): re.split(r"\s{2,}", line[24:].strip()) for line in said.splitlines() if len(line) > 24}
    assert rows["ended as"] == ["finished", "failed", "finished"]
    assert rows["fewest VMs that served"] == ["6 of 6"] * 3
    assert rows["surge, VMs"] == ["+2"] * 3
    assert rows["surge, cores"] == ["+8"] * 3
    assert rows["left, VMs"] == ["6 on 2.4.0", "6 on 2.3.4", "6 on 2.4.0"]
    assert rows["left, the set's model"] == ["2.4.0", "2.3.4", "2.4.0"]
    assert f"{len(KILLED_AT)} times (kill -9)" in said
    page = Loads()
    page.feed(html.read_text())
    assert page.loaded == []
    assert "url(" not in html.read_text()
    assert (page.counts["svg"], page.counts["details"], page.counts["section"]) == (3, 3, 1)


@pytest.mark.slow
def test_what_teal_refuses_is_played_with_the_remedies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file_of(tmp_path, example(automatic))
    asked = ("batchSizePercentage=100", "drainingTimeout=0", "canary.size=1", "canary.approval=true", "comment=a b")
    arguments = ["--html", str(tmp_path / "page.html"), *(word for one in asked for word in ("--ask", one))]
    assert main([str(path), *arguments]) == 1
    said = " ".join(capsys.readouterr().out.split())
    for code in ("upgradeModeNotManual", "overprovisioning", "automaticOsUpgrade"):
        assert f"refuses {code}: " in said
    assert "followed: automatic OS upgrades turned off, adjust: true." in said
    assert "Teal would refuse this set as it is. With the remedies the good image went everywhere" in said
    assert "Asked for: batchSizePercentage: 100, drainingTimeout: 0, canary: {'size': 1, 'approval': True}" in said
    assert "ended as finished failed finished" in said


@pytest.mark.slow
def test_where_nothing_checks_the_application_a_bad_image_goes_live_and_that_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = example(no_health)
    document["sku"]["capacity"] = 1
    assert main([str(file_of(tmp_path, document)), "--html", str(tmp_path / "page.html")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "warns greenServesUnjudged" in said
    assert "so an image that does not work went live" in said
    assert "fewest VMs that served 1 of 1 0 of 1 1 of 1" in said


def level(minutes: float, vms: int) -> Level:
    return Level(timedelta(minutes=minutes), vms)


FIGURES = Figures(
    serving=(level(0, 4), level(10, 6), level(20, 4)),
    existing=(level(0, 4), level(5, 6), level(65, 5), level(95, 4)),
    length=timedelta(minutes=120),
)


def test_the_surge_is_what_there_was_beyond_the_vms_of_before() -> None:
    assert (FIGURES.serving_before, FIGURES.serving_least, FIGURES.surge) == (4, 4, 2)
    assert FIGURES.surge_hours == pytest.approx(2 + 0.5)


def test_a_surge_that_has_not_gone_is_counted_to_the_end() -> None:
    figures = Figures((level(0, 1),), (level(0, 1), level(30, 2)), timedelta(minutes=90))
    assert figures.surge_hours == pytest.approx(1)


def run(kind: Kind = Kind.GOOD, status: str = "finished", least: int = 4, broken: tuple[str, ...] = ()) -> Run:
    figures = Figures((level(0, 4), level(5, least)), FIGURES.existing, FIGURES.length)
    return Run(kind, status, "why", FIGURES.length, figures, 2, {}, "2.4.0", (), 0, 27, broken)


REFUSING = Found("error", "overprovisioning", "on", "off")


@pytest.mark.parametrize(
    ("runs", "findings", "words", "code"),
    [
        ([run(), run(Kind.BAD, "failed"), run(Kind.KILLED)], [], "Ready: the good image went everywhere", 0),
        ([run(Kind.BAD, "rolledBack")], [Found("warning", "spot", "", "")], "Ready: ", 0),
        ([run()], [REFUSING], "Teal would refuse this set as it is. With the remedies", 1),
        ([], [REFUSING], "Teal would refuse to deploy to this set", 1),
        ([run(status="failed")], [], "Not as it should be: a good image ended as failed: why", 1),
        ([run(broken=("no_vm_cut_off: web_1",))], [], "Not as it should be: a good image ended as finished", 1),
        (
            [run(Kind.BAD, "stopped")],
            [],
            "Not as it should be: an image that never becomes healthy ended as stopped",
            1,
        ),
        ([run(Kind.BAD, "finished", 0)], [], "Beware: nothing tells whether a VM of this set works", 0),
        ([run(least=3)], [], "Beware: fewer VMs served for a time", 0),
    ],
)
def test_the_verdict_and_the_exit_code(runs: list[Run], findings: list[Found], words: str, code: int) -> None:
    rehearsal = Rehearsal("web", "", {"healthCheckTypes": []}, {}, tuple(findings), runs=tuple(runs))
    assert rehearsal.verdict.startswith(words)
    assert exit_code((rehearsal,)) == code


def test_a_refusal_of_the_request_itself_has_no_findings() -> None:
    [body] = read_scale_sets(EXAMPLE)
    with pytest.raises(Refused) as raised:
        run_virtual(dry_run(copy_of(copy.deepcopy(body), Behavior()), {"batchSize": 0}))
    assert raised.value.findings == []
