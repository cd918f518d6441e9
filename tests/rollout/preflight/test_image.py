"""Whether an image fits a set: every property that has to, as a table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rollout.model.azure.scale_set import ImageReference, PublishedVersion, PurchasePlan, ScaleSet
from rollout.model.azure.surroundings import VmSize
from rollout.model.findings import Severity
from rollout.preflight.image import check_image, check_image_on_size

NOW = datetime(2026, 11, 24, tzinfo=UTC)
OLD = ImageReference(id="/galleries/apps/images/web/versions/1.0.0")
UBUNTU = ImageReference(publisher="Canonical", offer="ubuntu", sku="server", version="1.0.0")
SHARED = ImageReference(shared_gallery_image_id="/SharedGalleries/0-APPS/Images/web/Versions/1.1.0")
COMMUNITY = ImageReference(community_gallery_image_id="/CommunityGalleries/apps/Images/web/Versions/1.1.0")
PLAN = PurchasePlan("acme", "web", "gold")
SET = ScaleSet("/set", "web", "eastus2", '"1"', 10, "Succeeded", OLD, os_type="Linux")
VERSION = PublishedVersion(
    "/galleries/apps/images/web/versions/1.1.0", "1.1.0", "Succeeded", regions={"eastus2": "Completed"}, os_type="Linux"
)
SIZE = VmSize("Standard_D2s_v5", "standardDSv5Family", 2, ("V1", "V2"), "x64")


def ubuntu(**names: str) -> ImageReference:
    return replace(UBUNTU, version="2.0.0", **names)


@pytest.mark.parametrize(
    ("image", "scale_set", "code"),
    [
        ({}, {}, None),
        ({"os_type": "windows"}, {"os_type": "Windows"}, None),
        ({"os_type": "Windows"}, {}, "imageIncompatible"),
        ({"os_type": None}, {}, None),
        ({"os_state": "Generalized"}, {}, None),
        ({"os_state": "Generalized"}, {"has_os_profile": False}, "imageGeneralized"),
        ({"os_state": "Specialized"}, {}, "imageSpecialized"),
        ({"os_state": "Specialized"}, {"has_os_profile": False}, None),
        ({"security_type": "TrustedLaunchSupported"}, {"security_type": "TrustedLaunch"}, None),
        ({"security_type": "TrustedLaunchSupported"}, {"security_type": "Standard"}, None),
        ({"security_type": "trustedlaunch"}, {"security_type": "TrustedLaunch"}, None),
        ({"security_type": "TrustedLaunch"}, {}, "imageIncompatible"),
        ({"security_type": "ConfidentialVmSupported"}, {"security_type": "TrustedLaunch"}, "imageIncompatible"),
        ({"security_type": "ConfidentialVmSupported"}, {"security_type": "ConfidentialVM"}, None),
        ({}, {"security_type": "TrustedLaunch"}, "imageIncompatible"),
        (
            {"security_type": "TrustedLaunchAndConfidentialVmSupported", "hyper_v_generation": "V1"},
            {"security_type": "ConfidentialVM"},
            "imageIncompatible",
        ),
        ({"plan": PLAN}, {}, "planMismatch"),
        ({"plan": PLAN}, {"plan": replace(PLAN, name="silver")}, "planMismatch"),
        ({"plan": PLAN}, {"plan": replace(PLAN, publisher="ACME")}, None),
        ({}, {"plan": PLAN}, None),
        ({"reference": ubuntu()}, {}, "imageKindChange"),
        ({"reference": ubuntu()}, {"image": UBUNTU}, None),
        ({"reference": SHARED}, {}, "imageKindChange"),
        ({"reference": SHARED}, {"image": COMMUNITY}, "imageKindChange"),
        ({"reference": SHARED}, {"image": SHARED}, None),
        ({"reference": ubuntu(sku="minimal", publisher="canonical")}, {"image": UBUNTU}, None),
        ({"reference": ubuntu(offer="debian")}, {"image": UBUNTU}, "imageOfferChange"),
        ({"reference": ubuntu(publisher="Debian")}, {"image": UBUNTU}, "imageOfferChange"),
        ({"reference": ubuntu()}, {"image": UBUNTU, "plan": PLAN}, "planMismatch"),
        ({"reference": ubuntu()}, {"image": UBUNTU, "security_type": "TrustedLaunch"}, None),
        ({}, {"image": None}, None),
        ({"provisioning_state": "Deprecated"}, {}, "imageNotReady"),
    ],
)
def test_what_has_to_fit(image: dict[str, Any], scale_set: dict[str, Any], code: str | None) -> None:
    found = list(check_image(replace(VERSION, **image), VERSION.id, replace(SET, **scale_set)))
    assert [(finding.code, finding.severity) for finding in found] == ([(code, Severity.ERROR)] if code else [])
    assert all(finding.message and finding.remedy and finding.target == "image" for finding in found)


@pytest.mark.parametrize(
    ("image", "own", "words"),
    [
        ({"exclude_from_latest": True}, False, "is excluded from latest:"),
        ({"excluded_regions": frozenset({"eastus2"})}, False, "is excluded from latest in East US 2:"),
        ({"excluded_regions": frozenset({"westus"})}, False, ""),
        ({"exclude_from_latest": True}, True, ""),
    ],
)
def test_a_named_version_that_latest_passes_over_is_told_unless_it_is_the_set_s_own(
    image: dict[str, Any], own: bool, words: str
) -> None:
    version = replace(VERSION, **image)
    scale_set = replace(SET, location="East US 2", image=version.reference if own else SET.image)
    found = list(check_image(version, version.id, scale_set))
    expected = [("imageExcluded", Severity.WARNING)] if words else []
    assert [(finding.code, finding.severity) for finding in found] == expected
    assert all(words in finding.message for finding in found)


@pytest.mark.parametrize(
    ("image", "size", "fits"),
    [
        ({"architecture": "x64", "hyper_v_generation": "V2"}, {}, True),
        ({"architecture": "Arm64"}, {}, False),
        ({"architecture": "arm64"}, {"architecture": "Arm64"}, True),
        ({"hyper_v_generation": "V1"}, {"generations": ("V2",)}, False),
        ({"hyper_v_generation": "V2"}, {"generations": ("V1",)}, False),
        ({}, {"generations": ("V2",), "architecture": "Arm64"}, True),
        ({"disk_controllers": ("SCSI",)}, {"disk_controllers": ("NVMe",)}, False),
        ({"disk_controllers": ("SCSI", "NVMe")}, {"disk_controllers": ("nvme",)}, True),
        ({"disk_controllers": ("SCSI",)}, {"disk_controllers": ("SCSI", "NVMe")}, True),
        ({"disk_controllers": ("SCSI",)}, {}, True),
        ({}, {"disk_controllers": ("NVMe",)}, True),
        ({"architecture": "Arm64", "hyper_v_generation": "V1"}, {"generations": (), "architecture": ""}, True),
    ],
)
def test_what_the_vm_size_can_run(image: dict[str, Any], size: dict[str, Any], fits: bool) -> None:
    found = list(check_image_on_size(replace(VERSION, **image), replace(SIZE, **size)))
    assert [finding.code for finding in found] == ([] if fits else ["imageIncompatible"])


def test_the_sets_model_names_the_disk_controller_where_its_size_has_several() -> None:
    both, scsi = replace(SIZE, disk_controllers=("SCSI", "NVMe")), replace(VERSION, disk_controllers=("SCSI",))
    assert list(check_image_on_size(scsi, both, "SCSI")) == []
    (found,) = check_image_on_size(scsi, both, "NVMe")
    assert found.message == ("Image version 1.1.0 boots from SCSI disks only, VMs of Standard_D2s_v5 have NVMe ones")


def test_what_is_not_known_is_not_held_against_an_image() -> None:
    assert list(check_image_on_size(None, SIZE)) == []
    assert list(check_image_on_size(replace(VERSION, architecture="Arm64"), None)) == []
    assert list(check_image(None, "", SET)) == []
    assert list(check_image(VERSION, VERSION.id, None)) == []


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        (timedelta(days=-1), "reached its end of life on 2026-11-23"),
        (timedelta(days=29), "reaches its end of life on 2026-12-23"),
        (timedelta(days=31), ""),
    ],
)
def test_the_end_of_an_images_life_is_told_a_month_before(ends: timedelta, words: str) -> None:
    found = list(check_image(replace(VERSION, end_of_life=NOW + ends), VERSION.id, SET, NOW))
    assert [(finding.code, finding.severity) for finding in found] == (
        [("imageEndOfLife", Severity.WARNING)] if words else []
    )
    assert all(words in finding.message for finding in found)
    assert list(check_image(replace(VERSION, end_of_life=NOW), VERSION.id, SET)) == []
