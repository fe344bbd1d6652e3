"""Envelope encryption for other services: data keys wrapped under a KMS key, by whoever may use it.

Everything is answered from memory where it can be, and nothing is written but a managed key that is missing, so that a
process which may only read the database can use it. A KMS write raises the revision of ``kms`` in the database, and
``refresh`` forgets what was read under an older one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives.serialization import load_der_private_key

from clary.core.errors import AccessDenied
from clary.resources.context import Context, Platform
from clary.services.iam.api import Identities, Principal, identities_of
from clary.services.iam.entities import TOPIC as IDENTITY
from clary.services.iam.vault import Vault
from clary.services.kms import envelope, keys
from clary.services.kms.access import authorize, conditions
from clary.services.kms.errors import (
    InvalidArnException,
    InvalidCiphertextException,
    InvalidKeyUsageException,
    NotFoundException,
)
from clary.services.kms.keys import TOPIC, Grant, Key, Material
from clary.services.kms.managed import add_managed_key
from clary.services.kms.specs import SYMMETRIC, PrivateKey

__all__ = ["Key", "Keys", "check_symmetric", "keys_of", "keys_of_platform", "managed_key"]

_KEPT = 4096
_DATA_KEY_BYTES = 32


class _Memory:
    """What was read from the database since its topics had these revisions."""

    def __init__(self, revisions: tuple[int, int]) -> None:
        self.revisions = revisions
        self.named: dict[tuple[str, str, str], Key] = {}
        self.by_arn: dict[str, Key] = {}
        self.secrets: dict[tuple[str, str], bytes] = {}
        self.pairs: dict[str, PrivateKey] = {}
        self.allowed: dict[tuple[Principal, str, str, str, int], None] = {}
        """What is allowed in every case: caller, key, operation and service, as of a revision of the identities."""

    @staticmethod
    def keep(cache: dict[Any, Any], key: Any, value: Any) -> None:
        if len(cache) >= _KEPT:
            cache.clear()
        cache[key] = value


class Keys:
    """The KMS keys of one installation; safe to use from several threads and processes."""

    def __init__(self, identities: Identities) -> None:
        self.identities = identities
        self.database = identities.database
        self._memory = _Memory((-1, -1))
        self._looked = 0.0

    @property
    def vault(self) -> Vault:
        return self.identities.vault

    def refresh(self, max_age: float = 0.0) -> bool:
        """Forget what is out of date, and say whether anything was; at most one look per ``max_age`` seconds.

        It costs one short read of the database.
        """
        now = time.monotonic()
        if max_age and now - self._looked < max_age:
            return False
        with self.database.read() as transaction:
            # A reset forgets the keys, and tells it by the revision of the identities.
            revisions = transaction.revision(TOPIC), transaction.revision(IDENTITY)
        self._looked = now
        if revisions == self._memory.revisions:
            return False
        self._memory = _Memory(revisions)
        return True

    # Keys

    def resolve(self, account: str, region: str, key_id: str) -> Key:
        """The key that ``key_id`` means in this account and region: an id, an alias, or an ARN of either.

        That the key exists says nothing about who may use it. Raises ``NotFoundException`` or
        ``InvalidArnException``.
        """
        memory = self._memory
        asked = (account, region, key_id)
        key = memory.named.get(asked)
        if key is None:
            with self.database.read() as transaction:
                record = keys.find(transaction, account, region, key_id, self.identities.clock())
                key = keys.load(transaction, record)
            memory.keep(memory.named, asked, key)
            memory.keep(memory.by_arn, key.arn, key)
        return key

    def by_arn(self, arn: str) -> Key:
        """The key with this ARN. Raises ``NotFoundException``."""
        key = self._memory.by_arn.get(arn)
        if key is None:
            parts = arn.split(":", 5)
            if len(parts) != 6:
                raise NotFoundException(f"Invalid keyId '{arn}'")
            key = self.resolve(parts[4], parts[3], arn)
        return key

    def secret(self, key: Key, material: Material) -> bytes:
        """The secret of one of a key's materials."""
        memory = self._memory
        secret = memory.secrets.get((key.arn, material.id))
        if secret is None:
            secret = keys.open_material(self.vault, key.arn, material)
            memory.keep(memory.secrets, (key.arn, material.id), secret)
        return secret

    def pair(self, key: Key) -> PrivateKey:
        """The private key of an asymmetric key."""
        memory = self._memory
        pair = memory.pairs.get(key.arn)
        if pair is None:
            loaded: Any = load_der_private_key(self.secret(key, key.material), None)
            pair = loaded
            memory.keep(memory.pairs, key.arn, pair)
        return pair

    # Encryption under symmetric keys

    def encrypt(self, key: Key, plain: bytes, context: Mapping[str, str]) -> bytes:
        """A ciphertext of ``plain`` that says by itself which key opens it; whose key it is has been checked."""
        return envelope.seal(key.arn, key.material.id, self.secret(key, key.material), plain, context)

    def decrypt(self, key: Key, sealed: envelope.Sealed, context: Mapping[str, str]) -> bytes:
        """What was encrypted under ``key``. Raises ``InvalidCiphertextException``."""
        for material in key.materials:
            if material.id == sealed.material:
                return envelope.unseal(sealed, self.secret(key, material), context)
        raise InvalidCiphertextException("")

    def key_of(self, sealed: envelope.Sealed, region: str) -> Key:
        """The key that a ciphertext names. Raises ``AccessDenied`` if there is none in this region."""
        try:
            key = self.by_arn(sealed.arn)
        except (NotFoundException, InvalidArnException):
            key = None
        if key is None or key.region != region:
            # What is not verified yet shall not tell anybody which keys there are.
            raise AccessDenied(
                "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or "
                "you are not allowed to access."
            )
        return key

    # Envelope encryption

    def new_data_key(
        self, principal: Principal | None, key: Key, context: Mapping[str, str], via: str = "s3"
    ) -> tuple[bytes, bytes]:
        """A new data key of 32 bytes, and the same wrapped under ``key`` and bound to the encryption context.

        ``principal`` is checked for ``kms:GenerateDataKey`` as a caller through the service ``via``; ``None`` is the
        platform itself, which is not. Raises ``AccessDenied``, ``DisabledException``, ``KMSInvalidStateException``,
        ``InvalidKeyUsageException`` or ``NotFoundException``.
        """
        current = self.by_arn(key.arn)
        self.authorize(principal, current, "GenerateDataKey", context, via)
        check_symmetric(current, "GenerateDataKey")
        current.check_enabled()
        plain = os.urandom(_DATA_KEY_BYTES)
        return plain, self.encrypt(current, plain, context)

    def open_data_key(
        self, principal: Principal | None, wrapped: bytes, context: Mapping[str, str], via: str = "s3"
    ) -> bytes:
        """The data key in what ``new_data_key`` gave, for the same encryption context.

        ``principal`` is checked for ``kms:Decrypt``. Raises as ``new_data_key``, and ``InvalidCiphertextException``.
        """
        sealed = envelope.read(wrapped)
        key = self.key_of(sealed, _region(sealed.arn))
        self.authorize(principal, key, "Decrypt", context, via)
        key.check_enabled()
        return self.decrypt(key, sealed, context)

    def authorize(
        self,
        principal: Principal | None,
        key: Key,
        operation: str,
        context: Mapping[str, str] | None = None,
        via: str = "",
        also: Callable[[Grant], bool] | None = None,
        told: Mapping[str, str] | None = None,
        **values: Any,
    ) -> None:
        """Raise ``AccessDenied`` unless ``principal`` may do ``operation`` with ``key``; see ``kms.access``.

        ``told`` are condition keys of the request that are not KMS's own, ``values`` those that are.
        """
        if principal is None:
            return
        memory = self._memory
        asked = (principal, key.arn, operation, via, self.identities.revision)
        if asked in memory.allowed:
            return
        known = {**(told or {}), **conditions(key, principal, context, via, **values)}
        if authorize(self.identities, principal, key, operation, known, context, also):
            memory.keep(memory.allowed, asked, None)

    def managed_key(self, account: str, region: str, service: str) -> Key:
        """The AWS managed key of a service (``s3``, ``sagemaker``), made if it is not there yet.

        Only for processes that may write. Raises ``NotFoundException`` for a service that has none.
        """
        name = f"alias/aws/{service}"
        try:
            return self.resolve(account, region, name)
        except NotFoundException:
            with self.database.write() as transaction:
                add_managed_key(transaction, self.vault, account, region, service, self.identities.clock())
            self.refresh()
            return self.resolve(account, region, name)


def check_symmetric(key: Key, operation: str) -> None:
    """Raise ``InvalidKeyUsageException`` unless ``key`` encrypts symmetrically."""
    if key.spec != SYMMETRIC:
        raise InvalidKeyUsageException(f"{key.arn} key usage is {key.usage} which is not valid for {operation}.")


def _region(arn: str) -> str:
    parts = arn.split(":", 5)
    return parts[3] if len(parts) == 6 else ""


_latest: list[Keys] = []


def keys_of(context: Context) -> Keys:
    """The keys behind a request's platform, up to date."""
    return _keys(identities_of(context))


def keys_of_platform(platform: Platform) -> Keys:
    """The keys of the platform, up to date."""
    identities = platform.identity
    assert isinstance(identities, Identities)
    return _keys(identities)


def _keys(identities: Identities) -> Keys:
    # A process serves one installation.
    if not _latest or _latest[0].identities is not identities:
        _latest[:] = [Keys(identities)]
    found = _latest[0]
    found.refresh()
    return found


def managed_key(platform: Platform, account: str, region: str, service: str) -> Key:
    """The AWS managed key of a service, made if it is not there yet; see ``Keys.managed_key``."""
    return keys_of_platform(platform).managed_key(account, region, service)
