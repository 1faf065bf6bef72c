"""Authorization codes, rotating token pairs and long-lived tokens of one account."""

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass

from medai.kit.clock import Clock
from medai.sandbox.amocrm.options import Options
from medai.sandbox.world.models import SimClinic

_DAY = 24 * 60 * 60
_SIGNING_KEY = secrets.token_bytes(32)


@dataclass(frozen=True, slots=True)
class Access:
    """Whose rights a token carries and until when (unix seconds)."""

    user_id: int
    admin: bool
    expires_at: float


class TokenRefusedError(Exception):
    """A code or refresh token cannot be used; `hint` and `status` as amocrm.md 1.3."""

    def __init__(self, status: int, hint: str) -> None:
        super().__init__(hint)
        self.status = status
        self.hint = hint


class Tokens:
    """Everything that opens one account. Times come from `clock`, so tests can move them."""

    def __init__(self, clinic: SimClinic, options: Options, clock: Clock) -> None:
        self._clinic = clinic
        self._options = options
        self._clock = clock
        self._codes: dict[str, float] = {}
        self._used_codes: set[str] = set()
        self._access: dict[str, Access] = {}
        self._refresh: dict[str, Access] = {}
        self.issue_code(clinic.auth_code)

    def issue_code(self, code: str | None = None) -> str:
        """A one-time authorization code, as the consent page gives it to the redirect URI."""
        code = code or "def502" + secrets.token_hex(40)
        self._codes[code] = self._now()
        return code

    def exchange(self, code: str) -> tuple[str, str]:
        """A new (access, refresh) pair for a code. Raises TokenRefusedError."""
        if code in self._used_codes:
            raise TokenRefusedError(400, "Authorization code has been revoked")
        if code not in self._codes:
            raise TokenRefusedError(400, "Cannot decrypt the authorization code")
        lifetime = self._options.code_seconds
        if lifetime is not None and self._now() - self._codes[code] > lifetime:
            raise TokenRefusedError(400, "Authorization code has expired")
        self._used_codes.add(code)
        return self._pair(user_id=self._admin_id(), admin=True)

    def refresh(self, token: str) -> tuple[str, str]:
        """A new pair; the old refresh token dies. Raises TokenRefusedError."""
        grant = self._refresh.pop(token, None)
        if grant is None or grant.expires_at <= self._now():
            raise TokenRefusedError(401, "Token has been revoked")
        return self._pair(user_id=grant.user_id, admin=grant.admin)

    def issue_pair(self, *, admin: bool = True) -> tuple[str, str]:
        """A connected installation without the consent: (access, refresh)."""
        return self._pair(user_id=self._admin_id(), admin=admin)

    def issue_long_lived(
        self, token: str | None = None, *, days: int = 365, admin: bool = True
    ) -> str:
        """A token without a refresh token (amocrm.md 1.4); `token` presets its text."""
        access = Access(self._admin_id(), admin, self._now() + days * _DAY)
        token = token or self._jwt(access)
        self._access[token] = access
        return token

    def check(self, token: str) -> Access | None:
        """Whose token it is, or None when unknown, expired or revoked."""
        access = self._access.get(token)
        return access if access is not None and access.expires_at > self._now() else None

    def revoke_access(self, token: str | None = None) -> None:
        """Kill one access token or, by default, all: the next request gets 401."""
        if token is None:
            self._access.clear()
        else:
            self._access.pop(token, None)

    def revoke_all(self) -> None:
        """The integration was switched off: no access or refresh token works any more."""
        self._access.clear()
        self._refresh.clear()

    @property
    def live_refresh_tokens(self) -> int:
        """How many refresh tokens could still be used."""
        return sum(grant.expires_at > self._now() for grant in self._refresh.values())

    def _pair(self, *, user_id: int, admin: bool) -> tuple[str, str]:
        now = self._now()
        access = Access(user_id, admin, now + self._options.access_seconds)
        access_token, refresh_token = self._jwt(access), "def502" + secrets.token_hex(60)
        self._access[access_token] = access
        self._refresh[refresh_token] = Access(user_id, admin, now + self._options.refresh_seconds)
        return access_token, refresh_token

    def _jwt(self, access: Access) -> str:
        now, clinic = int(self._now()), self._clinic
        claims = {
            "aud": clinic.client_id, "jti": secrets.token_hex(16), "iat": now, "nbf": now,
            "exp": int(access.expires_at), "sub": str(access.user_id),
            "account_id": clinic.account_id, "base_domain": "amocrm.ru",
            "api_domain": "api-a.amocrm.ru", "scopes": ["crm", "notifications"],
        }  # fmt: skip
        signed = f"{_segment({'typ': 'JWT', 'alg': 'HS256'})}.{_segment(claims)}"
        signature = hmac.new(_SIGNING_KEY, signed.encode(), hashlib.sha256).digest()
        return f"{signed}.{_base64(signature)}"

    def _admin_id(self) -> int:
        users = self._clinic.users
        return int(str(users[0]["id"])) if users else 0

    def _now(self) -> float:
        return self._clock().timestamp()


def _segment(value: dict[str, object]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
