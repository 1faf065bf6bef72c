"""Encryption of stored secrets and signatures of links; both keys come from MEDAI_SECRET."""

import base64
import binascii
import hashlib
import hmac
import os
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from medai.errors import AccessDeniedError, SettingsError, StoreError

MINIMAL_SECRET_LENGTH = 32
_PREFIX = "medai1:"
"""Names the form of what follows, so that a later form can live beside old values."""
_NONCE_BYTES = 12
_KEY_BYTES = 32


class TextCipher:
    """Encrypts CRM tokens and client secrets at rest (AES-256-GCM).

    Raises SettingsError for a secret shorter than 32 characters.
    """

    def __init__(self, secret: str) -> None:
        self._cipher = AESGCM(_key(secret, "text-encryption"))

    def encrypt(self, text: str) -> str:
        """Printable text that only the same secret opens; different each time."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, text.encode(), _PREFIX.encode())
        return _PREFIX + base64.urlsafe_b64encode(sealed).decode()

    def decrypt(self, stored: str) -> str:
        """The text behind `encrypt`. Raises StoreError for other text or another secret."""
        try:
            body = stored.removeprefix(_PREFIX) if self.is_encrypted(stored) else ""
            sealed = base64.b64decode(body, altchars=b"-_", validate=True)
            nonce, secret = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
            return self._cipher.decrypt(nonce, secret, _PREFIX.encode()).decode()
        except (InvalidTag, ValueError, binascii.Error) as error:
            raise StoreError(
                "Сохранённый секрет не расшифрован: верните прежний MEDAI_SECRET"
                " или подключите клинику заново"
            ) from error

    @staticmethod
    def is_encrypted(stored: str) -> bool:
        """Whether the text looks like the result of `encrypt` (old dumps hold plain text)."""
        return stored.startswith(_PREFIX)


class LinkSigner:
    """Signs links to files: whoever has the link may open exactly that path until it expires.

    Raises SettingsError for a secret shorter than 32 characters.
    """

    def __init__(self, secret: str) -> None:
        self._key = _key(secret, "link-signature")

    def sign(self, path: str, *, expires_at: datetime) -> str:
        """The query string `expires=<unix seconds>&signature=<hex>` for the path.

        `path` is the URL path as the server sees it, decoded. Raises ValueError for a naive moment.
        """
        if expires_at.tzinfo is None:
            raise ValueError("naive datetime: attach a time zone first")
        expires = str(int(expires_at.timestamp()))
        return f"expires={expires}&signature={self._signature(path, expires)}"

    def verify(self, path: str, expires: str, signature: str, *, now: datetime) -> None:
        """Let a valid link pass; compares in constant time.

        Raises AccessDeniedError when the signature is not ours for this path and moment, or the
        moment has passed.
        """
        known_form = expires.isascii() and expires.isdigit()
        expected = self._signature(path, expires)
        if not known_form or not hmac.compare_digest(
            expected.encode(), signature.encode(errors="replace")
        ):
            raise AccessDeniedError("Ссылка недействительна: откройте файл из отчёта заново")
        if now.timestamp() >= int(expires):
            raise AccessDeniedError("Срок ссылки истёк: обновите отчёт и откройте файл из него")

    def _signature(self, path: str, expires: str) -> str:
        # The number ends at the first line break (verify admits digits only), so no other pair of
        # moment and path gives the same bytes.
        message = f"{expires}\n{path}".encode(errors="surrogatepass")
        return hmac.digest(self._key, message, "sha256").hex()


def is_same(given: str, expected: str) -> bool:
    """Whether two texts are equal, in a time that does not tell where they differ."""
    # As bytes: compare_digest refuses text outside ASCII.
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())


def digest_of(text: str) -> str:
    """What is stored of a random text that lets its holder in: its SHA-256, 64 hex digits.

    For texts of 128 random bits or more only: those need no salt and no slow hash.
    """
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def fingerprint(secret: str) -> str:
    """Tells secrets apart without telling them: 16 hex digits.

    Raises SettingsError for a secret shorter than 32 characters.
    """
    return _key(secret, "fingerprint").hex()[:16]


def _key(secret: str, purpose: str) -> bytes:
    if len(secret) < MINIMAL_SECRET_LENGTH:
        raise SettingsError(
            f"MEDAI_SECRET короче {MINIMAL_SECRET_LENGTH} символов: задайте случайную строку"
        )
    derivation = HKDF(SHA256(), _KEY_BYTES, salt=None, info=f"medai/{purpose}/1".encode())
    return derivation.derive(secret.encode())
