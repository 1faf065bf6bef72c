"""Connecting a clinic: refused credentials are explained and harm nothing."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.application import settings_for
from tests.fixtures.sandbox import RunningSandbox

from medai.bootstrap import Application, open_application
from medai.crm.registration import ClinicDetails
from medai.crm.tokens import TOKENS
from medai.errors import InvalidInputError, MedaiError, ProviderStoppedError


@pytest.fixture
async def fresh(
    sandbox: RunningSandbox, prepared_dsn: str, tmp_path: Path
) -> AsyncIterator[Application]:
    """An application without clinics."""
    sandbox.control.post("/amocrm/alpha-dent/options", requests_per_second=None)
    settings = settings_for(sandbox.url, prepared_dsn, tmp_path, amocrm_requests_per_second=0)
    async with open_application(settings) as opened:
        yield opened


def details(sandbox: RunningSandbox, **changes: Any) -> ClinicDetails:
    known = sandbox.control.clinics()[0]
    names = ("name", "subdomain", "client_id", "client_secret", "redirect_url", "auth_code",
             "timezone", "attribution")  # fmt: skip
    return ClinicDetails(**{**{name: known[name] for name in names}, **changes})


async def refused(app: Application, entered: ClinicDetails) -> MedaiError:
    with pytest.raises(MedaiError) as caught:
        await app.registration.register(entered)
    assert "\n" not in caught.value.message
    assert any("а" <= letter <= "я" for letter in caught.value.message.lower())
    return caught.value


async def test_a_clinic_is_connected_with_its_people_and_targets(
    fresh: Application, sandbox: RunningSandbox
) -> None:
    done = await fresh.registration.register(details(sandbox))
    assert done.is_new
    people = await fresh.staff.administrators_of(done.clinic.client_id)
    assert done.administrators == len(people) == len(sandbox.world.clinics[0].users)
    assert done.clinic.conversion_config is not None
    assert done.clinic.conversion_config.primary is not None
    stored = await fresh.clinics.require(done.clinic.client_id)
    assert stored == done.clinic
    secret = details(sandbox).client_secret
    token = await fresh.documents.get(TOKENS, stored.client_id)
    assert token is not None
    assert secret not in str(stored.model_dump())
    assert "eyJ" not in str(token)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"client_secret": "wrong"}, "client_secret"),
        ({"auth_code": "def502-wrong"}, "Код подключения"),
        ({"subdomain": "nobody"}, "amoCRM"),
        ({"client_id": "00000000-0000-0000-0000-000000000000"}, "client_id"),
        ({"redirect_url": "https://other.example/oauth"}, "перенаправления"),
    ],
)
async def test_refused_credentials_are_explained_and_store_nothing(
    fresh: Application, sandbox: RunningSandbox, changes: dict[str, str], words: str
) -> None:
    error = await refused(fresh, details(sandbox, **changes))
    assert isinstance(error, ProviderStoppedError)
    assert words in error.message
    assert [clinic async for clinic in fresh.clinics.all()] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"timezone": "Europe/Nowhere"},
        {"attribution": "guess"},
        {"subdomain": ""},
        {"subdomain": "other.example/x?"},
        {"subdomain": "alpha-dent.amocrm.ru"},
        {"subdomain": "../evil"},
    ],
)
async def test_nonsense_is_refused_before_the_code_is_spent(
    fresh: Application, sandbox: RunningSandbox, changes: dict[str, str]
) -> None:
    assert isinstance(await refused(fresh, details(sandbox, **changes)), InvalidInputError)
    assert (await fresh.registration.register(details(sandbox))).is_new


async def test_a_used_code_is_refused_and_the_clinic_keeps_working(
    fresh: Application, sandbox: RunningSandbox
) -> None:
    before = (await fresh.registration.register(details(sandbox))).clinic
    error = await refused(fresh, details(sandbox, name="Другое имя"))
    assert "Код подключения" in error.message
    await refused(fresh, details(sandbox, client_secret="wrong", auth_code=_code(sandbox)))
    assert await fresh.clinics.require(before.client_id) == before
    # The stored secret still refreshes the access that has ended.
    sandbox.control.post(f"/amocrm/{before.subdomain}/revoke-access")
    assert await (await fresh.accounts.of(before)).users()


async def test_a_new_code_reconnects_the_same_clinic(
    fresh: Application, sandbox: RunningSandbox
) -> None:
    first = await fresh.registration.register(details(sandbox))
    manual = await fresh.clinics.change(
        first.clinic.client_id,
        lambda stored: stored.model_copy(update={"conversion_config": _by_hand(stored)}),
    )
    again = await fresh.registration.register(
        details(sandbox, name="Новое имя", auth_code=_code(sandbox))
    )
    assert (again.is_new, again.clinic.id) == (False, first.clinic.id)
    assert again.clinic.name == "Новое имя"
    assert again.clinic.conversion_config == manual.conversion_config
    assert again.administrators == first.administrators


def _code(sandbox: RunningSandbox) -> str:
    code: str = sandbox.control.post(f"/amocrm/{details(sandbox).subdomain}/code")["code"]
    return code


def _by_hand(stored: Any) -> Any:
    return stored.conversion_config.model_copy(
        update={"secondary": None, "manually_overridden": True}
    )
