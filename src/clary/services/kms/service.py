"""KMS as the platform runs it.

Reference: https://docs.aws.amazon.com/kms/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from typing import Any

from clary.resources.context import Context, Handler, ServiceApp
from clary.services.iam.api import identities_of
from clary.services.kms import (
    aliases,
    data_keys,
    encryption,
    grants,
    key_policies,
    lifecycle,
    rotation,
    signing,
    tagging,
)
from clary.services.kms.asked import caller_of
from clary.services.kms.errors import UnsupportedOperationException

_ABSENT = {
    "custom key stores": (
        "ConnectCustomKeyStore",
        "CreateCustomKeyStore",
        "DeleteCustomKeyStore",
        "DisconnectCustomKeyStore",
        "UpdateCustomKeyStore",
    ),
    "imported key material": ("DeleteImportedKeyMaterial", "GetParametersForImport", "ImportKeyMaterial"),
    "keys in several regions": ("ReplicateKey", "UpdatePrimaryRegion"),
    "keys for agreement and encapsulation": ("DeriveSharedSecret", "Decapsulate", "Encapsulate"),
}


def _absent(what: str, operation: str) -> Handler:
    def refuse(_: Context, __: dict[str, Any]) -> dict[str, Any]:
        raise UnsupportedOperationException(f"{operation}: {what} are not available in Clary.")

    return refuse


def _no_stores(context: Context, _: dict[str, Any]) -> dict[str, Any]:
    """``DescribeCustomKeyStores``: there are none."""
    identities_of(context).authorize(caller_of(context), "kms:DescribeCustomKeyStores", "*", context.told)
    return {"CustomKeyStores": [], "Truncated": False}


_OPERATIONS: dict[str, Handler] = {
    **{name: _absent(what, name) for what, names in _ABSENT.items() for name in names},
    "DescribeCustomKeyStores": _no_stores,
    **lifecycle.OPERATIONS,
    **rotation.OPERATIONS,
    **tagging.OPERATIONS,
    **key_policies.OPERATIONS,
    **aliases.OPERATIONS,
    **grants.OPERATIONS,
    **encryption.OPERATIONS,
    **data_keys.OPERATIONS,
    **signing.OPERATIONS,
}

SERVICE = ServiceApp(
    "kms",
    _OPERATIONS,
    reconcilers={"Key": lifecycle.reconcile},
    # A key's own policy and its grants decide, and a ciphertext alone may say which key is meant: each handler asks
    # for itself, with the key at hand.
    open_operations=frozenset(_OPERATIONS),
)
