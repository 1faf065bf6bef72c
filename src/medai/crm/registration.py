"""Connecting a clinic: its record, its CRM access, its people (contract 1.5)."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from medai.clinics.models import Clinic
from medai.clinics.repository import ClinicRepository
from medai.crm.accounts import AmocrmAccounts
from medai.crm.detection import ensure_conversion_config
from medai.crm.tokens import Cipher
from medai.errors import InvalidInputError, ProviderUnavailableError
from medai.integrations.amocrm.token_pair import TokenPair
from medai.kit.clock import Clock
from medai.kit.days import zone
from medai.kit.ids import stable_id
from medai.staff.models import Administrator
from medai.staff.repository import StaffRepository

_USUAL_ZONE = "Europe/Moscow"
_SUBDOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)

_AWAY = "amoCRM не отвечает: повторите подключение, код авторизации ещё не использован"
_UNREAD = "Доступ получен, но amoCRM не отвечает: подключите клинику ещё раз с новым кодом"


@dataclass(frozen=True, slots=True)
class ClinicDetails:
    """What a person enters to connect a clinic. One of `auth_code` and `token` is needed.

    None keeps what a known clinic has, and takes the default for a new one.
    """

    name: str
    subdomain: str
    client_id: str
    client_secret: str = ""
    redirect_url: str = ""
    auth_code: str = ""
    token: str = ""
    timezone: str | None = None
    attribution: str | None = None
    pipeline_id: int | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """The connected clinic and what was found in its CRM."""

    clinic: Clinic
    is_new: bool
    administrators: int


class ClinicRegistration:
    """Adds or updates clinics together with their CRM connection."""

    def __init__(
        self,
        clinics: ClinicRepository,
        staff: StaffRepository,
        accounts: AmocrmAccounts,
        cipher: Cipher,
        clock: Clock,
    ) -> None:
        self._clinics = clinics
        self._staff = staff
        self._accounts = accounts
        self._cipher = cipher
        self._clock = clock

    async def register(self, details: ClinicDetails) -> Registered:
        """Store the clinic, connect its CRM, import its people, detect conversion targets.

        Repeating it with a new code reconnects the same clinic. Raises InvalidInputError,
        ProviderStoppedError for refused credentials and the temporary ProviderErrors.
        """
        known = await self._clinics.by_client_id(details.client_id)
        entered = self._entered(details)
        base = known or self._fresh(details.client_id, details.name)
        # Connected first: refused credentials must not take the place of working ones.
        with _told(_AWAY):
            await self._connect(base.model_copy(update=entered), details)
        is_new = known is None and await self._clinics.insert(base.model_copy(update=entered))
        clinic = await self._clinics.change(
            details.client_id, lambda stored: stored.model_copy(update=entered)
        )
        with _told(_UNREAD):
            people = await self._import_people(clinic)
            crm = await self._accounts.of(clinic)
            clinic = await ensure_conversion_config(clinic, crm, self._clinics, self._clock)
        return Registered(clinic, is_new, people)

    async def renew(
        self, clinic: Clinic, *, client_secret: str = "", redirect_url: str = ""
    ) -> TokenPair:
        """Renew the clinic's CRM access, with corrected credentials if given; they are stored
        once the CRM has taken them. Raises as `AmocrmAccounts.renew`."""
        corrected: dict[str, Any] = {}
        if client_secret:
            corrected["client_secret"] = self._cipher.encrypt(client_secret)
        if redirect_url:
            corrected["redirect_url"] = redirect_url
        pair = await self._accounts.renew(clinic.model_copy(update=corrected))
        await self._clinics.change(
            clinic.client_id, lambda stored: stored.model_copy(update=corrected)
        )
        return pair

    async def local(self, name: str, timezone: str = _USUAL_ZONE) -> Clinic:
        """A clinic without a CRM, for recordings from disk; found again by its name."""
        client_id = f"local-{stable_id('local-clinic', name.strip().lower())}"
        known = await self._clinics.by_client_id(client_id)
        if known is not None:
            return known
        await self._clinics.insert(self._fresh(client_id, name.strip(), timezone))
        return await self._clinics.require(client_id)

    async def _connect(self, clinic: Clinic, details: ClinicDetails) -> None:
        if details.token:
            await self._accounts.connect_long_lived(clinic, details.token)
        elif details.auth_code:
            await self._accounts.connect(clinic, details.auth_code)

    def _entered(self, details: ClinicDetails) -> dict[str, Any]:
        """The fields a person sets. Raises InvalidInputError."""
        if details.timezone is not None:
            zone(details.timezone)
        # It becomes part of the address that is given the clinic's secret and tokens.
        if not _SUBDOMAIN.fullmatch(details.subdomain):
            raise InvalidInputError(
                "Поддомен amoCRM: только часть адреса до .amocrm.ru, например alpha-dent"
            )
        if details.attribution not in (None, "amocrm", "ai_schedule"):
            raise InvalidInputError("Способ определения администратора: amocrm или ai_schedule")
        optional = {
            "timezone": details.timezone,
            "admin_detection_method": details.attribution,
            "pipeline_id": details.pipeline_id,
        }
        return {
            "name": details.name,
            "subdomain": details.subdomain,
            "client_secret": self._cipher.encrypt(details.client_secret),
            "redirect_url": details.redirect_url,
            **{name: value for name, value in optional.items() if value is not None},
        }

    def _fresh(self, client_id: str, name: str, timezone: str = _USUAL_ZONE) -> Clinic:
        now = self._clock()
        return Clinic(
            id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"medai:clinic:{client_id}")),
            client_id=client_id,
            name=name,
            timezone=timezone,
            created_at=now,
            updated_at=now,
        )

    async def _import_people(self, clinic: Clinic) -> int:
        crm = await self._accounts.of(clinic)
        known = {a.amocrm_user_id for a in await self._staff.administrators_of(clinic.client_id)}
        people = [
            Administrator(
                id=stable_id("administrator", clinic.client_id, str(user.id)),
                client_id=clinic.client_id,
                name=user.name,
                amocrm_user_id=user.id,
                email=user.email,
                created_at=self._clock(),
            )
            for user in await crm.users()
            if user.id not in known
        ]
        if people:
            await self._staff.put_administrators(people)
        return len(known) + len(people)


@contextmanager
def _told(message: str) -> Iterator[None]:
    """Whoever connects a clinic waits for the answer: nothing is repeated by itself here."""
    try:
        yield
    except ProviderUnavailableError as error:
        raise ProviderUnavailableError(error.provider, message, status=error.status) from error
