"""Functions as other services call them: later, on behalf of a service, which the function's policy must allow."""

from __future__ import annotations

from clary.core.errors import AccessDenied
from clary.services.iam.resource_policies import allows_role, allows_service
from clary.services.lambda_.errors import ResourceNotFoundException
from clary.services.lambda_.names import function_of
from clary.services.lambda_.permissions import policy_text
from clary.services.lambda_.waiting import LARGEST_ASYNCHRONOUS, check_payload, leave
from clary.services.sqs.api import Posting, Sender
from clary.state.records import Record

__all__ = ["allows", "function_of", "invoke_later"]

_INVOKE = "lambda:InvokeFunction"


def allows(post: Posting, record: Record, sender: Sender) -> bool:
    """Whether the policy of a function lets the sender call it."""
    policy = policy_text(record)
    if sender.role is not None:
        return allows_role(post.identities, sender.role, policy, _INVOKE, record.arn, sender.service.split(".")[0])
    return allows_service(
        post.identities, policy, _INVOKE, record.arn, sender.service, sender.source_arn, sender.source_account
    )


def invoke_later(post: Posting, function_arn: str, payload: str, sender: Sender) -> str:
    """Have a function called with a JSON document when the transaction is committed; gives the request's id.

    Raises ``ResourceNotFoundException``, ``AccessDenied``, or ``InvalidRequestContentException`` for what is no JSON.
    """
    record = function_of(post.transaction, function_arn)
    if record is None:
        raise ResourceNotFoundException(f"Function not found: {function_arn}")
    if not allows(post, record, sender):
        raise AccessDenied(
            f"{sender.service} is not authorized to perform: {_INVOKE} on resource: {function_arn} because no "
            f"resource-based policy allows the {_INVOKE} action"
        )
    check_payload(payload.encode(), LARGEST_ASYNCHRONOUS)
    return leave(post, record, payload, arn=function_arn)
