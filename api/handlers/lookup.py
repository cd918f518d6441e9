"""Finding what a route names, or answering that there is none."""

from __future__ import annotations

from api.transport.errors import Code, Refusal
from api.transport.http import Request
from rollout.model.group import Group
from rollout.model.names import GROUP_ID, parse_deployment_id
from rollout.model.rows.deployment import Deployment
from rollout.ports.ports import Ports


async def find_group(ports: Ports, request: Request) -> Group:
    """The group of ``{groupId}``."""
    group_id = request.route["groupId"]
    # Only what may be a group's id is looked up: other text may hold what a table key must not.
    group = await ports.store.groups.get(group_id) if GROUP_ID.fullmatch(group_id) else None
    if group is None:
        message = (
            f"There is no group {group_id[:80]}. GET /api/groups lists them; PUT /api/groups/{{groupId}} makes one"
        )
        raise Refusal(Code.GROUP_NOT_FOUND, message, "groupId")
    return group


async def find_deployment(ports: Ports, request: Request) -> Deployment:
    """The deployment of ``{deploymentId}``."""
    deployment_id = request.route["deploymentId"]
    known = parse_deployment_id(deployment_id) is not None
    deployment = await ports.store.deployments.get(deployment_id) if known else None
    if deployment is None:
        message = f"There is no deployment {deployment_id[:80]}. GET /api/deployments lists the newest"
        raise Refusal(Code.DEPLOYMENT_NOT_FOUND, message, "deploymentId")
    return deployment
