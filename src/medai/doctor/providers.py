"""The providers, asked only what costs nothing: is the key good, is there anything left."""

import asyncio
from datetime import UTC, date
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx2

from medai.bootstrap.providers import model_options, speech_client
from medai.clinics.models import Clinic
from medai.crm.accounts import AmocrmAccounts
from medai.doctor.clocks import compared
from medai.doctor.findings import Finding, ok, problem, warning
from medai.errors import ProviderStoppedError
from medai.integrations.openai.client import OpenAIClient
from medai.integrations.recordings.options import proxy_address
from medai.kit.clock import Clock
from medai.settings import Settings

_LIVING = {"", "active", "trialing", "free"}
"""States of a subscription that works."""
_FULL_SHARE = 0.9
_SOON_DAYS = 60
_GOOD_STATUS = 200
_CONNECT_SECONDS = 5.0


async def check_elevenlabs(settings: Settings) -> list[Finding]:
    """Key and credits (elevenlabs.md: GET /v1/user/subscription). Raises the provider errors."""
    client = speech_client(settings)
    try:
        plan = await client.subscription()
    finally:
        await client.aclose()
    if plan.status not in _LIVING:
        return [problem("elevenlabs", "Подписка ElevenLabs не действует: проверьте оплату")]
    left = plan.character_limit - plan.character_count
    if left <= 0:
        return [problem("elevenlabs", "Кредиты ElevenLabs кончились: пополните счёт")]
    if plan.character_count >= plan.character_limit * _FULL_SHARE:
        return [warning("elevenlabs", f"Кредитов ElevenLabs осталось {left}: пополните счёт")]
    return [ok("elevenlabs", f"Ключ ElevenLabs действует, кредитов осталось {left}")]


async def check_language_model(settings: Settings, today: date) -> list[Finding]:
    """Key and model (openai.md 3). Raises the provider errors and SettingsError."""
    client = OpenAIClient(model_options(settings), settings.openai_strategy)
    try:
        models = await client.models()
    except ProviderStoppedError as error:
        if error.status != httpx2.codes.NOT_FOUND:
            raise
        return [warning("openai", "Сервер языковой модели не показывает список моделей: ключ и"
                                  " модель проверит первый анализ")]  # fmt: skip
    finally:
        await client.close()
    name = settings.openai_model
    if name not in models:
        return [problem("openai", f"Ключ не даёт доступа к модели {name}: смените OPENAI_MODEL")]
    ends = models[name]
    if ends is None or (ends - today).days > _SOON_DAYS:
        return [ok("openai", f"Ключ языковой модели действует, модель {name} доступна")]
    level = warning if ends > today else problem
    return [level("openai", f"Модель {name} отключают {ends:%d.%m.%Y}: смените OPENAI_MODEL")]


async def check_telegram(settings: Settings, http: httpx2.AsyncClient) -> list[Finding]:
    """The bot's token (getMe). Errors say nothing of the address: the token stands in it."""
    token = settings.bot_token.get_secret_value().strip()
    if not token:
        return [ok("telegram", "Бот Telegram не настроен (BOT_TOKEN пуст)")]
    try:
        answer = await http.get(f"{settings.telegram_api_base_url.rstrip('/')}/bot{token}/getMe")
    except (httpx2.HTTPError, httpx2.InvalidURL):
        return [problem("telegram", "Telegram не отвечает: проверьте TELEGRAM_API_BASE_URL и сеть")]
    if answer.status_code != _GOOD_STATUS:
        return [problem("telegram", "Telegram отверг токен бота: проверьте BOT_TOKEN")]
    return [ok("telegram", "Токен бота Telegram действует")]


async def check_crm(accounts: AmocrmAccounts, clinic: Clinic) -> list[Finding]:
    """A clinic's CRM account. Raises the provider errors."""
    if not clinic.subdomain:
        return [ok("amocrm", f"Клиника «{clinic.name}» работает без CRM")]
    theirs = await (await accounts.of(clinic)).timezone()
    if theirs and theirs != clinic.timezone:
        told = f"Клиника «{clinic.name}»: пояс в amoCRM {theirs}, у нас {clinic.timezone}"
        return [warning("amocrm", f"{told}: если верен первый, medai clinics set --timezone")]
    return [ok("amocrm", f"Клиника «{clinic.name}»: amoCRM подключена")]


async def check_clock(settings: Settings, http: httpx2.AsyncClient, clock: Clock) -> list[Finding]:
    """A provider's Date header beside our clock; asked without a key, so the answer is a 401."""
    try:
        answer = await http.get(f"{settings.elevenlabs_base_url.rstrip('/')}/v1/user/subscription")
        theirs = parsedate_to_datetime(answer.headers["date"])
    except (httpx2.HTTPError, httpx2.InvalidURL, KeyError, ValueError):
        return [warning("clock", "Часы не с чем сравнить: ElevenLabs не ответил временем")]
    aware = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
    return [compared("clock", "ElevenLabs", aware, clock())]


async def check_proxy(settings: Settings) -> list[Finding]:
    """The recordings' proxy takes connections. Raises SettingsError."""
    address = proxy_address(settings)
    if address is None:
        return [ok("proxy", "Прокси для записей не настроен")]
    parts = urlsplit(address.get_secret_value())
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.close()
    except (OSError, TimeoutError):
        return [problem("proxy", "Прокси для записей не отвечает: проверьте PROXY_STRING или"
                                 " PROXY_HOST и PROXY_PORT")]  # fmt: skip
    return [ok("proxy", "Прокси для записей принимает соединения")]
