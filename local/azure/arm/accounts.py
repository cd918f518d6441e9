"""Subscriptions and resource groups: what exists is what the world's resources and its ``resourceGroups`` name."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

from local.azure.arm.calls import ArmCall
from local.azure.arm.errors import resource_group_not_found, subscription_not_found
from local.azure.arm.messages import ArmResponse, Json, json_response
from local.azure.compute.beginning import scale_set_bodies
from local.azure.compute.quota import usages
from local.azure.images.galleries import SimulatedGalleries
from local.azure.world import World


class Accounts:
    """Which subscriptions and resource groups there are."""

    def __init__(self, world: World, galleries: SimulatedGalleries) -> None:
        self._world = world
        identifiers = [str(body["id"]) for body in scale_set_bodies(world)]
        identifiers += [galleries.gallery_id(gallery) for gallery in world.galleries]
        own_groups = [balancer.resource_group for balancer in world.load_balancers]
        own_groups += [gateway.resource_group for gateway in world.application_gateways]
        own_groups += [image.resource_group for image in world.managed_images]
        own_groups += [setting.resource_group for setting in world.autoscale_settings]
        own = world.subscription_id.lower()
        self._groups: dict[str, dict[str, str]] = {
            own: {name.lower(): name for name in (*world.resource_groups, *own_groups)}
        }
        for _, _, subscription, _, group, *_ in (identifier.split("/") for identifier in identifiers):
            self._groups.setdefault(subscription.lower(), {})[group.lower()] = group

    def check(self, subscription: str | None, group: str | None) -> None:
        """Refuse a path whose subscription or resource group does not exist.

        :raises ArmError: 404.
        """
        if subscription is None:
            return
        if subscription.lower() not in self._groups:
            raise subscription_not_found(subscription)
        if group is not None and group.lower() not in self._groups[subscription.lower()]:
            raise resource_group_not_found(group)

    def tenants(self) -> Json:
        """The answer of ``GET /tenants``."""
        tenant = self._world.tenant_id
        return {"value": [{"id": f"/tenants/{tenant}", "tenantId": tenant, "displayName": "Simulated Azure"}]}

    def subscriptions(self) -> Json:
        """The answer of ``GET /subscriptions``."""
        return {"value": [self.subscription(name) for name in self._groups]}

    def subscription(self, name: str) -> Json:
        """The ARM body of a subscription."""
        tenant = self._world.tenant_id
        body = {"id": f"/subscriptions/{name}", "subscriptionId": name, "tenantId": tenant, "state": "Enabled"}
        return {**body, "displayName": "Simulated Azure", "authorizationSource": "RoleBased"}

    def groups(self, subscription: str) -> Json:
        """The answer of ``GET …/resourceGroups``."""
        return {"value": [self.group(subscription, name) for name in self._names(subscription)]}

    def group(self, subscription: str, name: str) -> Json:
        """The ARM body of a resource group."""
        return {
            "id": f"/subscriptions/{subscription}/resourceGroups/{name}",
            "name": name,
            "type": "Microsoft.Resources/resourceGroups",
            "location": self._world.location,
            "properties": {"provisioningState": "Succeeded"},
        }

    def _names(self, subscription: str) -> Iterator[str]:
        yield from self._groups[subscription.lower()].values()


def read_usages(call: ArmCall) -> ArmResponse:
    """GET the cores in use and their limits."""
    return json_response(HTTPStatus.OK, usages(call.state, call.world.quota, call.names["location"]))
