"""Who has signed the policy of a form that uploads to S3.

References: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-UsingHTTPPOST.html,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/HTTPPOSTForms.html (version 2, which boto3 still makes)
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping

from clary.core.errors import AccessDenied, SignatureDoesNotMatch
from clary.services.iam.api import Identities, Principal
from clary.services.s3.errors import InvalidArgument
from clary.wire.sigv4 import policy_signature


def sign_form(identities: Identities) -> Callable[[Mapping[str, str]], Principal]:
    """What gives the signer of a form's policy, from the fields of the form by lower-case name.

    It raises ``InvalidArgument`` where fields are missing, ``SignatureDoesNotMatch``, and errors of the credentials.
    """

    def signer(fields: Mapping[str, str]) -> Principal:
        token = fields.get("x-amz-security-token")
        if "awsaccesskeyid" in fields:
            access_key, given = fields["awsaccesskeyid"], _field(fields, "signature")
            credential = identities.resolve(access_key, token)
            mac = hmac.new(credential.secret.encode(), fields["policy"].encode(), hashlib.sha1)
            expected = base64.b64encode(mac.digest()).decode()
        else:
            if fields.get("x-amz-algorithm", "AWS4-HMAC-SHA256") != "AWS4-HMAC-SHA256":
                raise AccessDenied("The signature algorithm of the form is not supported.")
            claimed, given = _field(fields, "x-amz-credential"), _field(fields, "x-amz-signature")
            credential = identities.resolve(claimed.partition("/")[0], token)
            expected = policy_signature(credential.secret, claimed, fields["policy"])
        if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
            raise SignatureDoesNotMatch(
                "The request signature we calculated does not match the signature you provided. Check your key and "
                "signing method."
            )
        return credential.principal

    return signer


def _field(fields: Mapping[str, str], name: str) -> str:
    if not fields.get(name):
        raise InvalidArgument(
            f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the "
            "fields.",
            ArgumentName=name,
            ArgumentValue="",
        )
    return fields[name]
