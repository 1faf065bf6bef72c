"""Connecting a clinic's CRM by hand: what stood still because of it tries again at once."""

from medai.clinics.models import Clinic
from medai.crm.registration import ClinicDetails, ClinicRegistration, Registered
from medai.integrations.amocrm.token_pair import TokenPair
from medai.processing.stops import Stops


class CrmAccess:
    """Connects clinics and renews their access. Raises as `ClinicRegistration`, StoreError."""

    def __init__(self, registration: ClinicRegistration, stops: Stops) -> None:
        self._registration = registration
        self._stops = stops

    async def connect(self, details: ClinicDetails) -> Registered:
        """Add or reconnect a clinic."""
        registered = await self._registration.register(details)
        await self._stops.try_soon(registered.clinic.client_id)
        return registered

    async def renew(
        self, clinic: Clinic, *, client_secret: str = "", redirect_url: str = ""
    ) -> TokenPair:
        """Renew the access now, with corrected credentials if given; returns the new pair."""
        pair = await self._registration.renew(
            clinic, client_secret=client_secret, redirect_url=redirect_url
        )
        await self._stops.try_soon(clinic.client_id)
        return pair
