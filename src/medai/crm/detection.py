"""Reading a clinic's conversion targets off its CRM, once (contract 4.1)."""

from medai.calls.conversion import detect_conversion_config
from medai.clinics.models import Clinic
from medai.clinics.repository import ClinicRepository
from medai.crm.ports import Crm
from medai.kit.clock import Clock


async def ensure_conversion_config(
    clinic: Clinic, crm: Crm, clinics: ClinicRepository, clock: Clock
) -> Clinic:
    """The clinic with a conversion configuration, detected and stored if it had none.

    An existing one, detected or edited by a person, is never overwritten. Raises the ProviderError
    family and StoreError.
    """
    if clinic.conversion_config is not None:
        return clinic
    config = detect_conversion_config(await crm.pipelines(), await crm.lead_fields(), now=clock())
    if config is None:
        return clinic
    return await clinics.change(
        clinic.client_id,
        lambda stored: (
            stored
            if stored.conversion_config is not None
            else stored.model_copy(update={"conversion_config": config})
        ),
    )
