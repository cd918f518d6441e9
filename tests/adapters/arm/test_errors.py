"""What each kind of answer means, as the real SDK brings it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from azure.core import exceptions as sdk

from adapters.arm.client import ComputeClients
from adapters.arm.scale_sets import ArmScaleSets
from adapters.arm.uniform import UniformVms
from local.azure.arm.faults import LATER
from rollout.model.azure.scale_set import ScaleSet
from rollout.ports.errors import MODELS_EXHAUSTED, AzureError, Busy, Refused, Stale
from settings import Settings

SET_TYPE = "Microsoft.Compute/virtualMachineScaleSets"
SET_ID = f"/subscriptions/5ab3/resourceGroups/demo/providers/{SET_TYPE}/web"
SET = ScaleSet(SET_ID, "web", "eastus2", '"7"', 10, "Succeeded", None)

CASES = [
    (Stale, 412, "PreconditionFailed", "Etag provided in if-match header does not match etag of resource."),
    (
        Stale,
        400,
        "InvalidParameter",
        "The provided instanceId 3 is not an active Virtual Machine Scale Set VM instanceId.",
    ),
    (Stale, 409, "InstanceIdsListInstanceIdNotActiveVM", "Gone."),
    (Stale, 404, "ResourceNotFound", f"The Resource '{SET_TYPE}/web' was not found."),
    (Stale, 404, "ResourceGroupNotFound", "Resource group 'demo' could not be found."),
    (Stale, 404, "ParentResourceNotFound", f"The parent resource '/…/{SET_TYPE}/web' could not be found."),
    (Stale, 409, "OperationNotAllowed", "Operation 'Update' is not allowed since it is marked for deletion."),
    (Stale, 400, "OperationNotAllowed", "'Put on VM Instance' is not allowed since it is marked for deletion."),
    (Busy, 409, "Conflict", "The request failed due to conflict with a concurrent request."),
    (Busy, 409, "SomeOtherCode", "The request failed due to conflict with a concurrent request."),
    (Busy, 409, "Conflict", "Something is in the way."),
    (Busy, 409, "ConflictingConcurrentWriteNotAllowed", "Said in other words."),
    (Busy, 409, "SomeOtherCode", str(LATER["body"]["error"]["message"])),
    (Busy, 409, "OperationPreempted", "A newer operation took its place."),
    (Busy, 409, "CanceledAndSupersededDueToAnotherOperation", "A newer operation took its place."),
    (Busy, 409, "AnotherOperationInProgress", "Wait for it."),
    (Busy, 409, "RetryableErrorDueToAnotherOperation", "Another operation holds it."),
    (Busy, 400, "RetryableError", "A retryable error occurred."),
    (Busy, 409, "OperationNotAllowed", "Another operation is in progress on the scale set."),
    (Busy, 401, "ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than current UTC time."),
    (Busy, 408, "RequestTimeout", "Too slow."),
    (Busy, 429, "TooManyRequests", "Too many requests."),
    (Busy, 500, "InternalExecutionError", "An internal execution error occurred."),
    (Busy, 503, "ServerTimeout", "The request timed out."),
    (Busy, 504, "GatewayTimeout", "The gateway did not receive a response."),
    (Refused, 409, "OperationNotAllowed", "Operation results in exceeding approved standardDSv3Family Cores quota."),
    (Refused, 409, "OperationNotAllowed", "The Image type for a Virtual Machine Scale Set may not be changed."),
    (Refused, 409, "SkuNotAvailable", "The requested VM size is currently not available in location 'eastus'."),
    (Refused, 409, "PropertyChangeNotAllowed", "Changing property 'imageReference.sku' is not allowed."),
    # What is to be tried again once a person has done something is no "later".
    (Refused, 409, "ScopeLocked", "Following scope(s) are locked. Please remove the lock and try again."),
    (Refused, 409, "SkuNotAvailable", "The requested VM size is not available. Please try again with another size."),
    (Refused, 409, "MissingSubscriptionRegistration", "The subscription is not registered. Register, and try again."),
    (Refused, 404, "ResourceNotFound", "The Resource 'Microsoft.Compute/galleries/apps/images/web' was not found."),
    (Refused, 404, "GalleryImageNotFound", "The gallery image is not available in eastus2 region."),
    (Refused, 404, "SubscriptionNotFound", "The subscription could not be found."),
    (Refused, 400, "InvalidParameter", "The value of parameter imageReference.id is invalid."),
    (Refused, 401, "InvalidAuthenticationTokenTenant", "The access token is from the wrong issuer."),
    (Refused, 403, "AuthorizationFailed", "The client does not have authorization to perform action."),
]


async def raised_by(scale_sets: ArmScaleSets) -> AzureError:
    """What a write raises with the next answer of the script."""
    with pytest.raises(AzureError) as caught:
        await scale_sets.raise_capacity(SET, 12)
    return caught.value


@pytest.mark.parametrize(("meaning", "status", "code", "message"), CASES)
async def test_an_answer_means(
    scale_sets: ArmScaleSets, script: Any, meaning: type[AzureError], status: int, code: str, message: str
) -> None:
    script.answer(status, {"error": {"code": code, "message": message}})
    error = await raised_by(scale_sets)
    assert (type(error), error.code, error.message) == (meaning, code, message)


@pytest.mark.parametrize(("meaning", "status", "code", "message"), CASES)
async def test_an_answer_means_the_same_where_pages_are_read(
    uniform_vms: UniformVms, script: Any, meaning: type[AzureError], status: int, code: str, message: str
) -> None:
    script.answer(status, {"error": {"code": code, "message": message}})
    with pytest.raises(AzureError) as caught:
        await uniform_vms.list_vms(SET_ID)
    assert (type(caught.value), caught.value.code) == (meaning, code)


@pytest.mark.parametrize("status", [400, 409])
async def test_too_many_models_have_a_code_of_their_own(scale_sets: ArmScaleSets, script: Any, status: int) -> None:
    text = "Virtual Machine Scale Set 'web' has reached its limit of 10 models. Upgrade the VMs before trying again."
    script.answer(status, {"error": {"code": "OperationNotAllowed", "message": text}})
    error = await raised_by(scale_sets)
    assert (type(error), error.code, error.message) == (Refused, MODELS_EXHAUSTED, text)


async def test_busy_says_when_azure_wants_to_be_asked_again(scale_sets: ArmScaleSets, script: Any) -> None:
    details = [{"code": "TooManyRequests", "target": "VMScaleSetUpdate", "message": "{}"}]
    body = {"code": "OperationNotAllowed", "message": "Too many requests have been received.", "details": details}
    script.answer(429, body, retry_after="1200")
    script.answer(409, {"error": {"code": "Conflict", "message": "concurrent request"}}, retry_after="5")
    throttled, conflict = await raised_by(scale_sets), await raised_by(scale_sets)
    assert isinstance(throttled, Busy)
    assert isinstance(conflict, Busy)
    assert (throttled.code, throttled.retry_after) == ("OperationNotAllowed", timedelta(minutes=20))
    assert conflict.retry_after == timedelta(seconds=5)
    assert len(script.requests) == 2, "the client itself tried again"


@pytest.mark.parametrize("header", [{}, {"retry_after": "Mon, 23 Nov 2026 09:00:00 GMT"}])
async def test_busy_without_seconds_leaves_the_time_to_the_caller(
    scale_sets: ArmScaleSets, script: Any, header: dict[str, str]
) -> None:
    script.answer(503, {"error": {"code": "ServerTimeout", "message": "Slow."}}, **header)
    error = await raised_by(scale_sets)
    assert isinstance(error, Busy)
    assert error.retry_after is None


async def test_an_answer_that_is_not_arms_keeps_its_status(scale_sets: ArmScaleSets, script: Any) -> None:
    script.answer(502, b"<html>Bad Gateway</html>", content_type="text/html")
    error = await raised_by(scale_sets)
    assert (type(error), error.code) == (Busy, "http502")


@pytest.mark.parametrize(
    "failure",
    [
        sdk.ServiceRequestError("cannot connect"),
        sdk.ServiceRequestTimeoutError("no connection in 10 s"),
        sdk.ServiceResponseError("connection reset"),
        sdk.ServiceResponseTimeoutError("no answer in 60 s"),
        sdk.IncompleteReadError("cut short"),
    ],
)
async def test_no_answer_is_busy_and_not_tried_again(scale_sets: ArmScaleSets, script: Any, failure: Exception) -> None:
    script.fail(failure)
    error = await raised_by(scale_sets)
    assert (type(error), error.code) == (Busy, "noAnswer")
    assert len(script.requests) == 1


async def test_an_answer_cut_short_is_busy(uniform_vms: UniformVms, script: Any) -> None:
    script.answer(200, b'{"value": [')
    with pytest.raises(Busy, match="noAnswer"):
        await uniform_vms.list_vms(SET_ID)


async def test_a_credential_without_a_token_is_busy(script: Any) -> None:
    class NoToken:
        async def get_token(self, *_: str, **__: Any) -> Any:
            raise sdk.ClientAuthenticationError("the identity endpoint does not answer")

    credential: Any = NoToken()
    with pytest.raises(Busy, match="noToken: the identity endpoint does not answer"):
        await ArmScaleSets(ComputeClients(Settings(), credential)).read(SET_ID)


async def test_an_unregistered_provider_is_refused_and_not_registered(scale_sets: ArmScaleSets, script: Any) -> None:
    text = "The subscription is not registered to use namespace 'Microsoft.Compute'."
    script.answer(409, {"error": {"code": "MissingSubscriptionRegistration", "message": text}})
    error = await raised_by(scale_sets)
    assert (type(error), error.code) == (Refused, "MissingSubscriptionRegistration")
    assert len(script.requests) == 1
