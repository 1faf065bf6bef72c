"""The demo's flow, the same that a clinic's night runs: CRM, recordings, STT, LLM, export."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from medai.bootstrap import Application
from medai.cli.working import Report, work_until_settled
from medai.crm.registration import ClinicDetails
from medai.crm.sync import SyncResult
from medai.kit.days import DayRange
from medai.kit.ids import stable_id
from medai.processing.requests import Progress
from medai.reports.service import GeneratedReport
from medai.staff.models import Shift


@dataclass(slots=True)
class Outcome:
    """What the product says it did."""

    syncs: dict[str, SyncResult] = field(default_factory=dict)
    progress: Progress = field(default_factory=Progress)
    rows: Counter[str] = field(default_factory=Counter)
    reports: list[GeneratedReport] = field(default_factory=list)


async def run_day(
    application: Application, clinics: Sequence[dict[str, Any]], day: date, report: Report
) -> Outcome:
    """Connect the clinics and bring one business day through every step.

    `clinics` is what a person would copy from amoCRM's settings pages (sandbox /control/clinics).
    Raises the MedaiError family.
    """
    days = DayRange(day, day)
    outcome = Outcome()
    client_ids = [str(clinic["client_id"]) for clinic in clinics]
    for clinic in clinics:
        await connect(application, clinic)
    for client_id in client_ids:
        outcome.syncs[client_id] = await application.syncs.run(client_id, days)
        await application.requests.everything(client_id, days)
    outcome.progress = await work_until_settled(application, client_ids, days, report)
    for client_id in client_ids:
        outcome.rows.update(await application.exports.export(client_id))
        # Without an analysed call there is nothing to report; the comparison tells why.
        if outcome.progress.analysed:
            outcome.reports.append(await application.reports.generate(client_id, days))
    return outcome


async def connect(application: Application, clinic: dict[str, Any]) -> None:
    """Register a clinic with its one-time code and enter its schedule."""
    await application.registration.register(
        ClinicDetails(
            name=clinic["name"],
            subdomain=clinic["subdomain"],
            client_id=clinic["client_id"],
            client_secret=clinic["client_secret"],
            redirect_url=clinic["redirect_url"],
            auth_code=clinic["auth_code"],
            timezone=clinic["timezone"],
            attribution=clinic["attribution"],
        )
    )
    for entry in clinic["schedule"]:
        await application.staff.add_shift(_shift(application, clinic["client_id"], entry))


def _shift(application: Application, client_id: str, entry: dict[str, str]) -> Shift:
    names = (entry["first_name"], entry["last_name"])
    return Shift(
        id=stable_id("shift", client_id, entry["day"], *names),
        client_id=client_id,
        day=date.fromisoformat(entry["day"]),
        first_name=names[0],
        last_name=names[1],
        created_at=application.clock(),
    )
