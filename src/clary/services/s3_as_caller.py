"""Objects of S3 written and read as the caller of a request: with what that caller may do now, and no more.

Credentials are made for a few minutes, with the session's policies and tags where the caller was a session, and the
object goes through the address that everybody uses, so that the policies of bucket and caller are asked as ever.
"""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

from clary.resources.context import Platform
from clary.services.iam.api import Identities, Principal

_SECONDS = 900.0
"""How long the credentials last."""
_TIMEOUT = 60.0
_LARGEST = 64 << 20
"""Bytes of an object that is read, unless its reader wants others."""


class Refused(Exception):
    """S3 does not do it, and would not if it were asked again: ``code`` and ``message`` say why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Unanswered(Exception):
    """S3 does not answer now."""


def put(
    platform: Platform, caller: Principal, region: str, bucket: str, key: str, body: bytes, content_type: str
) -> None:
    """Write an object, all of it or nothing. Raises ``Refused`` and ``Unanswered``."""
    _ask(platform, caller, region, "PUT", _path(bucket, key), {"content-type": content_type}, body)


def get(
    platform: Platform, caller: Principal, region: str, bucket: str, key: str, version: str = "", most: int = _LARGEST
) -> bytes:
    """An object, or the version of it that is named. Raises ``Refused``, also if it has more than ``most`` bytes, and
    ``Unanswered``."""
    path = _path(bucket, key) + (f"?versionId={quote(version, safe='')}" if version else "")
    return _ask(platform, caller, region, "GET", path, {}, b"", most)


def _path(bucket: str, key: str) -> str:
    return f"/{quote(bucket, safe='')}/{quote(key, safe='/~')}"


def _ask(
    platform: Platform,
    caller: Principal,
    region: str,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    most: int = _LARGEST,
) -> bytes:
    # Slow to import, and needed by this alone.
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import ReadOnlyCredentials

    access_key, secret, token = _credentials(platform, caller)
    request = AWSRequest(method, platform.settings.url + path, dict(headers), body)
    S3SigV4Auth(ReadOnlyCredentials(access_key, secret, token), "s3", region).add_auth(request)
    place = urlsplit(platform.settings.url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port or 80, timeout=_TIMEOUT)
    try:
        connection.request(method, path, body, dict(request.headers.items()))
        response = connection.getresponse()
        answer = response.read(most + 1)
    except (OSError, http.client.HTTPException) as error:
        raise Unanswered(str(error)) from error
    finally:
        connection.close()
    if response.status >= 500 or response.status == 429:
        raise Unanswered(f"S3 answers {response.status}")
    if response.status >= 300:
        raise _refusal(answer, response.status)
    if len(answer) > most:
        raise Refused("EntityTooLarge", f"The object has more than {most} bytes")
    return answer


def _credentials(platform: Platform, caller: Principal) -> tuple[str, str, str]:
    """Access key, secret and token for the caller itself. Raises ``Refused`` if it is there no more."""
    identities = platform.identity
    assert isinstance(identities, Identities)
    identities.refresh()
    if caller.kind != "role":
        minted = identities.mint_caller_session(caller, _SECONDS)
    else:
        arns = identities.principals(caller).own
        role = next((role for arn in arns if (role := identities.role(arn)) is not None), None)
        # One that was deleted and made again under the same name is another one.
        if role is None or role.id != caller.user_id.partition(":")[0]:
            raise Refused("AccessDenied", f"The role {caller.name} of the caller does not exist any more")
        minted = identities.mint_session(
            role.arn,
            caller.session,
            _SECONDS,
            source="service",
            session_policies=caller.session_policies,
            session_tags=dict(caller.session_tags),
        )
    return minted["AccessKeyId"], minted["SecretAccessKey"], minted["SessionToken"]


def _refusal(answer: bytes, status: int) -> Refused:
    try:
        root = ElementTree.fromstring(answer)
    except ElementTree.ParseError:
        return Refused(str(status), "S3 refuses the request")
    return Refused(root.findtext("Code") or str(status), root.findtext("Message") or "S3 refuses the request")
