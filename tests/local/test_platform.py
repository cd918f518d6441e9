"""What the platform says of a group that cannot be registered."""

from local.platform import refusal

NAME = "groupId must be 1 to 40 lower-case letters, digits and hyphens"


def test_a_group_that_is_not_registered_is_told_with_the_api_s_own_reasons() -> None:
    finding = {
        "code": "managedScaleSet",
        "message": "web is managed by AKS",
        "remedy": "Roll the nodes with AKS itself",
    }
    refused = {"error": {"code": "preflightFailed", "message": "web is managed by AKS", "details": [finding]}}
    assert refusal("web", refused).splitlines() == [
        "Group web is not registered: web is managed by AKS",
        "  managedScaleSet: web is managed by AKS. Roll the nodes with AKS itself",
    ]


def test_what_is_wrong_with_the_registration_itself_is_not_laid_on_the_set() -> None:
    fault = {"code": "invalidValue", "message": NAME, "target": "groupId"}
    assert refusal("_web", {"error": {**fault, "details": [fault]}}).splitlines() == [
        f"Group _web is not registered: {NAME}",
        f"  invalidValue: {NAME}",
    ]
