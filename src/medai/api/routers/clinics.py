"""Clinics: list, connection to the CRM, dashboard address (contract 1.5)."""

import re
from typing import Annotated

from fastapi import APIRouter, Path, Query

from medai.api.dependencies import App, Installation, Visitor, Who
from medai.api.errors import problems
from medai.api.routers.clinic_shapes import (
    ClinicOrder,
    ConnectedAnswer,
    DashboardAnswer,
    DashboardOrder,
    RenewedAnswer,
    RenewOrder,
    ShownClinic,
    connected,
    renewed,
    shown,
)
from medai.bootstrap import Application
from medai.clinics.models import Clinic
from medai.clinics.repository import unknown_clinic
from medai.crm.registration import ClinicDetails
from medai.errors import InvalidInputError, ProviderError

router = APIRouter(tags=["clinics"])

_PAGE = re.compile(r"https?://[\w.-]+(:\d{1,5})?([/?#][^\s\"'<>\\]*)?", re.IGNORECASE)
"""It stands in pages and messages of ours: nothing that could end an attribute."""

ClinicId = Annotated[
    str, Path(max_length=100, description="client_id клиники или её собственный id")
]


@router.get("/admin/clinics", summary="Clinics with their administrators")
async def clinics(app: App, who: Who) -> list[ShownClinic]:
    """By name. A key of some clinics sees these only."""
    now = app.clock()
    found = [one async for one in app.clinics.all() if who.grant.allows(one.client_id)]
    return [shown(one, await app.staff.administrators_of(one.client_id), now) for one in found]


@router.post(
    "/admin/clinics", summary="Connect a clinic or connect it again", responses=problems(400)
)
async def connect(order: ClinicOrder, app: App, _: Installation) -> ConnectedAnswer:
    """Trade the one-time code for access, import the CRM's users as administrators, find what
    counts as a conversion. A clinic with this `client_id` is updated.

    Every refusal is a 400 with its reason; the secret and the code are never shown again.
    """
    details = ClinicDetails(
        name=order.name,
        subdomain=order.amocrm_subdomain,
        client_id=order.client_id,
        client_secret=order.client_secret,
        redirect_url=order.redirect_url,
        auth_code=order.auth_code,
        timezone=order.timezone,
        attribution=order.admin_detection_method,
        pipeline_id=order.amocrm_pipeline_id,
    )
    try:
        return connected(await app.crm_access.connect(details))
    except ProviderError as error:
        # Old clients know this one status (contract 1.5: 400 for any failure).
        raise InvalidInputError(error.message) from error


@router.post(
    "/admin/clinics/{clinic_id}/refresh-token",
    summary="Renew a clinic's CRM access now",
    responses=problems(400, 404, 502),
)
async def refresh_token(
    clinic_id: ClinicId,
    app: App,
    who: Who,
    order: RenewOrder | None = None,
    client_secret: Annotated[str, Query(max_length=500, description="лучше в теле")] = "",
    redirect_url: Annotated[str, Query(max_length=2000, description="лучше в теле")] = "",
) -> RenewedAnswer:
    """Trade the refresh token for a new pair. 400 where there is none, 502 when amoCRM refuses.

    Corrected credentials come in the body; old clients send them in the query, which proxies log.
    """
    clinic = await named(clinic_id, app, who)
    if order is None:
        order = RenewOrder(client_secret=client_secret, redirect_url=redirect_url)
    pair = await app.crm_access.renew(
        clinic, client_secret=order.client_secret, redirect_url=order.redirect_url
    )
    return renewed(clinic, pair)


@router.put(
    "/admin/clinics/{client_id}/datalens-url",
    summary="Set the address of the clinic's dashboard",
    responses=problems(400, 404),
)
async def set_dashboard(
    client_id: ClinicId, order: DashboardOrder, app: App, who: Who
) -> DashboardAnswer:
    """An empty address removes it. 400 for an address that is no web page."""
    clinic, url = await named(client_id, app, who), order.datalens_dashboard_url.strip()
    if url and not _PAGE.fullmatch(url):
        raise InvalidInputError("Адрес дашборда: укажите ссылку, начиная с https://")
    await app.clinics.change(
        clinic.client_id, lambda stored: stored.model_copy(update={"datalens_dashboard_url": url})
    )
    return DashboardAnswer(
        message="Адрес дашборда сохранён", client_id=clinic.client_id, new_url=url
    )


async def named(clinic_id: str, app: Application, who: Visitor) -> Clinic:
    """The clinic by either of its ids. Raises NotFoundError: unknown and foreign are one."""
    clinic = await app.clinics.by_any_id(clinic_id)
    if clinic is None or not who.grant.allows(clinic.client_id):
        raise unknown_clinic(clinic_id)
    return clinic
