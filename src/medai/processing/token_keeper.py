"""CRM tokens that nobody uses: a refresh token dies after three months (amocrm.md 1.2)."""

import structlog

from medai.clinics.repository import ClinicRepository
from medai.crm.accounts import AmocrmAccounts
from medai.errors import ProviderError, ProviderStoppedError
from medai.processing.stops import Stops

_log = structlog.get_logger(__name__)


class TokenKeeper:
    """Refreshes tokens ahead of their end, whether the clinic is polled or not."""

    def __init__(self, clinics: ClinicRepository, accounts: AmocrmAccounts, stops: Stops) -> None:
        self._clinics = clinics
        self._accounts = accounts
        self._stops = stops

    async def keep(self, client_id: str) -> None:
        """Refresh the clinic's token if it is due; asks nobody otherwise. Raises StoreError.

        A refusal puts up the clinic's stop, so that people see it before the night.
        """
        try:
            await self._accounts.keep_access(await self._clinics.require(client_id))
        except ProviderStoppedError as error:
            await self._stops.stand_still(error.provider, client_id, error)
        except ProviderError as error:
            _log.warning("token not refreshed today", client_id=client_id, code=error.code)
