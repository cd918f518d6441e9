"""The world file: what it may say, what it says when it is wrong, and its page."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.azure.world import WorldError, demo_world, load_world, parse_world
from local.azure.world.reference import BEGINNING, END, PAGE, reference


def test_the_demo_world_is_what_its_page_says() -> None:
    world = demo_world()
    [web, api], [gallery] = world.scale_sets, world.galleries
    assert (web.name, web.capacity, web.image, web.orchestration_mode) == ("web", 10, "apps/web/1.0.0", "Uniform")
    assert (api.name, api.capacity, api.image, api.orchestration_mode) == ("api", 6, "apps/api/1.0.0", "Flexible")
    assert api.backend_pools == ("api-gw/api",)
    for image in gallery.images:
        assert [version.name for version in image.versions] == ["1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0"]
    assert world.groups[0]["id"] == "web"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"scaleSet": []}, "world: scaleSet: unknown field; allowed here: applicationGateways, autoscaleSettings,"),
        (
            {"galleries": [{"name": "apps", "resourceGroup": "demo", "images": [{"name": "web", "size": 1}]}]},
            "world: galleries[0].images[0].size: unknown field; allowed here: architecture, diskControllerTypes, ",
        ),
        (
            {"platform": {"behavior": {"bootTimes": 1}}},
            "world: platform.behavior.bootTimes: unknown field; allowed here: boot",
        ),
        ({"platform": {"deleteTime": -1}}, "world: platform.deleteTime: should be a number of seconds, 0 or more"),
        ({"platform": {"deleteTime": "30s"}}, "world: platform.deleteTime: should be a number of seconds, 0 or more"),
        ({"scaleSets": [{"name": "web"}]}, "world: scaleSets[0].resourceGroup: Field required"),
        ([], "world: the document: "),
        ({"faults": [{"path": "("}]}, "world: faults[0].path: should be a regular expression"),
        ({"resources": [{"name": "web"}]}, "world: resources[0]: should be a scale set as ARM answers it"),
        (
            {"scaleSets": [{"name": "web", "resourceGroup": "demo", "capacity": 1, "image": "apps/web/2.0.0"}]},
            "world: scaleSets[0].image: no version apps/web/2.0.0; there are: none",
        ),
        (
            {
                "scaleSets": [
                    {"name": "a", "resourceGroup": "b", "capacity": 1, "image": "/x", "backendPools": ["lb/a"]}
                ]
            },
            "world: scaleSets[0].backendPools: no pool lb/a; there are: none",
        ),
        (
            {"scaleSets": [{"name": "a", "resourceGroup": "b", "capacity": 1, "image": "/x", "attachedVms": ["old"]}]},
            "world: scaleSets[0].attachedVms: only a Flexible set has VMs attached",
        ),
        (
            {
                "loadBalancers": [{"name": "lb", "resourceGroup": group, "pools": ["a"]} for group in ("b", "c")],
                "scaleSets": [
                    {"name": "a", "resourceGroup": "b", "capacity": 1, "image": "/x", "backendPools": ["lb/a"]}
                ],
            },
            "world: scaleSets[0].backendPools: there are several pools lb/a",
        ),
        (
            {
                "scaleSets": [
                    {"name": "a", "resourceGroup": group, "capacity": 1, "image": "/x"} for group in ("b", "c")
                ],
                "autoscaleSettings": [
                    {
                        "name": "s",
                        "resourceGroup": "b",
                        "scaleSet": "a",
                        "profiles": [{"name": "p", "minimum": 1, "maximum": 2}],
                    }
                ],
            },
            "world: autoscaleSettings[0].scaleSet: there are several scale sets a",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_path_and_what_is_allowed(document: Any, message: str) -> None:
    with pytest.raises(WorldError) as raised:
        parse_world(document)
    assert str(raised.value).startswith(message)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="No such file"):
        load_world(tmp_path / "missing.json")
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    with pytest.raises(WorldError, match="not JSON"):
        load_world(broken)


def test_a_world_survives_being_written_and_read() -> None:
    world = demo_world()
    assert parse_world(json.loads(json.dumps(world.model_dump(mode="json", by_alias=True)))) == world


def test_the_page_holds_the_reference_as_the_code_has_it() -> None:
    # `python -m local.azure.world.reference` writes it anew.
    page = PAGE.read_text(encoding="utf-8")
    assert page.split(BEGINNING)[1].split(END)[0].strip() == reference()


def test_the_example_on_the_page_is_a_world() -> None:
    example = PAGE.read_text(encoding="utf-8").split("```json")[1].split("```")[0]
    assert parse_world(json.loads(example)).scale_sets[0].capacity == 900
