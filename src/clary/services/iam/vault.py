"""The installation's master key, and what is sealed under it: secrets at rest, session tokens, tickets."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from clary.core.files import write_private
from clary.core.settings import Settings, SettingsError

_KEY_BYTES = 32
_NONCE_BYTES = 12


class SealBroken(ValueError):
    """A sealed text was not made under this key for this purpose, or was changed since."""


def master_key(folder: Path) -> bytes:
    """The 32 bytes in ``folder/master.key``, made at the first call.

    Several processes may ask at once: the file appears whole or not at all, and all of them get the same key. Raises
    ``SettingsError`` if the file is not a key.
    """
    path = folder / "master.key"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, secrets.token_bytes(_KEY_BYTES), replace=False)
    return _checked(path, path.read_bytes())


def master_key_of(settings: Settings) -> bytes:
    """The master key of an installation: of the file that the setting ``master_key`` names, else of its own.

    A file that is named is never made: where it is missing, perhaps only because a disk is not mounted, a new key would
    shut out all that was sealed under the true one. Raises ``SettingsError`` if it is missing, is not a key, or can be
    read by others.
    """
    if not settings.master_key:
        return master_key(settings.secrets)
    path = settings.master_key_file
    try:
        with path.open("rb") as file:
            # Of the file that is open, since another could be put there in between.
            mode = os.fstat(file.fileno()).st_mode
            key = file.read(_KEY_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"master_key: {path} cannot be read: {error.strerror}") from error
    if mode & 0o077:
        raise SettingsError(f"master_key: others can read {path}: chmod 600 {path}")
    return _checked(path, key)


def _checked(path: Path, key: bytes) -> bytes:
    if len(key) != _KEY_BYTES:
        raise SettingsError(f"{path} does not hold a master key of {_KEY_BYTES} bytes")
    return key


class Vault:
    """AES-256-GCM under keys that HKDF-SHA256 derives from the master key, one for each purpose.

    A text sealed for one purpose cannot be opened for another, so that a job's ticket is never taken for a session.
    """

    def __init__(self, master: bytes) -> None:
        self._master = master
        self._ciphers: dict[str, AESGCM] = {}

    def _cipher(self, purpose: str) -> AESGCM:
        cipher = self._ciphers.get(purpose)
        if cipher is None:
            derivation = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=b"clary/" + purpose.encode())
            cipher = self._ciphers[purpose] = AESGCM(derivation.derive(self._master))
        return cipher

    def seal(self, purpose: str, plain: bytes, bound_to: str = "") -> str:
        """``plain`` as text for URLs and headers; ``bound_to`` must be given again to open it."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._cipher(purpose).encrypt(nonce, plain, bound_to.encode())
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, purpose: str, text: str, bound_to: str = "") -> bytes:
        """What was sealed; raises ``SealBroken``."""
        try:
            sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            return self._cipher(purpose).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to.encode())
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise SealBroken(purpose) from error
