"""Settings that contradict each other, are weak, or break the rules of production. Pure."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from pydantic import SecretStr

from medai.doctor.findings import Finding, ok, problem, warning
from medai.errors import SettingsError
from medai.integrations.recordings.options import proxy_address
from medai.settings import Settings

CHECK = "settings"
_SHORTEST_SECRET = 32
_SHORTEST_KEY = 16
_FASTEST_CRM_RATE = 6.0
_LARGEST_BATCH = 250
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def check_settings(settings: Settings) -> list[Finding]:
    """Findings about the settings alone; one `ok` when there are none."""
    found = [
        *_keys(settings),
        *_stores(settings),
        *_providers(settings),
        *_proxy(settings),
        *_production(settings),
    ]
    return found or [ok(CHECK, f"Настройки непротиворечивы, режим {settings.environment}")]


def _keys(settings: Settings) -> Iterator[Finding]:
    level = problem if settings.environment == "production" else warning
    api_key, secret = _text(settings.api_key), _text(settings.medai_secret)
    if not api_key and settings.environment == "production":
        yield problem(CHECK, "Не задан API_KEY: в production служба без него не запустится")
    if 0 < len(api_key) < _SHORTEST_KEY:
        yield warning(CHECK, f"API_KEY короче {_SHORTEST_KEY} символов: openssl rand -base64 32")
    if len(secret) < _SHORTEST_SECRET and (secret or settings.environment == "production"):
        yield problem(
            CHECK, f"MEDAI_SECRET короче {_SHORTEST_SECRET} символов: openssl rand -base64 48"
        )
    elif secret and len(set(secret)) < _SHORTEST_KEY // 2:
        yield level(CHECK, "MEDAI_SECRET состоит из повторов: openssl rand -base64 48")
    if secret and secret == api_key:
        yield level(CHECK, "API_KEY и MEDAI_SECRET совпадают: задайте разные")
    if 0 < len(_text(settings.medai_metrics_token)) < _SHORTEST_KEY:
        yield warning(CHECK, f"MEDAI_METRICS_TOKEN короче {_SHORTEST_KEY} символов: удлините")


def _stores(settings: Settings) -> Iterator[Finding]:
    if _text(settings.postgres_dsn) and settings.postgres_host:
        yield warning(CHECK, "Заданы и POSTGRES_DSN, и POSTGRES_HOST: действует POSTGRES_DSN")
    ports = (settings.medai_port, settings.medai_worker_metrics_port)
    if ports[0] == ports[1]:
        yield problem(CHECK, "MEDAI_PORT и MEDAI_WORKER_METRICS_PORT совпадают: задайте разные")


def _providers(settings: Settings) -> Iterator[Finding]:
    if not _text(settings.evenlabs):
        yield problem(CHECK, "Не задан EVENLABS: без ключа ElevenLabs звонки не распознаются")
    if not _text(settings.openai):
        yield problem(CHECK, "Не задан OPENAI: без ключа языковой модели звонки не оцениваются")
    rate = settings.amocrm_requests_per_second
    if not 0 <= rate <= _FASTEST_CRM_RATE:
        yield problem(CHECK, "AMOCRM_REQUESTS_PER_SECOND: укажите число от 0 до 6")
    elif not rate:
        yield warning(CHECK, "AMOCRM_REQUESTS_PER_SECOND=0: запросы не ограничены, CRM заблокирует")
    if not 1 <= settings.amocrm_batch_size <= _LARGEST_BATCH:
        yield problem(CHECK, f"AMOCRM_BATCH_SIZE: укажите число от 1 до {_LARGEST_BATCH}")
    if settings.elevenlabs_base_url.rstrip("/").endswith("/v1"):
        yield problem(CHECK, "ELEVENLABS_BASE_URL указывают без /v1: уберите его")


def _proxy(settings: Settings) -> Iterator[Finding]:
    try:
        address = proxy_address(settings)
    except SettingsError as error:
        yield problem(CHECK, error.message)
        return
    if settings.proxy_enabled and address is None:
        yield warning(CHECK, "PROXY_ENABLED=true без PROXY_HOST: прокси не используется")
    if address is not None and not settings.recordings_proxy_hosts:
        yield warning(CHECK, "Прокси задан, но RECORDINGS_PROXY_HOSTS пуст: он не используется")


def _production(settings: Settings) -> Iterator[Finding]:
    if settings.environment != "production":
        return
    if settings.medai_open_links == "legacy":
        yield warning(CHECK, "MEDAI_OPEN_LINKS=legacy: записи открываются без подписи")
    if settings.log_level == "DEBUG":
        yield warning(CHECK, "LOG_LEVEL=DEBUG в production: верните INFO")
    if settings.cors_origins.strip() == "*":
        yield warning(CHECK, "CORS_ORIGINS=*: перечислите адреса своих страниц")
    if urlsplit(settings.public_api_url).hostname in _LOOPBACK:
        yield warning(CHECK, "API_BASE_URL указывает на эту машину: ссылки в отчётах не откроются")
    for name in ("elevenlabs_base_url", "openai_base_url", "amocrm_base_url_template"):
        address = urlsplit(str(getattr(settings, name)))
        if address.scheme == "http" and address.hostname not in _LOOPBACK:
            yield warning(CHECK, f"{name.upper()} без https: ключи идут по сети открыто")


def _text(value: SecretStr) -> str:
    return value.get_secret_value().strip()
