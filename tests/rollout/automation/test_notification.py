"""What a notification says, and what is not listened to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.automation.notification import IgnoredNotification, Notification, VersionWrite, read_notification

IMAGE = "/subscriptions/0/resourcegroups/rg/providers/Microsoft.Compute/galleries/gal/images/app"
TYPE = "Microsoft.Resources.ResourceWriteSuccess"
WRITE = {"operationName": "Microsoft.Compute/galleries/images/versions/write"}


def said(**changed: Any) -> Notification:
    said: dict[str, Any] = {"id": "e-1", "type": TYPE, "subject": f"{IMAGE}/versions/1.4.0", "data": WRITE}
    return Notification(**said | changed)


@pytest.mark.parametrize(
    "notification",
    [
        said(),
        said(type=TYPE.lower(), data={"operationName": WRITE["operationName"].upper()}),
    ],
)
def test_a_version_was_written(notification: Notification) -> None:
    assert read_notification(notification) == VersionWrite(IMAGE, "1.4.0")


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"id": None}, "no id"),
        ({"id": ""}, "no id"),
        ({"type": "Microsoft.Resources.ResourceWriteFailure"}, "ResourceWriteFailure"),
        ({"type": None}, "None"),
        ({"data": None}, "no data"),
        ({"data": "text"}, "no data"),
        ({"data": {}}, "writes no image version"),
        ({"data": {"operationName": "Microsoft.Compute/virtualMachineScaleSets/write"}}, "virtualMachineScaleSets"),
        ({"data": {"operationName": "Microsoft.Compute/galleries/images/write"}}, "writes no image version"),
        ({"subject": IMAGE}, "no image version"),
        ({"subject": f"{IMAGE}/versions/latest"}, "no image version"),
        ({"subject": f"{IMAGE}/versions/1.4.0/more"}, "no image version"),
        ({"subject": None}, "no image version"),
    ],
)
def test_anything_else_is_ignored_and_why(changed: dict[str, Any], word: str) -> None:
    found = read_notification(said(**changed))
    assert isinstance(found, IgnoredNotification)
    assert word in found.reason


anything = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=3)


@given(st.builds(Notification, anything, anything, anything, anything | st.dictionaries(st.text(), anything)))
def test_no_message_is_too_odd_to_be_read(notification: Notification) -> None:
    found = read_notification(notification)
    assert isinstance(found, IgnoredNotification)
    assert len(found.reason) < 400
