"""Azure's refusals, as the three kinds that Teal tells apart (``rollout.ports.errors``).

What no rule below names is ``Refused``: 400 ``InvalidParameter``, 403 ``AuthorizationFailed``, and of the 409s
``OperationNotAllowed`` for "… exceeding approved … Cores quota" (karpenter-provider-azure#192, onefuzz#605) and "The
Image type for a Virtual Machine Scale Set may not be changed" (azure-docs#89791).
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from azure.core import exceptions as sdk

from rollout.model.azure.allocation import ALLOCATION_CODES
from rollout.ports.errors import MODELS_EXHAUSTED, AzureError, Busy, Refused, Stale

ANY = range(100, 600)

#: Codes of what stays so until somebody does something; the last is azure-powershell#11911.
FOR_A_PERSON = ("scopelocked", "skunotavailable", "missingsubscriptionregistration", "propertychangenotallowed")


@dataclass(frozen=True)
class Rule:
    """What an answer means, told by its status, its code and a part of its message; the latter two in lower case.

    ``name``: the code that Teal gives it, where Azure's own says too little.
    """

    meaning: type[AzureError]
    statuses: Container[int] = ANY
    code: str | None = None
    text: str = ""
    name: str = ""

    def fits(self, status: int, code: str, message: str) -> bool:
        """Whether the rule speaks of such an answer."""
        return status in self.statuses and self.code in (None, code.lower()) and self.text in message.lower()


#: The first rule that fits decides.
RULES = (
    # Azure has no room for VMs. The texts ask to try again, but that is a matter of minutes and of other sizes
    # (https://learn.microsoft.com/troubleshoot/azure/virtual-machines/allocation-failure): a launch has its own time.
    *(Rule(Refused, ANY, code) for code in ALLOCATION_CODES),
    # These wait for a person, whatever their texts say of trying again: "… Please remove the lock and try again"
    # (https://learn.microsoft.com/troubleshoot/azure/azure-kubernetes/error-codes/scopelocked-error).
    *(Rule(Refused, (409,), code) for code in FOR_A_PERSON),
    # Recorded by cloud-provider-azure (virtualmachinescalesetclient/testdata): 412 PreconditionFailed.
    Rule(Stale, (412,)),
    # The instance is gone. Text: cloud-provider-azure pkg/consts; code: cloud-provider-azure#2356; its status is not
    # documented.
    Rule(Stale, ANY, text="not an active virtual machine scale set vm instanceid"),
    Rule(Stale, ANY, "instanceidslistinstanceidnotactivevm"),
    # The set, or what it is in, has been deleted since it was read
    # (https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-not-found). An image that is not
    # there answers with the same code, and stays a refusal: azure-cli#25148.
    Rule(Stale, (404,), "resourcenotfound", "microsoft.compute/virtualmachinescalesets"),
    Rule(Stale, (404,), "parentresourcenotfound", "microsoft.compute/virtualmachinescalesets"),
    Rule(Stale, (404,), "resourcegroupnotfound"),
    # onefuzz#511: "… is not allowed on Virtual Machine Scale Set '…' since it is marked for deletion".
    # cloud-provider-azure has the same text for a VM of a set, without its status.
    Rule(Stale, ANY, text="marked for deletion"),
    # A set's VMs run ten models. 400 for the write of a VM (onefuzz VmssOperations.cs), 409 for that of the set
    # (cluster-api-provider-azure#4958), under a code that says anything.
    Rule(Refused, ANY, text="has reached its limit of", name=MODELS_EXHAUSTED),
    # A second write on one resource. Text: azure-libraries-for-net#1260, kubernetes/autoscaler#3284; code: assumed.
    Rule(Busy, (409,), text="concurrent request"),
    Rule(Busy, (409,), "conflict"),
    # Resource Manager's own, of any resource: bosh-azure-cpi-release#762, lisa#4623, azuresandbox#553.
    Rule(Busy, (409,), "conflictingconcurrentwritenotallowed"),
    # Whatever else says "later" in so many words.
    *(Rule(Busy, (409,), text=text) for text in ("retry later", "try again", "retry the request", "retry after")),
    # A newer operation took this one's place: rest-api-specs#22434, cloud-provider-azure pkg/consts.
    Rule(Busy, ANY, "operationpreempted"),
    Rule(Busy, ANY, "canceledandsupersededduetoanotheroperation"),
    # https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
    Rule(Busy, ANY, "anotheroperationinprogress"),
    Rule(Busy, ANY, "retryableerror"),
    Rule(Busy, ANY, "retryableerrorduetoanotheroperation"),
    # "Another operation is in progress", in the providers' many wordings: assumed.
    Rule(Busy, (409,), "operationnotallowed", "in progress"),
    # The token ran out on its way; the SDK's authentication policy forgets it and asks for another next time.
    Rule(Busy, (401,), "expiredauthenticationtoken"),
    # https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
    Rule(Busy, (408, 429)),
    Rule(Busy, range(500, 600)),
)

_REFUSED = Rule(Refused)


@contextmanager
def translated() -> Iterator[None]:
    """Raise ``rollout.ports.errors.AzureError`` for whatever the SDK raises within."""
    try:
        yield
    except sdk.AzureError as error:
        raise translate(error) from error


def translate(error: sdk.AzureError) -> AzureError:
    """The same in Teal's words. No answer, or one cut short, may well have been a success: look again."""
    response: Any = error.response if isinstance(error, sdk.HttpResponseError) else None
    if not isinstance(error, sdk.HttpResponseError) or response is None or response.status_code < 300:
        return Busy(_name_of(error), error.message)
    code, message = _code_and_message(error)
    rule = next((rule for rule in RULES if rule.fits(response.status_code, code, message)), _REFUSED)
    if rule.meaning is Busy:
        return Busy(code, message, _retry_after(response.headers.get("Retry-After")))
    return rule.meaning(rule.name or code, message)


def _name_of(error: sdk.AzureError) -> str:
    """A code for what ARM gave none: no token could be had, or no whole answer came."""
    return "noToken" if isinstance(error, sdk.ClientAuthenticationError) else "noAnswer"


def _code_and_message(error: sdk.HttpResponseError) -> tuple[str, str]:
    """ARM's, from ``{"error": {…}}`` or the bare body of throttling answers; a proxy's page has neither."""
    code = error.error.code if error.error else None
    message = error.error.message if error.error else None
    return code or f"http{error.status_code}", message or error.message


def _retry_after(header: str | None) -> timedelta | None:
    """The header in seconds, which is how ARM writes it; a date, as HTTP also allows, is passed over."""
    return timedelta(seconds=int(header)) if header and header.isdecimal() else None
