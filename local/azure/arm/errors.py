"""Azure's error answers.

Texts and codes are those that Azure Resource Manager and the compute provider send; where a code or status is not
known for certain, the function says that it is assumed.
"""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

from local.azure.arm.messages import ArmResponse, Json, json_response

#: The code of refusals that are not Azure's but this stand-in's.
NOT_SIMULATED = "NotSimulated"


class ArmError(Exception):
    """An answer in ARM's error shape: ``{"error": {"code", "message", "target"?, "details"?}}``."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        target: str | None = None,
        headers: dict[str, str] | None = None,
        details: list[Json] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.target = target
        self.headers = headers or {}
        self.details = details

    def response(self) -> ArmResponse:
        """The answer on the wire."""
        error: Json = {"code": self.code, "message": self.message}
        if self.details is not None:
            error["details"] = self.details
        if self.target is not None:
            error["target"] = self.target
        return json_response(self.status, {"error": error}, self.headers)


class Throttled(ArmError):
    """429 of the compute provider; its body has no ``error`` envelope.

    https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/troubleshooting-throttling-errors
    """

    def __init__(self, policy: str, allowed: int, retry_after: timedelta, headers: dict[str, str]) -> None:
        seconds = max(1, -(-retry_after // timedelta(seconds=1)))
        super().__init__(
            HTTPStatus.TOO_MANY_REQUESTS,
            "OperationNotAllowed",
            "The server rejected the request because too many requests have been received for this subscription.",
            headers={**headers, "retry-after": str(seconds)},
        )
        self.policy = policy
        self.allowed = allowed

    def response(self) -> ArmResponse:
        detail = f'{{"operationGroup":"{self.policy}","allowedRequestCount":{self.allowed}}}'
        details = [{"code": "TooManyRequests", "target": self.policy, "message": detail}]
        body = {"code": self.code, "message": self.message, "details": details}
        return json_response(self.status, body, self.headers)


def front(status: int, code: str, message: str) -> ArmError:
    """An error of ARM's front door, which marks what it refused itself."""
    return ArmError(status, code, message, headers={"x-ms-failure-cause": "gateway"})


def missing_api_version() -> ArmError:
    """Every ARM request names an api-version."""
    text = "The api-version query parameter (?api-version=) is required for all requests."
    return front(HTTPStatus.BAD_REQUEST, "MissingApiVersionParameter", text)


def subscription_not_found(subscription: str) -> ArmError:
    """The subscription does not exist, or the caller cannot see it."""
    return front(HTTPStatus.NOT_FOUND, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")


def resource_group_not_found(name: str) -> ArmError:
    """The resource group does not exist."""
    return front(HTTPStatus.NOT_FOUND, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")


def resource_not_found(kind: str, name: str, group: str) -> ArmError:
    """``kind`` is the resource's type, such as ``Microsoft.Compute/virtualMachineScaleSets``."""
    text = (
        f"The Resource '{kind}/{name}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    )
    return front(HTTPStatus.NOT_FOUND, "ResourceNotFound", text)


def parent_not_found(kind: str, parent: str) -> ArmError:
    """``kind`` lives under the resource ``parent``, which does not exist."""
    text = (
        f"Failed to perform 'read' on resource(s) of type '{kind}', "
        f"because the parent resource '{parent}' could not be found."
    )
    return front(HTTPStatus.NOT_FOUND, "ParentResourceNotFound", text)


def entity_not_found(text: str) -> ArmError:
    """The compute provider does not know what the path names."""
    return ArmError(HTTPStatus.NOT_FOUND, "NotFound", text)


def precondition_failed(given: str, current: str) -> ArmError:
    """``If-Match`` names another version of the resource; both ETags with their quotes."""
    text = f"Etag provided in if-match header {given} does not match etag {current} of resource."
    return ArmError(HTTPStatus.PRECONDITION_FAILED, "PreconditionFailed", text)


def concurrent_request() -> ArmError:
    """Another write on the same resource is under way. The text is Azure's; the code name is assumed."""
    text = (
        "The request failed due to conflict with a concurrent request. To resolve it, please refer to "
        "https://aka.ms/activitylog to get more details on the conflicting requests."
    )
    return ArmError(HTTPStatus.CONFLICT, "Conflict", text)


def marked_for_deletion(name: str) -> ArmError:
    """The scale set is being deleted."""
    text = (
        f"Operation 'Update Virtual Machine Scale Set' is not allowed on Virtual Machine Scale Set '{name}' since it "
        "is marked for deletion. For more information on your operations, please refer to https://aka.ms/activitylog."
    )
    return ArmError(HTTPStatus.CONFLICT, "OperationNotAllowed", text)


def quota_exceeded(name: str, location: str, limit: int, usage: int, required: int) -> ArmError:
    """``name`` is ``Total Regional`` or a family such as ``standardDSv5Family``; numbers are cores."""
    text = (
        f"Operation could not be completed as it results in exceeding approved {name} Cores quota. Additional details "
        f"- Deployment Model: Resource Manager, Location: {location}, Current Limit: {limit}, Current Usage: {usage}, "
        f"Additional Required: {required}, (Minimum) New Limit Required: {usage + required}. "
        "Submit a request for Quota increase at https://aka.ms/ProdportalCRP/"
    )
    return ArmError(HTTPStatus.CONFLICT, "OperationNotAllowed", text)


def scope_locked(path: str, operation: str, scope: str) -> ArmError:
    """A lock of Resource Manager forbids it
    (https://learn.microsoft.com/troubleshoot/azure/azure-kubernetes/error-codes/scopelocked-error).
    """
    text = (
        f"The scope '{path}' cannot perform {operation} operation because following scope(s) are locked: '{scope}'. "
        "Please remove the lock and try again."
    )
    return ArmError(HTTPStatus.CONFLICT, "ScopeLocked", text)


def invalid_parameter(target: str, text: str) -> ArmError:
    """A value that the compute provider refuses."""
    return ArmError(HTTPStatus.BAD_REQUEST, "InvalidParameter", text, target=target)


def invalid_content(text: str) -> ArmError:
    """A body that is not what the operation reads."""
    return ArmError(HTTPStatus.BAD_REQUEST, "InvalidRequestContent", text)


def instance_not_active(instance_id: str) -> ArmError:
    """The instance id names no VM of the set (kubernetes-sigs/cloud-provider-azure tells it by this text)."""
    text = f"The provided instanceId {instance_id} is not an active Virtual Machine Scale Set VM instanceId."
    return invalid_parameter("instanceIds", text)


def capacity_out_of_range(capacity: int, limit: int) -> ArmError:
    """A set is to have more VMs than it may, or fewer than none. Azure answers 409; the text is assumed."""
    text = f"The value '{capacity}' of parameter 'sku.capacity' is out of range: it must be between 0 and {limit}."
    return ArmError(HTTPStatus.CONFLICT, "OperationNotAllowed", text, target="sku.capacity")


def os_state_changed(current: str, wanted: str) -> ArmError:
    """An image of the other state than the set's. Status, code and the words of both states are Azure's."""
    text = (
        f"The current OS state of the Virtual Machine Scale Set is {current}, which is different from the OS state of "
        f"the image: {wanted}. Changing it is not allowed."
    )
    return ArmError(HTTPStatus.CONFLICT, "OperationNotAllowed", text, target="imageReference")


def trusted_launch_unsupported() -> ArmError:
    """The set's VMs boot as Trusted Launch ones, which the image cannot. The beginning of the text is Azure's."""
    text = "Use of TrustedLaunch setting is not supported for the provided image. Please select a supported image."
    return ArmError(HTTPStatus.BAD_REQUEST, "BadRequest", text, target="imageReference")


def no_upgrade_to_cancel() -> ArmError:
    """No rolling upgrade is under way: code and text are Azure's."""
    return ArmError(HTTPStatus.CONFLICT, "OperationNotAllowed", "There is no ongoing Rolling Upgrade to cancel.")


def image_not_available(image_id: str, location: str) -> ArmError:
    """The gallery image does not exist, or not in this region. Status and time (at the write) are assumed."""
    text = (
        f"The gallery image {image_id} is not available in {location} region. Please contact image owner to replicate "
        "to this region, or change your requested region."
    )
    return ArmError(HTTPStatus.NOT_FOUND, "GalleryImageNotFound", text, target="imageReference")


def shared_image_not_found(name: str, location: str) -> ArmError:
    """A shared or community gallery has no such image in the region, or is not shared. Code and text are assumed."""
    return ArmError(HTTPStatus.NOT_FOUND, "GalleryImageNotFound", f"The gallery image {name} is not in {location}.")


def vm_image_not_found() -> ArmError:
    """The marketplace has no such image. The text is Azure's: azure-cli#11514; that it is the same for each part of the
    name is assumed.
    """
    return ArmError(HTTPStatus.NOT_FOUND, "NotFound", "Artifact: VMImage was not found.")


def platform_image_not_found(name: str) -> ArmError:
    """A model names a marketplace image that VMs cannot be made from: clear-code/firefox-support-common#31."""
    text = (
        f"The platform image '{name}' is not available. Verify that all fields in the storage profile are correct. "
        "For more details about storage profile information, please refer to https://aka.ms/storageprofile"
    )
    return ArmError(HTTPStatus.NOT_FOUND, "PlatformImageNotFound", text, target="imageReference")


def plan_differs(*, needed: bool) -> ArmError:
    """The set's plan is not the image's: Azure/sap-automation#433. That it is found at the write is assumed, and so is
    the text for a plan that is too much.
    """
    text = (
        "Creating a virtual machine from Marketplace image or a custom image sourced from a Marketplace image requires "
        "Plan information in the request."
        if needed
        else "Creating a virtual machine from a non Marketplace image does not need Plan information in the request."
    )
    return ArmError(HTTPStatus.BAD_REQUEST, "VMMarketplaceInvalidInput", text)


def image_does_not_fit(what: str) -> ArmError:
    """VMs of the set cannot be made from the image. Code and text are assumed."""
    return ArmError(
        HTTPStatus.BAD_REQUEST, "BadRequest", f"The image does not support {what}.", target="imageReference"
    )


def image_type_changed() -> ArmError:
    """A set's image can be changed for one of the same kind only: MicrosoftDocs/azure-docs#89791 and #32800."""
    text = "The Image type for a Virtual Machine Scale Set may not be changed."
    return ArmError(HTTPStatus.CONFLICT, "OperationNotAllowed", text)


def property_changed(name: str) -> ArmError:
    """A property that is set once: Azure/azure-powershell#11911."""
    return ArmError(
        HTTPStatus.CONFLICT, "PropertyChangeNotAllowed", f"Changing property '{name}' is not allowed.", target=name
    )


def models_exhausted(name: str, status: int = HTTPStatus.CONFLICT) -> ArmError:
    """The VMs of a set run too many models already: kubernetes-sigs/cluster-api-provider-azure#4958.

    A write of one VM is refused with 400 (onefuzz, VmssOperations.cs); that of the set with 409 is assumed.
    """
    text = (
        f"Virtual Machine Scale Set '{name}' has reached its limit of 10 models that may be referenced by one or more "
        "VMs belonging to the Virtual Machine Scale Set. Upgrade the VMs to the latest model of the Virtual Machine "
        "Scale Set before trying again."
    )
    return ArmError(status, "OperationNotAllowed", text)


def not_of_flexible(operation: str, name: str) -> ArmError:
    """Azure has the operation for Uniform sets alone. Code and text are assumed."""
    text = (
        f"The operation '{operation}' is not supported on Virtual Machine Scale Set '{name}' with Flexible "
        "orchestration mode."
    )
    return ArmError(HTTPStatus.BAD_REQUEST, "OperationNotAllowed", text)


def boot_diagnostics_disabled(name: str) -> ArmError:
    """The VM keeps no serial log. Status, code and text are assumed."""
    text = f"Boot diagnostics is not enabled on the virtual machine '{name}'."
    return ArmError(HTTPStatus.CONFLICT, "OperationNotAllowed", text)


def signature_refused() -> ArmError:
    """The storage service refuses a signed address.

    https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
    """
    text = "Server failed to authenticate the request. Make sure the value of the signature is correct."
    return ArmError(HTTPStatus.FORBIDDEN, "AuthenticationFailed", text)


def range_not_satisfiable() -> ArmError:
    """A range of a file begins after its end."""
    text = "The range specified is invalid for the current size of the resource."
    return ArmError(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "InvalidRange", text)


def network_precondition_failed(given: str, current: str, resource_id: str) -> ArmError:
    """``If-Match`` names another version of a network resource."""
    text = f"The resource {resource_id} has been modified: If-Match {given} does not match its etag {current}."
    details = [{"code": "PreconditionFailedEtagMismatch", "message": text}]
    return ArmError(HTTPStatus.PRECONDITION_FAILED, "PreconditionFailed", text, details=details)


def network_busy(resource_id: str) -> ArmError:
    """Another operation is at work on a network resource.

    https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling#network-throttling
    """
    text = f"Operation on resource {resource_id} is being retried: another operation on it is in progress."
    return ArmError(
        HTTPStatus.TOO_MANY_REQUESTS, "RetryableErrorDueToAnotherOperation", text, headers={"retry-after": "10"}
    )


def interface_not_provisioned(interface_id: str, user_id: str) -> ArmError:
    """A member of a backend pool is not in order. The code is Azure's, status and text are assumed."""
    text = (
        f"Cannot proceed with operation because resource {interface_id} used by resource {user_id} is not in "
        "Succeeded state. Resource is in Failed state and the last operation that updated/is updating the resource is "
        "PutNicOperation."
    )
    return ArmError(HTTPStatus.CONFLICT, "ReferencedResourceNotProvisioned", text)


def reference_not_found(resource_id: str, user_id: str) -> ArmError:
    """A network configuration names what is not there: code and text as in many reports of it."""
    text = (
        f"Resource {resource_id} referenced by resource {user_id} was not found. Please make sure that the referenced "
        "resource exists, and that both resources are in the same region."
    )
    return ArmError(HTTPStatus.BAD_REQUEST, "InvalidResourceReference", text)


def pool_members_not_modifiable(pool_id: str) -> ArmError:
    """Members of a pool that network interfaces joined by themselves: hashicorp/terraform-provider-azurerm#10496."""
    text = (
        f"Operation on backend pool {pool_id} not allowed since it adds/modifies/deletes backend address pool members "
        "that are specified with a network interface IP configuration."
    )
    return ArmError(HTTPStatus.BAD_REQUEST, "ModificationOfNICIpConfigBackendPoolNotSupported", text)


def not_simulated(what: str) -> ArmError:
    """What this simulated Azure does not do. It never makes up a success."""
    text = f"The simulated Azure does not do this: {what}."
    return ArmError(HTTPStatus.BAD_REQUEST, NOT_SIMULATED, text)


def method_not_allowed(method: str, path: str) -> ArmError:
    """The path is known, the method on it is not."""
    text = (
        f"The requested resource does not support http method '{method}': the simulated Azure has no such route: {path}"
    )
    return ArmError(HTTPStatus.METHOD_NOT_ALLOWED, "HttpMethodNotAllowed", text)


#: How a launch that gets no hardware ends. The write was accepted: the error is the operation's.
ALLOCATION_FAILED: Json = {
    "code": "AllocationFailed",
    "message": "Allocation failed. We do not have sufficient capacity for the requested VM size in this region. "
    "Read more about improving likelihood of allocation success at http://aka.ms/allocation-guidance",
}

#: How a launch ends whose VMs never report that their operating system is up.
PROVISIONING_TIMED_OUT: Json = {
    "code": "OSProvisioningTimedOut",
    "message": "OS Provisioning for VM did not finish in the allotted time. The VM may still finish provisioning "
    "successfully. Please check provisioning state later.",
}

#: How an operation ends that a later one on the same resource has overtaken.
OPERATION_PREEMPTED: Json = {
    "code": "OperationPreempted",
    "message": "Operation execution has been preempted by a more recent operation.",
}

#: How an operation on a network resource ends that a later one has overtaken.
NETWORK_OPERATION_SUPERSEDED: Json = {
    "code": "CanceledAndSupersededDueToAnotherOperation",
    "message": "Operation was canceled and superseded by a more recent operation on the same resource.",
}
