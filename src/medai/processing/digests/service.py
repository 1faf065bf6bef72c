"""Everything that people are told without asking, in one place for the bot's loops."""

from dataclasses import dataclass

from medai.processing.digests.deliveries import DELIVERIES, Deliveries
from medai.processing.digests.mornings import Mornings
from medai.processing.digests.nights import Nights
from medai.processing.digests.patients import PATIENT_ALERTS, PatientAlerts
from medai.processing.digests.people import Recipients
from medai.processing.digests.troubles import TROUBLES, Troubles

DIGEST_COLLECTIONS = (DELIVERIES, PATIENT_ALERTS, TROUBLES)


@dataclass(frozen=True, slots=True)
class Digests:
    """The parts; each tells what is due now, `deliveries` knows what was written, `recipients` who
    may still read it."""

    mornings: Mornings
    patients: PatientAlerts
    troubles: Troubles
    nights: Nights
    deliveries: Deliveries
    recipients: Recipients
