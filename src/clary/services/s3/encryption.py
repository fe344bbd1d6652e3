"""Encryption at rest: which key an object is encrypted with, and who may have it opened again.

An object is encrypted where the request, or the default of its bucket, asks for it: under the installation's master key
(``AES256``), under a key of KMS (``aws:kms``), or under a key that the customer sends with every request. Each blob has
a data key of its own; the *envelope* beside it holds that key, encrypted under the one that was asked for.

References: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingServerSideEncryption.html,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clary.core.errors import AccessDenied, ServiceError, named
from clary.objects.model import Object
from clary.objects.reader import ObjectReader
from clary.objects.sealing import Seal, new_key
from clary.services.iam.vault import SealBroken, Vault
from clary.services.kms.api import Key, Keys
from clary.services.kms.errors import NotFoundException

from . import xml
from .call import Call
from .errors import (
    AccessDeniedByS3,
    InternalError,
    InvalidArgument,
    InvalidEncryptionAlgorithmError,
    InvalidRequest,
    NotImplementedByS3,
)

_SSE = "x-amz-server-side-encryption"
_KEY_ID = f"{_SSE}-aws-kms-key-id"
_CONTEXT = f"{_SSE}-context"
_BUCKET_KEY = f"{_SSE}-bucket-key-enabled"
_CUSTOMER = f"{_SSE}-customer-"
COPY_SOURCE = "x-amz-copy-source-server-side-encryption-customer-"
"""What the headers begin with that carry the customer's key of an object that is copied."""
_PURPOSE = "objects"
_NONCE = 12
DOCUMENT = "encryption"


class _Envelope(msgspec.Struct, omit_defaults=True):
    """A data key as it lies beside its blob: encrypted ``by`` the installation, by KMS or by the customer's key."""

    by: str
    wrapped: bytes
    context: dict[str, str] = {}


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Envelope).decode


class Encryption:
    """The keys of one installation, as objects are encrypted with them."""

    def __init__(self, vault: Vault, keys: Keys, managed: Callable[[str, str], Awaitable[str]]) -> None:
        """``managed`` gives the ARN of the key that AWS would manage for S3 in an account and region, made at the
        first call."""
        self._vault = vault
        self._keys = keys
        self._managed = managed

    # -- what is asked for

    async def asked(self, call: Call) -> dict[str, str]:
        """The encryption of an object that is being made, as the headers that its answers carry; none for none.

        Raises ``InvalidArgument``, ``InvalidRequest``, ``InvalidEncryptionAlgorithmError`` and errors of KMS.
        """
        headers = call.request.headers
        if (customer := customer_key(headers, _CUSTOMER)) is not None:
            if _SSE in headers:
                raise InvalidArgument(
                    "Server Side Encryption with Customer provided key is incompatible with the encryption method "
                    "specified",
                    ArgumentName=_SSE,
                    ArgumentValue=headers[_SSE],
                )
            return _customer_headers(customer)
        method, key_id, bucket_key = headers.get(_SSE), headers.get(_KEY_ID), headers.get(_BUCKET_KEY, "")
        if key_id is not None and method in (None, "AES256"):
            raise InvalidArgument(
                "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : "
                "aws:kms",
                ArgumentName=_SSE,
                ArgumentValue=method or "null",
            )
        if method is None:
            method, key_id, bucket_key = self._default(call)
        if method in (None, "AES256"):
            return {} if method is None else {_SSE: method}
        if method == "aws:kms:dsse":
            raise NotImplementedByS3("Encryption in two layers (aws:kms:dsse) is not implemented.")
        if method != "aws:kms":
            raise InvalidEncryptionAlgorithmError(ArgumentName=_SSE, ArgumentValue=method)
        key = await self._key(call, key_id)
        found = {_SSE: method, _KEY_ID: key.arn}
        return found | ({_BUCKET_KEY: "true"} if bucket_key.lower() == "true" else {})

    def _default(self, call: Call) -> tuple[str | None, str | None, str]:
        document = call.store.bucket(call.bucket).documents.get(DOCUMENT)
        if document is None:
            return None, None, ""
        rule = xml.read(document, "ServerSideEncryptionConfiguration").find("Rule")
        default = rule.find("ApplyServerSideEncryptionByDefault") if rule is not None else None
        if rule is None or default is None:
            return None, None, ""
        key_id = default.value("KMSMasterKeyID") or None
        return default.value("SSEAlgorithm"), key_id, rule.value("BucketKeyEnabled") or ""

    async def _key(self, call: Call, key_id: str | None) -> Key:
        bucket = call.store.bucket(call.bucket)
        if call.request.principal is None and call.authorize is not None:
            # The platform itself is nobody as well, and may do everything.
            raise AccessDeniedByS3("Objects under a key of KMS need a request that is signed.")
        try:
            if key_id is None or key_id.endswith("alias/aws/s3"):
                try:
                    return self._keys.resolve(bucket.account, bucket.region, "alias/aws/s3")
                except NotFoundException:
                    self._keys.refresh()
                    return self._keys.by_arn(await self._managed(bucket.account, bucket.region))
            return self._keys.resolve(call.request.account or bucket.account, bucket.region, key_id)
        except ServiceError as error:
            raise _of_kms(error) from error

    # -- to encrypt

    async def seal(self, call: Call, kept: Mapping[str, str]) -> Seal | None:
        """What one new blob of an object is encrypted with, whose answers carry the headers ``kept``; ``None`` where
        it is not encrypted. Raises errors of KMS, ``InvalidRequest``."""
        plain = new_key()
        if f"{_CUSTOMER}algorithm" in kept:
            customer = customer_key(call.request.headers, _CUSTOMER)
            if customer is None or _customer_headers(customer) != {
                name: value for name, value in kept.items() if name.startswith(_CUSTOMER)
            }:
                raise InvalidRequest(
                    "The multipart upload initiate requested encryption. Subsequent part requests must include the "
                    "appropriate encryption parameters."
                )
            nonce = os.urandom(_NONCE)
            wrapped = nonce + AESGCM(customer).encrypt(nonce, plain, None)
            return Seal(plain, _encode(_Envelope("customer", wrapped)), hides_md5=True)
        method = kept.get(_SSE)
        if method is None:
            return None
        if method == "AES256":
            return Seal(plain, _encode(_Envelope("installation", self._vault.seal(_PURPOSE, plain).encode())))
        context = self._context(call, kept)
        try:
            key = self._keys.by_arn(kept[_KEY_ID])
            plain, wrapped = self._keys.new_data_key(call.request.principal, key, context)
        except ServiceError as error:
            raise _of_kms(error) from error
        return Seal(plain, _encode(_Envelope("kms", wrapped, context)), hides_md5=True)

    def _context(self, call: Call, kept: Mapping[str, str]) -> dict[str, str]:
        arn = f"arn:aws:s3:::{call.bucket}"
        context = {"aws:s3:arn": arn if _BUCKET_KEY in kept else f"{arn}/{call.key}"}
        if text := call.header(_CONTEXT):
            try:
                own = msgspec.json.decode(base64.b64decode(text, validate=True), type=dict[str, str])
            except (ValueError, msgspec.DecodeError):
                raise InvalidArgument(
                    "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding "
                    "JSON which represents a string-string map",
                    ArgumentName=_CONTEXT,
                ) from None
            context = own | context
        return context

    # -- to decrypt

    def unlock(self, call: Call, reader: ObjectReader, prefix: str = _CUSTOMER) -> None:
        """Makes an object readable for the caller; the headers with a customer's key begin with ``prefix``.

        Raises ``AccessDenied``, ``InvalidRequest`` and errors of KMS.
        """
        customer = check_customer_key(call, reader.object, prefix)

        def key_in(sealed: bytes) -> bytes:
            envelope = _decode(sealed)
            try:
                if envelope.by == "installation":
                    return self._vault.open(_PURPOSE, envelope.wrapped.decode())
                if envelope.by == "customer":
                    assert customer is not None
                    return AESGCM(customer).decrypt(envelope.wrapped[:_NONCE], envelope.wrapped[_NONCE:], None)
                if call.request.principal is None and call.authorize is not None:
                    raise AccessDeniedByS3("Objects under a key of KMS need a request that is signed.")
                return self._keys.open_data_key(call.request.principal, envelope.wrapped, envelope.context)
            except InvalidTag as error:
                raise AccessDeniedByS3 from error
            except SealBroken as error:
                raise InternalError("The object was encrypted under another master key than the one in use.") from error
            except ServiceError as error:
                raise _of_kms(error) from error

        reader.unlock(key_in)

    def may_share(self, call: Call, kept: Mapping[str, str], source: Object) -> bool:
        """Whether a copy whose answers carry the headers ``kept`` can have the very bytes of its source.

        Raises errors of KMS where the caller may not use the key for a new object.
        """
        had = source.attributes.headers
        if f"{_CUSTOMER}algorithm" in kept or f"{_CUSTOMER}algorithm" in had:
            return False
        if (kept.get(_SSE), kept.get(_KEY_ID)) != (had.get(_SSE), had.get(_KEY_ID)):
            return False
        if _KEY_ID in kept:
            try:
                key = self._keys.by_arn(kept[_KEY_ID])
                self._keys.authorize(call.request.principal, key, "GenerateDataKey", self._context(call, kept), "s3")
                key.check_enabled()
            except ServiceError as error:
                raise _of_kms(error) from error
        return True


def is_encrypted(item: Object) -> bool:
    """Whether an object's content is encrypted."""
    headers = item.attributes.headers
    return _SSE in headers or f"{_CUSTOMER}algorithm" in headers


def encryption_headers(kept: Mapping[str, str]) -> list[tuple[str, str]]:
    """The headers among ``kept`` that tell how an object is encrypted."""
    return [(name, value) for name, value in kept.items() if name.startswith(_SSE)]


def customer_key(headers: Mapping[str, str], prefix: str) -> bytes | None:
    """The key that a customer sends in the headers that begin with ``prefix``. Raises ``InvalidArgument``."""
    algorithm, text, digest = (headers.get(f"{prefix}{name}") for name in ("algorithm", "key", "key-md5"))
    if algorithm is None and text is None and digest is None:
        return None
    if algorithm is None:
        problem = "Requests specifying Server Side Encryption with Customer provided keys must provide a valid "
        raise InvalidArgument(f"{problem}encryption algorithm.", ArgumentName=f"{prefix}algorithm")
    if algorithm != "AES256":
        raise InvalidEncryptionAlgorithmError(ArgumentName=f"{prefix}algorithm", ArgumentValue=algorithm)
    if text is None:
        raise InvalidArgument(
            "Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret "
            "key.",
            ArgumentName=f"{prefix}key",
        )
    if digest is None:
        raise InvalidArgument(
            "Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated "
            "MD5 of the secret key.",
            ArgumentName=f"{prefix}key-md5",
        )
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise InvalidArgument("The secret key was invalid for the specified algorithm.", ArgumentName=f"{prefix}key")
    if _md5(key) != digest:
        raise InvalidArgument(
            "The calculated MD5 hash of the key did not match the hash that was provided.",
            ArgumentName=f"{prefix}key-md5",
        )
    return key


def check_customer_key(call: Call, item: Object, prefix: str = _CUSTOMER) -> bytes | None:
    """The customer's key that opens ``item``, if it is one that needs such a key.

    Raises ``InvalidRequest`` where the key is missing or out of place, ``AccessDenied`` if it is another one, and
    ``InvalidArgument`` where a read asks for an encryption.
    """
    if prefix == _CUSTOMER and _SSE in call.request.headers:
        raise InvalidArgument(
            f"{_SSE} header is not supported for this operation.",
            ArgumentName=_SSE,
            ArgumentValue=call.request.headers[_SSE],
        )
    key = customer_key(call.request.headers, prefix)
    wanted = item.attributes.headers.get(f"{_CUSTOMER}key-md5")
    if wanted is None:
        if key is not None:
            raise InvalidRequest("The encryption parameters are not applicable to this object.")
        return None
    if key is None:
        raise InvalidRequest(
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to "
            "retrieve the object."
        )
    if _md5(key) != wanted:
        raise AccessDeniedByS3
    return key


def _customer_headers(key: bytes) -> dict[str, str]:
    return {f"{_CUSTOMER}algorithm": "AES256", f"{_CUSTOMER}key-md5": _md5(key)}


def _md5(key: bytes) -> str:
    return base64.b64encode(hashlib.md5(key, usedforsecurity=False).digest()).decode()


def _of_kms(error: ServiceError) -> ServiceError:
    """An error of KMS as S3 hands it on."""
    refused = isinstance(error, (AccessDenied, AccessDeniedByS3))
    return error if refused else named(f"KMS.{error.code}", error.status, error.message)
