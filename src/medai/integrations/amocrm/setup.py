"""How the account is set up: rarely changing lists, read whole (amocrm.md 7-8)."""

from medai.errors import ProviderAnswerError

from .failures import PROVIDER
from .models import Account, CustomField, Pipeline, User
from .models.lenient import embedded
from .paging import rows_in_pages
from .transport import Transport

PAGE = 250
MAX_CUSTOM_FIELDS = 5 * PAGE
"""The replaced system read five pages; a clinic has tens of fields."""


async def pipelines(transport: Transport) -> list[Pipeline]:
    """All pipelines; the list is not paged."""
    body = await transport.get("leads/pipelines")
    found = (Pipeline.parse(row) for row in embedded(body or {}, "pipelines"))
    return [pipeline for pipeline in found if pipeline is not None]


async def lead_custom_fields(transport: Transport) -> list[CustomField]:
    """Definitions of lead fields, MAX_CUSTOM_FIELDS at most."""
    found: list[CustomField] = []
    path = "leads/custom_fields"
    async for row in rows_in_pages(transport, path, "custom_fields", (), limit=PAGE):
        if definition := CustomField.parse(row):
            found.append(definition)
        if len(found) == MAX_CUSTOM_FIELDS:
            break
    return found


async def users(transport: Transport) -> list[User]:
    """All users; administrators only."""
    rows = rows_in_pages(transport, "users", "users", (), limit=PAGE)
    return [user async for row in rows if (user := User.parse(row))]


async def account(transport: Transport) -> Account:
    """The account with its time zone and filter option."""
    params = [("with", "is_api_filter_enabled,datetime_settings")]
    found = Account.parse(await transport.get("account", params) or {})
    if found is None:
        raise ProviderAnswerError(PROVIDER, "amoCRM не назвала аккаунт: проверьте поддомен клиники")
    return found
