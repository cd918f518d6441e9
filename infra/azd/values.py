"""The values of azd's environment that the hooks read, checked before anything is done with them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.azd.arm import PUBLIC
from infra.azd.web import Stopped

_GROUP_ID = re.compile(r"/subscriptions/[^/]+/resourceGroups/[^/]+", re.IGNORECASE)
_SCALE_SET = re.compile(_GROUP_ID.pattern + r"/providers/Microsoft\.Compute/virtualMachineScaleSets/[^/]+", re.I)
_GALLERY = re.compile(_GROUP_ID.pattern + r"/providers/Microsoft\.Compute/galleries/[^/]+", re.I)
_TOPIC = re.compile(_GROUP_ID.pattern + r"/providers/Microsoft\.EventGrid/systemTopics/[^/]+", re.I)
_NAME = re.compile(r"[A-Za-z0-9-]{1,63}")

_FIELDS = {"id", "scaleSetId", "body", "galleryId", "galleryTopicId", "networkScopes"}


@dataclass(frozen=True)
class Group:
    """A scale set that Teal may deploy to."""

    id: str
    scale_set_id: str
    body: Mapping[str, Any]
    gallery_id: str = ""
    network_scopes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Values:
    """What azd knows. The outputs of the template are empty until it was deployed once."""

    environment: str
    subscription: str
    resource_group: str = ""
    app_id: str = ""
    url: str = ""
    principal_id: str = ""
    storage_id: str = ""
    role_ids: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()
    setting_names: tuple[str, ...] = ()
    entra_client_id: str = ""
    built_in_roles: bool = False
    subscription_reads: bool = True
    has_network: bool = False
    forced: bool = False
    endpoint: str = PUBLIC

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Values:
        """Read azd's environment.

        :raises Stopped: what cannot be meant, by the name of the value.
        """

        def value(name: str) -> str:
            return environment.get(name, "").strip()

        missing = [name for name in ("AZURE_ENV_NAME", "AZURE_SUBSCRIPTION_ID") if not value(name)]
        if missing:
            raise Stopped(f"{' and '.join(missing)} must be set: this is run by azd (`azd up`), in its environment")
        return cls(
            environment=value("AZURE_ENV_NAME"),
            subscription=value("AZURE_SUBSCRIPTION_ID"),
            resource_group=value("AZURE_RESOURCE_GROUP"),
            app_id=value("TEAL_APP_ID"),
            url=value("TEAL_URL"),
            principal_id=value("TEAL_PRINCIPAL_ID"),
            storage_id=value("TEAL_STORAGE_ID"),
            role_ids=tuple(_json("TEAL_ROLE_IDS", value("TEAL_ROLE_IDS"), list)),
            groups=_groups(_json("TEAL_GROUPS", value("TEAL_GROUPS"), list)),
            setting_names=tuple(_json("TEAL_SETTINGS", value("TEAL_SETTINGS"), dict)),
            entra_client_id=value("TEAL_ENTRA_CLIENT_ID"),
            built_in_roles=value("TEAL_ROLES") == "builtIn",
            subscription_reads=(value("TEAL_SUBSCRIPTION_READS") or str(value("TEAL_ROLES") != "builtIn")).lower()
            == "true",
            has_network=value("VNET_ENABLED").lower() == "true",
            forced=value("TEAL_FORCE").lower() == "true",
            endpoint=value("TEAL_ARM_ENDPOINT") or PUBLIC,
        )

    @property
    def own_group_id(self) -> str:
        """The id of Teal's own resource group, in lower case."""
        return self.app_id.lower().partition("/providers/")[0]

    @property
    def scopes(self) -> frozenset[str]:
        """What the list of groups gives rights on, in lower case: as infra/main.bicep has it."""
        sets = {group.scale_set_id.lower().partition("/providers/")[0] for group in self.groups}
        networks = {scope.lower() for group in self.groups for scope in group.network_scopes}
        whole = {scope.rpartition("/resourcegroups/")[0] for scope in sets} if self.subscription_reads else set()
        return frozenset(sets | networks | set(self.galleries) | whole)

    @property
    def galleries(self) -> tuple[str, ...]:
        """The galleries, in lower case and once each."""
        return tuple(dict.fromkeys(group.gallery_id.lower() for group in self.groups if group.gallery_id))

    @property
    def subscriptions(self) -> frozenset[str]:
        """Teal's own subscription and those of the groups, their networks and galleries."""
        return frozenset({self.subscription.lower(), *(scope.split("/")[2] for scope in self.scopes)})


def check_settings(names: Sequence[str], known: Sequence[str]) -> None:
    """Refuse settings that Teal does not have: Azure takes any name, and nobody reads it."""
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Stopped(f"TEAL_SETTINGS names {', '.join(unknown)}, which README.md does not list")


def _json(name: str, text: str, kind: type) -> Any:
    if not text:
        return kind()
    try:
        found = json.loads(text)
    except ValueError as error:
        raise Stopped(f"{name} is not JSON ({error}): set it anew, azd env set {name} '…'") from None
    if not isinstance(found, kind):
        raise Stopped(f"{name} must be a JSON {'array' if kind is list else 'object'}")
    return found


def _groups(entries: Sequence[Any]) -> tuple[Group, ...]:
    groups = tuple(_group(number, entry) for number, entry in enumerate(entries, 1))
    ids = [group.id.lower() for group in groups]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise Stopped(f"TEAL_GROUPS names {', '.join(twice)} twice: each group has a name of its own")
    return groups


def _group(number: int, entry: Any) -> Group:
    where = f"TEAL_GROUPS, group {number}"
    if not isinstance(entry, dict):
        raise Stopped(f"{where} must be an object with id and scaleSetId")
    unknown = sorted(set(entry) - _FIELDS)
    if unknown:
        raise Stopped(f"{where} has {', '.join(unknown)}: what a group is in Teal goes into body")
    scopes = entry.get("networkScopes") or []
    body = entry.get("body") or {}
    if not isinstance(scopes, list) or not isinstance(body, dict):
        raise Stopped(f"{where}: networkScopes must be an array, and body an object")
    _check(where, "id", entry.get("id"), _NAME)
    _check(where, "scaleSetId", entry.get("scaleSetId"), _SCALE_SET)
    for name, pattern in (("galleryId", _GALLERY), ("galleryTopicId", _TOPIC)):
        if entry.get(name):
            _check(where, name, entry[name], pattern)
    for scope in scopes:
        _check(where, "networkScopes", scope, _GROUP_ID)
    return Group(entry["id"], entry["scaleSetId"], body, entry.get("galleryId") or "", tuple(scopes))


def _check(where: str, name: str, text: Any, pattern: re.Pattern[str]) -> None:
    if not isinstance(text, str) or not pattern.fullmatch(text):
        raise Stopped(f"{where}: {name} {text!r} is not of the form {pattern.pattern.replace('[^/]+', '…')}")
